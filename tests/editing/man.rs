//! Manual pages, for those who package the program.

use std::collections::BTreeSet;
use std::process::Command;

use crate::binary::{ran, tenantry};
use crate::parts::present_or_demanded;

#[test]
fn every_command_has_a_page_that_groff_reads_without_a_warning() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = tenantry(folder.path(), &["man", "share/man1"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let pages: BTreeSet<String> = std::fs::read_dir(folder.path().join("share/man1"))
        .expect("a folder")
        .map(|it| it.expect("an entry").file_name().into_string().expect("a plain name"))
        .collect();
    let help = tenantry(folder.path(), &["help"]).stdout;
    let commands = help.split("\nCommands:\n").nth(1).and_then(|it| it.split("\n\n").next()).expect("commands");
    for command in commands.lines().filter_map(|it| it.split_whitespace().next()).filter(|it| *it != "help") {
        let page = format!("tenantry-{command}.1");
        assert!(
            !commands.contains(&format!("\n  {command} ")) || pages.contains(&page),
            "{page} is missing: {pages:?}"
        );
    }
    for page in ["tenantry.1", "tenantry-check.1", "tenantry-keys-init.1", "tenantry-new-tenant.1"] {
        assert!(pages.contains(page), "{page}: {pages:?}");
    }
    let read = |page: &str| std::fs::read_to_string(folder.path().join("share/man1").join(page)).expect("a page");
    let page = read("tenantry-keys-init.1");
    assert!(page.contains("tenantry\\-keys\\-init \\- Make keys and the first root"), "{page}");
    assert!(page.contains("\\fBtenantry keys init\\fR"), "{page}");
    let groff = Command::new("groff").arg("--version").output();
    if !present_or_demanded("groff", groff.is_ok_and(|it| it.status.success())) {
        return;
    }
    for page in &pages {
        let mut groff = Command::new("groff");
        groff.args(["-man", "-Tutf8", "-ww", "-z"]).arg(folder.path().join("share/man1").join(page));
        let said = ran(&mut groff);
        assert_eq!((said.code, &*said.stderr), (0, ""), "{page}");
    }
}
