//! The commands, on directories.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tenantry::index::Index;
use tenantry::publish::head::{HEAD, Head, Kind};

use crate::project::{Files, NOW, Project, read, run, small, write_fixed_keys};
use crate::refresh::{FIFTEENTH_DAY, FOURTH_DAY};

/// A compiled project with one store, a directory.
pub(crate) fn project() -> Project {
    let project = Project::in_memory(small());
    write_fixed_keys(&project.path("keys"), "production");
    let text = fs::read_to_string(project.path("tenantry.yaml")).expect("a project");
    project.write("tenantry.yaml", format!("{text}  stores: [{{ name: main, directory: public }}]\n"));
    project.compile();
    project
}

fn published() -> Project {
    let project = project();
    project.run(&["publish"]).ok();
    project
}

/// What lies in the store, without what the file system needs for itself.
pub(crate) fn store(project: &Project) -> Files {
    let mut files = read(&project.path("public"));
    files.retain(|key, _| !key.starts_with('.'));
    files
}

fn head(project: &Project) -> Head {
    Head::parse(&store(project)[HEAD]).expect("a head")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|it| serde_json::from_str(it).expect("a JSON document a line")).collect()
}

#[test]
fn a_refresh_says_what_was_due_and_does_nothing_twice() {
    let project = published();
    let before = store(&project);
    project
        .run_at("2026-11-24", &["refresh"])
        .ok()
        .says("main: nothing was due in publication 1; the next is on 2026-11-26T12:00:00Z");
    project.run_at(FOURTH_DAY, &["refresh", "--dry-run"]).ok().says("would sign again 3 timestamps").says("`acme`");
    assert!(store(&project) == before);
    project
        .run_at(FOURTH_DAY, &["refresh"])
        .ok()
        .says("main: publication 2 (before: 1)")
        .says("signed again 3 timestamps")
        .says("3 half of their life over");
    let current = head(&project).current.expect("a publication");
    assert_eq!((current.kind, current.publication, current.finished), (Kind::Refresh, 2, true));
    let settled = store(&project);
    project.run_at(FOURTH_DAY, &["refresh"]).ok().says("nothing was due in publication 2");
    assert!(store(&project) == settled);
    project.run_at(FOURTH_DAY, &["refresh", "--all"]).ok().says("3 asked for");
    // What was compiled before is not what the store shows any more, and compiling again is all there is to do.
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.run_at(FOURTH_DAY, &["compile"]).ok();
    project.run_at(FOURTH_DAY, &["publish"]).ends_with(4).says("compile again with `--onto main`");
    project.run_at(FOURTH_DAY, &["compile", "--onto", "main"]).ok().says("1 changed");
    project.run_at(FOURTH_DAY, &["publish"]).ok();
}

/// A scheduled job that has nothing but the project's file, the public roots, and one key in a variable.
#[test]
fn the_job_with_the_freshness_key_alone_says_what_it_cannot_do_and_in_time() {
    let project = published();
    let pem = |role: &str| {
        let mut files = fs::read_dir(project.path("keys")).expect("a folder").map(|it| it.expect("an entry").path());
        let path = files.find(|it| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with(role)));
        fs::read_to_string(path.expect("a key")).expect("text")
    };
    let (freshness, entitlement) = (pem("freshness-"), pem("entitlement-"));
    for file in fs::read_dir(project.path("keys")).expect("a folder") {
        let path = file.expect("an entry").path();
        if path.is_file() {
            fs::remove_file(path).expect("removes");
        }
    }
    fs::remove_dir_all(project.path("tenants")).expect("removes");
    fs::remove_dir_all(project.path("catalog")).expect("removes");
    let job = |at: &str, keys: &[(&str, &str)]| {
        let mut command = project.command(at, &["refresh"]);
        run(command.envs(keys.iter().copied()))
    };
    let own = [("TENANTRY_FRESHNESS_KEY", freshness.as_str())];
    job(FOURTH_DAY, &[]).ends_with(3).says("no freshness key of root 1 is at hand");
    job(FOURTH_DAY, &own).ok().says("signed again 3 timestamps");
    job(FIFTEENTH_DAY, &own)
        .ok()
        .says("signed again 3 timestamps")
        .says("the entitlements of 3 tenants should be signed again, and there is no entitlement key here; the first expire on 2026-12-23T00:00:00Z");
    job("2026-12-20T23:59:59Z", &own).ok();
    // Less than two days are left: whoever looks after the job must hear of it.
    let late =
        job("2026-12-21", &own).ends_with(6).says("the entitlements of 3 tenants expire before 2026-12-23T00:00:00Z");
    assert!(late.stderr.contains("help: run `tenantry refresh` where the entitlement key is"), "{late:?}");
    job("2026-12-21", &[own[0], ("TENANTRY_ENTITLEMENT_KEY", entitlement.as_str())])
        .ok()
        .says("signed again 0 timestamps and 3 entitlements");
    job("2026-12-22", &own).ok().says("nothing was due");
}

