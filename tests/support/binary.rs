//! Runs the binary as a user would.
#![expect(clippy::disallowed_methods, reason = "a test runs the binary")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// `tenantry` with nothing of the surroundings, in a folder.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(folder);
    clean(&mut command);
    command
}

/// Takes away what the surroundings could change.
pub(crate) fn clean(command: &mut Command) {
    for variable in [
        "SOURCE_DATE_EPOCH",
        "TENANTRY_ENTITLEMENT_KEY",
        "TENANTRY_FRESHNESS_KEY",
        "TENANTRY_ADDRESS_SECRET",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(variable);
    }
    command.env("NO_COLOR", "1").stdin(Stdio::null());
}

/// Runs `tenantry` in a folder.
pub(crate) fn tenantry(folder: &Path, arguments: &[&str]) -> Ran {
    ran(command(folder).args(arguments))
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it speaks UTF-8");
    Ran { code: status.code().expect("it ends by itself"), stdout: text(stdout), stderr: text(stderr) }
}
