//! What a probe finds out about stores, good and bad, and what it leaves behind: nothing.
#![expect(clippy::disallowed_methods, reason = "a test compares a clock with the server's")]

#[path = "support/s3_server.rs"]
mod s3_server;

use std::time::{SystemTime, UNIX_EPOCH};

use s3_server::{Fault, Profile, S3Server};
use tenantry::input::{Publishers, StateSpec, StoreSpec};
use tenantry::store::dir::Directory;
use tenantry::store::memory::{self, Faulty, Memory};
use tenantry::store::open::open;
use tenantry::store::probe::{Outcome, Publishing, Report, conditions, examine};
use tenantry::store::{Patience, Store, StoreError};
use tenantry::time::Timestamp;

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    Timestamp::from_unix(since.as_secs().cast_signed()).expect("it is before 9999")
}

fn examined(store: &dyn Store) -> Report {
    examine(store, Patience::NONE, now()).expect("the store can be asked")
}

fn verdict(store: &dyn Store) -> Publishing {
    conditions(store, Patience::NONE).expect("the store can be asked")
}

/// The checks that came to nothing good: those that are broken, and those that could not be tried.
fn marks(report: &Report) -> Vec<String> {
    let mark = |outcome: &Outcome| match outcome {
        Outcome::Held => None,
        Outcome::Broken { .. } => Some("broken"),
        Outcome::Hint { .. } => Some("hint"),
        Outcome::NotApplicable { .. } => Some("not applicable"),
    };
    report.findings.iter().filter_map(|it| Some(format!("{} {}", it.check, mark(&it.outcome)?))).collect()
}

/// What is found out about a server, and that nothing of it stays behind.
#[track_caller]
fn server_is(profile: Profile, is_safe: bool, wanted: &[&str]) {
    let deletes = !profile.keeps_deleted;
    let server = S3Server::start(profile);
    server.plant("o/1", b"not ours");
    let store = server.store();
    let report = examined(&store);
    assert_eq!(marks(&report), wanted, "{report:#?}");
    assert_eq!(report.conditions_hold, is_safe);
    assert_eq!(verdict(&store) == Publishing::Safe, is_safe);
    if deletes {
        assert_eq!(server.contents().into_keys().collect::<Vec<_>>(), ["o/1"]);
    }
}

#[test]
fn memory_and_a_directory_are_safe() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("store");
    for store in [Box::new(Memory::new()) as Box<dyn Store>, Box::new(Directory::new(&root))] {
        let report = examined(store.as_ref());
        assert_eq!(marks(&report), ["headers not applicable", "clock not applicable"], "{report:#?}");
        assert!(report.conditions_hold && report.is_sound());
        assert_eq!(verdict(store.as_ref()), Publishing::Safe);
        let mut left = Vec::new();
        store.list("", &mut |page| left.extend(page)).expect("a listing");
        assert_eq!(left, []);
    }
}

#[test]
fn a_good_server_is_safe() {
    server_is(Profile::good(), true, &[]);
}

#[test]
fn a_server_that_ignores_conditions_is_caught() {
    let broken = [
        "create-once broken",
        "refuse-stale broken",
        "refuse-missing broken",
        "race-to-create broken",
        "race-to-replace broken",
    ];
    server_is(Profile::ignores_conditions(), false, &broken);
}

#[test]
fn a_server_that_looks_before_it_writes_is_caught() {
    let profile = Profile { races: true, ..Profile::good() };
    server_is(profile, false, &["race-to-create broken", "race-to-replace broken"]);
}

#[test]
fn a_server_that_wants_bare_versions_is_safe() {
    server_is(Profile { wants_bare_etag: true, ..Profile::good() }, true, &[]);
}

#[test]
fn a_server_that_takes_no_version_at_all_is_caught() {
    let profile = Profile { wants_bare_etag: true, wants_quoted_etag: true, ..Profile::good() };
    server_is(profile, false, &["replace-right broken", "race-to-replace broken"]);
}

#[test]
fn a_server_that_answers_404_to_a_version_that_is_gone_is_safe() {
    server_is(Profile { missing_version_is_404: true, ..Profile::good() }, true, &[]);
}

#[test]
fn dropped_headers_are_seen_and_are_no_danger_to_publishers() {
    server_is(Profile { drops_headers: true, ..Profile::good() }, true, &["headers broken"]);
}

#[test]
fn other_bytes_are_seen() {
    let profile = Profile { wrong_bytes: true, ..Profile::good() };
    server_is(profile, true, &["bytes broken", "read-after-write broken"]);
}

#[test]
fn a_listing_that_lags_behind_is_seen() {
    server_is(Profile { stale_list: true, ..Profile::good() }, true, &["listing broken"]);
}

#[test]
fn a_server_that_deletes_nothing_is_seen() {
    server_is(Profile { keeps_deleted: true, ..Profile::good() }, true, &["deleting broken"]);
}

#[test]
fn a_gateway_without_batches_and_pages_is_safe() {
    server_is(Profile { no_batches: true, one_page: true, ..Profile::good() }, true, &[]);
}

