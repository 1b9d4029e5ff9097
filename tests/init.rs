//! `tenantry init` writes a project that compiles.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/listing.rs"]
mod listing;

use std::collections::BTreeMap;

use crate::binary::{Ran, tenantry};
use crate::listing::files;

#[test]
fn a_new_project_passes_every_command_without_a_complaint() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let made = tenantry(parent.path(), &["init", "somewhere/new"]);
    assert_eq!((made.code, &*made.stderr), (0, ""));
    let project = parent.path().join("somewhere/new");
    let Ran { code, stdout, stderr } = tenantry(&project, &["check", "--format", "short"]);
    assert_eq!((code, &*stdout), (0, ""), "no diagnostics");
    assert!(stderr.starts_with("checked 3 tenants, 2 mini-programs, 5 entitlements in "), "{stderr}");
    assert_eq!(tenantry(&project, &["schema", "--check"]).code, 0);
    let compiled = tenantry(&project, &["compile"]);
    assert_eq!(compiled.code, 0, "{}", compiled.stderr);
    assert!(!compiled.stderr.contains('['), "no diagnostics: {}", compiled.stderr);
    let verified = tenantry(&project, &["verify", "out"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    assert!(verified.stdout.starts_with("verified from the project's own root: 3 tenants, 5 entitlements"));
    // What the README promises.
    let explained = tenantry(&project, &["explain", "cedar", "com.example.checklist"]);
    assert_eq!(
        explained.stdout,
        "com.example.checklist is out: profile `strict-privacy` denies permission `clipboard.write` \
         (catalog/compliance/strict-privacy.yaml:12); plan `complete` contains it (catalog/plans/complete.yaml:12)\n"
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test writes a file to be spared")]
fn a_folder_with_files_is_left_as_it_is() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(parent.path().join("thesis.txt"), "years of work").expect("writes");
    for name in [".", "thesis.txt"] {
        let refused = tenantry(parent.path(), &["init", name]);
        let said = format!("error: `{name}` is not an empty folder\nhelp: name a new folder; nothing was written\n");
        assert_eq!((refused.code, refused.stdout, refused.stderr), (2, String::new(), said));
    }
    let before = BTreeMap::from([("thesis.txt".to_owned(), b"years of work".to_vec())]);
    assert_eq!(files(parent.path()), before);
}
