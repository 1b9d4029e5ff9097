//! A file cut into documents, before any YAML is read.

/// One document as it stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where the scanner begins: at the `---` or `...`, so that it judges what follows the mark on its line.
    pub(super) start: usize,
    /// The first byte after the mark.
    pub(super) body: usize,
    /// The next mark, or the end of the file.
    pub(super) end: usize,
}

/// Cuts at every line that begins with `---` or `...`.
///
/// YAML forbids these marks at the start of a line inside any scalar, quoted and block ones included, so no cut can
/// go through a value. Cutting first means that a document which cannot be scanned never hides the ones behind it.
pub(super) fn pieces(text: &str, from: usize) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(1);
    let mut open = Piece { start: from, body: from, end: from };
    let mut line = from;
    while line < text.len() {
        let next = text[line..].find('\n').map_or(text.len(), |at| line + at + 1);
        if is_mark(&text.as_bytes()[line..next]) {
            open.end = line;
            pieces.push(open);
            open = Piece { start: line, body: line + 3, end: line };
        }
        line = next;
    }
    open.end = text.len();
    pieces.push(open);
    pieces.retain(|piece| piece.start < piece.end);
    pieces
}

fn is_mark(line: &[u8]) -> bool {
    let mark = line.starts_with(b"---") || line.starts_with(b"...");
    mark && line.get(3).is_none_or(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::pieces;

    fn bodies(text: &str) -> Vec<&str> {
        pieces(text, 0).into_iter().map(|piece| &text[piece.body..piece.end]).collect()
    }

    #[test]
    fn documents_are_cut_at_marks_and_nowhere_else() {
        assert_eq!(bodies("a: 1\n"), ["a: 1\n"]);
        assert_eq!(bodies("--- # one\na: 1\n---\r\nb: 2\n...\n# end\n"), [" # one\na: 1\n", "\r\nb: 2\n", "\n# end\n"]);
        assert_eq!(bodies("a: ---\n---b: 1\n ---\n"), ["a: ---\n---b: 1\n ---\n"]);
        assert_eq!(bodies("a: 1\n---"), ["a: 1\n", ""]);
        assert_eq!(bodies(""), [""; 0]);
    }
}
