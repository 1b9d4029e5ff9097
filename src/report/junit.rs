//! JUnit's XML, in which each file is a test case: it passes, or its errors are its failure.

use std::collections::BTreeMap;

use super::{Said, harmless, short};
use crate::text::SourceMap;

/// A suite of all files that hold YAML, and of all others about which something is said.
pub(super) fn suite(said: &[Said], sources: &SourceMap) -> String {
    let mut cases: BTreeMap<String, Vec<&Said>> =
        sources.paths().filter(|it| is_yaml(it)).map(|it| (harmless(it), Vec::new())).collect();
    for it in said {
        cases.entry(it.at.path.clone()).or_default().push(it);
    }
    let failures = cases.values().filter(|it| it.iter().any(|it| it.severity == "error")).count();
    let counts = format!("name=\"tenantry check\" tests=\"{}\" failures=\"{failures}\" errors=\"0\"", cases.len());
    let cases: String = cases.iter().map(|(path, said)| case(path, said)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n<testsuite {counts} skipped=\"0\">\n{cases}</testsuite>\n</testsuites>\n"
    )
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

fn case(path: &str, said: &[&Said]) -> String {
    let class = path.split('/').next().filter(|it| path.len() > it.len()).unwrap_or("project");
    let open = format!("<testcase classname=\"{}\" name=\"{1}\" file=\"{1}\"", escaped(class), escaped(path));
    if said.is_empty() {
        return format!("{open}/>\n");
    }
    let (errors, warnings): (Vec<&Said>, Vec<&Said>) = said.iter().partition(|it| it.severity == "error");
    let lines = |said: &[&Said]| escaped(&said.iter().map(|it| short(it)).collect::<String>());
    let failure = errors.first().map_or_else(String::new, |first| {
        let more = match errors.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let message = escaped(&format!("{}{more}", first.message));
        format!("<failure type=\"{}\" message=\"{message}\">{}</failure>\n", first.code, lines(&errors))
    });
    let output = match warnings.is_empty() {
        true => String::new(),
        false => format!("<system-out>{}</system-out>\n", lines(&warnings)),
    };
    format!("{open}>\n{failure}{output}</testcase>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;")
}
