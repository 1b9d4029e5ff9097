//! Every diagnostic, produced by a project in `tests/suite` and written under the line that it speaks of.
//!
//! A fixture holds several files under `-- path --` headers. The lines that begin with `#` and carets are what the
//! compiler must say; they are taken out before it reads the file, so they may stand anywhere. `-- path (hex) --` is
//! a file in hexadecimal, `-- path (link) --` a symbolic link, `-- path (repeat 9) --` a file nine times over; what is
//! said about these, or about a file as a whole, stands under `-- expected --`. `BLESS=1 cargo test --test suite`
//! writes down what is said now.
#![expect(clippy::disallowed_methods, reason = "a test reads its fixtures")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tenantry::diag;
use tenantry::diag::{Code, Diagnostic, Severity};
use tenantry::load::{Content, SourceTree, TreeFile};
use tenantry::path::RepoPath;
use tenantry::pipeline;
use tenantry::text::SourceMap;
use tenantry::time::Timestamp;

#[test]
fn every_code_has_a_fixture_that_produces_it_as_written() {
    let bless = std::env::var("BLESS").is_ok();
    let mut produced = BTreeSet::new();
    let mut wrong = String::new();
    let mut fixtures: Vec<_> =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite")).expect("the suite").collect();
    fixtures.sort_by_key(|entry| entry.as_ref().expect("an entry").path());
    for entry in fixtures {
        let path = entry.expect("an entry").path();
        let written = fs::read_to_string(&path).expect("a fixture is text");
        let slug = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let fixture = Fixture::parse(&written);
        let (tree, found) = fixture.compile();
        let codes: BTreeSet<Code> = found.iter().map(|it| it.code).collect();
        if !codes.iter().any(|code| slug.starts_with(code.slug())) {
            writeln!(wrong, "{slug}.txt: does not produce its code").expect("memory");
        }
        produced.extend(codes);
        let said = fixture.with(&tree, &found);
        if said != written {
            match bless {
                true => fs::write(&path, &said).expect("a fixture can be written"),
                false => writeln!(wrong, "{slug}.txt: expected\n{written}\nbut it says\n{said}").expect("memory"),
            }
        }
    }
    let missing: Vec<Code> = Code::ALL.iter().copied().filter(|code| !produced.contains(code)).collect();
    assert!(wrong.is_empty(), "{wrong}\nBLESS=1 cargo test --test suite writes down what is said now");
    assert_eq!(missing, Vec::<Code>::new(), "codes without a fixture");
}

/// How the body of a file stands in a fixture.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Text,
    Hex,
    Link,
    Repeat(usize),
}

struct File {
    header: String,
    path: String,
    form: Form,
    lines: Vec<String>,
}

struct Fixture {
    intro: Vec<String>,
    files: Vec<File>,
}

impl Fixture {
    fn parse(text: &str) -> Fixture {
        let mut fixture = Fixture { intro: Vec::new(), files: Vec::new() };
        let mut in_expected = false;
        for line in text.lines() {
            if let Some(header) = line.strip_prefix("-- ").and_then(|it| it.strip_suffix(" --")) {
                in_expected = header == "expected";
                if !in_expected {
                    let (path, form) = match header.split_once(" (") {
                        None => (header, Form::Text),
                        Some((path, "hex)")) => (path, Form::Hex),
                        Some((path, "link)")) => (path, Form::Link),
                        Some((path, times)) => {
                            let times = times.strip_prefix("repeat ").and_then(|it| it.strip_suffix(')'));
                            (path, Form::Repeat(times.and_then(|it| it.parse().ok()).expect("a known form")))
                        }
                    };
                    let (header, path) = (header.to_owned(), path.to_owned());
                    fixture.files.push(File { header, path, form, lines: Vec::new() });
                }
            } else if !in_expected && !is_expectation(line) {
                match fixture.files.last_mut() {
                    Some(file) => file.lines.push(line.to_owned()),
                    None => fixture.intro.push(line.to_owned()),
                }
            }
        }
        fixture
    }

