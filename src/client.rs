//! A shell's side: fetch, verify, keep, start. For one tenant and one folder of a device.
//!
//! ```no_run
//! # fn main() -> Result<(), tenantry::client::ClientError> {
//! # let now = tenantry::time::Timestamp::parse("2026-11-23").expect("a date");
//! # let root = Vec::new();
//! use tenantry::client::{Client, Config};
//!
//! let config = Config::new("cache", "https://cdn.example.com/", "ybtujitmw5drlnquct2rwwgboems4wt7", root, 12);
//! let mut client = Client::open(config)?;
//! let start = client.start(now); // at once, without the network
//! for program in start.runnable() {
//!     println!("{} in {:?}", program.app_id, program.folder);
//! }
//! client.confirm_start()?; // the shell is up: what was before it is not needed any more
//! let update = client.refresh(now)?; // in the background, now and then
//! if update.staged.is_some() {
//!     client.activate()?; // the next start takes it
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Whatever happens in between (no network, a cache that lies, a full disk, a power cut at any instant), a start finds
//! the old set or the new one, whole. `docs/client.md` has the rules: what starts when, which instant it is, what lies
//! where, and what every error means.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::digest::Blake3;
use crate::metadata::DEVELOPMENT;
use crate::sign::roots::check_root;
use crate::time::Timestamp;

pub mod answer; // what a client says
mod boot; // starts, confirmations, going back
mod clock; // which instant it is on a device whose clock may stand anywhere
mod disk; // files that are there whole or not at all
mod download; // bundles and overlays: resumed, verified, unpacked
pub mod error; // what happened, what was kept, whether to try again
pub mod fetch; // bytes that come in, measured
pub mod http; // over HTTP
mod judge; // what may run
mod news; // what is newest: metadata, and the manifest that it names
mod objects; // trees of files, shared by sets
mod refresh; // what is new, fetched and staged
mod repository; // what `trust` asks for
mod set; // what a manifest says to one kind of shell
mod state; // small files that know whether they are damaged
mod stored; // all of them at one moment
mod tenant; // whose folder it is
pub mod transport; // one request for one object

pub use answer::{
    Activated, Freshness, HeldBack, Missing, Program, ProgramChange, ProgramVersion, StaleEdge, Start, Stopped,
    Traffic, Update, Verdict,
};
use boot::Role;
use disk::{Disk, Pin};
pub use error::{ClientError, Kept, Retry, Trouble};
use fetch::Fetcher;
pub use fetch::Pace;
use http::{Http, Plain};
use refresh::Refresh;
use state::Pointer;
use stored::Stored;
pub use transport::{Body, Caches, Get, Reply, Transport, TransportError};

/// What a client is opened with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder that it keeps everything in; its own, and nobody else's.
    pub dir: PathBuf,
    /// Where the publication is: the URL above `root/`, `t/` and `o/`. `https`, or `http` on this machine and, in a
    /// development environment, anywhere.
    pub base_url: String,
    /// The tenant's address.
    pub addr: String,
    /// The root that the shell was delivered with: the bytes of `<N>.root.json`. A newer one is found by itself.
    pub trusted_root: Vec<u8>,
    /// Which level the shell has.
    pub platform_code: u32,
    /// Who is counted when a version goes to a share of the tenant's devices: a name that stays the same, such as that of
    /// a user, who then has the same on every device. It is hashed here and told to nobody. The device itself, by a
    /// random name that is kept in `dir`, when left out.
    pub unit: Option<String>,
    /// When the shell was built. No clock is believed to be earlier.
    pub built: Option<Timestamp>,
    /// Whether to fetch programs that the manifest does not want fetched before they are asked for.
    pub optional: Optional,
    /// Bounds.
    pub limits: Limits,
}

/// What happens to programs that are fetched when they are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Optional {
    /// They wait for [`Client::install`]; those that are installed are kept up to date.
    #[default]
    WhenAsked,
    /// They are fetched with the others. One that cannot be fetched holds nobody up.
    Fetched,
}

/// Bounds on what is taken from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many archives are fetched at once.
    pub downloads: usize,
    /// Longest manifest, in bytes.
    pub max_manifest: u64,
    /// Longest archive, in bytes.
    pub max_archive: u64,
    /// How slow bytes may come.
    pub pace: Pace,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { downloads: 4, max_manifest: 16 << 20, max_archive: 256 << 20, pace: Pace::NORMAL }
    }
}

impl Config {
    /// With the usual bounds.
    pub fn new(
        dir: impl Into<PathBuf>,
        base_url: impl Into<String>,
        addr: impl Into<String>,
        trusted_root: Vec<u8>,
        platform_code: u32,
    ) -> Config {
        Config {
            dir: dir.into(),
            base_url: base_url.into(),
            addr: addr.into(),
            trusted_root,
            platform_code,
            unit: None,
            built: None,
            optional: Optional::default(),
            limits: Limits::default(),
        }
    }
}

/// A tenant's programs on one device.
///
/// Several clients may have the same folder open, in one process or in many. One of them writes; the others start
/// what is there, and get `busy` when they ask for more.
pub struct Client {
    config: Config,
    environment: String,
    transport: Arc<dyn Transport>,
    disk: Disk,
    /// The set that was started, and a hold on its files.
    started: Option<(Pointer, Option<Pin>)>,
    /// Trees that were read and found sound by this client.
    sound: BTreeSet<Blake3>,
}

