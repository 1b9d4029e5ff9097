//! Catalogues in a few words. Every name gets a file of its own, and every span a line of its own in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::{Version, VersionReq};
use serde_json::Map;
use tenantry::explain::Explainer;
use tenantry::input::{
    Branding, Classification, ExpirationStrategy, Permission, ReviewStatus, RevokeMode, SalesStatus, TenantStatus,
    UpdateMode,
};
use tenantry::model::{
    AddOn, AddOnId, AllowDeny, Catalog, Dependency, Effect, Grant, License, Override, Package, Pattern, Plan, PlanId,
    Profile, ProfileId, Program, ProgramId, Project, Release, RevokedVersion, Rollout, RolloutStep, Shell, ShellId,
    Tenant,
};
use tenantry::path::RepoPath;
use tenantry::resolve::{self, Resolution};
use tenantry::text::{FileId, SourceFile, SourceMap, Span};
use tenantry::time::{Timestamp, Window};

/// A step of a rollout: its day, its labels, its share.
pub(crate) type Step<'a> = (i64, &'a [(&'a str, &'a str)], u32);

/// A small world: one catalogue, one tenant called `acme`, one instant.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) project: Project,
    pub(crate) catalog: Catalog,
    pub(crate) tenant: Tenant,
    pub(crate) now: Timestamp,
    lines: Vec<(String, u32)>,
}

/// An instant, in days after 2026-01-01.
pub(crate) fn day(days: i64) -> Timestamp {
    Timestamp::from_unix(1_767_225_600 + days * 86_400).expect("days of our century")
}

pub(crate) fn range(text: &str) -> Option<VersionReq> {
    match text {
        "" => None,
        text => Some(VersionReq::parse(text).expect("a range")),
    }
}

impl World {
    /// Programs with these names, which must be sorted; plan `basic`, shell levels `10`, day 100.
    pub(crate) fn new(programs: &[&str]) -> World {
        let mut world = World {
            project: Project::default(),
            catalog: Catalog::default(),
            tenant: empty_tenant(Span { file: FileId(0), start: 0, end: 1 }),
            now: day(100),
            lines: Vec::new(),
        };
        let span = world.line("tenants/acme.yaml");
        world.tenant = empty_tenant(span);
        for app_id in programs {
            world.catalog.programs.push(Program { app_id: (*app_id).into(), releases: Vec::new() });
        }
        let at = 0..u32::try_from(programs.len()).expect("few programs");
        world.catalog.dependants_first = at.map(ProgramId).collect();
        world.plan("basic", None);
        world.shell("main", &[10]);
        world
    }

    /// A new line of a file.
    pub(crate) fn line(&mut self, path: &str) -> Span {
        let file = match self.lines.iter().position(|(it, _)| it == path) {
            Some(at) => at,
            None => {
                self.lines.push((path.to_owned(), 0));
                self.lines.len() - 1
            }
        };
        let start = self.lines[file].1;
        self.lines[file].1 += 1;
        Span { file: FileId(u32::try_from(file).expect("few files")), start, end: start + 1 }
    }

    /// The files that the spans point into: nothing but line ends.
    pub(crate) fn sources(&self) -> SourceMap {
        let file = |(path, lines): &(String, u32)| SourceFile {
            path: RepoPath::parse(path).expect("a path"),
            text: "\n".repeat(*lines as usize).into(),
        };
        SourceMap::new(self.lines.iter().map(file).collect())
    }

    pub(crate) fn id(&self, app_id: &str) -> ProgramId {
        self.catalog.find_program(app_id).expect("a program of this world")
    }

    /// A version that is online since day 0 on every level; its code is its place among the program's versions, from one.
    pub(crate) fn release(&mut self, app_id: &str, version: &str) -> &mut Release {
        let span = self.line(&format!("catalog/programs/{app_id}.yaml"));
        let id = self.id(app_id);
        let releases = &mut self.catalog.programs[id.at()].releases;
        let code = u32::try_from(releases.len() + 1).expect("few versions");
        releases.push(release(code, Version::parse(version).expect("a version"), span));
        releases.last_mut().expect("just pushed")
    }

