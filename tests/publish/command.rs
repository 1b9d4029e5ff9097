//! The command itself, on directories: exit codes, what it says, and processes that meet.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use tenantry::publish::head::{Head, Kind, Reservation};
use tenantry::publish::state::State;
use tenantry::store::Patience;
use tenantry::store::dir::Directory;

use crate::project::{Files, NOW, Project, changed, copy, public, read, run, small, tenant, time};
use crate::s3_server::{Profile, S3Server};

/// A project with a store in a directory, compiled once.
fn project() -> Project {
    with_stores(small(), "[{ name: main, directory: public }]")
}

fn with_stores(files: Vec<(String, String)>, stores: &str) -> Project {
    let project = Project::new(files);
    crate::project::write_fixed_keys(&project.path("keys"), "production");
    project.edit("tenantry.yaml", "spec:\n", &format!("spec:\n  stores: {stores}\n"));
    project.compile();
    project
}

fn head(project: &Project) -> Head {
    let bytes = fs::read(project.path("public/state/head.json")).expect("a head");
    Head::parse(&bytes).expect("a head can be read")
}

fn store(project: &Project) -> Files {
    let mut files = read(&project.path("public"));
    files.retain(|key, _| !key.starts_with('.'));
    files
}

/// Every document of a machine's output, one a line.
#[track_caller]
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|it| serde_json::from_str(it).unwrap_or_else(|why| panic!("{why}: {it}"))).collect()
}

/// The probe for conditional writes takes some eighty requests, so it is not asked where nothing is written.
#[test]
fn with_nothing_to_do_a_bucket_is_asked_once() {
    let server = S3Server::start(Profile::good());
    let project = with_stores(small(), &format!("[{}]", server.yaml("main")));
    let publish = || run(project.command(NOW, &["publish"]).envs(server.environment()));
    publish().ok().says("main: publication 1");
    server.take_log();
    publish().ok().says("main: publication 1, as before");
    assert_eq!(server.take_log(), ["GET state/head.json"]);
}

#[test]
fn a_project_goes_out_and_then_there_is_nothing_to_do() {
    let project = project();
    project.run(&["publish"]).ok().says("main: publication 1 (before: nothing) · ").says(", 3 timestamps in ");
    assert_eq!(
        changed(&public(project.out()), &public(store(&project))),
        [""; 0],
        "what was compiled is what is there"
    );
    let before = store(&project);
    project.run(&["publish"]).ok().says("main: publication 1, as before");
    assert!(store(&project) == before);
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    project.run(&["publish"]).ok().says("main: publication 2 (before: 1) · ").says(", 1 timestamp in ");
    let head = head(&project);
    assert_eq!(head.history.iter().map(|it| it.publication).collect::<Vec<_>>(), [1, 2]);
    assert!(head.reserved.is_none() && head.current.is_some_and(|it| it.finished));
}

#[test]
fn the_record_says_who_and_why() {
    let project = project();
    let by = |variables: &[(&str, &str)]| {
        let _ = fs::remove_dir_all(project.path("public"));
        let mut command = project.command(NOW, &["publish", "--reason", "licence renewed"]);
        command.envs(variables.iter().copied());
        run(&mut command).ok();
        let current = head(&project).current.expect("a publication");
        assert_eq!(current.reason.as_deref(), Some("licence renewed"));
        current.by
    };
    let github = [("GITHUB_REPOSITORY", "acme/apps"), ("GITHUB_RUN_ID", "42"), ("USER", "runner")];
    assert_eq!(by(&github), "https://github.com/acme/apps/actions/runs/42");
    assert_eq!(by(&[("CI_JOB_URL", "https://gitlab.example/j/7")]), "https://gitlab.example/j/7");
    assert_eq!(by(&[("BUILDKITE_BUILD_URL", "https://buildkite.example/b/7")]), "https://buildkite.example/b/7");
    assert_eq!(by(&[("USER", "hana\n"), ("HOSTNAME", "desk")]), "hana@desk");
}

#[test]
fn machines_get_one_document_a_line_and_the_last_is_the_summary() {
    let project = project();
    let first = project.run(&["publish", "--format", "json"]).ok();
    let events = lines(&first.stdout);
    let names: Vec<&str> = events.iter().map(|it| it["event"].as_str().expect("a name")).collect();
    assert_eq!((names[0], names.last().copied()), ("plan", Some("done")), "{names:?}");
    assert!(names.contains(&"committed") && names.contains(&"finished"), "{names:?}");
    let done = events.last().expect("a summary");
    let main = &done["stores"][0];
    assert_eq!(
        (&main["store"], &main["outcome"], &main["publication"]),
        (&"main".into(), &"published".into(), &1.into())
    );
    assert_eq!(done["failed"], Value::Array(Vec::new()));
    let again = lines(&project.run(&["publish", "--format", "json"]).ok().stdout);
    assert_eq!(again.last().expect("a summary")["stores"][0]["outcome"], "nothing");
    // Also when nothing was done at all.
    project.write("out/state/published.json", "{\"format\":1,\"partial\":[],\"stores\":{}}");
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    let refused = lines(&project.run(&["publish", "--format", "json"]).ends_with(4).stdout);
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["failed"][0]["exit"], 4);
}

