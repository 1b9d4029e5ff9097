//! From a line-up to signed metadata: pure, given signers.
//!
//! Signed bytes are kept and written; no role is serialised twice.

mod command;
pub mod keystore; // where keys live
pub mod renew; // the same content, signed again
pub mod roots; // which root may follow which

use std::collections::BTreeMap;

use crate::digest::{Blake3, Sha256};
use crate::index::{Archive, FileRecord, keys};
use crate::metadata::keys::{KeyId, SignError, Signature, Signer};
use crate::metadata::{
    self, Hashes, Lifetimes, Mark, MetaFile, Role, SPEC_VERSION, Signed, Snapshot, TargetFile, Targets, TimestampRole,
};
use crate::time::Timestamp;

/// The keys that sign for tenants. During a rotation a role has an old and a new key, and both sign.
pub struct Signers {
    /// Sign targets and snapshots.
    pub entitlement: Vec<Box<dyn Signer>>,
    /// Sign timestamps only.
    pub freshness: Vec<Box<dyn Signer>>,
    /// As in the root.
    pub environment: String,
    /// Turns tenant ids into addresses.
    pub addresses: AddressSecret,
}

impl Signers {
    /// The ids of some keys, sorted.
    pub fn ids(signers: &[Box<dyn Signer>]) -> Vec<KeyId> {
        let mut ids: Vec<KeyId> = signers.iter().map(|it| it.key_id()).collect();
        ids.sort();
        ids
    }
}

/// The keys of a job that signs again what was signed before. It makes no address, so it needs no secret; and a job
/// that only keeps timestamps fresh has no entitlement key, so whoever steals its keys changes nobody's rights.
pub struct Renewers {
    /// Sign targets and snapshots; none when they are not at hand.
    pub entitlement: Option<Vec<Box<dyn Signer>>>,
    /// Sign timestamps.
    pub freshness: Vec<Box<dyn Signer>>,
}

/// The project's secret behind tenant addresses. Whoever has it can tell which address belongs to which tenant.
pub struct AddressSecret([u8; 32]);

impl AddressSecret {
    /// From its 32 bytes.
    pub fn new(bytes: [u8; 32]) -> AddressSecret {
        AddressSecret(bytes)
    }

    /// The tenant's public address: 160 bits of a keyed BLAKE3, in lower-case base32. Nobody enumerates tenants.
    pub fn addr(&self, tenant_id: &str) -> String {
        let digest = blake3::keyed_hash(&self.0, tenant_id.as_bytes());
        let mut text = data_encoding::BASE32_NOPAD.encode(&digest.as_bytes()[..20]);
        text.make_ascii_lowercase();
        text
    }
}

/// What one tenant's metadata is made of.
#[derive(Debug)]
pub struct Publication<'a> {
    /// The tenant's address.
    pub addr: &'a str,
    /// As in the root.
    pub environment: &'a str,
    /// The number; becomes the version of every role signed here.
    pub number: u64,
    /// When.
    pub now: Timestamp,
    /// For how long.
    pub lifetimes: Lifetimes,
}

/// One signed file and what the index remembers of it.
#[derive(Debug)]
pub struct File {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// What to remember.
    pub record: FileRecord,
}

/// Everything of a tenant that a publication signs.
#[derive(Debug)]
pub struct SignedTenant {
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// What to remember of them.
    pub archive: Archive,
    /// `targets.json`.
    pub targets: File,
    /// `snapshot.json`.
    pub snapshot: File,
    /// `timestamp.json`.
    pub timestamp: File,
}

/// Signs everything of a tenant: targets that name its manifest and its archives, then what leads there.
pub fn tenant(
    entitlement: &[Box<dyn Signer>],
    freshness: &[Box<dyn Signer>],
    publication: &Publication<'_>,
    manifest: Vec<u8>,
    archives: impl Iterator<Item = (Blake3, Archive)>,
) -> Result<SignedTenant, SignError> {
    let archive = Archive { sha256: Sha256::of(&manifest), length: manifest.len() as u64 };
    let targets = targets(entitlement, publication, archive, archives)?;
    let snapshot = snapshot(entitlement, publication, &targets.record)?;
    let timestamp = timestamp(freshness, publication, &snapshot.record)?;
    Ok(SignedTenant { manifest, archive, targets, snapshot, timestamp })
}

impl SignedTenant {
    /// Its immutable files by key, in the order in which a store gets them, and its timestamp, which goes last.
    pub fn files(self, addr: &str) -> ([(String, Vec<u8>); 3], Vec<u8>) {
        let immutable = [
            (keys::manifest(addr, self.archive.sha256), self.manifest),
            (keys::targets(addr, self.targets.record.version), self.targets.bytes),
            (keys::snapshot(addr, self.snapshot.record.version), self.snapshot.bytes),
        ];
        (immutable, self.timestamp.bytes)
    }
}

