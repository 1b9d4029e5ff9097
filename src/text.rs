//! Source text and places in it.

use std::sync::Arc;

use crate::path::RepoPath;

/// Which file of a [`SourceMap`]; also its position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// The text of one file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path from the project's root.
    pub path: RepoPath,
    /// Its text; empty for files that are not text.
    pub text: Arc<str>,
}

/// Every file that a span may point into, sorted by path.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

/// A place as people count: both from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from one.
    pub line: usize,
    /// Column in characters, from one.
    pub column: usize,
}

impl SourceMap {
    /// A map over these files; their order gives the [`FileId`]s.
    pub fn new(files: Vec<SourceFile>) -> SourceMap {
        SourceMap { files }
    }

    /// The paths of all files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|it| it.path.as_str())
    }

    /// The file behind an id.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// Where a span begins.
    pub fn start(&self, span: Span) -> LineColumn {
        line_column(&self.file(span.file).text, span.start as usize)
    }

    /// Where a span ends: the place after its last character.
    pub fn end(&self, span: Span) -> LineColumn {
        line_column(&self.file(span.file).text, span.end as usize)
    }

    /// `path:line` of a span, the form in which reasons name their source.
    pub fn place(&self, span: Span) -> String {
        format!("{}:{}", self.file(span.file).path, self.start(span).line)
    }
}

/// The line and column of a byte; a byte past the end counts as the end.
pub fn line_column(text: &str, byte: usize) -> LineColumn {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let before = &text[..byte];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    LineColumn {
        line: before.bytes().filter(|b| *b == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{LineColumn, line_column};

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let text = "ä: b\nc: d\n";
        assert_eq!(line_column(text, 0), LineColumn { line: 1, column: 1 });
        assert_eq!(line_column(text, 4), LineColumn { line: 1, column: 4 });
        assert_eq!(line_column(text, 6), LineColumn { line: 2, column: 1 });
        assert_eq!(line_column(text, 999), LineColumn { line: 3, column: 1 });
    }
}
