//! Says in sentences what the `resolve` stage decided, and where each reason was written. Decides nothing itself.

mod words;

use std::fmt;

use serde::Serialize;

use crate::input::SalesStatus;
use crate::model::{Catalog, Grant, PlanId, ProgramId, Release, Tenant};
use crate::resolve::{Excluded, Included, Resolution, Standing};
use crate::text::SourceMap;
use crate::time::Timestamp;

/// What it takes to explain one tenant's line-up.
#[derive(Debug, Clone, Copy)]
pub struct Explainer<'a> {
    /// The catalogue that the line-up was decided from.
    pub catalog: &'a Catalog,
    /// The tenant.
    pub tenant: &'a Tenant,
    /// What was decided.
    pub resolution: &'a Resolution,
    /// The files that reasons point into.
    pub sources: &'a SourceMap,
    /// The instant of the decision.
    pub now: Timestamp,
}

/// One tenant's line-up, explained. Prints as one paragraph of sentences for each program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The tenant's name in the project.
    pub tenant: String,
    /// The instant of the decision.
    pub at: Timestamp,
    /// The programs that the tenant wants, sorted by `app_id`.
    pub mini_programs: Vec<ProgramExplanation>,
}

/// Why one program is in or out. Prints as one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProgramExplanation {
    /// The program.
    pub app_id: String,
    /// Whether it is there.
    pub decision: Decision,
    /// Which versions, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<ExplainedVersion>,
    /// From when, and why not earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Bound>,
    /// Until when, and why not longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Bound>,
    /// Why it is out: a chain, each link the reason of the one before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<Fact>,
    /// Who wants it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Fact>,
    /// Newer versions that are not used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOver>,
    /// What would grant it to a tenant that does not have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Fact>,
}

/// Whether a program is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is.
    In,
    /// It will be.
    Scheduled,
    /// It is not.
    Out,
}

/// A version and the shells that take it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ExplainedVersion {
    /// Its name.
    pub version: String,
    /// Its code.
    pub code: u32,
    /// Lowest level of the shells that take it.
    pub min_code: u32,
    /// Highest level, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_code: Option<u32>,
    /// Whether all shells of the tenant take it.
    pub everywhere: bool,
}

/// An end of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// The instant.
    pub at: Timestamp,
    /// What sets it.
    pub why: Fact,
}

/// A version that is not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Its name.
    pub version: String,
    /// Its code.
    pub code: u32,
    /// Why: a chain, each link the reason of the one before.
    pub why: Vec<Fact>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Fact {
    /// Its name, as in docs/decisions.md.
    pub reason: &'static str,
    /// It in words.
    pub text: String,
    /// Where it was written, as `path:line`.
    pub place: String,
}

