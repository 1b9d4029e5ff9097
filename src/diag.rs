//! What the compiler has to say about its inputs: many, located, each with a stable code and at most one help.

pub mod codes;

use std::collections::BTreeMap;

use crate::text::{SourceMap, Span};
pub use codes::Code;

/// Whether a diagnostic stops the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is signed, written or published.
    Error,
    /// Worth knowing; the build goes on.
    Warning,
}

/// One thing about the inputs that an author should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which rule speaks; also decides the severity.
    pub code: Code,
    /// What is wrong: lower case, no full stop, names in backticks.
    pub message: String,
    /// Where; the first is the primary place. Never empty.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place and what it has to do with the matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// Its part in it; may be empty.
    pub text: String,
}

impl Diagnostic {
    /// A diagnostic at its primary place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code, message: message.into(), labels: vec![Label { span, text: String::new() }], help: None }
    }

    /// Says what the primary place has to do with it.
    pub fn here(mut self, text: impl Into<String>) -> Diagnostic {
        self.labels[0].text = text.into();
        self
    }

    /// Adds another place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// As [`Diagnostic::help`], when there is something to say.
    pub fn maybe_help(mut self, help: Option<String>) -> Diagnostic {
        self.help = help.or(self.help);
        self
    }

    /// The primary place.
    pub fn span(&self) -> Span {
        self.labels[0].span
    }

    /// Whether it stops the build.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Puts diagnostics into the order in which they are printed: by path, place, code; and drops exact repeats.
pub fn sort(diagnostics: &mut Vec<Diagnostic>, sources: &SourceMap) {
    diagnostics.sort_by(|a, b| {
        let key = |it: &Diagnostic| (it.span().start, it.span().end, it.code.slug());
        (&sources.file(a.span().file).path, key(a), &a.message).cmp(&(
            &sources.file(b.span().file).path,
            key(b),
            &b.message,
        ))
    });
    diagnostics.dedup();
}

/// Keeps the first few of what one rule says about one place, and says how many more there were: a broken
/// template is one mistake, however many tenants it is rendered for.
pub fn fold_repeats(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    const KEPT: usize = 3;
    let mut count: BTreeMap<(Code, Span), usize> = BTreeMap::new();
    for it in &diagnostics {
        *count.entry((it.code, it.span())).or_default() += 1;
    }
    let mut seen: BTreeMap<(Code, Span), usize> = BTreeMap::new();
    let kept = diagnostics.into_iter().filter_map(|mut it| {
        let key = (it.code, it.span());
        let nth = seen.entry(key).or_default();
        *nth += 1;
        match (*nth, count[&key].saturating_sub(KEPT)) {
            (KEPT, more @ 1..) => {
                it.message += &format!(" (and {more} more like this)");
                Some(it)
            }
            (nth, _) => (nth <= KEPT).then_some(it),
        }
    });
    kept.collect()
}

/// Whether any of them stops the build.
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|it| it.severity() == Severity::Error)
}

/// The candidate that a mistyped name most likely meant, if one is near enough.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one text into another.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{Code, Diagnostic, fold_repeats, nearest};
    use crate::text::{FileId, Span};

    #[test]
    fn one_mistake_is_not_told_ten_thousand_times() {
        let at = |start: u32| Span { file: FileId(0), start, end: start + 1 };
        let told = |count: usize| {
            let found =
                (0..count).map(|tenant| Diagnostic::new(Code::RenderFailed, at(0), format!("fails for {tenant}")));
            let other = Diagnostic::new(Code::RenderFailed, at(5), "another place");
            let folded = fold_repeats(found.chain([other]).collect());
            folded.into_iter().map(|it| it.message).collect::<Vec<_>>()
        };
        assert_eq!(told(3), ["fails for 0", "fails for 1", "fails for 2", "another place"]);
        assert_eq!(
            told(10_000),
            ["fails for 0", "fails for 1", "fails for 2 (and 9997 more like this)", "another place"]
        );
    }

    #[test]
    fn a_near_miss_is_found_and_a_far_one_is_not() {
        let plans = ["starter", "business", "premium"];
        assert_eq!(nearest("premuim", plans), Some("premium"));
        assert_eq!(nearest("busines", plans), Some("business"));
        assert_eq!(nearest("gold", plans), None);
    }
}
