//! `tenantry plan`
#![expect(clippy::disallowed_methods, reason = "this file writes the plan that `--out` keeps")]

pub(super) mod base;

use std::path::Path;

use self::base::Sides;
use super::args::{PlanArguments, PlanFormat};
use super::findings;
use super::output::{self, Place};
use super::settings::Settings;
use super::{Exit, Failure};
use crate::changes::show::{self, Names};
use crate::changes::{ChangeSet, Outcome};
use crate::model::Project;
use crate::pipeline::plan::{Job, PlanError, plan};
use crate::report::{Format, Styled};

/// Bytes of the longest character.
const LONGEST_CHARACTER: usize = 4;

pub(super) fn run(settings: &Settings, arguments: &PlanArguments) -> Result<(), Failure> {
    let now = settings.now(arguments.at.as_deref())?;
    let project = match arguments.store.is_empty() {
        true => Project::default(),
        false => settings.project_file()?,
    };
    let Sides { base, head, names, stores } = base::sides(settings, &project, arguments)?;
    let job = Job { base: &base, head: &head, now, stores: &stores, allowances: &arguments.allow };
    let (set, warnings) = match plan(&job) {
        Ok(planned) => planned,
        Err(PlanError::Base(found)) => {
            findings::say(settings, &base, found, Format::Human, Place::Talk);
            return Err(Failure::new(Exit::Inputs, format!("the base, {}, has errors", names.base))
                .help("a plan compares two sound projects: name another base, or mend that one first"));
        }
        Err(PlanError::Head(found)) => {
            findings::say(settings, &head, found, Format::Human, Place::Talk);
            return Err(Failure::Said(Exit::Inputs));
        }
    };
    if !warnings.is_empty() {
        let count = output::counted(warnings.len(), "warning");
        output::warning(&format!("{count} about the inputs; `tenantry check` shows them"));
    }
    if let Some(path) = &arguments.out {
        keep(path, &set, &names)?;
    }
    print(arguments, &set, &names);
    if arguments.format == PlanFormat::Github {
        output::result(&show::annotations(&set, &head.sources(), &settings.folder_in_repository()));
        findings::summarise(|budget| show::comment(&set, &names, budget / LONGEST_CHARACTER));
    }
    finish(arguments, &set)
}

fn keep(path: &Path, set: &ChangeSet, names: &Names) -> Result<(), Failure> {
    let document = show::document(set, names);
    let text = serde_json::to_string_pretty(&document).expect("a plan has only text keys");
    std::fs::write(path, text + "\n").map_err(|error| {
        Failure::new(Exit::World, format!("cannot write the plan to `{}`: {error}", path.display()))
            .help("name a file in a folder that exists with `--out`")
    })
}

fn print(arguments: &PlanArguments, set: &ChangeSet, names: &Names) {
    match arguments.format {
        PlanFormat::Human => output::result(&show::text(set, names, Styled::Coloured)),
        PlanFormat::Markdown => output::result(&show::comment(set, names, arguments.budget as usize)),
        PlanFormat::Json => output::json(&show::document(set, names)),
        PlanFormat::Html => output::result(&show::page(set, names)),
        // Places need the files, which only the caller has.
        PlanFormat::Github => {}
    }
}

/// A guard that stops a change counts for more than that there is one.
fn finish(arguments: &PlanArguments, set: &ChangeSet) -> Result<(), Failure> {
    for it in set.guards.iter().filter(|it| it.outcome == Outcome::Passed && it.allowed.is_some()) {
        let (guard, number) = (it.guard.slug(), it.number);
        output::warning(&format!("`--allow {guard}=…` was not needed: the guard found {number} and lets that pass"));
    }
    let mut stopped = set.stopped().peekable();
    if stopped.peek().is_some() {
        for it in stopped {
            output::error(&format!("guard `{}`: {}", it.guard.slug(), it.message()), Some(&it.help()));
        }
        return Err(Failure::Said(Exit::Guard));
    }
    match arguments.exit_code && !set.tenants.is_empty() {
        true => Err(Failure::Said(Exit::Changes)),
        false => Ok(()),
    }
}
