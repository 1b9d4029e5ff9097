//! The command line: arguments as typed, settings as meant, one file a command.
//!
//! stdout carries the result, stderr the talk. With a machine format stdout always parses.

mod args;
mod check;
mod compile;
mod explain;
mod init;
mod keys;
mod output;
mod plan;
mod schema;
mod settings;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use crate::load::LoadError;
use crate::pipeline::compile::CompileError;
use crate::pipeline::verify::VerifyError;
use crate::sign::keystore::KeyError;
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
    /// Verification refused.
    Refused = 5,
    /// A guard stopped it.
    Guard = 6,
    /// There are changes, and the caller asked to be told so.
    Changes = 10,
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

    fn of(exit: Exit, error: &dyn std::error::Error, help: Option<String>) -> Failure {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message += &format!(": {cause}");
            source = cause.source();
        }
        Failure::Because { exit, message, help }
    }
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

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Failure {
        let exit = match error {
            VerifyError::Io { .. } => Exit::World,
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
    let arguments = Arguments::parse();
    let outcome = Settings::new(&arguments).and_then(|settings| {
        crate::pipeline::set_threads(settings.threads);
        match arguments.command {
            Command::Check(it) => check::run(&settings, &it),
            Command::Compile(it) => compile::run(&settings, &it),
            Command::Explain(it) => explain::run(&settings, &it),
            Command::Plan(it) => plan::run(&settings, &it),
            Command::Verify(it) => verify::run(&settings, &it),
            Command::Keys(it) => keys::run(&settings, &it),
            Command::Init(it) => init::run(&it),
            Command::Schema(it) => schema::run(&settings, &it),
        }
    });
    let exit = match outcome {
        Ok(()) => Exit::Done,
        Err(Failure::Said(exit)) => exit,
        Err(Failure::Because { exit, message, help }) => {
            output::error(&message, help.as_deref());
            exit
        }
    };
    ExitCode::from(exit as u8)
}
