//! Who has signed, and how many of them (5.3.4, and the same for every role).

use serde_json::{Value, json};

use crate::simulated::Simulated;
use crate::site::{Ended, Site, versions};

fn threshold(it: &mut Simulated, role: &str, threshold: i64) {
    it.signed.get_mut("root").expect("a root")["roles"][role]["threshold"] = json!(threshold);
}

/// Changes the signatures of a role's served file.
fn with_signatures(it: &mut Simulated, role: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let mut file: Value = serde_json::from_slice(&it.file(role)).expect("JSON");
    change(file["signatures"].as_array_mut().expect("a list"));
    it.files.insert(it.path(role), file.to_string().into_bytes());
}

#[test]
fn fewer_signatures_than_the_threshold_are_too_few() {
    let site = Site::with(|it| {
        threshold(it, "snapshot", 3);
        it.add_key("root", "snapshot");
        it.add_key("root", "snapshot");
        it.publish(&["root", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| {
        it.pens.get_mut("snapshot").expect("pens").pop();
        it.publish(&["snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 2), ("snapshot", 2), ("targets", 1), ("timestamp", 3)]));
}

#[test]
fn a_threshold_above_the_number_of_keys_is_never_reached() {
    let site = Site::with(|it| {
        threshold(it, "snapshot", 2);
        it.publish(&["root", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 2), ("timestamp", 2)]), "the root itself is sound");
}

#[test]
fn a_threshold_below_one_makes_it_no_root() {
    for bad in [0, -1] {
        let site = Site::with(|it| {
            threshold(it, "timestamp", bad);
            it.publish(&["root"]);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{bad}");
        assert_eq!(site.trusted(), versions([("root", 1)]));
    }
}

#[test]
fn one_key_listed_many_times_counts_once() {
    let site = Site::with(|it| {
        let pen = it.pens["snapshot"][0].clone();
        (0..8).for_each(|_| it.list("root", "snapshot", &pen));
        threshold(it, "snapshot", 2);
        it.publish(&["root", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert!(!site.trusted().iter().any(|(role, _)| role == "snapshot"));
}

#[test]
fn one_key_under_many_ids_counts_once() {
    let site = Site::with(|it| {
        for id in ["one", "two", "three"] {
            let mut pen = it.pens["snapshot"][0].clone();
            pen.id = id.into();
            it.list("root", "snapshot", &pen);
            it.pens.get_mut("snapshot").expect("pens").push(pen);
        }
        threshold(it, "snapshot", 2);
        it.publish(&["root", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 2), ("timestamp", 2)]));
}

#[test]
fn an_id_that_has_signed_twice_makes_it_no_metadata() {
    let site = Site::with(|it| {
        with_signatures(it, "snapshot", |signatures| signatures.push(signatures[0].clone()));
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 1), ("timestamp", 1)]));
}

#[test]
fn a_signature_of_a_key_that_is_not_listed_counts_nothing() {
    let site = Site::with(|it| {
        // In the root, but for another role.
        let pen = it.pens["targets"][0].clone();
        it.pens.insert("snapshot".into(), vec![pen]);
        it.publish(&["snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 1), ("timestamp", 2)]));
}

#[test]
fn a_listed_id_without_a_key_counts_nothing() {
    let site = Site::with(|it| {
        let ids = &mut it.signed.get_mut("root").expect("a root")["roles"]["snapshot"]["keyids"];
        ids.as_array_mut().expect("a list").push(json!("nobody"));
        it.publish(&["root"]);
    });
    assert_eq!(site.refresh(), Ended::Well, "one key is enough, and it is there");
}

#[test]
fn signatures_that_are_none_do_no_harm_beside_enough_that_are() {
    for rubbish in ["", "zz", "00", &"00".repeat(64)] {
        let site = Site::with(|it| {
            let pen = it.new_pen();
            it.list("root", "timestamp", &pen);
            it.publish(&["root", "timestamp"]);
            let id = pen.id;
            with_signatures(it, "timestamp", |signatures| signatures.push(json!({ "keyid": id, "sig": rubbish })));
        });
        assert_eq!(site.refresh(), Ended::Well, "{rubbish}");
    }
}

#[test]
fn a_kind_of_key_that_nobody_knows_is_a_key_that_never_signs() {
    let unknown = |it: &mut Simulated| {
        let root = it.signed.get_mut("root").expect("a root");
        root["keys"]["new"] =
            json!({ "keytype": "ml-dsa", "scheme": "ml-dsa-65", "keyval": { "public": "00", "extra": [1] } });
        root["keys"]["newer"] =
            json!({ "keytype": "sigstore-oidc", "scheme": "Fulcio", "keyval": { "identity": "a", "issuer": "b" } });
        let ids = root["roles"]["timestamp"]["keyids"].as_array_mut().expect("a list");
        ids.extend([json!("new"), json!("newer")]);
        it.publish(&["root"]);
    };
    assert_eq!(Site::with(unknown).refresh(), Ended::Well);
    let site = Site::with(|it| {
        threshold(it, "timestamp", 2);
        unknown(it);
    });
    assert_eq!(site.refresh(), Ended::Badly, "and does not count towards a threshold");
}

#[test]
fn an_id_need_not_be_the_hash_of_its_key() {
    let site = Site::with(|it| {
        let mut pen = it.new_pen();
        pen.id = "the key in the drawer".into();
        it.signed.get_mut("root").expect("a root")["roles"]["timestamp"]["keyids"] = json!([]);
        it.list("root", "timestamp", &pen);
        it.pens.insert("timestamp".into(), vec![pen]);
        it.publish(&["root", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
}

#[test]
fn changed_bytes_are_not_what_was_signed() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let site = Site::with(|it| {
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
            let path = it.path(role);
            let text = String::from_utf8(it.files[&path].clone()).expect("text");
            let other = text.replace("\"1.0.34\"", "\"1.0.33\"");
            assert_ne!(text, other);
            it.files.insert(path, other.into_bytes());
        });
        assert_eq!(site.refresh(), Ended::Badly, "{role}");
    }
}
