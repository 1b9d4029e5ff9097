//! The client of `trust` as a program, against repositories that are simulated over loopback: what the standard
//! (TUF 1.0.34, section 5) asks of a client, one situation a test.
//!
//! tuf-conformance, the suite of the TUF project, drives `client.rs` in the same way; see `docs/trust.md`.
#![expect(clippy::disallowed_methods, reason = "tests run programs and look at what they keep")]

mod delegations;
mod downloads;
mod expiry;
mod foreign;
mod keys;
mod layout;
mod names;
#[path = "../support/parts.rs"]
mod parts;
mod rollback;
mod rotations;
mod server;
#[path = "../support/simulated.rs"]
mod simulated;
mod site;
mod workflow;

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// What only a client can do that follows delegations.
const LEFT_OUT: [&str; 6] = [
    "delegations::",
    "expiry::a_delegated_role_expires_like_any_other",
    "foreign::",
    "layout::files_are_asked_for_by_their_plain_names",
    "names::a_delegated_role_cannot_take_the_name_of_another",
    "names::whatever_a_role_is_called_it_is_one_segment_of_a_url_and_one_file",
];

/// The same tests once more, in a process of their own, with the client of the web shell in Node.
#[test]
#[expect(clippy::print_stdout, reason = "says how many tests there were")]
fn the_client_of_the_web_shell_is_held_to_the_same() {
    let has_node = Command::new("node").arg("--version").output().is_ok();
    if env::var_os(site::PORT).is_some() || !parts::present_or_demanded("Node", has_node) {
        return;
    }
    let mut node = Command::new("node");
    let mut node = node.args([site::SCRIPT, "--serve"]).stdout(Stdio::piped()).spawn().expect("node starts");
    let mut port = String::new();
    BufReader::new(node.stdout.take().expect("it was asked for")).read_line(&mut port).expect("it says its port");
    let mut tests = Command::new(env::current_exe().expect("a test knows where it is"));
    tests.env(site::PORT, port.trim());
    let output = LEFT_OUT.iter().fold(&mut tests, |tests, it| tests.args(["--skip", it])).output();
    node.kill().and_then(|()| node.wait()).expect("it ends");
    let output = output.expect("the tests run");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", said.lines().rfind(|it| it.starts_with("test result")).unwrap_or_default());
}
