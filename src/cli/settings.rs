//! Arguments as meant: paths, the instant, the number of threads. The clock and the environment are read here, once.
#![expect(clippy::disallowed_methods, reason = "this file asks for the time and the environment, once a command")]

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::args::{Arguments, InputArguments, KeysFolderArgument};
use super::findings;
use super::output::Place;
use super::{Exit, Failure};
use crate::load::{self, LoadError, SourceTree};
use crate::model::Project;
use crate::pipeline;
use crate::publish::Clocks;
use crate::report::Format;
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

    /// Whether a store's clock is compared with ours: not when somebody has said what time it is.
    pub(crate) fn clocks(&self, at: Option<&str>) -> Clocks {
        match at.is_none() && std::env::var_os("SOURCE_DATE_EPOCH").is_none() {
            true => Clocks::Compare,
            false => Clocks::Trust,
        }
    }

    /// The time since then, for whoever must know what time it is meanwhile.
    pub(crate) fn clock(&self, now: Timestamp) -> impl Fn() -> Timestamp + Sync + use<> {
        let began = self.began;
        move || {
            let passed = i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX);
            Timestamp::from_unix(now.unix().saturating_add(passed)).unwrap_or(now)
        }
    }

    /// Who runs the command: a CI run by its address, or a person on a machine.
    pub(crate) fn who(&self) -> String {
        let variable = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
        let github = || {
            let server = variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".into());
            Some(format!("{server}/{}/actions/runs/{}", variable("GITHUB_REPOSITORY")?, variable("GITHUB_RUN_ID")?))
        };
        let run = github()
            .or_else(|| variable("CI_JOB_URL"))
            .or_else(|| variable("BUILDKITE_BUILD_URL"))
            .or_else(|| variable("BUILD_URL"));
        let who = run.unwrap_or_else(|| {
            let user = variable("USER").or_else(|| variable("USERNAME")).unwrap_or_else(|| "somebody".into());
            let file = || std::fs::read_to_string("/etc/hostname").ok().map(|it| it.trim().to_owned());
            let host = variable("HOSTNAME").or_else(|| variable("COMPUTERNAME")).or_else(file);
            format!("{user}@{}", host.filter(|it| !it.is_empty()).unwrap_or_else(|| "somewhere".into()))
        });
        // It goes into records and messages, as one short line.
        who.chars().filter(|it| !it.is_control()).take(200).collect()
    }

    /// The project's own settings, without its tenants and catalogue.
    pub(crate) fn project_file(&self) -> Result<Project, Failure> {
        let tree = load::dir::project_file(&self.project)?;
        let (project, diagnostics) = pipeline::project(&tree);
        match pipeline::is_sound(&diagnostics) {
            true => Ok(project),
            false => {
                findings::say(self, &tree, diagnostics, Format::Human, Place::Talk);
                Err(Failure::Said(Exit::Inputs))
            }
        }
    }

    /// The inputs: the working directory or a revision.
    pub(crate) fn tree(&self, input: &InputArguments) -> Result<SourceTree, LoadError> {
        self.revision(input.rev.as_deref())
    }

    /// The same by the revision alone.
    pub(crate) fn revision(&self, revision: Option<&str>) -> Result<SourceTree, LoadError> {
        match revision {
            Some(revision) => load::git::read(&self.project, revision),
            None => load::dir::read(&self.project, self.threads),
        }
    }

    /// Where the project stands in its repository: empty, or a path that ends with a slash.
    pub(crate) fn folder_in_repository(&self) -> String {
        let real = self.project.canonicalize().unwrap_or_else(|_| self.project.clone());
        let repository = real.ancestors().find(|it| it.join(".git").exists());
        let parts = repository.and_then(|it| real.strip_prefix(it).ok()).unwrap_or(Path::new(""));
        parts.iter().map(|part| format!("{}/", part.to_string_lossy())).collect()
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
