//! Diagnostics as text, for people and for machines. Pure: whoever calls decides where the text goes.
//!
//! Messages quote what tenants wrote, so every text passes through one door that leaves no control character in it:
//! no escape sequence, line break or direction mark of an author reaches a terminal or a log.

mod fingerprint;
pub mod github;
mod gitlab;
mod human;
mod junit;
pub mod markdown;
mod sarif;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::diag::{Diagnostic, Severity};
use crate::text::{SourceMap, Span};

/// How diagnostics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With the lines of the source, as rustc does.
    Human,
    /// One line each.
    Short,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions, which show up at the lines of a pull request: the ten worst.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML, one test case a file.
    Junit,
}

/// Whether text for people carries colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Styled {
    /// Plain text.
    Plain,
    /// With ANSI colours.
    Coloured,
}

/// What was found, and where.
#[derive(Debug, Clone, Copy)]
pub struct Findings<'a> {
    /// What there is to say, in the order in which people should read it.
    pub diagnostics: &'a [Diagnostic],
    /// The files that it is about.
    pub sources: &'a SourceMap,
    /// Where the project stands in its repository: empty, or a path that ends with a slash. Those who show files by
    /// their path in the repository (GitHub, GitLab, SARIF) need it.
    pub folder: &'a str,
}

/// All of it in one text; ends with a line break unless it is empty.
///
/// Formats of which readers only take so much begin with what is worst; the others keep the order given.
pub fn text(findings: &Findings<'_>, format: Format, styled: Styled) -> String {
    let Findings { diagnostics, sources, folder } = *findings;
    let said = || Said::all(findings);
    let worst = || Said::worst_first(findings);
    match format {
        Format::Human => human::render(diagnostics, sources, styled) + &summary(diagnostics),
        Format::Short => said().iter().map(short).collect::<String>() + &summary(diagnostics),
        Format::Json => json_line(&serde_json::json!({ "diagnostics": said() })),
        Format::Sarif => json_line(&sarif::log(&worst(), folder)),
        Format::Github => github::commands(&worst(), folder),
        Format::Gitlab => json_line(&gitlab::report(&worst(), folder)),
        Format::Junit => junit::suite(&said(), sources),
    }
}

/// Everything as a table in GitHub's markdown, worst first, of at most `budget` bytes; nothing when nothing was found.
pub fn table(findings: &Findings<'_>, budget: usize) -> String {
    match findings.diagnostics.is_empty() {
        true => String::new(),
        false => markdown::table(&Said::worst_first(findings), &summary(findings.diagnostics), findings.folder, budget),
    }
}

/// What [`Format::Github`] leaves out, a line each.
pub fn beyond_annotations(findings: &Findings<'_>) -> String {
    github::rest(&Said::worst_first(findings))
}

/// `3 errors, 1 warning in 2 files`; nothing when there is nothing to count.
fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|it| it.severity() == Severity::Error).count();
    let files: BTreeSet<_> = diagnostics.iter().map(|it| it.span().file).collect();
    let counted = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    let kinds = match (errors, diagnostics.len() - errors) {
        (0, 0) => return String::new(),
        (errors, 0) => counted(errors, "error"),
        (0, warnings) => counted(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    format!("{kinds} in {}\n", counted(files.len(), "file"))
}

fn short(said: &Said) -> String {
    let Said { code, severity, at, .. } = said;
    format!("{}:{}:{}: {severity}[{code}]: {}\n", at.path, at.line, at.column, said.with_help())
}

fn json_line(value: &serde_json::Value) -> String {
    format!("{value}\n")
}

/// A diagnostic with nothing dangerous left in it.
#[derive(Serialize)]
struct Said {
    code: &'static str,
    severity: &'static str,
    message: String,
    help: Option<String>,
    #[serde(flatten)]
    at: Place,
    labels: Vec<SaidLabel>,
    #[serde(skip)]
    fingerprint: String,
}

#[derive(Serialize)]
struct SaidLabel {
    text: String,
    #[serde(flatten)]
    at: Place,
}

#[derive(Serialize)]
struct Place {
    path: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Said {
    /// In the order given.
    fn all(findings: &Findings<'_>) -> Vec<Said> {
        let fingerprints = fingerprint::fingerprints(findings.diagnostics, findings.sources);
        let both = findings.diagnostics.iter().zip(fingerprints);
        both.map(|(it, fingerprint)| Said::new(it, findings.sources, fingerprint)).collect()
    }

    /// Errors first.
    fn worst_first(findings: &Findings<'_>) -> Vec<Said> {
        let mut said = Said::all(findings);
        said.sort_by_key(|it| it.severity != "error");
        said
    }

    fn new(diagnostic: &Diagnostic, sources: &SourceMap, fingerprint: String) -> Said {
        let label = |it: &crate::diag::Label| SaidLabel { text: harmless(&it.text), at: Place::new(it.span, sources) };
        Said {
            code: diagnostic.code.slug(),
            severity: severity(diagnostic.severity()),
            message: harmless(&diagnostic.message),
            help: diagnostic.help.as_deref().map(harmless),
            at: Place::new(diagnostic.span(), sources),
            labels: diagnostic.labels.iter().map(label).collect(),
            fingerprint,
        }
    }

    /// The message, and the help in brackets.
    fn with_help(&self) -> String {
        match &self.help {
            Some(help) => format!("{} ({help})", self.message),
            None => self.message.clone(),
        }
    }
}

impl Place {
    fn new(span: Span, sources: &SourceMap) -> Place {
        let (start, end) = (sources.start(span), sources.end(span));
        Place {
            path: harmless(sources.file(span.file).path.as_str()),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The text with every character that a terminal or log would obey written out as its escape.
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => out.extend(character.escape_default()),
            other if is_obeyed(other) => out.extend(other.escape_unicode()),
            other => out.push(other),
        }
    }
    out
}

/// Controls, and the marks that turn or hide the text around them.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests;
