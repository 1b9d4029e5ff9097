//! `tenantry gc`

use serde::Serialize;

use super::args::{GcArguments, PlainFormat};
use super::interrupt::Interrupt;
use super::settings::Settings;
use super::stores::{self, Opened};
use super::{Exit, Failure, output};
use crate::publish::Others;
use crate::publish::gc::{self, Collection, GcError, Need, Rules, Survey, Why};
use crate::publish::plan::Total;
use crate::time::{Duration, Timestamp};

/// How many objects are named to people.
const SHOWN: usize = 10;

/// One store, for machines.
#[derive(Serialize)]
struct Collected<'a> {
    store: &'a str,
    deleted: bool,
    #[serde(flatten)]
    survey: Survey,
}

pub(super) fn run(settings: &Settings, arguments: &GcArguments) -> Result<(), Failure> {
    let project = settings.project_file()?;
    let stores = stores::open(settings, &project, &arguments.store)?;
    let job = Gc::new(settings, arguments)?;
    let (mut surveys, mut failures) = (Vec::new(), Vec::new());
    for store in &stores {
        match job.store(store) {
            Ok(survey) => {
                if arguments.format == PlainFormat::Human {
                    output::result(&job.tell(&store.spec.name, &survey));
                }
                surveys.push(Collected { store: &store.spec.name, deleted: !arguments.dry_run, survey });
            }
            Err(failure) => failures.push(failure),
        }
    }
    if arguments.format == PlainFormat::Json {
        output::json(&surveys);
    }
    super::publish::first_of(failures.into_iter())
}

/// One store, as a dry run prints it for machines.
pub(super) fn survey(
    settings: &Settings,
    arguments: &GcArguments,
    store: &Opened<'_>,
) -> Result<serde_json::Value, Failure> {
    let survey = Gc::new(settings, arguments)?.store(store)?;
    let collected = Collected { store: &store.spec.name, deleted: !arguments.dry_run, survey };
    Ok(serde_json::to_value(collected).expect("results have only text keys"))
}

fn duration(option: &str, text: &str) -> Result<Duration, Failure> {
    Duration::parse(text).map_err(|why| Failure::new(Exit::Usage, format!("`{option} {text}` cannot be read: {why}")))
}

struct Gc<'a> {
    settings: &'a Settings,
    arguments: &'a GcArguments,
    now: Timestamp,
    rules: Rules,
    by: String,
    interrupt: Interrupt,
}

impl<'a> Gc<'a> {
    fn new(settings: &'a Settings, arguments: &'a GcArguments) -> Result<Gc<'a>, Failure> {
        let now = settings.now(arguments.at.as_deref())?;
        let rules = Rules {
            grace: duration("--grace", &arguments.grace)?,
            keep: usize::from(arguments.keep.get()),
            keep_for: duration("--keep-for", &arguments.keep_for)?,
        };
        Ok(Gc { settings, arguments, now, rules, by: settings.who(), interrupt: Interrupt::watch() })
    }

    fn store(&self, store: &Opened<'_>) -> Result<Survey, Failure> {
        let name = &store.spec.name;
        let collection = Collection {
            tools: store.tools(&|_| ()),
            store: name,
            rules: self.rules,
            now: self.now,
            clock: &self.settings.clock(self.now),
            clocks: self.settings.clocks(self.arguments.at.as_deref()),
            by: &self.by,
            others: match self.arguments.take_over {
                true => Others::TakeOver,
                false => Others::Respect,
            },
            stop: &|| self.interrupt.is_asked(),
        };
        let found = match self.arguments.dry_run {
            true => gc::survey(&collection),
            false => {
                // What keeps publishers away from what goes is a conditional write.
                store.guard()?;
                gc::collect(&collection)
            }
        };
        found.map_err(|error| failed(name, error))
    }

    /// What is there, and why, for people.
    fn tell(&self, name: &str, survey: &Survey) -> String {
        let total = survey.total();
        let mut text = format!(
            "{name}: {} {} ({})\n",
            if self.arguments.dry_run { "would delete" } else { "deleted" },
            output::counted(total.objects, "object"),
            output::bytes(total.bytes),
        );
        for it in survey.garbage.iter().take(SHOWN) {
            text += &format!("  {}  {}  unreferenced since {} or longer\n", it.key, output::bytes(it.bytes), it.since);
        }
        if survey.garbage.len() > SHOWN {
            text += &format!("  … and {} more\n", survey.garbage.len() - SHOWN);
        }
        text += &self.kept(survey);
        if survey.waiting.objects > 0 {
            let until = survey.next.map_or_else(String::new, |at| format!(", the first until {at}"));
            text += &said(survey.waiting, &format!("unreferenced, waiting for the end of their grace{until}"));
        }
        if survey.foreign.objects > 0 {
            text += &said(survey.foreign, "foreign, never touched");
        }
        if survey.is_unfinished && self.arguments.dry_run {
            text += "  the current publication is not finished: that would be done first\n";
        }
        if let Some(by) = &survey.at_work {
            text += &format!("  `{by}` is at work on it\n");
        }
        text
    }

    /// Objects that stay because a publication needs them.
    fn kept(&self, survey: &Survey) -> String {
        let (mut text, mut earlier) = (String::new(), Total::default());
        for it in &survey.needed {
            match it.need {
                Need::Current => text += &said(it.total, "kept for the current publication"),
                Need::Publication { .. } => {
                    earlier.objects += it.total.objects;
                    earlier.bytes += it.total.bytes;
                }
                Need::Reservation => text += &said(it.total, "kept for somebody who is publishing"),
                Need::Records => {}
            }
        }
        let numbers = |why: Why| survey.retained.iter().filter(move |it| it.why == why).map(|it| it.publication);
        for (why, what) in [
            (Why::Few, format!("among the last {}", self.rules.keep)),
            (Why::Recent, format!("current within the last {}", self.rules.keep_for)),
        ] {
            if let (Some(newest), Some(oldest)) = (numbers(why).max(), numbers(why).min()) {
                let which = match newest == oldest {
                    true => format!("publication {newest}"),
                    false => format!("publications {oldest} to {newest}"),
                };
                text += &format!("  to go back to: {which}, {what}\n");
            }
        }
        if earlier.objects > 0 {
            text += &said(earlier, "kept for going back");
        }
        text
    }
}

fn said(total: Total, why: &str) -> String {
    format!("  {} ({}): {why}\n", output::counted(total.objects, "object"), output::bytes(total.bytes))
}

fn failed(store: &str, error: GcError) -> Failure {
    let exit = match error {
        GcError::Publish(error) => return super::resign::failed(store, error),
        GcError::State(error) => return Failure::from(error).within(&format!("store `{store}`")),
        GcError::Nothing { .. } => Exit::Guard,
        GcError::Changed { .. } => Exit::Superseded,
        GcError::Interrupted { .. } => Exit::Interrupted,
    };
    let help = error.help();
    Failure::of(exit, &error, help)
}
