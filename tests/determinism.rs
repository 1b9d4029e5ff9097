//! Same inputs, same bytes: whatever the machine, the surroundings and the order of things.
#![expect(clippy::disallowed_methods, reason = "tests run the command, and read the example project")]

use std::fs;
use std::path::Path;
use std::process::Command;

use project::{Files, NOW, Project, changed, read, run, small, write_fixed_keys};
use serde_json::Value;
use tenantry::digest::Fingerprint;

#[path = "support/project.rs"]
mod project;

/// A project of the same files and keys, compiled once.
fn reference() -> (Project, Files) {
    let project = Project::small();
    project.compile();
    let out = project.out();
    (project, out)
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let (project, expected) = reference();
    for jobs in ["1", "2", "7"] {
        project.run(&["compile", "--jobs", jobs, "--out", jobs]).ok();
        assert_eq!(changed(&expected, &read(&project.path(jobs))), [""; 0], "--jobs {jobs}");
    }
}

#[test]
fn a_cold_compile_gives_the_same_bytes_again_its_state_included() {
    let (project, expected) = reference();
    fs::remove_dir_all(project.path("out")).expect("removes");
    project.compile();
    assert_eq!(changed(&expected, &project.out()), [""; 0]);
    assert!(expected.contains_key("state/index.json"));
}

#[test]
fn another_folder_and_another_order_of_making_files_change_no_byte() {
    let (_, expected) = reference();
    let mut files = small();
    files.reverse();
    let project = Project::new(files.into_iter().map(|(path, text)| (format!("deep/er/ünd {path}"), text)));
    fs::create_dir_all(project.path("deep/er/elsewhere")).expect("makes a folder");
    for name in ["catalog", "tenants", "tenantry.yaml"] {
        fs::rename(project.path(&format!("deep/er/ünd {name}")), project.path(&format!("deep/er/elsewhere/{name}")))
            .expect("moves");
    }
    write_fixed_keys(&project.path("keys"), "production");
    project.run(&["--project", "deep/er/elsewhere", "compile", "--keys", "keys", "--out", "out"]).ok();
    assert_eq!(changed(&expected, &project.out()), [""; 0]);
}

#[test]
fn time_zone_language_and_umask_change_no_byte() {
    let (project, expected) = reference();
    let binary = env!("CARGO_BIN_EXE_tenantry");
    for (at, script) in ["umask 077", "umask 000", "export TZ=Pacific/Kiritimati LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8"]
        .iter()
        .enumerate()
    {
        let out = format!("other-{at}");
        let mut command = Command::new("sh");
        let here = project.command(NOW, &[]);
        command
            .env_clear()
            .envs(here.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(project.path(""));
        command.args(["-c", &format!("{script}; exec \"$0\" compile --out {out}"), binary]);
        run(&mut command).ok();
        assert_eq!(changed(&expected, &read(&project.path(&out))), [""; 0], "{script}");
    }
}

/// From a commit, each manifest says which one; so its digest, and what signs for that, differ. Nothing else does.
#[test]
fn a_commit_and_the_working_directory_differ_in_the_commit_only() {
    let (project, from_folder) = reference();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.com");
        }
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").current_dir(project.path("")).args(arguments);
        run(&mut command).ok().stdout
    };
    git(&["init", "--quiet"]);
    git(&["add", "tenantry.yaml", "catalog", "tenants"]);
    git(&["commit", "--quiet", "--message", "all"]);
    let commit = git(&["rev-parse", "HEAD"]).trim().to_owned();
    // What is not in the commit does not count.
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.run(&["compile", "--rev", "HEAD", "--out", "from-commit"]).ok();
    let from_commit = read(&project.path("from-commit"));

    let manifests = |files: &Files| -> Vec<Value> {
        let found = files.iter().filter(|(key, _)| key.ends_with(".manifest.json"));
        let mut found: Vec<Value> = found.map(|(_, bytes)| serde_json::from_slice(bytes).expect("JSON")).collect();
        found.sort_by_key(|it| it["addr"].to_string());
        found
    };
    let mut named = manifests(&from_commit);
    for manifest in &mut named {
        let source = manifest["source"].as_object_mut().expect("where it comes from");
        assert_eq!(source.remove("commit"), Some(Value::from(commit.clone())));
    }
    assert_eq!(named, manifests(&from_folder));

    let without_digests = |files: &Files| -> Vec<(String, Value)> {
        let rest = files.iter().filter(|(key, _)| !key.ends_with(".manifest.json"));
        rest.map(|(key, bytes)| match serde_json::from_slice::<Value>(bytes) {
            Ok(mut value) => {
                forget_digests(&mut value);
                if key == "state/index.json" {
                    let named = value.as_object_mut().expect("an index").remove("commit");
                    assert!(named.is_none_or(|it| it.as_str() == Some(&commit)));
                }
                (key.clone(), value)
            }
            Err(_) => (key.clone(), Value::from(bytes.clone())),
        })
        .collect()
    };
    assert_eq!(without_digests(&from_commit), without_digests(&from_folder));
}

/// Forgets what a manifest's bytes decide: its digest and length, those of all that names it, and signatures.
fn forget_digests(value: &mut Value) {
    const NAMES_IT: [&str; 6] = ["manifest", "targets", "snapshot", "timestamp", "targets.json", "snapshot.json"];
    match value {
        Value::Array(items) => items.iter_mut().for_each(forget_digests),
        Value::Object(fields) => {
            fields.remove("sig");
            for (name, field) in fields {
                if (NAMES_IT.contains(&name.as_str()) || name.ends_with(".manifest.json"))
                    && let Value::Object(named) = field
                {
                    ["hashes", "sha256", "length"].iter().for_each(|it| drop(named.remove(*it)));
                }
                forget_digests(field);
            }
        }
        _ => {}
    }
}

/// The example project, compiled with keys that never change, has this digest.
///
/// When it changes, every device of every customer sees a new publication after the next compile. That is right
/// when the example, the manifest's format or the version of the compiler has changed, and alarming otherwise.
/// `BLESS=1 cargo test --test determinism` writes the new digest down.
#[test]
fn the_publication_of_the_example_has_not_moved() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Project::new([("tenantry.yaml", fs::read(home.join("tenantry.yaml")).expect("the example"))]);
    for folder in ["catalog", "tenants"] {
        project::copy(&home.join(folder), &project.path(folder));
    }
    write_fixed_keys(&project.path("keys"), "production");
    project.compile();
    let mut digest = Fingerprint::new("tenantry.dev 2026-11 golden publication");
    for (key, bytes) in project.public() {
        digest.part(key.as_bytes()).part(&bytes);
    }
    let found = format!("{}\n", digest.finish());
    let path = home.join("tests/golden/digest.txt");
    match std::env::var_os("BLESS") {
        Some(_) => fs::write(path, found).expect("writes"),
        None => {
            assert_eq!(found, fs::read_to_string(path).expect("a golden digest"), "read what this test says about it")
        }
    }
}
