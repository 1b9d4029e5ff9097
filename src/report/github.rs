//! Workflow commands of GitHub Actions, which show up at the lines of a pull request.

use super::{Place, Said, harmless, short};
use crate::text::{SourceMap, Span};

/// GitHub shows this many annotations of a step, and drops the others silently.
pub const SHOWN: usize = 10;

/// How loud an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something stops the change.
    Error,
    /// Something to look at.
    Warning,
    /// Something to know.
    Notice,
}

/// A place, and what it needs to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Located<'a> {
    /// The files.
    pub sources: &'a SourceMap,
    /// Where the project stands in its repository, as in [`super::Findings`].
    pub folder: &'a str,
    /// The place.
    pub span: Span,
}

/// An annotation that is no diagnostic's, at a place or at none: one line.
pub fn annotation(level: Level, at: Option<Located<'_>>, title: &str, message: &str) -> String {
    let place = at.map(|it| (it.folder, Place::new(it.span, it.sources)));
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    command(level, place.as_ref().map(|(folder, place)| (*folder, place)), title, message)
}

/// The worst of them as commands, and how many more there are.
pub(super) fn commands(said: &[Said], folder: &str) -> String {
    let shown = said.iter().take(SHOWN).map(|it| one(it, folder)).collect::<String>();
    match said.len().saturating_sub(SHOWN) {
        0 => shown,
        more => {
            shown + &command("notice", None, "tenantry", &format!("... and {more} more, in the summary of this run"))
        }
    }
}

/// What [`commands`] leaves out, a line each.
pub(super) fn rest(said: &[Said]) -> String {
    said.iter().skip(SHOWN).map(short).collect()
}

fn one(said: &Said, folder: &str) -> String {
    let Said { code, severity, message, help, at, .. } = said;
    let help = help.as_ref().map_or_else(String::new, |help| format!("\n{help}"));
    command(severity, Some((folder, at)), code, &format!("{message}{help}"))
}

/// One command on a line of its own: `error`, `warning` or `notice`, at a place or at none.
fn command(level: &str, at: Option<(&str, &Place)>, title: &str, message: &str) -> String {
    let place = at.map_or_else(String::new, |(folder, at)| {
        let file = property(&format!("{folder}{}", at.path));
        // A last column counts within one line only.
        let end = match at.line == at.end_line && at.end_column > at.column {
            true => format!(",endColumn={}", at.end_column - 1),
            false => String::new(),
        };
        format!("file={file},line={},endLine={},col={}{end},", at.line, at.end_line, at.column)
    });
    format!("::{level} {place}title={}::{}\n", property(title), data(message))
}

fn data(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(harmless).collect();
    // Runners also look for commands of an older form, anywhere in a line.
    lines.join("\n").replace('%', "%25").replace('\n', "%0A").replace("##[", "## [")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
