//! What the scanner complains about, in words for people who do not know its insides.

/// What kind of trouble a scan error is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An alias, to an anchor that does not exist.
    Alias,
    /// A tag that the scanner could not even read.
    Tag,
    /// Nested deeper than the scanner itself can go.
    TooDeep,
    /// Not YAML.
    Syntax {
        /// What is wrong.
        message: String,
        /// What is usually done about it.
        help: Option<&'static str>,
    },
}

const INDENT: &str = "check the indentation of this line and the one before";
const SPACES: &str = "indent with spaces";
const QUOTE: &str = "quote the text if it is meant as it stands";

/// Explains an error by the scanner's own text and the character that it points at.
pub(super) fn explain(info: &str, character: Option<char>) -> Trouble {
    let (message, help) = match info {
        "while parsing node, found unknown anchor" => return Trouble::Alias,
        "the handle wasn't declared" => return Trouble::Tag,
        "recursion limit exceeded" => return Trouble::TooDeep,
        _ if info.starts_with("while scanning an anchor or alias") => {
            ("a text cannot begin with `*` or `&`", Some("quote the text"))
        }
        _ if info.contains("scanning a tag") || info.contains("parsing a tag") => {
            ("a text cannot begin with `!`", Some("quote the text"))
        }
        _ if info.contains(" tab") || info.starts_with("tab") => ("a tab cannot indent this line", Some(SPACES)),
        "while scanning a quoted scalar, found unexpected end of stream"
        | "while scanning a quoted scalar, found unexpected document indicator" => {
            ("a quoted text is never closed", Some("close the quote"))
        }
        "while parsing a quoted scalar, found unknown escape character" => {
            ("unknown escape in a double-quoted text", Some("write `\\\\` for a backslash, or use single quotes"))
        }
        "invalid trailing content after double-quoted scalar" => {
            ("text after the closing quote", Some("quote the whole text"))
        }
        "while parsing a block mapping, did not find expected key" => ("expected a key here", Some(INDENT)),
        "while parsing a block collection, did not find expected '-' indicator" => ("expected `- ` here", Some(INDENT)),
        "while parsing a flow mapping, did not find expected ',' or '}'" => ("expected `,` or `}`", None),
        "while parsing a flow sequence, expected ',' or ']'" => ("expected `,` or `]`", None),
        "mapping values are not allowed in this context" | "illegal placement of ':' indicator" => {
            ("`:` cannot stand here", Some("quote a text that contains `: `, or check the indentation"))
        }
        "mapping keys are not allowed in this context" => ("a key cannot stand here", Some(INDENT)),
        "block sequence entries are not allowed in this context" | r#""-" is only valid inside a block"# => {
            ("`- ` cannot stand here", Some(INDENT))
        }
        "simple key expected" | "simple key expect ':'" => ("expected `:` after a key", Some(INDENT)),
        "invalid indentation"
        | "wrongly indented line in block scalar"
        | "invalid indentation in quoted scalar"
        | "invalid indentation in flow construct" => ("this line is not indented as it must be", Some(INDENT)),
        "comment intercepting the multiline text" => {
            ("a comment stands inside a text of several lines", Some("quote the text or move the comment"))
        }
        "misplaced bracket" => ("a bracket that was never opened", Some(QUOTE)),
        "while parsing a node, did not find expected node content" => match character {
            Some(_) => ("a value cannot begin here", Some(QUOTE)),
            None => ("the document ends before a bracket is closed", None),
        },
        "missing explicit document end marker before directive" => ("a line cannot begin with `%`", Some(QUOTE)),
        "invalid content after document end marker" => {
            ("text after `...` on its line", Some("put it on a line of its own"))
        }
        _ => match (info.starts_with("unexpected character"), character) {
            (true, Some(character)) => {
                let message = format!("a text cannot begin with `{character}`");
                return Trouble::Syntax { message, help: Some("quote the text") };
            }
            _ => (info.rsplit("while ").next().and_then(|it| it.split_once(", ")).map_or(info, |(_, it)| it), None),
        },
    };
    Trouble::Syntax { message: message.to_owned(), help }
}

#[cfg(test)]
mod tests {
    use super::{Trouble, explain};

    #[test]
    fn what_the_scanner_says_is_said_in_plain_words() {
        let message = |info, character| match explain(info, character) {
            Trouble::Syntax { message, .. } => message,
            other => format!("{other:?}"),
        };
        assert_eq!(message("unexpected character: `@'", Some('@')), "a text cannot begin with `@`");
        assert_eq!(message("tabs disallowed in this context", Some('\t')), "a tab cannot indent this line");
        assert_eq!(
            message("while scanning a block scalar, found an indentation indicator equal to 0", Some('0')),
            "found an indentation indicator equal to 0"
        );
        assert_eq!(message("recursion limit exceeded", Some('[')), "TooDeep");
    }
}
