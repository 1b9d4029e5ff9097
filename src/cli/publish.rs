//! `tenantry publish`

mod plan_file;
pub(super) mod report;

use std::path::Path;

use self::plan_file::{Known, PlanFile, Shown};
use self::report::Reporter;
use super::args::{PlainFormat, PublishArguments};
use super::interrupt::Interrupt;
use super::settings::Settings;
use super::stores::{self, Opened};
use super::{Exit, Failure, output};
use crate::index::Index;
use crate::input::Publishers;
use crate::load::git;
use crate::metadata::DEVELOPMENT;
use crate::pipeline::verify::Folder;
use crate::publish::guards::Consent;
use crate::publish::head::Kind;
use crate::publish::projection::guard_regions;
use crate::publish::{self, Job, Others, Planned, PublishError, Record, Report, Rewind};
use crate::time::Timestamp;
use crate::write::OutDir;
use crate::write::state::Lineage;

pub(super) fn run(settings: &Settings, arguments: &PublishArguments) -> Result<(), Failure> {
    let reporter = Reporter::new(settings, arguments.format);
    let outcome = publish(settings, arguments, &reporter);
    if let Err(failure) = &outcome {
        reporter.stopped(failure);
    }
    outcome
}

fn publish(settings: &Settings, arguments: &PublishArguments, reporter: &Reporter<'_>) -> Result<(), Failure> {
    let now = settings.now(None)?;
    let folder = settings.out(arguments.out.as_deref());
    let out = OutDir::open(&folder)?;
    let index = read(&out, &folder)?;
    let project = settings.project_file()?;
    let stores = stores::open(settings, &project, &arguments.store)?;
    guard_regions(&index, &project.stores).map_err(PublishError::from)?;
    if index.environment == DEVELOPMENT {
        output::warning("signed with throw-away DEVELOPMENT keys: no shell in production may trust it");
    }
    let shown = arguments.plan.as_deref().map(plan_file::read).transpose()?;
    let reviewed = shown.as_ref().and_then(Shown::reviewed);
    let run = Run {
        settings,
        arguments,
        consent: Consent { allowances: arguments.allow.clone(), reviewed },
        now,
        index: &index,
        files: &Folder::new(&folder),
        lineage: out.lineage()?,
        by: settings.who(),
        interrupt: Interrupt::watch(),
        reporter,
    };
    let ready = stores.iter().map(|store| run.prepare(store)).collect::<Result<Vec<_>, _>>()?;
    if let Some(shown) = &shown {
        shown.guard_fresh(&index, &ready.iter().map(Ready::known).collect::<Vec<_>>())?;
    }
    if arguments.dry_run {
        match arguments.format {
            PlainFormat::Json => output::json_line(&PlanFile::new(ready.iter().map(|it| &it.planned.plan))),
            PlainFormat::Human => ready.iter().for_each(|it| report::plan(&it.planned.plan)),
        }
    }
    // Nothing is sent to any store as long as a guard stops it for one.
    for Ready { planned, .. } in &ready {
        let overrides = planned.overrides(&run.consent)?;
        overrides.iter().for_each(|it| report::overridden(&planned.plan.store, it));
    }
    if arguments.dry_run {
        return Ok(());
    }
    run.remember(&out, &ready)?;
    run.publish(&ready)
}

/// What is to be published.
fn read(out: &OutDir, folder: &Path) -> Result<Index, Failure> {
    if out.was_interrupted() {
        let message = format!("the last compile into `{}` was stopped half-way", folder.display());
        return Err(Failure::new(Exit::Refused, message).help("compile again; nothing was sent anywhere"));
    }
    out.index()?.ok_or_else(|| {
        let message = format!("there is nothing to publish in `{}`", folder.display());
        Failure::new(Exit::World, message).help("run `tenantry compile` first, or name its folder with `--out`")
    })
}

/// A store with what is to be done to it.
struct Ready<'a> {
    store: &'a Opened<'a>,
    record: Record,
    planned: Planned,
}

impl Ready<'_> {
    /// What plans are compared with.
    fn known(&self) -> Known<'_> {
        Known { plan: &self.planned.plan, before: self.planned.before.as_ref() }
    }
}