#[test]
fn a_dry_run_changes_nothing_and_its_plan_is_carried_out_or_refused() {
    let project = project();
    let everything = |project: &Project| read(&project.path(""));
    let before = everything(&project);
    project.run(&["publish", "--dry-run"]).ok().says("main: from nothing to publication 1").says("root 1 is new here");
    let plan = project.run(&["publish", "--dry-run", "--format", "json"]).ok().stdout;
    assert!(everything(&project) == before, "a dry run writes nothing, here or there");
    assert_eq!(lines(&plan).len(), 1);
    project.write("plan.json", &plan);
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    project.run(&["publish", "--plan", "plan.json"]).ends_with(4).says("error: the plan for store `main` is stale");
    assert!(!project.path("public").join("state/head.json").exists());
    project.write("plan.json", project.run(&["publish", "--dry-run", "--format", "json"]).ok().stdout);
    project.run(&["publish", "--plan", "plan.json"]).ok().says("publication 2");
    project.run(&["publish", "--plan", "plan.json"]).ends_with(4).says("it was made for nothing, and the store shows");
    project.write("plan.json", "{}");
    project.run(&["publish", "--plan", "plan.json"]).ends_with(3).says("cannot read the plan `plan.json`");
}

#[test]
fn every_reason_not_to_publish_has_its_code_and_a_help() {
    let nothing = Project::new(small());
    nothing
        .run(&["publish"])
        .ends_with(3)
        .says("there is nothing to publish in `./out`")
        .says("run `tenantry compile` first");
    let storeless = Project::small();
    storeless.compile();
    storeless.run(&["publish"]).ends_with(2).says("no store is named in `tenantry.yaml`");

    let project = project();
    project
        .run(&["publish", "--store", "moon"])
        .ends_with(2)
        .says("there is no store `moon`")
        .says("its stores are `main`");
    project.write("out/state/unfinished", "");
    project.run(&["publish"]).ends_with(5).says("was stopped half-way");
    project.remove("out/state/unfinished");
    let timestamp = format!("out/t/{}/timestamp.json", project.addr("bolt"));
    let sound = fs::read(project.path(&timestamp)).expect("reads");
    project.write(&timestamp, "{}");
    project.run(&["publish"]).ends_with(5).says("the output folder is damaged").says("timestamp.json");
    project.write(&timestamp, sound);
    assert!(!project.path("public/root").exists(), "nothing has been sent");
    project.run(&["publish"]).ok();

    // The metadata does not hold any more.
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    project.run_at("2027-02-01", &["publish"]).ends_with(5).says("it expired on");
    // The clock stands before the last publication.
    project.run_at("2026-11-22", &["publish"]).ends_with(6).says("one of the two clocks is wrong");
    // Somebody else has published.
    project.run(&["publish"]).ok();
    let stranger = with_stores(small(), "[{ name: main, directory: public }]");
    copy(&project.path("public"), &stranger.path("public"));
    stranger
        .run(&["publish"])
        .ends_with(4)
        .says("publication 2 of store `main`, made by")
        .says("help: compile again with `--onto main`");
    stranger.run(&["compile", "--onto", "main"]).ok();
    stranger.run(&["publish"]).ok().says("publication 3 (before: 2)");
}

#[test]
fn a_tenant_without_a_store_stops_all_stores() {
    let mut files = small();
    files.push(tenant("europa", "starter", "  data_region: eu\n"));
    let project =
        with_stores(files, "[{ name: world, directory: public }, { name: us, directory: other, regions: [us] }]");
    project.run(&["publish"]).ends_with(6).says("no store takes tenants of region `eu`, such as `europa`");
    assert!(!project.path("public").exists() && !project.path("other").exists());
}

