//! `tenantry verify`
#![expect(clippy::disallowed_methods, reason = "this file reads the root that is to be trusted")]

mod reproduce;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::{PlainFormat, VerifyArguments};
use super::settings::Settings;
use super::{Exit, Failure, fetch, output, stores};
use crate::index::Index;
use crate::metadata::DEVELOPMENT;
use crate::pipeline::verify::{self, Depth, Report, Shell, StoreCheck, Strays};
use crate::publish::base::Base;
use crate::time::Timestamp;
use crate::write::state::Lineage;

/// How many findings are shown to people; machines get all.
const SHOWN: usize = 20;

pub(super) fn run(settings: &Settings, arguments: &VerifyArguments) -> Result<(), Failure> {
    let now = settings.now(arguments.at.as_deref())?;
    if let Some(revision) = &arguments.reproduce {
        return reproduce::run(settings, arguments, revision);
    }
    match (&arguments.folder, &arguments.store, &arguments.url) {
        (_, _, Some(url)) => shells(settings, arguments, url, now),
        (_, Some(name), None) => store(settings, arguments, name, now),
        (Some(folder), None, None) => self::folder(settings, arguments, folder, now),
        (None, None, None) => Err(Failure::new(Exit::Usage, "there is nothing to verify")
            .help("name a folder, or a store with `--store`, or where shells find it with `--url`")),
    }
}

fn folder(settings: &Settings, arguments: &VerifyArguments, folder: &Path, now: Timestamp) -> Result<(), Failure> {
    guard_whole(folder)?;
    let (path, whence) = trusted_root(settings, arguments, folder);
    let report = verify::folder(folder, &read_root(&path)?, now)?;
    say(settings, arguments, &report, &whence, "", None)
}

fn store(settings: &Settings, arguments: &VerifyArguments, name: &str, now: Timestamp) -> Result<(), Failure> {
    let project = settings.project_file()?;
    let stores = stores::open(settings, &project, &[name.to_owned()])?;
    let (root, whence) = pinned_root(settings, arguments)?;
    for opened in &stores {
        let tools = opened.tools(&|_| ());
        let check = StoreCheck { tools, trusted_root: &root, now, depth: depth(arguments) };
        let (report, strays) = verify::store(&check)
            .map_err(|error| Failure::from(error).within(&format!("store `{}`", opened.spec.name)))?;
        let place = format!(" in store `{}`", opened.spec.name);
        say(settings, arguments, &report, &whence, &place, Some(&strays))?;
    }
    Ok(())
}

fn shells(settings: &Settings, arguments: &VerifyArguments, url: &str, now: Timestamp) -> Result<(), Failure> {
    let (root, whence) = pinned_root(settings, arguments)?;
    let addresses = addresses(settings, arguments)?;
    let folder = tempfile::tempdir()
        .map_err(|why| Failure::new(Exit::World, format!("cannot make a folder for what shells keep: {why}")))?;
    let shell = Shell {
        url,
        addresses: &addresses,
        trusted_root: &root,
        platform_code: arguments.platform,
        now,
        depth: depth(arguments),
        folder: folder.path(),
    };
    say(settings, arguments, &verify::shells(&shell)?, &whence, &format!(" at {url}"), None)
}

fn depth(arguments: &VerifyArguments) -> Depth {
    match arguments.deep {
        true => Depth::Everything,
        false => Depth::Metadata,
    }
}

/// Whose shells come: those that were named, or every tenant of the store or of what was compiled.
fn addresses(settings: &Settings, arguments: &VerifyArguments) -> Result<Vec<String>, Failure> {
    if let (true, Some(name)) = (arguments.tenant.is_empty(), &arguments.store) {
        let project = settings.project_file()?;
        let stores = stores::open(settings, &project, &[name.to_owned()])?;
        let mut addresses = Vec::new();
        for opened in &stores {
            let base = Base::read(&opened.tools(&|_| ()), opened.spec)
                .map_err(|error| Failure::from(error).within(&format!("store `{}`", opened.spec.name)))?;
            addresses.extend(base.index.into_iter().flat_map(|it| it.tenants.into_keys()));
        }
        return Ok(addresses);
    }
    if !arguments.tenant.is_empty() {
        return arguments.tenant.iter().map(|name| fetch::address_of(settings, name)).collect();
    }
    let path = settings.out(None).join("state/index.json");
    let unknown = |why: String| {
        Failure::new(Exit::Usage, why).help("name tenants with `--tenant`, or the store that has them with `--store`")
    };
    let bytes = fs::read(&path).map_err(|_| unknown(format!("`{}` cannot be read", path.display())))?;
    let index =
        Index::parse(&bytes).map_err(|why| unknown(format!("`{}` cannot be understood: {why}", path.display())))?;
    Ok(index.tenants.into_keys().collect())
}