#[test]
fn a_clock_that_is_an_hour_off_is_seen() {
    for clock in [3600, -3600] {
        server_is(Profile { clock, ..Profile::good() }, true, &["clock broken"]);
    }
    server_is(Profile { clock: 200, ..Profile::good() }, true, &[]);
}

/// What we have no right to is no fault of the store.
#[test]
fn a_missing_right_to_list_is_no_fault() {
    let wanted = ["missing not applicable", "listing not applicable", "deleting not applicable"];
    server_is(Profile { forbids_missing: true, ..Profile::good() }, true, &wanted);
}

#[test]
fn a_missing_right_to_delete_is_no_fault() {
    let server = S3Server::start(Profile::good());
    let store = server.store();
    server.fault(|asked| asked.verb.starts_with("DELETE").then_some(Fault::Answer(403, "AccessDenied")));
    assert_eq!(marks(&examined(&store)), ["deleting not applicable"]);
    assert_eq!(verdict(&store), Publishing::Safe);
}

/// A server that is in trouble is not one that breaks its word: no answer is taken for another.
#[test]
fn trouble_on_the_way_changes_no_verdict() {
    for step in 0..7 {
        let server = S3Server::start(Profile::good());
        let store = server.store();
        server.fault(move |asked| match asked.number % 7 == step && asked.verb == "PUT" {
            true => Some([Fault::AnswerLost, Fault::Vanished, Fault::Answer(503, "SlowDown")][asked.number % 3]),
            false => None,
        });
        assert_eq!(verdict(&store), Publishing::Safe);
    }
}

#[test]
fn a_store_that_takes_no_conditions_is_unsafe_and_says_so() {
    let memory = Memory::new();
    let picky = Picky(&memory);
    let Publishing::Unsafe(why) = verdict(&picky) else { panic!("it takes no conditions") };
    assert!(why.starts_with("the store takes no conditions"), "{why}");
}

/// A store that refuses whatever has a condition: HTTP 501.
struct Picky<'a>(&'a Memory);

impl Store for Picky<'_> {
    fn describe(&self) -> String {
        "picky".into()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<tenantry::store::Fetched>, StoreError> {
        self.0.get(key, max)
    }

    fn head(&self, key: &str) -> Result<Option<tenantry::store::Listed>, StoreError> {
        self.0.head(key)
    }

    fn put(&self, upload: &tenantry::store::Upload<'_>) -> Result<tenantry::store::ETag, StoreError> {
        match upload.precondition {
            tenantry::store::Precondition::None => self.0.put(upload),
            _ => Err(StoreError::Refused { key: upload.key.into(), source: "HTTP 501 NotImplemented".into() }),
        }
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<tenantry::store::Listed>)) -> Result<(), StoreError> {
        self.0.list(prefix, each)
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.0.delete(keys)
    }
}

#[test]
fn a_store_that_cannot_be_asked_has_no_verdict() {
    let server = S3Server::start(Profile::good());
    let store = server.store();
    server.fault(|_| Some(Fault::Answer(403, "AccessDenied")));
    let error = conditions(&store, Patience::NONE).expect_err("nobody may ask");
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    let memory = Memory::new();
    let dead = Faulty::new(&memory, |_, _, _| Some(memory::Fault::NotDone));
    let error = conditions(&dead, Patience::NONE).expect_err("nobody answers");
    assert!(matches!(error, StoreError::Passing { .. }), "{error:?}");
}

/// Every publication begins with it, so it may not grow unseen.
#[test]
fn the_verdict_takes_a_known_number_of_requests() {
    let server = S3Server::start(Profile::good());
    let store = server.store();
    verdict(&store);
    let log = server.take_log();
    let count = |verb: &str| log.iter().filter(|it| it.split(' ').next() == Some(verb)).count();
    // Five single puts, twelve that are to be replaced, and two times twelve races of two. Each put that lost because of
    // its version takes a look at whether that was a quirk.
    assert_eq!((count("PUT"), count("GET"), count("DELETE-BATCH")), (65, 1, 1), "{log:?}");
    assert!(count("HEAD") <= 16 && log.len() <= 83, "{log:?}");
}

#[test]
fn both_places_of_a_store_are_asked() {
    let (public, private) = (S3Server::start(Profile::good()), S3Server::start(Profile::good()));
    let spec = StoreSpec {
        name: "eu".into(),
        directory: None,
        s3: Some(public.spec()),
        state: Some(StateSpec { directory: None, s3: Some(private.spec()) }),
        base_url: None,
        regions: Vec::new(),
        publishers: Publishers::Conditional,
    };
    let store = open(&spec, std::path::Path::new("."), &public.login()).expect("it opens");
    assert_eq!(verdict(store.as_ref()), Publishing::Safe);
    for bad in [&public, &private] {
        bad.turn_into(Profile::ignores_conditions());
        assert_ne!(verdict(store.as_ref()), Publishing::Safe);
        let report = examined(store.as_ref());
        assert!(!report.conditions_hold && marks(&report).contains(&"create-once broken".to_owned()), "{report:#?}");
        bad.turn_into(Profile::good());
    }
    assert!(public.contents().is_empty() && private.contents().is_empty());
}
