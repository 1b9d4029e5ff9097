//! Nothing damaged leaves the house: every file that a plan would move is checked first, as a stranger would.

use std::collections::BTreeMap;

use super::plan::{Item, ItemKind, Plan};
use super::state::Timestamps;
use super::{Job, workers};
use crate::digest::Sha256;
use crate::index::{Index, TenantRecord, keys};
use crate::metadata::Root;
use crate::sign::roots::check_root;
use crate::verify::{self, Archive, Finding, Objects, Trust};

/// Checks every file that a plan would move, and gives back the timestamps among them.
pub(super) fn check(
    job: &Job<'_>,
    base: Option<&Index>,
    index: &Index,
    plan: &Plan,
) -> Result<Timestamps, Vec<Finding>> {
    let root = newest_root(job, index).map_err(|it| vec![it])?;
    let trust = Trust { root: &root, now: job.now };
    let mut findings = Vec::new();
    let mut timestamps = Timestamps::default();
    let mut archives: BTreeMap<String, Archive> = BTreeMap::new();
    let one = |addr: &String| Ok::<_, ()>(tenant(job, &trust, base, addr, &index.tenants[addr]));
    let addresses: Vec<String> = plan.timestamps.iter().map(|it| it.addr.clone()).collect();
    let checked = workers::each(job.threads, &addresses, one).expect("findings are results here");
    for (addr, checked) in addresses.into_iter().zip(checked) {
        match checked {
            Ok(sound) => {
                timestamps.0.insert(addr, sound.timestamp);
                for (key, archive) in sound.archives {
                    archives.entry(key).or_insert_with(|| archive.clone()).pages.extend(archive.pages);
                }
            }
            Err(finding) => findings.push(finding),
        }
    }
    let items: Vec<&Item> = plan.uploads.iter().collect();
    let look = |it: &&Item| Ok::<_, ()>(file(job.files, it, &archives));
    let found = workers::each(job.threads, &items, look).expect("findings are results here");
    // What a damaged tenant has not named would only repeat that.
    if findings.is_empty() {
        findings.extend(found.into_iter().filter_map(Result::err));
    }
    match findings.is_empty() {
        true => Ok(timestamps),
        false => Err(findings),
    }
}

/// What a sound tenant contributes.
struct Sound {
    timestamp: String,
    archives: BTreeMap<String, Archive>,
}

/// One tenant whose timestamp moves. Where only that was signed again, the rest is what the store holds already.
fn tenant(
    job: &Job<'_>,
    trust: &Trust<'_>,
    base: Option<&Index>,
    addr: &str,
    record: &TenantRecord,
) -> Result<Sound, Finding> {
    let key = keys::timestamp(addr);
    let problem = |problem: &str| Finding { key: key.clone(), problem: problem.into() };
    let bytes = job.files.get(&key).map_err(|why| problem(&why))?.ok_or_else(|| problem("it is missing"))?;
    if Sha256::of(&bytes) != record.timestamp.sha256 {
        return Err(problem("its bytes are not those that the index names"));
    }
    let timestamp = String::from_utf8(bytes).map_err(|_| problem("it is no text"))?;
    let held = base.and_then(|it| it.tenants.get(addr));
    if held.is_some_and(|it| it.has_same_content(record)) {
        let named = verify::timestamp(trust, job.files, addr)?;
        let is_same = named.version == record.snapshot.version && named.hashes.sha256 == record.snapshot.sha256;
        return match is_same {
            true => Ok(Sound { timestamp, archives: BTreeMap::new() }),
            false => Err(problem("it names another snapshot than the index")),
        };
    }
    let verified = verify::tenant(trust, job.files, addr)?;
    let own = [
        key.clone(),
        keys::snapshot(addr, record.snapshot.version),
        keys::targets(addr, record.targets.version),
        keys::manifest(addr, record.manifest.sha256),
    ];
    match verified.own == own {
        true => Ok(Sound { timestamp, archives: verified.archives }),
        false => Err(problem("it leads to other files than the index names")),
    }
}

/// One file to upload: the bytes that the index names, and, for an archive, what a tenant's metadata asks of it.
fn file(files: &dyn Objects, item: &Item, archives: &BTreeMap<String, Archive>) -> Result<(), Finding> {
    read(files, item)?;
    match item.kind {
        ItemKind::Bundle | ItemKind::Overlay => match archives.get(&item.key) {
            Some(expected) => verify::archive(files, &item.key, expected).map(|_| ()),
            None => Err(Finding { key: item.key.clone(), problem: "no tenant that changes refers to it".into() }),
        },
        _ => Ok(()),
    }
}

/// The bytes of an object to upload, if they are those that the plan names.
pub(super) fn read(files: &dyn Objects, item: &Item) -> Result<Vec<u8>, Finding> {
    let problem = |problem: String| Finding { key: item.key.clone(), problem };
    let bytes = files.get(&item.key).map_err(problem)?.ok_or_else(|| problem("it is missing".into()))?;
    match bytes.len() as u64 == item.length && Sha256::of(&bytes) == item.sha256 {
        true => Ok(bytes),
        false => Err(problem("its bytes are not those that the index names".into())),
    }
}

/// Walks the chain of roots, oldest first.
fn newest_root(job: &Job<'_>, index: &Index) -> Result<Root, Finding> {
    let mut newest: Option<Root> = None;
    for version in 1..=index.root_version {
        let key = keys::root(version);
        let problem = |problem: String| Finding { key: key.clone(), problem };
        let bytes = job.files.get(&key).map_err(problem)?.ok_or_else(|| problem("it is missing".into()))?;
        newest = Some(check_root(&bytes, newest.as_ref()).map_err(|why| problem(why.to_string()))?);
    }
    let key = keys::root(index.root_version);
    match newest {
        Some(root) if root.expires <= job.now => {
            Err(Finding { key, problem: format!("it expired on {}", root.expires) })
        }
        Some(root) if root.version == index.root_version => Ok(root),
        _ => Err(Finding { key, problem: "it is not the root that the index names".into() }),
    }
}
