//! The files of programs: trees below `objects/`, each under its digest, shared by every set that names it.
#![expect(clippy::disallowed_methods, reason = "this file reads the trees of programs")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::answer;
use super::disk::{Disk, MANIFESTS, OBJECTS, SETS, TMP};
use super::error::Trouble;
use super::set::Set;
use super::state::{self, CURRENT, Latest, PREVIOUS, STAGED};
use crate::bundle::{Files, MAX_UNPACKED, TreeDigest};
use crate::digest::{Blake3, Sha256};
use crate::manifest;
use crate::path::BundlePath;

/// Longest file of a set.
const MAX_SET: u64 = 64 << 20;

/// A tree as it stands on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tree {
    Whole,
    Missing,
    /// Its files are not those that were signed for.
    Damaged,
}

/// The folder of a tree.
pub(super) fn folder(disk: &Disk, tree: Blake3) -> PathBuf {
    disk.path(&name(tree))
}

/// Whether a tree is there. Its files are not looked at.
pub(super) fn is_there(disk: &Disk, tree: Blake3) -> bool {
    disk.has(&name(tree))
}

/// Reads every file of a tree and compares the digest of all with its name.
pub(super) fn check(disk: &Disk, tree: Blake3) -> Tree {
    match is_there(disk, tree) {
        false => Tree::Missing,
        true if digest(&folder(disk, tree)) == Some(tree) => Tree::Whole,
        true => Tree::Damaged,
    }
}

/// Puts a tree on the disk. One that was there already is replaced: it was damaged.
pub(super) fn put(disk: &Disk, tree: Blake3, files: &Files) -> Result<(), Trouble> {
    disk.remove_folder(&name(tree))?;
    disk.put_tree(&name(tree), files.iter().map(|(path, bytes)| (path.as_str(), &**bytes)))
}

/// Takes a tree away.
pub(super) fn remove(disk: &Disk, tree: Blake3) -> Result<(), Trouble> {
    disk.remove_folder(&name(tree))
}

/// The file of a set.
pub(super) fn set_name(id: Blake3) -> String {
    format!("{SETS}/{id}.json")
}

/// The name of a manifest's file.
pub(super) fn manifest_name(sha256: Sha256) -> String {
    format!("{MANIFESTS}/{sha256}.json")
}

/// Reads a set; none when it is not there, or damaged.
pub(super) fn load_set(disk: &Disk, id: Blake3) -> Option<Set> {
    let bytes = disk.read(&set_name(id), MAX_SET).ok()??;
    Set::parse(id, &bytes)
}

/// Every set whose file is whole.
pub(super) fn whole_sets(disk: &Disk) -> Vec<(Blake3, Set)> {
    let names = disk.list(SETS).unwrap_or_default();
    let ids = names.iter().filter_map(|name| Blake3::parse(name.strip_suffix(".json")?));
    ids.filter_map(|id| Some((id, load_set(disk, id)?))).collect()
}

/// What stays, besides sets that a pointer leads to or somebody uses.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keep<'a> {
    /// Parts of downloads: what is wanted is not known here.
    Parts,
    /// These archives, unpacked or in part.
    Wanted(&'a BTreeMap<Blake3, &'a manifest::File>),
}

