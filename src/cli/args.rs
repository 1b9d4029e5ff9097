//! Arguments as typed: clap types and nothing else.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::complete;
use crate::changes::{Allowance, Guard};
use crate::publish::guards;

/// Compiles tenants and a catalogue, written as YAML in git, into a signed manifest for each tenant and the bundles that they share.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, propagate_version = true, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The project's folder, where `tenantry.yaml` stands.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
    /// How many threads compute; all processors when left out. The result never depends on it.
    #[arg(long, short, global = true, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 the inputs have errors, 2 wrong usage, 3 the world failed, 4 somebody else published first, 5 verification refused, 6 a guard stopped it, 10 there are changes (`plan --exit-code`), 130 interrupted.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check tenants and catalogue; needs no key and no network.
    Check(CheckArguments),
    /// Decide, render, bundle and sign, and write the publication into a folder.
    Compile(CompileArguments),
    /// Take what was compiled to the project's stores, so that every shell sees one whole publication at every instant.
    Publish(PublishArguments),
    /// Sign again what stores show before it grows too old; needs no compile, and no key but that for timestamps.
    Refresh(RefreshArguments),
    /// Show the content of an earlier publication again, under a new number.
    Rollback(RollbackArguments),
    /// Delete what no publication needs any more.
    Gc(GcArguments),
    /// Show what was published to each store, newest first: when, by whom, from which commit, and why.
    Log(LogArguments),
    /// Say what a tenant was entitled to at an instant, why, and who answers for the commit.
    At(AtArguments),
    /// Say why a tenant has, or has not, a mini-program.
    Explain(ExplainArguments),
    /// Show what a change does to customers, before it is merged.
    Plan(PlanArguments),
    /// Shows what changes by itself between two instants: licences, overrides and whatever else has a date.
    Simulate(SimulateArguments),
    /// Check a published folder as a stranger would, from a trusted root alone.
    Verify(VerifyArguments),
    /// Try whether stores and CDN keep what publishing and shells rely on, and say what to change.
    Doctor(DoctorArguments),
    /// Serve a publication on this machine as a CDN would, compile again on every change, and misbehave when told to.
    Serve(ServeArguments),
    /// Fetch a tenant's programs as a shell does: verify, keep, and say what may run.
    Fetch(FetchArguments),
    /// Make, list and rotate signing keys.
    Keys(KeysArguments),
    /// Write a small project that compiles.
    Init(InitArguments),
    /// Add a tenant, mini-program, plan, add-on or compliance profile that passes `check` at once.
    New(NewArguments),
    /// Put documents into one layout: keys in one order, comments kept.
    Fmt(FmtArguments),
    /// Write or check the JSON Schemas that editors use.
    Schema(SchemaArguments),
    /// Print what makes a shell complete commands, options and names of the project.
    Completions(CompletionsArguments),
    /// Write manual pages, for whoever packages this program.
    #[command(hide = true)]
    Man(ManArguments),
}

/// Which inputs, and when.
#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    /// Read a git revision, without a checkout, and not the working directory.
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,
    /// Decide for this instant: a date (midnight UTC) or a time such as 2026-12-31T18:00:00Z. Now when left out; SOURCE_DATE_EPOCH counts too.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// How to write what is wrong.
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    pub(crate) format: FormatArgument,
}

#[derive(Debug, Args)]
pub(crate) struct CompileArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Where to write; `out` in the project's folder when left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on from what a store shows, and write only what it has not; `all` stands for every store of the project.
    #[arg(long, value_name = "STORE", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) onto: Vec<String>,
    #[command(flatten)]
    pub(crate) keys: KeysFolderArgument,
    /// How to write what is wrong, and what was done.
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    pub(crate) format: FormatArgument,
}

