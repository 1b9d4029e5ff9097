//! What docs/cdn.md asks of any cache, asked of two.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tenantry::digest::Blake3;
use tenantry::index::{Index, keys};
use tenantry::store::{Cache, content_type};

use crate::clients;
use crate::edges::{Edge, Store};
use crate::raw::{Answer, ask, get};
use crate::relay::Relay;
use crate::serving::Serving;
use crate::site::Site;

/// A published folder behind a relay, and a cache in front of both.
struct Setup {
    edge: Edge,
    relay: Relay,
    _server: Serving,
    site: Site,
}

impl Setup {
    /// With the cache that this makes; none where that is not installed.
    fn new(edge: fn(Store<'_>) -> Option<Edge>) -> Option<Setup> {
        let site = small_site();
        let server = serve(&site);
        let relay = Relay::start(server.address());
        let edge = edge(Store { address: relay.address(), path: "" })?;
        let setup = Setup { edge, relay, _server: server, site };
        setup.is_reached();
        Some(setup)
    }

    /// Waits until the cache asks its store.
    fn is_reached(&self) {
        until("the first root comes through", || self.get("/root/1.root.json").status == 200);
        self.relay.take_requests();
    }

    fn get(&self, path: &str) -> Answer {
        get(self.edge.address(), path, &[])
    }

    fn index(&self) -> Index {
        clients::index(&self.site)
    }

    fn addr(&self) -> String {
        self.index().tenants.keys().next().expect("there are tenants").clone()
    }

    /// The path of a tenant's timestamp.
    fn timestamp(&self) -> String {
        format!("/{}", keys::timestamp(&self.addr()))
    }

    /// A new publication, in which every tenant has a new timestamp.
    fn publish(&self) {
        self.site.edit("catalog/plans/starter.yaml", "storage_gb: ", "storage_gb: 1");
        self.site.tenantry(&["compile"]);
    }
}

/// A project of a few tenants, compiled.
pub(crate) fn small_site() -> Site {
    let site = Site::new();
    let document = |kind: &str, name: &str, spec: &str| {
        format!("apiVersion: tenantry.dev/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec:\n{spec}")
    };
    site.write("tenantry.yaml", &document("Project", "small", "  base_url: https://cdn.example.com/\n"));
    site.write("catalog/shells/phone.yaml", &document("Shell", "phone", "  platform_codes: [12]\n"));
    site.write(
        "catalog/plans/starter.yaml",
        &document(
            "Plan",
            "starter",
            "  lookup_key: plan_starter\n  mini_programs:\n    - app_id: com.example.notes\n  entitlements:\n    storage_gb: 10\n",
        ),
    );
    let program = "  app_id: com.example.notes\n  name: Notes\n  version: { code: 1, name: 1.0.0 }\n  platform_version: { min_code: 10, target_code: 10 }\n  pages: [index.html]\n  review: { status: online, since: \"2026-01-01\" }\n  package: { path: app }\n";
    site.write("catalog/programs/notes/program.yaml", &document("MiniProgram", "notes", program));
    // Large enough, also when it is packed, for a cache that would like to compress it once more.
    let digits: String = (0..200).map(|at| Blake3::of(&[at]).to_string()).collect();
    site.write("catalog/programs/notes/app/index.html", &format!("<h1>Notes</h1>\n<p>{digits}\n"));
    for name in ["acme", "bolt", "corn"] {
        let spec = format!(
            "  tenant_id: t_{name}\n  plan: starter\n  license: {{ valid_from: \"2026-01-01\", valid_until: \"2036-01-01\" }}\n"
        );
        site.write(&format!("tenants/{name}.yaml"), &document("Tenant", name, &spec));
    }
    site.tenantry(&["compile"]);
    site
}

/// Serves what was compiled, and nothing else: whoever compiles is the test.
pub(crate) fn serve(site: &Site) -> Serving {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().args(["serve", "--port", "0", "--no-watch", "--project"]).arg(site.project());
    Serving::start(command)
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never came to this: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The same for both caches, so that neither is held to less.
macro_rules! both {
    ($($(#[$doc:meta])* $name:ident)*) => {
        mod nginx {
            use super::{Edge, Setup};
            $($(#[$doc])* #[test] fn $name() {
                if let Some(setup) = Setup::new(Edge::nginx) { super::$name(&setup); }
            })*
        }
        mod varnish {
            use super::{Edge, Setup};
            $($(#[$doc])* #[test] fn $name() {
                if let Some(setup) = Setup::new(Edge::varnish) { super::$name(&setup); }
            })*
        }
    };
}

both! {
    every_object_comes_through_as_it_is
    the_second_asks_the_cache
    a_root_is_found_from_every_tenant_and_fetched_once
    what_is_missing_is_asked_for_again_soon
    nothing_private_is_even_asked_for
    whoever_has_an_object_is_told_so
    a_part_can_be_had
    only_reading_is_possible
    nothing_of_the_asker_reaches_the_store
    a_new_timestamp_is_seen_when_the_old_ones_time_is_over
    the_last_timestamp_is_shown_while_the_store_is_away
}

fn every_object_comes_through_as_it_is(setup: &Setup) {
    for (addr, record) in &setup.index().tenants {
        let own = record.files(addr).map(|(key, _)| key);
        let bundles = setup.index().bundles.into_iter().map(|(tree, it)| keys::archive(tree, it.sha256));
        for key in own.chain(bundles).chain([keys::root(1)]) {
            let bytes = std::fs::read(setup.site.out().join(&key)).expect("it was published");
            let path = format!("/{key}");
            // A browser offers every encoding; what is compressed already is left alone.
            let answer = match key.ends_with(".json") {
                true => setup.get(&path),
                false => get(setup.edge.address(), &path, &[("Accept-Encoding", "gzip, br")]),
            };
            assert_eq!((answer.status, answer.body == bytes), (200, true), "{key}: {:?}", answer.headers);
            assert_eq!(answer.header("content-encoding"), None, "{key}");
            assert_eq!(answer.header("content-type"), Some(content_type(&key)), "{key}");
            let cache = Cache::of(&key).header().replace("max-age=60", "max-age=02");
            assert_eq!(answer.header("cache-control"), Some(&*cache), "{key}");
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{key}");
            assert!(answer.header("access-control-expose-headers").is_some_and(|it| it.contains("ETag")), "{key}");
            assert!(answer.header("etag").is_some_and(|it| it.starts_with('"')), "{key}: {:?}", answer.headers);
            assert_eq!(answer.header("accept-ranges"), Some("bytes"), "{key}");
            assert_eq!(answer.announced(), bytes.len(), "{key}");
            assert_eq!((answer.header("set-cookie"), answer.header("via")), (None, None), "{key}");
        }
    }
}

fn the_second_asks_the_cache(setup: &Setup) {
    let path = format!("/{}", keys::snapshot(&setup.addr(), 1));
    let first = setup.get(&path);
    let second = setup.get(&path);
    assert_eq!((first.header("x-cache"), second.header("x-cache")), (Some("MISS"), Some("HIT")));
    assert_eq!((second.body, second.headers.len()), (first.body, first.headers.len()));
    // A query is no part of a key, and makes no object of its own.
    assert_eq!(setup.get(&format!("{path}?now=1")).header("x-cache"), Some("HIT"));
    assert_eq!(setup.relay.take_requests().len(), 1);
}

fn a_root_is_found_from_every_tenant_and_fetched_once(setup: &Setup) {
    let root = setup.get("/root/1.root.json");
    for addr in setup.index().tenants.keys() {
        let answer = setup.get(&format!("/t/{addr}/1.root.json"));
        assert_eq!((answer.status, &answer.body), (200, &root.body));
    }
    assert_eq!(setup.relay.take_requests(), Vec::<String>::new(), "one object for all");
}

fn what_is_missing_is_asked_for_again_soon(setup: &Setup) {
    for addr in setup.index().tenants.keys() {
        let answer = setup.get(&format!("/t/{addr}/2.root.json"));
        assert_eq!((answer.status, answer.header("cache-control")), (404, Some("public, max-age=10")));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.text(), "there is no such object\n");
    }
    // All tenants wait for one root: the store is asked once, and in ten seconds again.
    assert_eq!(setup.relay.take_requests(), ["/root/2.root.json 403"]);
    thread::sleep(Duration::from_secs(11));
    assert_eq!(setup.get("/root/2.root.json").status, 404);
    assert_eq!(setup.relay.take_requests().len(), 1);
}

fn nothing_private_is_even_asked_for(setup: &Setup) {
    let addr = setup.addr();
    for path in [
        // A line end would end the first line of what the store is sent.
        &format!("/t/{addr}/timestamp.json%0a"),
        &format!("/t/{addr}/timestamp.json%0d%0aX-Injected:%20yes"),
        &format!("/t/{addr}/1.root.json%0a"),
        "/",
        "/?list-type=2",
        "/state/index.json",
        "/state/",
        "//state/index.json",
        "/root/../state/index.json",
        "/%73tate/index.json",
        "/t/..%2fstate/timestamp.json",
        "/o/%2e%2e/state/index.json",
        "/root/",
        "/root/pending.json",
        "/index.html",
    ] {
        let answer = setup.get(path);
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        assert!(!answer.text().contains("tenants"), "{path}: {answer:?}");
    }
    assert_eq!(setup.relay.take_requests(), Vec::<String>::new());
}

fn whoever_has_an_object_is_told_so(setup: &Setup) {
    let path = setup.timestamp();
    let etag = setup.get(&path).header("etag").expect("a version").to_owned();
    let known = [("If-None-Match", etag.as_str())];
    let answer = get(setup.edge.address(), &path, &known);
    assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, Some(etag.as_str())));
    assert!(answer.header("cache-control").is_some_and(|it| it.contains("must-revalidate")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(get(setup.edge.address(), &path, &[("If-None-Match", "\"other\"")]).status, 200);
    // The store is asked the same way when time is over, and what it has not changed is not sent again.
    thread::sleep(Duration::from_secs(3));
    setup.relay.take_requests();
    let answer = get(setup.edge.address(), &path, &known);
    assert_eq!((answer.status, setup.relay.take_requests()), (304, vec![format!("{path} 304")]));
}

fn a_part_can_be_had(setup: &Setup) {
    let index = setup.index();
    let (tree, archive) = index.bundles.iter().next().expect("there is a bundle");
    let path = format!("/{}", keys::archive(*tree, archive.sha256));
    let whole = std::fs::read(setup.site.out().join(&path[1..])).expect("it was published");
    // On a miss and on a hit.
    for _ in 0..2 {
        let part = get(setup.edge.address(), &path, &[("Range", "bytes=10-29")]);
        assert_eq!((part.status, &*part.body), (206, &whole[10..30]));
        assert_eq!(part.header("content-range"), Some(&*format!("bytes 10-29/{}", whole.len())));
    }
    let etag = setup.get(&path).header("etag").expect("a version").to_owned();
    let resumed = |known: &str| get(setup.edge.address(), &path, &[("Range", "bytes=10-"), ("If-Range", known)]);
    assert_eq!((resumed(&etag).status, resumed(&etag).body), (206, whole[10..].to_vec()));
    assert_eq!((resumed("\"other\"").status, resumed("\"other\"").body), (200, whole.clone()));
    let beyond = get(setup.edge.address(), &path, &[("Range", &format!("bytes={}-", whole.len()))]);
    assert_eq!(beyond.status, 416);
}

fn only_reading_is_possible(setup: &Setup) {
    let path = setup.timestamp();
    for method in ["POST", "PUT", "DELETE"] {
        let answer = ask(setup.edge.address(), method, &path, &[("Content-Length", "0")]).expect("an answer");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, OPTIONS")), "{method}");
    }
    let origin = [("Origin", "https://shell.example"), ("Access-Control-Request-Headers", "if-none-match")];
    let answer = ask(setup.edge.address(), "OPTIONS", &path, &origin).expect("an answer");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some("*")));
    assert!(answer.header("access-control-allow-headers").is_some_and(|it| it.contains("If-None-Match")));
    assert!(answer.header("access-control-allow-methods").is_some_and(|it| it.contains("GET")));
    assert_eq!(setup.relay.take_requests(), Vec::<String>::new());
    let head = ask(setup.edge.address(), "HEAD", &path, &[]).expect("an answer");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

fn nothing_of_the_asker_reaches_the_store(setup: &Setup) {
    let path = setup.timestamp();
    let own = [
        ("Cookie", "who=me"),
        ("Authorization", "Bearer me"),
        ("Origin", "https://evil.example"),
        ("Accept-Encoding", "gzip"),
    ];
    let first = get(setup.edge.address(), &path, &own);
    assert_eq!((first.status, first.header("x-cache")), (200, Some("MISS")));
    let second = setup.get(&path);
    assert_eq!((second.header("x-cache"), &second.body), (Some("HIT"), &first.body));
    let host = get(setup.edge.address(), &path, &[("Host", "evil.example"), ("X-Forwarded-Host", "evil.example")]);
    assert_eq!((host.status, host.header("x-cache")), (200, Some("HIT")));
    let heard = setup.relay.heard();
    assert!(heard.contains(&path), "{heard}");
    for private in ["who=me", "Bearer me", "evil.example", "Accept-Encoding: gzip"] {
        assert!(!heard.contains(private), "{heard}");
    }
}

fn a_new_timestamp_is_seen_when_the_old_ones_time_is_over(setup: &Setup) {
    let path = setup.timestamp();
    let old = setup.get(&path);
    setup.publish();
    let new = std::fs::read(setup.site.out().join(&path[1..])).expect("it was published");
    assert_ne!(new, old.body);
    assert_eq!(setup.get(&path).body, old.body, "its time is not over");
    // Nobody asks for a while; the first who does must not be given the old one, as with `stale-while-revalidate`.
    thread::sleep(Duration::from_millis(3_100));
    assert_eq!(setup.get(&path).body, new);
}

fn the_last_timestamp_is_shown_while_the_store_is_away(setup: &Setup) {
    let path = setup.timestamp();
    let known = setup.get(&path);
    setup.relay.set_away(true);
    // Longer than the time of a timestamp, and than the ten seconds for which Varnish keeps everything anyway.
    thread::sleep(Duration::from_secs(15));
    // Varnish finds out by asking from time to time; who comes before that is refused, and comes again.
    until("the old one is shown", || setup.get(&path).body == known.body);
    let unknown = setup.get(&format!("/{}", keys::targets(&setup.addr(), 1)));
    assert!(matches!(unknown.status, 500..=504), "{unknown:?}");
    setup.publish();
    setup.relay.set_away(false);
    let new = std::fs::read(setup.site.out().join(&path[1..])).expect("it was published");
    until("the new one is shown", || setup.get(&path).body == new);
}

#[test]
fn varnish_forgets_an_object_when_it_is_told_to_by_this_machine() {
    let Some(setup) = Setup::new(Edge::varnish) else { return };
    let path = setup.timestamp();
    setup.get(&path);
    setup.publish();
    let new = std::fs::read(setup.site.out().join(&path[1..])).expect("it was published");
    let purged = ask(setup.edge.address(), "PURGE", &path, &[]).expect("an answer");
    assert_eq!(purged.status, 200);
    assert_eq!(setup.get(&path).body, new);
}

#[test]
fn nginx_compresses_json_for_whoever_takes_it_and_knows_it_again() {
    let Some(setup) = Setup::new(Edge::nginx) else { return };
    let index = setup.index();
    let (addr, record) = index.tenants.iter().next().expect("there are tenants");
    let path = format!("/{}", keys::manifest(addr, record.manifest.sha256));
    let plain = setup.get(&path);
    let packed = get(setup.edge.address(), &path, &[("Accept-Encoding", "gzip")]);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < plain.body.len());
    let weak = packed.header("etag").expect("a version");
    assert!(weak.starts_with("W/"), "other bytes are another version: {weak}");
    assert_eq!(get(setup.edge.address(), &path, &[("If-None-Match", weak)]).status, 304);
}
