//! The pages under `docs/` say what the code does.
#![expect(clippy::disallowed_methods, reason = "a test reads the pages")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tenantry::changes::{Cause, Guard, Kind, Reach, Weight};
use tenantry::check;
use tenantry::check::schema::Shapes;
use tenantry::diag::Code;
use tenantry::layout;
use tenantry::parse;
use tenantry::text::FileId;

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).expect("the page")
}

#[test]
fn every_diagnostic_has_a_section_and_every_section_a_diagnostic() {
    let page = page("diagnostics.md");
    let mut sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut slugs: Vec<&str> = Code::ALL.iter().map(|code| code.slug()).collect();
    sections.sort_unstable();
    slugs.sort_unstable();
    assert_eq!(sections, slugs);
}

#[test]
fn every_warning_is_called_one() {
    let page = page("diagnostics.md");
    let warnings: Vec<&str> = page
        .split("\n## ")
        .skip(1)
        .filter(|section| section.contains("\n*Warning.*"))
        .filter_map(|section| section.lines().next())
        .collect();
    let expected = Code::ALL.iter().filter(|code| code.severity() == tenantry::diag::Severity::Warning);
    assert_eq!(warnings, expected.map(|code| code.slug()).collect::<Vec<&str>>());
}

/// The fields that a schema knows, at any depth.
fn fields(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                found.extend(properties.keys().cloned());
            }
            map.iter().filter(|(key, _)| *key != "examples").for_each(|(_, value)| fields(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

/// The words between backticks, fenced blocks left out; `a.b` is two words.
fn words(text: &str) -> BTreeSet<String> {
    let prose: String = text.split("\n```").step_by(2).collect();
    let spans = prose.split('`').skip(1).step_by(2);
    spans.flat_map(|span| span.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')).map(str::to_owned).collect()
}

fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let sections = page.split("\n## ").skip(1);
    let found = sections.into_iter().find(|it| it.lines().next() == Some(title));
    found.unwrap_or_else(|| panic!("a section `{title}`"))
}

#[test]
fn every_field_of_every_kind_is_described() {
    let page = page("formats.md");
    let everywhere = words(section(&page, "Every document"));
    for (name, schema) in tenantry::check::schema::all() {
        let kind = schema["title"].as_str().expect("a schema has a title");
        let described = words(section(&page, kind));
        let mut known = BTreeSet::new();
        fields(&schema, &mut known);
        let missing = known.into_iter().filter(|it| !described.contains(it) && !everywhere.contains(it));
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn every_field_of_the_manifest_is_described() {
    let page = page("formats.md");
    let described = words(section(&page, "The manifest"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manifest.rs");
    let source = fs::read_to_string(path).expect("the source");
    let types = source.split_once("pub struct Source").expect("the first type that is read back").1;
    let fields = types.lines().filter_map(|it| it.strip_prefix("    pub ")?.split_once(": ")).map(|it| it.0);
    let missing: Vec<&str> = fields.filter(|it| !it.starts_with("fn ") && !described.contains(*it)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn the_examples_are_documents_of_their_kinds() {
    let page = page("formats.md");
    let shapes = Shapes::new();
    let blocks = page.split("\n```yaml\n").skip(1).filter_map(|it| it.split("\n```").next());
    let mut kinds = Vec::new();
    for block in blocks {
        let text = format!("{block}\n");
        let (documents, mut found) = parse::file(FileId(0), text.as_bytes());
        for document in documents {
            kinds.push(document.kind.word());
            found.extend(check::document(&shapes, document, &text).1);
        }
        let said: Vec<String> = found.iter().map(|it| format!("{}: {}", it.code.slug(), it.message)).collect();
        assert_eq!(said, Vec::<String>::new(), "{block}");
        assert_eq!(layout::file(FileId(0), text.as_bytes()).as_ref(), Ok(&text), "as `tenantry fmt` has it");
    }
    let all: Vec<&str> = parse::Kind::ALL.iter().map(|it| it.word()).collect();
    assert_eq!(kinds, all, "one example of each kind, in order");
}

/// Every code of an error of the client has a line in the table, and nothing else has.
#[test]
fn every_error_of_the_client_is_explained() {
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for file in ["error.rs", "transport.rs"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/client").join(file);
        let source = fs::read_to_string(path).expect("the source");
        for function in source.split("fn code(&self) -> &'static str {").skip(1) {
            let body = function.split("\n    }\n").next().unwrap_or_default();
            let quoted = body.split("=> \"").skip(1).filter_map(|it| it.split('"').next());
            codes.extend(quoted.map(str::to_owned));
        }
    }
    let page = page("client.md");
    let table = page.split("| code | what happened | retry |\n").nth(1).expect("a table of codes");
    let rows = table.lines().take_while(|it| it.starts_with('|')).skip(1);
    let firsts = rows.filter_map(|row| row.split('|').nth(1));
    let explained: BTreeSet<String> =
        firsts.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned)).collect();
    assert!(codes.len() > 20, "{codes:?}");
    assert_eq!(codes, explained);
}

/// The rows of the first table of a section, cell by cell.
fn rows(section: &str) -> Vec<Vec<String>> {
    let lines = section.lines().skip_while(|it| !it.starts_with('|')).take_while(|it| it.starts_with('|')).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|it| it.trim().to_owned()).collect();
    lines.map(cells).collect()
}

#[test]
fn every_kind_of_change_and_every_reason_is_described_as_the_code_has_it() {
    let page = page("plan.md");
    let kinds = rows(section(&page, "Kinds of change"));
    let expected: Vec<Vec<String>> = Kind::ALL
        .iter()
        .map(|it| {
            let weight = match it.weight() {
                Weight::Loss => "loss",
                Weight::Held => "held",
                Weight::Growth => "growth",
                Weight::Gain => "gain",
                Weight::Update => "update",
                Weight::Rest => "other",
            };
            let seen = if it.reach() == Reach::Published { "yes" } else { "no" };
            [&format!("`{}`", it.slug()), weight, seen, it.meaning()].map(str::to_owned).to_vec()
        })
        .collect();
    assert_eq!(kinds.into_iter().map(|it| it[..4].to_vec()).collect::<Vec<_>>(), expected);

    let reasons = Cause::ALL.iter().map(|it| vec![format!("`{}`", it.slug()), it.meaning().to_owned()]);
    assert_eq!(rows(section(&page, "Reasons")), reasons.collect::<Vec<_>>());
    let guards = Guard::ALL.iter().map(|it| vec![format!("`{}`", it.slug()), it.meaning().to_owned()]);
    assert_eq!(rows(section(&page, "Guards")), guards.collect::<Vec<_>>());
}

#[test]
fn no_two_kinds_reasons_or_guards_share_a_name() {
    let slugs = [
        Kind::ALL.iter().map(|it| it.slug()).collect::<Vec<_>>(),
        Cause::ALL.iter().map(|it| it.slug()).collect(),
        Guard::ALL.iter().map(|it| it.slug()).collect(),
    ];
    for list in slugs {
        assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), list.len(), "{list:?}");
    }
}

/// Who copies an older header leaves programs a way out, or their place a page that does not run.
#[test]
fn the_header_for_the_origins_of_programs_is_the_one_that_they_need() {
    let page = page("web-shell.md");
    let given: Vec<&str> = page.lines().filter(|it| it.contains("add_header Content-Security-Policy")).collect();
    assert_eq!(given, [format!("    add_header Content-Security-Policy \"{}\" always;", tenantry::shell::HOST)]);
}
