//! Tenants: what a customer bought, and how it looks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::program::Icon;

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
