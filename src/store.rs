//! Where publications go: a directory, an S3-compatible bucket, or memory.
//!
//! A store holds objects by key and can put one under a condition. That is all that publishing relies on, and
//! [`settle`] is the one way in which it puts: it asks for the condition, and when the answer is lost it reads back
//! what is there, so that nobody ever has to guess whether a write was done.

pub mod dir; // a directory
pub mod memory; // for tests, with faults
pub mod open; // from what stands in `tenantry.yaml` to a store
pub mod probe; // whether a store keeps what publishing relies on
pub mod s3; // a bucket of an S3-compatible store

use std::fmt;

use crate::time::{Duration, Timestamp};

/// Largest object that is read back whole.
pub const MAX_OBJECT: u64 = 1 << 30;

/// Objects by key. Every method may be called from many threads at once.
pub trait Store: Send + Sync {
    /// What it is called, for messages: the name in `tenantry.yaml` and where it is.
    fn describe(&self) -> String;

    /// An object; none when nothing stands under the key. Fails on one larger than `max` bytes.
    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError>;

    /// What is known of an object without its bytes.
    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError>;

    /// Puts an object under its condition, once: no retries below this call.
    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError>;

    /// Every object whose key begins so, in the order of their keys, a page at a time.
    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError>;

    /// Deletes objects; one that is not there is no failure.
    fn delete(&self, keys: &[String]) -> Result<(), StoreError>;

    /// Whether what lies below `state/` lies in another place than all else: what holds in one may not in the other.
    fn keeps_state_apart(&self) -> bool {
        false
    }

    /// With which headers an object is served; none when it is not there, or when this store serves nothing itself.
    fn served(&self, _key: &str) -> Result<Option<Served>, StoreError> {
        Ok(None)
    }
}

/// The version of an object, as its store names it; without the quotes of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ETag(String);

impl ETag {
    /// Takes it with or without quotes.
    pub fn new(text: &str) -> ETag {
        let bare = text.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(text);
        ETag(bare.to_owned())
    }

    /// Without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An object with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their version.
    pub etag: ETag,
}

/// An object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub length: u64,
    /// Its version.
    pub etag: ETag,
    /// When it was put, by the store's clock.
    pub modified: Timestamp,
}

/// The headers that a store keeps with an object and gives back with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`; we never ask for one.
    pub content_encoding: Option<String>,
}

/// What must hold for a put to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing: it replaces what is there.
    None,
    /// Nothing stands under the key yet (`If-None-Match: *`).
    Absent,
    /// The object there is this version (`If-Match`).
    Is(ETag),
}

/// How long anybody may keep a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// For ever: the key names the bytes.
    Immutable,
    /// A minute, and then ask again: a tenant's timestamp.
    Pointer,
    /// Asked for each time: the files of the web shell, which change with a deployment.
    Page,
    /// Not at all: what lies below `state/` is nobody else's business.
    Private,
}

impl Cache {
    /// What a key calls for.
    pub fn of(key: &str) -> Cache {
        match key {
            _ if key.starts_with("state/") => Cache::Private,
            _ if key.ends_with("/timestamp.json") => Cache::Pointer,
            _ if is_of_shell(key) => Cache::Page,
            _ => Cache::Immutable,
        }
    }

    /// The value of `Cache-Control`.
    pub fn header(self) -> &'static str {
        match self {
            Cache::Immutable => "public, max-age=31536000, immutable",
            Cache::Pointer => "public, max-age=60, must-revalidate",
            Cache::Page => "no-cache",
            Cache::Private => "private, no-store",
        }
    }
}

/// The value of `Content-Type` that a key calls for.
pub fn content_type(key: &str) -> &'static str {
    match key.rsplit('.').next() {
        Some("json") => "application/json",
        Some("html") if is_of_shell(key) => "text/html; charset=utf-8",
        Some("js") if is_of_shell(key) => "text/javascript; charset=utf-8",
        // W3C MiniApp Packaging, section 4: the media type of a package.
        _ if key.starts_with("o/") => "application/miniapp-pkg+zip",
        _ => "application/octet-stream",
    }
}

/// Whether a key is one of the web shell's. They are none of a publication: nothing that looks after publications
/// counts, checks or deletes them.
fn is_of_shell(key: &str) -> bool {
    key.starts_with("shell/") || key.starts_with("frames/")
}

/// One object to put. Cache and type follow from the key.
#[derive(Debug, Clone)]
pub struct Upload<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// When it may be put.
    pub precondition: Precondition,
}

