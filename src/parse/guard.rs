//! YAML without its traps: events in, a tree with places out.
//!
//! What the tree says must be what the typed reader will say later, so everything that readers disagree about is
//! refused here: anchors, aliases, tags, merge keys, directives, keys that are not text, the same key twice.
//! Limits hold while events come, so that a small file cannot take much time or memory; nothing recurses.

use std::borrow::Cow;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::node::{Data, Entry, Node};
use super::scalar::{self, Refusal};
use super::stream::Piece;
use super::syntax;
use crate::diag::{Code, Diagnostic};
use crate::text::{FileId, Span};

/// Deepest nesting of lists and mappings.
const MOST_DEPTH: usize = 32;
/// Most values and keys in one file.
const MOST_NODES: usize = 20_000;
/// More than this in one file is one problem, not many.
const MOST_REPORTED: usize = 50;
/// From this many keys on, sorting finds a repeated one faster than comparing each with each.
const MANY_KEYS: usize = 24;

/// Reads the documents of one file.
pub(super) struct Guard<'a> {
    file: FileId,
    text: &'a str,
    /// Byte of each character; none while the text is ASCII, where both are the same.
    bytes: Option<Vec<u32>>,
    nodes: usize,
}

impl<'a> Guard<'a> {
    /// A guard over the text of one file.
    pub(super) fn new(file: FileId, text: &'a str) -> Guard<'a> {
        let bytes = match text.is_ascii() {
            true => None,
            false => Some(text.char_indices().map(|(at, _)| at as u32).chain([text.len() as u32]).collect()),
        };
        Guard { file, text, bytes, nodes: 0 }
    }

    /// Whether the file has more nodes than it may have; that has been reported.
    pub(super) fn is_spent(&self) -> bool {
        self.nodes > MOST_NODES
    }

    /// The tree of one document; none when it is empty or something was reported.
    pub(super) fn document(&mut self, piece: Piece, found: &mut Vec<Diagnostic>) -> Option<Node> {
        let before = found.len();
        let mut scan = Scan { guard: self, piece, stack: Vec::new(), root: None, found };
        scan.run();
        let root = scan.root.take()?;
        let is_empty = root.span.start == root.span.end && root.data == Data::Null;
        (found.len() == before && !is_empty).then_some(root)
    }
}

/// One document while its events come.
struct Scan<'s, 'a> {
    guard: &'s mut Guard<'a>,
    piece: Piece,
    stack: Vec<Frame>,
    root: Option<Node>,
    found: &'s mut Vec<Diagnostic>,
}

/// A list or mapping that is still open.
struct Frame {
    start: u32,
    /// Whether it stands in brackets of its own.
    is_flow: bool,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Mapping(Vec<Entry>, Key),
}

/// What stands before the next value of a mapping.
enum Key {
    /// Nothing yet: the next value is the key.
    Awaited,
    Read(Box<str>, Span),
    /// A key that was reported; its value is dropped.
    Refused,
}

/// The document cannot be read any further; why has been reported.
struct GivenUp;

impl Scan<'_, '_> {
    fn run(&mut self) {
        if let Some(span) = self.directive() {
            self.refuse(span, "a YAML directive is not allowed", "delete this line");
            return;
        }
        let first_character = match &self.guard.bytes {
            None => self.piece.start,
            Some(bytes) => bytes.partition_point(|byte| (*byte as usize) < self.piece.start),
        };
        let mut parser = Parser::new_from_str(&self.guard.text[self.piece.start..self.piece.end]);
        while let Some(next) = parser.next_event() {
            let went_on = match next {
                Ok((event, at)) => {
                    let span = self.span(first_character, at.start, at.end);
                    self.event(event, span)
                }
                Err(error) => Err(self.broken(first_character, &error)),
            };
            if went_on.is_err() {
                self.root = None;
                return;
            }
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), GivenUp> {
        if self.found.len() >= MOST_REPORTED {
            return Err(GivenUp);
        }
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                self.count(span)?;
                self.decoration(span, anchor, tag.is_some());
                self.scalar(value, style, span);
            }
            Event::SequenceStart(anchor, tag) => {
                self.decoration(span, anchor, tag.is_some());
                self.open(span, Content::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.decoration(span, anchor, tag.is_some());
                self.open(span, Content::Mapping(Vec::new(), Key::Awaited))?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(_) => {
                self.alias(span);
                self.value(Node { span, data: Data::Null });
            }
            // The file was cut into documents before, so a second one here is text that no reader agrees about.
            Event::DocumentStart(_) if self.root.is_some() => {
                self.found.push(Diagnostic::new(Code::YamlSyntax, span, "text after the end of the document"));
                return Err(GivenUp);
            }
            Event::DocumentStart(_) | Event::DocumentEnd => {}
            Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
        }
        Ok(())
    }

    fn scalar(&mut self, value: Cow<'_, str>, style: ScalarStyle, span: Span) {
        let is_plain = style == ScalarStyle::Plain;
        let span = self.trimmed(span);
        // Inside brackets `?x` is a text for one reader and a mapping for the other, which refuses the rest of these.
        match value.chars().next() {
            Some(first @ ('?' | ':' | '|' | '>')) if is_plain && self.is_in_brackets() => {
                self.refuse(span, format!("a text inside brackets cannot begin with `{first}`"), "quote the text");
            }
            _ => {}
        }
        if let Some(Frame { content: Content::Mapping(_, key @ Key::Awaited), .. }) = self.stack.last_mut() {
            match (is_plain, &*value) {
                (true, "") => {
                    *key = Key::Refused;
                    self.refuse(span, "a key is missing before `:`", "write the key, or quote the text");
                }
                (true, "<<") => {
                    *key = Key::Refused;
                    self.refuse(span, "the merge key `<<` is not allowed", "write the fields out");
                }
                // The typed reader takes a key as it is written, whatever it would be as a value.
                _ => *key = Key::Read(value.into(), span),
            }
            return;
        }
        let data = match is_plain {
            false => Data::Text(value.into()),
            true => match scalar::plain(&value) {
                Ok(data) => data,
                Err(refusal) => {
                    let message = match refusal {
                        Refusal::NotFinite => format!("`{value}` is not a number that can be kept"),
                        Refusal::TooLarge => format!("`{}` is too large for a number", shortened(&value)),
                    };
                    let help = "quote it if it is meant as text";
                    self.found.push(Diagnostic::new(Code::BadValue, span, message).help(help));
                    Data::Null
                }
            },
        };
        self.value(Node { span, data });
    }

    /// Puts a finished value where it belongs.
    fn value(&mut self, mut node: Node) {
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame { content: Content::List(items), .. }) => items.push(node),
            Some(Frame { content: Content::Mapping(entries, key), .. }) => {
                match std::mem::replace(key, Key::Awaited) {
                    // Only what cannot be a key comes here while one is awaited; it was reported when it began.
                    Key::Awaited => *key = Key::Refused,
                    Key::Refused => {}
                    Key::Read(text, key_span) => {
                        // Nothing was written: the key is the place to show.
                        if node.span.start == node.span.end {
                            node.span = key_span;
                        }
                        entries.push(Entry { key: text, key_span, value: node });
                    }
                }
            }
        }
    }

