//! The two sides between which the workflow stands: where published metadata comes from, and where trusted metadata
//! is kept.

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
    /// There is none (HTTP 404, or 403 where a bucket lists nothing). For the next root that is the normal end of the
    /// chain.
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
