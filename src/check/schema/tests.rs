use std::path::Path;

use serde_json::{Value, json};

use super::errors::pattern_in_words;
use super::{Names, Shapes, all, decode, examples, names, with_names};
use crate::diag::Diagnostic;
use crate::input;
use crate::parse::{self, Document, Kind};
use crate::text::FileId;

fn document(text: &str) -> Document {
    let (mut documents, found) = parse::file(FileId(0), text.as_bytes());
    assert_eq!((documents.len(), found), (1, Vec::new()), "{text}");
    documents.remove(0)
}

fn decodes(document: &Document, text: &str) -> Result<(), Diagnostic> {
    match document.kind {
        Kind::Project => decode::<input::ProjectDocument>(document, text).map(|_| ()),
        Kind::MiniProgram => decode::<input::MiniProgramDocument>(document, text).map(|_| ()),
        Kind::Plan => decode::<input::PlanDocument>(document, text).map(|_| ()),
        Kind::AddOn => decode::<input::AddOnDocument>(document, text).map(|_| ()),
        Kind::ComplianceProfile => decode::<input::ComplianceProfileDocument>(document, text).map(|_| ()),
        Kind::Shell => decode::<input::ShellDocument>(document, text).map(|_| ()),
        Kind::Tenant => decode::<input::TenantDocument>(document, text).map(|_| ()),
    }
}

/// `slug @ the text pointed at: message (help)`.
fn complaints(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    Shapes::new().check(&document(text), &mut found);
    let say = |it: &Diagnostic| {
        let shown = &text[it.span().start as usize..it.span().end as usize];
        format!("{} @ {shown}: {} ({})", it.code.slug(), it.message, it.help.as_deref().unwrap_or(""))
    };
    found.iter().map(say).collect()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test compares with what is committed")]
fn the_committed_schemas_are_the_derived_ones() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/v1");
    for (name, schema) in all() {
        let derived = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
        let path = folder.join(name);
        if std::env::var_os("BLESS").is_some_and(|it| it == "1") {
            std::fs::write(&path, &derived).expect("writes");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == derived, "schemas/v1/{name} is stale: run `BLESS=1 cargo test --lib schemas`");
    }
}

/// Every property of every object of a schema, by its owner and name.
fn properties<'a>(schema: &'a Value) -> Vec<(&'a str, &'a str, &'a Value)> {
    let defs = schema["$defs"].as_object().expect("types").iter().map(|(owner, it)| (owner.as_str(), it));
    let all = defs.chain([("the document", schema)]);
    let one = |(owner, it): (&'a str, &'a Value)| {
        let fields = it.get("properties").and_then(Value::as_object).into_iter().flatten();
        fields.map(move |(name, property)| (owner, name.as_str(), property))
    };
    all.flat_map(one).collect()
}

#[test]
fn every_property_is_described_and_every_free_one_has_an_example() {
    for (file, schema) in all() {
        let followed = |it: &Value| match it.get("$ref").and_then(Value::as_str) {
            Some(target) => schema.pointer(&target[1..]).expect("a type").clone(),
            None => it.clone(),
        };
        for (owner, name, property) in properties(&schema) {
            let described = property["description"].as_str().is_some_and(|it| it.len() > 3);
            assert!(described, "{file}: {owner}.{name} says nothing about itself");
            let target = followed(property);
            let structure = target.get("properties").is_some()
                || target.get("items").is_some_and(|it| followed(it).get("properties").is_some());
            let chosen = target.get("enum").is_some() || target["type"] == "boolean";
            let illustrated = property["examples"].as_array().is_some_and(|it| !it.is_empty());
            assert!(structure || chosen || illustrated, "{file}: {owner}.{name} is not in `schema/complete/`");
        }
    }
}

#[test]
fn every_choice_of_words_says_what_each_means() {
    fn walk(name: &str, schema: &Value) {
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            let meanings = schema["enumDescriptions"].as_array().expect("meanings");
            assert_eq!(words.len(), meanings.len(), "{name}: {schema}");
            assert!(meanings.iter().all(|it| it.as_str().is_some_and(|it| it.ends_with('.'))), "{name}: {schema}");
        }
        match schema {
            Value::Object(fields) => fields.values().for_each(|it| walk(name, it)),
            Value::Array(items) => items.iter().for_each(|it| walk(name, it)),
            _ => {}
        }
    }
    all().iter().for_each(|(name, schema)| walk(name, schema));
}

#[test]
fn the_complete_documents_are_good_and_leave_nothing_out() {
    for kind in Kind::ALL {
        let text = examples::complete(*kind);
        let document = document(text);
        assert_eq!(document.kind, *kind);
        assert_eq!((complaints(text), decodes(&document, text)), (Vec::new(), Ok(())));
    }
}

#[test]
fn names_go_where_documents_name_each_other() {
    let plan = examples::text(Kind::Plan);
    let program = examples::text(Kind::MiniProgram).replace("2.1.0", "2.2.0-beta.1");
    let shapes = Shapes::new();
    let typed = [plan, &program].map(|text| crate::check::document(&shapes, document(text), text).0);
    let schemas = with_names(&Names::of(&typed));
    let (_, tenant) = schemas.iter().find(|(name, _)| *name == "tenant.schema.json").expect("a schema of tenants");
    let place = |path: &str| tenant.pointer(&format!("/$defs/{path}")).expect("a property");
    assert_eq!(place("TenantSpec/properties/plan")["enum"], json!(["business"]));
    assert_eq!(
        place("TenantSpec/properties/plan")["errorMessage"],
        "the plans of this project are business (after a new one: tenantry schema --write)"
    );
    assert_eq!(place("Override/properties/grant")["enum"], json!(["com.example.expenses"]));
    assert_eq!(place("TenantSpec/properties/channel")["examples"], json!(["beta", "stable"]));
    assert_eq!(place("TenantSpec/properties/data_region")["examples"], json!(["eu"]));
    // There are none, so nothing can be said about them.
    assert_eq!(place("TenantSpec/properties/add_ons/items"), &json!({ "type": "string" }));
    let settings = &place("TenantSpec/properties/ext")["properties"];
    assert_eq!(settings["com.example.expenses"]["description"], "Settings of Expenses");
}

