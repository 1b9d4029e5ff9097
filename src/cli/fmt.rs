//! `tenantry fmt`
#![expect(clippy::disallowed_methods, reason = "this file replaces files by the same in another layout")]

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::args::FmtArguments;
use super::findings;
use super::output;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::check;
use crate::diag::Diagnostic;
use crate::layout::{self, Refused};
use crate::load::{self, Content, SourceTree, TreeFile, file_id};
use crate::path::RepoPath;
use crate::pipeline;
use crate::text::{SourceFile, SourceMap};

pub(super) fn run(settings: &Settings, arguments: &FmtArguments) -> Result<(), Failure> {
    if arguments.files == [Path::new("-")] {
        return standard_input();
    }
    let files = match arguments.files.as_slice() {
        [] => of_project(settings)?,
        named => named.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?,
    };
    let laid_out = lay_out(files)?;
    if arguments.check {
        let named: String = laid_out.changed.iter().map(|it| format!("{}\n", it.path.display())).collect();
        output::result(&named);
        return match laid_out.changed.len() {
            0 => Ok(()),
            count => {
                let message = format!("{} not laid out as `tenantry fmt` does it", are(count));
                Err(Failure::new(Exit::Inputs, message).help("run `tenantry fmt`; it keeps meaning and comments"))
            }
        };
    }
    for Changed { path, new } in &laid_out.changed {
        replace(path, new).map_err(|why| {
            Failure::new(Exit::World, format!("cannot write `{}`: {why}", path.display()))
                .help("the file is as it was; those before it are laid out")
        })?;
        output::result(&format!("{}\n", path.display()));
    }
    output::talk(&format!(
        "laid out {}; {} as they must be already",
        output::counted(laid_out.changed.len(), "file"),
        laid_out.unchanged
    ));
    Ok(())
}

fn are(count: usize) -> String {
    match count {
        1 => "1 file is".to_owned(),
        _ => format!("{count} files are"),
    }
}

/// A file as it stands.
struct File {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// What became of all files.
struct LaidOut {
    changed: Vec<Changed>,
    unchanged: usize,
}

/// A file that must be written.
struct Changed {
    path: PathBuf,
    new: String,
}

/// Every file before any is written: one that cannot be read stops it all.
fn lay_out(files: Vec<File>) -> Result<LaidOut, Failure> {
    let mut all = LaidOut { changed: Vec::new(), unchanged: 0 };
    let mut found = Vec::new();
    for (at, file) in files.iter().enumerate() {
        match layout::file(file_id(at), &file.bytes) {
            Ok(new) if new.as_bytes() == file.bytes => all.unchanged += 1,
            Ok(new) => all.changed.push(Changed { path: file.path.clone(), new }),
            Err(Refused::Unreadable(diagnostics)) => found.extend(diagnostics),
            Err(Refused::Unproven) => {
                let message = format!("`{}` cannot be laid out without changing what it means", file.path.display());
                return Err(Failure::new(Exit::Inputs, message).help(
                    "nothing was written; that is a mistake in `tenantry`: please report it with the file, and leave the file out",
                ));
            }
        }
    }
    match found.is_empty() {
        true => Ok(all),
        false => Err(unreadable(&files, found)),
    }
}

fn unreadable(files: &[File], found: Vec<Diagnostic>) -> Failure {
    let plain = |text: &str| RepoPath::parse(text.trim_start_matches("./")).ok();
    let name = |path: &Path| path.file_name().and_then(|it| it.to_str()).and_then(plain);
    let source = |it: &File| SourceFile {
        path: it.path.to_str().and_then(plain).or_else(|| name(&it.path)).unwrap_or_else(unnamed),
        text: std::str::from_utf8(&it.bytes).unwrap_or_default().into(),
    };
    let sources = SourceMap::new(files.iter().map(source).collect());
    findings::tell(&sources, found);
    Failure::new(Exit::Inputs, "a file that cannot be read cannot be laid out").help("nothing was written")
}

fn unnamed() -> RepoPath {
    RepoPath::parse("document.yaml").expect("a plain name")
}

/// Every file with documents; what lies in a package is none.
fn of_project(settings: &Settings) -> Result<Vec<File>, Failure> {
    let tree = load::dir::read(&settings.project, settings.threads)?;
    let (typed, _) = pipeline::catalogue(&tree);
    let packages = check::package_folders(&tree, &typed);
    let is_ours = |it: &TreeFile| {
        let in_package = || packages.iter().any(|folder| it.path.below(folder).is_some());
        SourceTree::holds_documents(&it.path) && matches!(it.content, Content::Bytes(_)) && !in_package()
    };
    let place = |path: &RepoPath| match settings.project == Path::new(".") {
        true => PathBuf::from(path.as_str()),
        false => settings.project.join(path.as_str()),
    };
    let files = tree.files.iter().filter(|it| is_ours(it));
    Ok(files.map(|it| File { path: place(&it.path), bytes: it.bytes().to_vec() }).collect())
}

fn read(path: &Path) -> Result<File, Failure> {
    let bytes = fs::read(path).map_err(|why| {
        Failure::new(Exit::Usage, format!("cannot read `{}`: {why}", path.display())).help("nothing was written")
    })?;
    Ok(File { path: path.to_owned(), bytes })
}

/// For editors: a text comes in, the same in our layout goes out.
fn standard_input() -> Result<(), Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin().take(crate::parse::MOST_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|why| Failure::new(Exit::World, format!("cannot read standard input: {why}")))?;
    let path = PathBuf::from("standard-input.yaml");
    let old = String::from_utf8_lossy(&bytes).into_owned();
    let laid_out = lay_out(vec![File { path, bytes }])?;
    output::result(laid_out.changed.first().map_or(&old, |it| &it.new));
    Ok(())
}

/// The old file or the new one, whatever happens; with the rights that it had. A link stays a link.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".tenantry-fmt-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}
