//! Arguments of the commands that write documents and what editors and shells need.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;

use crate::cli::complete;

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