#[test]
fn every_place_of_names_is_a_property() {
    let all = all();
    let known: Vec<(&str, &str)> =
        all.iter().flat_map(|(_, it)| properties(it)).map(|(owner, name, _)| (owner, name)).collect();
    for place in names::places() {
        assert!(known.contains(&place), "{place:?}");
    }
}

#[test]
fn every_object_is_closed_and_every_pattern_can_be_said_in_words() {
    fn walk(name: &str, schema: &Value) {
        match schema {
            Value::Object(object) => {
                let is_closed = object.get("additionalProperties").is_some();
                assert!(!object.contains_key("properties") || name == "properties" || is_closed, "{name}: {schema}");
                if let Some(Value::String(pattern)) = object.get("pattern") {
                    assert!(pattern_in_words(pattern).is_some(), "no words for {pattern}");
                }
                object.iter().filter(|(key, _)| *key != "examples").for_each(|(key, value)| walk(key, value));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(name, item)),
            _ => {}
        }
    }
    all().iter().for_each(|(name, schema)| walk(name, schema));
}

#[test]
fn good_documents_pass_the_schema_and_the_decoder() {
    for kind in Kind::ALL {
        let text = examples::text(*kind);
        let document = document(text);
        assert_eq!(document.kind, *kind);
        assert_eq!((complaints(text), decodes(&document, text)), (Vec::new(), Ok(())));
    }
}

#[test]
fn shape_errors_are_told_in_plain_words_at_small_places_and_refused_by_the_decoder_too() {
    let tenant = examples::text(Kind::Tenant);
    for (from, to, expected) in [
        (
            "plan: ",
            "plann: ",
            vec![
                "missing-field @ spec: `spec` needs the field `plan` (`plan`: The plan that it bought)",
                "unknown-field @ plann: `spec` has no field `plann` (did you mean `plan`?)",
            ],
        ),
        (
            "[travel]",
            "travel",
            vec![
                "wrong-type @ travel: `add_ons` is expected to be a list, found text (write it as `[…]`, or each entry on a line of its own after `- `)",
            ],
        ),
        (
            "  tenant_id",
            "  status: activ\n  tenant_id",
            vec!["bad-value @ activ: `activ` is not a value of `status` (did you mean `active`?)"],
        ),
        (
            "  tenant_id",
            "  status: on\n  tenant_id",
            vec!["bad-value @ on: `on` is not a value of `status` (it takes `active`, `suspended`, `inactive`)"],
        ),
        (
            "      reason: Pilot for the spring.\n",
            "",
            vec!["missing-field @ grant: an entry of `overrides` needs the field `reason` (`reason`: Why)"],
        ),
        (
            "seats: 40",
            "seats: many",
            vec![
                "wrong-type @ many: `seats` is expected to be a whole number, found text (How many people may use it. Passed on to the shell as the entitlement `seats`)",
            ],
        ),
        (
            "seats: 40",
            "seats: 5000000000",
            vec![
                "bad-value @ 5000000000: `5000000000` is more than 4294967295 (How many people may use it. Passed on to the shell as the entitlement `seats`)",
            ],
        ),
    ] {
        assert!(tenant.contains(from));
        let text = tenant.replacen(from, to, 1);
        assert_eq!(complaints(&text), expected, "{text}");
        assert!(decodes(&document(&text), &text).is_err(), "{text}");
    }
    let plan = examples::text(Kind::Plan).replace("sso: true", "sso: a lot");
    assert_eq!(
        complaints(&plan),
        [
            "wrong-type @ a lot: `sso` is expected to be `true` or `false`, a whole number or `unlimited`, found text (A right that is not a mini-program)",
        ]
    );
    assert!(decodes(&document(&plan), &plan).is_err());
}

#[test]
fn a_field_without_a_value_is_refused_although_the_decoder_would_take_it() {
    let text = examples::text(Kind::Tenant).replace("[travel]", "");
    assert_eq!(
        complaints(&text),
        [
            "wrong-type @ add_ons: `add_ons` is expected to be a list, found nothing (write a value, or leave the field out)",
        ]
    );
}

#[test]
fn a_value_that_breaks_a_pattern_is_told_what_it_may_be() {
    let text =
        examples::text(Kind::Tenant).replace("acme.example", "ACME.example").replace("name: acme", "name: Acme Ltd");
    assert_eq!(
        complaints(&text),
        [
            "bad-value @ Acme Ltd: `Acme Ltd` is not a value of `name` (it takes lower-case letters, digits and single hyphens)",
            "bad-value @ ACME.example: `ACME.example` is not a value of an entry of `domains` (it takes a domain in lower case such as `example.com`)",
        ]
    );
}

#[test]
fn what_only_the_decoder_refuses_is_located_by_its_line() {
    let text = format!(
        "# x\n---{}",
        examples::text(Kind::Tenant).replacen("apiVersion", "\napiVersion", 1).replace("seats: 40", "seats: 40.0")
    );
    let refused = decodes(&document(&text), &text).expect_err("a float is no seat count");
    let start = refused.span().start as usize;
    assert_eq!(
        (&text[start..start + 4], refused.message.as_str()),
        ("40.0", "the document cannot be read: spec.license.seats: invalid type: floating point `40.0`, expected u32")
    );
}
