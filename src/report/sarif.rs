//! SARIF 2.1.0.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Place, Said};
use crate::diag::{Code, Diagnostic};

/// One run with the rules that spoke and what they said.
pub(super) fn log(diagnostics: &[Diagnostic], said: &[Said]) -> Value {
    let codes: BTreeSet<Code> = diagnostics.iter().map(|it| it.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tenantry",
                "informationUri": "https://tenantry.dev",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": said.iter().map(result).collect::<Vec<Value>>(),
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.slug(),
        "shortDescription": { "text": code.meaning() },
        "helpUri": format!("https://tenantry.dev/docs/diagnostics#{}", code.slug()),
    })
}

fn result(said: &Said) -> Value {
    let text = match &said.help {
        Some(help) => format!("{} ({help})", said.message),
        None => said.message.clone(),
    };
    let mut result = json!({
        "ruleId": said.code,
        "level": said.severity,
        "message": { "text": text },
        "locations": [{ "physicalLocation": location(&said.at) }],
    });
    if said.labels.len() > 1 {
        let related = said.labels[1..]
            .iter()
            .map(|label| json!({ "physicalLocation": location(&label.at), "message": { "text": label.text } }));
        result["relatedLocations"] = related.collect();
    }
    result
}

fn location(place: &Place) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&place.path) },
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
