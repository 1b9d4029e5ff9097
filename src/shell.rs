//! The web shell of `shell/` as files that a server gives to browsers: few, since on a phone a request takes as long as
//! a page.
//!
//! ```text
//!  index.html, early.js, main.js and its modules, shell.css, icon.svg, Config, root ─▶ index.html
//!  host.html, host.js ─▶ -/host.html
//!  -worker.js, -/host.html, -/bridge.js ─▶ -worker.js
//! ```
//!
//! The sources are in the binary, so that an installed one has them. Nothing here depends on the clock or the machine:
//! the same sources, configuration and root make the same files.

use std::sync::LazyLock;

use data_encoding::BASE64;
use serde::Serialize;
use serde_json::{Value, json};

use crate::digest::{Fingerprint, Sha256};
use crate::link::{self, linked};

/// What no page may do on an origin of programs unless the worker of that origin serves it.
pub const NOTHING: &str = "default-src 'none'; frame-ancestors *";

/// What the shell's own pages on an origin of programs may do, whoever reaches into them. Which script is theirs stands
/// in the page itself.
pub const HOST: &str = "default-src 'none'; script-src 'unsafe-inline'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *";

macro_rules! sources {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../shell/", $path)))),*]
    };
}

/// Every source of the shell, by its path below `shell/`.
const SOURCES: &[(&str, &str)] = sources![
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
    "client/starts.js",
    "client/time.js",
    "client/transport.js",
    "client/trouble.js",
    "client/updater.js",
    "client/zip.js",
    "early.js",
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

/// Where things are, as a shell is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// The URL above `root/`, `t/` and `o/`; it may be relative to the page.
    pub base: String,
    /// How often to ask for something new, in seconds, where once an hour is not enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_every: Option<u32>,
    /// The URL of a program's origin, with `{label}` in it.
    pub frames: String,
    /// The level of this shell: which releases it takes.
    pub platform: u32,
}

/// A file to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the place where the files are.
    pub path: &'static str,
    /// Its `Content-Type`.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The file that a shell is to trust is no root at all. Whether it is a good one, the shell itself finds out.
#[derive(Debug, thiserror::Error)]
#[error("this is no root: JSON with `signed`, `_type` and `version` is one")]
pub struct BadRoot;

/// The shell itself: its page, and the worker that keeps the page.
pub fn page(config: &Config, root: &[u8]) -> Result<[File; 2], BadRoot> {
    let page = filled(config, root)?;
    let mut version = Fingerprint::new("the web shell");
    let version = version.part(page.as_bytes()).part(source("worker.js").as_bytes()).finish();
    let worker = without_comments(source("worker.js")).replace("\"development\"", &format!("\"{version}\""));
    Ok([file("index.html", page), file("worker.js", worker)])
}

/// What lies on the origin of every program.
pub fn frame() -> &'static [File; 2] {
    static FRAME: LazyLock<[File; 2]> = LazyLock::new(|| {
        let script = without_comments(source("frame/-/host.js"));
        let host = without_comments(source("frame/-/host.html"))
            .replace("script-src 'self'", &format!("script-src {}", hash(&script)))
            .replace("<script src=\"host.js\"></script>", &inline("<script>", &script, "</script>"));
        let bridge = without_comments(source("frame/-/bridge.js"));
        let worker = without_comments(source("frame/-worker.js"))
            .replace("\"-/host.html\"", &json!(host).to_string())
            .replace("\"-/bridge.js\"", &json!(bridge).to_string());
        [file("-/host.html", host), file("-worker.js", worker)]
    });
    &FRAME
}

/// The page with everything in it that it names.
fn filled(config: &Config, root: &[u8]) -> Result<String, BadRoot> {
    let root = std::str::from_utf8(root).map_err(|_| BadRoot)?;
    let signed = serde_json::from_str::<Value>(root).map_err(|_| BadRoot)?["signed"].take();
    let version = signed["version"].as_u64().filter(|_| signed["_type"] == "root").ok_or(BadRoot)?;
    let given = json!({ "config": config, "root": root, "version": version });
    // Nothing in it can end the element that it stands in.
    let given = given.to_string().replace('<', "\\u003c");
    Ok(PAGE.replacen(GIVEN, &format!("id=\"given\">{given}</script>"), 1))
}

/// Where the page has what is given to it.
const GIVEN: &str = "id=\"given\">null</script>";

/// The page without what is given to it.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let early = without_comments(source("early.js"));
    let main = linked("main.js", &source);
    let style = source("shell.css");
    let icon = format!("data:image/svg+xml;base64,{}", BASE64.encode(source("icon.svg").as_bytes()));
    without_comments(source("index.html"))
        .replace("script-src 'self'", &format!("script-src {} {}", hash(&early), hash(&main)))
        .replace("style-src 'self'", &format!("style-src {}", hash(style)))
        .replace("img-src 'self' blob: data:", "img-src blob: data:")
        .replace("href=\"icon.svg\"", &format!("href=\"{icon}\""))
        .replace("<script src=\"early.js\"></script>", &inline("<script>", &early, "</script>"))
        .replace("<link rel=\"stylesheet\" href=\"shell.css\">", &inline("<style>", style, "</style>"))
        .replace(
            "<script type=\"module\" src=\"main.js\"></script>",
            &inline("<script type=\"module\">", &main, "</script>"),
        )
});

