//! The rollout of a version: steps that follow one another, and shares that only grow.

use super::Place;
use crate::check::lower;
use crate::diag::{Code, Diagnostic};
use crate::input;
use crate::model::{Rollout, RolloutStep};
use crate::text::Span;
use crate::time::{Duration, Timestamp};

/// A step that was read, and how long it stands.
struct Read {
    step: RolloutStep,
    soak: Option<(Duration, Span)>,
}

/// Reads a rollout. Whatever is wrong with it, its steps come back in an order in which they can begin.
pub(super) fn lower(written: Option<&input::Rollout>, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Option<Rollout> {
    let mut read: Vec<Read> = Vec::new();
    for (index, step) in written?.steps.iter().enumerate() {
        let at = at.key("steps").item(index);
        let soak = lower::duration(step.soak.as_deref(), at.key("soak"), found);
        let from = begin(read.last(), step, at, found);
        let labels = at.key("match_labels");
        let step = RolloutStep {
            from,
            match_labels: step.match_labels.clone(),
            label_spans: step.match_labels.keys().map(|key| labels.key(key).span()).collect(),
            percent: step.percent,
            max_tenants: step.max_tenants.map(|it| (it, at.key("max_tenants").span())),
            span: at.span(),
        };
        grows(&read, &step, at, found);
        read.push(Read { step, soak: soak.map(|it| (it, at.key("soak").span())) });
    }
    Some(Rollout { steps: read.into_iter().map(|it| it.step).collect(), span: at.span() })
}

/// When a step begins: when it says so, and else when the soak of the step before it is over.
fn begin(before: Option<&Read>, step: &input::RolloutStep, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Timestamp {
    let own = lower::instant(step.from.as_deref(), at.key("from"), found);
    let earliest = before.map(|it| it.soak.map_or(it.step.from, |(soak, _)| it.step.from.plus(soak)));
    match (own, before, earliest) {
        (Some(own), Some(before), Some(earliest)) if own < earliest => {
            found.push(too_early(own, before, earliest, at));
            earliest
        }
        (Some(own), ..) => own,
        (None, Some(Read { soak: Some(_), .. }), Some(earliest)) => earliest,
        (None, ..) => {
            // What was written and cannot be read has been said already.
            if step.from.is_none() {
                let message = "nothing says when this step begins";
                let help = match before {
                    None => "the first step of a rollout has a `from`",
                    Some(_) => "give it a `from`, or give the step before it a `soak`",
                };
                found.push(Diagnostic::new(Code::RolloutOrder, at.span(), message).help(help));
            }
            earliest.unwrap_or(Timestamp::FIRST)
        }
    }
}

fn too_early(own: Timestamp, before: &Read, earliest: Timestamp, at: Place<'_>) -> Diagnostic {
    let from = before.step.from;
    let (message, label, span) = match before.soak {
        Some((soak, span)) if from <= own => {
            let message = format!("this step begins on {own}, before the step before it has stood for {soak}");
            (message, format!("it stands until {earliest}"), span)
        }
        Some(_) | None => {
            let message = format!("this step begins on {own}, before the step before it begins");
            (message, format!("it begins on {from}"), before.step.span)
        }
    };
    Diagnostic::new(Code::RolloutOrder, at.key("from").span(), message)
        .label(span, label)
        .help(format!("steps follow one another: write {earliest} or later, or leave `from` out"))
}

/// Whoever a step selects has what an earlier step gave that asks for no other labels: the new share must be larger.
fn grows(before: &[Read], step: &RolloutStep, at: Place<'_>, found: &mut Vec<Diagnostic>) {
    let covers = |it: &&Read| it.step.match_labels.iter().all(|(key, value)| step.match_labels.get(key) == Some(value));
    let most = before.iter().filter(covers).max_by_key(|it| it.step.percent);
    let Some(most) = most.filter(|it| it.step.percent >= step.percent) else { return };
    let (old, new) = (most.step.percent, step.percent);
    let (message, help) = match old == new {
        true => (
            format!("this step reaches nobody who is not reached already: all whom it selects have {old} %"),
            "delete it, raise its `percent`, or have it select other tenants",
        ),
        false => (
            format!("the share falls from {old} % to {new} %"),
            "a device that has a version keeps it, so shares only grow: delete this step, or raise its `percent`; \
             `revoked` takes a version back",
        ),
    };
    let span = at.key("percent").written().unwrap_or(at.span());
    found.push(Diagnostic::new(Code::RolloutFalls, span, message).label(most.step.span, "reached here").help(help));
}
