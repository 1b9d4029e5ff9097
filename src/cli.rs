//! The command line: arguments as typed, settings as meant, one file a command.
//!
//! stdout carries the result, stderr the talk. With a machine format stdout always parses.

mod args;
mod at;
mod audit;
mod check;
mod compile;
mod complete;
mod doctor;
mod explain;
mod fetch;
mod findings;
mod fmt;
mod gc;
mod init;
mod keys;
mod interrupt;
mod log;
mod man;
mod new;
mod output;
mod plan;
mod publish;
mod refresh;
mod report;
mod resign;
mod rollback;
mod schema;
mod serve;
mod settings;
mod shell;
mod simulate;
mod stores;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use crate::load::LoadError;
use crate::pipeline::compile::CompileError;
use crate::pipeline::verify::VerifyError;
use crate::publish::PublishError;
use crate::publish::state::StateError;
use crate::sign::keystore::KeyError;
use crate::store::StoreError;
use crate::store::open::OpenError;
use crate::write::WriteError;
use args::{Arguments, Command};
use settings::Settings;

/// How a command ended. New codes may be added; an unknown code means failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The inputs have errors.
    Inputs = 1,
    /// Wrong usage.
    Usage = 2,
    /// The world failed: disk, network, git, store, signer.
    World = 3,
    /// Somebody else published first, or a plan is stale.
    Superseded = 4,
    /// Verification refused.
    Refused = 5,
    /// A guard stopped it.
    Guard = 6,
    /// There are changes, and the caller asked to be told so.
    Changes = 10,
    /// Told to stop, it did not finish what it was at.
    Interrupted = 130,
}

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Everything was said already; only the code is left.
    Said(Exit),
    /// Something to say.
    Because { exit: Exit, message: String, help: Option<String> },
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure::Because { exit, message: message.into(), help: None }
    }

    pub(crate) fn help(self, text: impl Into<String>) -> Failure {
        match self {
            Failure::Because { exit, message, .. } => Failure::Because { exit, message, help: Some(text.into()) },
            said @ Failure::Said(_) => said,
        }
    }

    /// With which code the command ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Said(exit) | Failure::Because { exit, .. } => *exit,
        }
    }

    /// Says what there is to say, on stderr.
    pub(crate) fn say(&self) -> Exit {
        match self {
            Failure::Said(exit) => *exit,
            Failure::Because { exit, message, help } => {
                output::error(message, help.as_deref());
                *exit
            }
        }
    }

    fn of(exit: Exit, error: &dyn std::error::Error, help: Option<String>) -> Failure {
        Failure::Because { exit, message: in_full(error), help }
    }

    /// The same, with the place that it happened in.
    pub(crate) fn within(self, place: &str) -> Failure {
        match self {
            Failure::Because { exit, message, help } => {
                Failure::Because { exit, message: format!("{place}: {message}"), help }
            }
            said @ Failure::Said(_) => said,
        }
    }
}

/// An error with all its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message += &format!(": {cause}");
        source = cause.source();
    }
    message
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        let exit = match error {
            LoadError::NoSuchRevision { .. } => Exit::Usage,
            LoadError::Name { .. } | LoadError::TooMany => Exit::Inputs,
            LoadError::Read { .. } | LoadError::Git { .. } => Exit::World,
        };
        Failure::of(exit, &error, None)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Failure {
        let exit = match error {
            KeyError::Exists { .. } | KeyError::Refused(_) => Exit::Usage,
            KeyError::OpenPermissions { .. } => Exit::Guard,
            _ => Exit::World,
        };
        let help = error.help();
        Failure::of(exit, &error, help)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        let help = error.help().map(str::to_owned);
        Failure::of(Exit::World, &error, help)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let help = error.help().map(str::to_owned);
        Failure::of(Exit::World, &error, help)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        let help = error.help().map(str::to_owned);
        Failure::of(Exit::World, &error, help)
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Failure {
        let help = error.help();
        Failure::of(exit_of_state(&error), &error, help)
    }
}

