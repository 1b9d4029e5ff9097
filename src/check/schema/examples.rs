//! One small good document of each kind: the `examples` of the schemas.

use serde_json::Value;

use crate::parse::Kind;

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
