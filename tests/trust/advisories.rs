//! Mistakes that good TUF clients have had to tell the world about: one test for each kind, by the id of its advisory.
//! Some of them cannot be written down in `trust` any more; then the test shows what stands in the way.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tenantry::trust::updater::{Refreshed, Updater, encoded};

use crate::simulated::{Simulated, hex};
use crate::world::{EARLIER, World, complaint, now, refresh};

const ALL: [&str; 3] = ["targets", "snapshot", "timestamp"];

fn threshold(it: &mut Simulated, role: &str, threshold: u64) {
    it.signed.get_mut("root").expect("a root")["roles"][role]["threshold"] = json!(threshold);
}

/// Targets delegate everything to `team`, as `change` leaves it.
fn with_team(change: impl FnOnce(&mut Simulated)) -> World {
    World::with(|it| {
        it.pins = true;
        it.delegate("targets", "team", json!({ "paths": ["*"] }));
        it.target("team", "file", b"file");
        change(it);
        it.publish(&["team", "targets", "snapshot", "timestamp"]);
    })
}

/// What a look-up of `file` says.
fn look_up(world: &World) -> Result<bool, String> {
    let mut client = world.client();
    client.refresh(now()).map_err(|why| why.to_string())?;
    client.target("file").map(|it| it.is_some()).map_err(|why| why.to_string())
}

/// Serves a role's file with its signatures changed.
fn with_signatures(it: &mut Simulated, role: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let mut file: Value = serde_json::from_slice(&it.file(role)).expect("JSON");
    change(file["signatures"].as_array_mut().expect("a list"));
    it.files.insert(it.path(role), file.to_string().into_bytes());
}

// CVE-2020-15093 (tough): one signature, given twice, counted as two.
#[test]
fn a_signature_given_twice_does_not_count_twice() {
    let world = World::with(|it| {
        it.add_key("root", "timestamp");
        it.pens.get_mut("timestamp").expect("pens").pop();
        threshold(it, "timestamp", 2);
        it.publish(&["root", "timestamp"]);
        with_signatures(it, "timestamp", |all| all.push(all[0].clone()));
    });
    assert!(complaint(world.client()).contains("each key id is there once"));
    world.change(|it| it.publish(&["timestamp"]));
    assert_eq!(complaint(world.client()), "1 of 2 keys have signed the \"timestamp\" file");
}

// GHSA-3633-5h82-39pq (go-tuf): one public key under two ids counted as two.
#[test]
fn one_key_under_two_ids_does_not_count_twice() {
    let world = World::with(|it| {
        let mut pen = it.pens["timestamp"][0].clone();
        pen.id = pen.id.replace(char::is_alphabetic, "A");
        it.list("root", "timestamp", &pen);
        it.pens.get_mut("timestamp").expect("pens").push(pen);
        threshold(it, "timestamp", 2);
        it.publish(&["root", "timestamp"]);
    });
    assert_eq!(complaint(world.client()), "1 of 2 keys have signed the \"timestamp\" file");
}

// The same once more: the same key, its letters written large.
#[test]
fn one_key_in_two_spellings_does_not_count_twice() {
    let world = World::with(|it| {
        let mut pen = it.pens["timestamp"][0].clone();
        pen.id = "loud".into();
        it.list("root", "timestamp", &pen);
        let key = &mut it.signed.get_mut("root").expect("a root")["keys"]["loud"]["keyval"]["public"];
        *key = json!(key.as_str().expect("hex").to_uppercase());
        it.pens.get_mut("timestamp").expect("pens").push(pen);
        threshold(it, "timestamp", 2);
        it.publish(&["root", "timestamp"]);
    });
    assert_eq!(complaint(world.client()), "1 of 2 keys have signed the \"timestamp\" file");
}

// CVE-2026-23992 (go-tuf): a threshold of zero, or less, in a delegation switched verification off.
#[test]
fn a_threshold_below_one_is_no_threshold() {
    for bad in [json!(0), json!(-1), json!(0.5), json!("1"), Value::Null] {
        let world = with_team(|it| {
            it.signed.get_mut("targets").expect("targets")["delegations"]["roles"][0]["threshold"] = bad.clone();
            it.pens.insert("team".into(), vec![]);
        });
        let said = complaint(world.client());
        assert!(said.starts_with("this is not \"targets\" metadata"), "{bad}: {said}");
    }
}

