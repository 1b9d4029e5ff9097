//! Expressions of GitHub Actions, as far as our workflows use them. What they do not use is a panic.

use serde_json::Value;

/// A text with every `${{ … }}` in it replaced.
pub(crate) fn interpolate(text: &str, context: &Value) -> String {
    let mut parts = text.split("${{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (expression, rest) = part.split_once("}}").expect("an expression ends");
        out += &shown(&evaluate(expression, context));
        out += rest;
    }
    out
}

/// Whether a condition holds; it may stand in `${{ }}` or not. Without a word about the steps before, these must be well.
pub(crate) fn holds(condition: &str, context: &Value) -> bool {
    let bare = condition.trim().trim_start_matches("${{").trim_end_matches("}}");
    let speaks = ["always()", "cancelled()", "success()", "failure()"].iter().any(|it| bare.contains(it));
    (speaks || context["ok"] == true) && is_true(&evaluate(bare, context))
}

pub(crate) fn evaluate(expression: &str, context: &Value) -> Value {
    let mut reader = Reader { rest: expression, context };
    let value = reader.either();
    assert_eq!(reader.rest.trim(), "", "nothing is left of {expression:?}");
    value
}

/// As a workflow sees a value in a text.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_true(value: &Value) -> bool {
    !matches!(shown(value).as_str(), "" | "false" | "0")
}

struct Reader<'a> {
    rest: &'a str,
    context: &'a Value,
}

impl Reader<'_> {
    fn either(&mut self) -> Value {
        let mut value = self.both();
        while self.takes("||") {
            let other = self.both();
            value = if is_true(&value) { value } else { other };
        }
        value
    }

    fn both(&mut self) -> Value {
        let mut value = self.equal();
        while self.takes("&&") {
            let other = self.equal();
            value = if is_true(&value) { other } else { value };
        }
        value
    }

    fn equal(&mut self) -> Value {
        let value = self.one();
        match (self.takes("=="), self.takes("!=")) {
            (true, _) => (shown(&value) == shown(&self.one())).into(),
            (_, true) => (shown(&value) != shown(&self.one())).into(),
            _ => value,
        }
    }

    fn one(&mut self) -> Value {
        if self.takes("!") {
            return (!is_true(&self.one())).into();
        }
        if self.takes("(") {
            let value = self.either();
            assert!(self.takes(")"), "a bracket closes before {:?}", self.rest);
            return value;
        }
        if self.takes("'") {
            let (text, rest) = self.rest.split_once('\'').expect("a text ends");
            self.rest = rest;
            return text.into();
        }
        let end = self.rest.find(|it: char| !(it.is_ascii_alphanumeric() || "._-*".contains(it)));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        match (name, self.takes("(")) {
            (_, false) => path(name, self.context),
            ("toJSON", true) => {
                let value = self.either();
                assert!(self.takes(")"), "toJSON has one argument");
                serde_json::to_string_pretty(&value).expect("JSON is text").into()
            }
            (name, true) => {
                assert!(self.takes(")"), "{name} has no argument");
                match name {
                    "always" => true.into(),
                    "cancelled" => false.into(),
                    "success" => self.context["ok"].clone(),
                    other => panic!("`{other}` is no function that we know"),
                }
            }
        }
    }

    fn takes(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        // `!=` is not `!`.
        let is_there = rest.starts_with(token) && !(token == "!" && rest.starts_with("!="));
        self.rest = if is_there { &rest[token.len()..] } else { rest };
        is_there
    }
}

/// `a.b.*.c`. What is not there is null, but what the expression begins with must be.
fn path(name: &str, context: &Value) -> Value {
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    let mut value = context.get(first).unwrap_or_else(|| panic!("`{name}` begins with nothing that we know")).clone();
    let mut parts = rest.split('.').filter(|it| !it.is_empty());
    while let Some(part) = parts.next() {
        if part == "*" {
            let rest: Vec<&str> = parts.collect();
            let all = value.as_array().cloned().unwrap_or_default();
            let inner = |it: Value| rest.iter().fold(it, |it, part| it.get(*part).cloned().unwrap_or_default());
            return all.into_iter().map(inner).collect();
        }
        value = value.get(part).cloned().unwrap_or_default();
    }
    value
}

#[test]
fn expressions_mean_what_github_says_they_mean() {
    let context = serde_json::json!({
        "ok": false,
        "github": { "token": "t", "event": { "labels": [{ "name": "a" }, { "name": "b" }], "head": { "repo": "x/y" } }, "repository": "x/y" },
    });
    for (expression, expected) in [
        ("github.event.head.repo == github.repository && github.token || ''", "t"),
        ("github.event.head.repo != github.repository && github.token || ''", ""),
        ("github.event.labels.*.name", "[\"a\",\"b\"]"),
        ("github.event.nothing.there", ""),
        ("!(github.token == 't')", "false"),
    ] {
        assert_eq!(shown(&evaluate(expression, &context)), expected, "{expression}");
    }
    assert!(holds("${{ !cancelled() && github.token != '' }}", &context));
    assert!(!holds("github.token != ''", &context), "a step before has failed");
    assert_eq!(interpolate("a ${{ github.token }} b${{ github.token }}", &context), "a t bt");
}
