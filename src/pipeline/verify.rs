//! Public objects, checked as a stranger would: those of a folder, of a store, or of a CDN.

mod folder; // a published folder
mod shell; // as a fresh shell sees it, over HTTP
mod store; // a store, and what its own index says

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

pub use self::folder::{Folder, folder};
pub use self::shell::{Shell, shells};
pub use self::store::{Depth, StoreCheck, Strays, store};
use crate::index::keys;
use crate::metadata::Root;
use crate::publish::state::StateError;
use crate::publish::workers;
use crate::sign::roots::check_root;
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::verify::{self, Archive, Finding, ForeignNames, Objects, Trust, VerifiedTenant};

/// What a check found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The environment that its root names.
    pub environment: String,
    /// The newest root.
    pub root_version: u64,
    /// When that root expires.
    pub root_expires: Timestamp,
    /// Tenants whose files are sound.
    pub tenants: usize,
    /// Programs in, over those.
    pub entitlements: usize,
    /// Different archives that they reach.
    pub archives: usize,
    /// Public files looked at.
    pub files: usize,
    /// Everything that is not as it should be; empty when all is well.
    pub findings: Vec<Finding>,
}

/// Why a check cannot be made at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The disk said no.
    #[error("cannot read `{path}`")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The store said no, or nothing.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// What the store says of itself cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The root that was to be trusted cannot be.
    #[error("the trusted root is not valid: {0}")]
    Root(String),
    /// Files do not come from where they should.
    #[error("cannot fetch from `{url}`: {why}")]
    Web {
        /// Where from.
        url: String,
        /// Why.
        why: String,
    },
}

/// Who works on many tenants at once.
#[derive(Clone, Copy)]
enum Hands {
    /// The threads that compute: everything is on this machine.
    Pool,
    /// So many threads that wait for a network.
    Waiting(usize),
}

impl Hands {
    /// Works on every item; results are in the order of the items.
    fn map<T: Sync, R: Send>(self, items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
        match self {
            Hands::Pool => items.par_iter().map(work).collect(),
            Hands::Waiting(threads) => workers::each(threads, items, |it| Ok::<_, std::convert::Infallible>(work(it)))
                .unwrap_or_else(|never| match never {}),
        }
    }
}

/// A check of some objects, at one instant.
struct Examination<'a> {
    objects: &'a dyn Objects,
    hands: Hands,
    now: Timestamp,
}

/// What was found so far.
struct Examined {
    /// The newest root.
    root: Root,
    /// Tenants that are sound.
    tenants: Vec<VerifiedTenant>,
    /// Every archive that they reach, by key, with the addresses of those who do.
    archives: BTreeMap<String, (Archive, BTreeSet<String>)>,
    findings: Vec<Finding>,
}

impl Examination<'_> {
    /// Checks the chain of roots, and these tenants down to their manifests.
    fn tenants(&self, trusted_root: &[u8], addresses: &[String]) -> Result<Examined, VerifyError> {
        let trusted = check_root(trusted_root, None).map_err(|why| VerifyError::Root(why.to_string()))?;
        let mut findings: Vec<Finding> = Vec::new();
        self.older_roots(trusted_root, trusted.version, &mut findings);
        let root = self.newest_root(trusted, &mut findings);
        let trust = Trust { root: &root, now: self.now };
        let checked = self.hands.map(addresses, |addr| verify::tenant(&trust, self.objects, addr));
        let mut tenants: Vec<VerifiedTenant> = Vec::new();
        for one in checked {
            match one {
                Ok(tenant) => tenants.push(tenant),
                Err(finding) => findings.push(finding),
            }
        }
        let mut archives: BTreeMap<String, (Archive, BTreeSet<String>)> = BTreeMap::new();
        for tenant in &tenants {
            for (key, archive) in &tenant.archives {
                let (known, owners) = archives.entry(key.clone()).or_insert_with(|| (archive.clone(), BTreeSet::new()));
                known.pages.extend(archive.pages.iter().cloned());
                owners.insert(tenant.addr.clone());
            }
        }
        Ok(Examined { root, tenants, archives, findings })
    }

    /// Checks every archive to its last byte, and that nobody's files name anybody else.
    fn archives(&self, examined: &Examined) -> Vec<Finding> {
        let names = examined.names();
        let mut findings = examined.foreign_names(&names);
        let archives: Vec<_> = examined.archives.iter().collect();
        let checked = self
            .hands
            .map(&archives, |(key, (archive, owners))| check_archive(self.objects, &names, key, archive, owners).err());
        findings.extend(checked.into_iter().flatten());
        findings
    }

    /// The copy of the trusted root that is there, and those before it: a shell may have been built with any of them.
    fn older_roots(&self, trusted_root: &[u8], version: u64, findings: &mut Vec<Finding>) {
        let mut previous: Option<Root> = None;
        for at in 1..=version {
            let key = keys::root(at);
            let checked = match self.objects.get(&key) {
                Ok(None) => Err("it is missing".into()),
                Ok(Some(bytes)) if at == version && bytes != trusted_root => Err("it is not the trusted root".into()),
                Ok(Some(bytes)) => check_root(&bytes, previous.as_ref()).map_err(|why| why.to_string()),
                Err(why) => Err(why),
            };
            match checked {
                Ok(root) if root.version == at => previous = Some(root),
                Ok(root) => return findings.push(Finding { key, problem: format!("it is root {}", root.version) }),
                Err(problem) => return findings.push(Finding { key, problem }),
            }
        }
    }

    /// Follows the chain of roots as far as it goes; each must be signed by the one before it and by itself.
    fn newest_root(&self, trusted: Root, findings: &mut Vec<Finding>) -> Root {
        let mut root = trusted;
        loop {
            let key = keys::root(root.version + 1);
            let next = match self.objects.get(&key) {
                Ok(None) => break,
                Ok(Some(bytes)) => check_root(&bytes, Some(&root)).map_err(|why| why.to_string()),
                Err(why) => Err(why),
            };
            match next {
                Ok(next) => root = next,
                Err(problem) => {
                    findings.push(Finding { key, problem });
                    break;
                }
            }
        }
        if root.expires <= self.now {
            let problem = format!("it expired on {}", root.expires);
            findings.push(Finding { key: keys::root(root.version), problem });
        }
        root
    }
}

