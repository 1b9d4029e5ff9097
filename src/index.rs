//! What a publication holds, as `state/index.json` remembers it: versions, digests, and what each tenant was made from.
//!
//! The next compile starts from here: it knows what is unchanged without opening a file of `out/`, draws
//! the next number from the one counter, and removes only what an earlier compile has written.
//! The index names tenants, so `state/` is private: it never goes where shells can read it.

mod given;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::given::{Given, SOON};
use crate::digest::{Blake3, Sha256};
use crate::input::RevocationBudget;
use crate::metadata::keys::KeyId;
use crate::time::{Duration, Timestamp};

/// Version of this file's format. Format 1 did not know to which region a tenant is bound, format 2 not which
/// mini-programs it has.
pub const FORMAT: u32 = 3;

/// The format before it. It is read as it stands: what it does not know is none.
const BEFORE: u32 = 2;

/// A whole publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index<B = Blake3> {
    /// [`FORMAT`].
    pub format: u32,
    /// Name and version of the compiler that made it.
    pub compiler: String,
    /// As in the root.
    pub environment: String,
    /// The commit that was compiled; none for a working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Digest of all input files, as `tenantry plan` names it; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Blake3>,
    /// How many tenants the next publication may take mini-programs from; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_budget: Option<RevocationBudget>,
    /// The counter: grows with every publication that changes anything.
    pub publication: u64,
    /// The newest root that it carries.
    pub root_version: u64,
    /// The keys that signed entitlements, sorted.
    pub entitlement_keys: Vec<KeyId>,
    /// The keys that signed timestamps, sorted.
    pub freshness_keys: Vec<KeyId>,
    /// Digest of what every tenant depends on: catalogue, project file, compiler.
    pub basis: Blake3,
    /// Whether the compile had nothing to say about its inputs; only then may the next one skip reading them.
    pub clean: bool,
    /// Every bundle, by the digest of its tree.
    pub bundles: BTreeMap<Blake3, Archive>,
    /// Every tenant, by its address.
    pub tenants: BTreeMap<String, TenantRecord<B>>,
}

/// One state of a store: a publication, and the index that describes it to the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The number.
    pub publication: u64,
    /// Digest of the index as it lies in the store.
    pub index: Sha256,
}

/// Why bytes are no index.
#[derive(Debug, thiserror::Error)]
pub enum BadIndex {
    /// Not JSON of this shape.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Of another version.
    #[error("its format is {0}, not {FORMAT}")]
    Format(u32),
    /// A tenant names a bundle that is not there.
    #[error("tenant `{0}` names a bundle that is not in it")]
    Bundle(String),
}

impl Index {
    /// Reads `state/index.json`.
    pub fn parse(bytes: &[u8]) -> Result<Index, BadIndex> {
        match serde_json::from_slice::<Format>(bytes)?.format {
            BEFORE | FORMAT => Index::read(bytes),
            other => Err(BadIndex::Format(other)),
        }
    }

    /// Reads one that the next compile starts from. Format 1 will do for that: every number and digest goes on, and
    /// what it does not know is found out by reading every tenant once more.
    pub fn parse_or_upgrade(bytes: &[u8]) -> Result<Index, BadIndex> {
        match serde_json::from_slice::<Format>(bytes)?.format {
            1 => Index::read(bytes).map(|it| Index { basis: Blake3([0; 32]), clean: false, ..it }),
            _ => Index::parse(bytes),
        }
    }

    /// Every public file of the publication but its roots. An overlay and a bundle of the same content have the same
    /// name.
    pub fn public_files(&self) -> impl Iterator<Item = String> + '_ {
        let own = self.tenants.iter().flat_map(|(addr, record)| record.files(addr).map(|(key, _)| key));
        own.chain(self.bundles.iter().map(|(tree, archive)| keys::archive(*tree, archive.sha256)))
    }

    fn read(bytes: &[u8]) -> Result<Index, BadIndex> {
        let stored: Index<usize> = serde_json::from_slice(bytes)?;
        let trees: Vec<Blake3> = stored.bundles.keys().copied().collect();
        let index =
            stored.with_bundles(|name, at| trees.get(at).copied().ok_or_else(|| BadIndex::Bundle(name.to_owned())))?;
        Ok(Index { format: FORMAT, ..index })
    }

    /// Writes `state/index.json`. A tenant's bundles are positions there: their digests would be most of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let positions: BTreeMap<Blake3, usize> =
            self.bundles.keys().enumerate().map(|(at, tree)| (*tree, at)).collect();
        let stored: Result<Index<usize>, std::convert::Infallible> =
            self.clone().with_bundles(|_, tree| Ok(positions[&tree]));
        let Ok(stored) = stored;
        serde_json::to_vec(&stored).expect("an index has only text keys")
    }
}

