//! `tenantry init`

use super::args::InitArguments;
use super::{Exit, Failure};

pub(super) fn run(arguments: &InitArguments) -> Result<(), Failure> {
    Err(Failure::new(Exit::World, format!("cannot write `{}`", arguments.folder.display())))
}
