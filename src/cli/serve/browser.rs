//! The browser of whoever started us.
#![expect(clippy::disallowed_methods, reason = "this file starts a browser")]

use std::process::{Command, Stdio};

use crate::cli::output;

/// Opens a page, which people call `what`. Where no browser can be started, the address is said, and the server goes on.
pub(super) fn open(what: &str, url: &str) {
    let (program, arguments): (&str, &[&str]) = match () {
        () if cfg!(windows) => ("cmd", &["/C", "start"]),
        () if cfg!(target_os = "macos") => ("open", &[]),
        () => ("xdg-open", &[]),
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(_) => output::talk(&format!("{what} opens at {url}")),
        Err(error) => {
            output::warning(&format!("no browser could be started (`{program}`: {error}); {what} is at {url}"))
        }
    }
}
