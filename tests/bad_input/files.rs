//! Files of the project.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::binary::{clean, ran};
use crate::listing::files;
use crate::small::{NOW, Small, is_root, tenant};

#[test]
fn an_empty_catalogue_stops_before_everything_is_taken_from_everybody() {
    let project = Small::published();
    fs::remove_dir_all(project.path("catalog")).expect("removes");
    fs::create_dir(project.path("catalog")).expect("makes");
    for tenant in ["acme", "beta"] {
        fs::remove_file(project.path(&format!("tenants/{tenant}.yaml"))).expect("removes");
    }
    assert_eq!(
        project.refused(6),
        "error: the catalogue is empty: there is no mini-program below `catalog/`\n\
         help: run it in the project's folder, or name that with `--project`; `tenantry init` makes a new project\n"
    );
    project.verifies("out");
}

#[test]
fn no_tenants_stop_before_everybody_is_forgotten() {
    let project = Small::published();
    fs::remove_dir_all(project.path("tenants")).expect("removes");
    assert_eq!(
        project.refused(6),
        "error: there is no tenant below `tenants/`\n\
         help: run it in the project's folder, or name that with `--project`; to end a tenant keep its file and set `status: inactive`\n"
    );
    project.verifies("out");
}

#[test]
fn a_folder_that_is_no_project_is_left_without_a_trace() {
    let project = Small::new();
    for folder in ["catalog", "tenants"] {
        fs::remove_dir_all(project.path(folder)).expect("removes");
    }
    project.refused(6);
}

#[test]
fn a_file_that_may_not_be_read_fails_the_run_and_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Small::new();
    let path = project.path("tenants/beta.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("closes the file");
    let mut command = project.command(&["check"]);
    if is_root(&path) {
        // Nothing is closed to root, so somebody else has to look.
        fs::set_permissions(project.path(""), fs::Permissions::from_mode(0o755)).expect("opens the folder");
        command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command.args([env!("CARGO_BIN_EXE_tenantry"), "check"]).current_dir(project.path(""));
        clean(&mut command);
    }
    let said = ran(&mut command);
    assert_eq!(
        (said.code, said.stdout, said.stderr),
        (3, String::new(), "error: cannot read `./tenants/beta.yaml`: Permission denied (os error 13)\n".to_owned())
    );
}

#[test]
fn a_symbolic_link_or_a_pipe_is_pointed_at_and_never_followed() {
    let project = Small::new();
    std::os::unix::fs::symlink("nowhere.yaml", project.path("tenants/link.yaml")).expect("links");
    let made = Command::new("mkfifo").arg(project.path("tenants/pipe.yaml")).status().expect("mkfifo is there");
    assert!(made.success());
    let command = project.command(&["compile", "--at", NOW, "--format", "short"]);
    // The pipe is not read afterwards either: it would wait for ever.
    let said = ran(&mut { command });
    assert_eq!(
        (said.code, said.stderr),
        (
            1,
            ["tenants/link.yaml", "tenants/pipe.yaml"]
                .map(|path| {
                    format!(
                        "{path}:1:1: error[symlink]: `{path}` is not a file: symbolic links, submodules, pipes and the like are \
                         never followed (put the file itself here, or take this out of `tenants/` and `catalog/`)\n"
                    )
                })
                .concat()
                + "2 errors in 2 files\n"
        )
    );
    assert!(!project.path("out").exists());
}

#[test]
fn a_file_that_is_not_utf8_is_refused_with_the_number_of_its_first_wrong_byte() {
    let project = Small::published();
    project.write(
        "tenants/beta.yaml",
        b"apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: { name: beta, title: M\xfcller }\n",
    );
    assert_eq!(
        project.refused(1),
        "tenants/beta.yaml:1:1: error[not-utf8]: byte 73 of the file is not UTF-8 (save the file as UTF-8)\n1 error in 1 file\n"
    );
    project.verifies("out");
}

#[test]
fn a_hundred_megabytes_are_refused_at_once() {
    let project = Small::published();
    project.write("tenants/beta.yaml", "a: b\n".repeat(20_000_000));
    let began = Instant::now();
    let said = project.refused(1);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(
        said,
        "tenants/beta.yaml:1:1: error[file-too-large]: the file has 100000000 bytes; 262144 are allowed (split the file)\n\
         1 error in 1 file\n"
    );
}

