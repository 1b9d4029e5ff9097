//! What stands in `docs/ci/` for those who are not on GitHub, run as they would run it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::lint::tool;
use crate::project::{NOW, Project, Ran, run, small, time};
use crate::runner::git;
use crate::scene::Scene;

fn recipe(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci").join(name)).expect("the recipe is there")
}

/// A clone as a runner has it.
fn cloned(scene: &Scene, name: &str, branch: &str) -> std::path::PathBuf {
    let folder = scene.memory().join(name);
    let remote = scene.remote().display().to_string();
    git(scene.memory(), &["clone", "--quiet", "--branch", branch, &remote, folder.to_str().expect("UTF-8")]);
    folder
}

fn at(command: &mut Command, seconds: i64) -> &mut Command {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("SOURCE_DATE_EPOCH", seconds.to_string())
}

/// A job of `.gitlab-ci.yml`: what comes before, and its script, in one shell, which ends at the first failure.
fn gitlab(scene: &Scene, job: &str, folder: &Path, variables: &[(&str, &str)]) -> Ran {
    let pipeline: Value = serde_yaml::from_str(&recipe("gitlab-ci.yml")).expect("YAML");
    let lines = [&pipeline["default"]["before_script"], &pipeline[job]["script"]];
    let lines = lines.into_iter().flat_map(|it| it.as_array().expect("lines")).filter_map(Value::as_str);
    let script: String = lines.map(|it| format!("{it}\n")).collect();
    let (archive, sha256) = scene.archive();
    let commit = git(folder, &["rev-parse", "HEAD"]);
    let mut command = Command::new("bash");
    at(&mut command, time(NOW).unix())
        .args(["-eo", "pipefail", "-c", &script])
        .current_dir(folder)
        .envs([("TENANTRY_ARCHIVE", archive), ("TENANTRY_SHA256", sha256), ("CI_COMMIT_SHA", &commit)])
        .envs(variables.iter().copied());
    run(&mut command)
}

fn secrets(scene: &Scene) -> Vec<(String, String)> {
    let secrets = scene.secrets();
    let all = secrets.as_object().expect("a map").iter();
    all.map(|(name, it)| (name.clone(), it.as_str().expect("text").to_owned())).collect()
}

