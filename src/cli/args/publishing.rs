//! Arguments of the commands that work on stores.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::{KeysFolderArgument, PlainFormat, allowance_among};
use crate::changes::Allowance;
use crate::cli::complete;
use crate::publish::guards;

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

fn published_allowance(text: &str) -> Result<Allowance, String> {
    allowance_among(&guards::ASKED, text)
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
