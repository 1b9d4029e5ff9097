//! What a device makes of rollouts, revoked versions and the oldest version that may start. docs/rollout.md says the same.

use std::collections::BTreeMap;

use serde::Deserialize;
use tenantry::bucket::Bucket;
use tenantry::client::{Client, Config, Start, Verdict};
use tenantry::manifest::RevokeMode;

use crate::device::{Device as _, World, at, verdicts};
use crate::life::another_release;
use crate::project::{NOW, Project};

/// A day after all else.
const NEXT: &str = "2026-11-24T00:00:00Z";

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    addr: String,
    unit: String,
    bucket: u32,
    among: BTreeMap<String, bool>,
}

#[test]
fn buckets_are_those_that_are_published() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rollout-vectors.json");
    let text = std::fs::read_to_string(path).expect("the vectors");
    let Vectors { vectors } = serde_json::from_str(&text).expect("vectors");
    assert!(vectors.len() > 20);
    for it in vectors {
        let bucket = Bucket::of(&it.addr, &it.unit);
        assert_eq!(bucket.place(), it.bucket, "{:?}", it.unit);
        for (percent, is_among) in it.among {
            let percent = percent.parse().expect("a number");
            assert_eq!(bucket.is_among(percent), is_among, "{:?} at {percent} %", it.unit);
        }
    }
}

#[test]
fn whoever_is_among_a_share_is_among_every_larger_one_and_shares_are_as_large_as_they_say() {
    const UNITS: u32 = 20_000;
    let mut among = [0_u32; 101];
    for unit in 0..UNITS {
        let bucket = Bucket::of("ybtujitmw5drlnquct2rwwgboems4wt7", &format!("device {unit}"));
        let first = (0..=100).find(|percent| bucket.is_among(*percent)).expect("all are among all");
        assert!((first..=100).all(|percent| bucket.is_among(percent)), "{bucket}");
        (first..=100).for_each(|percent| among[percent as usize] += 1);
    }
    assert_eq!((among[0], among[100]), (0, UNITS));
    for percent in [1_u32, 10, 25, 50, 99] {
        let (found, expected) = (among[percent as usize], UNITS * percent / 100);
        assert!(found.abs_diff(expected) < 250, "{found} of {UNITS} are among {percent} %");
    }
}

/// A second version of the chat that goes to a share of the devices.
fn second_version(project: &Project, percent: u32) {
    let rollout = format!("  rollout: {{ steps: [{{ from: \"2026-01-01\", percent: {percent} }}] }}\n");
    another_release(project, "chat", 2, &rollout);
}

fn device(world: &World, unit: &str) -> Client {
    let config = Config { dir: world.folder.path().join(unit), unit: Some(unit.to_owned()), ..world.config("acme") };
    world.try_client(config).expect("opens")
}

fn code(start: &Start) -> u32 {
    start.program("com.example.chat").and_then(|it| it.version.as_ref()).expect("it is there").code
}

#[test]
fn a_share_of_the_devices_takes_the_new_version_and_keeps_it_while_the_share_grows() {
    let project = Project::small();
    second_version(&project, 40);
    let world = World::of(project);
    let addr = world.project.addr("acme");
    let units: Vec<String> = (0..12).map(|it| format!("device {it}")).collect();
    let mut clients: Vec<Client> = units.iter().map(|it| device(&world, it)).collect();
    let mut before = vec![1; units.len()];
    for (percent, time) in [(40, "2026-11-23T01:00:00Z"), (70, "2026-11-23T02:00:00Z"), (100, "2026-11-23T03:00:00Z")] {
        second_version(&world.project, percent);
        world.publishes(time);
        let codes: Vec<u32> = clients
            .iter_mut()
            .map(|client| {
                client.refreshes(time);
                client.activate().expect("activates");
                code(&client.start(at(time)))
            })
            .collect();
        let expected = units.iter().map(|it| if Bucket::of(&addr, it).is_among(percent) { 2 } else { 1 });
        assert_eq!(codes, expected.collect::<Vec<u32>>(), "{percent} %");
        assert!(codes.iter().zip(&before).all(|(code, before)| code >= before), "{percent} %");
        before = codes;
    }
    assert!(before.iter().all(|it| *it == 2));
}

