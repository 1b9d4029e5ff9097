//! The pages under `docs/` say what the code does.
#![expect(clippy::disallowed_methods, reason = "a test reads the pages")]

use std::fs;
use std::path::Path;

use tenantry::diag::Code;

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
