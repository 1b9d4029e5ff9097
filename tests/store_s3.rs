//! What a bucket answers, and what that means: done, not done, or nobody knows. The rest is in `store_contract`.
#![expect(clippy::disallowed_methods, reason = "a test looks how long it waits")]

#[path = "support/s3_server.rs"]
mod s3_server;

use std::error::Error as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use s3_server::{Fault, Profile, S3Server};
use tenantry::input::{S3Spec, StateSpec, StoreSpec};
use tenantry::store::open::{OpenError, open};
use tenantry::store::s3::{ConnectError, Login, Pace, S3Store};
use tenantry::store::{ETag, Fetched, MAX_OBJECT, Patience, Precondition, Settled, Store, StoreError, Upload, settle};

const KEY: &str = "t/abc/timestamp.json";

fn upload<'a>(bytes: &'a [u8], precondition: Precondition) -> Upload<'a> {
    Upload { key: KEY, bytes, precondition }
}

/// What became of a request, in one word, and what was said.
fn word<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> (&'static str, String) {
    let Err(error) = answer else { return ("done", format!("{answer:?}")) };
    let said = error.source().map_or_else(String::new, ToString::to_string);
    let word = match error {
        StoreError::Precondition { .. } => "precondition",
        StoreError::Conflict { .. } => "conflict",
        StoreError::Lost { .. } => "lost",
        StoreError::Passing { .. } => "passing",
        StoreError::Refused { .. } => "refused",
    };
    (word, said)
}

/// Everything that a failed request says to anybody.
fn everything(error: &StoreError) -> String {
    format!("{error} {error:?} {:?} {:?}", error.source().map(ToString::to_string), error.help())
}

/// What each answer means for a get, a creating put, a replacing put, and a delete.
#[test]
fn every_answer_has_its_meaning() {
    let table: &[(u16, &'static str, [&str; 4])] = &[
        (412, "PreconditionFailed", ["precondition", "precondition", "precondition", "precondition"]),
        (409, "ConditionalRequestConflict", ["conflict", "conflict", "conflict", "conflict"]),
        (409, "OperationAborted", ["conflict", "conflict", "conflict", "conflict"]),
        (409, "BucketAlreadyExists", ["refused", "refused", "refused", "refused"]),
        // Nothing was taken in.
        (503, "SlowDown", ["passing", "passing", "passing", "passing"]),
        (503, "ServiceUnavailable", ["passing", "passing", "passing", "passing"]),
        (429, "", ["passing", "passing", "passing", "passing"]),
        (400, "ThrottlingException", ["passing", "passing", "passing", "passing"]),
        (400, "RequestTimeout", ["passing", "passing", "passing", "passing"]),
        (400, "BadDigest", ["passing", "passing", "passing", "passing"]),
        // It may have been done before somebody on the way gave up.
        (500, "InternalError", ["passing", "lost", "lost", "passing"]),
        (502, "", ["passing", "lost", "lost", "passing"]),
        (503, "", ["passing", "lost", "lost", "passing"]),
        (504, "", ["passing", "lost", "lost", "passing"]),
        // Asking again will not help.
        (400, "InvalidArgument", ["refused", "refused", "refused", "refused"]),
        (400, "ExpiredToken", ["refused", "refused", "refused", "refused"]),
        (401, "", ["refused", "refused", "refused", "refused"]),
        (403, "AccessDenied", ["refused", "refused", "refused", "refused"]),
        (404, "NoSuchBucket", ["refused", "refused", "refused", "refused"]),
        (501, "NotImplemented", ["refused", "refused", "refused", "refused"]),
        (301, "PermanentRedirect", ["refused", "refused", "refused", "refused"]),
        // Where nothing is there is nothing to get and nothing to replace.
        (404, "NoSuchKey", ["done", "refused", "precondition", "done"]),
    ];
    for (status, code, wanted) in table {
        let server = S3Server::start(Profile { no_batches: true, ..Profile::good() });
        let store = server.store();
        // Once, so that the store knows that there are no batches.
        store.delete(&["o/0".into()]).expect("a delete");
        let (status, code) = (*status, *code);
        server.fault(move |_| Some(Fault::Answer(status, code)));
        let is = Precondition::Is(ETag::new("0123"));
        let words = [
            word(store.get(KEY, 10)).0,
            word(store.put(&upload(b"it", Precondition::Absent))).0,
            word(store.put(&upload(b"it", is))).0,
            word(store.delete(&[KEY.into()])).0,
        ];
        assert_eq!(words, *wanted, "{status} {code}");
    }
}

#[test]
fn what_nobody_took_in_was_not_done() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("an address");
    let store = at(&format!("http://{free}"));
    assert_eq!(word(store.put(&upload(b"it", Precondition::Absent))).0, "passing");
    assert_eq!(word(store.get(KEY, 10)).0, "passing");
}

