//! What a reproduction found, by kinds of objects.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::time::Timestamp;

/// What was made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What a tenant is entitled to, by the digest of its content in the index.
    Tenant,
    /// A manifest.
    Manifest,
    /// Files that were rendered for one tenant.
    Overlay,
    /// Files of a version, which tenants share.
    Bundle,
    /// `targets.json`: what was signed of it, and its signatures.
    Targets,
    /// `snapshot.json`, likewise.
    Snapshot,
    /// `timestamp.json`, likewise.
    Timestamp,
}

impl Part {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Tenant => "tenant",
            Part::Manifest => "manifest",
            Part::Overlay => "overlay",
            Part::Bundle => "bundle",
            Part::Targets => "targets",
            Part::Snapshot => "snapshot",
            Part::Timestamp => "timestamp",
        }
    }
}

/// How one comparison ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same bytes.
    Equal,
    /// Other bytes, and how.
    Differs(String),
    /// Nobody can say, and why.
    Unjudged(String),
}

/// One comparison.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) part: Part,
    /// The object; of a tenant its name.
    pub(super) key: String,
    /// Whose it is; none when tenants share it.
    pub(super) tenant: Option<String>,
    pub(super) verdict: Verdict,
}

/// How many objects of a kind were equal, and how many not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The same bytes.
    pub equal: usize,
    /// Other bytes.
    pub differs: usize,
    /// Not judged.
    pub unjudged: usize,
}

/// An object that is not equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// What it is.
    pub part: Part,
    /// The object; of a tenant its name.
    pub key: String,
    /// The name of the tenant whose it is; none when tenants share it.
    pub tenant: Option<String>,
    /// How it differs, or why it could not be judged.
    pub why: String,
}

/// A publication, made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reproduction {
    /// Its number.
    pub publication: u64,
    /// The commit that it was made from.
    pub commit: String,
    /// The instant for which that commit was decided.
    pub decided_at: Timestamp,
    /// The compiler that made it again.
    pub compiler: &'static str,
    /// Other compilers that manifests name, with their number.
    pub other_compilers: BTreeMap<String, usize>,
    /// How many tenants were last signed from other commits, from which they were made again.
    pub from_other_commits: usize,
    /// How each kind fared.
    pub parts: BTreeMap<Part, Count>,
    /// What differs, sorted.
    pub differences: Vec<Problem>,
    /// What could not be judged, sorted.
    pub unjudged: Vec<Problem>,
}

impl Reproduction {
    /// Enters comparisons.
    pub(super) fn extend(&mut self, judged: impl IntoIterator<Item = Judged>) {
        for Judged { part, key, tenant, verdict } in judged {
            let count = self.parts.entry(part).or_default();
            match verdict {
                Verdict::Equal => count.equal += 1,
                Verdict::Differs(why) => {
                    count.differs += 1;
                    self.differences.push(Problem { part, key, tenant, why });
                }
                Verdict::Unjudged(why) => {
                    count.unjudged += 1;
                    self.unjudged.push(Problem { part, key, tenant, why });
                }
            }
        }
    }
}