impl<B> Index<B> {
    /// The same index with bundles named in another way.
    fn with_bundles<C, E>(self, mut name: impl FnMut(&str, B) -> Result<C, E>) -> Result<Index<C>, E> {
        let tenants = self.tenants.into_iter().map(|(addr, it)| {
            let bundles = it.bundles.into_iter().map(|bundle| name(&it.name, bundle)).collect::<Result<_, E>>()?;
            let record = TenantRecord {
                bundles,
                name: it.name,
                tenant_id: it.tenant_id,
                domains: it.domains,
                labels: it.labels,
                data_region: it.data_region,
                file: it.file,
                input: it.input,
                content: it.content,
                next_change: it.next_change,
                entitlements: it.entitlements,
                given: it.given,
                preloaded: it.preloaded,
                max_ttl: it.max_ttl,
                overlays: it.overlays,
                manifest: it.manifest,
                targets: it.targets,
                snapshot: it.snapshot,
                timestamp: it.timestamp,
            };
            Ok((addr, record))
        });
        Ok(Index {
            tenants: tenants.collect::<Result<_, E>>()?,
            format: self.format,
            compiler: self.compiler,
            environment: self.environment,
            commit: self.commit,
            inputs: self.inputs,
            revocation_budget: self.revocation_budget,
            publication: self.publication,
            root_version: self.root_version,
            entitlement_keys: self.entitlement_keys,
            freshness_keys: self.freshness_keys,
            basis: self.basis,
            clean: self.clean,
            bundles: self.bundles,
        })
    }
}

/// The format of an index of any format.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// An archive in `o/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Its digest.
    pub sha256: Sha256,
    /// Its bytes.
    pub length: u64,
}

/// What a device fetches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Bytes of all answers, but for what HTTP adds.
    pub bytes: u64,
    /// How many times it asks.
    pub requests: u32,
}

impl Cost {
    /// This and another one.
    pub fn and(self, other: Cost) -> Cost {
        Cost { bytes: self.bytes + other.bytes, requests: self.requests + other.requests }
    }
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantRecord<B = Blake3> {
    /// Its name in the project.
    pub name: String,
    /// Its opaque identifier.
    pub tenant_id: String,
    /// Its domains.
    pub domains: Vec<String>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The region that it is bound to; only stores of that region may hold anything of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_region: Option<String>,
    /// The file that describes it.
    pub file: String,
    /// Digest of that file.
    pub input: Blake3,
    /// Digest of its line-up: what must change for it to be signed again.
    pub content: Blake3,
    /// When its line-up next changes by itself.
    pub next_change: Option<Timestamp>,
    /// How many mini-programs are in.
    pub entitlements: u32,
    /// Which, and when; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Vec<Given>>,
    /// The archives that a device fetches which has nothing yet; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preloaded: Option<Cost>,
    /// The longest that its metadata may last, by its compliance profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ttl: Option<Duration>,
    /// The bundles among its targets, sorted.
    pub bundles: Vec<B>,
    /// Overlays, by the digest of their trees.
    pub overlays: BTreeMap<Blake3, Archive>,
    /// The manifest.
    pub manifest: Archive,
    /// `targets.json`.
    pub targets: FileRecord,
    /// `snapshot.json`.
    pub snapshot: FileRecord,
    /// `timestamp.json`.
    pub timestamp: FileRecord,
}

/// One file of metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Its version.
    pub version: u64,
    /// Its bytes.
    pub length: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// When it was signed.
    pub issued: Timestamp,
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
}

impl FileRecord {
    /// Whether it is time to sign it again: half of its life is over, or the clock stands before its birth.
    pub fn is_due(&self, now: Timestamp) -> bool {
        now < self.issued || now >= self.issued.plus(self.issued.until(self.expires).half())
    }

    /// Whether it is time, or the file was signed for longer than files may last by now.
    pub fn is_due_within(&self, now: Timestamp, lifetime: Duration) -> bool {
        self.is_due(now) || self.issued.until(self.expires) > lifetime
    }
}

