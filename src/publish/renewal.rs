//! Tenants signed again from what a store itself holds, as a refresh and a rollback do it.
//!
//! Others than the holders of our keys may write to a store. So nothing is signed again that was not signed before:
//! what is to get new dates is first checked from the newest root, as a stranger would check it. Only its age is no
//! matter, since that is why it is signed again.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::{Tools, workers};
use crate::digest::Blake3;
use crate::index::{self, Index, TenantRecord, keys};
use crate::metadata::keys::SignError;
use crate::metadata::{Hashes, Lifetimes, MetaFile};
use crate::sign::keystore::RootFile;
use crate::sign::renew::{self, RenewError, Renewed};
use crate::sign::{Publication, Renewers};
use crate::store::{MAX_OBJECT, StoreError};
use crate::time::{Duration, Timestamp};
use crate::verify::{self, Finding, Objects, Trust, VerifiedTenant};

/// What signs again, and for how long.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The chain of roots; never empty.
    pub chain: &'a [RootFile],
    /// The keys.
    pub keys: &'a Renewers,
    /// For how long, unless a tenant's profile allows less.
    pub lifetimes: Lifetimes,
    /// When.
    pub now: Timestamp,
}

/// What of a tenant is signed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Its timestamp.
    Freshness,
    /// Everything.
    Entitlement,
}

/// One tenant to be signed again.
pub(super) struct Task<'a> {
    pub(super) addr: &'a str,
    /// What is signed again: of the current publication, or of an older one.
    pub(super) record: &'a TenantRecord,
    pub(super) part: Part,
    /// The longest that it may last.
    pub(super) max_ttl: Option<Duration>,
}

/// Why signing again stops.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A signer failed.
    #[error("cannot sign")]
    Sign(#[from] SignError),
}

/// Files that were signed again, and the roots: what is put into the store.
#[derive(Debug, Default)]
pub struct Files(pub(super) BTreeMap<String, Vec<u8>>);

impl<'a> Task<'a> {
    /// Signs again what a store shows of a tenant.
    pub(super) fn of(addr: &'a str, index: &'a Index, part: Part) -> Task<'a> {
        let record = &index.tenants[addr];
        Task { addr, record, part, max_ttl: record.max_ttl }
    }
}

impl Files {
    /// The roots alone.
    pub(super) fn roots(chain: &[RootFile]) -> Files {
        Files(chain.iter().map(|it| (keys::root(it.root.version), it.bytes.clone())).collect())
    }
}

impl Objects for Files {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.0.get(key).cloned())
    }
}

/// The public objects of a store. What keeps them from being read is remembered, so that a store that fails is not
/// taken for one that was tampered with.
pub struct Public<'a> {
    tools: &'a Tools<'a>,
    failure: Mutex<Option<StoreError>>,
}

impl<'a> Public<'a> {
    /// Of this store.
    pub fn new(tools: &'a Tools<'a>) -> Public<'a> {
        Public { tools, failure: Mutex::default() }
    }

    /// What has kept objects from being read.
    pub fn into_failure(self) -> Option<StoreError> {
        self.failure.into_inner().expect("whoever holds it only puts an error there")
    }

    /// What a check has found, or why it could not look.
    pub fn settle<T>(self, checked: Result<T, Finding>) -> Result<Result<T, Finding>, StoreError> {
        match (checked, self.into_failure()) {
            (Err(_), Some(failure)) => Err(failure),
            (checked, _) => Ok(checked),
        }
    }
}

impl Objects for Public<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        match self.tools.patience.retry(|| self.tools.store.get(key, MAX_OBJECT)) {
            Ok(there) => Ok(there.map(|it| it.bytes)),
            Err(error) => {
                let said = error.to_string();
                *self.failure.lock().expect("whoever holds it only puts an error there") = Some(error);
                Err(said)
            }
        }
    }
}

