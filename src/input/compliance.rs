//! Compliance profiles: rules that forbid or demand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::program::Classification;

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
