//! One tenant's files, made again and compared with those that are there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::compile::COMPILER;
use super::decision::{Decision, manifest};
use super::report::{Judged, Part, Verdict};
use super::{Case, Job};
use crate::compose::Composed;
use crate::digest::{Blake3, Sha256};
use crate::index::{Archive, FileRecord, TenantRecord, keys};
use crate::manifest::Source;
use crate::metadata::{self, Lifetimes, Role, Snapshot, Targets, TimestampRole};
use crate::sign::{self, Publication};

/// What a tenant is made again from.
pub(super) struct Origin<'a> {
    /// What decides its content.
    pub(super) decision: &'a Decision,
    /// What its manifest names as its source, or why that is not known.
    pub(super) source: Result<Source, String>,
    /// Whether the compile of this publication signed it, so that its dates follow from the commit too.
    pub(super) is_own: bool,
}

/// Compares everything of one tenant but the bundles, which it shares.
pub(super) fn tenant(job: &Job<'_>, case: &Case<'_>, origin: &Origin<'_>) -> Vec<Judged> {
    let record = case.record;
    let is_lost = case.manifest.is_err() && !case.is_decided;
    let Some(at) = origin.decision.find(&record.tenant_id) else {
        return vec![case.judged(
            Part::Tenant,
            record.name.clone(),
            Verdict::Differs("the commit has no such tenant".into()),
        )];
    };
    let composed = origin.decision.composed(at, job.index, record);
    if is_lost && composed.content != record.content {
        let why = "this commit gives it other content, and only its manifest could say which commit gave it this";
        return case.unjudged(why.into());
    }
    let judge = Judge { job, case, origin, composed: &composed };
    let mut all = vec![judge.content(), judge.manifest()];
    all.extend(judge.overlays());
    all.extend([judge.targets(), judge.snapshot(), judge.timestamp()]);
    all
}

struct Judge<'a> {
    job: &'a Job<'a>,
    case: &'a Case<'a>,
    origin: &'a Origin<'a>,
    composed: &'a Composed,
}

