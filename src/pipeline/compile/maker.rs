//! One tenant's files, and the bundles that tenants share.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::super::{Decided, ReadTenant};
use super::incremental::Read;
use super::{COMPILER, CompileError, Job};
use crate::bundle::{self, Bundle, Bundles};
use crate::compose::{Composed, Composer};
use crate::digest::{Blake3, Fingerprint};
use crate::index::{Archive, Cost, FileRecord, Given, Index, TenantRecord, keys};
use crate::manifest::{Frame, Source};
use crate::metadata::keys::SignError;
use crate::sign::{self, Publication, Signers, renew};
use crate::time::Duration;
use crate::write::Object;

/// The bundles of a publication.
pub(super) struct Packing {
    /// By program and release; none for a version that nobody has.
    pub(super) bundles: Bundles,
    /// Those that `out/` does not hold yet.
    pub(super) objects: Vec<Object>,
}

/// Packs every version that somebody has. A tree that the previous publication holds is not packed again: its
/// object is used as it is, so a new compressor never makes every device download everything.
pub(super) fn pack(
    job: &Job<'_>,
    previous: Option<&Index>,
    read: &Read<'_>,
    decided: &[Decided],
) -> Result<Packing, CompileError> {
    let catalog = &read.checked.catalog;
    // Who wants it matters by region: a store may hold it, and another one not yet.
    let mut wanted: BTreeMap<(usize, usize), BTreeSet<Option<&str>>> = BTreeMap::new();
    for (tenant, decided) in read.checked.tenants.iter().zip(decided) {
        for it in decided.resolution.line_ups().flat_map(|it| &it.included) {
            for chosen in &it.releases {
                wanted.entry((it.program.at(), chosen.release)).or_default().insert(region(tenant));
            }
        }
    }
    let one = |((program, release), regions): ((usize, usize), BTreeSet<Option<&str>>)| {
        let files = &catalog.programs[program].releases[release].package.files;
        let tree = bundle::tree_digest(files);
        let known = previous.and_then(|it| it.bundles.get(&tree)).copied();
        let (archive, object) = match known.filter(|it| job.has_bundle(tree, *it, &regions)) {
            Some(archive) => (archive, None),
            None => {
                let (archive, object) = repack(job, bundle::pack(files, tree), known)?;
                (archive, Some(object))
            }
        };
        Ok(((program, release), tree, archive, object))
    };
    let wanted: Vec<_> = wanted.into_iter().collect();
    let packed = wanted.into_par_iter().map(one).collect::<Result<Vec<_>, CompileError>>()?;
    let mut bundles: Bundles = catalog.programs.iter().map(|it| vec![None; it.releases.len()]).collect();
    let mut objects: Vec<Object> = Vec::new();
    for ((program, release), tree, archive, object) in packed {
        bundles[program][release] = Some((tree, archive));
        objects.extend(object);
    }
    // Two versions with the same files are one object.
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    objects.dedup_by(|a, b| a.key == b.key);
    Ok(Packing { bundles, objects })
}

/// A bundle that was packed because it is not everywhere where it should be. Where some store holds the same tree in
/// other bytes, those are taken from there: tenants that are left alone refer to them.
fn repack(job: &Job<'_>, bundle: Bundle, known: Option<Archive>) -> Result<(Archive, Object), CompileError> {
    let tree = bundle.tree;
    let (archive, object) = shelve(bundle);
    match (job.onto, known) {
        (Some(bases), Some(known)) if known != archive => {
            let bytes = bases.fetch(tree, known)?;
            Ok((known, Object { key: keys::archive(tree, known.sha256), bytes }))
        }
        _ => Ok((archive, object)),
    }
}

/// The region that a tenant is bound to.
fn region(tenant: &ReadTenant) -> Option<&str> {
    tenant.tenant.data_region.as_ref().map(|(region, _)| &**region)
}

