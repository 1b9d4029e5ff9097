//! What may follow from what (TUF 1.0.34, sections 5.3 to 5.6): a state for each role that is trusted.
//!
//! ```text
//! WithRoot ─▶ WithTimestamp ─▶ WithSnapshot ─▶ WithTargets
//! ```
//!
//! A state is reached only with a [`Verified`] role, and a `Verified` role comes only out of [`admit`]. So there is no
//! way to look at the targets before the snapshot is trusted, nor to hold a snapshot that nobody has signed.

use std::ops::Deref;

use super::delegations::Delegation;
use super::envelope::{Authority, Envelope};
use super::json::BadShape;
use super::roles::{self, Common, MetaFile, Role, Root, Snapshot, Targets, TimestampRole};
use super::{Binding, TrustError};
use crate::time::Timestamp;

/// A role that enough of its keys have signed, for whom we are bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Whether the dates of metadata are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// What has expired at this instant is refused.
    JudgedAt(Timestamp),
    /// Not here: whoever asks looks at the dates.
    NotJudged,
}

/// What a role must fulfil, whichever it is.
struct Terms<'a> {
    role: &'a str,
    authority: &'a Authority,
    /// How the file that led here names it.
    pin: Option<&'a MetaFile>,
    binding: Option<&'a Binding>,
}

/// The one door: length, hashes, shape, tenant, signatures, version, in this order.
fn admit<T: Role>(bytes: &[u8], terms: &Terms<'_>) -> Result<Verified<T>, TrustError> {
    let role = || terms.role.to_owned();
    if let Some(why) = terms.pin.and_then(|pin| pin.mismatch(bytes)) {
        return Err(TrustError::Pin { role: role(), why });
    }
    let shape = |why: BadShape| TrustError::Shape { role: role(), why: why.to_string() };
    let envelope = Envelope::open(bytes).map_err(shape)?;
    let read: T = roles::read(&envelope.signed).map_err(shape)?;
    if let Some(binding) = terms.binding {
        check_tenant::<T>(read.common(), binding, terms.role)?;
    }
    terms.authority.verify(&envelope).map_err(|it| TrustError::Signatures {
        role: role(),
        good: it.good,
        threshold: it.threshold.get(),
    })?;
    match terms.pin {
        Some(pin) if pin.version != read.common().version => {
            Err(version(terms.role, pin.version.get(), read.common().version.get()))
        }
        _ => Ok(Verified(read)),
    }
}

fn check_tenant<T: Role>(common: &Common, binding: &Binding, role: &str) -> Result<(), TrustError> {
    let foreign = |found: String| Err(TrustError::ForeignTenant { role: role.to_owned(), found });
    let Some(mark) = &common.mark else { return foreign("it names none".to_owned()) };
    if mark.environment != binding.environment {
        return foreign(format!("environment {:?}", mark.environment));
    }
    match &mark.addr {
        // A root is shared by all tenants.
        _ if T::TYPE == Root::TYPE => Ok(()),
        Some(addr) if *addr == binding.addr => Ok(()),
        Some(addr) => foreign(format!("address {addr:?}")),
        None => foreign("it names no address".to_owned()),
    }
}

fn version(role: &str, expected: u64, found: u64) -> TrustError {
    TrustError::Version { role: role.to_owned(), expected, found }
}

impl Expiry {
    fn check(self, role: &str, common: &Common) -> Result<(), TrustError> {
        match self {
            Expiry::JudgedAt(now) if common.expires <= now => {
                Err(TrustError::Expired { role: role.to_owned(), at: common.expires })
            }
            _ => Ok(()),
        }
    }
}

/// A root is trusted. Whether it has expired is nobody's business until the next step: an old root still leads to the
/// newest one.
#[derive(Debug, Clone)]
pub struct WithRoot {
    root: Verified<Root>,
    binding: Option<Binding>,
}

impl WithRoot {
    /// A root that is trusted because of where it comes from. It must still have signed itself.
    pub fn pinned(bytes: &[u8]) -> Result<WithRoot, TrustError> {
        let shape = |why: BadShape| TrustError::Shape { role: "root".to_owned(), why: why.to_string() };
        let claimed: Root = roles::read(&Envelope::open(bytes).map_err(shape)?.signed).map_err(shape)?;
        let terms = Terms { role: "root", authority: &claimed.root, pin: None, binding: None };
        Ok(WithRoot { root: admit(bytes, &terms)?, binding: None })
    }

