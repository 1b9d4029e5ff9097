//! Garbage collection: what no publication needs any more leaves a store, and nothing else ever does.
//!
//! It takes two looks, a day apart. The first one that finds an object unreferenced marks it (`state/gc.json`); only a
//! later one deletes it, if it is still unreferenced and has not been put again. While it deletes it holds the store's
//! reservation, so that no publisher relies on an object that is about to go. A crash anywhere leaves less garbage.

mod marks; // what was found unreferenced, and since when
mod reach; // what is needed, and by which publication
mod sort; // every object of the store: needed, waiting, foreign, or garbage

use serde::Serialize;

use self::marks::{Marks, MarksSeen};
pub use self::reach::{Need, Retained, Why};
use self::reach::{Reach, retained};
use super::head::{Head, Kind, Past, Reservation};
use super::plan::Total;
use super::state::{Seen, StateError, Swap, index_key};
use super::{Clocks, Others, PublishError, Tools, finish};
use crate::digest::Sha256;
use crate::time::{Duration, Timestamp};

/// How many objects are deleted between two looks at the reservation.
const BATCH: usize = 500;

/// What is kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// How long an object has been known to be unreferenced before it goes.
    pub grace: Duration,
    /// How many publications stay whole, the current one among them.
    pub keep: usize,
    /// For how long a publication stays whole after another has followed it.
    pub keep_for: Duration,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { grace: Duration::days(1), keep: 10, keep_for: Duration::days(30) }
    }
}

/// A collection in one store.
#[derive(Clone, Copy)]
pub struct Collection<'a> {
    /// The store, and how to work on it.
    pub tools: Tools<'a>,
    /// Its name.
    pub store: &'a str,
    /// What is kept.
    pub rules: Rules,
    /// When the command began.
    pub now: Timestamp,
    /// What time it is meanwhile.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Whether the store's clock is compared with ours.
    pub clocks: Clocks,
    /// Who collects.
    pub by: &'a str,
    /// What to do about somebody who is publishing.
    pub others: Others,
    /// Whether somebody wants it to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// What lies in a store, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// Publications that stay whole, newest first.
    pub retained: Vec<Retained>,
    /// Objects that somebody needs, by the newest publication that does.
    pub needed: Vec<Needed>,
    /// Objects that nobody needs, whose grace has not ended.
    pub waiting: Total,
    /// When the first of these may go.
    pub next: Option<Timestamp>,
    /// Objects that are none of ours: they are never touched.
    pub foreign: Total,
    /// What goes, in the order in which it does.
    pub garbage: Vec<Garbage>,
    /// Whether the current publication is still to be finished.
    pub is_unfinished: bool,
    /// Somebody who is at work on the store.
    pub at_work: Option<String>,
}

/// Objects that somebody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// Who.
    #[serde(flatten)]
    pub need: Need,
    /// How many.
    #[serde(flatten)]
    pub total: Total,
}

/// An object that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub bytes: u64,
    /// Since when it has been known to be unreferenced.
    pub since: Timestamp,
}

impl Survey {
    /// Everything that goes.
    pub fn total(&self) -> Total {
        self.garbage
            .iter()
            .fold(Total::default(), |sum, it| Total { objects: sum.objects + 1, bytes: sum.bytes + it.bytes })
    }
}

/// Why a collection stops. Nothing that is needed is ever gone then.
#[derive(Debug, thiserror::Error)]
pub enum GcError {
    /// The store failed, or what lies below its `state/` is not what it should be.
    #[error(transparent)]
    State(#[from] StateError),
    /// Somebody is at work, or the current publication cannot be finished.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Nothing would be reachable, so everything would go.
    #[error("store `{store}` shows no publication that has tenants: nothing is deleted")]
    Nothing {
        /// Which store.
        store: String,
    },
    /// The head or the marks were changed meanwhile.
    #[error("store `{store}` was changed meanwhile by {by}")]
    Changed {
        /// Which store.
        store: String,
        /// By whom.
        by: String,
    },
    /// Somebody stopped it.
    #[error("stopped: {deleted} of {all} objects are gone")]
    Interrupted {
        /// How many were deleted.
        deleted: usize,
        /// How many there were to delete.
        all: usize,
    },
}

impl From<crate::store::StoreError> for GcError {
    fn from(error: crate::store::StoreError) -> GcError {
        GcError::State(error.into())
    }
}

impl GcError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            GcError::State(error) => error.help(),
            GcError::Publish(PublishError::Busy { .. }) => {
                Some("run again when they are done; if they are dead, `--take-over` goes on at once".into())
            }
            GcError::Publish(error) => error.help(),
            GcError::Nothing { .. } => {
                Some("if it should show one, restore `state/` of the store from a backup".into())
            }
            GcError::Changed { .. } | GcError::Interrupted { .. } => {
                Some("run again: a collection can stop anywhere and go on later".into())
            }
        }
    }
}

