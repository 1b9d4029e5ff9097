//! Which versions stand side by side on shells of one level.

use std::cmp::Reverse;

use crate::model::{Catalog, Dependency, Program, Release, meets};
use crate::resolve::reasons::Exclusion;
use crate::resolve::wanted::Wanted;
use crate::text::Span;

/// What the decision about a level takes: the wanted programs and which of their versions are candidates.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) wanted: Wanted<'a>,
    /// For each version of each entry, why it is no candidate.
    pub(super) refused: Vec<Option<Exclusion>>,
}

/// What is chosen at a level. Lists go by slot unless they say otherwise.
#[derive(Debug)]
pub(super) struct Decision<'a> {
    /// The chosen version of each program.
    pub(super) chosen: Vec<Option<usize>>,
    /// What the chosen versions need, dependants in order.
    pub(super) demands: Vec<Demand<'a>>,
    /// Why a program fell.
    pub(super) fallen: Vec<Option<Exclusion>>,
    /// Whether each version of each entry is viable.
    pub(super) viable: Vec<bool>,
}

/// A chosen version needs another program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand<'a> {
    /// Slot of the program that needs.
    pub(super) dependant: usize,
    /// Slot of the program that is needed.
    pub(super) dependency: usize,
    /// As it was written.
    pub(super) written: &'a Dependency,
}

/// Chosen versions and what they need.
type Choice<'a> = (Vec<Option<usize>>, Vec<Demand<'a>>);

/// A slot that falls, and why.
type Fall = (usize, Exclusion);

impl<'a> Field<'a> {
    /// Decides a level from nothing, again after each fall. Every round takes one program away, so rounds end.
    pub(super) fn decide(&self, level: u32) -> Decision<'a> {
        let mut fallen = vec![None; self.wanted.entries.len()];
        loop {
            let viable = self.viable(level, &fallen);
            match self.choose(&viable).and_then(|choice| self.without_conflicts(choice)) {
                Ok((chosen, demands)) => return Decision { chosen, demands, fallen, viable },
                Err((slot, why)) => fallen[slot] = Some(why),
            }
        }
    }

    /// Whether two levels lie in the ranges of the same versions, so that one decision holds for both.
    pub(super) fn is_alike(&self, one: u32, other: u32) -> bool {
        let mut releases = (0..self.wanted.entries.len()).flat_map(|slot| &self.program(slot).releases);
        releases.all(|it| runs_on(it, one) == runs_on(it, other))
    }

    /// The program in a slot.
    pub(super) fn program(&self, slot: usize) -> &'a Program {
        self.catalog.program(self.wanted.entries[slot].program)
    }

    /// The slot of a program that some entry may need.
    pub(super) fn slot_of(&self, dependency: &Dependency) -> usize {
        self.wanted.slot(dependency.program).expect("whatever a wanted program may need has a slot")
    }

    /// Whether some version in the dependency's range is viable.
    pub(super) fn is_met(&self, dependency: &Dependency, viable: &[bool]) -> bool {
        let slot = self.slot_of(dependency);
        let first = self.wanted.entries[slot].first;
        let releases = self.program(slot).releases.iter().zip(&viable[first..]);
        releases.filter(|(_, viable)| **viable).any(|(it, _)| meets(dependency.range.as_ref(), &it.version))
    }

    /// Dependencies have later slots than their dependants, so going backwards sees them first.
    fn viable(&self, level: u32, fallen: &[Option<Exclusion>]) -> Vec<bool> {
        let mut viable = vec![false; self.refused.len()];
        for (slot, entry) in self.wanted.entries.iter().enumerate().rev().filter(|(slot, _)| fallen[*slot].is_none()) {
            for (at, release) in self.program(slot).releases.iter().enumerate() {
                viable[entry.first + at] = self.refused[entry.first + at].is_none()
                    && runs_on(release, level)
                    && release.dependencies.iter().all(|it| self.is_met(it, &viable));
            }
        }
        viable
    }

    fn choose(&self, viable: &[bool]) -> Result<Choice<'a>, Fall> {
        let mut chosen = vec![None; self.wanted.entries.len()];
        let mut demands: Vec<Demand<'a>> = Vec::with_capacity(16);
        for (slot, entry) in self.wanted.entries.iter().enumerate() {
            let mut asked = demands.iter().filter(|it| it.dependency == slot);
            if !entry.is_granted() && asked.clone().next().is_none() {
                continue;
            }
            let releases = &self.program(slot).releases;
            let viable = &viable[entry.first..entry.first + releases.len()];
            let suits = |at: &usize| {
                viable[*at] && asked.clone().all(|it| meets(it.written.range.as_ref(), &releases[*at].version))
            };
            match (0..releases.len()).rev().find(suits) {
                Some(at) => {
                    chosen[slot] = Some(at);
                    demands.extend(releases[at].dependencies.iter().map(|written| Demand {
                        dependant: slot,
                        dependency: self.slot_of(written),
                        written,
                    }));
                }
                None if viable.contains(&true) => {
                    let weakest = asked.clone().min_by_key(|it| self.weakness(it.dependant));
                    let weakest = *weakest.expect("without dependants every viable version suits");
                    let others = asked.by_ref().filter(|it| it.dependant != weakest.dependant);
                    let strongest = others.max_by_key(|it| self.weakness(it.dependant));
                    return Err((weakest.dependant, self.clash(weakest, strongest)));
                }
                None => (),
            }
        }
        Ok((chosen, demands))
    }

    fn clash(&self, weakest: Demand<'_>, strongest: Option<&Demand<'_>>) -> Exclusion {
        Exclusion::DependencyClash {
            on: weakest.written.program,
            against: strongest.map(|it| (self.wanted.entries[it.dependant].program, it.written.span)),
            span: weakest.written.span,
        }
    }

    /// Of two programs the one with the lesser key gives way.
    fn weakness(&self, slot: usize) -> (u8, Reverse<u32>) {
        let entry = &self.wanted.entries[slot];
        (entry.strength, Reverse(entry.program.0))
    }

    fn without_conflicts(&self, choice: Choice<'a>) -> Result<Choice<'a>, Fall> {
        let mut first: Option<(usize, usize, Span)> = None;
        for (slot, at) in choice.0.iter().enumerate() {
            let Some(at) = at else { continue };
            for &(other, span) in &self.program(slot).releases[*at].conflicts {
                let other = match self.wanted.slot(other) {
                    Some(other) if other != slot && choice.0[other].is_some() => other,
                    Some(_) | None => continue,
                };
                let pair = self.sorted(slot, other);
                if first.is_none_or(|(low, high, _)| self.names(pair) < self.names((low, high))) {
                    first = Some((pair.0, pair.1, span));
                }
            }
        }
        let Some((low, high, span)) = first else { return Ok(choice) };
        let (falls, stays) = match self.weakness(low) < self.weakness(high) {
            true => (low, high),
            false => (high, low),
        };
        Err((falls, Exclusion::Conflict { with: self.wanted.entries[stays].program, span }))
    }

    fn sorted(&self, one: usize, other: usize) -> (usize, usize) {
        match self.wanted.entries[one].program < self.wanted.entries[other].program {
            true => (one, other),
            false => (other, one),
        }
    }

    /// Ids are in the order of `app_id`s.
    fn names(&self, (low, high): (usize, usize)) -> (u32, u32) {
        (self.wanted.entries[low].program.0, self.wanted.entries[high].program.0)
    }
}

/// Whether a version runs on shells of a level.
pub(super) fn runs_on(release: &Release, level: u32) -> bool {
    release.min_code <= level && release.max_code.is_none_or(|max| level <= max)
}
