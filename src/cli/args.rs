//! Arguments as typed: clap types and nothing else.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
Exit codes: 0 done, 1 the inputs have errors, 2 wrong usage, 3 the world failed, 5 verification refused, 6 a guard stopped it, 10 there are changes (`plan --exit-code`).";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check tenants and catalogue; needs no key and no network.
    Check(CheckArguments),
    /// Decide, render, bundle and sign, and write the publication into a folder.
    Compile(CompileArguments),
    /// Say why a tenant has, or has not, a mini-program.
    Explain(ExplainArguments),
    /// Show what a change does to customers, before it is merged.
    Plan(PlanArguments),
    /// Check a published folder as a stranger would, from a trusted root alone.
    Verify(VerifyArguments),
    /// Make, list and rotate signing keys.
    Keys(KeysArguments),
    /// Write a small project that compiles.
    Init(InitArguments),
    /// Write or check the JSON Schemas that editors use.
    Schema(SchemaArguments),
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

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The tenant's name.
    pub(crate) tenant: String,
    /// One mini-program; all that the tenant wants when left out.
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

fn allowance(text: &str) -> Result<Allowance, String> {
    let guards = || Guard::ALL.iter().map(|it| it.slug()).collect::<Vec<_>>().join(", ");
    let (name, number) = text.split_once('=').ok_or("write it as `GUARD=NUMBER`")?;
    let guard = Guard::ALL.iter().find(|it| it.slug() == name);
    let guard = guard.ok_or_else(|| format!("there is no guard `{name}`; there are {}", guards()))?;
    let number = number.parse().map_err(|_| format!("`{number}` is not a number of tenants"))?;
    Ok(Allowance { guard: *guard, number })
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The published folder.
    pub(crate) folder: PathBuf,
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
pub(crate) struct SchemaArguments {
    /// Write the schemas into `schemas` in the project's folder.
    #[arg(long, conflicts_with = "check")]
    pub(crate) write: bool,
    /// Check that the schemas there are those of this version.
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
    /// Workflow commands of GitHub Actions.
    Github,
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
