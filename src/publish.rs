//! From a compiled publication to a store: safe at every instant, whoever dies and whoever else publishes.
//!
//! Pure over [`Store`] and [`Objects`]: no clock, no disk. The protocol, step by step, is in `docs/publishing.md`:
//! [`plan`] decides what is to be done, [`apply`] does exactly that, and [`finish`] goes on where somebody stopped.

pub mod head; // which publication a store shows, and who is about to make the next one
pub mod state; // what lies below `state/` of a store
pub mod projection; // which tenants a store takes
pub mod plan; // what is to be done, as a value
pub mod apply; // does it
pub mod finish; // the steps after a publication counts; anybody can do them
pub mod base; // what a compile, a refresh or a rollback goes on from
pub mod renewal; // tenants signed again from what a store holds
pub mod refresh; // before they grow too old
pub mod rollback; // with the content of an earlier publication
pub mod gc; // what nobody needs any more goes
pub mod guards; // what no publication may do unnoticed
pub mod log; // what a store remembers of its publications
pub mod past; // which of them was in force, and which had decided it
mod check; // nothing damaged leaves the house
mod difference; // what a store lacks
mod error; // why a publication stops
pub(crate) mod workers; // the same work on many things at once

pub use self::apply::{Outcome, Report, apply};
pub use self::error::PublishError;
pub use self::finish::finish;
pub use self::plan::{Plan, Planned, plan, plan_own};

use self::guards::Consent;
use self::head::Kind;
use self::state::State;
use crate::index::{Index, Point};
use crate::input::{Publishers, StoreSpec};
use crate::store::{Patience, Store};
use crate::time::Timestamp;
use crate::verify::Objects;

/// How many requests are under way at once, unless somebody says otherwise.
pub const AT_ONCE: usize = 64;

/// A store, and how to work on it.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// How often and how long to try again.
    pub patience: Patience,
    /// How many requests are under way at once. One makes their order the same every time.
    pub at_once: usize,
    /// Told how far things are.
    pub progress: &'a (dyn Fn(Event) + Sync),
}

impl<'a> Tools<'a> {
    /// The private part of the store.
    pub fn state(&self) -> State<'a> {
        State { store: self.store, patience: self.patience }
    }
}

/// One publication onto one store.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The store, and how to work on it.
    pub tools: Tools<'a>,
    /// What the project says about the store: its name, and the regions that it takes.
    pub spec: &'a StoreSpec,
    /// Everything that was compiled; the store gets what it takes of it.
    pub index: &'a Index,
    /// The files that the index describes.
    pub files: &'a dyn Objects,
    /// The publications of this store that the files descend from.
    pub lineage: &'a [Point],
    /// When the command began: what is signed must hold then, and records bear this date.
    pub now: Timestamp,
    /// What time it is meanwhile, never before `now`. Only a reservation that must not run out asks.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Whether the store's clock is compared with ours.
    pub clocks: Clocks,
    /// What the record of the publication says.
    pub record: &'a Record,
    /// What guards let pass because somebody has said so.
    pub consent: &'a Consent,
    /// What to do about somebody who is publishing.
    pub others: Others,
    /// What to do about a commit that does not descend from the published one.
    pub rewind: Rewind<'a>,
    /// How many threads verify.
    pub threads: usize,
    /// Whether somebody wants it to stop. It does as long as nothing counts yet.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// What the record of a publication says of whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who: a CI run, or a person on a machine.
    pub by: String,
    /// Why, in their words.
    pub reason: Option<String>,
    /// Why, by its kind.
    pub kind: Kind,
    /// What keeps other publishers away.
    pub guard: Publishers,
}

/// Whether the store's clock is compared with ours before anything is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clocks {
    /// They may lie [`head::CLOCKS`] apart.
    Compare,
    /// Our time was given to us, so it says nothing about our clock.
    Trust,
}

/// What to do about somebody who has reserved a number and may be at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Leave it to them, unless they are taken for dead ([`head::RESERVATION`]).
    Respect,
    /// Take over at once.
    TakeOver,
}

/// What to do about a commit that does not descend from the published one.
#[derive(Clone, Copy)]
pub enum Rewind<'a> {
    /// Refuse it. Asked with the published commit and ours, this says whether ours descends from it, if it can tell.
    Refuse(&'a (dyn Fn(&str, &str) -> Option<bool> + Sync)),
    /// Publish it.
    Allow,
}

/// How far things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A number is ours. So much is to be uploaded.
    Reserved {
        /// The number.
        publication: u64,
        /// Objects.
        objects: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// An object has been uploaded, or was there already.
    Uploaded {
        /// Its bytes.
        bytes: u64,
    },
    /// The publication counts: from here on it will be finished, by us or by somebody else.
    Committed {
        /// The number.
        publication: u64,
        /// Timestamps that are to be moved.
        timestamps: usize,
    },
    /// A timestamp has been moved.
    Moved,
    /// Every timestamp of a publication has been moved.
    Finished {
        /// The number.
        publication: u64,
    },
}
