//! The syntax of templates. Rendering uses the same environment, so what parses here parses there.

use minijinja::Environment;
use minijinja::Error;
use minijinja::UndefinedBehavior;

use crate::text::FileId;
use crate::text::Span;

/// The environment of every template: strict about what is undefined, without a loader, so that no template can reach
/// another file.
pub fn environment<'source>() -> Environment<'source> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

/// Parses a template without rendering it.
pub fn parse(name: &str, text: &str) -> Result<(), Error> {
    // Most defaults are plain texts, and making an environment is the larger part of the work.
    match text.contains("{{") || text.contains("{%") || text.contains("{#") {
        true => environment().template_from_named_str(name, text).map(|_| ()),
        false => Ok(()),
    }
}

/// The place of a line, from one, without the white space around it; the last line when there are fewer.
pub fn line(file: FileId, text: &str, line: usize) -> Span {
    let mut start = 0;
    let mut span = Span { file, start: 0, end: 0 };
    for (index, full) in text.split_inclusive('\n').enumerate() {
        let (trimmed, front) = (full.trim(), full.len() - full.trim_start().len());
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        span = Span { file, start: byte(start + front), end: byte(start + front + trimmed.len()) };
        if index + 1 == line {
            break;
        }
        start += full.len();
    }
    span
}
