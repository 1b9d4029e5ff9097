//! What we sign is canonical JSON as two other implementations write it, byte for byte.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use walkdir::WalkDir;

use crate::clients;
use crate::parts;
use crate::site::Site;

#[test]
fn securesystemslib_writes_the_same_bytes() {
    agrees_on_every_file(parts::python("canonical.py"));
}

#[test]
fn olpc_cjson_writes_the_same_bytes() {
    agrees_on_every_file(clients::tough_program("cjson"));
}

/// `judge` prints how many files it found canonical, and fails at the first that is not.
fn agrees_on_every_file(judge: Option<Command>) {
    let Some(mut judge) = judge else { return };
    let site = Site::example();
    site.tenantry(&["compile"]);
    let files = metadata(&site);
    let output = judge.args(&files).output().expect("the judge is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), files.len().to_string(), "{stderr}");

    // The same document with one blank more is no longer what was signed.
    let spoilt = site.project().join("spoilt.json");
    let text = fs::read_to_string(&files[0]).expect("metadata is text");
    fs::write(&spoilt, text.replacen(':', ": ", 1)).expect("the project is writable");
    let output = judge.arg(spoilt).output().expect("the judge is installed");
    assert!(!output.status.success(), "a blank was not seen");
}

/// Every root, and every tenant's three files.
fn metadata(site: &Site) -> Vec<PathBuf> {
    let folders = [site.out().join("root"), site.out().join("t")];
    let entries = folders.iter().flat_map(WalkDir::new).map(|it| it.expect("what was published is readable"));
    let files: Vec<PathBuf> = entries.filter(|it| it.file_type().is_file()).map(|it| it.into_path()).collect();
    assert!(files.len() > 3, "{files:?}");
    files
}
