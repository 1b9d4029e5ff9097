//! A whole folder, checked as a stranger would.
#![expect(clippy::disallowed_methods, reason = "this file reads a published folder")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use walkdir::WalkDir;

use crate::index::keys;
use crate::metadata::Root;
use crate::sign::roots::check_root;
use crate::time::Timestamp;
use crate::verify::{self, Archive, Finding, ForeignNames, Objects, Trust, VerifiedTenant};

/// Largest object that is read.
const MAX_OBJECT: u64 = 1 << 30;

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

/// Why a folder cannot be checked at all.
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
    /// The root that was to be trusted cannot be.
    #[error("the trusted root is not valid: {0}")]
    Root(String),
}

/// Checks every public file below a folder, trusting nothing but these bytes of a root.
pub fn folder(root: &Path, trusted_root: &[u8], now: Timestamp) -> Result<Report, VerifyError> {
    let objects = Folder { root };
    let listed = objects.list()?;
    let mut findings: Vec<Finding> = Vec::new();
    let trusted = check_root(trusted_root, None).map_err(|why| VerifyError::Root(why.to_string()))?;
    older_roots(&objects, trusted_root, trusted.version, &mut findings);
    let newest = walk_roots(&objects, trusted, now, &listed, &mut findings);
    let trust = Trust { root: &newest, now };

    let addresses: BTreeSet<&str> = listed.iter().filter_map(|key| key.strip_prefix("t/")?.split('/').next()).collect();
    let addresses: Vec<&str> = addresses.into_iter().collect();
    let checked = addresses.par_iter().map(|addr| verify::tenant(&trust, &objects, addr));
    let (tenants, bad): (Vec<_>, Vec<_>) = checked.collect::<Vec<_>>().into_iter().partition(Result::is_ok);
    let tenants: Vec<VerifiedTenant> = tenants.into_iter().flatten().collect();
    findings.extend(bad.into_iter().filter_map(Result::err));

    let mut archives: BTreeMap<&str, (Archive, BTreeSet<&str>)> = BTreeMap::new();
    for tenant in &tenants {
        for (key, archive) in &tenant.archives {
            let (known, owners) = archives.entry(key).or_insert_with(|| (archive.clone(), BTreeSet::new()));
            known.pages.extend(archive.pages.iter().cloned());
            owners.insert(&tenant.addr);
        }
    }
    let names = ForeignNames::new(tenants.iter().map(|it| (it.addr.as_str(), it.manifest.tenant_id.as_str())));
    findings.extend(tenants.par_iter().flat_map_iter(|tenant| foreign_in_tenant(&names, tenant)).collect::<Vec<_>>());
    let in_archives = archives
        .par_iter()
        .filter_map(|(key, (archive, owners))| check_archive(&objects, &names, key, archive, owners).err());
    findings.extend(in_archives.collect::<Vec<_>>());

    if findings.is_empty() {
        let mut reached: BTreeSet<&str> = archives.keys().copied().collect();
        reached.extend(tenants.iter().flat_map(|it| it.own.iter().map(String::as_str)));
        let strays = listed.iter().filter(|key| !reached.contains(key.as_str()) && !key.starts_with("root/"));
        findings.extend(strays.map(|key| Finding { key: key.clone(), problem: "nothing refers to it".into() }));
    }
    findings.sort();
    Ok(Report {
        environment: newest.tenantry.environment.clone(),
        root_version: newest.version,
        root_expires: newest.expires,
        tenants: tenants.len(),
        entitlements: tenants.iter().map(|it| it.manifest.mini_programs.len()).sum(),
        archives: archives.len(),
        files: listed.len(),
        findings,
    })
}

/// The folder's own copy of the trusted root, and those before it: a shell may have been built with any of them.
fn older_roots(objects: &Folder<'_>, trusted_root: &[u8], version: u64, findings: &mut Vec<Finding>) {
    let mut previous: Option<Root> = None;
    for at in 1..=version {
        let key = keys::root(at);
        let checked = match objects.get(&key) {
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
fn walk_roots(
    objects: &Folder<'_>,
    trusted: Root,
    now: Timestamp,
    listed: &BTreeSet<String>,
    findings: &mut Vec<Finding>,
) -> Root {
    let mut root = trusted;
    loop {
        let key = keys::root(root.version + 1);
        let next = match objects.get(&key) {
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
    if root.expires <= now {
        let problem = format!("it expired on {}", root.expires);
        findings.push(Finding { key: keys::root(root.version), problem });
    }
    let beyond = listed.iter().filter(|key| key.starts_with("root/"));
    let is_known = |key: &str| (1..=root.version).any(|version| keys::root(version) == key);
    findings.extend(
        beyond
            .filter(|key| !is_known(key))
            .map(|key| Finding { key: key.clone(), problem: "it does not belong to the chain of roots".into() }),
    );
    root
}

fn foreign_in_tenant(names: &ForeignNames, tenant: &VerifiedTenant) -> Vec<Finding> {
    let found = tenant.bytes.iter().filter_map(|(key, bytes)| {
        let name = names.find(bytes, Some(&tenant.addr))?;
        Some(Finding { key: key.clone(), problem: format!("it names another tenant: `{name}`") })
    });
    found.collect()
}

fn check_archive(
    objects: &Folder<'_>,
    names: &ForeignNames,
    key: &str,
    archive: &Archive,
    owners: &BTreeSet<&str>,
) -> Result<(), Finding> {
    // What one tenant alone has may name that tenant: an overlay is rendered for it.
    let owner = match owners.len() {
        1 => owners.first().copied(),
        _ => None,
    };
    for (path, bytes) in verify::archive(objects, key, archive)? {
        if let Some(name) = names.find(&bytes, owner).or_else(|| names.find(path.as_str().as_bytes(), owner)) {
            return Err(Finding { key: key.into(), problem: format!("`{path}` in it names a tenant: `{name}`") });
        }
    }
    Ok(())
}

/// A published folder, by its keys.
pub struct Folder<'a> {
    root: &'a Path,
}

impl<'a> Folder<'a> {
    /// The folder with this path.
    pub fn new(root: &'a Path) -> Folder<'a> {
        Folder { root }
    }

    /// Every public file: all but `state/`, which no store ever shows.
    fn list(&self) -> Result<BTreeSet<String>, VerifyError> {
        let mut listed = BTreeSet::new();
        let walk = WalkDir::new(self.root).into_iter().filter_entry(|it| it.depth() != 1 || it.file_name() != "state");
        for entry in walk {
            let entry = entry.map_err(|error| VerifyError::Io {
                path: error.path().unwrap_or(self.root).to_owned(),
                source: error.into_io_error().unwrap_or_else(|| io::Error::other("a loop of links")),
            })?;
            if entry.file_type().is_dir() {
                continue;
            }
            let key = entry.path().strip_prefix(self.root).expect("the walk began there").to_string_lossy();
            listed.insert(key.replace(std::path::MAIN_SEPARATOR, "/"));
        }
        Ok(listed)
    }
}

impl Objects for Folder<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let path = self.root.join(key);
        match fs::symlink_metadata(&path) {
            Ok(facts) if !facts.is_file() => Err("it is no regular file".into()),
            Ok(facts) if facts.len() > MAX_OBJECT => Err("it is larger than any object".into()),
            Ok(_) => fs::read(&path).map(Some).map_err(|error| error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}
