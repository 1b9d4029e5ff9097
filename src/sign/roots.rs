//! The chain of roots: which root may follow which. Pure: it is given bytes.

use crate::metadata::keys::{KeyId, SignError, Signer};
use crate::metadata::{self, BadMetadata, RoleName, Root};

/// Why bytes are not the next root of a chain.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// Not a root.
    #[error(transparent)]
    Metadata(#[from] BadMetadata),
    /// Something that no root of the profile has.
    #[error("{0}")]
    Profile(String),
    /// Not the version that comes next.
    #[error("it is version {found}, expected {expected}")]
    Version {
        /// Expected.
        expected: u64,
        /// Found.
        found: u64,
    },
    /// Too few keys have signed.
    #[error("{good} of {threshold} keys of root {version} have signed it")]
    Signatures {
        /// How many have.
        good: u32,
        /// How many must.
        threshold: u32,
        /// Whose keys.
        version: u64,
    },
}

/// Takes a root as the first of a chain, or as the one after `previous`: exactly the next version, signed by
/// enough keys of both (TUF 5.3). The profile of its keys and roles is checked too.
pub fn check_root(bytes: &[u8], previous: Option<&Root>) -> Result<Root, RootError> {
    let opened = metadata::open::<Root>(bytes)?;
    let root = opened.role;
    check_root_profile(&root)?;
    let expected = previous.map_or(root.version, |it| it.version + 1);
    if root.version != expected {
        return Err(RootError::Version { expected, found: root.version });
    }
    for judge in previous.into_iter().chain([&root]) {
        let (good, threshold) = judge.count_signatures(RoleName::Root, &opened.signed, &opened.signatures);
        if good < threshold {
            return Err(RootError::Signatures { good, threshold, version: judge.version });
        }
    }
    match previous {
        Some(previous) if previous.tenantry != root.tenantry => Err(RootError::Profile(format!(
            "its environment is `{}`, that of the root before it `{}`",
            root.tenantry.environment, previous.tenantry.environment
        ))),
        _ => Ok(root),
    }
}

/// What the profile asks of a root beyond its shape.
fn check_root_profile(root: &Root) -> Result<(), RootError> {
    let refuse = |why: String| Err(RootError::Profile(why));
    if !root.consistent_snapshot {
        return refuse("`consistent_snapshot` is false".into());
    }
    for (id, key) in &root.keys {
        if key.id() != *id {
            return refuse(format!("key `{id}` is listed under an id that is not its own"));
        }
    }
    for role in [RoleName::Root, RoleName::Snapshot, RoleName::Targets, RoleName::Timestamp] {
        let Some(keys) = root.roles.get(&role) else { return refuse(format!("role `{}` is missing", role.as_str())) };
        if !keys.keyids.is_sorted_by(|a, b| a < b) {
            return refuse(format!("the keys of role `{}` are not sorted, or one is there twice", role.as_str()));
        }
        if let Some(unknown) = keys.keyids.iter().find(|id| !root.keys.contains_key(id)) {
            return refuse(format!("role `{}` names key `{unknown}`, which is not there", role.as_str()));
        }
        if keys.keyids.len() < keys.threshold.get() as usize {
            return refuse(format!("role `{}` has fewer keys than its threshold", role.as_str()));
        }
    }
    Ok(())
}

/// Adds the signatures of these keys to a root's bytes, once each.
pub fn add_signatures(bytes: &[u8], signers: &[&dyn Signer]) -> Result<Vec<u8>, AddError> {
    let opened = metadata::open::<Root>(bytes)?;
    let mut signatures = opened.signatures;
    for signer in signers {
        if signatures.iter().all(|it| it.keyid != signer.key_id()) {
            signatures.push(signer.signature(&opened.signed)?);
        }
    }
    signatures.sort_by_key(|it| it.keyid);
    Ok(metadata::envelope(&opened.signed, &signatures))
}

/// Why signatures cannot be added to a root.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Not a root.
    #[error("the waiting root cannot be read: {0}")]
    Metadata(#[from] BadMetadata),
    /// A signer failed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Ids, sorted and without repeats.
pub fn sorted(ids: impl IntoIterator<Item = KeyId>) -> Vec<KeyId> {
    let mut ids: Vec<KeyId> = ids.into_iter().collect();
    ids.sort();
    ids.dedup();
    ids
}