    /// The version that was added last goes to these tenants and shares from these days on.
    pub(crate) fn rolls_out(&mut self, app_id: &str, steps: &[Step<'_>]) {
        let path = format!("catalog/programs/{app_id}.yaml");
        let whole = self.line(&path);
        let owned = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
        let steps = steps.iter().map(|(from, labels, percent)| RolloutStep {
            from: day(*from),
            match_labels: labels.iter().map(owned).collect(),
            label_spans: Vec::new(),
            percent: *percent,
            max_tenants: None,
            span: self.line(&path),
        });
        let steps = steps.collect();
        self.newest(app_id).rollout = Some(Rollout { steps, span: whole });
    }

    /// The version that was added last is revoked.
    pub(crate) fn stops(&mut self, app_id: &str, mode: RevokeMode) {
        let span = self.line(&format!("catalog/programs/{app_id}.yaml"));
        self.newest(app_id).revoked = Some(RevokedVersion { mode, reason: "It sends mails twice".into(), span });
    }

    pub(crate) fn depends(&mut self, app_id: &str, on: &str, text: &str) {
        let span = self.line(&format!("catalog/programs/{app_id}.yaml"));
        let program = self.id(on);
        self.newest(app_id).dependencies.push(Dependency { program, range: range(text), span });
    }

    pub(crate) fn conflicts(&mut self, app_id: &str, with: &str) {
        let span = self.line(&format!("catalog/programs/{app_id}.yaml"));
        let program = self.id(with);
        self.newest(app_id).conflicts.push((program, span));
    }

    pub(crate) fn permission(&mut self, app_id: &str, name: &str) {
        let span = self.line(&format!("catalog/programs/{app_id}.yaml"));
        let release = self.newest(app_id);
        release.req_permissions.push(Permission { name: name.to_owned(), reason: String::new() });
        release.permission_spans.push(span);
    }

    /// The version that was added last.
    pub(crate) fn newest(&mut self, app_id: &str) -> &mut Release {
        let id = self.id(app_id);
        self.catalog.programs[id.at()].releases.last_mut().expect("a version was added")
    }

    pub(crate) fn plan(&mut self, name: &str, extends: Option<PlanId>) -> PlanId {
        let span = self.line(&format!("catalog/plans/{name}.yaml"));
        self.catalog.plans.push(Plan {
            name: name.into(),
            extends,
            grants: Vec::new(),
            entitlements: BTreeMap::new(),
            limits: BTreeMap::new(),
            ext: BTreeMap::new(),
            status: SalesStatus::Active,
            span,
        });
        PlanId(u32::try_from(self.catalog.plans.len() - 1).expect("few plans"))
    }

    pub(crate) fn plan_grants(&mut self, plan: PlanId, app_id: &str, range: &str) -> &mut Grant {
        let path = format!("catalog/plans/{}.yaml", self.catalog.plans[plan.at()].name);
        let grant = self.grant(&path, app_id, range);
        let grants = &mut self.catalog.plans[plan.at()].grants;
        grants.push(grant);
        grants.last_mut().expect("just pushed")
    }

    /// An add-on that the tenant has.
    pub(crate) fn add_on(&mut self, name: &str) -> AddOnId {
        let id = self.other_add_on(name);
        let span = self.line("tenants/acme.yaml");
        self.tenant.add_ons.push((id, span));
        id
    }

    /// An add-on that the tenant does not have.
    pub(crate) fn other_add_on(&mut self, name: &str) -> AddOnId {
        let span = self.line(&format!("catalog/add-ons/{name}.yaml"));
        self.catalog.add_ons.push(AddOn {
            name: name.into(),
            requires_plans: Vec::new(),
            conflicts: Vec::new(),
            grants: Vec::new(),
            entitlements: BTreeMap::new(),
            limits: BTreeMap::new(),
            ext: BTreeMap::new(),
            status: SalesStatus::Active,
            span,
        });
        AddOnId(u32::try_from(self.catalog.add_ons.len() - 1).expect("few add-ons"))
    }

    pub(crate) fn add_on_grants(&mut self, add_on: AddOnId, app_id: &str, range: &str) {
        let path = format!("catalog/add-ons/{}.yaml", self.catalog.add_ons[add_on.at()].name);
        let grant = self.grant(&path, app_id, range);
        self.catalog.add_ons[add_on.at()].grants.push(grant);
    }

    fn grant(&mut self, path: &str, app_id: &str, text: &str) -> Grant {
        let span = self.line(path);
        Grant { program: self.id(app_id), range: range(text), optional: false, span }
    }

    /// A profile without rules or imports.
    pub(crate) fn profile(&mut self, name: &str) -> ProfileId {
        let span = self.line(&format!("catalog/compliance/{name}.yaml"));
        let id = ProfileId(u32::try_from(self.catalog.profiles.len()).expect("few profiles"));
        self.catalog.profiles.push(Profile {
            name: name.into(),
            closure: vec![id],
            mini_programs: AllowDeny::default(),
            permissions: AllowDeny::default(),
            egress: AllowDeny::default(),
            max_classification: None,
            regions: None,
            min_status: None,
            min_soak: None,
            pin_required: None,
            freeze_windows: Vec::new(),
            max_ttl: None,
            offline_grace: None,
            span,
        });
        id
    }

    /// Puts the tenant under a profile, and gives a place for a rule.
    pub(crate) fn under(&mut self, profile: ProfileId) -> (&mut Profile, Span) {
        let name = format!("catalog/compliance/{}.yaml", self.catalog.profiles[profile.at()].name);
        let (span, rule) = (self.line("tenants/acme.yaml"), self.line(&name));
        self.tenant.profile = Some((profile, span));
        (&mut self.catalog.profiles[profile.at()], rule)
    }

    pub(crate) fn pattern(&mut self, text: &str, path: &str) -> Pattern {
        Pattern { text: text.into(), span: self.line(path) }
    }

    pub(crate) fn shell(&mut self, name: &str, levels: &[u32]) {
        let span = self.line(&format!("catalog/shells/{name}.yaml"));
        let id = ShellId(u32::try_from(self.catalog.shells.len()).expect("few shells"));
        let platform_codes = levels.to_vec();
        self.catalog.shells.push(Shell { name: name.into(), platform_codes, branding_schema: None, span });
        self.tenant.shells.push(id);
    }

    pub(crate) fn grants(&mut self, app_id: &str, range: &str, expires: Timestamp) {
        let effect = Effect::Grant(self::range(range));
        self.exception(app_id, effect, expires);
    }

    pub(crate) fn revokes(&mut self, app_id: &str, expires: Timestamp) {
        self.exception(app_id, Effect::Revoke, expires);
    }

    fn exception(&mut self, app_id: &str, effect: Effect, expires: Timestamp) {
        let span = self.line("tenants/acme.yaml");
        let program = self.id(app_id);
        let reason = "as agreed".into();
        self.tenant.overrides.push(Override {
            program,
            effect,
            reason,
            ticket: None,
            approved_by: None,
            expires,
            span,
        });
    }

    pub(crate) fn pins(&mut self, app_id: &str, code: u32) {
        let span = self.line("tenants/acme.yaml");
        self.tenant.pins.push((self.id(app_id), code, span));
    }

    pub(crate) fn license(&mut self, strategy: ExpirationStrategy, from: Option<Timestamp>, until: Option<Timestamp>) {
        let span = self.line("tenants/acme.yaml");
        let grace = tenantry::time::Duration::days(0);
        self.tenant.license = Some(License { window: Window { from, until }, strategy, grace, seats: None, span });
    }

    pub(crate) fn resolve(&self) -> Resolution {
        resolve::tenant(&self.project, &self.catalog, &self.tenant, self.now)
    }

    pub(crate) fn explainer<'a>(&'a self, resolution: &'a Resolution, sources: &'a SourceMap) -> Explainer<'a> {
        Explainer { catalog: &self.catalog, tenant: &self.tenant, resolution, sources, now: self.now }
    }

    /// What the compiler says about one program.
    pub(crate) fn explain(&self, app_id: &str) -> String {
        let (resolution, sources) = (self.resolve(), self.sources());
        self.explainer(&resolution, &sources).program(self.id(app_id)).to_string()
    }

    pub(crate) fn resolve_at(&self, now: Timestamp) -> Resolution {
        resolve::tenant(&self.project, &self.catalog, &self.tenant, now)
    }
}

