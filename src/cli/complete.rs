//! `tenantry completions`, and the names that a shell completes.
//!
//! The shell asks this program at every key, so names are read from files without checking the project.
#![expect(clippy::disallowed_methods, reason = "this file looks for names in the project's files")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_complete::CompletionCandidate;
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use walkdir::WalkDir;

use super::args::{Arguments, CompletionsArguments, ShellArgument};
use super::output;
use super::{Exit, Failure};
use crate::parse::node::{Data, Node};
use crate::parse::{self, Document, Kind};
use crate::text::FileId;

/// By this variable the shell says that it wants answers and no command run.
const VARIABLE: &str = "TENANTRY_COMPLETE";

/// Prints what a shell must read once, so that it asks us from then on.
pub(super) fn run(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let shell: &dyn EnvCompleter = match arguments.shell {
        ShellArgument::Bash => &Bash,
        ShellArgument::Elvish => &Elvish,
        ShellArgument::Fish => &Fish,
        ShellArgument::Powershell => &Powershell,
        ShellArgument::Zsh => &Zsh,
    };
    let mut script = Vec::new();
    // Found on the path, since the program may move and the script may not.
    let written = shell.write_registration(VARIABLE, "tenantry", "tenantry", "tenantry", &mut script);
    written.map_err(|why| Failure::new(Exit::World, format!("cannot make the script: {why}")))?;
    output::result(&String::from_utf8_lossy(&script));
    Ok(())
}

/// Answers a shell that asks, and ends the process then; does nothing when none asks.
pub(super) fn answer() {
    CompleteEnv::with_factory(Arguments::command).var(VARIABLE).bin("tenantry").complete();
}

/// Tenants of the project.
pub(super) fn tenants(begun: &OsStr) -> Vec<CompletionCandidate> {
    let names = Project::of_command_line().tenants().into_iter().map(|name| (name, String::new()));
    candidates(names, begun)
}

/// Mini-programs of the project, by `app_id`.
pub(super) fn programs(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(Project::of_command_line().catalogue(Kind::MiniProgram), begun)
}

/// Plans of the project.
pub(super) fn plans(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(Project::of_command_line().catalogue(Kind::Plan), begun)
}

/// Add-ons of the project.
pub(super) fn add_ons(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(Project::of_command_line().catalogue(Kind::AddOn), begun)
}

/// Compliance profiles of the project.
pub(super) fn profiles(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(Project::of_command_line().catalogue(Kind::ComplianceProfile), begun)
}

/// Stores of the project.
pub(super) fn stores(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(Project::of_command_line().stores().into_iter().map(|name| (name, String::new())), begun)
}

fn candidates(names: impl IntoIterator<Item = (String, String)>, begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let mut names: Vec<(String, String)> = names.into_iter().filter(|(name, _)| name.starts_with(&*begun)).collect();
    names.sort();
    names.dedup_by(|a, b| a.0 == b.0);
    let one = |(name, title): (String, String)| {
        CompletionCandidate::new(name).help((!title.is_empty()).then(|| title.into()))
    };
    names.into_iter().map(one).collect()
}

/// The folder of a project, whose files are read as far as names ask for it.
struct Project {
    folder: PathBuf,
}

impl Project {
    /// That of the command that is being typed: behind `--`, in the words of the shell.
    fn of_command_line() -> Project {
        let words: Vec<OsString> = std::env::args_os().skip_while(|it| it != "--").skip(1).collect();
        let behind = |at: usize| words.get(at + 1).map(PathBuf::from);
        let named = words.iter().enumerate().find_map(|(at, word)| match word.to_str()?.strip_prefix("--project")? {
            "" => behind(at),
            // Bash takes `=` for a word of its own.
            rest => rest.strip_prefix('=').map(PathBuf::from),
        });
        let named = match named {
            Some(equals) if equals == Path::new("=") => {
                words.iter().skip_while(|it| *it != "=").nth(1).map(PathBuf::from)
            }
            other => other,
        };
        Project { folder: named.unwrap_or_else(|| PathBuf::from(".")) }
    }

