use proptest::prelude::*;

use super::{Refused, file};
use crate::check::schema::examples;
use crate::parse::Kind;
use crate::text::FileId;

#[track_caller]
fn laid_out(text: &str) -> String {
    let new = file(FileId(0), text.as_bytes()).unwrap_or_else(|why| panic!("{why:?}\n{text}"));
    let again = file(FileId(0), new.as_bytes()).unwrap_or_else(|why| panic!("{why:?}\n{new}"));
    assert_eq!(again, new, "a second time changes nothing");
    new
}

const HEAD: &str = "apiVersion: tenantry.dev/v1\nkind: Tenant\n";

#[track_caller]
fn tenant(text: &str, expected: &str) {
    assert_eq!(laid_out(&format!("{HEAD}{text}")), format!("{HEAD}{expected}"));
}

#[test]
fn keys_come_in_one_order_and_their_comments_with_them() {
    tenant(
        "spec:\n  # Sold in March.\n  plan: basic # until June\n  # Never changes.\n  tenant_id: t_1234\nmetadata:\n  owner: us\n  name: acme\n",
        "metadata:\n  name: acme\n  owner: us\nspec:\n  # Never changes.\n  tenant_id: t_1234\n  # Sold in March.\n  plan: basic # until June\n",
    );
}

#[test]
fn what_stands_above_a_document_stays_there() {
    assert_eq!(
        laid_out("# modeline\n# About Acme.\nkind: Tenant\n# The format.\napiVersion: tenantry.dev/v1\n"),
        "# modeline\n# About Acme.\n# The format.\napiVersion: tenantry.dev/v1\nkind: Tenant\n"
    );
}

#[test]
fn every_level_is_two_spaces_and_lists_are_a_level() {
    tenant(
        "spec:\n      plan:   basic\n      pins:\n      -   code:  7\n          app_id: a.b\n      - {app_id: c.d, code: 1}\n      domains:\n              - x.example\n",
        "spec:\n  plan: basic\n  pins:\n    - app_id: a.b\n      code: 7\n    - {app_id: c.d, code: 1}\n  domains:\n    - x.example\n",
    );
}

#[test]
fn comments_between_blocks_belong_to_where_they_are_indented() {
    tenant(
        "spec:\n  license:\n    seats: 4\n    # More in May.\n  # How it looks.\n  branding:\n    name: A\n    # No icons yet.\n  # The end of the spec.\n# The end.\n",
        "spec:\n  license:\n    seats: 4\n    # More in May.\n  # How it looks.\n  branding:\n    name: A\n    # No icons yet.\n  # The end of the spec.\n# The end.\n",
    );
}

#[test]
fn a_comment_that_comes_first_in_an_item_stands_above_its_dash() {
    tenant(
        "spec:\n  pins:\n    - # Why one.\n      code: 1 # one\n      # Which.\n      app_id: a.b\n    # Why two.\n    - app_id: c.d # two\n      code: 2\n",
        "spec:\n  pins:\n    # Why one.\n    # Which.\n    - app_id: a.b\n      code: 1 # one\n    # Why two.\n    - app_id: c.d # two\n      code: 2\n",
    );
}

#[test]
fn block_scalars_keep_every_character_that_means_something() {
    tenant(
        "metadata:\n    description: |  # as it is\n          one\n            two # no comment\n\n          three   \n    name: a\n    title: >2-\n          folded\n    annotations:\n        kept: |+\n            x\n\n\n        last: y\n",
        "metadata:\n  name: a\n  title: >2-\n        folded\n  description: |  # as it is\n    one\n      two # no comment\n\n    three   \n  annotations:\n    kept: |+\n      x\n\n\n    last: y\n",
    );
}

#[test]
fn quotes_that_matter_and_other_scripts_stay_as_they_are() {
    tenant(
        "metadata:\n  title: 'yes' # 本当\n  name: \"12\"\n  description: \"on\n    two lines\\\n    \\ and a third\"\n  labels: {\"城市\": '東京', a: [1, \"2\",\n      3]}\n",
        "metadata:\n  name: \"12\"\n  title: 'yes' # 本当\n  description: \"on\n    two lines\\\n    \\ and a third\"\n  labels: {\"城市\": '東京', a: [1, \"2\",\n      3]}\n",
    );
}

