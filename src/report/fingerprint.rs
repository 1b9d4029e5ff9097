//! What a finding is called, so that it is known again when lines move.

use std::collections::BTreeMap;

use crate::diag::Diagnostic;
use crate::digest::Fingerprint;
use crate::text::{SourceMap, Span};

/// Hex digits of one.
const DIGITS: usize = 32;

/// One for each diagnostic, no two the same.
///
/// It is made of the rule, the file, the names that the message quotes, and the text of the line without its
/// indentation; what that leaves equal is counted. Neither the number of the line nor our wording is in it.
pub(super) fn fingerprints(diagnostics: &[Diagnostic], sources: &SourceMap) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut one = |it: &Diagnostic| {
        let content = content(it, sources);
        let nth = seen.entry(content.clone()).or_default();
        *nth += 1;
        match *nth {
            1 => content,
            nth => digest(&[&content, &nth.to_string()]),
        }
    };
    diagnostics.iter().map(&mut one).collect()
}

fn content(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let path = sources.file(diagnostic.span().file).path.as_str();
    let names: Vec<&str> = diagnostic.message.split('`').skip(1).step_by(2).collect();
    let mut parts = vec![diagnostic.code.slug(), path, line(diagnostic.span(), sources)];
    parts.extend(names);
    digest(&parts)
}

/// The text of the line in which a place begins.
fn line(span: Span, sources: &SourceMap) -> &str {
    let at = sources.start(span).line - 1;
    sources.file(span.file).text.split('\n').nth(at).unwrap_or_default().trim()
}

fn digest(parts: &[&str]) -> String {
    let mut it = Fingerprint::new("tenantry.dev 2026-11 finding v1");
    for part in parts {
        it.part(part.as_bytes());
    }
    let mut hex = it.finish().to_string();
    hex.truncate(DIGITS);
    hex
}
