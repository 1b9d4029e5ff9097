//! `edge/worker.js` in the runtime that it is written for, in front of `tenantry serve`.
//!
//! `.ci/parts` installs workerd; see `tests/support/parts.rs` for what happens without it.
#![expect(clippy::disallowed_methods, reason = "tests start servers, ask for the time and run the examples of a page")]

mod example;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../support/parts.rs"]
mod parts;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/project.rs"]
mod project;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/serving.rs"]
mod serving;
mod tokens;
mod workerd;

use std::fs;

use tenantry::index::keys;

use project::{NOW, Project};
use raw::{Answer, ask, get};
use serving::Serving;
use tokens::{Issuer, now};
use workerd::{Bindings, Workerd};

/// A published project, the worker in front of it, and who issues its tokens.
struct Setup {
    project: Project,
    server: Serving,
    edge: Workerd,
    issuer: Issuer,
}

/// What stands there of one tenant, and a bundle.
struct Paths {
    timestamp: String,
    manifest: String,
    bundle: String,
    root: String,
}

impl Setup {
    fn new() -> Option<Setup> {
        Setup::bound("", "")
    }

    fn bound(audience: &str, open: &str) -> Option<Setup> {
        let project = Project::small();
        project.compile();
        let server = Serving::start(project.command(NOW, &["serve", "--port", "0", "--no-watch", "--log"]));
        let issuer = Issuer::new([7; 32]);
        let bindings = Bindings { store: server.address(), jwk: &issuer.jwk(), audience, open };
        let edge = Workerd::start(&bindings)?;
        Some(Setup { project, server, edge, issuer })
    }

    fn paths(&self, tenant: &str) -> Paths {
        let (addr, index) = (self.project.addr(tenant), self.project.index());
        let (tree, archive) = index.bundles.iter().next().expect("there is a bundle");
        Paths {
            timestamp: format!("/{}", keys::timestamp(&addr)),
            manifest: format!("/{}", keys::manifest(&addr, index.tenants[&addr].manifest.sha256)),
            bundle: format!("/{}", keys::archive(*tree, archive.sha256)),
            root: format!("/t/{addr}/1.root.json"),
        }
    }

    /// A token for a tenant and an hour.
    fn token(&self, tenant: &str) -> String {
        self.issuer.token(&format!(r#"{{"addr":"{}","exp":{}}}"#, self.project.addr(tenant), now() + 3600))
    }

    fn get(&self, path: &str, token: &str) -> Answer {
        get(self.edge.address(), path, &[("Authorization", &format!("Bearer {token}"))])
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.project.path("out").join(&path[1..])).expect("it was published")
    }

    /// Asks for a tenant's own timestamp with a token of these claims.
    fn with_claims(&self, claims: &str) -> (u16, String) {
        let answer = self.get(&self.paths("acme").timestamp, &self.issuer.token(claims));
        (answer.status, error(&answer))
    }
}

/// The word that a refusal gives.
#[track_caller]
fn error(answer: &Answer) -> String {
    if answer.status < 400 {
        return String::new();
    }
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "a page must see why: {answer:?}");
    let refusal: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert!(answer.body.len() < 200 && refusal["message"].is_string(), "{refusal}");
    refusal["error"].as_str().expect("a word").to_owned()
}

