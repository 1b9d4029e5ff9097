//! What HTTP asks of a store behind a CDN, object by object.

use std::fs;

use tenantry::store::{Cache, content_type};

use crate::project::{NOW, Project};
use crate::raw::{ask, get};
use crate::{development, serve};

/// A compiled project with keys of its own, and the key of a tenant's timestamp.
fn compiled() -> (Project, String) {
    let project = Project::small();
    project.compile();
    let timestamp = format!("t/{}/timestamp.json", project.addr("acme"));
    (project, timestamp)
}

#[test]
fn every_public_file_is_there_with_its_headers() {
    let (project, _) = compiled();
    let server = serve(&project, &[]);
    let files = project.public();
    assert!(files.len() > 15, "{:?}", files.keys());
    for (key, bytes) in files {
        let answer = get(server.address(), &format!("/{key}"), &[]);
        assert_eq!((answer.status, &answer.body), (200, &bytes), "{key}");
        assert_eq!(answer.header("cache-control"), Some(Cache::of(&key).header()), "{key}");
        assert_eq!(answer.header("content-type"), Some(content_type(&key)), "{key}");
        assert_eq!(answer.announced(), bytes.len(), "{key}");
        assert_eq!(answer.header("accept-ranges"), Some("bytes"), "{key}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{key}");
        assert!(answer.header("access-control-expose-headers").is_some_and(|it| it.contains("ETag")), "{key}");
        assert_eq!((answer.header("vary"), answer.header("set-cookie")), (None, None), "{key}");
        let etag = answer.header("etag").expect("a version");
        assert!(etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"'), "{key}: {etag} is no strong one");
    }
}

#[test]
fn whoever_has_an_object_is_told_so() {
    let (project, key) = compiled();
    let server = serve(&project, &[]);
    let path = format!("/{key}");
    let fresh = get(server.address(), &path, &[]);
    let etag = fresh.header("etag").expect("a version").to_owned();
    for known in [etag.clone(), format!("\"other\", {etag}"), format!("W/{etag}"), "*".to_owned()] {
        let answer = get(server.address(), &path, &[("If-None-Match", &known)]);
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some(&*etag));
        assert_eq!(answer.header("cache-control"), fresh.header("cache-control"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    for other in ["\"other\"", "", &etag[1..]] {
        assert_eq!(get(server.address(), &path, &[("If-None-Match", other)]).body, fresh.body, "{other}");
    }
    // Another tenant's has another version.
    let other = get(server.address(), &format!("/t/{}/timestamp.json", project.addr("bolt")), &[]);
    assert_ne!(other.header("etag"), Some(&*etag));
}

#[test]
fn a_part_can_be_had_and_what_is_not_there_cannot() {
    let (project, key) = compiled();
    let server = serve(&project, &[]);
    let path = format!("/{key}");
    let whole = get(server.address(), &path, &[]);
    let (length, etag) = (whole.body.len(), whole.header("etag").expect("a version"));
    let part = |range: &str| get(server.address(), &path, &[("Range", range)]);

    let answer = part("bytes=100-199");
    assert_eq!((answer.status, &*answer.body), (206, &whole.body[100..200]));
    assert_eq!(answer.header("content-range"), Some(&*format!("bytes 100-199/{length}")));
    assert_eq!(answer.header("etag"), Some(etag));
    assert_eq!(part("bytes=100-").body, whole.body[100..]);
    assert_eq!(part("bytes=-7").body, whole.body[length - 7..]);

    let beyond = part(&format!("bytes={length}-"));
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some(&*format!("bytes */{length}"))));
    // Several parts at once are answered with everything, as S3 does.
    let answer = part("bytes=0-1,5-6");
    assert_eq!((answer.status, &answer.body), (200, &whole.body));

    // A download is only resumed while the object is the same.
    let resumed = |known: &str| get(server.address(), &path, &[("Range", "bytes=100-"), ("If-Range", known)]);
    assert_eq!(resumed(etag).status, 206);
    assert_eq!((resumed("\"other\"").status, resumed("\"other\"").body), (200, whole.body.clone()));
}

#[test]
fn head_is_get_without_the_body() {
    let (project, key) = compiled();
    let server = serve(&project, &[]);
    for path in [format!("/{key}"), "/root/7.root.json".to_owned()] {
        let whole = get(server.address(), &path, &[]);
        let head = ask(server.address(), "HEAD", &path, &[("Range", "bytes=0-1")]).expect("an answer");
        assert_eq!((head.status, head.body.len()), (whole.status, 0), "{path}");
        let without_date = |headers: &[(String, String)]| {
            headers.iter().filter(|(name, _)| name != "date").cloned().collect::<Vec<_>>()
        };
        assert_eq!(without_date(&head.headers), without_date(&whole.headers), "{path}");
    }
}

#[test]
fn a_root_is_found_from_every_tenant() {
    let (project, _) = compiled();
    let server = serve(&project, &[]);
    for name in ["acme", "bolt"] {
        let answer = get(server.address(), &format!("/t/{}/1.root.json", project.addr(name)), &[]);
        assert_eq!((answer.status, &answer.body), (200, &project.root()));
        assert_eq!(answer.header("cache-control"), Some(Cache::Immutable.header()));
    }
}

#[test]
fn what_is_missing_is_missing_for_a_short_time() {
    let (project, _) = compiled();
    let server = serve(&project, &[]);
    let addr = project.addr("acme");
    for path in ["/root/2.root.json".to_owned(), format!("/t/{addr}/2.root.json"), format!("/t/{addr}/9.snapshot.json")]
    {
        let answer = get(server.address(), &path, &[]);
        assert_eq!((answer.status, answer.header("cache-control")), (404, Some("public, max-age=10")), "{path}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{path}: a page must see that it is missing"
        );
    }
}

#[test]
fn nothing_private_can_be_had_whatever_the_path() {
    let (project, _) = compiled();
    fs::write(project.path("secret.txt"), "secret").expect("writes");
    let server = serve(&project, &[]);
    assert!(project.path("out/state/index.json").exists());
    for path in [
        "/state/index.json",
        "/state/",
        "/state",
        "//state/index.json",
        "/./state/index.json",
        "/root/../state/index.json",
        "/root/..%2fstate/index.json",
        "/%73tate/index.json",
        "/STATE/index.json",
        "/o/../state/lock",
        "/../secret.txt",
        "/..%2f..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/..\\secret.txt",
        "/root/",
        "/root",
        "/t/",
        "/o/",
        "/o/?list-type=2",
        "/index.html",
    ] {
        let answer = get(server.address(), path, &[]);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert_eq!(answer.text(), "there is no such object\n", "{path}");
    }
    // A proxy's form of a request, and bytes that are no path at all.
    let absolute = get(server.address(), "http://elsewhere.example/state/index.json", &[]);
    assert_eq!(absolute.status, 404);
    let nonsense = ask(server.address(), "GET", "/root/\u{0}", &[]).map(|it| it.status);
    assert!(matches!(nonsense, Ok(400) | Err(_)), "{nonsense:?}");
}

#[test]
fn a_query_changes_nothing() {
    let (project, key) = compiled();
    let server = serve(&project, &[]);
    let plain = get(server.address(), &format!("/{key}"), &[]);
    assert_eq!(get(server.address(), &format!("/{key}?now=1"), &[]).body, plain.body);
}

#[test]
fn objects_can_only_be_read() {
    let (project, key) = compiled();
    let server = serve(&project, &[]);
    for method in ["PUT", "POST", "DELETE", "PATCH", "PROPFIND"] {
        let answer = ask(server.address(), method, &format!("/{key}"), &[("Content-Length", "0")]).expect("an answer");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, OPTIONS")), "{method}");
    }
    let asked = [("Origin", "https://shell.example"), ("Access-Control-Request-Method", "GET")];
    let answer = ask(server.address(), "OPTIONS", &format!("/{key}"), &asked).expect("an answer");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("access-control-allow-headers").is_some_and(|it| it.contains("If-None-Match")));
}

