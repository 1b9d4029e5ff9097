//! Arguments as meant: paths, the instant, the number of threads. The clock and the environment are read here, once.
#![expect(clippy::disallowed_methods, reason = "this file asks for the time and the environment, once a command")]

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::args::{Arguments, InputArguments, KeysFolderArgument};
use super::{Exit, Failure};
use crate::load::{self, LoadError, SourceTree};
use crate::time::Timestamp;

/// What every command needs.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The project's folder.
    pub(crate) project: PathBuf,
    /// How many threads.
    pub(crate) threads: usize,
    /// When the command began, to say how long it took.
    pub(crate) began: Instant,
}

impl Settings {
    pub(crate) fn new(arguments: &Arguments) -> Result<Settings, Failure> {
        if !arguments.project.is_dir() {
            let message = format!("`{}` is not a folder", arguments.project.display());
            return Err(Failure::new(Exit::Usage, message).help("name the project's folder with `--project`"));
        }
        let all = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let threads = arguments.jobs.map_or_else(all, std::num::NonZeroUsize::get);
        Ok(Settings { project: arguments.project.clone(), threads, began: Instant::now() })
    }

    /// The same for something that begins now: a server compiles many times.
    pub(crate) fn again(&self) -> Settings {
        Settings { project: self.project.clone(), threads: self.threads, began: Instant::now() }
    }

    /// The instant of every decision: the argument, `SOURCE_DATE_EPOCH`, or the clock.
    pub(crate) fn now(&self, at: Option<&str>) -> Result<Timestamp, Failure> {
        if let Some(text) = at {
            return Timestamp::parse(text)
                .map_err(|why| Failure::new(Exit::Usage, format!("`--at {text}` cannot be read: {why}")));
        }
        let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(text) => text.parse().map_err(|_| {
                Failure::new(
                    Exit::Usage,
                    format!("`SOURCE_DATE_EPOCH` is `{text}`, not a number of seconds since 1970"),
                )
            })?,
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs().cast_signed()),
        };
        Timestamp::from_unix(seconds)
            .ok_or_else(|| Failure::new(Exit::Usage, "the time lies outside the years 1970 to 9999"))
    }

    /// The inputs: the working directory or a revision.
    pub(crate) fn tree(&self, input: &InputArguments) -> Result<SourceTree, LoadError> {
        match &input.rev {
            Some(revision) => load::git::read(&self.project, revision),
            None => load::dir::read(&self.project, self.threads),
        }
    }

    /// Where keys are.
    pub(crate) fn keys(&self, argument: &KeysFolderArgument) -> PathBuf {
        argument.keys.clone().unwrap_or_else(|| self.project.join("keys"))
    }

    /// Whether a folder lies inside another, or is it, however the two are written. Neither need exist.
    pub(crate) fn lies_inside(inner: &Path, outer: &Path) -> bool {
        let resolved = |path: &Path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let real = path.ancestors().find_map(|it| {
                let rest = path.strip_prefix(it).expect("an ancestor begins the path");
                it.canonicalize().ok().map(|real| real.join(rest))
            });
            real.unwrap_or(path)
        };
        resolved(inner).starts_with(resolved(outer))
    }

    /// Where development keys are, when there are no others.
    pub(crate) fn development_keys(&self) -> PathBuf {
        self.project.join(".tenantry").join("development-keys")
    }

    /// Where what they signed goes, beside a project that has others.
    pub(crate) fn development_out(&self) -> PathBuf {
        self.project.join(".tenantry").join("out")
    }

    /// Where publications go.
    pub(crate) fn out(&self, argument: Option<&Path>) -> PathBuf {
        argument.map_or_else(|| self.project.join("out"), Path::to_owned)
    }
}
