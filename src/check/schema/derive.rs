//! From input types to schemas that people and editors can read.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::examples;
use crate::input;
use crate::parse::Kind;

/// Every schema under its file name in `schemas/`.
pub fn all() -> Vec<(&'static str, Value)> {
    Kind::ALL.iter().map(|kind| (kind.schema_file(), schema(*kind))).collect()
}

/// The schema of one kind.
pub(super) fn schema(kind: Kind) -> Value {
    let derived = match kind {
        Kind::Project => derive::<input::ProjectDocument>(),
        Kind::MiniProgram => derive::<input::MiniProgramDocument>(),
        Kind::Plan => derive::<input::PlanDocument>(),
        Kind::AddOn => derive::<input::AddOnDocument>(),
        Kind::ComplianceProfile => derive::<input::ComplianceProfileDocument>(),
        Kind::Shell => derive::<input::ShellDocument>(),
        Kind::Tenant => derive::<input::TenantDocument>(),
    };
    let mut schema = derived.to_value();
    tidy(&mut schema);
    examples::illustrate(&mut schema, kind);
    let root = schema.as_object_mut().expect("a document type is an object");
    root.insert("$id".to_owned(), format!("https://tenantry.dev/schemas/v1/{}", kind.schema_file()).into());
    root.insert("examples".to_owned(), json!([examples::of(kind)]));
    schema
}

fn derive<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

/// Depth of the derived schemas is that of our own types, so recursion is fine here.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(tidy);
            without_null(object);
            as_enum(object);
            bounded(object);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// An optional field is left out, not set to null: one way to say nothing, and errors that need no `anyOf`.
fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|it| it != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(alternatives)) = object.get_mut("anyOf") {
        alternatives.retain(|it| it.get("type") != Some(&json!("null")));
        if let [only] = alternatives.as_slice() {
            let only = only.as_object().cloned().unwrap_or_default();
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|it| !it.is_null());
    }
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
}

/// A choice of words as one list, with the words' meanings where editors look for them.
fn as_enum(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get("oneOf") else { return };
    let words: Option<Vec<Value>> = choices.iter().map(|it| it.get("const").cloned()).collect();
    let Some(words) = words else { return };
    let meaning = |it: &Value| it.get("description").cloned().unwrap_or_default();
    let meanings: Vec<Value> = choices.iter().map(meaning).collect();
    object.remove("oneOf");
    object.insert("type".to_owned(), "string".into());
    object.insert("enum".to_owned(), words.into());
    object.insert("enumDescriptions".to_owned(), meanings.into());
}

/// What does not fit the type must not pass the schema.
fn bounded(object: &mut Map<String, Value>) {
    if object.get("format") == Some(&json!("uint32")) {
        object.entry("maximum").or_insert(u32::MAX.into());
    }
}
