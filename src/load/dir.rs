//! The working directory as a tree of files.
#![expect(clippy::disallowed_methods, reason = "this file reads the working directory")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use walkdir::WalkDir;

use super::{Content, LoadError, MAX_FILES, SourceTree, TreeFile, is_input};
use crate::path::RepoPath;

/// Reads `tenantry.yaml`, `tenants/` and `catalog/` below a folder. Links are noted, never followed.
pub fn read(root: &Path, threads: usize) -> Result<SourceTree, LoadError> {
    let mut found: Vec<(RepoPath, PathBuf, bool)> = Vec::new();
    let project = root.join("tenantry.yaml");
    if let Ok(facts) = fs::symlink_metadata(&project) {
        found.push((RepoPath::parse("tenantry.yaml").expect("a plain name"), project, facts.is_file()));
    }
    for folder in ["catalog", "tenants"] {
        let top = root.join(folder);
        // A link is not followed here either; a commit would not hold what it points to.
        if !fs::symlink_metadata(&top).is_ok_and(|it| it.is_dir()) {
            continue;
        }
        // Hidden entries are editors' and version control's, not ours.
        let walk =
            WalkDir::new(&top).into_iter().filter_entry(|it| !it.file_name().as_encoded_bytes().starts_with(b"."));
        for entry in walk {
            let entry = entry.map_err(|error| LoadError::Read {
                path: error.path().unwrap_or(&top).to_owned(),
                source: error.into_io_error().unwrap_or_else(|| io::Error::other("a loop of links")),
            })?;
            if entry.file_type().is_dir() {
                continue;
            }
            let name = entry.path().strip_prefix(root).expect("the walk began below the root");
            let path = name.to_str().and_then(|it| RepoPath::parse(&it.replace(std::path::MAIN_SEPARATOR, "/")).ok());
            let Some(path) = path else { return Err(LoadError::Name { path: entry.into_path() }) };
            found.push((path, entry.path().to_owned(), entry.file_type().is_file()));
            if found.len() > MAX_FILES {
                return Err(LoadError::TooMany);
            }
        }
    }
    debug_assert!(found.iter().all(|(path, ..)| is_input(path.as_str())), "the walk stays where inputs are");
    found.sort();
    Ok(SourceTree { commit: None, files: read_all(&found, threads)? })
}

/// Reads `tenantry.yaml` alone, for whoever needs only the project's own settings.
pub fn project_file(root: &Path) -> Result<SourceTree, LoadError> {
    let path = root.join("tenantry.yaml");
    let files = match fs::symlink_metadata(&path) {
        Ok(facts) => vec![(RepoPath::parse("tenantry.yaml").expect("a plain name"), path, facts.is_file())],
        Err(_) => Vec::new(),
    };
    Ok(SourceTree { commit: None, files: read_all(&files, 1)? })
}

/// Reads files on threads of their own: the disk must never hold up the workers that compute.
fn read_all(found: &[(RepoPath, PathBuf, bool)], threads: usize) -> Result<Vec<TreeFile>, LoadError> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Vec<(usize, TreeFile)>, LoadError> {
        let mut files = Vec::with_capacity(found.len() / threads.max(1) + 1);
        loop {
            let begin = next.fetch_add(64, Ordering::Relaxed);
            if begin >= found.len() {
                return Ok(files);
            }
            for (at, (path, disk, regular)) in found.iter().enumerate().skip(begin).take(64) {
                let content = match regular {
                    true => match fs::read(disk) {
                        Ok(bytes) => Content::Bytes(bytes.into()),
                        Err(source) => return Err(LoadError::Read { path: disk.clone(), source }),
                    },
                    false => Content::NotAFile,
                };
                files.push((at, TreeFile { path: path.clone(), content }));
            }
        }
    };
    let parts: Vec<Result<Vec<(usize, TreeFile)>, LoadError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|it| it.join().expect("a reader never panics")).collect()
    });
    let mut files: Vec<(usize, TreeFile)> = Vec::with_capacity(found.len());
    for part in parts {
        files.extend(part?);
    }
    files.sort_unstable_by_key(|(at, _)| *at);
    Ok(files.into_iter().map(|(_, file)| file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_name_that_other_systems_cannot_store_is_refused_and_named() {
        for name in ["a\\b.yaml", "new\nline.yaml"] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            fs::create_dir(folder.path().join("tenants")).expect("makes a folder");
            fs::write(folder.path().join("tenants").join(name), "").expect("writes");
            let error = read(folder.path(), 1).expect_err("no good name");
            assert!(matches!(&error, LoadError::Name { path } if path.ends_with(name)), "{error}");
        }
    }
}
