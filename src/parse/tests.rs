use proptest::prelude::*;
use serde_json::Value;

use super::{Document, file};
use crate::diag::{Code, Diagnostic};
use crate::text::{FileId, Span};

const HEAD: &str = "apiVersion: tenantry.dev/v1\nkind: Tenant\n";

fn slice(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// `slug @ the text pointed at: message`, for each diagnostic.
fn complaints(text: &str) -> Vec<String> {
    let say = |it: &Diagnostic| format!("{} @ {}: {}", it.code.slug(), slice(text, it.span()), it.message);
    file(FileId(0), text.as_bytes()).1.iter().map(say).collect()
}

fn only(text: &str) -> Document {
    let (mut documents, found) = file(FileId(0), text.as_bytes());
    assert_eq!((found, documents.len()), (Vec::new(), 1), "{text}");
    documents.remove(0)
}

#[test]
fn every_value_knows_its_place_also_behind_wide_characters() {
    let text = format!(
        "\u{feff}{HEAD}spec: # é\n  name: Zürich 東京  # note\n  list: [1, \"ä b\", {{x: y}}]\n  block:\n    - a: 1\n      b: |\n        ü\n        z\n\n    -   two words\n  nothing:\n  last: ''\n  flat:\n  - {{}}\n  - x\n"
    );
    let spec = only(&text).root.get("spec").expect("it is there").clone();
    let shown = |path: &[&str]| slice(&text, spec.span_of(path));
    assert_eq!(shown(&["name"]), "Zürich 東京");
    assert_eq!(shown(&["list"]), "[1, \"ä b\", {x: y}]");
    assert_eq!(shown(&["block"]), "- a: 1\n      b: |\n        ü\n        z\n\n    -   two words");
    assert_eq!(shown(&["nothing"]), "nothing");
    assert_eq!(shown(&["last"]), "''");
    assert_eq!(shown(&["flat"]), "- {}\n  - x");
    let items = spec.get("block").expect("it is there");
    assert_eq!(slice(&text, items.at(0).expect("two").span), "a: 1\n      b: |\n        ü\n        z");
    assert_eq!(slice(&text, items.at(1).expect("two").span), "two words");
    assert_eq!(slice(&text, spec.get("list").and_then(|it| it.at(2)).expect("three").span), "{x: y}");
    assert_eq!(slice(&text, spec.entry("nothing").expect("it is there").key_span), "nothing");
}

#[test]
fn what_readers_disagree_about_is_refused_with_its_own_words() {
    for (yaml, expected) in [
        ("a: &x 1\n", "yaml-feature @ &x: the anchor `&x` is not allowed"),
        ("a: *x\n", "yaml-feature @ *x: the alias `*x` is not allowed"),
        ("a: !!str 1\n", "yaml-feature @ !!str: the tag `!!str` is not allowed"),
        ("a: !x\n  b: 1\n", "yaml-feature @ !x: the tag `!x` is not allowed"),
        ("a: !e!x 1\n", "yaml-feature @ !e!x: the tag `!e!x` is not allowed"),
        ("<<: {a: 1}\n", "yaml-feature @ <<: the merge key `<<` is not allowed"),
        ("? [a]\n: 1\n", "yaml-feature @ [: a list cannot be a key"),
        ("{a: b}: 1\n", "yaml-feature @ {: a mapping cannot be a key"),
        (": 1\n", "yaml-feature @ : a key is missing before `:`"),
        ("a: {b: :x}\n", "yaml-feature @ :x: a text inside brackets cannot begin with `:`"),
        ("a: [x, ?x]\n", "yaml-feature @ ?x: a text inside brackets cannot begin with `?`"),
        ("a: 1\nb: 2\na: 3\n", "duplicate-key @ a: the key `a` stands twice in this mapping"),
        ("a: .inf\n", "bad-value @ .inf: `.inf` is not a number that can be kept"),
        (
            "a: 18446744073709551616\n",
            "bad-value @ 18446744073709551616: `18446744073709551616` is too large for a number",
        ),
        ("a: @x\n", "yaml-syntax @ @: a text cannot begin with `@`"),
        ("a: b: c\n", "yaml-syntax @ :: `:` cannot stand here"),
        ("a: \"x\n", "yaml-syntax @ \": a quoted text is never closed"),
        ("a: [1, 2\n", "yaml-syntax @ : expected `,` or `]`"),
        ("a: *\n", "yaml-syntax @ *: a text cannot begin with `*` or `&`"),
        ("a:\n\tb: 1\n", "yaml-syntax @ b: a tab cannot indent this line"),
    ] {
        assert_eq!(complaints(&format!("{HEAD}{yaml}")), [expected], "{yaml}");
    }
    assert_eq!(
        complaints("%YAML 1.1\n---\napiVersion: tenantry.dev/v1\nkind: Tenant\n"),
        ["yaml-feature @ %YAML 1.1: a YAML directive is not allowed"]
    );
}

#[test]
fn a_repeated_key_is_found_in_long_mappings_too_and_shows_both_places() {
    let many: String = (0..40).map(|at| format!("k{}: 1\n", at % 39)).collect();
    let text = format!("{HEAD}{many}");
    let (documents, found) = file(FileId(0), text.as_bytes());
    assert!(documents.is_empty());
    let places: Vec<u32> = found[0].labels.iter().map(|label| label.span.start).collect();
    assert_eq!((found.len(), places), (1, vec![text.rfind("k0").expect("it is there") as u32, HEAD.len() as u32]));
}

#[test]
fn a_broken_document_does_not_hide_its_neighbours() {
    let text =
        format!("{HEAD}a: 1\n---\na: 'open\n--- # next\n{HEAD}b: 2\n...\n# only a comment\n---\nkind: [\n---\n{HEAD}");
    let (documents, found) = file(FileId(0), text.as_bytes());
    let bodies: Vec<&str> = documents.iter().map(|it| slice(&text, it.body)).collect();
    assert_eq!(bodies, [format!("{HEAD}a: 1\n"), format!(" # next\n{HEAD}b: 2\n"), format!("\n{HEAD}")]);
    assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), [Code::YamlSyntax, Code::YamlSyntax]);
}

