//! `tenantry refresh`

use serde_json::json;

use super::args::RefreshArguments;
use super::interrupt::Interrupt;
use super::publish::report::Reporter;
use super::resign::{Keys, Run, each_store, failed, is_machine, not_signed};
use super::settings::Settings;
use super::stores::{self, Opened};
use super::{Exit, Failure, output};
use crate::model::Project;
use crate::publish::guards::Consent;
use crate::publish::head::Kind;
use crate::publish::refresh::{self, Due, Extent, NEXT, Refreshed, Renewal};
use crate::publish::{Others, Report};

/// How many tenants are named to people.
const SHOWN: usize = 10;

pub(super) fn run(settings: &Settings, arguments: &RefreshArguments) -> Result<(), Failure> {
    let reporter = Reporter::new(settings, arguments.format);
    let outcome = refresh(settings, arguments, &reporter);
    if let Err(failure) = &outcome {
        reporter.stopped(failure);
    }
    outcome
}

fn refresh(settings: &Settings, arguments: &RefreshArguments, reporter: &Reporter<'_>) -> Result<(), Failure> {
    let now = settings.now(arguments.at.as_deref())?;
    let project = settings.project_file()?;
    let stores = stores::open(settings, &project, &arguments.store)?;
    let keys = Keys::read(settings, &arguments.keys, &project, now)?;
    let run = Run {
        settings,
        now,
        by: settings.who(),
        interrupt: Interrupt::watch(),
        reporter,
        kind: Kind::Refresh,
        reason: None,
        consent: Consent::default(),
        others: match arguments.take_over {
            true => Others::TakeOver,
            false => Others::Respect,
        },
        clocks: settings.clocks(arguments.at.as_deref()),
    };
    let extent = match arguments.all {
        true => Extent::All,
        false => Extent::Due,
    };
    let refresh = Refresh { run, project: &project, keys: &keys, extent, arguments };
    each_store(&stores, reporter, |store| refresh.store(store))
}

struct Refresh<'a> {
    run: Run<'a>,
    project: &'a Project,
    keys: &'a Keys,
    extent: Extent,
    arguments: &'a RefreshArguments,
}