impl Explainer<'_> {
    /// Explains every program that the tenant wants.
    pub fn tenant(&self) -> Explanation {
        Explanation {
            tenant: self.tenant.name.to_string(),
            at: self.now,
            mini_programs: self.wanted().into_iter().map(|it| self.program(it)).collect(),
        }
    }

    /// The programs that the tenant wants, sorted by `app_id`.
    pub fn wanted(&self) -> Vec<ProgramId> {
        let included = self.resolution.included.iter().map(|it| it.program);
        let mut programs: Vec<ProgramId> =
            included.chain(self.resolution.excluded.iter().map(|it| it.program)).collect();
        programs.sort_unstable();
        programs
    }

    /// Explains one program of the catalogue, wanted or not.
    pub fn program(&self, program: ProgramId) -> ProgramExplanation {
        match self.resolution.standing(program) {
            Standing::In(it) => self.included(it),
            Standing::Out(it) => self.excluded(it),
            Standing::NotEntitled => self.unwanted(program),
        }
    }

    fn included(&self, included: &Included) -> ProgramExplanation {
        let program = self.catalog.program(included.program);
        let version = |release: &Release| release.version.to_string();
        let levels = self.tenant.levels(self.catalog);
        let versions = included.releases.iter().map(|it| {
            let (release, platform) = (it.of(self.catalog, included.program), it.platform);
            let takes = |level: &u32| platform.min_code <= *level && platform.max_code.is_none_or(|max| *level <= max);
            ExplainedVersion {
                version: version(release),
                code: release.code,
                min_code: platform.min_code,
                max_code: platform.max_code,
                everywhere: levels.iter().all(takes),
            }
        });
        let passed_over = included.passed_over.iter().map(|(at, why)| {
            let release = &program.releases[*at];
            let why = self.chain(included.program, Some(release), why);
            PassedOver { version: version(release), code: release.code, why }
        });
        ProgramExplanation {
            decision: match included.window.contains(self.now) {
                true => Decision::In,
                false => Decision::Scheduled,
            },
            versions: versions.collect(),
            from: included.window.from.map(|at| Bound { at, why: self.begin(included, at) }),
            until: included.window.until.map(|at| Bound { at, why: self.end(included, at) }),
            because: included.because().iter().map(|it| self.reason(it)).collect(),
            passed_over: passed_over.collect(),
            ..self.blank(included.program)
        }
    }

    fn excluded(&self, excluded: &Excluded) -> ProgramExplanation {
        let release = &self.catalog.program(excluded.program).releases[excluded.release];
        ProgramExplanation {
            why: self.chain(excluded.program, Some(release), &excluded.why),
            because: excluded.because.iter().map(|it| self.reason(it)).collect(),
            ..self.blank(excluded.program)
        }
    }

    /// Explains one program as if nothing of the tenant contained it.
    pub fn unwanted(&self, program: ProgramId) -> ProgramExplanation {
        ProgramExplanation { why: vec![self.nothing_wants_it()], offers: self.offers(program), ..self.blank(program) }
    }

    fn blank(&self, program: ProgramId) -> ProgramExplanation {
        ProgramExplanation {
            app_id: self.catalog.program(program).app_id.to_string(),
            decision: Decision::Out,
            versions: Vec::new(),
            from: None,
            until: None,
            why: Vec::new(),
            because: Vec::new(),
            passed_over: Vec::new(),
            offers: Vec::new(),
        }
    }

    /// Add-ons on sale that fit the tenant's plan, and plans on sale, that contain the program.
    fn offers(&self, program: ProgramId) -> Vec<Fact> {
        let names = |grants: &[Grant]| grants.iter().find(|it| it.program == program).map(|it| it.span);
        let fits = |plans: &[PlanId]| {
            let chain = std::iter::successors(Some(self.tenant.plan.0), |id| self.catalog.plans[id.at()].extends);
            plans.is_empty() || chain.into_iter().any(|it| plans.contains(&it))
        };
        let add_ons = self.catalog.add_ons.iter().filter(|it| it.status == SalesStatus::Active);
        let add_ons = add_ons.filter(|it| fits(&it.requires_plans)).filter_map(|it| {
            let span = names(&it.grants)?;
            Some(self.fact("offer", format!("add-on `{}` would give it", it.name), span))
        });
        let plans = self.catalog.plans.iter().enumerate().filter(|(_, it)| it.status == SalesStatus::Active);
        let plans = plans.filter_map(|(at, it)| {
            let id = PlanId(u32::try_from(at).expect("fewer than 2^32 plans"));
            let span = self.catalog.plan_chain(id).find_map(|it| names(&it.grants))?;
            Some(self.fact("offer", format!("plan `{}` would give it", it.name), span))
        });
        add_ons.chain(plans).collect()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for it in &self.mini_programs {
            writeln!(f, "{it}")?;
        }
        match self.mini_programs.is_empty() {
            true => writeln!(f, "tenant `{}` wants no mini-program", self.tenant),
            false => Ok(()),
        }
    }
}

impl fmt::Display for ProgramExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.app_id)?;
        let (only, several) = match &self.versions[..] {
            [only] => (Some(only), &[][..]),
            several => (None, several),
        };
        if let Some(only) = only {
            write!(f, " {}", only.version)?;
        }
        match (self.decision, &self.from) {
            (Decision::In, _) => write!(f, " is in: {}", joined(&self.because, "; "))?,
            (Decision::Scheduled, Some(from)) => {
                write!(f, " comes on {}: {}; {}", from.at, from.why, joined(&self.because, "; "))?;
            }
            (Decision::Scheduled, None) => write!(f, " comes later: {}", joined(&self.because, "; "))?,
            (Decision::Out, _) => {
                let facts = self.because.iter().chain(&self.offers).map(|it| format!("; {it}"));
                write!(f, " is out: {}{}", joined(&self.why, ", and "), facts.collect::<String>())?;
            }
        }
        match only {
            Some(only) if !only.everywhere => write!(f, ", on {}", shells(only))?,
            Some(_) | None => (),
        }
        for it in several {
            write!(f, "; {} on {}", it.version, shells(it))?;
        }
        if let Some(until) = &self.until {
            write!(f, "; it goes on {}: {}", until.at, until.why)?;
        }
        for it in &self.passed_over {
            write!(f, "; {} is passed over: {}", it.version, joined(&it.why, ", and "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.place)
    }
}

fn joined(facts: &[Fact], separator: &str) -> String {
    facts.iter().map(Fact::to_string).collect::<Vec<_>>().join(separator)
}

fn shells(version: &ExplainedVersion) -> String {
    match version.max_code {
        None => format!("shells {} and up", version.min_code),
        Some(max) if max == version.min_code => format!("shells {max}"),
        Some(max) => format!("shells {} to {max}", version.min_code),
    }
}