#[test]
fn several_stores_are_published_in_one_run_and_compiled_onto_in_one() {
    let mut files = small();
    files.push(tenant("europa", "starter", "  data_region: eu\n"));
    let stores =
        "[{ name: world, directory: public }, { name: europe, directory: eu, regions: [eu], publishers: single }]";
    let project = with_stores(files, stores);
    let first = project.run(&["publish"]).ok();
    assert!(first.stdout.starts_with("world: publication 1"), "in the order of the project: {}", first.stdout);
    assert!(first.stderr.contains("store `europe` relies on there being one publisher only"), "{}", first.stderr);
    let guard = fs::read_to_string(project.path("eu/state/head.json")).expect("a head");
    assert!(guard.contains("\"guard\": \"single\""), "{guard}");
    fs::remove_dir_all(project.path("out")).expect("removes");
    project.edit("tenants/europa.yaml", "plan: starter", "plan: business");
    project
        .run(&["compile", "--onto", "all"])
        .ok()
        .says("publication 2: 1 changed")
        .says("onto store `europe`: publication 1");
    project.run(&["publish", "--store", "europe"]).ok().says("europe: publication 2 (before: 1)");
    project
        .run(&["publish"])
        .ok()
        .says("world: publication 2: shells see no difference")
        .says("europe: publication 2, as before");
}

/// One compiled folder, and others that descend from the same publication.
fn diverged() -> (Project, Vec<Project>) {
    let origin = project();
    origin.run(&["publish"]).ok();
    let changes = [("acme", "business", "starter"), ("bolt", "starter", "business"), ("corn", "starter", "business")];
    let others = changes.map(|(name, from, to)| {
        let other = Project::new(small());
        copy(&origin.path(""), &other.path(""));
        fs::remove_dir_all(other.path("public")).expect("removes");
        let shared = origin.path("public");
        let shared = format!("directory: {}", shared.display());
        other.edit("tenantry.yaml", "directory: public", &shared);
        // Keys were copied; their modes were not.
        fs::remove_dir_all(other.path("keys")).expect("removes");
        fs::create_dir(other.path("keys")).expect("makes a folder");
        crate::project::write_fixed_keys(&other.path("keys"), "production");
        other.edit(&format!("tenants/{name}.yaml"), &format!("plan: {from}"), &format!("plan: {to}"));
        other.compile().says("publication 2: 1 changed");
        other
    });
    (origin, others.into())
}

fn start(project: &Project, by: &str) -> Child {
    let mut command = project.command(NOW, &["publish"]);
    command.env("CI_JOB_URL", by).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
}

fn end(child: Child) -> (i32, String) {
    let output = child.wait_with_output().expect("ends");
    let text = String::from_utf8(output.stdout).expect("text") + &String::from_utf8(output.stderr).expect("text");
    (output.status.code().expect("it ends by itself"), text)
}

#[test]
fn of_processes_that_publish_to_one_directory_at_once_one_wins_and_the_others_name_it() {
    for _ in 0..4 {
        let (origin, others) = diverged();
        let names = ["one", "two", "three"];
        let running: Vec<Child> = others.iter().zip(names).map(|(it, by)| start(it, by)).collect();
        let ended: Vec<(i32, String)> = running.into_iter().map(end).collect();
        let winners: Vec<usize> = (0..3).filter(|at| ended[*at].0 == 0).collect();
        assert_eq!(winners.len(), 1, "{ended:#?}");
        let winner = names[winners[0]];
        assert_eq!(head(&origin).current.map(|it| it.by).as_deref(), Some(winner));
        for (code, said) in ended.iter().filter(|it| it.0 != 0) {
            assert_eq!(*code, 4, "{said}");
            assert!(said.contains(&format!("`{winner}`")), "the winner `{winner}` is not named: {said}");
        }
        let shown = public(store(&origin));
        let made = public(others[winners[0]].out());
        assert!(made.iter().all(|(key, bytes)| shown.get(key) == Some(bytes)));
    }
}

#[test]
fn processes_that_publish_the_same_bytes_at_once_all_succeed() {
    let (origin, others) = diverged();
    let twin = Project::new(small());
    copy(&others[1].path(""), &twin.path(""));
    let running = [start(&others[1], "one"), start(&twin, "two")];
    let ended = running.map(end);
    assert_eq!(ended.each_ref().map(|it| it.0), [0, 0], "{ended:#?}");
    assert_eq!(head(&origin).point().map(|it| it.publication), Some(2), "{ended:#?}");
}

/// Killed at any moment, a run leaves what the next one finishes; a reader sees the old or the new publication meanwhile.
#[cfg(unix)]
#[test]
fn a_process_killed_at_any_moment_is_no_harm() {
    let (origin, others) = diverged();
    let before = read(&origin.path("public"));
    let project = &others[1];
    let began = Instant::now();
    project.run(&["publish"]).ok();
    let whole = began.elapsed();
    let expected = public(store(&origin));
    let lineage = fs::read(project.path("out/state/published.json")).expect("reads");
    for part in 0..20 {
        fs::remove_dir_all(origin.path("public")).expect("removes");
        before.iter().for_each(|(key, bytes)| origin.write(&format!("public/{key}"), bytes));
        let mut child = start(project, "one");
        std::thread::sleep(whole * part / 20);
        let _ = child.kill();
        let _ = child.wait();
        let judge = crate::watch::Judge::new(origin.root(), time(NOW));
        let directory = Directory::new(origin.path("public"));
        for (key, _) in store(&origin).iter().filter(|(key, _)| key.ends_with("/timestamp.json")) {
            let addr = key.split('/').nth(1).expect("an address");
            judge.tenant(&directory, addr).expect("a client is content");
        }
        project.run(&["publish"]).ok();
        assert_eq!(changed(&expected, &public(store(&origin))), [""; 0]);
    }
    assert_eq!(fs::read(project.path("out/state/published.json")).expect("reads"), lineage);
}

