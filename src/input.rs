//! What authors may write: one type per kind, exactly as it stands in YAML.
//!
//! These types are the single source of the format. `schemas/*.schema.json` is derived from them
//! (doc comments become hover text in editors), and [`crate::check`] turns them into the
//! [`crate::model`], where every name resolves and every text has been understood.
//! Words follow `docs/formats.md`; `app_id`, `pages`, `window`, `platform_version`,
//! `req_permissions` are the W3C MiniApp Manifest's.

mod compliance;
mod plan;
mod program;
mod project;
mod tenant;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::compliance::*;
pub use self::plan::*;
pub use self::program::*;
pub use self::project::*;
pub use self::tenant::*;

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
