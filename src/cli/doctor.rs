//! `tenantry doctor`
#![expect(clippy::disallowed_methods, reason = "this file reads the index of the last compile")]

use std::collections::BTreeSet;
use std::fs;

use serde::Serialize;

use super::args::{DoctorArguments, PlainFormat};
use super::output;
use super::settings::Settings;
use super::{Exit, Failure, in_full};
use crate::doctor::http::Http;
use crate::doctor::{self, Known};
use crate::index::Index;
use crate::input::{Publishers, StoreSpec};
use crate::model::Project;
use crate::publish::state::State;
use crate::store::open::open;
use crate::store::probe::{self, Finding, Outcome};
use crate::store::s3::Login;
use crate::store::{Patience, Store};
use crate::time::Timestamp;

/// Everything that was looked at.
#[derive(Serialize)]
struct Findings {
    /// Whether all of it keeps what is relied on.
    safe: bool,
    stores: Vec<Examined>,
    edges: Vec<Examined>,
}

/// One store or CDN.
#[derive(Serialize)]
struct Examined {
    name: String,
    /// Where it is.
    place: String,
    /// What keeps two publishers apart there, for a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    publishers: Option<Publishers>,
    findings: Vec<Finding>,
    /// Why there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Trouble>,
}

/// Why something could not be asked.
#[derive(Serialize)]
struct Trouble {
    message: String,
    help: Option<String>,
}

impl Trouble {
    fn of(error: &dyn std::error::Error, help: Option<&str>) -> Trouble {
        Trouble { message: in_full(error), help: help.map(str::to_owned) }
    }
}

impl Examined {
    /// Whether something that is relied on does not hold.
    fn is_broken(&self) -> bool {
        self.findings.iter().any(|it| it.is_broken() && !self.accepts(it))
    }

    /// Whether the project says that something else sees to it.
    fn accepts(&self, finding: &Finding) -> bool {
        finding.is_about_publishers() && self.publishers.is_some_and(|it| it != Publishers::Conditional)
    }
}

pub(super) fn run(settings: &Settings, arguments: &DoctorArguments) -> Result<(), Failure> {
    let now = settings.now(None)?;
    let project = settings.project_file()?;
    let specs = chosen(&project, arguments)?;
    let mut known = None;
    let mut stores = Vec::new();
    for spec in &specs {
        output::talk(&format!("asking store `{}`", spec.name));
        let (examined, published) = examine_store(settings, spec, now);
        stores.push(examined);
        known = known.or(published);
    }
    let known = known.or_else(|| compiled(settings, arguments));
    let mut edges = Vec::new();
    for url in urls(&project, &specs, arguments) {
        output::talk(&format!("asking `{url}`"));
        edges.push(examine_edge(&url, known.as_ref(), now));
    }
    if stores.is_empty() && edges.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "there is nothing to ask: no store and no `base_url` in `tenantry.yaml`",
        )
        .help("add a store under `spec.stores`, or name a CDN with `--url`"));
    }
    let all = || stores.iter().chain(&edges);
    let is_broken = all().any(Examined::is_broken);
    let is_silent = all().any(|it| it.error.is_some());
    let findings = Findings { safe: !is_broken && !is_silent, stores, edges };
    match arguments.format {
        PlainFormat::Json => output::json(&findings),
        PlainFormat::Human => output::result(&text(&findings)),
    }
    match (is_broken, is_silent) {
        (true, _) => Err(Failure::Said(Exit::Guard)),
        (false, true) => Err(Failure::Said(Exit::World)),
        (false, false) => Ok(()),
    }
}

fn chosen<'a>(project: &'a Project, arguments: &DoctorArguments) -> Result<Vec<&'a StoreSpec>, Failure> {
    let Some(name) = &arguments.store else { return Ok(project.stores.iter().collect()) };
    match project.stores.iter().find(|it| it.name == *name) {
        Some(spec) => Ok(vec![spec]),
        None => {
            let names: Vec<&str> = project.stores.iter().map(|it| it.name.as_str()).collect();
            let help = match names.is_empty() {
                true => "`tenantry.yaml` names no stores; add one under `spec.stores`".to_owned(),
                false => format!("its stores are `{}`", names.join("`, `")),
            };
            Err(Failure::new(Exit::Usage, format!("there is no store `{name}` in `tenantry.yaml`")).help(help))
        }
    }
}

