//! The JSON Schemas that catalogue authors write: `ext_schema` and `branding_schema`.

use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, ValidationError};
use serde_json::{Map, Value};

use crate::check::lower::Place;
use crate::diag::{Code, Diagnostic};
use crate::model::ExtSchema;
use crate::text::Span;

/// Most bytes of a schema, as JSON.
const MAX_BYTES: usize = 64 * 1024;
/// The only dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Compiles a schema that must refuse what it does not name: settings with a typing mistake would otherwise do nothing
/// in silence.
pub(super) fn closed(schema: &Map<String, Value>, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Option<ExtSchema> {
    let refuses = |key: &str| schema.get(key) == Some(&Value::Bool(false));
    if !refuses("additionalProperties") && !refuses("unevaluatedProperties") {
        let span = at.key("additionalProperties").span();
        let help = "write `additionalProperties: false` beside `type: object`";
        found.push(bad(span, "the schema takes fields that it does not name").help(help));
        return None;
    }
    open(schema, at, found)
}

/// Compiles a schema that may take more than it names.
pub(super) fn open(schema: &Map<String, Value>, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Option<ExtSchema> {
    let before = found.len();
    let value = Value::Object(schema.clone());
    let bytes = value.to_string().len();
    if bytes > MAX_BYTES {
        let message = format!("the schema has {bytes} bytes as JSON, more than {MAX_BYTES}");
        found.push(bad(at.span(), message).help("list long choices in the mini-program, not in the schema"));
        return None;
    }
    if schema.get("type") != Some(&Value::String("object".to_owned())) {
        let help = "settings are a mapping: write `type: object`";
        found.push(bad(at.key("type").span(), "the schema does not say `type: object`").help(help));
    }
    references(&value, at, found);
    if found.len() > before {
        return None;
    }
    let options = jsonschema::options().with_draft(Draft::Draft202012).offline();
    // Tenants choose the texts that patterns meet, so the engine must be the one without backtracking.
    match options.with_pattern_options(PatternOptions::regex()).build(&value) {
        Ok(validator) => Some(ExtSchema { validator: Arc::new(validator), span: at.span() }),
        Err(why) => {
            found.push(invalid(&why, at));
            None
        }
    }
}

fn bad(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::BadExtSchema, span, message)
}

fn invalid(why: &ValidationError<'_>, at: Place<'_>) -> Diagnostic {
    let path = why.instance_path().as_str();
    let place = path.split('/').skip(1).fold(at, |place, part| step(place, part));
    bad(place.span(), format!("the schema is no JSON Schema: {why}"))
        .help("schemas are JSON Schema 2020-12; patterns have neither look-around nor back-references")
}

fn step<'a>(place: Place<'a>, part: &str) -> Place<'a> {
    let key = part.replace("~1", "/").replace("~0", "~");
    match part.parse() {
        Ok(index) if place.key(&key).node().is_none() => place.item(index),
        _ => place.key(&key),
    }
}

/// A schema stands for itself: what it refers to is inside it, and it is of our dialect.
fn references(value: &Value, at: Place<'_>, found: &mut Vec<Diagnostic>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let place = at.key(key);
                match (key.as_str(), field) {
                    ("$ref" | "$dynamicRef", Value::String(target)) if !target.starts_with('#') => {
                        let message = format!("the schema refers to `{target}`, which is never fetched");
                        found.push(bad(place.span(), message).help("copy it into `$defs` and refer to `#/$defs/…`"));
                    }
                    ("$id", Value::String(_)) => {
                        let message = "the schema gives itself an `$id`, against which references would be fetched";
                        found.push(bad(place.span(), message).help("delete the `$id`"));
                    }
                    ("$schema", Value::String(dialect)) if dialect != DIALECT => {
                        let message = format!("the schema is written in `{dialect}`");
                        found.push(bad(place.span(), message).help(format!("write `$schema: {DIALECT}`, or nothing")));
                    }
                    _ => references(field, place, found),
                }
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| references(item, at.item(index), found));
        }
        _ => {}
    }
}
