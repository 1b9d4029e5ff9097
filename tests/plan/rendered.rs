//! A comment full of names that want to be more, as GitHub's own renderer shows it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::parts;
use crate::project::{catalog, tenant};
use crate::repository::Repository;

/// Names that authors may write where a text is free: keys of rights, what the shell shows, names of mini-programs.
const HOSTILE: [&str; 18] = [
    "@everyone",
    "@acme/all",
    "</details>",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden",
    "`code`",
    "a``b",
    "|",
    "a\\\\|b",
    "[link](https://evil.example)",
    "![image](https://evil.example/x.png)",
    "https://evil.example/?a=1",
    "www.evil.example",
    "somebody@evil.example",
    "#1",
    "**bold**",
    "\\u202e reversed",
    "line\\nbreak",
];

/// A project in which plan `business` gains rights with such names, and the looks of one tenant have them as values.
fn repository() -> Repository {
    let mut files = catalog();
    for name in ["acorn", "birch", "cedar", "dogwood", "elm", "fir", "grape"] {
        files.push(tenant(name, "business", ""));
    }
    let repository = Repository::new(files);
    let quoted = |it: &str| format!("\"{}\"", it.replace('"', "\\\""));
    let rights: Vec<String> = HOSTILE.iter().map(|it| format!("    {}: 1\n", quoted(it))).collect();
    repository.edit("catalog/plans/business.yaml", "spec:\n", &format!("spec:\n  entitlements:\n{}", rights.concat()));
    let looks: Vec<String> = HOSTILE.iter().map(|it| format!("      {}: {}\n", quoted(it), quoted(it))).collect();
    repository.edit("tenants/acorn.yaml", "spec:\n", &format!("spec:\n  branding:\n    window:\n{}", looks.concat()));
    repository.edit(
        "catalog/programs/chat/program.yaml",
        "  name: chat\n",
        "  name: \"<b>@chat</b> | `www.evil.example`\"\n",
    );
    repository
}

/// What the renderer makes of it; none when it is not installed.
pub(crate) fn rendered(comment: &str) -> Option<Value> {
    let mut python = Command::new(parts::folder().join("venv/bin/python"));
    let is_there = python.args(["-c", "import cmarkgfm"]).output().is_ok_and(|it| it.status.success());
    if !parts::present_or_demanded("cmarkgfm", is_there) {
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plan/rendered.py");
    let mut command = Command::new(python.get_program());
    let mut child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
    child.stdin.take().expect("stdin was asked for").write_all(comment.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn names_stay_names_for_githubs_own_renderer() {
    let repository = repository();
    let full = repository.plan(&["--format", "markdown"]).ok().stdout;
    for budget in ["60000", "4000", "2500", "1500", "1000"] {
        let comment = repository.plan(&["--format", "markdown", "--budget", budget]).ok().stdout;
        assert!(comment.chars().count() <= budget.parse().expect("a number"), "{budget}");
        let Some(page) = rendered(&comment) else { return };
        let tags: BTreeSet<&str> = page["tags"].as_object().expect("a map").keys().map(|it| &**it).collect();
        let ours = [
            "blockquote",
            "br",
            "code",
            "details",
            "h3",
            "li",
            "p",
            "strong",
            "summary",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
        ];
        assert!(tags.is_subset(&BTreeSet::from(ours)), "no link, no image, nothing else: {tags:?}");
        assert_eq!(page["unbalanced"], 0, "{comment}");
        assert_eq!(page["tags"]["details"], page["tags"]["summary"]);
        let attributes = page["attributes"].as_array().expect("a list");
        assert!(
            attributes.iter().all(|it| ["td align", "th align"].contains(&it.as_str().expect("text"))),
            "{attributes:?}"
        );
        let outside = page["outside"].as_str().expect("text");
        for mark in ["@", "#", "://", "www.", "<", "`", "\u{202e}"] {
            assert!(!outside.contains(mark), "`{mark}` stands outside of code:\n{outside}");
        }
    }
    let Some(page) = rendered(&full) else { return };
    let codes: BTreeSet<&str> = page["codes"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    for name in HOSTILE {
        // As it was written in YAML, whose escapes our own way of writing such characters out happens to share.
        let shown = name.replace("\\\\", "\\").replace("\\u202e", "\\u{202e}");
        assert!(codes.contains(&*shown), "{shown:?} is shown as it is: {codes:?}");
    }
}

#[test]
fn names_stay_names_on_the_page_and_in_json() {
    let repository = repository();
    let page = repository.plan(&["--format", "html"]).ok().stdout;
    for text in ["<img", "<!--", "onerror=alert(1)>", "</details>\n</code>", "\u{202e}"] {
        assert!(!page.contains(text), "{text}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    let plan = repository.json(&[]);
    let classes = plan["classes"].as_array().expect("a list").iter();
    let changes = classes.flat_map(|it| it["changes"].as_array().expect("a list"));
    let rights = changes.filter(|it| it["kind"] == "entitlement_gained");
    let items: BTreeSet<String> = rights.map(|it| it["item"].as_str().expect("text").to_owned()).collect();
    assert!(items.contains("\u{202e} reversed") && items.contains("line\nbreak"), "machines get the text: {items:?}");
    let terminal = repository.plan(&[]).ok().stdout;
    assert!(!terminal.contains('\u{202e}') && page.contains("\\u{202e} reversed"));
}
