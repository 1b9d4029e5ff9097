//! Things that some tests need and cargo does not bring: used where they are, demanded in CI.
//!
//! `.ci/parts` installs them all. Where one is missing its test says so and passes; under
//! `TENANTRY_REQUIRE_PARTS=1` it fails, so that nothing is skipped where it counts.

use std::env;
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `.ci/parts` puts things: `parts/` in cargo's target folder.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("parts")
}

/// Python with python-tuf and securesystemslib, about to run a script of `tests/interop/`.
pub(crate) fn python(script: &str) -> Option<Command> {
    let mut python = Command::new(folder().join("venv/bin/python"));
    let is_there = python.args(["-c", "import tuf.ngclient"]).output().is_ok_and(|it| it.status.success());
    let mut command = Command::new(python.get_program());
    command.arg(interop().join(script));
    present_or_demanded("python-tuf", is_there).then_some(command)
}

/// The folder of scripts and packages that are not ours to compile.
pub(crate) fn interop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// Whether a part is there. Says so aloud when it is not, and fails where that may not be.
pub(crate) fn present_or_demanded(part: &str, is_there: bool) -> bool {
    let demanded = env::var_os("TENANTRY_REQUIRE_PARTS").is_some_and(|it| it == "1");
    assert!(is_there || !demanded, "{part} is missing; `.ci/parts` installs it");
    if !is_there {
        // Past the test harness, which swallows what a passing test prints.
        writeln!(stderr(), "SKIPPED: {part} is missing; `.ci/parts` installs it").expect("stderr is open");
    }
    is_there
}