#[test]
fn machines_get_one_document_a_line() {
    let project = published();
    let events = |ran: crate::project::Ran| lines(&ran.ok().stdout);
    let quiet = events(project.run(&["refresh", "--format", "json"]));
    assert_eq!(quiet[0]["event"], "due");
    assert_eq!(quiet.last().expect("a summary")["stores"][0]["outcome"], "nothing");
    let loud = events(project.run_at(FOURTH_DAY, &["refresh", "--format", "json"]));
    assert_eq!(loud[0]["due"]["timestamps"].as_array().map(Vec::len), Some(3));
    assert_eq!(loud[0]["due"]["timestamps"][0]["why"], "due");
    let names: BTreeSet<&str> = loud.iter().filter_map(|it| it["event"].as_str()).collect();
    assert!(["plan", "committed", "finished", "signed", "done"].iter().all(|it| names.contains(it)), "{names:?}");
    let back =
        lines(&project.run_at(FOURTH_DAY, &["rollback", "--to", "1", "--reason", "x", "--format", "json"]).ok().stdout);
    assert_eq!(back[0]["way"]["same"], 3);
    let survey = project.run_at(FOURTH_DAY, &["gc", "--dry-run", "--format", "json"]).ok().json();
    assert_eq!((&survey[0]["store"], &survey[0]["deleted"]), (&"main".into(), &false.into()));
    assert_eq!(survey[0]["retained"].as_array().map(Vec::len), Some(2));
    let failed = lines(&project.run(&["refresh", "--store", "moon", "--format", "json"]).ends_with(2).stdout);
    assert_eq!(failed[0]["failed"][0]["exit"], 2);
}

#[test]
fn going_back_needs_a_reason_is_recorded_and_says_what_else_to_do() {
    let project = published();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    project.run(&["publish"]).ok();
    let before = store(&project);
    project.run(&["rollback", "--to", "1"]).ends_with(2).says("--reason <TEXT>");
    project.run(&["rollback", "--to", "7", "--reason", "r"]).ends_with(2).says("it remembers 1, 2");
    project
        .run(&["rollback", "--to", "1", "--dry-run"])
        .ok()
        .says("back to what publication 1")
        .says("1 tenant changes, 2 as they are")
        .says("tenant `bolt`: 1 programs (today 2)");
    assert!(store(&project) == before);
    project
        .run(&["rollback", "--to", "1", "--reason", "chat crashes on start"])
        .ok()
        .says("main: publication 3 (before: 2)")
        .says("revert it in git too");
    let current = head(&project).current.expect("a publication");
    assert_eq!((current.kind, current.reason.as_deref()), (Kind::Rollback, Some("chat crashes on start")));
    project.run(&["rollback", "--to", "1", "--reason", "again"]).ok().says("nothing has changed since publication 1");
    // The project still says what it said.
    project.run(&["compile", "--onto", "main"]).ok().says("publication 4: 1 changed");
    project.run(&["publish"]).ok().says("main: publication 4 (before: 3)");
}

