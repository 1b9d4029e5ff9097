//! The samples of `bindings/README.md` are pieces of programs that are run.

use std::fs;

use crate::languages::repository;

#[test]
fn the_readme_shows_what_is_tested() {
    for (language, least, files) in [
        ("python", 2, &["bindings/python/shell.py"][..]),
        ("kotlin", 3, &["bindings/kotlin/Shell.kt", "tests/bindings/Checks.kt"]),
        ("swift", 2, &["bindings/swift/Shell.swift"]),
    ] {
        let samples = samples(language);
        assert!(samples.len() >= least, "{} samples in {language}", samples.len());
        let tested: Vec<Vec<String>> = files.iter().map(|it| lines(&read(it))).collect();
        for sample in samples.iter().flat_map(|it| it.split("\n\n")) {
            let part = lines(sample);
            let is_tested = tested.iter().any(|it| it.windows(part.len()).any(|it| it == part));
            assert!(is_tested, "this is in none of {files:?}:\n{sample}");
        }
    }
}

/// The blocks of the README in one language.
fn samples(language: &str) -> Vec<String> {
    let (readme, fence) = (read("bindings/README.md"), format!("\n```{language}\n"));
    let blocks = readme.split(&fence).skip(1);
    blocks.map(|it| it.split("\n```").next().unwrap_or_default().to_owned()).collect()
}

/// The lines that say something, however far they are indented.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).expect("it is in the repository")
}
