//! A comment on a pull request, in GitHub's markdown. Never longer than its budget, whatever the input.
//!
//! Everything that is not ours goes into code spans: there nothing is a link, a mention, an image or markup. Pieces
//! are added whole or not at all, so no fold, table or span is ever left open.

use crate::changes::guards::{Outcome, Verdict};
use crate::changes::show::words::{Piece, Sentence, clipped, found, reasons, what, who};
use crate::changes::show::{
    Names, Summary, course, download_of, heading, most_downloaded, number, sign, size, uploads,
};
use crate::changes::{ChangeSet, Class, TenantChanges};
use crate::report::markdown::{self, cell};

/// What a bot finds its own comment by, to edit it in place.
pub const MARKER: &str = "<!-- tenantry:plan -->";

/// Kept free for the line that says how much is missing.
const TAIL: usize = 160;

/// Most rows of the table; the others are counted.
const ROWS: usize = 40;

/// Most tenants that are named in a fold.
const NAMED: usize = 200;

/// The comment, of at most `budget` characters.
pub fn comment(set: &ChangeSet, names: &Names, budget: usize) -> String {
    let mut page = Page::new(budget);
    page.add(&format!("{MARKER}\n"));
    page.add(&format!("### tenantry plan · {} → {}\n\n", code(&names.base), code(&names.head)));
    page.add(&format!("**{}**\n", Summary::of(set).line()));
    page.add(&costs(set));
    for verdict in set.stopped() {
        page.add(&caution(verdict));
    }
    let rows = table("", &set.tenants, &set.classes, &mut page);
    page.add(&guards(set));
    if !set.ahead.is_empty() {
        page.add_first(&course::ahead(&set.ahead));
    }
    let (mut unseen, mut short) = (0, 0);
    for (at, class) in set.classes.iter().enumerate() {
        match page.add_first(&[fold(&set.tenants, class, NAMED), fold(&set.tenants, class, 0)]) {
            true => (),
            false if at < rows => short += 1,
            false => unseen += 1,
        }
    }
    page.close(unseen, short)
}

/// A text that stops growing before it is too long.
pub(super) struct Page {
    text: String,
    /// Characters that may still be added.
    left: usize,
    /// Characters that are kept free for the last line.
    tail: usize,
}

impl Page {
    pub(super) fn new(budget: usize) -> Page {
        let tail = TAIL.min(budget);
        Page { text: String::new(), left: budget - tail, tail }
    }

    /// Adds a piece that fits; says whether it did.
    pub(super) fn add(&mut self, piece: &str) -> bool {
        let length = piece.chars().count();
        let fits = length <= self.left;
        if fits {
            self.left -= length;
            self.text += piece;
        }
        fits
    }

    /// Adds the first piece that fits.
    fn add_first(&mut self, pieces: &[String]) -> bool {
        pieces.iter().any(|it| self.add(it))
    }

    /// Says what is missing: classes that are not shown, and classes that only have their row.
    pub(super) fn close(mut self, unseen: usize, short: usize) -> String {
        self.left += self.tail;
        let classes = |count: usize, verb: &str| format!("{} classes of change are not shown{verb}", number(count));
        let missing = match (unseen, short) {
            (0, 0) => return self.text,
            (0, short) => classes(short, " in full"),
            (unseen, 0) => classes(unseen, ""),
            (unseen, short) => format!("{}, {} not in full", classes(unseen, ""), number(short)),
        };
        self.add(&format!("\n{missing}; the JSON plan has everything.\n"));
        self.text
    }
}

/// What is uploaded and downloaded, in a line.
fn costs(set: &ChangeSet) -> String {
    if set.tenants.is_empty() {
        return String::new();
    }
    let download = most_downloaded(set).map(|(tenant, it)| {
        format!(" · a device downloads {} at most ({}, shells {})", size(it.bytes), code(tenant), it.level)
    });
    let growth = Summary::of(set).growth_line().map(|it| format!("\n\n{it}")).unwrap_or_default();
    format!("\n{}{}{growth}\n", uploads(set), download.unwrap_or_default())
}

fn caution(verdict: &Verdict) -> String {
    let (message, names) = (plain(&verdict.message()), inline(&found(verdict)));
    let (guard, help) = (verdict.guard.slug(), plain(&verdict.help()));
    format!("\n> [!CAUTION]\n> **Stopped** by the guard `{guard}`: {message}{names}.\n> What to do: {help}.\n")
}

/// A sentence in a line of its own.
pub(super) fn row(sentence: &Sentence) -> String {
    inline(sentence)
}

/// One row for each class, as many as fit, below a title; says how many did.
pub(super) fn table(title: &str, all: &[TenantChanges], classes: &[Class], page: &mut Page) -> usize {
    let head = format!("{title}\n| | tenants | what | because |\n|---|---:|---|---|\n");
    if classes.is_empty() || !page.add(&head) {
        return 0;
    }
    let mut rows = 0;
    for class in classes.iter().take(ROWS) {
        let what: Vec<String> = what(class, 4).iter().take(3).map(|it| cell(&inline(it))).collect();
        let more = what_more(class, 3);
        let because = reasons(class).first().map(|it| cell(&inline(it))).unwrap_or_default();
        let row = format!(
            "| {}&nbsp;{} | {} | {}{more} | {because} |\n",
            sign(class.weight()),
            heading(class.weight()),
            cell(&count_or_names(all, class)),
            what.join("<br>"),
        );
        if !page.add(&row) {
            break;
        }
        rows += 1;
    }
    rows
}

