//! A place in a store to try things in, which is empty again afterwards.

use std::collections::BTreeSet;
use std::sync::{Barrier, Mutex};
use std::thread;

use crate::store::{ETag, Fetched, Listed, Patience, Precondition, Served, Store, StoreError, Upload};

/// More than anything that is put here.
const MAX: u64 = 1 << 20;

/// What became of a put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tried {
    /// It was done.
    Done(ETag),
    /// Its condition did not hold.
    Refused,
}

impl Tried {
    /// The complaint, if it was done and should not have been.
    pub(super) fn complaint(&self, text: &str) -> Option<String> {
        match self {
            Tried::Done(_) => Some(text.into()),
            Tried::Refused => None,
        }
    }
}

/// What many do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Race {
    Create,
    Replace,
}

/// How often, and how many at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Races {
    /// Races of each kind.
    pub(super) rounds: usize,
    /// Puts in each.
    pub(super) racers: usize,
}

/// Some keys with one prefix.
pub(super) struct Bench<'a> {
    store: &'a dyn Store,
    patience: Patience,
    prefix: String,
    used: Mutex<BTreeSet<String>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(store: &'a dyn Store, patience: Patience, prefix: &str) -> Bench<'a> {
        Bench { store, patience, prefix: prefix.into(), used: Mutex::default() }
    }

    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Tries something and takes away what it has left.
    pub(super) fn in_order<T>(&self, tries: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let result = tries();
        let used = std::mem::take(&mut *self.used.lock().expect("nobody panics with it"));
        let used: Vec<String> = used.into_iter().collect();
        // Whoever may not delete leaves a few small objects behind; publishing needs no such right.
        let _ = self.store.delete(&used);
        result
    }

    pub(super) fn put(&self, name: &str, text: &str, precondition: Precondition) -> Result<Tried, StoreError> {
        self.put_bytes(name, text.as_bytes(), precondition)
    }

    /// Puts, and finds out for certain whether that was done. Unlike [`settle`](crate::store::settle) it takes the
    /// store's word for what the condition came to: that is what is on trial.
    pub(super) fn put_bytes(&self, name: &str, bytes: &[u8], precondition: Precondition) -> Result<Tried, StoreError> {
        let key = self.key(name);
        self.used.lock().expect("nobody panics with it").insert(key.clone());
        let upload = Upload { key: &key, bytes, precondition };
        let mut in_doubt = false;
        self.patience.retry(|| match self.store.put(&upload) {
            Ok(etag) => Ok(Tried::Done(etag)),
            Err(StoreError::Precondition { .. }) if !in_doubt => Ok(Tried::Refused),
            // What was refused may be our own put coming back to us, after its answer was lost.
            Err(error @ (StoreError::Precondition { .. } | StoreError::Lost { .. })) => {
                in_doubt = true;
                match (self.patience.retry(|| self.store.get(&key, MAX))?, error) {
                    (Some(there), _) if there.bytes == bytes => Ok(Tried::Done(there.etag)),
                    (_, StoreError::Precondition { .. }) => Ok(Tried::Refused),
                    (_, error) => Err(error),
                }
            }
            Err(error) => Err(error),
        })
    }

    pub(super) fn get(&self, name: &str) -> Result<Option<Fetched>, StoreError> {
        self.patience.retry(|| self.store.get(&self.key(name), MAX))
    }

    pub(super) fn head(&self, name: &str) -> Result<Option<Listed>, StoreError> {
        self.patience.retry(|| self.store.head(&self.key(name)))
    }

    pub(super) fn served(&self, name: &str) -> Result<Option<Served>, StoreError> {
        self.patience.retry(|| self.store.served(&self.key(name)))
    }

    pub(super) fn delete(&self, names: &[&str]) -> Result<(), StoreError> {
        let keys: Vec<String> = names.iter().map(|it| self.key(it)).collect();
        self.patience.retry(|| self.store.delete(&keys))
    }

    /// The keys of a listing.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, StoreError> {
        self.patience.retry(|| {
            let mut keys = Vec::new();
            self.store.list(&self.key(name), &mut |page| keys.extend(page.into_iter().map(|it| it.key)))?;
            Ok(keys)
        })
    }

    /// Runs races of both kinds, each about an object of its own; what was seen in the first with another end than it
    /// should have. They run side by side: stores make those who lose wait, some of them for seconds.
    pub(super) fn races(&self, Races { rounds, racers }: Races) -> Result<[Option<String>; 2], StoreError> {
        thread::scope(|scope| {
            let kinds = [Race::Create, Race::Replace].map(|kind| {
                (0..rounds).map(|round| scope.spawn(move || self.race_of(kind, round, racers))).collect::<Vec<_>>()
            });
            let [create, replace] = kinds.map(|races| {
                let ends: Result<Vec<Option<String>>, StoreError> =
                    races.into_iter().map(|it| it.join().expect("a race does not panic")).collect();
                ends.map(|ends| ends.into_iter().flatten().next())
            });
            Ok([create?, replace?])
        })
    }

    fn race_of(&self, kind: Race, round: usize, racers: usize) -> Result<Option<String>, StoreError> {
        let name = format!("race-{kind:?}-{round}.json");
        let (verb, precondition) = match kind {
            Race::Create => ("created", Precondition::Absent),
            Race::Replace => match self.put(&name, "to be replaced", Precondition::None)? {
                Tried::Done(etag) => ("replaced", Precondition::Is(etag)),
                Tried::Refused => return Ok(Some("a put without a condition was refused".into())),
            },
        };
        let winners = self.race(&name, &precondition, racers)?;
        let found = format!("{winners} of {racers} that {verb} one object at once were told that they had");
        Ok((winners != 1).then_some(found))
    }

    /// How many of those who put at once were told that they had.
    fn race(&self, name: &str, precondition: &Precondition, racers: usize) -> Result<usize, StoreError> {
        let start = Barrier::new(racers);
        thread::scope(|scope| {
            let racers: Vec<_> = (0..racers)
                .map(|racer| {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        self.put(name, &format!("racer {racer}"), precondition.clone())
                    })
                })
                .collect();
            let answers: Result<Vec<Tried>, StoreError> =
                racers.into_iter().map(|it| it.join().expect("a put does not panic")).collect();
            Ok(answers?.iter().filter(|it| matches!(it, Tried::Done(_))).count())
        })
    }
}
