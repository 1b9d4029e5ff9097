//! The reasons of a change in words, taken from one tenant that it happens to. The words are those of `explain`.

use crate::changes::kind::{Cause, Kind};
use crate::changes::{Change, Of};
use crate::explain::{Explainer, Fact, ProgramExplanation};

/// Most facts that are told of one side.
const MOST: usize = 4;

/// One reason of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whose reason.
    pub of: Of,
    /// The reason.
    pub fact: Fact,
}

/// A tenant in which the two sides can be asked why.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'a> {
    /// As it was.
    pub base: Option<Explainer<'a>>,
    /// As it is.
    pub head: Option<Explainer<'a>>,
}

impl Witness<'_> {
    /// Why something changes: never empty, unless the side whose reason it is has no such tenant.
    pub fn tell(&self, change: &Change) -> Vec<Told> {
        let program = |of: Of| self.program(of, change.program.as_deref()?);
        let base = |facts: &dyn Fn(ProgramExplanation) -> Vec<Fact>| told(Of::Base, program(Of::Base).map(facts));
        let head = |facts: &dyn Fn(ProgramExplanation) -> Vec<Fact>| told(Of::Head, program(Of::Head).map(facts));
        let mut found = match change.kind {
            Kind::Lose if change.why.cause == Cause::TenantRemoved => Vec::new(),
            // What gave it until now is where something was edited.
            Kind::Lose if change.why.cause == Cause::NotEntitled => {
                [base(&|it| it.because), head(&|it| it.why)].concat()
            }
            Kind::Lose => [head(&|it| it.why), base(&|it| it.because)].concat(),
            // Its time has come: what it has waited for comes before who wants it.
            Kind::Gain if change.why.of == Of::Head && !change.why.cause.is_want() => {
                let waited = program(Of::Base).and_then(|it| it.from).map(|it| vec![it.why]);
                [told(Of::Head, waited), head(&|it| it.because)].concat()
            }
            Kind::Gain => {
                // What kept it out counts when it was granted already.
                let kept_out = base(&|it| if it.because.is_empty() { Vec::new() } else { it.why });
                [head(&|it| it.because), kept_out].concat()
            }
            Kind::Update => base(&|it| passed_over(it, change.to.as_deref())),
            Kind::HeldBack => head(&|it| passed_over(it, change.to.as_deref())),
            Kind::Downgrade => head(&|it| passed_over(it, change.from.as_deref())),
            _ => Vec::new(),
        };
        if found.is_empty() {
            found.extend(self.at_its_place(change));
        }
        found
    }

    fn explainer(&self, of: Of) -> Option<&Explainer<'_>> {
        match of {
            Of::Base => self.base.as_ref(),
            Of::Head => self.head.as_ref(),
        }
    }

    fn program(&self, of: Of, app_id: &str) -> Option<ProgramExplanation> {
        let explainer = self.explainer(of)?;
        Some(explainer.program(explainer.catalog.find_program(app_id)?))
    }

    /// The cause as docs/plan.md has it, and where it stands.
    fn at_its_place(&self, change: &Change) -> Option<Told> {
        let sources = self.explainer(change.why.of)?.sources;
        let meaning = change.why.cause.meaning().trim_end_matches('.');
        let (first, rest) = meaning.split_at(1);
        let text = first.to_lowercase() + rest;
        let fact = Fact { reason: change.why.cause.slug(), text, place: sources.place(change.why.span) };
        Some(Told { of: change.why.of, fact })
    }
}

fn told(of: Of, facts: Option<Vec<Fact>>) -> Vec<Told> {
    facts.into_iter().flatten().take(MOST).map(|fact| Told { of, fact }).collect()
}

fn passed_over(it: ProgramExplanation, version: Option<&str>) -> Vec<Fact> {
    let mut all = it.passed_over.into_iter();
    all.find(|it| Some(&*it.version) == version).map(|it| it.why).unwrap_or_default()
}
