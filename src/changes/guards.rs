//! What must not go on without somebody saying the number aloud: mass revocation, deletion without a tombstone,
//! shells left with nothing, tenants that choose their own rules.

use crate::changes::kind::Kind;
use crate::changes::{ChangeSet, TenantChanges};
use crate::index::SOON;
use crate::input::{RevocationBudget, TenantStatus};
use crate::time::Timestamp;

macro_rules! guards {
    ($($name:ident = $slug:literal, $meaning:literal;)*) => {
        /// What is watched over.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Guard {
            $(#[doc = $meaning] $name,)*
        }

        impl Guard {
            /// Every guard, in the order of docs/plan.md.
            pub const ALL: &'static [Guard] = &[$(Guard::$name),*];

            /// Its stable name, as `--allow` takes it.
            pub fn slug(self) -> &'static str {
                match self { $(Guard::$name => $slug,)* }
            }

            /// What it stops, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Guard::$name => $meaning,)* }
            }
        }
    };
}

guards! {
    Empty = "empty", "A catalogue without mini-programs, or a project without tenants.";
    Revocations = "revocations", "A change that takes mini-programs from more tenants than the budget allows.";
    Deletions = "deletions", "A tenant's document that is deleted and was not `status: inactive` before.";
    Stranded = "stranded", "A served tenant that has nothing left to run on some shell level in the field.";
    OwnTerms = "own_terms", "A tenant's own document that changes its compliance profile or its data region.";
    Budget = "budget", "A change that relaxes the revocation budget and takes mini-programs away as well.";
}

/// The number that somebody allows for one guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// For which guard.
    pub guard: Guard,
    /// Exactly how many.
    pub number: usize,
}

/// What a guard says of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The guard.
    pub guard: Guard,
    /// How many tenants it found.
    pub number: usize,
    /// How many it lets through.
    pub limit: usize,
    /// What follows.
    pub outcome: Outcome,
    /// The number that somebody allowed, right or wrong.
    pub allowed: Option<usize>,
    /// Names of the tenants that it found, sorted.
    pub tenants: Vec<Box<str>>,
}

/// What follows from a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to object.
    Passed,
    /// Somebody allowed exactly what it found.
    Allowed,
    /// The change must not go on.
    Stopped,
}

/// What guards look at.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The budget of base and head.
    pub budgets: [RevocationBudget; 2],
    /// How many tenants base and head have.
    pub tenants: [usize; 2],
    /// How many mini-programs the head has.
    pub programs: usize,
    /// The instant of the decisions.
    pub now: Timestamp,
    /// What differs.
    pub changes: &'a [TenantChanges],
}

/// Every guard's verdict, in the order of [`Guard::ALL`].
pub fn judge(evidence: &Evidence<'_>, allowances: &[Allowance]) -> Vec<Verdict> {
    Guard::ALL.iter().map(|guard| evidence.verdict(*guard, allowances)).collect()
}

impl Evidence<'_> {
    fn verdict(&self, guard: Guard, allowances: &[Allowance]) -> Verdict {
        let tenants = self.found(guard);
        let (number, limit) = (tenants.len(), self.limit(guard));
        let allowed = allowances.iter().find(|it| it.guard == guard).map(|it| it.number);
        let objects = match guard {
            Guard::Empty => self.is_empty(),
            _ => number > limit,
        };
        let outcome = match (objects, allowed) {
            (false, _) => Outcome::Passed,
            // Nothing can be compiled from nothing, so there is nothing to allow.
            (true, Some(allowed)) if allowed == number && guard != Guard::Empty => Outcome::Allowed,
            (true, Some(_) | None) => Outcome::Stopped,
        };
        Verdict { guard, number, limit, outcome, allowed, tenants }
    }

    fn is_empty(&self) -> bool {
        self.programs == 0 || self.tenants[1] == 0
    }

    fn limit(&self, guard: Guard) -> usize {
        match guard {
            // A change that relaxes the budget is judged by the budget that was there before.
            Guard::Revocations => self.budgets.iter().map(|it| allowance(*it, self.tenants[0])).min().unwrap_or(0),
            Guard::Empty | Guard::Deletions | Guard::Stranded | Guard::OwnTerms | Guard::Budget => 0,
        }
    }

    fn found(&self, guard: Guard) -> Vec<Box<str>> {
        let is_relaxed = {
            let [base, head] = self.budgets;
            self.tenants[0] > 0 && (head.percent > base.percent || head.at_least > base.at_least)
        };
        let is_found = |it: &&TenantChanges| match guard {
            Guard::Empty => false,
            Guard::Revocations => it.loses(self.now),
            Guard::Deletions => it.is_deleted(),
            Guard::Stranded => !it.stranded.is_empty(),
            Guard::OwnTerms => {
                it.changes.iter().any(|it| matches!(it.kind, Kind::ComplianceProfile | Kind::DataRegion))
            }
            Guard::Budget => is_relaxed && it.loses(self.now),
        };
        self.changes.iter().filter(is_found).map(|it| it.name.clone()).collect()
    }
}

