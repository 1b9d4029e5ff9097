//! `tenantry compile`

use serde_json::json;

use super::args::{CompileArguments, FormatArgument};
use super::findings;
use super::output::{self, Place};
use super::settings::Settings;
use super::stores::{self, Opened};
use super::{Exit, Failure, Stopped};
use crate::diag::Diagnostic;
use crate::first_start::Spread;
use crate::load::SourceTree;
use crate::metadata::{DEVELOPMENT, Root};
use crate::model::Project;
use crate::pipeline;
use crate::pipeline::compile::{Job, Step, Summary, compile};
use crate::publish::base::{Base, Bases};
use crate::report::{self, Findings, Format, Styled, harmless};
use crate::sign::keystore::{self, KeyFolder, RootFile};
use crate::time::{Duration, Timestamp};
use crate::write::OutDir;

/// A root that expires within this time is worth a warning.
const ROOT_WARNING: Duration = Duration::days(60);

pub(super) fn run(settings: &Settings, arguments: &CompileArguments) -> Result<(), Failure> {
    let compiled = make(settings, arguments, Occasion::Command)?;
    say(settings, arguments.format, compiled, Place::Result);
    Ok(())
}

/// What a compile is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Somebody has asked for it.
    Command,
    /// `out/` is being served: what is stale stays to be had, and throw-away keys are what is expected.
    Serving,
}

/// What was compiled, and what there is to say about it.
pub(super) struct Compiled {
    pub(super) tree: SourceTree,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) summary: Summary,
    pub(super) environment: String,
}

