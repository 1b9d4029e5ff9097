//! What can go wrong: what happened, what was kept, and whether to try again.

use std::any::Any;

use tenantry::client;

/// Why a client did not do what it was asked. Whatever was there before still is, and still starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ClientError {
    /// The one kind that there is; `code` says which.
    #[error("{what}")]
    Failed {
        /// A stable word for programs, such as `unreachable` or `signatures`; `docs/client.md` lists them. There will
        /// be more of them.
        code: String,
        /// What happened, in words for a log.
        what: String,
        /// What to do about it, in words for whoever runs the shell.
        help: String,
        /// Whether to try again.
        retry: Retry,
        /// What is there all the same.
        kept: Kept,
    },
}

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Retry {
    /// At once.
    Now,
    /// In a while; at `next_check` of the last good refresh, or in some minutes.
    Later,
    /// Not before something was changed: the configuration, the vendor's root, the shell itself.
    Never,
}

/// What a device has after something went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct Kept {
    /// The set that the next start takes; none when nothing was ever activated.
    pub set: Option<String>,
    /// The publication that it came with.
    pub publication: Option<u64>,
}

impl ClientError {
    /// A panic, which is a mistake of ours. What is on the disk is whole at every instant, so it is kept.
    pub(crate) fn defect(panic: &(dyn Any + Send)) -> ClientError {
        ClientError::Failed {
            code: "defect".into(),
            what: defect(panic),
            help: "open the client again; if it stays, update the shell, and report it".into(),
            retry: Retry::Later,
            kept: Kept::default(),
        }
    }
}

/// A panic in words.
pub(crate) fn defect(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a mistake in the client itself: {}", text.unwrap_or("it does not say which"))
}

impl From<client::ClientError> for ClientError {
    fn from(error: client::ClientError) -> ClientError {
        ClientError::Failed {
            code: error.code().into(),
            what: error.to_string(),
            help: error.help().into(),
            retry: error.retry().into(),
            kept: error.kept.into(),
        }
    }
}

impl From<client::Retry> for Retry {
    fn from(it: client::Retry) -> Retry {
        match it {
            client::Retry::Now => Retry::Now,
            client::Retry::Later => Retry::Later,
            client::Retry::Never => Retry::Never,
        }
    }
}

impl From<client::Kept> for Kept {
    fn from(it: client::Kept) -> Kept {
        Kept { set: it.set, publication: it.publication }
    }
}