#[test]
fn a_connection_that_breaks_leaves_a_put_in_doubt() {
    for (fault, done) in [(Fault::Vanished, false), (Fault::AnswerLost, true)] {
        let server = S3Server::start(Profile::good());
        let store = server.store();
        server.fault(move |_| Some(fault));
        assert_eq!(word(store.put(&upload(b"it", Precondition::Absent))).0, "lost");
        assert_eq!(word(store.get(KEY, 10)).0, "passing");
        assert_eq!(server.contents().contains_key(KEY), done);
    }
}

/// The subtle one: a client that asks again by itself would be told that somebody else was first.
#[test]
fn a_lost_answer_is_settled_by_reading_back() {
    for precondition in [Precondition::Absent, Precondition::None, Precondition::Is(ETag::new(""))] {
        let server = S3Server::start(Profile { lost_answers: 1, ..Profile::good() });
        let store = server.store();
        let precondition = match precondition {
            Precondition::Is(_) => {
                server.plant(KEY, b"before");
                Precondition::Is(store.head(KEY).expect("an answer").expect("an object").etag)
            }
            other => other,
        };
        server.take_log();
        let settled = settle(&store, Patience::NONE, &upload(b"after", precondition)).expect("it is settled");
        let there = store.get(KEY, 10).expect("an answer").expect("an object");
        assert_eq!((settled, &there.bytes[..]), (Settled::Ours(there.etag), &b"after"[..]));
        let log = server.take_log();
        assert_eq!(log[..2], [format!("PUT {KEY}"), format!("GET {KEY}")]);
    }
}

#[test]
fn a_put_that_vanished_is_made_again() {
    let server = S3Server::start(Profile::good());
    let store = server.store();
    server.fault(|asked| (asked.number == 0).then_some(Fault::Vanished));
    let settled = settle(&store, Patience::NONE, &upload(b"it", Precondition::Absent)).expect("it is settled");
    assert!(matches!(settled, Settled::Ours(_)), "{settled:?}");
    assert_eq!(server.take_log(), [format!("PUT {KEY}"), format!("GET {KEY}"), format!("PUT {KEY}")]);
}

#[test]
fn a_conflict_is_no_refusal() {
    let server = S3Server::start(Profile { conflicts: 3, ..Profile::good() });
    let store = server.store();
    assert_eq!(word(store.put(&upload(b"it", Precondition::Absent))).0, "conflict");
    let settled = settle(&store, Patience::NONE, &upload(b"it", Precondition::Absent)).expect("it is settled");
    assert!(matches!(settled, Settled::Ours(_)), "{settled:?}");
}

#[test]
fn one_call_is_one_request() {
    let server = S3Server::start(Profile { slow_downs: 2, ..Profile::good() });
    let store = server.store();
    assert_eq!(word(store.put(&upload(b"it", Precondition::Absent))).0, "passing");
    assert_eq!(word(store.get(KEY, 10)).0, "passing");
    assert_eq!(server.take_log(), [format!("PUT {KEY}"), format!("GET {KEY}")]);
}

