//! The shape of the source is what ARCHITECTURE.md says: who may import whom, and who may touch the world.
#![expect(clippy::disallowed_methods, reason = "a test reads the source")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

#[test]
fn imports_run_one_way() {
    let ranks = ranks();
    let mut wrong: BTreeSet<String> = BTreeSet::new();
    for Source { path, module, code, .. } in sources() {
        for imported in imports(&code) {
            let own = ranks.get(&*module);
            if imported != module && own.is_some() && ranks.get(imported) >= own {
                wrong.insert(format!("`{module}` imports `{imported}` (src/{path})"));
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new(), "the ranks stand in ARCHITECTURE.md");
}

#[test]
fn every_module_has_a_rank() {
    let ranked: BTreeSet<String> = ranks().into_keys().collect();
    let there: BTreeSet<String> = sources().into_iter().map(|it| it.module).collect();
    assert_eq!(ranked, there);
}

#[test]
fn lib_lists_every_module() {
    let lib = read("src/lib.rs");
    let listed: BTreeSet<String> =
        lib.lines().filter_map(|it| it.strip_prefix("pub mod ")?.split(';').next()).map(str::to_owned).collect();
    assert_eq!(listed, ranks().into_keys().collect());
}

#[test]
fn io_is_where_it_is_said_to_be() {
    let said: BTreeSet<String> = block("io-files").lines().map(str::to_owned).collect();
    let lifts = |code: &str| {
        let mut expects = code.split("#![expect(").skip(1).filter_map(|it| it.split(")]").next());
        expects.any(|it| it.contains("disallowed_methods")) || code.contains("anstream::")
    };
    let there = sources().into_iter().filter(|it| lifts(&it.code)).map(|it| format!("src/{}", it.path));
    assert_eq!(said, there.collect());
}

#[test]
fn only_the_pipeline_is_parallel() {
    let named: Vec<String> = sources().into_iter().filter(|it| it.code.contains("rayon")).map(|it| it.path).collect();
    assert!(!named.is_empty());
    assert!(named.iter().all(|path| path.starts_with("pipeline")), "{named:?}");
}

/// Groups would hide modules from the test of imports, and a `mod.rs` says nothing in a list of open files.
#[test]
fn one_module_a_use_and_no_mod_rs() {
    let mut wrong = Vec::new();
    for Source { path, code, .. } in sources() {
        if path.ends_with("mod.rs") {
            wrong.push(path.clone());
        }
        let groups = code.lines().filter(|it| it.contains("use crate::{") || it.contains("use crate::*"));
        wrong.extend(groups.map(|it| format!("src/{path}: {it}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The tests above would pass on source that they cannot read.
#[test]
fn imports_are_found_wherever_they_stand() {
    let code = "use crate::model::Tenant;\nfn f(it: &crate::time::Timestamp) { crate::diag::sort() }\n";
    assert_eq!(imports(code).collect::<Vec<_>>(), ["model", "time", "diag"]);
    let source = without_tests("use crate::a::A; // crate::b\n#[cfg(test)]\nmod tests {\n    use crate::c::C;\n}\n");
    assert_eq!(imports(&source).collect::<Vec<_>>(), ["a"]);
}

/// One file of `src/` without its tests and comments.
struct Source {
    path: String,
    module: String,
    code: String,
}

/// Every file that belongs to a module; `main.rs` and `lib.rs` only name modules.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&folder);
        for entry in fs::read_dir(path).expect("a folder of the source") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("plain names");
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if entry.path().is_dir() {
                folders.push(path);
                continue;
            }
            match path.strip_suffix(".rs") {
                // The files of the project that `init` writes are no Rust.
                None => {}
                Some("lib" | "main") => {}
                // `#[cfg(test)] mod tests;` in a file of its own.
                Some(stem) if stem.ends_with("/tests") => {}
                Some(stem) => {
                    let module = stem.split('/').next().expect("at least one part").to_owned();
                    let code = without_tests(&read(&format!("src/{path}")));
                    found.push(Source { path, module, code });
                }
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Tests stand last in a file, and comments may name whom they like.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn imports(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    })
}

/// The fenced block `ranks` of ARCHITECTURE.md: one rank a line, lowest first.
fn ranks() -> BTreeMap<String, usize> {
    let block = block("ranks");
    let lines = block.lines().enumerate();
    lines.flat_map(|(rank, line)| line.split_whitespace().map(move |module| (module.to_owned(), rank))).collect()
}

fn block(name: &str) -> String {
    let page = read("ARCHITECTURE.md");
    let start = page.split_once(&format!("```{name}\n")).unwrap_or_else(|| panic!("a block `{name}`")).1;
    start.split_once("\n```").expect("the block ends").0.to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the repository")
}
