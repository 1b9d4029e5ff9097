//! What is compared with what: two revisions, the working directory, or what a store shows.

use std::path::Path;

use super::super::args::PlanArguments;
use super::super::settings::Settings;
use super::super::stores::{self, Opened};
use super::super::{Exit, Failure};
use crate::changes::show::Names;
use crate::input::StoreSpec;
use crate::load::{self, LoadError, SourceTree};
use crate::model::Project;
use crate::publish::head::Published;

/// How much of a commit is shown.
const SHORT: usize = 9;

/// The two projects, what people call them, and the stores of which only the tenants count.
pub(super) struct Sides<'a> {
    pub(super) base: SourceTree,
    pub(super) head: SourceTree,
    pub(super) names: Names,
    pub(super) stores: Vec<&'a StoreSpec>,
}

pub(super) fn sides<'a>(
    settings: &Settings,
    project: &'a Project,
    arguments: &PlanArguments,
) -> Result<Sides<'a>, Failure> {
    let (root, range) = (&settings.project, arguments.range.as_deref());
    let (base, head, stores) = match arguments.store.is_empty() {
        true => {
            let (base, head) = named(root, range)?;
            (base, head, Vec::new())
        }
        false => {
            let head = head_alone(root, range)?;
            let (base, stores) = shown(settings, project, arguments)?;
            (base, head, stores)
        }
    };
    let (head, head_name) = match head {
        Some(it) => (load::git::read(root, &it.commit)?, it.shown()),
        None => (load::dir::read(root, settings.threads)?, "working directory".to_owned()),
    };
    let tree = load::git::read_beside(root, &base.commit, &head)?;
    let names = stores.iter().map(|it| it.name.clone()).collect();
    Ok(Sides { base: tree, head, names: Names { base: base.shown(), head: head_name, stores: names }, stores })
}

/// A revision that a tree is compared with, and what people call it.
pub(in crate::cli) fn beside(
    root: &Path,
    revision_name: &str,
    head: &SourceTree,
) -> Result<(SourceTree, String), Failure> {
    let base = revision(root, revision_name)?;
    Ok((load::git::read_beside(root, &base.commit, head)?, base.shown()))
}

/// A revision as it was named, and its commit.
#[derive(Debug)]
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

/// Base and head by their names in git; no head is the working directory.
fn named(root: &Path, range: Option<&str>) -> Result<(Revision, Option<Revision>), Failure> {
    match range {
        Some(range) if range.contains("..") => two(root, range),
        Some(base) => Ok((revision(root, base)?, None)),
        None => Ok((default_base(root)?, None)),
    }
}

fn revision(root: &Path, name: &str) -> Result<Revision, Failure> {
    Ok(Revision { name: name.to_owned(), commit: load::git::commit(root, name)? })
}

/// `A..B`, or `A...B` for what B has changed since it left A. What is left out is `HEAD`.
fn two(root: &Path, range: &str) -> Result<(Revision, Option<Revision>), Failure> {
    let named = |text: &str| revision(root, if text.is_empty() { "HEAD" } else { text });
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

/// The head, where a store gives the base.
fn head_alone(root: &Path, range: Option<&str>) -> Result<Option<Revision>, Failure> {
    match range.map(|it| it.strip_prefix("..").filter(|head| !head.contains(".."))) {
        None => Ok(None),
        Some(Some("")) => Ok(Some(revision(root, "HEAD")?)),
        Some(Some(head)) => Ok(Some(revision(root, head)?)),
        Some(None) => Err(Failure::new(Exit::Usage, "with `--store` the base is what the store shows").help(
            "name the head alone, such as `tenantry plan --store NAME ..HEAD`, or nothing for the working directory",
        )),
    }
}

/// What stores show. All of them must show one commit: there is one base.
fn shown<'a>(
    settings: &Settings,
    project: &'a Project,
    arguments: &PlanArguments,
) -> Result<(Revision, Vec<&'a StoreSpec>), Failure> {
    let opened = stores::open(settings, project, &arguments.store)?;
    let mut found: Option<(&str, Published, String)> = None;
    for store in &opened {
        let name = &store.spec.name;
        let (current, commit) = published(&settings.project, store)?;
        match &found {
            Some((other, _, there)) if *there != commit => {
                let short = |it: &str| it.chars().take(SHORT).collect::<String>();
                let message =
                    format!("store `{other}` shows commit {}, and store `{name}` {}", short(there), short(&commit));
                return Err(Failure::new(Exit::Usage, message)
                    .help("there is one base: make a plan for each of the stores with `--store NAME`"));
            }
            Some(_) => {}
            None => found = Some((name, current, commit)),
        }
    }
    let (_, current, commit) = found.expect("at least one store is open");
    let specs: Vec<&StoreSpec> = opened.iter().map(|it| it.spec).collect();
    let names = specs.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
    let name = match specs.as_slice() {
        [_] => format!("publication {} of store {names}", current.publication),
        _ => format!("what stores {names} show"),
    };
    Ok((Revision { name, commit }, specs))
}

/// What one store shows, and the commit that it was compiled from, which the repository here has.
fn published(root: &Path, store: &Opened<'_>) -> Result<(Published, String), Failure> {
    let name = &store.spec.name;
    let seen = store.tools(&|_| ()).state().head();
    let seen = seen.map_err(|error| Failure::from(error).within(&format!("store `{name}`")))?;
    let Some(current) = seen.head.current else {
        return Err(Failure::new(Exit::Usage, format!("store `{name}` shows nothing yet"))
            .help("there is nothing to compare with before the first publication; name a base in git"));
    };
    let number = current.publication;
    let Some(commit) = &current.commit else {
        return Err(Failure::new(
            Exit::Usage,
            format!("publication {number} of store `{name}` does not say from which commit it was compiled"),
        )
        .help(
            "compile with `--rev`, as CI does, so that publications know their commit; until then name a base in git",
        ));
    };
    match load::git::commit(root, commit) {
        Ok(commit) => Ok((current, commit)),
        Err(LoadError::NoSuchRevision { revision }) => {
            let message = format!("commit {revision}, which store `{name}` shows, is not in this repository");
            Err(Failure::new(Exit::Usage, message)
                .help("fetch it: `git fetch --unshallow` in a shallow clone, `fetch-depth: 0` in a workflow"))
        }
        Err(error) => Err(error.into()),
    }
}
