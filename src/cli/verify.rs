//! `tenantry verify`
#![expect(clippy::disallowed_methods, reason = "this file reads the root that is to be trusted")]

use std::fs;
use std::path::{Path, PathBuf};

use super::args::{PlainFormat, VerifyArguments};
use super::output;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::metadata::DEVELOPMENT;
use crate::pipeline::verify;
use crate::write::state::Lineage;

/// How many findings are shown to people; machines get all.
const SHOWN: usize = 20;

pub(super) fn run(settings: &Settings, arguments: &VerifyArguments) -> Result<(), Failure> {
    let now = settings.now(arguments.at.as_deref())?;
    guard_whole(&arguments.folder)?;
    let (path, whence) = trusted_root(settings, arguments);
    let root = fs::read(&path)
        .map_err(|why| Failure::new(Exit::World, format!("cannot read the root `{}`: {why}", path.display())))?;
    let report = verify::folder(&arguments.folder, &root, now)?;
    if report.environment == DEVELOPMENT {
        output::warning("signed with throw-away DEVELOPMENT keys: no shell in production may trust it");
    }
    match arguments.format {
        PlainFormat::Json => output::json(&report),
        PlainFormat::Human => {
            for finding in report.findings.iter().take(SHOWN) {
                output::result(&format!("{}: {}\n", finding.key, finding.problem));
            }
            if report.findings.len() > SHOWN {
                output::result(&format!("… and {} more\n", report.findings.len() - SHOWN));
            }
            let verdict = match report.findings.len() {
                0 => "verified",
                _ => "refused",
            };
            output::result(&format!(
                "{verdict} from {whence}: {}, {}, {}, {} looked at in {}; root {} until {}\n",
                output::counted(report.tenants, "tenant"),
                output::counted(report.entitlements, "entitlement"),
                output::counted(report.archives, "archive"),
                output::counted(report.files, "file"),
                output::seconds(settings.began.elapsed()),
                report.root_version,
                report.root_expires.date(),
            ));
        }
    }
    match (report.findings.len(), report.tenants) {
        (0, 0) => {
            Err(Failure::new(Exit::Refused, "there is no tenant in it").help("name the folder that `compile` wrote"))
        }
        (0, _) => Ok(()),
        (count, _) => Err(Failure::new(Exit::Refused, output::counted(count, "finding"))),
    }
}

/// A folder that holds only what it adds to a store cannot be followed by anybody, and says so itself.
fn guard_whole(folder: &Path) -> Result<(), Failure> {
    let partial = Lineage::read(folder)?.partial;
    match partial.first() {
        Some(first) => {
            let stores = partial.join("`, `");
            let message = format!(
                "`{}` holds only what it adds to store `{stores}`, so nobody can follow it by itself",
                folder.display()
            );
            Err(Failure::new(Exit::Refused, message).help(format!(
                "`tenantry publish` checks every file that it moves; check the whole where shells find it, with `tenantry verify --store {first}` or `--url`"
            )))
        }
        None => Ok(()),
    }
}

/// The root to trust, and how to call it.
fn trusted_root(settings: &Settings, arguments: &VerifyArguments) -> (PathBuf, String) {
    if let Some(path) = &arguments.root {
        return (path.clone(), format!("the root `{}`", path.display()));
    }
    for folder in [settings.project.join("keys"), settings.development_keys()] {
        let path = folder.join("root").join("1.root.json");
        // The project's own root, if this folder was made with it.
        if path.is_file() && fs::read(&path).ok() == fs::read(arguments.folder.join("root/1.root.json")).ok() {
            return (path, "the project's own root".into());
        }
    }
    (
        arguments.folder.join("root/1.root.json"),
        "the folder's own first root (a stranger would pin it; see `--root`)".into(),
    )
}
