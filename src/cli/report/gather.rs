//! The report's document: what the inputs say, with what lies in `out/`, the keys, and what other commands print.

use clap::Parser as _;
use serde_json::{Value, json};

use super::super::args::{Arguments, Command, ReportArguments};
use super::super::plan::base;
use super::super::settings::Settings;
use super::super::stores::{self, Opened};
use super::super::{Exit, Failure, findings, gc, log, output};
use crate::changes::show::{self, Names, course};
use crate::digest::Blake3;
use crate::first_start;
use crate::index::Index;
use crate::load::SourceTree;
use crate::metadata::Root;
use crate::model::Tenant;
use crate::overview::{self, Overview};
use crate::pipeline::plan::{self, PlanError};
use crate::pipeline::simulate::{self, simulate};
use crate::pipeline::{self, Checked};
use crate::report::Format;
use crate::sign::keystore::{KeyFolder, RootFile};
use crate::store::dir::Directory;
use crate::store::{MAX_OBJECT, Store as _};
use crate::time::{Duration, Timestamp};

/// Everything that the arguments ask for.
pub(in crate::cli) fn document(settings: &Settings, arguments: &ReportArguments) -> Result<Value, Failure> {
    let now = settings.now(arguments.input.at.as_deref())?;
    let tree = settings.tree(&arguments.input)?;
    let (checked, decided) = pipeline::check(&tree, now);
    findings::demand_sound(settings, &tree, &checked.diagnostics)?;
    let last = now.plus(Duration::days(arguments.days));
    let (index, chain) = (index(settings, arguments)?, chain(settings, arguments)?);
    let signed = index.iter().flat_map(|it| signed(it, &chain)).collect();
    let mut found = pipeline::overview::overview(&tree, &checked, &decided, &signed, now);
    let published = index.as_ref().map(|it| overview::published(it, found.project.inputs));
    let roots: Vec<&Root> = chain.iter().map(|it| &it.root).collect();
    found.trust = overview::trust(&roots, published.as_ref(), now);
    found.marks = overview::marks(&checked.catalog, published.as_ref(), found.trust.as_ref(), now, last);
    found.publication = published;
    found.timeline = timeline(&checked, &tree, found.project.inputs, now, last);
    found.impact = arguments.base.as_ref().map(|it| impact(settings, it, &tree, now)).transpose()?;
    found.stores = held(settings, arguments, &checked)?;
    let names = arguments.redact.then(|| names(&checked, &found));
    let document = serde_json::to_value(&found).expect("results have only text keys");
    Ok(match names {
        Some(names) => overview::redact(document, &names),
        None => document,
    })
}

fn names(checked: &Checked, found: &Overview) -> overview::Names {
    let files = found.matrix.tenants.iter().map(|it| &*it.file);
    let tenants: Vec<(&Tenant, &str)> = checked.tenants.iter().map(|it| &it.tenant).zip(files).collect();
    overview::Names::of(&tenants)
}

/// What lies in `out/`, where anything does.
fn index(settings: &Settings, arguments: &ReportArguments) -> Result<Option<Index>, Failure> {
    let out = Directory::new(settings.out(arguments.publication.as_deref()));
    let Some(fetched) = out.get("state/index.json", MAX_OBJECT)? else { return Ok(None) };
    match Index::parse_or_upgrade(&fetched.bytes) {
        Ok(index) => Ok(Some(index)),
        Err(why) => {
            output::warning(&format!("`{}` is left out: its index cannot be read: {why}", out.describe()));
            Ok(None)
        }
    }
}

/// Who may sign: the project's own roots, or those to throw away where there are no others.
fn chain(settings: &Settings, arguments: &ReportArguments) -> Result<Vec<RootFile>, Failure> {
    let own = KeyFolder::new(settings.keys(&arguments.keys));
    let folder = match own.has_root() {
        true => own,
        false => KeyFolder::new(settings.development_keys()),
    };
    match folder.has_root() {
        true => Ok(folder.chain()?),
        false => Ok(Vec::new()),
    }
}