// CVE-2026-6966 (tough): duplicates counted again, in delegated roles only, where another function counted.
#[test]
fn delegated_roles_are_counted_like_all_others() {
    let world = with_team(|it| {
        let mut pen = it.pens["team"][0].clone();
        pen.id = "again".into();
        it.list("targets", "team", &pen);
        it.pens.get_mut("team").expect("pens").push(pen);
        it.signed.get_mut("targets").expect("targets")["delegations"]["roles"][0]["threshold"] = json!(2);
    });
    assert_eq!(look_up(&world), Err("1 of 2 keys have signed the \"team\" file".into()));
}

// The kind of mistake behind it: a second place that verifies.
#[test]
fn signatures_are_counted_in_one_place_and_roles_admitted_through_one_door() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/trust");
    let source = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).expect("a file of the source");
        text.split("#[cfg(test)]").next().expect("the part before the tests").to_owned()
    };
    let all = ["delegations", "envelope", "hashes", "json", "keys", "roles", "set", "updater"];
    let calls = |what: &str| -> Vec<(&str, usize)> {
        let count = |name: &&'static str| (*name, source(&format!("{name}.rs")).matches(what).count());
        all.iter().map(count).filter(|(_, count)| *count > 0).collect()
    };
    assert_eq!(calls(".verifies("), [("envelope", 1)], "a signature is checked where it is counted");
    assert_eq!(calls(".authority.verify("), [("set", 1)], "and counted where a role is admitted");
    assert_eq!(calls("Ok(Verified("), [("set", 1)], "and nowhere else is a role called verified");
}

// GHSA of 2025 (tough): key ids listed twice while counting.
#[test]
fn an_id_listed_twice_does_not_count_twice() {
    let world = World::with(|it| {
        let pen = it.pens["timestamp"][0].clone();
        it.list("root", "timestamp", &pen);
        threshold(it, "timestamp", 2);
        it.publish(&["root", "timestamp"]);
    });
    assert_eq!(complaint(world.client()), "1 of 2 keys have signed the \"timestamp\" file");
}

// CVE-2022-29173 (go-tuf): what was trusted before was not consulted.
#[test]
fn what_was_trusted_before_holds_back_older_files_in_every_role() {
    for (role, said) in [
        ("timestamp", "the \"timestamp\" file goes back to version 1 of \"timestamp\"; version 2 was trusted before"),
        (
            "snapshot",
            "the \"timestamp\" file goes back to version 1 of \"snapshot.json\"; version 2 was trusted before",
        ),
        ("targets", "the \"snapshot\" file goes back to version 1 of \"targets.json\"; version 2 was trusted before"),
    ] {
        let world = World::with(|it| it.publish(&ALL));
        refresh(world.client()).expect("sound");
        world.change(|it| {
            it.says(role, "version", json!(0));
            let from = ALL.iter().position(|it| *it == role).expect("a role");
            it.publish(&ALL[from..]);
        });
        assert_eq!(complaint(world.client()), said);
    }
}

// The same advisory: metadata was saved before it was verified.
#[test]
fn nothing_is_kept_before_it_is_trusted() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let world = World::with(|_| {});
        refresh(world.client()).expect("sound");
        let before = world.everything();
        world.change(|it| {
            it.pens.insert(role.into(), vec![]);
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
        });
        complaint(world.client());
        let kept = world.everything();
        assert_eq!(kept[&format!("{role}.json")], before[&format!("{role}.json")], "{role}");
        assert!(role != "root" || kept == before, "and after a root that is refused nothing at all");
    }
}

// CVE-2025-2885 (tough): the next root was not held to be the next version.
#[test]
fn a_root_that_skips_a_version_is_refused() {
    for version in [0_u64, 1, 3] {
        let world = World::with(|it| {
            it.says("root", "version", json!(version));
            let file = it.file("root");
            it.files.insert("metadata/2.root.json".into(), file);
        });
        complaint(world.client());
        assert!(world.everything().is_empty(), "and nothing is kept of it");
    }
}

// CVE-2025-2887 (tough): delegated roles could go back.
#[test]
fn a_delegated_role_does_not_go_back() {
    let world = with_team(|it| it.publish(&["team"]));
    assert_eq!(look_up(&world), Ok(true));
    world.change(|it| {
        it.says("team", "version", json!(0));
        it.publish(&["team", "snapshot", "timestamp"]);
    });
    let said = "the \"snapshot\" file goes back to version 1 of \"team.json\"; version 2 was trusted before";
    assert_eq!(look_up(&world), Err(said.into()));
}