/// Takes away what no pointer leads to and nobody wants. Sets in use stay, whoever uses them.
pub(super) fn sweep(disk: &Disk, keep: Keep<'_>) -> Result<(), Trouble> {
    let pointers = [CURRENT, PREVIOUS, STAGED].map(|name| state::load_pointer(disk, name));
    // With a damaged pointer nobody knows what is wanted: a start mends it, and the next sweep takes the garbage.
    if pointers.iter().any(|it| matches!(it, state::Found::Damaged)) {
        return Ok(());
    }
    let pointed: BTreeSet<Blake3> = pointers.into_iter().filter_map(|it| Some(it.whole()?.set)).collect();
    let mut trees: BTreeSet<Blake3> = BTreeSet::new();
    let mut is_clear = true;
    for name in disk.list(SETS)? {
        let file = format!("{SETS}/{name}");
        let id = name.strip_suffix(".json").and_then(Blake3::parse);
        match id {
            Some(id) if pointed.contains(&id) || disk.is_pinned(&file) => match load_set(disk, id) {
                Some(set) => trees.extend(set.files().into_keys()),
                // What a damaged set names cannot be known, so no tree is garbage for now.
                None => is_clear = false,
            },
            _ => disk.remove(&[&file])?,
        }
    }
    for name in disk.list(OBJECTS)? {
        if is_clear && Blake3::parse(&name).is_none_or(|tree| !trees.contains(&tree) && !keep.tree(tree)) {
            disk.remove_folder(&format!("{OBJECTS}/{name}"))?;
        }
    }
    if let Some(latest) = state::load::<Latest>(disk).whole() {
        let names = disk.list(MANIFESTS)?.into_iter().map(|name| format!("{MANIFESTS}/{name}"));
        let older: Vec<String> = names.filter(|name| *name != manifest_name(latest.manifest)).collect();
        disk.remove(&older.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    clear(disk, keep)
}

/// Takes away what was left half-way, but for parts of downloads.
pub(super) fn clear_tmp(disk: &Disk) -> Result<(), Trouble> {
    clear(disk, Keep::Parts)
}

fn clear(disk: &Disk, keep: Keep<'_>) -> Result<(), Trouble> {
    for name in disk.list(TMP)? {
        if !keep.part(&name) {
            disk.discard(&name)?;
        }
    }
    Ok(())
}

impl Keep<'_> {
    fn tree(&self, tree: Blake3) -> bool {
        matches!(self, Keep::Wanted(files) if files.contains_key(&tree))
    }

    /// The name of a part begins with the SHA-256 of the archive.
    fn part(&self, name: &str) -> bool {
        let Some((sha256, _)) = name.strip_suffix(".part").and_then(|it| it.split_once('.')) else { return false };
        match self {
            Keep::Parts => true,
            Keep::Wanted(files) => files.values().any(|it| it.sha256.to_string() == sha256),
        }
    }
}

impl answer::Program {
    /// The file behind a path inside the program, from the overlay or else the bundle. None for a path that is no
    /// [`BundlePath`], so that no request of a page leaves the program's folders.
    pub fn file(&self, path: &str) -> Option<PathBuf> {
        let path = BundlePath::parse(path).ok()?;
        let folders = [self.overlay.as_ref(), self.folder.as_ref()];
        folders.into_iter().flatten().map(|folder| folder.join(path.as_str())).find(|it| it.is_file())
    }
}

fn name(tree: Blake3) -> String {
    format!("{OBJECTS}/{tree}")
}

/// The digest of the tree in a folder; none when something in it is no file that a bundle has.
fn digest(folder: &Path) -> Option<Blake3> {
    let mut paths = BTreeSet::new();
    collect(folder, "", &mut paths)?;
    let mut digest = TreeDigest::default();
    let mut left = MAX_UNPACKED;
    for path in &paths {
        let mut bytes = Vec::new();
        File::open(folder.join(path.as_str())).ok()?.take(left + 1).read_to_end(&mut bytes).ok()?;
        left = left.checked_sub(bytes.len() as u64)?;
        digest.file(path, &bytes);
    }
    Some(digest.finish())
}

fn collect(root: &Path, below: &str, paths: &mut BTreeSet<BundlePath>) -> Option<()> {
    for entry in fs::read_dir(root.join(below)).ok()? {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        // Links are not followed: what they lead to was never signed for.
        let kind = entry.file_type().ok()?;
        let path = BundlePath::parse(&path).ok()?;
        match () {
            () if kind.is_dir() => collect(root, path.as_str(), paths)?,
            () if kind.is_file() => drop(paths.insert(path)),
            () => return None,
        }
    }
    Some(())
}
