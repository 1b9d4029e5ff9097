//! Signed metadata in The Update Framework's format: what is written, and what is accepted back.
//!
//! The profile is stricter than TUF 1.0.34, so that every known client reads it alike: compact canonical
//! JSON, ASCII text, integers below 2^53, `…Z` dates, one hash (sha256), flat target names, no delegations.
//! Fields are declared in sorted order, so what serde writes already is canonical JSON (OLPC), and
//! what was signed is what is written.

pub mod keys;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Sha256;
use crate::time::{Duration, Timestamp};
use keys::{KeyId, PublicKey, Signature};

/// The version of the TUF specification that the profile follows.
pub const SPEC_VERSION: &str = "1.0.34";

/// Most targets in one targets file; above it clients with a 5 MB cap refuse the file.
pub const MAX_TARGETS: usize = 20_000;

/// The environment that marks throw-away keys; no production root may use it.
pub const DEVELOPMENT: &str = "development";

/// A role's metadata with the exact bytes that were signed.
#[derive(Debug, Clone)]
pub struct Signed<T> {
    /// The role.
    pub role: T,
    /// The whole file: what is written, hashed and served. Nothing downstream serialises `role` again.
    pub bytes: Vec<u8>,
}

/// The roles of the profile, by the names that TUF gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// Names all keys; signed offline.
    Root,
    /// Names the current targets; signed by the entitlement key.
    Snapshot,
    /// Names the manifest and the bundles; signed by the entitlement key.
    Targets,
    /// Names the current snapshot; signed by the freshness key.
    Timestamp,
}

impl RoleName {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            RoleName::Root => "root",
            RoleName::Snapshot => "snapshot",
            RoleName::Targets => "targets",
            RoleName::Timestamp => "timestamp",
        }
    }
}

/// What every role has.
pub trait Role: Serialize + for<'de> Deserialize<'de> {
    /// Its name.
    const NAME: RoleName;
    /// Its `_type`.
    fn type_name(&self) -> &str;
    /// Its `spec_version`.
    fn spec_version(&self) -> &str;
    /// Its version.
    fn version(&self) -> u64;
    /// The first instant at which it no longer holds.
    fn expires(&self) -> Timestamp;
}

macro_rules! role {
    ($type:ty, $name:expr) => {
        impl Role for $type {
            const NAME: RoleName = $name;
            fn type_name(&self) -> &str {
                &self.type_name
            }
            fn spec_version(&self) -> &str {
                &self.spec_version
            }
            fn version(&self) -> u64 {
                self.version
            }
            fn expires(&self) -> Timestamp {
                self.expires
            }
        }
    };
}

role!(Root, RoleName::Root);
role!(TimestampRole, RoleName::Timestamp);
role!(Snapshot, RoleName::Snapshot);
role!(Targets, RoleName::Targets);

/// The root of trust: all keys, and which role each may sign for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// `root`.
    #[serde(rename = "_type")]
    pub type_name: String,
    /// Always true: files carry their version or hash in their name.
    pub consistent_snapshot: bool,
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
    /// Every key, by its id.
    pub keys: BTreeMap<KeyId, PublicKey>,
    /// Who may sign what.
    pub roles: BTreeMap<RoleName, RoleKeys>,
    /// [`SPEC_VERSION`].
    pub spec_version: String,
    /// Contiguous from 1.
    pub version: u64,
    /// Ours.
    #[serde(rename = "x-tenantry")]
    pub tenantry: RootMark,
}

/// What we add to a root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootMark {
    /// `production`, `staging`, …; [`DEVELOPMENT`] marks throw-away keys.
    pub environment: String,
}

/// Which keys sign for a role, and how many of them must.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleKeys {
    /// The keys, sorted and without repeats.
    pub keyids: Vec<KeyId>,
    /// How many different keys must sign; never zero.
    pub threshold: std::num::NonZeroU32,
}