    /// From here on only this tenant's files.
    pub fn bound_to(self, binding: Binding) -> Result<WithRoot, TrustError> {
        check_tenant::<Root>(&self.root.common, &binding, "root")?;
        Ok(WithRoot { binding: Some(binding), ..self })
    }

    /// The next root: exactly one version on, signed by enough keys of this one and of itself (5.3.4, 5.3.5).
    pub fn next(&self, bytes: &[u8]) -> Result<WithRoot, TrustError> {
        let next: Verified<Root> = admit(bytes, &self.terms("root", &self.root.root, None))?;
        let next: Verified<Root> = admit(bytes, &self.terms("root", &next.root, None))?;
        let expected = self.root.common.version.get().saturating_add(1);
        match next.common.version.get() {
            found if found == expected => Ok(WithRoot { root: next, binding: self.binding.clone() }),
            found => Err(version("root", expected, found)),
        }
    }

    /// Whether the next root takes a key from timestamp or snapshot. Their old files may then have been written by
    /// whoever had that key, with any version, so they must no longer hold back newer ones (5.3.11).
    pub fn revokes(&self, next: &WithRoot) -> bool {
        self.root.timestamp.loses_a_key(&next.root.timestamp) || self.root.snapshot.loses_a_key(&next.root.snapshot)
    }

    /// The root.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Whom we are bound to.
    pub fn binding(&self) -> Option<&Binding> {
        self.binding.as_ref()
    }

    /// A timestamp, of now or of before.
    pub fn timestamp(&self, bytes: &[u8]) -> Result<Verified<TimestampRole>, TrustError> {
        admit(bytes, &self.terms("timestamp", &self.root.timestamp, None))
    }

    /// Goes on with this timestamp.
    pub fn with_timestamp(
        self,
        timestamp: Verified<TimestampRole>,
        expiry: Expiry,
    ) -> Result<WithTimestamp, TrustError> {
        expiry.check("root", &self.root.common)?;
        expiry.check("timestamp", &timestamp.common)?;
        Ok(WithTimestamp { before: self, timestamp })
    }

    /// Whether the root has expired (5.3.10).
    pub fn check(&self, expiry: Expiry) -> Result<(), TrustError> {
        expiry.check("root", &self.root.common)
    }

    fn terms<'a>(&'a self, role: &'a str, authority: &'a Authority, pin: Option<&'a MetaFile>) -> Terms<'a> {
        Terms { role, authority, pin, binding: self.binding.as_ref() }
    }
}

impl Verified<TimestampRole> {
    /// Refuses a timestamp that goes back behind the one that was trusted before (5.4.3).
    pub fn follows(&self, trusted: &Verified<TimestampRole>) -> Result<(), TrustError> {
        not_back("timestamp", "timestamp", trusted.common.version.get(), self.common.version.get())?;
        not_back("timestamp", "snapshot.json", trusted.snapshot.version.get(), self.snapshot.version.get())
    }
}

/// A snapshot that was trusted before. It holds back older ones, whatever the timestamp names now, and whether it has
/// expired or not; it is not trusted any more.
#[derive(Debug, Clone)]
pub struct Before(Verified<Snapshot>);

impl Verified<Snapshot> {
    /// Refuses a snapshot that takes back, or no longer names, what the one before named (5.5.5).
    pub fn follows(&self, before: &Before) -> Result<(), TrustError> {
        for (name, old) in &before.0.meta {
            let Some(new) = self.meta.get(name) else {
                return Err(TrustError::Dropped { role: "snapshot".to_owned(), of: name.clone() });
            };
            not_back("snapshot", name, old.version.get(), new.version.get())?;
        }
        Ok(())
    }
}

fn not_back(role: &str, of: &str, trusted: u64, found: u64) -> Result<(), TrustError> {
    match found < trusted {
        true => Err(TrustError::Rollback { role: role.to_owned(), of: of.to_owned(), found, trusted }),
        false => Ok(()),
    }
}

