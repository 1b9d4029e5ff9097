//! The second compile: it touches what changed and nothing else, and a run that was stopped does no harm.
#![expect(clippy::disallowed_methods, reason = "tests change files, and run and stop the command")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use project::{Files, NOW, Project, catalog, changed, copy, document, public, read, run, tenant, time, written};

#[path = "support/project.rs"]
mod project;

/// Whether all these files are in one tenant's folder, or its manifests.
fn are_of(keys: &[String], addr: &str) -> bool {
    keys.iter().all(|key| key.contains(addr))
}

/// What one compile changed among the public files.
#[track_caller]
fn recompile(project: &Project) -> Vec<String> {
    let before = project.public();
    project.compile();
    changed(&before, &project.public())
}

#[track_caller]
fn is_sound(project: &Project, at: &str) {
    let report = project.verify_at(at);
    assert_eq!(report.findings, [], "{report:#?}");
}

#[test]
fn a_compile_with_nothing_to_do_writes_nothing() {
    let project = Project::small();
    project.compile();
    let (bytes, times) = (project.out(), written(&project.path("out")));
    project.compile().says("nothing changed").says("0 files");
    assert_eq!(changed(&bytes, &project.out()), [""; 0]);
    assert_eq!(written(&project.path("out")), times, "no file was touched, not in `state/` either");
}

#[test]
fn a_rollout_goes_on_with_the_next_compile_and_touches_nobody_else() {
    let project = Project::small();
    project.edit("tenants/acme.yaml", "name: acme }", "name: acme, labels: { ring: early } }");
    project.edit("tenants/bolt.yaml", "name: bolt }", "name: bolt, labels: { ring: late } }");
    for (path, text) in project::program("notes", ROLLOUT) {
        let text = text.replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0").replace("<h1>", "<h1>New ");
        project.write(&path.replace("notes/", "notes-2/"), text);
    }
    project.compile();
    let mut before = project.public();
    for (at, moved) in [
        ("2026-11-24T00:00:00Z", vec![]),
        ("2026-11-25T00:00:00Z", vec!["acme"]),
        ("2026-11-26T00:00:00Z", vec!["bolt"]),
        ("2026-11-26T01:00:00Z", vec![]),
        ("2026-11-27T00:00:00Z", vec!["bolt"]),
        ("2026-11-28T00:00:00Z", vec![]),
    ] {
        project.run_at(at, &["compile"]).ok();
        let after = project.public();
        let keys: Vec<String> = changed(&before, &after).into_iter().filter(|it| it.starts_with("t/")).collect();
        let whose = ["acme", "bolt"].into_iter().filter(|it| keys.iter().any(|key| key.contains(&project.addr(it))));
        assert_eq!(whose.collect::<Vec<_>>(), moved, "{at}: {keys:?}");
        is_sound(&project, at);
        before = after;
    }
}

