//! The shape of each kind of document, derived from [`crate::input`].

mod derive;
mod errors;
pub mod examples;
mod names;
pub mod order;

use jsonschema::{Draft, PatternOptions, Validator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::diag::{Code, Diagnostic};
use crate::parse::{Document, Kind};
use crate::text::Span;
pub use derive::all;
pub use names::{Names, with_names};

/// More than this in one document is one problem, not many.
const MOST_REPORTED: usize = 50;

/// The compiled schemas. Make them once; checking many documents, also from many threads, shares them.
pub struct Shapes {
    shapes: Vec<Shape>,
}

struct Shape {
    schema: Value,
    validator: Validator,
}

impl Shapes {
    /// Derives and compiles every schema.
    pub fn new() -> Shapes {
        let shapes = Kind::ALL.iter().map(|kind| Shape::new(derive::schema(*kind))).collect();
        Shapes { shapes }
    }

    /// Reports every shape error of a document. What passes can be decoded.
    pub fn check(&self, document: &Document, out: &mut Vec<Diagnostic>) {
        let at = Kind::ALL.iter().position(|kind| *kind == document.kind).expect("`ALL` has every kind");
        let Shape { schema, validator } = &self.shapes[at];
        let instance = document.root.to_json();
        // Knowing that nothing is wrong is far cheaper than asking what.
        if validator.is_valid(&instance) {
            return;
        }
        for error in validator.iter_errors(&instance).take(MOST_REPORTED) {
            errors::explain(&error, schema, document, out);
        }
    }
}

impl Default for Shapes {
    fn default() -> Shapes {
        Shapes::new()
    }
}

impl Shape {
    fn new(schema: Value) -> Shape {
        // The linear engine: no pattern can be made slow by what a tenant writes.
        let options =
            jsonschema::options().with_draft(Draft::Draft202012).with_pattern_options(PatternOptions::regex());
        let validator = options.build(&schema).expect("the derived schemas compile, which a test holds");
        Shape { schema, validator }
    }
}

/// Reads a document that passed its schema into its type; `text` is that of its file.
pub fn decode<T: DeserializeOwned>(document: &Document, text: &str) -> Result<T, Diagnostic> {
    let body = &text[document.body.start as usize..document.body.end as usize];
    serde_yaml::from_str(body).map_err(|error| {
        let at = error.location().map_or(0, |it| byte_at(body, it.line(), it.column()));
        let start = document.body.start + at as u32;
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        let span = Span { file: document.file, start, end: start };
        Diagnostic::new(Code::Undecodable, span, format!("the document cannot be read: {message}"))
    })
}

/// The byte of a line and column, both from one.
fn byte_at(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &text[start..];
    start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests;
