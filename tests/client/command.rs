//! `tenantry fetch`, the real binary against a server on loopback.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::device::World;
use crate::http::{Cdn, Fault};
use crate::listing::files;
use crate::project::{NOW, Project, Ran};

const NEXT: &str = "2026-11-24T00:00:00Z";

struct Fetching {
    world: World,
    cdn: Cdn,
}

impl Fetching {
    fn new() -> Fetching {
        Fetching::of(Project::small())
    }

    fn of(project: Project) -> Fetching {
        let world = World::of(project);
        let cdn = Cdn::serve(&world.project.path("out"));
        Fetching { world, cdn }
    }

    fn arguments<'a>(&'a self, url: &'a str, dir: &'a str, tenant: &'a str) -> Vec<&'a str> {
        vec!["fetch", "--url", url, "--tenant", tenant, "--dir", dir, "--platform", "12"]
    }

    fn fetch_at(&self, at: &str, tenant: &str, more: &[&str]) -> Ran {
        let (url, dir) = (self.cdn.base_url(), self.world.dir().to_string_lossy().into_owned());
        let mut arguments = self.arguments(&url, &dir, tenant);
        arguments.extend(more);
        self.world.project.run_at(at, &arguments)
    }

    fn fetch(&self, more: &[&str]) -> Ran {
        self.fetch_at(NOW, &self.world.project.addr("acme"), more)
    }
}

#[test]
fn it_says_what_was_gained_and_where_it_lies() {
    let fetching = Fetching::new();
    let ran = fetching.fetch(&[]).ok();
    let objects = fetching.world.dir().join("objects");
    let said = ran
        .stdout
        .replace(&*objects.to_string_lossy(), "OBJECTS")
        .replace(&fetching.world.project.addr("acme"), "ADDR");
    let shape: Vec<String> =
        said.lines().map(|line| line.split("OBJECTS/").next().unwrap_or_default().trim_end().to_owned()).collect();
    let size = |program: &str| {
        said.lines().find(|it| it.starts_with(&format!("runs     {program}"))).expect("it runs").to_owned()
    };
    assert_eq!(
        shape,
        [
            "gained   com.example.chat 1.0.0",
            "gained   com.example.notes 1.0.0",
            &size("com.example.chat"),
            "",
            &size("com.example.notes"),
            "",
            "",
            "fresh until 2026-11-30T00:00:00Z",
            shape.last().expect("a last line"),
        ],
        "{said}"
    );
    assert!(said.ends_with("refresh again at 2026-11-23T01:00:00Z\n"), "{said}");
    assert!(said.contains("publication 1 of ADDR (production): 8 requests and "), "{said}");
    for line in ran.stdout.lines().filter(|it| it.contains("objects/")) {
        assert!(!files(std::path::Path::new(line.trim())).is_empty(), "{line}");
    }
    assert_eq!(ran.stderr, "");
}

#[test]
fn with_nothing_new_it_says_what_runs() {
    let fetching = Fetching::new();
    fetching.fetch(&[]).ok();
    fetching.fetch(&[]).ok().says("2 requests and 0 B fetched").says("runs     com.example.chat 1.0.0");
}

#[test]
fn machines_get_one_document_whatever_happens() {
    let fetching = Fetching::new();
    let fetched = fetching.fetch(&["--format", "json"]).ok().json();
    assert_eq!(fetched["update"]["gained"][0]["app_id"], "com.example.chat");
    assert_eq!(fetched["start"]["programs"][1]["verdict"]["state"], "runs");
    assert_eq!(fetched["environment"], "production");
    let folder = fetched["start"]["programs"][0]["folder"].as_str().expect("a folder");
    assert_eq!(files(std::path::Path::new(folder)).into_keys().collect::<Vec<_>>(), ["index.html"]);

    fetching.cdn.breaks("timestamp", Fault::Status(503));
    let failed = fetching.fetch(&["--format", "json"]).ends_with(3).json();
    assert_eq!((&failed["error"]["code"], &failed["error"]["retry"]), (&Value::from("server"), &Value::from("later")));
    assert_eq!(failed["error"]["kept"]["publication"], 1);
    assert_eq!(failed["start"]["programs"][0]["verdict"]["state"], "runs");
}

#[test]
fn unreachable_is_3_and_says_what_is_kept() {
    let fetching = Fetching::new();
    fetching.cdn.breaks("timestamp", Fault::Status(503));
    fetching
        .fetch(&[])
        .ends_with(3)
        .says("nothing is installed yet, and nothing was kept")
        .says("help: try again later");
    fetching.cdn.heal();
    fetching.fetch(&[]).ok();
    fetching.cdn.breaks("timestamp", Fault::Status(503));
    fetching
        .fetch(&[])
        .ends_with(3)
        .says("publication 1 is kept and starts as before")
        .says("runs     com.example.chat");
}

