//! Carries a plan out: reserves the number, uploads, and has the publication count by one compare-and-swap.

use super::check::read;
use super::finish::{complete, finish};
use super::head::{Override, Published, Reservation};
use super::plan::{Item, ItemKind, Planned, Total, guard_lineage, obstacle};
use super::state::{Seen, Swap};
use super::{Clocks, Event, Job, PublishError, workers};
use crate::time::Duration;

/// A reservation that is older than this is renewed while uploads go on.
const RENEWAL: Duration = Duration::minutes(2);

/// Most objects that are uploaded between two looks at the clock.
const MOST_OBJECTS: usize = 2048;

/// Most bytes that are uploaded between two looks at the clock, if it is more than one object.
const MOST_BYTES: u64 = 64 << 20;

/// What became of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The store's name.
    pub store: String,
    /// The publication that it shows.
    pub publication: u64,
    /// What was done.
    pub outcome: Outcome,
    /// Objects and bytes put, not counting timestamps.
    pub uploaded: Total,
    /// Timestamps that have moved.
    pub timestamps: usize,
    /// The publication of somebody else that was finished first.
    pub finished_first: Option<u64>,
}

/// What was done to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Shells see a new publication.
    Published,
    /// Shells see no difference; the store's own records do.
    Recorded,
    /// It showed all this already.
    Nothing,
}

/// Does what a plan says, and only that.
///
/// A publication that somebody else left half-way is finished first. Until ours counts, any failure leaves objects
/// that nothing refers to, and the next run uses them; from then on the run goes on to the end, and so may anybody.
pub fn apply(job: &Job<'_>, planned: &Planned) -> Result<Report, PublishError> {
    let plan = &planned.plan;
    let tools = &job.tools;
    let mut report = Report {
        store: plan.store.clone(),
        publication: plan.target.publication,
        outcome: Outcome::Nothing,
        uploaded: Total::default(),
        timestamps: 0,
        finished_first: None,
    };
    let overrides = planned.overrides(job.consent)?;
    let mut seen = planned.seen.clone();
    if let Some(current) = seen.head.unfinished().cloned() {
        report.finished_first = Some(current.publication);
        seen = match finish(tools, &plan.store, seen) {
            Err(PublishError::Overtaken { store, current, .. }) if !plan.is_nothing() => {
                return Err(PublishError::Superseded { store, current });
            }
            finished => finished?,
        };
    }
    if plan.is_nothing() {
        return Ok(report);
    }
    seen = publish(job, planned, overrides, seen)?;
    match seen.head.current.clone() {
        Some(current) if current.point() != plan.target => {
            let (store, number) = (plan.store.clone(), plan.target.publication);
            return Err(PublishError::Overtaken { store, number, current: Box::new(current) });
        }
        _ => complete(tools, &plan.store, seen, &planned.index, &planned.timestamps)?,
    };
    report.outcome = match plan.is_silent() {
        true => Outcome::Recorded,
        false => Outcome::Published,
    };
    report.uploaded = plan.total();
    report.timestamps = plan.timestamps.len();
    Ok(report)
}

/// From a plan to the moment at which it counts.
fn publish(job: &Job<'_>, planned: &Planned, overrides: Vec<Override>, seen: Seen) -> Result<Seen, PublishError> {
    let plan = &planned.plan;
    let mut seen = match reserve(job, planned, seen)? {
        Claim::Ours(seen) => seen,
        Claim::Counts(there) => return Ok(there),
    };
    let total = plan.total();
    let event = Event::Reserved { publication: plan.target.publication, objects: total.objects, bytes: total.bytes };
    (job.tools.progress)(event);
    for batch in batches(&plan.uploads) {
        let one = |item: &Item| upload(job, planned, item);
        workers::each(job.tools.at_once, batch, one)?;
        match renew(job, planned, seen)? {
            Claim::Ours(renewed) => seen = renewed,
            Claim::Counts(there) => return Ok(there),
        }
    }
    check_stop(job, planned)?;
    let seen = commit(job, planned, &overrides, seen)?;
    let (publication, timestamps) = (plan.target.publication, plan.timestamps.len());
    (job.tools.progress)(Event::Committed { publication, timestamps });
    Ok(seen)
}

/// Where a publication stands.
enum Claim {
    /// The number is ours, and nothing counts yet.
    Ours(Seen),
    /// It counts already: somebody with the same bytes was quicker, or an answer was lost.
    Counts(Seen),
}

/// Makes the number ours. Whoever publishes nothing under the number needs none.
fn reserve(job: &Job<'_>, planned: &Planned, mut seen: Seen) -> Result<Claim, PublishError> {
    let plan = &planned.plan;
    loop {
        if seen.head.has_had(plan.target) {
            return Ok(Claim::Counts(seen));
        }
        guard_base(job, planned, &seen)?;
        obstacle(job, &seen.head, plan)?;
        let reserved = seen.head.reserved.as_ref();
        let has_it = reserved.is_some_and(|it| it.point() == plan.target && !it.is_over(job.now));
        if has_it || plan.is_silent() {
            return Ok(Claim::Ours(seen));
        }
        match job.tools.state().swap(&seen, seen.head.reserve(reservation(job, planned)))? {
            Swap::Done(seen) => {
                if job.clocks == Clocks::Compare {
                    job.tools.state().guard_clock((job.clock)())?;
                }
                return Ok(Claim::Ours(seen));
            }
            Swap::Lost(there) => seen = there,
        }
    }
}

