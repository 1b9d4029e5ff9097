//! Metadata whose signatures are right and whose time is over, as when nobody has published for too long.
//!
//! A tenant's own metadata is signed once more, under the next version, by the keys that signed it: a shell that has
//! the newest files already must look at these too, and not put them aside as known. The role that is to be old has
//! expired a day before the server started; the others hold for a day from then on.
//!
//! The next version is also that of the next publication. A shell refuses and forgets an expired timestamp, but one that
//! holds, above a snapshot that does not, it remembers; it is well again from the publication after the next one.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::route::{Kind, Object};
use crate::digest::Blake3;
use crate::index::keys;
use crate::metadata::keys::{SignError, Signer};
use crate::metadata::{self, BadMetadata, MetaFile, Role, Snapshot, Targets, TimestampRole};
use crate::sign::{Signers, sign};
use crate::store::{ETag, Fetched, StoreError};
use crate::time::{Duration, Timestamp};

/// Which role has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldRole {
    /// What names the newest publication.
    Timestamp,
    /// What names the targets.
    Snapshot,
    /// What names the manifest and the bundles.
    Targets,
}

/// Signs what has expired. To be had with keys only that no shell in production trusts.
pub struct Forger {
    signers: Signers,
    old: OldRole,
    /// When the old role expired, and when the others will. Fixed, so that a file is the same each time.
    passed: Timestamp,
    to_come: Timestamp,
    /// What was signed, by key: a shell that has seen a timestamp asks for the rest later.
    made: Mutex<BTreeMap<String, Vec<u8>>>,
}

/// Why an object cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is something else than metadata of ours.
    #[error("`{key}` cannot be signed again")]
    Metadata {
        /// Where.
        key: String,
        /// What is wrong with it.
        #[source]
        source: BadMetadata,
    },
    /// A key fails.
    #[error("cannot sign")]
    Sign(#[from] SignError),
}

/// Looks an object up by its key.
type Lookup<'a> = dyn Fn(&str) -> Result<Option<Fetched>, StoreError> + 'a;

impl Forger {
    /// With the keys that signed what is served; `now` is when the server started.
    pub fn new(signers: Signers, old: OldRole, now: Timestamp) -> Forger {
        let day = Duration::days(1);
        let passed = Timestamp::from_unix(now.unix() - day.seconds()).unwrap_or(now);
        Forger { signers, old, passed, to_come: now.plus(day), made: Mutex::default() }
    }

    /// An object as it is, or its expired copy.
    pub(super) fn fetch(&self, object: &Object, lookup: &Lookup<'_>) -> Result<Option<Fetched>, ForgeError> {
        if object.kind == Kind::Timestamp
            && let Some(timestamp) = read::<TimestampRole>(&object.key, lookup)?
        {
            let files = self.files(timestamp, lookup)?;
            self.made.lock().expect("nobody panics with the files in hand").extend(files);
        }
        let made = self.made.lock().expect("nobody panics with the files in hand").get(&object.key).cloned();
        match made {
            Some(bytes) => Ok(Some(Fetched { etag: ETag::new(&Blake3::of(&bytes).to_string()[..32]), bytes })),
            None => Ok(lookup(&object.key)?),
        }
    }

    /// What is shown of a tenant instead of its newest metadata, by key.
    fn files(&self, mut timestamp: TimestampRole, lookup: &Lookup<'_>) -> Result<Vec<(String, Vec<u8>)>, ForgeError> {
        let addr = timestamp.tenantry.addr.clone();
        let version = timestamp.version + 1;
        let mut files = Vec::new();
        if self.old != OldRole::Timestamp
            && let Some(snapshot) = named::<Snapshot>(&timestamp.meta, "snapshot.json", keys::snapshot, &addr, lookup)?
        {
            let mut meta = snapshot.meta.clone();
            if self.old == OldRole::Targets
                && let Some(targets) = named::<Targets>(&snapshot.meta, "targets.json", keys::targets, &addr, lookup)?
            {
                let targets = Targets { version, expires: self.expiry(OldRole::Targets), ..targets };
                let bytes = signed(targets, &self.signers.entitlement)?;
                meta.insert("targets.json".into(), MetaFile::of(&bytes, version));
                files.push((keys::targets(&addr, version), bytes));
            }
            let snapshot = Snapshot { version, expires: self.expiry(OldRole::Snapshot), meta, ..snapshot };
            let bytes = signed(snapshot, &self.signers.entitlement)?;
            timestamp.meta.insert("snapshot.json".into(), MetaFile::of(&bytes, version));
            files.push((keys::snapshot(&addr, version), bytes));
        }
        let timestamp = TimestampRole { version, expires: self.expiry(OldRole::Timestamp), ..timestamp };
        files.push((keys::timestamp(&addr), signed(timestamp, &self.signers.freshness)?));
        Ok(files)
    }

    fn expiry(&self, role: OldRole) -> Timestamp {
        match role == self.old {
            true => self.passed,
            false => self.to_come,
        }
    }
}

/// The file that another one names; none where it is not there.
fn named<T: Role>(
    meta: &BTreeMap<String, MetaFile>,
    name: &str,
    key: fn(&str, u64) -> String,
    addr: &str,
    lookup: &Lookup<'_>,
) -> Result<Option<T>, ForgeError> {
    match meta.get(name) {
        Some(file) => read(&key(addr, file.version), lookup),
        None => Ok(None),
    }
}

fn read<T: Role>(key: &str, lookup: &Lookup<'_>) -> Result<Option<T>, ForgeError> {
    let Some(file) = lookup(key)? else { return Ok(None) };
    let opened = metadata::open::<T>(&file.bytes);
    opened.map(|it| Some(it.role)).map_err(|source| ForgeError::Metadata { key: key.into(), source })
}

fn signed<T: Role>(role: T, signers: &[Box<dyn Signer>]) -> Result<Vec<u8>, SignError> {
    let signers: Vec<&dyn Signer> = signers.iter().map(AsRef::as_ref).collect();
    Ok(sign(role, &signers)?.bytes)
}
