//! Whether the inputs of a compile have changed.
#![expect(clippy::disallowed_methods, reason = "this file looks at the working directory")]

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use walkdir::WalkDir;

use crate::digest::{Blake3, Fingerprint};

/// What a compile reads, from the project's folder.
const INPUTS: [&str; 3] = ["tenantry.yaml", "tenants", "catalog"];

/// Whether there is anything to watch.
pub fn has_inputs(project: &Path) -> bool {
    INPUTS.iter().any(|it| project.join(it).exists())
}

/// A digest of the names, sizes and dates of all inputs: another one where something has changed. Opens no file.
pub fn fingerprint(project: &Path) -> Blake3 {
    let mut fingerprint = Fingerprint::new("inputs of a compile, as seen from outside");
    for input in INPUTS {
        // What goes while we look is not there; hidden entries are editors' and version control's, as for the loader.
        let walk = WalkDir::new(project.join(input)).sort_by_file_name().into_iter();
        let shown = walk.filter_entry(|it| it.depth() == 0 || !it.file_name().as_encoded_bytes().starts_with(b"."));
        for entry in shown.flatten() {
            fingerprint.part(entry.path().as_os_str().as_encoded_bytes());
            // A folder's own date says only that a name came or went, which is seen by the names; links are not followed.
            if entry.file_type().is_file()
                && let Ok(facts) = fs::metadata(entry.path())
            {
                let since = facts.modified().ok().and_then(|it| it.duration_since(UNIX_EPOCH).ok());
                let modified = since.unwrap_or_default().as_nanos();
                fingerprint.part(&facts.len().to_le_bytes()).part(&modified.to_le_bytes());
            }
        }
    }
    fingerprint.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_an_input_is_seen_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a file has a folder")).expect("makes a folder");
            fs::write(path, text).expect("writes");
        };
        assert!(!has_inputs(folder.path()));
        let empty = fingerprint(folder.path());
        write("tenants/a.yaml", "a");
        assert!(has_inputs(folder.path()));
        let one = fingerprint(folder.path());
        assert_ne!(empty, one);
        for idle in ["notes.txt", "out/o/x", "tenants/.a.yaml.swp", ".git/index"] {
            write(idle, "text");
            assert_eq!(fingerprint(folder.path()), one, "{idle}");
        }
        write("tenants/a.yaml", "ab");
        let longer = fingerprint(folder.path());
        assert_ne!(one, longer);
        write("catalog/plans/p.yaml", "");
        assert_ne!(fingerprint(folder.path()), longer);
        fs::remove_file(folder.path().join("catalog/plans/p.yaml")).expect("removes");
        fs::rename(folder.path().join("tenants/a.yaml"), folder.path().join("tenants/b.yaml")).expect("renames");
        assert_ne!(fingerprint(folder.path()), longer, "another name");
    }
}
