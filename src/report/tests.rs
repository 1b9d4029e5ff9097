use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Findings, Format, Styled, table, text};
use crate::diag::{Code, Diagnostic};
use crate::path::RepoPath;
use crate::text::{FileId, SourceFile, SourceMap, Span};

fn sources(files: &[(&str, &str)]) -> SourceMap {
    let file = |(path, text): &(&str, &str)| SourceFile {
        path: RepoPath::parse(path).expect("a good path"),
        text: (*text).into(),
    };
    SourceMap::new(files.iter().map(file).collect())
}

fn span(file: u32, start: u32, end: u32) -> Span {
    Span { file: FileId(file), start, end }
}

fn example() -> (Vec<Diagnostic>, SourceMap) {
    let sources = sources(&[
        ("catalog/plans/a b.yaml", "kind: Plan\nname: gold\n"),
        ("tenants/x.yaml", "kind: Tenant\nspec:\n  # Größe\n  plan: gould\n"),
    ]);
    let found = vec![
        Diagnostic::new(Code::UnknownPlan, span(1, 39, 44), "there is no plan `gould`")
            .here("named here")
            .label(span(0, 17, 21), "this is near")
            .help("did you mean `gold`?"),
        Diagnostic::new(Code::OverrideExpired, span(1, 0, 4), "an override has expired"),
    ];
    (found, sources)
}

fn diagnostics(found: &[Diagnostic], sources: &SourceMap, format: Format, styled: Styled) -> String {
    text(&Findings { diagnostics: found, sources, folder: "" }, format, styled)
}

fn render(format: Format) -> String {
    let (found, sources) = example();
    diagnostics(&found, &sources, format, Styled::Plain)
}

/// The same project, somewhere inside a repository.
fn render_inside(format: Format) -> String {
    let (found, sources) = example();
    text(&Findings { diagnostics: &found, sources: &sources, folder: "shop/" }, format, Styled::Plain)
}

fn parsed(found: &[Diagnostic], sources: &SourceMap, format: Format) -> serde_json::Value {
    serde_json::from_str(&diagnostics(found, sources, format, Styled::Plain)).expect("it is JSON")
}

#[test]
fn people_see_the_lines_that_are_meant() {
    let expected = "\
error[unknown-plan]: there is no plan `gould`
 --> tenants/x.yaml:4:9
  |
4 |   plan: gould
  |         ^^^^^ named here
  |
 ::: catalog/plans/a b.yaml:2:7
  |
2 | name: gold
  |       ---- this is near
  |
  = help: did you mean `gold`?

warning[override-expired]: an override has expired
 --> tenants/x.yaml:1:1
  |
1 | kind: Tenant
  | ^^^^

1 error, 1 warning in 1 file
";
    assert_eq!(render(Format::Human), expected);
}

#[test]
fn short_is_one_line_for_each() {
    assert_eq!(
        render(Format::Short),
        "tenants/x.yaml:4:9: error[unknown-plan]: there is no plan `gould` (did you mean `gold`?)\n\
         tenants/x.yaml:1:1: warning[override-expired]: an override has expired\n\
         1 error, 1 warning in 1 file\n"
    );
}

#[test]
fn json_is_one_document() {
    let expected = concat!(
        r#"{"diagnostics":[{"code":"unknown-plan","column":9,"end_column":14,"end_line":4,"help":"did you mean `gold`?","#,
        r#""labels":[{"column":9,"end_column":14,"end_line":4,"line":4,"path":"tenants/x.yaml","text":"named here"},"#,
        r#"{"column":7,"end_column":11,"end_line":2,"line":2,"path":"catalog/plans/a b.yaml","text":"this is near"}],"#,
        r#""line":4,"message":"there is no plan `gould`","path":"tenants/x.yaml","severity":"error"},"#,
        r#"{"code":"override-expired","column":1,"end_column":5,"end_line":1,"help":null,"#,
        r#""labels":[{"column":1,"end_column":5,"end_line":1,"line":1,"path":"tenants/x.yaml","text":""}],"#,
        r#""line":1,"message":"an override has expired","path":"tenants/x.yaml","severity":"warning"}]}"#,
        "\n"
    );
    assert_eq!(render(Format::Json), expected);
    assert_eq!(diagnostics(&[], &sources(&[]), Format::Json, Styled::Plain), "{\"diagnostics\":[]}\n");
}

