//! What a store lacks, found by comparing two indexes.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Item, ItemKind, Leaving, Move, unsound};
use super::{Job, PublishError};
use crate::digest::{Blake3, Sha256};
use crate::index::{Archive, Index, TenantRecord, keys};

/// What differs between what a store holds and what it should hold.
pub(super) struct Difference<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) base: Option<&'a Index>,
    pub(super) index: &'a Index,
}

impl Difference<'_> {
    fn before(&self, addr: &str) -> Option<&TenantRecord> {
        self.base.and_then(|it| it.tenants.get(addr))
    }

    pub(super) fn moves(&self) -> Result<Vec<Move>, PublishError> {
        let mut moves = Vec::new();
        for (addr, record) in &self.index.tenants {
            let before = self.before(addr).map(|it| it.timestamp);
            if before == Some(record.timestamp) {
                continue;
            }
            let (from, to) = (before.map(|it| it.version), record.timestamp.version);
            let tenant = record.name.clone();
            match from {
                Some(from) if from >= to => {
                    return Err(PublishError::Backwards { store: self.job.spec.name.clone(), tenant, from, to });
                }
                _ => moves.push(Move { addr: addr.clone(), tenant, from, to }),
            }
        }
        Ok(moves)
    }

    pub(super) fn leaves(&self) -> Vec<Leaving> {
        let before = self.base.into_iter().flat_map(|it| &it.tenants);
        let leaving = before.filter(|(addr, _)| !self.index.tenants.contains_key(*addr));
        let one = |(addr, record): (&String, &TenantRecord)| {
            let why = match self.job.index.tenants.get(addr).map(|it| it.data_region.as_deref()) {
                None => "it is no longer in the project".into(),
                Some(None) => "it is no longer bound to a region".into(),
                Some(Some(region)) => format!("it is bound to region `{region}` now"),
            };
            Leaving { addr: addr.clone(), tenant: record.name.clone(), why }
        };
        leaving.map(one).collect()
    }

    /// Public objects that the store's own index does not vouch for, in the order in which they are put.
    pub(super) fn uploads(&self) -> Result<Vec<Item>, PublishError> {
        let mut items = self.roots()?;
        items.extend(self.bundles());
        items.extend(self.index.tenants.iter().flat_map(|(addr, record)| self.own(addr, record)));
        items.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        // An overlay may have the content of a bundle, or of another overlay; it is one object then.
        let mut known: BTreeSet<String> = BTreeSet::new();
        items.retain(|it| known.insert(it.key.clone()));
        Ok(items)
    }

    fn roots(&self) -> Result<Vec<Item>, PublishError> {
        let first = self.base.map_or(1, |it| it.root_version + 1);
        let one = |version: u64| {
            let key = keys::root(version);
            let read = self.job.files.get(&key).map_err(|problem| unsound(&key, problem))?;
            let bytes = read.ok_or_else(|| unsound(&key, "it is missing".into()))?;
            let (length, sha256) = (bytes.len() as u64, Sha256::of(&bytes));
            Ok(Item { key, kind: ItemKind::Root, length, sha256, why: format!("root {version} is new here") })
        };
        (first..=self.index.root_version).map(one).collect()
    }

    fn bundles(&self) -> Vec<Item> {
        let has = |tree: &Blake3, it: &Archive| self.base.is_some_and(|base| base.bundles.get(tree) == Some(it));
        let missing: BTreeMap<&Blake3, &Archive> =
            self.index.bundles.iter().filter(|(tree, it)| !has(tree, it)).collect();
        let mut users: BTreeMap<&Blake3, usize> = BTreeMap::new();
        for tree in self.index.tenants.values().flat_map(|it| &it.bundles).filter(|it| missing.contains_key(it)) {
            *users.entry(tree).or_default() += 1;
        }
        let one = |(tree, it): (&Blake3, &Archive)| {
            let why = match users.get(tree).copied().unwrap_or_default() {
                1 => "1 tenant has it".to_owned(),
                count => format!("{count} tenants have it"),
            };
            archive(ItemKind::Bundle, *tree, *it, why)
        };
        missing.into_iter().map(one).collect()
    }

    /// What is one tenant's alone, but for its timestamp.
    fn own(&self, addr: &str, record: &TenantRecord) -> Vec<Item> {
        let before = self.before(addr);
        let why = match before {
            None => format!("tenant `{}` is new here", record.name),
            Some(it) if it.content != record.content => format!("the line-up of tenant `{}` changed", record.name),
            Some(_) => format!("tenant `{}` is signed again", record.name),
        };
        let item = |kind, key, length, sha256| Item { key, kind, length, sha256, why: why.clone() };
        let mut items = Vec::new();
        if before.map(|it| it.manifest) != Some(record.manifest) {
            let key = keys::manifest(addr, record.manifest.sha256);
            items.push(item(ItemKind::Manifest, key, record.manifest.length, record.manifest.sha256));
        }
        let has = |tree: &Blake3, it: &Archive| before.is_some_and(|before| before.overlays.get(tree) == Some(it));
        let overlays = record.overlays.iter().filter(|(tree, it)| !has(tree, it));
        items.extend(overlays.map(|(tree, it)| archive(ItemKind::Overlay, *tree, *it, why.clone())));
        if before.map(|it| it.targets) != Some(record.targets) {
            let key = keys::targets(addr, record.targets.version);
            items.push(item(ItemKind::Targets, key, record.targets.length, record.targets.sha256));
        }
        if before.map(|it| it.snapshot) != Some(record.snapshot) {
            let key = keys::snapshot(addr, record.snapshot.version);
            items.push(item(ItemKind::Snapshot, key, record.snapshot.length, record.snapshot.sha256));
        }
        items
    }
}

fn archive(kind: ItemKind, tree: Blake3, it: Archive, why: String) -> Item {
    Item { key: keys::archive(tree, it.sha256), kind, length: it.length, sha256: it.sha256, why }
}
