//! Who may name which file, and in which order they are asked (5.6.7).

use serde_json::{Value, json};

use crate::simulated::Simulated;
use crate::site::{Ended, Site};

/// Publishes the delegated roles, and all that names them.
fn publish(it: &mut Simulated) {
    let delegated: Vec<String> = it.signed.keys().filter(|it| it.len() == 1).cloned().collect();
    it.publish(&delegated.iter().map(String::as_str).collect::<Vec<_>>());
    it.publish(&["targets", "snapshot", "timestamp"]);
}

/// The delegated roles that are read when nothing is found, in order.
fn visited(delegations: &[(&str, &str, Value)]) -> String {
    let site = Site::with(|it| {
        for (delegator, role, more) in delegations {
            it.delegate(delegator, role, more.clone());
        }
        publish(it);
    });
    assert_eq!(site.download(&["missing"]), Ended::Badly);
    let requests = site.take_requests();
    requests.iter().skip(4).map(|it| it.split('.').nth(1).expect("a versioned name")).collect()
}

fn all() -> Value {
    json!({ "paths": ["*"] })
}

fn python() -> Value {
    json!({ "paths": ["*.py"] })
}

fn terminating() -> Value {
    json!({ "paths": ["*"], "terminating": true })
}

#[test]
fn roles_are_read_depth_first_in_the_order_in_which_they_are_listed() {
    assert_eq!(visited(&[("targets", "A", all())]), "A");
    assert_eq!(visited(&[("targets", "A", all()), ("targets", "B", all())]), "AB");
    assert_eq!(visited(&[("targets", "A", all()), ("targets", "B", all()), ("B", "C", all())]), "ABC");
    assert_eq!(
        visited(&[("targets", "A", all()), ("targets", "B", all()), ("A", "C", all()), ("A", "D", all())]),
        "ACDB"
    );
    assert_eq!(
        visited(&[("targets", "A", all()), ("targets", "B", all()), ("A", "C", all()), ("C", "D", all())]),
        "ACDB"
    );
}

#[test]
fn a_terminating_role_is_the_last_one_to_be_asked_but_for_its_own() {
    assert_eq!(
        visited(&[("targets", "A", all()), ("targets", "B", all()), ("A", "C", terminating()), ("A", "D", all())]),
        "AC"
    );
    assert_eq!(
        visited(&[("targets", "A", all()), ("targets", "B", all()), ("A", "C", terminating()), ("C", "D", all())]),
        "ACD"
    );
    assert_eq!(visited(&[("targets", "A", terminating()), ("targets", "B", all())]), "A");
}

#[test]
fn a_terminating_role_that_does_not_fit_terminates_nothing() {
    let other = json!({ "paths": ["*.py"], "terminating": true });
    assert_eq!(visited(&[("targets", "A", other), ("targets", "B", all())]), "B");
}

#[test]
fn a_role_is_not_asked_about_what_is_not_its_own() {
    assert_eq!(visited(&[("targets", "A", python()), ("targets", "B", all()), ("A", "C", all())]), "B");
    assert_eq!(
        visited(&[("targets", "A", all()), ("targets", "B", all()), ("A", "C", python()), ("C", "D", all())]),
        "AB"
    );
}

#[test]
fn a_circle_of_roles_is_walked_once() {
    let circle =
        [("targets", "A", all()), ("targets", "B", all()), ("B", "C", all()), ("C", "D", all()), ("D", "B", all())];
    assert_eq!(visited(&circle), "ABCD");
}

#[test]
fn a_role_that_two_delegate_to_is_read_for_the_first_of_them_that_may() {
    let both = [("targets", "A", all()), ("targets", "B", all()), ("B", "C", all()), ("A", "C", all())];
    assert_eq!(visited(&both), "ACB");
    let one = [("targets", "A", all()), ("targets", "B", all()), ("B", "C", all()), ("A", "C", python())];
    assert_eq!(visited(&one), "ABC");
}

#[test]
fn a_file_is_found_where_its_name_leads() {
    let site = Site::with(|it| {
        it.delegate("targets", "A", json!({ "paths": ["*.doc", "*.md", "foo-?.tgz"] }));
        it.delegate("targets", "B", json!({ "paths": ["releases/*/*"] }));
        it.delegate("B", "C", json!({ "paths": ["releases/x/*"] }));
        it.delegate("B", "D", json!({ "paths": ["releases/y/*.zip"] }));
        it.target("targets", "targetfile", b"top");
        for name in ["README.md", "releases/README.md", "foo-1.tgz", "foo-alpha.tgz"] {
            it.target("A", name, b"of A");
        }
        it.target("C", "releases/x/x_v1", b"of C");
        it.target("D", "releases/y/y_v1.zip", b"of D");
        it.target("D", "releases/z/z_v1.zip", b"of D, without right");
        publish(it);
    });
    for (name, found, read) in [
        ("targetfile", true, ""),
        ("README.md", true, "A"),
        ("releases/x/x_v1", true, "BC"),
        ("releases/y/y_v1.zip", true, "BD"),
        ("releases/z/z_v1.zip", false, "B"),
        ("releases/README.md", false, ""),
        ("foo-1.tgz", true, "A"),
        ("foo-alpha.tgz", false, ""),
        ("README.MD", false, ""),
    ] {
        std::fs::remove_dir_all(site.path("metadata")).expect("there was metadata");
        let root = site.shared().repository.files["metadata/1.root.json"].clone();
        site.init(&root);
        let expected = if found { Ended::Well } else { Ended::Badly };
        assert_eq!(site.download(&[name]), expected, "{name}");
        let requests = site.take_requests();
        let metadata = requests.iter().skip(4).filter(|it| it.ends_with(".json"));
        assert_eq!(metadata.map(|it| &it[2..3]).collect::<String>(), read, "{name}");
    }
}

