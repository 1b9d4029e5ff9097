//! What a device that has nothing yet fetches before everything is there that its tenant's manifest has it preload.
//!
//! Pure: lengths of archives are given. A tenant's line-up may be another at each level of shells, and for a share of
//! the devices; the heaviest counts. An archive is fetched once, however many mini-programs it is for.

mod budget;
mod fill;

use std::collections::BTreeSet;

pub use self::budget::{Over, exceeded};
pub use self::fill::fill;
use crate::bundle::{self, Bundles, Files};
use crate::digest::Blake3;
use crate::index::{Cost, TenantRecord};
use crate::model::ProgramId;
use crate::render::Rendered;
use crate::resolve::{Included, PlatformRange, Resolution};

/// The tree of a version of a mini-program and the bytes of its archive, by the version's position in the program's
/// releases.
pub type Size<'a> = &'a (dyn Fn(ProgramId, usize) -> (Blake3, u64) + Sync);

/// Sizes of versions that were packed.
pub fn packed(bundles: &Bundles) -> impl Fn(ProgramId, usize) -> (Blake3, u64) + Sync {
    |program, release| {
        let (tree, archive) = bundles[program.at()][release].expect("every version that somebody has was packed");
        (tree, archive.length)
    }
}

/// An archive that devices at some levels preload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// For which mini-program.
    pub program: ProgramId,
    /// For which of its versions, as its position in the program's releases.
    pub release: usize,
    /// The shells that take it.
    pub platform: PlatformRange,
    /// Digest of its tree.
    pub tree: Blake3,
    /// Its bytes.
    pub length: u64,
}

/// The archives of a first start, for the devices that fetch most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archives {
    /// All of them.
    pub cost: Cost,
    /// The level of the shells that fetch so much, the lowest among equals; none when nobody preloads anything.
    pub level: Option<u32>,
    /// Where only the first of the devices fetch so much, how many percent they are.
    pub percent: Option<u32>,
    /// What they are for, heaviest first.
    pub programs: Vec<Share>,
}

/// What one mini-program adds to a first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The mini-program.
    pub program: ProgramId,
    /// Its version, as its position in the program's releases.
    pub release: usize,
    /// Bytes of its archives, but for those that another one has brought already.
    pub bytes: u64,
}

/// The archives of a tenant's first start.
pub fn archives(size: Size<'_>, resolution: &Resolution, rendered: &Rendered) -> Archives {
    let line_ups = loads(size, resolution, rendered, weigh);
    let Some(heaviest) = heaviest(line_ups.iter().map(Vec::as_slice)) else {
        return Archives { cost: Cost::default(), level: None, percent: None, programs: Vec::new() };
    };
    let cohort = heaviest.line_up.checked_sub(1).map(|at| &resolution.cohorts[at]);
    Archives {
        cost: heaviest.cost,
        level: Some(heaviest.level),
        percent: cohort.map(|it| it.percent),
        programs: shares(&line_ups[heaviest.line_up], heaviest.level),
    }
}

/// A number of bytes that the archives of a tenant's first start do not exceed; with the sizes of trees that were not
/// packed ([`bundle::most_packed`]) it is known without packing anything.
pub fn most(size: Size<'_>, resolution: &Resolution, rendered: &Rendered) -> u64 {
    let line_ups = loads(size, resolution, rendered, most_packed);
    heaviest(line_ups.iter().map(Vec::as_slice)).map_or(0, |it| it.cost.bytes)
}

/// Everything that a device fetches of a publication at its first start; none where an index does not know.
///
/// `roots` is what [`roots`] says of the publication's chain.
pub fn whole(record: &TenantRecord, roots: Cost) -> Option<Cost> {
    Some(record.preloaded?.and(signed(record, roots)))
}

/// The files that lead a device to the archives: roots, timestamp, snapshot, targets, manifest.
pub fn signed(record: &TenantRecord, roots: Cost) -> Cost {
    let metadata = [record.timestamp, record.snapshot, record.targets].iter().map(|it| it.length).sum::<u64>();
    roots.and(Cost { bytes: metadata + record.manifest.length, requests: 4 })
}

