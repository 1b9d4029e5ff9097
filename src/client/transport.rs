//! How bytes come here: one request for one object below the base URL.
//!
//! A transport may lie: everything it delivers is measured and verified by its caller. What it must do is stop: it
//! refuses an object that says it is too long, does not follow redirects to other hosts, and fails when nothing comes.

use std::io::Read;

use super::error::Retry;

/// Fetches objects by their key, such as `t/<addr>/timestamp.json`; all below one base URL.
pub trait Transport: Send + Sync {
    /// Fetches one object. Called from several threads at once.
    fn get(&self, path: &str, request: &Get) -> Result<Reply, TransportError>;
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get {
    /// Answer [`Reply::NotModified`] if the object still has this ETag.
    pub if_none_match: Option<String>,
    /// First byte that is wanted: those before it are here already.
    pub from: u64,
    /// Begin at `from` only if the object still has this ETag; send the whole otherwise.
    pub if_range: Option<String>,
    /// Most bytes that the whole object may have.
    pub max: u64,
    /// Whether copies that caches keep will do.
    pub caches: Caches,
}

/// Whether copies that caches keep will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caches {
    /// Yes.
    Allowed,
    /// No: a copy has just turned out to be wrong (`Cache-Control: no-cache`).
    Bypassed,
}

/// An answer.
#[derive(Debug)]
pub enum Reply {
    /// The object.
    Object(Body),
    /// It still has the ETag that was asked about (HTTP 304).
    NotModified,
    /// There is none (HTTP 404, 410, or 403: a bucket that may not be listed).
    Missing,
}

/// An object on its way.
pub struct Body {
    /// Which byte of the object is the first here: [`Get::from`], or zero when the whole object is sent.
    pub from: u64,
    /// Its version.
    pub etag: Option<String>,
    /// How many bytes will come, if it was said.
    pub length: Option<u64>,
    /// The bytes. An error of kind `TimedOut` means that they came too slowly.
    pub bytes: Box<dyn Read + Send>,
}

/// Why an object did not come.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection, or none any more.
    #[error("cannot reach `{path}`")]
    Unreachable {
        /// Which object.
        path: String,
        /// What went wrong.
        #[source]
        source: Source,
    },
    /// The connection ended before the object did.
    #[error("`{path}` was cut short after {after} bytes")]
    Cut {
        /// Which object.
        path: String,
        /// How many bytes had come.
        after: u64,
    },
    /// It came too slowly, or not at all.
    #[error("`{path}` comes too slowly")]
    Slow {
        /// Which object.
        path: String,
    },
    /// The server says that it cannot answer now (HTTP 429, 500 to 599).
    #[error("the server cannot give `{path}` now (HTTP {status})")]
    Server {
        /// Which object.
        path: String,
        /// Its answer.
        status: u16,
    },
    /// Another answer that is of no use, or no HTTP at all.
    #[error("the answer about `{path}` is of no use: {why}")]
    Useless {
        /// Which object.
        path: String,
        /// What it was.
        why: String,
    },
    /// Sent on to another host, which no server of ours does.
    #[error("`{path}` was redirected to `{to}`")]
    Elsewhere {
        /// Which object.
        path: String,
        /// Where to.
        to: String,
    },
    /// Longer than it may be; nobody read on.
    #[error("`{path}` is longer than {max} bytes")]
    TooLong {
        /// Which object.
        path: String,
        /// How long it may be.
        max: u64,
    },
}

/// What went wrong underneath, in its own words.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Get {
    /// Asks for a whole object of at most this many bytes.
    pub fn whole(max: u64) -> Get {
        Get { if_none_match: None, from: 0, if_range: None, max, caches: Caches::Allowed }
    }
}

impl Body {
    /// A whole object that is here already.
    pub fn of(bytes: Vec<u8>, etag: Option<String>) -> Body {
        Body { from: 0, etag, length: Some(bytes.len() as u64), bytes: Box::new(std::io::Cursor::new(bytes)) }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("from", &self.from).field("etag", &self.etag).finish_non_exhaustive()
    }
}

impl TransportError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            TransportError::Unreachable { .. } => "unreachable",
            TransportError::Cut { .. } => "cut-short",
            TransportError::Slow { .. } => "too-slow",
            TransportError::Server { .. } => "server",
            TransportError::Useless { .. } => "not-our-server",
            TransportError::Elsewhere { .. } => "redirected",
            TransportError::TooLong { .. } => "too-long",
        }
    }

    /// Whether to try again. A network is never wrong for ever: a device leaves the hotel with the captive portal.
    pub fn retry(&self) -> Retry {
        match self {
            TransportError::Cut { .. } => Retry::Now,
            _ => Retry::Later,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            TransportError::Unreachable { .. } | TransportError::Cut { .. } | TransportError::Slow { .. } => {
                "check the connection; what was fetched so far is used the next time"
            }
            TransportError::Server { .. } => "try again later",
            TransportError::Useless { .. } | TransportError::Elsewhere { .. } => {
                "something between the device and the server answers in its place (a captive portal, a proxy), or the URL is wrong"
            }
            TransportError::TooLong { .. } => {
                "no object of a sound publication is as long; something else answers in its place"
            }
        }
    }
}
