//! What is asked for, in which order, and what is kept (5.1 to 5.6).

use serde_json::json;

use crate::site::{Ended, Site, versions};

const ALL: [(&str, u64); 4] = [("root", 1), ("snapshot", 1), ("targets", 1), ("timestamp", 1)];

#[test]
fn a_first_refresh_asks_in_the_order_of_the_standard() {
    let site = Site::new();
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.take_requests(), ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]);
    assert_eq!(site.trusted(), versions(ALL));
}

#[test]
fn a_refresh_with_nothing_new_asks_for_two_files() {
    let site = Site::refreshed();
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.take_requests(), ["2.root.json", "timestamp.json"]);
}

#[test]
fn metadata_is_kept_byte_for_byte() {
    let site = Site::with(|it| it.files.get_mut("metadata/timestamp.json").expect("a timestamp").push(b'\n'));
    assert_eq!(site.refresh(), Ended::Well);
    let served = site.shared().repository.files.clone();
    let kept = site.kept("metadata");
    for (name, path) in [
        ("root.json", "metadata/1.root.json"),
        ("timestamp.json", "metadata/timestamp.json"),
        ("snapshot.json", "metadata/1.snapshot.json"),
        ("targets.json", "metadata/1.targets.json"),
    ] {
        assert_eq!(kept[name], served[path], "{name}");
    }
    assert_eq!(kept.len(), 4, "and nothing else lies there");
}

#[test]
fn a_download_refreshes_first() {
    let site = Site::new();
    assert_eq!(site.download(&["nothing.txt"]), Ended::Badly);
    assert_eq!(site.trusted(), versions(ALL));
}

#[test]
fn a_given_root_that_is_no_root_is_not_used() {
    let site = Site::new();
    let root = site.shared().repository.signed["root"].clone();
    for broken in [json!({}), json!([]), json!({ "signatures": [], "signed": root })] {
        site.init(broken.to_string().as_bytes());
        assert_eq!(site.refresh(), Ended::Badly);
        assert_eq!(site.take_requests(), Vec::<String>::new(), "nothing is asked of anybody");
    }
}

#[test]
fn a_given_root_without_a_version_is_not_used() {
    let site = Site::with(|it| {
        it.signed.get_mut("root").expect("a root").as_object_mut().expect("a map").remove("version");
        let file = it.file("root");
        it.says("root", "version", json!(1));
        it.files.insert("given".into(), file);
    });
    let given = site.shared().repository.files["given"].clone();
    site.init(&given);
    assert_eq!((site.refresh(), site.take_requests()), (Ended::Badly, vec![]));
}

