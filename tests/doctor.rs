//! `tenantry doctor`: what it finds out about stores and CDNs, what it says, and how it ends.
#![expect(clippy::disallowed_methods, reason = "a test runs the command and compares clocks")]

#[path = "support/edge.rs"]
mod edge;
#[path = "support/parts.rs"]
#[expect(dead_code, reason = "others need Python and tough")]
mod parts;
#[path = "support/project.rs"]
mod project;
#[path = "support/s3_server.rs"]
mod s3_server;
#[path = "support/servers.rs"]
mod servers;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use edge::{Answer, Asked, Edge};
use project::{Files, NOW, Project, Ran, run, time};
use s3_server::{Fault, Profile, S3Server};
use servers::RealServer;
use tenantry::doctor::http::Http;
use tenantry::doctor::{Known, examine};
use tenantry::index::Index;
use tenantry::store::probe::Outcome;

const DATE: &str = "Mon, 23 Nov 2026 00:00:10 GMT";

/// The command, now and with these variables: servers have clocks.
fn doctor(project: &Project, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    run(command(project, variables).args(arguments))
}

fn command(project: &Project, variables: &[(&str, &str)]) -> Command {
    let mut command = project.command(NOW, &["doctor"]);
    command.env_remove("SOURCE_DATE_EPOCH").envs(variables.iter().copied());
    // No instance of AWS is looked for.
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("NO_COLOR", "1");
    command
}

/// A project with these stores.
fn with_stores(stores: &[String]) -> Project {
    let project = Project::small();
    project.write("tenantry.yaml", with_stores_yaml(stores));
    project
}

fn with_stores_yaml(stores: &[String]) -> String {
    let stores: String = stores.iter().map(|it| format!("    - {it}\n")).collect();
    format!("apiVersion: tenantry.dev/v1\nkind: Project\nmetadata: {{ name: small }}\nspec:\n  stores:\n{stores}")
}

/// The names of the checks of the first of `place`, with what came of each that did not hold.
fn marks(ran: &Ran, place: &str) -> Vec<String> {
    let findings = &ran.json()[place][0]["findings"];
    let findings = findings.as_array().expect("a list").iter();
    let mark = |it: &serde_json::Value| {
        let text = |name: &str| it[name].as_str().expect("a text").to_owned();
        (text("outcome") != "held").then(|| format!("{} {}", text("check"), text("outcome")))
    };
    findings.filter_map(mark).collect()
}

#[test]
fn a_good_bucket_and_a_directory_are_safe() {
    let server = S3Server::start(Profile::good());
    let project = with_stores(&[server.yaml("main"), "{ name: local, directory: public }".into()]);
    let said = doctor(&project, &server.environment(), &[]).ends_with(0).stdout;
    let place =
        format!("main: (`s3://tenantry/` at `{}`)\n  held    an object that must not be there yet", server.endpoint());
    assert!(said.starts_with(&place), "{said}");
    assert!(said.contains("local: (directory `./public`)\n"), "{said}");
    assert!(said.ends_with("safe: everything that was tried is as it should be\n"), "{said}");
    assert!(server.contents().is_empty());
    let json = doctor(&project, &server.environment(), &["--store", "main", "--format", "json"]).ends_with(0);
    assert_eq!(json.json()["safe"], true);
    assert_eq!(json.json()["stores"].as_array().map(Vec::len), Some(1));
    assert_eq!(marks(&json, "stores"), Vec::<String>::new());
}

#[test]
fn a_store_that_ignores_conditions_is_a_guard() {
    let server = S3Server::start(Profile::ignores_conditions());
    let project = with_stores(&[server.yaml("main")]);
    let said = doctor(&project, &server.environment(), &[]).ends_with(6).stdout;
    let wanted = "  BROKEN  an object that must not be there yet is created once\n    \
                  found: an object was created that was there\n    \
                  so:    a publisher overwrites what another one has put under the same name\n    \
                  do:    use a store with conditional writes, or, ";
    assert!(said.contains(wanted), "{said}");
    assert!(said.ends_with("not safe: 5 broken promises\n"), "{said}");
}

