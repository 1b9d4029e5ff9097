//! The whole way, with the real binary and servers that we have not written: from YAML through a bucket and the caches
//! of `docs/cdn/` to a device, and back again with a change.
#![expect(clippy::disallowed_methods, reason = "tests start servers, run the binary and look at its folders")]

#[path = "cdn/edges.rs"]
mod edges;
#[path = "support/parts.rs"]
#[expect(dead_code, reason = "others need Python and tough")]
mod parts;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/project.rs"]
mod project;
#[path = "support/raw.rs"]
#[expect(dead_code, reason = "others look at more of an answer")]
mod raw;
#[path = "support/servers.rs"]
mod servers;

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use tenantry::index::keys;
use tenantry::input::{Publishers, S3Spec};
use tenantry::publish::head::{HEAD, Head};
use tenantry::store::Store;
use tenantry::store::s3::S3Store;

use edges::Edge;
use project::{NOW, Project, Ran, program, run, small};
use raw::{ask, get};
use servers::RealServer;

/// For how long a cache may show a timestamp without asking, and one second.
const TIMESTAMPS_TIME: Duration = Duration::from_secs(61);

/// Where `state/` is, in a bucket that nobody reads without a key.
const PRIVATE: &str = "journey/";

/// A project, and the server that its one store `main` is on.
struct Journey {
    project: Project,
    server: RealServer,
}

/// What a device says after a refresh, by the names of programs.
#[derive(Debug, PartialEq, Eq)]
struct Fetched {
    gained: Vec<String>,
    lost: Vec<String>,
    runs: Vec<String>,
}

impl Fetched {
    fn new(gained: &[&str], lost: &[&str], runs: &[&str]) -> Fetched {
        let names = |it: &[&str]| it.iter().map(|name| format!("com.example.{name}")).collect();
        Fetched { gained: names(gained), lost: names(lost), runs: names(runs) }
    }
}

impl Journey {
    /// Three tenants and three programs, the third of which no plan has; keys that were made today.
    fn new(server: RealServer, store: &str) -> Journey {
        let mut files = small();
        files.extend(program("maps", ""));
        let journey = Journey { project: Project::new(files), server };
        journey.project.edit("tenantry.yaml", "spec:\n", &format!("spec:\n  stores: [{store}]\n"));
        journey.run(&["keys", "init", "--environment", "production"]).ok();
        journey
    }

    /// Runs the command now: a store has a clock of its own, and is asked what it says.
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.project.command(NOW, arguments);
        command.env_remove("SOURCE_DATE_EPOCH").envs(self.server.environment());
        run(&mut command)
    }

    fn publishes(&self, said: &str) {
        self.run(&["compile"]).ok();
        self.run(&["publish", "--store", "main"]).ok().says(said);
    }

    /// What a device that keeps its things in this folder gets through a cache.
    fn fetch(&self, edge: &Edge, tenant: &str, folder: &str) -> Fetched {
        let (url, addr) = (edge.url(), self.project.addr(tenant));
        let arguments = ["fetch", "--url", &url, "--tenant", &addr, "--dir", folder, "--platform", "12"];
        let said = self.run(&[&arguments[..], &["--format", "json"]].concat()).ok().json();
        let names = |list: &serde_json::Value| -> Vec<String> {
            let programs = list.as_array().expect("a list").iter();
            programs.map(|it| it["app_id"].as_str().expect("a name").to_owned()).collect()
        };
        let mut started = said["start"]["programs"].clone();
        started.as_array_mut().expect("a list").retain(|it| it["verdict"]["state"] == "runs");
        Fetched {
            gained: names(&said["update"]["gained"]),
            lost: names(&said["update"]["lost"]),
            runs: names(&started),
        }
    }

    fn store(&self, spec: &S3Spec) -> S3Store {
        S3Store::connect(spec, &self.server.login()).expect("credentials are given")
    }
}

fn head(store: &dyn Store) -> Head {
    let fetched = store.get(HEAD, 1 << 20).expect("the store answers").expect("there is a head");
    Head::parse(&fetched.bytes).expect("a head can be read")
}

fn listed(store: &dyn Store) -> Vec<String> {
    let mut keys = Vec::new();
    store.list("", &mut |page| keys.extend(page.into_iter().map(|it| it.key))).expect("the store answers");
    keys
}

