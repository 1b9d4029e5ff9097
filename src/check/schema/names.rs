//! The names that a project has, inside the schemas that its editors read: what can be completed, and what cannot be.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::derive;
use crate::check::Typed;
use crate::parse::Kind;
use crate::parse::node::{Data, Node};

/// More names than this are not listed in a message.
const MOST_LISTED: usize = 12;

/// What the documents of a project are called, sound or not.
#[derive(Debug, Default)]
pub struct Names {
    /// By what they are names of: a name, and what it stands for.
    known: BTreeMap<Topic, BTreeMap<String, String>>,
    /// What a tenant may set, by `app_id`; every version's once.
    settings: BTreeMap<String, Vec<Value>>,
}

/// What a name can be the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Program,
    Plan,
    AddOn,
    Profile,
    Shell,
    /// A word that versions and tenants use; others may come.
    Channel,
    /// A word that versions, profiles and tenants use; others may come.
    Region,
}

impl Topic {
    fn plural(self) -> &'static str {
        match self {
            Topic::Program => "mini-programs",
            Topic::Plan => "plans",
            Topic::AddOn => "add-ons",
            Topic::Profile => "compliance profiles",
            Topic::Shell => "shells",
            Topic::Channel => "channels",
            Topic::Region => "regions",
        }
    }

    /// Whether a document must exist under the name.
    fn is_closed(self) -> bool {
        !matches!(self, Topic::Channel | Topic::Region)
    }
}

/// Where names stand: a type of `crate::input`, its field, and what the names are of.
const PLACES: [(&str, &str, Topic); 20] = [
    ("TenantSpec", "plan", Topic::Plan),
    ("TenantSpec", "add_ons", Topic::AddOn),
    ("TenantSpec", "compliance_profile", Topic::Profile),
    ("TenantSpec", "channel", Topic::Channel),
    ("TenantSpec", "data_region", Topic::Region),
    ("TenantSpec", "shells", Topic::Shell),
    ("Override", "grant", Topic::Program),
    ("Override", "revoke", Topic::Program),
    ("Pin", "app_id", Topic::Program),
    ("PlanSpec", "extends", Topic::Plan),
    ("Grant", "app_id", Topic::Program),
    ("AddOnSpec", "requires_plans", Topic::Plan),
    ("AddOnSpec", "conflicts", Topic::AddOn),
    ("MiniProgramSpec", "conflicts", Topic::Program),
    ("Dependency", "app_id", Topic::Program),
    ("Data", "regions", Topic::Region),
    ("ComplianceProfileSpec", "imports", Topic::Profile),
    ("DataRule", "regions", Topic::Region),
    ("Defaults", "channel", Topic::Channel),
    ("StoreSpec", "regions", Topic::Region),
];

/// Where settings of mini-programs stand, by `app_id`.
const SETTINGS: [(&str, &str); 3] = [("TenantSpec", "ext"), ("PlanSpec", "ext"), ("AddOnSpec", "ext")];

/// Every place that names go to.
#[cfg(test)]
pub(super) fn places() -> Vec<(&'static str, &'static str)> {
    PLACES.iter().map(|(owner, field, _)| (*owner, *field)).chain(SETTINGS).collect()
}

impl Names {
    /// The names in the documents of a project; tenants need not be among them.
    pub fn of<'a>(documents: impl IntoIterator<Item = &'a Typed>) -> Names {
        let mut names = Names::default();
        for Typed { document, .. } in documents {
            names.add(document.kind, &document.root);
        }
        names.know(Topic::Channel, "stable", "Takes releases only.");
        names
    }

    fn add(&mut self, kind: Kind, root: &Node) {
        let topic = match kind {
            Kind::MiniProgram => return self.add_program(root),
            Kind::Plan => Topic::Plan,
            Kind::AddOn => Topic::AddOn,
            Kind::ComplianceProfile => Topic::Profile,
            Kind::Shell => Topic::Shell,
            Kind::Project | Kind::Tenant => return,
        };
        if let Some(name) = text(root, &["metadata", "name"]) {
            let title = text(root, &["metadata", "title"]);
            let description = text(root, &["metadata", "description"]);
            let both: Vec<&str> = title.into_iter().chain(description).collect();
            self.know(topic, name, &both.join(": "));
        }
        for region in texts(root, &["spec", "data", "regions"]) {
            self.know(Topic::Region, region, "");
        }
    }

    fn add_program(&mut self, root: &Node) {
        let Some(app_id) = text(root, &["spec", "app_id"]) else { return };
        let both: Vec<&str> =
            text(root, &["spec", "name"]).into_iter().chain(text(root, &["spec", "description"])).collect();
        self.know(Topic::Program, app_id, &both.join(": "));
        let version = text(root, &["spec", "version", "name"]).unwrap_or_default();
        if let Some((_, word)) = version.split_once('-') {
            let word = word.split('.').next().unwrap_or(word);
            self.know(Topic::Channel, word, &format!("Takes pre-releases such as `{version}` too."));
        }
        for region in texts(root, &["spec", "data", "regions"]) {
            self.know(Topic::Region, region, "");
        }
        let schema = at(root, &["spec", "ext_schema"]).map_or_else(|| json!({}), |it| hints(&it.to_json()));
        let schemas = self.settings.entry(app_id.to_owned()).or_default();
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }

    fn know(&mut self, topic: Topic, name: &str, meaning: &str) {
        self.known.entry(topic).or_default().entry(name.to_owned()).or_insert_with(|| meaning.to_owned());
    }
}

