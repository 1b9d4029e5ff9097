//! The files of a version: its package, pages, icons and templates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::Typed;
use crate::check::archive;
use crate::check::archive::Entries;
use crate::check::lower::Place;
use crate::check::templates;
use crate::diag;
use crate::diag::{Code, Diagnostic};
use crate::input::MiniProgramSpec;
use crate::load::{Content, SourceTree, file_id};
use crate::model::Template;
use crate::parse::{Document, Kind};
use crate::path::{BadPath, BundlePath, RepoPath};
use crate::text::Span;

/// Most bytes of a package that does not say otherwise.
const MAX_BYTES: u64 = 20 * 1024 * 1024;

/// What a version ships.
pub(super) struct Files {
    /// The package's folder or archive; the document itself when there is none.
    pub(super) path: RepoPath,
    /// The files of the package.
    pub(super) files: BTreeMap<BundlePath, Arc<[u8]>>,
    /// The templates that could be read.
    pub(super) templates: Vec<Template>,
}

/// The package folders that documents name, so that YAML inside them is not taken for documents. A document inside a
/// package is a file of the package and names nothing.
pub fn package_folders(tree: &SourceTree, documents: &[Typed]) -> Vec<String> {
    let path_of = |typed: &Typed| tree.files[typed.document.file.0 as usize].path.clone();
    let mut named: Vec<(RepoPath, RepoPath)> = Vec::new();
    for typed in documents.iter().filter(|typed| typed.document.kind == Kind::MiniProgram) {
        let path = Place::root(&typed.document).key("spec").key("package").key("path");
        let own = path_of(typed);
        let folder = path.text().and_then(|path| own.beside(path).ok());
        let folder = folder.filter(|folder| !is_archive(folder) && folder.as_str() != own.parent());
        named.extend(folder.map(|folder| (own, folder)));
    }
    // A package lies below its document's folder, so outer documents come first.
    named.sort_by_key(|(own, _)| own.as_str().matches('/').count());
    let mut folders: BTreeSet<String> = BTreeSet::new();
    for (own, folder) in named {
        if !is_below(&own, &folders) {
            folders.insert(folder.as_str().to_owned());
        }
    }
    folders.into_iter().collect()
}

/// Whether some folder above a path is among these.
fn is_below(path: &RepoPath, folders: &BTreeSet<String>) -> bool {
    path.as_str().match_indices('/').any(|(at, _)| folders.contains(&path.as_str()[..at]))
}

/// Links where documents are looked for. A link to a folder would hide whole tenants without a word.
pub(super) fn links_among_documents(tree: &SourceTree, documents: &[Typed]) -> Vec<Diagnostic> {
    let folders: BTreeSet<String> = package_folders(tree, documents).into_iter().collect();
    let mut found = Vec::new();
    for (at, file) in tree.files.iter().enumerate() {
        let path = file.path.as_str();
        let expected = path == "tenantry.yaml" || path.starts_with("tenants/") || path.starts_with("catalog/");
        if !expected || !matches!(file.content, Content::NotAFile) || is_below(&file.path, &folders) {
            continue;
        }
        // A link to a package is reported where the package is named.
        if folders.contains(path) || is_archive(&file.path) {
            continue;
        }
        let span = Span { file: file_id(at), start: 0, end: 0 };
        let message =
            format!("`{path}` is not a file: symbolic links, submodules, pipes and the like are never followed");
        let help = "put the file itself here, or take this out of `tenants/` and `catalog/`";
        found.push(Diagnostic::new(Code::Symlink, span, message).help(help));
    }
    found
}

fn is_archive(path: &RepoPath) -> bool {
    path.as_str().ends_with(".zip")
}

