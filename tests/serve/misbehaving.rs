//! Each switch does what it says and nothing else.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tenantry::digest::Sha256;
use tenantry::index::keys;
use tenantry::metadata::{self, Role, Root, Snapshot, Targets, TimestampRole};

use crate::project::{NOW, Project, time};
use crate::raw::{Answer, ask, get};
use crate::serving::Serving;
use crate::{development, serve};

/// A compiled project with throw-away keys.
fn compiled() -> Project {
    let project = development();
    project.run(&["compile"]).ok();
    project
}

fn path(key: &str) -> String {
    format!("/{key}")
}

/// One key of each kind, all of one tenant: root, timestamp, snapshot, targets, manifest, bundle.
fn one_of_each(project: &Project) -> [String; 6] {
    let addr = project.addr("acme");
    let index = project.index();
    let record = &index.tenants[&addr];
    let tree = record.bundles[0];
    [
        keys::root(1),
        keys::timestamp(&addr),
        keys::snapshot(&addr, record.snapshot.version),
        keys::targets(&addr, record.targets.version),
        keys::manifest(&addr, record.manifest.sha256),
        keys::archive(tree, index.bundles[&tree].sha256),
    ]
}

fn versions(address: SocketAddr, addr: &str, times: usize) -> Vec<u64> {
    let ask = |_| {
        let answer = get(address, &path(&keys::timestamp(addr)), &[]);
        metadata::open::<TimestampRole>(&answer.body).expect("a timestamp").role.version
    };
    (0..times).map(ask).collect()
}

#[test]
fn a_stale_edge_shows_the_newest_timestamp_and_the_one_before_it_in_turn() {
    let project = compiled();
    let server = serve(&project, &["--stale"]);
    let (acme, bolt) = (project.addr("acme"), project.addr("bolt"));
    assert_eq!(versions(server.address(), &acme, 3), [1, 1, 1], "there is only one");
    project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    server.says("publication 2: 1 changed");
    let mut shown = versions(server.address(), &acme, 4);
    assert!(shown == [1, 2, 1, 2] || shown == [2, 1, 2, 1], "{shown:?}");
    assert_eq!(versions(server.address(), &bolt, 3), [1, 1, 1]);
    project.edit("tenants/acme.yaml", "plan: starter", "plan: business");
    server.says("publication 3: 1 changed");
    shown = versions(server.address(), &acme, 4);
    assert!(shown == [2, 3, 2, 3] || shown == [3, 2, 3, 2], "{shown:?}");
}

#[test]
fn an_edge_that_never_asks_again_shows_the_timestamps_of_the_start() {
    let project = compiled();
    let server = serve(&project, &["--stale=start"]);
    let acme = project.addr("acme");
    // Nobody has asked for it before it changes.
    project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    server.says("publication 2: 1 changed");
    project.write("tenants/dune.yaml", crate::project::tenant("dune", "starter", "").1);
    server.says("publication 3: 1 changed");
    assert_eq!(versions(server.address(), &acme, 3), [1, 1, 1]);
    // What the old timestamp leads to is there, as in a store.
    assert_eq!(get(server.address(), &path(&keys::snapshot(&acme, 1)), &[]).status, 200);
    assert_eq!(versions(server.address(), &project.addr("dune"), 2), [3, 3], "an edge cannot know what was not there");
}

#[test]
fn offline_means_that_nobody_listens_or_that_the_origin_is_away() {
    let project = compiled();
    let refused = serve(&project, &["--offline"]);
    let error = ask(refused.address(), "GET", "/root/1.root.json", &[]).expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(refused.interrupt().0, 0);

    let away = serve(&project, &["--offline=503"]);
    for key in one_of_each(&project) {
        let answer = get(away.address(), &path(&key), &[]);
        assert_eq!((answer.status, answer.header("cache-control")), (503, Some("no-store")), "{key}");
    }
}