#[derive(Debug, Args)]
pub(crate) struct PublishArguments {
    /// A store, by its name in `tenantry.yaml`; all of them when left out.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Vec<String>,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do exactly what this plan says, or nothing: what `tenantry plan --out` kept, or what `--dry-run --format json` wrote.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Let a guard pass, by the exact number of tenants that it found, such as `revocations=7`; goes into the record.
    #[arg(long, value_name = "GUARD=NUMBER", value_parser = published_allowance)]
    pub(crate) allow: Vec<Allowance>,
    /// What was compiled; `out` in the project's folder when left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Take over from a publisher that is known to be dead, without waiting for its reservation to run out.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Publish a commit that does not descend from the published one.
    #[arg(long)]
    pub(crate) allow_rewind: bool,
    /// Why, for the record of the publication.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// For people, or one JSON document a line.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RefreshArguments {
    /// A store, by its name in `tenantry.yaml`; all of them when left out.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Vec<String>,
    /// Say what is due, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Sign every timestamp again, due or not.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) keys: KeysFolderArgument,
    /// Take over from a publisher that is known to be dead, without waiting for its reservation to run out.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Sign as of this instant.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// For people, or one JSON document a line.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// The number of the publication whose content comes back.
    #[arg(long, value_name = "N")]
    pub(crate) to: u64,
    /// Why, for the record of the publication.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub(crate) reason: Option<String>,
    /// A store, by its name in `tenantry.yaml`; all of them when left out.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Vec<String>,
    /// Say what would come back, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Let a guard pass, by the exact number of tenants that it found, such as `revocations=7`; goes into the record.
    #[arg(long, value_name = "GUARD=NUMBER", value_parser = published_allowance)]
    pub(crate) allow: Vec<Allowance>,
    /// Bring tenants back too that were removed since.
    #[arg(long)]
    pub(crate) restore_removed: bool,
    #[command(flatten)]
    pub(crate) keys: KeysFolderArgument,
    /// Take over from a publisher that is known to be dead, without waiting for its reservation to run out.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Sign as of this instant.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// For people, or one JSON document a line.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct GcArguments {
    /// A store, by its name in `tenantry.yaml`; all of them when left out.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Vec<String>,
    /// How long an object has been known to be unreferenced before it goes.
    #[arg(long, value_name = "DURATION", default_value = "P1D")]
    pub(crate) grace: String,
    /// How many publications stay whole, the current one among them.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) keep: std::num::NonZeroU16,
    /// For how long a publication stays whole after another has followed it.
    #[arg(long, value_name = "DURATION", default_value = "P30D")]
    pub(crate) keep_for: String,
    /// Say what is kept and why, and what would go; and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take over from a publisher that is known to be dead, without waiting for its reservation to run out.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Collect as of this instant.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// For people, or one JSON document.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// A store, by its name in `tenantry.yaml`; all of them when left out.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Vec<String>,
    /// How many publications of each store, at most; the newest ones.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Say which tenants each publication moved, too: reads the index of every one of them.
    #[arg(long)]
    pub(crate) changes: bool,
    /// For people, or one JSON document.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct AtArguments {
    /// The instant: a date (midnight UTC) or a time such as 2026-12-31T18:00:00Z.
    #[arg(value_name = "DATE")]
    pub(crate) instant: String,
    /// The tenant's name.
    #[arg(add = ArgValueCompleter::new(complete::tenants))]
    pub(crate) tenant: String,
    /// One mini-program; all that the tenant wanted when left out.
    #[arg(add = ArgValueCompleter::new(complete::programs))]
    pub(crate) app_id: Option<String>,
    /// The store whose publications count, by its name in `tenantry.yaml`; may be left out where there is only one.
    #[arg(long, value_name = "NAME", conflicts_with = "git", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Option<String>,
    /// Ask no store: what the history of git alone says.
    #[arg(long)]
    pub(crate) git: bool,
    /// The branch whose history counts where no store is asked; the default branch when left out.
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,
    /// Sentences, or JSON.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct KeysFolderArgument {
    /// Where keys are; `keys` in the project's folder when left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The tenant's name.
    #[arg(add = ArgValueCompleter::new(complete::tenants))]
    pub(crate) tenant: String,
    /// One mini-program; all that the tenant wants when left out.
    #[arg(add = ArgValueCompleter::new(complete::programs))]
    pub(crate) app_id: Option<String>,
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Sentences, or JSON.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// `BASE..HEAD` compares two revisions, `BASE...HEAD` the second with where it left the first, `BASE` a revision with the working directory. When left out: the working directory with where it left the default branch.
    #[arg(value_name = "BASE..HEAD")]
    pub(crate) range: Option<String>,
    /// Compare with what this store shows: its commit is the base, only its tenants count, and of the range only `..HEAD` may be given. May be given several times, or as `all`, for stores that show one commit.
    #[arg(long, value_name = "NAME")]
    pub(crate) store: Vec<String>,
    /// Decide both sides for this instant: a date (midnight UTC) or a time such as 2026-12-31T18:00:00Z. Now when left out; SOURCE_DATE_EPOCH counts too.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = PlanFormat::Human)]
    pub(crate) format: PlanFormat,
    /// With `--format markdown`: most characters of the comment.
    #[arg(long, value_name = "CHARS", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    pub(crate) budget: u32,
    /// Keep the plan in a file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Let a guard pass, by the exact number of tenants that it found, such as `revocations=7`.
    #[arg(long, value_name = "GUARD=NUMBER", value_parser = allowance)]
    pub(crate) allow: Vec<Allowance>,
    /// End with 10 when there are changes.
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// Tenants by their names; all of them when none is named.
    pub(crate) tenant: Vec<String>,
    /// The first instant: a date (midnight UTC) or a time such as 2026-12-31T18:00:00Z. Now when left out; SOURCE_DATE_EPOCH counts too.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// The last instant; of a date, the whole day. Thirty days after the first when left out.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Read a git revision, without a checkout, and not the working directory.
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,
    /// Spell instants as clocks of this zone show them, too, such as `Europe/Rome`.
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = PageFormat::Human)]
    pub(crate) format: PageFormat,
    /// With `--format markdown`: most characters of the comment.
    #[arg(long, value_name = "CHARS", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    pub(crate) budget: u32,
}