#[test]
fn keys_that_authors_choose_keep_their_order() {
    let text = "metadata:\n  name: a\n  labels:\n    z: 1\n    ring: b\n    a: 2\nspec:\n  unknown: 1\n  ext:\n    com.b:\n      z: 1\n      plan: 2\n    com.a:\n      y: 1\n  also: 2\n";
    tenant(
        text,
        "metadata:\n  name: a\n  labels:\n    z: 1\n    ring: b\n    a: 2\nspec:\n  ext:\n    com.b:\n      z: 1\n      plan: 2\n    com.a:\n      y: 1\n  unknown: 1\n  also: 2\n",
    );
}

#[test]
fn blank_lines_separate_and_never_more_than_one() {
    tenant(
        "\n\nspec:\n\n  plan: a\n\n\n\n  # c\n\n  tenant_id: b   \n\n\n",
        "\nspec:\n\n  # c\n\n  tenant_id: b\n  plan: a\n".replace("spec:\n\n", "spec:\n").as_str(),
    );
}

#[test]
fn comments_behind_values_stay_behind_them_and_keep_their_distance() {
    tenant(
        "metadata:\n  title: \"A # no\"   # quoted\n  owner: 'it''s'  # single\n  labels: [\"]\"] # flow\n  annotations: {} # empty\n  # own\n  name: a        # plain\n  description: [\"a\", # in\n    'b' # last ]\n    ]   # behind\n",
        "metadata:\n  # own\n  name: a        # plain\n  title: \"A # no\"   # quoted\n  description: [\"a\", # in\n    'b' # last ]\n    ]   # behind\n  labels: [\"]\"] # flow\n  annotations: {} # empty\n  owner: 'it''s'  # single\n",
    );
}

#[test]
fn no_blank_line_comes_behind_a_text_that_would_keep_it() {
    tenant(
        "spec:\n  tenant_id: |+\n    x\n  domains: []\n\n  plan: a\n\n  # c\n  status: b\n",
        "spec:\n  tenant_id: |+\n    x\n  # c\n  status: b\n\n  plan: a\n  domains: []\n",
    );
}

#[test]
fn a_key_behind_a_question_mark_is_refused_with_its_name() {
    let refused = file(FileId(0), format!("{HEAD}spec:\n  ? plan\n  : basic\n").as_bytes()).expect_err("a `?`");
    let Refused::Unreadable(found) = refused else { panic!("{refused:?}") };
    assert_eq!(found[0].message, "the key `plan` stands behind a `?`, which has no layout");
}

#[test]
fn empty_block_scalars_are_no_keys_without_values() {
    tenant(
        "spec:\n    domains:\n    - |+\n\n\n    - |  # empty\n    - |2\n        y\n      # no comment\n    -\n    - - |\n      - x\n    # after\n    - e\n    tenant_id: |\n    # why\n    plan: >- # d\n\n    shells: []\nmetadata: |+\n\n\n",
        "metadata: |+\n\n\nspec:\n  tenant_id: |\n  # why\n  plan: >- # d\n\n  shells: []\n  domains:\n    - |+\n\n\n    - |  # empty\n    - |2\n        y\n      # no comment\n    -\n    - - |\n      - x\n    # after\n    - e\n",
    );
}

#[test]
fn several_documents_keep_their_marks() {
    let text = format!(
        "# top\n---  # one\n{HEAD}spec:\n    plan: a\n---\n# only a comment\n...\n--- # two\n\n{HEAD}spec:\n    plan: b"
    );
    let expected = format!(
        "# top\n---  # one\n{HEAD}spec:\n  plan: a\n---\n# only a comment\n...\n--- # two\n{HEAD}spec:\n  plan: b\n"
    );
    assert_eq!(laid_out(&text), expected);
}

