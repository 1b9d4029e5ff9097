//! What authors have while they write: schemas in their editors, new files, one layout, completion in their shells.
#![expect(clippy::disallowed_methods, reason = "tests write projects and run editors' and shells' own programs")]

#[path = "../support/binary.rs"]
mod binary;
mod completion;
mod fmt;
mod language_server;
mod man;
mod new;
#[path = "../support/parts.rs"]
#[expect(dead_code, reason = "no Python here")]
mod parts;

use std::path::{Path, PathBuf};

use crate::binary::tenantry;

/// A new project, made by `tenantry init`, in a folder that is gone when dropped.
struct Project {
    _parent: tempfile::TempDir,
    folder: PathBuf,
}

impl Project {
    fn new() -> Project {
        let parent = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(tenantry(parent.path(), &["init", "project"]).code, 0);
        let folder = parent.path().join("project");
        Project { _parent: parent, folder }
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes a folder");
        std::fs::write(path, text).expect("writes");
    }
}

/// The example project in this repository.
fn example() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a project that hold documents.
fn documents(folder: &Path) -> Vec<String> {
    let tree = tenantry::load::dir::read(folder, 1).expect("a project");
    let is_document = |path: &str| {
        let in_package = path.starts_with("catalog/programs/") && !path.ends_with("/program.yaml");
        path.ends_with(".yaml") && !in_package
    };
    tree.files.iter().map(|it| it.path.as_str().to_owned()).filter(|it| is_document(it)).collect()
}