impl Signing<'_> {
    /// The newest root.
    pub(super) fn root(&self) -> &RootFile {
        self.chain.last().expect("a chain of roots is never empty")
    }

    /// Signs tenants again, in the order of the tasks. One that is not what was signed before is left out, with what
    /// is wrong with it: the others must not grow old because of it.
    pub(super) fn sign(
        &self,
        tools: &Tools<'_>,
        number: u64,
        tasks: &[Task<'_>],
    ) -> Result<Vec<Result<Renewed, Finding>>, RenewalError> {
        workers::each(tools.at_once, tasks, |task| self.one(tools, number, task))
    }

    fn one(&self, tools: &Tools<'_>, number: u64, task: &Task<'_>) -> Result<Result<Renewed, Finding>, RenewalError> {
        let Task { addr, record, part, max_ttl } = *task;
        let publication = Publication {
            addr,
            environment: &self.root().root.tenantry.environment,
            number,
            now: self.now,
            lifetimes: self.lifetimes.within(max_ttl),
        };
        let objects = Public::new(tools);
        // As of the moment at which it was signed.
        let trust = Trust { root: &self.root().root, now: record.snapshot.issued };
        let named = MetaFile {
            hashes: Hashes { sha256: record.snapshot.sha256 },
            length: record.snapshot.length,
            version: record.snapshot.version,
        };
        match (part, &self.keys.entitlement) {
            (Part::Entitlement, Some(entitlement)) => {
                let checked = verify::content(&trust, &objects, addr, &named);
                let verified = match objects.settle(checked)? {
                    Ok(verified) => verified,
                    Err(finding) => return Ok(Err(finding)),
                };
                let (manifest, bundles) = match contents(addr, record, &verified) {
                    Ok(contents) => contents,
                    Err(finding) => return Ok(Err(finding)),
                };
                let bundles = bundles.into_iter();
                let renewed =
                    renew::entitlement(entitlement, &self.keys.freshness, &publication, record, manifest, bundles);
                match renewed {
                    Ok(renewed) => Ok(Ok(renewed)),
                    Err(RenewError::Sign(error)) => Err(error.into()),
                    Err(error) => {
                        let key = keys::manifest(addr, record.manifest.sha256);
                        Ok(Err(Finding { key, problem: error.to_string() }))
                    }
                }
            }
            (Part::Freshness, _) | (Part::Entitlement, None) => {
                let checked = verify::snapshot(&trust, &objects, addr, &named);
                match objects.settle(checked)? {
                    Ok(_) => Ok(Ok(renew::freshness(&self.keys.freshness, &publication, record)?)),
                    Err(finding) => Ok(Err(finding)),
                }
            }
        }
    }
}

/// A manifest's bytes, and the bundles beside it.
type Contents<'a> = (&'a [u8], Vec<(Blake3, index::Archive)>);

/// The manifest of a sound tenant, and its bundles: every archive among its targets that is no overlay. They are
/// taken from what was signed, and the record must say the same.
fn contents<'a>(addr: &str, record: &TenantRecord, verified: &'a VerifiedTenant) -> Result<Contents<'a>, Finding> {
    let manifest_key = keys::manifest(addr, record.manifest.sha256);
    let other = |what: &str| Finding { key: manifest_key.clone(), problem: format!("the index names other {what}") };
    let manifest = verified.bytes.iter().find(|(key, _)| *key == manifest_key).ok_or_else(|| other("manifests"))?;
    let signed: BTreeMap<Blake3, index::Archive> = verified
        .archives
        .values()
        .map(|it| (it.tree, index::Archive { sha256: it.file.hashes.sha256, length: it.file.length }))
        .collect();
    let named = record.bundles.iter().chain(record.overlays.keys());
    let is_same = named.clone().all(|it| signed.contains_key(it))
        && signed.keys().all(|it| named.clone().any(|named| named == it))
        && record.overlays.iter().all(|(tree, it)| signed.get(tree) == Some(it));
    match is_same {
        true => {
            let bundles = signed.into_iter().filter(|(tree, _)| !record.overlays.contains_key(tree));
            Ok((&manifest.1, bundles.collect()))
        }
        false => Err(other("archives")),
    }
}