    fn open(&mut self, span: Span, content: Content) -> Result<(), GivenUp> {
        self.count(span)?;
        if self.stack.len() == MOST_DEPTH {
            let message = format!("lists and mappings are nested more than {MOST_DEPTH} deep");
            self.found.push(Diagnostic::new(Code::YamlLimit, self.character(span), message));
            return Err(GivenUp);
        }
        if self.awaits_key() {
            let what = match content {
                Content::List(_) => "a list",
                Content::Mapping(..) => "a mapping",
            };
            self.refuse(
                self.character(span),
                format!("{what} cannot be a key"),
                "write a text as the key; quote one that begins with `{` or `[`",
            );
        }
        // Only a bracket has a length; the events of blocks come from indentation.
        let is_flow = span.start < span.end && self.slice(span).starts_with(['[', '{']);
        let start = match content {
            Content::List(_) if !is_flow => self.dash_before(span.start),
            _ => span.start,
        };
        self.stack.push(Frame { start, is_flow, content });
        Ok(())
    }

    fn close(&mut self, span: Span) {
        let frame = self.stack.pop().expect("the parser closes what it opened");
        let last = match &frame.content {
            Content::List(items) => items.last().map(|item| item.span.end),
            Content::Mapping(entries, _) => entries.last().map(|entry| entry.value.span.end.max(entry.key_span.end)),
        };
        // Only a bracket ends where its event stands; a block ends with its last value.
        let end = match frame.is_flow {
            true => span.end,
            false => last.unwrap_or(frame.start),
        };
        let span = Span { file: self.guard.file, start: frame.start, end: end.max(frame.start) };
        let data = match frame.content {
            Content::List(items) => Data::List(items),
            Content::Mapping(entries, _) => {
                self.repeated_keys(&entries);
                Data::Mapping(entries)
            }
        };
        self.value(Node { span, data });
    }

    fn repeated_keys(&mut self, entries: &[Entry]) {
        let mut repeated: Vec<(usize, usize)> = Vec::new();
        if entries.len() < MANY_KEYS {
            for (second, entry) in entries.iter().enumerate() {
                let first = entries[..second].iter().position(|earlier| earlier.key == entry.key);
                repeated.extend(first.map(|first| (first, second)));
            }
        } else {
            let mut order: Vec<usize> = (0..entries.len()).collect();
            order.sort_by(|a, b| entries[*a].key.cmp(&entries[*b].key).then(a.cmp(b)));
            for same in order.chunk_by(|a, b| entries[*a].key == entries[*b].key) {
                repeated.extend(same[1..].iter().map(|second| (same[0], *second)));
            }
        }
        for (first, second) in repeated.into_iter().take(MOST_REPORTED) {
            let message = format!("the key `{}` stands twice in this mapping", entries[second].key);
            self.found.push(
                Diagnostic::new(Code::DuplicateKey, entries[second].key_span, message)
                    .here("again here")
                    .label(entries[first].key_span, "first here")
                    .help("keep one of them"),
            );
        }
    }