impl Refresh<'_> {
    fn store(&self, store: &Opened<'_>) -> Result<Option<Report>, Failure> {
        let (name, now) = (&store.spec.name, self.run.now);
        let progress = |event| self.run.reporter.event(name, event);
        let tools = store.tools(&progress);
        let base = self.run.base(store, &tools)?;
        let Some(index) = &base.index else {
            output::talk(&format!("{name}: nothing was published yet"));
            return Ok(None);
        };
        let signing = self.keys.signing(self.project, now);
        let due = refresh::due(&signing, index, self.extent);
        self.remind(name, &due);
        if is_machine(self.arguments.format) {
            output::json_line(&json!({ "event": "due", "store": name, "publication": index.publication, "due": due }));
        }
        if self.arguments.dry_run {
            if !is_machine(self.arguments.format) {
                output::result(&plan(name, &due));
            }
            return self.late(name, &due).map_or(Ok(None), Err);
        }
        if due.is_nothing() {
            let report = self.nothing(store, index.publication, &due)?;
            return self.late(name, &due).map_or(Ok(Some(report)), Err);
        }
        refresh::guard(&signing, &base).map_err(|error| failed(name, error))?;
        let number = base.head.next_number();
        let refreshed =
            refresh::sign(&signing, &tools, index, &due, number).map_err(|error| not_signed(name, error))?;
        let report = self.run.publish(store, &base, &refreshed.index, &refreshed.files)?;
        self.say(name, &due, &refreshed);
        match refused(name, &refreshed).or_else(|| self.late(name, &due)) {
            Some(failure) => Err(failure),
            None => Ok(Some(report)),
        }
    }

    fn nothing(&self, store: &Opened<'_>, publication: u64, due: &Due) -> Result<Report, Failure> {
        let report = self.run.finish(store, publication)?;
        if !is_machine(self.arguments.format) {
            let next = due.next.map_or_else(String::new, |at| format!("; the next is on {at}"));
            output::result(&format!("{}: nothing was due in publication {publication}{next}\n", store.spec.name));
        }
        Ok(report)
    }

    /// What somebody should do who is not here.
    fn remind(&self, name: &str, due: &Due) {
        if let Some(at) = due.first_out_of_reach() {
            output::warning(&format!(
                "store `{name}`: the entitlements of {} should be signed again, and there is no entitlement key here; the first expire on {at}\n         {}",
                tenants(due.out_of_reach.len()),
                "run `tenantry refresh` where that key is, or compile and publish",
            ));
        }
        if let [first, ..] = due.passed.as_slice() {
            output::warning(&format!(
                "store `{name}`: the line-up of {} changed by itself, such as that of `{}` at {}: compile and publish",
                tenants(due.passed.len()),
                first.tenant,
                first.at
            ));
        }
        let root = self.keys.root_expires();
        let lifetimes = self.project.lifetimes();
        let longest = |renewals: &[Renewal], lifetime| (!renewals.is_empty()).then(|| self.run.now.plus(lifetime));
        let until =
            longest(&due.timestamps, lifetimes.freshness).max(longest(&due.entitlements, lifetimes.entitlement));
        if let Some(until) = until.filter(|it| *it > root) {
            output::warning(&format!(
                "what is signed now says until {until}, and the newest root expires on {root}: shells go by the root"
            ));
        }
    }

    /// Whether something expires before this job runs next, and nothing here can help that.
    fn late(&self, name: &str, due: &Due) -> Option<Failure> {
        let limit = self.run.now.plus(NEXT);
        let late = due.out_of_reach.iter().filter(|it| it.expires <= limit).count();
        (late > 0).then(|| {
            let message = format!(
                "store `{name}`: the entitlements of {} expire before {limit}, and there is no entitlement key here",
                tenants(late)
            );
            Failure::new(Exit::Guard, message)
                .help("run `tenantry refresh` where the entitlement key is, or compile and publish; shells refuse what has expired")
        })
    }

    fn say(&self, name: &str, due: &Due, refreshed: &Refreshed) {
        if is_machine(self.arguments.format) {
            return output::json_line(&json!({ "event": "signed", "store": name, "refused": refreshed.refused }));
        }
        output::result(&format!(
            "{name}: signed again {} and {}{}\n",
            output::counted(due.timestamps.len(), "timestamp"),
            output::counted(due.entitlements.len(), "entitlement"),
            reasons(due.timestamps.iter().chain(&due.entitlements)),
        ));
    }
}

/// What the store holds and we have not signed.
fn refused(name: &str, refreshed: &Refreshed) -> Option<Failure> {
    let [first, ..] = refreshed.refused.as_slice() else { return None };
    for finding in refreshed.refused.iter().take(SHOWN) {
        output::talk(&format!("{}: {}", finding.key, finding.problem));
    }
    let message = format!(
        "store `{name}`: {} could not be signed again, since what is there is not what was signed: `{}`: {}",
        tenants(refreshed.refused.len()),
        first.key,
        first.problem
    );
    Some(Failure::new(Exit::Refused, message).help(
        "find out who wrote there; the next compile with `--onto` makes these tenants anew. All others are fresh",
    ))
}

/// What a refresh would do, for people.
fn plan(name: &str, due: &Due) -> String {
    let mut text = match due.is_nothing() {
        true => format!("{name}: nothing is due{}\n", due.next.map_or_else(String::new, |at| format!(" before {at}"))),
        false => format!(
            "{name}: would sign again {} and {}{}\n",
            output::counted(due.timestamps.len(), "timestamp"),
            output::counted(due.entitlements.len(), "entitlement"),
            reasons(due.timestamps.iter().chain(&due.entitlements)),
        ),
    };
    for (word, renewals) in [("entitlement", &due.entitlements), ("timestamp", &due.timestamps)] {
        for it in renewals.iter().take(SHOWN) {
            text += &format!("  {word} of `{}`, which expires on {}\n", it.tenant, it.expires);
        }
        if renewals.len() > SHOWN {
            text += &format!("  … and {} more\n", renewals.len() - SHOWN);
        }
    }
    for root in &due.roots {
        text += &format!("  root {root} is new there\n");
    }
    text
}

fn reasons<'a>(renewals: impl Iterator<Item = &'a Renewal>) -> String {
    let renewals: Vec<Renewal> = renewals.cloned().collect();
    let counts = refresh::count(&renewals);
    let words: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    match words.is_empty() {
        true => String::new(),
        false => format!(" ({})", words.join(", ")),
    }
}

fn tenants(count: usize) -> String {
    output::counted(count, "tenant")
}
