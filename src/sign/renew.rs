//! The same content, signed again: nobody's rights change, and nothing is compiled.

use crate::digest::{Blake3, Sha256};
use crate::index::{Archive, TenantRecord};
use crate::manifest::{self, BadManifest, Dates};
use crate::metadata::keys::{SignError, Signer};

use super::{Publication, tenant, timestamp};

/// A tenant signed again.
#[derive(Debug)]
pub struct Renewed {
    /// What the index remembers of it from now on.
    pub record: TenantRecord,
    /// Its new immutable files by key, in the order in which a store gets them; none when only time has passed.
    pub objects: Vec<(String, Vec<u8>)>,
    /// Its new timestamp: goes last.
    pub timestamp: Vec<u8>,
}

/// Why a tenant cannot be signed again.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The manifest is not the one that the record names.
    #[error("the manifest of tenant `{tenant}` is not the one that was signed")]
    Altered {
        /// Its name.
        tenant: String,
    },
    /// The manifest cannot be dated anew.
    #[error("the manifest of tenant `{tenant}` cannot be dated anew")]
    Manifest {
        /// Its name.
        tenant: String,
        /// Why.
        #[source]
        source: BadManifest,
    },
    /// A signer failed.
    #[error("cannot sign")]
    Sign(#[from] SignError),
}

/// Signs a timestamp for the snapshot that there is.
pub fn freshness(
    keys: &[Box<dyn Signer>],
    publication: &Publication<'_>,
    before: &TenantRecord,
) -> Result<Renewed, SignError> {
    let signed = timestamp(keys, publication, &before.snapshot)?;
    let record = TenantRecord { timestamp: signed.record, ..before.clone() };
    Ok(Renewed { record, objects: Vec::new(), timestamp: signed.bytes })
}

/// Signs everything of a tenant for the content that there is: its manifest with new dates, and the archives that it
/// names. Takes the manifest's bytes, and the bundles of its record; overlays stand in the record itself.
pub fn entitlement(
    entitlement: &[Box<dyn Signer>],
    freshness: &[Box<dyn Signer>],
    publication: &Publication<'_>,
    before: &TenantRecord,
    manifest: &[u8],
    bundles: impl Iterator<Item = (Blake3, Archive)>,
) -> Result<Renewed, RenewError> {
    if Sha256::of(manifest) != before.manifest.sha256 {
        return Err(RenewError::Altered { tenant: before.name.clone() });
    }
    let dates = Dates {
        expires: publication.now.plus(publication.lifetimes.entitlement),
        issued: publication.now,
        publication: publication.number,
    };
    let manifest = manifest::redate(manifest, &dates)
        .map_err(|source| RenewError::Manifest { tenant: before.name.clone(), source })?;
    let archives = bundles.chain(before.overlays.iter().map(|(tree, archive)| (*tree, *archive)));
    let signed = tenant(entitlement, freshness, publication, manifest, archives)?;
    let record = TenantRecord {
        manifest: signed.archive,
        targets: signed.targets.record,
        snapshot: signed.snapshot.record,
        timestamp: signed.timestamp.record,
        ..before.clone()
    };
    let (objects, timestamp) = signed.files(publication.addr);
    Ok(Renewed { record, objects: objects.into(), timestamp })
}
