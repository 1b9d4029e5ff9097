//! Arguments as typed: clap types and nothing else.

mod authoring;
mod device;
mod publishing;
mod review;

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;

pub(crate) use self::authoring::*;
pub(crate) use self::device::*;
pub(crate) use self::publishing::*;
pub(crate) use self::review::*;
use super::complete;
use crate::changes::{Allowance, Guard};

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
    /// Show a project at one instant as a page to look at: who has what and why, what changes, what it weighs, who signs.
    Report(ReportArguments),
    /// Check a published folder as a stranger would, from a trusted root alone.
    Verify(VerifyArguments),
    /// Try whether stores and CDN keep what publishing and shells rely on, and say what to change.
    Doctor(DoctorArguments),
    /// Serve a publication on this machine as a CDN would, compile again on every change, and misbehave when told to.
    Serve(ServeArguments),
    /// Write the web shell as files for a CDN, or put it into stores beside the tenants.
    Shell(ShellArguments),
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
pub(crate) struct KeysFolderArgument {
    /// Where keys are; `keys` in the project's folder when left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
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
pub(crate) enum RoleArgument {
    /// Signs roots.
    Root,
    /// Signs targets and snapshots.
    Entitlement,
    /// Signs timestamps.
    Freshness,
}
