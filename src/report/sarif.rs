//! SARIF 2.1.0.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Place, Said};
use crate::diag::Code;

/// GitHub keeps this many results of a run, and drops the others silently.
const MOST: usize = 5_000;

/// One run with the rules that spoke and the worst of what they said.
pub(super) fn log(said: &[Said], folder: &str) -> Value {
    let shown = &said[..said.len().min(MOST)];
    let spoke: BTreeSet<&str> = shown.iter().map(|it| it.code).collect();
    let codes: Vec<Code> = Code::ALL.iter().copied().filter(|it| spoke.contains(it.slug())).collect();
    let result = |it: &Said| result(it, codes.iter().position(|code| code.slug() == it.code), folder);
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tenantry",
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<Value>>(),
            } },
            "invocations": [invocation(said.len() - shown.len())],
            "columnKind": "unicodeCodePoints",
            "results": shown.iter().map(result).collect::<Vec<Value>>(),
        }],
    })
}

/// That the tool ran as it should, and how much is missing.
fn invocation(missing: usize) -> Value {
    let text = format!("{missing} more results are left out: the worst {MOST} are here");
    match missing {
        0 => json!({ "executionSuccessful": true }),
        _ => json!({
            "executionSuccessful": true,
            "toolExecutionNotifications": [{ "level": "warning", "message": { "text": text } }],
        }),
    }
}

fn rule(code: Code) -> Value {
    let help = format!("{}/blob/main/docs/diagnostics.md#{}", env!("CARGO_PKG_REPOSITORY"), code.slug());
    json!({
        "id": code.slug(),
        "shortDescription": { "text": code.meaning() },
        "fullDescription": { "text": code.meaning() },
        "help": { "text": format!("{} See {help}", code.meaning()) },
        "helpUri": help,
        "defaultConfiguration": { "level": super::severity(code.severity()) },
    })
}

fn result(said: &Said, rule: Option<usize>, folder: &str) -> Value {
    let location = |place: &Place| location(place, folder);
    let mut result = json!({
        "ruleId": said.code,
        "ruleIndex": rule,
        "level": said.severity,
        "message": { "text": said.with_help() },
        "locations": [{ "physicalLocation": location(&said.at) }],
        "partialFingerprints": { "tenantry/v1": said.fingerprint },
    });
    if said.labels.len() > 1 {
        let related = said.labels[1..]
            .iter()
            .map(|label| json!({ "physicalLocation": location(&label.at), "message": { "text": label.text } }));
        result["relatedLocations"] = related.collect();
    }
    result
}

fn location(place: &Place, folder: &str) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&format!("{folder}{}", place.path)) },
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    })
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
