//! A plan that was shown, and is carried out as it was shown or not at all.
//!
//! There are two kinds: what `publish --dry-run` said it would do to each store, and what `tenantry plan` showed to
//! whoever reviewed the change.
#![expect(clippy::disallowed_methods, reason = "this file reads a plan")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::{Exit, Failure};
use crate::digest::Blake3;
use crate::index::Index;
use crate::publish::guards::Reviewed;
use crate::publish::head::Override;
use crate::publish::plan::Inputs;
use crate::publish::{Plan, PublishError};

/// Version of the format of both kinds.
const FORMAT: u32 = 1;

/// How much of a commit is shown.
const SHORT: usize = 9;

/// A plan that was shown.
pub(super) enum Shown {
    /// What a dry run said.
    Run(PlanFile<Plan>),
    /// What a review was about.
    Review(Box<Review>),
}

/// What `--dry-run --format json` writes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile<P> {
    format: u32,
    stores: Vec<P>,
}

/// What `tenantry plan` writes, as far as it matters here.
#[derive(Deserialize)]
pub(super) struct Review {
    base: Revision,
    head: Revision,
    guards: Vec<Verdict>,
    tenants: Vec<Tenant>,
}

#[derive(Deserialize)]
struct Revision {
    name: String,
    commit: Option<String>,
    inputs: Blake3,
    #[serde(default)]
    stores: Vec<String>,
}

#[derive(Deserialize)]
struct Verdict {
    guard: String,
    outcome: String,
    number: usize,
    limit: usize,
    message: String,
}

#[derive(Deserialize)]
struct Tenant {
    tenant_id: String,
    loses: bool,
}

/// What is known of a store, to compare a plan with.
pub(super) struct Known<'a> {
    /// What is to be done to it.
    pub(super) plan: &'a Plan,
    /// What it shows; none when it shows nothing, or all this already.
    pub(super) before: Option<&'a Inputs>,
}

impl<'a> PlanFile<&'a Plan> {
    /// What would be done to each store.
    pub(super) fn new(plans: impl Iterator<Item = &'a Plan>) -> PlanFile<&'a Plan> {
        PlanFile { format: FORMAT, stores: plans.collect() }
    }
}

/// Reads a plan of either kind.
pub(super) fn read(path: &Path) -> Result<Shown, Failure> {
    let shown = || -> Result<Shown, String> {
        let bytes = fs::read(path).map_err(|why| why.to_string())?;
        let value: Value = typed(serde_json::from_slice(&bytes))?;
        match value.get("format") {
            Some(it) if it.as_u64() == Some(FORMAT.into()) => {}
            Some(other) => return Err(format!("its format is {other}, not {FORMAT}")),
            None => return Err("it says no format".into()),
        }
        match value.get("head") {
            Some(_) => typed(serde_json::from_value(value)).map(Shown::Review),
            None => typed(serde_json::from_value(value)).map(Shown::Run),
        }
    };
    shown().map_err(|why| {
        Failure::new(Exit::World, format!("cannot read the plan `{}`: {why}", path.display()))
            .help("make one with `tenantry plan --out FILE`, or with `tenantry publish --dry-run --format json`")
    })
}

fn typed<T: DeserializeOwned>(read: Result<T, serde_json::Error>) -> Result<T, String> {
    read.map_err(|why| why.to_string())
}

impl Shown {
    /// What a review says of the guards.
    pub(super) fn reviewed(&self) -> Option<Reviewed> {
        match self {
            Shown::Run(_) => None,
            Shown::Review(review) => Some(review.reviewed()),
        }
    }