#[test]
fn a_hundred_thousand_brackets_are_refused_at_the_limit() {
    let project = Small::published();
    project.write("tenants/beta.yaml", "[".repeat(100_000));
    assert_eq!(
        project.refused(1),
        "tenants/beta.yaml:1:256: error[yaml-limit]: lists and mappings are nested more than 32 deep\n1 error in 1 file\n"
    );
}

#[test]
fn an_alias_bomb_is_refused_unexpanded() {
    let project = Small::published();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let reference = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [&*reference; 10].join(", "));
    }
    project.write("tenants/beta.yaml", bomb);
    let said = project.refused(1);
    let first = "tenants/beta.yaml:1:5: error[yaml-feature]: the anchor `&a0` is not allowed \
                 (delete it; quote the text if it begins with `&`)\n";
    assert!(said.starts_with(first), "{said}");
    assert_eq!(said.lines().count(), 51, "one file has fifty complaints at most, and a line that counts them");
}

#[test]
fn the_same_key_twice_is_refused_where_it_stands_again() {
    let project = Small::published();
    project.write("tenants/beta.yaml", tenant("beta").replace("plan: pro", "plan: pro, plan: starter"));
    assert_eq!(
        project.refused(1),
        "tenants/beta.yaml:4:39: error[duplicate-key]: the key `plan` stands twice in this mapping (keep one of them)\n\
         1 error in 1 file\n"
    );
}

#[test]
fn a_template_without_end_is_stopped_and_named_with_the_tenant() {
    let project = Small::published();
    project.program("  templates: [{ src: endless.j2, path: config.json }]\n");
    project.write(
        "catalog/programs/chat/endless.j2",
        "{% for a in range(10000) %}{% for b in range(10000) %}{% for c in range(10000) %}\
         {% endfor %}{% endfor %}{% endfor %}",
    );
    let of = |tenant| {
        format!(
            "catalog/programs/chat/program.yaml:12:22: error[render-failed]: template `catalog/programs/chat/endless.j2`, line 1 \
             fails for tenant `{tenant}`: it takes more than 1000000 steps (look for a loop that does not end)\n"
        )
    };
    assert_eq!(project.refused(1), of("acme") + &of("beta") + "2 errors in 1 file\n");
    project.verifies("out");
}

#[test]
fn a_template_that_writes_too_much_is_stopped_and_named_with_the_tenant() {
    let project = Small::published();
    project.program("  templates: [{ src: verbose.j2, path: config.json }]\n");
    let line = "x".repeat(500);
    project.write("catalog/programs/chat/verbose.j2", format!("{{% for a in range(9000) %}}{line}{{% endfor %}}"));
    let of = |tenant| {
        format!(
            "catalog/programs/chat/program.yaml:12:22: error[render-failed]: template `catalog/programs/chat/verbose.j2` \
             fails for tenant `{tenant}`: it writes more than 1048576 bytes (templates are the catalogue's: mend it there)\n"
        )
    };
    assert_eq!(project.refused(1), of("acme") + &of("beta") + "2 errors in 1 file\n");
    project.verifies("out");
}

#[test]
fn a_tenant_whose_file_is_gone_leaves_the_output_with_a_warning() {
    let project = Small::published();
    let before = files(&project.path("out/t"));
    fs::remove_file(project.path("tenants/beta.yaml")).expect("removes");
    let compiled = project.run(&["compile", "--at", NOW]);
    assert_eq!(
        (compiled.code, compiled.stderr),
        (
            0,
            "warning: 1 tenant is no longer in the project, such as `beta`: devices keep what they have until its \
             metadata expires.\n         To take it away at once keep the tenant's file and set `status: inactive`.\n"
                .to_owned()
        )
    );
    let after = files(&project.path("out/t"));
    assert_eq!((before.len(), after.len()), (6, 3));
    assert_eq!(fs::read_dir(project.path("out/t")).expect("lists").count(), 1, "no empty folder either");
    project.verifies("out");
}