/// Signs targets: the manifest, the overlays and the bundles.
pub fn targets(
    entitlement: &[Box<dyn Signer>],
    publication: &Publication<'_>,
    manifest: Archive,
    archives: impl Iterator<Item = (Blake3, Archive)>,
) -> Result<File, SignError> {
    file(targets_role(publication, manifest, archives), entitlement, publication.now)
}

/// Targets before they are signed.
pub fn targets_role(
    publication: &Publication<'_>,
    manifest: Archive,
    archives: impl Iterator<Item = (Blake3, Archive)>,
) -> Targets {
    let target = |it: Archive| TargetFile { hashes: Hashes { sha256: it.sha256 }, length: it.length };
    let mut targets: BTreeMap<String, TargetFile> =
        archives.map(|(tree, archive)| (tree.to_string(), target(archive))).collect();
    targets.insert(keys::manifest_target(publication.addr), target(manifest));
    Targets {
        type_name: "targets".into(),
        expires: publication.now.plus(publication.lifetimes.entitlement),
        spec_version: SPEC_VERSION.into(),
        targets,
        version: publication.number,
        tenantry: mark(publication),
    }
}

/// Signs a snapshot that names these targets.
pub fn snapshot(
    entitlement: &[Box<dyn Signer>],
    publication: &Publication<'_>,
    targets: &FileRecord,
) -> Result<File, SignError> {
    file(snapshot_role(publication, targets), entitlement, publication.now)
}

/// A snapshot before it is signed.
pub fn snapshot_role(publication: &Publication<'_>, targets: &FileRecord) -> Snapshot {
    Snapshot {
        type_name: "snapshot".into(),
        expires: publication.now.plus(publication.lifetimes.entitlement),
        meta: [("targets.json".into(), meta(targets))].into(),
        spec_version: SPEC_VERSION.into(),
        version: publication.number,
        tenantry: mark(publication),
    }
}

/// Signs a timestamp that names this snapshot.
pub fn timestamp(
    freshness: &[Box<dyn Signer>],
    publication: &Publication<'_>,
    snapshot: &FileRecord,
) -> Result<File, SignError> {
    file(timestamp_role(publication, snapshot), freshness, publication.now)
}

/// A timestamp before it is signed.
pub fn timestamp_role(publication: &Publication<'_>, snapshot: &FileRecord) -> TimestampRole {
    TimestampRole {
        type_name: "timestamp".into(),
        expires: publication.now.plus(publication.lifetimes.freshness),
        meta: [("snapshot.json".into(), meta(snapshot))].into(),
        spec_version: SPEC_VERSION.into(),
        version: publication.number,
        tenantry: mark(publication),
    }
}

/// Signs any role with these keys, in the order of their ids.
pub fn sign<T: Role>(role: T, signers: &[&dyn Signer]) -> Result<Signed<T>, SignError> {
    let signed = metadata::canonical(&role);
    let mut signatures: Vec<Signature> = signers.iter().map(|it| it.signature(&signed)).collect::<Result<_, _>>()?;
    signatures.sort_by_key(|it| it.keyid);
    Ok(Signed { bytes: metadata::envelope(&signed, &signatures), role })
}

fn file<T: Role>(role: T, signers: &[Box<dyn Signer>], now: Timestamp) -> Result<File, SignError> {
    let signers: Vec<&dyn Signer> = signers.iter().map(AsRef::as_ref).collect();
    let (version, expires) = (role.version(), role.expires());
    let bytes = sign(role, &signers)?.bytes;
    let record = FileRecord { version, length: bytes.len() as u64, sha256: Sha256::of(&bytes), issued: now, expires };
    Ok(File { bytes, record })
}

fn meta(file: &FileRecord) -> MetaFile {
    MetaFile { hashes: Hashes { sha256: file.sha256 }, length: file.length, version: file.version }
}

fn mark(publication: &Publication<'_>) -> Mark {
    Mark { addr: publication.addr.into(), environment: publication.environment.into() }
}

#[cfg(test)]
mod tests {
    use super::AddressSecret;

    #[test]
    fn an_address_tells_nothing_and_fits_every_file_system() {
        let addr = AddressSecret::new([1; 32]).addr("t_one");
        assert_eq!(addr.len(), 32);
        assert!(addr.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        assert_ne!(addr, AddressSecret::new([1; 32]).addr("t_two"));
        assert_ne!(addr, AddressSecret::new([2; 32]).addr("t_one"), "another project has other addresses");
    }
}
