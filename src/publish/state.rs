//! What lies below `state/` of a store, read and put.
//!
//! ```text
//! state/head.json                            which publication is current, and who is about to make the next one
//! state/<publication>.<sha256>.index.json    the store's own projection of the index
//! state/<publication>.<sha256>.timestamps    every timestamp that the publication moves
//! state/<publication>.<sha256>.receipt.json  the version of each tenant's timestamp, as the store names it
//! ```
//!
//! Everything but the head is named by its own digest and never changes. Because the timestamps lie there before a
//! publication counts, anybody can finish one whose publisher has died.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::head::{CLOCKS, FORMAT, HEAD, Head, Published, ReceiptName};
use crate::digest::Sha256;
use crate::index::{Index, Point};
use crate::store::{self, ETag, MAX_OBJECT, Patience, Precondition, Settled, Store, StoreError, Upload};
use crate::time::Timestamp;

/// Largest head that is read.
const MAX_HEAD: u64 = 16 << 20;

/// The private part of a store, and how patiently to ask for it.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// How often and how long to try again.
    pub patience: Patience,
}

/// The head as it was seen, and its version: what a change is conditional on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The head.
    pub head: Head,
    /// Its version; none when there was no head.
    pub etag: Option<ETag>,
}

/// How an attempt to replace the head ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    /// It is ours now.
    Done(Seen),
    /// Somebody else was first. This is what is there.
    Lost(Seen),
}

impl State<'_> {
    /// Reads the head; an empty one when the store has none.
    pub fn head(&self) -> Result<Seen, StateError> {
        match self.patience.retry(|| self.store.get(HEAD, MAX_HEAD))? {
            Some(there) => Ok(Seen { head: Head::parse(&there.bytes)?, etag: Some(there.etag) }),
            None => Ok(Seen { head: Head::default(), etag: None }),
        }
    }

    /// Replaces the head if it still is the one that was seen.
    ///
    /// When the answer is lost and somebody moves on before we look, this says [`Swap::Lost`] though our head was
    /// there for a moment; [`Head::has_had`] tells a commit that counted from one that did not.
    pub fn swap(&self, seen: &Seen, next: Head) -> Result<Swap, StateError> {
        let bytes = next.to_bytes();
        let precondition = seen.etag.clone().map_or(Precondition::Absent, Precondition::Is);
        match store::settle(self.store, self.patience, &Upload { key: HEAD, bytes: &bytes, precondition })? {
            Settled::Ours(etag) => Ok(Swap::Done(Seen { head: next, etag: Some(etag) })),
            Settled::Theirs(there) => Ok(Swap::Lost(Seen { head: Head::parse(&there.bytes)?, etag: Some(there.etag) })),
            Settled::Gone => Ok(Swap::Lost(Seen { head: Head::default(), etag: None })),
        }
    }

    /// Compares our clock with the store's, by the date that the head has just got. What is signed by a wrong clock is
    /// expired for shells, or lasts longer than it should.
    pub fn guard_clock(&self, now: Timestamp) -> Result<(), StateError> {
        let listed = self.patience.retry(|| self.store.head(HEAD))?;
        let is_far = |theirs: Timestamp| theirs.until(now).max(now.until(theirs)) > CLOCKS;
        match listed.map(|it| it.modified).filter(|it| is_far(*it)) {
            Some(theirs) => Err(StateError::StoreClock { theirs, now }),
            None => Ok(()),
        }
    }

    /// The index of a publication.
    pub fn index(&self, point: Point) -> Result<Index, StateError> {
        let key = index_key(point);
        let bytes = self.fetch(&key, point.index)?;
        Index::parse(&bytes).map_err(|why| damaged(&key, &why))
    }

    /// The timestamps that a publication moves.
    pub fn timestamps(&self, published: &Published) -> Result<Timestamps, StateError> {
        let Some(digest) = published.timestamps else { return Ok(Timestamps::default()) };
        let key = timestamps_key(published.publication, digest);
        Timestamps::parse(&key, &self.fetch(&key, digest)?)
    }

    /// A receipt.
    pub fn receipt(&self, name: ReceiptName) -> Result<Receipt, StateError> {
        let key = receipt_key(name);
        parse(&key, &self.fetch(&key, name.sha256)?)
    }

    /// Puts an object that never changes. Other bytes under its key are left as they are, and are an error.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<ETag, StateError> {
        let upload = Upload { key, bytes, precondition: Precondition::Absent };
        match store::settle(self.store, self.patience, &upload)? {
            Settled::Ours(etag) => Ok(etag),
            Settled::Theirs(_) | Settled::Gone => Err(StateError::Foreign { key: key.into() }),
        }
    }

    /// An object that its key names by digest.
    fn fetch(&self, key: &str, digest: Sha256) -> Result<Vec<u8>, StateError> {
        let there = self.patience.retry(|| self.store.get(key, MAX_OBJECT))?;
        let there = there.ok_or_else(|| StateError::Missing { key: key.into() })?;
        match Sha256::of(&there.bytes) == digest {
            true => Ok(there.bytes),
            false => Err(damaged(key, &"its bytes are not those that its name says")),
        }
    }
}

/// Every timestamp that a publication moves, by address: the exact bytes of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timestamps(pub BTreeMap<String, String>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimestampsFrame {
    format: u32,
    publication: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimestampsLine {
    addr: String,
    file: String,
}