#[test]
fn a_role_that_is_not_signed_ends_the_refresh_there() {
    for (role, kept) in [
        ("root", versions([("root", 1)])),
        ("timestamp", versions([("root", 2)])),
        ("snapshot", versions([("root", 2), ("timestamp", 2)])),
        ("targets", versions([("root", 2), ("snapshot", 2), ("timestamp", 2)])),
    ] {
        let site = Site::with(|it| {
            it.pens.insert(role.into(), vec![]);
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{role}");
        assert_eq!(site.trusted(), kept, "{role}");
    }
}

#[test]
fn a_file_of_another_version_than_its_name_says_is_refused() {
    for (role, kept) in [
        ("root", versions([("root", 1)])),
        ("snapshot", versions([("root", 1), ("timestamp", 2)])),
        ("targets", versions([("root", 1), ("snapshot", 2), ("timestamp", 2)])),
    ] {
        let site = Site::with(|it| {
            it.publish(&["targets", "snapshot", "timestamp"]);
            it.says(role, "version", json!(3));
            let other = it.file(role);
            it.files.insert(format!("metadata/2.{role}.json"), other);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{role}");
        assert_eq!(site.trusted(), kept, "{role}");
    }
}

#[test]
fn a_timestamp_of_the_same_version_is_not_looked_at_twice() {
    let site = Site::refreshed();
    site.change(|it| {
        it.says("timestamp", "meta", json!({ "snapshot.json": { "version": 100 } }));
        it.says("timestamp", "version", json!(0));
        it.publish(&["timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.take_requests(), ["2.root.json", "timestamp.json"]);
}

#[test]
fn hashes_in_metadata_are_checked_where_they_are_given() {
    let site = Site::with(|it| {
        it.pins = true;
        it.publish(&["targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| {
        it.publish(&["targets"]);
        it.signed.get_mut("snapshot").expect("a snapshot")["meta"]["targets.json"]["hashes"]["sha256"] =
            json!("46419349341cfb2d95f6ae3d4cd5c3d3dd7f4673985dad42a45130be5e0531a0");
        it.publish(&["snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 1), ("snapshot", 3), ("targets", 2), ("timestamp", 3)]));
}

#[test]
fn a_length_in_metadata_is_checked_where_it_is_given() {
    for length in [1, 1_000_000] {
        let site = Site::with(|it| {
            it.publish(&["snapshot"]);
            it.says("timestamp", "meta", json!({ "snapshot.json": { "version": 2, "length": length } }));
            it.publish(&["timestamp"]);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{length}");
        assert_eq!(site.trusted(), versions([("root", 1), ("timestamp", 2)]));
    }
}

#[test]
fn fields_that_nobody_knows_are_signed_all_the_same() {
    let site = Site::refreshed();
    site.change(|it| {
        for role in ["root", "targets", "snapshot", "timestamp"] {
            it.says(role, "custom-field", json!({ "b": [1, null, true], "a": "\u{e9}" }));
        }
        let root = it.signed.get_mut("root").expect("a root");
        root["roles"]["root"]["custom"] = json!(1);
        root["keys"].as_object_mut().expect("a map").values_mut().for_each(|key| key["owner"] = json!("@someone"));
        it.publish(&["root", "targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.trusted(), versions(ALL.map(|(role, _)| (role, 2))));
}

#[test]
fn a_later_version_of_the_standard_is_followed_within_its_first_number() {
    for (spec_version, ended) in [
        ("1.0.34", Ended::Well),
        ("1.99.0", Ended::Well),
        ("1.0", Ended::Well),
        ("2.0.0", Ended::Badly),
        ("1", Ended::Badly),
        ("1.x.0", Ended::Badly),
    ] {
        let site = Site::with(|it| {
            it.says("timestamp", "spec_version", json!(spec_version));
            it.publish(&["timestamp"]);
        });
        assert_eq!(site.refresh(), ended, "{spec_version}");
    }
}

#[test]
fn a_missing_file_fails_and_what_came_before_it_is_kept() {
    for (role, kept) in [
        ("timestamp", versions(ALL)),
        ("snapshot", versions([("root", 1), ("snapshot", 1), ("targets", 1), ("timestamp", 2)])),
        ("targets", versions([("root", 1), ("snapshot", 2), ("targets", 1), ("timestamp", 2)])),
    ] {
        let site = Site::refreshed();
        site.change(|it| {
            it.publish(&["targets", "snapshot", "timestamp"]);
            let path = it.path(role);
            it.files.remove(&path);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{role}");
        assert_eq!(site.trusted(), kept, "{role}");
    }
}

#[test]
fn a_missing_next_root_is_no_failure_and_a_fault_is_one() {
    for (status, ended) in
        [(404, Ended::Well), (403, Ended::Well), (500, Ended::Badly), (503, Ended::Badly), (301, Ended::Badly)]
    {
        let site = Site::refreshed();
        site.shared().answers.push(("metadata/2.root.json".into(), status, b"<html>".to_vec()));
        assert_eq!(site.refresh(), ended, "{status}");
    }
}

#[test]
fn a_web_page_in_place_of_the_next_root_is_refused() {
    let site = Site::refreshed();
    for page in [b"<!doctype html><title>Sign in</title>".to_vec(), vec![b' '; 600_000]] {
        site.shared().answers = vec![("metadata/2.root.json".into(), 200, page)];
        assert_eq!(site.refresh(), Ended::Badly);
        assert_eq!(site.take_requests(), ["2.root.json"]);
        assert_eq!(site.trusted(), versions(ALL));
    }
}

#[test]
fn files_that_are_too_long_are_not_read() {
    for (path, length) in [
        ("metadata/timestamp.json", 16_385),
        ("metadata/2.snapshot.json", 2_000_001),
        ("metadata/2.targets.json", 5_000_001),
    ] {
        let site = Site::refreshed();
        site.change(|it| it.publish(&["targets", "snapshot", "timestamp"]));
        let mut body = site.shared().repository.files[path].clone();
        body.resize(length, b' ');
        site.shared().answers.push((path.into(), 200, body));
        assert_eq!(site.refresh(), Ended::Badly, "{path}");
    }
}

#[test]
fn a_role_in_place_of_another_is_refused() {
    let site = Site::with(|it| {
        // Signed by the timestamp's key, and with all that a timestamp has: only the type tells.
        let pen = it.pens["timestamp"][0].clone();
        it.list("root", "snapshot", &pen);
        it.pens.insert("snapshot".into(), vec![pen]);
        it.says("snapshot", "meta", json!({ "snapshot.json": { "version": 1 }, "targets.json": { "version": 1 } }));
        it.publish(&["root", "snapshot"]);
        let file = it.file("snapshot");
        it.files.insert("metadata/timestamp.json".into(), file);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 2)]));
}

#[test]
fn a_key_twice_in_a_map_makes_it_no_metadata() {
    let site = Site::with(|it| {
        let file = String::from_utf8(it.file("timestamp")).expect("text");
        let twice = file.replacen("\"version\"", "\"version\": 7, \"version\"", 1);
        assert_ne!(file, twice);
        it.files.insert("metadata/timestamp.json".into(), twice.into_bytes());
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 1)]));
}