/// Ceph RGW 16. One more look tells its quirk from a race that was lost, and it is not asked a second time.
#[test]
fn a_store_that_wants_versions_without_quotes_is_found_out_once() {
    let server = S3Server::start(Profile { wants_bare_etag: true, ..Profile::good() });
    let store = server.store();
    let first = store.put(&upload(b"1", Precondition::Absent)).expect("created");
    let second = store.put(&upload(b"2", Precondition::Is(first.clone()))).expect("replaced");
    let third = store.put(&upload(b"3", Precondition::Is(second))).expect("replaced");
    let (put, head) = (format!("PUT {KEY}"), format!("HEAD {KEY}"));
    assert_eq!(server.take_log().join(", "), [&*put, &put, &head, &put, &put].join(", "));
    // A race that was lost is still one.
    assert_eq!(word(store.put(&upload(b"4", Precondition::Is(first)))).0, "precondition");
    assert_eq!(server.take_log(), [put, head]);
    assert_eq!(store.get(KEY, 10).expect("an answer"), Some(Fetched { bytes: b"3".to_vec(), etag: third }));
}

#[test]
fn a_put_that_lost_needs_no_right_to_read() {
    let server = S3Server::start(Profile::good());
    let store = server.store();
    server.plant(KEY, b"theirs");
    server.fault(|asked| (asked.verb != "PUT").then_some(Fault::Answer(403, "AccessDenied")));
    assert_eq!(word(store.put(&upload(b"ours", Precondition::Is(ETag::new("0123"))))).0, "precondition");
    assert_eq!(word(store.put(&upload(b"ours", Precondition::Absent))).0, "precondition");
}

#[test]
fn a_missing_right_to_list_is_explained() {
    let server = S3Server::start(Profile { forbids_missing: true, ..Profile::good() });
    let store = server.store();
    for error in [store.get(KEY, 10).unwrap_err(), store.head(KEY).unwrap_err()] {
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
        assert!(error.help().is_some_and(|it| it.contains("`s3:ListBucket`")), "{:?}", error.help());
    }
    store.put(&upload(b"it", Precondition::Absent)).expect("it can be put");
    assert_eq!(store.get(KEY, 10).expect("it is there").map(|it| it.bytes), Some(b"it".to_vec()));
}

/// In the store's own words, with what to do, and without a secret.
#[test]
fn refusals_are_in_the_stores_own_words() {
    let server = S3Server::start(Profile::good());
    let secret = "canary-secret-5f1c";
    let login = |access: &str, secret: &str| Login::Keys { access_key: access.into(), secret_key: secret.into() };
    let connect = |spec: &S3Spec, login: &Login| S3Store::connect(spec, login).expect("credentials are given");
    let (access, right) = server.credentials();
    let elsewhere = S3Spec { bucket: "elsewhere".into(), ..server.spec() };
    let cases = [
        (connect(&server.spec(), &login(access, secret)), "SignatureDoesNotMatch", "secret key"),
        (connect(&server.spec(), &login("canary-key", secret)), "NotSignedUp", "credentials"),
        (connect(&elsewhere, &login(access, right)), "NoSuchBucket", "make the bucket"),
    ];
    for (store, words, help) in cases {
        let errors = [
            store.put(&upload(b"it", Precondition::Absent)).unwrap_err(),
            store.get(KEY, 10).unwrap_err(),
            store.list("", &mut |_| ()).unwrap_err(),
            store.delete(&[KEY.into()]).unwrap_err(),
        ];
        for error in errors {
            let said = everything(&error);
            assert!(matches!(error, StoreError::Refused { .. }), "{said}");
            assert!(said.contains(words) && error.help().is_some_and(|it| it.contains(help)), "{said}");
            assert!(!said.contains(secret) && !said.contains(right), "{said}");
        }
        assert!(!store.describe().contains(secret));
    }
}

/// A request for another region's bucket is not sent on: it carries a signature.
#[test]
fn a_redirect_is_not_followed() {
    let other = S3Server::start(Profile::good());
    let location = format!("{}/tenantry/{KEY}", other.endpoint());
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nx-amz-bucket-region: eu-central-1\r\nContent-Length: 0\r\n\r\n"
    );
    let store = at(&answering(move |_| answer.clone().into_bytes()));
    let error = store.get(KEY, 10).unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    assert!(error.help().is_some_and(|it| it.contains("`eu-central-1`")), "{:?}", error.help());
    assert_eq!(other.take_log(), Vec::<String>::new());
}