/// Each CDN once, in the order of the stores.
fn urls(project: &Project, specs: &[&StoreSpec], arguments: &DoctorArguments) -> Vec<String> {
    if let Some(url) = &arguments.url {
        return vec![url.clone()];
    }
    let of_stores = specs.iter().map(|it| it.base_url.as_ref().or(project.base_url.as_ref()));
    let all = of_stores.chain(specs.is_empty().then_some(project.base_url.as_ref()));
    let mut seen = BTreeSet::new();
    all.flatten().filter(|it| seen.insert(it.as_str())).cloned().collect()
}

/// A store, and what it says is published there.
fn examine_store(settings: &Settings, spec: &StoreSpec, now: Timestamp) -> (Examined, Option<Known>) {
    let mut examined = Examined {
        name: spec.name.clone(),
        place: String::new(),
        publishers: Some(spec.publishers),
        findings: Vec::new(),
        error: None,
    };
    let store = match open(spec, &settings.project, &Login::Chain) {
        Ok(store) => store,
        Err(error) => {
            examined.error = Some(Trouble::of(&error, error.help()));
            return (examined, None);
        }
    };
    examined.place = store.describe();
    match probe::examine(store.as_ref(), Patience::NORMAL, now) {
        Ok(report) => examined.findings = report.findings,
        Err(error) => examined.error = Some(Trouble::of(&error, error.help())),
    }
    let known = examined.error.is_none().then(|| published(store.as_ref())).flatten();
    (examined, known)
}

/// What is current in a store. Only a hint of what to ask the CDN for, so nothing here is an error.
fn published(store: &dyn Store) -> Option<Known> {
    let state = State { store, patience: Patience::NORMAL };
    let current = state.head().ok()?.head.current?;
    Known::of(&state.index(current.point()).ok()?)
}

/// What the last compile wrote: published or not, it is the next best guess.
fn compiled(settings: &Settings, arguments: &DoctorArguments) -> Option<Known> {
    let bytes = fs::read(settings.out(arguments.out.as_deref()).join("state/index.json")).ok()?;
    Known::of(&Index::parse(&bytes).ok()?)
}

fn examine_edge(url: &str, known: Option<&Known>, now: Timestamp) -> Examined {
    let (findings, error) = match doctor::examine(&Http::new(url), known, now) {
        Ok(findings) => (findings, None),
        Err(error) => (Vec::new(), Some(Trouble::of(&error, Some("look at the URL, and whether the CDN is up")))),
    };
    Examined { name: "CDN".into(), place: format!("`{url}`"), publishers: None, findings, error }
}

/// For people: what does not hold at length, what holds in a line.
fn text(findings: &Findings) -> String {
    let mut text = String::new();
    let mut broken = 0;
    for examined in findings.stores.iter().chain(&findings.edges) {
        text += &match examined.place.is_empty() {
            true => format!("{}\n", examined.name),
            false => format!("{}: {}\n", examined.name, examined.place.trim_start_matches(&examined.name).trim()),
        };
        for finding in &examined.findings {
            let is_accepted = examined.accepts(finding);
            broken += usize::from(finding.is_broken() && !is_accepted);
            text += &line(finding, is_accepted);
        }
        if let Some(error) = &examined.error {
            text += &format!("  cannot be asked: {}\n", error.message);
            text += &error.help.as_ref().map(|it| format!("    do: {it}\n")).unwrap_or_default();
        }
    }
    let verdict = match (findings.safe, broken) {
        (true, _) => "safe: everything that was tried is as it should be".to_owned(),
        (false, 0) => "nothing is known of what cannot be asked".to_owned(),
        (false, _) => format!("not safe: {}", output::counted(broken, "broken promise")),
    };
    text + &verdict + "\n"
}

fn line(finding: &Finding, is_accepted: bool) -> String {
    let what = finding.promise;
    match &finding.outcome {
        Outcome::Held => format!("  held    {what}\n"),
        Outcome::NotApplicable { why } => format!("  -       {what}\n    not tried: {why}\n"),
        Outcome::Broken { found, .. } if is_accepted => {
            format!(
                "  trusted {what}\n    found: {found}; `publishers` in `tenantry.yaml` says that one publisher runs at a time\n"
            )
        }
        Outcome::Broken { found, consequence, cure } => {
            format!("  BROKEN  {what}\n    found: {found}\n    so:    {consequence}\n    do:    {cure}\n")
        }
        Outcome::Hint { found, consequence, cure } => {
            format!("  hint    {what}\n    found: {found}\n    so:    {consequence}\n    do:    {cure}\n")
        }
    }
}
