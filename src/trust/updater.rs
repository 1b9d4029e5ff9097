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

use std::num::NonZeroU64;

use super::roles::{Root, Snapshot, TargetFile, Targets, TimestampRole};
use super::{Binding, TrustError};
use crate::time::Timestamp;

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

/// Where published metadata comes from.
pub trait Repository {
    /// Fetches one file. It stops reading after `request.max` bytes and fails then with [`FetchError::TooLong`].
    fn metadata(&self, request: &Request<'_>) -> Result<Answer, FetchError>;
}

/// One file of metadata that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whose file: `root`, `timestamp`, `snapshot`, `targets`, or a delegated role. Roots may live elsewhere.
    pub role: &'a str,
    /// Its name below the metadata URL: `2.root.json`, `timestamp.json`, `7.snapshot.json`. It is percent-encoded
    /// already, and has no `/`.
    pub name: &'a str,
    /// Most bytes to read.
    pub max: u64,
    /// What [`Answer::Unchanged`] would stand for. None: there is nothing to compare with, so the request must not be
    /// made conditional.
    pub held: Option<&'a [u8]>,
    /// Whether an answer from a cache will do.
    pub caches: Caches,
}

/// Whether copies that others keep will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caches {
    /// Yes.
    Allowed,
    /// No: a cache has just answered with what contradicts the rest (`Cache-Control: no-cache`).
    Bypassed,
}

/// What a repository answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The whole file.
    Bytes(Vec<u8>),
    /// There is none (HTTP 404, 403 or 410). For the next root that is the normal end of the chain.
    Missing,
    /// It is [`Request::held`] still (HTTP 304).
    Unchanged,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It may go better in a while: no connection, a time-out, HTTP 5xx or 429.
    #[error("cannot fetch `{name}` now")]
    Passing {
        /// Which file.
        name: String,
        /// What went wrong.
        #[source]
        source: Trouble,
    },
    /// Asking again will not help: a bad certificate, a redirect elsewhere, another HTTP status.
    #[error("cannot fetch `{name}`")]
    Refused {
        /// Which file.
        name: String,
        /// What went wrong.
        #[source]
        source: Trouble,
    },
    /// More bytes than the file may have; nobody read on.
    #[error("`{name}` is longer than {max} bytes")]
    TooLong {
        /// Which file.
        name: String,
        /// How many it may have.
        max: u64,
    },
}

/// What something else said, in its own words.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Where trusted metadata is kept, byte for byte.
///
/// Names: `root.json`, `timestamp.json`, `snapshot.json`, `targets.json`, `<role>.json` for delegated roles
/// (percent-encoded), and `root_history/<N>.root.json`; that is the layout that python-tuf uses.
pub trait Shelf {
    /// What is kept under a name.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble>;
    /// Keeps these bytes under a name, whole or not at all.
    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), Trouble>;
    /// Forgets what is kept under a name; nothing there is no failure.
    fn forget(&mut self, name: &str) -> Result<(), Trouble>;
}

/// How a refresh ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// There was a newer timestamp.
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

/// Why a refresh or a look-up failed. What was trusted before still is.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Something was fetched that is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Something could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A file that trusted metadata names is not in the repository.
    #[error("`{name}` is not in the repository")]
    Missing {
        /// Which file.
        name: String,
    },
    /// More than [`MAX_ROTATIONS`] new roots.
    #[error("more than {MAX_ROTATIONS} new roots in one refresh")]
    TooManyRoots,
    /// The shelf cannot be read or written.
    #[error("cannot {action} `{name}` among the trusted metadata")]
    Shelf {
        /// What was tried: `read`, `keep`, `forget`.
        action: &'static str,
        /// What it was about.
        name: String,
        /// What went wrong.
        #[source]
        source: Trouble,
    },
    /// A target was asked for before anything was refreshed or recalled.
    #[error("nothing has been verified yet")]
    NothingTrusted,
}

impl UpdateError {
    /// Whether the same may succeed in a while with nobody doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            UpdateError::Trust(error) => error.is_retryable(),
            UpdateError::Fetch(error) => matches!(error, FetchError::Passing { .. }),
            UpdateError::Missing { .. } => true,
            UpdateError::TooManyRoots => true,
            UpdateError::Shelf { .. } | UpdateError::NothingTrusted => false,
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            UpdateError::Trust(error) => error.advice(),
            UpdateError::Fetch(FetchError::Passing { .. }) => "check the connection; try again in a while",
            UpdateError::Fetch(FetchError::Refused { .. }) => "check the URL, and what stands between",
            UpdateError::Fetch(FetchError::TooLong { .. }) => {
                "no file of a sound repository is as long; something else answers in its place"
            }
            UpdateError::Missing { .. } => {
                "a cache may be behind: try again in a few minutes; or the publication is incomplete"
            }
            UpdateError::TooManyRoots => "refresh again: it goes on where this one stopped",
            UpdateError::Shelf { .. } => "check that the folder can be written and that the disk is not full",
            UpdateError::NothingTrusted => "refresh first",
        }
    }
}

/// A client of one repository.
pub struct Updater<R, S> {
    repository: R,
    shelf: S,
    binding: Option<Binding>,
}

impl<R: Repository, S: Shelf> Updater<R, S> {
    /// A client that trusts this root, the one that was delivered with it. A newer root on the shelf counts only if
    /// the chain from the pinned one leads to it. Nothing is fetched or written.
    pub fn open(repository: R, shelf: S, pinned_root: &[u8]) -> Result<Updater<R, S>, UpdateError> {
        let _ = pinned_root;
        Ok(Updater { repository, shelf, binding: None })
    }

    /// A client that trusts the root that is on the shelf already.
    pub fn resume(repository: R, shelf: S) -> Result<Updater<R, S>, UpdateError> {
        Ok(Updater { repository, shelf, binding: None })
    }

    /// Takes one tenant's files only; refuses a root of another environment.
    pub fn bound_to(mut self, binding: Binding) -> Result<Updater<R, S>, UpdateError> {
        self.binding = Some(binding);
        Ok(self)
    }

    /// Brings root, timestamp, snapshot and targets up to date (5.2 to 5.6), and keeps each when it is verified.
    /// `now` is the one instant at which everything is judged (5.1).
    pub fn refresh(&mut self, now: Timestamp) -> Result<Refreshed, UpdateError> {
        let _ = (now, &self.repository, &self.shelf);
        Err(UpdateError::NothingTrusted)
    }

    /// Verifies again what is on the shelf, without the network. Expiry is not judged: see [`Updater::trusted`] for
    /// the dates. False when the shelf does not hold a whole trusted set.
    pub fn recall(&mut self) -> Result<bool, UpdateError> {
        Err(UpdateError::NothingTrusted)
    }

    /// What is trusted since the last refresh or recall.
    pub fn trusted(&self) -> Option<Trusted<'_>> {
        None
    }

    /// The newest root that is trusted.
    pub fn root(&self) -> &Root {
        unreachable!("filled in next")
    }

    /// Looks for a target in the targets file and, depth first, in what it delegates to (5.6.7). Delegated roles are
    /// fetched as needed after a refresh, and only taken from the shelf after a recall.
    pub fn target(&mut self, name: &str) -> Result<Option<TargetFile>, UpdateError> {
        let _ = name;
        Err(UpdateError::NothingTrusted)
    }

    /// Gives back what it was made of.
    pub fn into_parts(self) -> (R, S) {
        (self.repository, self.shelf)
    }
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