#[test]
fn a_device_gives_itself_a_name_when_a_share_first_matters_and_keeps_it() {
    let world = World::new();
    let mut client = world.installed("acme");
    let file = world.dir().join("device.json");
    assert!(!file.exists(), "nobody asked");
    second_version(&world.project, 50);
    world.publishes(NEXT);
    client.refreshes(NEXT);
    let name = std::fs::read(&file).expect("it has a name");
    client.activate().expect("activates");
    let before = code(&client.start(at(NEXT)));
    drop(client);
    let later = "2026-11-25T00:00:00Z";
    second_version(&world.project, 51);
    world.publishes(later);
    let mut client = world.client("acme");
    client.refreshes(later);
    assert_eq!(std::fs::read(&file).expect("it has a name"), name);
    client.activate().expect("activates");
    assert!(code(&client.start(at(later))) >= before);

    // A damaged name is no reason not to start, and a new one is found.
    std::fs::write(&file, "{}").expect("writes");
    let start = client.start(at(later));
    assert_eq!(start.notes, ["what this device remembers is damaged: who this device is"]);
    client.refreshes(later);
    assert_eq!(client.look(at(later)).notes, Vec::<String>::new());
}

#[test]
fn a_version_that_only_a_share_has_is_verified_like_every_other() {
    let project = Project::small();
    second_version(&project, 40);
    let world = World::of(project);
    world.project.run_at(NOW, &["verify", "out"]).ok();
}

/// A second version that is current and was started once, then revoked.
fn revoked(mode: &str) -> (World, Client) {
    let project = Project::small();
    another_release(&project, "chat", 2, "");
    let world = World::of(project);
    let mut client = world.installed("acme");
    assert_eq!(code(&client.look(at(NOW))), 2);
    another_release(
        &world.project,
        "chat",
        2,
        &format!("  revoked: {{ mode: {mode}, reason: It sends mails twice }}\n"),
    );
    world.publishes(NEXT);
    let stopped = client.refreshes(NEXT).stopped;
    assert_eq!(stopped.iter().map(|it| (&*it.app_id, it.code)).collect::<Vec<_>>(), [("com.example.chat", 2)]);
    (world, client)
}

#[test]
fn a_revoked_version_stops_before_the_update_is_activated_and_the_older_one_takes_its_place() {
    for (mode, verdict) in [("block", RevokeMode::Block), ("drain", RevokeMode::Drain)] {
        let (world, client) = revoked(mode);
        let why = Verdict::Revoked { mode: verdict };
        assert_eq!(verdicts(&client.look(at(NEXT))), [("chat", why), ("notes", Verdict::Runs)], "what runs is told");
        // Another process, without a network: it does not start.
        drop(client);
        let mut client = world.client("acme");
        assert_eq!(verdicts(&client.start(at("2026-11-28")))[0], ("chat", why));
        client.activate().expect("activates");
        let start = client.start(at(NEXT));
        assert_eq!((code(&start), verdicts(&start)[0]), (1, ("chat", Verdict::Runs)));
    }
}

#[test]
fn nothing_older_than_the_oldest_usable_version_starts_whatever_failed_and_without_a_network() {
    let world = World::new();
    let mut client = world.installed("acme");
    another_release(&world.project, "chat", 2, "  update_policy: { min_usable_version: 2 }\n");
    world.publishes(NEXT);
    client.refreshes(NEXT);
    let why = Verdict::TooOld { least: 2 };
    // Not activated yet.
    assert_eq!(verdicts(&client.look(at(NEXT))), [("chat", why), ("notes", Verdict::Runs)]);
    drop(client);
    let mut client = world.client("acme");
    assert_eq!(verdicts(&client.start(at("2026-11-29")))[0], ("chat", why));
    client.confirm_start().expect("confirms");
    // Activated, but it fails to start twice, and the device goes back.
    client.activate().expect("activates");
    assert_eq!(verdicts(&client.start(at(NEXT)))[0], ("chat", Verdict::Runs));
    client.start(at(NEXT));
    let start = client.start(at(NEXT));
    assert!(start.gave_up.is_some());
    assert_eq!((code(&start), verdicts(&start)[0]), (1, ("chat", why)));
}

#[test]
fn a_device_that_the_new_version_has_not_come_to_may_start_the_older_one() {
    let project = Project::small();
    let more =
        "  update_policy: { min_usable_version: 2 }\n  rollout: { steps: [{ from: \"2026-01-01\", percent: 40 }] }\n";
    another_release(&project, "chat", 2, more);
    let world = World::of(project);
    let addr = world.project.addr("acme");
    let unit = |is_among: bool| {
        let units = (0..).map(|it| format!("device {it}"));
        units.into_iter().find(|it| Bucket::of(&addr, it).is_among(40) == is_among).expect("one of many")
    };
    for (is_among, expected) in [(false, 1), (true, 2)] {
        let start = device(&world, &unit(is_among)).takes_up(NOW);
        assert_eq!((code(&start), verdicts(&start)[0]), (expected, ("chat", Verdict::Runs)));
    }
}
