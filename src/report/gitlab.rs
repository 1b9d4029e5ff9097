//! GitLab's code quality report, which shows findings in a merge request.

use serde_json::{Value, json};

use super::Said;

/// One object for each finding.
pub(super) fn report(said: &[Said], folder: &str) -> Value {
    said.iter().map(|it| finding(it, folder)).collect()
}

fn finding(said: &Said, folder: &str) -> Value {
    let severity = match said.severity {
        // Nothing is signed as long as it is there.
        "error" => "blocker",
        _ => "minor",
    };
    json!({
        "description": said.with_help(),
        "check_name": said.code,
        "fingerprint": said.fingerprint,
        "severity": severity,
        "location": {
            "path": format!("{folder}{}", said.at.path),
            "lines": { "begin": said.at.line, "end": said.at.end_line },
        },
    })
}
