//! Repositories without consistent snapshots.

use serde_json::json;

use crate::site::{Ended, Site, versions};

fn plain() -> Site {
    Site::with(|it| {
        it.says("root", "consistent_snapshot", json!(false));
        it.publish(&["root"]);
        it.delegate("targets", "team", json!({ "paths": ["team/*"] }));
        it.target("team", "team/file", b"file");
        it.files.insert("targets/team/file".into(), b"file".to_vec());
        it.publish(&["team", "targets", "snapshot", "timestamp"]);
    })
}

#[test]
fn files_are_asked_for_by_their_plain_names() {
    let site = plain();
    assert_eq!(site.download(&["team/file"]), Ended::Well);
    let expected = [
        "2.root.json",
        "3.root.json",
        "timestamp.json",
        "snapshot.json",
        "targets.json",
        "team.json",
        "targets/team/file",
    ];
    assert_eq!(site.take_requests(), expected);
    let kept = versions([("root", 2), ("snapshot", 2), ("targets", 2), ("team", 1), ("timestamp", 2)]);
    assert_eq!(site.trusted(), kept);
}

#[test]
fn a_new_version_is_found_under_the_same_name() {
    let site = plain();
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| it.publish(&["targets", "snapshot", "timestamp"]));
    site.take_requests();
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.take_requests(), ["3.root.json", "timestamp.json", "snapshot.json", "targets.json"]);
}

#[test]
fn a_file_that_has_moved_on_since_the_timestamp_is_refused() {
    let site = plain();
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| {
        it.publish(&["targets", "snapshot", "timestamp"]);
        // The snapshot is newer than the timestamp that names it.
        it.publish(&["snapshot"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 2), ("snapshot", 2), ("targets", 2), ("timestamp", 3)]));
}

#[test]
fn a_root_that_does_not_say_has_plain_names() {
    let site = Site::with(|it| {
        it.signed.get_mut("root").expect("a root").as_object_mut().expect("a map").remove("consistent_snapshot");
        it.publish(&["root", "targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.take_requests()[2..], ["timestamp.json", "snapshot.json", "targets.json"]);
}