// CVE-2025-2888 (tough): a timestamp that was refused was kept, and believed the next time.
#[test]
fn a_timestamp_that_was_refused_is_not_believed_the_next_time() {
    let world = World::with(|it| it.publish(&ALL));
    refresh(world.client()).expect("sound");
    let before = world.everything();
    world.change(|it| {
        it.says("timestamp", "version", json!(0));
        it.publish(&["timestamp"]);
    });
    complaint(world.client());
    complaint(world.client());
    assert!(world.everything() == before);
}

// CVE-2026-6967 (tough): expiry, hash and length were not enforced for delegated metadata.
#[test]
fn delegated_metadata_is_held_to_expiry_hash_length_and_version() {
    let world = with_team(|it| it.says("team", "expires", json!(EARLIER)));
    assert_eq!(look_up(&world), Err(format!("the \"team\" file expired on {EARLIER}")));

    let replaced = |change: &dyn Fn(&mut Simulated)| {
        let world = with_team(|_| {});
        world.change(|it| {
            change(it);
            let file = it.file("team");
            it.files.insert("metadata/1.team.json".into(), file);
        });
        look_up(&world).expect_err("it is not the file that the snapshot names")
    };
    assert!(replaced(&|it| it.says("team", "version", json!(2))).contains("its SHA-256 is another"));
    let longer = replaced(&|it| it.says("team", "more", json!("more")));
    assert!(longer.contains("is longer than"), "{longer}");

    let world = with_team(|it| it.pins = false);
    world.change(|it| {
        it.says("team", "version", json!(2));
        let file = it.file("team");
        it.files.insert("metadata/1.team.json".into(), file);
    });
    assert_eq!(look_up(&world), Err("the \"team\" file is version 2, expected 1".into()));
}

// CVE-2024-47534 (go-tuf): delegations were not asked in the order in which they are listed.
#[test]
fn delegations_are_asked_in_their_order() {
    let world = World::with(|it| {
        let roles = ["zebra", "middle", "alpha"];
        for role in roles {
            it.delegate("targets", role, json!({ "paths": ["*"] }));
            it.target(role, "file", role.as_bytes());
        }
        it.publish(&roles);
        it.publish(&ALL);
    });
    let mut client = world.client();
    client.refresh(now()).expect("sound");
    let found = client.target("file").expect("sound").expect("three roles have it");
    assert_eq!(found.mismatch(b"zebra"), None, "the first one's counts");
    assert_eq!(world.take_requests().last().map(String::as_str), Some("1.zebra.json"), "nobody else is asked");
}

// CVE-2025-2886 (tough): a terminating delegation did not terminate.
#[test]
fn a_terminating_delegation_terminates() {
    let world = World::with(|it| {
        it.delegate("targets", "first", json!({ "paths": ["*"], "terminating": true }));
        it.delegate("targets", "second", json!({ "paths": ["*"] }));
        it.target("second", "file", b"file");
        it.publish(&["first", "second"]);
        it.publish(&ALL);
    });
    assert_eq!(look_up(&world), Ok(false));
}

// GHSA-qp9x-wp8f-qgjj (python-tuf): what a pattern matches depended on the platform.
#[test]
fn a_pattern_means_the_same_everywhere() {
    for (pattern, name, is_its_own) in [
        ("a/*", "a/b", true),
        ("a/*", "A/b", false),
        ("a/*", "a\\b", false),
        ("a\\*", "a/b", false),
        ("*", "a\\b", true),
        ("*", "a/b", false),
    ] {
        let world = World::with(|it| {
            it.delegate("targets", "team", json!({ "paths": [pattern] }));
            it.target("team", name, b"file");
            it.publish(&["team", "targets", "snapshot", "timestamp"]);
        });
        let mut client = world.client();
        client.refresh(now()).expect("sound");
        assert_eq!(client.target(name).expect("sound").is_some(), is_its_own, "{pattern} {name}");
    }
}

