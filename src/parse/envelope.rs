//! Which kind of document a tree says it is.

use super::Kind;
use super::node::{Data, Node};
use crate::diag::{self, Code, Diagnostic};
use crate::input::API_VERSION;
use crate::text::Span;

/// The kind of a document, or what keeps it from having one.
pub(super) fn kind(root: &Node) -> Result<Kind, Diagnostic> {
    let (first_key, version, kind) = match &root.data {
        Data::Mapping(entries) => match entries.first() {
            Some(first) => (first.key_span, root.get("apiVersion"), root.get("kind")),
            None => return Err(unknown(root.span, "the document is empty").help(envelope_help())),
        },
        _ => return Err(unknown(beginning(root.span), "the document is not a mapping").help(envelope_help())),
    };
    let help = || format!("write `apiVersion: {API_VERSION}`");
    match version {
        None => return Err(unknown(first_key, "the document has no `apiVersion`").help(help())),
        Some(Node { data: Data::Text(text), .. }) if **text == *API_VERSION => {}
        Some(Node { data: Data::Text(text), span }) => {
            return Err(unknown(*span, format!("`{text}` is not an `apiVersion` that can be read")).help(help()));
        }
        Some(other) => return Err(unknown(beginning(other.span), "`apiVersion` is not a text").help(help())),
    }
    match kind {
        None => Err(unknown(first_key, "the document has no `kind`").help(all_kinds())),
        Some(Node { data: Data::Text(text), span }) => match Kind::ALL.iter().find(|kind| kind.word() == &**text) {
            Some(kind) => Ok(*kind),
            None => {
                let near = diag::nearest(text, Kind::ALL.iter().map(|kind| kind.word()));
                let help = near.map_or_else(all_kinds, |near| format!("did you mean `{near}`?"));
                Err(unknown(*span, format!("there is no kind `{text}`")).help(help))
            }
        },
        Some(other) => Err(unknown(beginning(other.span), "`kind` is not a text").help(all_kinds())),
    }
}

fn all_kinds() -> String {
    let words: Vec<String> = Kind::ALL.iter().map(|kind| format!("`{}`", kind.word())).collect();
    format!("the kinds are {}", words.join(", "))
}

fn unknown(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::UnknownKind, span, message)
}

fn envelope_help() -> String {
    format!("begin with `apiVersion: {API_VERSION}` and `kind`")
}

/// A whole list or mapping is too much to show.
fn beginning(span: Span) -> Span {
    Span { end: span.start, ..span }
}
