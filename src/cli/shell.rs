//! `tenantry shell`

use serde_json::{Value, json};

use super::args::{PlainFormat, ShellArguments};
use super::fetch;
use super::schema;
use super::settings::Settings;
use super::stores::{self, Opened};
use super::{Exit, Failure, output};
use crate::digest::Sha256;
use crate::metadata::DEVELOPMENT;
use crate::shell::{self, Config, File, HOST};
use crate::store::{Cache, MAX_OBJECT, Patience, Precondition, Settled, Upload, settle};

/// A file with its key.
type Keyed = (String, File);

pub(super) fn run(settings: &Settings, arguments: &ShellArguments) -> Result<(), Failure> {
    let files = files(settings, arguments)?;
    if let Some(folder) = &arguments.out {
        for (key, file) in &files {
            schema::write(&folder.join(key), &String::from_utf8_lossy(&file.bytes))?;
            output::talk(&format!("wrote {}", folder.join(key).display()));
        }
    }
    let mut put = serde_json::Map::new();
    if !arguments.store.is_empty() {
        let project = settings.project_file()?;
        for store in &stores::open(settings, &project, &arguments.store)? {
            put.insert(store.spec.name.clone(), json!(put_all(store, &files)?));
        }
    }
    say(arguments, &files, &put);
    Ok(())
}

/// Everything that is deployed, in the order in which it is: a page may ask for what its programs' origins have, and
/// the worker of a page keeps the page that is there when it comes.
fn files(settings: &Settings, arguments: &ShellArguments) -> Result<Vec<Keyed>, Failure> {
    let root = fetch::root(settings, arguments.root.as_deref())?;
    let config = Config {
        base: arguments.base.clone(),
        check_every: arguments.check_every,
        frames: arguments.frames.clone(),
        platform: arguments.platform,
    };
    let page = shell::page(&config, &root).map_err(|error| {
        Failure::of(Exit::Refused, &error, Some("name the project's first root with `--root`".into()))
    })?;
    if is_for_development(&root) {
        output::warning("development keys are trusted here: no shell in production may do that");
    }
    let frame = shell::frame().iter().map(|it| (format!("frames/{}", it.path), it.clone()));
    Ok(frame.chain(page.into_iter().map(|it| (format!("shell/{}", it.path), it))).collect())
}

fn is_for_development(root: &[u8]) -> bool {
    let root: Value = serde_json::from_slice(root).unwrap_or_default();
    root["signed"]["x-tenantry"]["environment"] == DEVELOPMENT
}

/// Puts what is not there already; the keys of that.
fn put_all(store: &Opened<'_>, files: &[Keyed]) -> Result<Vec<String>, Failure> {
    let mut put = Vec::new();
    for (key, file) in files {
        let there = Patience::NORMAL.retry(|| store.store.get(key, MAX_OBJECT))?;
        if there.as_ref().is_some_and(|it| it.bytes == file.bytes) {
            continue;
        }
        let precondition = there.map_or(Precondition::Absent, |it| Precondition::Is(it.etag));
        match settle(store.store.as_ref(), Patience::NORMAL, &Upload { key, bytes: &file.bytes, precondition })? {
            Settled::Ours(_) => put.push(key.clone()),
            Settled::Theirs(_) | Settled::Gone => {
                let message = format!("{}: somebody else changed `{key}` meanwhile", store.spec.name);
                return Err(Failure::new(Exit::Superseded, message).help("run again when they are done"));
            }
        }
    }
    Ok(put)
}

fn say(arguments: &ShellArguments, files: &[Keyed], put: &serde_json::Map<String, Value>) {
    if arguments.format == PlainFormat::Json {
        let file = |(key, file): &Keyed| {
            json!({
                "key": key,
                "bytes": file.bytes.len(),
                "sha256": Sha256::of(&file.bytes).to_string(),
                "content_type": file.media_type,
                "cache_control": Cache::of(key).header(),
            })
        };
        let files: Vec<Value> = files.iter().map(file).collect();
        return output::json(&json!({ "files": files, "put": put, "content_security_policy_of_frames": HOST }));
    }
    for (name, keys) in put {
        let keys = keys.as_array().map_or(&[][..], |it| it);
        output::result(&match keys.len() {
            0 => format!("{name}: the shell, as before\n"),
            count => format!("{name}: put {} of the shell\n", output::counted(count, "file")),
        });
    }
}
