//! What authors may write: one type per kind, exactly as it stands in YAML.
//!
//! These types are the single source of the format. `schemas/*.schema.json` is derived from them
//! (doc comments become hover text in editors), and [`crate::check`] turns them into the
//! [`crate::model`], where every name resolves and every text has been understood.
//! Words follow `docs/formats.md`; `app_id`, `pages`, `window`, `platform_version`,
//! `req_permissions` are the W3C MiniApp Manifest's.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The only `apiVersion` that this compiler reads.
pub const API_VERSION: &str = "tenantry.dev/v1";

/// Declares the document type of one kind: the envelope known from Kubernetes and Backstage.
macro_rules! kind {
    ($(#[$doc:meta])* $document:ident, $marker:ident = $kind:literal, $spec:ident) => {
        #[doc = concat!("The word `", $kind, "`.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum $marker {
            #[doc = concat!("The word `", $kind, "`.")]
            #[serde(rename = $kind)]
            Only,
        }

        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(title = $kind)]
        pub struct $document {
            /// Version of this file format.
            #[serde(rename = "apiVersion")]
            pub api_version: ApiVersion,
            /// What this document describes.
            pub kind: $marker,
            /// Who it is and who looks after it.
            pub metadata: Metadata,
            /// What it says.
            pub spec: $spec,
        }
    };
}

kind!(
    /// The project: shells' base URL, key sources, defaults and guards. One for each project, in `tenantry.yaml`.
    ProjectDocument, ProjectKind = "Project", ProjectSpec
);
kind!(
    /// One version of a mini-program, beside the files that it ships.
    MiniProgramDocument, MiniProgramKind = "MiniProgram", MiniProgramSpec
);
kind!(
    /// What a customer buys.
    PlanDocument, PlanKind = "Plan", PlanSpec
);
kind!(
    /// What a customer buys on top of a plan.
    AddOnDocument, AddOnKind = "AddOn", AddOnSpec
);
kind!(
    /// Typed rules that forbid or demand. A deny always wins over any grant.
    ComplianceProfileDocument, ComplianceProfileKind = "ComplianceProfile", ComplianceProfileSpec
);
kind!(
    /// A native or web app that runs mini-programs.
    ShellDocument, ShellKind = "Shell", ShellSpec
);
kind!(
    /// A customer organisation.
    TenantDocument, TenantKind = "Tenant", TenantSpec
);

/// Version of the file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The first and only version.
    #[serde(rename = "tenantry.dev/v1")]
    V1,
}

/// Who a document is and who looks after it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The name that other documents use: lower-case letters, digits and single hyphens, at most 63 characters.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"), length(min = 1, max = 63))]
    pub name: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub title: Option<String>,
    /// What it is, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub description: Option<String>,
    /// Short facts to select by, such as `ring: early`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Facts for other tools; they decide nothing here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The team or person who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub owner: Option<String>,
}

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

/// One version of a mini-program.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MiniProgramSpec {
    /// Identifier in reverse domain form, such as `com.example.expenses`.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]*(\.[a-z][a-z0-9-]*)+$"), length(max = 127))]
    pub app_id: String,
    /// Name shown to people.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// Name where room is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 30))]
    pub short_name: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub description: Option<String>,
    /// Icons inside the package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// Language of the texts, as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"))]
    pub lang: Option<String>,
    /// Which version this document describes.
    pub version: Version,
    /// API levels of shells that can run it.
    pub platform_version: PlatformVersion,
    /// Pages in the package; the first is the start page.
    #[schemars(length(min = 1))]
    pub pages: Vec<String>,
    /// How the shell shows it; W3C `window` words, passed on as they stand.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub window: Map<String, Value>,
    /// Permissions that it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub req_permissions: Vec<Permission>,
    /// Hosts that it talks to, such as `api.example.com` or `*.example.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(
        pattern = r"^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?$"
    )))]
    pub egress: Vec<String>,
    /// The data that it touches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Mini-programs that it needs beside itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// Mini-programs (`app_id`) that cannot stand in the same line-up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// Where it stands in review; only `approved` and `online` ship.
    pub review: Review,
    /// How devices take up a new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_policy: Option<UpdatePolicy>,
    /// Who gets it when: tenants by their labels, one step after the other, and a share of their devices. Everybody at once when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// The kill switch: nobody gets this version any more, and whoever has it stops it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<RevokedVersion>,
    /// The files that ship.
    pub package: Package,
    /// JSON Schema of what a tenant may set under `ext`; without it a tenant may set nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext_schema: Option<Map<String, Value>>,
    /// Defaults of `ext`. Strings may be templates, since catalogue authors are trusted.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub ext: Map<String, Value>,
    /// Files rendered for each tenant into its overlay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
}

