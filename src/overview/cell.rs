//! One program of one tenant: what it is there, and the reasons, as `explain` has them.
//!
//! Words that only this tenant's file has (its name, its lines, its dates) are taken out of the reasons and kept beside
//! them, so that the reasons of two tenants who bought the same are the same.

use serde::{Serialize, Serializer};

use super::Sign;
use crate::explain::{Decision, ExplainedVersion, Explainer, Fact, ProgramExplanation};
use crate::input::ExpirationStrategy;
use crate::model::{ProgramId, Tenant};
use crate::resolve::{Exclusion, Included, Standing};
use crate::time::Timestamp;

/// What a program is for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It runs.
    On,
    /// It runs, in an older version than there is: a ring, a freeze window, a pin or the like holds the newest back.
    Held,
    /// It runs until the grace of a licence that is over has passed.
    Grace,
    /// It comes later.
    Scheduled,
    /// A compliance profile, or the region that the tenant is bound to, forbids it.
    Denied,
    /// It is wanted, and something else keeps it away.
    Out,
    /// Nothing of the tenant contains it.
    None,
}

impl State {
    /// All states, in the order of the legend.
    pub const ALL: [State; 7] =
        [State::On, State::Held, State::Grace, State::Scheduled, State::Denied, State::Out, State::None];

    /// How it is shown.
    pub fn sign(self) -> Sign {
        let (state, sign, text) = match self {
            State::On => ("on", "●", "runs"),
            State::Held => ("held", "▲", "runs; a newer version is held back"),
            State::Grace => ("grace", "◐", "runs in the grace of a licence that is over"),
            State::Scheduled => ("scheduled", "◷", "comes later"),
            State::Denied => ("denied", "✕", "forbidden by a compliance profile or region"),
            State::Out => ("out", "−", "wanted, but out"),
            State::None => ("none", "○", "not in plan, add-ons or overrides"),
        };
        Sign { state, sign, text }
    }

    /// Whether the tenant has the program now.
    pub fn runs(self) -> bool {
        matches!(self, State::On | State::Held | State::Grace)
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let position = State::ALL.iter().position(|it| it == self).expect("every state is in the list");
        serializer.serialize_u64(position as u64)
    }
}

/// One program of one tenant. `F` is a reason: itself, or its position in a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Cell<F> {
    /// What it is.
    pub state: State,
    /// The newest version that some shell takes.
    pub version: Option<String>,
    /// All of them, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<ExplainedVersion>,
    /// From when, and why not earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<End<F>>,
    /// Until when, and why not longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<End<F>>,
    /// Why it is out: a chain, each link the reason of the one before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<F>,
    /// Who wants it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<F>,
    /// Newer versions that are not used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<Passed<F>>,
    /// What would grant it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<F>,
}

/// An end of a window. The instant may be one of the tenant's own words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct End<F> {
    /// The instant.
    pub at: String,
    /// What sets it.
    pub why: F,
}

/// A version that is not used.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Passed<F> {
    /// Its name.
    pub version: String,
    /// Its code.
    pub code: u32,
    /// Why: a chain.
    pub why: Vec<F>,
}

impl<F> Cell<F> {
    /// The same with other reasons.
    pub(super) fn map<G>(self, of: &mut impl FnMut(F) -> G) -> Cell<G> {
        let mut end = |it: Option<End<F>>| it.map(|it| End { at: it.at, why: of(it.why) });
        let (from, until) = (end(self.from), end(self.until));
        let mut all = |facts: Vec<F>| facts.into_iter().map(&mut *of).collect::<Vec<G>>();
        let (why, because, offers) = (all(self.why), all(self.because), all(self.offers));
        let passed_over = self.passed_over.into_iter();
        let passed_over =
            passed_over.map(|it| Passed { version: it.version, code: it.code, why: all(it.why) }).collect();
        Cell {
            state: self.state,
            version: self.version,
            versions: self.versions,
            from,
            until,
            why,
            because,
            passed_over,
            offers,
        }
    }
}

/// What one tenant has of every program.
#[derive(Debug)]
pub struct Row {
    /// What the tenant wants, sorted by program.
    pub wanted: Vec<(ProgramId, Cell<Fact>)>,
    /// The words that reasons leave out; the first is the line of its plan.
    pub own: Vec<String>,
    /// Its file.
    pub file: String,
    /// Every program as if nothing granted it; only where this was asked for.
    pub backdrop: Option<Vec<Cell<Fact>>>,
}

/// Whether every program is told as if nothing granted it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backdrop {
    /// It is.
    Told,
    /// Another tenant of the same plan tells it.
    Left,
}

