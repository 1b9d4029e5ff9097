//! A tenant.

use std::collections::BTreeMap;

use super::Place;
use crate::check::catalog::unmet;
use crate::check::lower;
use crate::check::names;
use crate::diag::{Code, Diagnostic};
use crate::input;
use crate::input::{TenantDocument, TenantSpec};
use crate::model::{AddOnId, Catalog, Effect, License, Override, PlanId, ProfileId, ProgramId, ShellId, Tenant};
use crate::text::Span;
use crate::time::Duration;

/// Reads a tenant against the catalogue. Without a plan there is none.
pub(in crate::check) fn tenant(
    catalog: &Catalog,
    document: &TenantDocument,
    root: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> Option<Tenant> {
    let TenantDocument { metadata, spec, .. } = document;
    let at = root.key("spec");
    let span = root.key("metadata").key("name").span();
    lists(spec, at, found);
    let plan_span = at.key("plan").span();
    let plan = names::PLAN.find(&catalog.plans, |it| &it.name, &spec.plan, plan_span, found);
    let tenant = Tenant {
        name: metadata.name.as_str().into(),
        tenant_id: spec.tenant_id.as_str().into(),
        title: metadata.title.as_deref().map(Box::from),
        labels: metadata.labels.clone(),
        status: spec.status,
        status_span: at.key("status").written().unwrap_or(span),
        // A tenant without a plan is dropped below, after everything else about it has been said.
        plan: (PlanId(plan.unwrap_or_default()), plan_span),
        add_ons: add_ons(catalog, spec, at.key("add_ons"), found),
        profile: profile(catalog, spec, at.key("compliance_profile").span(), found),
        license: spec.license.as_ref().map(|it| license(it, at.key("license"), found)),
        overrides: overrides(catalog, spec, at.key("overrides"), found),
        branding: spec.branding.clone().unwrap_or_default(),
        branding_span: at.key("branding").written().unwrap_or(span),
        ext: settings(catalog, spec, at.key("ext"), found),
        channel: spec.channel.as_deref().map(Box::from),
        pins: pins(catalog, spec, at.key("pins"), found),
        data_region: spec.data_region.as_deref().map(|it| (it.into(), at.key("data_region").span())),
        domains: spec.domains.clone(),
        shells: shells(catalog, spec, at.key("shells"), found),
        span,
    };
    plan.map(|_| tenant)
}

fn lists(spec: &TenantSpec, at: Place<'_>, found: &mut Vec<Diagnostic>) {
    names::repeated_texts("add-on", &spec.add_ons, at.key("add_ons"), found);
    names::repeated_texts("domain", &spec.domains, at.key("domains"), found);
    names::repeated_texts("shell", &spec.shells, at.key("shells"), found);
    let pins_at = at.key("pins");
    let pins = spec.pins.iter().enumerate();
    let pins = pins.map(|(index, pin)| (pin.app_id.as_str(), pins_at.item(index).key("app_id").span()));
    names::repeated("pin of", pins, found);
}

fn program(catalog: &Catalog, app_id: &str, span: Span, found: &mut Vec<Diagnostic>) -> Option<ProgramId> {
    names::PROGRAM.find(&catalog.programs, |it| &it.app_id, app_id, span, found).map(ProgramId)
}

fn add_ons(catalog: &Catalog, spec: &TenantSpec, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Vec<(AddOnId, Span)> {
    let mut add_ons: Vec<(AddOnId, Span)> = Vec::with_capacity(spec.add_ons.len());
    for (index, name) in spec.add_ons.iter().enumerate() {
        let span = at.item(index).span();
        let add_on = names::ADD_ON.find(&catalog.add_ons, |it| &it.name, name, span, found).map(AddOnId);
        add_ons.extend(add_on.filter(|id| add_ons.iter().all(|(it, _)| it != id)).map(|id| (id, span)));
    }
    add_ons
}

fn profile(catalog: &Catalog, spec: &TenantSpec, span: Span, found: &mut Vec<Diagnostic>) -> Option<(ProfileId, Span)> {
    let name = spec.compliance_profile.as_deref()?;
    let profile = names::PROFILE.find(&catalog.profiles, |it| &it.name, name, span, found)?;
    Some((ProfileId(profile), span))
}

fn license(license: &input::License, at: Place<'_>, found: &mut Vec<Diagnostic>) -> License {
    let from = (license.valid_from.as_deref(), at.key("valid_from"));
    let until = (license.valid_until.as_deref(), at.key("valid_until"));
    License {
        window: lower::window(from, until, found),
        strategy: license.expiration_strategy,
        grace: lower::duration(license.grace.as_deref(), at.key("grace"), found).unwrap_or(Duration::days(0)),
        seats: license.seats,
        span: at.span(),
    }
}

fn overrides(catalog: &Catalog, spec: &TenantSpec, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Vec<Override> {
    let mut overrides = Vec::with_capacity(spec.overrides.len());
    for (index, written) in spec.overrides.iter().enumerate() {
        overrides.extend(exception(catalog, written, at.item(index), found));
    }
    overrides
}

fn exception(
    catalog: &Catalog,
    written: &input::Override,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> Option<Override> {
    let range_at = at.key("range");
    let range = lower::range(written.range.as_deref(), range_at, found);
    let expires = lower::instant(Some(&written.expires), at.key("expires"), found);
    let (app_id, span, effect) = match (&written.grant, &written.revoke) {
        (Some(app_id), None) => (app_id, at.key("grant").span(), Effect::Grant(range)),
        (None, Some(app_id)) => {
            let span = at.key("revoke").span();
            if written.range.is_some() {
                let message = "an override that revokes has a `range`, but it always takes the whole program away";
                let diagnostic = Diagnostic::new(Code::OverrideTarget, range_at.span(), message)
                    .label(span, "revoked here")
                    .help("delete `range`; to keep a tenant on some versions, pin one");
                found.push(diagnostic);
            }
            (app_id, span, Effect::Revoke)
        }
        (Some(_), Some(_)) => {
            let diagnostic = Diagnostic::new(
                Code::OverrideTarget,
                at.key("revoke").span(),
                "an override has both `grant` and `revoke`",
            );
            let diagnostic = diagnostic.label(at.key("grant").span(), "granted here");
            found.push(diagnostic.help("write two overrides, each with a reason of its own"));
            return None;
        }
        (None, None) => {
            let message = "an override has neither `grant` nor `revoke`";
            let help = "add `grant: <app_id>` or `revoke: <app_id>`";
            found.push(Diagnostic::new(Code::OverrideTarget, at.span(), message).help(help));
            return None;
        }
    };
    let program = program(catalog, app_id, span, found)?;
    if let Effect::Grant(range) = &effect {
        found.extend(unmet(catalog.program(program), range.as_ref(), range_at.span()));
    }
    Some(Override {
        program,
        effect,
        reason: written.reason.as_str().into(),
        ticket: written.ticket.as_deref().map(Box::from),
        approved_by: written.approved_by.as_deref().map(Box::from),
        expires: expires?,
        span,
    })
}

fn settings(
    catalog: &Catalog,
    spec: &TenantSpec,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> BTreeMap<ProgramId, (serde_json::Map<String, serde_json::Value>, Span)> {
    let mut settings = BTreeMap::new();
    for (app_id, values) in &spec.ext {
        let span = at.key(app_id).span();
        if let Some(program) = program(catalog, app_id, span, found) {
            settings.insert(program, (values.clone(), span));
        }
    }
    settings
}

fn pins(
    catalog: &Catalog,
    spec: &TenantSpec,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> Vec<(ProgramId, u32, Span)> {
    let mut pins: Vec<(ProgramId, u32, Span)> = Vec::with_capacity(spec.pins.len());
    for (index, pin) in spec.pins.iter().enumerate() {
        let at = at.item(index);
        let Some(id) = program(catalog, &pin.app_id, at.key("app_id").span(), found) else { continue };
        let span = at.key("code").span();
        let releases = &catalog.program(id).releases;
        if releases.iter().all(|release| release.code != pin.code) {
            let known = releases.iter().rev().take(5).map(|it| format!("{} (`{}`)", it.code, it.version));
            let help = format!("it has the codes {}", known.collect::<Vec<String>>().join(", "));
            let message = format!("`{}` has no version with code {}", pin.app_id, pin.code);
            found.push(Diagnostic::new(Code::UnknownPin, span, message).help(help));
            continue;
        }
        if pins.iter().all(|(it, ..)| *it != id) {
            pins.push((id, pin.code, span));
        }
    }
    pins
}

fn shells(catalog: &Catalog, spec: &TenantSpec, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Vec<ShellId> {
    let mut shells: Vec<ShellId> = Vec::with_capacity(catalog.shells.len());
    for (index, name) in spec.shells.iter().enumerate() {
        let span = at.item(index).span();
        let shell = names::SHELL.find(&catalog.shells, |it| &it.name, name, span, found).map(ShellId);
        shells.extend(shell.filter(|id| !shells.contains(id)));
    }
    if shells.is_empty() {
        let count = u32::try_from(catalog.shells.len()).expect("fewer than 2^32 shells");
        shells.extend((0..count).map(ShellId));
    }
    shells
}
