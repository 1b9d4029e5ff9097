//! The `tenantry` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tenantry::cli::run()
}
