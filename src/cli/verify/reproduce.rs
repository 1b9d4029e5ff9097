//! `tenantry verify --reproduce`

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::Serialize;

use super::super::args::{PlainFormat, VerifyArguments};
use super::super::findings;
use super::super::output::{self, Place};
use super::super::settings::Settings;
use super::super::{Exit, Failure, stores};
use super::{SHOWN, guard_whole, index_of, pinned_root, read_root, trusted_root};
use crate::digest::Sha256;
use crate::index::Index;
use crate::load::{self, SourceTree};
use crate::pipeline::reproduce::{Decision, Job, Others, Problem, Reproduction, instant, reproduce};
use crate::pipeline::verify::{self, Folder};
use crate::publish::head::{Head, Kind, Past};
use crate::publish::projection::takes;
use crate::publish::renewal::Public;
use crate::publish::state::{self, Timestamps};
use crate::publish::{Tools, past};
use crate::report::{Format, harmless};
use crate::time::Timestamp;
use crate::verify::Objects;

pub(super) fn run(settings: &Settings, arguments: &VerifyArguments, revision: &str) -> Result<(), Failure> {
    let commit = load::git::commit(&settings.project, revision)?;
    match &arguments.store {
        Some(name) => {
            let of_store = |it: Failure| it.within(&format!("store `{name}`"));
            store(settings, arguments, name, &commit).map_err(of_store)
        }
        None => {
            let named = arguments.out.as_deref().or(arguments.folder.as_deref());
            folder(settings, arguments, &settings.out(named), &commit)
        }
    }
}

fn store(settings: &Settings, arguments: &VerifyArguments, name: &str, commit: &str) -> Result<(), Failure> {
    let project = settings.project_file()?;
    let opened = stores::open(settings, &project, &[name.to_owned()])?.pop().expect("one store was asked for");
    let (root, _) = pinned_root(settings, arguments)?;
    let tools = opened.tools(&|_| ());
    let head = tools.state().head()?.head;
    let (shown, index) = newest(&tools, &head, commit)?;
    let compile = compile_of(&head, &shown);
    let (compiled, decided_at) = match compile {
        Some(compile) => {
            let known = past::remembered(&tools, compile)?.index.as_ref().and_then(instant);
            (compile.publication, known.unwrap_or(compile.at))
        }
        None => (shown.publication, instant(&index).unwrap_or(shown.at)),
    };
    let objects = Public::new(&tools);
    let known: Mutex<BTreeMap<u64, Option<Arc<Timestamps>>>> = Mutex::default();
    let moved = |number: u64| {
        let mut known = known.lock().expect("whoever holds it only reads a store");
        known.entry(number).or_insert_with(|| moved(&tools, number).map(Arc::new)).clone()
    };
    let is_between = |it: &Past| compiled < it.publication && it.publication <= shown.publication;
    let others = match head.history.iter().any(|it| it.kind == Kind::Rollback && is_between(it)) {
        true => Others::LeftAlone,
        false => Others::None,
    };
    let takes = |region: Option<&str>| takes(opened.spec, region);
    let made = Made { index: &index, compiled, decided_at, objects: &objects, moved: &moved, others, takes: &takes };
    let reproduction = made.compare(settings, &root, commit, tools.at_once)?;
    if let Some(failure) = objects.into_failure() {
        return Err(failure.into());
    }
    let place = format!("publication {} of store `{name}` ({})", shown.publication, shown.kind.as_str());
    say(arguments, &reproduction, &place)
}

fn folder(settings: &Settings, arguments: &VerifyArguments, folder: &Path, commit: &str) -> Result<(), Failure> {
    guard_whole(folder)?;
    let (path, _) = trusted_root(settings, arguments, folder);
    let index = index_of(folder)?;
    if index.commit.as_deref() != Some(commit) {
        let from =
            index.commit.as_deref().map_or_else(|| "a working directory".to_owned(), |it| format!("commit {it}"));
        let message = format!("`{}` was compiled from {from}, not from {commit}", folder.display());
        return Err(
            Failure::new(Exit::Usage, message).help("compile with `--rev`, so that the publication knows its commit")
        );
    }
    let Some(decided_at) = instant(&index) else {
        return Err(Failure::new(Exit::Usage, "the publication has signed nothing, so nobody knows its instant"));
    };
    let objects = Folder::new(folder);
    let (moved, takes) = (|_| None, |_: Option<&str>| true);
    let compiled = index.publication;
    let others = Others::None;
    let made = Made { index: &index, compiled, decided_at, objects: &objects, moved: &moved, others, takes: &takes };
    let reproduction = made.compare(settings, &read_root(&path)?, commit, settings.threads)?;
    say(arguments, &reproduction, &format!("publication {} in `{}`", index.publication, folder.display()))
}

/// The newest publication of a commit whose index is still there.
fn newest(tools: &Tools<'_>, head: &Head, commit: &str) -> Result<(Past, Index), Failure> {
    let of_commit = || head.history.iter().rev().filter(|it| it.commit.as_deref() == Some(commit));
    for past in of_commit() {
        if let Some(index) = past::remembered(tools, past)?.index {
            return Ok((past.clone(), index));
        }
    }
    Err(match of_commit().next() {
        Some(past) => {
            let message = format!("publication {} was of commit {commit}, and its index is gone", past.publication);
            Failure::new(Exit::World, message).help("`tenantry gc` has taken it; what is left cannot say what it was")
        }
        None => Failure::new(Exit::Usage, format!("no publication that it remembers was of commit {commit}"))
            .help("`tenantry log` shows which commits were published"),
    })
}

