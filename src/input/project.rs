//! What a project says about itself: stores, keys, defaults, the revocation budget.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a project says about itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectSpec {
    /// Where shells find the publication, such as `https://cdn.example.com/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://[^\s]+$"))]
    pub base_url: Option<String>,
    /// Where signing keys come from when they are not files under `keys/`.
    #[serde(default, skip_serializing_if = "KeySources::is_empty")]
    pub keys: KeySources,
    /// What a tenant gets that does not say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    /// How long signed metadata lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetimes: Option<Lifetimes>,
    /// Most tenants from which one change may take a program; 1 % and at least 5 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_budget: Option<RevocationBudget>,
    /// What a device fetches that has nothing yet; no bound, and only what must be there, when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_start: Option<FirstStart>,
    /// Where publications go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreSpec>,
}

/// A place that publications go to: a directory or an S3-compatible bucket, and the CDN in front of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreSpec {
    /// What `--store` calls it.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"), length(max = 63))]
    pub name: String,
    /// A directory, from the project's folder. Give either this or `s3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub directory: Option<String>,
    /// A bucket. Give either this or `directory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Spec>,
    /// Another bucket or prefix for `state/`, which names tenants and is never public; `state/` in the store itself when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateSpec>,
    /// Where shells find this store, when it is not the project's `base_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://[^\s]+$"))]
    pub base_url: Option<String>,
    /// Tenants bound to one of these regions go here, and no others; tenants bound to none when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub regions: Vec<String>,
    /// What keeps two publishers apart; the store's conditional writes when left out.
    #[serde(default, skip_serializing_if = "Publishers::is_conditional")]
    pub publishers: Publishers,
}

/// A bucket of an S3-compatible store. Credentials come from the standard chain: variables, profile, role, instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct S3Spec {
    /// The bucket.
    #[schemars(length(min = 1, max = 255))]
    pub bucket: String,
    /// What every key begins with, such as `tenantry/`; nothing when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([A-Za-z0-9._-]+/)+$"), length(max = 255))]
    pub prefix: Option<String>,
    /// The region; from the surroundings when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub region: Option<String>,
    /// Where the store is, when it is not AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://[^\s]+$"))]
    pub endpoint: Option<String>,
    /// Whether the bucket stands in the path and not in the host name. True when left out and `endpoint` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// Whether checksums go with every request or only where one must; `when_required` when left out and `endpoint` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksums: Option<Checksums>,
}

/// When the S3 client adds checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Checksums {
    /// With every request: AWS.
    WhenSupported,
    /// Where S3 demands one: most other stores.
    WhenRequired,
}

/// A private place for `state/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateSpec {
    /// A directory, from the project's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub directory: Option<String>,
    /// A bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Spec>,
}

/// What keeps two publishers apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Publishers {
    /// The store's own conditional writes; a store on which they do not hold is refused.
    #[default]
    Conditional,
    /// A lock outside, such as a CI concurrency group. It is trusted, and the publication's record says so.
    Locked,
    /// There is only ever one publisher. It is trusted, and the publication's record says so.
    Single,
}

impl Publishers {
    fn is_conditional(&self) -> bool {
        *self == Publishers::Conditional
    }
}

/// Key sources for each online role.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySources {
    /// Signs targets and snapshots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entitlement: Option<CommandKey>,
    /// Signs timestamps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<CommandKey>,
}

impl KeySources {
    fn is_empty(&self) -> bool {
        self.entitlement.is_none() && self.freshness.is_none()
    }
}

/// A key that only a command can use: an HSM, a KMS, an agent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandKey {
    /// Program and arguments. It reads the bytes to sign from standard input and writes the Ed25519 signature in hex to standard output.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
    /// The Ed25519 public key, 64 hex digits.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub public_key: String,
}

/// What a tenant gets that does not say otherwise.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Update channel; `stable` when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]*$"))]
    pub channel: Option<String>,
    /// How long a device may run what it has without reaching the CDN, as an ISO 8601 duration; 14 days when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^P"))]
    pub offline_grace: Option<String>,
}

/// How long signed metadata lasts, as ISO 8601 durations.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    /// Targets and snapshots, signed by the entitlement key; 30 days when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^P"))]
    pub entitlement: Option<String>,
    /// Timestamps, signed by the freshness key; 7 days when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^P"))]
    pub freshness: Option<String>,
}

/// Most tenants from which one change may take a program; the larger of the two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationBudget {
    /// Share of all tenants.
    #[schemars(range(min = 0, max = 100))]
    pub percent: u32,
    /// Number of tenants.
    pub at_least: u32,
}

/// What a device fetches that has nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstStart {
    /// Most bytes for any tenant, on any shell: signed files and the archives of all preloaded mini-programs.
    #[schemars(range(min = 1))]
    pub max_bytes: u64,
    /// Which mini-programs are preloaded.
    #[serde(default, skip_serializing_if = "Preload::is_needed")]
    pub preload: Preload,
}

/// Which mini-programs are preloaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preload {
    /// Those that some grant does not call optional, and what they need.
    #[default]
    Needed,
    /// These, and optional ones as far as `max_bytes` have room.
    Fill,
}

impl Preload {
    fn is_needed(&self) -> bool {
        *self == Preload::Needed
    }
}