/// Object keys, as in a store; all relative to its root.
pub mod keys {
    use crate::digest::{Blake3, Sha256};

    /// A root; immutable, kept for ever.
    pub fn root(version: u64) -> String {
        format!("root/{version}.root.json")
    }

    /// The only mutable object of a tenant.
    pub fn timestamp(addr: &str) -> String {
        format!("t/{addr}/timestamp.json")
    }

    /// A snapshot; immutable.
    pub fn snapshot(addr: &str, version: u64) -> String {
        format!("t/{addr}/{version}.snapshot.json")
    }

    /// Targets; immutable.
    pub fn targets(addr: &str, version: u64) -> String {
        format!("t/{addr}/{version}.targets.json")
    }

    /// A bundle or an overlay; its target name is the digest of its tree.
    pub fn archive(tree: Blake3, sha256: Sha256) -> String {
        format!("o/{sha256}.{tree}")
    }

    /// The target name of a tenant's manifest. The address in it makes a foreign client fail closed.
    pub fn manifest_target(addr: &str) -> String {
        format!("{addr}.manifest.json")
    }

    /// A manifest.
    pub fn manifest(addr: &str, sha256: Sha256) -> String {
        format!("o/{sha256}.{addr}.manifest.json")
    }

    /// The publication that signed a snapshot or targets; none of other files.
    pub fn number(key: &str) -> Option<u64> {
        let name = key.strip_prefix("t/")?.split_once('/')?.1;
        name.strip_suffix(".snapshot.json").or_else(|| name.strip_suffix(".targets.json"))?.parse().ok()
    }

    /// Whether a path has the form of a tenant's file, of a bundle, or of one that was about to get such a name.
    /// Nothing that a person or another program puts there is named like this.
    pub fn is_ours(key: &str) -> bool {
        let is_addr = |it: &str| it.len() == 32 && it.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
        let is_digest = |it: &str| it.len() == 64 && it.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_number = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit());
        match key.split('/').collect::<Vec<_>>()[..] {
            ["t", addr, name] => {
                let version = name.strip_suffix(".snapshot.json").or_else(|| name.strip_suffix(".targets.json"));
                is_addr(addr)
                    && (matches!(name, "timestamp.json" | "timestamp.json.new") || version.is_some_and(is_number))
            }
            ["o", name] => {
                let (digest, rest) = name.split_once('.').unwrap_or_default();
                is_digest(digest) && (is_digest(rest) || rest.strip_suffix(".manifest.json").is_some_and(is_addr))
            }
            _ => false,
        }
    }
}

impl TenantRecord {
    /// Whether it loses a mini-program when another publication takes the place of this one at an instant; none when
    /// that one no longer has the tenant.
    ///
    /// Where one of the two does not know which mini-programs it has, what counts is how many there are.
    pub fn loses(&self, next: Option<&TenantRecord>, now: Timestamp) -> bool {
        match (&self.given, next, next.and_then(|it| it.given.as_ref())) {
            (Some(before), None, _) => given::loses(before, &[], now),
            (Some(before), Some(_), Some(after)) => given::loses(before, after, now),
            (None, _, _) | (Some(_), Some(_), None) => self.entitlements > next.map_or(0, |it| it.entitlements),
        }
    }

    /// Every file that is this tenant's alone, with its length; overlays may be shared by chance.
    pub fn files<'a>(&'a self, addr: &'a str) -> impl Iterator<Item = (String, u64)> + 'a {
        [(keys::timestamp(addr), self.timestamp.length)].into_iter().chain(self.immutable_files(addr))
    }

    /// Whether both have the same files but for the timestamp.
    pub fn has_same_content(&self, other: &TenantRecord) -> bool {
        (self.targets, self.snapshot, self.manifest) == (other.targets, other.snapshot, other.manifest)
            && self.bundles == other.bundles
            && self.overlays == other.overlays
    }

    /// Every one of its files but the timestamp.
    pub fn immutable_files<'a>(&'a self, addr: &'a str) -> impl Iterator<Item = (String, u64)> + 'a {
        let metadata = [
            (keys::snapshot(addr, self.snapshot.version), self.snapshot.length),
            (keys::targets(addr, self.targets.version), self.targets.length),
            (keys::manifest(addr, self.manifest.sha256), self.manifest.length),
        ];
        let overlays = self.overlays.iter().map(|(tree, it)| (keys::archive(*tree, it.sha256), it.length));
        metadata.into_iter().chain(overlays)
    }
}