/// How many tenants a budget lets lose something: the larger of a share of all, rounded down, and a number.
pub fn allowance(budget: RevocationBudget, tenants: usize) -> usize {
    let share = tenants.saturating_mul(budget.percent as usize) / 100;
    share.max(budget.at_least as usize)
}

impl TenantChanges {
    /// Whether the change takes a mini-program from it: now, on some of its shells, or so soon that it comes to the same.
    pub fn loses(&self, now: Timestamp) -> bool {
        self.changes.iter().any(|it| match it.kind {
            Kind::Lose | Kind::Postponed | Kind::ShellsLost => true,
            Kind::EndsEarlier => {
                let end = it.to.as_deref().and_then(|it| Timestamp::parse(it).ok());
                end.is_some_and(|end| end <= now.plus(SOON))
            }
            _ => false,
        })
    }

    /// Whether its document is gone and no tombstone stood there.
    fn is_deleted(&self) -> bool {
        let is_gone = self.changes.iter().any(|it| it.kind == Kind::TenantRemoved);
        is_gone && self.was != Some(TenantStatus::Inactive)
    }
}

impl ChangeSet {
    /// The guards that stop the change.
    pub fn stopped(&self) -> impl Iterator<Item = &Verdict> {
        self.guards.iter().filter(|it| it.outcome == Outcome::Stopped)
    }
}

impl Verdict {
    /// What it found, in one sentence.
    pub fn message(&self) -> String {
        let (number, limit) = (self.number, self.limit);
        let tenants = match number {
            1 => "1 tenant".to_owned(),
            many => format!("{many} tenants"),
        };
        match (self.guard, number) {
            (Guard::Empty, _) if self.outcome == Outcome::Passed => "there are tenants and mini-programs".to_owned(),
            (Guard::Empty, _) => "there is no tenant, or no mini-program, in what would be published".to_owned(),
            (Guard::Revocations, 0) => format!("no tenant loses a mini-program; up to {limit} may"),
            (Guard::Revocations, _) => format!("{tenants} would lose a mini-program; up to {limit} may"),
            (Guard::Deletions, 0) => "no tenant is deleted without a tombstone".to_owned(),
            (Guard::Deletions, 1) => {
                format!("the document of {tenants} is deleted, and it was not `inactive` before")
            }
            (Guard::Deletions, _) => {
                format!("the documents of {tenants} are deleted, and they were not `inactive` before")
            }
            (Guard::Stranded, 0) => "no shell level is left with nothing to run".to_owned(),
            (Guard::Stranded, _) => format!("{tenants} would have shells with nothing left to run"),
            (Guard::OwnTerms, 0) => "no tenant changes its own compliance profile or region".to_owned(),
            (Guard::OwnTerms, 1) => format!("the document of {tenants} changes its own compliance profile or region"),
            (Guard::OwnTerms, _) => {
                format!("the documents of {tenants} change their own compliance profile or region")
            }
            (Guard::Budget, 0) => "the budget is not relaxed by a change that uses it".to_owned(),
            (Guard::Budget, _) => format!("the revocation budget is relaxed, and {tenants} would lose a mini-program"),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        if self.guard == Guard::Empty {
            return "it cannot be allowed, since nothing could be compiled; `tenantry init` makes a new project".into();
        }
        let flag = format!("`--allow {}={}`", self.guard.slug(), self.number);
        let instead = match self.guard {
            Guard::Deletions => "keep the file and set `status: inactive`",
            Guard::Budget => "relax the budget in a change of its own",
            Guard::OwnTerms => "have whoever answers for compliance look at it",
            Guard::Empty | Guard::Revocations | Guard::Stranded => "look at the losses",
        };
        match self.allowed {
            Some(allowed) => format!("{allowed} was allowed, and the number must be exact: {instead}, or {flag}"),
            None => format!("{instead}; to go on all the same, {flag}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RevocationBudget, allowance};

    #[test]
    fn the_budget_is_a_share_or_a_number_whichever_is_more() {
        let of = |percent, at_least, tenants| allowance(RevocationBudget { percent, at_least }, tenants);
        assert_eq!([of(1, 5, 39), of(1, 5, 10_000), of(1, 5, 599), of(0, 0, 10_000), of(100, 0, 7)], [5, 100, 5, 0, 7]);
    }
}