fn allowance(text: &str) -> Result<Allowance, String> {
    allowance_among(Guard::ALL, text)
}

fn published_allowance(text: &str) -> Result<Allowance, String> {
    allowance_among(&guards::ASKED, text)
}

fn allowance_among(known: &[Guard], text: &str) -> Result<Allowance, String> {
    let guards = || known.iter().map(|it| it.slug()).collect::<Vec<_>>().join(", ");
    let (name, number) = text.split_once('=').ok_or("write it as `GUARD=NUMBER`")?;
    let guard = known.iter().find(|it| it.slug() == name);
    let guard = guard.ok_or_else(|| format!("there is no guard `{name}`; there are {}", guards()))?;
    let number = number.parse().map_err(|_| format!("`{number}` is not a number of tenants"))?;
    Ok(Allowance { guard: *guard, number })
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The published folder.
    #[arg(conflicts_with_all = ["store", "url"])]
    pub(crate) folder: Option<PathBuf>,
    /// Check what a store of `tenantry.yaml` holds. With `--url`: the store whose tenants come.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Option<String>,
    /// Come as fresh shells would, to the URL above `root/`, `t/` and `o/`.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Make the publication of this commit again, and compare every byte of it with what the store or the folder holds. Needs no key.
    #[arg(long, value_name = "COMMIT", conflicts_with_all = ["url", "deep", "at"])]
    pub(crate) reproduce: Option<String>,
    /// With `--reproduce`: where the publication was compiled; `out` in the project's folder when left out.
    #[arg(long, value_name = "DIR", requires = "reproduce", conflicts_with_all = ["folder", "store"])]
    pub(crate) out: Option<PathBuf>,
    /// Whose shells come: a tenant's address, or its name where `out/state/index.json` is at hand; all when left out.
    #[arg(long, value_name = "ADDRESS", requires = "url", add = ArgValueCompleter::new(complete::tenants))]
    pub(crate) tenant: Vec<String>,
    /// The platform code of the shells; the newest when left out.
    #[arg(long, value_name = "N", requires = "url", default_value_t = u32::MAX, hide_default_value = true)]
    pub(crate) platform: u32,
    /// Look at every byte of every object, and, in a store, at how it is served.
    #[arg(long, conflicts_with = "folder")]
    pub(crate) deep: bool,
    /// The root to trust; the first root of `keys/root/` when left out, or else of the folder itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// Check as of this instant.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Sentences, or JSON.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// One store of `tenantry.yaml`; all of them when left out.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Option<String>,
    /// The CDN to ask; the `base_url` of each store, or of the project, when left out.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Where the last compile wrote, to know what the CDN should have; `out` in the project's folder when left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Sentences, or JSON.
    #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
    pub(crate) format: PlainFormat,
}

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
    /// Open the web shell in a browser.
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