#[test]
fn sarif_names_rules_results_and_places() {
    let (found, sources) = example();
    let log = parsed(&found, &sources, Format::Sarif);
    let help = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/diagnostics.md");
    let rule = |slug: &str, level: &str, meaning: &str| {
        json!({
            "id": slug,
            "shortDescription": { "text": meaning },
            "fullDescription": { "text": meaning },
            "help": { "text": format!("{meaning} See {help}#{slug}") },
            "helpUri": format!("{help}#{slug}"),
            "defaultConfiguration": { "level": level },
        })
    };
    let region = |line: u32, from: u32, to: u32| json!({ "startLine": line, "startColumn": from, "endLine": line, "endColumn": to });
    let at = |uri: &str, region: Value| json!({ "artifactLocation": { "uri": uri }, "region": region });
    let results = &log["runs"][0]["results"];
    let expected = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": true }],
            "tool": { "driver": {
                "name": "tenantry",
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": [
                    rule("unknown-plan", "error", "A plan that does not exist."),
                    rule("override-expired", "warning", "An override past its expiry."),
                ],
            } },
            "results": [
                {
                    "ruleId": "unknown-plan", "ruleIndex": 0, "level": "error",
                    "message": { "text": "there is no plan `gould` (did you mean `gold`?)" },
                    "locations": [{ "physicalLocation": at("tenants/x.yaml", region(4, 9, 14)) }],
                    "relatedLocations": [{
                        "message": { "text": "this is near" },
                        "physicalLocation": at("catalog/plans/a%20b.yaml", region(2, 7, 11)),
                    }],
                    "partialFingerprints": results[0]["partialFingerprints"],
                },
                {
                    "ruleId": "override-expired", "ruleIndex": 1, "level": "warning",
                    "message": { "text": "an override has expired" },
                    "locations": [{ "physicalLocation": at("tenants/x.yaml", region(1, 1, 5)) }],
                    "partialFingerprints": results[1]["partialFingerprints"],
                },
            ],
        }],
    });
    assert_eq!(log, expected);
    let fingerprint = results[0]["partialFingerprints"]["tenantry/v1"].as_str().expect("a text");
    assert!(fingerprint.len() == 32 && fingerprint.bytes().all(|it| it.is_ascii_hexdigit()), "{fingerprint}");
}

#[test]
fn sarif_holds_the_worst_five_thousand_and_says_how_many_are_left_out() {
    let sources = sources(&[("tenants/x.yaml", "a: b\n")]);
    let warnings = (0..4_990).map(|it| Diagnostic::new(Code::IdleExt, span(0, 0, 1), format!("`w{it}`")));
    let errors = (0..20).map(|it| Diagnostic::new(Code::BadValue, span(0, 0, 1), format!("`e{it}`")));
    let found: Vec<Diagnostic> = warnings.chain(errors).collect();
    let run = &parsed(&found, &sources, Format::Sarif)["runs"][0];
    let results = run["results"].as_array().expect("a list");
    assert_eq!(results.len(), 5_000);
    assert!(results[..20].iter().all(|it| it["level"] == "error") && results[20]["level"] == "warning");
    assert_eq!(
        run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
        "10 more results are left out: the worst 5000 are here"
    );
    let names: BTreeSet<&str> =
        results.iter().filter_map(|it| it["partialFingerprints"]["tenantry/v1"].as_str()).collect();
    assert_eq!(names.len(), 5_000, "no two are taken for the same");
}

/// What GitHub and GitLab know a finding by.
fn fingerprints(texts: &[(&str, &str)], spans: &[(Code, Span, &str)]) -> Vec<String> {
    let sources = sources(texts);
    let found: Vec<Diagnostic> = spans.iter().map(|(code, span, said)| Diagnostic::new(*code, *span, *said)).collect();
    let report = parsed(&found, &sources, Format::Gitlab);
    let text = |it: &Value| it["fingerprint"].as_str().expect("a text").to_owned();
    report.as_array().expect("a list").iter().map(text).collect()
}