fn reservation(job: &Job<'_>, planned: &Planned) -> Reservation {
    let (target, record) = (planned.plan.target, job.record);
    Reservation {
        publication: target.publication,
        index: target.index,
        by: record.by.clone(),
        at: (job.clock)(),
        kind: record.kind,
    }
}

/// What a plan was made for must still be there. If not, somebody was quicker.
fn guard_base(job: &Job<'_>, planned: &Planned, there: &Seen) -> Result<(), PublishError> {
    if there.head.point() == planned.plan.base {
        return Ok(());
    }
    // Perhaps from the very same folder, and so from what it descends from.
    guard_lineage(job, &there.head)?;
    Err(taken_over(job, planned, there))
}

fn taken_over(job: &Job<'_>, planned: &Planned, there: &Seen) -> PublishError {
    let (by, at) = match (&there.head.reserved, &there.head.current) {
        (Some(it), _) => (it.by.clone(), it.at),
        (None, Some(it)) => (it.by.clone(), it.at),
        (None, None) => ("somebody".into(), job.now),
    };
    let (store, number) = (planned.plan.store.clone(), planned.plan.target.publication);
    PublishError::TakenOver { store, number, by, at }
}

/// Objects in pieces: one kind after the other, and never so many that a reservation could run out.
fn batches(items: &[Item]) -> Vec<&[Item]> {
    let mut batches = Vec::new();
    for mut items in items.chunk_by(|a, b| a.kind == b.kind) {
        while !items.is_empty() {
            let mut bytes = 0;
            let fits = items.iter().take_while(|it| {
                let is_room = bytes + it.length <= MOST_BYTES;
                bytes += it.length;
                is_room
            });
            let (batch, rest) = items.split_at(fits.count().clamp(1, MOST_OBJECTS));
            batches.push(batch);
            items = rest;
        }
    }
    batches
}

fn upload(job: &Job<'_>, planned: &Planned, item: &Item) -> Result<(), PublishError> {
    check_stop(job, planned)?;
    let bytes = match item.kind {
        ItemKind::State if item.sha256 == planned.plan.target.index => planned.bytes.clone(),
        ItemKind::State => planned.timestamps.to_bytes(planned.plan.target.publication),
        _ => read(job.files, item).map_err(|finding| PublishError::Unsound(vec![finding]))?,
    };
    job.tools.state().put(&item.key, &bytes)?;
    (job.tools.progress)(Event::Uploaded { bytes: item.length });
    Ok(())
}

fn check_stop(job: &Job<'_>, planned: &Planned) -> Result<(), PublishError> {
    match (job.stop)() {
        true => {
            let (store, number) = (planned.plan.store.clone(), planned.plan.target.publication);
            Err(PublishError::Interrupted { store, number })
        }
        false => Ok(()),
    }
}

/// Keeps a reservation from running out while a long upload goes on.
fn renew(job: &Job<'_>, planned: &Planned, seen: Seen) -> Result<Claim, PublishError> {
    let is_fresh = seen.head.reserved.as_ref().is_none_or(|it| it.at.until((job.clock)()) < RENEWAL);
    if is_fresh {
        return Ok(Claim::Ours(seen));
    }
    match job.tools.state().swap(&seen, seen.head.reserve(reservation(job, planned)))? {
        Swap::Done(seen) => Ok(Claim::Ours(seen)),
        Swap::Lost(there) => lost(job, planned, there),
    }
}

/// Somebody has changed the head while we were at work.
fn lost(job: &Job<'_>, planned: &Planned, there: Seen) -> Result<Claim, PublishError> {
    let target = planned.plan.target;
    if there.head.has_had(target) {
        return Ok(Claim::Counts(there));
    }
    // A twin has renewed the reservation, which is as good as ours.
    let is_reserved = there.head.reserved.as_ref().is_some_and(|it| it.point() == target);
    if is_reserved && there.head.point() == planned.plan.base {
        return Ok(Claim::Ours(there));
    }
    guard_base(job, planned, &there)?;
    Err(taken_over(job, planned, &there))
}

/// The one step by which a publication counts.
fn commit(job: &Job<'_>, planned: &Planned, overrides: &[Override], mut seen: Seen) -> Result<Seen, PublishError> {
    let (plan, record) = (&planned.plan, job.record);
    let published = |seen: &Seen| Published {
        publication: plan.target.publication,
        index: plan.target.index,
        at: job.now,
        commit: plan.commit.clone(),
        by: record.by.clone(),
        guard: record.guard,
        reason: record.reason.clone(),
        kind: record.kind,
        overrides: overrides.to_vec(),
        finished: plan.timestamps.is_empty(),
        timestamps: plan.uploads.iter().find(|it| it.key.ends_with(".timestamps")).map(|it| it.sha256),
        receipt: seen.head.current.as_ref().and_then(|it| it.receipt),
    };
    loop {
        match job.tools.state().swap(&seen, seen.head.commit(published(&seen)))? {
            Swap::Done(seen) => return Ok(seen),
            Swap::Lost(there) => match lost(job, planned, there)? {
                Claim::Counts(there) => return Ok(there),
                Claim::Ours(there) => seen = there,
            },
        }
    }
}
