//! Arguments of the commands that serve and fetch.

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{KeysFolderArgument, PlainFormat};
use crate::cli::complete;

#[derive(Debug, Args)]
#[command(after_help = SERVE_AFTER_HELP)]
pub(crate) struct ServeArguments {
    /// The folder to serve, and to compile into; `out` in the project's folder when left out.
    #[arg(long, value_name = "DIR", conflicts_with = "store")]
    pub(crate) out: Option<PathBuf>,
    /// Serve what was published to this store of `tenantry.yaml`; nothing is compiled then.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Option<String>,
    /// The port; 0 is any that is free.
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub(crate) port: u16,
    /// Listen on this address and not on 127.0.0.1. Whoever reaches it reads everything that is served.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) host: Option<IpAddr>,
    /// Do not compile when the project changes; compile once where there is nothing to serve yet.
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// Decide for this instant when compiling, as `compile --at` does.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    #[command(flatten)]
    pub(crate) keys: KeysFolderArgument,
    /// Sign with throw-away keys whatever keys the project has; into `.tenantry/out` when `--out` is left out.
    #[arg(long, conflicts_with_all = ["keys", "store"])]
    pub(crate) development: bool,
    /// Open the web shell in a browser, and the report.
    #[arg(long)]
    pub(crate) open: bool,
    /// Write every answer to stderr: method, path, status, bytes.
    #[arg(long)]
    pub(crate) log: bool,
    /// The address, or JSON with `url`, `out` and `tenants`.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
    /// Show timestamps that are not the newest: every second time the one before it, or always the one of the start.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "alternate", value_name = "HOW", help_heading = MISBEHAVING)]
    pub(crate) stale: Option<StaleArgument>,
    /// Do not be there: refuse connections, or answer 503.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "refused", value_name = "HOW", help_heading = MISBEHAVING)]
    pub(crate) offline: Option<OfflineArgument>,
    /// Show metadata of this role that was rightly signed and expired a day ago. Needs development keys.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "timestamp", value_name = "ROLE", help_heading = MISBEHAVING)]
    pub(crate) expired: Option<ExpiredArgument>,
    /// Send no more bytes of a body than this each second.
    #[arg(long, value_name = "BYTES_PER_SECOND", help_heading = MISBEHAVING)]
    pub(crate) slow: Option<NonZeroU64>,
    /// Break off half-way through these bodies, whose full length was announced; all of them when no kind is named.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, value_delimiter = ',', default_missing_value = "root,timestamp,snapshot,targets,manifest,bundle", value_name = "KINDS", help_heading = MISBEHAVING)]
    pub(crate) truncate: Vec<KindArgument>,
    /// Change one bit of these objects; of manifests and bundles when no kind is named.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, value_delimiter = ',', default_missing_value = "manifest,bundle", value_name = "KINDS", help_heading = MISBEHAVING)]
    pub(crate) tamper: Vec<KindArgument>,
}

const MISBEHAVING: &str = "Misbehaving on purpose";

const SERVE_AFTER_HELP: &str = "\
Misbehaving switches are for those who build shells: each is something that a CDN, a network or an attacker does, and
docs/client-testing.md says what a shell must do about it. They can be combined. What is compiled in `out/` stays sound.";

#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    /// Where the publication is: the URL above `root/`, `t/` and `o/`.
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// The tenant's address; or its name, where the project's `out/state/index.json` is at hand.
    #[arg(long, value_name = "ADDRESS", add = ArgValueCompleter::new(complete::tenants))]
    pub(crate) tenant: String,
    /// The folder to keep everything in; it belongs to one tenant.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The root to trust; the first root of `keys/root/` when left out, or else of the development keys.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// The platform code of the shell; the newest when left out.
    #[arg(long, value_name = "N", default_value_t = u32::MAX, hide_default_value = true)]
    pub(crate) platform: u32,
    /// Who is counted when a version goes to a share of the devices; a random name of the folder's own when left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) unit: Option<String>,
    /// Fetch optional programs too.
    #[arg(long)]
    pub(crate) optional: bool,
    /// Go on, and fetch again every so many seconds; as often as is due when the number is left out.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) watch: Option<Option<u32>>,
    /// Judge as of this instant.
    #[arg(long, value_name = "TIME", conflicts_with = "watch")]
    pub(crate) at: Option<String>,
    /// Sentences, or JSON; with `--watch` one document a line.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StaleArgument {
    /// The newest and the one before it in turn.
    Alternate,
    /// Those that were there when the server started.
    Start,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OfflineArgument {
    /// Nobody listens.
    Refused,
    /// The edge is there, the origin is not.
    #[value(name = "503")]
    Unavailable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExpiredArgument {
    /// Only the timestamp.
    Timestamp,
    /// The snapshot, below a timestamp that holds.
    Snapshot,
    /// The targets, below a timestamp and a snapshot that hold.
    Targets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArgument {
    /// Roots.
    Root,
    /// Timestamps.
    Timestamp,
    /// Snapshots.
    Snapshot,
    /// Targets.
    Targets,
    /// Manifests.
    Manifest,
    /// Bundles and overlays.
    Bundle,
}

#[derive(Debug, Args)]
#[command(after_help = SHELL_AFTER_HELP)]
pub(crate) struct ShellArguments {
    /// Write the files into this folder, below `shell/` and `frames/`.
    #[arg(long, value_name = "DIR", required_unless_present = "store")]
    pub(crate) out: Option<PathBuf>,
    /// Put the files into this store of `tenantry.yaml`, beside its tenants; `all` stands for every store of the project.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Vec<String>,
    /// The URL of a program's origin, with `{label}` as the first part of its name, such as `https://{label}.apps.example.com/`.
    #[arg(long, value_name = "URL", value_parser = frames)]
    pub(crate) frames: String,
    /// The URL above `root/`, `t/` and `o/`, from the shell's page; it lies beside them when left out.
    #[arg(long, value_name = "URL", default_value = "../", value_parser = base)]
    pub(crate) base: String,
    /// The shell's platform code, which decides which versions fit it.
    #[arg(long, value_name = "CODE")]
    pub(crate) platform: u32,
    /// The root to trust; the project's first one when left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// Ask for something new at least as often; once an hour when left out.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) check_every: Option<u32>,
    /// Sentences, or JSON with every file and its headers.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

const SHELL_AFTER_HELP: &str = "\
`shell/` is served beside the tenants; `frames/` on every name that `--frames` stands for, and every answer there needs a header. See docs/web-shell.md.";

fn frames(text: &str) -> Result<String, String> {
    let rest = ["https://{label}.", "http://{label}."].iter().find_map(|it| text.strip_prefix(it));
    let is_host = |it: &str| it.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b)) && !it.is_empty();
    match rest.map(|it| it.strip_suffix('/').unwrap_or(it)) {
        Some(host) if is_host(host) => Ok(text.to_owned()),
        _ => Err("write it as `https://{label}.apps.example.com/`: a name of its own for each program".into()),
    }
}

fn base(text: &str) -> Result<String, String> {
    match text.ends_with('/') {
        true => Ok(text.to_owned()),
        false => Err("it is a folder, so it ends with `/`".into()),
    }
}