/// Why a store did not do what it was asked. What it was asked stands in the key; what went wrong in the source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The condition of a put does not hold (HTTP 412). Not done.
    #[error("`{key}` is not what the condition asks for")]
    Precondition {
        /// Which object.
        key: String,
    },
    /// Somebody else is writing the same object (HTTP 409). Not done; the same request may be made again.
    #[error("`{key}` is being written by somebody else")]
    Conflict {
        /// Which object.
        key: String,
    },
    /// No answer came back. Done or not done.
    #[error("no answer about `{key}`")]
    Lost {
        /// Which object.
        key: String,
        /// What went wrong.
        #[source]
        source: Trouble,
    },
    /// Not done, and it may go better in a while: no connection, too many requests, a fault over there.
    #[error("cannot reach `{key}` now")]
    Passing {
        /// Which object.
        key: String,
        /// What went wrong.
        #[source]
        source: Trouble,
    },
    /// Not done, and asking again will not help: no right, no such bucket, a bad request.
    #[error("the store refuses `{key}`")]
    Refused {
        /// Which object.
        key: String,
        /// What went wrong.
        #[source]
        source: Trouble,
    },
}

impl StoreError {
    /// Whether the same request may succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self, StoreError::Conflict { .. } | StoreError::Lost { .. } | StoreError::Passing { .. })
    }

    /// What to do about it, where the store's answer shows that.
    pub fn help(&self) -> Option<&str> {
        match self {
            StoreError::Precondition { .. } | StoreError::Conflict { .. } => None,
            StoreError::Lost { source, .. }
            | StoreError::Passing { source, .. }
            | StoreError::Refused { source, .. } => source.downcast_ref::<Said>().and_then(|it| it.help.as_deref()),
        }
    }
}

/// What a store said, in its own words.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// What a store said, in its own words, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Said {
    /// Its code and message.
    pub words: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How often and how long to try again.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How many times one request is made at most.
    pub tries: u32,
    /// How long to wait before the second; it doubles from there on.
    pub first: std::time::Duration,
    /// How long to wait at most.
    pub longest: std::time::Duration,
}

impl Patience {
    /// Eight tries over about a minute.
    pub const NORMAL: Patience = Patience {
        tries: 8,
        first: std::time::Duration::from_millis(200),
        longest: std::time::Duration::from_secs(20),
    };

    /// As often, without waiting: for tests.
    pub const NONE: Patience =
        Patience { tries: 8, first: std::time::Duration::ZERO, longest: std::time::Duration::ZERO };

    /// Makes a request until it succeeds, fails for good, or patience ends.
    pub fn retry<T>(&self, mut request: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut wait = self.first;
        for _ in 1..self.tries {
            match request() {
                Err(error) if error.is_passing() => {
                    std::thread::sleep(self.jittered(wait));
                    wait = (wait * 2).min(self.longest);
                }
                settled => return settled,
            }
        }
        request()
    }

    /// Somewhere between half of it and all: many that were refused at once do not come back at once.
    fn jittered(&self, wait: std::time::Duration) -> std::time::Duration {
        let mut random = [0; 1];
        // Without random numbers everybody waits the longest, which is as good.
        let share = getrandom::fill(&mut random).map_or(255, |()| u32::from(random[0]));
        wait / 2 + wait * share / 510
    }
}

/// How a put ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Our bytes are there: put now, or there already. This is their version.
    Ours(ETag),
    /// Something else is there.
    Theirs(Fetched),
    /// The condition asked for a version, and nothing is there any more.
    Gone,
}

/// Puts an object and finds out for certain what became of it.
///
/// A condition that does not hold, and an answer that was lost, are settled by reading back: our own bytes under the
/// key mean that it is done, whoever did it. `bytes` must therefore be unique to what they say; every object of a
/// publication is.
pub fn settle(store: &dyn Store, patience: Patience, upload: &Upload<'_>) -> Result<Settled, StoreError> {
    // One try more for the put than for reading back, so that the last word is never a guess.
    patience.retry(|| match store.put(upload) {
        Ok(etag) => Ok(Settled::Ours(etag)),
        Err(error @ (StoreError::Precondition { .. } | StoreError::Conflict { .. } | StoreError::Lost { .. })) => {
            let there = patience.retry(|| store.get(upload.key, MAX_OBJECT))?;
            match (there, &upload.precondition) {
                (Some(there), _) if there.bytes == upload.bytes => Ok(Settled::Ours(there.etag)),
                // Nothing has happened yet: the condition would still hold, so the same request is made again.
                (Some(there), Precondition::Is(etag)) if there.etag == *etag => Err(again(error)),
                (Some(_), Precondition::None) | (None, Precondition::None | Precondition::Absent) => Err(again(error)),
                (Some(there), _) => Ok(Settled::Theirs(there)),
                (None, Precondition::Is(_)) => Ok(Settled::Gone),
            }
        }
        Err(error) => Err(error),
    })
}

/// A refusal that contradicts what is there may be tried again: the store had not caught up.
fn again(error: StoreError) -> StoreError {
    match error {
        StoreError::Precondition { key } => StoreError::Conflict { key },
        other => other,
    }
}

/// How long ago something was put.
pub fn age(listed: &Listed, now: Timestamp) -> Duration {
    listed.modified.until(now)
}