#[test]
fn a_finding_is_known_again_when_lines_move_and_is_another_when_it_is_about_something_else() {
    let one = |text: &str, code: Code, said: &str| {
        let start = u32::try_from(text.find("gould").expect("it is there")).expect("short");
        fingerprints(&[("tenants/x.yaml", text)], &[(code, span(0, start, start + 5), said)]).remove(0)
    };
    let first = one("plan: gould\n", Code::UnknownPlan, "there is no plan `gould`");
    for moved in ["# one\n# two\nplan: gould\nmore: of it\n", "spec:\n      plan: gould   \n"] {
        assert_eq!(one(moved, Code::UnknownPlan, "there is no plan `gould`"), first, "{moved}");
    }
    assert_eq!(one("plan: gould\n", Code::UnknownPlan, "no plan `gould` here"), first, "our words may change");
    assert_ne!(one("plan: gould\n", Code::UnknownPlan, "there is no plan `gould2`"), first);
    assert_ne!(one("plan: gould\n", Code::BadValue, "there is no plan `gould`"), first);
    assert_ne!(one("plan: gould # really\n", Code::UnknownPlan, "there is no plan `gould`"), first);

    let twice = [(Code::UnknownPlan, span(0, 0, 1), "`x`"), (Code::UnknownPlan, span(0, 5, 6), "`x`")];
    let twice = fingerprints(&[("tenants/x.yaml", "a: x\na: x\n")], &twice);
    assert_ne!(twice[0], twice[1], "equal lines are told apart");
}

#[test]
fn github_gets_workflow_commands() {
    assert_eq!(
        render_inside(Format::Github),
        "::error file=shop/tenants/x.yaml,line=4,endLine=4,col=9,endColumn=13,title=unknown-plan::there is no plan `gould`%0Adid you mean `gold`?\n\
         ::warning file=shop/tenants/x.yaml,line=1,endLine=1,col=1,endColumn=4,title=override-expired::an override has expired\n"
    );
}

