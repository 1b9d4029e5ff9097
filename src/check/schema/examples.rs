//! Documents of each kind that are good: a small one, and a complete one in which every field stands once.
//!
//! The small ones are the `examples` of the schemas. From the complete ones come the examples of their properties,
//! and the order in which `tenantry fmt` puts keys.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::parse::Kind;

/// Most examples of one property.
const MOST: usize = 3;

/// The example as it stands in the schema.
pub(super) fn of(kind: Kind) -> Value {
    serde_yaml::from_str(text(kind)).expect("the examples are YAML, which a test holds")
}

/// The example as an author would write it.
pub(super) fn text(kind: Kind) -> &'static str {
    match kind {
        Kind::Project => PROJECT,
        Kind::MiniProgram => MINI_PROGRAM,
        Kind::Plan => PLAN,
        Kind::AddOn => ADD_ON,
        Kind::ComplianceProfile => COMPLIANCE_PROFILE,
        Kind::Shell => SHELL,
        Kind::Tenant => TENANT,
    }
}

/// Every field of a kind, in the order in which authors write them.
pub fn complete(kind: Kind) -> &'static str {
    match kind {
        Kind::Project => include_str!("complete/project.yaml"),
        Kind::MiniProgram => include_str!("complete/mini-program.yaml"),
        Kind::Plan => include_str!("complete/plan.yaml"),
        Kind::AddOn => include_str!("complete/add-on.yaml"),
        Kind::ComplianceProfile => include_str!("complete/compliance-profile.yaml"),
        Kind::Shell => include_str!("complete/shell.yaml"),
        Kind::Tenant => include_str!("complete/tenant.yaml"),
    }
}

/// Puts the values of the complete document beside the properties that they are values of.
pub(super) fn illustrate(schema: &mut Value, kind: Kind) {
    let document: Value = serde_yaml::from_str(complete(kind)).expect("the examples are YAML, which a test holds");
    let mut found = BTreeMap::new();
    Walk { schema, found: &mut found }.value("", &document);
    for (pointer, mut values) in found {
        values.dedup();
        values.truncate(MOST);
        let property = schema.pointer_mut(&pointer).and_then(Value::as_object_mut);
        property.expect("the walk was there").insert("examples".to_owned(), values.into());
    }
}

/// A walk through a document and its schema together.
struct Walk<'a> {
    schema: &'a Value,
    /// Values by the pointer to the schema of their property.
    found: &'a mut BTreeMap<String, Vec<Value>>,
}

impl Walk<'_> {
    /// A value whose schema is at the pointer.
    fn value(&mut self, pointer: &str, value: &Value) {
        let pointer = self.followed(pointer);
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.property(&format!("{pointer}/properties/{key}"), value);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.value(&format!("{pointer}/items"), item);
                }
            }
            _ => {}
        }
    }

    fn property(&mut self, pointer: &str, value: &Value) {
        let target = self.followed(pointer);
        let Some(schema) = self.schema.pointer(&target) else { return };
        let items = schema.pointer("/items/$ref").is_some();
        match is_chosen(schema) || items || schema.get("properties").is_some() {
            true => self.value(&target, value),
            false => self.found.entry(pointer.to_owned()).or_default().push(value.clone()),
        }
    }

    fn followed(&self, pointer: &str) -> String {
        let reference = self.schema.pointer(pointer).and_then(|it| it.get("$ref")).and_then(Value::as_str);
        reference.and_then(|it| it.strip_prefix('#')).unwrap_or(pointer).to_owned()
    }
}

/// Whether editors know the values of a property without examples.
fn is_chosen(schema: &Value) -> bool {
    schema.get("enum").is_some() || schema.get("type").is_some_and(|it| it == "boolean")
}

const PROJECT: &str = "\
apiVersion: tenantry.dev/v1
kind: Project
metadata:
  name: example
spec:
  base_url: https://cdn.example.com/
  defaults:
    channel: stable
    offline_grace: P14D
  revocation_budget:
    percent: 5
    at_least: 3
";

const MINI_PROGRAM: &str = "\
apiVersion: tenantry.dev/v1
kind: MiniProgram
metadata:
  name: expenses
  owner: team-finance
spec:
  app_id: com.example.expenses
  name: Expenses
  version:
    code: 21
    name: 2.1.0
  platform_version:
    min_code: 2
    target_code: 3
  pages:
    - pages/index
  req_permissions:
    - name: camera
      reason: To photograph receipts.
  egress:
    - api.example.com
  data:
    classification: confidential
    regions: [eu]
  dependencies:
    - app_id: com.example.directory
      range: ^1
  review:
    status: approved
    since: 2026-01-15
  rollout:
    steps:
      - from: 2026-01-15
        match_labels: { ring: early }
        soak: P7D
      - percent: 20
        soak: P3D
      - {}
  package:
    path: app
";

const PLAN: &str = "\
apiVersion: tenantry.dev/v1
kind: Plan
metadata:
  name: business
spec:
  lookup_key: business_2026
  extends: starter
  mini_programs:
    - app_id: com.example.expenses
      range: '>=2, <3'
  entitlements:
    seats: 50
    sso: true
    storage: unlimited
  limits:
    max_mini_programs: 20
";

const ADD_ON: &str = "\
apiVersion: tenantry.dev/v1
kind: AddOn
metadata:
  name: travel
spec:
  lookup_key: travel_2026
  requires_plans: [business]
  mini_programs:
    - app_id: com.example.travel
";

const COMPLIANCE_PROFILE: &str = "\
apiVersion: tenantry.dev/v1
kind: ComplianceProfile
metadata:
  name: eu-banking
spec:
  controls:
    - id: ac-3
      statement: Only reviewed programs reach devices.
  permissions:
    deny: [location.*]
  data:
    max_classification: confidential
    regions: [eu]
  review:
    min_status: online
    min_soak: P7D
";

const SHELL: &str = "\
apiVersion: tenantry.dev/v1
kind: Shell
metadata:
  name: android
spec:
  platform_codes: [2, 3]
";

const TENANT: &str = "\
apiVersion: tenantry.dev/v1
kind: Tenant
metadata:
  name: acme
  title: Acme Ltd.
spec:
  tenant_id: t_8f3k2m
  plan: business
  add_ons: [travel]
  compliance_profile: eu-banking
  license:
    valid_from: 2026-01-01
    valid_until: 2027-01-01
    seats: 40
  overrides:
    - grant: com.example.chat
      reason: Pilot for the spring.
      ticket: SALES-1204
      expires: 2026-06-30
  domains: [acme.example]
";
