//! What is there already and need not be made again: in `out/`, or in the stores that a compile goes on from.
//!
//! A compile onto stores takes nothing from `out/`: the same inputs onto the same publication give the same bytes in
//! whatever folder. What the stores do not hold is written there; what they hold need not be.

use std::collections::BTreeSet;

use super::{CompileError, Job};
use crate::digest::Blake3;
use crate::index::{Archive, FileRecord, Index, TenantRecord, keys};
use crate::publish::base::Bases;
use crate::write::WriteError;
use crate::write::state::Lineage;

/// The publication that a compile goes on from.
pub(super) struct Previous {
    /// Its index; none when there is no publication yet.
    pub(super) index: Option<Index>,
    /// What `out/` says of itself, when it goes on from stores.
    folder: Option<Index>,
    /// The number that comes next.
    pub(super) number: u64,
}

impl Previous {
    /// What `out/` says of itself.
    pub(super) fn in_folder(&self, job: &Job<'_>) -> Option<&Index> {
        match job.onto {
            Some(_) => self.folder.as_ref(),
            None => self.index.as_ref(),
        }
    }
}

/// Finds the publication to go on from.
pub(super) fn previous(job: &Job<'_>) -> Result<Previous, CompileError> {
    let folder = job.out.previous()?;
    match job.onto {
        Some(bases) => Ok(Previous { index: bases.index(), folder, number: bases.next_number() }),
        None => {
            guard_whole(&job.out.lineage()?)?;
            let number = folder.as_ref().map_or(0, |it| it.publication) + 1;
            Ok(Previous { index: folder, folder: None, number })
        }
    }
}

/// A folder that holds only what it adds to a store is nothing to go on from by itself: all the rest would be made anew.
fn guard_whole(lineage: &Lineage) -> Result<(), CompileError> {
    if lineage.partial.is_empty() {
        return Ok(());
    }
    let stores = lineage.partial.join("`, `");
    let onto = lineage.partial.iter().map(|it| format!("--onto {it}")).collect::<Vec<_>>().join(" ");
    Err(CompileError::Guard {
        why: format!("the output folder holds only what it adds to `{stores}`; the rest is there"),
        help: format!("compile with `{onto}` again, or into another folder with `--out`"),
    })
}

impl Job<'_> {
    /// Whether all files of a tenant that was left alone are there.
    pub(super) fn has_content(&self, addr: &str, record: &TenantRecord, region: Option<&str>) -> bool {
        match self.onto {
            Some(bases) => bases.hold_content(addr, record, region),
            None => record.immutable_files(addr).all(|(key, length)| self.out.has(&key, length)),
        }
    }

    pub(super) fn has_timestamp(&self, addr: &str, record: &TenantRecord, region: Option<&str>) -> bool {
        match self.onto {
            Some(bases) => bases.hold_timestamp(addr, record, region),
            None => self.out.has(&keys::timestamp(addr), record.timestamp.length),
        }
    }

    pub(super) fn has_overlay(&self, addr: &str, tree: Blake3, known: Archive, region: Option<&str>) -> bool {
        match self.onto {
            Some(bases) => bases.hold_overlay(addr, tree, known.sha256, region),
            None => self.out.has(&keys::archive(tree, known.sha256), known.length),
        }
    }

    /// Whether a bundle is there for tenants of these regions.
    pub(super) fn has_bundle(&self, tree: Blake3, archive: Archive, regions: &BTreeSet<Option<&str>>) -> bool {
        match self.onto {
            Some(bases) => regions.iter().all(|region| bases.hold_bundle(tree, archive, *region)),
            None => self.out.has(&keys::archive(tree, archive.sha256), archive.length),
        }
    }
}

/// Removes from `out/` what a compile onto stores must not leave there: the folder's own files that are not, byte for
/// byte, those of the publication that it goes on from.
pub(super) fn clear_folder(job: &Job<'_>, previous: &Previous) -> Result<(), WriteError> {
    if job.onto.is_none() {
        return Ok(());
    }
    if job.out.was_interrupted() {
        // Nobody knows what lies there.
        return job.out.sweep(|_| false);
    }
    let Some(folder) = &previous.folder else { return Ok(()) };
    let other = |file: FileRecord, held: Option<FileRecord>| held.map(|it| it.sha256) != Some(file.sha256);
    let mut keys = Vec::new();
    for (addr, record) in &folder.tenants {
        let held = previous.index.as_ref().and_then(|it| it.tenants.get(addr));
        if other(record.timestamp, held.map(|it| it.timestamp)) {
            keys.push(keys::timestamp(addr));
        }
        if other(record.snapshot, held.map(|it| it.snapshot)) {
            keys.push(keys::snapshot(addr, record.snapshot.version));
        }
        if other(record.targets, held.map(|it| it.targets)) {
            keys.push(keys::targets(addr, record.targets.version));
        }
    }
    // The names of all others say what is in them, so they can only be superfluous.
    let held: BTreeSet<String> = previous.index.iter().flat_map(Index::public_files).collect();
    keys.extend(folder.public_files().filter(|key| key.starts_with("o/") && !held.contains(key)));
    job.out.remove(job.threads, &keys)
}

/// Writes down which publications `out/` descends from now, and which stores hold what is not in it.
pub(super) fn record_lineage(job: &Job<'_>, bases: &Bases<'_>, index: &Index) -> Result<(), WriteError> {
    let files: Vec<(String, u64)> = index.tenants.iter().flat_map(|(addr, record)| record.files(addr)).collect();
    let bundles = index.bundles.iter().map(|(tree, it)| (keys::archive(*tree, it.sha256), it.length));
    let files: Vec<(String, u64)> = files.into_iter().chain(bundles).collect();
    let is_whole = job.out.present(job.threads, &files, |it| vec![it.clone()]).into_iter().all(|it| it);
    let mut lineage = Lineage::default();
    for base in &bases.0 {
        if let Some(point) = base.point() {
            lineage.add(&base.spec.name, point);
            if !is_whole {
                lineage.partial.push(base.spec.name.clone());
            }
        }
    }
    match job.out.lineage().is_ok_and(|it| it == lineage) {
        true => Ok(()),
        false => job.out.write_lineage(&lineage),
    }
}