#[test]
fn many_requests_go_over_one_connection() {
    use std::io::{Read as _, Write as _};
    let (project, key) = compiled();
    let server = serve(&project, &[]);
    let length = get(server.address(), &format!("/{key}"), &[]).body.len();
    let mut connection = std::net::TcpStream::connect(server.address()).expect("it listens");
    let request = format!("GET /{key} HTTP/1.1\r\nHost: x\r\n\r\n");
    for _ in 0..3 {
        connection.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        while !answer.windows(4).any(|it| it == b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).expect("it writes");
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 "));
        connection.read_exact(&mut vec![0; length]).expect("the whole body");
    }
}

#[test]
fn the_page_lists_tenants_of_development_only_and_to_this_machine_only() {
    let project = development();
    let page = |server: &crate::serving::Serving, headers: &[(&str, &str)]| get(server.address(), "/", headers);
    let addr = {
        let server = serve(&project, &[]);
        let addr = project.addr("acme");
        let plain = page(&server, &[]);
        assert_eq!((plain.status, plain.header("content-type")), (200, Some("text/plain; charset=utf-8")));
        assert!(plain.text().contains(&format!("{addr}  acme\n")), "{}", plain.text());
        // No other origin may read it, and nobody keeps it.
        assert_eq!(plain.header("access-control-allow-origin"), None);
        assert_eq!(plain.header("cache-control"), Some("no-store"));
        let html = page(&server, &[("Accept", "text/html,*/*")]);
        assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(html.text().contains(&addr) && html.text().contains("acme"), "{}", html.text());
        // A foreign name that was pointed at this machine.
        let rebound = page(&server, &[("Host", "rebound.example")]);
        assert!(rebound.status == 200 && !rebound.text().contains(&addr), "{}", rebound.text());
        addr
    };
    // Whoever names an address to listen on has others in mind, even when it is this machine's own.
    let hosted = serve(&project, &["--host", "127.0.0.1"]);
    let answer = page(&hosted, &[]);
    assert!(answer.status == 200 && !answer.text().contains(&addr), "{}", answer.text());

    let (real, _) = compiled();
    let answer = page(&serve(&real, &[]), &[]);
    let addr = real.addr("acme");
    assert!(answer.status == 200 && !answer.text().contains(&addr), "{}", answer.text());
}

