//! A store keeps its word: the same situations on every home of a store, and on servers that do not.
//!
//! What a home breaks is written beside it and compared as a whole, so that neither a promise nor a known fault can
//! go away unseen.

#[path = "support/s3_server.rs"]
mod s3_server;
#[path = "store_contract/situations.rs"]
mod situations;

use s3_server::{Profile, S3Server};
use situations::{LONG, SITUATIONS};
use tenantry::store::Store;
use tenantry::store::dir::Directory;
use tenantry::store::memory::Memory;

/// How much is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    All,
    /// What needs few requests.
    Short,
}

/// Runs situations, each on a fresh store, and holds those that break to those that are expected to.
#[track_caller]
fn breaks<K>(home: impl Fn(&str) -> (Box<dyn Store>, K), extent: Extent, expected: &[&str]) {
    let mut broken = Vec::new();
    let mut whys = String::new();
    for (number, (name, situation)) in SITUATIONS.iter().enumerate() {
        if extent == Extent::Short && LONG.contains(name) {
            continue;
        }
        let (store, _keeper) = home(&format!("situation-{number}/"));
        if let Err(why) = situation(store.as_ref()) {
            whys += &format!("{name}: {why}\n");
            broken.push(*name);
        }
    }
    assert_eq!(broken, expected, "{whys}");
}

/// The same for our own server.
#[track_caller]
fn server_breaks(profile: &Profile, extent: Extent, expected: &[&str]) {
    let home = |prefix: &str| {
        let server = S3Server::start(profile.clone());
        (Box::new(server.store_below(prefix)) as Box<dyn Store>, server)
    };
    breaks(home, extent, expected);
}

#[test]
fn memory_keeps_its_word() {
    breaks(|_| (Box::new(Memory::new()) as Box<dyn Store>, ()), Extent::All, &[]);
}

#[test]
fn a_directory_keeps_its_word() {
    let home = |_: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        (Box::new(Directory::new(folder.path().join("store"))) as Box<dyn Store>, folder)
    };
    breaks(home, Extent::All, &[]);
}

#[test]
fn a_bucket_keeps_its_word() {
    server_breaks(&Profile::good(), Extent::All, &[]);
}

/// Garage, JuiceFS, s3rver: the silent ones. Nothing but a probe finds them out.
#[test]
fn a_server_that_ignores_conditions_breaks_every_promise_about_them() {
    let broken = [
        "an object can be created once",
        "equal bytes are no excuse to create again",
        "a stale version is not replaced",
        "a version is not replaced where nothing is",
        "one of many creates",
        "one of many replaces",
        "what was refused has left no trace",
        "a deleted version cannot be replaced",
        "a put that lost to another is theirs",
    ];
    server_breaks(&Profile::ignores_conditions(), Extent::Short, &broken);
}

#[test]
fn a_server_that_looks_before_it_writes_loses_races_only() {
    let profile = Profile { races: true, ..Profile::good() };
    server_breaks(&profile, Extent::Short, &["one of many creates", "one of many replaces"]);
}

#[test]
fn a_server_that_wants_bare_versions_keeps_its_word_with_us() {
    server_breaks(&Profile { wants_bare_etag: true, ..Profile::good() }, Extent::Short, &[]);
}

#[test]
fn a_server_that_wants_quoted_versions_keeps_its_word_with_us() {
    server_breaks(&Profile { wants_quoted_etag: true, ..Profile::good() }, Extent::Short, &[]);
}

#[test]
fn a_server_that_answers_404_to_a_version_that_is_gone_keeps_its_word() {
    server_breaks(&Profile { missing_version_is_404: true, ..Profile::good() }, Extent::Short, &[]);
}

#[test]
fn a_server_that_drops_headers_breaks_that_promise_only() {
    server_breaks(&Profile { drops_headers: true, ..Profile::good() }, Extent::Short, &["headers are kept"]);
}

#[test]
fn a_server_that_lists_in_one_page_and_takes_no_batches_keeps_its_word() {
    server_breaks(&Profile { one_page: true, no_batches: true, ..Profile::good() }, Extent::All, &[]);
}

#[test]
fn a_listing_that_lags_behind_is_found_out() {
    let broken = [
        "put, get, head and list name one version",
        "what was refused has left no trace",
        "a listing has all of a prefix in order",
        "deleting what is not there is no failure",
        "what was written is read at once",
    ];
    server_breaks(&Profile { stale_list: true, ..Profile::good() }, Extent::Short, &broken);
}

#[test]
fn a_server_that_deletes_nothing_is_found_out() {
    let broken = ["a key that was deleted can be created", "a deleted version cannot be replaced"];
    server_breaks(&Profile { keeps_deleted: true, ..Profile::good() }, Extent::Short, &broken);
}

#[test]
fn a_server_that_gives_other_bytes_is_found_out() {
    let broken = [
        "what was put comes back byte for byte",
        "an object can be created once",
        "the right version is replaced",
        "a stale version is not replaced",
        "without a condition anything is replaced",
        "one of many creates",
        "one of many replaces",
        "what was refused has left no trace",
        "a key that was deleted can be created",
        "what was written is read at once",
        "a put that lost to itself is ours",
        "a put that lost to another is theirs",
    ];
    server_breaks(&Profile { wrong_bytes: true, ..Profile::good() }, Extent::Short, &broken);
}

/// Without the right to list, what is not there looks forbidden. Putting must not need to know.
#[test]
fn a_bucket_without_the_right_to_list_can_be_put_to() {
    let broken = [
        "what is not there is none",
        "put, get, head and list name one version",
        "a version is not replaced where nothing is",
        "what was refused has left no trace",
        "a key that was deleted can be created",
        "a listing has all of a prefix in order",
        "a prefix is text and no folder",
        "an empty listing is one",
        "deleting what is not there is no failure",
        "what was written is read at once",
    ];
    server_breaks(&Profile { forbids_missing: true, ..Profile::good() }, Extent::Short, &broken);
}

/// Every put loses its first answers, meets a conflict and is told to slow down: patience and reading back settle it.
#[test]
fn a_server_in_trouble_keeps_its_word() {
    let profile = Profile { conflicts: 2, slow_downs: 2, ..Profile::good() };
    server_breaks(&profile, Extent::Short, &[]);
}
