//! Keys that must not, or cannot, sign.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::small::{NOW, Small};

/// The file of a key, by the beginning of its name.
fn key_file(project: &Small, beginning: &str) -> String {
    let entries = fs::read_dir(project.path("keys")).expect("the keys");
    let mut names = entries.map(|it| it.expect("an entry").file_name().into_string().expect("UTF-8"));
    names.find(|name| name.starts_with(beginning)).expect("a key of the role")
}

#[test]
fn a_key_that_others_could_have_read_signs_nothing() {
    let project = Small::published();
    project.write("tenants/acme.yaml", crate::small::tenant("acme").replace("t-acme", "t-other"));
    let name = key_file(&project, "entitlement-");
    fs::set_permissions(project.path(&format!("keys/{name}")), fs::Permissions::from_mode(0o644)).expect("opens");
    assert_eq!(
        project.refused(6),
        format!(
            "error: key file `./keys/{name}` is open to others (mode 0644)\n\
             help: run `chmod 600 ./keys/{name}`, and replace the key if others may have read it\n"
        )
    );
}

#[test]
fn an_expired_root_signs_nothing() {
    let project = Small::new();
    fs::remove_dir_all(project.path("keys")).expect("removes");
    // Two years before.
    project.keys("keys", "1732320000");
    assert_eq!(
        project.refused(6),
        "error: root 1 expired on 2025-11-23T00:00:00Z: no shell accepts what it vouches for\n\
         help: bring the root keys and run `tenantry keys rotate root --renew`\n"
    );
}

#[test]
fn keys_that_were_named_and_are_not_there_are_not_made_up() {
    let project = Small::published();
    assert_eq!(
        project.refuses(project.command(&["compile", "--at", NOW, "--keys", "elsewhere"]), 3),
        "error: there is no root below `elsewhere`\nhelp: make keys with `tenantry keys init`\n"
    );
}

#[test]
fn a_key_that_is_not_at_hand_is_asked_for() {
    let project = Small::published();
    fs::remove_file(project.path(&format!("keys/{}", key_file(&project, "freshness-")))).expect("removes");
    assert_eq!(
        project.refused(3),
        "error: no freshness key of root 1 is at hand\n\
         help: put `freshness-*.pem` under `keys/`, or set `TENANTRY_FRESHNESS_KEY`\n"
    );
}

#[test]
fn a_variable_that_holds_no_key_is_named_and_its_content_is_not_shown() {
    let project = Small::published();
    let mut command = project.command(&["compile", "--at", NOW]);
    command.env("TENANTRY_ENTITLEMENT_KEY", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
    assert_eq!(
        project.refuses(command, 3),
        "error: `TENANTRY_ENTITLEMENT_KEY` does not hold an Ed25519 private key in PKCS#8 PEM\n"
    );
}

#[test]
fn keys_inside_the_folder_that_is_published_are_refused_however_it_is_written() {
    let project = Small::new();
    project.keys("site/keys", "1795392000");
    let site = project.path("site");
    for out in ["site", "./site", "catalog/../site", "site/keys", site.to_str().expect("UTF-8")] {
        assert_eq!(
            project.refuses(project.command(&["compile", "--at", NOW, "--keys", "site/keys", "--out", out]), 2),
            "error: the keys lie inside the output folder, which is made to be published\n\
             help: name another folder with `--keys`\n"
        );
    }
}