#[test]
fn a_document_without_a_known_kind_is_told_what_is_missing() {
    for (text, expected) in [
        ("- a\n", "unknown-kind @ : the document is not a mapping"),
        ("kind: Tenant\n", "unknown-kind @ kind: the document has no `apiVersion`"),
        ("apiVersion: v1\nkind: Tenant\n", "unknown-kind @ v1: `v1` is not an `apiVersion` that can be read"),
        ("apiVersion: tenantry.dev/v1\n", "unknown-kind @ apiVersion: the document has no `kind`"),
        ("apiVersion: tenantry.dev/v1\nkind: Tennant\n", "unknown-kind @ Tennant: there is no kind `Tennant`"),
    ] {
        assert_eq!(complaints(text), [expected]);
    }
    let help = &file(FileId(0), b"apiVersion: tenantry.dev/v1\nkind: Tennant\n").1[0].help;
    assert_eq!(help.as_deref(), Some("did you mean `Tenant`?"));
}

#[test]
fn files_that_say_nothing_are_fine() {
    for text in ["", "\n\n", "# a comment\n", "---\n", "---\n# x\n---\n...\n", "\u{feff}"] {
        let (documents, found) = file(FileId(0), text.as_bytes());
        assert!(documents.is_empty() && found.is_empty(), "{text:?}: {found:?}");
    }
}

#[test]
fn files_that_are_no_text_are_refused_before_any_yaml_is_read() {
    let codes = |bytes: &[u8]| file(FileId(0), bytes).1.iter().map(|it| it.message.clone()).collect::<Vec<_>>();
    assert_eq!(codes(&vec![b'['; 300 * 1024]), ["the file has 307200 bytes; 262144 are allowed"]);
    assert_eq!(codes(b"a: \xff\n"), ["byte 3 of the file is not UTF-8"]);
    assert_eq!(codes("a: \u{202e}b\n".as_bytes()), ["the text contains the hidden character U+202E"]);
}

#[test]
fn small_files_that_cost_much_elsewhere_end_soon_here() {
    let many = 100_000;
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n".to_owned();
    let long_keys: String = (0..15_000).map(|at| format!("k{at}: 1\n")).collect();
    let inputs = [
        (bomb, Code::YamlFeature),
        ("[".repeat(many), Code::YamlLimit),
        ("[".repeat(many) + &"]".repeat(many), Code::YamlLimit),
        ("{a: ".repeat(60_000), Code::YamlLimit),
        ("[".repeat(30), Code::YamlSyntax),
        ("- ".repeat(many), Code::YamlLimit),
        ("? ".repeat(many), Code::YamlFeature),
        ((0..500).map(|depth| " ".repeat(depth) + "a:\n").collect(), Code::YamlLimit),
        ("[],".repeat(80_000), Code::YamlSyntax),
        (format!("[{}]", "1,".repeat(many)), Code::YamlLimit),
        (long_keys, Code::YamlLimit),
        ("---\na: [\n".repeat(20_000), Code::YamlSyntax),
        ("a: \"".to_owned() + &"x\n".repeat(many), Code::YamlSyntax),
        ("!".repeat(many), Code::YamlSyntax),
        ("&".repeat(many), Code::YamlFeature),
        ("a: |\n".to_owned() + &" \n".repeat(many), Code::UnknownKind),
        (format!("{{{}}}", "a,".repeat(9_000)), Code::DuplicateKey),
    ];
    for (text, expected) in inputs {
        let (documents, found) = file(FileId(0), text.as_bytes());
        let codes: Vec<Code> = found.iter().map(|it| it.code).collect();
        assert!(documents.is_empty() && codes.contains(&expected), "{:?} {codes:?}", &text[..20]);
    }
}

