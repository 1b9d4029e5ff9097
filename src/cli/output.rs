//! What goes to the terminal.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::FormatArgument;
use crate::report::{Format, harmless};

const BOLD_RED: &str = "\u{1b}[1;31m";
const BOLD_YELLOW: &str = "\u{1b}[1;33m";
const BOLD_CYAN: &str = "\u{1b}[1;36m";
const PLAIN: &str = "\u{1b}[0m";

/// The result, on stdout. A reader that has gone away is no matter.
pub(crate) fn result(text: &str) {
    use std::io::Write as _;
    let _ = anstream::stdout().write_all(text.as_bytes());
}

/// A JSON document, on stdout.
pub(crate) fn json(value: &impl serde::Serialize) {
    let text = serde_json::to_string_pretty(value).expect("results have only text keys");
    result(&(text + "\n"));
}

/// A JSON document in one line, on stdout.
pub(crate) fn json_line(value: &impl serde::Serialize) {
    let text = serde_json::to_string(value).expect("results have only text keys");
    result(&(text + "\n"));
}

/// Talk, on stderr.
pub(crate) fn talk(text: &str) {
    anstream::eprintln!("{}", unheard(text));
}

/// Something that went wrong, on stderr. It may quote a file's name or somebody's answer, so it stays one line.
pub(crate) fn error(message: &str, help: Option<&str>) {
    anstream::eprintln!("{BOLD_RED}error{PLAIN}: {}", unheard(&harmless(message)));
    if let Some(help) = help {
        anstream::eprintln!("{BOLD_CYAN}help{PLAIN}: {}", unheard(&harmless(help)));
    }
}

/// Something to beware of, on stderr.
pub(crate) fn warning(message: &str) {
    anstream::eprintln!("{BOLD_YELLOW}warning{PLAIN}: {}", unheard(message));
}

/// A text in which a runner of GitHub Actions finds no command of the older form, which it looks for anywhere in a line.
pub(crate) fn unheard(text: &str) -> String {
    text.replace("##[", "## [")
}

/// Where something goes: diagnostics are the result of `check`, and talk beside the result of others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Result,
    Talk,
}

impl From<FormatArgument> for Format {
    fn from(argument: FormatArgument) -> Format {
        match argument {
            FormatArgument::Human => Format::Human,
            FormatArgument::Short => Format::Short,
            FormatArgument::Json => Format::Json,
            FormatArgument::Sarif => Format::Sarif,
            FormatArgument::Github => Format::Github,
            FormatArgument::Gitlab => Format::Gitlab,
            FormatArgument::Junit => Format::Junit,
        }
    }
}

/// A bar on a terminal, once something takes longer than a moment; nothing elsewhere.
pub(crate) fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{msg:>9} [{bar:30}] {human_pos} of {human_len} tenants")
        .expect("the template is sound");
    bar.set_style(style.progress_chars("=> "));
    bar
}

/// A bar of bytes and their rate on a terminal; nothing elsewhere.
pub(crate) fn transfer(total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template(
        "{msg} [{bar:30}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}",
    )
    .expect("the template is sound");
    bar.set_style(style.progress_chars("=> "));
    bar
}

/// Bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.2} GB", count as f64 / 1e9),
    }
}

/// A length of time for people.
pub(crate) fn seconds(length: Duration) -> String {
    format!("{:.2} s", length.as_secs_f64())
}

/// A number and its word.
pub(crate) fn counted(count: usize, word: &str) -> String {
    match word.strip_suffix('y') {
        _ if count == 1 => format!("1 {word}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        _ => format!("{count} {word}s"),
    }
}
