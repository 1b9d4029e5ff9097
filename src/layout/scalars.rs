//! Values that are copied as they stand: scalars and flow collections. Only the indentation of their further lines moves.

use super::trivia;
use crate::parse::node::{Data, Entry, Node};

/// Whether a list or mapping stands in brackets of its own.
pub(super) fn is_flow(text: &str, node: &Node) -> bool {
    match node.data {
        Data::List(_) | Data::Mapping(_) => text[node.span.start as usize..].starts_with(['[', '{']),
        _ => false,
    }
}

/// Where a value stands that begins somewhere behind its key's colon or its dash. A block scalar, whose place in the tree is that of its text, begins with its header and ends with its last line, since blanks there belong to it; one that keeps its line breaks ends with the last of them.
pub(super) fn range(text: &str, node: &Node, behind: usize) -> (usize, usize) {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    let begin = trivia::skip(text, behind, &[' ', '\t', '\n']);
    // No other text can begin with one of these.
    let is_block = matches!(node.data, Data::Text(_)) && text[begin..].starts_with(['|', '>']);
    if !is_block {
        return (start, self::end(text, node));
    }
    let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |it| from + it);
    // One without a word has no place of its own, and lines of nothing but blanks at the end are in none.
    let content = if let Data::Text(it) = &node.data { &**it } else { "" };
    let has_words = !content.trim_matches([' ', '\n']).is_empty();
    let last_line = content.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
    let ends_blank = !last_line.is_empty() && last_line.trim_matches(' ').is_empty();
    let mut last = line_end(if has_words { end } else { begin });
    if keeps_breaks(&text[begin..]) || ends_blank {
        while last + 1 < text.len() && text[last + 1..line_end(last + 1)].trim_matches([' ', '\t']).is_empty() {
            last = line_end(last + 1);
        }
    }
    (begin, last)
}

/// Where a value ends that is no block scalar. In the tree a closing quote or bracket takes along what follows on its line, comments included.
pub(super) fn end(text: &str, node: &Node) -> usize {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    let source = &text[start..end];
    let exact = match source.as_bytes().first() {
        Some(b'"' | b'\'') => quoted(source).map(|it| start + it),
        Some(b'[' | b'{') => bracketed(text, node),
        _ => None,
    };
    exact.unwrap_or(start + source.trim_end().len())
}

/// The length of a quoted text, quotes included.
fn quoted(source: &str) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = 1;
    loop {
        match (bytes.get(at)?, bytes[0]) {
            (b'\\', b'"') => at += 2,
            (b'\'', b'\'') if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            (byte, quote) if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The end of a collection in brackets: the first bracket behind its last value.
fn bracketed(text: &str, node: &Node) -> Option<usize> {
    let last = match &node.data {
        Data::List(items) => items.last().map(|it| end(text, it)),
        Data::Mapping(entries) => entries.last().map(|it| end(text, &it.value).max(key_end(text, it))),
        _ => None,
    };
    let behind = last.unwrap_or(node.span.start as usize + 1);
    let close = trivia::skip(text, behind, &[' ', '\t', '\n', ',', ':']);
    text[close..].starts_with([']', '}']).then_some(close + 1)
}

fn key_end(text: &str, entry: &Entry) -> usize {
    let source = &text[entry.key_span.start as usize..entry.key_span.end as usize];
    entry.key_span.start as usize
        + if source.starts_with(['"', '\'']) { quoted(source).unwrap_or(source.len()) } else { source.len() }
}

/// What a block scalar says about itself before its text begins.
fn header(source: &str) -> Option<&str> {
    let line = source.lines().next().unwrap_or_default();
    source.starts_with(['|', '>']).then(|| line.split('#').next().unwrap_or_default())
}

/// Whether all line breaks behind a text belong to it.
pub(super) fn keeps_breaks(source: &str) -> bool {
    header(source).is_some_and(|it| it.contains('+'))
}

/// Whether a block scalar was copied with the empty lines at its end.
pub(super) fn ends_with_breaks(source: &str) -> bool {
    let last = source.rsplit_once('\n').map(|(_, last)| last);
    header(source).is_some() && last.is_some_and(|it| it.trim_matches([' ', '\t']).is_empty())
}

/// A value whose further lines are moved from the column of its owner to another.
pub(super) fn moved(source: &str, from: usize, to: usize) -> String {
    let mut lines = source.split('\n');
    let mut new = lines.next().unwrap_or_default().to_owned();
    match header(source) {
        None => {
            for line in lines {
                new.push('\n');
                new += &shifted(line, from, to);
            }
        }
        Some(header) => {
            let lines: Vec<&str> = lines.collect();
            let indent = |line: &&str| line.len() - line.trim_start_matches(' ').len();
            let first = lines.iter().find(|it| !it.trim_matches(' ').is_empty()).map(indent).unwrap_or(usize::MAX);
            // With a number in the header the text begins there; without one it begins where its first line does.
            let is_explicit = header.contains(|it: char| it.is_ascii_digit());
            let (from, to) = if is_explicit { (from, to) } else { (first, to + 2) };
            for line in lines {
                new.push('\n');
                let is_empty = line.trim_matches(' ').is_empty() && line.len() <= from;
                match line.trim_matches(' ').is_empty() {
                    true if is_empty => {}
                    true => new += &" ".repeat((line.len() + to).saturating_sub(from)),
                    false => new += &shifted(line, from, to),
                }
            }
        }
    }
    new
}

fn shifted(line: &str, from: usize, to: usize) -> String {
    let text = line.trim_start_matches(' ');
    if text.is_empty() {
        return line.to_owned();
    }
    let indent = (line.len() - text.len() + to).saturating_sub(from);
    format!("{}{text}", " ".repeat(indent))
}
