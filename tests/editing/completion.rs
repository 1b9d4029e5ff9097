//! Bash itself, with our script read: what is offered at a key.

use std::path::Path;
use std::process::Command;

use crate::binary::{clean, ran, tenantry};
use crate::{Project, example};

/// What bash offers at the end of a line, in a folder.
fn offered(folder: &Path, line: &str) -> Vec<String> {
    let script = r#"
        source <(tenantry completions bash)
        # Words as the line editor cuts them; the last one is being typed.
        read -r -a COMP_WORDS <<<"$1"
        [[ "$1" == *" " ]] && COMP_WORDS+=("")
        COMP_LINE="$1" COMP_POINT="${#1}" COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )) COMP_TYPE=9
        function=$(complete -p tenantry | sed 's/.*-F \([^ ]*\).*/\1/')
        "$function" tenantry "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let program = Path::new(env!("CARGO_BIN_EXE_tenantry")).parent().expect("a folder");
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::join_paths([program.to_owned()].into_iter().chain(std::env::split_paths(&paths)));
    let mut bash = Command::new("bash");
    clean(&mut bash);
    bash.args(["--norc", "-c", script, "bash", line]).current_dir(folder).env("PATH", paths.expect("paths"));
    let ran = ran(&mut bash);
    assert_eq!((ran.code, &*ran.stderr), (0, ""), "{line}");
    // Options come after names, wherever they may stand too.
    let wanted = |it: &String| !it.is_empty() && (!it.starts_with('-') || line.contains(" --ad"));
    ran.stdout.lines().map(|it| it.trim_end().to_owned()).filter(wanted).collect()
}

#[test]
fn commands_and_options_are_offered() {
    let project = Project::new();
    assert_eq!(offered(&project.folder, "tenantry expl"), ["explain"]);
    assert!(offered(&project.folder, "tenantry ").contains(&"new".to_owned()));
    assert!(!offered(&project.folder, "tenantry ").contains(&"man".to_owned()), "it is for packagers");
    assert_eq!(offered(&project.folder, "tenantry new tenant dune --ad"), ["--add-on"]);
    assert_eq!(offered(&project.folder, "tenantry check --format s"), ["short", "sarif"]);
}

#[test]
fn names_of_the_project_are_offered_where_they_belong() {
    let project = Project::new();
    assert_eq!(offered(&project.folder, "tenantry explain "), ["alder", "birch", "cedar"]);
    assert_eq!(offered(&project.folder, "tenantry explain b"), ["birch"]);
    assert_eq!(
        offered(&project.folder, "tenantry explain cedar com"),
        ["com.example.checklist", "com.example.welcome"]
    );
    assert_eq!(offered(&project.folder, "tenantry new tenant dune --plan "), ["basic", "complete"]);
    assert_eq!(offered(&project.folder, "tenantry new tenant dune --profile "), ["strict-privacy"]);
    assert_eq!(offered(&project.folder, "tenantry new plan huge --program com.example.w"), ["com.example.welcome"]);
    assert_eq!(offered(example(), "tenantry publish --store "), ["eu", "us", "world"]);
    // Names are there although the project has mistakes: one is being corrected.
    project.write("tenants/broken.yaml", "kind: Tenant\nspec: {\n");
    project
        .write("tenants/quoted.yaml", &project.read("tenants/alder.yaml").replace("name: alder", "name: \"quoted\""));
    assert_eq!(offered(&project.folder, "tenantry explain "), ["alder", "birch", "cedar", "quoted"]);
}

#[test]
fn the_project_may_be_elsewhere_and_need_not_be_there() {
    let project = Project::new();
    let nowhere = tempfile::tempdir().expect("a temporary folder");
    let line = format!("tenantry --project {} explain b", project.folder.display());
    assert_eq!(offered(nowhere.path(), &line), ["birch"]);
    let line = format!("tenantry --project={} explain b", project.folder.display());
    assert_eq!(offered(nowhere.path(), &line), ["birch"]);
    assert_eq!(offered(nowhere.path(), "tenantry explain "), [""; 0]);
}

#[test]
fn every_shell_gets_a_script_that_asks_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = tenantry(folder.path(), &["completions", shell]);
        assert_eq!((script.code, &*script.stderr), (0, ""));
        assert!(script.stdout.contains("TENANTRY_COMPLETE"), "{}", script.stdout);
    }
    let unknown = tenantry(folder.path(), &["completions", "tcsh"]);
    assert_eq!(unknown.code, 2);
}

/// At a key nobody waits. Files of tenants are read each time; the bound is for slow machines.
#[test]
fn thousands_of_tenants_do_not_make_anybody_wait() {
    let project = Project::new();
    let text = project.read("tenants/alder.yaml");
    for number in 0..3_000 {
        let text = text.replace("name: alder", &format!("name: many-{number:04}"));
        project.write(&format!("tenants/many/{number:04}.yaml"), &text);
    }
    let began = std::time::Instant::now();
    assert_eq!(offered(&project.folder, "tenantry explain many-099").len(), 10);
    let took = began.elapsed();
    assert!(took.as_secs() < 5, "{took:?}");
}