/// The compile whose content a publication shows, as the records say it.
fn compile_of<'a>(head: &'a Head, shown: &Past) -> Option<&'a Past> {
    let earlier = head.history.iter().rev().filter(|it| it.publication <= shown.publication);
    earlier.into_iter().find(|it| it.kind == Kind::Publish && it.commit == shown.commit)
}

/// What a publication moved. A bundle of timestamps is named by its digest, so whatever else lies there is not believed.
fn moved(tools: &Tools<'_>, number: u64) -> Option<Timestamps> {
    let prefix = format!("state/{number}.");
    let mut names = Vec::new();
    let listed = tools.patience.retry(|| {
        names.clear();
        tools.store.list(&prefix, &mut |page| names.extend(page.into_iter().map(|it| it.key)))
    });
    listed.ok()?;
    let key = names.into_iter().find(|it| it.ends_with(".timestamps") && state::is_ours(it))?;
    let bytes = tools.patience.retry(|| tools.store.get(&key, crate::store::MAX_OBJECT)).ok()??.bytes;
    let is_named = key.contains(&Sha256::of(&bytes).to_string());
    Timestamps::parse(&key, &bytes).ok().filter(|_| is_named)
}

/// What is compared.
struct Made<'a> {
    index: &'a Index,
    compiled: u64,
    decided_at: Timestamp,
    objects: &'a dyn Objects,
    moved: &'a (dyn Fn(u64) -> Option<Arc<Timestamps>> + Sync),
    others: Others,
    takes: &'a (dyn Fn(Option<&str>) -> bool + Sync),
}

impl Made<'_> {
    fn compare(&self, settings: &Settings, root: &[u8], commit: &str, at_once: usize) -> Result<Reproduction, Failure> {
        let roots = verify::chain(self.objects, root)?;
        let read = |commit: &str| load::git::read(&settings.project, commit);
        let tree: SourceTree = read(commit)?;
        let decision = Decision::new(tree, self.decided_at).map_err(|(tree, found)| {
            findings::say(settings, &tree, found, Format::Short, Place::Talk);
            let message = format!("the project has errors at commit {commit}, decided for {}", self.decided_at);
            Failure::new(Exit::Inputs, message)
        })?;
        let Made { index, compiled, objects, moved, others, takes, .. } = *self;
        let decision = &decision;
        Ok(reproduce(&Job {
            index,
            compiled,
            decision,
            objects,
            roots: &roots,
            moved,
            others,
            tree: &read,
            takes,
            at_once,
        }))
    }
}

/// What was found, with its verdict, for machines.
#[derive(Serialize)]
struct Said<'a> {
    verdict: &'static str,
    #[serde(flatten)]
    reproduction: &'a Reproduction,
}

fn say(arguments: &VerifyArguments, it: &Reproduction, place: &str) -> Result<(), Failure> {
    let verdict = match (it.differences.is_empty(), it.unjudged.is_empty()) {
        (true, true) => "reproduced",
        (true, false) => "reproduced_in_part",
        (false, _) => "differs",
    };
    match arguments.format {
        PlainFormat::Json => output::json(&Said { verdict, reproduction: it }),
        PlainFormat::Human => output::result(&text(it, place)),
    }
    match it.differences.len() {
        0 => Ok(()),
        count => Err(Failure::new(Exit::Refused, format!("{} not as its commit gives it", are(count, "object")))),
    }
}

fn text(it: &Reproduction, place: &str) -> String {
    let mut text =
        format!("{place}: commit {}, decided for {}, made again by {}\n", it.commit, it.decided_at, it.compiler);
    for (part, count) in &it.parts {
        text += &format!("  {:9} {} equal", part.as_str(), count.equal);
        for (number, what) in [(count.differs, "differ"), (count.unjudged, "not judged")] {
            if number > 0 {
                text += &format!(", {number} {what}");
            }
        }
        text += "\n";
    }
    if it.from_other_commits > 0 {
        let tenants = output::counted(it.from_other_commits, "tenant");
        text += &format!("{tenants} last signed from other commits, and made again from those\n");
    }
    for (compiler, count) in &it.other_compilers {
        let manifests = output::counted(*count, "manifest");
        text += &format!("{manifests} made by `{}`, and this is `{}`\n", harmless(compiler), it.compiler);
    }
    list(&mut text, "differs", &it.differences);
    list(&mut text, "not judged", &it.unjudged);
    text += &match (it.differences.len(), it.unjudged.len()) {
        (0, 0) => "reproduced: everything is, byte for byte, what the commit gives, and is rightly signed\n".to_owned(),
        (0, count) => format!("nothing differs; {} not judged\n", are(count, "object")),
        (count, _) => format!("{} DIFFERENT\n", are(count, "object")),
    };
    text
}

fn list(text: &mut String, what: &str, problems: &[Problem]) {
    for Problem { part, key, tenant, why } in problems.iter().take(SHOWN) {
        let whose = tenant.as_ref().map_or_else(String::new, |it| format!(" of `{}`", harmless(it)));
        *text += &format!("{what}: {}{whose}, `{}`: {}\n", part.as_str(), harmless(key), harmless(why));
    }
    if problems.len() > SHOWN {
        *text += &format!("… and {} more\n", problems.len() - SHOWN);
    }
}

fn are(count: usize, what: &str) -> String {
    format!("{} {}", output::counted(count, what), if count == 1 { "is" } else { "are" })
}