#[test]
fn a_body_that_is_announced_too_large_is_not_read() {
    let head = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 1000000000000\r\n\r\n";
    let store = at(&answering(|_| head.into()));
    assert_eq!(word(store.get(KEY, MAX_OBJECT)).0, "refused");
}

#[test]
fn a_body_without_an_end_is_read_no_further_than_allowed() {
    let store = at(&answering(|_| {
        let head = b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        head.into_iter().chain(b"4\r\nmore\r\n".repeat(10_000)).collect()
    }));
    assert_eq!(word(store.get(KEY, 5_000)).0, "refused");
}

#[test]
fn a_body_that_breaks_off_is_got_again() {
    let server = S3Server::start(Profile::good());
    let store = server.store();
    server.plant(KEY, b"0123456789");
    server.fault(|asked| (asked.number == 0).then_some(Fault::Cut));
    assert_eq!(word(store.get(KEY, 10)).0, "passing");
    assert_eq!(store.get(KEY, 10).expect("an answer").map(|it| it.bytes), Some(b"0123456789".to_vec()));
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for() {
    let server = S3Server::start(Profile::good());
    let store = server.store().at_pace(Pace { answer: Duration::from_millis(200), slowest: 1 << 20 });
    server.fault(|_| Some(Fault::Late(Duration::from_secs(60))));
    let began = Instant::now();
    assert_eq!(word(store.put(&upload(b"it", Precondition::Absent))).0, "lost");
    assert_eq!(word(store.get(KEY, 10)).0, "passing");
    assert_eq!(word(store.head(KEY)).0, "passing");
    assert_eq!(word(store.list("", &mut |_| ())).0, "passing");
    assert_eq!(word(store.delete(&[KEY.into()])).0, "passing");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// A byte now and then is no answer either.
#[test]
fn a_body_that_trickles_is_not_waited_for() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("a client");
        let mut request = [0; 4096];
        assert!(connection.read(&mut request).expect("a request") > 0);
        let head = b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 100\r\n\r\n";
        connection.write_all(head).expect("the client listens");
        while connection.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let store = at(&endpoint).at_pace(Pace { answer: Duration::from_millis(300), slowest: 1000 });
    assert_eq!(word(store.get(KEY, 100)).0, "passing");
}

#[test]
fn a_listing_that_never_ends_is_refused() {
    let body = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>\
                </ListBucketResult>";
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let store = at(&answering(move |_| answer.clone().into_bytes()));
    assert_eq!(word(store.list("", &mut |_| ())).0, "refused");
}

#[test]
fn a_prefix_is_a_world_of_its_own() {
    let server = S3Server::start(Profile::good());
    let (left, right) = (server.store_below("left/"), server.store_below("left/right/"));
    left.put(&upload(b"left", Precondition::Absent)).expect("created");
    right.put(&upload(b"right", Precondition::Absent)).expect("created");
    server.plant("elsewhere", b"it");
    let keys: Vec<String> = server.contents().into_keys().collect();
    assert_eq!(keys, ["elsewhere", "left/right/t/abc/timestamp.json", "left/t/abc/timestamp.json"]);
    let mut listed = Vec::new();
    right.list("", &mut |page| listed.extend(page.into_iter().map(|it| it.key))).expect("a listing");
    assert_eq!(listed, [KEY]);
}

#[test]
fn objects_are_put_with_the_headers_that_their_keys_call_for() {
    let server = S3Server::start(Profile::good());
    let store = server.store();
    for key in [KEY, "o/0123.abcd", "state/head.json"] {
        store.put(&Upload { key, bytes: b"it", precondition: Precondition::Absent }).expect("created");
    }
    let headers = |key: &str| {
        let object = &server.objects()[key];
        (object.content_type.clone(), object.cache_control.clone(), object.content_encoding.clone())
    };
    let wanted = |kind: &str, cache: &str| (Some(kind.to_owned()), Some(cache.to_owned()), None);
    assert_eq!(headers(KEY), wanted("application/json", "public, max-age=60, must-revalidate"));
    assert_eq!(headers("o/0123.abcd"), wanted("application/miniapp-pkg+zip", "public, max-age=31536000, immutable"));
    assert_eq!(headers("state/head.json"), wanted("application/json", "private, no-store"));
}

#[test]
fn what_is_private_goes_to_its_own_place() {
    let server = S3Server::start(Profile::good());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let spec = StoreSpec {
        name: "eu".into(),
        directory: None,
        s3: Some(server.spec()),
        state: Some(StateSpec { directory: Some("private".into()), s3: None }),
        base_url: None,
        regions: Vec::new(),
        publishers: tenantry::input::Publishers::Conditional,
    };
    let store = open(&spec, folder.path(), &server.login()).expect("it opens");
    // Left over from before there was a place for it.
    server.plant("state/old.json", b"old");
    let keys = ["o/1", "root/1.root.json", "state/head.json", "t/a/timestamp.json"];
    for key in keys {
        store.put(&Upload { key, bytes: key.as_bytes(), precondition: Precondition::Absent }).expect("created");
        assert_eq!(store.get(key, 100).expect("an answer").map(|it| it.bytes), Some(key.into()));
    }
    let names = |prefix: &str| {
        let mut names = Vec::new();
        store.list(prefix, &mut |page| names.extend(page.into_iter().map(|it| it.key))).expect("a listing");
        names
    };
    assert_eq!(names(""), keys);
    assert_eq!(names("s"), ["state/head.json"]);
    assert_eq!(names("state/head"), ["state/head.json"]);
    let public: Vec<String> = server.contents().into_keys().collect();
    assert_eq!(public, ["o/1", "root/1.root.json", "state/old.json", "t/a/timestamp.json"]);
    assert!(folder.path().join("private/state/head.json").is_file());
    store.delete(&keys.map(str::to_owned)).expect("deleted");
    assert_eq!(names(""), Vec::<String>::new());
    assert!(store.describe().starts_with("eu (`s3://tenantry/` at `http://127.0.0.1:"), "{}", store.describe());
}

#[test]
fn a_store_without_a_place_does_not_open() {
    let spec = |directory: Option<&str>, s3: Option<S3Spec>| StoreSpec {
        name: "main".into(),
        directory: directory.map(str::to_owned),
        s3,
        state: None,
        base_url: None,
        regions: Vec::new(),
        publishers: tenantry::input::Publishers::Conditional,
    };
    let login = Login::Keys { access_key: "a".into(), secret_key: "b".into() };
    let refused = |spec: StoreSpec| match open(&spec, Path::new("/nowhere"), &login) {
        Ok(store) => panic!("{} opens", store.describe()),
        Err(error) => error,
    };
    let endpoint = |text: &str| S3Spec { endpoint: Some(text.into()), ..bucket() };
    assert!(matches!(refused(spec(None, None)), OpenError::NoPlace { .. }));
    assert!(matches!(refused(spec(Some("a"), Some(bucket()))), OpenError::NoPlace { .. }));
    let error = refused(spec(None, Some(endpoint("https://me:canary@store.example"))));
    assert!(matches!(error, OpenError::Connect { source: ConnectError::UserInEndpoint { .. }, .. }), "{error:?}");
    assert!(!format!("{error:?} {:?}", error.help()).contains("canary"));
}

fn bucket() -> S3Spec {
    S3Spec { bucket: "tenantry".into(), prefix: None, region: None, endpoint: None, path_style: None, checksums: None }
}

/// A store at an endpoint, with some credentials.
fn at(endpoint: &str) -> S3Store {
    let spec = S3Spec { endpoint: Some(endpoint.into()), ..bucket() };
    let login = Login::Keys { access_key: "key".into(), secret_key: "secret".into() };
    S3Store::connect(&spec, &login).expect("credentials are given")
}

/// An endpoint where every request gets what `answer` makes of it, and the connection ends.
fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut request = [0; 8192];
            let length = connection.read(&mut request).unwrap_or_default();
            // Whoever hangs up has heard enough.
            let _ = connection.write_all(&answer(&String::from_utf8_lossy(&request[..length])));
        }
    });
    endpoint
}