#[test]
fn windows_line_breaks_and_a_byte_order_mark_stay() {
    let text =
        "\u{feff}# a\r\nkind: Tenant\r\napiVersion: tenantry.dev/v1\r\nspec:\r\n    plan: |\r\n      x\r\n      y\r\n";
    let expected =
        "\u{feff}# a\r\napiVersion: tenantry.dev/v1\r\nkind: Tenant\r\nspec:\r\n  plan: |\r\n    x\r\n    y\r\n";
    assert_eq!(laid_out(text), expected);
}

#[test]
fn keys_without_values_and_empty_items_stay_empty() {
    tenant(
        "spec:\n  add_ons: # none yet\n  plan:\n  tenant_id: ~\n  domains:\n    - # first\n    -\n    - x\n",
        "spec:\n  tenant_id: ~\n  plan:\n  add_ons: # none yet\n  domains:\n    - # first\n    -\n    - x\n",
    );
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_the_reason() {
    let refused = file(FileId(0), b"kind: Tenant\na: &b 1\n").expect_err("an anchor");
    let Refused::Unreadable(found) = refused else { panic!("{refused:?}") };
    assert_eq!(found[0].message, "the anchor `&b` is not allowed");
}

#[test]
fn the_complete_documents_are_as_they_must_be() {
    for kind in Kind::ALL {
        assert_eq!(laid_out(examples::complete(*kind)), examples::complete(*kind));
    }
}

/// A complete document with its keys in another order, other indentation, and comments wherever one can stand.
fn untidy(kind: Kind, seed: &[u8]) -> String {
    let value: serde_yaml::Value = serde_yaml::from_str(examples::complete(kind)).expect("YAML");
    let mut writer = Untidy { seed, at: 0, text: String::new(), comments: 0 };
    writer.comment(0);
    writer.mapping(value.as_mapping().expect("a mapping"), 0);
    writer.comment(0);
    writer.text
}

struct Untidy<'a> {
    seed: &'a [u8],
    at: usize,
    text: String,
    comments: usize,
}

