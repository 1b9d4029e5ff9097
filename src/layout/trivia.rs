//! What stands between keys and values: comments and blank lines.

use crate::parse::Document;
use crate::parse::node::{Data, Node};

use super::scalars;

/// A comment, or a line with nothing on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trivia<'a> {
    /// One or more of them.
    Blank,
    /// From `#` to the end of its line.
    Comment(&'a str),
}

/// Trivia and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) trivia: Trivia<'a>,
    /// How many characters stand before it on its line.
    pub(super) column: usize,
    /// Whether something else stands before it on its line.
    pub(super) is_trailing: bool,
    /// The first byte after it.
    pub(super) end: usize,
}

/// The trivia between two bytes, where no value stands.
pub(super) fn between(text: &str, from: usize, to: usize) -> Vec<Found<'_>> {
    let mut found: Vec<Found<'_>> = Vec::new();
    let mut at = from;
    while at < to {
        let line_start = text[..at].rfind('\n').map_or(0, |it| it + 1);
        let line_end = text[at..].find('\n').map_or(text.len(), |it| at + it);
        let piece = &text[at..line_end.min(to)];
        match comment(text, at, piece) {
            Some(start) => {
                let before = text[line_start..start].trim_start_matches('\u{feff}');
                found.push(Found {
                    trivia: Trivia::Comment(text[start..line_end].trim_end()),
                    column: before.chars().count(),
                    is_trailing: !before.trim().is_empty(),
                    end: line_end,
                });
            }
            None if line_end < to && text[line_start..line_end].trim().is_empty() => {
                let is_repeated = found.last().is_some_and(|it| it.trivia == Trivia::Blank);
                if !is_repeated {
                    found.push(Found { trivia: Trivia::Blank, column: 0, is_trailing: false, end: line_end });
                }
            }
            None => {}
        }
        at = line_end + 1;
    }
    found
}

/// Where a comment begins in the rest of a line that has no value.
fn comment(text: &str, at: usize, piece: &str) -> Option<usize> {
    let start = at + piece.find('#')?;
    let before = text[..start].chars().next_back();
    before.is_none_or(|it| it.is_whitespace() || it == '\u{feff}').then_some(start)
}

/// The dash of the next item of a list, from the end of what stands before it.
pub(super) fn dash(text: &str, from: usize) -> usize {
    skip(text, from, &[' ', '\t', '\n', ':'])
}

/// The first byte that is none of these, nor in a comment.
pub(super) fn skip(text: &str, from: usize, these: &[char]) -> usize {
    let mut at = from;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start_matches(these).len();
        match text.as_bytes().get(at) {
            Some(b'#') => at = text[at..].find('\n').map_or(text.len(), |it| at + it),
            _ => return at,
        }
    }
}

/// Every comment outside of values, sorted.
pub(super) fn comments<'a>(text: &'a str, documents: &[Document]) -> Vec<&'a str> {
    let mut values = Vec::new();
    for document in documents {
        leaves(text, &document.root, &mut values);
    }
    values.sort_unstable();
    let mut found = Vec::new();
    let mut at = 0;
    for (start, end) in values.into_iter().chain([(text.len(), text.len())]) {
        found.extend(between(text, at, start).into_iter().filter_map(|it| match it.trivia {
            Trivia::Comment(text) => Some(text),
            Trivia::Blank => None,
        }));
        at = end;
    }
    found.sort_unstable();
    found
}

/// Where keys and values stand that have none below them.
fn leaves(text: &str, node: &Node, out: &mut Vec<(usize, usize)>) {
    match &node.data {
        Data::List(items) if !scalars::is_flow(text, node) => items.iter().for_each(|item| leaves(text, item, out)),
        Data::Mapping(entries) if !scalars::is_flow(text, node) => {
            for entry in entries {
                out.push((entry.key_span.start as usize, entry.key_span.end as usize));
                leaves(text, &entry.value, out);
            }
        }
        _ => out.push((node.span.start as usize, scalars::end(text, node))),
    }
}
