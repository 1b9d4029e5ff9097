//! `tenantry man`
#![expect(clippy::disallowed_methods, reason = "this file writes manual pages")]

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::args::{Arguments, ManArguments};
use super::output;
use super::{Exit, Failure};

pub(super) fn run(arguments: &ManArguments) -> Result<(), Failure> {
    let mut program = Arguments::command();
    program.build();
    let mut pages = Vec::new();
    collect(&program, "tenantry", &mut pages);
    let folder = &arguments.folder;
    let source = concat!("tenantry ", env!("CARGO_PKG_VERSION"));
    let world = |path: &Path, why: std::io::Error| {
        Failure::new(Exit::World, format!("cannot write `{}`: {why}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|why| world(folder, why))?;
    for (name, command) in &pages {
        let mut page = Vec::new();
        let path = folder.join(format!("{name}.1"));
        // No date: equal programs make equal pages.
        let man = Man::new(command.clone()).title(name.to_uppercase()).date("").source(source).manual("tenantry");
        man.render(&mut page).and_then(|()| fs::write(&path, page)).map_err(|why| world(&path, why))?;
    }
    output::talk(&format!("wrote {} into {}", output::counted(pages.len(), "page"), folder.display()));
    Ok(())
}

/// A command and those below it, each under its page's name. The commands are three levels deep at most.
fn collect(command: &Command, name: &str, out: &mut Vec<(String, Command)>) {
    // The page is called `tenantry-keys-init`, and the command `tenantry keys init`.
    let mut own = command.clone().display_name(name.to_owned());
    if let Some(typed) = command.get_bin_name() {
        own = own.bin_name(typed.to_owned());
    }
    out.push((name.to_owned(), own));
    let shown = command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help");
    for below in shown {
        collect(below, &format!("{name}-{}", below.get_name()), out);
    }
}
