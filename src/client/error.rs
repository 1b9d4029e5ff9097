//! What can go wrong: what happened, what was kept, and whether to try again.

use std::fmt;
use std::path::PathBuf;

use super::transport::TransportError;
use crate::trust::TrustError;

/// Why a client did not do what it was asked. Whatever was there before still is, and still starts.
#[derive(Debug, thiserror::Error)]
#[error("{}; {kept}", chain(trouble))]
pub struct ClientError {
    /// What happened.
    pub trouble: Trouble,
    /// What is there all the same.
    pub kept: Kept,
}

/// What a device has after something went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The set that the next start takes; none when nothing was ever activated.
    pub set: Option<String>,
    /// The publication that it came with.
    pub publication: Option<u64>,
}

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// At once.
    Now,
    /// In a while; [`super::Update::next_check`] of the last good refresh, or some minutes.
    Later,
    /// Not before something was changed: the configuration, the vendor's root, the shell itself.
    Never,
}

/// What happened. New kinds may be added; [`ClientError::code`] is what programs should look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// The configuration cannot be used.
    #[error("`{field}` of the configuration cannot be used: {why}")]
    Configuration {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Another process, or another client of this one, is writing to the same folder.
    #[error("another client is writing to `{path}`")]
    Busy {
        /// Which folder.
        path: PathBuf,
    },
    /// The disk said no.
    #[error("cannot {action} `{path}`")]
    Disk {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// Something could not be fetched.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The bytes are not those that were signed for; they were asked for a second time, past every cache.
    #[error("`{path}` is not what was signed for: {why}")]
    Damaged {
        /// Which object.
        path: String,
        /// What differs.
        why: String,
    },
    /// A file that signed metadata names is not there.
    #[error("`{path}` is not there, though signed metadata names it")]
    Missing {
        /// Which object.
        path: String,
    },
    /// Metadata that is not trusted.
    #[error(transparent)]
    Refused(#[from] TrustError),
    /// More roots than one refresh follows.
    #[error("there are more new roots than one refresh follows")]
    ManyRoots,
    /// The manifest is signed, but it is not one that this client may use.
    #[error("the manifest is refused: {why}")]
    Manifest {
        /// Why.
        why: String,
    },
    /// No such program.
    #[error("there is no program `{app_id}` in what is installed")]
    UnknownProgram {
        /// Which.
        app_id: String,
    },
    /// There is nothing that could be confirmed.
    #[error("nothing was started")]
    NotStarted,
}

impl ClientError {
    /// A stable word for programs; see `docs/client.md`.
    pub fn code(&self) -> &'static str {
        self.trouble.code()
    }

    /// Whether to try again.
    pub fn retry(&self) -> Retry {
        self.trouble.retry()
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        self.trouble.help()
    }
}

impl Trouble {
    pub(super) fn kept(self, kept: Kept) -> ClientError {
        ClientError { trouble: self, kept }
    }

    fn code(&self) -> &'static str {
        match self {
            Trouble::Configuration { .. } => "configuration",
            Trouble::Busy { .. } => "busy",
            Trouble::Disk { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => "disk-full",
            Trouble::Disk { .. } => "disk",
            Trouble::Transport(error) => error.code(),
            Trouble::Damaged { .. } => "damaged",
            Trouble::Missing { .. } => "missing",
            Trouble::Refused(TrustError::Shape { .. }) => "not-metadata",
            Trouble::Refused(TrustError::Pin { .. }) => "mixed-up",
            Trouble::Refused(TrustError::Signatures { .. }) => "signatures",
            Trouble::Refused(TrustError::Version { .. }) => "version",
            Trouble::Refused(TrustError::Rollback { .. } | TrustError::Dropped { .. }) => "rollback",
            Trouble::Refused(TrustError::Expired { .. }) => "expired",
            Trouble::Refused(TrustError::ForeignTenant { .. }) => "foreign-tenant",
            Trouble::Refused(TrustError::Unnamed { .. }) => "incomplete",
            Trouble::ManyRoots => "many-roots",
            Trouble::Manifest { .. } => "manifest",
            Trouble::UnknownProgram { .. } => "unknown-program",
            Trouble::NotStarted => "not-started",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Trouble::Configuration { .. } | Trouble::UnknownProgram { .. } | Trouble::NotStarted => Retry::Never,
            Trouble::ManyRoots => Retry::Now,
            Trouble::Transport(error) => error.retry(),
            Trouble::Refused(error) if !error.is_retryable() => Retry::Never,
            // A manifest that is signed and yet wrong is cured by the next publication.
            _ => Retry::Later,
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Trouble::Configuration { .. } => "correct the shell's configuration",
            Trouble::Busy { .. } => "wait until the other one is done; starting what is installed works meanwhile",
            Trouble::Disk { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => "free some space",
            Trouble::Disk { .. } => "check that the folder can be written",
            Trouble::Transport(error) => error.help(),
            Trouble::Damaged { .. } => {
                "a cache changes or damages bytes; try again later, and tell the vendor if it stays"
            }
            Trouble::Missing { .. } => "the publication is incomplete, or a cache is behind; try again later",
            Trouble::Refused(error) => error.advice(),
            Trouble::ManyRoots => "refresh again; it goes on where this one stopped",
            Trouble::Manifest { .. } => "tell the vendor; a newer publication cures it",
            Trouble::UnknownProgram { .. } => "refresh, and activate what it brings",
            Trouble::NotStarted => "call `start` before `confirm_start`",
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.publication, &self.set) {
            (Some(publication), _) => write!(f, "publication {publication} is kept and starts as before"),
            (None, Some(_)) => f.write_str("what is installed is kept and starts as before"),
            (None, None) => f.write_str("nothing is installed yet, and nothing was kept"),
        }
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Retry::Now => "now",
            Retry::Later => "later",
            Retry::Never => "never",
        })
    }
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
