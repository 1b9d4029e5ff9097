//! Two who work on one store, in every order in which their steps can follow one another.

use std::sync::{Condvar, Mutex, MutexGuard};

use tenantry::store::{ETag, Fetched, Listed, Store, StoreError, Upload};

/// Goes every way: `run` takes the one that it is given as far as that says who goes first, and tells what it took.
pub(crate) fn every_order(mut run: impl FnMut(Vec<usize>) -> Vec<Taken>) {
    // Who goes first at each fork of the way; the last one that can be changed is changed.
    let mut way: Vec<usize> = Vec::new();
    loop {
        let taken = run(std::mem::take(&mut way));
        way = taken.iter().map(|it| it.chosen).collect();
        while let Some(last) = way.pop() {
            if last == 0 && taken[way.len()].was_free {
                way.push(1);
                break;
            }
        }
        if way.is_empty() {
            return;
        }
    }
}

/// What one of two publishers does with a store.
pub(crate) type Work<'a, R> = &'a (dyn Fn(&dyn Store) -> R + Sync);

/// A step that was taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) chosen: usize,
    /// Whether the other one could have gone instead.
    pub(crate) was_free: bool,
}

/// Lets two work on a store, one step at a time; what lies between two steps nobody else looks at.
pub(crate) struct Stage<'a> {
    store: &'a dyn Store,
    /// Whether an operation is a step: its verb and its key.
    is_step: &'a (dyn Fn(&str, &str) -> bool + Sync),
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    players: [Player; 2],
    way: Vec<usize>,
    taken: Vec<Taken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Player {
    Running,
    /// Before a step.
    Waiting,
    Gone,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        store: &'a dyn Store,
        is_step: &'a (dyn Fn(&str, &str) -> bool + Sync),
        way: Vec<usize>,
    ) -> Stage<'a> {
        let state = State { players: [Player::Running; 2], way, taken: Vec::new() };
        Stage { store, is_step, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody here panics")
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    pub(crate) fn play<R: Send>(&self, works: [Work<'_, R>; 2]) -> [R; 2] {
        std::thread::scope(|scope| {
            let threads = [0, 1].map(|at| {
                let work = works[at];
                scope.spawn(move || {
                    let outcome = work(&Seat { stage: self, at });
                    self.state().players[at] = Player::Gone;
                    self.changed.notify_all();
                    outcome
                })
            });
            self.direct();
            threads.map(|it| it.join().expect("nobody here panics"))
        })
    }

    /// Lets one of those who wait take its step, until both are gone.
    fn direct(&self) {
        let mut state = self.state();
        loop {
            while state.players.contains(&Player::Running) {
                state = self.changed.wait(state).expect("nobody here panics");
            }
            let waiting = [0, 1].map(|at| state.players[at] == Player::Waiting);
            let was_free = waiting == [true, true];
            let chosen = match waiting {
                [false, false] => return,
                [true, true] => state.way.get(state.taken.len()).copied().unwrap_or(0),
                [first, _] => usize::from(!first),
            };
            state.taken.push(Taken { chosen, was_free });
            state.players[chosen] = Player::Running;
            self.changed.notify_all();
        }
    }
}

/// The store as one of the two sees it.
struct Seat<'a> {
    stage: &'a Stage<'a>,
    at: usize,
}

impl Seat<'_> {
    fn step(&self, verb: &str, key: &str) {
        if !(self.stage.is_step)(verb, key) {
            return;
        }
        let mut state = self.stage.state();
        state.players[self.at] = Player::Waiting;
        self.stage.changed.notify_all();
        while state.players[self.at] == Player::Waiting {
            state = self.stage.changed.wait(state).expect("nobody here panics");
        }
    }
}

impl Store for Seat<'_> {
    fn describe(&self) -> String {
        self.stage.store.describe()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.step("get", key);
        self.stage.store.get(key, max)
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        self.step("head", key);
        self.stage.store.head(key)
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        self.step("put", upload.key);
        self.stage.store.put(upload)
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        self.step("list", prefix);
        self.stage.store.list(prefix, each)
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.step("delete", keys.first().map_or("", String::as_str));
        self.stage.store.delete(keys)
    }
}
