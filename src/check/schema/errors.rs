//! What is wrong with a shape, in words for authors, at the smallest place that shows it.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use crate::diag::{self, Code, Diagnostic};
use crate::parse::Document;
use crate::parse::node::{Data, Node};
use crate::text::Span;

/// Reports one error of the validator.
pub(super) fn explain(error: &ValidationError<'_>, schema: &Value, document: &Document, out: &mut Vec<Diagnostic>) {
    let place = Place::find(error.instance_path().as_str(), schema, document);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            out.extend(unexpected.iter().map(|field| unknown_field(field, &place)));
        }
        ValidationErrorKind::Required { property } => out.push(missing_field(property, &place)),
        ValidationErrorKind::Type { .. } | ValidationErrorKind::AnyOf { .. } => out.push(wrong_type(&place)),
        other => out.push(bad_value(other, &place)),
    }
}

/// Where in the document an error is, and what the schema says there.
struct Place<'a> {
    node: &'a Node,
    /// The field or item, as it is called in messages.
    name: String,
    /// The key under which it stands; for items of a list that of the list.
    key_span: Option<Span>,
    root: &'a Value,
    schema: &'a Value,
}

impl<'a> Place<'a> {
    fn find(pointer: &str, root: &'a Value, document: &'a Document) -> Place<'a> {
        let name = "the document".to_owned();
        let mut place = Place { node: &document.root, name, key_span: None, root, schema: root };
        for part in pointer.split('/').skip(1) {
            let key = part.replace("~1", "/").replace("~0", "~");
            match &place.node.data {
                Data::Mapping(_) => {
                    let Some(entry) = place.node.entry(&key) else { break };
                    place.schema = place.property(&key).unwrap_or(&Value::Null);
                    place.key_span = Some(entry.key_span);
                    place.node = &entry.value;
                    place.name = format!("`{key}`");
                }
                Data::List(_) => {
                    let Some(item) = key.parse().ok().and_then(|index| place.node.at(index)) else { break };
                    place.schema = place.follow(place.schema.get("items").unwrap_or(&Value::Null));
                    place.node = item;
                    if !place.name.starts_with("an entry") {
                        place.name = format!("an entry of {}", place.name);
                    }
                }
                _ => break,
            }
        }
        place
    }

    /// The schema of a field of this mapping.
    fn property(&self, key: &str) -> Option<&'a Value> {
        let named = self.schema.get("properties").and_then(|it| it.get(key));
        let schema = named.or_else(|| self.schema.get("additionalProperties"))?;
        Some(self.follow(schema))
    }

    fn follow(&self, schema: &'a Value) -> &'a Value {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|it| self.root.pointer(it.strip_prefix('#')?));
        target.unwrap_or(schema)
    }

    /// The node when it is short, else what names it: many lines under one caret help nobody.
    fn span(&self) -> Span {
        match &self.node.data {
            Data::List(_) | Data::Mapping(_) => self.name_span(),
            _ => self.node.span,
        }
    }

    /// The key that leads here; for a mapping in a list its first key, for a document its `kind`.
    fn name_span(&self) -> Span {
        let first = match &self.node.data {
            Data::Mapping(entries) => entries.first().map(|entry| entry.key_span),
            _ => None,
        };
        let is_item = self.name.starts_with("an entry");
        match (self.key_span, first) {
            (None, _) => self.node.entry("kind").map_or(self.node.span, |entry| entry.key_span),
            (Some(_), Some(first)) if is_item => first,
            (Some(_), None) if is_item => Span { end: self.node.span.start + 1, ..self.node.span },
            (Some(key), _) => key,
        }
    }

    fn description(&self) -> Option<String> {
        self.schema.get("description").and_then(Value::as_str).map(as_help)
    }
}

fn unknown_field(field: &str, place: &Place<'_>) -> Diagnostic {
    let properties = place.schema.get("properties").and_then(Value::as_object);
    let fields: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let free: Vec<&str> = fields.iter().copied().filter(|name| place.node.get(name).is_none()).collect();
    let help = match diag::nearest(field, free) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the fields are {}", listed(&fields)),
    };
    let span = place.node.entry(field).map_or_else(|| place.span(), |entry| entry.key_span);
    Diagnostic::new(Code::UnknownField, span, format!("{} has no field `{field}`", place.name)).help(help)
}

fn missing_field(property: &Value, place: &Place<'_>) -> Diagnostic {
    let field = property.as_str().unwrap_or_default();
    let description = place.property(field).and_then(|it| it.get("description")).and_then(Value::as_str);
    Diagnostic::new(Code::MissingField, place.name_span(), format!("{} needs the field `{field}`", place.name))
        .maybe_help(description.map(|text| format!("`{field}`: {}", as_help(text))))
}

