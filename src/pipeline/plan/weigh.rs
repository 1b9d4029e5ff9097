//! What a change costs: bundles to upload, bytes to download.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rayon::prelude::*;

use super::{Differing, Planning};
use crate::bundle;
use crate::changes::{Fetched, NewBundle, Overlays, worst};
use crate::digest::Blake3;
use crate::model::{Catalog, Tenant};
use crate::resolve::{Resolution, Resolver};

/// What must be uploaded.
pub(super) struct Weighed {
    pub(super) bundles: Vec<NewBundle>,
    pub(super) overlays: Overlays,
}

/// Where a tree comes from: positions of a program and of its version.
type Version = (usize, usize);

impl Planning<'_> {
    /// Packs whatever is fetched to know its length, and notes what each tenant's devices download.
    pub(super) fn weigh(&self, differing: &mut [Differing]) -> Weighed {
        let catalog = &self.sides.head.catalog;
        let (mut versions, mut overlays) = (BTreeMap::<Blake3, Version>::new(), BTreeMap::<Blake3, u64>::new());
        for fetch in differing.iter().flat_map(|it| &it.fetches) {
            match fetch.what {
                Fetched::Bundle(program, release) => {
                    versions.entry(fetch.tree).or_insert((program.at(), release));
                }
                Fetched::Overlay(length) => drop(overlays.insert(fetch.tree, length)),
            }
        }
        let wanted: Vec<(&Blake3, &Version)> = versions.iter().collect();
        let pack = |(tree, version): &(&Blake3, &Version)| {
            let files = &catalog.programs[version.0].releases[version.1].package.files;
            (**tree, bundle::pack(files, **tree).bytes.len() as u64)
        };
        let lengths: BTreeMap<Blake3, u64> = wanted.par_iter().map(pack).collect();
        let length = |tree: Blake3| lengths.get(&tree).copied().unwrap_or(0);
        for it in differing.iter_mut() {
            let levels = self.matched.pairs[it.pair].1.map(|it| it.levels(catalog)).unwrap_or_default();
            it.changes.download = worst(&it.fetches, &levels, length);
        }
        let overlays = Overlays { count: overlays.len(), bytes: overlays.values().sum() };
        Weighed { bundles: self.new_bundles(&versions, length), overlays }
    }

    /// Of the trees that are fetched those that nobody has before the change.
    fn new_bundles(&self, versions: &BTreeMap<Blake3, Version>, length: impl Fn(Blake3) -> u64) -> Vec<NewBundle> {
        let (base, head) = (&self.sides.base.catalog, &self.sides.head.catalog);
        let mut new: BTreeSet<Blake3> = versions.keys().copied().collect();
        let before = self.decided.iter().filter_map(|it| Some(&it.0.as_ref()?.resolution));
        forget(&mut new, base, used(before));
        if !new.is_empty() && !self.matched.alike.is_empty() {
            self.forget_unchanged(&mut new);
        }
        let bundle = |tree: Blake3| {
            let (program, release) = versions[&tree];
            let program = &head.programs[program];
            let release = &program.releases[release];
            let (app_id, version) = (program.app_id.clone(), release.version.to_string());
            NewBundle { app_id, code: release.code, version, tree, length: length(tree) }
        };
        let mut bundles: Vec<NewBundle> = new.into_iter().map(bundle).collect();
        bundles.sort();
        bundles
    }

    /// A version that the base has too may be somebody's of whom nothing differs, and who was not decided.
    fn forget_unchanged(&self, new: &mut BTreeSet<Blake3>) {
        let (base, head) = (&self.sides.base.catalog, &self.sides.head.catalog);
        let everything = all(base);
        let known: HashSet<Blake3> =
            everything.par_iter().map(|(program, release)| tree(base, *program, *release)).collect();
        if new.iter().any(|it| known.contains(it)) {
            let resolver = Resolver::new(&self.sides.head.project, head, self.job.now);
            let others: Vec<Resolution> =
                self.matched.alike.par_iter().map(|tenant: &&Tenant| resolver.tenant(tenant)).collect();
            forget(new, head, used(others.iter()));
        }
    }
}

fn all(catalog: &Catalog) -> Vec<Version> {
    let programs = catalog.programs.iter().enumerate();
    programs.flat_map(|(at, it)| (0..it.releases.len()).map(move |release| (at, release))).collect()
}

fn used<'a>(resolutions: impl Iterator<Item = &'a Resolution>) -> BTreeSet<Version> {
    let included = resolutions.flat_map(Resolution::line_ups).flat_map(|it| &it.included);
    included.flat_map(|it| it.releases.iter().map(|chosen| (it.program.at(), chosen.release))).collect()
}

fn forget(new: &mut BTreeSet<Blake3>, catalog: &Catalog, used: BTreeSet<Version>) {
    if new.is_empty() {
        return;
    }
    let used: Vec<Version> = used.into_iter().collect();
    let trees: Vec<Blake3> = used.par_iter().map(|(program, release)| tree(catalog, *program, *release)).collect();
    trees.iter().for_each(|it| _ = new.remove(it));
}

fn tree(catalog: &Catalog, program: usize, release: usize) -> Blake3 {
    bundle::tree_digest(&catalog.programs[program].releases[release].package.files)
}
