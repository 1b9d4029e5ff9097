//! nginx and Varnish with the configurations of `docs/cdn/`, each in a folder of its own.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::parts;
use crate::ports::free_address;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cache in front of a store; stopped with the value.
pub(crate) struct Edge {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

/// What the caches ask.
#[derive(Clone, Copy)]
pub(crate) struct Store<'a> {
    pub(crate) address: SocketAddr,
    /// What keys are below: nothing, or a slash and a bucket.
    pub(crate) path: &'a str,
}

impl Edge {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// nginx; none where it is not installed.
    pub(crate) fn nginx(store: Store<'_>) -> Option<Edge> {
        let program = program("nginx")?;
        let (folder, address) = (folder(), free_address());
        let at = |name: &str| folder.path().join(name).display().to_string();
        for name in ["cache", "run"] {
            fs::create_dir(at(name)).expect("the folder is new");
        }
        let configuration = filled(
            "nginx.conf",
            &[
                ("LISTEN", &address.to_string()),
                ("ORIGIN", &store.address.to_string()),
                ("ORIGIN_HOST", &store.address.to_string()),
                ("ORIGIN_PATH", store.path),
                ("CACHE", &at("cache")),
                ("RUN", &at("run")),
            ],
        );
        fs::write(at("nginx.conf"), configuration).expect("the folder is ours");
        let mut command = Command::new(program);
        command.args(["-p", &at("run"), "-c", &at("nginx.conf"), "-e", "stderr", "-g", "daemon off;"]);
        Some(Edge::start(command, address, folder))
    }

    /// Varnish; none where it is not installed.
    pub(crate) fn varnish(store: Store<'_>) -> Option<Edge> {
        let program = program("varnishd")?;
        let (folder, address) = (folder(), free_address());
        let at = |name: &str| folder.path().join(name).display().to_string();
        let configuration = filled(
            "varnish.vcl",
            &[
                ("ORIGIN_NAME", &store.address.ip().to_string()),
                ("ORIGIN_PORT", &store.address.port().to_string()),
                ("ORIGIN_HOST", &store.address.to_string()),
                ("ORIGIN_PATH", store.path),
            ],
        );
        fs::write(at("default.vcl"), configuration).expect("the folder is ours");
        let mut command = Command::new(program);
        // `-j none`: the test's folder belongs to whoever runs the test, and to no user of the package's.
        command.args(["-j", "none", "-F", "-a", &address.to_string(), "-f", &at("default.vcl"), "-s", "malloc,64m"]);
        command.args(["-n", &at("work")]);
        Some(Edge::start(command, address, folder))
    }

    fn start(mut command: Command, address: SocketAddr, folder: TempDir) -> Edge {
        let log = folder.path().join("log");
        let file = fs::File::create(&log).expect("the folder is ours");
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a file can be held twice")).stderr(file);
        let mut edge = Edge { process: command.spawn().expect("the program is installed"), address, _folder: folder };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = edge.process.try_wait().expect("it is ours");
            let is_late = began.elapsed() > PATIENCE;
            let said = || fs::read_to_string(&log).unwrap_or_default();
            assert!(ended.is_none() && !is_late, "{command:?} does not start ({ended:?}): {}", said());
            thread::sleep(Duration::from_millis(20));
        }
        edge
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // Both have processes below them, which end when the first is asked to end, and would not if it was killed.
        let _ = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// Where a program of the system is.
fn program(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];
    let found = folders.iter().map(|it| Path::new(it).join(name)).find(|it| it.is_file());
    parts::present_or_demanded(name, found.is_some()).then_some(found).flatten()
}

/// A folder that the workers of a server, who may be another user, can enter.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), open).expect("the folder is ours");
    folder
}

/// A file of `docs/cdn/` with something in every place that it leaves open.
fn filled(name: &str, values: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cdn").join(name);
    let text = fs::read_to_string(path).expect("the page is there");
    let mut filled = String::new();
    for line in text.lines().filter(|it| !it.trim_start().starts_with('#')) {
        let mut line = line.to_owned();
        for (name, value) in values {
            line = line.replace(&format!("@{name}@"), value);
        }
        let is_open =
            line.split('@').skip(1).any(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
        assert!(!is_open, "a place in {name} was not filled: {line}");
        filled += &line;
        filled.push('\n');
    }
    filled
}