/// Waits until a cache has found its store.
fn is_reached(edge: &Edge) {
    let began = Instant::now();
    while get(edge.address(), "/root/1.root.json", &[]).status != 200 {
        assert!(began.elapsed() < Duration::from_secs(60), "the first root never comes through {}", edge.url());
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_change_of_a_plan_reaches_a_device_through_a_bucket_and_two_caches() {
    let Some(server) = RealServer::seaweedfs() else { return };
    let endpoint = server.endpoint();
    let address: SocketAddr = endpoint["http://".len()..].parse().expect("an address and a port");
    let origin = edges::Store { address, path: "/public" };
    let (Some(nginx), Some(varnish)) = (Edge::nginx(origin), Edge::varnish(origin)) else { return };
    let place = |bucket: &str, more: &str| format!("s3: {{ bucket: {bucket}, endpoint: \"{endpoint}\"{more} }}");
    let private = place("tenantry", &format!(", prefix: {PRIVATE}"));
    let store = format!("{{ name: main, {}, state: {{ {private} }} }}", place("public", ""));
    let journey = Journey::new(server, &store);

    journey.publishes("main: publication 1 (before: nothing)");
    is_reached(&nginx);
    is_reached(&varnish);
    let first = Fetched::new(&["chat", "notes"], &[], &["chat", "notes"]);
    assert_eq!(journey.fetch(&varnish, "acme", "by-varnish"), first);
    assert_eq!(journey.fetch(&nginx, "acme", "by-nginx"), first);
    let shown = Instant::now();

    // What is private is in the other bucket, which shows nothing to strangers.
    let public = journey.store(&journey.server.spec("public"));
    let state = journey.store(&S3Spec { prefix: Some(PRIVATE.into()), ..journey.server.spec("tenantry") });
    assert!(listed(&public).iter().all(|key| !key.starts_with("state/")), "{:?}", listed(&public));
    assert!(listed(&state).iter().all(|key| key.starts_with("state/")), "{:?}", listed(&state));
    assert_eq!(get(address, &format!("/tenantry/{PRIVATE}{HEAD}"), &[]).status, 403);
    assert_eq!(head(&state).current.expect("a publication").guard, Publishers::Conditional);

    // The plan loses a program and gains another.
    journey.project.edit("catalog/plans/business.yaml", "com.example.chat", "com.example.maps");
    journey.publishes("main: publication 2 (before: 1)");
    let second = Fetched::new(&["maps"], &["chat"], &["maps", "notes"]);
    // One cache is told; the other finds out by itself when the time of what it has is over.
    let timestamp = format!("/{}", keys::timestamp(&journey.project.addr("acme")));
    assert_eq!(ask(varnish.address(), "PURGE", &timestamp, &[]).expect("an answer").status, 200);
    assert_eq!(journey.fetch(&varnish, "acme", "by-varnish"), second);
    thread::sleep(TIMESTAMPS_TIME.saturating_sub(shown.elapsed()));
    assert_eq!(journey.fetch(&nginx, "acme", "by-nginx"), second);
    for folder in ["by-varnish", "by-nginx"] {
        let files = project::read(&journey.project.path(folder));
        let has = |text: &str| files.values().any(|it| String::from_utf8_lossy(it).contains(text));
        assert_eq!((has("<h1>chat"), has("<h1>maps")), (false, true), "{folder}");
    }
    assert_eq!(journey.fetch(&nginx, "acme", "by-nginx"), Fetched::new(&[], &[], &["maps", "notes"]));

    // A fresh checkout has no `out/`: what the store holds is neither made nor sent again.
    fs::remove_dir_all(journey.project.path("out")).expect("it was compiled");
    journey.project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    journey.run(&["compile", "--onto", "main"]).ok().says("publication 3: 1 changed");
    let written: Vec<String> = journey.project.public().into_keys().filter(|it| !it.starts_with("root/")).collect();
    let own = journey.project.own("bolt");
    assert_eq!(written.len(), 4, "timestamp, snapshot, targets and manifest: {written:?}");
    assert!(written.iter().all(|it| own.contains(it)), "{written:?}");
    let before = listed(&public);
    journey.run(&["publish"]).ok().says("main: publication 3 (before: 2)");
    let added: Vec<String> = listed(&public).into_iter().filter(|it| !before.contains(it)).collect();
    assert_eq!(added.len(), 3, "all but the timestamp are new objects: {added:?}");
    assert_eq!(journey.fetch(&nginx, "bolt", "of-bolt"), Fetched::new(&["maps", "notes"], &[], &["maps", "notes"]));
    journey.run(&["publish"]).ok().says("main: publication 3, as before");
}

#[test]
fn a_store_that_knows_no_conditions_is_published_to_only_by_somebody_who_is_alone() {
    let Some(server) = RealServer::juicefs() else { return };
    let entry = server.yaml("main", "tenantry");
    let journey = Journey::new(server, &entry);
    journey.run(&["compile"]).ok();
    let store = journey.store(&journey.server.spec("tenantry"));

    journey
        .run(&["publish"])
        .ends_with(6)
        .says("error: store `main` does not keep two publishers apart: an object was created that was there")
        .says("help: `tenantry doctor` says more; if a lock outside lets only one publisher run at a time");
    let left = listed(&store);
    assert!(left.iter().all(|key| key.starts_with("state/probe/")), "nothing was put: {left:?}");

    journey.project.edit("tenantry.yaml", "{ name: main, ", "{ name: main, publishers: single, ");
    journey
        .run(&["publish"])
        .ok()
        .says("main: publication 1 (before: nothing)")
        .says("store `main` relies on there being one publisher only");
    let current = head(&store).current.expect("a publication");
    assert_eq!((current.publication, current.guard, current.finished), (1, Publishers::Single, true));
    let keys = listed(&store);
    let missing: Vec<String> = journey.project.public().into_keys().filter(|it| !keys.contains(it)).collect();
    assert_eq!(missing, Vec::<String>::new());
}