/// A role as it is served, with a signature that counts under the root.
fn role<T: Role>(server: &Serving, root: &Root, key: &str) -> (T, Answer) {
    let answer = get(server.address(), &path(key), &[]);
    assert_eq!(answer.status, 200, "{key}");
    let opened = metadata::open::<T>(&answer.body).expect("metadata of our profile");
    assert!(root.accepts(T::NAME, &opened.signed, &opened.signatures), "{key}");
    (opened.role, answer)
}

/// Timestamp, snapshot and targets as they are served, each named rightly by the one before; whether each holds.
fn chain(server: &Serving, project: &Project) -> [bool; 3] {
    let (addr, now) = (project.addr("acme"), time(NOW));
    let root = get(server.address(), &path(&keys::root(1)), &[]).body;
    let root = metadata::open::<Root>(&root).expect("a root").role;
    let (timestamp, _) = role::<TimestampRole>(server, &root, &keys::timestamp(&addr));
    let named = &timestamp.meta["snapshot.json"];
    let (snapshot, answer) = role::<Snapshot>(server, &root, &keys::snapshot(&addr, named.version));
    assert_eq!((Sha256::of(&answer.body), answer.body.len() as u64), (named.hashes.sha256, named.length));
    assert_eq!(snapshot.version, named.version);
    let named = &snapshot.meta["targets.json"];
    let (targets, answer) = role::<Targets>(server, &root, &keys::targets(&addr, named.version));
    assert_eq!((Sha256::of(&answer.body), answer.body.len() as u64), (named.hashes.sha256, named.length));
    assert_eq!(targets.version, named.version);
    assert_eq!(timestamp.version, 2, "a shell that knows the first must look at it");
    [timestamp.expires > now, snapshot.expires > now, targets.expires > now]
}

#[test]
fn what_has_expired_is_rightly_signed_and_one_role_only() {
    let project = compiled();
    for (switch, holds) in [
        ("--expired", [false, true, true]),
        ("--expired=timestamp", [false, true, true]),
        ("--expired=snapshot", [true, false, true]),
        ("--expired=targets", [true, true, false]),
    ] {
        let server = serve(&project, &[switch]);
        assert_eq!(chain(&server, &project), holds, "{switch}");
        assert_eq!(chain(&server, &project), holds, "{switch}, and the same again");
    }
    project.run(&["verify", "out"]).ok();
}

#[test]
fn an_expired_copy_is_the_same_file_each_time() {
    let project = compiled();
    let server = serve(&project, &["--expired"]);
    let key = path(&keys::timestamp(&project.addr("acme")));
    let first = get(server.address(), &key, &[]);
    let etag = first.header("etag").expect("a version").to_owned();
    assert_eq!(get(server.address(), &key, &[]).body, first.body);
    assert_eq!(get(server.address(), &key, &[("If-None-Match", &etag)]).status, 304);
}

#[test]
fn keys_that_others_trust_sign_nothing_that_has_expired() {
    let project = Project::small();
    project.compile();
    project.run(&["serve", "--expired"]).ends_with(6).says("environment `production`").says("`--development`");
    // Throw-away keys, but not those of this publication.
    let dev = &["serve", "--no-watch", "--expired", "--development", "--out", "out"];
    project.run(dev).ends_with(2).says("keys that signed what is served");
    // And those with a publication of their own beside the other one.
    let before = project.out();
    let server = serve(&project, &["--development", "--expired"]);
    let page = get(server.address(), "/", &[]).text();
    let addr = page.lines().find_map(|it| it.strip_suffix("  acme")).expect("the page lists tenants");
    let timestamp = get(server.address(), &path(&keys::timestamp(addr)), &[]).body;
    let timestamp = metadata::open::<TimestampRole>(&timestamp).expect("a timestamp").role;
    assert!(timestamp.expires < time(NOW) && timestamp.tenantry.environment == "development", "{timestamp:?}");
    assert!(project.out() == before, "the real publication is not touched");
    assert!(project.path(".tenantry/out/state/index.json").exists());
}

