//! A refresh: what a store shows, signed again before it grows too old. It works on the store alone.

use std::collections::BTreeMap;

use serde::Serialize;

use super::base::Base;
use super::renewal::{Files, Part, RenewalError, Signing, Task};
use super::{PublishError, Tools};
use crate::digest::Blake3;
use crate::index::{FileRecord, Index, TenantRecord, keys};
use crate::metadata::RoleName;
use crate::metadata::keys::{KeyId, Signer};
use crate::sign::Signers;
use crate::sign::renew::Renewed;
use crate::time::{Duration, Timestamp};
use crate::verify::Finding;

/// How soon the next refresh may be late: a job that runs daily, and once does not.
pub const NEXT: Duration = Duration::days(2);

/// Which timestamps are signed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Those that are due.
    Due,
    /// All of them.
    All,
}

/// Why something is signed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Half of its life is over.
    Due,
    /// It was signed for longer than files may last by now.
    TooLong,
    /// Other keys sign today.
    OtherKeys,
    /// Somebody asked for all.
    Asked,
}

/// One tenant that is signed again, or should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renewal {
    /// Whose, by address.
    pub addr: String,
    /// Whose, by name.
    pub tenant: String,
    /// Why.
    pub why: Why,
    /// Until when it holds as it is.
    pub expires: Timestamp,
}

/// A line-up that has changed by itself since it was compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// Whose, by name.
    pub tenant: String,
    /// When.
    pub at: Timestamp,
}

/// What there is to sign again in a store, and what there is to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// Tenants whose timestamp alone is signed again.
    pub timestamps: Vec<Renewal>,
    /// Tenants of whom everything is signed again.
    pub entitlements: Vec<Renewal>,
    /// Tenants of whom everything should be signed again, and there is no key for that here.
    pub out_of_reach: Vec<Renewal>,
    /// Roots that the store has not.
    pub roots: Vec<u64>,
    /// Line-ups that a compile would change.
    pub passed: Vec<Passed>,
    /// When something is due next, if nothing is signed now.
    pub next: Option<Timestamp>,
}

impl Due {
    /// Whether there is nothing to put.
    pub fn is_nothing(&self) -> bool {
        self.timestamps.is_empty() && self.entitlements.is_empty() && self.roots.is_empty()
    }

    /// When the first of those expires that nothing here can sign again.
    pub fn first_out_of_reach(&self) -> Option<Timestamp> {
        self.out_of_reach.iter().map(|it| it.expires).min()
    }
}

/// What a refresh has signed.
#[derive(Debug)]
pub struct Refreshed {
    /// The index that the store gets.
    pub index: Index,
    /// The files that it describes, as far as they are new.
    pub files: Files,
    /// What was left out, because it is not what was signed before.
    pub refused: Vec<Finding>,
}

/// Looks at what a store shows. Pure.
pub fn due(signing: &Signing<'_>, index: &Index, extent: Extent) -> Due {
    let keys = Keys::of(signing);
    let (mut timestamps, mut entitlements, mut out_of_reach) = (Vec::new(), Vec::new(), Vec::new());
    for (addr, record) in &index.tenants {
        let renewal = |why, expires| Renewal { addr: addr.clone(), tenant: record.name.clone(), why, expires };
        let lifetimes = signing.lifetimes.within(record.max_ttl);
        let entitlement = [record.targets, record.snapshot]
            .into_iter()
            .find_map(|it| why(it, signing.now, lifetimes.entitlement, keys.has_other_entitlement(index)));
        let expires = record.targets.expires.min(record.snapshot.expires);
        match entitlement {
            Some(why) if keys.entitlement.is_some() => {
                entitlements.push(renewal(why, expires));
                continue;
            }
            Some(why) => out_of_reach.push(renewal(why, expires)),
            None => {}
        }
        let freshness = why(record.timestamp, signing.now, lifetimes.freshness, keys.freshness != index.freshness_keys);
        let freshness = freshness.or((extent == Extent::All).then_some(Why::Asked));
        timestamps.extend(freshness.map(|why| renewal(why, record.timestamp.expires)));
    }
    let passed = index.tenants.values().filter_map(|it| passed(it, signing.now)).collect();
    let roots = (index.root_version + 1..=signing.root().root.version).collect();
    let half = |it: FileRecord| it.issued.plus(it.issued.until(it.expires).half());
    let all = index.tenants.values().flat_map(|it| [it.timestamp, it.snapshot, it.targets]);
    Due { timestamps, entitlements, out_of_reach, roots, passed, next: all.map(half).min() }
}

