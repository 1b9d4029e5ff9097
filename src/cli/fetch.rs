//! `tenantry fetch`
#![expect(
    clippy::disallowed_methods,
    reason = "this file reads the root that is to be trusted, and the project's index"
)]

mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::args::{FetchArguments, PlainFormat};
use super::output;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::client::{Client, ClientError, Config, Optional, Start, Trouble, Update};
use crate::index::Index;
use crate::metadata::DEVELOPMENT;
use crate::time::Timestamp;

/// How long to wait after a refresh that failed, in seconds, when nobody says otherwise.
const WAIT_AFTER_FAILURE: u32 = 60;

/// One refresh, and what may run after it.
#[derive(Debug, Serialize)]
struct Fetched<'a> {
    addr: &'a str,
    environment: &'a str,
    update: &'a Update,
    start: &'a Start,
}

pub(super) fn run(settings: &Settings, arguments: &FetchArguments) -> Result<(), Failure> {
    let now = settings.now(arguments.at.as_deref())?;
    let mut client = Client::open(config(settings, arguments)?).map_err(Failure::from)?;
    if client.environment() == DEVELOPMENT {
        output::warning("development keys are trusted here: no shell in production may do that");
    }
    let Some(every) = arguments.watch else {
        return fetch(&mut client, now).map(|(update, start)| say(arguments, &client, &update, &start)).map_err(
            |error| {
                say_failure(arguments, &client, &error, now);
                Failure::from(error)
            },
        );
    };
    watch(settings, arguments, &mut client, every)
}

/// Fetches again and again. Says what is new, and what goes wrong when it begins to.
fn watch(
    settings: &Settings,
    arguments: &FetchArguments,
    client: &mut Client,
    every: Option<u32>,
) -> Result<(), Failure> {
    let mut is_first = true;
    let mut failing: Option<&'static str> = None;
    loop {
        let now = settings.now(None)?;
        let due = match fetch(client, now) {
            Ok((update, start)) => {
                if is_first || failing.is_some() || is_news(&update) {
                    say(arguments, client, &update, &start);
                }
                (is_first, failing) = (false, None);
                now.until(update.next_check).seconds().unsigned_abs()
            }
            Err(error) => {
                if failing != Some(error.code()) {
                    say_failure(arguments, client, &error, now);
                    let _ = Failure::from(&error).say();
                }
                failing = Some(error.code());
                WAIT_AFTER_FAILURE.into()
            }
        };
        std::thread::sleep(Duration::from_secs(every.map_or(due, u64::from)));
    }
}

fn is_news(update: &Update) -> bool {
    update.staged.is_some() || !update.lost.is_empty() || !update.stopped.is_empty()
}

/// As a shell does, but that nothing runs: being able to read every file is the start that is confirmed.
fn fetch(client: &mut Client, now: Timestamp) -> Result<(Update, Start), ClientError> {
    let update = client.refresh(now)?;
    if update.staged.is_some() {
        client.activate()?;
    }
    let start = client.start(now);
    if start.set.is_some() {
        client.confirm_start()?;
    }
    Ok((update, start))
}

fn config(settings: &Settings, arguments: &FetchArguments) -> Result<Config, Failure> {
    let root = root(settings, arguments.root.as_deref())?;
    let mut config =
        Config::new(&arguments.dir, &arguments.url, address_of(settings, &arguments.tenant)?, root, arguments.platform);
    config.unit.clone_from(&arguments.unit);
    if arguments.optional {
        config.optional = Optional::Fetched;
    }
    Ok(config)
}

/// The root that was named, that of the project's keys, or that of its development keys.
pub(super) fn root(settings: &Settings, named: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let path = trusted_root(settings, named)?;
    fs::read(&path)
        .map_err(|why| Failure::new(Exit::World, format!("cannot read the root `{}`: {why}", path.display())))
}

fn trusted_root(settings: &Settings, named: Option<&Path>) -> Result<PathBuf, Failure> {
    let first = "root/1.root.json";
    let own = [settings.project.join("keys").join(first), settings.development_keys().join(first)];
    match named {
        Some(path) => Ok(path.to_owned()),
        None => own.into_iter().find(|it| it.is_file()).ok_or_else(|| {
            Failure::new(Exit::Usage, "there is no root to trust")
                .help("name the root that the vendor gave you with `--root`, or run this in the project's folder")
        }),
    }
}

/// The address that was given, or that of the tenant with this name.
pub(super) fn address_of(settings: &Settings, name: &str) -> Result<String, Failure> {
    let is_addr = name.len() == 32 && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
    if is_addr {
        return Ok(name.to_owned());
    }
    let path = settings.out(None).join("state/index.json");
    let unknown = |why: String| {
        Failure::new(Exit::Usage, why).help("name the tenant by its address: the 32 letters and digits after `t/`")
    };
    let bytes = fs::read(&path).map_err(|_| {
        unknown(format!("`{name}` is no address, and `{}` cannot be read to look it up", path.display()))
    })?;
    let index =
        Index::parse(&bytes).map_err(|why| unknown(format!("`{}` cannot be understood: {why}", path.display())))?;
    let found = index.tenants.into_iter().find(|(_, record)| record.name == name).map(|(addr, _)| addr);
    found.ok_or_else(|| unknown(format!("there is no tenant `{name}` in `{}`", path.display())))
}

fn say(arguments: &FetchArguments, client: &Client, update: &Update, start: &Start) {
    match arguments.format {
        PlainFormat::Human => output::result(&words::fetched(client, update, start)),
        PlainFormat::Json => {
            document(arguments, &Fetched { addr: client.addr(), environment: client.environment(), update, start })
        }
    }
    start.notes.iter().for_each(|note| output::warning(note));
}

/// What went wrong, for machines; and what starts all the same.
fn say_failure(arguments: &FetchArguments, client: &Client, error: &ClientError, now: Timestamp) {
    let start = client.look(now);
    match arguments.format {
        PlainFormat::Human => output::result(&words::what_runs(&start)),
        PlainFormat::Json => {
            let error = json!({
                "code": error.code(),
                "message": error.to_string(),
                "retry": error.retry(),
                "help": error.help(),
                "kept": { "set": error.kept.set, "publication": error.kept.publication },
            });
            document(arguments, &json!({ "addr": client.addr(), "error": error, "start": start }));
        }
    }
}

/// One document, or one a line.
fn document(arguments: &FetchArguments, value: &impl Serialize) {
    match arguments.watch {
        None => output::json(value),
        Some(_) => output::result(&(serde_json::to_string(value).expect("results have only text keys") + "\n")),
    }
}

impl From<&ClientError> for Failure {
    fn from(error: &ClientError) -> Failure {
        let exit = match &error.trouble {
            Trouble::Configuration { .. } | Trouble::UnknownProgram { .. } => Exit::Usage,
            Trouble::Refused(_) | Trouble::Damaged { .. } | Trouble::Manifest { .. } => Exit::Refused,
            _ => Exit::World,
        };
        Failure::new(exit, error.to_string()).help(error.help())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::from(&error)
    }
}