/// Root and timestamp are trusted, and have not expired.
#[derive(Debug, Clone)]
pub struct WithTimestamp {
    before: WithRoot,
    timestamp: Verified<TimestampRole>,
}

impl WithTimestamp {
    /// How the timestamp names the snapshot.
    pub fn pin(&self) -> &MetaFile {
        &self.timestamp.snapshot
    }

    /// The root.
    pub fn root(&self) -> &Root {
        self.before.root()
    }

    /// The snapshot that the timestamp names.
    pub fn snapshot(&self, bytes: &[u8]) -> Result<Verified<Snapshot>, TrustError> {
        self.admit(bytes, Some(&self.timestamp.snapshot))
    }

    /// A snapshot that was trusted before.
    pub fn snapshot_before(&self, bytes: &[u8]) -> Result<Before, TrustError> {
        self.admit(bytes, None).map(Before)
    }

    /// Goes on with this snapshot.
    pub fn with_snapshot(self, snapshot: Verified<Snapshot>, expiry: Expiry) -> Result<WithSnapshot, TrustError> {
        expiry.check("snapshot", &snapshot.common)?;
        let (expected, found) = (self.timestamp.snapshot.version, snapshot.common.version);
        match expected == found {
            true => Ok(WithSnapshot { before: self, snapshot, expiry }),
            false => Err(version("snapshot", expected.get(), found.get())),
        }
    }

    fn admit(&self, bytes: &[u8], pin: Option<&MetaFile>) -> Result<Verified<Snapshot>, TrustError> {
        admit(bytes, &self.before.terms("snapshot", &self.before.root.snapshot, pin))
    }
}

/// Root, timestamp and snapshot are trusted, and have not expired.
#[derive(Debug, Clone)]
pub struct WithSnapshot {
    before: WithTimestamp,
    snapshot: Verified<Snapshot>,
    expiry: Expiry,
}

impl WithSnapshot {
    /// How the snapshot names a targets role.
    pub fn pin(&self, role: &str) -> Result<&MetaFile, TrustError> {
        let pin = self.snapshot.meta.get(&format!("{role}.json"));
        pin.ok_or_else(|| TrustError::Unnamed { role: role.to_owned() })
    }

    /// The root.
    pub fn root(&self) -> &Root {
        self.before.root()
    }

    /// The targets file that the snapshot names, not expired.
    pub fn targets(&self, bytes: &[u8]) -> Result<Verified<Targets>, TrustError> {
        self.admit(bytes, "targets", &self.before.before.root.targets)
    }

    /// Goes on with this targets file.
    pub fn with_targets(self, targets: Verified<Targets>) -> WithTargets {
        WithTargets { before: self, targets }
    }

    /// Top or delegated: the same terms.
    fn admit(&self, bytes: &[u8], role: &str, authority: &Authority) -> Result<Verified<Targets>, TrustError> {
        let terms = self.before.before.terms(role, authority, Some(self.pin(role)?));
        let targets: Verified<Targets> = admit(bytes, &terms)?;
        self.expiry.check(role, &targets.common)?;
        Ok(targets)
    }
}

/// All four are trusted, and consistent with one another.
#[derive(Debug, Clone)]
pub struct WithTargets {
    before: WithSnapshot,
    targets: Verified<Targets>,
}

impl WithTargets {
    /// The targets file that somebody delegated to, as the snapshot names it, signed by whom *this* delegation says,
    /// not expired.
    pub fn delegated(&self, delegation: &Delegation, bytes: &[u8]) -> Result<Verified<Targets>, TrustError> {
        self.before.admit(bytes, &delegation.name, &delegation.authority)
    }

    /// How the snapshot names a targets role.
    pub fn pin(&self, role: &str) -> Result<&MetaFile, TrustError> {
        self.before.pin(role)
    }

    /// The root.
    pub fn root(&self) -> &Root {
        self.before.root()
    }

    /// The timestamp.
    pub fn timestamp(&self) -> &TimestampRole {
        &self.before.before.timestamp
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.before.snapshot
    }

    /// The targets.
    pub fn targets(&self) -> &Verified<Targets> {
        &self.targets
    }
}
