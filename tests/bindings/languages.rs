//! Programs in other languages, over the bindings that were generated.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use tenantry::digest::Blake3;
use walkdir::WalkDir;

use crate::parts::{self, present_or_demanded};

/// The two programs that exist in every language: the sample shell, and the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Shell,
    Checks,
}

/// A language in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    Kotlin,
}

impl Language {
    /// A program, about to run; none when something is missing.
    pub(crate) fn program(self, program: Program) -> Option<Command> {
        let generated = generated()?;
        match self {
            Language::Python => python(&generated, program),
            Language::Kotlin => kotlin(&generated, program),
        }
    }
}

/// The folder into which `bindings/generate` wrote, if it did so after the last change of what it is made from.
pub(crate) fn generated() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let folder = parts::folder().with_file_name("bindings");
        let written = changed(&folder.join("python/tenantry_client.py"));
        let sources = ["src", "Cargo.toml", "bindings/src", "bindings/Cargo.toml", "bindings/Cargo.lock"];
        let sources = sources.into_iter().chain(["bindings/uniffi.toml", "bindings/generate"]);
        let last_change = sources.flat_map(|it| files(&repository(it))).filter_map(|it| changed(&it)).max();
        let is_there = written.is_some() && written >= last_change;
        present_or_demanded("what `bindings/generate` makes of today's source", is_there).then_some(folder)
    };
    FOUND.get_or_init(find).clone()
}

/// A path in this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = WalkDir::new(path).into_iter().map(|it| it.expect("the source is readable"));
    entries.filter(|it| it.file_type().is_file()).map(walkdir::DirEntry::into_path)
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|it| it.modified()).ok()
}

fn python(generated: &Path, program: Program) -> Option<Command> {
    let script = match program {
        Program::Shell => "bindings/python/shell.py",
        Program::Checks => "tests/bindings/checks.py",
    };
    let python = parts::folder().join("venv/bin/python");
    present_or_demanded("Python", python.is_file()).then(|| {
        let mut command = Command::new(python);
        command.arg(repository(script)).env("PYTHONPATH", generated.join("python")).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    })
}

fn kotlin(generated: &Path, program: Program) -> Option<Command> {
    let class = match program {
        Program::Shell => "ShellKt",
        Program::Checks => "Checks",
    };
    let compiler = repository("bindings/kotlin/node_modules/kotlin-compiler/lib");
    let jna = parts::folder().join("jna");
    let is_there = compiler.join("kotlin-compiler.jar").is_file() && jna.join("jna.jar").exists();
    present_or_demanded("Kotlin with JNA", is_there).then(|| {
        let jars = [jar(generated, &compiler, &jna), jna.join("jna.jar"), compiler.join("kotlin-stdlib.jar")];
        let mut command = Command::new("java");
        // Where JNA finds its own library, and where it finds ours.
        command.arg(format!("-Djava.library.path={}", jna.display()));
        command.arg(format!("-Djna.library.path={}", generated.join("python").display()));
        command.arg("-cp").arg(std::env::join_paths(jars).expect("no colon in our paths")).arg(class);
        command
    })
}

/// The generated code with the programs, compiled. Kept under a name made of everything that went in, since it takes
/// half a minute.
fn jar(generated: &Path, compiler: &Path, jna: &Path) -> PathBuf {
    static JAR: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let mut sources: Vec<PathBuf> = [generated.join("kotlin"), repository("tests/bindings")]
            .iter()
            .chain(&["bindings/kotlin/Shell.kt", "bindings/kotlin/HttpTransport.kt"].map(repository))
            .flat_map(|it| files(it))
            .filter(|it| it.extension().is_some_and(|it| it == "kt"))
            .collect();
        sources.sort();
        let mut content = fs::read(repository("bindings/kotlin/package-lock.json")).expect("the compiler's version");
        sources.iter().for_each(|it| content.extend(fs::read(it).expect("a source is readable")));
        let jars = parts::folder().join("kotlin");
        let jar = jars.join(format!("{}.jar", Blake3::of(&content)));
        if !jar.is_file() {
            fs::create_dir_all(&jars).expect("the folder of parts is writable");
            let scratch = tempfile::tempdir_in(&jars).expect("the folder of parts is writable");
            let made = scratch.path().join("made.jar");
            compile(&sources, compiler, &jna.join("jna.jar"), &made).expect("the compiler runs");
            fs::rename(made, &jar).expect("both are in one folder");
        }
        jar
    };
    JAR.get_or_init(make).clone()
}

fn compile(sources: &[PathBuf], compiler: &Path, jna: &Path, into: &Path) -> io::Result<()> {
    let mut command = Command::new("java");
    command.arg("-Xmx1g").arg("-cp").arg(compiler.join("kotlin-compiler.jar"));
    command.arg("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler").args(sources);
    command
        .arg("-cp")
        .arg(jna)
        .arg("-d")
        .arg(into)
        .arg("-no-reflect")
        .arg("-kotlin-home")
        .arg(compiler.with_file_name(""));
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the Kotlin that was generated compiles:\n{said}");
    Ok(())
}