#[test]
fn tricky_scalars_mean_the_same_to_both_readers_in_every_position() {
    let scalars = "no ~ 010 0o10 0x1F 1e3 1_000 .5 +1 -0 \"\" '' yes on 2026-01-01 12:30:45 null Null NULL True \"1.0\" 1.0 -.5 \
        'it''s' \"\\u00e4\\n\" a#b a:b -x % x% 1e999 0b11 ... - : ? # | > |- >+";
    for scalar in scalars.split_whitespace() {
        for text in [
            format!("{HEAD}a: {scalar}\n"),
            format!("{HEAD}a: [x, {scalar}]\n"),
            format!("{HEAD}a: {{x: {scalar}}}\n"),
            format!("{HEAD}a:\n- {scalar}\n- {scalar} \n"),
            format!("{HEAD}{scalar}: 1\n"),
            format!("{HEAD}a: {scalar} # comment\n"),
            format!("--- # x\n{HEAD}a: {scalar}\n  folded\n\n  on\n...\n"),
        ] {
            same_tree(&text);
        }
    }
}

/// Whatever the guard lets through, the typed reader reads as the same tree.
fn same_tree(text: &str) {
    assert_eq!(different_readings(text, Refused::IsDifferent), Vec::<String>::new());
}

enum Refused {
    IsDifferent,
    /// What only one reader understands is still reported, just later.
    IsFine,
}

fn different_readings(text: &str, refused: Refused) -> Vec<String> {
    let mut different = Vec::new();
    for document in file(FileId(0), text.as_bytes()).0 {
        let ours = document.root.to_json();
        match (serde_yaml::from_str::<Value>(slice(text, document.body)), &refused) {
            (Ok(theirs), _) if ours == theirs => {}
            (Err(_), Refused::IsFine) => {}
            (theirs, _) => different.push(format!("{text:?}: {ours} against {theirs:?}")),
        }
    }
    different
}

fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z]{0,8}",
        "[ -~]{0,20}",
        "[ -~\n]{0,30}",
        "[0-9a-fxo+_.eE:-]{0,8}",
        "(true|null|~|no|<<|-|---|[.]{3}|#x| x|x |x: y|é東🚀)",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-z~0-9.: #-]{0,6}", inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_the_typed_writer_writes_both_readers_read_alike(value in json()) {
        let written = serde_yaml::to_string(&serde_json::json!({ "a": value })).expect("it can be written");
        let text = format!("{HEAD}{written}");
        same_tree(&text);
        let flow = format!("{HEAD}a: {value}\n");
        same_tree(&flow);
        let (documents, found) = file(FileId(0), text.as_bytes());
        let hidden = found.iter().any(|it| it.code == Code::HiddenCharacter);
        prop_assert!(documents.len() == 1 || hidden, "{text:?} {found:?}");
        prop_assert!(documents.iter().all(|it| it.root.get("a").map(|a| a.to_json()) == Some(value.clone())));
    }

    #[test]
    fn what_looks_like_yaml_is_read_alike_or_refused(
        noise in prop::collection::vec("(\n|\n  |\n- |  |: |- |, |\\[|\\]|\\{|\\}|\"|'|#| #|\\||>|a|b|1|~|\\?|é|---\n|\\.\\.\\.\n|%|&a|\\*a|!|\\\\n|\t)", 0..24)
    ) {
        let noise: String = noise.concat();
        for text in [
            format!("{HEAD}a: {noise}\n"),
            format!("{HEAD}{noise}\n"),
            format!("{noise}\n---\n{HEAD}"),
            format!("{HEAD}a:\n  b:\n  - {noise}\nc: 1\n"),
        ] {
            prop_assert_eq!(different_readings(&text, Refused::IsFine), Vec::<String>::new());
        }
    }
}

#[test]
fn a_thousand_complaints_about_one_file_are_cut_short() {
    let anchors = format!("{HEAD}a:\n{}", "- &x 1\n".repeat(1000));
    assert_eq!(complaints(&anchors).len(), 50);
    let repeated = format!("{HEAD}{}", "a: 1\n".repeat(1000));
    assert_eq!(complaints(&repeated).len(), 50);
}
