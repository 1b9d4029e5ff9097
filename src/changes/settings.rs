//! Settings of a mini-program: which value differs, and whose it is.

use serde_json::{Map, Value};

use crate::changes::kind::{Cause, Kind};
use crate::changes::programs::Line;
use crate::changes::stays::Stay;
use crate::changes::step::{Step, cause};
use crate::changes::{Change, Why};
use crate::text::Span;

/// Every setting that differs between two versions, or two forms of one, as the tenant has them.
pub(super) fn compare(step: &Step<'_>, stay: &Stay<'_>, found: &mut Vec<Change>) {
    let (before, after) = (&*step.before.face.ext, &*step.after.face.ext);
    let mut differing = Vec::new();
    differences(before, after, &mut Vec::new(), &mut differing);
    for Difference { path, from, to } in differing {
        let why = match to {
            Some(_) => provider(stay.head, &path).unwrap_or_else(|| own(step, stay)),
            None => provider(stay.base, &path).unwrap_or_else(|| own(step, stay)),
        };
        let change = Change::new(Kind::Setting, why).program(stay.app_id).item(&pointer(&path));
        found.push(change.values(from, to));
    }
}

/// Why the rendered files of a version differ.
pub(super) fn overlay_why(step: &Step<'_>, stay: &Stay<'_>) -> Why {
    let (before, after) = (step.before.release, step.after.release);
    let texts = |it: &crate::model::Release| {
        it.templates.iter().map(|it| (it.path.clone(), it.text.clone())).collect::<Vec<_>>()
    };
    match before.code != after.code || texts(before) != texts(after) {
        true => stay.head.why(cause(before, after), after.version_span),
        false => stay.head.why(Cause::Rendered, stay.head.seat.tenant.span),
    }
}

/// A value that only one of two maps has, or that differs.
pub(super) struct Difference<'a> {
    /// Keys from the outside in.
    pub(super) path: Vec<&'a str>,
    pub(super) from: Option<&'a Value>,
    pub(super) to: Option<&'a Value>,
}

/// Maps are compared key by key, everything else as a whole.
pub(super) fn differences<'a>(
    before: &'a Map<String, Value>,
    after: &'a Map<String, Value>,
    path: &mut Vec<&'a str>,
    found: &mut Vec<Difference<'a>>,
) {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    for key in gone.chain(after.keys()) {
        path.push(key);
        match (before.get(key), after.get(key)) {
            (from, to) if from == to => (),
            (Some(Value::Object(from)), Some(Value::Object(to))) => differences(from, to, path, found),
            (from, to) => found.push(Difference { path: path.clone(), from, to }),
        }
        path.pop();
    }
}

/// A path as a JSON pointer without its first slash.
pub(super) fn pointer(path: &[&str]) -> String {
    let parts: Vec<String> = path.iter().map(|it| it.replace('~', "~0").replace('/', "~1")).collect();
    parts.join("/")
}

/// Who sets a value above the version's own defaults: the tenant, or else an add-on, or else a plan.
fn provider(line: Line<'_>, path: &[&str]) -> Option<Why> {
    let (tenant, catalog) = (line.seat.tenant, line.side.catalog);
    let program = line.included.program;
    if let Some((_, span)) = tenant.ext.get(&program).filter(|(map, _)| sets(map, path)) {
        return Some(line.why(Cause::Tenant, *span));
    }
    let add_ons = tenant.add_ons.iter().rev().map(|(id, _)| &catalog.add_ons[id.at()]);
    let add_ons = add_ons.map(|it| (Cause::InAddOn, &it.ext, it.span));
    let plans = catalog.plan_chain(tenant.plan.0).map(|it| (Cause::InPlan, &it.ext, it.span));
    let mut all = add_ons.chain(plans);
    let found = all.find(|(_, ext, _)| ext.get(&program).is_some_and(|map| sets(map, path)));
    found.map(|(cause, _, span)| line.why(cause, span))
}

/// The version's own default is another, or it is a template and was rendered for another tenant than before.
fn own(step: &Step<'_>, stay: &Stay<'_>) -> Why {
    let (before, after) = (step.before.release, step.after.release);
    let at = |cause: Cause, span: Span| stay.head.why(cause, span);
    match (before.code == after.code, before.ext == after.ext) {
        (false, _) => at(Cause::VersionChanged, after.version_span),
        (true, false) => at(Cause::VersionEdited, after.ext_span),
        // Somebody above set it before, or does now no more, or the template sees other facts.
        (true, true) => provider_changed(stay).unwrap_or(at(Cause::Rendered, stay.head.seat.tenant.span)),
    }
}

/// Whose settings of the program differ, when it is not clear from a single value.
fn provider_changed(stay: &Stay<'_>) -> Option<Why> {
    let own = |line: Line<'_>| line.seat.tenant.ext.get(&line.included.program).map(|(map, span)| (map.clone(), *span));
    match (own(stay.base), own(stay.head)) {
        (Some((old, span)), Some((new, _))) if old != new => Some(stay.base.why(Cause::Tenant, span)),
        (Some((_, span)), None) => Some(stay.base.why(Cause::Tenant, span)),
        _ => None,
    }
}

/// Whether a layer has a say in the value at a path: it stands there, or replaces a map around it.
fn sets(map: &Map<String, Value>, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    match map.get(*first) {
        None => false,
        Some(Value::Object(inner)) => sets(inner, rest),
        Some(_) => true,
    }
}
