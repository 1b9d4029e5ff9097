//! The public objects of a store, and whether they are those that its own index says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Examination, Examined, Hands, Report, VerifyError, strange_roots};
use crate::digest::Sha256;
use crate::index::{Index, Point, keys};
use crate::metadata::{self, Role, Snapshot, Targets};
use crate::publish::Tools;
use crate::publish::plan::Total;
use crate::publish::renewal::Public;
use crate::publish::state::StateError;
use crate::store::{Cache, Served, StoreError, content_type};
use crate::time::Timestamp;
use crate::verify::{Finding, Objects};

/// How much of a store is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Roots, metadata and manifests, and whether every archive is there.
    Metadata,
    /// Every byte of every object, and how it is served.
    Everything,
}

/// Which store is checked, and from what.
#[derive(Clone, Copy)]
pub struct StoreCheck<'a> {
    /// The store, and how to work on it.
    pub tools: Tools<'a>,
    /// The bytes of the root to trust.
    pub trusted_root: &'a [u8],
    /// As of when.
    pub now: Timestamp,
    /// How much.
    pub depth: Depth,
}

/// Objects that no tenant leads to. They are no mistake: a publication that is followed by another leaves them, until
/// `tenantry gc` takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Strays {
    /// The publication that the store's own index describes; none when there is none, or it is not ours to read.
    pub publication: Option<u64>,
    /// Ours, of earlier publications or of none.
    pub unreferenced: Total,
    /// None of ours.
    pub foreign: Total,
}

/// Checks the objects of a store.
pub fn store(check: &StoreCheck<'_>) -> Result<(Report, Strays), VerifyError> {
    let objects = Public::new(&check.tools);
    let examination = Examination { objects: &objects, hands: Hands::Waiting(check.tools.at_once), now: check.now };
    let said = check.said()?;
    let listed = match (check.depth, &said) {
        (Depth::Everything, _) => Some(check.list(&["o/", "root/", "t/"])?),
        (Depth::Metadata, None) => Some(check.list(&["t/"])?),
        (Depth::Metadata, Some(_)) => None,
    };
    let addresses: Vec<String> = match (&said, &listed) {
        (Some(said), _) => said.index.tenants.keys().cloned().collect(),
        (None, listed) => listed.iter().flat_map(BTreeMap::keys).filter_map(|key| address(key)).collect(),
    };
    let mut examined = examination.tenants(check.trusted_root, &addresses)?;
    let names = examined.names();
    let mut strays = Strays { publication: said.as_ref().map(|it| it.point.publication), ..Strays::default() };
    match (check.depth, &listed) {
        (Depth::Everything, Some(listed)) => {
            examined.findings.extend(strange_roots(&listed.keys().cloned().collect(), examined.root.version));
            examined.findings.extend(examination.archives(&examined));
            let found = check.strays(&examined, listed, &objects, &mut strays);
            examined.findings.extend(found);
            let found = check.served(&examined)?;
            examined.findings.extend(found);
        }
        _ => {
            examined.findings.extend(examined.foreign_names(&names));
            let found = check.presence(&examined)?;
            examined.findings.extend(found);
        }
    }
    if let Some(said) = &said {
        let found = said.differences(&examined);
        // Somebody may have published while we looked.
        if found.is_empty() || check.tools.state().head()?.head.point() == Some(said.point) {
            examined.findings.extend(found);
        }
    }
    if let Some(failure) = objects.into_failure() {
        return Err(failure.into());
    }
    let own: usize = examined.tenants.iter().map(|it| it.own.len()).sum();
    let files = own + examined.archives.len() + usize::try_from(examined.root.version).unwrap_or(usize::MAX);
    let more = strays.unreferenced.objects + strays.foreign.objects;
    Ok((examined.report(files + more), strays))
}

/// The address in the key of a timestamp.
fn address(key: &str) -> Option<String> {
    let addr = key.strip_prefix("t/")?.strip_suffix("/timestamp.json")?;
    keys::is_ours(key).then(|| addr.to_owned())
}

/// What the store says of itself.
struct Said {
    point: Point,
    index: Index,
    is_finished: bool,
}

impl Said {
    /// Timestamps that are sound and yet not those that the index names.
    fn differences(&self, examined: &Examined) -> Vec<Finding> {
        if !self.is_finished {
            return Vec::new();
        }
        let differs = |tenant: &&crate::verify::VerifiedTenant| {
            let (_, timestamp) = &tenant.bytes[0];
            let record = self.index.tenants.get(&tenant.addr);
            record.is_some_and(|it| it.timestamp.sha256 != Sha256::of(timestamp))
        };
        let different = examined.tenants.iter().filter(differs);
        let problem = format!("it is not the one that publication {} has put there", self.point.publication);
        different.map(|it| Finding { key: keys::timestamp(&it.addr), problem: problem.clone() }).collect()
    }
}

