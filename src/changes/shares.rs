//! Changes that concern a share of a tenant's devices, because a rollout has come to some of them and not to others.
//!
//! Devices stand in one order, and every share is a first part of it. Where a share ends on either side, the order is
//! cut; between two cuts all devices have one line-up before and one after, and those are compared.

use std::collections::{BTreeMap, BTreeSet};

use crate::changes::downloads::Fetch;
use crate::changes::kind::Reach;
use crate::changes::{Change, Comparer, Devices, Pair, Seat};
use crate::resolve::Cohort;

impl<'a> Seat<'a> {
    /// The tenant as devices have it that stand just before the end of a share.
    fn until(self, percent: u32) -> Seat<'a> {
        let mut cohorts = self.resolution.cohorts.iter().zip(&self.rendered.cohorts);
        match cohorts.find(|(it, _)| it.percent >= percent) {
            Some((Cohort { line_up, .. }, rendered)) => Seat { resolution: line_up, rendered, ..self },
            None => self,
        }
    }
}

impl Pair<'_> {
    /// Where the order of devices is cut, its end included.
    fn cuts(self) -> Vec<u32> {
        let (base, head) = self.seats();
        let seats = [base, head].into_iter().flatten();
        let cuts: BTreeSet<u32> = seats.flat_map(|it| it.resolution.cohorts.iter().map(|it| it.percent)).collect();
        cuts.into_iter().chain([Devices::ALL.until]).collect()
    }

    fn until(self, percent: u32) -> Self {
        match self {
            Pair::Added(head) => Pair::Added(head.until(percent)),
            Pair::Removed(base) => Pair::Removed(base.until(percent)),
            Pair::Both(base, head) => Pair::Both(base.until(percent), head.until(percent)),
        }
    }
}

impl Comparer<'_> {
    /// What differs in the line-ups, for all devices or for some, and what these fetch.
    pub(super) fn line_ups(&self, pair: Pair<'_>, found: &mut Vec<Change>, fetches: &mut Vec<Fetch>) {
        let cuts = pair.cuts();
        if cuts.len() == 1 {
            return self.line_up(pair, found, fetches);
        }
        let mut parts: BTreeMap<Change, Vec<Devices>> = BTreeMap::new();
        let mut from = 0;
        for until in cuts {
            let devices = Devices { from, until };
            let (mut changes, mut fetched) = (Vec::new(), Vec::new());
            self.line_up(pair.until(until), &mut changes, &mut fetched);
            for change in changes {
                parts.entry(change).or_default().push(devices);
            }
            fetches.extend(fetched.into_iter().map(|it| Fetch { devices, ..it }));
            from = until;
        }
        for (change, parts) in parts {
            match change.kind.reach() {
                // What the last devices have is what `explain` tells, and what no device is sent is told of them only.
                Reach::Inside if parts.iter().any(|it| it.until == Devices::ALL.until) => found.push(change),
                Reach::Inside => {}
                Reach::Published => {
                    found.extend(joined(&parts).into_iter().map(|devices| Change { devices, ..change.clone() }));
                }
            }
        }
    }

    fn line_up(&self, pair: Pair<'_>, found: &mut Vec<Change>, fetches: &mut Vec<Fetch>) {
        match pair {
            Pair::Added(head) => self.programs_of_new(head, found, fetches),
            Pair::Removed(base) => self.programs_of_gone(base, found),
            Pair::Both(base, head) => self.programs(base, head, found, fetches),
        }
    }
}

/// Neighbouring parts as one.
fn joined(parts: &[Devices]) -> Vec<Devices> {
    let mut joined: Vec<Devices> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(last) if last.until == part.from => last.until = part.until,
            // A change that two mini-programs of a part share is there twice.
            Some(last) if last.until == part.until => {}
            Some(_) | None => joined.push(*part),
        }
    }
    joined
}
