//! Where a device stands among those of its tenant, for shells that show it and for tests.

use tenantry::bucket::Bucket;

/// The place of a device or user of the tenant with this address, from 0 to 9,999. The device is among the first so many
/// percent when its place is less than a hundred times as many. `docs/rollout.md` says how it is found.
#[uniffi::export]
pub fn bucket(addr: &str, unit: &str) -> u32 {
    Bucket::of(addr, unit).place()
}