fn wrong_type(place: &Place<'_>) -> Diagnostic {
    let expected = expected(place.schema, place);
    let found = match &place.node.data {
        Data::Null => "nothing",
        Data::Bool(_) => "`true` or `false`",
        Data::Number(_) => "a number",
        Data::Text(_) => "text",
        Data::List(_) => "a list",
        Data::Mapping(_) => "a mapping",
    };
    let help = match (&place.node.data, expected.as_str()) {
        (Data::Null, _) => Some("write a value, or leave the field out".to_owned()),
        (Data::Bool(_) | Data::Number(_), "text") => Some("quote it".to_owned()),
        (Data::Text(_), "a list") => {
            Some("write it as `[…]`, or each entry on a line of its own after `- `".to_owned())
        }
        _ => place.description(),
    };
    let message = format!("{} is expected to be {expected}, found {found}", place.name);
    Diagnostic::new(Code::WrongType, place.span(), message).maybe_help(help)
}

/// What a schema takes, in words.
fn expected(schema: &Value, place: &Place<'_>) -> String {
    if let Some(alternatives) = schema.get("anyOf").and_then(Value::as_array) {
        let all: Vec<String> = alternatives.iter().map(|it| expected(place.follow(it), place)).collect();
        return match all.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => all.concat(),
        };
    }
    if let Some(words) = words(schema) {
        return match words.as_slice() {
            [only] => format!("`{only}`"),
            _ => format!("one of {}", listed(&words)),
        };
    }
    let type_word = match schema.get("type").and_then(Value::as_str) {
        Some("array") => "a list",
        Some("object") => "a mapping",
        Some("string") => "text",
        Some("boolean") => "`true` or `false`",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        _ => "another value",
    };
    type_word.to_owned()
}

fn bad_value(kind: &ValidationErrorKind, place: &Place<'_>) -> Diagnostic {
    let shown = match &place.node.data {
        Data::Text(text) if text.chars().count() <= 60 => format!("`{text}`"),
        Data::Number(number) => format!("`{number}`"),
        Data::Bool(it) => format!("`{it}`"),
        _ => place.name.clone(),
    };
    let (message, help) = match kind {
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
            let words = words(place.schema).unwrap_or_default();
            let near = match &place.node.data {
                Data::Text(text) => diag::nearest(text, words.iter().copied()),
                _ => None,
            };
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it takes {}", listed(&words)),
            };
            (format!("{shown} is not a value of {}", place.name), Some(help))
        }
        ValidationErrorKind::Pattern { pattern } => {
            let help = pattern_in_words(pattern).map(|words| format!("it takes {words}"));
            (format!("{shown} is not a value of {}", place.name), help.or_else(|| place.description()))
        }
        ValidationErrorKind::MinLength { limit: 1 } => (format!("{} is empty", place.name), place.description()),
        ValidationErrorKind::MinLength { limit } => {
            (format!("{shown} is shorter than {limit} characters"), place.description())
        }
        ValidationErrorKind::MaxLength { limit } => {
            (format!("{shown} is longer than {limit} characters"), place.description())
        }
        ValidationErrorKind::MinItems { limit: 1 } => (format!("{} is an empty list", place.name), place.description()),
        ValidationErrorKind::Minimum { limit } => (format!("{shown} is less than {limit}"), place.description()),
        ValidationErrorKind::Maximum { limit } => (format!("{shown} is more than {limit}"), place.description()),
        _ => (format!("{shown} is not a value of {}", place.name), place.description()),
    };
    Diagnostic::new(Code::BadValue, place.span(), message).maybe_help(help)
}

/// What the patterns of our schemas mean; a test knows of every pattern that is missing here.
pub(super) fn pattern_in_words(pattern: &str) -> Option<&'static str> {
    Some(match pattern {
        r"^[a-z0-9]+(-[a-z0-9]+)*$" => "lower-case letters, digits and single hyphens",
        r"^https?://[^\s]+$" => "a URL such as `https://cdn.example.com/`",
        r"^([A-Za-z0-9._-]+/)+$" => "names with a `/` behind each, such as `tenantry/`",
        r"^[0-9a-f]{64}$" => "64 hex digits in lower case",
        r"^[a-z][a-z0-9]*$" => "lower-case letters and digits, a letter first",
        r"^P" => "an ISO 8601 duration such as `P30D` or `PT12H`",
        r"^[a-z][a-z0-9]*(\.[a-z][a-z0-9-]*)+$" => {
            "an identifier in reverse domain form such as `com.example.expenses`"
        }
        r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" => "a language tag such as `en` or `zh-CN`",
        r"^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?$" => {
            "a host in lower case such as `api.example.com`, `*.example.com` or `api.example.com:8443`"
        }
        r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$" => "a permission such as `camera` or `location.precise`",
        r"^[a-z]{2,}(-[a-z0-9]+)*$" => "a region in lower case such as `eu` or `us-east`",
        r"^[A-Za-z0-9][A-Za-z0-9_-]*$" => "letters, digits, `_` and `-`, a letter or digit first",
        r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$" => {
            "a domain in lower case such as `example.com`"
        }
        _ => return None,
    })
}

/// The words that a schema takes, when it takes only words.
fn words(schema: &Value) -> Option<Vec<&str>> {
    let several = schema.get("enum").and_then(Value::as_array);
    let several = several.map(|words| words.iter().filter_map(Value::as_str).collect());
    several.or_else(|| schema.get("const").and_then(Value::as_str).map(|word| vec![word]))
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A doc comment as help: one line, no full stop, first letter small unless it is a name.
fn as_help(description: &str) -> String {
    let line = description.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    line.trim_end_matches('.').to_owned()
}
