//! Why a refresh or a look-up fails, and what to do about it.

use super::MAX_ROTATIONS;
use super::sides::{FetchError, Trouble};
use crate::trust::TrustError;

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
    /// There is no root on the shelf to go on from.
    #[error("there is no trusted root")]
    NoRoot,
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
            UpdateError::NoRoot | UpdateError::Shelf { .. } | UpdateError::NothingTrusted => false,
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
            UpdateError::NoRoot => "give the root that came with the program",
            UpdateError::TooManyRoots => "refresh again: it goes on where this one stopped",
            UpdateError::Shelf { .. } => "check that the folder can be written and that the disk is not full",
            UpdateError::NothingTrusted => "refresh first",
        }
    }
}
