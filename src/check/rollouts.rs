//! Whom the steps of rollouts select, over all tenants together.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::TenantKey;
use crate::diag;
use crate::diag::{Code, Diagnostic};
use crate::model::{Catalog, RolloutStep};
use crate::text::Span;

/// The labels of all tenants: every key with every value that somebody has.
type Labels<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Steps that select nobody, because no tenant has their labels, and steps that select more tenants than they may.
pub fn rollouts(catalog: &Catalog, keys: &[TenantKey<'_>]) -> Vec<Diagnostic> {
    let releases = catalog.programs.iter().flat_map(|it| &it.releases);
    let steps: Vec<&RolloutStep> = releases.flat_map(|it| &it.rollout).flat_map(|it| &it.steps).collect();
    let mut found = Vec::new();
    if steps.is_empty() {
        return found;
    }
    let mut labels: Labels<'_> = BTreeMap::new();
    for (key, value) in keys.iter().flat_map(|it| it.labels) {
        labels.entry(key).or_default().insert(value);
    }
    for step in steps {
        for ((key, value), span) in step.match_labels.iter().zip(&step.label_spans) {
            found.extend(unknown(&labels, key, value, *span));
        }
        found.extend(too_many(step, keys));
    }
    found
}

fn unknown(labels: &Labels<'_>, key: &str, value: &str, span: Span) -> Option<Diagnostic> {
    let (message, near) = match labels.get(key) {
        Some(values) if values.contains(value) => return None,
        Some(values) => {
            let near = diag::nearest(value, values.iter().copied()).map(|it| format!("did you mean `{key}: {it}`?"));
            (format!("no tenant has the label `{key}: {value}`"), near)
        }
        None => {
            let near = diag::nearest(key, labels.keys().copied()).map(|it| format!("did you mean `{it}`?"));
            (format!("no tenant has a label `{key}`"), near)
        }
    };
    let help = "this step reaches nobody, and the next one begins all the same".to_owned();
    Some(Diagnostic::new(Code::UnknownLabel, span, message).help(near.unwrap_or(help)))
}

fn too_many(step: &RolloutStep, keys: &[TenantKey<'_>]) -> Option<Diagnostic> {
    let (most, span) = step.max_tenants?;
    let selected = keys.iter().filter(|it| step.selects(it.labels)).count();
    if selected <= most as usize {
        return None;
    }
    let message = format!("this step selects {selected} tenants, and may select {most}");
    let help = "have it select fewer, or raise `max_tenants`; a rollout that has reached everybody can be deleted";
    Some(Diagnostic::new(Code::RolloutLimit, span, message).help(help))
}
