//! Why a wanted program is out, and why newer versions of one that is in are not used.

use semver::VersionReq;

use crate::model::{Dependency, Release, meets};
use crate::resolve::level::{Decision, Field, runs_on};
use crate::resolve::reasons::Exclusion;
use crate::resolve::windows::{Timing, is_over};
use crate::text::Span;
use crate::time::{Timestamp, Window};

/// Everything that has been decided about one tenant.
#[derive(Debug)]
pub(super) struct Decided<'a> {
    pub(super) field: Field<'a>,
    /// The tenant's levels, lowest first, each with the position of its decision.
    pub(super) levels: Vec<(u32, usize)>,
    pub(super) decisions: Vec<Decision<'a>>,
    pub(super) timing: Timing,
    pub(super) license: Option<Span>,
    pub(super) now: Timestamp,
}

impl<'a> Decided<'a> {
    /// Whether a version of the program is chosen at any level.
    pub(super) fn is_chosen(&self, slot: usize) -> bool {
        self.decisions.iter().any(|it| it.chosen[slot].is_some())
    }

    /// Why a program is out that has a grant or was chosen.
    pub(super) fn why_out(&self, slot: usize) -> Exclusion {
        let (timing, entry) = (&self.timing, &self.field.wanted.entries[slot]);
        match (entry.revoked, self.license) {
            (Some((until, span)), _) if timing.wanted[slot].is_empty() => Exclusion::Revoked { until, span },
            (_, Some(span)) if is_over(&timing.licensed[slot], self.now) => Exclusion::LicenceEnded { span },
            _ if self.is_chosen(slot) => self.kept_away(slot, &timing.licensed[slot]),
            _ => self.why_never_chosen(slot),
        }
    }

    /// For each version above the newest chosen one, newest first, why it is not used.
    pub(super) fn passed_over(&self, slot: usize) -> Vec<(usize, Exclusion)> {
        let releases = &self.field.program(slot).releases;
        let newest = self.decisions.iter().filter_map(|it| it.chosen[slot]).max();
        let above = newest.map_or(0, |newest| newest + 1)..releases.len();
        above.rev().map(|at| (at, self.why_unused(slot, at))).collect()
    }

    /// What keeps a program, itself or one that it needs, away for all of a window.
    fn kept_away(&self, slot: usize, window: &Window) -> Exclusion {
        match self.field.wanted.entries[slot].revoked {
            Some((until, span)) if window.until.is_some_and(|end| end <= until) => Exclusion::Revoked { until, span },
            Some(_) | None => {
                let mut needs: Vec<_> = self.timing.needs_of(slot).iter().collect();
                needs.sort_by_key(|it| self.field.wanted.entries[it.dependency].program);
                let need = needs.into_iter().find(|it| window.intersect(&self.timing.whole[it.dependency]).is_empty());
                // Nothing needed ends before its dependant, so it is a late beginning, and the latest one alone suffices.
                let need = need.expect("a window that its program leaves open is closed by one dependency");
                Exclusion::DependencyEnded {
                    program: self.field.wanted.entries[need.dependency].program,
                    span: need.span,
                    why: Box::new(self.kept_away(need.dependency, window)),
                }
            }
        }
    }

    fn why_never_chosen(&self, slot: usize) -> Exclusion {
        let mut falls =
            self.levels.iter().rev().filter_map(|(_, decision)| self.decisions[*decision].fallen[slot].as_ref());
        if let Some(fall) = falls.next() {
            return fall.clone();
        }
        let telling = self.telling(slot);
        self.why_refused(slot, telling).unwrap_or_else(|| {
            let release = &self.field.program(slot).releases[telling];
            match self.levels.iter().rev().find(|(level, _)| runs_on(release, *level)) {
                None => Exclusion::Platform { span: release.platform_span },
                Some(&(level, decision)) => self.unmet(release, level, &self.decisions[decision]),
            }
        })
    }

    fn why_refused(&self, slot: usize, release: usize) -> Option<Exclusion> {
        self.field.refused[self.field.wanted.entries[slot].first + release].clone()
    }

    /// The first dependency that nothing viable meets.
    fn unmet(&self, release: &'a Release, level: u32, decision: &Decision<'_>) -> Exclusion {
        let mut unmet = release.dependencies.iter().filter(|it| !self.field.is_met(it, &decision.viable));
        let unmet = unmet.next().expect("a candidate in a level's range is viable unless a dependency is not met");
        Exclusion::Dependency {
            program: unmet.program,
            release: self.telling_in(self.field.slot_of(unmet), unmet.range.as_ref()),
            span: unmet.span,
            why: Box::new(self.why_not_viable(unmet, level, decision)),
        }
    }

    /// Why no version in a dependency's range is viable at a level: the reason of the most telling of them.
    fn why_not_viable(&self, dependency: &'a Dependency, level: u32, decision: &Decision<'_>) -> Exclusion {
        let slot = self.field.slot_of(dependency);
        if let Some(fall) = &decision.fallen[slot] {
            return fall.clone();
        }
        let Some(telling) = self.telling_in(slot, dependency.range.as_ref()) else {
            return Exclusion::NoVersion { span: dependency.span };
        };
        let release = &self.field.program(slot).releases[telling];
        self.why_refused(slot, telling).unwrap_or_else(|| match runs_on(release, level) {
            false => Exclusion::Platform { span: release.platform_span },
            true => self.unmet(release, level, decision),
        })
    }

    /// The version of a program whose reason tells most.
    pub(super) fn telling(&self, slot: usize) -> usize {
        self.telling_in(slot, None).expect("a program has a version")
    }

    /// The version whose reason tells most: the one that came furthest through the gate, and the newest among equals.
    /// A version in review says nothing about a program whose released version the profile forbids.
    fn telling_in(&self, slot: usize, range: Option<&VersionReq>) -> Option<usize> {
        let first = self.field.wanted.entries[slot].first;
        let releases = self.field.program(slot).releases.iter().enumerate();
        let in_range = releases.filter(|(_, it)| meets(range, &it.version));
        let furthest = in_range
            .max_by_key(|(at, _)| (self.field.refused[first + at].as_ref().map_or(u8::MAX, Exclusion::point), *at));
        furthest.map(|(at, _)| at)
    }

    /// Why a version above the newest chosen one is not used, seen from the highest level that has the program and runs it.
    fn why_unused(&self, slot: usize, at: usize) -> Exclusion {
        let release = &self.field.program(slot).releases[at];
        if let Some(why) = self.why_refused(slot, at) {
            return why;
        }
        let mut levels = self.levels.iter().rev().map(|(level, decision)| (*level, &self.decisions[*decision]));
        let having = levels.find(|(level, decision)| decision.chosen[slot].is_some() && runs_on(release, *level));
        let Some((level, decision)) = having else {
            return Exclusion::Platform { span: release.platform_span };
        };
        if !decision.viable[self.field.wanted.entries[slot].first + at] {
            return self.unmet(release, level, decision);
        }
        let mut asked = decision.demands.iter().filter(|it| it.dependency == slot);
        let holding = asked.find(|it| !meets(it.written.range.as_ref(), &release.version));
        let holding = holding.expect("a newer viable version that every dependant takes would have been chosen");
        Exclusion::Held { by: self.field.wanted.entries[holding.dependant].program, span: holding.written.span }
    }
}