/// The only mutable file of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimestampRole {
    /// `timestamp`.
    #[serde(rename = "_type")]
    pub type_name: String,
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
    /// Only `snapshot.json`.
    pub meta: BTreeMap<String, MetaFile>,
    /// [`SPEC_VERSION`].
    pub spec_version: String,
    /// The publication that signed it.
    pub version: u64,
    /// Ours.
    #[serde(rename = "x-tenantry")]
    pub tenantry: Mark,
}

/// Names the current targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// `snapshot`.
    #[serde(rename = "_type")]
    pub type_name: String,
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
    /// Only `targets.json`.
    pub meta: BTreeMap<String, MetaFile>,
    /// [`SPEC_VERSION`].
    pub spec_version: String,
    /// The publication that signed it.
    pub version: u64,
    /// Ours.
    #[serde(rename = "x-tenantry")]
    pub tenantry: Mark,
}

/// Names the manifest, the overlays and the bundles of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// `targets`.
    #[serde(rename = "_type")]
    pub type_name: String,
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
    /// [`SPEC_VERSION`].
    pub spec_version: String,
    /// Flat names (`[a-z0-9._-]`) with length and hash.
    pub targets: BTreeMap<String, TargetFile>,
    /// The publication that signed it.
    pub version: u64,
    /// Ours.
    #[serde(rename = "x-tenantry")]
    pub tenantry: Mark,
}

/// What we add to a tenant's files. All tenants share the same keys, so this field is what keeps
/// one tenant's metadata from being accepted as another's; a client checks it before it stores anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Whose file this is.
    pub addr: String,
    /// As in the root.
    pub environment: String,
}

/// One file of metadata as another names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetaFile {
    /// Of the whole file.
    pub hashes: Hashes,
    /// Bytes of the whole file.
    pub length: u64,
    /// Its version.
    pub version: u64,
}

/// One target as the targets file names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// Of the whole file.
    pub hashes: Hashes,
    /// Bytes.
    pub length: u64,
}

/// Exactly one hash: some clients fail on a name they do not know, one picks at random among several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hashes {
    /// SHA-256.
    pub sha256: Sha256,
}

impl MetaFile {
    /// Names these bytes.
    pub fn of(bytes: &[u8], version: u64) -> MetaFile {
        MetaFile { hashes: Hashes { sha256: Sha256::of(bytes) }, length: bytes.len() as u64, version }
    }
}

/// For how long files are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Targets and snapshot.
    pub entitlement: Duration,
    /// The timestamp.
    pub freshness: Duration,
}

impl Lifetimes {
    /// Neither longer than a tenant's compliance profile allows.
    pub fn within(self, max_ttl: Option<Duration>) -> Lifetimes {
        let longest = |lifetime: Duration| max_ttl.map_or(lifetime, |it| it.min(lifetime));
        Lifetimes { entitlement: longest(self.entitlement), freshness: longest(self.freshness) }
    }
}

/// The canonical bytes of a role: what is signed.
pub fn canonical<T: Role>(role: &T) -> Vec<u8> {
    serde_json::to_vec(role).expect("metadata has only maps with text keys, text and integers")
}

/// The whole file: the signed bytes as they are, and their signatures in front, keys sorted.
pub fn envelope(signed: &[u8], signatures: &[Signature]) -> Vec<u8> {
    let signatures = serde_json::to_vec(signatures).expect("signatures have only text");
    let mut out = Vec::with_capacity(signed.len() + signatures.len() + 32);
    out.extend_from_slice(b"{\"signatures\":");
    out.extend_from_slice(&signatures);
    out.extend_from_slice(b",\"signed\":");
    out.extend_from_slice(signed);
    out.push(b'}');
    out
}

/// A file taken apart again: nothing in it is trusted yet.
#[derive(Debug)]
pub struct Opened<T> {
    /// What it claims.
    pub role: T,
    /// The bytes that must have been signed.
    pub signed: Vec<u8>,
    /// By whom, it says.
    pub signatures: Vec<Signature>,
}

