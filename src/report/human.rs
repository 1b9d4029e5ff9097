//! rustc's look.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::{Styled, harmless, is_obeyed};
use crate::diag::{Diagnostic, Severity};
use crate::text::{FileId, SourceMap};

/// Each diagnostic with its lines, and an empty line after it.
pub(super) fn render(diagnostics: &[Diagnostic], sources: &SourceMap, styled: Styled) -> String {
    let renderer = match styled {
        Styled::Plain => Renderer::plain(),
        Styled::Coloured => Renderer::styled(),
    };
    diagnostics.iter().map(|it| one(it, sources, &renderer) + "\n\n").collect()
}

fn one(diagnostic: &Diagnostic, sources: &SourceMap, renderer: &Renderer) -> String {
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group =
        level.primary_title(harmless(&diagnostic.message)).id(diagnostic.code.slug()).elements(None::<Origin>);
    for file in files(diagnostic) {
        let source = sources.file(file);
        let path = harmless(source.path.as_str());
        // The text of a file that is no text was not kept: its path is all there is to show.
        if source.text.is_empty() {
            group = group.element(Origin::path(path));
            continue;
        }
        let mut snippet = Snippet::source(blanked(&source.text)).path(path);
        for (at, label) in diagnostic.labels.iter().enumerate().filter(|(_, label)| label.span.file == file) {
            let kind = match at {
                0 => AnnotationKind::Primary,
                _ => AnnotationKind::Context,
            };
            let text = (!label.text.is_empty()).then(|| harmless(&label.text));
            let range = whole_characters(&source.text, label.span.start as usize..label.span.end as usize);
            snippet = snippet.annotation(kind.span(range).label(text));
        }
        group = group.element(snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(harmless(help)));
    }
    renderer.render(&[group])
}

/// The files of the labels, that of the primary place first.
fn files(diagnostic: &Diagnostic) -> Vec<FileId> {
    let mut files = Vec::with_capacity(1);
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    files
}

/// The source with each dangerous character replaced by one of the same length, so that no place moves.
fn blanked(text: &str) -> Cow<'_, str> {
    let is_kept = |c: char| matches!(c, '\n' | '\t' | '\r') || !is_obeyed(c);
    match text.chars().all(is_kept) {
        true => text.into(),
        false => text.chars().map(|c| if is_kept(c) { c } else { same_length(c) }).collect::<String>().into(),
    }
}

fn same_length(character: char) -> char {
    match character.len_utf8() {
        1 => '?',
        2 => '¿',
        3 => '\u{fffd}',
        _ => '🚫',
    }
}

fn whole_characters(text: &str, range: Range<usize>) -> Range<usize> {
    let mut start = range.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = range.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}
