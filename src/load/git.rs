//! A git revision as a tree of files, without a checkout: objects are read, no filter or hook runs.
#![expect(clippy::disallowed_methods, reason = "this file runs git")]

pub mod history; // who made a commit, and who is said to have looked at it

use std::io::{self, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use ring::digest;

use super::{Content, LoadError, MAX_FILES, SourceTree, TreeFile, is_input};
use crate::path::RepoPath;

/// Reads the inputs of a project at a revision. `root` is the project's folder, anywhere inside a repository.
pub fn read(root: &Path, revision: &str) -> Result<SourceTree, LoadError> {
    read_beside(root, revision, &SourceTree::default())
}

/// The same, beside a tree that was read already: a file that stands there under the same path with the same bytes
/// is not read again, and shares them.
pub fn read_beside(root: &Path, revision: &str, other: &SourceTree) -> Result<SourceTree, LoadError> {
    let commit = commit(root, revision)?;
    let prefix = text(root, &["rev-parse", "--show-prefix"])?.unwrap_or_default();
    let mut listed = list(root, &commit, &prefix)?;
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    let known: Vec<Option<Content>> = listed.iter().map(|it| same(it, other)).collect();
    let wanted = listed.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(entry, _)| entry);
    let mut read = read_blobs(root, &wanted.collect::<Vec<&Entry>>())?.into_iter();
    let files = listed.into_iter().zip(known).map(|(entry, known)| {
        let content = known.or_else(|| read.next()).expect("what is not known was read");
        TreeFile { path: entry.path, content }
    });
    Ok(SourceTree { commit: Some(commit), files: files.collect() })
}

