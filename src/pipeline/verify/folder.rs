//! A whole folder, checked as a stranger would.
#![expect(clippy::disallowed_methods, reason = "this file reads a published folder")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use walkdir::WalkDir;

use super::{Examination, Hands, Report, VerifyError, strange_roots};
use crate::time::Timestamp;
use crate::verify::{Finding, Objects};

/// Largest object that is read.
const MAX_OBJECT: u64 = 1 << 30;

/// Checks every public file below a folder, trusting nothing but these bytes of a root.
pub fn folder(root: &Path, trusted_root: &[u8], now: Timestamp) -> Result<Report, VerifyError> {
    let objects = Folder { root };
    let listed = objects.list()?;
    let addresses: BTreeSet<&str> = listed.iter().filter_map(|key| key.strip_prefix("t/")?.split('/').next()).collect();
    let addresses: Vec<String> = addresses.into_iter().map(str::to_owned).collect();
    let examination = Examination { objects: &objects, hands: Hands::Pool, now };
    let mut examined = examination.tenants(trusted_root, &addresses)?;
    examined.findings.extend(strange_roots(&listed, examined.root.version));
    examined.findings.extend(examination.archives(&examined));
    if examined.findings.is_empty() {
        let reached = examined.reached();
        let strays = listed.iter().filter(|key| !reached.contains(key.as_str()) && !key.starts_with("root/"));
        let strays: Vec<Finding> =
            strays.map(|key| Finding { key: key.clone(), problem: "nothing refers to it".into() }).collect();
        examined.findings = strays;
    }
    Ok(examined.report(listed.len()))
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