fn exit_of_state(error: &StateError) -> Exit {
    match error {
        StateError::Store(_) | StateError::Format { .. } => Exit::World,
        StateError::Damaged { .. }
        | StateError::Missing { .. }
        | StateError::Foreign { .. }
        | StateError::Ahead { .. } => Exit::Refused,
        StateError::Clock { .. } | StateError::StoreClock { .. } => Exit::Guard,
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Failure {
        let help = error.help();
        Failure::of(exit_of_publish(&error), &error, help)
    }
}

fn exit_of_publish(error: &PublishError) -> Exit {
    match error {
        PublishError::State(error) => exit_of_state(error),
        PublishError::Superseded { .. }
        | PublishError::Burnt { .. }
        | PublishError::Busy { .. }
        | PublishError::TakenOver { .. }
        | PublishError::Overtaken { .. }
        | PublishError::Stale { .. }
        | PublishError::Rewind { .. }
        | PublishError::Backwards { .. } => Exit::Superseded,
        PublishError::Guard { .. } | PublishError::Homeless(_) | PublishError::OtherRoot { .. } => Exit::Guard,
        PublishError::Unsound(_) => Exit::Refused,
        PublishError::Interrupted { .. } => Exit::Interrupted,
        PublishError::Unfinished { source, .. } => exit_of_publish(source),
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Failure {
        let exit = match error {
            VerifyError::State(error) => return error.into(),
            VerifyError::Store(error) => return error.into(),
            VerifyError::Io { .. } | VerifyError::Web { .. } => Exit::World,
            VerifyError::Root(_) => Exit::Refused,
        };
        Failure::of(exit, &error, None)
    }
}

/// What stops a compile, or the diagnostics that do.
pub(crate) enum Stopped {
    Inputs(Vec<crate::diag::Diagnostic>),
    Failure(Failure),
}

impl From<CompileError> for Stopped {
    fn from(error: CompileError) -> Stopped {
        match error {
            CompileError::Inputs(diagnostics) => Stopped::Inputs(diagnostics),
            CompileError::Guard { why, help } => Stopped::Failure(Failure::new(Exit::Guard, why).help(help)),
            CompileError::Write(error) => Stopped::Failure(error.into()),
            CompileError::Sign(_) => Stopped::Failure(Failure::of(Exit::World, &error, None)),
            CompileError::Fetch(error) => Stopped::Failure(error.into()),
        }
    }
}

impl From<KeyError> for Stopped {
    fn from(error: KeyError) -> Stopped {
        Stopped::Failure(error.into())
    }
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    complete::answer();
    let arguments = Arguments::parse();
    let outcome = Settings::new(&arguments).and_then(|settings| {
        crate::pipeline::set_threads(settings.threads);
        match arguments.command {
            Command::Check(it) => check::run(&settings, &it),
            Command::Compile(it) => compile::run(&settings, &it),
            Command::Explain(it) => explain::run(&settings, &it),
            Command::Plan(it) => plan::run(&settings, &it),
            Command::Simulate(it) => simulate::run(&settings, &it),
            Command::Report(it) => report::run(&settings, &it),
            Command::Publish(it) => publish::run(&settings, &it),
            Command::Refresh(it) => refresh::run(&settings, &it),
            Command::Rollback(it) => rollback::run(&settings, &it),
            Command::Gc(it) => gc::run(&settings, &it),
            Command::Log(it) => log::run(&settings, &it),
            Command::At(it) => at::run(&settings, &it),
            Command::Verify(it) => verify::run(&settings, &it),
            Command::Doctor(it) => doctor::run(&settings, &it),
            Command::Serve(it) => serve::run(&settings, &it),
            Command::Fetch(it) => fetch::run(&settings, &it),
            Command::Keys(it) => keys::run(&settings, &it),
            Command::Init(it) => init::run(&it),
            Command::New(it) => new::run(&settings, &it),
            Command::Fmt(it) => fmt::run(&settings, &it),
            Command::Shell(it) => shell::run(&settings, &it),
            Command::Schema(it) => schema::run(&settings, &it),
            Command::Completions(it) => complete::run(&it),
            Command::Man(it) => man::run(&it),
        }
    });
    let exit = match outcome {
        Ok(()) => Exit::Done,
        Err(failure) => failure.say(),
    };
    ExitCode::from(exit as u8)
}
