//! Whether a store keeps what publishing relies on. It is tried, and not believed: the stores that ignore a condition
//! answer as those do that keep it.
//!
//! Everything happens under keys of its own, with a random part, that no shell ever asks for, and is deleted again.
//! [`conditions`] is what every publication begins with: some eighty small requests, nearly all of them at once.
//! [`examine`] is what `tenantry doctor` does.

mod bench;

use serde::Serialize;

use super::{Cache, Patience, Precondition, Served, Store, StoreError, content_type};
use crate::time::Timestamp;
use bench::{Bench, Races, Tried};

/// How far a store's clock may be from ours, in seconds, before freshness means nothing.
pub const MAX_SKEW: i64 = 300;

/// What a condition must stand before a publication. Many races of two and not a few of many: from the third on
/// SeaweedFS has those who lose wait for its lock, a second for each that is before them.
const BEFORE_PUBLISHING: Races = Races { rounds: 12, racers: 2 };

/// What it must stand before a doctor's word.
const FOR_A_VERDICT: Races = Races { rounds: 5, racers: 16 };

/// How many objects a listing is tried with, and how often a write is read back.
const SEVERAL: usize = 20;

/// Whether two publishers are kept apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publishing {
    /// Whatever two of them do at once, one wins and the other is told.
    Safe,
    /// They may overwrite each other unseen; why, in a sentence.
    Unsafe(String),
}

/// Something that is relied on, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is called, for machines.
    pub check: &'static str,
    /// What should hold, in a sentence.
    pub promise: &'static str,
    /// Whether it does.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Whether something holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It does.
    Held,
    /// It does not.
    Broken {
        /// What was seen.
        found: String,
        /// What comes of it.
        consequence: &'static str,
        /// What to change.
        cure: &'static str,
    },
    /// Not as it should be for everybody; for some it does no harm.
    Hint {
        /// What was seen.
        found: String,
        /// What comes of it.
        consequence: &'static str,
        /// What to change.
        cure: &'static str,
    },
    /// It could not be tried, or has no meaning here.
    NotApplicable {
        /// Why.
        why: String,
    },
}

impl Finding {
    /// Whether it was tried and does not hold.
    pub fn is_broken(&self) -> bool {
        matches!(self.outcome, Outcome::Broken { .. })
    }

    /// Whether it is about keeping two publishers apart, which a lock outside may do as well.
    pub fn is_about_publishers(&self) -> bool {
        let checks = [&CREATE, &STALE, &GONE, &CREATE_RACE, &REPLACE_RACE];
        checks.iter().any(|it| it.name == self.check)
    }
}

/// Everything that is known of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Which store.
    pub store: String,
    /// Whether two publishers are kept apart by it.
    pub conditions_hold: bool,
    /// What was tried, in the order in which it was.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether everything that was tried holds.
    pub fn is_sound(&self) -> bool {
        !self.findings.iter().any(Finding::is_broken)
    }
}

/// One thing that is relied on.
pub(crate) struct Check {
    /// What it is called, for machines.
    pub(crate) name: &'static str,
    /// What should hold.
    pub(crate) promise: &'static str,
    /// What comes of it when it does not.
    pub(crate) consequence: &'static str,
    /// What to change then.
    pub(crate) cure: &'static str,
}

const OTHER_STORE: &str = "use a store with conditional writes, or, if a lock outside lets only one publisher run at a time, \
                           say `publishers: locked` in `tenantry.yaml`";

