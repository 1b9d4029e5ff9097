//! `tenantry fmt` on files: what is written, and what is left alone.

use std::io::Write as _;
use std::process::Stdio;

use crate::binary::{command, ran, tenantry};
use crate::{Project, example};

const UNTIDY: &str = "# yaml-language-server: $schema=../schemas/tenant.schema.json
kind: Tenant
apiVersion: tenantry.dev/v1
metadata:
    title: Zürich 東京 # both
    name: zurich
spec:
    # Sold in March.
    plan: basic

    tenant_id: 't_4k2qn8vx'
    ext:
        com.example.welcome:
            greeting: |
                Grüezi # no comment

                  mitenand
";

const TIDY: &str = "# yaml-language-server: $schema=../schemas/tenant.schema.json
apiVersion: tenantry.dev/v1
kind: Tenant
metadata:
  name: zurich
  title: Zürich 東京 # both
spec:
  tenant_id: 't_4k2qn8vx'
  # Sold in March.
  plan: basic
  ext:
    com.example.welcome:
      greeting: |
        Grüezi # no comment

          mitenand
";

#[test]
fn the_example_project_and_a_new_one_are_laid_out_as_they_must_be() {
    let project = Project::new();
    for folder in [example(), &project.folder] {
        let checked = tenantry(folder, &["fmt", "--check"]);
        assert_eq!((checked.code, &*checked.stdout, &*checked.stderr), (0, "", ""));
    }
}

#[test]
fn files_that_are_not_are_named_and_then_laid_out() {
    let project = Project::new();
    project.write("tenants/zurich.yaml", UNTIDY);
    let checked = tenantry(&project.folder, &["fmt", "--check"]);
    assert_eq!((checked.code, &*checked.stdout), (1, "tenants/zurich.yaml\n"));
    assert!(checked.stderr.contains("help: run `tenantry fmt`"), "{}", checked.stderr);
    assert_eq!(project.read("tenants/zurich.yaml"), UNTIDY, "`--check` writes nothing");
    let before = tenantry(&project.folder, &["explain", "zurich", "--format", "json", "--at", "2026-11-23"]).stdout;
    let laid_out = tenantry(&project.folder, &["fmt"]);
    assert_eq!((laid_out.code, &*laid_out.stdout), (0, "tenants/zurich.yaml\n"));
    assert_eq!(project.read("tenants/zurich.yaml"), TIDY);
    let lines = |text: &str| {
        text.split(".yaml:").map(|it| it.trim_start_matches(char::is_numeric).to_owned()).collect::<Vec<_>>()
    };
    let after = tenantry(&project.folder, &["explain", "zurich", "--format", "json", "--at", "2026-11-23"]).stdout;
    assert_eq!(lines(&after), lines(&before), "only line numbers may differ");
    let again = tenantry(&project.folder, &["fmt"]);
    assert_eq!((again.code, &*again.stdout), (0, ""));
    let left: Vec<_> = std::fs::read_dir(project.folder.join("tenants")).expect("a folder").collect();
    assert_eq!(left.len(), 4, "no other files: {left:?}");
}

#[test]
fn one_file_that_cannot_be_read_leaves_all_as_they_are() {
    let project = Project::new();
    project.write("tenants/zurich.yaml", UNTIDY);
    project.write("tenants/broken.yaml", "kind: Tenant\nspec: {\n");
    let refused = tenantry(&project.folder, &["fmt", "tenants/zurich.yaml", "./tenants/broken.yaml"]);
    assert_eq!((refused.code, &*refused.stdout), (1, ""));
    assert!(refused.stderr.contains("tenants/broken.yaml:"), "{}", refused.stderr);
    assert_eq!(project.read("tenants/zurich.yaml"), UNTIDY);
    let missing = tenantry(&project.folder, &["fmt", "tenants/nobody.yaml"]);
    assert_eq!(missing.code, 2);
    assert_eq!(project.read("tenants/zurich.yaml"), UNTIDY);
}

#[test]
fn files_of_packages_are_nobodys_business() {
    let project = Project::new();
    let path = "catalog/programs/com.example.welcome/1.0.0/app/settings.yaml";
    project.write(path, "b:   1\na: {\n");
    assert_eq!(tenantry(&project.folder, &["fmt", "--check"]).code, 0);
}

#[test]
fn an_editor_gets_the_text_back_that_it_gave() {
    let project = Project::new();
    let mut through = command(&project.folder);
    through.args(["fmt", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = through.spawn().expect("it starts");
    running.stdin.take().expect("a pipe").write_all(UNTIDY.as_bytes()).expect("it listens");
    let output = running.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8(output.stdout).expect("UTF-8"), TIDY);
}

#[cfg(unix)]
#[test]
fn rights_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let project = Project::new();
    project.write("elsewhere/zurich.yaml", UNTIDY);
    let target = project.folder.join("elsewhere/zurich.yaml");
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).expect("sets");
    symlink("../elsewhere/zurich.yaml", project.folder.join("tenants/zurich.yaml")).expect("links");
    let laid_out = ran(command(&project.folder).args(["fmt", "tenants/zurich.yaml"]));
    assert_eq!(laid_out.code, 0, "{}", laid_out.stderr);
    assert!(project.folder.join("tenants/zurich.yaml").is_symlink());
    assert_eq!(project.read("elsewhere/zurich.yaml"), TIDY);
    assert_eq!(std::fs::metadata(&target).expect("there").permissions().mode() & 0o777, 0o640);
}