/// One run of the command.
struct Run<'a> {
    settings: &'a Settings,
    arguments: &'a PublishArguments,
    consent: Consent,
    now: Timestamp,
    index: &'a Index,
    files: &'a Folder<'a>,
    lineage: Lineage,
    by: String,
    interrupt: Interrupt,
    reporter: &'a Reporter<'a>,
}

impl Run<'_> {
    /// Asks one store, and decides what is to be done to it.
    fn prepare<'b>(&self, store: &'b Opened<'b>) -> Result<Ready<'b>, Failure> {
        let mut record = self.record(store.spec.publishers);
        let planned = self.with_job(store, &record, publish::plan)?;
        for note in &planned.notes {
            output::warning(&format!("store `{}`: {note}", store.spec.name));
        }
        // Whoever writes nothing need not know what the store does with two who write. To find out takes some eighty requests.
        let is_writing = !planned.plan.is_nothing() || planned.seen.head.unfinished().is_some();
        if is_writing && !self.arguments.dry_run {
            record.guard = store.guard()?;
        }
        Ok(Ready { store, record, planned })
    }

    fn record(&self, guard: Publishers) -> Record {
        Record { by: self.by.clone(), reason: self.arguments.reason.clone(), kind: Kind::Publish, guard }
    }

    fn with_job<T>(
        &self,
        store: &Opened<'_>,
        record: &Record,
        work: impl FnOnce(&Job<'_>) -> Result<T, PublishError>,
    ) -> Result<T, Failure> {
        let name = &store.spec.name;
        let project = &self.settings.project;
        let descends = |published: &str, ours: &str| git::descends(project, published, ours);
        let progress = |event| self.reporter.event(name, event);
        let job = Job {
            tools: store.tools(&progress),
            spec: store.spec,
            index: self.index,
            files: self.files,
            lineage: self.lineage.of(name),
            now: self.now,
            clock: &self.settings.clock(self.now),
            clocks: self.settings.clocks(None),
            record,
            consent: &self.consent,
            others: match self.arguments.take_over {
                true => Others::TakeOver,
                false => Others::Respect,
            },
            rewind: match self.arguments.allow_rewind {
                true => Rewind::Allow,
                false => Rewind::Refuse(&descends),
            },
            threads: self.settings.threads,
            stop: &|| self.interrupt.is_asked(),
        };
        work(&job).map_err(|error| match error {
            // All others name the store themselves.
            PublishError::State(_) => Failure::from(error).within(&format!("store `{name}`")),
            error => error.into(),
        })
    }

    /// Writes down what the folder is about to become in each store, before anything there changes: if we do not live
    /// to learn of it, the folder still goes on from there.
    fn remember(&self, out: &OutDir, ready: &[Ready<'_>]) -> Result<(), Failure> {
        let mut lineage = self.lineage.clone();
        for Ready { planned, .. } in ready {
            lineage.add(&planned.plan.store, planned.plan.target);
        }
        match lineage == self.lineage {
            true => Ok(()),
            false => Ok(out.write_lineage(&lineage)?),
        }
    }

    /// Publishes to one store after the other. They have no tenant in common, so one that fails does not hold up the rest.
    fn publish(&self, ready: &[Ready<'_>]) -> Result<(), Failure> {
        let mut reports: Vec<Report> = Vec::new();
        let mut failures: Vec<(String, Failure)> = Vec::new();
        for Ready { store, record, planned } in ready {
            self.reporter.begin(&planned.plan);
            match self.with_job(store, record, |job| publish::apply(job, planned)) {
                Ok(report) => {
                    self.reporter.finished(&planned.plan, &report);
                    reports.push(report);
                }
                Err(failure) => failures.push((store.spec.name.clone(), failure)),
            }
        }
        let said: Vec<(Option<&str>, &Failure)> =
            failures.iter().map(|(store, failure)| (Some(store.as_str()), failure)).collect();
        self.reporter.end(&reports, &said);
        first_of(failures.into_iter().map(|(_, failure)| failure))
    }
}

/// The first failure decides the exit code and is said last; the others are said here.
pub(super) fn first_of(mut failures: impl Iterator<Item = Failure>) -> Result<(), Failure> {
    let first = failures.next();
    for failure in failures {
        if let Failure::Because { message, help, .. } = failure {
            output::error(&message, help.as_deref());
        }
    }
    first.map_or(Ok(()), Err)
}