const CREATE: Check = Check {
    name: "create-once",
    promise: "an object that must not be there yet is created once",
    consequence: "a publisher overwrites what another one has put under the same name",
    cure: OTHER_STORE,
};
const REPLACE: Check = Check {
    name: "replace-right",
    promise: "an object is replaced when its version is the one named",
    consequence: "nothing that changes can be published",
    cure: "look for a proxy that changes `If-Match`, and for a bucket policy that denies it",
};
const STALE: Check = Check {
    name: "refuse-stale",
    promise: "an object is not replaced when its version is another",
    consequence: "a publisher that has been overtaken takes back what the other one has published",
    cure: OTHER_STORE,
};
const GONE: Check = Check {
    name: "refuse-missing",
    promise: "an object is not replaced when it is not there",
    consequence: "a publisher brings back what another one has taken away",
    cure: OTHER_STORE,
};
const CREATE_RACE: Check = Check {
    name: "race-to-create",
    promise: "of many that create at once one wins",
    consequence: "two publishers both believe that they were first",
    cure: OTHER_STORE,
};
const REPLACE_RACE: Check = Check {
    name: "race-to-replace",
    promise: "of many that replace at once one wins",
    consequence: "two publishers both believe that theirs is the newest publication",
    cure: OTHER_STORE,
};
const BYTES: Check = Check {
    name: "bytes",
    promise: "bytes come back as they were put",
    consequence: "shells refuse what is published",
    cure: "look at what stands between here and the store; a store that changes bytes cannot be used",
};
const READ_AFTER_WRITE: Check = Check {
    name: "read-after-write",
    promise: "what was written is read at once",
    consequence: "a lost answer is settled wrongly, and a publisher starts from an old publication",
    cure: "give the store's own endpoint in `tenantry.yaml`, and not a cache in front of it",
};
const HEADERS: Check = Check {
    name: "headers",
    promise: "`Cache-Control` and `Content-Type` are kept, and nothing is encoded",
    consequence: "shells see old publications for as long as some cache pleases",
    cure: "have the CDN set the headers that docs/cdn.md names",
};
const MISSING: Check = Check {
    name: "missing",
    promise: "an object that is not there is none",
    consequence: "a store that is empty looks like one that is closed",
    cure: "grant `s3:ListBucket` to whoever publishes",
};
const LISTING: Check = Check {
    name: "listing",
    promise: "a listing is complete and in order",
    consequence: "`gc` and `verify` overlook objects",
    cure: "give the store's own endpoint in `tenantry.yaml`",
};
const DELETING: Check = Check {
    name: "deleting",
    promise: "what was deleted is gone",
    consequence: "`gc` frees nothing, and what must go stays public",
    cure: "look for an object lock or a retention rule on the bucket",
};
const CLOCK: Check = Check {
    name: "clock",
    promise: "the store's clock and ours agree within five minutes",
    consequence: "what is signed as fresh is stale or not yet valid where shells are",
    cure: "set the clock of this machine",
};

impl Check {
    /// What a try came to: nothing to complain of, or what was seen.
    pub(crate) fn found(&self, complaint: Option<String>) -> Finding {
        let outcome = match complaint {
            None => Outcome::Held,
            Some(found) => Outcome::Broken { found, consequence: self.consequence, cure: self.cure },
        };
        Finding { check: self.name, promise: self.promise, outcome }
    }

    /// Something that is wrong for some.
    pub(crate) fn hinted(&self, found: impl Into<String>) -> Finding {
        let outcome = Outcome::Hint { found: found.into(), consequence: self.consequence, cure: self.cure };
        Finding { check: self.name, promise: self.promise, outcome }
    }

    /// It could not be tried.
    pub(crate) fn not_applicable(&self, why: impl Into<String>) -> Finding {
        Finding { check: self.name, promise: self.promise, outcome: Outcome::NotApplicable { why: why.into() } }
    }

