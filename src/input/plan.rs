//! Plans and add-ons: what customers buy.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
