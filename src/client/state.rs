//! What a client remembers, in small files that know whether they are damaged.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::error::Trouble;
use crate::digest::{Blake3, Sha256};
use crate::time::Timestamp;

/// Longest file of this kind.
const MAX: u64 = 64 << 10;

/// Whose folder this is. Written first and, when the tenant changes, last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tenant {
    pub(super) addr: String,
    pub(super) environment: String,
}

/// Names a set: what `current`, `previous` and `staged` hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pointer {
    /// Until when its manifest was fresh, in case that everything newer is damaged.
    pub(super) fresh_until: Timestamp,
    pub(super) publication: u64,
    pub(super) set: Blake3,
}

/// The newest publication that was verified completely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Latest {
    pub(super) floor: Floor,
    /// The first instant at which one of its files no longer holds.
    pub(super) fresh_until: Timestamp,
    pub(super) manifest: Sha256,
    pub(super) publication: u64,
    /// Since when every refresh has met an older copy.
    pub(super) stale_since: Option<Timestamp>,
}

/// Numbers below which nothing is accepted, even when the trusted metadata on the disk was damaged. Zero where there is
/// no such number: at first, and when a root has taken a key away (TUF 5.3.11).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Floor {
    pub(super) targets: u64,
    pub(super) timestamp: u64,
}

/// How starts went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Boot {
    /// Sets that were given up, newest last.
    pub(super) bad: Vec<Bad>,
    /// Whether a start of `set` was ever confirmed.
    pub(super) confirmed: bool,
    /// The set that the rest is about.
    pub(super) set: Option<Blake3>,
    /// Starts since the last confirmed one.
    pub(super) unconfirmed: u32,
}

/// A set that failed to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bad {
    pub(super) set: Blake3,
    pub(super) since: Timestamp,
}

/// The latest instant that was seen, within bounds; see `clock.rs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) at: Timestamp,
}

/// Who this device is among those of its tenant. Nobody is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Device {
    pub(super) unit: String,
}

/// What the server calls the timestamp that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tag {
    pub(super) etag: String,
    pub(super) timestamp: Sha256,
}

/// A small file with a digest of itself.
pub(super) trait Sealed: Serialize + DeserializeOwned {
    /// Its name.
    const NAME: &'static str;
}

macro_rules! sealed {
    ($($type:ty: $name:literal),*) => { $(impl Sealed for $type { const NAME: &'static str = $name; })* };
}

sealed!(Tenant: "tenant.json", Latest: "latest.json", Boot: "boot.json", Seen: "clock.json", Tag: "etag.json",
    Device: "device.json");

/// The pointers: the set that starts, the one before it, the one that waits.
pub(super) const CURRENT: &str = "current";
pub(super) const PREVIOUS: &str = "previous";
pub(super) const STAGED: &str = "staged";

/// Every name of a file of this kind.
pub(super) const FILES: [&str; 9] =
    [CURRENT, PREVIOUS, STAGED, Tenant::NAME, Latest::NAME, Boot::NAME, Seen::NAME, Tag::NAME, Device::NAME];

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<T> {
    Whole(T),
    /// It is not there.
    Nothing,
    /// It is there, and it is not what was written.
    Damaged,
}

impl<T> Found<T> {
    pub(super) fn whole(self) -> Option<T> {
        match self {
            Found::Whole(value) => Some(value),
            Found::Nothing | Found::Damaged => None,
        }
    }

    pub(super) fn as_ref(&self) -> Option<&T> {
        match self {
            Found::Whole(value) => Some(value),
            Found::Nothing | Found::Damaged => None,
        }
    }
}

/// Reads a file of this kind.
pub(super) fn load<T: Sealed>(disk: &Disk) -> Found<T> {
    load_from(disk, T::NAME)
}

/// Reads a pointer.
pub(super) fn load_pointer(disk: &Disk, name: &str) -> Found<Pointer> {
    load_from(disk, name)
}

fn load_from<T: DeserializeOwned>(disk: &Disk, name: &str) -> Found<T> {
    match disk.read(name, MAX) {
        Ok(None) => Found::Nothing,
        // A file that cannot be read is as good as a damaged one: nothing may depend on it.
        Err(_) => Found::Damaged,
        Ok(Some(bytes)) => {
            let value = unseal(&bytes).and_then(|inner| serde_json::from_slice(inner).ok());
            value.map_or(Found::Damaged, Found::Whole)
        }
    }
}

/// Writes a file of this kind.
pub(super) fn save<T: Sealed>(disk: &Disk, value: &T) -> Result<(), Trouble> {
    disk.replace(T::NAME, &seal(value))
}

/// Writes a pointer.
pub(super) fn save_pointer(disk: &Disk, name: &str, value: &Pointer) -> Result<(), Trouble> {
    disk.replace(name, &seal(value))
}

const BEFORE: &[u8] = b"{\"blake3\":\"";
const BETWEEN: &[u8] = b"\",\"of\":";

fn seal<T: Serialize>(value: &T) -> Vec<u8> {
    let inner = serde_json::to_vec(value).expect("what a client remembers has only text keys");
    let digest = Blake3::of(&inner).to_string();
    [BEFORE, digest.as_bytes(), BETWEEN, &inner, b"}"].concat()
}

fn unseal(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(BEFORE)?;
    let (digest, rest) = rest.split_at_checked(64)?;
    let inner = rest.strip_prefix(BETWEEN)?.strip_suffix(b"}")?;
    let digest = Blake3::parse(std::str::from_utf8(digest).ok()?)?;
    (Blake3::of(inner) == digest).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_no_bit_of_it_may_flip() {
        let boot = Boot { confirmed: true, unconfirmed: 7, ..Boot::default() };
        let bytes = seal(&boot);
        let open = |bytes: &[u8]| unseal(bytes).and_then(|it| serde_json::from_slice::<Boot>(it).ok());
        assert_eq!(open(&bytes), Some(boot));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                assert_eq!(open(&bytes), None, "byte {at}, bit {bit}");
            }
            assert_eq!(open(&bytes[..at]), None, "cut after {at}");
        }
    }
}