#[derive(Debug, Args)]
pub(crate) struct KeysArguments {
    #[command(flatten)]
    pub(crate) folder: KeysFolderArgument,
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make keys and the first root.
    Init {
        /// How many root keys to make; each belongs to another person, offline.
        #[arg(long, value_name = "N", default_value = "3")]
        root_keys: NonZeroU32,
        /// How many of them must sign a root.
        #[arg(long, value_name = "M", default_value = "2")]
        threshold: NonZeroU32,
        /// Signed into every file, so that one environment's files are never taken for another's.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Show keys, roles, thresholds and days to expiry.
    List {
        /// A table, or JSON.
        #[arg(long, value_enum, default_value_t = PlainFormat::Human)]
        format: PlainFormat,
    },
    /// Change a key without a moment in which devices refuse what is published.
    Rotate(RotateArguments),
    /// Sign the root that waits for signatures with the root keys at hand.
    Sign,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArguments {
    /// Whose key.
    #[arg(value_enum)]
    pub(crate) role: RoleArgument,
    /// The next root names the new key only. Asks that the last publication was signed by both.
    #[arg(long, conflicts_with_all = ["drop", "renew", "replace"])]
    pub(crate) finish: bool,
    /// Stop signing with the key that the newest root no longer names.
    #[arg(long, conflicts_with_all = ["renew", "replace"])]
    pub(crate) drop: bool,
    /// Root: the same keys for another year.
    #[arg(long, conflicts_with = "replace")]
    pub(crate) renew: bool,
    /// Root: the key to replace, by the beginning of its id.
    #[arg(long, value_name = "KEY_ID")]
    pub(crate) replace: Option<String>,
    /// With --finish: the new key, when it is no file here but a command or a variable of CI.
    #[arg(long, requires = "finish", value_name = "HEX")]
    pub(crate) public_key: Option<String>,
    /// With --finish: the key was stolen; devices refuse updates until the next publication.
    #[arg(long, requires = "finish")]
    pub(crate) stolen: bool,
    /// With --finish: the folder of the last publication; `out` in the project's folder when left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// A new or empty folder.
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    #[command(subcommand)]
    pub(crate) command: NewCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NewCommand {
    /// A customer organisation.
    Tenant(NewTenant),
    /// A mini-program, or a new version of one.
    Program(NewProgram),
    /// Something to sell.
    Plan(NewPlan),
    /// Something to sell on top of a plan.
    AddOn(NewAddOn),
    /// Rules that forbid or demand.
    Profile(NewProfile),
}

#[derive(Debug, Args)]
pub(crate) struct NewTenant {
    /// Its name: lower-case letters, digits and hyphens.
    pub(crate) name: String,
    /// Its name for people; made of the other one when left out.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// The plan that it bought; the first that is on sale when left out.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::plans))]
    pub(crate) plan: Option<String>,
    /// An add-on that it bought.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::add_ons))]
    pub(crate) add_on: Vec<String>,
    /// The compliance profile that it is under.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::profiles))]
    pub(crate) profile: Option<String>,
    /// The region that its data is bound to.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NewProgram {
    /// Its identifier in reverse domain form, such as `com.example.forms`.
    #[arg(add = ArgValueCompleter::new(complete::programs))]
    pub(crate) app_id: String,
    /// The name of the version.
    #[arg(value_name = "VERSION", default_value = "1.0.0")]
    pub(crate) release: String,
    /// Its name for people; that of the version before, or made of the identifier, when left out.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NewPlan {
    /// Its name: lower-case letters, digits and hyphens.
    pub(crate) name: String,
    /// Its name for people; made of the other one when left out.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// A plan whose grants it contains.
    #[arg(long, value_name = "PLAN", add = ArgValueCompleter::new(complete::plans))]
    pub(crate) extends: Option<String>,
    /// A mini-program that it grants.
    #[arg(long, value_name = "APP_ID", add = ArgValueCompleter::new(complete::programs))]
    pub(crate) program: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NewAddOn {
    /// Its name: lower-case letters, digits and hyphens.
    pub(crate) name: String,
    /// Its name for people; made of the other one when left out.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// A plan that it can be added to; any when left out.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::plans))]
    pub(crate) plan: Vec<String>,
    /// A mini-program that it grants.
    #[arg(long, value_name = "APP_ID", add = ArgValueCompleter::new(complete::programs))]
    pub(crate) program: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NewProfile {
    /// Its name: lower-case letters, digits and hyphens.
    pub(crate) name: String,
    /// Its name for people; made of the other one when left out.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FmtArguments {
    /// Write nothing; name the files that are laid out otherwise, and end with 1 when there are any.
    #[arg(long)]
    pub(crate) check: bool,
    /// The files; every one with documents when left out. `-` reads standard input and writes standard output.
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_AFTER_HELP)]
pub(crate) struct CompletionsArguments {
    /// The shell that reads it.
    #[arg(value_enum)]
    pub(crate) shell: ShellArgument,
}

const COMPLETIONS_AFTER_HELP: &str = "\
In ~/.bashrc: source <(tenantry completions bash). In ~/.zshrc: source <(tenantry completions zsh).
In ~/.config/fish/config.fish: tenantry completions fish | source. Names come from the project at every key.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellArgument {
    /// Bash.
    Bash,
    /// Elvish.
    Elvish,
    /// Fish.
    Fish,
    /// PowerShell.
    Powershell,
    /// Zsh.
    Zsh,
}

#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// Where to write them.
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// Write the schemas, with the project's names in them, into `schemas` in the project's folder.
    #[arg(long, conflicts_with = "check")]
    pub(crate) write: bool,
    /// Check that the schemas there are those of this version and of the project's names.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArgument {
    /// With the lines of the source.
    Human,
    /// One line each.
    Short,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub Actions for the ten worst; everything goes into the file that GITHUB_STEP_SUMMARY names.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML, one test case a file.
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlainFormat {
    /// For people.
    Human,
    /// One JSON document.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For a terminal.
    Human,
    /// A comment on a pull request.
    Markdown,
    /// One JSON document.
    Json,
    /// A page that stands by itself.
    Html,
    /// Workflow commands of GitHub Actions for guards; the whole plan goes into the file that GITHUB_STEP_SUMMARY names.
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    /// For a terminal.
    Human,
    /// A comment on a pull request.
    Markdown,
    /// One JSON document.
    Json,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArgument {
    /// Signs roots.
    Root,
    /// Signs targets and snapshots.
    Entitlement,
    /// Signs timestamps.
    Freshness,
}
