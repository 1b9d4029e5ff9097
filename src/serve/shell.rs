//! The web shell, which lies beside the tenants, and the origins that its programs run on.
//!
//! `shell/` is in the binary, so that an installed one has it. What depends on the place (`config.json`, the root to
//! trust, a list of tenants where that may be shown) is made here; a deployment has files in their stead.

use hyper::Response;
use hyper::body::Bytes;
use hyper::header;
use hyper::http::request::Parts;
use serde_json::json;

use super::Site;
use super::answer;
use super::page::{development_index, is_asked_for_as_this_machine, may_list};
use crate::digest::Fingerprint;
use crate::index::keys;
use crate::store::MAX_OBJECT;

/// The level of a shell that takes the newest release of everything.
const NEWEST_PLATFORM: u32 = u32::MAX;

/// How often the shell looks for something new here, in seconds: whoever edits a tenant's file is waiting.
const CHECK_EVERY: u32 = 2;

/// What no page may do on an origin of programs unless the worker of that origin serves it.
const NOTHING: &str = "default-src 'none'; frame-ancestors *";

/// What the shell's own pages on an origin of programs may do, whoever reaches into them.
const HOST: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *";

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../shell/", $path)))),*]
    };
}

/// Every file of the shell that is served, by its path below `shell/`.
const FILES: &[(&str, &[u8])] = files![
    "bridge.js",
    "client/blake3.js",
    "client/bytes.js",
    "client/chain.js",
    "client/client.js",
    "client/json.js",
    "client/judge.js",
    "client/keys.js",
    "client/manifest.js",
    "client/roles.js",
    "client/shelf.js",
    "client/time.js",
    "client/transport.js",
    "client/trouble.js",
    "client/updater.js",
    "client/zip.js",
    "frame/-/bridge.js",
    "frame/-/host.html",
    "frame/-/host.js",
    "frame/-worker.js",
    "icon.svg",
    "index.html",
    "main.js",
    "programs.js",
    "shell.css",
    "view.js",
    "words.js",
    "worker.js",
];

/// The shell's own name. Names below it are the same site: browsers that keep other sites' frames from storing
/// anything let its programs store. No server outside can have it.
pub(super) const NAME: &str = "shell.localhost";

/// The answer to a request on an origin of programs (`<label>.shell.localhost`); none when it is on another origin.
pub(super) fn of_program(request: &Parts) -> Option<Response<Bytes>> {
    let host = request.headers.get(header::HOST)?.to_str().ok()?;
    let name = host.split(':').next().unwrap_or(host);
    name.strip_suffix(NAME)?.strip_suffix('.')?;
    let path = request.uri.path();
    let response = match file(&format!("frame{path}")) {
        Some(bytes) => with_rules(answer::file(request, media_type(path), bytes.to_vec()), HOST),
        None => with_rules(answer::missing(request), NOTHING),
    };
    Some(response)
}

/// The answer to a request for the shell itself, by the path below `/shell/`. It asks stores, which block.
pub(super) fn of_shell(site: &Site, request: &Parts, path: &str) -> Response<Bytes> {
    // Asked by another name of this machine, the shell could not have its programs on the same site.
    if path.is_empty() && is_asked_for_as_this_machine(&request.headers) && !is_asked_by_name(request) {
        return redirect(request);
    }
    let path = if path.is_empty() { "index.html" } else { path };
    let json = "application/json";
    let found = match path {
        "config.json" => Some((json, config(request))),
        "root.json" => root(site).map(|bytes| (json, bytes)),
        "tenants.json" => tenants(site, request).map(|bytes| (json, bytes)),
        "worker.js" => Some((media_type(path), worker(site, request))),
        path if path.starts_with("frame/") => None,
        path => file(path).map(|bytes| (media_type(path), bytes.to_vec())),
    };
    match found {
        Some((media_type, bytes)) => with_rules(answer::file(request, media_type, bytes), "frame-ancestors 'none'"),
        None => answer::missing(request),
    }
}

