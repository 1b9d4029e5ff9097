//! What changes by itself: one project, decided at one instant after the other.

use crate::changes::classes::Class;
use crate::changes::windows::tell_beginnings;
use crate::changes::{Comparer, Kind, Pair, Seat, TenantChanges, Weight, weight};
use crate::model::Tenant;
use crate::render::Rendered;
use crate::resolve::Resolution;
use crate::time::Timestamp;

/// Everything that changes by itself from one instant to another, both included.
#[derive(Debug)]
pub struct Course {
    /// The first instant that is looked at; it is compared with what held a second before.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// How many tenants were asked for.
    pub tenants: usize,
    /// The instants at which anything changes, in order.
    pub moments: Vec<Moment>,
}

/// What changes at one instant.
#[derive(Debug)]
pub struct Moment {
    /// The instant: a second before, everything is as it was.
    pub at: Timestamp,
    /// Tenants of which anything changes, sorted by name.
    pub tenants: Vec<TenantChanges>,
    /// The same, tenants of equal change together: losses first, then the larger class.
    pub classes: Vec<Class>,
    /// Tenants whose settings or files can no longer be made from then on, sorted by name.
    pub failing: Vec<Failing>,
}

/// A tenant that would stop a compile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failing {
    /// Its name.
    pub tenant: Box<str>,
    /// What is wrong.
    pub message: String,
}

/// A line-up without what has not begun at an instant, or has ended. What has begun has no beginning any more.
pub fn running(resolution: &Resolution, at: Timestamp) -> Resolution {
    let mut running = resolution.clone();
    keep_running(&mut running, at);
    running.cohorts.iter_mut().for_each(|it| keep_running(&mut it.line_up, at));
    running
}

fn keep_running(line_up: &mut Resolution, at: Timestamp) {
    line_up.included.retain(|it| it.window.contains(at));
    line_up.included.iter_mut().for_each(|it| it.window.from = None);
}

/// A tenant at one instant.
#[derive(Debug, Clone, Copy)]
pub struct Instant<'a> {
    /// What was decided.
    pub decided: &'a Resolution,
    /// What of it runs.
    pub running: &'a Resolution,
    /// Settings and files of what runs.
    pub rendered: &'a Rendered,
}

impl<'a> Instant<'a> {
    fn seat(self, tenant: &'a Tenant) -> Seat<'a> {
        Seat { tenant, resolution: self.running, rendered: self.rendered }
    }
}

impl Comparer<'_> {
    /// What changes by itself for a tenant from one instant to the next.
    pub fn passage(&self, tenant: &Tenant, before: Instant<'_>, after: Instant<'_>, at: Timestamp) -> TenantChanges {
        let (mut changes, _) = self.tenant(Pair::Both(before.seat(tenant), after.seat(tenant)));
        tell_beginnings(&mut changes.changes, self.head.catalog, tenant, before.decided, at);
        // What was never meant for the tenant is no news to it when another of its reasons passes.
        changes.changes.retain(|it| it.kind != Kind::HeldBack || weight(it.kind, it.why.cause) == Weight::Held);
        changes.changes.sort_unstable();
        changes
    }
}
