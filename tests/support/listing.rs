//! What stands in a folder.
#![expect(clippy::disallowed_methods, reason = "a test looks at what is there")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file below a folder with its bytes; empty when the folder is not there.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    if let Ok(entries) = fs::read_dir(folder) {
        for entry in entries {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            match path.is_dir() {
                true => found.extend(files(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes))),
                false => {
                    found.insert(name, fs::read(&path).expect("a file can be read"));
                }
            }
        }
    }
    found
}
