//! The words of an `attack.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What somebody does, and how it must end. The victim is tenant `acme`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attack {
    /// What the attacker does, and why it would be of use.
    pub(crate) about: String,
    /// Where it is from: an advisory, or a section of TUF 1.0.34.
    pub(crate) source: String,
    /// The publication that the device has installed; 0 for a device that has nothing yet.
    #[serde(default = "one")]
    pub(crate) has: u64,
    /// The publication that is attacked.
    #[serde(default = "two")]
    pub(crate) serves: u64,
    /// What the clock of the device says; else when that publication was made.
    pub(crate) at: Option<String>,
    /// What the attacker does, one after the other.
    pub(crate) steps: Vec<Step>,
    /// How the refresh ends.
    pub(crate) expect: Expect,
    /// The code, if it is refused.
    pub(crate) code: Option<String>,
    /// Up to where what was verified may be remembered.
    #[serde(default)]
    pub(crate) remembers: Rung,
    /// What starts after the attack, before anything heals.
    pub(crate) starts: Option<Vec<String>>,
    /// The honest publication that heals. 4 comes with new keys for all online roles.
    #[serde(default = "three")]
    pub(crate) heals: u64,
}

/// How a refresh ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Expect {
    /// It is refused with a code.
    Refused,
    /// It is no error, and what is known stays.
    Kept,
    /// The attack is passed by: the publication arrives whole.
    Arrives,
}

/// How far a refresh came: everything up to there was verified and may be remembered, and nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rung {
    #[default]
    Nothing,
    Root,
    Timestamp,
    Snapshot,
    Targets,
    Manifest,
}

/// One thing that an attacker does.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Step {
    /// Serves a file in the place of another.
    Serve { file: String, from: From },
    /// Serves all files of a tenant as the victim's, under the victim's names.
    Impersonate { tenant: String },
    /// Changes one bit.
    Flip { file: String, byte: usize },
    /// Cuts a file short.
    Truncate { file: String, to: usize },
    /// Puts text after the end.
    Append { file: String, text: String },
    /// Serves something else.
    Replace { file: String, text: String },
    /// Changes text inside a file, and signs nothing.
    Text { file: String, from: String, to: String },
    /// Takes a file away.
    Remove { file: String },
    /// Something of the network: for a file, or for every path that contains `path`.
    Network {
        file: Option<String>,
        path: Option<String>,
        fault: Network,
        #[serde(default)]
        cache: Cache,
    },
    /// Changes what a role says, and signs it: by its own keys, or by those that are named.
    Edit {
        role: String,
        #[serde(default)]
        set: BTreeMap<String, Value>,
        #[serde(default)]
        remove: Vec<String>,
        signers: Option<Vec<String>>,
        /// The version in the name of the file; else the one that it says.
        named: Option<String>,
    },
    /// Changes the list of signatures.
    Signatures { role: String, how: Signatures },
    /// Has snapshot and timestamp name what is served now, and signs them with their keys.
    Repin { roles: Vec<String> },
    /// Changes the manifest; everything above it is signed with the keys of the roles.
    Manifest { set: BTreeMap<String, Value> },
    /// Puts other files into the bundle of `chat`; everything above it is signed with the keys of the roles.
    Bundle { entries: Vec<Entry> },
    /// Signs so many further roots, all good.
    Roots { until: u64 },
    /// Changes a file on the device before the refresh.
    Device { file: String, how: Damage },
}

/// Where a file comes from: the same file of the victim's in the attacked publication, unless something else is said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct From {
    pub(crate) publication: Option<u64>,
    pub(crate) tenant: Option<String>,
    pub(crate) file: Option<String>,
}

/// Where on the way a fault is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cache {
    /// At the origin: every request meets it.
    #[default]
    Origin,
    /// In a cache: a request past all caches does not meet it.
    Edge,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Network {
    Unreachable,
    Missing,
    Unavailable,
    CutAfter100,
    HangsAfter10,
    Endless,
    Redirected,
    WrongPart,
    Page,
    Flipped,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Signatures {
    /// There are none.
    None,
    /// The first is there twice.
    Twice,
    /// The first is there again, its key id in capitals.
    TwiceInCapitals,
    /// The first is there again, under the id of a key that nobody has.
    UnderAnotherId,
    /// Each has an empty `sig`.
    Empty,
    /// Each `sig` is no hex.
    NoHex,
}

/// An entry of an archive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) text: String,
    /// It is a symbolic link to this.
    pub(crate) link: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Damage {
    /// One bit in the middle is another.
    Flip,
    /// Half of it is gone.
    Truncate,
    /// It is gone.
    Delete,
    /// `{}` stands there.
    Emptied,
}

fn one() -> u64 {
    1
}

fn two() -> u64 {
    2
}

fn three() -> u64 {
    3
}
