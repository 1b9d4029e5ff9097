//! The client's workflow (TUF 1.0.34, section 5), over something that fetches and something that keeps.
//!
//! ```text
//! let mut updater = Updater::open(repository, shelf, pinned_root)?.bound_to(binding)?;
//! match updater.refresh(now)? {
//!     Refreshed::Updated | Refreshed::Unchanged => …,
//!     Refreshed::StaleEdge { .. } => …,             // an old cache answered; what was trusted stays
//! }
//! let manifest = updater.target("….manifest.json")?; // its length and hashes
//! ```
//!
//! What is on the shelf after a step was verified completely in that step; of a step that fails nothing is kept.

mod error;
mod names;
mod sides;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use names::history;

use super::delegations::Delegation;
use super::roles::{MetaFile, Root, Snapshot, TargetFile, Targets, TimestampRole};
use super::set::{Expiry, Verified, WithRoot, WithSnapshot, WithTargets, WithTimestamp};
use super::{Binding, TrustError};
use crate::time::Timestamp;

pub use error::UpdateError;
pub use names::encoded;
pub use sides::{Answer, Caches, FetchError, Repository, Request, Shelf, Trouble};

/// Longest root that is read, in bytes.
pub const MAX_ROOT: u64 = 512_000;
/// Longest timestamp that is read, in bytes.
pub const MAX_TIMESTAMP: u64 = 16_384;
/// Longest snapshot that is read, in bytes, where the timestamp does not say how long it is.
pub const MAX_SNAPSHOT: u64 = 2_000_000;
/// Longest targets file that is read, in bytes, where the snapshot does not say how long it is.
pub const MAX_TARGETS: u64 = 5_000_000;
/// Longest file of metadata that is read whatever another says about it, in bytes.
pub const MAX_METADATA: u64 = 50_000_000;
/// Most new roots that one refresh follows.
pub const MAX_ROTATIONS: u32 = 256;
/// Most targets files that one look-up reads.
pub const MAX_DELEGATIONS: usize = 32;

/// How a refresh ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// There is something new: a newer timestamp.
    Updated,
    /// The newest timestamp is the one that was trusted before.
    Unchanged,
    /// An older timestamp was served than the one that is trusted: a cache had not caught up, or somebody holds back
    /// the newest. What was trusted stays, and has not expired. Only with a [`Binding`]; without one it is a rollback.
    StaleEdge {
        /// The version that is trusted.
        trusted: NonZeroU64,
        /// The version that was served.
        served: NonZeroU64,
    },
}

/// The four roles, verified and consistent with one another.
#[derive(Debug, Clone, Copy)]
pub struct Trusted<'a> {
    /// Names the keys.
    pub root: &'a Root,
    /// Names the snapshot.
    pub timestamp: &'a TimestampRole,
    /// Names the targets.
    pub snapshot: &'a Snapshot,
    /// Names files. It is [`Targets::targets`] that a client without delegations reads.
    pub targets: &'a Targets,
}

/// A client of one repository.
pub struct Updater<R, S> {
    repository: R,
    shelf: S,
    root: WithRoot,
    /// The root as it was received, and whether it is on the shelf.
    root_bytes: Vec<u8>,
    set: Option<WithTargets>,
    /// Whether targets that are delegated to may be fetched.
    reach: Reach,
    /// Files of delegated roles that this updater has seen pass; each is verified again for whoever delegates to it.
    delegated: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Repository,
    Shelf,
}

impl<R: Repository, S: Shelf> Updater<R, S> {
    /// A client that trusts this root, the one that was delivered with it.
    ///
    /// A newer root on the shelf counts only if the chain from the pinned one leads to it: the shelf keeps every root
    /// that it has seen (`root_history/`), and they are verified again here. So a pinned root that was exchanged, or a
    /// shelf that somebody else has filled, cannot bring in roots that the pinned one does not vouch for. Nothing is
    /// fetched or written.
    pub fn open(repository: R, shelf: S, pinned_root: &[u8]) -> Result<Updater<R, S>, UpdateError> {
        let root = WithRoot::pinned(pinned_root)?;
        let mut updater = Updater::new(repository, shelf, root, pinned_root.to_vec());
        while updater.follow_shelf()? {}
        Ok(updater)
    }

