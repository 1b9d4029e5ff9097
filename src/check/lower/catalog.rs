//! Plans, add-ons, compliance profiles, shells and the project.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Place;
use crate::check::catalog::unmet;
use crate::check::ext_schema;
use crate::check::lower;
use crate::check::names;
use crate::check::names::{Broken, Written};
use crate::diag::{Code, Diagnostic};
use crate::input;
use crate::input::{
    AddOnDocument, ComplianceProfileDocument, PlanDocument, ProjectDocument, SalesStatus, ShellDocument, StoreSpec,
};
use crate::model::{
    AddOn, AddOnId, AllowDeny, Grant, Pattern, Plan, PlanId, Profile, ProfileId, Program, ProgramId, Project, Shell,
};
use crate::text::Span;

/// The names that documents of the catalogue may use, each list sorted.
pub(in crate::check) struct Scope<'a> {
    /// Mini-programs.
    pub(in crate::check) programs: Vec<&'a str>,
    /// Mini-programs of which some version could not be read.
    pub(in crate::check) broken: Broken<'a>,
    /// Plans.
    pub(in crate::check) plans: Vec<&'a str>,
    /// Add-ons.
    pub(in crate::check) add_ons: Vec<&'a str>,
    /// Compliance profiles.
    pub(in crate::check) profiles: Vec<&'a str>,
}

impl Scope<'_> {
    /// The mini-program with this `app_id`. One that has documents but no readable version is not there, in silence.
    pub(in crate::check) fn program(&self, app_id: &str, span: Span, found: &mut Vec<Diagnostic>) -> Option<ProgramId> {
        match names::PROGRAM.position(&self.programs, |it| it, app_id) {
            Some(at) => Some(ProgramId(at)),
            None if self.broken.contains(app_id) => None,
            None => names::PROGRAM.find(&self.programs, |it| it, app_id, span, found).map(ProgramId),
        }
    }
}

/// Reads the project's settings; what is not said has its default.
pub(in crate::check) fn project(document: &Written<'_, ProjectDocument>, found: &mut Vec<Diagnostic>) -> Project {
    let mut project = Project::default();
    let Some(ProjectDocument { metadata, spec, .. }) = document.value else { return project };
    project.name = metadata.name.as_str().into();
    project.title = metadata.title.as_deref().map(Box::from);
    let at = Place::root(document.document).key("spec");
    project.base_url.clone_from(&spec.base_url);
    project.keys.clone_from(&spec.keys);
    if let Some(defaults) = &spec.defaults {
        let at = at.key("defaults");
        if let Some(channel) = &defaults.channel {
            project.channel = channel.as_str().into();
        }
        let grace = lower::duration(defaults.offline_grace.as_deref(), at.key("offline_grace"), found);
        project.offline_grace = grace.unwrap_or(project.offline_grace);
    }
    if let Some(lifetimes) = &spec.lifetimes {
        let at = at.key("lifetimes");
        let entitlement = lower::duration(lifetimes.entitlement.as_deref(), at.key("entitlement"), found);
        project.entitlement_lifetime = entitlement.unwrap_or(project.entitlement_lifetime);
        let freshness = lower::duration(lifetimes.freshness.as_deref(), at.key("freshness"), found);
        project.freshness_lifetime = freshness.unwrap_or(project.freshness_lifetime);
    }
    project.revocation_budget = spec.revocation_budget.unwrap_or(project.revocation_budget);
    let bytes_at = at.key("first_start").key("max_bytes");
    project.first_start = spec.first_start.map(|it| (it, bytes_at.span()));
    project.stores = stores(&spec.stores, at.key("stores"), found);
    project
}

/// Stores with one home each, and names of their own.
fn stores(specs: &[StoreSpec], at: Place<'_>, found: &mut Vec<Diagnostic>) -> Vec<StoreSpec> {
    let one_home = |directory: bool, s3: bool, at: Place<'_>, found: &mut Vec<Diagnostic>| {
        if directory == s3 {
            let message = match s3 {
                true => "both `directory` and `s3` are given",
                false => "neither `directory` nor `s3` is given",
            };
            let help = "a store is a directory or a bucket: give one of the two";
            found.push(Diagnostic::new(Code::BadValue, at.span(), message).help(help));
        }
    };
    for (index, spec) in specs.iter().enumerate() {
        let at = at.item(index);
        one_home(spec.directory.is_some(), spec.s3.is_some(), at, found);
        if let Some(state) = &spec.state {
            one_home(state.directory.is_some(), state.s3.is_some(), at.key("state"), found);
        }
        if specs[..index].iter().any(|it| it.name == spec.name) {
            let message = format!("two stores are called `{}`", spec.name);
            found.push(Diagnostic::new(Code::BadValue, at.key("name").span(), message).help("give one another name"));
        }
    }
    specs.to_vec()
}

