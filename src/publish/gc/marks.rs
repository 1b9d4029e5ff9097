//! `state/gc.json`: what was found unreferenced, and since when. It changes, on the condition that nobody else did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::Tools;
use super::super::head::FORMAT;
use super::super::state::{self, StateError};
use super::GcError;
use crate::store::{self, ETag, MAX_OBJECT, Precondition, Settled, Upload};
use crate::time::Timestamp;

/// The key of the marks.
pub(super) const MARKS: &str = "state/gc.json";

/// What was found unreferenced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marks {
    /// Version of the formats below `state/`.
    pub(super) format: u32,
    /// The newest publication whose index we have deleted, or are about to: that one may be missing.
    pub(super) collected: u64,
    /// Since when each object is known to be unreferenced, by its key.
    pub(super) marks: BTreeMap<String, Timestamp>,
}

impl Default for Marks {
    fn default() -> Marks {
        Marks { format: FORMAT, collected: 0, marks: BTreeMap::new() }
    }
}

/// Marks as they were seen, and their version: what a change is conditional on.
pub(super) struct MarksSeen {
    pub(super) marks: Marks,
    pub(super) etag: Option<ETag>,
}

/// Reads the marks; none at all when there are none yet.
pub(super) fn read(tools: &Tools<'_>) -> Result<MarksSeen, StateError> {
    match tools.patience.retry(|| tools.store.get(MARKS, MAX_OBJECT))? {
        Some(there) => Ok(MarksSeen { marks: state::parse(MARKS, &there.bytes)?, etag: Some(there.etag) }),
        None => Ok(MarksSeen { marks: Marks::default(), etag: None }),
    }
}

/// Writes other marks, if nobody else has meanwhile.
pub(super) fn write(tools: &Tools<'_>, store: &str, seen: MarksSeen, next: Marks) -> Result<MarksSeen, GcError> {
    if seen.marks == next {
        return Ok(seen);
    }
    let mut bytes = serde_json::to_vec(&next).expect("marks have only text keys");
    bytes.push(b'\n');
    let precondition = seen.etag.map_or(Precondition::Absent, Precondition::Is);
    let upload = Upload { key: MARKS, bytes: &bytes, precondition };
    match store::settle(tools.store, tools.patience, &upload).map_err(StateError::from)? {
        Settled::Ours(etag) => Ok(MarksSeen { marks: next, etag: Some(etag) }),
        Settled::Theirs(_) | Settled::Gone => {
            Err(GcError::Changed { store: store.into(), by: "another collection".into() })
        }
    }
}
