//! From a line-up to signed metadata: pure, given signers.
//!
//! Signed bytes are kept and written; no role is serialised twice.

mod command;
pub mod keystore;
pub mod roots;

use std::collections::BTreeMap;

use crate::digest::{Blake3, Sha256};
use crate::index::{Archive, FileRecord, keys};
use crate::metadata::keys::{KeyId, SignError, Signature, Signer};
use crate::metadata::{
    self, Hashes, Mark, MetaFile, Role, SPEC_VERSION, Signed, Snapshot, TargetFile, Targets, TimestampRole,
};
use crate::time::{Duration, Timestamp};

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
    /// The number; becomes the version of every role signed here.
    pub number: u64,
    /// When.
    pub now: Timestamp,
    /// Lifetime of targets and snapshot.
    pub entitlement_lifetime: Duration,
    /// Lifetime of the timestamp.
    pub freshness_lifetime: Duration,
}

/// One signed file and what the index remembers of it.
#[derive(Debug)]
pub struct File {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// What to remember.
    pub record: FileRecord,
}

/// Signs targets: the manifest, the overlays and the bundles.
pub fn targets(
    signers: &Signers,
    publication: &Publication<'_>,
    manifest: Archive,
    archives: impl Iterator<Item = (Blake3, Archive)>,
) -> Result<File, SignError> {
    let target = |it: Archive| TargetFile { hashes: Hashes { sha256: it.sha256 }, length: it.length };
    let mut targets: BTreeMap<String, TargetFile> =
        archives.map(|(tree, archive)| (tree.to_string(), target(archive))).collect();
    targets.insert(keys::manifest_target(publication.addr), target(manifest));
    let role = Targets {
        type_name: "targets".into(),
        expires: publication.now.plus(publication.entitlement_lifetime),
        spec_version: SPEC_VERSION.into(),
        targets,
        version: publication.number,
        tenantry: mark(signers, publication),
    };
    file(role, &signers.entitlement, publication.now)
}

/// Signs a snapshot that names these targets.
pub fn snapshot(signers: &Signers, publication: &Publication<'_>, targets: &FileRecord) -> Result<File, SignError> {
    let role = Snapshot {
        type_name: "snapshot".into(),
        expires: publication.now.plus(publication.entitlement_lifetime),
        meta: [("targets.json".into(), meta(targets))].into(),
        spec_version: SPEC_VERSION.into(),
        version: publication.number,
        tenantry: mark(signers, publication),
    };
    file(role, &signers.entitlement, publication.now)
}

/// Signs a timestamp that names this snapshot.
pub fn timestamp(signers: &Signers, publication: &Publication<'_>, snapshot: &FileRecord) -> Result<File, SignError> {
    let role = TimestampRole {
        type_name: "timestamp".into(),
        expires: publication.now.plus(publication.freshness_lifetime),
        meta: [("snapshot.json".into(), meta(snapshot))].into(),
        spec_version: SPEC_VERSION.into(),
        version: publication.number,
        tenantry: mark(signers, publication),
    };
    file(role, &signers.freshness, publication.now)
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

fn mark(signers: &Signers, publication: &Publication<'_>) -> Mark {
    Mark { addr: publication.addr.into(), environment: signers.environment.clone() }
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