    fn compile(&self) -> (SourceTree, Vec<Diagnostic>) {
        let mut files: Vec<TreeFile> = self.files.iter().map(File::in_tree).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let tree = SourceTree { commit: None, files };
        let (mut checked, decided) = pipeline::check(&tree, Timestamp::parse("2026-11-23T00:00:00Z").expect("a time"));
        if pipeline::is_sound(&checked.diagnostics) {
            checked.diagnostics.extend(pipeline::first_start::check(&checked, &decided));
        }
        let mut found = checked.diagnostics;
        diag::sort(&mut found, &tree.sources());
        (tree, found)
    }

    /// The fixture with what the compiler says now.
    fn with(&self, tree: &SourceTree, found: &[Diagnostic]) -> String {
        let sources = tree.sources();
        let mut text = String::new();
        let mut apart = String::new();
        for line in &self.intro {
            writeln!(text, "{line}").expect("memory");
        }
        for file in &self.files {
            writeln!(text, "-- {} --", file.header).expect("memory");
            let mine = |it: &&Diagnostic| sources.file(it.span().file).path.as_str() == file.path;
            let mine: Vec<&Diagnostic> = found.iter().filter(mine).collect();
            for (index, line) in file.lines.iter().enumerate() {
                writeln!(text, "{line}").expect("memory");
                for it in mine.iter().filter(|it| file.shows(it) && sources.start(it.span()).line == index + 1) {
                    text.push_str(&under(it, line, &sources));
                }
            }
            for it in mine.iter().filter(|it| !file.shows(it) || sources.start(it.span()).line > file.lines.len()) {
                writeln!(apart, "{}", short(it, &sources)).expect("memory");
            }
        }
        match apart.is_empty() {
            true => text,
            false => format!("{text}-- expected --\n{apart}"),
        }
    }
}

impl File {
    fn in_tree(&self) -> TreeFile {
        let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        let bytes = match self.form {
            Form::Text => text.into_bytes(),
            Form::Repeat(times) => text.repeat(times).into_bytes(),
            Form::Hex => {
                let digits: String = text.split_whitespace().collect();
                data_encoding::HEXLOWER.decode(digits.as_bytes()).expect("hexadecimal")
            }
            Form::Link => {
                return TreeFile { path: RepoPath::parse(&self.path).expect("a path"), content: Content::NotAFile };
            }
        };
        TreeFile { path: RepoPath::parse(&self.path).expect("a path"), content: Content::Bytes(bytes.into()) }
    }

    /// Whether a diagnostic can stand under its line.
    fn shows(&self, it: &Diagnostic) -> bool {
        self.form == Form::Text && it.span().end > 0
    }
}

fn is_expectation(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('#') else { return false };
    let rest = rest.trim_start_matches([' ', '^']);
    ["error[", "warning[", "help: ", "note: "].iter().any(|start| rest.starts_with(start))
}

fn severity(it: &Diagnostic) -> &'static str {
    match it.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The lines below the line that a diagnostic speaks of. The `#` covers the first column.
fn under(it: &Diagnostic, line: &str, sources: &SourceMap) -> String {
    let (start, end) = (sources.start(it.span()), sources.end(it.span()));
    let line_end = line.chars().count() + 1;
    let end = match end.line == start.line {
        true => end.column,
        false => line_end,
    };
    let width = end.saturating_sub(start.column).max(1);
    let carets = match start.column {
        1 => "^".repeat(width - 1),
        column => format!("{}{}", " ".repeat(column - 2), "^".repeat(width)),
    };
    let indent = " ".repeat(start.column.saturating_sub(2));
    let mut text = format!("#{carets} {}[{}]: {}\n", severity(it), it.code.slug(), it.message);
    let here = Some(&it.labels[0]).filter(|label| !label.text.is_empty());
    for label in here.into_iter().chain(&it.labels[1..]) {
        let at = sources.start(label.span);
        let place = format!("{}:{}:{}", sources.file(label.span.file).path, at.line, at.column);
        writeln!(text, "#{indent} note: {place}: {}", label.text).expect("memory");
    }
    if let Some(help) = &it.help {
        writeln!(text, "#{indent} help: {help}").expect("memory");
    }
    text
}

fn short(it: &Diagnostic, sources: &SourceMap) -> String {
    let at = sources.start(it.span());
    let path = &sources.file(it.span().file).path;
    let help = it.help.as_ref().map(|help| format!("\n  help: {help}")).unwrap_or_default();
    format!("{path}:{}:{}: {}[{}] {}{help}", at.line, at.column, severity(it), it.code.slug(), it.message)
}