/// Bytes of the signed files that lead a device to each tenant's archives, by its public identifier.
fn signed<'a>(index: &'a Index, chain: &[RootFile]) -> impl Iterator<Item = (&'a str, u64)> + use<'a> {
    let roots = first_start::roots(chain.iter().map(|it| it.bytes.len() as u64));
    index.tenants.values().map(move |it| (&*it.tenant_id, first_start::signed(it, roots).bytes))
}

/// What changes by itself.
fn timeline(checked: &Checked, tree: &SourceTree, inputs: Blake3, first: Timestamp, last: Timestamp) -> Value {
    let tenants: Vec<&Tenant> = checked.tenants.iter().map(|it| &it.tenant).collect();
    let (project, catalog) = (&checked.project, &checked.catalog);
    let found = simulate(&simulate::Job { project, catalog, tenants: &tenants, tree, first, last });
    let project = json!({ "name": &*project.name, "commit": tree.commit, "inputs": inputs });
    course::document(&found, &project, &|_| None)
}

/// What has changed since a revision.
fn impact(settings: &Settings, revision: &str, head: &SourceTree, now: Timestamp) -> Result<Value, Failure> {
    let (base, base_name) = base::beside(&settings.project, revision, head)?;
    let head_name = head.commit.clone().unwrap_or_else(|| "working directory".to_owned());
    let names = Names { base: base_name, head: head_name, stores: Vec::new() };
    match plan::plan(&plan::Job { base: &base, head, now, stores: &[], allowances: &[] }) {
        Ok((set, _)) => Ok(show::document(&set, &names)),
        Err(PlanError::Base(found)) => {
            findings::say(settings, &base, found, Format::Human, output::Place::Talk);
            Err(Failure::new(Exit::Inputs, format!("the base, {}, has errors", names.base))
                .help("name another base, or leave `--base` out"))
        }
        Err(PlanError::Head(found)) => {
            findings::say(settings, head, found, Format::Human, output::Place::Talk);
            Err(Failure::Said(Exit::Inputs))
        }
    }
}

/// What stores hold. One that cannot be asked says so in the report, which has more to show than that.
fn held(settings: &Settings, arguments: &ReportArguments, checked: &Checked) -> Result<Vec<Value>, Failure> {
    if arguments.store.is_empty() {
        return Ok(Vec::new());
    }
    let stores = stores::open(settings, &checked.project, &arguments.store)?;
    Ok(stores.iter().map(|it| of_store(settings, it, arguments.input.at.as_deref())).collect())
}

fn of_store(settings: &Settings, store: &Opened<'_>, at: Option<&str>) -> Value {
    let (log, gc) = match (as_typed(&["log"], None), as_typed(&["gc", "--dry-run"], at)) {
        (Command::Log(log), Command::Gc(gc)) => (log::one(settings, &log, store), gc::survey(settings, &gc, store)),
        _ => unreachable!("these words name these commands"),
    };
    let is_empty = log.as_ref().is_ok_and(|it| it["publications"].as_array().is_some_and(Vec::is_empty));
    let (log, error) = told(log);
    let (gc, gc_error) = told(gc);
    // Of a store that shows nothing nothing can be said to be needed; that is no trouble.
    let error = error.or(gc_error.filter(|_| !is_empty));
    json!({ "store": store.spec.name, "place": store.store.describe(), "error": error, "log": log, "gc": gc })
}

/// What was found, or why nothing was.
fn told(found: Result<Value, Failure>) -> (Option<Value>, Option<String>) {
    match found {
        Ok(it) => (Some(it), None),
        Err(Failure::Because { message, .. }) => (None, Some(message)),
        Err(Failure::Said(_)) => (None, Some("it cannot be asked".to_owned())),
    }
}

/// A command with the defaults that it has when somebody types it.
fn as_typed(words: &[&str], at: Option<&str>) -> Command {
    let at = at.into_iter().flat_map(|it| ["--at", it]);
    let words = ["tenantry"].into_iter().chain(words.iter().copied()).chain(at);
    Arguments::try_parse_from(words).expect("words that the program knows").command
}