#[test]
fn a_lock_outside_is_trusted_and_named() {
    let server = S3Server::start(Profile::ignores_conditions());
    let store = server.yaml("main").replace("{ name: main,", "{ name: main, publishers: locked,");
    let project = with_stores(&[store]);
    let said = doctor(&project, &server.environment(), &[]).ends_with(0).stdout;
    assert!(said.contains("  trusted an object that must not be there yet is created once\n"), "{said}");
    // What a lock does not help against is still broken.
    server.turn_into(Profile { wrong_bytes: true, ..Profile::ignores_conditions() });
    let ran = doctor(&project, &server.environment(), &["--format", "json"]).ends_with(6);
    assert!(marks(&ran, "stores").contains(&"bytes broken".to_owned()));
}

#[test]
fn a_store_that_does_not_answer_is_the_world() {
    let server = S3Server::start(Profile::good());
    server.fault(|_| Some(Fault::Answer(403, "AccessDenied")));
    let project = with_stores(&[server.yaml("main")]);
    let ran = doctor(&project, &server.environment(), &["--format", "json"]).ends_with(3);
    let error = ran.json()["stores"][0]["error"].clone();
    assert!(error["message"].as_str().is_some_and(|it| it.contains("HTTP 403 AccessDenied")), "{error}");
    assert!(error["help"].as_str().is_some_and(|it| it.contains("`s3:PutObject`")), "{error}");
    let said = doctor(&project, &server.environment(), &[]).ends_with(3).stdout;
    assert!(said.contains("  cannot be asked: the store refuses `state/probe/"), "{said}");
}

/// No secret and no signature, whatever goes wrong.
#[test]
fn credentials_are_never_shown() {
    let server = S3Server::start(Profile::good());
    let project = with_stores(&[server.yaml("main")]);
    let (secret, token) = ("canary-secret-8d2f", "canary-token-77aa");
    let variables = [("AWS_ACCESS_KEY_ID", "TESTKEY"), ("AWS_SECRET_ACCESS_KEY", secret), ("AWS_SESSION_TOKEN", token)];
    for format in ["json", "human"] {
        let ran = doctor(&project, &variables, &["--format", format]).ends_with(3).says("SignatureDoesNotMatch");
        for canary in [secret, token] {
            assert!(!ran.stdout.contains(canary) && !ran.stderr.contains(canary), "{ran:#?}");
        }
    }
}

#[test]
fn missing_credentials_and_regions_are_explained() {
    let server = S3Server::start(Profile::good());
    let project = with_stores(&[server.yaml("main"), "{ name: aws, s3: { bucket: somewhere } }".into()]);
    let ran = doctor(&project, &[("HOME", "/nonexistent")], &["--format", "json"]).ends_with(3);
    let error = |store: usize| ran.json()["stores"][store]["error"].clone();
    assert!(
        error(0)["message"].as_str().is_some_and(|it| it.contains("no credentials for bucket `tenantry`")),
        "{}",
        error(0)
    );
    assert!(error(0)["help"].as_str().is_some_and(|it| it.contains("`AWS_ACCESS_KEY_ID`")), "{}", error(0));
    assert_eq!(error(1)["message"], "cannot open store `aws`: no region is known for bucket `somewhere`");
    assert_eq!(error(1)["help"], "give `region` in `tenantry.yaml`, or set `AWS_REGION`");
}

