//! A rollback: the content of an earlier publication under a new number. Shells never go back, so this goes forward.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::base::Base;
use super::guards::{self, Objection, Step};
use super::head::Past;
use super::projection::takes;
use super::refresh;
use super::renewal::{Files, Part, Public, RenewalError, Signing, Task};
use super::state::StateError;
use super::{Tools, workers};
use crate::digest::Blake3;
use crate::index::{Archive, Index, TenantRecord, keys};
use crate::input::StoreSpec;
use crate::sign::Signers;
use crate::sign::renew::Renewed;
use crate::time::Timestamp;
use crate::verify::{Finding, Objects};

/// What becomes of tenants that the earlier publication had and today's has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed<'a> {
    /// Nothing: somebody has removed them, and going back with the others does not undo that.
    StayAway,
    /// They come back, unless they have gone to another store: then they are bound to its region.
    ComeBack {
        /// The addresses of all tenants that other stores of the project have.
        elsewhere: &'a BTreeSet<String>,
    },
}

impl Removed<'_> {
    /// Whether a tenant that this store does not have today stays away.
    fn stays_away(self, addr: &str, then: &TenantRecord, spec: &StoreSpec) -> bool {
        match self {
            Removed::StayAway => true,
            Removed::ComeBack { elsewhere } => elsewhere.contains(addr) || !takes(spec, then.data_region.as_deref()),
        }
    }
}

/// One tenant whose content goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Who, by address.
    pub addr: String,
    /// Who, by name.
    pub tenant: String,
    /// How many programs it has today; none when it was removed since.
    pub programs: Option<u32>,
    /// How many it had, and will have again.
    pub then: u32,
}

/// What going back to a publication does: a value that can be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// To which publication.
    pub to: u64,
    /// When that was published.
    pub at: Timestamp,
    /// From which commit, where that is known.
    pub commit: Option<String>,
    /// Whose content changes.
    pub changes: Vec<Change>,
    /// Tenants whose content is what it was then.
    pub same: usize,
    /// Names of tenants that were added since: they stay as they are.
    pub added: Vec<String>,
    /// Names of tenants that were removed since, and stay away.
    pub removed: Vec<String>,
    /// Names of tenants that have no program today, because they are suspended for instance, and get some again.
    pub revived: Vec<String>,
    /// Line-ups that have changed by themselves since then: the old content no longer says what holds now.
    pub passed: Vec<refresh::Passed>,
}

/// The publication to go back to.
#[derive(Debug)]
pub struct Earlier {
    /// As the head remembers it.
    pub past: Past,
    /// Its index.
    pub index: Index,
}

/// Why there is no way back.
#[derive(Debug, thiserror::Error)]
pub enum NoWay {
    /// The head does not remember it.
    #[error("store `{store}` has no publication {number}; it remembers {known}")]
    Unknown {
        /// Which store.
        store: String,
        /// The number asked for.
        number: u64,
        /// What there is.
        known: String,
    },
    /// It is what the store shows.
    #[error("store `{store}` shows publication {number} today")]
    Current {
        /// Which store.
        store: String,
        /// Its number.
        number: u64,
    },
    /// Its index is gone.
    #[error("what publication {number} of store `{store}` was is no longer known: `tenantry gc` has taken it")]
    Collected {
        /// Which store.
        store: String,
        /// Its number.
        number: u64,
    },
    /// The store failed.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Earlier {
    /// Finds a publication by its number.
    pub fn find(tools: &Tools<'_>, base: &Base<'_>, number: u64) -> Result<Earlier, NoWay> {
        let store = || base.spec.name.clone();
        if base.point().is_some_and(|it| it.publication == number) {
            return Err(NoWay::Current { store: store(), number });
        }
        let history = &base.head.history;
        let Some(past) = history.iter().find(|it| it.publication == number) else {
            let numbers: Vec<String> = history.iter().map(|it| it.publication.to_string()).collect();
            let known = match numbers.as_slice() {
                [] => "none".into(),
                few if few.len() <= 10 => few.join(", "),
                many => format!("{} of them from {} to {}", many.len(), many[0], many[many.len() - 1]),
            };
            return Err(NoWay::Unknown { store: store(), number, known });
        };
        match tools.state().index(past.point()) {
            Ok(index) => Ok(Earlier { past: past.clone(), index }),
            Err(StateError::Missing { .. }) => Err(NoWay::Collected { store: store(), number }),
            Err(error) => Err(error.into()),
        }
    }
}

