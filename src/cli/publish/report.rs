//! What `publish` says, to people and to machines.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::json;

use super::super::args::PlainFormat;
use super::super::settings::Settings;
use super::super::{Failure, output};
use crate::index::Point;
use crate::publish::head::Override;
use crate::publish::plan::{Item, ItemKind, Plan};
use crate::publish::{Event, Outcome, Report};

/// How often machines are told how far things are.
const EVERY: Duration = Duration::from_millis(500);

/// How many objects, timestamps or tenants of a kind are named to people.
const SHOWN: usize = 10;

/// Says what happens while it happens. JSON is one document a line; the last one is the summary.
pub(in crate::cli) struct Reporter<'a> {
    settings: &'a Settings,
    format: PlainFormat,
    count: Mutex<Count>,
}

/// How far one store is.
struct Count {
    bar: ProgressBar,
    objects: usize,
    bytes: u64,
    moved: usize,
    began_at: Duration,
    said_at: Duration,
    has_ended: bool,
}

impl Count {
    fn new(bar: ProgressBar, began_at: Duration) -> Count {
        Count { bar, objects: 0, bytes: 0, moved: 0, began_at, said_at: began_at, has_ended: false }
    }
}

impl<'a> Reporter<'a> {
    pub(in crate::cli) fn new(settings: &'a Settings, format: PlainFormat) -> Reporter<'a> {
        Reporter { settings, format, count: Mutex::new(Count::new(ProgressBar::hidden(), Duration::ZERO)) }
    }

    fn is_machine(&self) -> bool {
        self.format == PlainFormat::Json
    }

    /// A plan is about to be carried out.
    pub(in crate::cli) fn begin(&self, plan: &Plan) {
        let total = plan.total();
        let mut count = self.count.lock().expect("whoever holds it only counts");
        *count = Count::new(output::transfer(total.bytes), self.settings.began.elapsed());
        count.bar.set_message(plan.store.clone());
        if self.is_machine() {
            output::json_line(&json!({
                "event": "plan",
                "store": plan.store,
                "base": plan.base,
                "target": plan.target,
                "objects": total.objects,
                "bytes": total.bytes,
                "timestamps": plan.timestamps.len(),
                "totals": plan.totals,
                "leaves": plan.leaves,
            }));
        }
        if let [first, ..] = plan.leaves.as_slice() {
            output::warning(&format!(
                "{} store `{}`, such as `{}` ({}): what it has there stays until it expires and `gc` takes it away",
                match plan.leaves.len() {
                    1 => "1 tenant leaves".to_owned(),
                    many => format!("{many} tenants leave"),
                },
                plan.store,
                first.tenant,
                first.why
            ));
        }
    }

    /// Something has happened to a store.
    pub(in crate::cli) fn event(&self, store: &str, event: Event) {
        let mut count = self.count.lock().expect("whoever holds it only counts");
        match event {
            Event::Reserved { .. } => {}
            Event::Uploaded { bytes } => {
                count.objects += 1;
                count.bytes += bytes;
                count.bar.inc(bytes);
                self.progress(store, &mut count);
            }
            Event::Moved => {
                count.moved += 1;
                self.progress(store, &mut count);
            }
            Event::Committed { publication, timestamps } => {
                count.bar.set_message(format!("{store}: {}", output::counted(timestamps, "timestamp")));
                if self.is_machine() {
                    let event = json!({ "event": "committed", "store": store, "publication": publication, "timestamps": timestamps });
                    output::json_line(&event);
                }
            }
            Event::Finished { publication } => {
                count.bar.finish_and_clear();
                if self.is_machine() {
                    output::json_line(&json!({ "event": "finished", "store": store, "publication": publication }));
                }
            }
        }
    }

    fn progress(&self, store: &str, count: &mut Count) {
        let now = self.settings.began.elapsed();
        if self.is_machine() && now.saturating_sub(count.said_at) >= EVERY {
            count.said_at = now;
            output::json_line(&json!({
                "event": "progress",
                "store": store,
                "objects": count.objects,
                "bytes": count.bytes,
                "bytes_per_second": (count.bytes as f64 / now.saturating_sub(count.began_at).as_secs_f64()).round(),
                "timestamps": count.moved,
            }));
        }
    }

    /// A store shows what it should.
    pub(in crate::cli) fn finished(&self, plan: &Plan, report: &Report) {
        let count = self.count.lock().expect("whoever holds it only counts");
        count.bar.finish_and_clear();
        let took = self.settings.began.elapsed().saturating_sub(count.began_at);
        if let Some(number) = report.finished_first {
            output::talk(&format!(
                "store `{}`: publication {number} was left half-way, and is finished now",
                report.store
            ));
        }
        if self.is_machine() {
            return;
        }
        let before = plan.base.map_or_else(|| "nothing".into(), |it| it.publication.to_string());
        let done = match report.outcome {
            Outcome::Nothing => format!("publication {}, as before", report.publication),
            Outcome::Recorded => {
                format!("publication {}: shells see no difference, the record is up to date", report.publication)
            }
            Outcome::Published => format!(
                "publication {} (before: {before}) · {} ({}), {}",
                report.publication,
                output::counted(report.uploaded.objects, "object"),
                output::bytes(report.uploaded.bytes),
                output::counted(report.timestamps, "timestamp"),
            ),
        };
        output::result(&format!("{}: {done} in {}\n", report.store, output::seconds(took)));
    }

    /// Nothing was done at all. The summary says why, if it has not been said.
    pub(in crate::cli) fn stopped(&self, failure: &Failure) {
        let has_said = self.count.lock().expect("whoever holds it only counts").has_ended;
        if !has_said {
            self.end(&[], std::slice::from_ref(&(None, failure)));
        }
    }

    /// Nothing more is done.
    pub(in crate::cli) fn end(&self, reports: &[Report], failures: &[(Option<&str>, &Failure)]) {
        let mut count = self.count.lock().expect("whoever holds it only counts");
        count.bar.finish_and_clear();
        count.has_ended = true;
        if !self.is_machine() {
            return;
        }
        let stores = reports.iter().map(|it| {
            json!({
                "store": it.store,
                "publication": it.publication,
                "outcome": match it.outcome {
                    Outcome::Published => "published",
                    Outcome::Recorded => "recorded",
                    Outcome::Nothing => "nothing",
                },
                "objects": it.uploaded.objects,
                "bytes": it.uploaded.bytes,
                "timestamps": it.timestamps,
                "finished_first": it.finished_first,
            })
        });
        let failed = failures.iter().map(|(store, failure)| match failure {
            Failure::Because { exit, message, help } => {
                json!({ "store": store, "exit": *exit as u8, "message": message, "help": help })
            }
            Failure::Said(exit) => json!({ "store": store, "exit": *exit as u8 }),
        });
        output::json_line(&json!({
            "event": "done",
            "stores": stores.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
            "seconds": self.settings.began.elapsed().as_secs_f64(),
        }));
    }
}

/// A guard that is let pass.
pub(super) fn overridden(store: &str, it: &Override) {
    let (guard, number, limit) = (&it.guard, it.number, it.limit);
    output::warning(&format!(
        "store `{store}`: guard `{guard}` is let pass, by its number {number} (it lets {limit} through by itself); the record says so"
    ));
}

/// A plan, for people.
pub(super) fn plan(plan: &Plan) {
    let shown =
        |point: Option<Point>| point.map_or_else(|| "nothing".into(), |it| format!("publication {}", it.publication));
    if plan.is_nothing() {
        return output::result(&format!("{}: shows {} already\n", plan.store, shown(Some(plan.target))));
    }
    let total = plan.total();
    let mut text = format!(
        "{}: from {} to {}\n  to upload: {} ({})\n",
        plan.store,
        shown(plan.base),
        shown(Some(plan.target)),
        output::counted(total.objects, "object"),
        output::bytes(total.bytes),
    );
    for (kind, total) in &plan.totals {
        let items = plan.uploads.iter().filter(|it| it.kind == *kind);
        text += &format!("    {:<9} {:>6}  {}\n", word(*kind), total.objects, output::bytes(total.bytes));
        text += &some(items, |Item { key, length, why, .. }| format!("{key}  {}  {why}", output::bytes(*length)));
    }
    text += &format!("  to move: {}\n", output::counted(plan.timestamps.len(), "timestamp"));
    text += &some(plan.timestamps.iter(), |it| match it.from {
        Some(from) => format!("tenant `{}` from {from} to {}", it.tenant, it.to),
        None => format!("tenant `{}`, new here, to {}", it.tenant, it.to),
    });
    if !plan.leaves.is_empty() {
        text += &format!("  to leave, with all that is there: {}\n", output::counted(plan.leaves.len(), "tenant"));
        text += &some(plan.leaves.iter(), |it| format!("tenant `{}`: {}", it.tenant, it.why));
    }
    output::result(&text);
}

fn word(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Root => "roots",
        ItemKind::Bundle => "bundles",
        ItemKind::Manifest => "manifests",
        ItemKind::Overlay => "overlays",
        ItemKind::Targets => "targets",
        ItemKind::Snapshot => "snapshots",
        ItemKind::State => "state",
    }
}

/// The first few, a line each, and how many there are besides.
fn some<'a, T: 'a>(mut all: impl Iterator<Item = &'a T>, line: impl Fn(&T) -> String) -> String {
    let mut text: String = all.by_ref().take(SHOWN).map(|it| format!("      {}\n", line(it))).collect();
    match all.count() {
        0 => {}
        more => text += &format!("      … and {more} more\n"),
    }
    text
}
