//! Compiling again when the project changes, while what was there before is served.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::super::args::CompileArguments;
use super::super::compile::{self, Occasion};
use super::super::output::{self, Place};
use super::super::settings::Settings;
use super::super::{Exit, Failure};
use crate::digest::Blake3;
use crate::serve::{Report, Site, watch};

/// How often the project is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// How long it must have been left alone before it is compiled: a checkout changes many files.
const QUIET: Duration = Duration::from_millis(60);

/// How many looks lie between two compiles of an unchanged project: line-ups change by themselves, and what was
/// signed gets old.
const LOOKS_BETWEEN: u32 = 3600;

/// Watches a project for as long as it is served.
pub(super) struct Watcher<'a> {
    pub(super) settings: &'a Settings,
    pub(super) arguments: CompileArguments,
    pub(super) site: &'a Site,
    /// What the project looked like before it was first compiled.
    pub(super) seen: Blake3,
}

/// What is said about a compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// What was done, even when that is nothing.
    Everything,
    /// Only that there is a new publication.
    News,
}

impl Watcher<'_> {
    /// Until the other end of the channel is gone.
    pub(super) fn watch(&self, stopped: &Receiver<()>) {
        let project: &Path = &self.settings.project;
        let (mut seen, mut idle) = (self.seen, 0);
        let mut trouble = None;
        while wait(stopped, EVERY) {
            let now = watch::fingerprint(project);
            idle += 1;
            let say = match (now == seen, idle >= LOOKS_BETWEEN) {
                (false, _) => Say::Everything,
                (true, true) => Say::News,
                (true, false) => continue,
            };
            let Some(quiet) = settled(project, now, stopped) else { return };
            (seen, idle) = (quiet, 0);
            match compile(self.settings, &self.arguments, say) {
                Ok(()) => {
                    trouble = None;
                    // The publication may be the same and the inputs are others.
                    self.site.report.iter().for_each(Report::forget);
                }
                // Another compile is at work, or the disk is full: tried again at every look, and said once.
                Err(Failure::Because { exit: Exit::World, message, .. }) if trouble.as_ref() == Some(&message) => {
                    idle = LOOKS_BETWEEN;
                }
                Err(failure) => {
                    failure.say();
                    output::talk("still serving the publication before");
                    if let Failure::Because { exit: Exit::World, message, .. } = failure {
                        (trouble, idle) = (Some(message), LOOKS_BETWEEN);
                    }
                }
            }
            if let Err(error) = self.site.look() {
                output::warning(&format!("{error}"));
            }
        }
    }
}

/// The project once nobody changes it any more; none when we are to stop.
fn settled(project: &Path, mut last: Blake3, stopped: &Receiver<()>) -> Option<Blake3> {
    while wait(stopped, QUIET) {
        let now = watch::fingerprint(project);
        if now == last {
            return Some(now);
        }
        last = now;
    }
    None
}

/// Whether to go on after this time.
fn wait(stopped: &Receiver<()>, time: Duration) -> bool {
    stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

/// Compiles as `tenantry compile` does, and says on stderr what that said.
pub(super) fn compile(settings: &Settings, arguments: &CompileArguments, say: Say) -> Result<(), Failure> {
    let settings = settings.again();
    let compiled = compile::make(&settings, arguments, Occasion::Serving)?;
    if say == Say::Everything || compiled.summary.is_new {
        compile::say(&settings, arguments.format, compiled, Place::Talk);
    }
    Ok(())
}