#[test]
fn without_a_token_nothing_is_shown() {
    let Some(setup) = Setup::new() else { return };
    let Paths { timestamp, manifest, bundle, root } = setup.paths("acme");
    for path in [&timestamp, &manifest, &bundle, &root, "/root/1.root.json"] {
        let answer = get(setup.edge.address(), path, &[]);
        assert_eq!((answer.status, &*error(&answer)), (401, "token_missing"), "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    for other in ["Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", "Bearer a b", "Token x"] {
        let answer = get(setup.edge.address(), &timestamp, &[("Authorization", other)]);
        assert_eq!((answer.status, &*error(&answer)), (401, "token_missing"), "{other}");
    }
    assert!(!setup.server.talk().contains("GET"), "the store was asked: {}", setup.server.talk());
}

#[test]
fn a_tenant_has_its_own_files_and_nobody_elses() {
    let Some(setup) = Setup::new() else { return };
    let (own, others, token) = (setup.paths("acme"), setup.paths("bolt"), setup.token("acme"));
    for path in [&own.timestamp, &own.manifest, &own.bundle] {
        let answer = setup.get(path, &token);
        assert_eq!((answer.status, answer.body), (200, setup.bytes(path)), "{path}");
    }
    for path in [&others.timestamp, &others.manifest, &others.root] {
        let answer = setup.get(path, &token);
        assert_eq!((answer.status, &*error(&answer)), (403, "other_tenant"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    assert_eq!(setup.get(&others.timestamp, &setup.token("bolt")).status, 200);
    assert!(!setup.server.talk().contains(" 403 "), "{}", setup.server.talk());
}

#[test]
fn roots_are_found_from_a_tenant_and_from_their_own_place() {
    let Some(setup) = Setup::new() else { return };
    let token = setup.token("acme");
    for path in [&*setup.paths("acme").root, "/root/1.root.json"] {
        let answer = setup.get(path, &token);
        assert_eq!((answer.status, answer.body), (200, setup.project.root()), "{path}");
    }
    let addr = setup.project.addr("acme");
    let missing = setup.get(&format!("/t/{addr}/2.root.json"), &token);
    assert_eq!((missing.status, &*error(&missing)), (404, "not_found"));
    assert_eq!(missing.header("cache-control"), Some("private, max-age=10"));
    setup.server.says("GET /root/2.root.json 404");
}

#[test]
fn conditions_and_parts_come_through() {
    let Some(setup) = Setup::new() else { return };
    let (paths, bearer) = (setup.paths("acme"), format!("Bearer {}", setup.token("acme")));
    let with = |path: &str, name: &str, value: &str| {
        get(setup.edge.address(), path, &[("Authorization", &bearer), (name, value)])
    };
    let whole = with(&paths.timestamp, "Accept", "*/*");
    let etag = whole.header("etag").expect("a version");
    assert_eq!(whole.header("content-type"), Some("application/json"));
    assert_eq!(whole.announced(), whole.body.len());
    // Whoever stands between us and the client may not show it to somebody without a token.
    assert_eq!(whole.header("cache-control"), Some("private, max-age=60, must-revalidate"));
    let bundle = with(&paths.bundle, "Accept", "*/*");
    assert_eq!(bundle.header("cache-control"), Some("private, max-age=31536000, immutable"));

    let known = with(&paths.timestamp, "If-None-Match", etag);
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(etag)));
    let part = with(&paths.bundle, "Range", "bytes=10-29");
    assert_eq!((part.status, &*part.body), (206, &bundle.body[10..30]));
    assert_eq!(part.header("content-range"), Some(&*format!("bytes 10-29/{}", bundle.body.len())));
    assert_eq!(with(&paths.bundle, "Range", "bytes=99999999-").status, 416);
    let head = ask(setup.edge.address(), "HEAD", &paths.bundle, &[("Authorization", &bearer)]).expect("an answer");
    assert_eq!((head.status, head.body.len(), head.announced()), (200, 0, bundle.body.len()));
}

#[test]
fn a_token_that_was_changed_or_signed_by_others_is_none() {
    let Some(setup) = Setup::new() else { return };
    let (addr, path) = (setup.project.addr("acme"), setup.paths("acme").timestamp);
    let good = setup.token("acme");
    assert_eq!(setup.get(&path, &good).status, 200);
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let claim = format!(r#"{{"addr":"{addr}","exp":{}}}"#, now() + 3600);
    let flipped = match signature.as_bytes()[10] {
        b'A' => "B",
        _ => "A",
    };
    let none = |alg: &str| tokens::encode(format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#).as_bytes());
    let other = Issuer::new([8; 32]);
    for (what, token) in [
        ("another signature", format!("{header}.{claims}.{}{flipped}{}", &signature[..10], &signature[11..])),
        ("half a signature", format!("{header}.{claims}.{}", &signature[..40])),
        ("no signature", format!("{header}.{claims}.")),
        ("no third part", format!("{header}.{claims}")),
        ("a fourth part", format!("{good}.{signature}")),
        (
            "another tenant's claims",
            format!(
                "{header}.{}.{signature}",
                tokens::encode(claim.replace(&addr, &setup.project.addr("bolt")).as_bytes())
            ),
        ),
        ("another issuer", other.token(&claim)),
        ("alg none", format!("{}.{claims}.", none("none"))),
        ("alg none with a signature", setup.issuer.signed(r#"{"alg":"none"}"#, &claim)),
        ("alg None", setup.issuer.signed(r#"{"alg":"None"}"#, &claim)),
        ("alg HS256 with the public key", setup.issuer.signed(r#"{"alg":"HS256"}"#, &claim)),
        ("alg in lower case", setup.issuer.signed(r#"{"alg":"eddsa"}"#, &claim)),
        ("no alg", setup.issuer.signed("{}", &claim)),
        ("alg as a list", setup.issuer.signed(r#"{"alg":["EdDSA"]}"#, &claim)),
        ("something critical", setup.issuer.signed(r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#, &claim)),
        ("a key in the token", setup.issuer.signed(&format!(r#"{{"alg":"none","jwk":{}}}"#, other.jwk()), &claim)),
        ("padding", format!("{header}.{claims}.{signature}==")),
        ("another spelling of the last bits", respelled(&good)),
        ("a list for claims", setup.issuer.token("[]")),
        ("claims that are no JSON", setup.issuer.token("{")),
        ("claims that are no UTF-8", setup.issuer.signed_bytes(br#"{"alg":"EdDSA"}"#, b"{\"addr\":\"\xff\"}")),
        (
            "more than a token may be",
            setup.issuer.token(&format!(r#"{{"x":"{}","addr":"{addr}","exp":{}}}"#, "x".repeat(4096), now() + 60)),
        ),
        ("nothing like a token", "x".into()),
    ] {
        let answer = setup.get(&path, &token);
        assert_eq!((answer.status, &*error(&answer)), (401, "token_invalid"), "{what}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""), "{what}");
    }
    assert_eq!(setup.get(&path, &good).status, 200);
}

/// The same bytes with other unused bits at the end of the signature.
fn respelled(token: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = token.as_bytes()[token.len() - 1];
    let at = DIGITS.iter().position(|it| *it == last).expect("base64url");
    format!("{}{}", &token[..token.len() - 1], char::from(DIGITS[at ^ 1]))
}

#[test]
fn a_token_holds_from_its_beginning_to_its_end_and_clocks_differ() {
    let Some(setup) = Setup::new() else { return };
    let addr = setup.project.addr("acme");
    let with = |more: &str| setup.with_claims(&format!(r#"{{"addr":"{addr}"{more}}}"#));
    let at = |seconds: i64| now() + seconds;
    let fine = (200, String::new());
    let refused = |word: &str| (401, word.to_owned());
    assert_eq!(with(&format!(r#","exp":{}"#, at(30))), fine);
    assert_eq!(with(&format!(r#","exp":{}"#, at(-30))), fine, "within the difference of clocks");
    assert_eq!(with(&format!(r#","exp":{}"#, at(-90))), refused("token_expired"));
    assert_eq!(with(r#","exp":0"#), refused("token_expired"));
    assert_eq!(with(""), refused("token_expired"), "there is no token without an end");
    assert_eq!(with(r#","exp":null"#), refused("token_expired"));
    assert_eq!(with(&format!(r#","exp":"{}""#, at(3600))), refused("token_expired"), "text is no number");
    assert_eq!(with(r#","exp":1e999"#), refused("token_expired"));
    let end = at(3600);
    assert_eq!(with(&format!(r#","exp":{end},"nbf":{}"#, at(30))), fine);
    assert_eq!(with(&format!(r#","exp":{end},"nbf":{}"#, at(120))), refused("token_too_early"));
    assert_eq!(with(&format!(r#","exp":{end},"nbf":"0""#)), refused("token_too_early"));
}

#[test]
fn a_token_names_one_tenant() {
    let Some(setup) = Setup::new() else { return };
    let (acme, bolt, end) = (setup.project.addr("acme"), setup.project.addr("bolt"), now() + 3600);
    for addr in [
        "null".to_owned(),
        "\"\"".to_owned(),
        "\"*\"".to_owned(),
        format!("[\"{acme}\"]"),
        format!("\"{}\"", acme.to_uppercase()),
        format!("\"{acme} {bolt}\""),
        format!("\"{acme}\\n\""),
        format!("{{\"toString\":\"{acme}\"}}"),
    ] {
        let claims = format!(r#"{{"addr":{addr},"exp":{end}}}"#);
        assert_eq!(setup.with_claims(&claims), (401, "token_invalid".into()), "{addr}");
        // Nor is it good for what needs any token.
        assert_eq!(setup.get(&setup.paths("acme").bundle, &setup.issuer.token(&claims)).status, 401, "{addr}");
    }
    assert_eq!(setup.with_claims(&format!(r#"{{"sub":"{acme}","exp":{end}}}"#)), (401, "token_invalid".into()));
    // Who says two things has said the last one, which is what was signed.
    let twice = format!(r#"{{"addr":"{acme}","addr":"{bolt}","exp":{end}}}"#);
    assert_eq!(setup.with_claims(&twice), (403, "other_tenant".into()));
}

#[test]
fn a_cookie_will_do_and_two_will_not() {
    let Some(setup) = Setup::new() else { return };
    let (path, acme, bolt) = (setup.paths("acme").timestamp, setup.token("acme"), setup.token("bolt"));
    let with = |cookie: &str| get(setup.edge.address(), &path, &[("Cookie", cookie)]).status;
    assert_eq!(with(&format!("tenantry_token={acme}")), 200);
    assert_eq!(with(&format!("theme=dark; tenantry_token={acme}; x=y")), 200);
    assert_eq!(with(&format!("tenantry_token={bolt}")), 403);
    assert_eq!(with(&format!("tenantry_token={bolt}; tenantry_token={acme}")), 401);
    assert_eq!(with(&format!("not_tenantry_token={acme}")), 401);
    // The header is what was said on purpose.
    let both = [("Cookie", &*format!("tenantry_token={acme}")), ("Authorization", &format!("Bearer {bolt}"))];
    assert_eq!(get(setup.edge.address(), &path, &both).status, 403);
}

#[test]
fn only_the_paths_of_a_publication_can_be_asked_for() {
    let Some(setup) = Setup::new() else { return };
    let (token, addr) = (setup.token("acme"), setup.project.addr("acme"));
    for path in [
        "/".to_owned(),
        "/state/index.json".into(),
        format!("/t/{addr}/../../state/index.json"),
        format!("/t/{addr}/%2e%2e/%2e%2e/state/index.json"),
        format!("/t/{addr}/..%2f..%2fstate/timestamp.json"),
        format!("/t/{addr}/"),
        format!("/t/{addr}/timestamp.json/"),
        format!("//t/{addr}/timestamp.json"),
        format!("/t/{}/timestamp.json", addr.to_uppercase()),
        format!("/t/{addr}/timestamp.json.new"),
        "/o/".into(),
        "/root/pending.json".into(),
    ] {
        let answer = setup.get(&path, &token);
        assert_eq!((answer.status, &*error(&answer)), (404, "not_found"), "{path}");
    }
    assert!(!setup.server.talk().contains("GET"), "the store was asked: {}", setup.server.talk());
    for method in ["POST", "PUT", "DELETE"] {
        let path = setup.paths("acme").timestamp;
        let own = [("Authorization", &*format!("Bearer {token}")), ("Content-Length", "0")];
        let answer = ask(setup.edge.address(), method, &path, &own).expect("an answer");
        assert_eq!((answer.status, &*error(&answer)), (405, "read_only"), "{method}");
    }
    let answer = ask(setup.edge.address(), "OPTIONS", &setup.paths("acme").timestamp, &[]).expect("an answer");
    assert_eq!(answer.status, 204, "a browser asks this without a token");
    assert!(answer.header("access-control-allow-headers").is_some_and(|it| it.contains("Authorization")));
}

#[test]
fn the_store_sees_nothing_of_the_token() {
    let Some(setup) = Setup::new() else { return };
    let path = setup.paths("acme").timestamp;
    // A store that keeps what it is sent.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let store = listener.local_addr().expect("a bound listener has an address");
    let heard = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut connection, _) = listener.accept().expect("somebody asks");
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(b"\r\n\r\n") {
            connection.read_exact(&mut byte).expect("a request");
            request.push(byte[0]);
        }
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\nX-Amz-Id: 1\r\nServer: x\r\nVary: Origin\r\n\r\n{}";
        connection.write_all(answer.as_bytes()).expect("it is read");
        String::from_utf8(request).expect("text")
    });
    let jwk = setup.issuer.jwk();
    let edge = Workerd::start(&Bindings { store, jwk: &jwk, audience: "", open: "" }).expect("it was there before");
    let token = setup.token("acme");
    let own = [
        ("Authorization", &*format!("Bearer {token}")),
        ("Cookie", "who=me"),
        ("X-Secret", "me"),
        ("If-None-Match", "\"x\""),
        ("Origin", "https://shell.example"),
    ];
    let answer = get(edge.address(), &format!("{path}?token={token}"), &own);
    let heard = heard.join().expect("the store does not panic");
    assert!(heard.starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{heard}");
    assert!(heard.contains("\"x\""), "conditions are sent: {heard}");
    for private in [&*token, "who=me", "X-Secret", "Bearer", "shell.example"] {
        assert!(!heard.to_lowercase().contains(&private.to_lowercase()), "`{private}` in {heard}");
    }
    let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(answer.status, 200);
    for hidden in ["set-cookie", "x-amz-id", "server", "vary"] {
        assert!(!names.contains(&hidden), "{answer:?}");
    }
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"), "a store that says nothing");
}

#[test]
fn a_store_that_is_away_is_said_to_be() {
    let Some(setup) = Setup::new() else { return };
    let Setup { project, server, edge, issuer } = setup;
    let path = format!("/{}", keys::timestamp(&project.addr("acme")));
    let token = issuer.token(&format!(r#"{{"addr":"{}","exp":{}}}"#, project.addr("acme"), now() + 60));
    assert_eq!(server.interrupt().0, 0);
    let answer = get(edge.address(), &path, &[("Authorization", &format!("Bearer {token}"))]);
    assert_eq!((answer.status, &*error(&answer)), (502, "origin_away"));
}

#[test]
fn a_key_can_be_replaced_without_a_moment_in_between() {
    let Some(setup) = Setup::new() else { return };
    let (old, new, third) = (&setup.issuer, Issuer::new([9; 32]), Issuer::new([10; 32]));
    let set = format!(r#"{{"keys":[{},{}]}}"#, old.named_jwk("a"), new.named_jwk("b"));
    let bindings = Bindings { store: setup.server.address(), jwk: &set, audience: "", open: "" };
    let edge = Workerd::start(&bindings).expect("it was there before");
    let claims = format!(r#"{{"addr":"{}","exp":{}}}"#, setup.project.addr("acme"), now() + 3600);
    let path = setup.paths("acme").timestamp;
    for (token, status) in [
        (old.token(&claims), 200),
        (new.token(&claims), 200),
        (old.signed(r#"{"alg":"EdDSA","kid":"a"}"#, &claims), 200),
        (new.signed(r#"{"alg":"EdDSA","kid":"b"}"#, &claims), 200),
        (new.signed(r#"{"alg":"EdDSA","kid":"a"}"#, &claims), 401),
        (new.signed(r#"{"alg":"EdDSA","kid":"c"}"#, &claims), 401),
        (third.token(&claims), 401),
    ] {
        let answer = get(edge.address(), &path, &[("Authorization", &format!("Bearer {token}"))]);
        assert_eq!(answer.status, status, "{token}");
    }
}

#[test]
fn a_worker_without_a_public_key_admits_nobody() {
    let Some(setup) = Setup::new() else { return };
    let path = setup.paths("acme").timestamp;
    let token = setup.token("acme");
    let private = setup.issuer.jwk().replace("\"x\"", "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\",\"x\"");
    for jwk in [
        &*private,
        "",
        "{}",
        r#"{"keys":[]}"#,
        r#"{"kty":"oct","k":"AA"}"#,
        r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#,
    ] {
        let bindings = Bindings { store: setup.server.address(), jwk, audience: "", open: "" };
        let edge = Workerd::start(&bindings).expect("it was there before");
        let answer = get(edge.address(), &path, &[("Authorization", &format!("Bearer {token}"))]);
        assert_eq!((answer.status, &*error(&answer)), (500, "misconfigured"), "{jwk}");
        assert!(edge.said().contains("JWK: "), "whoever runs it is told: {}", edge.said());
    }
}

#[test]
fn a_token_for_another_service_is_refused_where_an_audience_is_named() {
    let Some(setup) = Setup::bound("tenantry", "") else { return };
    let (addr, end) = (setup.project.addr("acme"), now() + 3600);
    let with = |more: &str| setup.with_claims(&format!(r#"{{"addr":"{addr}","exp":{end}{more}}}"#));
    assert_eq!(with(r#","aud":"tenantry""#), (200, String::new()));
    assert_eq!(with(r#","aud":"billing""#), (401, "token_invalid".into()));
    assert_eq!(with(""), (401, "token_invalid".into()));
}

#[test]
fn what_was_opened_needs_no_token_and_nothing_else_is_open() {
    let Some(setup) = Setup::bound("", "bundle, root") else { return };
    let paths = setup.paths("acme");
    for path in [&*paths.bundle, "/root/1.root.json"] {
        let answer = get(setup.edge.address(), path, &[]);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"), "{path}");
    }
    for path in [&paths.timestamp, &paths.manifest, &paths.root] {
        assert_eq!(get(setup.edge.address(), path, &[]).status, 401, "{path}");
    }
}
