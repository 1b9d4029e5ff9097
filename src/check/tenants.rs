//! The rules of tenants: each against the catalogue, then all against one another.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use semver::VersionReq;

use crate::check::lower::Place;
use crate::check::lower::tenant as lower;
use crate::check::names;
use crate::check::{Typed, TypedValue};
use crate::diag::{Code, Diagnostic};
use crate::input::{SalesStatus, TenantStatus};
use crate::model::{AddOn, AddOnId, Catalog, Effect, Program, ProgramId, Release, Tenant, meets};
use crate::parse::Document;
use crate::text::Span;
use crate::time::Timestamp;

/// One tenant against the catalogue. Documents that are no tenants, or have a wrong shape, give nothing.
pub fn tenant(catalog: &Catalog, typed: &Typed, now: Timestamp) -> (Option<Tenant>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let TypedValue::Tenant(document) = &typed.value else { return (None, found) };
    let root = Place::root(&typed.document);
    let Some(tenant) = lower::tenant(catalog, document, root, &mut found) else { return (None, found) };
    sold(catalog, &tenant, &mut found);
    add_ons(catalog, &tenant, &mut found);
    expired(&tenant, root, now, &mut found);
    if !tenant.pins.is_empty() || !tenant.ext.is_empty() {
        idle(catalog, &tenant, now, &mut found);
    }
    (Some(tenant), found)
}

/// A former customer keeps what it had: its file is a tombstone that nobody should have to edit.
fn sold(catalog: &Catalog, tenant: &Tenant, found: &mut Vec<Diagnostic>) {
    if tenant.status == TenantStatus::Inactive {
        return;
    }
    let mut retired = |what: &str, name: &str, span: Span, definition: Span| {
        let diagnostic = Diagnostic::new(Code::Retired, span, format!("{what} `{name}` is retired"))
            .label(definition, "retired here")
            .help(format!(
                "move the tenant to another {what}, or set `status: legacy` there to keep it for those who have it"
            ));
        found.push(diagnostic);
    };
    let plan = &catalog.plans[tenant.plan.0.at()];
    if plan.status == SalesStatus::Retired {
        retired("plan", &plan.name, tenant.plan.1, plan.span);
    }
    for (id, span) in &tenant.add_ons {
        let add_on = &catalog.add_ons[id.at()];
        if add_on.status == SalesStatus::Retired {
            retired("add-on", &add_on.name, *span, add_on.span);
        }
    }
}

fn add_ons(catalog: &Catalog, tenant: &Tenant, found: &mut Vec<Diagnostic>) {
    for (index, (id, span)) in tenant.add_ons.iter().enumerate() {
        let add_on = &catalog.add_ons[id.at()];
        let takes = |required: &crate::model::PlanId| {
            let required = &catalog.plans[required.at()].name;
            catalog.plan_chain(tenant.plan.0).any(|plan| plan.name == *required)
        };
        if !add_on.requires_plans.is_empty() && !add_on.requires_plans.iter().any(takes) {
            found.push(wrong_plan(catalog, tenant, add_on, *span));
        }
        for (other, other_span) in &tenant.add_ons[..index] {
            if conflict(catalog, *id, *other) {
                let other = &catalog.add_ons[other.at()];
                let message = format!("add-ons `{}` and `{}` cannot be bought together", other.name, add_on.name);
                let diagnostic = Diagnostic::new(Code::AddOnConflict, *span, message)
                    .label(*other_span, "the other one")
                    .help("take one of them out");
                found.push(diagnostic);
            }
        }
    }
}

fn wrong_plan(catalog: &Catalog, tenant: &Tenant, add_on: &AddOn, span: Span) -> Diagnostic {
    let plan = &catalog.plans[tenant.plan.0.at()];
    let plans = add_on.requires_plans.iter().map(|id| format!("`{}`", catalog.plans[id.at()].name));
    let plans = plans.collect::<Vec<String>>().join(", ");
    let message = format!("add-on `{}` cannot be added to plan `{}`", add_on.name, plan.name);
    Diagnostic::new(Code::AddOnPlan, span, message)
        .label(tenant.plan.1, "the tenant's plan")
        .help(format!("it can be added to {plans}, and to plans that extend one of these"))
}

fn conflict(catalog: &Catalog, a: AddOnId, b: AddOnId) -> bool {
    catalog.add_ons[a.at()].conflicts.contains(&b) || catalog.add_ons[b.at()].conflicts.contains(&a)
}