/// Every schema under its file name, with the names of a project.
pub fn with_names(names: &Names) -> Vec<(&'static str, Value)> {
    derive::all().into_iter().map(|(file, schema)| (file, enriched(schema, names))).collect()
}

fn enriched(mut schema: Value, names: &Names) -> Value {
    for (owner, field, topic) in PLACES {
        let known = names.known.get(&topic).filter(|it| !it.is_empty());
        if let (Some(place), Some(known)) = (property(&mut schema, owner, field), known) {
            place.remove("examples");
            let target = match place.get_mut("items") {
                Some(Value::Object(items)) => items,
                _ => place,
            };
            name(target, topic, known);
        }
    }
    for (owner, field) in SETTINGS {
        if let Some(place) = property(&mut schema, owner, field) {
            place.remove("examples");
            place.insert("properties".to_owned(), settings(names).into());
            // Not by `propertyNames`: editors would propose each of them twice.
            if !names.settings.is_empty() {
                place.insert("additionalProperties".to_owned(), false.into());
            }
        }
    }
    // With the project's names in it, it is no longer the schema that everybody knows under that address.
    let root = schema.as_object_mut().expect("a document type is an object");
    root.remove("$id");
    root.remove("examples");
    schema
}

fn property<'a>(schema: &'a mut Value, owner: &str, field: &str) -> Option<&'a mut Map<String, Value>> {
    schema.get_mut("$defs")?.get_mut(owner)?.get_mut("properties")?.get_mut(field)?.as_object_mut()
}

fn name(target: &mut Map<String, Value>, topic: Topic, known: &BTreeMap<String, String>) {
    let words: Vec<&String> = known.keys().collect();
    if !topic.is_closed() {
        target.insert("examples".to_owned(), json!(words));
        return;
    }
    let what = topic.plural();
    let which = match words.len() > MOST_LISTED {
        true => format!("none of the {} {what} of this project", words.len()),
        false => {
            format!("the {what} of this project are {}", words.iter().map(|it| &***it).collect::<Vec<_>>().join(", "))
        }
    };
    target.insert("enum".to_owned(), json!(words));
    target.insert("enumDescriptions".to_owned(), json!(known.values().collect::<Vec<_>>()));
    // Read by yaml-language-server. A name that is new to the project is new to this file too.
    target.insert("errorMessage".to_owned(), format!("{which} (after a new one: tenantry schema --write)").into());
}

/// What tenants may set for each mini-program. Only hints: which version counts, and what its defaults bring along, is for `check` to know.
fn settings(names: &Names) -> Map<String, Value> {
    let meaning =
        |app_id: &str| names.known.get(&Topic::Program).and_then(|it| it.get(app_id)).cloned().unwrap_or_default();
    let one = |(app_id, schemas): (&String, &Vec<Value>)| {
        let mut schema = match schemas.as_slice() {
            [only] => only.clone(),
            several => json!({ "anyOf": several }),
        };
        let fields = schema.as_object_mut().expect("hints are an object");
        fields.insert("type".to_owned(), "object".into());
        fields.insert("description".to_owned(), format!("Settings of {}", meaning(app_id)).into());
        (app_id.clone(), schema)
    };
    names.settings.iter().map(one).collect()
}

/// Of a schema that authors wrote, what helps to write and refuses little: no demands, no references.
fn hints(schema: &Value) -> Value {
    let Value::Object(fields) = schema else { return json!({}) };
    let mut kept = Map::new();
    for (key, value) in fields {
        match key.as_str() {
            "type" | "title" | "description" | "enum" | "const" | "default" | "examples" => {
                kept.insert(key.clone(), value.clone());
            }
            "items" => {
                kept.insert(key.clone(), hints(value));
            }
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties: Map<String, Value> = properties.map(|(name, it)| (name.clone(), hints(it))).collect();
                kept.insert(key.clone(), properties.into());
            }
            _ => {}
        }
    }
    kept.into()
}

fn at<'a>(root: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(root, |node, key| node.get(key))
}

fn text<'a>(root: &'a Node, path: &[&str]) -> Option<&'a str> {
    match &at(root, path)?.data {
        Data::Text(text) => Some(text),
        _ => None,
    }
}

fn texts<'a>(root: &'a Node, path: &[&str]) -> Vec<&'a str> {
    let items = match at(root, path).map(|it| &it.data) {
        Some(Data::List(items)) => items.as_slice(),
        _ => &[],
    };
    let one = |item: &'a Node| match &item.data {
        Data::Text(text) => Some(&**text),
        _ => None,
    };
    items.iter().filter_map(one).collect()
}
