//! `tenantry plan`
#![expect(clippy::disallowed_methods, reason = "this file writes the plan that `--out` keeps")]

use std::path::Path;

use super::args::{PlanArguments, PlanFormat};
use super::findings;
use super::output::{self, Place};
use super::settings::Settings;
use super::{Exit, Failure};
use crate::changes::show::{self, Names};
use crate::changes::{ChangeSet, Outcome};
use crate::load::{self, SourceTree};
use crate::pipeline::plan::{Job, PlanError, plan};
use crate::report::{Format, Styled};

/// Bytes of the longest character.
const LONGEST_CHARACTER: usize = 4;

/// How much of a commit is shown.
const SHORT: usize = 9;

pub(super) fn run(settings: &Settings, arguments: &PlanArguments) -> Result<(), Failure> {
    let now = settings.now(arguments.at.as_deref())?;
    let Sides { base, head, names } = sides(settings, arguments.range.as_deref())?;
    let job = Job { base: &base, head: &head, now, allowances: &arguments.allow };
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

/// The two projects, and what people call them.
struct Sides {
    base: SourceTree,
    head: SourceTree,
    names: Names,
}

fn sides(settings: &Settings, range: Option<&str>) -> Result<Sides, Failure> {
    let root = &settings.project;
    let is_range = |it: &&str| it.contains("..");
    let (base, head) = match (range, range.filter(is_range)) {
        (_, Some(range)) => two(root, range)?,
        (Some(base), None) => (Revision { name: base.to_owned(), commit: load::git::commit(root, base)? }, None),
        (None, None) => (default_base(root)?, None),
    };
    let (head, head_name) = match head {
        Some(it) => (load::git::read(root, &it.commit)?, it.shown()),
        None => (load::dir::read(root, settings.threads)?, "working directory".to_owned()),
    };
    let tree = load::git::read_beside(root, &base.commit, &head)?;
    Ok(Sides { base: tree, head, names: Names { base: base.shown(), head: head_name } })
}

/// A revision as it was named, and its commit.
struct Revision {
    name: String,
    commit: String,
}

impl Revision {
    fn shown(&self) -> String {
        let short = &self.commit[..SHORT.min(self.commit.len())];
        match self.commit.starts_with(&self.name) {
            true => short.to_owned(),
            false => format!("{} ({short})", self.name),
        }
    }
}

/// `A..B`, or `A...B` for what B has changed since it left A. What is left out is `HEAD`.
fn two(root: &Path, range: &str) -> Result<(Revision, Option<Revision>), Failure> {
    let named = |text: &str| -> Result<Revision, Failure> {
        let name = if text.is_empty() { "HEAD" } else { text };
        Ok(Revision { name: name.to_owned(), commit: load::git::commit(root, name)? })
    };
    if let Some((base, head)) = range.split_once("...") {
        let (base, head) = (named(base)?, named(head)?);
        return Ok((merge_base(root, &base.name, &head.name)?, Some(head)));
    }
    let (base, head) = range.split_once("..").unwrap_or((range, ""));
    Ok((named(base)?, Some(named(head)?)))
}

/// Where the working directory left the branch that changes are proposed to.
fn default_base(root: &Path) -> Result<Revision, Failure> {
    let Some(branch) = load::git::default_branch(root)? else {
        return Err(Failure::new(Exit::Usage, "there is no default branch to compare with")
            .help("name a base, such as `tenantry plan HEAD` for what is not committed yet"));
    };
    merge_base(root, &branch, "HEAD")
}

fn merge_base(root: &Path, one: &str, other: &str) -> Result<Revision, Failure> {
    let found = load::git::merge_base(root, one, other)?;
    let Some(commit) = found else {
        return Err(Failure::new(Exit::Usage, format!("`{one}` and `{other}` have no commit in common"))
            .help("in a shallow clone fetch the whole history first, or name the base itself"));
    };
    Ok(Revision { name: format!("{one}, where {other} left it"), commit })
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