#[test]
fn only_this_machine_is_answered_unless_another_address_is_named() {
    let project = development();
    let server = serve(&project, &[]);
    assert!(server.address().ip().is_loopback());
    assert_eq!(server.address().ip().to_string(), "127.0.0.1");
    assert!(!server.talk().contains("everybody"), "{}", server.talk());
    drop(server);
    let open = serve(&project, &["--host", "0.0.0.0"]);
    open.says("served to everybody who can reach 0.0.0.0:");
}

#[test]
fn a_directory_store_is_served_by_its_name() {
    let (project, key) = compiled();
    project.edit(
        "tenantry.yaml",
        "  base_url",
        "  stores: [{ name: local, directory: published }, { name: far, directory: elsewhere }]\n  base_url",
    );
    crate::project::copy(&project.path("out"), &project.path("published"));
    let server = serve(&project, &["--store", "local"]);
    assert_eq!(get(server.address(), &format!("/{key}"), &[]).status, 200);
    assert_eq!(get(server.address(), "/state/index.json", &[]).status, 404);
    assert!(!get(server.address(), "/", &[]).text().contains(&project.addr("acme")));
    drop(server);

    project.run(&["serve", "--store", "other"]).ends_with(2).says("no store `other`").says("`local`, `far`");
    project.run(&["serve", "--store", "all"]).ends_with(2).says("one store is served at a time");
    project.run(&["serve", "--store", "local", "--out", "out"]).ends_with(2);
}

#[test]
fn a_port_that_is_taken_is_said_with_what_to_do() {
    let (project, _) = compiled();
    let server = serve(&project, &[]);
    let port = server.address().port().to_string();
    project.run(&["serve", "--port", &port]).ends_with(3).says("cannot listen on 127.0.0.1:").says("--port");
}

#[test]
fn whoever_starts_it_can_read_where_it_is_as_json() {
    use std::io::Read as _;
    use std::process::Stdio;
    let (project, _) = compiled();
    let mut command = project.command(NOW, &["serve", "--port", "0", "--format", "json"]);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    let mut stdout = process.stdout.take().expect("it was asked for");
    let (mut text, mut piece) = (String::new(), [0; 512]);
    let said: serde_json::Value = loop {
        let read = stdout.read(&mut piece).expect("it speaks");
        assert_ne!(read, 0, "it ended: {text}");
        text += std::str::from_utf8(&piece[..read]).expect("text");
        if let Ok(said) = serde_json::from_str(&text) {
            break said;
        }
    };
    let address = said["url"].as_str().and_then(|it| it.strip_prefix("http://")?.parse().ok()).expect("an address");
    let (addr, name) = (&said["tenants"][0]["addr"], &said["tenants"][0]["name"]);
    assert_eq!(project.addr(name.as_str().expect("a name")), addr.as_str().expect("an address"));
    assert_eq!(said["tenants"].as_array().map(Vec::len), Some(3));
    assert_eq!(said["out"], "./out");
    assert_eq!(get(address, "/root/1.root.json", &[]).status, 200);
    process.kill().expect("it is ours");
    process.wait().expect("it is ours");
}

#[test]
fn every_answer_is_logged_when_asked_for() {
    let (project, key) = compiled();
    let length = fs::metadata(project.path(&format!("out/{key}"))).expect("it is there").len();
    let server = serve(&project, &["--log"]);
    get(server.address(), &format!("/{key}?secret=1"), &[]);
    get(server.address(), "/nothing", &[]);
    server.says("GET /nothing 404 24 B\n");
    assert!(server.talk().contains(&format!("GET /{key} 200 {length} B\n")), "{}", server.talk());
    assert!(!server.talk().contains("secret"), "a query may carry what nobody should keep");
}
