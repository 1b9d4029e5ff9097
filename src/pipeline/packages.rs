//! What the packages of a catalogue weigh, found out when somebody asks, and once.

use std::sync::OnceLock;

use crate::bundle;
use crate::digest::Blake3;
use crate::index::Archive;
use crate::model::{Catalog, ProgramId};

/// Trees and archives by program and release. Every question takes the same catalogue.
#[derive(Debug)]
pub(crate) struct Packages(Vec<Vec<Package>>);

/// The files of one version.
#[derive(Debug, Default)]
struct Package {
    tree: OnceLock<Blake3>,
    archive: OnceLock<Archive>,
}

impl Packages {
    pub(crate) fn new(catalog: &Catalog) -> Packages {
        let programs = catalog.programs.iter();
        Packages(programs.map(|it| it.releases.iter().map(|_| Package::default()).collect()).collect())
    }

    /// Digest of a version's files.
    pub(crate) fn tree(&self, catalog: &Catalog, program: usize, release: usize) -> Blake3 {
        let files = || &catalog.programs[program].releases[release].package.files;
        *self.0[program][release].tree.get_or_init(|| bundle::tree_digest(files()))
    }

    /// A version's files as this compiler packs them.
    pub(crate) fn archive(&self, catalog: &Catalog, program: usize, release: usize) -> Archive {
        let files = || &catalog.programs[program].releases[release].package.files;
        *self.0[program][release].archive.get_or_init(|| {
            let packed = bundle::pack(files(), self.tree(catalog, program, release));
            Archive { sha256: packed.sha256, length: packed.bytes.len() as u64 }
        })
    }

    /// Its tree, and the bytes of its archive.
    pub(crate) fn size(&self, catalog: &Catalog, program: ProgramId, release: usize) -> (Blake3, u64) {
        let program = program.at();
        (self.tree(catalog, program, release), self.archive(catalog, program, release).length)
    }
}