fn is_asked_by_name(request: &Parts) -> bool {
    let host = request.headers.get(header::HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    host.split(':').next() == Some(NAME)
}

/// What a deployment writes down once: where everything is.
fn config(request: &Parts) -> Vec<u8> {
    let port = port(request);
    let config = json!({
        "base": "../",
        "check_every": CHECK_EVERY,
        "frames": format!("http://{{label}}.{NAME}{port}/"),
        "platform": NEWEST_PLATFORM,
    });
    config.to_string().into_bytes()
}

fn root(site: &Site) -> Option<Vec<u8>> {
    let found = site.stores.iter().find_map(|it| it.get(&keys::root(1), MAX_OBJECT).ok().flatten());
    found.map(|it| it.bytes)
}

/// Names and addresses, under the same conditions as on the page of the server.
fn tenants(site: &Site, request: &Parts) -> Option<Vec<u8>> {
    let index = may_list(site, &request.headers).then(|| development_index(site)).flatten()?;
    let tenants = index.tenants.iter().map(|(addr, it)| json!({ "addr": addr, "name": it.name }));
    Some(json!(tenants.collect::<Vec<_>>()).to_string().into_bytes())
}

/// The worker with a digest of all that it keeps, so that a browser takes up a new shell, or a new root.
fn worker(site: &Site, request: &Parts) -> Vec<u8> {
    let mut version = Fingerprint::new("the web shell");
    for (path, bytes) in FILES {
        version.part(path.as_bytes()).part(bytes);
    }
    version.part(&config(request)).part(&root(site).unwrap_or_default());
    let text = String::from_utf8_lossy(file("worker.js").unwrap_or_default());
    text.replace("\"development\"", &format!("\"{}\"", version.finish())).into_bytes()
}

fn file(path: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, bytes)| *bytes)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}

fn with_rules(mut response: Response<Bytes>, rules: &'static str) -> Response<Bytes> {
    answer::set(&mut response, header::CONTENT_SECURITY_POLICY, rules);
    response
}

/// To the shell, by its own name.
pub(super) fn redirect(request: &Parts) -> Response<Bytes> {
    answer::moved(request, &format!("http://{NAME}{}/shell/", port(request)))
}

/// The port that was asked, with its colon; nothing where it is the usual one.
fn port(request: &Parts) -> String {
    let host = request.headers.get(header::HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let port = host.rsplit_once(':').map(|it| it.1).filter(|it| it.bytes().all(|b| b.is_ascii_digit()));
    port.map(|it| format!(":{it}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use hyper::header::{CONTENT_SECURITY_POLICY, HOST};
    use hyper::http::request::Parts;
    use hyper::{Request, StatusCode};

    use super::{FILES, HOST as RULES, NOTHING, of_program};

    fn asked(host: &str, path: &str) -> Parts {
        let request = Request::builder().uri(path).header(HOST, host).body(()).expect("a request");
        request.into_parts().0
    }

    #[test]
    fn an_origin_of_programs_answers_under_rules_whatever_is_asked() {
        let answers = |path: &str| {
            let response = of_program(&asked("x.shell.localhost:8080", path)).expect("it is such an origin");
            let rules = response.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
            (response.status(), rules)
        };
        for path in ["/-/host.html", "/-/host.js", "/-/bridge.js", "/-worker.js"] {
            assert_eq!(answers(path), (StatusCode::OK, RULES.to_owned()), "{path}");
        }
        for path in ["/", "/index.html", "/shell/", "/root/1.root.json", "/-/", "/-/../main.js", "/frame/-worker.js"] {
            assert_eq!(answers(path), (StatusCode::NOT_FOUND, NOTHING.to_owned()), "{path}");
        }
    }

    #[test]
    fn other_names_are_no_origins_of_programs() {
        for host in
            ["shell.localhost:8080", "localhost:8080", "127.0.0.1", "x.shell.localhost.example", "xshell.localhost"]
        {
            assert!(of_program(&asked(host, "/-worker.js")).is_none(), "{host}");
        }
    }

    #[test]
    fn every_file_of_the_shell_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shell");
        let entries = walkdir::WalkDir::new(&folder).into_iter().map(|it| it.expect("the folder can be read"));
        let files = entries.filter(|it| it.file_type().is_file());
        let path = |it: walkdir::DirEntry| {
            it.path().strip_prefix(&folder).expect("below it").to_string_lossy().replace('\\', "/")
        };
        // Node is told by it that these are modules; browsers know.
        let there: BTreeSet<String> = files.map(path).filter(|it| it != "package.json").collect();
        assert_eq!(FILES.iter().map(|it| it.0.to_owned()).collect::<BTreeSet<_>>(), there);
    }
}