/// What a device fetches of a chain of roots of these lengths: all of them, and it asks once in vain for another one.
pub fn roots(lengths: impl ExactSizeIterator<Item = u64>) -> Cost {
    let requests = u32::try_from(lengths.len() + 1).expect("fewer than 2^32 roots");
    Cost { bytes: lengths.sum(), requests }
}

/// The line-up and level at which a device fetches most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heaviest {
    /// Which line-up.
    pub line_up: usize,
    /// The level.
    pub level: u32,
    /// How much.
    pub cost: Cost,
}

/// Of some line-ups and all levels those at which a device fetches most, the first among equals; none when nothing is
/// preloaded.
pub fn heaviest<'a>(line_ups: impl Iterator<Item = &'a [Load]>) -> Option<Heaviest> {
    let mut most: Option<Heaviest> = None;
    for (line_up, loads) in line_ups.enumerate() {
        // Whatever runs side by side at a level does so at the highest of the levels at which one of it begins.
        let mut levels: Vec<u32> = loads.iter().map(|it| it.platform.min_code).collect();
        levels.sort_unstable();
        levels.dedup();
        let mut by_tree: Vec<&Load> = loads.iter().collect();
        by_tree.sort_unstable_by_key(|it| it.tree.0);
        for level in levels {
            let cost = cost(&by_tree, level);
            if most.is_none_or(|it| it.cost.bytes < cost.bytes) {
                most = Some(Heaviest { line_up, level, cost });
            }
        }
    }
    most
}

/// The archives of a mini-program; overlays by release, and none where there are none at all.
pub fn load(size: Size<'_>, included: &Included, overlays: &[Option<(Blake3, u64)>]) -> impl Iterator<Item = Load> {
    included.releases.iter().enumerate().flat_map(move |(at, chosen)| {
        let load = |(tree, length)| Load {
            program: included.program,
            release: chosen.release,
            platform: chosen.platform,
            tree,
            length,
        };
        let overlay = overlays.get(at).copied().flatten();
        [Some(load(size(included.program, chosen.release))), overlay.map(load)].into_iter().flatten()
    })
}

/// What is preloaded of each line-up, given how to weigh overlays that are not empty.
fn loads(
    size: Size<'_>,
    resolution: &Resolution,
    rendered: &Rendered,
    weigh: impl Fn(&Files) -> (Blake3, u64),
) -> Vec<Vec<Load>> {
    let rendered = std::iter::once(rendered).chain(&rendered.cohorts);
    let line_up = |(line_up, rendered): (&Resolution, &Rendered)| {
        let mut loads = Vec::with_capacity(line_up.included.len());
        for (included, rendered) in line_up.included.iter().zip(&rendered.releases).filter(|(it, _)| it.preload) {
            let overlays = rendered.iter().map(|it| (!it.overlay.is_empty()).then(|| weigh(&it.overlay)));
            loads.extend(load(size, included, &overlays.collect::<Vec<_>>()));
        }
        loads
    };
    resolution.line_ups().zip(rendered).map(line_up).collect()
}

/// An overlay's tree, and its bytes once it is packed.
fn weigh(overlay: &Files) -> (Blake3, u64) {
    let tree = bundle::tree_digest(overlay);
    (tree, bundle::pack(overlay, tree).bytes.len() as u64)
}

/// An overlay's tree, and bytes that it does not exceed.
fn most_packed(overlay: &Files) -> (Blake3, u64) {
    (bundle::tree_digest(overlay), bundle::most_packed(overlay))
}

/// What a device at a level fetches of archives that are sorted by their trees.
fn cost(by_tree: &[&Load], level: u32) -> Cost {
    let mut cost = Cost::default();
    let mut last: Option<Blake3> = None;
    for it in by_tree.iter().filter(|it| it.is_at(level)) {
        if last.replace(it.tree) != Some(it.tree) {
            cost = cost.and(Cost { bytes: it.length, requests: 1 });
        }
    }
    cost
}

