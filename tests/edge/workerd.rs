//! workerd with `edge/worker.js`, in a folder of its own.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::parts;
use crate::ports::free_address;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The worker at work; stopped with the value.
pub(crate) struct Workerd {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

/// What it is bound to.
#[derive(Clone, Copy)]
pub(crate) struct Bindings<'a> {
    pub(crate) store: SocketAddr,
    pub(crate) jwk: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) open: &'a str,
}

impl Workerd {
    /// None where it is not installed.
    pub(crate) fn start(bindings: &Bindings<'_>) -> Option<Workerd> {
        let program = program();
        if !parts::present_or_demanded("workerd", program.is_some()) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder for the test");
        let address = free_address();
        let store = bindings.store.to_string();
        let values = [
            ("LISTEN", address.to_string()),
            ("ORIGIN", store.clone()),
            ("ORIGIN_URL", format!("http://{store}")),
            ("AUDIENCE", bindings.audience.to_owned()),
            ("OPEN", bindings.open.to_owned()),
        ];
        let mut configuration = fs::read_to_string(edge().join("config.capnp")).expect("it is there");
        for (name, value) in values {
            configuration = configuration.replace(&format!("\"@{name}@\""), &format!("\"{value}\""));
        }
        let at = |name: &str| folder.path().join(name);
        fs::write(at("config.capnp"), configuration).expect("the folder is ours");
        fs::write(at("jwk.json"), bindings.jwk).expect("the folder is ours");
        fs::copy(edge().join("worker.js"), at("worker.js")).expect("the folder is ours");
        let log = fs::File::create(at("log")).expect("the folder is ours");
        let mut command = Command::new(program?);
        command.args(["serve", "config.capnp"]).current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file can be held twice")).stderr(log);
        let process = command.spawn().expect("it is installed");
        let mut workerd = Workerd { process, address, folder };
        workerd.wait();
        Some(workerd)
    }

    fn wait(&mut self) {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let ended = self.process.try_wait().expect("it is ours");
            assert!(ended.is_none() && began.elapsed() < PATIENCE, "it does not start: {ended:?} {}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has written about itself.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder of the worker.
pub(crate) fn edge() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("edge")
}

/// The program itself, in the package for this machine: what npm calls `workerd` is a script around it.
fn program() -> Option<PathBuf> {
    let packages = fs::read_dir(edge().join("node_modules/@cloudflare")).ok()?;
    packages.flatten().map(|it| it.path().join("bin/workerd")).find(|it| it.is_file())
}
