//! Names of things: which documents share one, which lists repeat one, which one was meant.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Typed;
use crate::check::lower::Place;
use crate::diag;
use crate::diag::{Code, Diagnostic};
use crate::parse::Document;
use crate::text::Span;

/// One kind of thing that has a name.
pub(super) struct Noun {
    /// What to say when a name is unknown.
    unknown: Code,
    /// One of them.
    one: &'static str,
    /// Many of them.
    many: &'static str,
}

/// Mini-programs.
pub(super) const PROGRAM: Noun = Noun { unknown: Code::UnknownProgram, one: "mini-program", many: "mini-programs" };
/// Plans.
pub(super) const PLAN: Noun = Noun { unknown: Code::UnknownPlan, one: "plan", many: "plans" };
/// Add-ons.
pub(super) const ADD_ON: Noun = Noun { unknown: Code::UnknownAddOn, one: "add-on", many: "add-ons" };
/// Compliance profiles.
pub(super) const PROFILE: Noun =
    Noun { unknown: Code::UnknownProfile, one: "compliance profile", many: "compliance profiles" };
/// Shells.
pub(super) const SHELL: Noun = Noun { unknown: Code::UnknownShell, one: "shell", many: "shells" };

/// So many names are still worth listing when none is near.
const SHORT_LIST: usize = 8;

impl Noun {
    /// Position of a name in a list sorted by name.
    pub(super) fn position<T>(&self, list: &[T], name_of: impl Fn(&T) -> &str, name: &str) -> Option<u32> {
        let at = list.binary_search_by(|it| name_of(it).cmp(name)).ok()?;
        Some(u32::try_from(at).expect("fewer than 2^32 documents"))
    }

    /// As [`Noun::position`], with a diagnostic when there is none.
    pub(super) fn find<T>(
        &self,
        list: &[T],
        name_of: impl Fn(&T) -> &str,
        name: &str,
        span: Span,
        found: &mut Vec<Diagnostic>,
    ) -> Option<u32> {
        let position = self.position(list, &name_of, name);
        if position.is_none() {
            found.push(self.unknown(list.iter().map(name_of), name, span));
        }
        position
    }

    fn unknown<'a>(&self, names: impl Iterator<Item = &'a str>, name: &str, span: Span) -> Diagnostic {
        let names: Vec<&str> = names.collect();
        let quoted = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<String>>().join(", ");
        let help = match diag::nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => format!("the catalogue has no {} yet", self.many),
            None if names.len() <= SHORT_LIST => format!("the catalogue has {}", quoted()),
            None => format!("none of the {} {} of the catalogue has a similar name", names.len(), self.many),
        };
        Diagnostic::new(self.unknown, span, format!("no {} `{name}` in the catalogue", self.one)).help(help)
    }
}

/// A document and what it says; nothing when its shape is wrong, so that its name still counts as known.
#[derive(Debug)]
pub(super) struct Written<'a, T> {
    /// The document.
    pub(super) document: &'a Document,
    /// What it says.
    pub(super) value: Option<&'a T>,
}

/// Documents of one kind by name. Of two with the same name the first counts and the second is reported.
pub(super) fn unique<'a, T>(
    what: &str,
    documents: &'a [Typed],
    value_of: impl Fn(&'a Typed) -> Option<Option<&'a T>>,
    found: &mut Vec<Diagnostic>,
) -> BTreeMap<&'a str, Written<'a, T>> {
    let mut written: BTreeMap<&str, Written<'a, T>> = BTreeMap::new();
    for typed in documents {
        let Some(value) = value_of(typed) else { continue };
        let at = Place::root(&typed.document).key("metadata").key("name");
        let Some(name) = at.text() else { continue };
        match written.get(name) {
            Some(first) => {
                let place = Place::root(first.document).key("metadata").key("name");
                found.push(duplicate_name(what, name, at.span(), place.span()));
            }
            None => {
                written.insert(name, Written { document: &typed.document, value });
            }
        }
    }
    written
}

/// Two documents of one kind with the same name.
pub(super) fn duplicate_name(what: &str, name: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::DuplicateName, second, format!("a second {what} with the name `{name}`"))
        .label(first, "the first is here")
        .help("give one of them another name, or delete it")
}

/// Reports every entry of a list that stood there before.
pub(super) fn repeated<'a>(
    what: &str,
    entries: impl ExactSizeIterator<Item = (&'a str, Span)>,
    found: &mut Vec<Diagnostic>,
) {
    if entries.len() < 2 {
        return;
    }
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for (entry, span) in entries {
        match seen.get(entry) {
            Some(first) => found.push(
                Diagnostic::new(Code::DuplicateEntry, span, format!("{what} `{entry}` is listed twice"))
                    .label(*first, "the first is here")
                    .help("delete one of them"),
            ),
            None => {
                seen.insert(entry, span);
            }
        }
    }
}

/// As [`repeated`], for a list of plain texts.
pub(super) fn repeated_texts(what: &str, texts: &[String], at: Place<'_>, found: &mut Vec<Diagnostic>) {
    repeated(what, texts.iter().enumerate().map(|(index, text)| (text.as_str(), at.item(index).span())), found);
}

/// `app_id`s of which some version could not be read: nothing that needs all versions may be said about them.
pub(super) type Broken<'a> = BTreeSet<&'a str>;