/// Compares what was with what is. Pure.
pub fn way(earlier: &Earlier, today: &Index, spec: &StoreSpec, removed: Removed<'_>, now: Timestamp) -> Way {
    let mut way = Way {
        to: earlier.past.publication,
        at: earlier.past.at,
        commit: earlier.past.commit.clone(),
        changes: Vec::new(),
        same: 0,
        added: Vec::new(),
        removed: Vec::new(),
        revived: Vec::new(),
        passed: Vec::new(),
    };
    let added = today.tenants.iter().filter(|(addr, _)| !earlier.index.tenants.contains_key(*addr));
    way.added = added.map(|(_, record)| record.name.clone()).collect();
    for (addr, then) in &earlier.index.tenants {
        let now_there = today.tenants.get(addr);
        match now_there {
            Some(record) if record.content == then.content => way.same += 1,
            None if removed.stays_away(addr, then, spec) => way.removed.push(then.name.clone()),
            _ => {
                let programs = now_there.map(|it| it.entitlements);
                if programs == Some(0) && then.entitlements > 0 {
                    way.revived.push(then.name.clone());
                }
                way.passed.extend(refresh::passed(then, now));
                let (addr, tenant) = (addr.clone(), then.name.clone());
                way.changes.push(Change { addr, tenant, programs, then: then.entitlements });
            }
        }
    }
    way
}

/// What guards say of it, before anything is signed. A rollback takes away like any other publication.
pub fn objections(earlier: &Earlier, base: &Base<'_>, way: &Way, now: Timestamp) -> Vec<Objection> {
    let Some(today) = &base.index else { return Vec::new() };
    let back: BTreeSet<&str> = way.changes.iter().map(|it| it.addr.as_str()).collect();
    let next = |addr: &str| match back.contains(addr) {
        true => earlier.index.tenants.get(addr),
        false => today.tenants.get(addr),
    };
    let (store, tenants) = (&base.spec.name, today.tenants.len());
    guards::objections(&Step { store, base: today, next: &next, tenants, budget: None, now })
}

/// The objects that going back needs and the store has lost. Asks for each of them.
pub fn missing(tools: &Tools<'_>, earlier: &Earlier, way: &Way) -> Result<Vec<String>, StateError> {
    let mut needed: BTreeMap<String, u64> = BTreeMap::new();
    for change in &way.changes {
        let record = &earlier.index.tenants[&change.addr];
        needed.extend(record.immutable_files(&change.addr));
        let bundles = record.bundles.iter().map(|tree| (tree, earlier.index.bundles[tree]));
        needed.extend(bundles.map(|(tree, it)| (keys::archive(*tree, it.sha256), it.length)));
    }
    let needed: Vec<(String, u64)> = needed.into_iter().collect();
    let has = |(key, length): &(String, u64)| {
        let there = tools.patience.retry(|| tools.store.head(key))?;
        Ok::<_, StateError>(there.is_some_and(|it| it.length == *length))
    };
    let there = workers::each(tools.at_once, &needed, has)?;
    Ok(needed.into_iter().zip(there).filter(|(_, there)| !there).map(|((key, _), _)| key).collect())
}

/// What a rollback has signed.
pub struct RolledBack<'a> {
    /// The index that the store gets.
    pub index: Index,
    /// What is new, and what the store holds already.
    pub files: Layers<'a>,
}

/// Files that were signed again, over what the store holds.
pub struct Layers<'a> {
    files: Files,
    public: Public<'a>,
}

impl Objects for Layers<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        match self.files.get(key)? {
            Some(bytes) => Ok(Some(bytes)),
            // Archives alone: everything else is signed by us, or is no business of ours.
            None if key.starts_with("o/") => self.public.get(key),
            None => Ok(None),
        }
    }
}

