//! One version of a mini-program.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
