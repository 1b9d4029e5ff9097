//! A repository that python-tuf has made, with keys of every kind that the standard names.

use std::fs;

use crate::parts;
use crate::site::{Ended, Site, versions};

/// The repository, if python-tuf is there.
fn made_by_python_tuf() -> Option<Site> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = parts::python("repository.py")?.arg(folder.path()).output().expect("python starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let site = Site::with(|it| {
        it.files.clear();
        for below in ["metadata", "targets"] {
            for entry in fs::read_dir(folder.path().join(below)).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = format!("{below}/{}", path.file_name().expect("a name").to_str().expect("UTF-8"));
                it.files.insert(name, fs::read(&path).expect("a file"));
            }
        }
    });
    Some(site)
}

const FILES: [&str; 4] = ["top.txt", "bin-file-1", "bin-file-8", "old-style.txt"];

#[test]
fn a_repository_of_another_making_is_followed() {
    let Some(site) = made_by_python_tuf() else { return };
    assert_eq!(site.download(&FILES), Ended::Well);
    assert_eq!(site.kept("targets").len(), FILES.len());
    let trusted = site.trusted();
    for role in versions([("root", 2), ("snapshot", 1), ("targets", 1), ("timestamp", 1), ("old-style", 1)]) {
        assert!(trusted.contains(&role), "{role:?} in {trusted:?}");
    }
}

#[test]
fn every_file_of_a_repository_of_another_making_counts() {
    let Some(site) = made_by_python_tuf() else { return };
    assert_eq!(site.download(&FILES), Ended::Well);
    let read: Vec<String> = site.take_requests().into_iter().filter(|it| it != "3.root.json").collect();
    assert_eq!(read.len(), 4 + 4 + 4, "top roles, delegated ones, files: {read:?}");
    let served = site.shared().repository.files.clone();
    for name in read {
        let path = if name.starts_with("targets/") { name } else { format!("metadata/{name}") };
        let mut other = served[&path].clone();
        let last = other.len() - 10;
        other[last] ^= 1;
        fs::remove_dir_all(site.path("metadata")).expect("there was metadata");
        fs::remove_dir_all(site.path("targets")).expect("there were targets");
        site.init(&served["metadata/1.root.json"]);
        site.shared().repository.files.insert(path.clone(), other);
        assert_eq!(site.download(&FILES), Ended::Badly, "{path}");
        site.take_requests();
        site.shared().repository.files.insert(path.clone(), served[&path].clone());
        assert_eq!(site.download(&FILES), Ended::Well, "{path} is mended");
        site.take_requests();
    }
}
