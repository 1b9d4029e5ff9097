//! The client that is stopped: this test program once more, told by variables what to do.

use std::collections::BTreeMap;
use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tenantry::client::{Client, ClientError, Config};

use crate::listing::files;
use crate::origin::Origin;
use crate::project::time;

/// What a child does, in this order. An error ends a step, and the next one is tried all the same, as a shell does.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    /// The device.
    pub(crate) dir: PathBuf,
    /// What the server has.
    pub(crate) public: PathBuf,
    pub(crate) root: PathBuf,
    pub(crate) addr: String,
    pub(crate) now: &'static str,
}

impl Errand {
    /// The command that runs it, to be put behind a tracer.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args(["--exact", "child::acts", "--nocapture", "--quiet", "--test-threads=1"]);
        self.told(&mut command);
        command
    }

    /// Tells a tracer's child the same.
    pub(crate) fn told(&self, command: &mut Command) {
        command.env_clear();
        command.env("CRASH_DIR", &self.dir).env("CRASH_PUBLIC", &self.public).env("CRASH_ROOT", &self.root);
        command.env("CRASH_ADDR", &self.addr).env("CRASH_NOW", self.now);
    }
}

/// The configuration of every client here: one hand, so that each run makes the same calls in the same order.
pub(crate) fn config(dir: &Path, root: &[u8], addr: &str) -> Config {
    let mut config = Config::new(dir, "http://127.0.0.1/", addr, root.to_vec(), 12);
    config.limits.downloads = 1;
    config
}

/// Start, refresh, take it up, start, confirm.
pub(crate) fn run(client: &mut Client, now: &str) -> Vec<Result<(), ClientError>> {
    client.start(time(now));
    let refreshed = client.refresh(time(now)).map(drop);
    let activated = client.activate().map(drop);
    let start = client.start(time(now));
    let confirmed = if start.set.is_some() { client.confirm_start() } else { Ok(()) };
    vec![refreshed, activated, confirmed]
}

#[test]
fn acts() {
    // Alone it has nothing to do.
    let Some(dir) = env::var_os("CRASH_DIR") else { return };
    // `strace` counts calls by thread: those of the harness, which writes too, come to fewer than these.
    let mut nowhere = std::fs::File::options().write(true).open("/dev/null").expect("it is always there");
    (0..32).for_each(|_| nowhere.write_all(b".").expect("it takes everything"));
    let told = |name: &str| env::var(name).expect("everything is told");
    let public: BTreeMap<String, Vec<u8>> = files(Path::new(&told("CRASH_PUBLIC")));
    let root = std::fs::read(told("CRASH_ROOT")).expect("a root");
    let config = config(Path::new(&dir), &root, &told("CRASH_ADDR"));
    let outcomes = match Client::open_over(config, Origin::new(public) as Arc<_>) {
        Ok(mut client) => run(&mut client, &told("CRASH_NOW")),
        Err(error) => vec![Err(error)],
    };
    // For whoever injected an error: what it was called.
    for error in outcomes.into_iter().filter_map(Result::err) {
        writeln!(std::io::stdout(), "code {}", error.code()).expect("stdout is open");
    }
}