/// While somebody holds the lock of the directory nothing there is replaced, so the run stands still where we want it.
#[cfg(unix)]
#[test]
fn ctrl_c_before_it_counts_abandons_the_step_and_says_so() {
    let project = with_stores(small(), "[{ name: main, directory: public, publishers: single }]");
    project.run(&["publish"]).ok();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    let before = head(&project);
    let lock = File::options().write(true).open(project.path("public/.lock")).expect("a lock");
    lock.lock().expect("locks");
    let child = start(&project, "one");
    let has_begun = || {
        fs::read_to_string(project.path("out/state/published.json"))
            .is_ok_and(|it| it.matches("\"publication\": 2").count() == 1)
    };
    wait_for(has_begun);
    interrupt(&child);
    // The reservation is under way; it is the step that is finished, and nothing after it is begun.
    std::thread::sleep(Duration::from_millis(300));
    drop(lock);
    let (code, said) = end(child);
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("stopped before publication 2 of store `main` counted: nothing was published"), "{said}");
    assert!(said.contains("help: run again"), "{said}");
    assert_eq!(head(&project).current, before.current);
    project.run(&["publish"]).ok().says("publication 2 (before: 1)");
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_stops_at_once() {
    let project = with_stores(small(), "[{ name: main, directory: public, publishers: single }]");
    project.run(&["publish"]).ok();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    let lock = File::options().write(true).open(project.path("public/.lock")).expect("a lock");
    lock.lock().expect("locks");
    let mut child = start(&project, "one");
    wait_for(|| {
        fs::read_to_string(project.path("out/state/published.json")).is_ok_and(|it| it.contains("\"publication\": 2"))
    });
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    let mut code = None;
    wait_for(|| {
        code = child.try_wait().expect("asks").map(|it| it.code());
        code.is_some()
    });
    assert_eq!(code, Some(Some(130)));
    drop(lock);
    project.run(&["publish"]).ok().says("publication 2 (before: 1)");
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("`kill` runs");
    assert!(sent.success());
}

#[cfg(unix)]
fn wait_for(mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_reservation_of_the_dead_is_taken_over_when_told_so() {
    let project = project();
    project.run(&["publish"]).ok();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    project.edit("tenants/bolt.yaml", "plan: business", "plan: starter");
    project.compile();
    let directory = Directory::new(project.path("public"));
    let state = State { store: &directory, patience: Patience::NONE };
    let seen = state.head().expect("reads");
    let index = seen.head.point().expect("a publication").index;
    let dead = Reservation { publication: 2, index, by: "a run that died".into(), at: time(NOW), kind: Kind::Rollback };
    state.swap(&seen, seen.head.reserve(dead)).expect("swaps");
    project
        .run(&["publish"])
        .ends_with(4)
        .says("`a run that died` has been at work on store `main` since 2026-11-23T00:00:00Z (rollback 2)")
        .says("`--take-over`");
    project
        .run(&["publish", "--take-over"])
        .ok()
        .says("takes over from `a run that died`")
        .says("publication 3 (before: 1)");
}

/// A run of CI that started early and comes late must not bring old content back.
#[test]
fn an_old_commit_is_refused_when_git_says_so() {
    let project = project();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.com");
        }
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").current_dir(project.path("")).args(arguments);
        run(&mut command).ok();
    };
    git(&["init", "--quiet"]);
    git(&["add", "tenantry.yaml", "catalog", "tenants"]);
    git(&["commit", "--quiet", "--message", "one"]);
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    git(&["commit", "--quiet", "--all", "--message", "two"]);
    project.run(&["compile", "--rev", "HEAD"]).ok();
    project.run(&["publish"]).ok();
    assert!(head(&project).current.is_some_and(|it| it.commit.is_some_and(|it| it.len() == 40)));
    project.run(&["compile", "--rev", "HEAD~1", "--onto", "main"]).ok();
    project.run(&["publish"]).ends_with(4).says("does not descend from").says("`--allow-rewind`");
    project.run(&["publish", "--allow-rewind"]).ok();
    project.run(&["compile", "--rev", "HEAD", "--onto", "main"]).ok();
    project.run(&["publish"]).ok();
}
