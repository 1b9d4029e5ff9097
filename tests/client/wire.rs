//! The same over HTTP: a server on loopback, and a shell that asks it.

use std::time::{Duration, Instant};

use tenantry::client::{Client, Config, Pace};

use crate::device::{Device as _, World, at, running};
use crate::http::{Cdn, Fault};
use crate::project::NOW;

/// Patience of a test: half a second, and 1 KiB a second.
const PACE: Pace = Pace { least_rate: 1024, over: Duration::from_millis(500), in_all: Duration::from_secs(20) };

fn served() -> (World, Cdn) {
    let world = World::new();
    let cdn = Cdn::serve(&world.project.path("out"));
    (world, cdn)
}

fn config(world: &World, cdn: &Cdn) -> Config {
    let mut config = world.config("acme");
    config.base_url = cdn.base_url();
    config.limits.pace = PACE;
    config
}

fn client(world: &World, cdn: &Cdn) -> Client {
    Client::open(config(world, cdn)).expect("opens")
}

#[test]
fn a_tenants_programs_come_over_http() {
    let (world, cdn) = served();
    let mut client = client(&world, &cdn);
    assert_eq!(running(&client.takes_up(NOW)), ["chat", "notes"]);
    let requests = cdn.take_requests();
    // Root and timestamp, snapshot, targets, manifest, two bundles and an overlay.
    assert_eq!(requests.len(), 8, "{requests:?}");
}

#[test]
fn a_warm_refresh_takes_two_requests_and_no_bytes() {
    let (world, cdn) = served();
    drop(client(&world, &cdn).takes_up(NOW));
    cdn.take_requests();
    cdn.take_sent();
    let update = client(&world, &cdn).refreshes(NOW);
    assert_eq!((update.traffic.requests, update.traffic.bytes), (2, 0));
    assert_eq!((cdn.take_requests().len(), cdn.take_sent()), (2, 0));
}

#[test]
fn every_fault_on_the_wire_has_its_code_and_passes() {
    let (world, cdn) = served();
    let elsewhere = "http://127.0.0.1:9/".to_owned();
    for (path, fault, code) in [
        ("timestamp", Fault::Status(500), "server"),
        ("timestamp", Fault::Status(429), "server"),
        ("timestamp", Fault::Status(418), "not-our-server"),
        ("timestamp", Fault::Status(304), "not-our-server"),
        ("timestamp", Fault::Status(403), "missing"),
        ("timestamp", Fault::Hang, "too-slow"),
        ("timestamp", Fault::Cut(100), "cut-short"),
        ("timestamp", Fault::Cut(0), "cut-short"),
        ("timestamp", Fault::Short(100), "not-metadata"),
        ("timestamp", Fault::Html, "not-our-server"),
        ("timestamp", Fault::Endless, "too-long"),
        ("timestamp", Fault::Redirect(elsewhere.clone()), "redirected"),
        ("timestamp", Fault::Redirect("/t/again/timestamp.json".into()), "not-our-server"),
        ("timestamp", Fault::SaysGzip, "not-our-server"),
        ("timestamp", Fault::Noise, "not-our-server"),
        ("snapshot", Fault::Html, "not-our-server"),
        ("snapshot", Fault::Short(10), "mixed-up"),
        ("targets", Fault::Flip(300), "mixed-up"),
        ("manifest", Fault::Flip(300), "damaged"),
        ("manifest", Fault::Endless, "too-long"),
        ("manifest", Fault::Hang, "too-slow"),
        ("/o/", Fault::Status(503), "server"),
        ("/o/", Fault::Cut(10), "cut-short"),
        ("root", Fault::Redirect(elsewhere), "redirected"),
        ("root", Fault::Hang, "too-slow"),
    ] {
        std::fs::remove_dir_all(world.dir()).ok();
        cdn.breaks(path, fault.clone());
        let mut client = client(&world, &cdn);
        let began = Instant::now();
        let error = client.refused(NOW);
        assert_eq!(error.code(), code, "{path} {fault:?}: {error}");
        assert!(began.elapsed() < Duration::from_secs(5), "{path} {fault:?} took {:?}", began.elapsed());
        cdn.heal();
        assert_eq!(running(&client.takes_up(NOW)), ["chat", "notes"], "{path} {fault:?}");
    }
}

#[test]
fn bytes_that_come_one_by_one_are_given_up() {
    let (world, cdn) = served();
    cdn.breaks("manifest", Fault::Slow(Duration::from_millis(20)));
    let began = Instant::now();
    assert_eq!(client(&world, &cdn).refused(NOW).code(), "too-slow");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_refresh_ends_when_its_time_is_over() {
    let (world, cdn) = served();
    let mut config = config(&world, &cdn);
    // Fast enough by its rate, and too long in all.
    config.limits.pace = Pace { least_rate: 1, over: Duration::from_secs(5), in_all: Duration::from_millis(600) };
    cdn.breaks("manifest", Fault::Slow(Duration::from_millis(5)));
    let began = Instant::now();
    assert_eq!(Client::open(config).expect("opens").refused(NOW).code(), "too-slow");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn nobody_at_home_is_unreachable_and_the_shell_starts_at_once() {
    let (world, cdn) = served();
    drop(client(&world, &cdn).takes_up(NOW));
    let mut config = config(&world, &cdn);
    config.base_url = "http://127.0.0.1:9/".into();
    let mut client = Client::open(config).expect("opens");
    let began = Instant::now();
    assert_eq!(running(&client.start(at(NOW))), ["chat", "notes"]);
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
    assert_eq!(client.refused(NOW).code(), "unreachable");
}

#[test]
fn a_download_goes_on_over_http() {
    let (world, cdn) = served();
    drop(client(&world, &cdn).takes_up(NOW));
    for (path, text) in crate::project::program("chat", "") {
        world
            .project
            .write(&path.replace("chat/", "chat-2/"), text.replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0"));
    }
    let mut noise = vec![0; 300_000];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    world.project.write("catalog/programs/chat-2/app/large.bin", &noise);
    world.project.compile();
    for (fault, most) in [(None, 110_000), (Some(Fault::NoRanges), 310_000)] {
        let before = crate::listing::files(&world.dir());
        cdn.breaks("/o/", Fault::Cut(50_000));
        assert_eq!(client(&world, &cdn).refused(NOW).code(), "cut-short");
        cdn.heal();
        if let Some(fault) = fault {
            cdn.breaks("/o/", fault);
        }
        cdn.take_sent();
        client(&world, &cdn).takes_up(NOW);
        assert!(cdn.take_sent() < most);
        cdn.heal();
        std::fs::remove_dir_all(world.dir()).expect("removes");
        for (name, bytes) in before {
            let path = world.dir().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes a folder");
            std::fs::write(path, bytes).expect("writes");
        }
    }
}