/// What a folder says of itself.
fn index_of(folder: &Path) -> Result<Index, Failure> {
    let path = folder.join("state/index.json");
    let unknown = |why: String| {
        Failure::new(Exit::Usage, format!("`{}` {why}", path.display()))
            .help("name the folder that `compile` wrote with `--out`, or a store with `--store`")
    };
    let bytes = fs::read(&path).map_err(|why| unknown(format!("cannot be read: {why}")))?;
    Index::parse(&bytes).map_err(|why| unknown(format!("cannot be understood: {why}")))
}

/// Says what was found. Anything but nothing is a refusal.
fn say(
    settings: &Settings,
    arguments: &VerifyArguments,
    report: &Report,
    whence: &str,
    place: &str,
    strays: Option<&Strays>,
) -> Result<(), Failure> {
    if report.environment == DEVELOPMENT {
        output::warning("signed with throw-away DEVELOPMENT keys: no shell in production may trust it");
    }
    match arguments.format {
        PlainFormat::Json => output::json(&Said { report, strays }),
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
                "{verdict} from {whence}{place}: {}, {}, {}, {} looked at in {}; root {} until {}\n",
                output::counted(report.tenants, "tenant"),
                output::counted(report.entitlements, "entitlement"),
                output::counted(report.archives, "archive"),
                output::counted(report.files, "file"),
                output::seconds(settings.began.elapsed()),
                report.root_version,
                report.root_expires.date(),
            ));
            if let Some(strays) = strays {
                output::result(&also(strays));
            }
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

/// A report, for machines.
#[derive(Serialize)]
struct Said<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    strays: Option<&'a Strays>,
}

/// What else lies in a store, which is no mistake.
fn also(strays: &Strays) -> String {
    let mut text = String::new();
    for (total, what) in [
        (strays.unreferenced, "no tenant leads to it any more; `tenantry gc` takes it in time"),
        (strays.foreign, "foreign, never touched"),
    ] {
        if total.objects > 0 {
            let objects = output::counted(total.objects, "object");
            text += &format!("besides {objects} ({}): {what}\n", output::bytes(total.bytes));
        }
    }
    text
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
fn trusted_root(settings: &Settings, arguments: &VerifyArguments, folder: &Path) -> (PathBuf, String) {
    if let Some(path) = &arguments.root {
        return (path.clone(), format!("the root `{}`", path.display()));
    }
    for keys in [settings.project.join("keys"), settings.development_keys()] {
        let path = keys.join("root").join("1.root.json");
        // The project's own root, if this folder was made with it.
        if path.is_file() && fs::read(&path).ok() == fs::read(folder.join("root/1.root.json")).ok() {
            return (path, "the project's own root".into());
        }
    }
    (folder.join("root/1.root.json"), "the folder's own first root (a stranger would pin it; see `--root`)".into())
}

/// The root to trust where nothing that is checked may say so itself.
fn pinned_root(settings: &Settings, arguments: &VerifyArguments) -> Result<(Vec<u8>, String), Failure> {
    let own = [settings.project.join("keys"), settings.development_keys()];
    let own = own.into_iter().map(|it| it.join("root").join("1.root.json")).find(|it| it.is_file());
    match (&arguments.root, own) {
        (Some(path), _) => Ok((read_root(path)?, format!("the root `{}`", path.display()))),
        (None, Some(path)) => Ok((read_root(&path)?, "the project's own root".into())),
        (None, None) => Err(Failure::new(Exit::Usage, "there is no root to trust")
            .help("name it with `--root`, or run this in the project's folder")),
    }
}

fn read_root(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|why| Failure::new(Exit::World, format!("cannot read the root `{}`: {why}", path.display())))
}
