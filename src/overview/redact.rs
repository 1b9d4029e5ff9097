//! The document without the names of customers, for whoever may see what is sold and not to whom.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::model::Tenant;

/// Texts of tenants that may hold anything: what a change makes of them is not shown.
const FREE: [&str; 3] = ["branding", "setting", "term"];

/// Fields that hold a word of ours, whatever tenants are called.
const OURS: [&str; 9] = ["kind", "state", "status", "weight", "side", "role", "outcome", "guard", "review"];

/// What stands in place of a text that was taken out.
const GONE: &str = "(not shown)";

/// Every name by which a tenant can be known, and what stands in its place.
#[derive(Debug)]
pub struct Names {
    words: HashMap<String, String>,
    files: Vec<(String, String)>,
}

impl Names {
    /// Of all tenants, with the file of each, in the order in which they are numbered.
    pub fn of(tenants: &[(&Tenant, &str)]) -> Names {
        let mut names = Names { words: HashMap::new(), files: Vec::new() };
        for (at, (tenant, file)) in tenants.iter().enumerate() {
            let name = format!("tenant-{:04}", at + 1);
            names.files.push(((*file).to_owned(), format!("({name}'s file)")));
            let known =
                [&*tenant.name, &*tenant.tenant_id].into_iter().chain(tenant.domains.iter().map(String::as_str));
            for word in known.chain(tenant.title.as_deref()) {
                names.words.insert(word.to_owned(), name.clone());
            }
        }
        // A path may begin like another.
        names.files.sort_by_key(|(file, _)| std::cmp::Reverse(file.len()));
        names.files.dedup();
        names
    }

    fn text(&self, text: &str) -> String {
        if let Some(name) = self.words.get(text) {
            return name.clone();
        }
        let mut out = String::with_capacity(text.len());
        for (at, piece) in text.split("tenants/").enumerate() {
            if at > 0 {
                let path = format!("tenants/{piece}");
                let known = self.files.iter().find(|(file, _)| path.starts_with(&**file));
                match known {
                    Some((file, name)) => {
                        out += name;
                        out += &self.words(&path[file.len()..]);
                        continue;
                    }
                    None => out += "tenants/",
                }
            }
            out += &self.words(piece);
        }
        out
    }

    /// A name is a name where it stands as a word. A full stop at the end of a word ends a sentence.
    fn words(&self, text: &str) -> String {
        let is_inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
            let word = rest[..end].trim_end_matches('.');
            out += self.words.get(word).map_or(word, |it| it);
            let next = rest[end..].chars().next().map_or(0, char::len_utf8);
            out += &rest[word.len()..end + next];
            rest = &rest[end + next..];
        }
        out
    }

    fn map(&self, map: Map<String, Value>) -> Map<String, Value> {
        let is_free = map.get("kind").and_then(Value::as_str).is_some_and(|it| FREE.contains(&it));
        let entry = |(key, value): (String, Value)| match &*key {
            "from" | "to" if is_free => (key, Value::from(GONE)),
            "each" if is_free => (key, Value::Null),
            "each" => (key, self.by_tenant(value)),
            word if OURS.contains(&word) => (key, value),
            _ => (key, self.value(value)),
        };
        map.into_iter().map(entry).collect()
    }

    /// A map whose keys are tenants.
    fn by_tenant(&self, value: Value) -> Value {
        match value {
            Value::Object(map) => map.into_iter().map(|(name, value)| (self.text(&name), self.value(value))).collect(),
            other => self.value(other),
        }
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(list) => list.into_iter().map(|it| self.value(it)).collect(),
            Value::Object(map) => Value::Object(self.map(map)),
            other => other,
        }
    }
}

/// The document with every tenant under a number, in the order of their names.
pub fn redact(document: Value, names: &Names) -> Value {
    let mut document = names.value(document);
    document["redacted"] = Value::Bool(true);
    document
}
