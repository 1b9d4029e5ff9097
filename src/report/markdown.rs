//! GitHub's markdown, in which nothing that is not ours is ever markup, a link, an image, a mention or an issue.

use super::{Said, harmless};

/// Longest message or help in a table, in characters.
const LONGEST: usize = 2_000;

/// Kept free for the line that says how much is missing.
const TAIL: usize = 200;

/// A table of everything that was found, in the order given, of at most `budget` bytes. It is cut between rows.
pub(super) fn table(said: &[Said], counts: &str, folder: &str, budget: usize) -> String {
    let mut page = format!("### tenantry check · {}\n\n| | where | what |\n|---|---|---|\n", counts.trim_end());
    if page.len() + TAIL > budget {
        return String::new();
    }
    let mut shown = 0;
    for row in said.iter().map(|it| row(it, folder)) {
        if page.len() + row.len() + TAIL > budget {
            break;
        }
        page += &row;
        shown += 1;
    }
    match said.len() - shown {
        0 => page,
        left => page + &format!("\n... and {left} more, for which there is no room here.\n"),
    }
}

fn row(said: &Said, folder: &str) -> String {
    let sign = if said.severity == "error" { "✕" } else { "▲" };
    let text = |it: &str| plain(&it.chars().take(LONGEST).collect::<String>());
    let help = said.help.as_deref().map_or_else(String::new, |it| format!("<br>{}", text(it)));
    let place = code(&format!("{folder}{}:{}:{}", said.at.path, said.at.line, said.at.column));
    let what = cell(&format!("{}{help}", text(&said.message)));
    format!("| {sign}&nbsp;{} `{}` | {} | {what} |\n", said.severity, said.code, cell(&place))
}

/// Any text as a code span, in which GitHub looks for nothing.
pub fn code(text: &str) -> String {
    let text = harmless(text);
    if text.is_empty() {
        return "`\"\"`".to_owned();
    }
    let longest = text.split(|it| it != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A span loses one space at each end when it has both, and must not begin or end with a backtick.
    let padded = text.starts_with([' ', '`']) || text.ends_with([' ', '`']);
    let pad = if padded && text.chars().any(|it| it != ' ') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Words of ours. Those that are not plain words are put into code spans, since a reason may hold a name that
/// brought backticks of its own and so got out of the span that was meant for it.
pub fn plain(text: &str) -> String {
    plain_with(text, code)
}

/// The same, with a way of one's own to write a code span.
pub fn plain_with(text: &str, code: fn(&str) -> String) -> String {
    let parts = text.split('`').enumerate().filter(|(_, it)| !it.is_empty());
    let part = |(at, it): (usize, &str)| match at % 2 {
        0 => it.split(' ').map(|word| vetted(word, code)).collect::<Vec<String>>().join(" "),
        _ => code(it),
    };
    parts.map(part).collect()
}

fn vetted(word: &str, code: fn(&str) -> String) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || "'\".,;:?()-–→·%/+=".contains(it);
    let lower = word.to_lowercase();
    let is_link = lower.contains("://") || lower.contains("www.") || lower.contains("gh-");
    match word.chars().all(is_plain) && !is_link {
        true => word.to_owned(),
        false => code(word),
    }
}

/// A bar would end the cell of a table, even inside a code span.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\u{7c}")
}