/// The row of one tenant.
pub fn row(explainer: &Explainer<'_>, backdrop: Backdrop) -> Row {
    let place = explainer.sources.place(explainer.tenant.plan.1);
    let (file, line) = place.rsplit_once(':').unwrap_or((&place, "1"));
    let mut words = Words { tenant: explainer.tenant, file, own: vec![line.to_owned()] };
    let wanted = explainer.wanted().into_iter().map(|id| {
        let told = explainer.program(id);
        (id, words.cell(state(explainer, id, told.decision), told))
    });
    let wanted = wanted.collect();
    let all =
        (0..explainer.catalog.programs.len()).map(|at| ProgramId(u32::try_from(at).expect("fewer than 2^32 programs")));
    let backdrop = match backdrop {
        Backdrop::Told => Some(all.map(|id| words.cell(State::None, explainer.unwanted(id))).collect()),
        Backdrop::Left => None,
    };
    Row { wanted, own: words.own, file: file.to_owned(), backdrop }
}

/// What a program is for a tenant that wants it.
fn state(explainer: &Explainer<'_>, program: ProgramId, decision: Decision) -> State {
    match explainer.resolution.standing(program) {
        Standing::NotEntitled => State::None,
        Standing::Out(it) => match innermost(&it.why) {
            Exclusion::Compliance(_) | Exclusion::DataRegion { .. } => State::Denied,
            _ => State::Out,
        },
        Standing::In(it) => match decision {
            Decision::Scheduled | Decision::Out => State::Scheduled,
            Decision::In if is_in_grace(explainer.tenant, explainer.now) => State::Grace,
            Decision::In if is_held_back(it) => State::Held,
            Decision::In => State::On,
        },
    }
}

fn is_in_grace(tenant: &Tenant, now: Timestamp) -> bool {
    let ends = tenant.license.as_ref().filter(|it| it.strategy == ExpirationStrategy::Revoke);
    ends.and_then(|it| it.window.until).is_some_and(|until| until <= now)
}

/// Whether this tenant waits for a version that others may have.
fn is_held_back(included: &Included) -> bool {
    included.passed_over.iter().any(|(_, why)| {
        !matches!(
            innermost(why),
            Exclusion::Review { .. } | Exclusion::VersionRevoked { .. } | Exclusion::Channel { .. }
        )
    })
}

fn innermost(why: &Exclusion) -> &Exclusion {
    match why {
        Exclusion::Dependency { why, .. } | Exclusion::DependencyEnded { why, .. } => innermost(why),
        other => other,
    }
}

/// What only one tenant's file has.
struct Words<'a> {
    tenant: &'a Tenant,
    file: &'a str,
    own: Vec<String>,
}

impl Words<'_> {
    fn cell(&mut self, state: State, told: ProgramExplanation) -> Cell<Fact> {
        let mut end = |it: Option<crate::explain::Bound>| {
            it.map(|it| {
                let (at, is_own) = (it.at.to_string(), self.is_own(&it.why));
                let why = self.fact(it.why);
                End { at: if is_own { self.word(&at) } else { at }, why }
            })
        };
        let (from, until) = (end(told.from), end(told.until));
        let mut all = |facts: Vec<Fact>| facts.into_iter().map(|it| self.fact(it)).collect::<Vec<Fact>>();
        let (why, because, offers) = (all(told.why), all(told.because), all(told.offers));
        let passed_over = told.passed_over.into_iter();
        let passed_over =
            passed_over.map(|it| Passed { version: it.version, code: it.code, why: all(it.why) }).collect();
        let version = told.versions.first().map(|it| it.version.clone());
        Cell { state, version, versions: told.versions, from, until, why, because, passed_over, offers }
    }

    fn is_own(&self, fact: &Fact) -> bool {
        fact.place.strip_prefix(self.file).is_some_and(|rest| rest.starts_with(':'))
    }

    /// A reason without this tenant's words.
    fn fact(&mut self, mut fact: Fact) -> Fact {
        let name = format!("tenant `{}`", self.tenant.name);
        fact.text = fact.text.replace(&name, "tenant `{{tenant}}`");
        if self.is_own(&fact) {
            let line = fact.place[self.file.len() + 1..].to_owned();
            fact.place = format!("{{{{file}}}}:{}", self.word(&line));
            fact.text = self.without_dates(&fact.text);
        }
        fact
    }

    /// Instants of the tenant's file, which no other tenant need have.
    fn without_dates(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('T') {
            let (begin, end) = (at.saturating_sub("2026-01-01".len()), at + "T00:00:00Z".len());
            let instant = rest.get(begin..end).filter(|it| Timestamp::parse(it).is_ok());
            match instant {
                Some(instant) => {
                    out += &rest[..begin];
                    out += &self.word(instant);
                    rest = &rest[end..];
                }
                None => {
                    out += &rest[..=at];
                    rest = &rest[at + 1..];
                }
            }
        }
        out + rest
    }

    /// The name of one of the tenant's own words.
    fn word(&mut self, text: &str) -> String {
        let known = self.own.iter().position(|it| it == text);
        let at = known.unwrap_or_else(|| {
            self.own.push(text.to_owned());
            self.own.len() - 1
        });
        format!("{{{{{at}}}}}")
    }
}
