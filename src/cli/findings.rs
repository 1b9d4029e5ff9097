//! Diagnostics on their way out, and the file in which GitHub Actions wants a step's summary.
#![expect(clippy::disallowed_methods, reason = "this file appends to the summary of a step of GitHub Actions")]

use std::io::Write as _;

use super::output::{self, Place};
use super::settings::Settings;
use super::{Exit, Failure};
use crate::diag::{self, Diagnostic};
use crate::load::SourceTree;
use crate::pipeline;
use crate::report::{self, Findings, Format, Styled};
use crate::text::SourceMap;

/// Most bytes of a summary. GitHub shows none that is larger than a MiB.
const SUMMARY: usize = 1_000_000;

/// Diagnostics, in the format asked for. Machine formats always go to stdout.
pub(crate) fn say(settings: &Settings, tree: &SourceTree, found: Vec<Diagnostic>, format: Format, place: Place) {
    print(&tree.sources(), &settings.folder_in_repository(), found, format, place);
}

/// Refuses a project that has errors, and says them: no decision of it can be trusted.
pub(crate) fn demand_sound(settings: &Settings, tree: &SourceTree, found: &[Diagnostic]) -> Result<(), Failure> {
    if pipeline::is_sound(found) {
        return Ok(());
    }
    say(settings, tree, found.to_vec(), Format::Short, Place::Talk);
    Err(Failure::new(Exit::Inputs, "the project has errors, so no decision of it can be trusted"))
}

/// Diagnostics for whoever sits at the terminal, also of texts that are no project.
pub(crate) fn tell(sources: &SourceMap, found: Vec<Diagnostic>) {
    // Only machine formats say where in the repository a file is.
    print(sources, "", found, Format::Human, Place::Talk);
}

fn print(sources: &SourceMap, folder: &str, mut found: Vec<Diagnostic>, format: Format, place: Place) {
    diag::sort(&mut found, sources);
    let findings = Findings { diagnostics: &found, sources, folder };
    let styled = match format {
        Format::Human => Styled::Coloured,
        _ => Styled::Plain,
    };
    let is_heard = std::env::var_os("GITHUB_ACTIONS").is_some() && matches!(format, Format::Human | Format::Short);
    let text = report::text(&findings, format, styled);
    let text = if is_heard { output::unheard(&text) } else { text };
    match (format, place) {
        (Format::Human | Format::Short, Place::Talk) => anstream::eprint!("{text}"),
        _ => output::result(&text),
    }
    if format == Format::Github && !summarise(|budget| report::table(&findings, budget)) {
        anstream::eprint!("{}", report::beyond_annotations(&findings));
    }
}

/// Adds to the summary of a step of GitHub Actions what fits into so many bytes. Says whether there is such a summary.
pub(crate) fn summarise(text: impl FnOnce(usize) -> String) -> bool {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|it| !it.is_empty()) else {
        return false;
    };
    let written = std::fs::metadata(&path).map_or(0, |it| usize::try_from(it.len()).unwrap_or(usize::MAX));
    let mut text = text(SUMMARY.saturating_sub(written + 1));
    if text.is_empty() {
        return true;
    }
    if written > 0 {
        text.insert(0, '\n');
    }
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
    match file.and_then(|mut it| it.write_all(text.as_bytes())) {
        Ok(()) => true,
        Err(error) => {
            output::warning(&format!("cannot write the summary to `{}`: {error}", path.display()));
            false
        }
    }
}
