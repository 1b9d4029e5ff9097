//! What lies below `out/state/`: the index, and which stores it goes on from.
#![expect(clippy::disallowed_methods, reason = "this file reads `out/state/`")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Object, OutDir, WriteError, swap_in};
use crate::index::{self, BadIndex, Index, Point};

/// Where the index is.
const INDEX: &str = "state/index.json";

/// Where the lineage is.
const LINEAGE: &str = "state/published.json";

/// Version of the lineage's format.
const FORMAT: u32 = 1;

/// How many publications of a store are remembered.
const REMEMBERED: usize = 50;

/// Which publications of which store a folder descends from. A folder may replace those and no others: what it does
/// not descend from was made by somebody else, whose changes it does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// Version of the format.
    pub format: u32,
    /// The stores that hold what is missing here; empty when the folder is whole.
    pub partial: Vec<String>,
    /// Publications by the name of the store, newest last. One that we were about to make counts, since it may have
    /// been made without our learning of it.
    pub stores: BTreeMap<String, Vec<Point>>,
}

impl Default for Lineage {
    /// Of a folder that descends from nothing.
    fn default() -> Lineage {
        Lineage { format: FORMAT, partial: Vec::new(), stores: BTreeMap::new() }
    }
}

impl Lineage {
    /// What it descends from in a store.
    pub fn of(&self, store: &str) -> &[Point] {
        self.stores.get(store).map_or(&[], Vec::as_slice)
    }

    /// Of a published folder, which need not be ours to write; of one without `state/` it says nothing.
    pub fn read(root: &Path) -> Result<Lineage, WriteError> {
        let Some((path, bytes)) = read_file(root.join(LINEAGE))? else { return Ok(Lineage::default()) };
        match serde_json::from_slice::<Lineage>(&bytes) {
            Ok(lineage) if lineage.format == FORMAT => Ok(lineage),
            Ok(lineage) => Err(WriteError::Format { path, found: lineage.format, wanted: FORMAT }),
            Err(why) => Err(WriteError::BadLineage { path, why: why.to_string() }),
        }
    }

    /// Adds one; the oldest are forgotten.
    pub fn add(&mut self, store: &str, point: Point) {
        let points = self.stores.entry(store.to_owned()).or_default();
        points.retain(|it| *it != point);
        points.push(point);
        points.drain(..points.len().saturating_sub(REMEMBERED));
    }
}

impl OutDir {
    /// The publication in it; none when there is none.
    pub fn index(&self) -> Result<Option<Index>, WriteError> {
        self.read_index(Index::parse)
    }

    /// What the next compile starts from: the publication in it, also when an older version has made that.
    pub fn previous(&self) -> Result<Option<Index>, WriteError> {
        self.read_index(Index::parse_or_upgrade)
    }

    fn read_index(&self, parse: impl Fn(&[u8]) -> Result<Index, BadIndex>) -> Result<Option<Index>, WriteError> {
        let Some((path, bytes)) = read_file(self.root.join(INDEX))? else { return Ok(None) };
        match parse(&bytes) {
            Ok(index) => Ok(Some(index)),
            Err(BadIndex::Format(found)) => Err(WriteError::Format { path, found, wanted: index::FORMAT }),
            Err(why) => Err(WriteError::BadIndex { path, why: why.to_string() }),
        }
    }

    /// Writes the index.
    pub fn write_index(&self, index: &Index) -> Result<(), WriteError> {
        self.replace(&Object { key: INDEX.into(), bytes: index.to_bytes() })
    }

    /// Which publications it descends from.
    pub fn lineage(&self) -> Result<Lineage, WriteError> {
        Lineage::read(&self.root)
    }

    /// Writes the lineage. Not a part of the publication: nothing is under way because of it.
    pub fn write_lineage(&self, lineage: &Lineage) -> Result<(), WriteError> {
        let mut bytes = serde_json::to_vec_pretty(lineage).expect("a lineage has only text keys");
        bytes.push(b'\n');
        swap_in(self.root.join(LINEAGE), &bytes)
    }
}

/// A file that need not be there.
fn read_file(path: PathBuf) -> Result<Option<(PathBuf, Vec<u8>)>, WriteError> {
    match fs::read(&path) {
        Ok(bytes) => Ok(Some((path, bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WriteError::Io { action: "read", path, source }),
    }
}
