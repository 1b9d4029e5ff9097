//! Nothing goes back, and what was pushed too far forward can be brought back by new keys (5.3.11, 5.4.3, 5.5.5).

use serde_json::json;

use crate::simulated::Simulated;
use crate::site::{Ended, Site, versions};

const ALL: [&str; 3] = ["targets", "snapshot", "timestamp"];

/// A client that has seen version 2 of everything but the root, with and without hashes.
fn seen_twice(pins: bool) -> Site {
    let site = Site::with(|it| {
        it.pins = pins;
        it.publish(&ALL);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.take_requests();
    site
}

/// Publishes a role again as version 1.
fn again_as_1(it: &mut Simulated, role: &str) {
    it.says(role, "version", json!(0));
    it.publish(&[role]);
}

#[test]
fn an_older_timestamp_is_refused() {
    for pins in [false, true] {
        let site = seen_twice(pins);
        site.change(|it| again_as_1(it, "timestamp"));
        assert_eq!(site.refresh(), Ended::Badly);
        assert_eq!(site.take_requests(), ["2.root.json", "timestamp.json"]);
        assert_eq!(site.trusted(), versions([("root", 1), ("snapshot", 2), ("targets", 2), ("timestamp", 2)]));
    }
}

#[test]
fn a_timestamp_that_names_an_older_snapshot_is_refused() {
    for pins in [false, true] {
        let site = seen_twice(pins);
        site.change(|it| {
            again_as_1(it, "snapshot");
            it.publish(&["timestamp"]);
        });
        assert_eq!(site.refresh(), Ended::Badly);
        assert_eq!(site.take_requests(), ["2.root.json", "timestamp.json"]);
        assert_eq!(site.trusted(), versions([("root", 1), ("snapshot", 2), ("targets", 2), ("timestamp", 2)]));
    }
}

#[test]
fn a_snapshot_that_names_older_targets_is_refused() {
    for pins in [false, true] {
        let site = seen_twice(pins);
        site.change(|it| {
            again_as_1(it, "targets");
            it.publish(&["snapshot", "timestamp"]);
        });
        assert_eq!(site.refresh(), Ended::Badly);
        assert_eq!(site.trusted(), versions([("root", 1), ("snapshot", 2), ("targets", 2), ("timestamp", 3)]));
    }
}

#[test]
fn a_snapshot_that_names_an_older_delegated_role_is_refused() {
    let site = Site::with(|it| {
        it.delegate("targets", "team", json!({ "paths": ["team/*"] }));
        it.publish(&["team"]);
        it.publish(&["team", "targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| {
        again_as_1(it, "team");
        it.publish(&["snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 1), ("snapshot", 2), ("targets", 2), ("timestamp", 3)]));
}

#[test]
fn a_snapshot_that_no_longer_names_a_role_is_refused() {
    let site = Site::with(|it| {
        it.delegate("targets", "team", json!({ "paths": ["team/*"] }));
        it.publish(&["team", "targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| {
        it.signed.get_mut("snapshot").expect("a snapshot")["meta"].as_object_mut().expect("a map").remove("team.json");
        it.publish(&["snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 1), ("snapshot", 2), ("targets", 2), ("timestamp", 3)]));
}

#[test]
fn a_snapshot_that_names_no_targets_is_none() {
    let site = Site::with(|it| {
        it.says("snapshot", "meta", json!({}));
        it.publish(&["snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
}

#[test]
fn a_root_cannot_be_skipped_or_served_again() {
    for version in [1, 3, 2_000_000] {
        let site = Site::with(|it| {
            it.says("root", "version", json!(version));
            let file = it.file("root");
            it.files.insert("metadata/2.root.json".into(), file);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{version}");
        assert_eq!(site.trusted(), versions([("root", 1)]));
    }
}

#[test]
fn new_timestamp_keys_bring_back_a_timestamp_that_was_pushed_forward() {
    let site = Site::with(|it| {
        it.says("timestamp", "version", json!(98));
        it.publish(&["timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| {
        it.rotate("timestamp");
        it.publish(&["root"]);
        again_as_1(it, "timestamp");
    });
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.trusted(), versions([("root", 2), ("snapshot", 1), ("targets", 1), ("timestamp", 1)]));
}

#[test]
fn new_keys_of_both_bring_back_a_snapshot_that_was_pushed_forward() {
    let site = Site::with(|it| {
        it.says("snapshot", "version", json!(98));
        it.publish(&["snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| {
        it.rotate("snapshot");
        it.rotate("timestamp");
        it.publish(&["root"]);
        again_as_1(it, "snapshot");
        it.publish(&["timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.trusted(), versions([("root", 2), ("snapshot", 1), ("targets", 1), ("timestamp", 3)]));
}

#[test]
fn new_snapshot_keys_bring_back_targets_that_were_pushed_forward() {
    let site = Site::with(|it| {
        it.delegate("targets", "team", json!({ "paths": ["team/*"] }));
        it.says("targets", "version", json!(98));
        it.publish(&["team", "targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| {
        it.rotate("snapshot");
        it.publish(&["root"]);
        it.signed.get_mut("snapshot").expect("a snapshot")["meta"].as_object_mut().expect("a map").remove("team.json");
        again_as_1(it, "targets");
        it.publish(&["snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.trusted(), versions([("root", 2), ("snapshot", 3), ("targets", 1), ("timestamp", 3)]));
}

#[test]
fn a_new_root_with_the_same_keys_brings_nothing_back() {
    let site = seen_twice(false);
    site.change(|it| {
        it.add_key("root", "timestamp");
        it.publish(&["root"]);
        again_as_1(it, "timestamp");
    });
    assert_eq!(site.refresh(), Ended::Badly, "a key was added, none was taken away");
    assert_eq!(site.trusted(), versions([("root", 2), ("snapshot", 2), ("targets", 2), ("timestamp", 2)]));
}