    /// A client that trusts the root that is on the shelf already, wherever it came from.
    pub fn resume(repository: R, shelf: S) -> Result<Updater<R, S>, UpdateError> {
        let bytes = load(&shelf, "root.json")?.ok_or(UpdateError::NoRoot)?;
        let root = WithRoot::pinned(&bytes)?;
        Ok(Updater::new(repository, shelf, root, bytes))
    }

    /// Takes one tenant's files only; refuses a root of another environment.
    pub fn bound_to(self, binding: Binding) -> Result<Updater<R, S>, UpdateError> {
        Ok(Updater { root: self.root.bound_to(binding)?, set: None, ..self })
    }

    /// Brings root, timestamp, snapshot and targets up to date (5.2 to 5.6), and keeps each when it is verified.
    /// `now` is the one instant at which everything is judged (5.1).
    pub fn refresh(&mut self, now: Timestamp) -> Result<Refreshed, UpdateError> {
        self.forget_set(Reach::Repository);
        let expiry = Expiry::JudgedAt(now);
        self.follow_repository(Caches::Allowed)?;
        self.root.check(expiry)?;
        match self.refresh_roles(expiry, Caches::Allowed) {
            // A key may have changed with a root of which a cache says that it is not there. That is asked once more
            // without caches; only where the repository is ours, for which caches are the normal case.
            Err(error @ UpdateError::Trust(TrustError::Signatures { .. })) if self.root.binding().is_some() => {
                let known = self.next_version();
                self.follow_repository(Caches::Bypassed)?;
                if self.next_version() == known {
                    return Err(error);
                }
                self.root.check(expiry)?;
                match self.refresh_roles(expiry, Caches::Bypassed)? {
                    // The timestamp may have been taken in the first round already.
                    Refreshed::Unchanged => Ok(Refreshed::Updated),
                    refreshed => Ok(refreshed),
                }
            }
            other => other,
        }
    }

    /// Verifies again what is on the shelf, without the network. Expiry is not judged: see [`Updater::trusted`] for
    /// the dates. False when the shelf does not hold a whole trusted set.
    pub fn recall(&mut self) -> Result<bool, UpdateError> {
        self.forget_set(Reach::Shelf);
        self.set = self.recall_set()?;
        Ok(self.set.is_some())
    }