fn shares(loads: &[Load], level: u32) -> Vec<Share> {
    let mut seen = BTreeSet::new();
    let mut shares: Vec<Share> = Vec::new();
    for it in loads.iter().filter(|it| it.is_at(level)) {
        let bytes = if seen.insert(it.tree.0) { it.length } else { 0 };
        match shares.last_mut().filter(|last| (last.program, last.release) == (it.program, it.release)) {
            Some(last) => last.bytes += bytes,
            None => shares.push(Share { program: it.program, release: it.release, bytes }),
        }
    }
    // Stable, and ids are in the order of `app_id`s.
    shares.sort_by_key(|it| std::cmp::Reverse(it.bytes));
    shares
}

impl Load {
    /// Whether shells of a level take it.
    fn is_at(&self, level: u32) -> bool {
        self.platform.min_code <= level && self.platform.max_code.is_none_or(|max| level <= max)
    }
}

/// First starts of many tenants, in three numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// Half of the tenants need no more bytes: of an even number the lower one in the middle.
    pub median: u64,
    /// The most bytes that a tenant needs.
    pub worst: u64,
    /// Its name; the first by name among equals.
    pub tenant: String,
}

/// What the middle and the worst of some tenants need; none when there is no tenant.
pub fn spread<'a>(starts: impl Iterator<Item = (&'a str, u64)>) -> Option<Spread> {
    let mut starts: Vec<(u64, std::cmp::Reverse<&str>)> =
        starts.map(|(name, bytes)| (bytes, std::cmp::Reverse(name))).collect();
    starts.sort_unstable();
    let (worst, tenant) = starts.last()?;
    Some(Spread { median: starts[(starts.len() - 1) / 2].0, worst: *worst, tenant: tenant.0.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Cost;

    fn load(program: u32, levels: (u32, Option<u32>), tree: u8, length: u64) -> Load {
        let platform = PlatformRange { min_code: levels.0, target_code: levels.0, max_code: levels.1 };
        Load { program: ProgramId(program), release: 0, platform, tree: Blake3([tree; 32]), length }
    }

    #[test]
    fn the_level_that_fetches_most_counts() {
        let line_up = [
            load(0, (10, None), 1, 100),
            load(1, (10, Some(11)), 2, 900),
            load(1, (12, None), 3, 50),
            load(2, (11, None), 4, 60),
            load(3, (13, None), 5, 20),
        ];
        let found = heaviest([line_up.as_slice()].into_iter());
        let cost = Cost { bytes: 1060, requests: 3 };
        assert_eq!(found, Some(Heaviest { line_up: 0, level: 11, cost }));
        let shares: Vec<(u32, u64)> = shares(&line_up, 11).iter().map(|it| (it.program.0, it.bytes)).collect();
        assert_eq!(shares, [(1, 900), (0, 100), (2, 60)]);
    }

    #[test]
    fn the_share_of_devices_that_fetches_most_counts() {
        let all = [load(0, (1, None), 1, 100)];
        let some = [load(0, (1, None), 2, 101)];
        let found = heaviest([all.as_slice(), some.as_slice(), &[]].into_iter());
        assert_eq!(found, Some(Heaviest { line_up: 1, level: 1, cost: Cost { bytes: 101, requests: 1 } }));
        assert_eq!(heaviest([[].as_slice()].into_iter()), None);
    }

    #[test]
    fn an_archive_is_fetched_once_whoever_needs_it() {
        let line_up = [load(0, (1, None), 1, 70), load(1, (1, None), 1, 70), load(1, (1, None), 2, 5)];
        let found = heaviest([line_up.as_slice()].into_iter()).map(|it| it.cost);
        assert_eq!(found, Some(Cost { bytes: 75, requests: 2 }));
        let shares: Vec<(u32, u64)> = shares(&line_up, 1).iter().map(|it| (it.program.0, it.bytes)).collect();
        assert_eq!(shares, [(0, 70), (1, 5)]);
    }

    #[test]
    fn the_median_is_one_that_a_tenant_has() {
        let of = |starts: &[(&str, u64)]| spread(starts.iter().copied()).map(|it| (it.median, it.worst, it.tenant));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("c", 3), ("a", 9), ("b", 9), ("d", 4)]), Some((4, 9, "a".to_owned())));
        assert_eq!(of(&[("c", 3)]), Some((3, 3, "c".to_owned())));
    }
}
