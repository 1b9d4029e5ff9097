//! Mappings and lists with what belongs to them, and how they are written.

use std::fmt;

use super::scalars;
use super::trivia::Trivia;
use crate::check::schema::order::Order;

/// A mapping that is not in brackets.
#[derive(Debug, Default)]
pub(super) struct Mapping<'a> {
    /// The comments above the first key of a document: they speak of the document.
    pub(super) header: Vec<Trivia<'a>>,
    pub(super) entries: Vec<Entry<'a>>,
    /// Comments after the last of them.
    pub(super) tail: Vec<Trivia<'a>>,
}

/// A key with its value and comments.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) lead: Vec<Trivia<'a>>,
    /// As it means.
    pub(super) name: &'a str,
    /// As it stands.
    pub(super) key: &'a str,
    pub(super) value: Value<'a>,
    /// The comment at the end of its line, with the blanks before it.
    pub(super) comment: Option<&'a str>,
}

/// A list that is not in brackets.
#[derive(Debug, Default)]
pub(super) struct List<'a> {
    pub(super) items: Vec<Item<'a>>,
    /// Comments after the last of them.
    pub(super) tail: Vec<Trivia<'a>>,
}

/// One of a list.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) lead: Vec<Trivia<'a>>,
    pub(super) value: Value<'a>,
    /// The comment at the end of its line, with the blanks before it.
    pub(super) comment: Option<&'a str>,
}

/// What stands behind a key or a dash.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Nothing,
    /// A scalar, or something in brackets: copied. The number is the column of its owner.
    Copied(&'a str, usize),
    Mapping(Mapping<'a>),
    List(List<'a>),
}

impl Mapping<'_> {
    /// Puts the keys in order, at every depth.
    pub(super) fn sort(&mut self, order: &Order) {
        self.entries.sort_by_key(|entry| order.rank(entry.name));
        for entry in &mut self.entries {
            if let Some(below) = order.below(entry.name) {
                entry.value.sort(below);
            }
        }
    }
}

impl Value<'_> {
    fn sort(&mut self, order: &Order) {
        match self {
            Value::Mapping(mapping) => mapping.sort(order),
            Value::List(list) => list.items.iter_mut().for_each(|item| item.value.sort(order)),
            Value::Nothing | Value::Copied(..) => {}
        }
    }
}

/// The mapping of a whole document.
impl fmt::Display for Mapping<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer { text: String::new(), is_fresh: true };
        writer.lead(&self.header, 0);
        writer.mapping(self, 0);
        f.write_str(writer.text.trim_end_matches('\n'))?;
        // Line breaks at the end of a text that keeps them belong to it.
        let kept = writer.text.len() - writer.text.trim_end_matches('\n').len();
        f.write_str(&"\n".repeat(if self.ends_with_breaks() { kept } else { 1 }))
    }
}

impl Mapping<'_> {
    fn ends_with_breaks(&self) -> bool {
        self.tail.is_empty() && self.entries.last().is_some_and(|entry| entry.value.ends_with_breaks())
    }
}

impl Value<'_> {
    fn ends_with_breaks(&self) -> bool {
        match self {
            Value::Nothing => false,
            Value::Copied(source, _) => scalars::ends_with_breaks(source),
            Value::Mapping(mapping) => mapping.ends_with_breaks(),
            Value::List(list) => {
                list.tail.is_empty() && list.items.last().is_some_and(|it| it.value.ends_with_breaks())
            }
        }
    }
}

struct Writer {
    text: String,
    /// Whether a blank line may not stand here: nothing was written yet in this mapping or list, or a text that keeps its line breaks would have one more.
    is_fresh: bool,
}

impl Writer {
    fn mapping(&mut self, mapping: &Mapping<'_>, indent: usize) {
        for entry in &mapping.entries {
            self.lead(&entry.lead, indent);
            self.entry(entry, indent);
        }
        self.lead(&mapping.tail, indent);
    }

    fn entry(&mut self, entry: &Entry<'_>, indent: usize) {
        self.indent(indent);
        self.text += entry.key;
        self.text.push(':');
        self.value(&entry.value, entry.comment, indent);
    }

    fn value(&mut self, value: &Value<'_>, comment: Option<&str>, indent: usize) {
        if let Value::Copied(source, from) = value {
            self.text.push(' ');
            self.text += &scalars::moved(source, *from, indent);
        }
        self.text += comment.unwrap_or_default();
        self.text.push('\n');
        self.is_fresh = true;
        match value {
            Value::Mapping(mapping) => self.mapping(mapping, indent + 2),
            Value::List(list) => self.list(list, indent + 2),
            Value::Nothing => self.is_fresh = false,
            Value::Copied(source, _) => self.is_fresh = scalars::keeps_breaks(source),
        }
    }

    fn list(&mut self, list: &List<'_>, indent: usize) {
        for item in &list.items {
            self.lead(&item.lead, indent);
            self.item(item, indent);
        }
        self.lead(&list.tail, indent);
    }

    fn item(&mut self, item: &Item<'_>, indent: usize) {
        // The first line of a block stands behind the dash, so what leads it goes above the dash.
        match &item.value {
            Value::Mapping(Mapping { entries, .. }) if !entries.is_empty() => {
                let comments = entries[0].lead.iter().filter(|it| **it != Trivia::Blank);
                comments.for_each(|it| self.lead(std::slice::from_ref(it), indent));
            }
            _ => {}
        }
        self.indent(indent);
        self.text.push('-');
        match &item.value {
            Value::Mapping(mapping) => {
                let at = self.text.len();
                for (position, entry) in mapping.entries.iter().enumerate() {
                    match position {
                        0 => self.is_fresh = true,
                        _ => self.lead(&entry.lead, indent + 2),
                    }
                    self.entry(entry, indent + 2);
                }
                self.lead(&mapping.tail, indent + 2);
                self.behind_dash(at, indent);
            }
            Value::List(list) => {
                let at = self.text.len();
                self.is_fresh = true;
                self.list(list, indent + 2);
                self.behind_dash(at, indent);
            }
            value => self.value(value, item.comment, indent),
        }
    }

    /// Pulls the line that was begun behind a dash up to it.
    fn behind_dash(&mut self, at: usize, indent: usize) {
        self.text.replace_range(at..at + indent + 1, "");
    }

    fn lead(&mut self, lead: &[Trivia<'_>], indent: usize) {
        for trivia in lead {
            match trivia {
                Trivia::Blank if self.is_fresh => {}
                Trivia::Blank => self.text.push('\n'),
                Trivia::Comment(comment) => {
                    self.indent(indent);
                    self.text += comment;
                    self.text.push('\n');
                    self.is_fresh = false;
                }
            }
        }
    }

    fn indent(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }
}