/// To one ring on a day, to a part of the devices of another on the next, to all on the one after.
const ROLLOUT: &str = "  rollout:
    steps:
      - { from: \"2026-11-25\", match_labels: { ring: early }, max_tenants: 1, soak: P1D }
      - { match_labels: { ring: late }, percent: 50, soak: P1D }
      - {}
";

#[test]
fn a_new_tenant_that_makes_a_step_too_wide_is_an_error_though_the_others_are_not_read_again() {
    let project = Project::small();
    project.edit("tenants/acme.yaml", "name: acme }", "name: acme, labels: { ring: early } }");
    project.edit("tenants/bolt.yaml", "name: bolt }", "name: bolt, labels: { ring: late } }");
    project.edit("catalog/programs/notes/program.yaml", "spec:\n", &format!("spec:\n{ROLLOUT}"));
    project.compile();
    let (path, text) = tenant("cobalt", "starter", "");
    project.write(&path, text.replace("name: cobalt }", "name: cobalt, labels: { ring: early } }"));
    let refused = project.run(&["compile"]);
    assert_eq!(refused.code, 1);
    refused.says("error[rollout-limit]: this step selects 2 tenants, and may select 1");
}

#[test]
fn one_tenant_changed_touches_that_tenant_only() {
    let project = Project::small();
    project.compile();
    let addr = project.addr("bolt");
    let (before, times) = (project.public(), written(&project.path("out")));
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile().says("1 changed");
    let after = project.public();
    assert!(are_of(&changed(&before, &after), &addr), "{:?}", changed(&before, &after));
    let gone: Vec<&String> = before.keys().filter(|it| !after.contains_key(*it)).collect();
    assert_eq!(gone.len(), 3, "old targets, snapshot and manifest: {gone:?}");
    let now = written(&project.path("out"));
    let touched: Vec<&String> = now.keys().filter(|it| times.get(*it) != now.get(*it)).collect();
    assert!(touched.iter().all(|it| it.contains(&addr) || *it == "state/index.json"), "{touched:?}");
    assert_eq!(touched.len(), 5, "timestamp, snapshot, targets, manifest and the index: {touched:?}");
    is_sound(&project, NOW);
}

#[test]
fn a_comment_changes_no_public_byte() {
    let project = Project::small();
    project.compile();
    for file in ["tenants/bolt.yaml", "catalog/plans/starter.yaml", "tenantry.yaml"] {
        project.edit(file, "spec:", "# A remark.\nspec:");
        assert_eq!(recompile(&project), [""; 0], "after a comment in {file}");
        let times = written(&project.path("out"));
        project.compile();
        assert_eq!(written(&project.path("out")), times, "it settles after a comment in {file}");
    }
}

#[test]
fn an_edited_plan_signs_the_tenants_on_it_and_no_other() {
    let project = Project::small();
    project.compile();
    project.edit(
        "catalog/plans/business.yaml",
        "lookup_key: plan_business",
        "lookup_key: plan_business\n  entitlements: { single_sign_on: true }",
    );
    let changed = recompile(&project);
    assert_eq!(changed.len(), 7, "{changed:?}");
    assert!(are_of(&changed, &project.addr("acme")), "{changed:?}");
}

#[test]
fn a_file_deleted_by_hand_comes_back() {
    let project = Project::small();
    project.compile();
    let (whole, before) = (project.out(), project.public());
    for key in before.keys() {
        fs::remove_dir_all(project.path("out")).expect("removes");
        whole.iter().for_each(|(key, bytes)| project.write(&format!("out/{key}"), bytes));
        project.remove(&format!("out/{key}"));
        project.compile();
        is_sound(&project, NOW);
        let changed = changed(&before, &project.public());
        // What many share comes back as it was; a tenant's own files may come back newer.
        let index = project.index();
        let owner = index
            .tenants
            .iter()
            .find(|(addr, record)| key.contains(*addr) || record.files(addr).any(|it| it.0 == *key));
        match owner {
            Some((addr, _)) => assert!(are_of(&changed, addr), "{key}: {changed:?}"),
            None => assert_eq!(changed, [""; 0], "{key}"),
        }
    }
}

#[test]
fn a_lost_timestamp_is_signed_again_and_nothing_else() {
    let project = Project::small();
    project.compile();
    let key = format!("t/{}/timestamp.json", project.addr("bolt"));
    let before = project.public();
    project.remove(&format!("out/{key}"));
    project.compile().says("0 changed, 1 signed again");
    assert_eq!(changed(&before, &project.public()), [key]);
}

#[test]
fn a_foreign_file_is_never_deleted() {
    let project = Project::small();
    project.compile();
    let addr = project.addr("bolt");
    let foreign =
        ["notes.txt", "o/readme.md", "root/old.json", &format!("t/{addr}/mine.json"), "t/other/timestamp.json"];
    for key in foreign {
        project.write(&format!("out/{key}"), "mine");
    }
    project.remove("tenants/bolt.yaml");
    project.compile();
    // And after a run that was stopped, when strays of ours are swept away.
    project.write("out/state/unfinished", "");
    project.edit("tenants/corn.yaml", "plan: starter", "plan: business");
    project.compile();
    for key in foreign {
        assert_eq!(fs::read(project.path("out").join(key)).expect(key), b"mine");
    }
}

#[test]
fn tenants_come_and_go() {
    let project = Project::small();
    project.compile();
    let (before, addr) = (project.public(), project.addr("bolt"));
    let own: Vec<String> = project.own("bolt").into_iter().collect();
    project.remove("tenants/bolt.yaml");
    project.compile().says("`bolt`").says("status: inactive");
    let without = project.public();
    assert_eq!(changed(&before, &without), own);
    assert!(own.iter().all(|it| !without.contains_key(it)));
    assert!(!project.path(&format!("out/t/{addr}")).exists(), "its folder has gone too");
    is_sound(&project, NOW);

    let (path, text) = tenant("dune", "starter", "");
    project.write(&path, text);
    project.compile().says("1 changed");
    assert_eq!(changed(&without, &project.public()), project.own("dune").into_iter().collect::<Vec<_>>());
    is_sound(&project, NOW);
}

#[test]
fn keys_of_another_chain_are_refused() {
    let project = Project::small();
    project.compile();
    let before = project.out();
    project.run(&["keys", "--keys", "others", "init"]).ok();
    project.run(&["compile", "--keys", "others"]).ends_with(6).says("belongs to another root");
    assert_eq!(changed(&before, &project.out()), [""; 0]);
    project.remove("out/root/1.root.json");
    project.run(&["compile", "--keys", "others"]).ends_with(6);
    project.compile();
    assert_eq!(changed(&before, &project.out()), [""; 0], "the right keys put the root back");
}

#[test]
fn as_time_goes_by_metadata_is_signed_again_at_half_its_life() {
    let project = Project::small();
    project.compile();
    let first = project.public();
    project.run_at("2026-11-26T11:59:59Z", &["compile"]).ok().says("nothing changed");
    assert_eq!(changed(&first, &project.public()), [""; 0]);

    project.run_at("2026-11-26T12:00:00Z", &["compile"]).ok().says("0 changed, 3 signed again");
    let second = project.public();
    let timestamps: Vec<String> = first.keys().filter(|it| it.ends_with("/timestamp.json")).cloned().collect();
    assert_eq!(changed(&first, &second), timestamps);

    project.run_at("2026-12-08T00:00:00Z", &["compile"]).ok().says("0 changed, 3 signed again");
    let third = project.public();
    let same = |it: &String| it.starts_with("root/") || (it.starts_with("o/") && !it.ends_with(".manifest.json"));
    assert!(first.keys().filter(|it| same(it)).all(|it| third.contains_key(it)), "bundles and overlays stay");
    let stale = first.keys().filter(|it| !same(it) && !timestamps.contains(it));
    assert_eq!(stale.filter(|it| third.contains_key(*it)).count(), 0, "all targets, snapshots and manifests are new");
    is_sound(&project, "2026-12-08T00:00:00Z");
}

/// Otherwise a tenant that comes under a stricter rule would keep metadata that the rule forbids.
#[test]
fn a_shorter_lifetime_holds_from_the_next_compile() {
    let project = Project::small();
    project.compile();
    project.edit("tenantry.yaml", "spec:", "spec:\n  lifetimes: { freshness: P2D }");
    let before = project.public();
    project.compile().says("0 changed, 3 signed again");
    assert!(changed(&before, &project.public()).iter().all(|it| it.ends_with("/timestamp.json")));

    project.edit("tenantry.yaml", "{ freshness: P2D }", "{ freshness: P2D, entitlement: P10D }");
    project.compile().says("0 changed, 3 signed again");
    let records = project.index().tenants;
    for record in records.values() {
        assert_eq!(record.timestamp.expires, time("2026-11-25T00:00:00Z"));
        assert_eq!(
            (record.targets.expires, record.snapshot.expires),
            (time("2026-12-03T00:00:00Z"), time("2026-12-03T00:00:00Z"))
        );
    }
    is_sound(&project, NOW);
    project.compile().says("nothing changed");
}

#[test]
fn a_clock_that_goes_backwards_does_no_harm() {
    let project = Project::small();
    project.compile();
    project.run_at("2026-11-20T00:00:00Z", &["compile"]).ok().says("3 signed again");
    is_sound(&project, "2026-11-20T00:00:00Z");
    let index: serde_json::Value = serde_json::from_slice(&project.out()["state/index.json"]).expect("JSON");
    assert_eq!(index["publication"], 2, "numbers still only grow");
    project.compile();
    is_sound(&project, NOW);
}

#[test]
fn the_end_of_a_licence_decides_that_tenant_again() {
    let project = Project::small();
    project.edit(
        "tenants/bolt.yaml",
        "valid_until: \"2030-01-01\"",
        "valid_until: \"2026-11-24\", expiration_strategy: revoke, grace: PT0S",
    );
    project.compile();
    let (before, own) = (project.public(), project.own("bolt"));
    project.run_at("2026-11-23T23:59:59Z", &["compile"]).ok().says("nothing changed");
    project.run_at("2026-11-24T00:00:00Z", &["compile"]).ok().says("1 changed");
    let after = project.public();
    let own: BTreeSet<String> = own.into_iter().chain(project.own("bolt")).collect();
    assert_eq!(changed(&before, &after), own.into_iter().collect::<Vec<_>>());
    let addr = project.addr("bolt");
    let manifest =
        after.iter().find(|(key, _)| key.contains(&addr) && key.ends_with(".manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(manifest.1).expect("JSON");
    assert_eq!(manifest["mini_programs"], serde_json::json!([]));
    is_sound(&project, "2026-11-24T00:00:00Z");
}

/// How many tenants, and how many times the command is stopped.
const CROWD: usize = 300;
const KILLS: u32 = 20;
const PLAIN: &str =
    "  lookup_key: plan_plain\n  mini_programs:\n    - app_id: com.example.chat\n  entitlements:\n    storage_gb: 10\n";

#[test]
fn a_run_killed_at_any_moment_leaves_whole_tenants_and_the_next_run_converges() {
    // No program of theirs is rendered, so each has the least files that a tenant can have.
    let mut files = catalog();
    files.push(("catalog/plans/plain.yaml".into(), document("Plan", "plain", PLAIN)));
    files.extend(
        (0..CROWD).map(|at| tenant(&format!("tenant-{at:03}"), if at % 50 == 0 { "business" } else { "plain" }, "")),
    );
    let project = Project::in_memory(files);
    project::write_fixed_keys(&project.path("keys"), "production");
    project.run(&["compile", "--out", "base"]).ok();

    // Nearly everybody changes, one goes, one comes.
    project.edit("catalog/plans/plain.yaml", "storage_gb: 10", "storage_gb: 20");
    project.remove("tenants/tenant-001.yaml");
    let (path, text) = tenant("newcomer", "starter", "");
    project.write(&path, text);
    copy(&project.path("base"), &project.path("undisturbed"));
    let began = Instant::now();
    project.run(&["compile", "--out", "undisturbed"]).ok();
    let length = began.elapsed();
    let undisturbed = read(&project.path("undisturbed"));

    let mut seen = 0;
    for round in 0..KILLS {
        let out = project.path(&format!("out-{round}"));
        copy(&project.path("base"), &out);
        let arguments = ["compile", "--out", out.to_str().expect("text")];
        let mut child =
            project.command(NOW, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
        // How long a run takes differs between one and the next, so every other one is stopped soon after it began to write.
        match round % 2 {
            0 => std::thread::sleep(length * round / KILLS),
            _ => {
                while !out.join("state/unfinished").exists() && child.try_wait().expect("it can be asked").is_none() {
                    std::thread::sleep(Duration::from_micros(200));
                }
                std::thread::sleep(length * round / (KILLS * 8));
            }
        }
        child.kill().expect("stops");
        child.wait().expect("ends");
        seen += u32::from(out.join("state/unfinished").exists());
        let between = leads_to_whole_tenants(&project, &out);
        run(&mut project.command(NOW, &arguments)).ok();
        assert_eq!(changed(&undisturbed, &read(&out)), [""; 0], "killed in round {round}; in between: {between}");
        fs::remove_dir_all(&out).expect("removes");
    }
    assert!(seen > 0, "no run was stopped half-way: the test has shown nothing");
}

/// Every timestamp that is there leads to everything that its tenant needs.
fn leads_to_whole_tenants(project: &Project, out: &std::path::Path) -> usize {
    let report = tenantry::pipeline::verify::folder(out, &project.root(), time(NOW)).expect("can be read");
    let is_stray = |it: &tenantry::verify::Finding| {
        let is_before_its_timestamp = it.key.ends_with("/timestamp.json") && it.problem == "it is missing";
        is_before_its_timestamp || it.problem == "nothing refers to it"
    };
    let bad: Vec<_> = report.findings.iter().filter(|it| !is_stray(it)).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    report.findings.len()
}

/// The publication that was stopped never was: what it had begun is taken back when the inputs are.
#[test]
fn a_stopped_run_whose_inputs_are_taken_back_leaves_nothing() {
    let project = Project::small();
    project.compile();
    let before = project.out();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    let (path, text) = tenant("dune", "starter", "");
    project.write(&path, text);
    project.compile();
    let after: Files = public(project.out());
    // As if the run had been stopped between its last timestamp and the index.
    for (key, bytes) in before.iter().filter(|(key, _)| !key.ends_with("/timestamp.json")) {
        project.write(&format!("out/{key}"), bytes);
    }
    project.write("out/state/unfinished", "");
    project.edit("tenants/bolt.yaml", "plan: business", "plan: starter");
    project.remove(&path);
    let addr = project.addr("bolt");
    project.run_at("2026-11-23T01:00:00Z", &["compile"]).ok();
    is_sound(&project, NOW);
    let now = project.public();
    let timestamp = format!("t/{addr}/timestamp.json");
    assert_ne!(now[&timestamp], after[&timestamp], "what was begun is not served");
    assert_eq!(changed(&public(before), &now), [timestamp], "everything else is as it was");
    assert!(!project.path("out/state/unfinished").exists());
}

/// Half a minute is nothing to wait for; a hang would be.
#[test]
fn a_second_compile_does_not_wait_for_the_first() {
    let project = Project::small();
    project.compile();
    let held = tenantry::write::OutDir::open(&project.path("out")).expect("opens");
    let began = Instant::now();
    project.run(&["compile"]).ends_with(3).says("another compile is writing");
    assert!(began.elapsed() < Duration::from_secs(30));
    drop(held);
    project.compile();
}

/// Format 1 did not know to which region a tenant is bound, format 2 not which mini-programs it has.
#[test]
fn an_index_of_an_older_version_is_brought_up_to_date_and_the_counter_goes_on() {
    let project = Project::small();
    project.edit("tenants/bolt.yaml", "plan: starter", "data_region: eu\n  plan: starter");
    project.compile();
    let (now, public) = (project.index(), project.public());
    let mut old: serde_json::Value = serde_json::from_slice(&project.out()["state/index.json"]).expect("JSON");
    for (format, unknown) in [(2, "given"), (1, "data_region")] {
        old["format"] = format.into();
        for record in old["tenants"].as_object_mut().expect("tenants").values_mut() {
            record.as_object_mut().expect("a record").remove(unknown);
        }
        project.write("out/state/index.json", old.to_string());
        project.compile().says("publication 1: nothing changed");
        assert_eq!(project.index(), now);
        assert_eq!(changed(&public, &project.public()), [""; 0]);
    }

    old["format"] = 4.into();
    project.write("out/state/index.json", old.to_string());
    project.run(&["compile"]).ends_with(3).says("has format 4").says("or a newer one");
}