    /// What is trusted since the last refresh or recall.
    pub fn trusted(&self) -> Option<Trusted<'_>> {
        let set = self.set.as_ref()?;
        Some(Trusted { root: set.root(), timestamp: set.timestamp(), snapshot: set.snapshot(), targets: set.targets() })
    }

    /// The newest root that is trusted.
    pub fn root(&self) -> &Root {
        self.root.root()
    }

    /// Looks for a target in the targets file and, depth first, in what it delegates to (5.6.7). Delegated roles are
    /// fetched as needed after a refresh, and only taken from the shelf after a recall.
    pub fn target(&mut self, name: &str) -> Result<Option<TargetFile>, UpdateError> {
        let set = self.set.take().ok_or(UpdateError::NothingTrusted)?;
        let found = self.find(&set, name);
        self.set = Some(set);
        found
    }

    /// Where it fetches from.
    pub fn repository(&self) -> &R {
        &self.repository
    }

    /// Gives back what it was made of.
    pub fn into_parts(self) -> (R, S) {
        (self.repository, self.shelf)
    }

    fn new(repository: R, shelf: S, root: WithRoot, root_bytes: Vec<u8>) -> Updater<R, S> {
        let delegated = BTreeMap::new();
        Updater { repository, shelf, root, root_bytes, set: None, reach: Reach::Shelf, delegated }
    }

    /// What was verified under an older root, or at another instant, is not trusted any more.
    fn forget_set(&mut self, reach: Reach) {
        self.set = None;
        self.delegated.clear();
        self.reach = reach;
    }

    /// Takes one more root from the shelf, if it follows.
    fn follow_shelf(&mut self) -> Result<bool, UpdateError> {
        let version = self.next_version();
        for name in [history(version), "root.json".to_owned()] {
            let Some(bytes) = load(&self.shelf, &name)? else { continue };
            // Damaged, or of another chain: the repository has it too.
            let Ok(next) = self.root.next(&bytes) else { continue };
            (self.root, self.root_bytes) = (next, bytes);
            return Ok(true);
        }
        Ok(false)
    }

    /// Fetches newer roots until there is none (5.3).
    fn follow_repository(&mut self, caches: Caches) -> Result<(), UpdateError> {
        for _ in 0..MAX_ROTATIONS {
            // A root that the shelf lost, while it has those after it, is fetched; those after it are not.
            if self.follow_shelf()? {
                continue;
            }
            let name = format!("{}.root.json", self.next_version());
            let Some(bytes) = self.fetch("root", &name, MAX_ROOT, caches)? else { return self.keep_root() };
            let next = self.root.next(&bytes)?;
            // First the floors go and then the root comes. Stopped in between, the next refresh comes here again; the
            // other way round, floors that somebody had pushed up would stay for ever.
            if self.root.revokes(&next) {
                self.forget("timestamp.json")?;
                self.forget("snapshot.json")?;
            }
            (self.root, self.root_bytes) = (next, bytes);
            self.keep_root()?;
        }
        Err(UpdateError::TooManyRoots)
    }

    fn next_version(&self) -> u64 {
        self.root.root().common.version.get().saturating_add(1)
    }

    /// Keeps the newest root and its place in the history (5.3.8), unless they are there.
    fn keep_root(&mut self) -> Result<(), UpdateError> {
        let bytes = std::mem::take(&mut self.root_bytes);
        let kept = [history(self.root.root().common.version.get()), "root.json".to_owned()]
            .iter()
            .try_for_each(|name| self.keep_changed(name, &bytes));
        self.root_bytes = bytes;
        kept
    }

    /// Everything after the root.
    fn refresh_roles(&mut self, expiry: Expiry, caches: Caches) -> Result<Refreshed, UpdateError> {
        let (refreshed, timestamp) = self.refresh_timestamp(expiry, caches)?;
        let snapshot = self.refresh_snapshot(timestamp, expiry)?;
        self.set = Some(self.refresh_targets(snapshot)?);
        Ok(refreshed)
    }

    /// The newest timestamp that is trusted (5.4), and how it came to be that.
    fn refresh_timestamp(&mut self, expiry: Expiry, caches: Caches) -> Result<(Refreshed, WithTimestamp), UpdateError> {
        let held: Option<Held> = match load(&self.shelf, "timestamp.json")? {
            // One that does not verify any more is no floor: its keys have changed, or it is damaged.
            Some(bytes) => self.root.timestamp(&bytes).ok().map(|it| (it, bytes)),
            None => None,
        };
        let request = Request {
            role: "timestamp",
            name: "timestamp.json",
            max: MAX_TIMESTAMP,
            held: held.as_ref().map(|(_, bytes)| bytes.as_slice()),
            caches,
        };
        let answer = self.ask(&request)?;
        let chosen = match answer {
            Answer::Bytes(bytes) => self.choose_timestamp(bytes, held)?,
            Answer::Unchanged => match held {
                Some(held) => Chosen { refreshed: Refreshed::Unchanged, timestamp: held.0, new: None },
                None => return Err(unasked("timestamp.json")),
            },
            Answer::Missing => return Err(missing("timestamp.json")),
        };
        let set = self.root.clone().with_timestamp(chosen.timestamp, expiry)?;
        if let Some(bytes) = chosen.new {
            self.keep("timestamp.json", &bytes)?;
        }
        Ok((chosen.refreshed, set))
    }

    /// Between what is served and what is held: the newer one. With a binding, an older one is no attack.
    fn choose_timestamp(&self, bytes: Vec<u8>, held: Option<Held>) -> Result<Chosen, TrustError> {
        let served = self.root.timestamp(&bytes)?;
        let Some((held, _)) = held else {
            return Ok(Chosen { refreshed: Refreshed::Updated, timestamp: served, new: Some(bytes) });
        };
        let (old, new) = (held.common.version, served.common.version);
        let refreshed = match old.cmp(&new) {
            Ordering::Equal => Refreshed::Unchanged,
            Ordering::Greater if self.root.binding().is_some() => Refreshed::StaleEdge { trusted: old, served: new },
            Ordering::Greater | Ordering::Less => {
                served.follows(&held)?;
                return Ok(Chosen { refreshed: Refreshed::Updated, timestamp: served, new: Some(bytes) });
            }
        };
        Ok(Chosen { refreshed, timestamp: held, new: None })
    }

    /// The snapshot that the timestamp names (5.5).
    fn refresh_snapshot(&mut self, set: WithTimestamp, expiry: Expiry) -> Result<WithSnapshot, UpdateError> {
        let held = load(&self.shelf, "snapshot.json")?;
        if let Some(current) = held.as_ref().and_then(|bytes| set.snapshot(bytes).ok()) {
            return Ok(set.with_snapshot(current, expiry)?);
        }
        let bytes = self.fetch_pinned("snapshot", set.pin(), set.root().consistent_snapshot, MAX_SNAPSHOT)?;
        let snapshot = set.snapshot(&bytes)?;
        // Whatever has expired, and whatever the timestamp says now: what was trusted before holds back older ones.
        if let Some(before) = held.and_then(|bytes| set.snapshot_before(&bytes).ok()) {
            snapshot.follows(&before)?;
        }
        let set = set.with_snapshot(snapshot, expiry)?;
        self.keep("snapshot.json", &bytes)?;
        Ok(set)
    }

    /// The targets that the snapshot names (5.6).
    fn refresh_targets(&mut self, set: WithSnapshot) -> Result<WithTargets, UpdateError> {
        let held = load(&self.shelf, "targets.json")?;
        if let Some(current) = held.and_then(|bytes| set.targets(&bytes).ok()) {
            return Ok(set.with_targets(current));
        }
        let pin = set.pin("targets")?;
        let bytes = self.fetch_pinned("targets", pin, set.root().consistent_snapshot, MAX_TARGETS)?;
        let targets = set.targets(&bytes)?;
        self.keep("targets.json", &bytes)?;
        Ok(set.with_targets(targets))
    }

    /// A targets file that somebody delegated to.
    fn delegated(&mut self, set: &WithTargets, delegation: &Delegation) -> Result<Verified<Targets>, UpdateError> {
        let name = format!("{}.json", encoded(&delegation.name));
        let held = match self.delegated.get(&delegation.name) {
            Some(bytes) => Some(bytes.clone()),
            None => load(&self.shelf, &name)?,
        };
        let pin = set.pin(&delegation.name)?;
        match held.map(|bytes| set.delegated(delegation, &bytes).map(|it| (it, bytes))) {
            Some(Ok((targets, bytes))) => {
                self.delegated.insert(delegation.name.clone(), bytes);
                return Ok(targets);
            }
            Some(Err(error)) if self.reach == Reach::Shelf => return Err(error.into()),
            None if self.reach == Reach::Shelf => return Err(missing(&name)),
            Some(Err(_)) | None => {}
        }
        let bytes = self.fetch_pinned(&delegation.name, pin, set.root().consistent_snapshot, MAX_TARGETS)?;
        let targets = set.delegated(delegation, &bytes)?;
        self.keep(&name, &bytes)?;
        self.delegated.insert(delegation.name.clone(), bytes);
        Ok(targets)
    }

    fn find(&mut self, set: &WithTargets, name: &str) -> Result<Option<TargetFile>, UpdateError> {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut waiting: Vec<Delegation> = Vec::new();
        let mut delegated: Option<Verified<Targets>> = None;
        loop {
            let targets = delegated.as_ref().unwrap_or_else(|| set.targets());
            if let Some(target) = targets.targets.get(name) {
                return Ok(Some(target.clone()));
            }
            let asked = targets.delegations.of(name);
            if asked.last().is_some_and(|it| it.terminating) {
                waiting.clear();
            }
            waiting.extend(asked.into_iter().rev());
            match next_unseen(&mut waiting, &mut seen) {
                Some(next) if seen.len() <= MAX_DELEGATIONS => delegated = Some(self.delegated(set, &next)?),
                _ => return Ok(None),
            }
        }
    }

    fn recall_set(&self) -> Result<Option<WithTargets>, UpdateError> {
        let load = |name| load(&self.shelf, name);
        let (Some(timestamp), Some(snapshot), Some(targets)) =
            (load("timestamp.json")?, load("snapshot.json")?, load("targets.json")?)
        else {
            return Ok(None);
        };
        let recalled = || {
            let set = self.root.clone().with_timestamp(self.root.timestamp(&timestamp)?, Expiry::NotJudged)?;
            let snapshot = set.snapshot(&snapshot)?;
            let set = set.with_snapshot(snapshot, Expiry::NotJudged)?;
            let targets = set.targets(&targets)?;
            Ok::<_, TrustError>(set.with_targets(targets))
        };
        Ok(recalled().ok())
    }

    /// Fetches a file by the version that another one names. What is not that file is asked for once more, past the
    /// cache that may have cut or mixed it up; only where the repository is ours.
    fn fetch_pinned(&self, role: &str, pin: &MetaFile, is_versioned: bool, max: u64) -> Result<Vec<u8>, UpdateError> {
        let name = match is_versioned {
            true => format!("{}.{}.json", pin.version, encoded(role)),
            false => format!("{}.json", encoded(role)),
        };
        let max = pin.length.unwrap_or(max);
        if max > MAX_METADATA {
            return Err(FetchError::TooLong { name, max: MAX_METADATA }.into());
        }
        let fetch = |caches| self.fetch(role, &name, max, caches)?.ok_or_else(|| missing(&name));
        let first = fetch(Caches::Allowed);
        let is_that_file = match &first {
            Ok(bytes) => pin.mismatch(bytes).is_none(),
            Err(error) => {
                !matches!(error, UpdateError::Missing { .. } | UpdateError::Fetch(FetchError::TooLong { .. }))
            }
        };
        match self.root.binding() {
            Some(_) if !is_that_file => fetch(Caches::Bypassed),
            _ => first,
        }
    }

    fn fetch(&self, role: &str, name: &str, max: u64, caches: Caches) -> Result<Option<Vec<u8>>, UpdateError> {
        match self.ask(&Request { role, name, max, held: None, caches })? {
            Answer::Bytes(bytes) => Ok(Some(bytes)),
            Answer::Missing => Ok(None),
            Answer::Unchanged => Err(unasked(name)),
        }
    }

    /// Asks, and does not rely on the other side to have counted.
    fn ask(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        match self.repository.metadata(request)? {
            Answer::Bytes(bytes) if bytes.len() as u64 > request.max => {
                Err(FetchError::TooLong { name: request.name.to_owned(), max: request.max })
            }
            answer => Ok(answer),
        }
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), UpdateError> {
        self.shelf.keep(name, bytes).map_err(|source| shelf("keep", name, source))
    }

    fn keep_changed(&mut self, name: &str, bytes: &[u8]) -> Result<(), UpdateError> {
        match load(&self.shelf, name)? {
            Some(there) if there == bytes => Ok(()),
            _ => self.keep(name, bytes),
        }
    }

    fn forget(&mut self, name: &str) -> Result<(), UpdateError> {
        self.shelf.forget(name).map_err(|source| shelf("forget", name, source))
    }
}