/// Why a file is not metadata of the profile.
#[derive(Debug, thiserror::Error)]
pub enum BadMetadata {
    /// Not JSON of the expected shape.
    #[error("not {role} metadata of this profile: {source}")]
    Shape {
        /// What was expected.
        role: &'static str,
        /// What the reader said.
        #[source]
        source: serde_json::Error,
    },
    /// The right shape, but spelled differently than the profile spells it.
    #[error("not canonical: the {role} file is spelled differently than the profile spells it")]
    NotCanonical {
        /// Which role.
        role: &'static str,
    },
    /// `_type`, `spec_version` or another fixed field has another value.
    #[error("`{field}` of the {role} file is `{found}`")]
    Field {
        /// Which role.
        role: &'static str,
        /// Which field.
        field: &'static str,
        /// What it says.
        found: String,
    },
}

/// Takes a file apart and holds it to the profile, byte for byte. Signatures are not checked here.
pub fn open<T: Role>(bytes: &[u8]) -> Result<Opened<T>, BadMetadata> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, bound = "T: for<'a> Deserialize<'a>")]
    struct Envelope<T> {
        signatures: Vec<Signature>,
        signed: T,
    }

    let role = T::NAME.as_str();
    let parsed: Envelope<T> = serde_json::from_slice(bytes).map_err(|source| BadMetadata::Shape { role, source })?;
    let signed = canonical(&parsed.signed);
    if envelope(&signed, &parsed.signatures) != bytes || !is_plain(bytes) {
        return Err(BadMetadata::NotCanonical { role });
    }
    for (field, found, expected) in
        [("_type", parsed.signed.type_name(), role), ("spec_version", parsed.signed.spec_version(), SPEC_VERSION)]
    {
        if found != expected {
            return Err(BadMetadata::Field { role, field, found: found.to_owned() });
        }
    }
    if !(1..1 << 53).contains(&parsed.signed.version()) {
        return Err(BadMetadata::Field { role, field: "version", found: parsed.signed.version().to_string() });
    }
    Ok(Opened { role: parsed.signed, signed, signatures: parsed.signatures })
}

/// Printable ASCII, in which only quotes and backslashes are escaped. Canonical JSON has no other escapes: what serde
/// writes for a line end is not what another client verifies.
fn is_plain(bytes: &[u8]) -> bool {
    let mut is_escaped = false;
    bytes.iter().all(|&byte| {
        let is_fine = (0x20..0x7f).contains(&byte) && (!is_escaped || matches!(byte, b'"' | b'\\'));
        is_escaped = byte == b'\\' && !is_escaped;
        is_fine
    })
}

impl Root {
    /// How many *different* keys of a role have signed these bytes, and how many must.
    pub fn count_signatures(&self, role: RoleName, signed: &[u8], signatures: &[Signature]) -> (u32, u32) {
        let Some(keys) = self.roles.get(&role) else { return (0, 1) };
        // Counted by the public key itself, so one key under two ids, or one signature twice, counts once.
        let mut good: Vec<&PublicKey> = Vec::new();
        for signature in signatures.iter().filter(|it| keys.keyids.contains(&it.keyid)) {
            let Some(key) = self.keys.get(&signature.keyid) else { continue };
            if key.id() == signature.keyid && !good.contains(&key) && key.verifies(signed, &signature.sig) {
                good.push(key);
            }
        }
        (u32::try_from(good.len()).unwrap_or(u32::MAX), keys.threshold.get())
    }

    /// Whether enough different keys of a role have signed these bytes.
    pub fn accepts(&self, role: RoleName, signed: &[u8], signatures: &[Signature]) -> bool {
        let (good, threshold) = self.count_signatures(role, signed, signatures);
        good >= threshold
    }
}

