//! A publication over HTTP, as a CDN shows it, for whoever builds a shell: the same headers, conditions and ranges,
//! and faults on purpose.
//!
//! ```text
//!  request ─▶ route ─Object─▶ fetch ─Fetched─▶ answer ─Response─▶ body
//!                              │ stale, expired, tamper             │ slow, truncate
//! ```
//!
//! A path that has not the form of a public object leads nowhere, so `state/` cannot be asked for, nor anything
//! outside. All objects come through [`Store`]; only `http` touches the network and only `watch` the disk.

mod answer; // what HTTP asks of one object
mod body; // slow and cut bodies
mod expired; // signatures that are right and too old
mod http; // connections
mod page; // what a person sees
mod report; // what people look at
mod range; // one part of an object
mod route; // from a path to a key
mod shell; // the web shell and the origins of its programs
mod stale; // timestamps that others have seen already
pub mod watch; // whether the inputs have changed

pub use expired::{ForgeError, Forger, OldRole};
pub use http::{Interrupts, Running, Server};
pub use report::Report;
pub use route::Kind;
pub use stale::{Stale, Staleness};

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use crate::store::{Fetched, MAX_OBJECT, Store, StoreError};
use route::Object;

/// What is served, and what is wrong with it.
pub struct Site {
    /// Where objects are. The first store that has one wins.
    pub stores: Vec<Box<dyn Store>>,
    /// Who may see a list of tenants.
    pub listing: Listing,
    /// What goes wrong on purpose.
    pub mischief: Mischief,
    /// Told of every answer.
    pub log: Option<Log>,
    /// What people look at of the project; none where there is no project.
    pub report: Option<Report>,
}

/// Takes one answer.
pub type Log = Box<dyn Fn(&Answered<'_>) + Send + Sync>;

/// One request and how it was answered.
#[derive(Debug)]
pub struct Answered<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, without a query.
    pub path: &'a str,
    /// The status.
    pub status: u16,
    /// The length of the body that was announced.
    pub length: u64,
}

/// Whether `/` names tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// To this machine, and only of a publication that was signed with throw-away keys.
    Development,
    /// To nobody.
    Never,
}

/// What goes wrong on purpose; nothing by default. Everything can be combined.
#[derive(Default)]
pub struct Mischief {
    /// Timestamps that are older than the newest.
    pub stale: Option<Stale>,
    /// No answers.
    pub offline: Option<Offline>,
    /// Metadata that has expired.
    pub expired: Option<Forger>,
    /// Bytes of a body a second.
    pub slow: Option<NonZeroU64>,
    /// Bodies that end half-way.
    pub truncate: BTreeSet<Kind>,
    /// Objects with one wrong byte.
    pub tamper: BTreeSet<Kind>,
}

/// How a server is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offline {
    /// Nobody listens.
    Refused,
    /// The edge is there and the origin is not: 503.
    Unavailable,
}

impl Site {
    /// An object as this site shows it; none when there is none.
    fn fetch(&self, object: &Object) -> Result<Option<Fetched>, ForgeError> {
        let shown = match &self.mischief.expired {
            Some(forger) => forger.fetch(object, &|key| self.aged(key))?,
            None => self.aged(&object.key)?,
        };
        Ok(shown.map(|it| match self.mischief.tamper.contains(&object.kind) {
            true => tampered(it),
            false => it,
        }))
    }

    /// The newest that is there, or an older timestamp where that is the mischief.
    fn aged(&self, key: &str) -> Result<Option<Fetched>, StoreError> {
        let newest = self.newest(key)?;
        match &self.mischief.stale {
            Some(stale) => Ok(stale.instead(key, newest)),
            None => Ok(newest),
        }
    }

    fn newest(&self, key: &str) -> Result<Option<Fetched>, StoreError> {
        for store in &self.stores {
            if let Some(found) = store.get(key, MAX_OBJECT)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// To be called when there may be a new publication, and once before the first request.
    pub fn look(&self) -> Result<(), StoreError> {
        match (&self.mischief.stale, self.stores.first()) {
            (Some(stale), Some(store)) => stale.look(store.as_ref()),
            _ => Ok(()),
        }
    }
}

/// One bit of the byte in the middle is another one. The version stays: whoever tampers keeps quiet about it.
fn tampered(mut object: Fetched) -> Fetched {
    let middle = object.bytes.len() / 2;
    if let Some(byte) = object.bytes.get_mut(middle) {
        *byte ^= 1;
    }
    object
}