/// A timestamp from the shelf, and its bytes.
type Held = (Verified<TimestampRole>, Vec<u8>);

/// The timestamp to go on with.
struct Chosen {
    refreshed: Refreshed,
    timestamp: Verified<TimestampRole>,
    /// Its bytes, if they are to be kept.
    new: Option<Vec<u8>>,
}

/// The last one that is waiting and has not been seen yet.
fn next_unseen(waiting: &mut Vec<Delegation>, seen: &mut BTreeSet<String>) -> Option<Delegation> {
    loop {
        let next = waiting.pop()?;
        if seen.insert(next.name.clone()) {
            return Some(next);
        }
    }
}

fn load(shelf: &impl Shelf, name: &str) -> Result<Option<Vec<u8>>, UpdateError> {
    shelf.load(name).map_err(|source| self::shelf("read", name, source))
}

fn shelf(action: &'static str, name: &str, source: Trouble) -> UpdateError {
    UpdateError::Shelf { action, name: name.to_owned(), source }
}

fn missing(name: &str) -> UpdateError {
    UpdateError::Missing { name: name.to_owned() }
}

fn unasked(name: &str) -> UpdateError {
    let source = Trouble::from("the answer was `not modified`, but nothing was asked to be compared");
    FetchError::Refused { name: name.to_owned(), source }.into()
}
