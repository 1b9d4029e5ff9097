//! Runs the binary as a user would, and looks at what it left behind.
#![expect(clippy::disallowed_methods, reason = "a test runs the binary and reads what it wrote")]

use std::collections::BTreeMap;
use std::fs;
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

/// Every file below a folder with its bytes; empty when the folder is not there.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    if let Ok(entries) = fs::read_dir(folder) {
        for entry in entries {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            match path.is_dir() {
                true => found.extend(files(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes))),
                false => {
                    found.insert(name, fs::read(&path).expect("a file can be read"));
                }
            }
        }
    }
    found
}
