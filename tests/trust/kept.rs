//! What is kept, in which order, and what becomes of it when it is damaged or the work is stopped.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry::time::Timestamp;
use tenantry::trust::updater::{Refreshed, UpdateError, Updater};

use crate::simulated::Simulated;
use crate::world::{World, now, refresh};

const ALL: [&str; 3] = ["targets", "snapshot", "timestamp"];

/// The version of everything that is kept under an unversioned name.
fn versions(kept: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&str, u64> {
    let version = |bytes: &Vec<u8>| {
        let json: Value = serde_json::from_slice(bytes).expect("JSON");
        json["signed"]["version"].as_u64().expect("a version")
    };
    kept.iter().filter(|(name, _)| !name.contains('/')).map(|(name, bytes)| (name.as_str(), version(bytes))).collect()
}

type Scenario = (&'static str, fn(&mut Simulated));

const SCENARIOS: [Scenario; 4] = [
    ("nothing new", |_| {}),
    ("a publication", |it| it.publish(&ALL)),
    ("a new root", |it| it.publish(&["root"])),
    ("new keys, and versions that begin again", |it| {
        it.rotate("timestamp");
        it.rotate("snapshot");
        ALL.iter().for_each(|role| it.says(role, "version", json!(0)));
        it.publish(&["root", "targets", "snapshot", "timestamp"]);
        it.publish(&["root"]);
    }),
];

#[test]
fn stopped_at_any_write_the_next_refresh_ends_where_it_would_have_ended() {
    let mut stops = 0;
    for (what, change) in SCENARIOS {
        let expected = {
            let world = seen(change);
            refresh(world.bound()).expect("sound");
            world.everything()
        };
        for writes in 0.. {
            let world = seen(change);
            let before = world.everything();
            world.writes_left.set(writes);
            let stopped = refresh(world.bound());
            let between = world.everything();
            world.writes_left.set(u32::MAX);
            if stopped.is_ok() {
                break;
            }
            stops += 1;
            assert!(matches!(stopped, Err(UpdateError::Shelf { .. })), "{what}, after {writes}: {stopped:?}");
            // What is kept never goes back, but for what a new root lets go of.
            for (name, version) in versions(&before) {
                let now = versions(&between).get(name).copied();
                let let_go = what.starts_with("new keys");
                assert!(now.is_some_and(|it| it >= version) || let_go, "{what}, after {writes}: {name}");
            }
            refresh(world.bound()).expect("it goes on");
            assert!(world.everything() == expected, "{what}, after {writes}");
        }
    }
    assert_eq!(stops, 3 + 2 + 9, "writes of all scenarios together");
}

/// A client that has seen version 5 of everything; then the repository changes.
fn seen(change: fn(&mut Simulated)) -> World {
    let world = World::ours("a");
    world.change(|it| {
        ALL.iter().for_each(|role| it.says(role, "version", json!(4)));
        it.publish(&ALL);
    });
    refresh(world.bound()).expect("sound");
    world.change(change);
    world
}

#[test]
fn floors_go_before_the_root_that_lets_go_of_them_comes() {
    let world = seen(SCENARIOS[3].1);
    world.writes_left.set(2);
    refresh(world.bound()).expect_err("stopped");
    let kept = world.everything();
    assert_eq!(versions(&kept), [("root.json", 1), ("targets.json", 5)].into());
}

#[test]
fn a_key_that_goes_takes_its_floors_along_even_where_another_has_signed_too() {
    // Of two keys one is stolen. The files that it has pushed forward bear the other's signature, too, and so would
    // still be floors; and the snapshot's floor stands in the way of a timestamp that begins again.
    for stolen in ["timestamp", "snapshot"] {
        let world = World::ours("a");
        world.change(|it| {
            it.add_key("root", stolen);
            it.publish(&["root"]);
            ALL.iter().for_each(|role| it.says(role, "version", json!(900)));
            it.publish(&ALL);
        });
        refresh(world.bound()).expect("sound, as far as anybody knows");
        world.change(|it| {
            let honest = it.pens[stolen][1].clone();
            it.signed.get_mut("root").expect("a root")["roles"][stolen]["keyids"] = json!([honest.id]);
            it.pens.insert(stolen.into(), vec![honest]);
            it.publish(&["root"]);
            ALL.iter().for_each(|role| it.says(role, "version", json!(9)));
            it.publish(&ALL);
        });
        assert_eq!(refresh(world.bound()).expect("it begins again"), Refreshed::Updated, "{stolen}");
        let kept = world.everything();
        let versions = versions(&kept);
        assert_eq!((versions["timestamp.json"], versions["snapshot.json"], versions["targets.json"]), (10, 10, 10));
    }
}

#[test]
fn a_damaged_file_is_fetched_again_and_nothing_breaks() {
    let sound = {
        let world = World::ours("a");
        world.change(|it| it.publish(&["root", "root", "targets", "snapshot", "timestamp"]));
        refresh(world.bound()).expect("sound");
        world
    };
    let whole = sound.everything();
    let mut damages = 0;
    for (name, bytes) in &whole {
        let mut broken = vec![Vec::new(), b"null".to_vec(), bytes[..bytes.len() / 2].to_vec()];
        broken.extend((0..bytes.len()).step_by(97).map(|at| {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x20;
            flipped
        }));
        for damaged in broken.into_iter().filter(|it| it != bytes) {
            damages += 1;
            sound.kept.replace(whole.clone());
            sound.kept.borrow_mut().insert(name.clone(), damaged);
            refresh(sound.bound()).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert_eq!(versions(&sound.everything()), versions(&whole), "{name}");
        }
    }
    assert!(damages > 100, "{damages}");
}

#[test]
fn what_is_kept_is_verified_again_without_the_network() {
    let world = World::ours("a");
    world.change(|it| {
        it.target("targets", "file", b"file");
        it.publish(&ALL);
    });
    let mut client = world.bound();
    assert!(!client.recall().expect("an empty shelf is no failure"));
    assert!(matches!(client.target("file"), Err(UpdateError::NothingTrusted)));
    client.refresh(now()).expect("sound");
    world.take_requests();

    let mut client = world.bound();
    assert!(client.recall().expect("sound"));
    assert!(client.target("file").expect("sound").is_some());
    let trusted = client.trusted().expect("recalled");
    let version = world.repository.borrow().version("timestamp");
    assert_eq!(trusted.timestamp.common.version.get(), version);
    let far = Timestamp::parse("2036-01-01").expect("a date");
    assert!(trusted.timestamp.common.expires < far, "the dates are there for whoever judges them");
    assert_eq!(world.take_requests(), Vec::<String>::new());

    let whole = world.everything();
    for name in ["timestamp.json", "snapshot.json", "targets.json"] {
        world.kept.replace(whole.clone());
        let mut damaged = whole[name].clone();
        let at = damaged.len() - 20;
        damaged[at] ^= 1;
        world.kept.borrow_mut().insert(name.into(), damaged);
        let mut client = world.bound();
        assert!(!client.recall().expect("damage is no failure"), "{name}");
        assert!(client.trusted().is_none());
    }
}

#[test]
fn what_was_delegated_is_recalled_from_the_shelf_and_not_fetched() {
    let world = World::ours("a");
    world.change(|it| {
        it.delegate("targets", "team", json!({ "paths": ["team/*"] }));
        it.says("team", "x-tenantry", json!({ "addr": "a", "environment": "production" }));
        it.target("team", "team/file", b"file");
        it.publish(&["team", "targets", "snapshot", "timestamp"]);
    });
    let mut client = world.bound();
    client.refresh(now()).expect("sound");
    assert!(client.recall().expect("sound"));
    world.take_requests();
    let error = client.target("team/file").expect_err("nobody has asked for it yet");
    assert_eq!(error.to_string(), "`team.json` is not in the repository");
    client.refresh(now()).expect("sound");
    assert!(client.target("team/file").expect("sound").is_some());
    assert!(client.recall().expect("sound"));
    world.take_requests();
    assert!(client.target("team/file").expect("it is kept").is_some());
    world.kept.borrow_mut().insert("team.json".into(), b"damaged".to_vec());
    assert!(client.recall().expect("sound"));
    client.target("team/file").expect_err("it is damaged, and nobody is asked");
    assert_eq!(world.take_requests(), Vec::<String>::new());
}

#[test]
fn another_tenants_shelf_is_not_recalled() {
    let world = World::ours("b");
    refresh(world.client()).expect("sound for anybody");
    assert!(!world.bound().recall().expect("no failure"));
}

#[test]
fn a_root_on_the_shelf_counts_only_if_the_pinned_one_leads_to_it() {
    let world = World::ours("a");
    let other = World::ours("a");
    // Another vendor's chain, which is longer: its first key is ours no more.
    other.change(|it| {
        it.rotate("root");
        (0..3).for_each(|_| it.publish(&["root"]));
    });
    for (path, bytes) in &other.repository.borrow().files {
        if let Some(name) = path.strip_prefix("metadata/").filter(|it| it.ends_with(".root.json")) {
            world.kept.borrow_mut().insert(format!("root_history/{name}"), bytes.clone());
            world.kept.borrow_mut().insert("root.json".into(), bytes.clone());
        }
    }
    assert_eq!(refresh(world.bound()).expect("the pinned root decides"), Refreshed::Updated);
    assert_eq!(world.everything()["root.json"], world.repository.borrow().files["metadata/1.root.json"]);
}

#[test]
fn the_history_of_roots_saves_asking_and_a_gap_in_it_is_filled() {
    let world = World::ours("a");
    world.change(|it| (0..4).for_each(|_| it.publish(&["root"])));
    refresh(world.bound()).expect("sound");
    let whole = world.everything();
    assert_eq!(whole.keys().filter(|it| it.starts_with("root_history/")).count(), 4, "all but the pinned one");
    world.take_requests();
    refresh(world.bound()).expect("sound");
    assert_eq!(world.take_requests(), ["6.root.json", "timestamp.json"]);

    world.kept.borrow_mut().remove("root_history/3.root.json");
    refresh(world.bound()).expect("sound");
    assert_eq!(world.take_requests(), ["3.root.json", "6.root.json", "timestamp.json"]);
    assert!(world.everything() == whole);

    world.kept.borrow_mut().remove("root_history/5.root.json");
    refresh(world.bound()).expect("sound");
    assert_eq!(world.take_requests(), ["6.root.json", "timestamp.json"], "`root.json` is the newest once more");
    assert!(world.everything() == whole);
}

#[test]
fn a_newer_pinned_root_needs_no_history() {
    let mut world = World::ours("a");
    world.change(|it| (0..4).for_each(|_| it.publish(&["root"])));
    let fourth = world.repository.borrow().files["metadata/4.root.json"].clone();
    world.pin(fourth);
    assert_eq!(refresh(world.bound()).expect("sound"), Refreshed::Updated);
    assert_eq!(world.take_requests()[..2], ["5.root.json", "6.root.json"]);
    let kept = world.everything();
    let history: Vec<&str> = kept.keys().filter_map(|it| it.strip_prefix("root_history/")).collect();
    assert_eq!(history, ["5.root.json"]);
}

#[test]
fn resuming_needs_a_root() {
    let world = World::ours("a");
    let resumed = Updater::resume(world.wire(), world.memory());
    assert!(matches!(resumed, Err(UpdateError::NoRoot)));
    refresh(world.bound()).expect("sound");
    let mut resumed = Updater::resume(world.wire(), world.memory()).expect("there is one now");
    assert_eq!(resumed.refresh(now()).expect("sound"), Refreshed::Unchanged);
}

#[test]
fn after_a_refresh_that_failed_nothing_is_trusted_until_the_next() {
    let world = World::ours("a");
    let mut client = world.bound();
    client.refresh(now()).expect("sound");
    assert!(client.trusted().is_some());
    let timestamp = world.repository.borrow_mut().files.remove("metadata/timestamp.json");
    client.refresh(now()).expect_err("it is missing");
    assert!(client.trusted().is_none(), "the root may have changed in between");
    assert!(client.recall().expect("what is kept is still good"));
    world.repository.borrow_mut().files.insert("metadata/timestamp.json".into(), timestamp.expect("it was there"));
    assert_eq!(client.refresh(now()).expect("sound"), Refreshed::Unchanged);
}