fn inline(begin: &str, text: &str, end: &str) -> String {
    format!("{begin}{text}{end}")
}

/// How a policy (CSP) names a script or a style.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(&Sha256::of(text.as_bytes()).0))
}

/// Sources explain themselves to whoever reads them; browsers do not read.
fn without_comments(text: &str) -> String {
    link::lines(text).map(|line| format!("{line}\n")).collect()
}

fn source(path: &str) -> &'static str {
    let found = SOURCES.iter().find(|it| it.0 == path);
    found.map(|it| it.1).expect("a path that the sources name is among them, as the tests know")
}

fn file(path: &'static str, text: String) -> File {
    let media_type = match path.ends_with(".html") {
        true => "text/html; charset=utf-8",
        false => "text/javascript; charset=utf-8",
    };
    File { path, media_type, bytes: text.into_bytes() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{BadRoot, Config, GIVEN, HOST, PAGE, SOURCES, frame, page, source};
    use crate::link;

    fn config() -> Config {
        let frames = "https://{label}.apps.example.com/".into();
        Config { base: "../".into(), check_every: None, frames, platform: 15 }
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).expect("text")
    }

    #[test]
    fn every_source_of_the_shell_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shell");
        let entries = walkdir::WalkDir::new(&folder).into_iter().map(|it| it.expect("the folder can be read"));
        let files = entries.filter(|it| it.file_type().is_file());
        let path = |it: walkdir::DirEntry| {
            it.path().strip_prefix(&folder).expect("below it").to_string_lossy().replace('\\', "/")
        };
        // Node is told by it that these are modules; browsers know.
        let there: BTreeSet<String> = files.map(path).filter(|it| it != "package.json").collect();
        assert_eq!(SOURCES.iter().map(|it| it.0.to_owned()).collect::<BTreeSet<_>>(), there);
    }

    #[test]
    fn it_is_written_so_that_it_can_be_linked() {
        assert_eq!(link::obstacles(SOURCES), Vec::<String>::new());
    }

    #[test]
    fn the_page_needs_nothing_but_itself() {
        assert_eq!(PAGE.matches(GIVEN).count(), 1);
        let names: Vec<&str> = PAGE.lines().filter(|it| it.contains(" src=\"") || it.contains(" href=\"")).collect();
        assert!(names.iter().all(|it| it.contains("href=\"data:image/svg+xml;base64,")), "{names:?}");
        assert_eq!(PAGE.matches("</script>").count(), 3);
        assert_eq!(PAGE.matches("</style>").count(), 1);
        assert_eq!(PAGE.matches("'sha256-").count(), 3);
        assert!(!PAGE.contains("'self'; style-src"), "a script by its address could come from a program");
    }

    #[test]
    fn the_page_carries_the_root_byte_for_byte_and_nothing_can_break_out() {
        let root = "{ \"signed\": {\"_type\": \"root\", \"version\": 3, \"x\": \"</script><script>\"} }\n";
        let [page, _] = page(&config(), root.as_bytes()).expect("JSON");
        let page = text(&page.bytes);
        let given =
            page.split_once("id=\"given\">").and_then(|it| it.1.split_once("</script>")).expect("it is there").0;
        let given: serde_json::Value = serde_json::from_str(given).expect("JSON");
        let config =
            serde_json::json!({ "base": "../", "frames": "https://{label}.apps.example.com/", "platform": 15 });
        assert_eq!(given, serde_json::json!({ "config": config, "root": root, "version": 3 }));
        for bad in [&b"<html>"[..], b"{}", b"\xff", br#"{"signed":{"_type":"root","version":"1"}}"#] {
            assert!(matches!(super::page(&self::config(), bad), Err(BadRoot)));
        }
    }

    #[test]
    fn another_page_is_another_version() {
        let worker = |config: &Config| {
            text(&page(config, br#"{"signed":{"_type":"root","version":1}}"#).expect("JSON")[1].bytes).to_owned()
        };
        let other = Config { platform: 16, ..config() };
        assert_eq!(worker(&config()), worker(&config()));
        assert_ne!(worker(&config()), worker(&other));
        assert!(!worker(&config()).contains("development"));
    }

    #[test]
    fn the_worker_of_a_program_has_its_pages_in_it() {
        let [host, worker] = frame();
        let (host, worker) = (text(&host.bytes), text(&worker.bytes));
        assert!(host.contains("script-src 'sha256-") && !host.contains("src="), "{host}");
        assert!(!worker.contains("\"-/"), "a text was not put in");
        assert!(!source("frame/-/bridge.js").contains("</script"), "it stands inside a page");
        assert!(worker.contains(&serde_json::json!(HOST).to_string()), "the rules are the same in both places");
    }
}