#[test]
fn refused_is_5_and_says_why() {
    let fetching = Fetching::new();
    fetching.cdn.breaks("manifest", Fault::Flip(100));
    fetching.fetch(&[]).ends_with(5).says("is not what was signed for").says("help: ");
    fetching.cdn.heal();
    fetching.fetch_at("2027-03-01T00:00:00Z", &fetching.world.project.addr("acme"), &[]).ends_with(5).says("expired");
}

#[test]
fn a_change_of_the_licence_is_told_and_the_program_is_gone() {
    let fetching = Fetching::new();
    fetching.fetch(&[]).ok().says("runs     com.example.chat");
    fetching.world.project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    fetching.world.publishes(NEXT);
    let ran =
        fetching.fetch_at(NEXT, &fetching.world.project.addr("acme"), &[]).ok().says("lost     com.example.chat 1.0.0");
    assert!(!ran.stdout.contains("runs     com.example.chat"), "{}", ran.stdout);
    assert!(files(&fetching.world.dir()).values().all(|it| !String::from_utf8_lossy(it).contains("<h1>chat")));
}

#[test]
fn a_tenants_name_will_do_where_the_project_is_at_hand() {
    let fetching = Fetching::new();
    fetching.fetch_at(NOW, "acme", &[]).ok();
    fetching.fetch_at(NOW, "nobody", &[]).ends_with(2).says("there is no tenant `nobody`").says("help: ");
    fetching.world.project.remove("out/state/index.json");
    fetching.fetch_at(NOW, "acme", &[]).ends_with(2).says("`acme` is no address");
}

#[test]
fn the_root_is_that_of_the_development_keys_where_there_are_no_others() {
    let project = Project::new(crate::project::small());
    project.compile();
    let cdn = Cdn::serve(&project.path("out"));
    let dir = project.path("cache").to_string_lossy().into_owned();
    let addr = project.addr("acme");
    let arguments = ["fetch", "--url", &cdn.base_url(), "--tenant", &addr, "--dir", &dir];
    project.run(&arguments).ok().says("development keys are trusted here").says("runs     com.example.chat");
    // Named, the same; none at all, and it cannot begin.
    let root = project.path(".tenantry/development-keys/root/1.root.json").to_string_lossy().into_owned();
    project.run(&[&arguments[..], &["--root", &root]].concat()).ok();
    let elsewhere = Project::new([("README", "nothing")]);
    elsewhere.run(&arguments).ends_with(2).says("there is no root to trust");
    elsewhere.run(&[&arguments[..], &["--root", "nothing.json"]].concat()).ends_with(3).says("cannot read the root");
}

#[test]
fn what_cannot_be_used_is_wrong_usage() {
    let fetching = Fetching::new();
    let dir = fetching.world.dir().to_string_lossy().into_owned();
    let addr = fetching.world.project.addr("acme");
    fetching.world.project.run(&fetching.arguments("ftp://x", &dir, &addr)).ends_with(2).says("`base_url`");
    let home = fetching.world.project.path("").to_string_lossy().into_owned();
    let url = fetching.cdn.base_url();
    fetching.world.project.run(&fetching.arguments(&url, &home, &addr)).ends_with(2).says("which is not of a client");
    assert!(fetching.world.project.path("tenantry.yaml").exists());
}

#[test]
fn optional_programs_come_when_they_are_asked_for() {
    let project = Project::small();
    project.edit(
        "catalog/plans/business.yaml",
        "- app_id: com.example.chat",
        "- { app_id: com.example.chat, optional: true }",
    );
    let fetching = Fetching::of(project);
    fetching.fetch(&[]).ok().says("stands   com.example.chat 1.0.0: optional, and not fetched");
    fetching.fetch(&["--optional"]).ok().says("runs     com.example.chat 1.0.0");
}

#[test]
fn a_watch_takes_up_what_is_published() {
    let fetching = Fetching::new();
    let (url, dir) = (fetching.cdn.base_url(), fetching.world.dir().to_string_lossy().into_owned());
    let addr = fetching.world.project.addr("acme");
    let mut arguments = fetching.arguments(&url, &dir, &addr);
    arguments.extend(["--watch", "1", "--format", "json"]);
    let mut command = fetching.world.project.command(NOW, &arguments);
    let mut watching = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut lines = BufReader::new(watching.stdout.take().expect("a pipe")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("a line").expect("text");
        serde_json::from_str(&line).expect("one document a line")
    };
    assert_eq!(next()["update"]["gained"].as_array().map(Vec::len), Some(2));
    fetching.cdn.breaks("timestamp", Fault::Status(500));
    assert_eq!(next()["error"]["code"], "server");
    fetching.world.project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    fetching.world.project.compile();
    fetching.cdn.heal();
    let update = next();
    assert_eq!(update["update"]["lost"][0]["app_id"], "com.example.chat");
    assert_eq!(update["start"]["programs"].as_array().map(Vec::len), Some(1));
    watching.kill().expect("it runs");
    watching.wait().expect("it ends");
}
