//! One layout for our YAML: keys in one order, two spaces a level, comments where they were.
//!
//! What is written is made of pieces of what was read: keys, scalars, flow collections and comments are copied as they
//! stand, so quotes, block scalars and characters stay what they are. Before anybody gets to see the result it is read
//! again, and must mean the same and have the same comments; a file for which that fails is left alone.

mod blocks;
mod read;
mod scalars;
mod trivia;

use crate::check::schema::order::Order;
use crate::diag::{Code, Diagnostic};
use crate::parse::node::{Data, Node};
use crate::parse::{self, Document};
use crate::text::FileId;

/// Why a file keeps its layout.
#[derive(Debug, PartialEq)]
pub enum Refused {
    /// It cannot be read as our YAML.
    Unreadable(Vec<Diagnostic>),
    /// The new layout would mean something else, or lose a comment. That would be our mistake, and is looked for every time.
    Unproven,
}

/// The text of a file in the one layout. The id is for the diagnostics of a file that cannot be read.
pub fn file(id: FileId, bytes: &[u8]) -> Result<String, Refused> {
    let documents = read(id, bytes)?;
    let text = std::str::from_utf8(bytes).expect("what was parsed is UTF-8");
    if text.contains('\r') {
        // Spans would count the carriage returns. YAML reads both line breaks as one.
        let plain = file(id, text.replace("\r\n", "\n").as_bytes())?;
        return Ok(plain.replace('\n', "\r\n"));
    }
    let found: Vec<Diagnostic> = documents.iter().filter_map(|it| explicit_key(text, &it.root)).collect();
    if !found.is_empty() {
        return Err(Refused::Unreadable(found));
    }
    let mut new = String::with_capacity(text.len());
    let mut at = 0;
    for document in &documents {
        new += &text[at..document.body.start as usize];
        new += &body(text, document);
        at = document.body.end as usize;
    }
    new += &text[at..];
    match means_the_same(text, &documents, &new) {
        true => Ok(new),
        false => Err(Refused::Unproven),
    }
}

fn read(id: FileId, bytes: &[u8]) -> Result<Vec<Document>, Refused> {
    let (documents, found) = parse::file(id, bytes);
    match found.is_empty() {
        true => Ok(documents),
        false => Err(Refused::Unreadable(found)),
    }
}

/// A key written as `? key`, which YAML knows and hardly anybody else.
fn explicit_key(text: &str, node: &Node) -> Option<Diagnostic> {
    match &node.data {
        Data::List(items) if !scalars::is_flow(text, node) => items.iter().find_map(|it| explicit_key(text, it)),
        Data::Mapping(entries) if !scalars::is_flow(text, node) => entries.iter().find_map(|entry| {
            let before = text[..entry.key_span.start as usize].trim_end();
            let is_explicit = before.rsplit('\n').next().is_some_and(|it| it.trim_matches([' ', '\t', '-']) == "?");
            match is_explicit {
                true => {
                    let message = format!("the key `{}` stands behind a `?`, which has no layout", entry.key);
                    Some(Diagnostic::new(Code::YamlFeature, entry.key_span, message).help("write it as `key: value`"))
                }
                false => explicit_key(text, &entry.value),
            }
        }),
        _ => None,
    }
}

/// A document between its marks.
fn body(text: &str, document: &Document) -> String {
    let (start, end) = (document.body.start as usize, document.body.end as usize);
    let first = document.root.span.start as usize;
    // What stands on the line of the mark stays there.
    let begin = match text[..start].ends_with(['\n', '\u{feff}']) || start == 0 {
        true => start,
        false => text[start..first].find('\n').map_or(end, |at| start + at + 1),
    };
    if begin == end || scalars::is_flow(text, &document.root) {
        return text[start..end].to_owned();
    }
    let mut mapping = read::document(text, &document.root, begin, end);
    mapping.sort(&Order::of(document.kind));
    format!("{}{}", text[start..begin].trim_end_matches([' ', '\t']), mapping)
}

/// Whether two texts are the same documents with the same comments.
fn means_the_same(old: &str, documents: &[Document], new: &str) -> bool {
    let id = documents.first().map_or(FileId(0), |it| it.file);
    let Ok(again) = read(id, new.as_bytes()) else { return false };
    let same = |(old, new): (&Document, &Document)| old.kind == new.kind && old.root.to_json() == new.root.to_json();
    documents.len() == again.len()
        && documents.iter().zip(&again).all(same)
        && trivia::comments(old, documents) == trivia::comments(new, &again)
}

#[cfg(test)]
mod tests;