fn why(file: FileRecord, now: Timestamp, lifetime: Duration, has_other_keys: bool) -> Option<Why> {
    match () {
        () if has_other_keys => Some(Why::OtherKeys),
        () if file.is_due(now) => Some(Why::Due),
        () if file.is_due_within(now, lifetime) => Some(Why::TooLong),
        () => None,
    }
}

pub(super) fn passed(record: &TenantRecord, now: Timestamp) -> Option<Passed> {
    let at = record.next_change.filter(|at| *at <= now)?;
    Some(Passed { tenant: record.name.clone(), at })
}

/// The ids of the keys at hand, sorted.
struct Keys {
    entitlement: Option<Vec<KeyId>>,
    freshness: Vec<KeyId>,
}

impl Keys {
    fn of(signing: &Signing<'_>) -> Keys {
        let ids = |keys: &Vec<Box<dyn Signer>>| Signers::ids(keys);
        Keys { entitlement: signing.keys.entitlement.as_ref().map(ids), freshness: ids(&signing.keys.freshness) }
    }

    fn has_other_entitlement(&self, index: &Index) -> bool {
        self.entitlement.as_ref().is_some_and(|it| *it != index.entitlement_keys)
    }
}

/// Refuses to sign where that would do harm: for a store of other roots, or below a root that no longer counts.
pub fn guard(signing: &Signing<'_>, base: &Base<'_>) -> Result<(), PublishError> {
    let Some(index) = &base.index else { return Ok(()) };
    let root = &signing.root().root;
    let other = |why: String| Err(PublishError::OtherRoot { store: base.spec.name.clone(), why });
    let accepted = &root.roles[&RoleName::Targets];
    let good = index.entitlement_keys.iter().filter(|it| accepted.keyids.contains(it)).count();
    match () {
        () if base.first_root.as_ref() != Some(&signing.chain[0].bytes) => {
            other("belongs to another chain of roots: its `root/1.root.json` is another".into())
        }
        () if index.root_version > root.version => {
            other(format!("carries root {}, and the keys here end with root {}", index.root_version, root.version))
        }
        () if good < accepted.threshold.get() as usize => other(format!(
            "shows entitlements that were signed by keys which root {} no longer names: compile and publish first",
            root.version
        )),
        () => Ok(()),
    }
}

/// Signs what is due.
pub fn sign(
    signing: &Signing<'_>,
    tools: &Tools<'_>,
    base: &Index,
    due: &Due,
    number: u64,
) -> Result<Refreshed, RenewalError> {
    let parts = [(Part::Freshness, &due.timestamps), (Part::Entitlement, &due.entitlements)];
    let tasks = parts.into_iter().flat_map(|(part, due)| due.iter().map(move |it| Task::of(&it.addr, base, part)));
    let tasks: Vec<Task<'_>> = tasks.collect();
    let signed = signing.sign(tools, number, &tasks)?;
    let keys = Keys::of(signing);
    let mut refreshed = Refreshed {
        index: Index {
            publication: number,
            root_version: signing.root().root.version,
            entitlement_keys: keys.entitlement.unwrap_or_else(|| base.entitlement_keys.clone()),
            freshness_keys: keys.freshness,
            ..base.clone()
        },
        files: Files::roots(signing.chain),
        refused: Vec::new(),
    };
    for (task, signed) in tasks.iter().zip(signed) {
        refreshed.add(base, task, signed);
    }
    Ok(refreshed)
}

impl Refreshed {
    fn add(&mut self, base: &Index, task: &Task<'_>, signed: Result<Renewed, Finding>) {
        match signed {
            Ok(renewed) => {
                self.index.tenants.insert(task.addr.to_owned(), renewed.record);
                self.files.0.extend(renewed.objects);
                self.files.0.insert(keys::timestamp(task.addr), renewed.timestamp);
            }
            Err(finding) => {
                // Nobody can go on from this tenant: the next compile makes it anew, and with whatever keys there are.
                let nothing = Blake3([0; 32]);
                let record = TenantRecord { input: nothing, content: nothing, ..task.record.clone() };
                self.index.tenants.insert(task.addr.to_owned(), record);
                self.index.entitlement_keys.clone_from(&base.entitlement_keys);
                self.index.freshness_keys.clone_from(&base.freshness_keys);
                self.refused.push(finding);
            }
        }
    }
}

/// How many tenants have a reason, by reason: for people.
pub fn count(renewals: &[Renewal]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for it in renewals {
        let word = match it.why {
            Why::Due => "half of their life over",
            Why::TooLong => "signed for longer than files may last",
            Why::OtherKeys => "signed by other keys",
            Why::Asked => "asked for",
        };
        *counts.entry(word).or_default() += 1;
    }
    counts
}
