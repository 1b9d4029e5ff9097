//! `tenantry at`

mod basis;
mod checked;
mod show;

use self::basis::{Basis, Published};
use self::show::{Answer, Program, Share};
use super::args::{AtArguments, PlainFormat};
use super::audit::{Committed, whose};
use super::findings;
use super::output::{self, Place};
use super::settings::Settings;
use super::{Exit, Failure};
use crate::diag;
use crate::explain::Explainer;
use crate::load::{self, LoadError, SourceTree, git::history};
use crate::model::{Catalog, ProgramId};
use crate::pipeline::reproduce::Decision;
use crate::report::Format;
use crate::resolve::{Resolution, Standing};
use crate::time::{Timestamp, Window};

pub(super) fn run(settings: &Settings, arguments: &AtArguments) -> Result<(), Failure> {
    let at = Timestamp::parse(&arguments.instant)
        .map_err(|why| Failure::new(Exit::Usage, format!("`{}` is no instant: {why}", arguments.instant)))?;
    let project = match arguments.git {
        true => crate::model::Project::default(),
        false => settings.project_file()?,
    };
    let basis = basis::find(settings, &project, arguments, at)?;
    let tree = read(settings, &basis)?;
    let decision = Decision::new(tree, basis.decided_at).map_err(|(tree, found)| {
        findings::say(settings, &tree, found, Format::Short, Place::Talk);
        let message = format!("the project had errors at commit {}, so no decision of it can be trusted", basis.commit);
        Failure::new(Exit::Inputs, message)
    })?;
    let position = position(&decision, arguments, &basis)?;
    let answer = answer(settings, arguments, at, &basis, &decision, position)?;
    match arguments.format {
        PlainFormat::Human => output::result(&answer.text()),
        PlainFormat::Json => output::json(&answer),
    }
    match answer.differs() {
        true => Err(Failure::new(Exit::Refused, "what the store holds is not what this commit gives")
            .help("`tenantry verify --reproduce` compares the whole publication")),
        false => Ok(()),
    }
}

fn read(settings: &Settings, basis: &Basis<'_>) -> Result<SourceTree, Failure> {
    load::git::read(&settings.project, &basis.commit).map_err(|error| match error {
        LoadError::NoSuchRevision { revision } => {
            Failure::new(Exit::World, format!("commit {revision}, which was published, is not in this repository"))
                .help("fetch it: `git fetch --unshallow` in a shallow clone, `fetch-depth: 0` in a workflow")
        }
        error => error.into(),
    })
}

/// Where the tenant stands in the project of that commit. The store knows it by what never changes.
fn position(decision: &Decision, arguments: &AtArguments, basis: &Basis<'_>) -> Result<usize, Failure> {
    let tenants = &decision.checked.tenants;
    let found = match basis.published.as_ref().and_then(Published::record) {
        Some((_, record)) => decision.find(&record.tenant_id),
        None => tenants.iter().position(|it| *it.tenant.name == *arguments.tenant),
    };
    found.ok_or_else(|| {
        let message = format!("there was no tenant `{}` at commit {}", arguments.tenant, basis.commit);
        let failure = Failure::new(Exit::Usage, message);
        match diag::nearest(&arguments.tenant, tenants.iter().map(|it| &*it.tenant.name)) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure,
        }
    })
}

fn answer(
    settings: &Settings,
    arguments: &AtArguments,
    at: Timestamp,
    basis: &Basis<'_>,
    decision: &Decision,
    position: usize,
) -> Result<Answer, Failure> {
    let tenant = &decision.checked.tenants[position];
    let path = decision.tree.files[tenant.file.0 as usize].path.to_string();
    let change = |found: Result<Option<String>, LoadError>| -> Result<Option<Committed>, Failure> {
        Ok(found?.map(|id| whose(settings, &id)))
    };
    let changed = change(history::last_change(&settings.project, &basis.commit, &path))?;
    let arrived = change(history::last_arrival(&settings.project, &basis.commit, &path))?;
    let asked = asked(arguments, &decision.checked.catalog)?;
    let resolution = &decision.decided[position].resolution;
    let mini_programs = programs(asked, at, decision, position, resolution);
    let shares = resolution.cohorts.iter().map(|it| {
        let theirs = programs(asked, at, decision, position, &it.line_up).into_iter();
        Share { percent: it.percent, mini_programs: theirs.filter(|it| !mini_programs.contains(it)).collect() }
    });
    let shares = shares.filter(|it| !it.mini_programs.is_empty()).collect();
    Ok(Answer {
        tenant: tenant.tenant.name.to_string(),
        at,
        shown: basis.published.as_ref().map(Published::shown),
        why_git: basis.why_git.clone(),
        decided_at: decision.now,
        decided_by: basis.published.as_ref().map(|it| it.decider.publication.past.publication),
        is_proved: basis.published.as_ref().is_some_and(|it| it.decider.is_proved),
        commit: whose(settings, &basis.commit),
        file: path,
        arrived: arrived.filter(|it| Some(it.id()) != changed.as_ref().map(Committed::id)),
        changed,
        mini_programs,
        shares,
        checks: match &basis.published {
            Some(published) => checked::check(published, decision, position)?,
            None => Vec::new(),
        },
    })
}

/// The programs that are asked for, by their places in the catalogue; none stands for all that the tenant wanted.
fn asked(arguments: &AtArguments, catalog: &Catalog) -> Result<Option<ProgramId>, Failure> {
    let Some(app_id) = &arguments.app_id else { return Ok(None) };
    let found = catalog.find_program(app_id).ok_or_else(|| {
        let message = format!("there was no mini-program `{app_id}` in the catalogue of that commit");
        let failure = Failure::new(Exit::Usage, message);
        match diag::nearest(app_id, catalog.programs.iter().map(|it| &*it.app_id)) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure,
        }
    });
    found.map(Some)
}

/// A line-up as it was decided, with what the clock had made of it by then.
fn programs(
    asked: Option<ProgramId>,
    at: Timestamp,
    decision: &Decision,
    position: usize,
    resolution: &Resolution,
) -> Vec<Program> {
    let catalog = &decision.checked.catalog;
    let sources = decision.tree.sources();
    let tenant = &decision.checked.tenants[position].tenant;
    let explainer = Explainer { catalog, tenant, resolution, sources: &sources, now: decision.now };
    let explained = match asked {
        None => explainer.tenant().mini_programs,
        Some(program) => vec![explainer.program(program)],
    };
    let programs = explained.into_iter().map(|explanation| {
        let program = catalog.find_program(&explanation.app_id);
        let window = program.and_then(|it| match resolution.standing(it) {
            Standing::In(included) => Some(included.window),
            Standing::Out(_) | Standing::NotEntitled => None,
        });
        Program { at_that_instant: then(window, at), explanation }
    });
    programs.collect()
}

/// Whether a program ran. Windows stand in the manifest, and devices go by them without being told anything.
fn then(window: Option<Window>, at: Timestamp) -> show::Then {
    match window {
        None => show::Then::Out,
        Some(window) if window.contains(at) => show::Then::In,
        Some(Window { from: Some(from), .. }) if at < from => show::Then::NotYet,
        Some(_) => show::Then::Over,
    }
}