// Fields stand in sorted order because manifests are canonical JSON.
/// An icon inside the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Icon {
    /// Text for those who cannot see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Sizes, such as `48x48`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizes: Option<String>,
    /// Path inside the package.
    pub src: String,
}

/// A version: `code` decides order, `name` is for people.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Grows with every version of one mini-program.
    #[schemars(range(min = 1, max = 4_294_967_295_u64))]
    pub code: u32,
    /// A SemVer name, such as `2.1.0`; its pre-release word (`2.2.0-beta.1`) names its channel.
    #[schemars(length(min = 1, max = 60))]
    pub name: String,
}

/// API levels of shells that can run a version.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlatformVersion {
    /// The lowest level.
    #[schemars(range(min = 1))]
    pub min_code: u32,
    /// The level that it was made and tested for.
    #[schemars(range(min = 1))]
    pub target_code: u32,
    /// The highest level; none when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_code: Option<u32>,
}

/// A permission with its reason, as shown to the person who grants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// Name, such as `camera` or `location.precise`.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"), length(max = 100))]
    pub name: String,
    /// Why it is needed.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

/// The data that a mini-program touches.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The most sensitive class among it.
    pub classification: Classification,
    /// Regions where it is kept, such as `eu`; everywhere when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^[a-z]{2,}(-[a-z0-9]+)*$")))]
    pub regions: Vec<String>,
}

/// Classes of data, least sensitive first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Classification {
    /// Anybody may see it.
    Public,
    /// For members of the organisation.
    Internal,
    /// For those who need it.
    Confidential,
    /// For named people.
    Restricted,
}

/// A mini-program that must stand beside another.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// Its identifier.
    pub app_id: String,
    /// Versions that will do, as a SemVer range such as `^2` or `>=1.4, <3`; any when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
}

/// Where a version stands in review.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The status.
    pub status: ReviewStatus,
    /// Since when it has this status; soak times and freeze windows count from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Who looked at it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewed_by: Vec<String>,
    /// Where the record is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// Review statuses, in the order in which a version passes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStatus {
    /// Being written.
    Develop,
    /// Under review.
    Audit,
    /// May ship.
    Approved,
    /// Has shipped and proved itself.
    Online,
    /// No longer ships.
    Deprecated,
}

/// How devices take up a new version.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePolicy {
    /// When the new version takes over.
    #[serde(default)]
    pub mode: UpdateMode,
    /// Older versions (by `code`) must not be started any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub min_usable_version: Option<u32>,
}

/// When a new version takes over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateMode {
    /// Downloaded while the old one runs, used at the next start.
    #[default]
    Background,
    /// Downloaded before the next start, which waits for it.
    Sync,
    /// The running one is stopped for it.
    Force,
}

/// Who gets a version when.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// One step after the other. A tenant that no step selects does not get the version.
    #[schemars(length(min = 1, max = 50))]
    pub steps: Vec<RolloutStep>,
}

/// From when on some tenants get a version, and how many of their devices.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutStep {
    /// When it begins: a date (midnight UTC) or an RFC 3339 time in UTC. When left out, as soon as the `soak` of the step before is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Labels that a tenant must have, each with this value, such as `ring: early`; every tenant when left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// How many of each tenant's devices, in percent. It only grows: a device that has the version keeps it.
    #[serde(default = "everybody", skip_serializing_if = "is_everybody")]
    #[schemars(range(min = 1, max = 100))]
    pub percent: u32,
    /// How long it stands before the next step may begin, as an ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^P"))]
    pub soak: Option<String>,
    /// The most tenants that this step may select; with more the project has an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_tenants: Option<u32>,
}

fn everybody() -> u32 {
    100
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_everybody(percent: &u32) -> bool {
    *percent == everybody()
}

/// A version that nobody may use any more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokedVersion {
    /// How what runs stops.
    pub mode: RevokeMode,
    /// Why.
    #[schemars(length(min = 1, max = 1000))]
    pub reason: String,
    /// Where it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// How a revoked version stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevokeMode {
    /// At once.
    Block,
    /// When it is left; what runs may end, and nothing starts any more.
    Drain,
}

