//! `tenantry schema`
#![expect(clippy::disallowed_methods, reason = "this file reads and writes `schemas/`")]

use std::fs;

use super::args::SchemaArguments;
use super::output;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::check::schema;

pub(super) fn run(settings: &Settings, arguments: &SchemaArguments) -> Result<(), Failure> {
    let folder = settings.project.join("schemas");
    let world = |what: &str, why: std::io::Error| Failure::new(Exit::World, format!("cannot {what}: {why}"));
    let mut outdated = Vec::new();
    let mut all = serde_json::Map::new();
    for (name, value) in schema::all() {
        let text = text(&value);
        let path = folder.join(name);
        if arguments.write {
            fs::create_dir_all(&folder).map_err(|why| world(&format!("create `{}`", folder.display()), why))?;
            fs::write(&path, text).map_err(|why| world(&format!("write `{}`", path.display()), why))?;
            output::talk(&format!("wrote {}", path.display()));
        } else if arguments.check && fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            outdated.push(name);
        }
        all.insert(name.to_owned(), value);
    }
    match (arguments.write || arguments.check, outdated.as_slice()) {
        (false, _) => output::json(&all),
        (true, []) => {}
        (true, names) => {
            let message = format!("not the schemas of this version: {}", names.join(", "));
            return Err(Failure::new(Exit::Inputs, message).help("run `tenantry schema --write`"));
        }
    }
    Ok(())
}

/// As it stands in the file.
pub(super) fn text(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).expect("a schema has only text keys") + "\n"
}
