//! A repository, a server and a client with its folders: what every test here begins with.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::ops::DerefMut;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::SystemTime;

use serde_json::Value;
use tempfile::TempDir;
use tenantry::time::{Duration, Timestamp};

use crate::parts;
use crate::server::{Server, Shared};
use crate::simulated::Simulated;

/// A client that trusts version 1 of the root of a repository, and nothing else yet.
pub(crate) struct Site {
    server: Server,
    folder: TempDir,
}

/// How a run of the client ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    Badly,
}

impl Site {
    /// A repository as `change` leaves it, and a client that was given its first root.
    pub(crate) fn with(change: impl FnOnce(&mut Simulated)) -> Site {
        let mut repository = Simulated::new(&days(30).to_string());
        change(&mut repository);
        let first = repository.files["metadata/1.root.json"].clone();
        let site = Site { server: Server::start(repository), folder: tempfile::tempdir().expect("a temporary folder") };
        assert_eq!(site.init(&first), Ended::Well);
        site
    }

    /// A plain repository.
    pub(crate) fn new() -> Site {
        Site::with(|_| {})
    }

    /// A plain repository that the client has seen.
    pub(crate) fn refreshed() -> Site {
        let site = Site::new();
        assert_eq!(site.refresh(), Ended::Well);
        site.take_requests();
        site
    }

    /// What the test and the server have in common.
    pub(crate) fn shared(&self) -> impl DerefMut<Target = Shared> + '_ {
        self.server.lock()
    }

    /// Does something to the repository.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Simulated)) {
        change(&mut self.server.lock().repository);
    }

    /// Gives the client a root to trust.
    pub(crate) fn init(&self, root: &[u8]) -> Ended {
        let file = self.folder.path().join("given.root.json");
        fs::write(&file, root).expect("a file can be written");
        let ended = run(self.client().arg("init").arg(file));
        assert_eq!(self.take_requests(), Vec::<String>::new(), "`init` asks nobody");
        ended
    }

    pub(crate) fn refresh(&self) -> Ended {
        run(self.client().args(["--metadata-url", &self.url("metadata")]).arg("refresh"))
    }

    /// The same on a day from now; none when nothing here can change the clock.
    pub(crate) fn refresh_on_day(&self, day: u32) -> Option<Ended> {
        let mut client = at(day)?;
        client.args(self.client().get_args()).args(["--metadata-url", &self.url("metadata")]).arg("refresh");
        Some(run(&mut client))
    }

    pub(crate) fn download(&self, names: &[&str]) -> Ended {
        run(self.client().args(self.download_arguments(names)))
    }

    /// The same on a day from now; none when nothing here can change the clock.
    pub(crate) fn download_on_day(&self, day: u32, names: &[&str]) -> Option<Ended> {
        let mut client = at(day)?;
        client.args(self.client().get_args()).args(self.download_arguments(names));
        Some(run(&mut client))
    }

    fn download_arguments(&self, names: &[&str]) -> Vec<String> {
        let named = names.iter().flat_map(|name| ["--target-name", name]).map(str::to_owned);
        let urls = ["--metadata-url".into(), self.url("metadata"), "--target-base-url".into(), self.url("targets")];
        let folder = ["--target-dir".into(), self.path("targets").to_str().expect("UTF-8").to_owned()];
        urls.into_iter().chain(folder).chain(named).chain(["download".into()]).collect()
    }

    /// What was asked for since the last time, without the folder of metadata.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        let requests = self.server.take_requests().into_iter();
        requests.map(|it| it.strip_prefix("metadata/").map_or(it.clone(), str::to_owned)).collect()
    }

    /// The version of every file of metadata that the client keeps.
    pub(crate) fn trusted(&self) -> Vec<(String, u64)> {
        let version = |(name, bytes): (String, Vec<u8>)| {
            let json: Value = serde_json::from_slice(&bytes).expect("trusted metadata is JSON");
            let role = name.strip_suffix(".json")?.to_owned();
            Some((role, json["signed"]["version"].as_u64().expect("a version")))
        };
        self.kept("metadata").into_iter().filter_map(version).collect()
    }

    /// The files that the client keeps in a folder, not below it.
    pub(crate) fn kept(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return BTreeMap::new() };
        let entries = entries.map(|it| it.expect("an entry").path()).filter(|it| it.is_file());
        let name = |path: &Path| path.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
        entries.map(|path| (name(&path), fs::read(&path).expect("a file can be read"))).collect()
    }

    /// The client's own folders.
    pub(crate) fn path(&self, folder: &str) -> PathBuf {
        self.folder.path().join(folder)
    }

    fn url(&self, folder: &str) -> String {
        format!("{}/{folder}", self.server.base_url())
    }

    fn client(&self) -> Command {
        let mut client = program();
        client.arg("--metadata-dir").arg(self.path("metadata"));
        client
    }
}