/// Reads a plan; one with a wrong shape is there and grants nothing.
pub(in crate::check) fn plan(
    scope: &Scope<'_>,
    programs: &[Program],
    name: &str,
    document: &Written<'_, PlanDocument>,
    found: &mut Vec<Diagnostic>,
) -> Plan {
    let root = Place::root(document.document);
    let span = root.key("metadata").key("name").span();
    let Some(PlanDocument { spec, .. }) = document.value else {
        return Plan {
            name: name.into(),
            extends: None,
            grants: Vec::new(),
            entitlements: BTreeMap::new(),
            limits: BTreeMap::new(),
            ext: BTreeMap::new(),
            status: SalesStatus::Active,
            span,
        };
    };
    let at = root.key("spec");
    let extends = spec.extends.as_ref();
    Plan {
        name: name.into(),
        extends: extends.and_then(|name| {
            names::PLAN.find(&scope.plans, |it| it, name, at.key("extends").span(), found).map(PlanId)
        }),
        grants: grants(scope, programs, &spec.mini_programs, at.key("mini_programs"), found),
        entitlements: spec.entitlements.clone(),
        limits: spec.limits.clone(),
        ext: settings(scope, &spec.ext, at.key("ext"), found),
        status: spec.status,
        span,
    }
}

/// Reads an add-on; one with a wrong shape is there and grants nothing.
pub(in crate::check) fn add_on(
    scope: &Scope<'_>,
    programs: &[Program],
    name: &str,
    document: &Written<'_, AddOnDocument>,
    found: &mut Vec<Diagnostic>,
) -> AddOn {
    let root = Place::root(document.document);
    let span = root.key("metadata").key("name").span();
    let Some(AddOnDocument { spec, .. }) = document.value else {
        return AddOn {
            name: name.into(),
            requires_plans: Vec::new(),
            conflicts: Vec::new(),
            grants: Vec::new(),
            entitlements: BTreeMap::new(),
            limits: BTreeMap::new(),
            ext: BTreeMap::new(),
            status: SalesStatus::Active,
            span,
        };
    };
    let at = root.key("spec");
    let (plans_at, conflicts_at) = (at.key("requires_plans"), at.key("conflicts"));
    names::repeated_texts("plan", &spec.requires_plans, plans_at, found);
    names::repeated_texts("conflict", &spec.conflicts, conflicts_at, found);
    let mut requires_plans = Vec::with_capacity(spec.requires_plans.len());
    for (index, plan) in spec.requires_plans.iter().enumerate() {
        let plan = names::PLAN.find(&scope.plans, |it| it, plan, plans_at.item(index).span(), found);
        requires_plans.extend(plan.map(PlanId));
    }
    let mut conflicts = Vec::with_capacity(spec.conflicts.len());
    for (index, other) in spec.conflicts.iter().enumerate() {
        let span = conflicts_at.item(index).span();
        if other == name {
            conflicts_with_itself(name, span, found);
            continue;
        }
        conflicts.extend(names::ADD_ON.find(&scope.add_ons, |it| it, other, span, found).map(AddOnId));
    }
    AddOn {
        name: name.into(),
        requires_plans,
        conflicts,
        grants: grants(scope, programs, &spec.mini_programs, at.key("mini_programs"), found),
        entitlements: spec.entitlements.clone(),
        limits: spec.limits.clone(),
        ext: settings(scope, &spec.ext, at.key("ext"), found),
        status: spec.status,
        span,
    }
}

fn conflicts_with_itself(name: &str, span: Span, found: &mut Vec<Diagnostic>) {
    let message = format!("add-on `{name}` conflicts with itself");
    found.push(Diagnostic::new(Code::SelfConflict, span, message).help("delete this conflict"));
}

