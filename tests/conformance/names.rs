//! Names that are no file names.

use serde_json::json;

use crate::site::{Ended, Site, versions};

#[test]
fn whatever_a_role_is_called_it_is_one_segment_of_a_url_and_one_file() {
    for (role, encoded) in [
        ("?", "%3F"),
        ("#", "%23"),
        ("/etc/passwd", "%2Fetc%2Fpasswd"),
        ("../role", "..%2Frole"),
        ("..", ".."),
        (".", "."),
        ("a b", "a%20b"),
        ("%2e%2e", "%252e%252e"),
        ("c:\\role", "c%3A%5Crole"),
        ("r\u{f4}le", "r%C3%B4le"),
        ("root_history/9.root", "root_history%2F9.root"),
        ("line\nend", "line%0Aend"),
    ] {
        let site = Site::with(|it| {
            it.delegate("targets", role, json!({ "paths": ["*"] }));
            it.publish(&["targets", "snapshot", "timestamp"]);
        });
        // The name of a role may hold what serde_json escapes and canonical JSON does not; see below for those.
        if role.contains('\n') {
            assert_eq!(site.refresh(), Ended::Badly);
            continue;
        }
        site.change(|it| it.publish(&[role, "snapshot", "timestamp"]));
        assert_eq!(site.download(&["nothing"]), Ended::Badly, "{role}");
        assert_eq!(site.take_requests().last(), Some(&format!("1.{encoded}.json")), "{role}");
        let mut expected = versions([("root", 1), ("snapshot", 3), ("targets", 2), ("timestamp", 3)]);
        expected.push((encoded.to_owned(), 1));
        expected.sort();
        assert_eq!(site.trusted(), expected, "{role}");
    }
}

#[test]
fn a_delegated_role_cannot_take_the_name_of_another() {
    for role in ["root", "timestamp", "snapshot", "targets", ""] {
        let site = Site::with(|it| {
            let delegation =
                json!({ "name": role, "keyids": [], "threshold": 1, "terminating": false, "paths": ["*"] });
            it.says("targets", "delegations", json!({ "keys": {}, "roles": [delegation] }));
            it.publish(&["targets", "snapshot", "timestamp"]);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{role}");
    }
}

#[test]
fn a_target_stays_in_its_folder_whatever_it_is_called() {
    for name in ["../outside", "/tmp/outside", "a/../../outside", "..", "a b?c#d"] {
        let site = Site::with(|it| {
            it.target("targets", name, b"inside");
            it.publish(&["targets", "snapshot", "timestamp"]);
        });
        // The server serves what the URL says, and the client asks for the name percent-encoded.
        let served = site.shared().repository.files.clone();
        for (path, bytes) in served.iter().filter(|(path, _)| path.starts_with("targets/")) {
            let encoded: Vec<String> = path.split('/').map(encoded).collect();
            site.shared().repository.files.insert(encoded.join("/"), bytes.clone());
        }
        let ended = site.download(&[name]);
        let kept = site.kept("targets");
        let outside = site.kept(".").into_iter().filter(|(name, _)| name != "given.root.json").count();
        assert_eq!(outside, 0, "{name} lies outside");
        if ended == Ended::Well {
            assert_eq!(kept.into_values().collect::<Vec<_>>(), [b"inside".to_vec()], "{name}");
        }
    }
}

fn encoded(part: &str) -> String {
    tenantry::trust::updater::encoded(part)
}