#[test]
fn a_slow_body_takes_its_time_and_arrives_whole() {
    let project = compiled();
    let fast = serve(&project, &[]);
    let server = serve(&project, &["--slow", "1000"]);
    let key = path(&keys::timestamp(&project.addr("acme")));
    let whole = get(fast.address(), &key, &[]);
    let began = Instant::now();
    let slow = get(server.address(), &key, &[]);
    let took = began.elapsed();
    assert_eq!(slow.body, whole.body);
    let least = Duration::from_millis(whole.body.len() as u64 - 150);
    assert!(took >= least, "{} bytes in {took:?}", whole.body.len());
    project.run(&["serve", "--slow", "0"]).ends_with(2);
}

#[test]
fn a_truncated_body_ends_half_way_below_its_full_length() {
    let project = compiled();
    let fast = serve(&project, &[]);
    let all = serve(&project, &["--truncate"]);
    let some = serve(&project, &["--truncate=manifest,bundle"]);
    for (at, key) in one_of_each(&project).iter().enumerate() {
        let whole = get(fast.address(), &path(key), &[]);
        let half = &whole.body[..whole.body.len() / 2];
        let cut = get(all.address(), &path(key), &[]);
        assert_eq!((cut.status, cut.announced(), &*cut.body), (200, whole.body.len(), half), "{key}");
        let answer = get(some.address(), &path(key), &[]);
        assert_eq!(answer.body.len(), if at < 4 { whole.body.len() } else { half.len() }, "{key}");
    }
    let key = path(&one_of_each(&project)[5]);
    let part = get(all.address(), &key, &[("Range", "bytes=10-29")]);
    assert_eq!((part.status, part.announced(), part.body.len()), (206, 20, 10), "a resumed download is cut too");
    assert_eq!(get(all.address(), "/root/9.root.json", &[]).text(), "there is no such object\n");
}

#[test]
fn one_bit_is_wrong_in_the_kinds_that_were_named() {
    let project = compiled();
    let honest = serve(&project, &[]);
    let keys = one_of_each(&project);
    for (switch, tampered) in [
        ("--tamper", &[4, 5][..]),
        ("--tamper=timestamp", &[1]),
        ("--tamper=manifest", &[4]),
        ("--tamper=bundle", &[5]),
        ("--tamper=root,snapshot,targets", &[0, 2, 3]),
    ] {
        let server = serve(&project, &[switch]);
        for (at, key) in keys.iter().enumerate() {
            let (right, shown) = (get(honest.address(), &path(key), &[]), get(server.address(), &path(key), &[]));
            let bits: u32 = right.body.iter().zip(&shown.body).map(|(a, b)| (a ^ b).count_ones()).sum();
            assert_eq!(
                (shown.body.len(), bits),
                (right.body.len(), u32::from(tampered.contains(&at))),
                "{switch} {key}"
            );
            assert_eq!(shown.header("etag"), right.header("etag"), "whoever tampers keeps quiet about it");
        }
    }
    project.run(&["serve", "--tamper=everything"]).ends_with(2);
}

#[test]
fn switches_add_up() {
    let project = compiled();
    let honest = serve(&project, &["--no-watch"]);
    let key = path(&keys::timestamp(&project.addr("acme")));
    let server =
        serve(&project, &["--no-watch", "--tamper=timestamp", "--truncate=timestamp", "--slow", "1000", "--stale"]);
    let right = get(honest.address(), &key, &[]).body;
    let began = Instant::now();
    let shown = get(server.address(), &key, &[]);
    assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
    assert_eq!((shown.announced(), shown.body.len()), (right.len(), right.len() / 2));

    // Old and expired at once: what is signed again is whichever timestamp the edge shows.
    let server = serve(&project, &["--expired=snapshot", "--stale", "--tamper=bundle"]);
    assert_eq!(chain(&server, &project), [true, false, true]);
    project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    server.says("publication 2: 1 changed");
    let mut shown = versions(server.address(), &project.addr("acme"), 2);
    shown.sort_unstable();
    assert_eq!(shown, [2, 3]);
}