#[test]
fn github_gets_the_ten_worst_and_the_number_of_the_others() {
    let sources = sources(&[("tenants/x.yaml", "a: b\n")]);
    let warnings = (0..9).map(|it| Diagnostic::new(Code::IdleExt, span(0, 0, 1), format!("w{it}")));
    let errors = (0..8).map(|it| Diagnostic::new(Code::BadValue, span(0, 3, 4), format!("e{it}")));
    let found: Vec<Diagnostic> = warnings.chain(errors).collect();
    let text = diagnostics(&found, &sources, Format::Github, Styled::Plain);
    let said: Vec<&str> = text.lines().filter_map(|it| it.rsplit("::").next()).collect();
    assert_eq!(
        said,
        ["e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "w0", "w1", "... and 7 more, in the summary of this run"]
    );
    let findings = Findings { diagnostics: &found, sources: &sources, folder: "" };
    let rest = super::beyond_annotations(&findings);
    assert_eq!(rest.lines().count(), 7);
    assert!(rest.starts_with("tenants/x.yaml:1:1: warning[idle-ext]: w2\n"), "{rest}");
}

#[test]
fn the_summary_of_a_step_is_a_table_of_everything_that_fits() {
    let (found, sources) = example();
    let findings = Findings { diagnostics: &found, sources: &sources, folder: "shop/" };
    let expected = "\
### tenantry check · 1 error, 1 warning in 1 file

| | where | what |
|---|---|---|
| ✕&nbsp;error `unknown-plan` | `shop/tenants/x.yaml:4:9` | there is no plan `gould`<br>did you mean `gold`? |
| ▲&nbsp;warning `override-expired` | `shop/tenants/x.yaml:1:1` | an override has expired |
";
    assert_eq!(table(&findings, 1_000_000), expected);
    assert_eq!(table(&Findings { diagnostics: &[], ..findings }, 1_000_000), "");

    let evil = "<img src=x> | @all [x](https://evil.example) `";
    let found: Vec<Diagnostic> =
        (0..50).map(|it| Diagnostic::new(Code::BadValue, span(1, 0, 4), format!("{it} {evil}"))).collect();
    for budget in [0, 100, 500, 1_000, 5_000, 20_000] {
        let page = table(&Findings { diagnostics: &found, sources: &sources, folder: "" }, budget);
        assert!(page.len() <= budget, "{} of {budget}", page.len());
        let shown = page.lines().filter(|it| it.starts_with("| ✕")).count();
        let left = format!("... and {} more, for which there is no room here.", 50 - shown);
        assert!(page.is_empty() || shown == 50 || page.contains(&left), "{page}");
    }
}

#[test]
fn gitlab_gets_its_code_quality_report() {
    let (found, sources) = example();
    let report: Value = serde_json::from_str(&render_inside(Format::Gitlab)).expect("it is JSON");
    let expected = json!([
        {
            "description": "there is no plan `gould` (did you mean `gold`?)",
            "check_name": "unknown-plan",
            "fingerprint": report[0]["fingerprint"],
            "severity": "blocker",
            "location": { "path": "shop/tenants/x.yaml", "lines": { "begin": 4, "end": 4 } },
        },
        {
            "description": "an override has expired",
            "check_name": "override-expired",
            "fingerprint": report[1]["fingerprint"],
            "severity": "minor",
            "location": { "path": "shop/tenants/x.yaml", "lines": { "begin": 1, "end": 1 } },
        },
    ]);
    assert_eq!(report, expected);
    assert_eq!(diagnostics(&[], &sources, Format::Gitlab, Styled::Plain), "[]\n");
    assert_eq!(found.len(), 2);
}

#[test]
fn junit_has_a_case_for_each_file_and_the_errors_of_one_are_its_failure() {
    let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"tenantry check\" tests=\"2\" failures=\"1\" errors=\"0\">
<testsuite name=\"tenantry check\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">
<testcase classname=\"catalog\" name=\"catalog/plans/a b.yaml\" file=\"catalog/plans/a b.yaml\"/>
<testcase classname=\"tenants\" name=\"tenants/x.yaml\" file=\"tenants/x.yaml\">
<failure type=\"unknown-plan\" message=\"there is no plan `gould`\">tenants/x.yaml:4:9: error[unknown-plan]: there is no plan `gould` (did you mean `gold`?)
</failure>
<system-out>tenants/x.yaml:1:1: warning[override-expired]: an override has expired
</system-out>
</testcase>
</testsuite>
</testsuites>
";
    assert_eq!(render(Format::Junit), expected);
}

#[test]
fn nothing_that_a_tenant_writes_is_obeyed() {
    let sources = sources(&[("tenants/a,b:c%.yaml", "a: \u{1b}[31m\u{9b}\u{202e}x\n")]);
    let evil = "x\u{1b}[2J\r\n::error::owned ##[add-mask]%0A\u{202e}\u{9b}";
    let found = [Diagnostic::new(Code::BadValue, span(0, 3, 4), evil).here(evil).help(evil)];
    for format in
        [Format::Human, Format::Short, Format::Json, Format::Sarif, Format::Github, Format::Gitlab, Format::Junit]
    {
        let text = diagnostics(&found, &sources, format, Styled::Plain);
        let obeyed = text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
        assert!(!obeyed, "{format:?}: {text:?}");
        let injected = text.lines().any(|line| line.trim_start().starts_with("::error::"));
        assert!(!injected, "{format:?}: {text}");
    }
    assert_eq!(
        diagnostics(&found, &sources, Format::Github, Styled::Plain),
        "::error file=tenants/a%2Cb%3Ac%25.yaml,line=1,endLine=1,col=4,endColumn=4,title=bad-value::\
         x\\u{1b}[2J\\r\\n::error::owned ## [add-mask]%250A\\u{202e}\\u{9b}%0A\
         x\\u{1b}[2J\\r\\n::error::owned ## [add-mask]%250A\\u{202e}\\u{9b}\n"
    );
}

#[test]
fn a_file_without_text_is_named_without_lines() {
    let sources = sources(&[("tenants/x.yaml", "")]);
    let found = [Diagnostic::new(Code::NotUtf8, span(0, 0, 0), "byte 3 of the file is not UTF-8")];
    let expected = "\
error[not-utf8]: byte 3 of the file is not UTF-8
--> tenants/x.yaml

1 error in 1 file
";
    assert_eq!(diagnostics(&found, &sources, Format::Human, Styled::Plain), expected);
}

#[test]
fn a_place_that_cuts_a_character_or_the_file_is_widened_not_fatal() {
    let sources = sources(&[("tenants/x.yaml", "a: é")]);
    let found =
        [Diagnostic::new(Code::BadValue, span(0, 4, 4), "x"), Diagnostic::new(Code::BadValue, span(0, 9, 99), "y")];
    assert_eq!(
        diagnostics(&found, &sources, Format::Short, Styled::Plain),
        "tenants/x.yaml:1:4: error[bad-value]: x\ntenants/x.yaml:1:5: error[bad-value]: y\n2 errors in 1 file\n"
    );
    assert!(diagnostics(&found, &sources, Format::Human, Styled::Coloured).contains("\u{1b}["));
}
