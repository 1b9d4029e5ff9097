//! Characters that change what a text means without showing in a review.

use crate::diag::{Code, Diagnostic};
use crate::text::{FileId, Span};

/// More than this in one file is one problem, not many.
const MOST_REPORTED: usize = 20;

/// Reports every hidden character; a byte order mark at the start is not one.
pub(super) fn characters(file: FileId, text: &str, found: &mut Vec<Diagnostic>) {
    // Most files are plain ASCII, where one pass over the bytes settles it.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return;
    }
    let hidden = text.char_indices().filter(|(at, character)| match character {
        '\u{feff}' => *at > 0,
        // Alone, a carriage return is a line break for YAML and none for most tools that show a change.
        '\r' => !text[at + 1..].starts_with('\n'),
        other => is_hidden(*other),
    });
    for (at, character) in hidden.take(MOST_REPORTED) {
        let span = Span { file, start: at as u32, end: (at + character.len_utf8()) as u32 };
        let point = format!("{:04X}", u32::from(character));
        found.push(
            Diagnostic::new(Code::HiddenCharacter, span, format!("the text contains the hidden character U+{point}"))
                .help("delete it; a text that needs it can name it by its escape in double quotes"),
        );
    }
}

fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
        '\u{ad}' | '\u{61c}' | '\u{180e}' => true,
        // Zero-width characters and directional marks, separators, embeddings and overrides.
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        // Word joiner, invisible operators, directional isolates.
        '\u{2060}'..='\u{206f}' => true,
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        // Tags: ASCII that nobody sees.
        '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::characters;
    use crate::text::FileId;

    fn hidden(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        characters(FileId(0), text, &mut found);
        found
            .iter()
            .map(|it| format!("{} {}", it.span().start, it.message.rsplit(' ').next().expect("words")))
            .collect()
    }

    #[test]
    fn what_a_reviewer_cannot_see_is_named_and_what_he_can_see_is_not() {
        assert_eq!(hidden("a: \u{202e}x\u{2066}\n"), ["3 U+202E", "7 U+2066"]);
        assert_eq!(hidden("\u{feff}a: \u{feff}b"), ["6 U+FEFF"]);
        assert_eq!(
            hidden("a\0\u{1b}\u{7f}\u{85}\u{2028}"),
            ["1 U+0000", "2 U+001B", "3 U+007F", "4 U+0085", "6 U+2028"]
        );
        assert_eq!(hidden("a: 1\rb: 2\r\n"), ["4 U+000D"]);
        assert_eq!(hidden("name: Zürich 東京 🚀\ttab\r\n"), [""; 0]);
        assert_eq!(hidden(&"\u{200b}".repeat(1000)).len(), 20);
    }
}