impl Timestamps {
    /// Reads `state/….timestamps`: a line with format and number, then one for each tenant.
    pub fn parse(key: &str, bytes: &[u8]) -> Result<Timestamps, StateError> {
        let mut lines = bytes.split(|byte| *byte == b'\n').filter(|it| !it.is_empty());
        parse::<TimestampsFrame>(key, lines.next().unwrap_or_default())?;
        let read = |line| serde_json::from_slice(line).map(|it: TimestampsLine| (it.addr, it.file));
        lines.map(read).collect::<Result<_, _>>().map(Timestamps).map_err(|why| damaged(key, &why))
    }

    /// Writes it.
    pub fn to_bytes(&self, publication: u64) -> Vec<u8> {
        let line = |value: Result<Vec<u8>, _>| -> Vec<u8> { value.expect("a line has only text keys") };
        let mut bytes = line(serde_json::to_vec(&TimestampsFrame { format: FORMAT, publication }));
        bytes.push(b'\n');
        for (addr, file) in &self.0 {
            let one = TimestampsLine { addr: addr.clone(), file: file.clone() };
            bytes.extend(line(serde_json::to_vec(&one)));
            bytes.push(b'\n');
        }
        bytes
    }
}

/// The version of each tenant's timestamp by its address, as the store names it: what the next one is conditional on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// [`FORMAT`].
    pub format: u32,
    /// The publication that was finished.
    pub publication: u64,
    /// The versions.
    pub etags: BTreeMap<String, ETag>,
}

impl Receipt {
    /// Writes `state/….receipt.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a receipt has only text keys")
    }
}

/// Why what lies below `state/` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The store said no, or nothing.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// It is not what it should be.
    #[error("`{key}` cannot be understood: {why}")]
    Damaged {
        /// Which object.
        key: String,
        /// Why.
        why: String,
    },
    /// It was written by a newer version.
    #[error("`{key}` has format {found}; this version of tenantry knows {FORMAT}")]
    Format {
        /// Which object.
        key: String,
        /// The format that it says it has.
        found: u32,
    },
    /// Something that the head names is gone.
    #[error("`{key}` is missing, and the head names it")]
    Missing {
        /// Which object.
        key: String,
    },
    /// Something else stands under a key that names its bytes.
    #[error("other bytes than ours stand under `{key}`")]
    Foreign {
        /// Which object.
        key: String,
    },
    /// A tenant's timestamp is newer than anything that was published.
    #[error("a tenant's timestamp is newer than publication {publication}, and no newer one was published here")]
    Ahead {
        /// What the store shows.
        publication: u64,
    },
    /// Our clock stands far before the store's last word.
    #[error("the clock says {now}, yet `{by}` was here at {at}: one of the two clocks is wrong")]
    Clock {
        /// Who was here.
        by: String,
        /// When, by their clock.
        at: Timestamp,
        /// When it is, by ours.
        now: Timestamp,
    },
    /// Our clock is far from the store's.
    #[error("the clock says {now}, and the store's says {theirs}: one of the two is wrong")]
    StoreClock {
        /// When it is, by the store's.
        theirs: Timestamp,
        /// When it is, by ours.
        now: Timestamp,
    },
}

impl StateError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            StateError::Store(error) => return error.help().map(str::to_owned),
            StateError::Damaged { .. } | StateError::Missing { .. } => {
                "restore `state/` of the store from a backup; nothing was changed"
            }
            StateError::Format { .. } => "use the version of tenantry that published last, or a newer one",
            StateError::Foreign { .. } => {
                "somebody else has put it there; nothing was overwritten. Look at the object, and move it away if it is no longer needed"
            }
            StateError::Ahead { .. } => {
                "the head of the store was put back to an older state, or something else writes there; restore the newest head"
            }
            StateError::Clock { .. } | StateError::StoreClock { .. } => "set the clock, and run again",
        };
        Some(help.into())
    }
}

/// The key of a publication's index.
pub fn index_key(point: Point) -> String {
    format!("state/{}.{}.index.json", point.publication, point.index)
}

/// The key of the timestamps that a publication moves, by their digest.
pub fn timestamps_key(publication: u64, digest: Sha256) -> String {
    format!("state/{publication}.{digest}.timestamps")
}

/// The key of a receipt.
pub fn receipt_key(name: ReceiptName) -> String {
    format!("state/{}.{}.receipt.json", name.publication, name.sha256)
}

/// The publication to which an object below `state/` belongs; none of those that belong to no single one.
pub fn number(key: &str) -> Option<u64> {
    let mut parts = key.strip_prefix("state/")?.splitn(3, '.');
    let (number, digest, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let is_digest = digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_known = matches!(rest, "index.json" | "timestamps" | "receipt.json");
    number.parse().ok().filter(|_| is_digest && is_known)
}

/// Whether we have put an object below `state/`.
pub fn is_ours(key: &str) -> bool {
    number(key).is_some()
}

/// Reads JSON of our format. The format is looked at first: a newer one may have any shape.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(key: &str, bytes: &[u8]) -> Result<T, StateError> {
    #[derive(Deserialize)]
    struct Any {
        format: u32,
    }
    let any: Any = serde_json::from_slice(bytes).map_err(|why| damaged(key, &why))?;
    if any.format != FORMAT {
        return Err(StateError::Format { key: key.into(), found: any.format });
    }
    serde_json::from_slice(bytes).map_err(|why| damaged(key, &why))
}

fn damaged(key: &str, why: &dyn std::fmt::Display) -> StateError {
    StateError::Damaged { key: key.into(), why: why.to_string() }
}

#[cfg(test)]
mod tests;