/// A profile and a command that gives credentials: the chain is AWS's own.
#[test]
fn credentials_come_from_the_standard_chain() {
    let server = S3Server::start(Profile::good());
    let project = with_stores(&[server.yaml("main")]);
    let (access, secret) = server.credentials();
    let file = |text: &str| project.write("aws", text);
    let config = project.path("aws").display().to_string();
    let by_profile =
        [("AWS_PROFILE", "shop"), ("AWS_CONFIG_FILE", &config), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
    file(&format!("[profile shop]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n"));
    doctor(&project, &by_profile, &[]).ends_with(0);
    let json = format!(r#"{{"Version":1,"AccessKeyId":"{access}","SecretAccessKey":"{secret}"}}"#);
    project.write("answer.json", json);
    file(&format!("[profile shop]\ncredential_process = cat {}\n", project.path("answer.json").display()));
    doctor(&project, &by_profile, &[]).ends_with(0);
}

/// Where a publication goes stands in the project: no variable sends it elsewhere.
#[test]
fn no_variable_moves_a_store() {
    let (server, other) = (S3Server::start(Profile::good()), S3Server::start(Profile::good()));
    let project = with_stores(&[server.yaml("main")]);
    let endpoint = other.endpoint();
    let (access, secret) = server.credentials();
    let variables = [
        ("AWS_ACCESS_KEY_ID", access),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_ENDPOINT_URL", &*endpoint),
        ("AWS_ENDPOINT_URL_S3", &*endpoint),
    ];
    doctor(&project, &variables, &[]).ends_with(0);
    assert_eq!(other.take_log(), Vec::<String>::new());
}

#[test]
fn a_bundle_of_certificates_does_not_matter_without_tls() {
    let server = S3Server::start(Profile::good());
    let project = with_stores(&[server.yaml("main")]);
    project.write("bad.pem", "no certificate");
    let bad = project.path("bad.pem").display().to_string();
    let (access, secret) = server.credentials();
    for bundle in ["/etc/ssl/certs/ca-certificates.crt", "/nonexistent", &bad] {
        let variables = [("AWS_ACCESS_KEY_ID", access), ("AWS_SECRET_ACCESS_KEY", secret), ("AWS_CA_BUNDLE", bundle)];
        doctor(&project, &variables, &[]).ends_with(0);
    }
}

#[test]
fn over_tls_the_bundle_of_certificates_is_who_is_trusted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some((authority, certificate, key)) = certificates(folder.path()) else { return };
    let server = S3Server::start_over_tls(Profile::good(), &certificate, &key);
    let project = with_stores(&[server.yaml("main")]);
    // As bundles of whole systems are: with one in it that no program can read.
    let odd = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    project.write("bundle.pem", [odd.as_bytes(), &authority].concat());
    project.write("bad.pem", "no certificate");
    let path = |name: &str| project.path(name).display().to_string();
    let (good, bad) = (path("bundle.pem"), path("bad.pem"));
    let (access, secret) = server.credentials();
    let with = |bundle: Option<&str>| {
        let mut variables = vec![("AWS_ACCESS_KEY_ID", access), ("AWS_SECRET_ACCESS_KEY", secret)];
        variables.extend(bundle.map(|it| ("AWS_CA_BUNDLE", it)));
        doctor(&project, &variables, &["--format", "json"])
    };
    with(Some(&good)).ends_with(0);
    // Nobody else knows this authority.
    if Path::new("/etc/ssl/certs/ca-certificates.crt").is_file() {
        with(Some("/etc/ssl/certs/ca-certificates.crt")).ends_with(3).says("UnknownIssuer");
    }
    with(Some(&bad)).ends_with(3).says("`AWS_CA_BUNDLE` must name a file of certificates in PEM");
    with(Some("/nonexistent")).ends_with(3).says("cannot take certificates from `/nonexistent`");
}

/// An authority, and a certificate with its key for `localhost`.
fn certificates(folder: &Path) -> Option<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let is_there = Command::new("openssl").arg("version").output().is_ok_and(|it| it.status.success());
    parts::present_or_demanded("openssl", is_there).then(|| {
        let openssl = |arguments: &str| {
            let mut command = Command::new("openssl");
            let ran = command.current_dir(folder).args(arguments.split(' ')).output().expect("it runs");
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 30"));
        openssl(&format!("req {key} -keyout key.pem -out request.pem -subj /CN=localhost"));
        fs::write(folder.join("extensions"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").expect("writes");
        openssl("x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 30 -extfile extensions");
        let read = |name: &str| fs::read(folder.join(name)).expect("openssl wrote it");
        (read("ca.pem"), read("cert.pem"), read("key.pem"))
    })
}

#[test]
fn names_that_are_none_are_wrong_usage() {
    let project = with_stores(&["{ name: local, directory: public }".into()]);
    doctor(&project, &[], &["--store", "other"]).ends_with(2).says("its stores are `local`");
    let empty = Project::small();
    doctor(&empty, &[], &["--store", "other"]).ends_with(2).says("names no stores");
}

#[test]
fn real_servers_are_judged_rightly() {
    if let Some(server) = RealServer::seaweedfs() {
        let project = with_stores(&[server.yaml("main", "tenantry")]);
        doctor(&project, &server.environment(), &[]).ends_with(0).says("safe: everything that was tried");
    }
    if let Some(server) = RealServer::juicefs() {
        let project = with_stores(&[server.yaml("main", "tenantry")]);
        doctor(&project, &server.environment(), &[]).ends_with(6).says("an object was created that was there");
    }
}

/// What the doctor says of a CDN in front of the small project, when it tampers with its answers: the checks that do
/// not hold.
fn edge_marks(tamper: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static) -> Vec<String> {
    let (files, index) = published();
    edge_marks_of(files, Some(&index), tamper)
}

fn edge_marks_of(
    files: Files,
    index: Option<&Index>,
    tamper: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static,
) -> Vec<String> {
    let edge = Edge::serve(files, DATE.into(), tamper);
    let known = index.and_then(Known::of);
    let findings = examine(&Http::new(&edge.url()), known.as_ref(), time(NOW)).expect("it answers");
    let mark = |outcome: &Outcome| match outcome {
        Outcome::Held => None,
        Outcome::Broken { found, .. } => Some(format!("broken: {found}")),
        Outcome::Hint { found, .. } => Some(format!("hint: {found}")),
        Outcome::NotApplicable { .. } => Some("not applicable".into()),
    };
    // That it is not asked over TLS is known.
    let findings = findings.iter().filter(|it| it.check != "edge-tls");
    findings.filter_map(|it| Some(format!("{} {}", it.check, mark(&it.outcome)?))).collect()
}

/// Everything in `out/`, and its index.
fn published() -> (Files, Index) {
    let project = Project::small();
    project.compile();
    (project.out(), project.index())
}

/// The beginning of each mark; addresses and digests are others in every run.
#[track_caller]
fn same(marks: &[String], wanted: &[&str]) {
    let is_same =
        marks.len() == wanted.len() && marks.iter().zip(wanted).all(|(mark, wanted)| mark.starts_with(wanted));
    assert!(is_same, "{marks:#?} is not {wanted:#?}");
}

#[test]
fn a_good_cdn_is_sound() {
    same(&edge_marks(|_, answer| answer), &[]);
    // 403 where nothing is is what a bucket without the right to list says.
    same(&edge_marks(|_, answer| if answer.status == 404 { Answer { status: 403, ..answer } } else { answer }), &[]);
}

#[test]
fn what_a_cdn_does_wrong_is_found() {
    let is_timestamp = |asked: &Asked| asked.path.ends_with("timestamp.json");
    let is_bundle = |asked: &Asked| asked.path.starts_with("o/");
    same(
        &edge_marks(move |asked, answer| match is_timestamp(asked) {
            true => answer.with("Cache-Control", "public, max-age=86400"),
            false => answer,
        }),
        &["edge-timestamp broken: `t/"],
    );
    same(
        &edge_marks(move |asked, answer| if is_timestamp(asked) { answer.with("Age", "4000") } else { answer }),
        &["edge-timestamp broken: `t/"],
    );
    same(
        &edge_marks(|_, answer| answer.without("Cache-Control")),
        &["edge-timestamp broken: `t/", "edge-immutable broken: `t/"],
    );
    same(
        &edge_marks(|_, answer| answer.with("Content-Type", "text/plain")),
        &["edge-timestamp broken: `t/", "edge-immutable broken: `t/", "edge-bundle broken: `o/"],
    );
    same(&edge_marks(|_, answer| answer.without("ETag")), &["edge-not-modified broken: it has no `ETag`"]);
    same(
        &edge_marks(|_, answer| if answer.status == 304 { Answer { status: 200, ..answer } } else { answer }),
        &["edge-not-modified broken: one that has not changed is answered with 200"],
    );
    same(
        &edge_marks(
            move |asked, answer| if is_bundle(asked) { answer.with("Content-Encoding", "gzip") } else { answer },
        ),
        &["edge-bundle broken: `o/"],
    );
    same(
        &edge_marks(|asked, answer| match asked.path.contains("targets") || asked.path.starts_with("o/") {
            true => Answer { bytes: [b"\xEF\xBB\xBF", &answer.bytes[..]].concat(), ..answer },
            false => answer,
        }),
        &["edge-immutable broken: `t/", "edge-bundle broken: `o/", "edge-ranges broken: a part is not the same"],
    );
    same(
        &edge_marks(|asked, answer| match asked.headers.contains_key("range") {
            true => Answer { status: 200, ..answer },
            false => answer,
        }),
        &["edge-ranges broken: a part is answered with 200"],
    );
    same(
        &edge_marks(|asked, answer| match asked.path.ends_with("1.root.json") && asked.path.starts_with("t/") {
            true => Answer::empty(404),
            false => answer,
        }),
        &["edge-root broken: a tenant's `1.root.json` is answered with 404"],
    );
    same(
        &edge_marks(|_, answer| match answer.status {
            404 => Answer { status: 200, bytes: b"<h1>Welcome</h1>".to_vec(), ..answer },
            _ => answer,
        }),
        &["edge-missing broken: what is not there is answered with 200", "edge-private broken: `state/head.json`"],
    );
    same(
        &edge_marks(|_, answer| match answer.status {
            404 => answer.with("Cache-Control", "max-age=3600"),
            _ => answer,
        }),
        &["edge-missing broken: 404 may be kept for 3600 seconds"],
    );
    same(
        &edge_marks(|_, answer| match answer.status {
            404 => answer.without("Cache-Control").with("Age", "3"),
            _ => answer,
        }),
        &["edge-missing hint: the answer is kept"],
    );
    same(
        &edge_marks(|_, answer| answer.without("Access-Control-Allow-Origin")),
        &["edge-cors hint: there is no `Access-Control-Allow-Origin`"],
    );
    same(
        &edge_marks(|_, answer| answer.with("Date", "Mon, 23 Nov 2026 02:00:00 GMT")),
        &["edge-clock broken: its clock is 7200 seconds ahead of ours"],
    );
    // A date that is old because the answer was kept is no wrong clock.
    same(&edge_marks(|_, answer| answer.with("Date", "Sun, 22 Nov 2026 23:59:00 GMT").with("Age", "60")), &[]);
}

#[test]
fn what_must_stay_private_is_looked_for() {
    let (mut files, index) = published();
    let addresses: String = index.tenants.keys().map(|it| format!("<a href=\"{it}/\">{it}</a>\n")).collect();
    files.insert("t/".into(), addresses.into_bytes());
    let state = files["state/index.json"].clone();
    let tamper = move |asked: &Asked, answer: Answer| match asked.path.as_str() {
        "state/index.json" => Answer { bytes: state.clone(), ..Answer::empty(200) },
        _ => answer,
    };
    let wanted = ["edge-private broken: `state/index.json` is public", "edge-listing broken: `/t/` lists it"];
    same(&edge_marks_of(files, Some(&index), tamper), &wanted);
}

#[test]
fn before_the_first_publication_little_can_be_tried() {
    let not = [
        "edge-timestamp not applicable",
        "edge-not-modified not applicable",
        "edge-immutable not applicable",
        "edge-root not applicable",
        "edge-bundle not applicable",
        "edge-ranges not applicable",
    ];
    same(&edge_marks_of(Files::new(), None, |_, answer| answer), &not);
}

/// What time it is, as servers say it.
fn date() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs().cast_signed();
    jiff::Timestamp::from_second(since).expect("a time").strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What was published is known from the store itself, on a machine that has compiled nothing.
#[test]
fn what_a_cdn_should_have_is_known_from_its_store() {
    let server = S3Server::start(Profile::good());
    let project = with_stores(&[server.yaml("main")]);
    project.compile();
    run(project.command(NOW, &["publish"]).envs(server.environment())).ok();
    fs::remove_dir_all(project.path("out")).expect("it was there");
    let edge = Edge::serve(server.contents(), date(), |_, answer| answer);
    let ran = doctor(&project, &server.environment(), &["--url", &edge.url(), "--format", "json"]).ends_with(0);
    assert_eq!(marks(&ran, "edges"), ["edge-tls hint"], "{ran:#?}");
    // Nobody else's objects were touched, and nothing of the probe is left.
    assert!(server.contents().keys().all(|it| !it.contains("probe")));
}

/// The whole command: the CDN of a store, known from what was compiled, and one that is not there.
#[test]
fn the_cdn_of_a_store_is_asked() {
    let project = Project::small();
    project.compile();
    let edge = Edge::serve(project.public(), date(), |_, answer| answer);
    let store = format!("{{ name: local, directory: public, base_url: \"{}\" }}", edge.url());
    project.write("tenantry.yaml", with_stores_yaml(&[store]));
    let ran = doctor(&project, &[], &["--format", "json"]);
    assert_eq!(marks(&ran, "edges"), ["edge-tls hint"], "{ran:#?}");
    assert_eq!((ran.code, &ran.json()["safe"]), (0, &true.into()));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let url = format!("http://{nobody}/");
    doctor(&project, &[], &["--url", &url]).ends_with(3).says("cannot be asked: cannot get `http://127.0.0.1:");
}
