//! Everything that a compile may read, already read. After this stage nothing reads the project again.

pub mod dir;
pub mod git;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::path::RepoPath;
use crate::text::{FileId, SourceFile, SourceMap};

/// Most bytes of a file that is shown to people; far more than a document may have.
const MAX_SHOWN: usize = 1 << 20;

/// Most files that a project may have.
pub const MAX_FILES: usize = 2_000_000;

/// Why a project cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The disk said no.
    #[error("cannot read `{path}`")]
    Read {
        /// Which file or folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A name that cannot go into a bundle or a message.
    #[error("the file name `{}` is not UTF-8, or has characters that are not safe on every file system", path.display())]
    Name {
        /// Which file.
        path: PathBuf,
    },
    /// Over [`MAX_FILES`].
    #[error("the project has more than {MAX_FILES} files")]
    TooMany,
    /// Not a commit.
    #[error("`{revision}` is not a commit in this repository")]
    NoSuchRevision {
        /// What was asked for.
        revision: String,
    },
    /// git is not there, or failed.
    #[error("cannot read the repository with git")]
    Git {
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// Whether a path is among the inputs of a compile.
pub fn is_input(path: &str) -> bool {
    path == "tenantry.yaml" || path.starts_with("tenants/") || path.starts_with("catalog/")
}

/// The files of a project at one moment, sorted by path.
#[derive(Debug, Default)]
pub struct SourceTree {
    /// The commit that they were read from; none for a working directory.
    pub commit: Option<String>,
    /// The files; positions are [`FileId`]s.
    pub files: Vec<TreeFile>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct TreeFile {
    /// Path from the project's root.
    pub path: RepoPath,
    /// What was there.
    pub content: Content,
}

/// What stands under a path.
#[derive(Debug, Clone)]
pub enum Content {
    /// A regular file.
    Bytes(Arc<[u8]>),
    /// A symbolic link, submodule, socket or the like, which no stage follows.
    NotAFile,
}

impl TreeFile {
    /// The bytes; empty when this is no regular file.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Bytes(bytes) => bytes,
            Content::NotAFile => &[],
        }
    }
}

impl SourceTree {
    /// The file with this path.
    pub fn find(&self, path: &str) -> Option<(FileId, &TreeFile)> {
        let at = self.files.binary_search_by(|it| it.path.as_str().cmp(path)).ok()?;
        Some((file_id(at), &self.files[at]))
    }

    /// The files below a folder, in order.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (FileId, &'a TreeFile)> {
        let prefix = format!("{folder}/");
        let start = self.files.partition_point(|it| it.path.as_str() < prefix.as_str());
        let files = self.files[start..].iter().enumerate();
        files
            .take_while(move |(_, it)| it.path.as_str().starts_with(&prefix))
            .map(move |(at, it)| (file_id(start + at), it))
    }

    /// Whether a file is one that may hold documents: `tenantry.yaml`, and YAML under `tenants/` and `catalog/`.
    pub fn holds_documents(path: &RepoPath) -> bool {
        let path = path.as_str();
        let yaml = path.ends_with(".yaml") || path.ends_with(".yml");
        yaml && (path == "tenantry.yaml" || path.starts_with("tenants/") || path.starts_with("catalog/"))
    }

    /// Whether the text of a file may be shown: a span may point into it.
    pub fn shows_text(path: &RepoPath) -> bool {
        SourceTree::holds_documents(path) || path.as_str().contains("template")
    }

    /// The texts that spans point into. Files that hold no documents count as empty, unless they are text that a template error may show; so do files that are too large for anybody to read.
    pub fn sources(&self) -> SourceMap {
        let text = |file: &TreeFile| match SourceTree::shows_text(&file.path) && file.bytes().len() <= MAX_SHOWN {
            true => std::str::from_utf8(file.bytes()).unwrap_or_default().into(),
            false => Arc::from(""),
        };
        SourceMap::new(self.files.iter().map(|file| SourceFile { path: file.path.clone(), text: text(file) }).collect())
    }
}

/// The id of the file at a position.
pub fn file_id(at: usize) -> FileId {
    FileId(u32::try_from(at).expect("the loader refuses trees of more than 2^32 files"))
}
