//! What devices fetch because of a change, and whether they have anything left to run.
//!
//! A device at a level fetches an archive when it takes a mini-program that it did not have, or takes it from other
//! files than before. Manifests and metadata, some kilobytes each, do not count, nor does whether a device waits
//! until somebody opens the mini-program: the figure is the most that one device may have to fetch.

use std::collections::{BTreeMap, BTreeSet};

use crate::changes::{Comparer, Devices, Levels, Pair, Seat};
use crate::digest::Blake3;
use crate::input::TenantStatus;
use crate::model::ProgramId;

/// An archive that devices at some levels have to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// The levels.
    pub levels: Levels,
    /// The devices.
    pub devices: Devices,
    /// Digest of its tree.
    pub tree: Blake3,
    /// Which archive.
    pub what: Fetched,
}

/// Which archive is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// The files of a version of the head, as its position in the program's releases.
    Bundle(ProgramId, usize),
    /// Files rendered for the tenant, and the bytes of the archive.
    Overlay(u64),
}

/// What a device downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Download {
    /// The level of the shell.
    pub level: u32,
    /// Bytes of all archives.
    pub bytes: u64,
}

/// Of a tenant's levels the one at which a device fetches most, the lowest among equals; none when nothing is fetched.
pub fn worst(fetches: &[Fetch], levels: &[u32], length: impl Fn(Blake3) -> u64) -> Option<Download> {
    let devices: BTreeSet<Devices> = fetches.iter().map(|it| it.devices).collect();
    let at = |(level, devices): (u32, Devices)| {
        // The same archive is fetched once, however many mini-programs it is for.
        let needed = fetches.iter().filter(|it| it.levels.contains(level) && it.devices == devices);
        let needed = needed.map(|it| match it.what {
            Fetched::Bundle(..) => (it.tree, length(it.tree)),
            Fetched::Overlay(bytes) => (it.tree, bytes),
        });
        let needed: BTreeMap<Blake3, u64> = needed.collect();
        Download { level, bytes: needed.values().sum() }
    };
    let downloads =
        levels.iter().flat_map(|level| devices.iter().map(|it| at((*level, *it)))).filter(|it| it.bytes > 0);
    downloads.reduce(|most, it| if it.bytes > most.bytes { it } else { most })
}

impl Comparer<'_> {
    /// Levels of a served tenant's shells at which something ran, and nothing runs any more.
    pub(super) fn stranded(&self, pair: Pair<'_>) -> Vec<u32> {
        match pair {
            Pair::Both(base, head) if head.tenant.status == TenantStatus::Active => {
                let levels = head.tenant.levels(self.head.catalog).into_iter();
                levels.filter(|it| self.runs(base, *it) && !self.runs(head, *it)).collect()
            }
            Pair::Added(_) | Pair::Removed(_) | Pair::Both(..) => Vec::new(),
        }
    }

    fn runs(&self, seat: Seat<'_>, level: u32) -> bool {
        let mut there = seat.resolution.included.iter().filter(|it| it.window.contains(self.now));
        there.any(|it| {
            let mut ranges = it.releases.iter().map(|it| it.platform);
            ranges.any(|it| Levels { min: it.min_code, max: it.max_code }.contains(level))
        })
    }
}
