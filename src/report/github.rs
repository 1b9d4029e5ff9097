//! Workflow commands of GitHub Actions.

use super::Said;

/// One command on a line of its own.
pub(super) fn command(said: &Said) -> String {
    let Said { code, severity, message, help, at, .. } = said;
    let help = help.as_ref().map_or_else(String::new, |help| format!("\n{help}"));
    let message = data(&format!("{message}{help}"));
    format!(
        "::{severity} file={},line={},endLine={},col={},title={}::{message}\n",
        property(&at.path),
        at.line,
        at.end_line,
        at.column,
        property(code),
    )
}

fn data(text: &str) -> String {
    // Runners also look for commands of an older form, anywhere in a line.
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace("##[", "## [")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