fn release(code: u32, version: Version, span: Span) -> Release {
    Release {
        code,
        version,
        min_code: 1,
        target_code: 10,
        max_code: None,
        name: String::new(),
        short_name: None,
        description: None,
        icons: Vec::new(),
        pages: Vec::new(),
        window: Map::new(),
        req_permissions: Vec::new(),
        permission_spans: Vec::new(),
        egress: Vec::new(),
        egress_spans: Vec::new(),
        classification: Classification::Public,
        regions: Vec::new(),
        dependencies: Vec::new(),
        conflicts: Vec::new(),
        status: ReviewStatus::Online,
        since: Some(day(0)),
        update_mode: UpdateMode::Background,
        min_usable_version: None,
        rollout: None,
        revoked: None,
        package: Package {
            span,
            path: RepoPath::parse("packages/x").expect("a path"),
            files: Arc::new(BTreeMap::new()),
        },
        ext_schema: None,
        ext: Map::new(),
        templates: Vec::new(),
        version_span: span,
        review_span: span,
        platform_span: span,
        data_span: span,
        ext_span: span,
    }
}

fn empty_tenant(span: Span) -> Tenant {
    Tenant {
        name: "acme".into(),
        tenant_id: "acme".into(),
        title: None,
        labels: BTreeMap::new(),
        status: TenantStatus::Active,
        status_span: span,
        plan: (PlanId(0), span),
        add_ons: Vec::new(),
        profile: None,
        license: None,
        overrides: Vec::new(),
        branding: Branding::default(),
        branding_span: span,
        ext: BTreeMap::new(),
        channel: None,
        pins: Vec::new(),
        data_region: None,
        domains: Vec::new(),
        shells: Vec::new(),
        span,
    }
}
