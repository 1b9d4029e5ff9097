//! The answer, for people and machines.

use serde::Serialize;

use super::super::audit::Committed;
use super::basis::Shown;
use super::checked::{Check, Outcome};
use crate::explain::ProgramExplanation;
use crate::report::harmless;
use crate::time::Timestamp;

/// What a tenant was entitled to.
#[derive(Serialize)]
pub(super) struct Answer {
    /// By its name at that commit.
    pub(super) tenant: String,
    /// The instant that was asked for.
    pub(super) at: Timestamp,
    /// The publication that was shown then; none where git alone answers.
    pub(super) shown: Option<Shown>,
    /// Why git alone answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why_git: Option<String>,
    /// The instant of the decision.
    pub(super) decided_at: Timestamp,
    /// The publication whose compile decided it.
    pub(super) decided_by: Option<u64>,
    /// Whether digests in the store's indexes prove that.
    pub(super) is_proved: bool,
    /// The commit that decided.
    pub(super) commit: Committed,
    /// The tenant's file.
    pub(super) file: String,
    /// The commit that had last changed that file.
    pub(super) changed: Option<Committed>,
    /// The commit that had brought this to the branch, where it is another.
    pub(super) arrived: Option<Committed>,
    pub(super) mini_programs: Vec<Program>,
    /// What some devices of the tenant had otherwise, by a rollout.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) shares: Vec<Share>,
    /// Comparisons with what the store still holds.
    pub(super) checks: Vec<Check>,
}

/// Some devices of a tenant.
#[derive(Serialize)]
pub(super) struct Share {
    /// The first so many of a hundred.
    pub(super) percent: u32,
    /// What they had otherwise.
    pub(super) mini_programs: Vec<Program>,
}

/// One program.
#[derive(PartialEq, Serialize)]
pub(super) struct Program {
    /// What devices made of its dates.
    pub(super) at_that_instant: Then,
    /// As of the decision.
    #[serde(flatten)]
    pub(super) explanation: ProgramExplanation,
}

/// Whether a program ran at the instant that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Then {
    In,
    NotYet,
    Over,
    Out,
}

impl Answer {
    /// Whether the store holds something else.
    pub(super) fn differs(&self) -> bool {
        self.checks.iter().any(|it| it.outcome == Outcome::Differs)
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.head();
        self.commit.lines("  ", &mut text);
        if let Some(changed) = &self.changed {
            text += &format!("{} was last changed by\n", harmless(&self.file));
            changed.lines("  ", &mut text);
        }
        if let Some(arrived) = &self.arrived {
            text += "which came to the branch by\n";
            arrived.lines("  ", &mut text);
        }
        text += "\n";
        for it in &self.mini_programs {
            text += &it.text(self.at);
        }
        for share in &self.shares {
            text += &format!("the first {} % of its devices had otherwise\n", share.percent);
            share.mini_programs.iter().for_each(|it| text += &it.text(self.at));
        }
        if self.mini_programs.is_empty() {
            text += &format!("tenant `{}` wanted no mini-program\n", self.tenant);
        }
        if !self.checks.is_empty() {
            text += "\n";
        }
        for Check { what, outcome, why } in &self.checks {
            let why = why.as_deref().map_or_else(String::new, |it| format!(": {}", harmless(it)));
            text += &match outcome {
                Outcome::Same => format!("{what} says the same\n"),
                Outcome::Differs => format!("{what} DIFFERS{why}\n"),
                Outcome::NotCompared => format!("{what} was not compared{why}\n"),
            };
        }
        text
    }

    fn head(&self) -> String {
        let (tenant, at) = (&self.tenant, self.at);
        let Some(Shown { store, entry, signed_until }) = &self.shown else {
            let why = self.why_git.as_deref().unwrap_or_default();
            return format!(
                "tenant `{tenant}` at {at}, by git alone: {}\nWhether and when this was published, git does not know. Decided for that very instant, from\n",
                harmless(why)
            );
        };
        let mut text = format!(
            "tenant `{tenant}` at {at}: store `{store}` showed publication {} ({} of {} by {})\n",
            entry.publication,
            entry.kind.as_str(),
            entry.at,
            harmless(&entry.by)
        );
        if let Some(until) = signed_until.filter(|it| *it <= at) {
            text +=
                &format!("what it had signed for the tenant had expired on {until}: devices took no more updates\n");
        }
        let decided = self.decided_by.filter(|it| *it != entry.publication);
        text += &match (decided, self.is_proved) {
            (Some(number), true) => {
                format!("with what publication {number} had decided for {}, from\n", self.decided_at)
            }
            (Some(number), false) => {
                format!(
                    "with, as far as the records go, what publication {number} had decided for {}, from\n",
                    self.decided_at
                )
            }
            (None, _) => format!("decided for {}, from\n", self.decided_at),
        };
        text
    }
}

impl Program {
    fn text(&self, at: Timestamp) -> String {
        let then = match self.at_that_instant {
            Then::In => "[in]     ",
            Then::NotYet => "[not yet]",
            Then::Over => "[over]   ",
            Then::Out => "[out]    ",
        };
        let over = match (self.at_that_instant, &self.explanation.until) {
            (Then::Over, Some(until)) => format!(" (by {at} it had gone, on {})", until.at),
            _ => String::new(),
        };
        format!("{then} {}{over}\n", self.explanation)
    }
}