/// Looks at a store, and changes nothing.
pub fn survey(collection: &Collection<'_>) -> Result<Survey, GcError> {
    let seen = collection.tools.state().head()?;
    let marks = marks::read(&collection.tools)?;
    collection.survey(&seen, &marks.marks).map(|(survey, _)| survey)
}

/// Marks what nobody needs, and deletes what was marked long enough ago. Gives back what was found: its garbage is
/// gone then.
pub fn collect(collection: &Collection<'_>) -> Result<Survey, GcError> {
    let tools = &collection.tools;
    let seen = tools.state().head()?;
    seen.head.guard_clock(collection.now)?;
    collection.guard_others(&seen)?;
    let seen = finish(tools, collection.store, seen)?;
    let marks = marks::read(tools)?;
    let (survey, next) = collection.survey(&seen, &marks.marks)?;
    let marks = marks::write(tools, collection.store, marks, next)?;
    match survey.garbage.is_empty() {
        true => collection.clear(&seen)?,
        false => collection.delete(seen, &survey.garbage, marks)?,
    }
    Ok(survey)
}

impl Collection<'_> {
    /// Somebody who is at work keeps us away, until they are taken for dead.
    fn guard_others(&self, seen: &Seen) -> Result<(), GcError> {
        match self.at_work(seen) {
            Some(it) if self.others == Others::Respect => {
                let (store, reservation) = (self.store.to_owned(), Box::new(it.clone()));
                Err(PublishError::Busy { store, reservation }.into())
            }
            _ => Ok(()),
        }
    }

    fn at_work<'s>(&self, seen: &'s Seen) -> Option<&'s Reservation> {
        seen.head.reserved.as_ref().filter(|it| !it.is_over(self.now))
    }

    /// What lies in the store, and the marks that it has from now on.
    fn survey(&self, seen: &Seen, marks: &Marks) -> Result<(Survey, Marks), GcError> {
        let nothing = || GcError::Nothing { store: self.store.to_owned() };
        let current = seen.head.current.as_ref().ok_or_else(nothing)?;
        let mut retained = retained(&seen.head, &self.rules, self.now);
        // A head whose history says otherwise is not one that we have written.
        if retained.first().map(|(past, _)| past.point()) != Some(current.point()) {
            return Err(nothing());
        }
        let at_work = self.at_work(seen);
        let reserved = at_work.filter(|it| it.kind != Kind::Gc).map(|it| it.publication);
        let reach = Reach::new(&self.tools.state(), &seen.head, &mut retained, marks.collected, reserved)?;
        if reach.is_empty() {
            return Err(nothing());
        }
        let sorted = sort::every_object(self, &reach, marks)?;
        let collected = newest_index(&seen.head, &sorted.garbage);
        let next = Marks { collected: marks.collected.max(collected), marks: sorted.marks, ..marks.clone() };
        let retained = retained.into_iter().map(|(Past { publication, at, kind, .. }, why)| Retained {
            publication,
            at,
            kind,
            why,
        });
        let survey = Survey {
            retained: retained.collect(),
            needed: sorted.needed.into_iter().map(|(need, total)| Needed { need, total }).collect(),
            waiting: sorted.waiting,
            next: sorted.next,
            foreign: sorted.foreign,
            garbage: sorted.garbage,
            is_unfinished: !current.finished,
            at_work: at_work.map(|it| it.by.clone()),
        };
        Ok((survey, next))
    }

    /// Takes away the reservation of a collection that died behind its last deletion. Whoever is quicker has done so.
    fn clear(&self, seen: &Seen) -> Result<(), GcError> {
        if seen.head.reserved.as_ref().is_some_and(|it| it.kind == Kind::Gc) {
            self.tools.state().swap(seen, seen.head.release())?;
        }
        Ok(())
    }

    /// Deletes under the store's reservation, which is given back whatever happens.
    fn delete(&self, seen: Seen, garbage: &[Garbage], marks: MarksSeen) -> Result<(), GcError> {
        let before = seen.head.reserved.clone();
        let mut held = self.hold(&seen, garbage)?;
        // By a wrong clock a day may pass in a moment.
        let is_in_time = match self.clocks {
            Clocks::Compare => self.tools.state().guard_clock((self.clock)()).map_err(GcError::from),
            Clocks::Trust => Ok(()),
        };
        let outcome = is_in_time.and_then(|()| self.delete_all(&mut held, garbage, marks));
        // A number that a dead publisher has bound to its files stays bound to them.
        let before = before.filter(|it| it.kind != Kind::Gc && it.is_over(self.now));
        let released = self.tools.state().swap(&held, Head { reserved: before, ..held.head.clone() });
        outcome?;
        match released? {
            Swap::Done(_) => Ok(()),
            Swap::Lost(there) => Err(self.changed(&there)),
        }
    }

    fn delete_all(&self, held: &mut Seen, garbage: &[Garbage], marks: MarksSeen) -> Result<(), GcError> {
        let (all, mut deleted) = (garbage.len(), 0);
        for batch in batches(garbage) {
            if (self.stop)() {
                return Err(GcError::Interrupted { deleted, all });
            }
            if deleted > 0 {
                *held = self.hold(held, garbage)?;
            }
            let keys: Vec<String> = batch.iter().map(|it| it.key.clone()).collect();
            self.tools.patience.retry(|| self.tools.store.delete(&keys))?;
            deleted += keys.len();
        }
        let mut next = marks.marks.clone();
        for it in garbage {
            next.marks.remove(&it.key);
        }
        match marks::write(&self.tools, self.store, marks, next) {
            // Marks of what is gone do no harm: the next collection drops them.
            Ok(_) | Err(GcError::Changed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Keeps publishers away from now on. That the head is still the one that was looked at says that nobody has come
    /// to need what nobody needed.
    fn hold(&self, seen: &Seen, garbage: &[Garbage]) -> Result<Seen, GcError> {
        let current = seen.head.current.as_ref().map_or(0, |it| it.publication);
        // It binds the number of no publication: no folder descends from a list of garbage.
        let keys: Vec<&str> = garbage.iter().map(|it| it.key.as_str()).collect();
        let reservation = Reservation {
            publication: current,
            index: Sha256::of(keys.join("\n").as_bytes()),
            by: self.by.to_owned(),
            at: (self.clock)(),
            kind: Kind::Gc,
        };
        match self.tools.state().swap(seen, seen.head.reserve(reservation))? {
            Swap::Done(held) => Ok(held),
            Swap::Lost(there) => Err(self.changed(&there)),
        }
    }

    fn changed(&self, there: &Seen) -> GcError {
        let by = there.head.latest().map_or_else(|| "somebody".into(), |(by, _)| format!("`{by}`"));
        GcError::Changed { store: self.store.to_owned(), by }
    }
}

/// A tenant that goes loses its timestamp first: one that is there always leads to everything that it needs.
fn batches(garbage: &[Garbage]) -> impl Iterator<Item = &[Garbage]> {
    let timestamps = garbage.partition_point(|it| it.key.ends_with(sort::TIMESTAMP));
    let (timestamps, others) = garbage.split_at(timestamps);
    timestamps.chunks(BATCH).chain(others.chunks(BATCH))
}

/// The newest publication that was once current and whose index goes.
fn newest_index(head: &Head, garbage: &[Garbage]) -> u64 {
    let goes = |it: &&Past| {
        let key = index_key(it.point());
        garbage.iter().any(|it| it.key == key)
    };
    head.history.iter().filter(goes).map(|it| it.publication).max().unwrap_or_default()
}
