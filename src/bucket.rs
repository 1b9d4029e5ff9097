//! Where a device stands among the devices of its tenant, decided by the device alone: nobody is told who it is.
//!
//! docs/rollout.md says the same for those who write it in another language, and `docs/rollout-vectors.json` has examples.

use std::fmt;

use crate::digest::Sha256;

/// How many places there are. A percent is a hundred of them, so shares may become finer without anybody moving.
const PLACES: u64 = 10_000;

/// What is hashed before the tenant's address.
const PURPOSE: &str = "tenantry.dev bucket v1";

/// A place from 0 to 9,999. It never changes for a device and a tenant, so whoever is among the first 20 % is among the
/// first 50 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u32);

impl Bucket {
    /// The last place: among no share but all.
    pub const LAST: Bucket = Bucket(9_999);

    /// The place of a device, or of a user, of the tenant with this address.
    pub fn of(addr: &str, unit: &str) -> Bucket {
        let Sha256(digest) = Sha256::of(format!("{PURPOSE}\n{addr}\n{unit}").as_bytes());
        let [a, b, c, d, ..] = digest;
        let place = (u64::from(u32::from_be_bytes([a, b, c, d])) * PLACES) >> 32;
        Bucket(u32::try_from(place).expect("a number below 10,000"))
    }

    /// Whether it is among the first so many percent.
    pub fn is_among(self, percent: u32) -> bool {
        u64::from(self.0) < u64::from(percent) * PLACES / 100
    }

    /// As a number.
    pub fn place(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