/// Signs the old content of those who change. Nothing is left out: who goes back goes back whole.
pub fn sign<'a>(
    signing: &Signing<'_>,
    tools: &'a Tools<'a>,
    earlier: &Earlier,
    today: &Index,
    way: &Way,
    number: u64,
) -> Result<Result<RolledBack<'a>, Vec<Finding>>, RenewalError> {
    let back = way.changes.iter().map(|it| {
        let record = &earlier.index.tenants[&it.addr];
        let today = today.tenants.get(&it.addr).and_then(|it| it.max_ttl);
        let max_ttl = [record.max_ttl, today].into_iter().flatten().min();
        Task { addr: &it.addr, record, part: Part::Entitlement, max_ttl }
    });
    let changed: BTreeSet<&str> = way.changes.iter().map(|it| it.addr.as_str()).collect();
    // Those who stay are signed again only if other keys sign today: an index has one set of keys.
    let due = refresh::due(signing, today, refresh::Extent::Due);
    let others = [(Part::Freshness, &due.timestamps), (Part::Entitlement, &due.entitlements)];
    let others = others.into_iter().flat_map(|(part, due)| {
        let due = due.iter().filter(|it| it.why == refresh::Why::OtherKeys && !changed.contains(it.addr.as_str()));
        due.map(move |it| Task::of(&it.addr, today, part))
    });
    let tasks: Vec<Task<'_>> = back.chain(others).collect();
    let signed = signing.sign(tools, number, &tasks)?;

    let mut files = Files::roots(signing.chain);
    let mut index = Index {
        publication: number,
        commit: earlier.index.commit.clone(),
        inputs: earlier.index.inputs,
        root_version: signing.root().root.version,
        entitlement_keys: signing.keys.entitlement.as_ref().map_or_else(Vec::new, |it| Signers::ids(it)),
        freshness_keys: Signers::ids(&signing.keys.freshness),
        // Today's inputs say something else, so the next compile reads all of them.
        basis: Blake3([0; 32]),
        clean: false,
        ..today.clone()
    };
    let mut findings = Vec::new();
    for (task, signed) in tasks.iter().zip(signed) {
        match signed {
            Ok(Renewed { record, objects, timestamp }) => {
                files.0.extend(objects);
                files.0.insert(keys::timestamp(task.addr), timestamp);
                let record = match changed.contains(task.addr) {
                    true => settle(&mut index, earlier, today.tenants.get(task.addr), record),
                    false => record,
                };
                index.tenants.insert(task.addr.to_owned(), record);
            }
            Err(finding) => findings.push(finding),
        }
    }
    let used: BTreeSet<Blake3> = index.tenants.values().flat_map(|it| it.bundles.iter().copied()).collect();
    index.bundles.retain(|tree, _| used.contains(tree));
    match findings.is_empty() {
        true => Ok(Ok(RolledBack { index, files: Layers { files, public: Public::new(tools) } })),
        false => Ok(Err(findings)),
    }
}

/// The record of a tenant that goes back: its content is the old one; who it is and what it may not exceed is today's.
fn settle(index: &mut Index, earlier: &Earlier, today: Option<&TenantRecord>, old: TenantRecord) -> TenantRecord {
    let mut record = match today {
        Some(today) => TenantRecord {
            name: today.name.clone(),
            domains: today.domains.clone(),
            labels: today.labels.clone(),
            data_region: today.data_region.clone(),
            file: today.file.clone(),
            max_ttl: [today.max_ttl, old.max_ttl].into_iter().flatten().min(),
            ..old
        },
        None => old,
    };
    // A bundle that was packed otherwise since then is another object of the same content. The index has room for
    // one of the two; the tenant's own list has room for the other.
    let (fits, others): (Vec<Blake3>, Vec<Blake3>) = record.bundles.iter().partition(|tree| {
        let then: Archive = earlier.index.bundles[tree];
        *index.bundles.entry(**tree).or_insert(then) == then
    });
    record.overlays.extend(others.into_iter().map(|tree| (tree, earlier.index.bundles[&tree])));
    record.bundles = fits;
    record
}