fn expired(tenant: &Tenant, root: Place<'_>, now: Timestamp, found: &mut Vec<Diagnostic>) {
    for (index, it) in tenant.overrides.iter().enumerate() {
        if now < it.expires {
            continue;
        }
        // Overrides that could not be read are missing from the model, so its order is not the document's.
        let overrides = root.key("spec").key("overrides");
        let at = (index..).map(|index| overrides.item(index)).take_while(|at| at.written().is_some());
        let at = at.into_iter().find(|at| at.key(key(&it.effect)).span() == it.span);
        let span = at.map_or(it.span, |at| at.key("expires").span());
        let message = format!("this override expired on {} and does nothing any more", it.expires.date());
        found.push(Diagnostic::new(Code::OverrideExpired, span, message).help("delete it, or give it a new end"));
    }
}

fn key(effect: &Effect) -> &'static str {
    match effect {
        Effect::Grant(_) => "grant",
        Effect::Revoke => "revoke",
    }
}

/// Pins and settings must be for something that the tenant has, and a pin for a version that it may have.
fn idle(catalog: &Catalog, tenant: &Tenant, now: Timestamp, found: &mut Vec<Diagnostic>) {
    let granted = granted(catalog, tenant, now);
    let is_granted = |id: ProgramId| granted.iter().any(|(it, ..)| *it == id);
    let pins = tenant.pins.iter().map(|(id, _, span)| (*id, *span, "pin"));
    let settings = tenant.ext.iter().map(|(id, (_, span))| (*id, *span, "settings"));
    let ungranted: Vec<(ProgramId, Span, &str)> = pins.chain(settings).filter(|(id, ..)| !is_granted(*id)).collect();
    if !ungranted.is_empty() {
        let needed = needed(catalog, granted.iter().map(|(id, ..)| *id));
        for (id, span, what) in ungranted.into_iter().filter(|(id, ..)| !needed.contains(id)) {
            let app_id = &catalog.program(id).app_id;
            let message = format!("{what} for `{app_id}`, which neither plan nor add-on nor override grants");
            let help = "delete it, or grant the mini-program";
            found.push(Diagnostic::new(Code::IdleExt, span, message).help(help));
        }
    }
    for (id, code, span) in &tenant.pins {
        let program = catalog.program(*id);
        let release = program.releases.iter().find(|release| release.code == *code);
        let version = &release.expect("an unknown pin does not get into the model").version;
        found.extend(release.and_then(|it| pinned_to_revoked(program, it, *span)));
        let mut ranges = granted.iter().filter(|(it, ..)| it == id).peekable();
        if ranges.peek().is_none() || ranges.clone().any(|(_, range, _)| meets(*range, version)) {
            continue;
        }
        let message = format!("the pin is to `{version}` of `{}`, which no grant contains", program.app_id);
        let diagnostic = Diagnostic::new(Code::PinOutsideRange, *span, message)
            .help("pin a version inside a granted range, or widen the range");
        let labelled = ranges.fold(diagnostic, |diagnostic, (_, range, at)| {
            let range = range.map(VersionReq::to_string).unwrap_or_default();
            diagnostic.label(*at, format!("grants `{range}`"))
        });
        found.push(labelled);
    }
}

fn pinned_to_revoked(program: &Program, release: &Release, span: Span) -> Option<Diagnostic> {
    let revoked = release.revoked.as_ref()?;
    let message = format!("the pin is to `{}` of `{}`, which is revoked", release.version, program.app_id);
    let diagnostic = Diagnostic::new(Code::PinRevoked, span, message).label(revoked.span, "revoked here");
    Some(diagnostic.help("pin another version, or take the pin out: until then the tenant is without the mini-program"))
}

/// Every grant that holds now: of the plan and those it extends, of add-ons, of overrides.
fn granted<'a>(
    catalog: &'a Catalog,
    tenant: &'a Tenant,
    now: Timestamp,
) -> Vec<(ProgramId, Option<&'a VersionReq>, Span)> {
    let plans = catalog.plan_chain(tenant.plan.0).flat_map(|plan| &plan.grants);
    let add_ons = tenant.add_ons.iter().flat_map(|(id, _)| &catalog.add_ons[id.at()].grants);
    let grants = plans.chain(add_ons).map(|grant| (grant.program, grant.range.as_ref(), grant.span));
    let overrides = tenant.overrides.iter().filter(|it| now < it.expires);
    let overrides = overrides.filter_map(|it| match &it.effect {
        Effect::Grant(range) => Some((it.program, range.as_ref(), it.span)),
        Effect::Revoke => None,
    });
    grants.chain(overrides).collect()
}