// CVE-2026-23991 (go-tuf): well-formed JSON of another shape ended the process, before any signature was looked at.
#[test]
fn json_of_any_other_shape_is_refused_and_no_more() {
    let shapes = [json!(null), json!(0), json!("x"), json!([]), json!({}), json!([[]]), json!({ "": null }), json!(-1)];
    let world = World::with(|_| {});
    let sound: Value =
        serde_json::from_slice(&world.repository.borrow().files["metadata/timestamp.json"]).expect("JSON");
    let mut places = Vec::new();
    collect(&sound, String::new(), &mut places);
    assert!(places.len() > 10, "every place in the file: {places:?}");
    for role in ["2.root", "timestamp", "1.snapshot", "1.targets"] {
        let original = world.repository.borrow().files.get(&format!("metadata/{role}.json")).cloned();
        let base: Value = match &original {
            Some(bytes) => serde_json::from_slice(bytes).expect("JSON"),
            None => serde_json::from_slice(&world.repository.borrow().files["metadata/1.root.json"]).expect("JSON"),
        };
        let mut places = Vec::new();
        collect(&base, String::new(), &mut places);
        for place in places {
            for shape in &shapes {
                let mut broken = base.clone();
                *broken.pointer_mut(&place).expect("a place") = shape.clone();
                if broken == base {
                    continue;
                }
                let bytes = broken.to_string().into_bytes();
                world.change(|it| drop(it.files.insert(format!("metadata/{role}.json"), bytes)));
                complaint(world.client());
            }
        }
        world.change(|it| match original {
            Some(bytes) => drop(it.files.insert(format!("metadata/{role}.json"), bytes)),
            None => drop(it.files.remove(&format!("metadata/{role}.json"))),
        });
        world.kept.borrow_mut().clear();
    }
    assert_eq!(refresh(world.client()).expect("sound again"), Refreshed::Updated);
}

/// Every place in a document, as a JSON pointer.
fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, below)| {
            collect(below, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
        }),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, below)| collect(below, format!("{at}/{index}"), places));
        }
        _ => {}
    }
    places.push(at);
}

// GHSA-77hh-43cm-v8j6 (python-tuf): what metadata says was not held to what it may say.
#[test]
fn fields_are_held_to_what_they_may_say() {
    type Edit = fn(&mut Value);
    let edits: [(&str, &str, Edit); 11] = [
        ("timestamp", "version 0", |it| it["version"] = json!(0)),
        ("timestamp", "a version that is no integer", |it| it["version"] = json!(1.5)),
        ("timestamp", "a negative length", |it| it["meta"]["snapshot.json"]["length"] = json!(-1)),
        ("timestamp", "no hash at all", |it| it["meta"]["snapshot.json"]["hashes"] = json!({})),
        ("timestamp", "a version 0 of another", |it| it["meta"]["snapshot.json"]["version"] = json!(0)),
        ("timestamp", "the 30th of February", |it| it["expires"] = json!("2027-02-30T00:00:00Z")),
        ("snapshot", "another type", |it| it["_type"] = json!("Snapshot")),
        ("targets", "a length that is text", |it| {
            it["targets"]["x"] = json!({ "length": "1", "hashes": { "sha256": "" } });
        }),
        ("targets", "no hashes", |it| it["targets"]["x"] = json!({ "length": 1 })),
        ("root", "no targets role", |it| drop(it["roles"].as_object_mut().expect("a map").remove("targets"))),
        ("root", "key ids that are no texts", |it| it["roles"]["targets"]["keyids"] = json!([1])),
    ];
    for (role, what, edit) in edits {
        let world = World::with(|it| {
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
            edit(it.signed.get_mut(role).expect("a role"));
            let file = it.file(role);
            let path = if what.contains("version") { format!("metadata/{role}.json") } else { it.path(role) };
            it.files.insert(path, file);
        });
        let said = complaint(world.client());
        assert!(said.starts_with(&format!("this is not {role:?} metadata")), "{what}: {said}");
    }
}

