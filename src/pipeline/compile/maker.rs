//! One tenant's files, and the bundles that tenants share.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::super::{Decided, ReadTenant};
use super::incremental::Read;
use super::{COMPILER, Job};
use crate::bundle::{self, Bundle};
use crate::compose::{Bundles, Composed, Composer};
use crate::digest::{Blake3, Fingerprint};
use crate::index::{Archive, FileRecord, Index, TenantRecord, keys};
use crate::manifest::{Frame, Source};
use crate::metadata::keys::SignError;
use crate::model::Catalog;
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
pub(super) fn pack(job: &Job<'_>, previous: Option<&Index>, catalog: &Catalog, decided: &[Decided]) -> Packing {
    let included = decided.iter().flat_map(|it| &it.resolution.included);
    let wanted: BTreeSet<(usize, usize)> =
        included.flat_map(|it| it.releases.iter().map(|chosen| (it.program.at(), chosen.release))).collect();
    let one = |(program, release): (usize, usize)| {
        let files = &catalog.programs[program].releases[release].package.files;
        let tree = bundle::tree_digest(files);
        let known = previous.and_then(|it| it.bundles.get(&tree));
        let known = known.filter(|it| job.out.has(&keys::archive(tree, it.sha256), it.length));
        match known {
            Some(archive) => ((program, release), tree, *archive, None),
            None => {
                let bundle = bundle::pack(files, tree);
                let (archive, object) = shelve(bundle);
                ((program, release), tree, archive, Some(object))
            }
        }
    };
    let wanted: Vec<(usize, usize)> = wanted.into_iter().collect();
    let packed: Vec<_> = wanted.into_par_iter().map(one).collect();
    let mut bundles: Bundles = catalog.programs.iter().map(|it| vec![None; it.releases.len()]).collect();
    let mut objects: Vec<Object> = Vec::new();
    for ((program, release), tree, archive, object) in packed {
        bundles[program][release] = Some((tree, archive));
        objects.extend(object);
    }
    // Two versions with the same files are one object.
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    objects.dedup_by(|a, b| a.key == b.key);
    Packing { bundles, objects }
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
        let before = self.previous.and_then(|it| it.tenants.get(&addr));
        let same = before.filter(|it| it.content == composed.content && self.is_whole(&addr, it));
        let is_entitlement_due = |it: &TenantRecord| {
            let is_due = |file: FileRecord| file.is_due_within(now, lifetimes.entitlement);
            !self.has_same_keys || is_due(it.targets) || is_due(it.snapshot)
        };
        let is_freshness_due =
            |it: &TenantRecord| it.timestamp.is_due_within(now, lifetimes.freshness) || !self.has_timestamp(&addr, it);
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
            let is_there = |it: &Bundle| before.is_some_and(|before| self.has_overlay(before, it));
            let overlays = composed.overlays.into_iter().filter(|it| !is_there(it));
            objects.extend(overlays.map(|it| shelve(it).1));
        }
        // What the tenant was made from is remembered even when nothing of it changed.
        let record = self.describe(read, decided, composed.max_ttl, record);
        Ok(Made { record, addr, objects, timestamp, why })
    }

    /// Whether all files of a tenant but its timestamp are still there.
    fn is_whole(&self, addr: &str, record: &TenantRecord) -> bool {
        record.immutable_files(addr).all(|(key, length)| self.job.out.has(&key, length))
    }

    fn has_timestamp(&self, addr: &str, record: &TenantRecord) -> bool {
        self.job.out.has(&keys::timestamp(addr), record.timestamp.length)
    }

    /// Whether an overlay stands in `out/` just as it would be written.
    fn has_overlay(&self, record: &TenantRecord, overlay: &Bundle) -> bool {
        let known = record.overlays.get(&overlay.tree).filter(|it| it.sha256 == overlay.sha256);
        known.is_some_and(|it| self.job.out.has(&keys::archive(overlay.tree, it.sha256), it.length))
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
        let inputs_digest =
            Fingerprint::new("tenantry.dev 2026-11 inputs v1").part(&self.read.basis.0).part(&read.document.0).finish();
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
            data_region: None,
            file: String::new(),
            input: Blake3([0; 32]),
            content: composed.content,
            next_change: decided.resolution.next_change,
            entitlements: composed.entitlements,
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
        max_ttl: Option<Duration>,
        record: TenantRecord,
    ) -> TenantRecord {
        // A file that holds other documents too belongs to the basis; no tenant of it is ever left alone.
        let input = self.read.inputs.get(&read.file);
        let file = input.map(|_| self.job.tree.files[read.file.0 as usize].path.to_string());
        TenantRecord {
            name: read.tenant.name.to_string(),
            domains: read.tenant.domains.clone(),
            data_region: read.tenant.data_region.as_ref().map(|(region, _)| region.to_string()),
            file: file.unwrap_or_default(),
            input: input.copied().unwrap_or(Blake3([0; 32])),
            next_change: decided.resolution.next_change,
            max_ttl,
            ..record
        }
    }
}
