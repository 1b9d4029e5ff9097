//! A project with keys of its own and its `out/`, driven through the real binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use walkdir::WalkDir;

/// A project, its keys and what it publishes, in a folder that goes when the value does.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    /// An empty project with fresh keys.
    pub(crate) fn new() -> Site {
        let site = Site { folder: tempfile::tempdir().expect("a folder for the test") };
        fs::create_dir(site.project()).expect("the folder is new");
        site.tenantry(&["keys", "init"]);
        site
    }

    /// The example project of this repository, with fresh keys.
    pub(crate) fn example() -> Site {
        let site = Site::new();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["tenantry.yaml", "catalog", "tenants"] {
            copy(&repository.join(part), &site.project().join(part));
        }
        site
    }

    /// Where its documents are.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// What it publishes.
    pub(crate) fn out(&self) -> PathBuf {
        self.project().join("out")
    }

    /// The root that its shells are built with.
    pub(crate) fn first_root(&self) -> PathBuf {
        self.project().join("keys/root/1.root.json")
    }

    /// Writes a document, and the folders on the way to it.
    pub(crate) fn write(&self, document: &str, text: &str) {
        let path = self.project().join(document);
        fs::create_dir_all(path.parent().expect("a document stands in a folder")).expect("the project is writable");
        fs::write(path, text).expect("the project is writable");
    }

    /// Replaces some text of a document; it must be there.
    pub(crate) fn edit(&self, document: &str, from: &str, to: &str) {
        let path = self.project().join(document);
        let text = fs::read_to_string(&path).expect("the document is there");
        assert!(text.contains(from), "`{document}` says `{from}`");
        fs::write(&path, text.replace(from, to)).expect("the project is writable");
    }

    /// Runs the binary on the project and returns what it says; the test ends here if it fails.
    pub(crate) fn tenantry(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
            // The clock decides here, as it does for the clients, and the keys are the project's own.
            .env_clear()
            .args(arguments)
            .arg("--project")
            .arg(self.project())
            .output()
            .expect("the binary was built with this test");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tenantry {arguments:?}: {}\n{stdout}{stderr}", output.status);
        stdout
    }
}

/// Copies a file or a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in WalkDir::new(from) {
        let entry = entry.expect("the source is readable");
        let below = entry.path().strip_prefix(from).expect("a walk stays below its start");
        let to = if below.as_os_str().is_empty() { to.to_owned() } else { to.join(below) };
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(to).expect("the copy is writable"),
            false => drop(fs::copy(entry.path(), to).expect("the copy is writable")),
        }
    }
}