    /// Refuses one that was made for something else than what is to be done.
    pub(super) fn guard_fresh(&self, index: &Index, stores: &[Known<'_>]) -> Result<(), Failure> {
        match self {
            Shown::Run(file) => {
                guard_stores(file.stores.iter().map(|it| &*it.store), stores)?;
                for (known, shown) in stores.iter().zip(&file.stores) {
                    known.plan.guard_fresh(shown)?;
                }
                Ok(())
            }
            Shown::Review(review) => review.guard_fresh(index, stores),
        }
    }
}

/// A plan is for some stores, and for no others.
fn guard_stores<'a>(planned: impl Iterator<Item = &'a str>, stores: &[Known<'_>]) -> Result<(), Failure> {
    let planned: Vec<&str> = planned.collect();
    let meant: Vec<&str> = stores.iter().map(|it| it.plan.store.as_str()).collect();
    if planned == meant {
        return Ok(());
    }
    let names = |names: Vec<&str>| names.join("`, `");
    Err(Failure::new(Exit::Usage, format!("the plan is for `{}`, and this run for `{}`", names(planned), names(meant)))
        .help("name the stores of the plan with `--store`"))
}

impl Review {
    fn reviewed(&self) -> Reviewed {
        let losing = self.tenants.iter().filter(|it| it.loses).map(|it| it.tenant_id.clone()).collect::<BTreeSet<_>>();
        let allowed = self.guards.iter().filter(|it| it.outcome == "allowed");
        let overrides = allowed.map(|it| Override { guard: it.guard.clone(), number: it.number, limit: it.limit });
        Reviewed { losing, overrides: overrides.collect() }
    }

    fn guard_fresh(&self, index: &Index, stores: &[Known<'_>]) -> Result<(), Failure> {
        if let Some(it) = self.guards.iter().find(|it| it.outcome == "stopped") {
            return Err(Failure::new(
                Exit::Guard,
                format!("the plan was stopped by guard `{}`: {}", it.guard, it.message),
            )
            .help("make the plan again with what its help says, or change the project"));
        }
        if !self.base.stores.is_empty() {
            guard_stores(self.base.stores.iter().map(String::as_str), stores)?;
        }
        if index.inputs != Some(self.head.inputs) {
            let made = described(&Inputs { commit: index.commit.clone(), digest: index.inputs });
            let message = format!("the plan leads to {}, and the output folder was compiled from {made}", self.head);
            return Err(Failure::new(Exit::Superseded, message)
                .help("compile what was planned, or make the plan again with `tenantry plan --out FILE`"));
        }
        stores.iter().try_for_each(|store| self.guard_base(store))
    }

    /// The store must show where the plan begins, or already what it leads to.
    fn guard_base(&self, store: &Known<'_>) -> Result<(), Failure> {
        let (name, begins) = (store.plan.store.clone(), &self.base);
        if store.plan.is_nothing() {
            return Ok(());
        }
        let Some(before) = store.before else {
            let message = format!("the plan begins at {begins}, and store `{name}` shows nothing yet");
            return Err(Failure::new(Exit::Superseded, message)
                .help("publish for the first time without `--plan`: there is nothing to compare with"));
        };
        let is_there = match (before.digest, &before.commit) {
            (Some(digest), _) => digest == begins.inputs || digest == self.head.inputs,
            (None, Some(commit)) => begins.commit.as_ref() == Some(commit),
            (None, None) => false,
        };
        match is_there {
            true => Ok(()),
            false => {
                let why = format!("it begins at {begins}, and the store shows {}", described(before));
                let help = format!("make the plan again with `tenantry plan --store {name} --out FILE`");
                Err(Failure::from(PublishError::Stale { store: name, why }).help(help))
            }
        }
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (inputs {})", self.name, short(self.inputs))
    }
}

fn described(inputs: &Inputs) -> String {
    let commit = inputs.commit.as_ref().map(|it| format!("commit {}", it.chars().take(SHORT).collect::<String>()));
    let digest = inputs.digest.map(|it| format!("inputs {}", short(it)));
    match (commit, digest) {
        (Some(commit), Some(digest)) => format!("{commit} ({digest})"),
        (Some(it), None) | (None, Some(it)) => it,
        (None, None) => "inputs that nobody wrote down".into(),
    }
}

fn short(digest: Blake3) -> String {
    digest.to_string()[..12].to_owned()
}
