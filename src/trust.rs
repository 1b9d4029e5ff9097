//! A client of The Update Framework (TUF 1.0.34): which metadata, and through it which files, may be trusted.
//!
//! [`metadata`](crate::metadata) writes and reads back our own strict profile. This module reads what any repository
//! that keeps to the standard publishes, and knows nothing of where it comes from: [`updater::Repository`] fetches and
//! [`updater::Shelf`] keeps. It does no I/O and asks for no time.
//!
//! ```text
//! pinned root ─▶ newest root ─▶ timestamp ─▶ snapshot ─▶ targets ─▶ delegated targets ─▶ one file
//! ```
//!
//! An arrow is taken through one function for every role ([`envelope`], [`set`]): length, hashes, shape, tenant,
//! signatures, version. Whoever adds a check adds it for all of them.

pub mod delegations; // who else may name which files
pub mod envelope; // a file taken apart, and the one function that counts signatures
pub mod hashes; // by which metadata names files
pub mod json; // JSON as it was received, and its canonical spelling
pub mod keys; // public keys of the kinds that TUF names
pub mod roles; // root, timestamp, snapshot, targets, as the standard has them
pub mod set; // what follows from what: a state for each role that is trusted
pub mod updater; // the workflow, over a repository and a shelf

use crate::time::Timestamp;

/// Whose files a client takes, and no others.
///
/// All tenants of a vendor share their signing keys, so signatures cannot tell tenants apart. Each role of ours names
/// its tenant and its environment in `x-tenantry`, and a bound client looks there before it believes anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The tenant's address.
    pub addr: String,
    /// The environment that its root names.
    pub environment: String,
}

/// Why metadata is not trusted. Every variant names the role: `root`, `timestamp`, `snapshot`, `targets`, or the name
/// of a delegated one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Not JSON, or not what the standard says that the role looks like.
    #[error("this is not {role:?} metadata: {why}")]
    Shape {
        /// Which role.
        role: String,
        /// What is wrong with it.
        why: String,
    },
    /// Its length or a hash is not what the file that names it says.
    #[error("the {role:?} file is not the one that was signed for: {why}")]
    Pin {
        /// Which role.
        role: String,
        /// What differs.
        why: String,
    },
    /// Too few different keys have signed it.
    #[error("{good} of {threshold} keys have signed the {role:?} file")]
    Signatures {
        /// Which role.
        role: String,
        /// How many have.
        good: u64,
        /// How many must.
        threshold: u64,
    },
    /// It is not the version that it must be.
    #[error("the {role:?} file is version {found}, expected {expected}")]
    Version {
        /// Which role.
        role: String,
        /// What it must be.
        expected: u64,
        /// What it is.
        found: u64,
    },
    /// It is older than what was trusted before (TUF: rollback attack).
    #[error("the {role:?} file goes back to version {found} of {of:?}; version {trusted} was trusted before")]
    Rollback {
        /// Which role.
        role: String,
        /// Whose version went back: the role itself, or one that it names.
        of: String,
        /// What it says now.
        found: u64,
        /// What it said before.
        trusted: u64,
    },
    /// A role that was there before is not named any more.
    #[error("the {role:?} file no longer names {of:?}")]
    Dropped {
        /// Which role.
        role: String,
        /// What it named.
        of: String,
    },
    /// It no longer holds (TUF: freeze attack).
    #[error("the {role:?} file expired on {at}")]
    Expired {
        /// Which role.
        role: String,
        /// When.
        at: Timestamp,
    },
    /// It was made for another tenant, or for none.
    #[error("the {role:?} file was made for another tenant or environment ({found})")]
    ForeignTenant {
        /// Which role.
        role: String,
        /// What its `x-tenantry` says.
        found: String,
    },
    /// Delegated to, but the snapshot does not name it.
    #[error("the snapshot does not name {role:?}")]
    Unnamed {
        /// Which role.
        role: String,
    },
}

impl TrustError {
    /// The role that is not trusted.
    pub fn role(&self) -> &str {
        match self {
            TrustError::Shape { role, .. }
            | TrustError::Pin { role, .. }
            | TrustError::Signatures { role, .. }
            | TrustError::Version { role, .. }
            | TrustError::Rollback { role, .. }
            | TrustError::Dropped { role, .. }
            | TrustError::Expired { role, .. }
            | TrustError::ForeignTenant { role, .. }
            | TrustError::Unnamed { role } => role,
        }
    }

    /// Whether the same may succeed in a while with nobody doing anything: a cache in between had not caught up.
    pub fn is_retryable(&self) -> bool {
        match self {
            TrustError::ForeignTenant { .. } => false,
            _ => self.role() != "root",
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            TrustError::Shape { .. } => {
                "something between you and the repository answers in its place (a captive portal, an error page), or the URL is wrong"
            }
            TrustError::Pin { .. } => {
                "a cache holds a damaged or a mixed-up copy; try again, and if that does not help, purge the cache"
            }
            TrustError::Signatures { role, .. } if role == "root" => {
                "this root does not follow the one that you trust; ask the vendor whether the root you were given is right"
            }
            TrustError::Signatures { .. } => {
                "keys may just be changing: try again in a few minutes. If it stays, the files were not signed by whom you trust"
            }
            TrustError::Version { .. } | TrustError::Rollback { .. } | TrustError::Dropped { .. } => {
                "a cache may hold old files: try again in a few minutes. If it stays, somebody serves you an older state"
            }
            TrustError::Expired { .. } => {
                "check the clock of this machine; if it is right, the publisher has stopped signing, or new files are kept from you"
            }
            TrustError::ForeignTenant { .. } => {
                "the server or a cache gives out another tenant's files under this address; nothing of them was kept. Report it"
            }
            TrustError::Unnamed { .. } => "the repository is incomplete; tell its owner",
        }
    }
}