/// The chain of roots from a trusted one on; each is signed by the one before it and by itself.
pub fn chain(objects: &dyn Objects, trusted_root: &[u8]) -> Result<Vec<Root>, VerifyError> {
    let bad = |why: String| VerifyError::Root(why);
    let mut chain = vec![check_root(trusted_root, None).map_err(|why| bad(why.to_string()))?];
    loop {
        let newest = chain.last().expect("a chain of roots is never empty");
        let key = keys::root(newest.version + 1);
        match objects.get(&key).map_err(|why| bad(format!("`{key}` cannot be read: {why}")))? {
            None => return Ok(chain),
            Some(bytes) => {
                let next = check_root(&bytes, Some(newest)).map_err(|why| bad(format!("`{key}`: {why}")))?;
                chain.push(next);
            }
        }
    }
}

/// Roots that do not belong to the chain.
fn strange_roots(listed: &BTreeSet<String>, newest: u64) -> Vec<Finding> {
    let is_known = |key: &str| (1..=newest).any(|version| keys::root(version) == key);
    let strange = listed.iter().filter(|key| key.starts_with("root/") && !is_known(key));
    strange
        .map(|key| Finding { key: key.clone(), problem: "it does not belong to the chain of roots".into() })
        .collect()
}

impl Examined {
    /// Every key that the sound tenants lead to, but for roots.
    fn reached(&self) -> BTreeSet<&str> {
        let own = self.tenants.iter().flat_map(|it| it.own.iter().map(String::as_str));
        self.archives.keys().map(String::as_str).chain(own).collect()
    }

    fn names(&self) -> ForeignNames {
        ForeignNames::new(self.tenants.iter().map(|it| (it.addr.as_str(), it.manifest.tenant_id.as_str())))
    }

    /// Metadata and manifests that name another tenant.
    fn foreign_names(&self, names: &ForeignNames) -> Vec<Finding> {
        let named = |tenant: &VerifiedTenant| -> Vec<Finding> {
            let found = tenant.bytes.iter().filter_map(|(key, bytes)| {
                let name = names.find(bytes, Some(&tenant.addr))?;
                Some(Finding { key: key.clone(), problem: format!("it names another tenant: `{name}`") })
            });
            found.collect()
        };
        self.tenants.par_iter().flat_map_iter(named).collect()
    }

    fn report(mut self, files: usize) -> Report {
        self.findings.sort();
        Report {
            environment: self.root.tenantry.environment.clone(),
            root_version: self.root.version,
            root_expires: self.root.expires,
            tenants: self.tenants.len(),
            entitlements: self.tenants.iter().map(|it| it.manifest.mini_programs.len()).sum(),
            archives: self.archives.len(),
            files,
            findings: self.findings,
        }
    }
}

fn check_archive(
    objects: &dyn Objects,
    names: &ForeignNames,
    key: &str,
    archive: &Archive,
    owners: &BTreeSet<String>,
) -> Result<(), Finding> {
    // What one tenant alone has may name that tenant: an overlay is rendered for it.
    let owner = match owners.len() {
        1 => owners.first().map(String::as_str),
        _ => None,
    };
    for (path, bytes) in verify::archive(objects, key, archive)? {
        if let Some(name) = names.find(&bytes, owner).or_else(|| names.find(path.as_str().as_bytes(), owner)) {
            return Err(Finding { key: key.into(), problem: format!("`{path}` in it names a tenant: `{name}`") });
        }
    }
    Ok(())
}