/// Reads what a version ships and checks what its document says about it.
pub(super) fn read(
    tree: &SourceTree,
    document: &Document,
    spec: &MiniProgramSpec,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> Files {
    let own = &tree.files[document.file.0 as usize].path;
    let package_at = at.key("package");
    let (path, files) = match locate(own, spec, package_at, found) {
        Some(path) => {
            let files = package(tree, &path, spec, package_at, found);
            (path, files)
        }
        None => (own.clone(), None),
    };
    let templates = templates::read(tree, own, spec, files.as_ref(), at, found);
    if let Some(files) = &files {
        mentioned(spec, files, at, found);
    }
    Files { path, files: files.unwrap_or_default(), templates }
}

fn locate(own: &RepoPath, spec: &MiniProgramSpec, at: Place<'_>, found: &mut Vec<Diagnostic>) -> Option<RepoPath> {
    let written = &spec.package.path;
    let span = at.key("path").span();
    match own.beside(written) {
        Ok(path) if path.as_str() != own.parent() => Some(path),
        // The document would be part of what it ships.
        Ok(_) | Err(BadPath::Empty) => {
            let message = format!("package `{written}` is the folder of this document");
            let help = "put the files that ship into a folder of their own, such as `app`";
            found.push(Diagnostic::new(Code::PackagePath, span, message).help(help));
            None
        }
        Err(why) => {
            let message = format!("package `{written}` cannot be read: {why}");
            let help = "a package is a folder or a `.zip` file below the folder of this document";
            found.push(Diagnostic::new(Code::PackagePath, span, message).help(help));
            None
        }
    }
}

fn package(
    tree: &SourceTree,
    path: &RepoPath,
    spec: &MiniProgramSpec,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> Option<BTreeMap<BundlePath, Arc<[u8]>>> {
    let span = at.key("path").span();
    let limit = spec.package.max_bytes.unwrap_or(MAX_BYTES);
    let entries = match tree.find(path.as_str()) {
        Some((_, file)) => match &file.content {
            Content::NotAFile => {
                found.push(symlink(span, path.as_str()));
                return None;
            }
            Content::Bytes(_) if !is_archive(path) => {
                let message = format!("package `{path}` is a file, and not a `.zip`");
                let help = "name a folder or a `.zip` file";
                found.push(Diagnostic::new(Code::MissingPackage, span, message).help(help));
                return None;
            }
            Content::Bytes(bytes) => match archive::read(bytes, limit) {
                Ok(entries) => entries,
                Err(archive::Refusal::TooLarge) => {
                    found.push(too_large(None, limit, at));
                    return None;
                }
                Err(archive::Refusal::Dangerous(why)) => {
                    let message = format!("package `{path}` is refused: {why}");
                    let help = "make the archive again from the plain files, or ship them as a folder";
                    found.push(Diagnostic::new(Code::PackageArchive, span, message).help(help));
                    return None;
                }
            },
        },
        None => folder(tree, path, span, found)?,
    };
    if entries.is_empty() {
        found.push(missing_package(tree, path, span));
        return None;
    }
    let total: u64 = entries.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    if total > limit {
        found.push(too_large(Some((total, &entries)), limit, at));
    }
    paths(entries, span, found)
}

fn folder(tree: &SourceTree, path: &RepoPath, span: Span, found: &mut Vec<Diagnostic>) -> Option<Entries> {
    let mut entries = Entries::new();
    let mut plain = true;
    for (_, file) in tree.below(path.as_str()) {
        match &file.content {
            Content::Bytes(bytes) => {
                let inside = file.path.below(path.as_str()).expect("the tree lists what is below the folder");
                entries.push((inside.to_owned(), bytes.clone()));
            }
            Content::NotAFile => {
                found.push(symlink(span, file.path.as_str()));
                plain = false;
            }
        }
    }
    plain.then_some(entries)
}

fn symlink(span: Span, path: &str) -> Diagnostic {
    let message = format!(
        "`{path}` in the package is not a file: symbolic links, submodules, pipes and the like are never followed"
    );
    Diagnostic::new(Code::Symlink, span, message).help("put the file itself there")
}

fn missing_package(tree: &SourceTree, path: &RepoPath, span: Span) -> Diagnostic {
    let mut beside = BTreeSet::new();
    for (_, file) in tree.below(path.parent()) {
        let inside = file.path.below(path.parent()).expect("the tree lists what is below the folder");
        let name = inside.split('/').next().expect("a path has a first part");
        if inside.contains('/') || name.ends_with(".zip") {
            beside.insert(name);
        }
    }
    let name = path.as_str().rsplit('/').next().expect("a path has a last part");
    let help = match diag::nearest(name, beside) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "the path is relative to this document; git keeps no empty folders".to_owned(),
    };
    Diagnostic::new(Code::MissingPackage, span, format!("there is no package at `{path}`")).help(help)
}

fn too_large(size: Option<(u64, &Entries)>, limit: u64, at: Place<'_>) -> Diagnostic {
    let message = match size {
        Some((total, _)) => format!("the package has {total} bytes, {} more than its limit of {limit}", total - limit),
        None => format!("the package unpacks to more than its limit of {limit} bytes"),
    };
    let largest = size.and_then(|(_, entries)| entries.iter().max_by_key(|(_, bytes)| bytes.len()));
    let help = match largest {
        Some((name, bytes)) => {
            format!("take files out or raise `max_bytes`; the largest is `{name}` with {} bytes", bytes.len())
        }
        None => "take files out or raise `max_bytes`".to_owned(),
    };
    let diagnostic = Diagnostic::new(Code::PackageTooLarge, at.key("path").span(), message).help(help);
    match at.key("max_bytes").written() {
        Some(span) => diagnostic.label(span, "the limit"),
        None => diagnostic,
    }
}

/// Every path must be safe on every file system, and no two may be one path on some of them.
fn paths(entries: Entries, span: Span, found: &mut Vec<Diagnostic>) -> Option<BTreeMap<BundlePath, Arc<[u8]>>> {
    let before = found.len();
    let mut files = BTreeMap::new();
    for (name, bytes) in entries {
        match BundlePath::parse(&name) {
            Ok(path) => _ = files.insert(path, bytes),
            Err(why) => {
                let message = format!("`{}` in the package is refused: {why}", name.escape_debug());
                let help = "rename it: shells unpack on file systems of every kind";
                found.push(Diagnostic::new(Code::PackagePath, span, message).help(help));
            }
        }
    }
    let mut folded: BTreeMap<String, &BundlePath> = BTreeMap::new();
    for path in files.keys() {
        if let Some(other) = folded.insert(path.folded(), path) {
            let message = format!("`{other}` and `{path}` in the package are one file where case does not count");
            found.push(Diagnostic::new(Code::PackagePath, span, message).help("rename one of them"));
        }
    }
    for path in files.keys() {
        if let Some(file) = above(&path.folded()).find_map(|folder| folded.get(folder)) {
            let message = format!("`{file}` in the package is a file, and the folder of `{path}`");
            found.push(Diagnostic::new(Code::PackagePath, span, message).help("rename one of them"));
        }
    }
    (found.len() == before).then_some(files)
}

/// The folders above a path.
pub(super) fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Pages and icons must be in the package, or be rendered into the overlay that lies over it.
fn mentioned(
    spec: &MiniProgramSpec,
    files: &BTreeMap<BundlePath, Arc<[u8]>>,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let has = |path: &str| {
        BundlePath::parse(path).is_ok_and(|path| files.contains_key(&path))
            || spec.templates.iter().any(|template| template.path == path)
    };
    let mut missing = |what: &str, path: &str, span: Span| {
        let help = match diag::nearest(path, files.keys().map(BundlePath::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "paths are relative to the package".to_owned(),
        };
        let message = format!("{what} `{path}` is not in the package");
        found.push(Diagnostic::new(Code::MissingPage, span, message).help(help));
    };
    for (index, page) in spec.pages.iter().enumerate() {
        if !has(page) {
            missing("page", page, at.key("pages").item(index).span());
        }
    }
    for (index, icon) in spec.icons.iter().enumerate() {
        let elsewhere = ["https:", "http:", "data:"].iter().any(|scheme| icon.src.starts_with(scheme));
        if !elsewhere && !has(&icon.src) {
            missing("icon", &icon.src, at.key("icons").item(index).key("src").span());
        }
    }
}
