//! What has not changed since the previous publication, and so is not read again.

use std::collections::{BTreeMap, HashMap, HashSet};

use rayon::prelude::*;

use super::super::{Checked, Documents, Look, holds_only_tenants, read_documents, read_tenants, split};
use super::{COMPILER, Job};
use crate::check::TenantKey;
use crate::check::schema::Shapes;
use crate::digest::{Blake3, Fingerprint};
use crate::index::{Index, TenantRecord, keys};
use crate::load::{SourceTree, file_id};
use crate::model::{Catalog, Project};
use crate::text::{FileId, Span};

/// What was read, and what did not need to be.
pub(super) struct Read<'a> {
    pub(super) checked: Checked,
    /// Digest of what every tenant depends on.
    pub(super) basis: Blake3,
    /// Digest of each file below `tenants/` that holds only tenants.
    pub(super) inputs: HashMap<FileId, Blake3>,
    /// Tenants that are left alone, by address.
    pub(super) kept: BTreeMap<&'a str, &'a TenantRecord>,
    /// Whether the catalogue was read: it is not when nothing at all has changed.
    pub(super) has_catalog: bool,
}

/// The project's own settings, from its file alone. What is wrong with the file is said when everything is read.
pub(super) fn read_project(tree: &SourceTree, shapes: &Shapes) -> Project {
    let files: Vec<FileId> = tree.find("tenantry.yaml").map(|(id, _)| id).into_iter().collect();
    let documents = read_documents(tree, shapes, &files);
    crate::check::catalog(tree, &documents.typed).0
}

/// Reads what must be read, given the index of a publication that the same keys have signed.
pub(super) fn read<'a>(job: &Job<'_>, shapes: &Shapes, previous: Option<&'a Index>) -> Read<'a> {
    let tree = job.tree;
    let (tenant_files, other_files) = split(tree);
    let digest = |id: &FileId| (*id, Blake3::of(tree.files[id.0 as usize].bytes()));
    let mut inputs: HashMap<FileId, Blake3> = tenant_files.par_iter().map(digest).collect();
    let unchanged = previous.map(|index| unchanged(job, index, &tenant_files, &inputs)).unwrap_or_default();
    // What the index knows holds only tenants: it remembers no other file.
    let is_plain = |id: &FileId| unchanged.contains_key(id) || holds_only_tenants(tree.files[id.0 as usize].bytes());
    let plain: HashSet<FileId> = tenant_files.par_iter().filter(|id| is_plain(id)).copied().collect();
    inputs.retain(|id, _| plain.contains(id));
    let root = &job.roots.last().expect("a chain of roots is never empty").root;
    let basis = basis(tree, &root.tenantry.environment, &plain);

    let mut kept: BTreeMap<&str, &TenantRecord> = BTreeMap::new();
    let mut files = tenant_files;
    // When there was something to say about the inputs it must be said again, so everything is read.
    if previous.is_some_and(|index| index.basis == basis && index.clean) {
        files.retain(|id| !unchanged.contains_key(id));
        kept = unchanged.into_values().flatten().collect();
    }
    if files.is_empty() && !kept.is_empty() {
        let (project, catalog) = (Project::default(), Catalog::default());
        let checked = Checked::new(project, catalog, Vec::new(), Vec::new());
        return Read { checked, basis, inputs, kept, has_catalog: false };
    }
    let others: Vec<TenantKey<'_>> = kept.values().map(|record| key(tree, record)).collect();
    let documents: Documents = read_documents(tree, shapes, &other_files);
    let checked = read_tenants(tree, shapes, documents, &files, job.now, &others, Look::AtText);
    Read { checked, basis, inputs, kept, has_catalog: true }
}

/// The files that are as the index remembers them, with their tenants, all of which can be left alone.
fn unchanged<'a>(
    job: &Job<'_>,
    index: &'a Index,
    files: &[FileId],
    inputs: &HashMap<FileId, Blake3>,
) -> HashMap<FileId, Vec<(&'a str, &'a TenantRecord)>> {
    let mut by_file: HashMap<&str, Vec<(&'a str, &'a TenantRecord)>> = HashMap::with_capacity(index.tenants.len());
    for (addr, record) in index.tenants.iter().filter(|(_, record)| !record.file.is_empty()) {
        by_file.entry(&record.file).or_default().push((addr, record));
    }
    // A store that holds a tenant holds its bundles.
    let bundles = index.bundles.iter().filter(|_| job.onto.is_none());
    let missing = bundles.filter(|(tree, it)| !job.out.has(&keys::archive(**tree, it.sha256), it.length));
    let missing: HashSet<&Blake3> = missing.map(|(tree, _)| tree).collect();
    let same = files.iter().filter_map(|id| {
        let records = by_file.remove(job.tree.files[id.0 as usize].path.as_str())?;
        let is_same = records.iter().all(|(_, record)| {
            record.input == inputs[id]
                && [record.targets, record.snapshot, record.timestamp].iter().all(|it| !it.is_due(job.now))
                && record.next_change.is_none_or(|at| job.now < at)
                && record.given.is_some()
                && record.preloaded.is_some()
                && record.bundles.iter().all(|it| !missing.contains(it))
        });
        is_same.then_some((*id, records))
    });
    let same: Vec<_> = same.collect();
    let present: Vec<bool> = match job.onto {
        Some(bases) => {
            let held = |(addr, record): &(&str, &TenantRecord)| {
                let region = record.data_region.as_deref();
                bases.hold_content(addr, record, region) && bases.hold_timestamp(addr, record, region)
            };
            same.iter().map(|(_, records)| records.iter().all(held)).collect()
        }
        None => job.out.present(job.threads, &same, |(_, records)| {
            records.iter().flat_map(|(addr, record)| record.files(addr)).collect()
        }),
    };
    same.into_iter().zip(present).filter(|(_, present)| *present).map(|(file, _)| file).collect()
}

/// The basis of a compile that goes on from nothing.
pub(in crate::pipeline) fn basis_from_nothing(tree: &SourceTree, environment: &str) -> Blake3 {
    let (tenant_files, _) = split(tree);
    let is_plain = |id: &FileId| holds_only_tenants(tree.files[id.0 as usize].bytes());
    basis(tree, environment, &tenant_files.into_par_iter().filter(is_plain).collect())
}

/// Digest of everything that every tenant depends on: all inputs but the files that hold only tenants.
fn basis(tree: &SourceTree, environment: &str, plain: &HashSet<FileId>) -> Blake3 {
    let mut it = Fingerprint::new("tenantry.dev 2026-11 basis v1");
    it.part(COMPILER.as_bytes()).part(environment.as_bytes());
    for (at, file) in tree.files.iter().enumerate() {
        if !plain.contains(&file_id(at)) {
            it.part(file.path.as_str().as_bytes()).part(file.bytes());
        }
    }
    it.finish()
}

/// What must be unique about a tenant that is not read again.
fn key<'a>(tree: &SourceTree, record: &'a TenantRecord) -> TenantKey<'a> {
    let file = tree.find(&record.file).map_or(FileId(0), |(id, _)| id);
    TenantKey {
        name: &record.name,
        tenant_id: &record.tenant_id,
        domains: &record.domains,
        labels: &record.labels,
        document: None,
        span: Span { file, start: 0, end: 0 },
    }
}