impl Untidy<'_> {
    fn draw(&mut self, below: usize) -> usize {
        let drawn = self.seed[self.at % self.seed.len()] as usize;
        self.at += 1;
        drawn % below
    }

    fn comment(&mut self, indent: usize) {
        for _ in 0..self.draw(3) / 2 {
            self.comments += 1;
            let text = ["plain", "key: value", "- item", "'quoted", "\"q", "né ☃ #", "{a"][self.draw(7)];
            let blank = ["", "\n", "\n\n"][self.draw(3)];
            self.text += &format!("{blank}{}#{} {text}\n", " ".repeat(indent), self.comments);
        }
    }

    fn end_of_line(&mut self) {
        match self.draw(4) {
            0 => {
                self.comments += 1;
                self.text += &format!("  # {} trailing\n", self.comments);
            }
            1 => self.text += "  \n",
            _ => self.text.push('\n'),
        }
    }

    fn mapping(&mut self, mapping: &serde_yaml::Mapping, indent: usize) {
        let mut entries: Vec<_> = mapping.iter().collect();
        while !entries.is_empty() {
            let (key, value) = entries.remove(self.draw(entries.len()));
            if !self.text.ends_with("- ") {
                self.comment(indent);
                self.text += &" ".repeat(indent);
            }
            self.text += &format!("{}:", key.as_str().expect("a text"));
            self.value(value, indent);
        }
        self.comment(indent);
    }

    fn value(&mut self, value: &serde_yaml::Value, indent: usize) {
        match value {
            serde_yaml::Value::Mapping(mapping) => {
                self.end_of_line();
                let deeper = indent + 1 + self.draw(4);
                self.mapping(mapping, deeper);
            }
            serde_yaml::Value::Sequence(items) if self.draw(3) > 0 => {
                self.end_of_line();
                let deeper = indent + self.draw(4);
                for item in items {
                    self.comment(deeper);
                    self.text += &format!("{}- ", " ".repeat(deeper));
                    match item {
                        serde_yaml::Value::Mapping(mapping) => self.mapping(mapping, deeper + 2),
                        other => {
                            self.text.pop();
                            self.value(other, deeper);
                        }
                    }
                }
            }
            serde_yaml::Value::String(text) => {
                let quoted = serde_json::to_string(text).expect("a text");
                match self.draw(4) {
                    0 => self.text += &format!(" |-\n{}{text}\n", " ".repeat(indent + 1 + self.seed.len() % 4)),
                    1 => {
                        self.text += &format!(" >-\n\n{}{text}\n\n", " ".repeat(indent + 3)).replace("\n\n ", "\n ");
                    }
                    _ => {
                        self.text += &format!("  {quoted}");
                        self.end_of_line();
                    }
                }
            }
            other => {
                let json = serde_json::to_string(other).expect("plain data");
                self.text += &format!(" {json}");
                self.end_of_line();
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_a_document_looks_like_it_means_the_same_and_keeps_its_comments(
        kind in 0..Kind::ALL.len(),
        seed in proptest::collection::vec(any::<u8>(), 8..200),
    ) {
        let text = untidy(Kind::ALL[kind], &seed);
        let new = file(FileId(0), text.as_bytes());
        prop_assert!(new.is_ok(), "{:?}\n{}", new, text);
        let new = new.expect("just seen");
        // Judged by another reader than the one that did the work.
        let meaning = |text: &str| serde_yaml::from_str::<serde_yaml::Value>(text).expect("YAML");
        prop_assert_eq!(meaning(&new), meaning(examples::complete(Kind::ALL[kind])), "{}\n→\n{}", text, new);
        let comments = |text: &str| {
            let mut found: Vec<String> = text.split('#').skip(1).filter_map(|it| it.lines().next()).map(|it| it.trim().to_owned()).collect();
            found.sort();
            found
        };
        prop_assert_eq!(comments(&new), comments(&text));
        prop_assert_eq!(file(FileId(0), new.as_bytes()), Ok(new.clone()), "{}\n→\n{}", text, new);
        let first = new.lines().find(|it| !it.starts_with('#') && !it.is_empty());
        prop_assert!(first.is_some_and(|it| it.starts_with("apiVersion:")), "{}", new);
    }
}

/// Lines that YAML authors and their enemies write; what of their combinations can be read must come out the same.
fn odd_lines() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a:",
        "b: 1",
        "c: |",
        "d: >-",
        "e: |+",
        "f: |2",
        "g: # c",
        "- x",
        "-",
        "- - y",
        "- a: 1",
        "- a:",
        "# c",
        "",
        "  ",
        "\"q\": 'w'",
        "h: \"two",
        "lines\"",
        "i: [1,",
        "2] # c",
        "j: {k: v}",
        "text",
        "l: plain",
        "- |",
        "- >+",
        "m : 1",
        "spec:",
        "plan: p",
        "tenant_id: t",
        "metadata:",
        "name: n",
        "? x",
        ": y",
        "o: :p",
        "- :q",
        "r: 'a # b'",
        "s: a#b",
        "- # c",
        "---",
        "...",
        "é: ☃ # ü",
        "t: - # c",
        "u-: 1",
        "|",
        ">",
        "\ta",
        "- ? z",
        "v:\t1",
        "w: [a, # c",
        "]",
        "x: a # c ",
        "- '",
        "' # c",
        "y: \"\\",
        "\\ z\"",
        "- &",
    ]);
    let line = (0..5usize, pieces).prop_map(|(indent, piece)| format!("{}{piece}\n", "  ".repeat(indent)));
    prop::collection::vec(line, 0..9).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_can_be_read_can_be_laid_out(lines in odd_lines()) {
        let text = format!("{HEAD}{lines}");
        match file(FileId(0), text.as_bytes()) {
            Ok(new) => prop_assert_eq!(file(FileId(0), new.as_bytes()), Ok(new.clone()), "{}\n→\n{}", text, new),
            Err(why) => prop_assert!(matches!(why, Refused::Unreadable(_)), "{}", text),
        }
    }
}
