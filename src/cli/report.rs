//! `tenantry report`
#![expect(clippy::disallowed_methods, reason = "this file writes the report that `--out` names")]

pub(super) mod gather;

use super::args::{ReportArguments, ReportFormat};
use super::output;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::overview;

pub(super) fn run(settings: &Settings, arguments: &ReportArguments) -> Result<(), Failure> {
    let document = gather::document(settings, arguments)?;
    let text = match arguments.format {
        ReportFormat::Json => serde_json::to_string_pretty(&document).expect("results have only text keys") + "\n",
        ReportFormat::Html => overview::page(&document.to_string()),
    };
    let Some(path) = &arguments.out else {
        output::result(&text);
        return Ok(());
    };
    std::fs::write(path, &text).map_err(|error| {
        Failure::new(Exit::World, format!("cannot write the report to `{}`: {error}", path.display()))
            .help("name a file in a folder that exists with `--out`")
    })?;
    let summary = document["summary"]["text"].as_str().unwrap_or_default();
    output::talk(&format!("{}: {summary} ({})", path.display(), output::bytes(text.len() as u64)));
    Ok(())
}