fn what_more(class: &Class, shown: usize) -> String {
    match what(class, 1).len().saturating_sub(shown) {
        0 => String::new(),
        more => format!("<br>and {more} more"),
    }
}

/// A tenant by its name, many by their number.
fn count_or_names(all: &[TenantChanges], class: &Class) -> String {
    match &class.tenants[..] {
        [only] => code(&all[*only].name),
        many => number(many.len()),
    }
}

fn guards(set: &ChangeSet) -> String {
    let mut out = String::from("\n**Guards**\n\n");
    for verdict in &set.guards {
        let mark = match verdict.outcome {
            Outcome::Passed => "✓ passed",
            Outcome::Allowed => "▲ allowed",
            Outcome::Stopped => "✕ **stopped**",
        };
        let (message, names) = (plain(&verdict.message()), inline(&found(verdict)));
        out += &format!("- {mark} · `{}`: {message}{names}\n", verdict.guard.slug());
    }
    out
}

/// A class with all its reasons and, if there is room, its tenants.
fn fold(all: &[TenantChanges], class: &Class, named: usize) -> String {
    const PHRASES: usize = 40;
    const REASONS: usize = 12;
    let mut out = format!(
        "\n<details><summary>{} {}: {}</summary>\n\n",
        sign(class.weight()),
        heading(class.weight()),
        html(&who(all, class)),
    );
    let phrases = what(class, 60);
    phrases.iter().take(PHRASES).for_each(|it| out += &format!("- {}\n", inline(it)));
    if phrases.len() > PHRASES {
        out += &format!("- and {} more\n", phrases.len() - PHRASES);
    }
    let reasons: Vec<String> = reasons(class).iter().map(inline).collect();
    if !reasons.is_empty() {
        let first = code(&all[class.tenants[0]].name);
        out += &format!("\nBecause, for {first}:\n\n");
        reasons.iter().take(REASONS).for_each(|it| out += &format!("- {it}\n"));
        if reasons.len() > REASONS {
            out += &format!("- and {} more reasons\n", reasons.len() - REASONS);
        }
    }
    if let Some(bytes) = download_of(all, class) {
        out += &format!(
            "\nA device of one of them downloads {} at most, for this and all its other changes.\n",
            size(bytes)
        );
    }
    if named > 0 {
        let names: Vec<String> = class.tenants.iter().take(named).map(|at| code(&all[*at].name)).collect();
        let more = match class.tenants.len().saturating_sub(named) {
            0 => String::new(),
            more => format!(" and {} more", number(more)),
        };
        out += &format!("\n{}{more}\n", names.join(", "));
    }
    out + "\n</details>\n"
}

/// A sentence as markdown.
fn inline(sentence: &Sentence) -> String {
    let piece = |it: &Piece| match it {
        Piece::Words(text) => plain(text),
        Piece::Name(text) => code(text),
    };
    sentence.iter().map(piece).collect()
}

/// A sentence as HTML, for places in which GitHub reads no markdown.
fn html(sentence: &Sentence) -> String {
    let piece = |it: &Piece| match it {
        Piece::Words(text) => super::html::escaped(text),
        Piece::Name(text) => format!("<code>{}</code>", super::html::escaped(text)),
    };
    sentence.iter().map(piece).collect()
}

/// Any text as a code span, cut where it is very long.
pub(super) fn code(text: &str) -> String {
    markdown::code(&clipped(text))
}

/// Words of ours, and names in code spans.
pub(super) fn plain(text: &str) -> String {
    markdown::plain_with(text, code)
}

#[cfg(test)]
mod tests {
    use super::{code, plain};

    #[test]
    fn a_name_stays_inside_its_code_span() {
        for (name, span) in [
            ("plain", "`plain`"),
            ("", "`\"\"`"),
            ("a`b", "``a`b``"),
            ("`a", "`` `a ``"),
            ("``", "``` `` ```"),
            ("@everyone", "`@everyone`"),
            ("</details>", "`</details>`"),
            ("a\nb\u{202e}", "`a\\nb\\u{202e}`"),
            (" x ", "`  x  `"),
        ] {
            assert_eq!(code(name), span);
        }
    }

    #[test]
    fn words_that_are_no_plain_words_go_into_spans() {
        assert_eq!(plain("it needs `com.example.chat`, says @all"), "it needs `com.example.chat`, says `@all`");
        assert_eq!(
            plain("see https://x.example or www.x.example #12"),
            "see `https://x.example` or `www.x.example` `#12`"
        );
        assert_eq!(plain("until 2027-06-30T00:00:00Z"), "until 2027-06-30T00:00:00Z");
    }
}