/// Compiles. When the inputs have errors they have been said.
pub(super) fn make(settings: &Settings, arguments: &CompileArguments, occasion: Occasion) -> Result<Compiled, Failure> {
    let now = settings.now(arguments.input.at.as_deref())?;
    let out = settings.out(arguments.out.as_deref());
    let keys = settings.keys(&arguments.keys);
    if Settings::lies_inside(&keys, &out) {
        return Err(Failure::new(Exit::Usage, "the keys lie inside the output folder, which is made to be published")
            .help("name another folder with `--keys`"));
    }
    let tree = settings.tree(&arguments.input)?;
    let (folder, roots) = roots(settings, KeyFolder::new(keys), arguments.keys.keys.is_some(), now)?;
    let newest = &roots.last().expect("a chain of roots is never empty").root;
    let out = match occasion {
        Occasion::Command => {
            warn(&folder, newest, now);
            OutDir::open(&out)?
        }
        Occasion::Serving => OutDir::open(&out)?.keeping_stale(),
    };
    let project = match arguments.onto.is_empty() {
        true => Project::default(),
        // What is wrong with the file is said with all the rest.
        false => pipeline::project(&tree).0,
    };
    let stores = match arguments.onto.is_empty() {
        true => Vec::new(),
        false => stores::open(settings, &project, &arguments.onto)?,
    };
    let bases = stores.iter().map(base).collect::<Result<Vec<_>, Failure>>()?;
    let onto = (!bases.is_empty()).then_some(Bases(bases));
    if let Some(bases) = &onto {
        guard_clocks(bases, now)?;
        say_bases(bases);
    }
    let bar = output::progress();
    let progress = |step: Step, done: usize, total: usize| {
        bar.set_message(match step {
            Step::Decide => "deciding",
            Step::Sign => "signing",
        });
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let job = Job {
        tree: &tree,
        now,
        roots: &roots,
        out: &out,
        onto: onto.as_ref(),
        threads: settings.threads,
        progress: &progress,
    };
    let compiled = compile(&job, |project: &Project| folder.signers(newest, &project.keys).map_err(Stopped::from));
    bar.finish_and_clear();
    match compiled {
        Ok((summary, diagnostics)) => {
            let environment = newest.tenantry.environment.clone();
            Ok(Compiled { tree, diagnostics, summary, environment })
        }
        Err(Stopped::Inputs(diagnostics)) => {
            findings::say(settings, &tree, diagnostics, arguments.format.into(), Place::Talk);
            Err(Failure::Said(Exit::Inputs))
        }
        Err(Stopped::Failure(failure)) => Err(failure),
    }
}

/// What a store shows.
fn base<'a>(opened: &'a Opened<'a>) -> Result<Base<'a>, Failure> {
    let tools = opened.tools(&|_| ());
    Base::read(&tools, opened.spec)
        .map_err(|error| Failure::from(error).within(&format!("store `{}`", opened.spec.name)))
}

/// Metadata that is signed by a wrong clock cannot be taken back, so that is looked at before anything is signed.
fn guard_clocks(bases: &Bases<'_>, now: Timestamp) -> Result<(), Failure> {
    bases.0.iter().try_for_each(|it| it.head.guard_clock(now)).map_err(Failure::from)
}

fn say_bases(bases: &Bases<'_>) {
    for base in &bases.0 {
        let shows = match &base.head.current {
            Some(it) => format!("publication {} by `{}` at {}", it.publication, it.by, it.at),
            None => "nothing yet".into(),
        };
        output::talk(&format!("onto store `{}`: {shows}", base.spec.name));
    }
}

/// The keys to sign with. Where there are none, throw-away ones are made.
pub(super) fn roots(
    settings: &Settings,
    folder: KeyFolder,
    was_named: bool,
    now: Timestamp,
) -> Result<(KeyFolder, Vec<RootFile>), Failure> {
    let folder = match folder.has_root() {
        true => folder,
        false if was_named => {
            let message = format!("there is no root below `{}`", folder.path().display());
            return Err(Failure::new(Exit::World, message).help("make keys with `tenantry keys init`"));
        }
        false => {
            let development = KeyFolder::new(settings.development_keys());
            keystore::development(&development, now)?;
            development
        }
    };
    let chain = folder.chain()?;
    Ok((folder, chain))
}

/// Says what is to be known of the keys.
pub(super) fn warn(folder: &KeyFolder, newest: &Root, now: Timestamp) {
    if newest.tenantry.environment == DEVELOPMENT {
        output::warning(&format!(
            "signed with throw-away DEVELOPMENT keys from `{}`; every signed file says so.\n         No shell in production may trust them. Make real keys with `tenantry keys init`.",
            folder.path().display()
        ));
    }
    let left = now.until(newest.expires);
    if newest.expires > now && left < ROOT_WARNING {
        let days = left.seconds() / 86_400;
        output::warning(&format!(
            "root {} expires in {days} days; run `tenantry keys rotate root --renew`",
            newest.version
        ));
    }
}

/// Says what was done. The line goes where it is told to; machine formats always go to stdout.
pub(super) fn say(settings: &Settings, format: FormatArgument, compiled: Compiled, place: Place) {
    let Compiled { tree, diagnostics, summary, environment } = compiled;
    let took = settings.began.elapsed();
    let is_machine = !matches!(format, FormatArgument::Human | FormatArgument::Short);
    if format == FormatArgument::Json {
        let sources = tree.sources();
        let findings = Findings { diagnostics: &diagnostics, sources: &sources, folder: "" };
        let diagnostics = report::text(&findings, Format::Json, Styled::Plain);
        let diagnostics: serde_json::Value = serde_json::from_str(&diagnostics).expect("the report is JSON");
        output::json(&json!({
            "diagnostics": diagnostics["diagnostics"],
            "summary": {
                "publication": summary.publication,
                "is_new": summary.is_new,
                "environment": environment,
                "tenants": summary.tenants,
                "changed": summary.changed,
                "refreshed": summary.refreshed,
                "gone": summary.gone,
                "entitlements": summary.entitlements,
                "bundles": summary.bundles,
                "bundle_bytes": summary.bundle_bytes,
                "first_start": summary.first_start.as_ref().map(|it| json!({
                    "budget": summary.max_first_start,
                    "median": it.median,
                    "worst": it.worst,
                    "tenant": it.tenant,
                })),
                "files_written": summary.files_written,
                "bytes_written": summary.bytes_written,
                "seconds": took.as_secs_f64(),
            },
        }));
        return;
    }
    if !diagnostics.is_empty() || is_machine {
        findings::say(settings, &tree, diagnostics, format.into(), Place::Talk);
    }
    if let [first, ..] = summary.gone.as_slice() {
        output::warning(&format!(
            "{} no longer in the project, such as `{first}`: devices keep what they have until its metadata expires.\n         To take it away at once keep the tenant's file and set `status: inactive`.",
            match summary.gone.len() {
                1 => "1 tenant is".to_owned(),
                many => format!("{many} tenants are"),
            }
        ));
    }
    let done = match summary.is_new {
        true => format!("publication {}: {} changed", summary.publication, summary.changed),
        false => format!("publication {}: nothing changed", summary.publication),
    };
    let refreshed = match summary.refreshed {
        0 => String::new(),
        count => format!(", {count} signed again"),
    };
    let line = format!(
        "{done}{refreshed} · {}, {}, {} ({}) · {} ({}) written in {}\n",
        output::counted(summary.tenants, "tenant"),
        output::counted(usize::try_from(summary.entitlements).unwrap_or(usize::MAX), "entitlement"),
        output::counted(summary.bundles, "bundle"),
        output::bytes(summary.bundle_bytes),
        output::counted(summary.files_written, "file"),
        output::bytes(summary.bytes_written),
        output::seconds(took),
    );
    let line = line + &first_start(&summary);
    match (is_machine, place) {
        (false, Place::Result) => output::result(&line),
        _ => output::talk(line.trim_end()),
    }
}

/// What a device fetches that has nothing yet.
fn first_start(summary: &Summary) -> String {
    let Some(Spread { median, worst, tenant }) = &summary.first_start else { return String::new() };
    let most = summary.max_first_start.map(|it| format!(" of {} allowed", output::bytes(it))).unwrap_or_default();
    let (median, worst) = (output::bytes(*median), output::bytes(*worst));
    format!("a first start fetches {median} in the middle, {worst}{most} at worst (`{}`)\n", harmless(tenant))
}
