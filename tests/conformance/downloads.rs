//! Targets: length and hashes (5.7).

use serde_json::{Value, json};

use crate::simulated::Simulated;
use crate::site::{Ended, Site};

fn publish(it: &mut Simulated) {
    it.publish(&["targets", "snapshot", "timestamp"]);
}

fn downloaded(site: &Site) -> Vec<Vec<u8>> {
    site.kept("targets").into_values().collect()
}

#[test]
fn a_target_is_fetched_under_its_hash() {
    let site = Site::with(|it| {
        it.target("targets", "file.txt", b"contents");
        it.target("targets", "path/to/file.txt", b"deeper");
        publish(it);
    });
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(downloaded(&site), Vec::<Vec<u8>>::new(), "a refresh fetches no targets");
    site.take_requests();
    assert_eq!(site.download(&["file.txt", "path/to/file.txt"]), Ended::Well);
    let (one, two) = (crate::simulated::hex(b"contents"), crate::simulated::hex(b"deeper"));
    let targets = [format!("targets/{one}.file.txt"), format!("targets/path/to/{two}.file.txt")];
    assert_eq!(site.take_requests()[2..], targets);
    assert_eq!(downloaded(&site), [b"contents".to_vec(), b"deeper".to_vec()]);
}

#[test]
fn a_target_that_is_there_already_is_not_fetched_again() {
    let site = Site::with(|it| {
        it.target("targets", "file.txt", b"contents");
        publish(it);
    });
    assert_eq!(site.download(&["file.txt"]), Ended::Well);
    site.take_requests();
    assert_eq!(site.download(&["file.txt"]), Ended::Well);
    assert_eq!(site.take_requests(), ["2.root.json", "timestamp.json"]);
    let (name, _) = site.kept("targets").pop_first().expect("a file");
    std::fs::write(site.path("targets").join(name), "bit rot!").expect("a file can be written");
    assert_eq!(site.download(&["file.txt"]), Ended::Well);
    assert_eq!(downloaded(&site), [b"contents".to_vec()], "but one that has changed is");
}

#[test]
fn a_target_with_other_bytes_is_not_kept() {
    for other in [&b"CONTENTS"[..], b"content", b"contents and more", b""] {
        let site = Site::with(|it| {
            it.target("targets", "file.txt", b"contents");
            publish(it);
        });
        let path = format!("targets/{}.file.txt", crate::simulated::hex(b"contents"));
        site.shared().answers.push((path, 200, other.to_vec()));
        assert_eq!(site.download(&["file.txt"]), Ended::Badly);
        assert_eq!(downloaded(&site), Vec::<Vec<u8>>::new());
    }
}

#[test]
fn a_target_that_changes_takes_the_place_of_the_old_one() {
    let site = Site::new();
    for contents in [&b"one"[..], b"two", b"three"] {
        site.change(|it| {
            it.target("targets", "file.txt", contents);
            publish(it);
        });
        assert_eq!(site.download(&["file.txt"]), Ended::Well);
        assert_eq!(downloaded(&site), [contents.to_vec()]);
    }
}

/// A target named by these hashes, and what becomes of it.
fn with_hashes(hashes: Value) -> Ended {
    let site = Site::with(|it| {
        it.target("targets", "file.txt", b"contents");
        for hash in hashes.as_object().expect("a map").values().filter_map(Value::as_str) {
            it.files.insert(format!("targets/{hash}.file.txt"), b"contents".to_vec());
        }
        it.signed.get_mut("targets").expect("targets")["targets"]["file.txt"]["hashes"] = hashes;
        publish(it);
    });
    let ended = site.download(&["file.txt"]);
    assert_eq!(downloaded(&site).len(), usize::from(ended == Ended::Well));
    ended
}

#[test]
fn sha256_and_sha512_are_checked_each_and_both() {
    let sha256 = crate::simulated::hex(b"contents");
    let sha512 = data_encoding::HEXLOWER.encode(&<sha2::Sha512 as sha2::Digest>::digest(b"contents"));
    assert_eq!(with_hashes(json!({ "sha256": sha256 })), Ended::Well);
    assert_eq!(with_hashes(json!({ "sha512": sha512 })), Ended::Well);
    assert_eq!(with_hashes(json!({ "sha256": sha256, "sha512": sha512 })), Ended::Well);
    assert_eq!(with_hashes(json!({ "sha256": sha256, "sha512": "00" })), Ended::Badly);
    assert_eq!(with_hashes(json!({ "sha256": "00", "sha512": sha512 })), Ended::Badly);
}

#[test]
fn a_hash_that_nobody_knows_vouches_for_nothing() {
    let sha256 = crate::simulated::hex(b"contents");
    assert_eq!(with_hashes(json!({ "crc32": "00" })), Ended::Badly);
    assert_eq!(with_hashes(json!({})), Ended::Badly);
    assert_eq!(with_hashes(json!({ "blake3": "00", "sha256": sha256 })), Ended::Well, "and does no harm beside one");
}