// CVE-2021-41131 (python-tuf): the name of a role was used as a path. CVE-2026-24686 (go-tuf): that of a repository.
#[test]
fn no_name_from_metadata_becomes_a_path() {
    let names = ["../../etc/passwd", "/abs", "a/b", "..", ".", "\\\\host\\share", "c:x", "nul", "a\u{0}b", "~", "%2e"];
    for name in names {
        let part = encoded(name);
        assert!(part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{name}: {part}");
    }
    let world = World::with(|it| {
        // serde_json escapes NUL and canonical JSON does not: what is signed here would not be what is read.
        let names: Vec<&str> = names.into_iter().filter(|it| !it.contains('\u{0}')).collect();
        names.iter().for_each(|name| it.delegate("targets", name, json!({ "paths": ["*"] })));
        it.publish(&names);
        it.publish(&ALL);
    });
    assert_eq!(look_up(&world), Ok(false));
    let kept = world.everything();
    assert_eq!(kept.len(), 4 + 1 + names.len() - 1, "all of them are kept: {:?}", kept.keys());
    for name in kept.keys().filter(|it| !it.starts_with("root_history/")) {
        assert!(name.ends_with(".json") && !name.contains(['/', '\\', ':', '\u{0}']), "{name}");
    }
}

// CVE-2026-6968 (tough) and CVE-2026-24137 (sigstore): the name of a target was used as a path.
#[test]
fn where_a_target_lies_is_said_and_never_written() {
    let world = World::with(|it| {
        it.target("targets", "../../etc/passwd", b"x");
        it.publish(&ALL);
    });
    let mut client = world.client();
    client.refresh(now()).expect("sound");
    let target = client.target("../../etc/passwd").expect("sound").expect("a target");
    assert_eq!(target.path("../../etc/passwd", client.root()), format!("../../etc/{}.passwd", hex(b"x")));
    assert!(world.everything().keys().all(|it| !it.contains("passwd")), "`trust` keeps no targets");
    assert_eq!(encoded("../../etc/passwd"), "..%2F..%2Fetc%2Fpasswd", "what a client names its files by");
}

// CVE-2026-6968 once more: a hash is part of a URL, too.
#[test]
fn a_hash_that_is_none_is_part_of_no_url() {
    let world = World::with(|it| {
        it.target("targets", "file", b"x");
        it.signed.get_mut("targets").expect("targets")["targets"]["file"]["hashes"]["sha256"] = json!("../../x");
        it.publish(&ALL);
    });
    let mut client = world.client();
    client.refresh(now()).expect("sound");
    let target = client.target("file").expect("sound").expect("a target");
    assert_eq!(target.path("file", client.root()), "file");
    assert!(target.mismatch(b"x").is_some());
}

// tough 0.24: dates were written anew, and with them what had been signed.
#[test]
fn what_was_signed_is_what_is_kept() {
    let world = World::with(|it| {
        it.says("timestamp", "later", json!({ "when": "2026-11-23T12:00:00.000+00:00", "\u{e9}": [1, 2] }));
        it.publish(&["timestamp"]);
    });
    refresh(world.client()).expect("sound");
    let served = world.repository.borrow().files["metadata/timestamp.json"].clone();
    assert_eq!(world.everything()["timestamp.json"], served);
}

// Sigstore's roots v8 and v11: a key changed, its id did not, and clients differed about it.
#[test]
fn an_id_that_is_not_the_hash_of_its_key_is_a_name_like_any_other() {
    let world = World::with(|it| {
        let id = it.pens["timestamp"][0].id.clone();
        it.signed.get_mut("root").expect("a root")["keys"][&id]["owner"] = json!("@someone");
        it.publish(&["root", "timestamp"]);
    });
    assert_eq!(refresh(world.client()).expect("sound"), Refreshed::Updated);
}

// cosign#1293: started with an embedded root that had expired, and broke later.
#[test]
fn an_expired_pinned_root_leads_to_the_newest_or_says_so() {
    let world = World::with(|it| {
        it.says("root", "version", json!(0));
        it.says("root", "expires", json!(EARLIER));
        it.publish(&["root"]);
    });
    assert_eq!(complaint(world.client()), format!("the \"root\" file expired on {EARLIER}"));
    assert_eq!(world.everything().keys().collect::<Vec<_>>(), ["root.json", "root_history/1.root.json"]);
    world.change(|it| {
        it.says("root", "expires", json!(crate::world::LATER));
        it.publish(&["root"]);
    });
    assert_eq!(refresh(world.client()).expect("there is a newer one"), Refreshed::Updated);
}

// sigstore#1091: asked for news only when the timestamp had expired.
#[test]
fn every_refresh_asks_for_the_newest() {
    let world = World::with(|_| {});
    for expected in [Refreshed::Updated, Refreshed::Unchanged, Refreshed::Unchanged] {
        assert_eq!(refresh(world.client()).expect("sound"), expected);
        assert_eq!(world.take_requests()[..2], ["2.root.json", "timestamp.json"]);
    }
    world.change(|it| it.publish(&["timestamp"]));
    assert_eq!(refresh(world.client()).expect("sound"), Refreshed::Updated);
}

/// A root that signs itself is a root, and one that does not is none, wherever it comes from.
#[test]
fn a_pinned_root_must_have_signed_itself() {
    let world = World::with(|it| {
        it.pens.insert("root".into(), vec![]);
        let unsigned = it.file("root");
        it.files.insert("unsigned".into(), unsigned);
    });
    let unsigned = world.repository.borrow().files["unsigned"].clone();
    let opened = Updater::open(world.wire(), world.memory(), &unsigned);
    assert_eq!(opened.err().expect("refused").to_string(), "0 of 1 keys have signed the \"root\" file");
}
