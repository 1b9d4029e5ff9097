//! Swift is generated, and NOT COMPILED: there is no Swift compiler where this runs. What can be said without one: it
//! keeps to the grammar, it has everything that the Rust source has, and its C header fits the library.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::languages::{generated, repository};
use crate::parts::{self, present_or_demanded};
use crate::project::run;

#[test]
fn swift_keeps_to_the_grammar() {
    let Some(swift) = generated().map(|it| it.join("swift/TenantryClient.swift")) else { return };
    let python = parts::folder().join("venv/bin/python");
    let has_grammar = Command::new(&python).args(["-c", "import tree_sitter_swift"]).output();
    if !present_or_demanded("the grammar of Swift", has_grammar.is_ok_and(|it| it.status.success())) {
        return;
    }
    let check =
        |files: &[&Path]| run(Command::new(&python).arg(repository("tests/bindings/swift_grammar.py")).args(files));
    let sample = repository("bindings/swift/Shell.swift");
    assert_eq!(check(&[&swift, &sample]).ok().stdout, "");
    // It would say if something were wrong.
    let broken = tempfile::NamedTempFile::new().expect("a file for the test");
    fs::write(&broken, "func start( { let }\n").expect("writes");
    assert!(check(&[broken.path()]).ok().stdout.contains(":1: "));
}

#[test]
fn swift_has_everything_that_the_source_has() {
    let Some(folder) = generated() else { return };
    let swift = fs::read_to_string(folder.join("swift/TenantryClient.swift")).expect("it was generated");
    let mut names = Vec::new();
    for file in ["answer", "client", "clock", "config", "error", "transport"] {
        names
            .extend(declared(&fs::read_to_string(repository(&format!("bindings/src/{file}.rs"))).expect("the source")));
    }
    assert!(names.len() > 120, "{} names are not all", names.len());
    let missing: Vec<&String> = names.iter().filter(|it| !swift.contains(&***it)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

/// What the public items of a source file are declared as in Swift.
fn declared(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let (mut names, mut item) = (Vec::new(), "");
    for line in source.lines() {
        let word = |after: &str| line.strip_prefix(after)?.split(|c: char| !c.is_alphanumeric() && c != '_').next();
        if !line.starts_with([' ', '}', '/', '#']) {
            item = line;
        }
        let (is_error, is_trait) = (item.contains("Error"), item.starts_with("pub trait"));
        if let Some(name) = word("pub struct ").or(word("pub enum ")).or(word("pub trait ")) {
            names.push(format!(" {name}"));
        } else if let Some(field) = word("    pub ").filter(|it| *it != "fn") {
            names.push(format!("public let {}: ", camel(field)));
        } else if let Some(function) = word("    pub fn ").or(word("pub fn ")).or(word("    fn ").filter(|_| is_trait))
        {
            names.push(format!("func {}(", camel(function)).replace("func open(", "func `open`("));
        } else if let Some(variant) =
            word("    ").filter(|it| it.starts_with(char::is_uppercase) && item.starts_with("pub enum"))
        {
            names.push(format!("case {}", if is_error { variant.to_owned() } else { camel(variant) }));
        }
    }
    names
}

/// `confirm_start` as `confirmStart`, `NotBegun` as `notBegun`.
fn camel(name: &str) -> String {
    let word = |(at, word): (usize, &str)| {
        let (first, rest) = word.split_at(1);
        let first = if at == 0 { first.to_ascii_lowercase() } else { first.to_ascii_uppercase() };
        first + rest
    };
    name.split('_').enumerate().map(word).collect()
}

#[test]
fn the_c_header_of_swift_fits_the_library() {
    let Some(folder) = generated() else { return };
    let map = fs::read_to_string(folder.join("swift/TenantryClientFFI.modulemap")).expect("it was generated");
    assert!(map.contains("module TenantryClientFFI {") && map.contains("header \"TenantryClientFFI.h\""), "{map}");
    let has_compiler = Command::new("cc").arg("--version").output().is_ok_and(|it| it.status.success());
    if !present_or_demanded("a C compiler", has_compiler) {
        return;
    }
    let header = fs::read_to_string(folder.join("swift/TenantryClientFFI.h")).expect("it was generated");
    let functions: Vec<&str> = header.lines().filter_map(function).collect();
    assert!(functions.iter().any(|it| it.ends_with("_refresh")) && functions.len() > 50, "{functions:?}");

    // A program that needs every function of the header, and calls one.
    let scratch = tempfile::tempdir().expect("a folder for the test");
    let program = format!(
        "#include <stdio.h>\n#include \"TenantryClientFFI.h\"\n\
         static void *all[] = {{ {} }};\n\
         int main(void) {{\n  RustCallStatus status = {{0}};\n\
           int64_t now = uniffi_tenantry_client_fn_func_system_clock(&status);\n\
           printf(\"%d %d\\n\", (int) (sizeof all / sizeof *all), status.code == 0 && now > 0);\n  return 0;\n}}\n",
        functions.iter().map(|it| format!("(void *) {it}")).collect::<Vec<_>>().join(", "),
    );
    let (source, binary) = (scratch.path().join("program.c"), scratch.path().join("program"));
    fs::write(&source, program).expect("writes");
    let library = folder.join("python");
    let mut cc = Command::new("cc");
    // Clang's words about null, which are all that is not C in it.
    cc.args(["-Wall", "-Werror", "-D_Nullable=", "-D_Nonnull=", "-I"]).arg(folder.join("swift"));
    cc.arg(&source).arg("-o").arg(&binary).arg("-L").arg(&library).arg("-ltenantry_client");
    cc.arg(format!("-Wl,-rpath,{}", library.display()));
    run(&mut cc).ok();
    assert_eq!(run(&mut Command::new(binary)).ok().stdout, format!("{} 1\n", functions.len()));
}

/// The function that a line of a header declares.
fn function(line: &str) -> Option<&str> {
    let name = line.split_once('(')?.0.rsplit([' ', '*']).next()?;
    (!line.starts_with(['#', ' ', '/']) && !line.contains("typedef") && name.contains("tenantry_client"))
        .then_some(name)
}
