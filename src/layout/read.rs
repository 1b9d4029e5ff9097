//! From a tree with places to blocks with comments.
//!
//! A comment at the end of a line belongs to that line, one above a key or dash to that. Between the end of a block
//! and the next key of another, the indentation of a comment says to which of them it belongs.

use super::blocks::{Entry, Item, List, Mapping, Value};
use super::scalars;
use super::trivia::{self, Found, Trivia};
use crate::parse::node::{self, Data, Node};

/// The mapping of a document that stands between two bytes.
pub(super) fn document<'a>(text: &'a str, root: &'a Node, begin: usize, end: usize) -> Mapping<'a> {
    let mut reader = Reader { text, at: begin };
    let mut mapping = match &root.data {
        Data::Mapping(entries) => reader.mapping(entries, Next { at: end, column: None }),
        _ => Mapping::default(),
    };
    if let Some(first) = mapping.entries.first_mut() {
        mapping.header = std::mem::take(&mut first.lead);
    }
    mapping
}

/// What follows a block: where, and how far it is indented. Nothing is indented less than what ends the document.
#[derive(Clone, Copy)]
struct Next {
    at: usize,
    column: Option<usize>,
}

/// The key or dash that a value stands behind.
struct Owner<'l, 'a> {
    lead: &'l mut Vec<Trivia<'a>>,
    column: usize,
    is_key: bool,
}

struct Reader<'a> {
    text: &'a str,
    /// The first byte that was not read yet.
    at: usize,
}

impl<'a> Reader<'a> {
    fn mapping(&mut self, entries: &'a [node::Entry], next: Next) -> Mapping<'a> {
        let column = entries.first().map_or(0, |it| self.column(it.key_span.start as usize));
        let mut mapping = Mapping::default();
        for (position, entry) in entries.iter().enumerate() {
            let mut lead = self.until(entry.key_span.start as usize);
            // A blank line at the beginning separates nothing from nothing.
            if position == 0 && lead.first() == Some(&Trivia::Blank) {
                lead.remove(0);
            }
            let after = match entries.get(position + 1) {
                Some(following) => Next { at: following.key_span.start as usize, column: Some(column) },
                None => next,
            };
            mapping.entries.push(self.entry(entry, lead, column, after));
        }
        mapping.tail = self.tail(column, next);
        mapping
    }

    fn entry(&mut self, entry: &'a node::Entry, mut lead: Vec<Trivia<'a>>, column: usize, next: Next) -> Entry<'a> {
        let key = self.text[entry.key_span.start as usize..entry.key_span.end as usize].trim_end();
        self.at = trivia::skip(self.text, entry.key_span.end as usize, &[' ', '\t']) + 1;
        let is_missing = entry.value.span == entry.key_span && entry.value.data == Data::Null;
        let (value, comment) = match is_missing {
            true => (Value::Nothing, self.trailing(next.at)),
            false => self.value(&entry.value, Owner { lead: &mut lead, column, is_key: true }, next),
        };
        Entry { lead, name: &entry.key, key, value, comment }
    }

    fn list(&mut self, items: &'a [Node], next: Next) -> List<'a> {
        let first = trivia::dash(self.text, self.at);
        let column = self.column(first);
        let mut list = List::default();
        for (position, item) in items.iter().enumerate() {
            let dash = trivia::dash(self.text, self.at);
            let mut lead = self.until(dash);
            self.at = dash + 1;
            let is_missing = item.span.start == item.span.end && item.data == Data::Null;
            let end = match &item.data {
                Data::Text(_) => scalars::range(self.text, item, self.at).1,
                Data::Null if is_missing => self.at,
                _ => item.span.end as usize,
            };
            let after = match items.get(position + 1) {
                Some(_) => Next { at: trivia::dash(self.text, end), column: Some(column) },
                None => next,
            };
            let (value, comment) = match is_missing {
                true => (Value::Nothing, self.trailing(after.at)),
                false => self.value(item, Owner { lead: &mut lead, column, is_key: false }, after),
            };
            list.items.push(Item { lead, value, comment });
        }
        list.tail = self.tail(column, next);
        list
    }

    /// A value and the comment on its line. Comments between its owner and itself lead the owner, when they cannot stay.
    fn value(&mut self, node: &'a Node, owner: Owner<'_, 'a>, next: Next) -> (Value<'a>, Option<&'a str>) {
        match &node.data {
            Data::Mapping(entries) if !scalars::is_flow(self.text, node) => {
                let comment = self.above(owner, entries[0].key_span.start as usize);
                (Value::Mapping(self.mapping(entries, next)), comment)
            }
            Data::List(items) if !scalars::is_flow(self.text, node) => {
                let comment = self.above(owner, trivia::dash(self.text, self.at));
                (Value::List(self.list(items, next)), comment)
            }
            _ => {
                let (start, end) = scalars::range(self.text, node, self.at);
                owner.lead.extend(self.until(start).into_iter().filter(|it| *it != Trivia::Blank));
                let source = &self.text[start..end];
                // The line break behind an empty line that was copied would count as one more.
                self.at = (end + usize::from(scalars::ends_with_breaks(source))).min(self.text.len());
                (Value::Copied(source, owner.column), self.trailing(next.at))
            }
        }
    }

    /// What stands above a block: the comment on its key's line. On a dash's line there is no room for one.
    fn above(&mut self, owner: Owner<'_, 'a>, block: usize) -> Option<&'a str> {
        if owner.is_key {
            return self.trailing(block);
        }
        owner.lead.extend(self.until(block).into_iter().filter(|it| *it != Trivia::Blank));
        None
    }

    /// Everything up to a byte.
    fn until(&mut self, to: usize) -> Vec<Trivia<'a>> {
        let found = trivia::between(self.text, self.at, to);
        self.at = to;
        found.into_iter().map(|it| it.trivia).collect()
    }

    /// The comment at the end of the line that was just read, with the blanks before it: people align them.
    fn trailing(&mut self, limit: usize) -> Option<&'a str> {
        match trivia::between(self.text, self.at, limit).first() {
            Some(Found { trivia: Trivia::Comment(_), is_trailing: true, end, .. }) => {
                let comment = self.text[self.at..*end].trim_end();
                self.at = *end;
                Some(comment)
            }
            _ => None,
        }
    }

    /// The comments behind a block that are indented as it is, or the last of them when nothing follows.
    fn tail(&mut self, column: usize, next: Next) -> Vec<Trivia<'a>> {
        let found = trivia::between(self.text, self.at, next.at);
        let is_ours = |it: &Found<'_>| match (it.trivia, next.column) {
            (Trivia::Blank, _) => true,
            (Trivia::Comment(_), None) => it.column >= column || column == 0,
            (Trivia::Comment(_), Some(next)) => it.column >= column && it.column > next,
        };
        let ours = found.iter().take_while(|it| is_ours(it)).count();
        // Blank lines at the end separate what follows.
        let ours = found[..ours].iter().rposition(|it| it.trivia != Trivia::Blank).map_or(0, |it| it + 1);
        if let Some(last) = ours.checked_sub(1) {
            self.at = found[last].end;
        }
        found[..ours].iter().map(|it| it.trivia).collect()
    }

    fn column(&self, at: usize) -> usize {
        let line = self.text[..at].rfind('\n').map_or(0, |it| it + 1);
        self.text[line..at].trim_start_matches('\u{feff}').chars().count()
    }
}
