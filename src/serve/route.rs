//! From a path to an object. What has not the form of a public key leads nowhere.

use crate::index::keys;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `root/<N>.root.json`
    Root,
    /// `t/<addr>/timestamp.json`
    Timestamp,
    /// `t/<addr>/<N>.snapshot.json`
    Snapshot,
    /// `t/<addr>/<N>.targets.json`
    Targets,
    /// `o/<sha256>.<addr>.manifest.json`
    Manifest,
    /// `o/<sha256>.<blake3>`: a bundle or an overlay.
    Bundle,
}

/// An object that may be asked for, whether or not it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    /// Its key.
    pub(super) key: String,
    /// What it is.
    pub(super) kind: Kind,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`
    Home,
    /// To an object.
    Object(Object),
    /// To a file of the web shell, by its path below `/shell/`.
    Shell(String),
    /// `/shell`
    ShellFolder,
    /// To the report, or to its document, by the path below `/report/`.
    Report(String),
    /// `/report`
    ReportFolder,
    /// To nothing.
    Nowhere,
}

/// Routes a path. Nothing is decoded: no key holds a character that would have to be encoded.
pub(super) fn route(path: &str) -> Route {
    let Some(key) = path.strip_prefix('/') else { return Route::Nowhere };
    if key.is_empty() {
        return Route::Home;
    }
    if let Some(below) = key.strip_prefix("shell/") {
        return Route::Shell(below.to_owned());
    }
    if let Some(below) = key.strip_prefix("report/") {
        return Route::Report(below.to_owned());
    }
    match key {
        "shell" => return Route::ShellFolder,
        "report" => return Route::ReportFolder,
        _ => {}
    }
    // Clients build the path of a root from that of their tenant; all tenants have the same roots.
    let key = match key.split('/').collect::<Vec<_>>()[..] {
        ["t", addr, name] if is_root(name) && is_addr(addr) => format!("root/{name}"),
        _ => key.to_owned(),
    };
    match kind(&key) {
        Some(kind) => Route::Object(Object { key, kind }),
        None => Route::Nowhere,
    }
}

fn kind(key: &str) -> Option<Kind> {
    if key.strip_prefix("root/").is_some_and(is_root) {
        return Some(Kind::Root);
    }
    // A timestamp has its other name only while it is being written.
    if !keys::is_ours(key) || key.ends_with(".new") {
        return None;
    }
    let kinds = [
        ("/timestamp.json", Kind::Timestamp),
        (".snapshot.json", Kind::Snapshot),
        (".targets.json", Kind::Targets),
        (".manifest.json", Kind::Manifest),
    ];
    let named = kinds.into_iter().find(|(end, _)| key.ends_with(end));
    Some(named.map_or(Kind::Bundle, |(_, kind)| kind))
}

fn is_root(name: &str) -> bool {
    let version = name.strip_suffix(".root.json").unwrap_or_default();
    (1..=9).contains(&version.len()) && version.bytes().all(|b| b.is_ascii_digit())
}

fn is_addr(text: &str) -> bool {
    keys::is_ours(&keys::timestamp(text))
}

#[cfg(test)]
mod tests {
    use super::{Kind, Object, Route, route};

    const ADDR: &str = "ybtujitmw5drlnquct2rwwgboems4wt7";

    fn leads_to(path: &str, key: &str, kind: Kind) {
        assert_eq!(route(path), Route::Object(Object { key: key.into(), kind }), "{path}");
    }

    #[test]
    fn every_kind_of_object_has_its_path() {
        let sha256 = "0".repeat(64);
        let same = |key: String, kind| leads_to(&format!("/{key}"), &key, kind);
        same("root/1.root.json".into(), Kind::Root);
        same(format!("t/{ADDR}/timestamp.json"), Kind::Timestamp);
        same(format!("t/{ADDR}/12.snapshot.json"), Kind::Snapshot);
        same(format!("t/{ADDR}/12.targets.json"), Kind::Targets);
        same(format!("o/{sha256}.{ADDR}.manifest.json"), Kind::Manifest);
        same(format!("o/{sha256}.{sha256}"), Kind::Bundle);
        assert_eq!(route("/"), Route::Home);
        assert_eq!(route("/shell/client/json.js"), Route::Shell("client/json.js".into()));
        assert_eq!(route("/report/report.json"), Route::Report("report.json".into()));
    }

    #[test]
    fn a_root_below_a_tenant_is_the_root_of_all() {
        leads_to(&format!("/t/{ADDR}/3.root.json"), "root/3.root.json", Kind::Root);
    }

    #[test]
    fn everything_else_leads_nowhere() {
        let addr = ADDR;
        for path in [
            "",
            "*",
            "//",
            "/state/index.json",
            "/state/head.json",
            "/root",
            "/root/",
            "/root/../state/index.json",
            "/root/pending.json",
            "/root/1.root.json/",
            "/root/.root.json",
            "/root/99999999999999999999.root.json",
            "/t/../state/index.json",
            "/t/..%2f..%2fstate/timestamp.json",
            "/t/short/1.root.json",
            "/.lock",
            "/o/%2e%2e/x",
            "http://example.com/root/1.root.json",
            &format!("/t/{addr}"),
            &format!("/t/{addr}/"),
            &format!("/t/{addr}/timestamp.json.new"),
            &format!("/t/{addr}//timestamp.json"),
            &format!("/t/{}/timestamp.json", addr.to_uppercase()),
            &format!("/t/{addr}/x.snapshot.json"),
        ] {
            assert_eq!(route(path), Route::Nowhere, "{path}");
        }
    }
}
