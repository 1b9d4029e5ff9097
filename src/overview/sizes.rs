//! What devices fetch: the archive of each version, and the files in it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::cell::{Row, State};
use crate::bundle;
use crate::input::ReviewStatus;
use crate::model::{Catalog, Release};

/// Files of a version that are named; the rest is summed up.
const NAMED: usize = 20;

/// A mini-program and all its versions.
#[derive(Debug, Clone, Serialize)]
pub struct ProgramSizes {
    /// Its identifier.
    pub app_id: String,
    /// Its newest version's name for people.
    pub title: String,
    /// How many tenants have it now.
    pub tenants: usize,
    /// Its versions, newest first.
    pub versions: Vec<VersionSizes>,
}

/// One version.
#[derive(Debug, Clone, Serialize)]
pub struct VersionSizes {
    /// Its name.
    pub version: String,
    /// Its code.
    pub code: u32,
    /// `stable`, or the pre-release that its name says.
    pub channel: String,
    /// Its review status.
    pub review: ReviewStatus,
    /// Whether nobody may use it any more.
    pub revoked: bool,
    /// How many tenants have it on some shell now.
    pub tenants: usize,
    /// What it weighs.
    #[serde(flatten)]
    pub measured: Measured,
}

/// What a version weighs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// Bytes of the archive, which is what a device fetches.
    pub length: u64,
    /// Bytes of all files.
    pub unpacked: u64,
    /// The largest files, by what they take in the archive.
    pub files: Vec<FileSize>,
    /// The others together.
    pub more: Option<More>,
}

/// One file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileSize {
    /// Its path in the package.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its bytes in the archive.
    pub packed: u64,
}

/// Files that are not named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct More {
    files: usize,
    bytes: u64,
    packed: u64,
}

/// Packs a version to know what it weighs.
pub fn measure(release: &Release) -> Measured {
    let files = &release.package.files;
    let archive = bundle::pack(files, bundle::tree_digest(files)).bytes;
    let mut sizes: Vec<FileSize> =
        bundle::lengths(&archive).into_iter().map(|(path, bytes, packed)| FileSize { path, bytes, packed }).collect();
    let unpacked = sizes.iter().map(|it| it.bytes).sum();
    sizes.sort_by(|a, b| (b.packed, &a.path).cmp(&(a.packed, &b.path)));
    let rest = sizes.split_off(sizes.len().min(NAMED));
    let more = (!rest.is_empty()).then(|| More {
        files: rest.len(),
        bytes: rest.iter().map(|it| it.bytes).sum(),
        packed: rest.iter().map(|it| it.packed).sum(),
    });
    Measured { length: archive.len() as u64, unpacked, files: sizes, more }
}

/// Every program with what its versions weigh, and how many tenants have them.
pub fn programs(catalog: &Catalog, rows: &[Row], measured: &[Vec<Measured>]) -> Vec<ProgramSizes> {
    let mut tenants = vec![0; catalog.programs.len()];
    let mut of_version: Vec<Vec<usize>> = catalog.programs.iter().map(|it| vec![0; it.releases.len()]).collect();
    for (program, cell) in rows.iter().flat_map(|it| &it.wanted).filter(|(_, it)| State::runs(it.state)) {
        tenants[program.at()] += 1;
        let codes: BTreeSet<u32> = cell.versions.iter().map(|it| it.code).collect();
        for (at, release) in catalog.program(*program).releases.iter().enumerate() {
            of_version[program.at()][at] += usize::from(codes.contains(&release.code));
        }
    }
    let program = |(at, program): (usize, &crate::model::Program)| {
        let versions = program.releases.iter().enumerate().rev().map(|(release, it)| VersionSizes {
            version: it.version.to_string(),
            code: it.code,
            channel: it.version.pre.split('.').next().filter(|it| !it.is_empty()).unwrap_or("stable").to_owned(),
            review: it.status,
            revoked: it.revoked.is_some(),
            tenants: of_version[at][release],
            measured: measured[at][release].clone(),
        });
        ProgramSizes {
            app_id: program.app_id.to_string(),
            title: program.releases.last().map(|it| it.name.clone()).unwrap_or_default(),
            tenants: tenants[at],
            versions: versions.collect(),
        }
    };
    catalog.programs.iter().enumerate().map(program).collect()
}
