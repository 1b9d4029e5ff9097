//! Arguments of the commands that show what is, was and will be.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{InputArguments, KeysFolderArgument, PlainFormat, allowance_among};
use crate::changes::{Allowance, Guard};
use crate::cli::complete;

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

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Write it into a file, and not to stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Show what has changed since this git revision, too.
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    /// Show what this store holds, too; `all` for each of `tenantry.yaml`. May be given several times.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::stores))]
    pub(crate) store: Vec<String>,
    /// Show what changes by itself within so many days.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) days: u32,
    /// Give tenants numbers in place of their names.
    #[arg(long)]
    pub(crate) redact: bool,
    /// The publication to show; `out` in the project's folder when left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) publication: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeysFolderArgument,
    /// A page that stands by itself, or the JSON document that it shows.
    #[arg(long, value_enum, default_value_t = ReportFormat::Html)]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One file that works from a disk and asks nobody for anything.
    Html,
    /// One JSON document.
    Json,
}

fn allowance(text: &str) -> Result<Allowance, String> {
    allowance_among(Guard::ALL, text)
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