    fn count(&mut self, span: Span) -> Result<(), GivenUp> {
        self.guard.nodes += 1;
        match self.guard.is_spent() {
            false => Ok(()),
            true => {
                let message = format!("more than {MOST_NODES} keys and values in one file");
                self.found.push(Diagnostic::new(Code::YamlLimit, self.character(span), message).help("split the file"));
                Err(GivenUp)
            }
        }
    }

    fn decoration(&mut self, span: Span, anchor: usize, is_tagged: bool) {
        if anchor == 0 && !is_tagged {
            return;
        }
        let word = self.word(span.start);
        let text = self.slice(word).to_owned();
        match text.starts_with('!') {
            true => self.refuse(word, format!("the tag `{text}` is not allowed"), TAG_HELP),
            false => self.refuse(word, format!("the anchor `{text}` is not allowed"), ANCHOR_HELP),
        }
    }

    fn alias(&mut self, span: Span) {
        let word = self.word(span.start);
        let message = format!("the alias `{}` is not allowed", self.slice(word));
        self.refuse(word, message, ALIAS_HELP);
    }

    fn broken(&mut self, first_character: usize, error: &ScanError) -> GivenUp {
        let at = self.span(first_character, *error.marker(), *error.marker());
        match syntax::explain(error.info(), self.guard.text[at.start as usize..].chars().next()) {
            syntax::Trouble::Alias => self.alias(at),
            syntax::Trouble::Tag => {
                let word = self.word(at.start);
                let message = format!("the tag `{}` is not allowed", self.slice(word));
                self.refuse(word, message, TAG_HELP);
            }
            syntax::Trouble::TooDeep => {
                let message = format!("lists and mappings are nested more than {MOST_DEPTH} deep");
                self.found.push(Diagnostic::new(Code::YamlLimit, self.character(at), message));
            }
            syntax::Trouble::Syntax { message, help } => {
                let place = self.character(at);
                self.found.push(Diagnostic::new(Code::YamlSyntax, place, message).maybe_help(help.map(str::to_owned)));
            }
        }
        GivenUp
    }

    fn refuse(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.found.push(Diagnostic::new(Code::YamlFeature, span, message).help(help));
    }

    fn awaits_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { content: Content::Mapping(_, Key::Awaited), .. }))
    }

    fn is_in_brackets(&self) -> bool {
        self.stack.iter().any(|frame| frame.is_flow)
    }

    /// A list that is not indented is announced behind its first dash.
    fn dash_before(&self, start: u32) -> u32 {
        let before = self.guard.text[..start as usize].trim_end();
        match before.ends_with('-') && !self.guard.text[start as usize..].starts_with("- ") {
            true => before.len() as u32 - 1,
            false => start,
        }
    }

    /// The first line that says anything, when it is a directive.
    fn directive(&self) -> Option<Span> {
        let mut at = self.piece.body;
        if self.guard.text[self.piece.start..].starts_with("---") {
            return None;
        }
        for line in self.guard.text[at..self.piece.end].split_inclusive('\n') {
            let words = line.trim();
            match words.as_bytes().first() {
                None | Some(b'#') => at += line.len(),
                Some(b'%') => return Some(self.bytes_span(at, at + line.trim_end().len())),
                Some(_) => return None,
            }
        }
        None
    }

    fn span(&self, first_character: usize, start: Marker, end: Marker) -> Span {
        let byte = |marker: Marker| {
            let character = first_character + marker.index();
            let byte = match &self.guard.bytes {
                None => character,
                Some(bytes) => bytes.get(character).map_or(self.piece.end, |byte| *byte as usize),
            };
            byte.min(self.piece.end)
        };
        let start = byte(start);
        self.bytes_span(start, byte(end).max(start))
    }

    fn bytes_span(&self, start: usize, end: usize) -> Span {
        Span { file: self.guard.file, start: start as u32, end: end as u32 }
    }

    fn slice(&self, span: Span) -> &str {
        &self.guard.text[span.start as usize..span.end as usize]
    }

    /// Without the blanks and line breaks behind it.
    fn trimmed(&self, span: Span) -> Span {
        Span { end: span.start + self.slice(span).trim_end().len() as u32, ..span }
    }

    /// The first character of a span alone; the one before it at the end of a document.
    fn character(&self, span: Span) -> Span {
        let start = span.start as usize;
        match self.guard.text[start..self.piece.end].chars().next() {
            Some(character) => self.bytes_span(start, start + character.len_utf8()),
            None => self.bytes_span(start, start),
        }
    }

    /// From a byte to the next blank, bracket or comma.
    fn word(&self, start: u32) -> Span {
        let rest = &self.guard.text[start as usize..self.piece.end];
        let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
        let length = rest.find(is_end).unwrap_or(rest.len());
        self.bytes_span(start as usize, start as usize + length)
    }
}

const TAG_HELP: &str = "delete it; quote the text if it begins with `!`";
const ANCHOR_HELP: &str = "delete it; quote the text if it begins with `&`";
const ALIAS_HELP: &str = "write the value out; quote the text if it begins with `*`";

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