#[cfg(test)]
mod tests {
    use super::keys::{FileKey, Signer as _};
    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            type_name: "snapshot".into(),
            expires: Timestamp::parse("2026-12-23").expect("a date"),
            meta: [("targets.json".into(), MetaFile::of(b"x", 7))].into(),
            spec_version: SPEC_VERSION.into(),
            version: 7,
            tenantry: Mark { addr: "a".into(), environment: DEVELOPMENT.into() },
        }
    }

    fn file() -> Vec<u8> {
        let signed = canonical(&snapshot());
        let key = FileKey::from_seed([7; 32]);
        envelope(&signed, &[key.signature(&signed).expect("a key in memory signs")])
    }

    #[test]
    fn canonical_bytes_are_sorted_compact_and_stable() {
        assert_eq!(
            String::from_utf8(canonical(&snapshot())).expect("ASCII"),
            "{\"_type\":\"snapshot\",\"expires\":\"2026-12-23T00:00:00Z\",\"meta\":{\"targets.json\":{\"hashes\":{\"sha256\":\
             \"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"},\"length\":1,\"version\":7}},\
             \"spec_version\":\"1.0.34\",\"version\":7,\"x-tenantry\":{\"addr\":\"a\",\"environment\":\"development\"}}"
        );
    }

    #[test]
    fn what_was_written_opens_to_what_was_signed() {
        let opened: Opened<Snapshot> = open(&file()).expect("our own file");
        assert_eq!(opened.role, snapshot());
        assert_eq!(opened.signed, canonical(&snapshot()));
    }

    #[test]
    fn quotes_and_backslashes_are_escaped_and_nothing_else() {
        let text = String::from_utf8(file()).expect("ASCII").replace("\"a\"", r#""\\\"\\""#);
        let opened: Opened<Snapshot> = open(text.as_bytes()).expect("canonical JSON escapes these two");
        assert_eq!(opened.role.tenantry.addr, r#"\"\"#);
    }

    #[test]
    fn another_spelling_of_the_same_metadata_is_refused() {
        let text = String::from_utf8(file()).expect("ASCII");
        for other in [
            text.replace(",\"version\":7,\"x-", ", \"version\":7,\"x-"),
            text.replace("\"a\"", "\"\\u0061\""),
            text.replace("\"a\"", "\"\\u0000\""),
            text.replace("\"a\"", "\"\\n\""),
            format!("{text}\n"),
            text.replace("\"length\":1", "\"length\":1.0"),
            text.replace("\"addr\":\"a\"", "\"addr\":\"b\",\"addr\":\"a\""),
            text.replace("\"spec_version\":\"1.0.34\"", "\"spec_version\":\"2.0.0\""),
            text.replace("\"_type\":\"snapshot\"", "\"_type\":\"targets\""),
            text.replace("\"version\":7,\"x-", "\"version\":0,\"x-"),
        ] {
            assert_ne!(other, text, "the edit changes the file");
            assert!(open::<Snapshot>(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn a_signature_counts_once_however_often_it_is_given() {
        let (one, two) = (FileKey::from_seed([1; 32]), FileKey::from_seed([2; 32]));
        let root = Root {
            type_name: "root".into(),
            consistent_snapshot: true,
            expires: Timestamp::parse("2027-01-01").expect("a date"),
            keys: [&one, &two].map(|key| (key.public_key().id(), key.public_key().clone())).into(),
            roles: [(
                RoleName::Snapshot,
                RoleKeys {
                    keyids: vec![one.public_key().id(), two.public_key().id()],
                    threshold: std::num::NonZeroU32::new(2).expect("two"),
                },
            )]
            .into(),
            spec_version: SPEC_VERSION.into(),
            version: 1,
            tenantry: RootMark { environment: DEVELOPMENT.into() },
        };
        let signed = canonical(&snapshot());
        let (a, b) = (one.signature(&signed).expect("signs"), two.signature(&signed).expect("signs"));
        assert!(!root.accepts(RoleName::Snapshot, &signed, &[a.clone(), a.clone()]));
        assert!(root.accepts(RoleName::Snapshot, &signed, &[a.clone(), b.clone()]));
        assert!(!root.accepts(RoleName::Snapshot, b"other bytes", &[a.clone(), b.clone()]));
        assert!(!root.accepts(RoleName::Timestamp, &signed, &[a, b]), "a role without keys accepts nothing");
    }
}