impl Judge<'_> {
    fn record(&self) -> &TenantRecord {
        self.case.record
    }

    fn content(&self) -> Judged {
        let verdict = match self.composed.content == self.record().content {
            true => Verdict::Equal,
            false => Verdict::Differs("its commit gives it other content".into()),
        };
        self.case.judged(Part::Tenant, self.record().name.clone(), verdict)
    }

    fn manifest(&self) -> Judged {
        let key = keys::manifest(self.case.addr, self.record().manifest.sha256);
        let verdict = match (&self.case.manifest, &self.origin.source) {
            (Err(verdict), _) => verdict.clone(),
            (Ok(_), Err(why)) => Verdict::Unjudged(why.clone()),
            (Ok(there), Ok(source)) => {
                let made = manifest(self.composed, self.job.index, self.case.addr, &self.dated(), source);
                match Sha256::of(&made) == self.record().manifest.sha256 {
                    true => Verdict::Equal,
                    false => Verdict::Differs(self.manifest_difference(&key, &made, &there.compiler)),
                }
            }
        };
        self.case.judged(Part::Manifest, key, verdict)
    }

    /// The record with the dates that follow from the commit, where they do.
    fn dated(&self) -> TenantRecord {
        let mut record = self.record().clone();
        if self.origin.is_own {
            let now = self.origin.decision.now;
            record.targets =
                FileRecord { issued: now, expires: now.plus(self.lifetimes().entitlement), ..record.targets };
        }
        record
    }

    fn lifetimes(&self) -> Lifetimes {
        self.origin.decision.checked.project.lifetimes().within(self.composed.max_ttl)
    }

    fn manifest_difference(&self, key: &str, made: &[u8], compiler: &str) -> String {
        let there = self.job.objects.get(key).ok().flatten().unwrap_or_default();
        let fields = format!("it says something else under {}", differing(&there, made));
        match compiler == COMPILER {
            true => fields,
            false => format!("{fields}; `{compiler}` made it, and this is `{COMPILER}`: that is the likely cause"),
        }
    }

    fn overlays(&self) -> Vec<Judged> {
        let named = &self.record().overlays;
        let mut made: BTreeMap<Blake3, Archive> = BTreeMap::new();
        for it in &self.composed.overlays {
            made.insert(it.tree, Archive { sha256: it.sha256, length: it.bytes.len() as u64 });
        }
        let mut all = Vec::new();
        for (tree, archive) in &made {
            let (key, verdict) = match named.get(tree) {
                Some(there) => (keys::archive(*tree, there.sha256), self.job.archive(*tree, *there, *archive)),
                None => {
                    let why = "the commit gives it, and the publication does not have it";
                    (keys::archive(*tree, archive.sha256), Verdict::Differs(why.into()))
                }
            };
            all.push(self.case.judged(Part::Overlay, key, verdict));
        }
        for (tree, archive) in named.iter().filter(|(tree, _)| !made.contains_key(*tree)) {
            // A rollback keeps a bundle here that was packed in another way since.
            let is_bundle = self.composed.bundles.iter().any(|(it, _)| it == tree);
            let verdict = match is_bundle {
                true => Verdict::Unjudged("it is a bundle of before a rollback, packed in another way since".into()),
                false => Verdict::Differs("the commit does not give it".into()),
            };
            all.push(self.case.judged(Part::Overlay, keys::archive(*tree, archive.sha256), verdict));
        }
        all
    }

    fn publication(&self, file: FileRecord) -> Publication<'_> {
        let own = self.origin.is_own && file.version == self.job.compiled;
        let lifetime = file.issued.until(file.expires);
        let lifetimes = match own {
            true => self.lifetimes(),
            false => Lifetimes { entitlement: lifetime, freshness: lifetime },
        };
        Publication {
            addr: self.case.addr,
            environment: &self.job.index.environment,
            number: file.version,
            now: if own { self.origin.decision.now } else { file.issued },
            lifetimes,
        }
    }

    fn targets(&self) -> Judged {
        let (record, composed) = (self.record(), self.composed);
        let overlays = composed.overlays.iter();
        let overlays = overlays.map(|it| (it.tree, Archive { sha256: it.sha256, length: it.bytes.len() as u64 }));
        let archives = composed.bundles.iter().copied().chain(overlays);
        let made = sign::targets_role(&self.publication(record.targets), record.manifest, archives);
        let key = keys::targets(self.case.addr, record.targets.version);
        let verdict = self.stored::<Targets>(&key, record.targets, &metadata::canonical(&made));
        self.case.judged(Part::Targets, key, verdict)
    }

    fn snapshot(&self) -> Judged {
        let record = self.record();
        let made = sign::snapshot_role(&self.publication(record.snapshot), &record.targets);
        let key = keys::snapshot(self.case.addr, record.snapshot.version);
        let verdict = self.stored::<Snapshot>(&key, record.snapshot, &metadata::canonical(&made));
        self.case.judged(Part::Snapshot, key, verdict)
    }

    fn stored<T: Role>(&self, key: &str, record: FileRecord, made: &[u8]) -> Verdict {
        match self.job.objects.get(key) {
            Ok(Some(bytes)) => self.role::<T>(&bytes, record, made),
            Ok(None) => gone(),
            Err(why) => Verdict::Unjudged(format!("it cannot be read: {why}")),
        }
    }

    /// What was signed, byte for byte; and who has signed it.
    fn role<T: Role>(&self, bytes: &[u8], record: FileRecord, made: &[u8]) -> Verdict {
        if Sha256::of(bytes) != record.sha256 {
            return Verdict::Differs(foreign());
        }
        let opened = match metadata::open::<T>(bytes) {
            Ok(opened) => opened,
            Err(why) => return Verdict::Differs(why.to_string()),
        };
        if opened.signed != made {
            return Verdict::Differs(format!("it says something else under {}", differing(&opened.signed, made)));
        }
        let vouches = self.job.roots.iter().any(|root| {
            let (good, threshold) = root.count_signatures(T::NAME, &opened.signed, &opened.signatures);
            good >= threshold
        });
        match vouches {
            true => Verdict::Equal,
            false => Verdict::Differs("it says the same, and no root vouches for its signatures".into()),
        }
    }

    /// The timestamp is the one file that is replaced: an earlier one stands among what its publication moved.
    fn timestamp(&self) -> Judged {
        let (addr, record) = (self.case.addr, self.record());
        let key = keys::timestamp(addr);
        let made = sign::timestamp_role(&self.publication(record.timestamp), &record.snapshot);
        let made = metadata::canonical(&made);
        let is_newer = |bytes: &[u8]| {
            metadata::open::<TimestampRole>(bytes).is_ok_and(|it| it.role.version > record.timestamp.version)
        };
        let verdict = match self.job.objects.get(&key) {
            Ok(Some(bytes)) if Sha256::of(&bytes) == record.timestamp.sha256 || !is_newer(&bytes) => {
                self.role::<TimestampRole>(&bytes, record.timestamp, &made)
            }
            Ok(Some(_)) => match (self.job.moved)(record.timestamp.version).as_ref().and_then(|it| it.0.get(addr)) {
                Some(text) => self.role::<TimestampRole>(text.as_bytes(), record.timestamp, &made),
                None => Verdict::Unjudged("a later publication has replaced it, and nobody has kept it".into()),
            },
            Ok(None) => gone(),
            Err(why) => Verdict::Unjudged(format!("it cannot be read: {why}")),
        };
        self.case.judged(Part::Timestamp, key, verdict)
    }
}

impl Job<'_> {
    /// Compares an archive that is there with the one that was made.
    pub(super) fn archive(&self, tree: Blake3, there: Archive, made: Archive) -> Verdict {
        match self.objects.get(&keys::archive(tree, there.sha256)) {
            Ok(Some(bytes)) if Sha256::of(&bytes) != there.sha256 => Verdict::Differs(foreign()),
            Ok(Some(_)) if there == made => Verdict::Equal,
            Ok(Some(_)) => Verdict::Differs(
                "it has the same files, packed in another way: most likely by another version of the compiler".into(),
            ),
            Ok(None) => gone(),
            Err(why) => Verdict::Unjudged(format!("it cannot be read: {why}")),
        }
    }
}

pub(super) fn gone() -> Verdict {
    Verdict::Unjudged("it is no longer there".into())
}

pub(super) fn foreign() -> String {
    "its bytes are not those that the index names".into()
}

/// The names of the fields in which two JSON objects differ.
fn differing(one: &[u8], other: &[u8]) -> String {
    let read = |bytes: &[u8]| serde_json::from_slice::<Map<String, Value>>(bytes).unwrap_or_default();
    let (one, other) = (read(one), read(other));
    let names = one.keys().chain(other.keys().filter(|it| !one.contains_key(*it)));
    let names: Vec<String> = names.filter(|it| one.get(*it) != other.get(*it)).map(|it| format!("`{it}`")).collect();
    match names.is_empty() {
        true => "no field, in other bytes".into(),
        false => names.join(", "),
    }
}
