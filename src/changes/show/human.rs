//! For a terminal.

use crate::changes::guards::Outcome;
use crate::changes::show::words::{Piece, Sentence, found, reasons, what, who};
use crate::changes::show::{Names, Summary, course, heading, most_downloaded, number, sign, size, uploads};
use crate::changes::{ChangeSet, Class, TenantChanges, Weight};
use crate::report::{Styled, harmless};

/// Most tenants that are named below a class.
const NAMED: usize = 12;

/// Most things that one line names.
const LISTED: usize = 12;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const GREEN: &str = "\u{1b}[1;32m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// The whole change set: classes, guards, and one line that sums it up at the end, where a terminal stops.
pub(super) fn text(set: &ChangeSet, names: &Names, styled: Styled) -> String {
    let paint = Paint(styled);
    let mut out = String::new();
    let (base, head) = (harmless(&names.base), harmless(&names.head));
    out += &paint.line(BOLD, &format!("{base} → {head}, decided at {}", set.at));
    for class in &set.classes {
        out.push('\n');
        out += &class_text(&set.tenants, class, &paint);
    }
    out.push('\n');
    for verdict in &set.guards {
        let (mark, color) = match verdict.outcome {
            Outcome::Passed => ("passed ", GREEN),
            Outcome::Allowed => ("allowed", YELLOW),
            Outcome::Stopped => ("STOPPED", RED),
        };
        let mark = paint.of(color, mark);
        out += &format!("guard {mark} {:<11} {}\n", verdict.guard.slug(), verdict.message() + &flat(&found(verdict)));
        if verdict.outcome == Outcome::Stopped {
            out += &format!("                           {}: {}\n", paint.of(BOLD, "help"), verdict.help());
        }
    }
    if !set.ahead.is_empty() {
        out.push('\n');
        let line = course::ahead_line(&set.ahead);
        out += &format!("{} {line}\n", paint.of(YELLOW, "By itself, within seven days:"));
        set.ahead.iter().for_each(|it| out += &course::moment_text(it, &|_| None, &paint));
    }
    out.push('\n');
    let summary = Summary::of(set);
    out += &format!("{}\n", paint.of(BOLD, &format!("Plan: {}", summary.line())));
    if !set.tenants.is_empty() {
        let download = most_downloaded(set).map(|(tenant, it)| {
            format!("; a device downloads {} at most (`{}`, shells {})", size(it.bytes), harmless(tenant), it.level)
        });
        out += &format!("{}{}.\n", uploads(set), download.unwrap_or_default());
        summary.growth_line().into_iter().for_each(|it| out += &format!("{it}\n"));
    }
    out
}

pub(super) fn class_text(all: &[TenantChanges], class: &Class, paint: &Paint) -> String {
    let color = match class.weight() {
        Weight::Loss => RED,
        Weight::Held | Weight::Growth => YELLOW,
        Weight::Gain => GREEN,
        Weight::Update | Weight::Rest => BOLD,
    };
    let title = format!("{} {}", sign(class.weight()), heading(class.weight()));
    let mut out = format!("{}  {}\n", paint.of(color, &title), paint.of(BOLD, &flat(&who(all, class))));
    for phrase in what(class, LISTED) {
        out += &format!("    {}\n", flat(&phrase));
    }
    let reasons: Vec<String> = reasons(class).iter().map(flat).collect();
    for (at, reason) in reasons.iter().take(4).enumerate() {
        let word = if at == 0 { "because" } else { "       " };
        out += &paint.line(DIM, &format!("    {word} {reason}"));
    }
    if reasons.len() > 4 {
        out += &paint.line(DIM, &format!("            and {} more reasons", reasons.len() - 4));
    }
    if class.tenants.len() > 5 {
        let mut names: Vec<String> = class.tenants.iter().take(NAMED).map(|at| harmless(&all[*at].name)).collect();
        let left = class.tenants.len() - names.len();
        if left > 0 {
            names.push(format!("and {} more", number(left)));
        }
        out += &paint.line(DIM, &format!("    {}", names.join(", ")));
    }
    out
}

/// A sentence with names between backticks, as everywhere on the terminal.
fn flat(sentence: &Sentence) -> String {
    let piece = |it: &Piece| match it {
        Piece::Words(text) => text.clone(),
        Piece::Name(text) => format!("`{text}`"),
    };
    sentence.iter().map(piece).collect()
}

/// Text with or without colour.
pub(super) struct Paint(pub(super) Styled);

impl Paint {
    fn of(&self, color: &str, text: &str) -> String {
        match self.0 {
            Styled::Plain => text.to_owned(),
            Styled::Coloured => format!("{color}{text}{PLAIN}"),
        }
    }

    /// A line that stands out.
    pub(super) fn bold(&self, text: &str) -> String {
        self.line(BOLD, text)
    }

    fn line(&self, color: &str, text: &str) -> String {
        self.of(color, text) + "\n"
    }
}