    /// The same, but one that the store refuses to let us try is no complaint: we may lack a right that others have.
    fn tried(&self, complaint: Result<Option<String>, StoreError>) -> Result<Finding, StoreError> {
        match complaint {
            Ok(complaint) => Ok(self.found(complaint)),
            Err(error @ StoreError::Refused { .. }) => {
                let help = error.help().map(|it| format!("; {it}")).unwrap_or_default();
                Ok(self.not_applicable(format!("{}{help}", with_source(&error))))
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether two publishers are kept apart. Fails when the store cannot be asked.
pub fn conditions(store: &dyn Store, patience: Patience) -> Result<Publishing, StoreError> {
    let mut findings = Vec::new();
    for scratch in scratches(store) {
        let bench = Bench::new(store, patience, &scratch);
        findings.extend(try_conditions(&bench, BEFORE_PUBLISHING)?);
    }
    Ok(publishing(&findings))
}

/// Everything. `now` is what the store's clock is compared with. Fails when the store cannot be asked.
pub fn examine(store: &dyn Store, patience: Patience, now: Timestamp) -> Result<Report, StoreError> {
    let mut findings = Vec::new();
    let scratches = scratches(store);
    for scratch in &scratches {
        findings.extend(try_conditions(&Bench::new(store, patience, scratch), FOR_A_VERDICT)?);
    }
    let conditions_hold = publishing(&findings) == Publishing::Safe;
    // Readers see the public part, whatever else there is.
    let random = random();
    let bench = Bench::new(store, patience, &format!("t/probe-{random}/"));
    findings.push(bench.in_order(|| try_bytes(&bench))?);
    findings.push(bench.in_order(|| try_read_after_write(&bench))?);
    findings.push(bench.in_order(|| try_headers(&bench))?);
    findings.push(bench.in_order(|| try_clock(&bench, now))?);
    findings.push(MISSING.tried(bench.get("nothing.json").map(|it| it.map(|_| "something is there".into())))?);
    findings.push(bench.in_order(|| try_listing(&bench))?);
    findings.push(bench.in_order(|| try_deleting(&bench))?);
    Ok(Report { store: store.describe(), conditions_hold, findings: merged(findings) })
}

/// Whether a key is one at which something was tried. Only whoever is stopped half-way leaves such an object behind.
pub fn is_ours(key: &str) -> bool {
    let is_random = |it: &str| it.len() == 16 && it.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let rest = key.strip_prefix("state/probe/").or_else(|| key.strip_prefix("t/probe-"));
    rest.and_then(|it| it.split_once('/')).is_some_and(|(random, _)| is_random(random))
}

/// Where to try: below `state/`, and among public keys too where those lie in another place.
fn scratches(store: &dyn Store) -> Vec<String> {
    let random = random();
    let mut scratches = vec![format!("state/probe/{random}/")];
    if store.keeps_state_apart() {
        scratches.push(format!("t/probe-{random}/"));
    }
    scratches
}

/// A name that nobody else tries at the same time.
fn random() -> String {
    let mut random = [0; 8];
    // Without random numbers two probes at once disturb each other, and nothing worse.
    let _ = getrandom::fill(&mut random);
    data_encoding::HEXLOWER.encode(&random)
}

/// The verdict: everything about conditions must have been tried and hold.
fn publishing(findings: &[Finding]) -> Publishing {
    let complaint = findings.iter().find_map(|it| match &it.outcome {
        Outcome::Held => None,
        Outcome::Broken { found, consequence, .. } | Outcome::Hint { found, consequence, .. } => {
            Some(format!("{found}: {consequence}"))
        }
        Outcome::NotApplicable { why } => Some(why.clone()),
    });
    complaint.map_or(Publishing::Safe, Publishing::Unsafe)
}

/// A store in two places was asked twice; the worse answer stands.
fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        match merged.iter_mut().find(|it| it.check == finding.check) {
            None => merged.push(finding),
            Some(there) if !there.is_broken() => *there = finding,
            Some(_) => {}
        }
    }
    merged
}

fn try_conditions(bench: &Bench<'_>, races: Races) -> Result<Vec<Finding>, StoreError> {
    bench.in_order(|| match bench.put("head.json", "first", Precondition::Absent) {
        // Some stores refuse every condition. Where the same put goes well without one, that is what it was.
        Err(error @ StoreError::Refused { .. }) => {
            bench.put("head.json", "first", Precondition::None)?;
            Ok(vec![CREATE.found(Some(format!("the store takes no conditions ({})", with_source(&error))))])
        }
        Err(error) => Err(error),
        Ok(Tried::Refused) => Ok(vec![CREATE.found(Some("an object that nobody has put is said to be there".into()))]),
        Ok(Tried::Done(first)) => {
            let again = bench.put("head.json", "again", Precondition::Absent)?;
            let created = CREATE.found(again.complaint("an object was created that was there"));
            // Read, since a store that ignores conditions has just replaced it.
            let there = bench.get("head.json")?.map_or(first, |it| it.etag);
            let right = bench.put("head.json", "second", Precondition::Is(there.clone()))?;
            let stale = bench.put("head.json", "third", Precondition::Is(there.clone()))?;
            let gone = bench.put("gone.json", "any", Precondition::Is(there))?;
            let replaced = REPLACE.found(match right {
                Tried::Done(_) => None,
                Tried::Refused => Some("the version that the store named is refused".into()),
            });
            let [create_race, replace_race] = bench.races(races)?;
            Ok(vec![
                created,
                replaced,
                STALE.found(stale.complaint("an object was replaced whose version was another")),
                GONE.found(gone.complaint("an object was replaced that was not there")),
                CREATE_RACE.found(create_race),
                REPLACE_RACE.found(replace_race),
            ])
        }
    })
}

/// Every byte, and text that somebody might want to compress.
fn try_bytes(bench: &Bench<'_>) -> Result<Finding, StoreError> {
    let binary: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let text = "{\"name\":\"value\"}\r\n".repeat(4_000).into_bytes();
    for (name, bytes) in [("binary", binary), ("text.json", text)] {
        bench.put_bytes(name, &bytes, Precondition::None)?;
        let there = bench.get(name)?;
        if there.as_ref().map(|it| &it.bytes) != Some(&bytes) {
            let length = there.map_or(0, |it| it.bytes.len());
            return Ok(BYTES.found(Some(format!("of {} bytes came back {length}, and not the same", bytes.len()))));
        }
    }
    Ok(BYTES.found(None))
}

fn try_read_after_write(bench: &Bench<'_>) -> Result<Finding, StoreError> {
    for number in 0..SEVERAL {
        let text = format!("write {number}");
        bench.put("timestamp.json", &text, Precondition::None)?;
        let there = bench.get("timestamp.json")?.map(|it| it.bytes);
        if there.as_deref() != Some(text.as_bytes()) {
            let found = format!("the {}. write of {SEVERAL} was not there when it was read", number + 1);
            return Ok(READ_AFTER_WRITE.found(Some(found)));
        }
    }
    Ok(READ_AFTER_WRITE.found(None))
}

fn try_headers(bench: &Bench<'_>) -> Result<Finding, StoreError> {
    for name in ["timestamp.json", "1.targets.json"] {
        bench.put(name, "{}", Precondition::None)?;
        let key = bench.key(name);
        let Some(served) = bench.served(name)? else { return Ok(HEADERS.not_applicable("it serves nothing itself")) };
        if let Some(complaint) = headers_complaint(&key, &served) {
            return Ok(HEADERS.found(Some(complaint)));
        }
    }
    Ok(HEADERS.found(None))
}

/// What is wrong with the headers of an object that we have put.
pub fn headers_complaint(key: &str, served: &Served) -> Option<String> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let is = |header: &str, value: &Option<String>, wanted: &str| match value.as_deref() {
        Some(value) if value == wanted => None,
        Some(value) => Some(format!("`{name}` has `{header}: {value}`, and not `{wanted}`")),
        None => Some(format!("`{name}` has no `{header}`; it should be `{wanted}`")),
    };
    let encoding = served.content_encoding.as_ref().filter(|it| *it != "identity");
    is("Cache-Control", &served.cache_control, Cache::of(key).header())
        .or_else(|| is("Content-Type", &served.content_type, content_type(key)))
        .or_else(|| encoding.map(|it| format!("`{name}` has `Content-Encoding: {it}`, which nobody asked for")))
}

fn try_clock(bench: &Bench<'_>, now: Timestamp) -> Result<Finding, StoreError> {
    bench.put("clock.json", "{}", Precondition::None)?;
    // A store that serves nothing itself has our own clock, or none.
    let has_clock = bench.served("clock.json")?.is_some();
    Ok(match bench.head("clock.json")?.filter(|_| has_clock) {
        None => CLOCK.not_applicable("it has no clock of its own"),
        Some(listed) => CLOCK.found(skew_complaint(listed.modified, now)),
    })
}

/// What is wrong with a clock that shows `theirs` when ours shows `now`.
pub fn skew_complaint(theirs: Timestamp, now: Timestamp) -> Option<String> {
    let skew = theirs.unix() - now.unix();
    match skew {
        _ if skew.abs() <= MAX_SKEW => None,
        0.. => Some(format!("its clock is {skew} seconds ahead of ours")),
        _ => Some(format!("its clock is {} seconds behind ours", -skew)),
    }
}

fn try_listing(bench: &Bench<'_>) -> Result<Finding, StoreError> {
    let mut wanted: Vec<String> = (0..SEVERAL).map(|it| bench.key(&format!("list-{it:02}.json"))).collect();
    for number in 0..SEVERAL {
        bench.put(&format!("list-{number:02}.json"), "{}", Precondition::None)?;
    }
    LISTING.tried(bench.list("list-").map(|listed| {
        let is_same = listed == wanted;
        wanted.retain(|it| !listed.contains(it));
        (!is_same).then(|| match wanted.first() {
            Some(first) => format!("{} of {SEVERAL} objects are not in it, such as `{first}`", wanted.len()),
            None => "its objects are not in the order of their keys, or more than there are".into(),
        })
    }))
}

fn try_deleting(bench: &Bench<'_>) -> Result<Finding, StoreError> {
    bench.put("deleted-1.json", "{}", Precondition::None)?;
    bench.put("deleted-2.json", "{}", Precondition::None)?;
    let names = ["deleted-1.json", "deleted-2.json", "never-there.json"];
    let left = bench.delete(&names).and_then(|()| {
        let left: Result<Vec<bool>, StoreError> = names.iter().map(|it| Ok(bench.head(it)?.is_some())).collect();
        left.map(|it| it.contains(&true).then(|| "an object is there that was deleted".into()))
    });
    DELETING.tried(left)
}

fn with_source(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
