//! What no publication may do unnoticed: take mini-programs from more tenants than the budget allows, or lose sight of
//! every tenant of a store. Asked of every publication, whether somebody has looked at a plan or not.

use std::collections::BTreeSet;

use super::PublishError;
use super::head::Override;
use crate::changes::{Allowance, Guard, allowance};
use crate::index::{Index, TenantRecord};
use crate::input::RevocationBudget;
use crate::model::Project;
use crate::time::Timestamp;

/// The guards that are asked.
pub const ASKED: [Guard; 2] = [Guard::Empty, Guard::Revocations];

/// What a guard has found, if it is more than it lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The guard.
    pub guard: Guard,
    /// The store's name.
    pub store: String,
    /// How many it lets through.
    pub limit: usize,
    /// Who is hit, by name and public identifier; sorted, never empty.
    pub tenants: Vec<(String, String)>,
}

/// What somebody has said aloud.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// Exact numbers.
    pub allowances: Vec<Allowance>,
    /// A plan that was looked at.
    pub reviewed: Option<Reviewed>,
}

/// What a plan says of its guards. None of them stopped it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewed {
    /// Public identifiers of all tenants that lose something by it.
    pub losing: BTreeSet<String>,
    /// What was let pass there.
    pub overrides: Vec<Override>,
}

/// One store, before and after.
pub(super) struct Step<'a> {
    /// The store's name.
    pub(super) store: &'a str,
    /// What it shows.
    pub(super) base: &'a Index,
    /// What becomes of a tenant, in this store or another of the project; none when it is gone.
    pub(super) next: &'a dyn Fn(&str) -> Option<&'a TenantRecord>,
    /// How many tenants the store will have.
    pub(super) tenants: usize,
    /// The budget that comes along, where one does.
    pub(super) budget: Option<RevocationBudget>,
    /// The instant of the publication.
    pub(super) now: Timestamp,
}

/// Asks every guard.
pub(super) fn objections(step: &Step<'_>) -> Vec<Objection> {
    let base = step.base;
    let tenants = |found: &mut dyn Iterator<Item = &TenantRecord>| {
        let mut tenants: Vec<_> = found.map(|it| (it.name.clone(), it.tenant_id.clone())).collect();
        tenants.sort_unstable();
        tenants
    };
    let objection = |guard, limit, tenants| Objection { guard, store: step.store.into(), limit, tenants };
    let mut vanished = base.tenants.values().filter(|_| step.tenants == 0);
    let losing = base.tenants.iter().filter(|(addr, it)| it.loses((step.next)(addr), step.now));
    let all = [
        objection(Guard::Empty, 0, tenants(&mut vanished)),
        objection(Guard::Revocations, step.limit(), tenants(&mut losing.map(|(_, it)| it))),
    ];
    all.into_iter().filter(|it| it.tenants.len() > it.limit).collect()
}

impl Step<'_> {
    /// The smaller budget of the two: a publication that relaxes it is judged by what held before.
    fn limit(&self) -> usize {
        let known = [self.base.revocation_budget, self.budget].into_iter().flatten();
        let of = |budget| allowance(budget, self.base.tenants.len());
        known.map(of).min().unwrap_or_else(|| of(Project::default().revocation_budget))
    }
}

impl Consent {
    /// The guards that are let pass, for the record; or the first one that stops.
    pub fn overrides(&self, objections: &[Objection]) -> Result<Vec<Override>, PublishError> {
        let mut overrides = self.reviewed.as_ref().map(|it| it.overrides.clone()).unwrap_or_default();
        for it in objections {
            if !self.covers(it) {
                let said = self.allowances.iter().find(|said| said.guard == it.guard).map(|it| it.number);
                return Err(PublishError::Guard { objection: Box::new(it.clone()), said });
            }
            let found = it.as_override();
            match overrides.iter().any(|it| it.guard == found.guard) {
                true => {}
                false => overrides.push(found),
            }
        }
        Ok(overrides)
    }

    /// Whether somebody has said exactly this, or has seen all of it in a plan.
    fn covers(&self, objection: &Objection) -> bool {
        let is_said = |it: &Allowance| it.guard == objection.guard && it.number == objection.tenants.len();
        let has_seen = |it: &Reviewed| {
            objection.guard == Guard::Revocations && objection.tenants.iter().all(|(_, id)| it.losing.contains(id))
        };
        self.allowances.iter().any(is_said) || self.reviewed.as_ref().is_some_and(has_seen)
    }
}

impl Objection {
    fn as_override(&self) -> Override {
        Override { guard: self.guard.slug().into(), number: self.tenants.len(), limit: self.limit }
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> String {
        let (store, number, limit) = (&self.store, self.tenants.len(), self.limit);
        let count = match number {
            1 => "1 tenant".to_owned(),
            many => format!("{many} tenants"),
        };
        let first = self.tenants.first().map_or("", |(name, _)| name);
        match self.guard {
            Guard::Empty => {
                format!("store `{store}` would have no tenant any more, and has {count}, such as `{first}`")
            }
            _ => format!("{count} of store `{store}` would lose a mini-program, such as `{first}`; up to {limit} may"),
        }
    }

    /// What to do about it, when `said` was said.
    pub fn help(&self, said: Option<usize>) -> String {
        let flag = format!("`--allow {}={}`", self.guard.slug(), self.tenants.len());
        match said {
            Some(said) => format!("{said} was allowed, and the number must be exact: look who is hit, then {flag}"),
            None => format!("look who is hit and why, with a plan or a dry run; to go on all the same, {flag}"),
        }
    }
}