    fn files(&self, below: &str) -> impl Iterator<Item = PathBuf> {
        let is_visible = |it: &walkdir::DirEntry| !it.file_name().as_encoded_bytes().starts_with(b".");
        let walk = WalkDir::new(self.folder.join(below)).into_iter().filter_entry(is_visible);
        let files = walk.filter_map(Result::ok).filter(|it| it.file_type().is_file()).map(walkdir::DirEntry::into_path);
        files.filter(|it| it.extension().is_some_and(|it| it == "yaml" || it == "yml"))
    }

    fn tenants(&self) -> Vec<String> {
        let names =
            self.files("tenants").filter_map(|path| fs::read(path).ok()).flat_map(|bytes| {
                match name_of_tenant(&bytes) {
                    Some(name) => vec![name.to_owned()],
                    None => documents(&bytes)
                        .filter(|it| it.kind == Kind::Tenant)
                        .filter_map(|it| text(&it.root, &["metadata", "name"]))
                        .collect(),
                }
            });
        names.collect()
    }

    /// Names and titles of the documents of a kind.
    fn catalogue(&self, kind: Kind) -> Vec<(String, String)> {
        let documents = self
            .files("catalog")
            .filter_map(|path| fs::read(path).ok())
            .flat_map(|bytes| documents(&bytes).collect::<Vec<_>>());
        let (name, title) = match kind {
            Kind::MiniProgram => (["spec", "app_id"], ["spec", "name"]),
            _ => (["metadata", "name"], ["metadata", "title"]),
        };
        let of_kind = documents.filter(|it| it.kind == kind);
        of_kind.filter_map(|it| Some((text(&it.root, &name)?, text(&it.root, &title).unwrap_or_default()))).collect()
    }

    fn stores(&self) -> Vec<String> {
        let bytes = fs::read(self.folder.join("tenantry.yaml")).unwrap_or_default();
        let names =
            |document: Document| match document.root.get("spec").and_then(|it| it.get("stores")).map(|it| &it.data) {
                Some(Data::List(stores)) => stores.iter().filter_map(|it| text(it, &["name"])).collect(),
                _ => Vec::new(),
            };
        documents(&bytes).flat_map(names).collect()
    }
}

fn documents(bytes: &[u8]) -> impl Iterator<Item = Document> {
    parse::file(FileId(0), bytes).0.into_iter()
}

fn text(node: &Node, path: &[&str]) -> Option<String> {
    match &path.iter().try_fold(node, |node, key| node.get(key))?.data {
        Data::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

/// The name in a file of one tenant that is written as nearly all are; ten thousand of them are read in a moment so.
fn name_of_tenant(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let is_one = text.lines().filter(|it| it.starts_with("---")).count() == 0;
    let is_tenant = is_one && text.lines().any(|it| it == "kind: Tenant");
    let _ = is_tenant.then(|| lines.by_ref().find(|it| *it == "metadata:"))?;
    let name = lines.take_while(|it| it.starts_with([' ', '#'])).find_map(|it| it.strip_prefix("  name: "))?;
    let is_plain = |it: &str| it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
    is_plain(name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::name_of_tenant;

    #[test]
    fn a_name_is_found_without_reading_yaml_or_not_at_all() {
        let plain = "# c\napiVersion: x\nkind: Tenant\nmetadata:\n  title: A\n  name: acme\nspec:\n  name: no\n";
        assert_eq!(name_of_tenant(plain.as_bytes()), Some("acme"));
        for other in [
            plain.replace("name: acme", "name: 'acme'"),
            plain.replace("  name: acme\n", ""),
            plain.replace("kind: Tenant", "kind: Plan"),
            plain.replace("metadata:\n", "metadata: {}\n"),
            format!("{plain}---\n{plain}"),
        ] {
            assert_eq!(name_of_tenant(other.as_bytes()), None, "{other}");
        }
    }
}