impl StoreCheck<'_> {
    /// Reads the head and the index; none when nothing was published, or when this is not ours to read.
    fn said(&self) -> Result<Option<Said>, VerifyError> {
        let state = self.tools.state();
        let head = match state.head() {
            Ok(seen) => seen.head,
            Err(StateError::Store(StoreError::Refused { .. })) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Some(current) = head.current else { return Ok(None) };
        let point = current.point();
        Ok(Some(Said { point, index: state.index(point)?, is_finished: current.finished }))
    }

    /// Objects with their lengths, by key.
    fn list(&self, prefixes: &[&str]) -> Result<BTreeMap<String, u64>, VerifyError> {
        let mut listed = BTreeMap::new();
        for prefix in prefixes {
            let part = self.tools.patience.retry(|| {
                let mut part = Vec::new();
                self.tools
                    .store
                    .list(prefix, &mut |page| part.extend(page.into_iter().map(|it| (it.key, it.length))))?;
                Ok(part)
            })?;
            listed.extend(part);
        }
        Ok(listed)
    }

    fn each<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R, StoreError> + Sync,
    ) -> Result<Vec<R>, VerifyError> {
        Ok(crate::publish::workers::each(self.tools.at_once, items, work)?)
    }

    /// Whether every archive is there, with its length.
    fn presence(&self, examined: &Examined) -> Result<Vec<Finding>, VerifyError> {
        let archives: Vec<(&String, u64)> =
            examined.archives.iter().map(|(key, (archive, _))| (key, archive.file.length)).collect();
        let look = |(key, length): &(&String, u64)| {
            let there = self.tools.patience.retry(|| self.tools.store.head(key))?;
            let problem = match there {
                None => Some("it is missing".to_owned()),
                Some(it) if it.length != *length => {
                    Some(format!("it has {} bytes, signed metadata says {length}", it.length))
                }
                Some(_) => None,
            };
            Ok(problem.map(|problem| Finding { key: (*key).clone(), problem }))
        };
        Ok(self.each(&archives, look)?.into_iter().flatten().collect())
    }

    /// What no tenant leads to: counted, and held to its own name.
    fn strays(
        &self,
        examined: &Examined,
        listed: &BTreeMap<String, u64>,
        objects: &dyn Objects,
        strays: &mut Strays,
    ) -> Vec<Finding> {
        let reached = examined.reached();
        // A tenant that is not sound has been told about; what it leads to is not known.
        let broken: BTreeSet<String> = examined.findings.iter().filter_map(|it| folder(&it.key)).collect();
        let others = listed.iter().filter(|(key, _)| !reached.contains(key.as_str()) && !key.starts_with("root/"));
        let mut ours: Vec<&String> = Vec::new();
        for (key, length) in others {
            let total = match keys::is_ours(key) {
                true => {
                    ours.push(key);
                    &mut strays.unreferenced
                }
                false => &mut strays.foreign,
            };
            *total = Total { objects: total.objects + 1, bytes: total.bytes + length };
        }
        ours.retain(|key| folder(key).is_none_or(|it| !broken.contains(&it)));
        let hands = Hands::Waiting(self.tools.at_once);
        hands.map(&ours, |key| misnamed(objects, key)).into_iter().flatten().collect()
    }

    /// Whether objects are served as caches and shells need it, where the store serves them itself.
    fn served(&self, examined: &Examined) -> Result<Vec<Finding>, VerifyError> {
        let roots = (1..=examined.root.version).map(keys::root);
        let keys: Vec<String> = roots.chain(examined.reached().into_iter().map(str::to_owned)).collect();
        let ask = |key: &String| {
            let served = self.tools.patience.retry(|| self.tools.store.served(key))?;
            Ok(served.and_then(|it| ill_served(key, &it)))
        };
        Ok(self.each(&keys, ask)?.into_iter().flatten().collect())
    }
}

/// Below which tenant's folder a key lies.
fn folder(key: &str) -> Option<String> {
    key.strip_prefix("t/")?.split('/').next().map(str::to_owned)
}

/// An object that is not what its own name says.
fn misnamed(objects: &dyn Objects, key: &str) -> Option<Finding> {
    let finding = |problem: String| Some(Finding { key: key.to_owned(), problem });
    let bytes = match objects.get(key) {
        Ok(Some(bytes)) => bytes,
        // It went while we looked.
        Ok(None) => return None,
        Err(why) => return finding(format!("it cannot be read: {why}")),
    };
    if let Some(name) = key.strip_prefix("o/") {
        let is_named = name.split('.').next() == Some(Sha256::of(&bytes).to_string().as_str());
        return if is_named { None } else { finding("its bytes are not those that its name says".into()) };
    }
    let version = match key {
        _ if key.ends_with(".snapshot.json") => version::<Snapshot>(&bytes),
        _ if key.ends_with(".targets.json") => version::<Targets>(&bytes),
        // The timestamp of a tenant that is no longer looked after.
        _ => return None,
    };
    match version {
        Ok(version) if Some(version) == keys::number(key) => None,
        Ok(version) => finding(format!("it is version {version}")),
        Err(why) => finding(why),
    }
}

fn version<T: Role>(bytes: &[u8]) -> Result<u64, String> {
    metadata::open::<T>(bytes).map(|it| it.role.version()).map_err(|why| why.to_string())
}

/// Headers that are not those that a publication puts there.
fn ill_served(key: &str, served: &Served) -> Option<Finding> {
    let directives = |text: &str| -> BTreeSet<String> {
        text.split(',').map(|it| it.trim().to_ascii_lowercase()).filter(|it| !it.is_empty()).collect()
    };
    let (wanted, found) = (Cache::of(key).header(), served.cache_control.as_deref().unwrap_or_default());
    let kind = served.content_type.as_deref().map(|it| it.split(';').next().unwrap_or_default().trim());
    let problem = match served.content_encoding.as_deref() {
        _ if directives(found) != directives(wanted) => {
            format!("it is served with `Cache-Control: {found}`, and should be with `{wanted}`")
        }
        _ if kind.is_some_and(|it| it != content_type(key)) => {
            format!("it is served as `{}`, and is `{}`", kind.unwrap_or_default(), content_type(key))
        }
        Some(encoding) if !encoding.is_empty() && encoding != "identity" => {
            format!("it is served encoded as `{encoding}`")
        }
        _ => return None,
    };
    Some(Finding { key: key.to_owned(), problem })
}