/// The commit that a revision stands for.
pub fn commit(root: &Path, revision: &str) -> Result<String, LoadError> {
    if revision.starts_with('-') {
        return Err(LoadError::NoSuchRevision { revision: revision.into() });
    }
    let found =
        text(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")])?;
    found.map_or_else(|| Err(no_commit(root, revision)), Ok)
}

/// The newest commit that two revisions have in common; none when their histories never meet.
pub fn merge_base(root: &Path, one: &str, other: &str) -> Result<Option<String>, LoadError> {
    let (one, other) = (commit(root, one)?, commit(root, other)?);
    text(root, &["merge-base", &one, &other])
}

/// The branch that changes are proposed to: what `origin` calls its default, or else `main` or `master`, here or there.
pub fn default_branch(root: &Path) -> Result<Option<String>, LoadError> {
    if let Some(name) = text(root, &["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])? {
        return Ok(Some(name));
    }
    for name in ["origin/main", "origin/master", "main", "master"] {
        if text(root, &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])?.is_some() {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
}

/// The content of an entry, when another tree holds the very same.
fn same(entry: &Entry, other: &SourceTree) -> Option<Content> {
    let (_, file) = other.find(entry.path.as_str())?;
    match (&entry.blob, &file.content) {
        (Some(blob), Content::Bytes(bytes)) => is_blob(blob, bytes).then(|| file.content.clone()),
        (None, _) | (Some(_), Content::NotAFile) => None,
    }
}

/// Whether git would call these bytes by this name, which is the digest that the repository uses.
fn is_blob(blob: &str, bytes: &[u8]) -> bool {
    let algorithm = match blob.len() {
        40 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        64 => &digest::SHA256,
        _ => return false,
    };
    let mut it = digest::Context::new(algorithm);
    it.update(format!("blob {}\0", bytes.len()).as_bytes());
    it.update(bytes);
    HEXLOWER.encode(it.finish().as_ref()) == blob
}

/// Whether one commit descends from another, or is it; none when the repository here cannot tell: it is no repository,
/// or a shallow one, or git is not there.
pub fn descends(root: &Path, ancestor: &str, commit: &str) -> Option<bool> {
    let is_hash = |it: &str| it.len() >= 40 && it.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_hash(ancestor) || !is_hash(commit) {
        return None;
    }
    let knows = |it: &str| text(root, &["cat-file", "-e", &format!("{it}^{{commit}}")]).ok().flatten().is_some();
    if !knows(commit) {
        return None;
    }
    if !knows(ancestor) {
        // A whole clone has every ancestor of every commit in it.
        let shallow = text(root, &["rev-parse", "--is-shallow-repository"]).ok().flatten();
        return (shallow.as_deref() == Some("false")).then_some(false);
    }
    match git(root, &["merge-base", "--is-ancestor", ancestor, commit]).output().ok()?.status.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}

/// Why a revision has no commit: it does not exist, or there is no repository that we may read.
fn no_commit(root: &Path, revision: &str) -> LoadError {
    match git(root, &["rev-parse", "--git-dir"]).output() {
        Ok(output) if output.status.success() => LoadError::NoSuchRevision { revision: revision.into() },
        Ok(output) => failed(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Err(error) => failed(error),
    }
}

struct Entry {
    path: RepoPath,
    /// None for whatever is no regular file: links and submodules.
    blob: Option<String>,
}

fn list(root: &Path, commit: &str, prefix: &str) -> Result<Vec<Entry>, LoadError> {
    let tree = format!("{commit}:{prefix}");
    let output = git(root, &["ls-tree", "-r", "-z", "--full-tree", &tree]).output().map_err(failed)?;
    if !output.status.success() {
        return Err(failed(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned())));
    }
    let mut entries = Vec::new();
    for line in output.stdout.split(|byte| *byte == 0).filter(|it| !it.is_empty()) {
        // `<mode> <type> <object>\t<path>`, the path as raw bytes.
        let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(unexpected)?;
        let (head, name) = (&line[..tab], &line[tab + 1..]);
        let head = std::str::from_utf8(head).map_err(|_| unexpected())?;
        let lossy = String::from_utf8_lossy(name);
        if !is_input(&lossy) || lossy.split('/').any(|part| part.starts_with('.')) {
            continue;
        }
        let path = std::str::from_utf8(name).ok().and_then(|it| RepoPath::parse(it).ok());
        let path = path.ok_or_else(|| LoadError::Name { path: lossy.as_ref().into() })?;
        let mut words = head.split(' ');
        let (mode, kind, object) = (words.next(), words.next(), words.next());
        let regular = matches!(mode, Some("100644" | "100755" | "100664")) && kind == Some("blob");
        entries.push(Entry { path, blob: object.filter(|_| regular).map(str::to_owned) });
        if entries.len() > MAX_FILES {
            return Err(LoadError::TooMany);
        }
    }
    Ok(entries)
}

fn read_blobs(root: &Path, entries: &[&Entry]) -> Result<Vec<Content>, LoadError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut child = git(root, &["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let mut requests = child.stdin.take().expect("stdin was asked for");
    let mut answers = BufReader::with_capacity(1 << 20, child.stdout.take().expect("stdout was asked for"));
    let contents = std::thread::scope(|scope| {
        // Asked from a thread of its own: git answers while it reads, and both pipes are small.
        let asking = scope.spawn(move || {
            entries.iter().filter_map(|it| it.blob.as_deref()).try_for_each(|blob| writeln!(requests, "{blob}"))
        });
        let contents = entries
            .iter()
            .map(|entry| match entry.blob {
                Some(_) => read_blob(&mut answers).map(Content::Bytes),
                None => Ok(Content::NotAFile),
            })
            .collect::<io::Result<Vec<Content>>>();
        let asked = asking.join().expect("the asking thread never panics");
        contents.and_then(|contents| asked.map(|()| contents))
    });
    let status = child.wait().map_err(failed)?;
    match contents {
        Ok(contents) if status.success() => Ok(contents),
        Ok(_) => Err(failed(io::Error::other(format!("cat-file: {status}")))),
        Err(error) => Err(failed(error)),
    }
}

/// One answer of `cat-file --batch`: `<object> blob <size>\n<bytes>\n`.
fn read_blob(answers: &mut impl io::BufRead) -> io::Result<Arc<[u8]>> {
    let mut head = String::new();
    answers.read_line(&mut head)?;
    let size = head.trim_end().rsplit(' ').next().and_then(|it| it.parse::<usize>().ok());
    let size = size.ok_or_else(|| io::Error::other(format!("cat-file answered `{}`", head.trim_end())))?;
    let mut bytes = vec![0; size + 1];
    answers.read_exact(&mut bytes)?;
    bytes.truncate(size);
    Ok(bytes.into())
}

/// One line that git prints; none when it says no.
fn text(root: &Path, arguments: &[&str]) -> Result<Option<String>, LoadError> {
    let output = git(root, arguments).output().map_err(failed)?;
    match output.status.success() {
        true => Ok(Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())),
        false => Ok(None),
    }
}

/// git with nothing of the caller's surroundings: the same repository gives the same answer everywhere.
fn git(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"] {
        command.env_remove(variable);
    }
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .arg("-C")
        .arg(root)
        .args(arguments);
    command
}

fn failed(source: io::Error) -> LoadError {
    LoadError::Git { source }
}

fn unexpected() -> LoadError {
    failed(io::Error::other("ls-tree printed something unexpected"))
}
