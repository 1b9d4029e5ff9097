//! The steps after a publication counts: every timestamp moves, and the head says that it is finished.
//!
//! Whoever comes next can do them, since the timestamps lie in the store. Two who do them at once do the same.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::head::{FORMAT, Published, ReceiptName};
use super::state::{Receipt, Seen, StateError, Swap, Timestamps, receipt_key};
use super::{Event, PublishError, Tools, workers};
use crate::digest::Sha256;
use crate::index::{Index, keys};
use crate::metadata::{self, TimestampRole};
use crate::store::{self, ETag, Precondition, Settled, Upload};

/// How often one timestamp is tried while others move it too.
const ATTEMPTS: usize = 8;

/// Finishes the current publication if its publisher has not. Gives back the head as it is then.
pub fn finish(tools: &Tools<'_>, store: &str, seen: Seen) -> Result<Seen, PublishError> {
    match unfinished(&seen) {
        Some(current) => {
            let index = tools.state().index(current.point())?;
            let timestamps = tools.state().timestamps(&current)?;
            complete(tools, store, seen, &index, &timestamps)
        }
        None => Ok(seen),
    }
}

fn unfinished(seen: &Seen) -> Option<Published> {
    seen.head.unfinished().cloned()
}

/// The same with what is at hand. From here on no failure may sound as if nothing had been published.
pub(super) fn complete(
    tools: &Tools<'_>,
    store: &str,
    seen: Seen,
    index: &Index,
    timestamps: &Timestamps,
) -> Result<Seen, PublishError> {
    let Some(current) = unfinished(&seen) else { return Ok(seen) };
    let number = current.publication;
    let all = timestamps.0.len();
    let moved = AtomicUsize::new(0);
    let outcome = move_all(tools, &current, timestamps, &moved)
        .and_then(|etags| sign_off(tools, seen, &current, index, etags).map_err(Stop::Failed));
    match outcome {
        Ok(seen) => {
            (tools.progress)(Event::Finished { publication: number });
            Ok(seen)
        }
        Err(stop) => {
            let source = match stop {
                Stop::Newer => overtaken(tools, store, &current),
                Stop::Failed(error) => error,
            };
            match source {
                overtaken @ PublishError::Overtaken { .. } => Err(overtaken),
                source => {
                    let left = all - moved.load(Ordering::Relaxed);
                    let (store, source) = (store.to_owned(), Box::new(source));
                    Err(PublishError::Unfinished { store, number, left, all, source })
                }
            }
        }
    }
}

/// Why a timestamp was not moved.
enum Stop {
    /// A newer one is there.
    Newer,
    Failed(PublishError),
}

/// A newer timestamp than ours is there: says whose it is.
fn overtaken(tools: &Tools<'_>, store: &str, ours: &Published) -> PublishError {
    match tools.state().head() {
        Ok(Seen { head, .. }) => match head.current {
            Some(current) if current.publication > ours.publication => PublishError::Overtaken {
                store: store.to_owned(),
                number: ours.publication,
                current: Box::new(current),
            },
            // Nobody has published it: it cannot be ours.
            _ => StateError::Ahead { publication: ours.publication }.into(),
        },
        Err(error) => error.into(),
    }
}

/// Moves every timestamp. Gives back the version of each, as the store names it.
fn move_all(
    tools: &Tools<'_>,
    current: &Published,
    timestamps: &Timestamps,
    moved: &AtomicUsize,
) -> Result<Receipt, Stop> {
    let mut receipt = receipt(tools, current).map_err(|it| Stop::Failed(it.into()))?;
    let files: Vec<(&String, &String)> = timestamps.0.iter().collect();
    let one = |(addr, file): &(&String, &String)| {
        let etag = move_one(tools, addr, file, receipt.etags.get(*addr).cloned())?;
        moved.fetch_add(1, Ordering::Relaxed);
        (tools.progress)(Event::Moved);
        Ok(etag)
    };
    let etags = workers::each(tools.at_once, &files, one)?;
    receipt.etags.extend(files.into_iter().map(|(addr, _)| addr.clone()).zip(etags));
    receipt.publication = current.publication;
    Ok(receipt)
}

/// The newest receipt. It only saves questions, so one that is lost or damaged is no reason to stop.
fn receipt(tools: &Tools<'_>, current: &Published) -> Result<Receipt, StateError> {
    let nothing = Receipt { format: FORMAT, publication: current.publication, etags: Default::default() };
    match current.receipt.map(|name| tools.state().receipt(name)) {
        None | Some(Err(StateError::Missing { .. } | StateError::Damaged { .. })) => Ok(nothing),
        Some(receipt) => receipt,
    }
}

/// Moves one timestamp forward, whatever older one is there; never back.
fn move_one(tools: &Tools<'_>, addr: &str, file: &str, known: Option<ETag>) -> Result<ETag, Stop> {
    let key = keys::timestamp(addr);
    let ours = version(file.as_bytes());
    let mut precondition = known.map_or(Precondition::Absent, Precondition::Is);
    for _ in 0..ATTEMPTS {
        let upload = Upload { key: &key, bytes: file.as_bytes(), precondition };
        let settled = store::settle(tools.store, tools.patience, &upload).map_err(|it| Stop::Failed(it.into()))?;
        precondition = match settled {
            Settled::Ours(etag) => return Ok(etag),
            Settled::Gone => Precondition::Absent,
            Settled::Theirs(there) => match version(&there.bytes) {
                Some(theirs) if Some(theirs) < ours => Precondition::Is(there.etag),
                Some(theirs) if Some(theirs) > ours => return Err(Stop::Newer),
                _ => return Err(Stop::Failed(StateError::Foreign { key }.into())),
            },
        };
    }
    Err(Stop::Failed(store::StoreError::Conflict { key }.into()))
}

/// The version of a timestamp; none of what is no timestamp.
fn version(bytes: &[u8]) -> Option<u64> {
    metadata::open::<TimestampRole>(bytes).ok().map(|it| it.role.version)
}

/// Writes down what the store calls each timestamp now, and that the publication is finished.
fn sign_off(
    tools: &Tools<'_>,
    mut seen: Seen,
    current: &Published,
    index: &Index,
    mut receipt: Receipt,
) -> Result<Seen, PublishError> {
    let state = tools.state();
    receipt.etags.retain(|addr, _| index.tenants.contains_key(addr));
    let bytes = receipt.to_bytes();
    let name = ReceiptName { publication: receipt.publication, sha256: Sha256::of(&bytes) };
    state.put(&receipt_key(name), &bytes)?;
    loop {
        match state.swap(&seen, seen.head.finish(Some(name)))? {
            Swap::Done(seen) => return Ok(seen),
            // Somebody else has signed it off, and perhaps gone on from there.
            Swap::Lost(there) if unfinished(&there).is_none_or(|it| it.point() != current.point()) => return Ok(there),
            Swap::Lost(there) => seen = there,
        }
    }
}