fn grants(
    scope: &Scope<'_>,
    programs: &[Program],
    written: &[input::Grant],
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Grant> {
    let entries = written.iter().enumerate();
    let entries = entries.map(|(index, grant)| (grant.app_id.as_str(), at.item(index).key("app_id").span()));
    names::repeated("mini-program", entries, found);
    let mut grants = Vec::with_capacity(written.len());
    for (index, grant) in written.iter().enumerate() {
        let at = at.item(index);
        let span = at.key("app_id").span();
        let range = lower::range(grant.range.as_deref(), at.key("range"), found);
        let Some(id) = scope.program(&grant.app_id, span, found) else { continue };
        if !scope.broken.contains(grant.app_id.as_str()) {
            found.extend(unmet(&programs[id.at()], range.as_ref(), at.key("range").span()));
        }
        grants.push(Grant { program: id, range, optional: grant.optional, span });
    }
    grants
}

fn settings(
    scope: &Scope<'_>,
    written: &BTreeMap<String, Map<String, Value>>,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> BTreeMap<ProgramId, Map<String, Value>> {
    let mut settings = BTreeMap::new();
    for (app_id, values) in written {
        if let Some(program) = scope.program(app_id, at.key(app_id).span(), found) {
            settings.insert(program, values.clone());
        }
    }
    settings
}

/// Reads a compliance profile, without its closure; one with a wrong shape is there and demands nothing.
pub(in crate::check) fn profile(
    scope: &Scope<'_>,
    name: &str,
    document: &Written<'_, ComplianceProfileDocument>,
    found: &mut Vec<Diagnostic>,
) -> (Profile, Vec<(ProfileId, Span)>) {
    let root = Place::root(document.document);
    let mut profile = Profile {
        name: name.into(),
        closure: Vec::new(),
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
        span: root.key("metadata").key("name").span(),
    };
    let Some(ComplianceProfileDocument { spec, .. }) = document.value else { return (profile, Vec::new()) };
    let at = root.key("spec");
    profile.mini_programs = patterns(spec.mini_programs.as_ref(), at.key("mini_programs"), found);
    profile.permissions = patterns(spec.permissions.as_ref(), at.key("permissions"), found);
    profile.egress = patterns(spec.egress.as_ref(), at.key("egress"), found);
    if let Some(data) = &spec.data {
        let at = at.key("data");
        profile.max_classification = data.max_classification.map(|it| (it, at.key("max_classification").span()));
        names::repeated_texts("region", data.regions.as_deref().unwrap_or_default(), at.key("regions"), found);
        profile.regions = data.regions.clone().map(|it| (it, at.key("regions").span()));
    }
    if let Some(review) = &spec.review {
        let at = at.key("review");
        profile.min_status = review.min_status.map(|it| (it, at.key("min_status").span()));
        let soak = lower::duration(review.min_soak.as_deref(), at.key("min_soak"), found);
        profile.min_soak = soak.map(|it| (it, at.key("min_soak").span()));
    }
    if let Some(update) = &spec.update {
        let at = at.key("update");
        profile.pin_required = update.pin_required.then(|| at.key("pin_required").span());
        for (index, window) in update.freeze_windows.iter().enumerate() {
            let at = at.key("freeze_windows").item(index);
            let (from, until) = (at.key("from"), at.key("until"));
            let window = lower::window((Some(&window.from), from), (Some(&window.until), until), found);
            profile.freeze_windows.push((window, from.span()));
        }
    }
    if let Some(manifest) = &spec.manifest {
        let at = at.key("manifest");
        profile.max_ttl = lower::duration(manifest.max_ttl.as_deref(), at.key("max_ttl"), found);
        profile.offline_grace = lower::duration(manifest.offline_grace.as_deref(), at.key("offline_grace"), found);
    }
    let imports_at = at.key("imports");
    names::repeated_texts("profile", &spec.imports, imports_at, found);
    let mut imports = Vec::with_capacity(spec.imports.len());
    for (index, import) in spec.imports.iter().enumerate() {
        let span = imports_at.item(index).span();
        let import = names::PROFILE.find(&scope.profiles, |it| it, import, span, found);
        imports.extend(import.map(|id| (ProfileId(id), span)));
    }
    (profile, imports)
}

fn patterns(written: Option<&input::AllowDeny>, at: Place<'_>, found: &mut Vec<Diagnostic>) -> AllowDeny {
    let Some(written) = written else { return AllowDeny::default() };
    let mut list = |texts: &[String], at: Place<'_>| -> Vec<Pattern> {
        names::repeated_texts("pattern", texts, at, found);
        let texts = texts.iter().enumerate();
        texts.map(|(index, text)| Pattern { text: Arc::from(text.as_str()), span: at.item(index).span() }).collect()
    };
    let allow = written.allow.as_deref().map(|texts| (list(texts, at.key("allow")), at.key("allow").span()));
    AllowDeny { allow, deny: list(&written.deny, at.key("deny")) }
}

/// Reads a shell; one with a wrong shape is there and has no level.
pub(in crate::check) fn shell(name: &str, document: &Written<'_, ShellDocument>, found: &mut Vec<Diagnostic>) -> Shell {
    let root = Place::root(document.document);
    let span = root.key("metadata").key("name").span();
    let Some(ShellDocument { spec, .. }) = document.value else {
        return Shell { name: name.into(), platform_codes: Vec::new(), branding_schema: None, span };
    };
    let at = root.key("spec");
    let texts: Vec<String> = spec.platform_codes.iter().map(u32::to_string).collect();
    names::repeated_texts("level", &texts, at.key("platform_codes"), found);
    let mut platform_codes = spec.platform_codes.clone();
    platform_codes.sort_unstable();
    platform_codes.dedup();
    let schema = spec.branding_schema.as_ref();
    let branding_schema = schema.and_then(|schema| ext_schema::open(schema, at.key("branding_schema"), found));
    Shell { name: name.into(), platform_codes, branding_schema, span }
}
