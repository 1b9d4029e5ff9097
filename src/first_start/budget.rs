//! What there is to say when a first start takes more than the project allows.

use std::cmp::Reverse;

use crate::diag::{Code, Diagnostic};
use crate::text::Span;

/// How many tenants, and how many mini-programs of each, are named.
const NAMED: usize = 3;

/// A tenant whose first start takes too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over<'a> {
    /// Its name.
    pub tenant: &'a str,
    /// Its document.
    pub span: Span,
    /// Bytes of all archives.
    pub archives: u64,
    /// Bytes of the files that lead there; none when they were not signed, because the archives are too much already.
    pub signed: Option<u64>,
    /// What the archives are for, heaviest first: `app_id`, version, bytes. Empty where that is not known.
    pub programs: Vec<(&'a str, String, u64)>,
}

impl Over<'_> {
    /// All bytes that are known.
    pub fn bytes(&self) -> u64 {
        self.archives + self.signed.unwrap_or(0)
    }

    fn told(&self) -> String {
        let (named, others) = self.programs.split_at(self.programs.len().min(NAMED));
        let mut parts: Vec<String> =
            named.iter().map(|(app_id, version, bytes)| format!("{bytes} for `{app_id}` {version}")).collect();
        if named.is_empty() {
            parts.push(format!("{} for mini-programs", self.archives));
        }
        if !others.is_empty() {
            let bytes: u64 = others.iter().map(|(.., bytes)| bytes).sum();
            parts.push(format!("{bytes} for {} more", others.len()));
        }
        parts.extend(self.signed.map(|bytes| format!("{bytes} for signed files")));
        let what = match self.signed {
            Some(_) => "bytes",
            None => "bytes of mini-programs alone",
        };
        format!("`{}` fetches {} {what}: {}", self.tenant, self.bytes(), parts.join(", "))
    }
}

/// Says it once for all tenants, of whom the worst are shown; there is at least one. The budget stands at `span`.
pub fn exceeded(max_bytes: u64, span: Span, mut over: Vec<Over<'_>>) -> Diagnostic {
    over.sort_by_key(|it| (Reverse(it.bytes()), it.tenant));
    let message = match &over[..] {
        [only] => format!("the first start of tenant `{}` takes more than {max_bytes} bytes", only.tenant),
        many if many.len() <= NAMED => {
            format!("the first start of {} tenants takes more than {max_bytes} bytes", many.len())
        }
        many => format!(
            "the first start of {} tenants takes more than {max_bytes} bytes; the {NAMED} worst are shown",
            many.len()
        ),
    };
    let worst = over[0].bytes();
    let help = format!(
        "call grants `optional: true` whose mini-program can wait until it is opened, ship smaller versions, or raise `max_bytes` above {worst}"
    );
    let diagnostic = Diagnostic::new(Code::FirstStartBudget, span, message).help(help);
    over.iter().take(NAMED).fold(diagnostic, |it, over| it.label(over.span, over.told()))
}
