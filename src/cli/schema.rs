//! `tenantry schema`
#![expect(clippy::disallowed_methods, reason = "this file reads and writes `schemas/`")]

use std::fs;
use std::io;
use std::path::Path;

use super::args::SchemaArguments;
use super::output;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::check::schema::{self, Names};
use crate::load::{self, SourceTree};
use crate::pipeline;

pub(super) fn run(settings: &Settings, arguments: &SchemaArguments) -> Result<(), Failure> {
    if !arguments.write && !arguments.check {
        let all: serde_json::Map<_, _> = schema::all().into_iter().map(|(name, it)| (name.to_owned(), it)).collect();
        output::json(&all);
        return Ok(());
    }
    let tree = load::dir::read(&settings.project, settings.threads)?;
    let outdated = outdated(&settings.project, &tree);
    if arguments.write {
        for (path, text) in outdated {
            write(&settings.project.join(&path), &text)?;
            output::talk(&format!("wrote {path}"));
        }
        return Ok(());
    }
    let names: Vec<&str> = outdated.iter().map(|(path, _)| &**path).collect();
    match names.as_slice() {
        [] => Ok(()),
        names => {
            let message = format!("not the schemas of this version and of the project's names: {}", names.join(", "));
            Err(Failure::new(Exit::Inputs, message).help("run `tenantry schema --write`"))
        }
    }
}

/// The schemas of a project's editors, by their path in the project.
pub(super) fn files(tree: &SourceTree) -> Vec<(String, String)> {
    let (documents, _) = pipeline::catalogue(tree);
    let schemas = schema::with_names(&Names::of(&documents));
    schemas.into_iter().map(|(name, schema)| (format!("schemas/{name}"), text(&schema))).collect()
}

/// Those that are not on the disk as they must be.
pub(super) fn outdated(project: &Path, tree: &SourceTree) -> Vec<(String, String)> {
    let mut files = files(tree);
    files.retain(|(path, text)| fs::read_to_string(project.join(path)).ok().as_ref() != Some(text));
    files
}

/// Writes one of them.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let world = |why: io::Error| Failure::new(Exit::World, format!("cannot write `{}`: {why}", path.display()));
    path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text)).map_err(world)
}

/// As it stands in the file.
fn text(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).expect("a schema has only text keys") + "\n"
}
