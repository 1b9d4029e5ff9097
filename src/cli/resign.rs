//! What `refresh` and `rollback` have in common: keys, and publishing what was signed again from what a store holds.

use super::args::{KeysFolderArgument, PlainFormat};
use super::interrupt::Interrupt;
use super::publish::report::Reporter;
use super::settings::Settings;
use super::stores::Opened;
use super::{Exit, Failure, compile, output};
use crate::index::Index;
use crate::model::Project;
use crate::publish::base::Base;
use crate::publish::guards::Consent;
use crate::publish::head::Kind;
use crate::publish::plan::Total;
use crate::publish::renewal::{RenewalError, Signing};
use crate::publish::{self, Clocks, Job, Others, Outcome, PublishError, Record, Report, Rewind, Tools};
use crate::sign::Renewers;
use crate::sign::keystore::{KeyFolder, RootFile};
use crate::time::Timestamp;
use crate::verify::Objects;

/// Keys at hand, and the chain of roots that says what they are worth.
pub(super) struct Keys {
    chain: Vec<RootFile>,
    renewers: Renewers,
}

impl Keys {
    /// Reads them. Nothing is made here: a store that shows something was signed with keys that there are.
    pub(super) fn read(
        settings: &Settings,
        argument: &KeysFolderArgument,
        project: &Project,
        now: Timestamp,
    ) -> Result<Keys, Failure> {
        let folders = [settings.keys(argument), settings.development_keys()];
        let named = argument.keys.is_some();
        let mut candidates = folders.into_iter().map(KeyFolder::new).take(if named { 1 } else { 2 });
        let Some(folder) = candidates.find(KeyFolder::has_root) else {
            let path = settings.keys(argument);
            return Err(Failure::new(Exit::World, format!("there is no root below `{}`", path.display()))
                .help("commit `keys/root/` with the project, or name the folder of keys with `--keys`"));
        };
        let chain = folder.chain()?;
        let newest = &chain.last().expect("a chain of roots is never empty").root;
        compile::warn(&folder, newest, now);
        if newest.expires <= now {
            let message =
                format!("root {} expired on {}: no shell accepts what it vouches for", newest.version, newest.expires);
            return Err(Failure::new(Exit::Guard, message)
                .help("bring the root keys and run `tenantry keys rotate root --renew`"));
        }
        let renewers = folder.renewers(newest, &project.keys)?;
        Ok(Keys { chain, renewers })
    }

    /// Whether entitlements can be signed.
    pub(super) fn sign_entitlements(&self) -> bool {
        self.renewers.entitlement.is_some()
    }

    /// When the newest root expires.
    pub(super) fn root_expires(&self) -> Timestamp {
        self.chain.last().expect("a chain of roots is never empty").root.expires
    }

    /// What signs.
    pub(super) fn signing<'a>(&'a self, project: &Project, now: Timestamp) -> Signing<'a> {
        Signing { chain: &self.chain, keys: &self.renewers, lifetimes: project.lifetimes(), now }
    }
}

/// One run on the stores of a project.
pub(super) struct Run<'a> {
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
    pub(super) by: String,
    pub(super) interrupt: Interrupt,
    pub(super) reporter: &'a Reporter<'a>,
    pub(super) kind: Kind,
    pub(super) reason: Option<String>,
    pub(super) consent: Consent,
    pub(super) others: Others,
    pub(super) clocks: Clocks,
}