/// An archive as an object and as the index remembers it.
fn shelve(bundle: Bundle) -> (Archive, Object) {
    let archive = Archive { sha256: bundle.sha256, length: bundle.bytes.len() as u64 };
    (archive, Object { key: keys::archive(bundle.tree, bundle.sha256), bytes: bundle.bytes })
}

/// Roots that `out/` does not carry yet.
pub(super) fn missing_roots(job: &Job<'_>) -> Vec<Object> {
    let roots = job.roots.iter().map(|it| Object { key: keys::root(it.root.version), bytes: it.bytes.clone() });
    roots.filter(|it| !job.out.has_bytes(&it.key, &it.bytes)).collect()
}

/// Makes tenants' files.
pub(super) struct Maker<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) signers: &'a Signers,
    /// The previous publication.
    pub(super) previous: Option<&'a Index>,
    /// Whether the keys that sign now signed that one too.
    pub(super) has_same_keys: bool,
    pub(super) read: &'a Read<'a>,
    pub(super) number: u64,
    pub(super) composer: &'a Composer<'a>,
}

/// Digest of everything that a tenant depends on: the basis, and its own document.
pub(in crate::pipeline) fn inputs_of(basis: Blake3, document: Blake3) -> Blake3 {
    Fingerprint::new("tenantry.dev 2026-11 inputs v1").part(&basis.0).part(&document.0).finish()
}

/// One tenant's share of a publication.
pub(super) struct Made {
    pub(super) addr: String,
    pub(super) record: TenantRecord,
    /// Immutable files to write.
    pub(super) objects: Vec<Object>,
    /// Goes last.
    pub(super) timestamp: Option<Object>,
    pub(super) why: Why,
}

/// Why a tenant was signed.
pub(super) enum Why {
    /// Its line-up is new or another.
    Changed,
    /// Its metadata was due.
    Refreshed,
    /// It was not: everything is as it was.
    Same,
}