impl Client {
    /// Opens a folder, over HTTP. Nothing is fetched. A folder of another tenant, or of another environment, is emptied
    /// first.
    pub fn open(config: Config) -> Result<Client, ClientError> {
        let environment = environment(&config)?;
        let plain = if environment == DEVELOPMENT { Plain::Anywhere } else { Plain::Loopback };
        let http = Http::new(&config.base_url, plain, config.limits.pace.over)
            .map_err(|why| configuration("base_url", why.to_string()))?;
        Client::open_over(config, Arc::new(http))
    }

    /// The same over a transport of the shell's own; `base_url` does not count.
    pub fn open_over(config: Config, transport: Arc<dyn Transport>) -> Result<Client, ClientError> {
        let environment = environment(&config)?;
        if !is_addr(&config.addr) {
            return Err(configuration("addr", "it is not 32 letters `a` to `z` and digits `2` to `7`".into()));
        }
        let disk = tenant::open(&config, &environment).map_err(|trouble| trouble.kept(Kept::default()))?;
        Ok(Client { config, environment, transport, disk, started: None, sound: BTreeSet::new() })
    }

    /// Brings metadata up to date, and fetches what the newest manifest asks for and is not here. What is installed is
    /// not touched: the new set waits for [`Client::activate`].
    pub fn refresh(&mut self, now: Timestamp) -> Result<Update, ClientError> {
        self.writing(|it| {
            let fetcher = Fetcher::new(&*it.transport, it.config.limits.pace);
            let refresh = Refresh {
                config: &it.config,
                environment: &it.environment,
                disk: &it.disk,
                fetcher: &fetcher,
                clock: now,
            };
            refresh.run()
        })
    }

    /// Has the next start take the set that was staged. Every file of it is read once more before.
    pub fn activate(&mut self) -> Result<Activated, ClientError> {
        self.writing(|it| boot::activate(&it.disk, &it.config, &mut it.sound))
    }

    /// What may run now, from the disk alone. Counts as a start until [`Client::confirm_start`]: after two that nobody
    /// confirmed, a set goes back to the one before it. Never fails; what is wrong is in [`Start::notes`].
    pub fn start(&mut self, now: Timestamp) -> Start {
        let role = if self.own().is_ok() { Role::Owner } else { Role::Reader };
        let started = boot::start(&self.disk, &self.config, now, role, &mut self.sound);
        self.started = started.pointer.map(|pointer| (pointer, started.pin));
        started.answer
    }

    /// The same without counting, about the set that was started: for a shell that is running, after a refresh and when
    /// [`Start::next_change`] has come. Before a start, about the set that would start.
    pub fn look(&self, now: Timestamp) -> Start {
        let started = self.started.as_ref().map(|(pointer, _)| pointer);
        boot::look(&self.disk, &self.config, now, &self.sound, started)
    }

    /// The shell is up with what [`Client::start`] said. The set before it is dropped.
    pub fn confirm_start(&mut self) -> Result<(), ClientError> {
        self.writing(|it| match &it.started {
            Some((pointer, _)) => boot::confirm(&it.disk, &it.config, pointer),
            None => Err(Trouble::NotStarted),
        })
    }

    /// Fetches a program of the current set that is fetched only when it is asked for, or whose files are gone.
    pub fn install(&mut self, app_id: &str) -> Result<(), ClientError> {
        self.writing(|it| {
            let fetcher = Fetcher::new(&*it.transport, it.config.limits.pace);
            refresh::install(&it.config, &it.disk, &fetcher, app_id)
        })
    }

    /// The tenant's address.
    pub fn addr(&self) -> &str {
        &self.config.addr
    }

    /// The environment that the trusted root names.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// Makes sure that this client is the one that writes, and that the folder is still its tenant's.
    fn own(&mut self) -> Result<(), Trouble> {
        self.disk.own()?;
        tenant::check(&self.disk, &self.config, &self.environment)
    }

    /// Does something that only one client may do at a time, and says what was kept if it fails.
    fn writing<T>(&mut self, work: impl FnOnce(&mut Client) -> Result<T, Trouble>) -> Result<T, ClientError> {
        let done = self.own().and_then(|()| work(self));
        done.map_err(|trouble| {
            let current = Stored::load(&self.disk, &self.config).current;
            trouble.kept(Kept {
                set: current.as_ref().map(|(it, _)| it.set.to_string()),
                publication: current.as_ref().map(|(it, _)| it.publication),
            })
        })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("dir", &self.config.dir).field("addr", &self.config.addr).finish_non_exhaustive()
    }
}

/// The environment that the trusted root names.
fn environment(config: &Config) -> Result<String, ClientError> {
    let root = check_root(&config.trusted_root, None);
    root.map(|it| it.tenantry.environment).map_err(|why| configuration("trusted_root", why.to_string()))
}

/// The form of an address: 20 bytes in base32.
fn is_addr(addr: &str) -> bool {
    addr.len() == 32 && addr.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

fn configuration(field: &'static str, why: String) -> ClientError {
    Trouble::Configuration { field, why }.kept(Kept::default())
}
