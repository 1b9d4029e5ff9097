//! The web shell, which lies beside the tenants, and the origins that its programs run on.
//!
//! What depends on the place (its configuration, the root to trust, a list of tenants where that may be shown) is made
//! here; for a CDN, `tenantry shell` writes it once.

use hyper::Response;
use hyper::body::Bytes;
use hyper::header;
use hyper::http::request::Parts;
use serde_json::json;

use super::Site;
use super::answer;
use super::page::{development_index, is_asked_for_as_this_machine, may_list};
use crate::index::keys;
use crate::shell::{self, Config, File, HOST, NOTHING};
use crate::store::MAX_OBJECT;

/// The level of a shell that takes the newest release of everything.
const NEWEST_PLATFORM: u32 = u32::MAX;

/// How often the shell looks for something new here, in seconds: whoever edits a tenant's file is waiting.
const CHECK_EVERY: u32 = 2;

/// The shell's own name. Names below it are the same site: browsers that keep other sites' frames from storing
/// anything let its programs store. No server outside can have it.
pub(super) const NAME: &str = "shell.localhost";

/// The answer to a request on an origin of programs (`<label>.shell.localhost`); none when it is on another origin.
pub(super) fn of_program(request: &Parts) -> Option<Response<Bytes>> {
    let host = request.headers.get(header::HOST)?.to_str().ok()?;
    let name = host.split(':').next().unwrap_or(host);
    name.strip_suffix(NAME)?.strip_suffix('.')?;
    let path = request.uri.path();
    let found = shell::frame().iter().find(|it| path.strip_prefix('/') == Some(it.path));
    let response = match found {
        Some(it) => with_rules(answer::file(request, it.media_type, it.bytes.clone()), HOST),
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
    let found = match path {
        "tenants.json" => tenants(site, request).map(|bytes| ("application/json", bytes)),
        path => file(site, request, path).map(|it| (it.media_type, it.bytes)),
    };
    match found {
        Some((media_type, bytes)) => with_rules(answer::file(request, media_type, bytes), "frame-ancestors 'none'"),
        None => answer::missing(request),
    }
}

/// A file of the shell, as it is deployed here; none where there is no root to trust yet.
fn file(site: &Site, request: &Parts, path: &str) -> Option<File> {
    let files = shell::page(&config(request), &root(site)?).ok()?;
    files.into_iter().find(|it| it.path == path)
}

fn is_asked_by_name(request: &Parts) -> bool {
    let host = request.headers.get(header::HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    host.split(':').next() == Some(NAME)
}

/// Where everything is, seen from a page of this server.
fn config(request: &Parts) -> Config {
    Config {
        base: "../".into(),
        check_every: Some(CHECK_EVERY),
        frames: format!("http://{{label}}.{NAME}{}/", port(request)),
        platform: NEWEST_PLATFORM,
    }
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
    use hyper::header::{CONTENT_SECURITY_POLICY, HOST};
    use hyper::http::request::Parts;
    use hyper::{Request, StatusCode};

    use super::{HOST as RULES, NOTHING, of_program};

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
        for path in ["/-/host.html", "/-worker.js"] {
            assert_eq!(answers(path), (StatusCode::OK, RULES.to_owned()), "{path}");
        }
        for path in [
            "/",
            "/index.html",
            "/shell/",
            "/root/1.root.json",
            "/-/",
            "/-/host.js",
            "/-/../main.js",
            "/frame/-worker.js",
        ] {
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
}
