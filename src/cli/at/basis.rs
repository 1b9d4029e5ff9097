//! Which commit decides, and for which instant: what a store's records say, or else what git alone can.

use std::path::Path;

use super::super::args::AtArguments;
use super::super::settings::Settings;
use super::super::stores::{self, Opened};
use super::super::{Exit, Failure, output};
use crate::diag;
use crate::index::TenantRecord;
use crate::load::{self, git::history};
use crate::model::Project;
use crate::pipeline::reproduce::instant;
use crate::publish::head::Past;
use crate::publish::log::{self, Entry};
use crate::publish::past::{self, Decider, Remembered};
use crate::publish::state::StateError;
use crate::time::Timestamp;

/// What an answer stands on.
pub(super) struct Basis<'a> {
    pub(super) commit: String,
    /// The instant of the decision.
    pub(super) decided_at: Timestamp,
    /// What a store knows; none where git alone answers.
    pub(super) published: Option<Published<'a>>,
    /// Why git alone answers.
    pub(super) why_git: Option<String>,
}

/// What a store showed.
pub(super) struct Published<'a> {
    pub(super) store: Opened<'a>,
    entry: Entry,
    tenant: String,
    pub(super) shown: Remembered,
    pub(super) decider: Decider,
}

/// Where an answer comes from, as it is shown.
#[derive(serde::Serialize)]
pub(super) struct Shown {
    pub(super) store: String,
    #[serde(flatten)]
    pub(super) entry: Entry,
    /// Until when what it had signed for the tenant held, unless it was signed again; none when that is not known.
    pub(super) signed_until: Option<Timestamp>,
}

impl Published<'_> {
    /// The tenant in the index of the publication that was shown, with its address.
    pub(super) fn record(&self) -> Option<(&str, &TenantRecord)> {
        self.shown.tenant(&self.tenant)
    }

    pub(super) fn shown(&self) -> Shown {
        Shown {
            store: self.store.spec.name.clone(),
            entry: self.entry.clone(),
            signed_until: self.record().map(|(_, it)| it.timestamp.expires),
        }
    }
}

pub(super) fn find<'a>(
    settings: &Settings,
    project: &'a Project,
    arguments: &AtArguments,
    at: Timestamp,
) -> Result<Basis<'a>, Failure> {
    let asked = arguments.store.as_slice();
    let why = match (arguments.git, project.stores.len()) {
        (true, _) => "no store was asked (`--git`)".to_owned(),
        (false, 0) => "the project names no store".to_owned(),
        (false, many) if many > 1 && asked.is_empty() => {
            let names: Vec<&str> = project.stores.iter().map(|it| it.name.as_str()).collect();
            return Err(Failure::new(Exit::Usage, "there are several stores, and each has its own publications").help(
                format!("name one with `--store`: `{}`; or `--git` for what git alone says", names.join("`, `")),
            ));
        }
        (false, _) => {
            let store = stores::open(settings, project, asked)?.pop().expect("one store was asked for");
            let name = store.spec.name.clone();
            match by_store(store, arguments, at) {
                Err(Stop::Unreachable(error)) => {
                    let why = format!("store `{name}` cannot be asked: {}", super::super::in_full(&error));
                    output::warning(&format!("{why}; git alone answers, which does not know what was published"));
                    why
                }
                Err(Stop::Failure(failure)) => return Err(failure.within(&format!("store `{name}`"))),
                Ok(basis) => return Ok(basis),
            }
        }
    };
    let commit = by_git(&settings.project, arguments.rev.as_deref(), at)?;
    Ok(Basis { commit, decided_at: at, published: None, why_git: Some(why) })
}

/// Why a store gives no answer.
enum Stop {
    Unreachable(StateError),
    Failure(Failure),
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Stop {
        match error {
            StateError::Store(_) => Stop::Unreachable(error),
            error => Stop::Failure(error.into()),
        }
    }
}

fn by_store<'a>(store: Opened<'a>, arguments: &AtArguments, at: Timestamp) -> Result<Basis<'a>, Stop> {
    let usage = |message: String| Failure::new(Exit::Usage, message);
    let tools = store.tools(&|_| ());
    let head = tools.state().head()?.head;
    let Some(past) = past::in_force(&head, at) else {
        let first = head.history.first().map(|it| format!("the first publication that it remembers is of {}", it.at));
        let message = format!("it showed nothing at {at}: {}", first.unwrap_or_else(|| "nothing was published".into()));
        return Err(Stop::Failure(usage(message).help("`--git` says what git alone knows of that time")));
    };
    let shown = past::remembered(&tools, past)?;
    let record = shown.tenant(&arguments.tenant);
    if let (Some(index), None) = (&shown.index, record) {
        let message = format!("publication {} had no tenant `{}`", past.publication, arguments.tenant);
        let failure = usage(message);
        let names = index.tenants.values().map(|it| it.name.as_str());
        return Err(Stop::Failure(match diag::nearest(&arguments.tenant, names) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure,
        }));
    }
    let decider = past::decider(&tools, &head, past, record)?;
    let Some(decider) = decider else { return Err(Stop::Failure(undecided(past))) };
    let Remembered { past: compiled, index } = &decider.publication;
    let Some(commit) = compiled.commit.clone() else { return Err(Stop::Failure(undecided(compiled))) };
    let decided_at = index.as_ref().and_then(instant).unwrap_or(compiled.at);
    let entry = log::entries(&head).into_iter().find(|it| it.publication == past.publication);
    let entry = entry.expect("what was in force stands in the history");
    let published = Published { entry, tenant: arguments.tenant.clone(), shown, decider, store };
    Ok(Basis { commit, decided_at, published: Some(published), why_git: None })
}

fn undecided(past: &Past) -> Failure {
    let (number, kind) = (past.publication, past.kind.as_str());
    let message = format!("no commit is known of what publication {number} ({kind}) showed");
    Failure::new(Exit::World, message).help(
        "it was compiled from a working directory, or `tenantry gc` has taken what it went back to; `--git` says what git alone knows",
    )
}

/// The newest commit of a branch at an instant.
fn by_git(root: &Path, revision: Option<&str>, at: Timestamp) -> Result<String, Failure> {
    let branch = match revision {
        Some(revision) => revision.to_owned(),
        None => load::git::default_branch(root)?.unwrap_or_else(|| "HEAD".into()),
    };
    history::newest_at(root, &branch, at)?.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("`{branch}` has no commit that was there at {at}"))
            .help("name another branch with `--rev`; in a shallow clone fetch the whole history first")
    })
}