impl Run<'_> {
    /// Asks a store what it shows.
    pub(super) fn base<'b>(&self, store: &'b Opened<'b>, tools: &Tools<'b>) -> Result<Base<'b>, Failure> {
        let name = &store.spec.name;
        let base = Base::read(tools, store.spec).and_then(|it| it.head.guard_clock(self.now).map(|()| it));
        base.map_err(|error| Failure::from(error).within(&format!("store `{name}`")))
    }

    /// Signs nothing; yet somebody may have died before the last timestamp of what the store shows.
    pub(super) fn finish(&self, store: &Opened<'_>, publication: u64) -> Result<Report, Failure> {
        let name = &store.spec.name;
        let progress = |event| self.reporter.event(name, event);
        let tools = store.tools(&progress);
        let seen = tools.state().head()?;
        let is_unfinished = seen.head.unfinished().is_some();
        if is_unfinished {
            publish::finish(&tools, name, seen).map_err(|error| failed(name, error))?;
            output::talk(&format!("store `{name}`: publication {publication} was left half-way, and is finished now"));
        }
        Ok(Report {
            store: name.clone(),
            publication,
            outcome: Outcome::Nothing,
            uploaded: Total::default(),
            timestamps: 0,
            finished_first: is_unfinished.then_some(publication),
        })
    }

    /// Publishes an index that came from the store itself.
    pub(super) fn publish(
        &self,
        store: &Opened<'_>,
        base: &Base<'_>,
        index: &Index,
        files: &dyn Objects,
    ) -> Result<Report, Failure> {
        let name = &store.spec.name;
        let progress = |event| self.reporter.event(name, event);
        let record =
            Record { by: self.by.clone(), reason: self.reason.clone(), kind: self.kind, guard: store.guard()? };
        let lineage: Vec<_> = base.point().into_iter().collect();
        let job = Job {
            tools: store.tools(&progress),
            spec: store.spec,
            index,
            files,
            lineage: &lineage,
            now: self.now,
            clock: &self.settings.clock(self.now),
            clocks: self.clocks,
            record: &record,
            consent: &self.consent,
            others: self.others,
            rewind: Rewind::Allow,
            threads: self.settings.threads,
            stop: &|| self.interrupt.is_asked(),
        };
        let planned = publish::plan_own(&job).map_err(|error| failed(name, error))?;
        self.reporter.begin(&planned.plan);
        let report = publish::apply(&job, &planned).map_err(|error| failed(name, error))?;
        self.reporter.finished(&planned.plan, &report);
        Ok(report)
    }
}

/// Why publishing stopped. Where somebody was quicker there is no folder that must be compiled again: the job itself
/// goes on from what is there then.
pub(super) fn failed(store: &str, error: PublishError) -> Failure {
    const AGAIN: &str = "run again: it goes on from what is there then";
    match error {
        PublishError::Superseded { current, .. } => {
            let message = format!(
                "`{}` made publication {} of store `{store}` at {} meanwhile",
                current.by, current.publication, current.at
            );
            Failure::new(Exit::Superseded, message).help(AGAIN)
        }
        PublishError::Busy { ref reservation, .. } if reservation.kind != Kind::Gc => {
            Failure::from(error).help("run again when they are done; if they are dead, `--take-over` goes on at once")
        }
        PublishError::TakenOver { .. } | PublishError::Burnt { .. } | PublishError::Stale { .. } => {
            Failure::from(error).help(AGAIN)
        }
        PublishError::State(_) => Failure::from(error).within(&format!("store `{store}`")),
        error => error.into(),
    }
}

/// Why signing stopped.
pub(super) fn not_signed(store: &str, error: RenewalError) -> Failure {
    match error {
        RenewalError::Store(error) => Failure::from(error).within(&format!("store `{store}`")),
        error @ RenewalError::Sign(_) => Failure::of(Exit::World, &error, None),
    }
}

/// Whether machines listen.
pub(super) fn is_machine(format: PlainFormat) -> bool {
    format == PlainFormat::Json
}

/// Does something for every store; one that fails does not hold up the rest. The first failure decides the exit code.
pub(super) fn each_store(
    stores: &[Opened<'_>],
    reporter: &Reporter<'_>,
    mut one: impl FnMut(&Opened<'_>) -> Result<Option<Report>, Failure>,
) -> Result<(), Failure> {
    let mut reports: Vec<Report> = Vec::new();
    let mut failures: Vec<(String, Failure)> = Vec::new();
    for store in stores {
        match one(store) {
            Ok(report) => reports.extend(report),
            Err(failure) => failures.push((store.spec.name.clone(), failure)),
        }
    }
    let said: Vec<(Option<&str>, &Failure)> = failures.iter().map(|(name, it)| (Some(name.as_str()), it)).collect();
    reporter.end(&reports, &said);
    super::publish::first_of(failures.into_iter().map(|(_, it)| it))
}