#[test]
fn a_cached_role_is_verified_again_for_whoever_delegates_to_it() {
    let site = Site::with(|it| {
        it.delegate("targets", "A", json!({ "paths": ["a/*"] }));
        it.delegate("targets", "B", json!({ "paths": ["b/*"] }));
        it.delegate("A", "C", json!({ "paths": ["a/*"] }));
        it.delegate("B", "C", json!({ "paths": ["b/*"] }));
        it.target("C", "a/file", b"vouched for by A");
        it.target("C", "b/file", b"vouched for by nobody");
        // B lists another key for C, which has not signed.
        it.pens.get_mut("C").expect("two keys").pop();
        publish(it);
    });
    assert_eq!(site.download(&["a/file", "b/file"]), Ended::Badly);
    assert_eq!(site.kept("targets").into_values().collect::<Vec<_>>(), [b"vouched for by A".to_vec()]);
    assert_eq!(site.download(&["b/file"]), Ended::Badly, "nor from what is kept");
}

#[test]
fn a_role_that_the_snapshot_does_not_name_is_not_even_asked_for() {
    let site = Site::with(|it| {
        it.delegate("targets", "A", json!({ "paths": ["a/*"] }));
        it.publish(&["A", "targets"]);
        it.signed.get_mut("snapshot").expect("a snapshot")["meta"].as_object_mut().expect("a map").remove("A.json");
        it.publish(&["snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.take_requests();
    assert_eq!(site.download(&["a/file"]), Ended::Badly);
    assert_eq!(site.take_requests(), ["2.root.json", "timestamp.json"]);
}

#[test]
fn a_delegated_role_is_held_to_its_own_keys_threshold_version_and_hash() {
    type Break = fn(&mut Simulated);
    let breaks: [(&str, Break); 5] = [
        ("nobody has signed", |it| drop(it.pens.insert("A".into(), vec![]))),
        ("the targets key has signed", |it| {
            let pen = it.pens["targets"][0].clone();
            it.pens.insert("A".into(), vec![pen]);
        }),
        ("one of two has signed", |it| {
            it.signed.get_mut("targets").expect("targets")["delegations"]["roles"][0]["threshold"] = json!(2);
        }),
        ("another version", |it| it.says("A", "version", json!(7))),
        ("another file of the same version", |it| it.says("A", "more", json!(true))),
    ];
    for (what, change) in breaks {
        let site = Site::with(|it| {
            it.pins = true;
            it.delegate("targets", "A", all());
            it.target("A", "file", b"file");
            publish(it);
            change(it);
            let file = it.file("A");
            it.files.insert("metadata/1.A.json".into(), file);
            it.publish(&["targets", "snapshot", "timestamp"]);
        });
        assert_eq!(site.download(&["file"]), Ended::Badly, "{what}");
        assert!(!site.kept("metadata").contains_key("A.json"), "{what}");
    }
}

#[test]
fn hash_prefixes_share_out_files_evenly() {
    let site = Site::with(|it| {
        for (role, prefixes) in [("A", "01234567"), ("B", "89abcdef")] {
            let prefixes: Vec<String> = prefixes.chars().map(String::from).collect();
            it.delegate("targets", role, json!({ "path_hash_prefixes": prefixes }));
        }
        for name in ["one", "two", "three", "four"] {
            let role = if crate::simulated::hex(name.as_bytes()).as_str() < "8" { "A" } else { "B" };
            it.target(role, name, name.as_bytes());
        }
        publish(it);
    });
    assert_eq!(site.download(&["one", "two", "three", "four"]), Ended::Well);
}

#[test]
fn delegations_that_contradict_themselves_are_none() {
    let both = json!({ "paths": ["*"], "path_hash_prefixes": ["0"] });
    for more in [both, json!({}), json!({ "paths": "*" }), json!({ "paths": ["*"], "threshold": 0 })] {
        let site = Site::with(|it| {
            it.delegate("targets", "A", more.clone());
            publish(it);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{more}");
    }
    let site = Site::with(|it| {
        it.delegate("targets", "A", all());
        it.delegate("targets", "A", python());
        publish(it);
    });
    assert_eq!(site.refresh(), Ended::Badly, "one name twice");
}

#[test]
fn the_search_ends_after_32_roles() {
    let site = Site::with(|it| {
        let names: Vec<String> = (0..40).map(|at| format!("role{at}")).collect();
        for name in &names {
            it.delegate("targets", name, all());
        }
        it.target("role31", "near", b"near");
        it.target("role32", "far", b"far");
        it.publish(&names.iter().map(String::as_str).collect::<Vec<_>>());
        it.publish(&["targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.download(&["near"]), Ended::Well);
    assert_eq!(site.download(&["far"]), Ended::Badly);
}
