//! How far the rollout of a version has come for a tenant at an instant.

use crate::model::{Rollout, Tenant};
use crate::resolve::reasons::Exclusion;
use crate::time::{Timestamp, earliest};

/// All of a tenant's devices.
pub(super) const EVERYBODY: u32 = 100;

/// The instants that count for versions: now, and what stands still in a freeze window; none when nothing came before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instants {
    pub(super) now: Timestamp,
    pub(super) then: Option<Timestamp>,
}

/// What a rollout says.
#[derive(Debug)]
pub(super) enum Reach {
    /// These devices have the version.
    Reached,
    /// They do not, for this reason.
    Refused(Exclusion),
    /// They would, but for a freeze window.
    Frozen,
}

/// Whether the devices get a version that are the first `percent` of the tenant's, and how many percent do.
pub(super) fn reach(
    rollout: &Rollout,
    tenant: &Tenant,
    percent: u32,
    instants: Instants,
    next_change: &mut Option<Timestamp>,
) -> (Reach, u32) {
    let mut steps = rollout.steps.iter().filter(|it| it.selects(&tenant.labels));
    let coming = steps.clone().find(|it| it.from > instants.now);
    *next_change = earliest(*next_change, coming.map(|it| it.from));
    let begun = |at: Timestamp| {
        let begun = rollout.steps.iter().filter(move |it| it.selects(&tenant.labels) && it.from <= at);
        // Of equal shares the first: it was reached then.
        begun.rev().max_by_key(|it| it.percent)
    };
    let Some(now) = begun(instants.now) else {
        let first = steps.next();
        let span = first.map_or(rollout.span, |it| it.span);
        return (Reach::Refused(Exclusion::Rollout { from: first.map(|it| it.from), span }), 0);
    };
    let Some(then) = instants.then.and_then(begun) else { return (Reach::Frozen, 0) };
    let reach = match () {
        () if then.percent >= percent => Reach::Reached,
        () if now.percent >= percent => Reach::Frozen,
        () => Reach::Refused(Exclusion::Percentage { percent: then.percent, span: then.span }),
    };
    (reach, then.percent)
}
