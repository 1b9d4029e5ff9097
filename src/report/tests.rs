use super::{Format, Styled, diagnostics};
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

fn render(format: Format) -> String {
    let (found, sources) = example();
    diagnostics(&found, &sources, format, Styled::Plain)
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
    let expected = concat!(
        r#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{"columnKind":"unicodeCodePoints","results":["#,
        r#"{"level":"error","locations":[{"physicalLocation":{"artifactLocation":{"uri":"tenants/x.yaml"},"#,
        r#""region":{"endColumn":14,"endLine":4,"startColumn":9,"startLine":4}}}],"#,
        r#""message":{"text":"there is no plan `gould` (did you mean `gold`?)"},"#,
        r#""relatedLocations":[{"message":{"text":"this is near"},"physicalLocation":{"artifactLocation":"#,
        r#"{"uri":"catalog/plans/a%20b.yaml"},"region":{"endColumn":11,"endLine":2,"startColumn":7,"startLine":2}}}],"#,
        r#""ruleId":"unknown-plan"},"#,
        r#"{"level":"warning","locations":[{"physicalLocation":{"artifactLocation":{"uri":"tenants/x.yaml"},"#,
        r#""region":{"endColumn":5,"endLine":1,"startColumn":1,"startLine":1}}}],"#,
        r#""message":{"text":"an override has expired"},"ruleId":"override-expired"}],"#,
        r#""tool":{"driver":{"informationUri":"https://tenantry.dev","name":"tenantry","rules":["#,
        r##"{"helpUri":"https://tenantry.dev/docs/diagnostics#unknown-plan","id":"unknown-plan","shortDescription":{"text":"A plan that does not exist."}},"##,
        r##"{"helpUri":"https://tenantry.dev/docs/diagnostics#override-expired","id":"override-expired","shortDescription":{"text":"An override past its expiry."}}"##,
        r#"],"version":""#,
        env!("CARGO_PKG_VERSION"),
        r#""}}}],"version":"2.1.0"}"#,
        "\n"
    );
    assert_eq!(render(Format::Sarif), expected);
}

#[test]
fn github_gets_workflow_commands() {
    assert_eq!(
        render(Format::Github),
        "::error file=tenants/x.yaml,line=4,endLine=4,col=9,title=unknown-plan::there is no plan `gould`%0Adid you mean `gold`?\n\
         ::warning file=tenants/x.yaml,line=1,endLine=1,col=1,title=override-expired::an override has expired\n"
    );
}

#[test]
fn nothing_that_a_tenant_writes_is_obeyed() {
    let sources = sources(&[("tenants/a,b:c%.yaml", "a: \u{1b}[31m\u{9b}\u{202e}x\n")]);
    let evil = "x\u{1b}[2J\r\n::error::owned ##[add-mask]%0A\u{202e}\u{9b}";
    let found = [Diagnostic::new(Code::BadValue, span(0, 3, 4), evil).here(evil).help(evil)];
    for format in [Format::Human, Format::Short, Format::Json, Format::Sarif, Format::Github] {
        let text = diagnostics(&found, &sources, format, Styled::Plain);
        let obeyed = text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
        assert!(!obeyed, "{format:?}: {text:?}");
        let injected = text.lines().any(|line| line.trim_start().starts_with("::error::"));
        assert!(!injected, "{format:?}: {text}");
    }
    assert_eq!(
        diagnostics(&found, &sources, Format::Github, Styled::Plain),
        "::error file=tenants/a%2Cb%3Ac%25.yaml,line=1,endLine=1,col=4,title=bad-value::\
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