/// These programs and all that they depend on, through any version.
fn needed(catalog: &Catalog, granted: impl Iterator<Item = ProgramId>) -> BTreeSet<ProgramId> {
    let mut needed = BTreeSet::new();
    let mut open: Vec<ProgramId> = granted.collect();
    while let Some(id) = open.pop() {
        if needed.insert(id) {
            let dependencies = catalog.program(id).releases.iter().flat_map(|release| &release.dependencies);
            open.extend(dependencies.map(|dependency| dependency.program));
        }
    }
    needed
}

/// What must be unique over all tenants. A tenant whose check is remembered has no document any more.
#[derive(Debug, Clone, Copy)]
pub struct TenantKey<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its public identifier.
    pub tenant_id: &'a str,
    /// Its domains.
    pub domains: &'a [String],
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
    /// Its document, when it was read this time.
    pub document: Option<&'a Document>,
    /// What to point at when there is no document: the start of its file.
    pub span: Span,
}

impl<'a> TenantKey<'a> {
    /// The key of a tenant's document.
    pub fn of(typed: &'a Typed) -> Option<TenantKey<'a>> {
        let TypedValue::Tenant(tenant) = &typed.value else { return None };
        Some(TenantKey {
            name: &tenant.metadata.name,
            tenant_id: &tenant.spec.tenant_id,
            domains: &tenant.spec.domains,
            labels: &tenant.metadata.labels,
            document: Some(&typed.document),
            span: Place::root(&typed.document).span(),
        })
    }

    fn at(&self, path: impl Fn(Place<'a>) -> Place<'a>) -> Span {
        self.document.map_or(self.span, |document| path(Place::root(document)).span())
    }

    fn name_span(&self) -> Span {
        self.at(|root| root.key("metadata").key("name"))
    }

    fn id_span(&self) -> Span {
        self.at(|root| root.key("spec").key("tenant_id"))
    }

    fn domain_span(&self, index: usize) -> Span {
        self.at(|root| root.key("spec").key("domains").item(index))
    }
}

/// What must be unique over all tenants: names, `tenant_id`s (where case does not count, as in a host name), domains.
pub fn across_tenants(keys: &[TenantKey<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // Looked into, never walked over: the order of the diagnostics is that of the keys.
    let mut names: HashMap<&str, &TenantKey<'_>> = HashMap::with_capacity(keys.len());
    let mut ids: HashMap<Cow<'_, str>, &TenantKey<'_>> = HashMap::with_capacity(keys.len());
    let mut domains: HashMap<&str, (&TenantKey<'_>, usize)> = HashMap::with_capacity(keys.len());
    for key in keys {
        match names.get(key.name) {
            Some(first) => {
                found.push(names::duplicate_name("tenant", key.name, key.name_span(), first.name_span()));
            }
            None => _ = names.insert(key.name, key),
        }
        let folded = match key.tenant_id.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(key.tenant_id.to_ascii_lowercase()),
            false => Cow::Borrowed(key.tenant_id),
        };
        match ids.get(&folded) {
            Some(first) => found.push(duplicate_id(key, first)),
            None => _ = ids.insert(folded, key),
        }
        for (index, domain) in key.domains.iter().enumerate() {
            match domains.get(domain.as_str()) {
                // Twice in one list is said where the list is.
                Some((first, _)) if std::ptr::eq(*first, key) => {}
                Some((first, at)) => {
                    let message = format!("domain `{domain}` belongs to tenant `{}`", first.name);
                    let diagnostic = Diagnostic::new(Code::DuplicateDomain, key.domain_span(index), message)
                        .label(first.domain_span(*at), "claimed here")
                        .help("a domain says whose people these are: take it out of one of the two");
                    found.push(diagnostic);
                }
                None => _ = domains.insert(domain, (key, index)),
            }
        }
    }
    found
}

fn duplicate_id(key: &TenantKey<'_>, first: &TenantKey<'_>) -> Diagnostic {
    let message = match key.tenant_id == first.tenant_id {
        true => format!("`tenant_id` `{}` belongs to tenant `{}`", key.tenant_id, first.name),
        false => format!(
            "`tenant_id` `{}` differs from `{}` of tenant `{}` only in case",
            key.tenant_id, first.tenant_id, first.name
        ),
    };
    Diagnostic::new(Code::DuplicateTenantId, key.id_span(), message)
        .label(first.id_span(), "first used here")
        .help("every customer has an identifier of its own, also those who left")
}
