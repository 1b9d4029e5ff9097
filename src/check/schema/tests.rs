use std::path::Path;

use serde_json::Value;

use super::errors::pattern_in_words;
use super::{Shapes, all, decode, examples};
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
fn the_committed_schemas_are_the_derived_ones() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for (name, schema) in all() {
        let derived = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
        #[expect(clippy::disallowed_methods, reason = "the test compares with what is committed")]
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(committed == derived, "schemas/{name} is stale: run `tenantry schema --write`");
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