/// Versions of the top roles as [`Site::trusted`] gives them.
pub(crate) fn versions<const N: usize>(roles: [(&str, u64); N]) -> Vec<(String, u64)> {
    roles.map(|(role, version)| (role.to_owned(), version)).into()
}

/// An instant so many days from now.
pub(crate) fn days(days: u32) -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    let now = Timestamp::from_unix(since.as_secs().cast_signed()).expect("a clock before 10000");
    now.plus(Duration::days(days))
}

/// An instant that has passed.
pub(crate) const PAST: &str = "2020-02-02T02:02:02Z";

/// Names the port of the client of the web shell, where the tests are about that one.
pub(crate) const PORT: &str = "TENANTRY_TEST_CONFORMANCE_PORT";

/// The client of the web shell as a program.
pub(crate) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/web.mjs");

fn program() -> Command {
    match env::var_os(PORT) {
        Some(_) => {
            let mut node = Command::new("node");
            node.arg(SCRIPT);
            node
        }
        None => Command::new(&*CLIENT),
    }
}

/// `faketime` with the client, if it is there.
fn at(day: u32) -> Option<Command> {
    let is_there = Command::new("faketime").arg("--version").output().is_ok();
    let mut faked = Command::new("faketime");
    faked.env("TZ", "UTC").arg(days(day).to_string().replace(['T', 'Z'], " ").trim_end());
    faked.arg(program().get_program());
    parts::present_or_demanded("faketime", is_there).then_some(faked)
}

fn run(command: &mut Command) -> Ended {
    let (code, said) = match env::var(PORT) {
        Ok(port) if command.get_program() == "node" => asked(&port, command),
        _ => {
            let output = command.output().expect("the client starts");
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        }
    };
    match code {
        Some(0) => Ended::Well,
        Some(1) => Ended::Badly,
        _ => panic!("the client broke: {said}"),
    }
}

/// The same by a process that is there already.
fn asked(port: &str, command: &Command) -> (Option<i32>, String) {
    let arguments: Vec<&str> = command.get_args().skip(1).map(|it| it.to_str().expect("UTF-8")).collect();
    let port = port.parse().expect("a port");
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the client listens");
    connection.write_all(serde_json::json!(arguments).to_string().as_bytes()).expect("it reads");
    connection.shutdown(Shutdown::Write).expect("that was all");
    let answer: Value = serde_json::from_reader(connection).expect("an answer");
    let code = answer["code"].as_i64().and_then(|it| i32::try_from(it).ok());
    (code, answer["said"].as_str().unwrap_or_default().to_owned())
}

/// The client, built as cargo builds this test: it is an example, and `cargo test --test conformance` builds none.
static CLIENT: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("tests lie in `deps/` below their profile");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--example", "conformance", "--target-dir"]);
    build.arg(profile.parent().expect("a profile lies in the target folder"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo starts");
    assert!(built.success(), "the client does not build");
    profile.join("examples/conformance").with_extension(env::consts::EXE_EXTENSION)
});