/// The files that ship.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// A directory, or a `.zip` file, relative to this document.
    #[schemars(length(min = 1, max = 400))]
    pub path: String,
    /// Most bytes of all files together; 20 MiB when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_bytes: Option<u64>,
}

/// A file rendered for each tenant into its overlay.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The template, relative to this document.
    #[schemars(length(min = 1, max = 400))]
    pub src: String,
    /// Path of the rendered file as the mini-program sees it.
    #[schemars(length(min = 1, max = 400))]
    pub path: String,
}

/// What a customer buys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanSpec {
    /// The key that joins it to billing.
    #[schemars(length(min = 1, max = 100))]
    pub lookup_key: String,
    /// A plan whose grants this one contains; it only adds to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// Mini-programs that it grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mini_programs: Vec<Grant>,
    /// Other rights, by key. Where several sources give the same key, the most generous wins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entitlements: BTreeMap<String, Entitlement>,
    /// Most of something, by key, such as `max_mini_programs`. Passed on to the shell.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, u64>,
    /// Settings of mini-programs, by `app_id`; data only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ext: BTreeMap<String, Map<String, Value>>,
    /// Whether new customers can buy it.
    #[serde(default)]
    pub status: SalesStatus,
}

/// What a customer buys on top of a plan.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOnSpec {
    /// The key that joins it to billing.
    #[schemars(length(min = 1, max = 100))]
    pub lookup_key: String,
    /// Plans that it can be added to (also through `extends`); any when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires_plans: Vec<String>,
    /// Add-ons that cannot be bought together with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// Mini-programs that it grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mini_programs: Vec<Grant>,
    /// Other rights, by key. Where several sources give the same key, the most generous wins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entitlements: BTreeMap<String, Entitlement>,
    /// Most of something, by key. Passed on to the shell.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, u64>,
    /// Settings of mini-programs, by `app_id`; data only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ext: BTreeMap<String, Map<String, Value>>,
    /// Whether new customers can buy it.
    #[serde(default)]
    pub status: SalesStatus,
}

/// A mini-program granted by a plan or an add-on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Its identifier.
    pub app_id: String,
    /// Versions granted, as a SemVer range; any when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// An optional program is offered but not preloaded, and its absence is not worth a warning.
    #[serde(default)]
    pub optional: bool,
}

/// A right that is not a mini-program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Entitlement {
    /// Yes or no.
    Flag(bool),
    /// Up to a number.
    Count(u32),
    /// Without bound.
    Unlimited(Unlimited),
}

/// The word `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unlimited {
    /// Without bound.
    #[serde(rename = "unlimited")]
    Unlimited,
}

/// Whether new customers can buy a plan or an add-on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SalesStatus {
    /// On sale.
    #[default]
    Active,
    /// Kept for those who have it.
    Legacy,
    /// No tenant may have it any more.
    Retired,
}

/// Typed rules that forbid or demand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComplianceProfileSpec {
    /// Profiles whose rules also hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
    /// The controls that these rules answer to (OSCAL's word).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<Control>,
    /// Patterns of `app_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mini_programs: Option<AllowDeny>,
    /// Patterns of permission names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<AllowDeny>,
    /// Patterns of hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<AllowDeny>,
    /// Bounds on data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataRule>,
    /// Demands on review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewRule>,
    /// Demands on updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateRule>,
    /// Demands on the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<ManifestRule>,
}

/// A control that rules answer to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Identifier in its catalogue, such as `ac-3`.
    #[schemars(length(min = 1, max = 100))]
    pub id: String,
    /// What it asks for.
    #[schemars(length(min = 1, max = 2000))]
    pub statement: String,
    /// Where the proof is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// Patterns that allow and deny. `*` stands for any text. When `allow` is present the list is closed; `deny` always wins.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowDeny {
    /// Only these, when present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// Never these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

/// Bounds on data.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataRule {
    /// The most sensitive class that a program may touch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_classification: Option<Classification>,
    /// Regions where data may be kept. A program that names no region is refused, since it keeps data anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<String>>,
}

/// Demands on review.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRule {
    /// `approved` or `online`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_status: Option<MinStatus>,
    /// How long a version must have had its status, as an ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^P"))]
    pub min_soak: Option<String>,
}

/// The least review status that a profile accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MinStatus {
    /// Approved or online.
    Approved,
    /// Online only.
    Online,
}

