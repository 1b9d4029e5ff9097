//! The roles as the standard has them: fields that we do not know are let be, since they may be anybody's.

use std::collections::BTreeMap;

/// Names all keys, and who may sign what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {}

/// Names the current snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampRole {}

/// Names the current targets files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {}

/// Names files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    /// By name.
    pub targets: BTreeMap<String, TargetFile>,
}

/// One file, as signed metadata names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFile {
    /// Bytes.
    pub length: u64,
    /// By algorithm (`sha256`, `sha512`), lower-case hex; at least one that we know.
    pub hashes: BTreeMap<String, String>,
}
