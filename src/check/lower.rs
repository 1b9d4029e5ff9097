//! Texts become values: versions, ranges, instants, windows, each with an error at the scalar that cannot be read.

pub(super) mod catalog;
pub(super) mod program;
mod rollout;
pub(super) mod tenant;

use semver::{Version, VersionReq};

use crate::diag::{Code, Diagnostic};
use crate::parse::Document;
use crate::parse::node::{Data, Node};
use crate::text::Span;
use crate::time::{Duration, Timestamp, Window};

/// A way through a document that never fails: where nothing was written it stays at the nearest key above.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    node: Option<&'a Node>,
    key: Span,
}

impl<'a> Place<'a> {
    /// The document itself.
    pub(super) fn root(document: &'a Document) -> Place<'a> {
        Place::of(&document.root)
    }

    fn of(node: &'a Node) -> Place<'a> {
        Place { node: Some(node), key: first_key(node) }
    }

    /// What stands under a key.
    pub(super) fn key(self, key: &str) -> Place<'a> {
        match self.node.and_then(|node| node.entry(key)) {
            Some(entry) => Place { node: Some(&entry.value), key: entry.key_span },
            None => Place { node: None, key: self.key },
        }
    }

    /// What stands at a position of a list.
    pub(super) fn item(self, index: usize) -> Place<'a> {
        match self.node.and_then(|node| node.at(index)) {
            Some(node) => Place::of(node),
            None => Place { node: None, key: self.key },
        }
    }

    /// The place to show: a scalar as it stands; a mapping or list, which may run over many lines, by its key.
    pub(super) fn span(self) -> Span {
        match self.node {
            Some(Node { data: Data::Mapping(_) | Data::List(_), .. }) | None => self.key,
            Some(node) => node.span,
        }
    }

    /// As [`Place::span`], when something was written.
    pub(super) fn written(self) -> Option<Span> {
        self.node.map(|_| self.span())
    }

    /// The text, when this is one.
    pub(super) fn text(self) -> Option<&'a str> {
        match &self.node?.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The tree, when something was written.
    pub(super) fn node(self) -> Option<&'a Node> {
        self.node
    }
}

/// The first key of a mapping stands for the whole, which may be long.
fn first_key(node: &Node) -> Span {
    match &node.data {
        Data::Mapping(entries) => entries.first().map_or(node.span, |entry| entry.key_span),
        _ => node.span,
    }
}

/// Reads a version name.
pub(super) fn version(text: &str, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Option<Version> {
    match Version::parse(text) {
        Ok(version) => Some(version),
        Err(why) => {
            let help = "write three numbers and, for a pre-release, its channel: `2.1.0` or `2.2.0-beta.1`";
            let message = format!("`{text}` is not a SemVer version: {why}");
            found.push(Diagnostic::new(Code::BadVersion, at.span(), message).help(help));
            None
        }
    }
}

/// Reads a range. A bad one is reported and then counts as no range, so that nothing else complains about it.
pub(super) fn range(text: Option<&str>, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Option<VersionReq> {
    let text = text?;
    match VersionReq::parse(text) {
        Ok(range) => Some(range),
        Err(why) => {
            let message = format!("`{text}` is not a version range: {why}");
            let help = "write a range such as `^2`, `~1.4` or `>=1.4, <3`";
            found.push(Diagnostic::new(Code::BadRange, at.span(), message).help(help));
            None
        }
    }
}

/// Reads a date or a time.
pub(super) fn instant(text: Option<&str>, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Option<Timestamp> {
    let text = text?;
    match Timestamp::parse(text) {
        Ok(instant) => Some(instant),
        Err(why) => {
            let help = "write a date that exists, or a time in UTC with whole seconds and `Z`";
            found.push(Diagnostic::new(Code::BadTime, at.span(), format!("`{text}` is {why}")).help(help));
            None
        }
    }
}

/// Reads a duration.
pub(super) fn duration(text: Option<&str>, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Option<Duration> {
    let text = text?;
    match Duration::parse(text) {
        Ok(duration) => Some(duration),
        Err(why) => {
            let help = "months and years vary in length: count in days, such as `P30D`";
            found.push(Diagnostic::new(Code::BadTime, at.span(), format!("`{text}` is {why}")).help(help));
            None
        }
    }
}

/// An end of a window as it was written.
pub(super) type End<'a> = (Option<&'a str>, Place<'a>);

/// Reads a window. One that ends before it begins is reported and loses its end, so that it still counts as begun.
pub(super) fn window(from: End<'_>, until: End<'_>, found: &mut Vec<Diagnostic>) -> Window {
    let window = Window { from: instant(from.0, from.1, found), until: instant(until.0, until.1, found) };
    if !window.is_empty() {
        return window;
    }
    let message = match window.from == window.until {
        true => "the window ends at the instant at which it begins",
        false => "the window ends before it begins",
    };
    let diagnostic = Diagnostic::new(Code::EmptyWindow, until.1.span(), message)
        .label(from.1.span(), "it begins here")
        .help("the end is not part of a window: for a single day write the day after it as the end");
    found.push(diagnostic);
    Window { from: window.from, until: None }
}