/// Demands on updates.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateRule {
    /// Only programs that the tenant has pinned.
    #[serde(default)]
    pub pin_required: bool,
    /// Times when no newer version comes: whatever would come inside a window, by review, soak or rollout, waits for its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze_windows: Vec<FreezeWindow>,
}

/// A time when no newer version comes; `until` is not part of it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeWindow {
    /// Its first instant: a date (midnight UTC) or an RFC 3339 time in UTC.
    pub from: String,
    /// The first instant after it.
    pub until: String,
}

/// Demands on the manifest.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestRule {
    /// The longest that signed metadata may last, as an ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^P"))]
    pub max_ttl: Option<String>,
    /// The longest that a device may run what it has without reaching the CDN, as an ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^P"))]
    pub offline_grace: Option<String>,
}

/// A native or web app that runs mini-programs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShellSpec {
    /// API levels in the field.
    #[schemars(length(min = 1), inner(range(min = 1)))]
    pub platform_codes: Vec<u32>,
    /// JSON Schema of the branding that it supports; any when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branding_schema: Option<Map<String, Value>>,
}

/// A customer organisation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantSpec {
    /// Opaque and never used again for another customer; the only name of the tenant that is published.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"), length(min = 4, max = 63))]
    pub tenant_id: String,
    /// Whether it is being served. To end a tenant set `inactive`; deleting its file revokes nothing.
    #[serde(default)]
    pub status: TenantStatus,
    /// The plan that it bought.
    pub plan: String,
    /// Add-ons that it bought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_ons: Vec<String>,
    /// The rules that it is under. A tenant's file can never relax them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compliance_profile: Option<String>,
    /// When its licence holds; always when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<License>,
    /// Exceptions, each with a reason and an end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// How the shell looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branding: Option<Branding>,
    /// Settings of mini-programs, by `app_id`; data only, never a template.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ext: BTreeMap<String, Map<String, Value>>,
    /// Update channel: `stable` takes releases; another word also takes pre-releases of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]*$"))]
    pub channel: Option<String>,
    /// Versions that it stays on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
    /// Where its data is kept; programs that keep data elsewhere are taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z]{2,}(-[a-z0-9]+)*$"))]
    pub data_region: Option<String>,
    /// Domains of the organisation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")))]
    pub domains: Vec<String>,
    /// Shells that its people run; all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shells: Vec<String>,
}

/// Whether a tenant is being served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// Served.
    #[default]
    Active,
    /// Held: its line-up is empty until it is active again.
    Suspended,
    /// Ended: its line-up is empty for good. The tombstone of a former customer.
    Inactive,
}

/// When a licence holds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct License {
    /// Its first instant: a date (midnight UTC) or an RFC 3339 time in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// The first instant after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// What happens then.
    #[serde(default)]
    pub expiration_strategy: ExpirationStrategy,
    /// How much later it happens, as an ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^P"))]
    pub grace: Option<String>,
    /// How many people may use it. Passed on to the shell as the entitlement `seats`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub seats: Option<u32>,
}

/// What happens after the end of a licence and its grace (Keygen's words).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpirationStrategy {
    /// Programs stay, but versions reviewed after the end do not come.
    #[default]
    Restrict,
    /// Every program goes.
    Revoke,
    /// Nothing changes.
    Maintain,
}

/// An exception: exactly one of `grant` and `revoke`, with a reason and an end.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Give this mini-program (`app_id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Take this mini-program (`app_id`) away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<String>,
    /// Versions granted, as a SemVer range; any when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Why.
    #[schemars(length(min = 1, max = 1000))]
    pub reason: String,
    /// Where it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// The first instant at which it no longer holds: a date (midnight UTC) or an RFC 3339 time in UTC.
    pub expires: String,
}

// Fields stand in sorted order because manifests are canonical JSON.
/// How the shell looks for a tenant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branding {
    /// Light, dark or as the device says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color_scheme: Option<ColorScheme>,
    /// Icons, as `https:` URLs or `data:` URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// Name shown in the shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// The bar of tabs, passed on as it stands.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub tab_bar: Map<String, Value>,
    /// W3C `window` words, such as `navigation_bar_background_color`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub window: Map<String, Value>,
}

/// Light, dark or as the device says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColorScheme {
    /// As the device says.
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A version that a tenant stays on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The mini-program.
    pub app_id: String,
    /// The version's `code`.
    #[schemars(range(min = 1))]
    pub code: u32,
}