impl Maker<'_> {
    pub(super) fn tenant(&self, read: &ReadTenant, decided: &Decided) -> Result<Made, SignError> {
        let (checked, tenant) = (&self.read.checked, &read.tenant);
        let project = &checked.project;
        let composed = self.composer.tenant(tenant, &decided.resolution, &decided.rendered);
        let addr = self.signers.addresses.addr(&tenant.tenant_id);
        let (now, lifetimes) = (self.job.now, project.lifetimes().within(composed.max_ttl));
        let publication =
            Publication { addr: &addr, environment: &self.signers.environment, number: self.number, now, lifetimes };
        let region = region(read);
        let before = self.previous.and_then(|it| it.tenants.get(&addr));
        let same = before.filter(|it| it.content == composed.content && self.job.has_content(&addr, it, region));
        let is_entitlement_due = |it: &TenantRecord| {
            let is_due = |file: FileRecord| file.is_due_within(now, lifetimes.entitlement);
            !self.has_same_keys || is_due(it.targets) || is_due(it.snapshot)
        };
        let is_freshness_due = |it: &TenantRecord| {
            it.timestamp.is_due_within(now, lifetimes.freshness) || !self.job.has_timestamp(&addr, it, region)
        };
        let (record, mut objects, timestamp, why) = match same {
            Some(before) if is_entitlement_due(before) => {
                let (record, objects, timestamp) = self.sign(read, decided, &composed, &publication)?;
                (record, objects, Some(timestamp), Why::Refreshed)
            }
            Some(before) if is_freshness_due(before) => {
                let fresh = renew::freshness(&self.signers.freshness, &publication, before)?;
                let timestamp = Object { key: keys::timestamp(&addr), bytes: fresh.timestamp };
                (fresh.record, Vec::new(), Some(timestamp), Why::Refreshed)
            }
            Some(before) => (before.clone(), Vec::new(), None, Why::Same),
            None => {
                let (record, objects, timestamp) = self.sign(read, decided, &composed, &publication)?;
                (record, objects, Some(timestamp), Why::Changed)
            }
        };
        if !objects.is_empty() {
            let is_there = |it: &Bundle| before.is_some_and(|before| self.has_overlay(&addr, before, it, region));
            let overlays = composed.overlays.into_iter().filter(|it| !is_there(it));
            objects.extend(overlays.map(|it| shelve(it).1));
        }
        // What the tenant was made from is remembered even when nothing of it changed.
        let record = self.describe(read, decided, (composed.preloaded, composed.max_ttl), record);
        Ok(Made { record, addr, objects, timestamp, why })
    }

    /// Whether an overlay is there just as it would be written.
    fn has_overlay(&self, addr: &str, record: &TenantRecord, overlay: &Bundle, region: Option<&str>) -> bool {
        let known = record.overlays.get(&overlay.tree).filter(|it| it.sha256 == overlay.sha256);
        known.is_some_and(|it| self.job.has_overlay(addr, overlay.tree, *it, region))
    }

    /// Signs everything anew.
    fn sign(
        &self,
        read: &ReadTenant,
        decided: &Decided,
        composed: &Composed,
        publication: &Publication<'_>,
    ) -> Result<(TenantRecord, Vec<Object>, Object), SignError> {
        let addr = publication.addr;
        let inputs_digest = inputs_of(self.read.basis, read.document);
        let source = Source { commit: self.job.tree.commit.clone(), compiler: COMPILER.into(), inputs_digest };
        let manifest = composed.body.write(&Frame {
            addr,
            environment: &self.signers.environment,
            expires: publication.now.plus(publication.lifetimes.entitlement),
            issued: publication.now,
            publication: publication.number,
            source: &source,
            tenant_id: &read.tenant.tenant_id,
        });
        let overlays =
            composed.overlays.iter().map(|it| (it.tree, Archive { sha256: it.sha256, length: it.bytes.len() as u64 }));
        let archives = composed.bundles.iter().copied().chain(overlays.clone());
        let Signers { entitlement, freshness, .. } = self.signers;
        let signed = sign::tenant(entitlement, freshness, publication, manifest, archives)?;
        let record = TenantRecord {
            name: read.tenant.name.to_string(),
            tenant_id: read.tenant.tenant_id.to_string(),
            domains: read.tenant.domains.clone(),
            labels: read.tenant.labels.clone(),
            data_region: None,
            file: String::new(),
            input: Blake3([0; 32]),
            content: composed.content,
            next_change: decided.resolution.next_change,
            entitlements: composed.entitlements,
            given: None,
            preloaded: None,
            bundles: composed.bundles.iter().map(|(tree, _)| *tree).collect(),
            overlays: overlays.collect(),
            max_ttl: composed.max_ttl,
            manifest: signed.archive,
            targets: signed.targets.record,
            snapshot: signed.snapshot.record,
            timestamp: signed.timestamp.record,
        };
        let (objects, timestamp) = signed.files(addr);
        let objects = objects.map(|(key, bytes)| Object { key, bytes });
        Ok((record, objects.into(), Object { key: keys::timestamp(addr), bytes: timestamp }))
    }

    fn describe(
        &self,
        read: &ReadTenant,
        decided: &Decided,
        (preloaded, max_ttl): (Cost, Option<Duration>),
        record: TenantRecord,
    ) -> TenantRecord {
        // A file that holds other documents too belongs to the basis; no tenant of it is ever left alone.
        let input = self.read.inputs.get(&read.file);
        let file = input.map(|_| self.job.tree.files[read.file.0 as usize].path.to_string());
        let catalog = &self.read.checked.catalog;
        let included = decided.resolution.included.iter();
        let given = Given::together(included.map(|it| (&*catalog.program(it.program).app_id, it.window)));
        TenantRecord {
            name: read.tenant.name.to_string(),
            domains: read.tenant.domains.clone(),
            labels: read.tenant.labels.clone(),
            data_region: region(read).map(str::to_owned),
            file: file.unwrap_or_default(),
            input: input.copied().unwrap_or(Blake3([0; 32])),
            next_change: decided.resolution.next_change,
            given: Some(given),
            preloaded: Some(preloaded),
            max_ttl,
            ..record
        }
    }
}
