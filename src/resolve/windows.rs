//! When each chosen program is there.

use crate::input::ExpirationStrategy;
use crate::model::{License, Tenant};
use crate::resolve::candidates::grace_end;
use crate::resolve::level::{Decision, Field};
use crate::resolve::wanted::End;
use crate::text::Span;
use crate::time::{Timestamp, Window};

/// When each program is there, by slot, over all levels.
#[derive(Debug)]
pub(super) struct Timing {
    /// What its grants, dependants and revocations leave.
    pub(super) wanted: Vec<Window>,
    /// What its licence leaves of that.
    pub(super) licensed: Vec<Window>,
    /// What its dependencies leave of that.
    pub(super) whole: Vec<Window>,
    /// Which chosen program needs which, sorted, dependants first.
    pub(super) needs: Vec<Need>,
}

/// A program needs another at some level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    /// Slot of the program that needs.
    pub(super) dependant: usize,
    /// Slot of the program that is needed.
    pub(super) dependency: usize,
    /// Where that was written.
    pub(super) span: Span,
}

impl Timing {
    pub(super) fn new(field: &Field<'_>, decisions: &[Decision<'_>], tenant: &Tenant) -> Timing {
        let needs = needs(decisions);
        let mut ends: Vec<End> = field.wanted.entries.iter().map(|it| it.end).collect();
        for need in &needs {
            ends[need.dependency] = ends[need.dependency].max(ends[need.dependant]);
        }
        let wanted: Vec<Window> = field
            .wanted
            .entries
            .iter()
            .zip(&ends)
            .map(|(entry, end)| Window {
                from: entry.revoked.map(|(until, _)| until),
                until: match end {
                    End::At(until) => Some(*until),
                    End::NotWanted | End::Open => None,
                },
            })
            .collect();
        let license = tenant.license.as_ref().map(licence_window).unwrap_or_default();
        let licensed: Vec<Window> = wanted.iter().map(|it| it.intersect(&license)).collect();
        let mut whole = licensed.clone();
        for need in needs.iter().rev() {
            whole[need.dependant] = whole[need.dependant].intersect(&whole[need.dependency]);
        }
        Timing { wanted, licensed, whole, needs }
    }

    /// What a program needs.
    pub(super) fn needs_of(&self, slot: usize) -> &[Need] {
        let start = self.needs.partition_point(|it| it.dependant < slot);
        let length = self.needs[start..].iter().take_while(|it| it.dependant == slot).count();
        &self.needs[start..start + length]
    }
}

/// Whether a window leaves nothing from `now` on.
pub(super) fn is_over(window: &Window, now: Timestamp) -> bool {
    window.is_empty() || window.until.is_some_and(|until| until <= now)
}

/// Each pair once, with the first place that says so. Dependencies have later slots than their dependants, so this order
/// is dependants first and its reverse dependencies first.
fn needs(decisions: &[Decision<'_>]) -> Vec<Need> {
    let demands = decisions.iter().flat_map(|it| &it.demands);
    let mut needs: Vec<Need> =
        demands.map(|it| Need { dependant: it.dependant, dependency: it.dependency, span: it.written.span }).collect();
    needs.sort_unstable();
    needs.dedup_by_key(|it| (it.dependant, it.dependency));
    needs
}

fn licence_window(license: &License) -> Window {
    let until = match license.strategy {
        ExpirationStrategy::Revoke => grace_end(license),
        ExpirationStrategy::Restrict | ExpirationStrategy::Maintain => None,
    };
    Window { from: license.window.from, until }
}