/// Who is bound to another region by now does not come back where they once were.
#[test]
fn a_tenant_that_went_to_another_region_stays_there() {
    let project = project();
    project.edit(
        "tenantry.yaml",
        "directory: public }]",
        "directory: public }, { name: eu, directory: eu, regions: [eu] }]",
    );
    project.run(&["compile", "--onto", "all"]).ok();
    project.run(&["publish"]).ok();
    let bolt = project.addr("bolt");
    project.edit("tenants/bolt.yaml", "  plan: starter", "  plan: starter\n  data_region: eu");
    project.run_at("2026-11-24", &["compile", "--onto", "all"]).ok();
    project.run_at("2026-11-24", &["publish"]).ok();
    let back = ["rollback", "--to", "1", "--store", "main", "--restore-removed", "--reason", "r"];
    project
        .run_at("2026-11-24", &back)
        .ok()
        .says("tenant `bolt` was removed since, and stays away")
        .says("nothing has changed since publication 1");
    let index = |folder: &str| {
        let files = read(&project.path(folder));
        let (key, bytes) = files.iter().rfind(|(key, _)| key.ends_with(".index.json")).expect("an index");
        Index::parse(bytes).unwrap_or_else(|why| panic!("{key}: {why}"))
    };
    assert!(!index("public").tenants.contains_key(&bolt) && index("eu").tenants.contains_key(&bolt));
}

#[test]
fn a_root_that_has_expired_signs_nothing_and_one_that_soon_will_is_said() {
    let project = published();
    project
        .run_at("2027-11-20", &["refresh"])
        .ok()
        .says("root 1 expires in 3 days")
        .says("and the newest root expires on 2027-11-23T00:00:00Z: shells go by the root");
    let before = store(&project);
    project.run_at("2027-11-23", &["refresh"]).ends_with(6).says("root 1 expired on 2027-11-23T00:00:00Z");
    assert!(store(&project) == before);
}

#[test]
fn a_collection_explains_itself_before_it_deletes() {
    let project = published();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    project.run(&["publish"]).ok();
    project.write("public/t/readme.txt", "somebody's own");
    let before = store(&project);
    let small = ["--keep", "1", "--keep-for", "PT0S"];
    let gc = |at: &str, more: &[&str]| project.run_at(at, &[&["gc"], &small[..], more].concat());
    project
        .run(&["gc", "--dry-run"])
        .ok()
        .says("would delete 0 objects")
        .says("to go back to: publication 1, among the last 10")
        .says("1 object (14 B): foreign, never touched");
    gc(NOW, &["--dry-run"]).ok().says("waiting for the end of their grace");
    assert!(store(&project) == before);
    project.run(&["gc", "--grace", "soon"]).ends_with(2).says("`--grace soon` cannot be read");
    // Real files have real times: what was put after the mark is new, so the marks are set later than that.
    gc("2036-11-24", &[]).ok().says("deleted 0 objects").says("the first until 2036-11-25T00:00:00Z");
    gc("2036-11-25", &["--dry-run"]).ok().says("would delete");
    let marked = store(&project);
    gc("2036-11-25", &[]).ok().says("unreferenced since 2036-11-24T00:00:00Z or longer");
    let after = store(&project);
    assert!(after.len() < marked.len() && after.contains_key("t/readme.txt"));
    let index = &project.index();
    assert!(index.public_files().all(|key| after.contains_key(&key)), "all that is current is there");
    gc("2036-11-26", &[]).ok().says("deleted 0 objects");
    project.run_at("2036-11-26", &["rollback", "--to", "1", "--reason", "r"]).ends_with(6);
    let empty = self::project();
    empty.run(&["gc"]).ends_with(6).says("shows no publication that has tenants: nothing is deleted");
}
