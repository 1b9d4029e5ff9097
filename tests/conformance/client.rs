//! `trust` as a program of its own, for suites that hold TUF clients to the standard.
//!
//! The contract is that of tuf-conformance: `init` takes a root and asks nobody, `refresh` brings metadata up to date,
//! `download` does that and then fetches targets. Trusted metadata lies in `--metadata-dir` byte for byte as it came.
//! No tenant binding: it follows anybody's repository. Exit code 0 is success, 1 is not.
#![expect(clippy::disallowed_methods, reason = "a program that fetches and keeps")]
#![expect(clippy::print_stderr, reason = "a program that talks")]

use std::error::Error;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Parser, Subcommand};
use tenantry::time::Timestamp;
use tenantry::trust::updater::{
    Answer, FetchError, Repository, Request, Shelf, Trouble, UpdateError, Updater, encoded,
};

/// Longest target that is read, in bytes.
const MAX_TARGET: u64 = 100_000_000;

#[derive(Parser)]
struct Arguments {
    /// Where trusted metadata lies.
    #[arg(long)]
    metadata_dir: PathBuf,
    /// Where the repository's metadata is.
    #[arg(long)]
    metadata_url: Option<String>,
    /// What to download; may be given more than once.
    #[arg(long)]
    target_name: Vec<String>,
    /// Where the repository's targets are.
    #[arg(long)]
    target_base_url: Option<String>,
    /// Where downloads go.
    #[arg(long)]
    target_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trusts a root from here on.
    Init {
        /// The root.
        root: PathBuf,
    },
    /// Brings metadata up to date.
    Refresh,
    /// Brings metadata up to date, and fetches targets.
    Download,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(why) => {
            eprint!("{why}");
            return ExitCode::FAILURE;
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let mut reason: Option<&dyn Error> = Some(&*why);
            while let Some(error) = reason {
                eprintln!("error: {error}");
                reason = error.source();
            }
            if let Some(error) = why.downcast_ref::<UpdateError>() {
                eprintln!("help: {}", error.advice());
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Trouble> {
    let mut shelf = Folder(arguments.metadata_dir.clone());
    match &arguments.command {
        Command::Init { root } => {
            let root = fs::read(root)?;
            shelf.keep("root.json", &root)
        }
        Command::Refresh => refreshed(arguments, shelf).map(|_| ()),
        Command::Download => {
            let mut updater = refreshed(arguments, shelf)?;
            arguments.target_name.iter().try_for_each(|name| download(arguments, &mut updater, name))
        }
    }
}

fn refreshed(arguments: &Arguments, shelf: Folder) -> Result<Updater<Server, Folder>, Trouble> {
    let base_url = arguments.metadata_url.clone().ok_or("`--metadata-url` is missing")?;
    let mut updater = Updater::resume(Server { base_url, agent: agent() }, shelf)?;
    updater.refresh(now()?)?;
    Ok(updater)
}

fn download(arguments: &Arguments, updater: &mut Updater<Server, Folder>, name: &str) -> Result<(), Trouble> {
    let folder = arguments.target_dir.as_deref().ok_or("`--target-dir` is missing")?;
    let base_url = arguments.target_base_url.as_deref().ok_or("`--target-base-url` is missing")?;
    let target = updater.target(name)?.ok_or_else(|| format!("the repository has no target {name:?}"))?;
    // One segment, whatever the name contains.
    let file = folder.join(encoded(name));
    if fs::read(&file).is_ok_and(|there| target.mismatch(&there).is_none()) {
        return Ok(());
    }
    let path: Vec<String> = target.path(name, updater.root()).split('/').map(encoded).collect();
    let url = joined(base_url, &path.join("/"));
    let bytes = updater
        .repository()
        .get(&url, target.length.min(MAX_TARGET))?
        .ok_or_else(|| format!("`{url}` is not there"))?;
    match target.mismatch(&bytes) {
        None => Ok(replace(&file, &bytes)?),
        Some(why) => Err(format!("`{url}` is not the target {name:?}: {why}").into()),
    }
}

/// The clock, which the tests set.
fn now() -> Result<Timestamp, Trouble> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_secs()).ok().and_then(Timestamp::from_unix).ok_or("the clock is wrong")?)
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(60)))
        .build();
    config.into()
}

fn joined(base_url: &str, path: &str) -> String {
    format!("{}/{path}", base_url.trim_end_matches('/'))
}

/// A repository on a web server.
struct Server {
    base_url: String,
    agent: ureq::Agent,
}

impl Repository for Server {
    fn metadata(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        let answer = self.get(&joined(&self.base_url, request.name), request.max)?;
        Ok(answer.map_or(Answer::Missing, Answer::Bytes))
    }
}

impl Server {
    fn get(&self, url: &str, max: u64) -> Result<Option<Vec<u8>>, FetchError> {
        let passing = |source: Box<dyn Error + Send + Sync>| FetchError::Passing { name: url.to_owned(), source };
        let answer = self.agent.get(url).call().map_err(|why| passing(why.into()))?;
        match answer.status().as_u16() {
            200 => {}
            403 | 404 => return Ok(None),
            status => return Err(passing(format!("HTTP status {status}").into())),
        }
        let mut bytes = Vec::new();
        let mut body = answer.into_body().into_reader().take(max.saturating_add(1));
        body.read_to_end(&mut bytes).map_err(|why| passing(why.into()))?;
        match bytes.len() as u64 > max {
            true => Err(FetchError::TooLong { name: url.to_owned(), max }),
            false => Ok(Some(bytes)),
        }
    }
}

/// Trusted metadata in a folder.
struct Folder(PathBuf);

impl Shelf for Folder {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        match fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(why.into()),
        }
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        Ok(replace(&self.0.join(name), bytes)?)
    }

    fn forget(&mut self, name: &str) -> Result<(), Trouble> {
        match fs::remove_file(self.0.join(name)) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why.into()),
            _ => Ok(()),
        }
    }
}

/// Whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(file.path(), bytes)?;
    file.persist(path).map_err(|why| why.error)?;
    Ok(())
}
