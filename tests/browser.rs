//! The web shell and the report in a real browser: Chromium, driven by the scripts in `tests/browser`, against this binary.
#![expect(clippy::disallowed_methods, reason = "a test runs the scripts")]

#[path = "support/parts.rs"]
#[expect(dead_code, reason = "Python is for other tests")]
mod parts;

use std::path::Path;
use std::process::Command;

/// Where Debian has it.
const CHROMIUM: &str = "/usr/bin/chromium";

#[test]
fn the_client_knows_its_formats() {
    scripts("unit.test.mjs");
}

#[test]
fn the_shell_works_and_refuses_in_a_browser() {
    in_a_browser("shell.test.mjs");
}

#[test]
fn the_report_shows_what_the_commands_say() {
    in_a_browser("report.test.mjs");
}

#[test]
fn apps_of_others_work_inside_the_shell_as_they_work_alone() {
    let examples = parts::folder().join("todomvc/package/examples");
    if parts::present_or_demanded("npm package `todomvc`", examples.is_dir()) {
        in_a_browser("todomvc.test.mjs");
    }
}

fn in_a_browser(script: &str) {
    let is_there = Path::new(CHROMIUM).exists() && folder().join("node_modules/playwright-core").is_dir();
    if parts::present_or_demanded("Chromium with playwright-core", is_there) {
        scripts(script);
    }
}

fn scripts(script: &str) {
    if !parts::present_or_demanded("Node", Command::new("node").arg("--version").output().is_ok()) {
        return;
    }
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"]).arg(folder().join(script));
    node.env("TENANTRY", env!("CARGO_BIN_EXE_tenantry")).env("CHROMIUM", CHROMIUM).env("PARTS", parts::folder());
    let output = node.output().expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}