#[test]
fn a_merge_request_is_checked_planned_and_published_on_gitlab() {
    let scene = Scene::new();
    let base = scene.git(&["rev-parse", "HEAD"]);
    for name in ["x-ray", "yankee", "zulu"] {
        scene.project.edit(&format!("tenants/{name}.yaml"), "plan: business", "plan: starter");
    }
    scene.commit("::error::three want less $(touch x)");
    scene.push("less");
    let work = cloned(&scene, "less", "less");
    gitlab(&scene, "check", &work, &[]).ends_with(0);
    let quality: Value =
        serde_json::from_slice(&fs::read(work.join("code-quality.json")).expect("a report")).expect("JSON");
    assert_eq!(quality, serde_json::json!([]));
    assert!(fs::read_to_string(work.join("junit.xml")).expect("a report").contains("failures=\"0\""));
    let plan = |labels: &str| {
        gitlab(&scene, "plan", &work, &[("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base), ("CI_MERGE_REQUEST_LABELS", labels)])
    };
    plan("").ends_with(6);
    plan("bug,tenantry-allow:revocations=2;touch x").ends_with(6).says("guard `revocations`");
    plan("bug,tenantry-allow:revocations=3,tenantry-allow:own_terms=0").ends_with(0);
    assert!(fs::read_to_string(work.join("plan.html")).expect("a page").contains("com.example.chat"));
    assert!(!work.join("x").exists());

    let secrets = secrets(&scene);
    let with: Vec<(&str, &str)> = secrets.iter().map(|(name, it)| (&**name, &**it)).collect();
    let title = [("CI_COMMIT_TITLE", "--help $(touch x)")];
    gitlab(&scene, "publish", &work, &[&with[..], &title].concat()).ends_with(0);
    let head = || -> Value {
        serde_json::from_slice(&fs::read(scene.store().join("state/head.json")).expect("a head")).expect("JSON")
    };
    assert_eq!(
        (&head()["current"]["publication"], &head()["current"]["reason"]),
        (&1.into(), &"--help $(touch x)".into())
    );
    assert!(!work.join("x").exists());

    let freshness: Vec<(&str, &str)> = with.into_iter().filter(|it| it.0 == "TENANTRY_FRESHNESS_KEY").collect();
    let later = (time(NOW).unix() + 5 * 86_400).to_string();
    gitlab(&scene, "refresh", &work, &[&freshness[..], &[("SOURCE_DATE_EPOCH", &later)]].concat()).ends_with(0);
    assert_eq!(head()["current"]["kind"], "refresh");

    fs::remove_dir_all(work.join("keys")).expect("removes");
    gitlab(&scene, "publish", &work, &title).ends_with(1);
}

#[test]
fn a_plain_shell_publishes_with_real_keys_and_with_no_others() {
    let scene = Scene::new();
    let work = cloned(&scene, "plain", "main");
    fs::write(work.join("publish.sh"), recipe("publish.sh")).expect("writes");
    let bin = scene.memory().join("bin");
    fs::create_dir(&bin).expect("makes a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tenantry"), bin.join("tenantry")).expect("links");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
    let publish = || {
        let mut command = Command::new("sh");
        at(&mut command, time(NOW).unix())
            .arg("publish.sh")
            .current_dir(&work)
            .env("PATH", &path)
            .envs(secrets(&scene));
        run(&mut command)
    };
    publish().ok();
    assert!(scene.store().join("state/head.json").exists());
    publish().ok().says("publication 1");
    fs::remove_dir_all(scene.store()).expect("removes");
    fs::remove_dir_all(work.join("keys")).expect("removes");
    publish().ends_with(1);
    assert!(!scene.store().exists());
}

#[test]
fn pre_commit_runs_the_hooks() {
    let Some(mut pre_commit) = tool("pre-commit") else { return };
    let hooks = Project::in_memory([(
        ".pre-commit-hooks.yaml",
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml")).expect("the hooks"),
    )]);
    let project = Project::in_memory(small());
    project.run(&["schema", "--write"]).ok();
    let config = recipe("pre-commit-config.yaml")
        .replace("https://github.com/tenantry/tenantry", &hooks.path("").display().to_string());
    project.write(".pre-commit-config.yaml", config);
    for it in [&hooks, &project] {
        git(&it.path(""), &["init", "--quiet"]);
        git(&it.path(""), &["add", "--all"]);
        git(&it.path(""), &["commit", "--quiet", "--message", "one"]);
    }
    git(&hooks.path(""), &["tag", "v0.1.0"]);
    let bin = hooks.path("bin");
    fs::create_dir(&bin).expect("makes a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tenantry"), bin.join("tenantry")).expect("links");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
    let program = pre_commit.get_program().to_owned();
    let hook = || {
        let mut command = Command::new(&program);
        at(&mut command, time(NOW).unix()).args(["run", "--all-files"]).current_dir(project.path(""));
        run(command.env("PATH", &path).env("HOME", hooks.path("home")).env("PRE_COMMIT_HOME", hooks.path("cache")))
    };
    pre_commit.env_clear();
    let ran = hook().ok();
    assert_eq!(ran.stdout.matches("Passed").count(), 3, "{ran:#?}");
    project.edit("tenants/acme.yaml", "  plan: business", "  plan:   business");
    hook().ends_with(1).says("tenants/acme.yaml");
    hook().ok();
    project.edit("tenants/acme.yaml", "plan: business", "plan: busines");
    hook().ends_with(1).says("tenants/acme.yaml:6:9: error[unknown-plan]");
    project.edit("tenants/acme.yaml", "plan: busines", "plan: business");
    project.edit("schemas/plan.schema.json", "{", "{ ");
    hook().ends_with(1).says("tenantry schema");
}

/// Who must agree to a change of a path: the last line that matches counts.
fn owners<'a>(lines: &[(&'a str, &'a str)], path: &str) -> Option<&'a str> {
    let matches = |pattern: &str| match pattern.strip_suffix('/') {
        Some(_) => format!("/{path}").starts_with(pattern),
        None => format!("/{path}") == pattern,
    };
    lines.iter().rev().find(|it| matches(it.0)).map(|it| it.1)
}

#[test]
fn owners_are_those_that_the_example_promises() {
    let text = recipe("CODEOWNERS");
    let lines = text.lines().filter(|it| !it.starts_with('#') && !it.is_empty());
    let lines: Vec<(&str, &str)> = lines
        .map(|it| it.split_once(' ').expect("a path and its owners"))
        .map(|(path, who)| (path, who.trim()))
        .collect();
    for (path, expected) in [
        ("tenants/a/aurora-bank.yaml", "@example/customer-operations"),
        ("catalog/plans/starter.yaml", "@example/product"),
        ("catalog/compliance/eu-banking.yaml", "@example/compliance"),
        ("tenantry.yaml", "@example/platform @example/compliance"),
        ("keys/root/1.root.json", "@example/security"),
        (".github/workflows/publish.yml", "@example/security"),
    ] {
        assert_eq!(owners(&lines, path), Some(expected), "{path}");
    }
    // Everything that is an input has somebody who answers for it.
    let inputs = ["tenantry.yaml", "tenants", "catalog"];
    for input in inputs {
        let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(input);
        let path = if there.is_dir() { format!("{input}/x.yaml") } else { input.to_owned() };
        assert!(there.exists() && owners(&lines, &path).is_some(), "{input}");
    }
}
