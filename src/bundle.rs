//! Files in, one deterministic archive out: equal files, equal bytes, on any machine.
//!
//! A bundle is a ZIP (`.ma`, `application/miniapp-pkg+zip`, W3C MiniApp Packaging) with sorted names, the
//! time 1980-01-01, mode 0644, one deflate level and no extra fields.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::digest::{Blake3, Fingerprint, Sha256};
use crate::index::Archive;
use crate::path::BundlePath;

/// The files of a bundle.
pub type Files = BTreeMap<BundlePath, Arc<[u8]>>;

/// The archives of a catalogue's versions: by program, then by release; none for a version that nobody has.
pub type Bundles = Vec<Vec<Option<(Blake3, Archive)>>>;

/// Most bytes that [`unpack`] inflates.
pub const MAX_UNPACKED: u64 = 512 << 20;

/// Part of the format: another level gives other bytes, and every device would download everything again.
const DEFLATE_LEVEL: i64 = 6;

/// Part of the format too. Shorter files are stored as they are: deflate saves nothing worth having there, and an
/// overlay of one small file, made for each tenant, takes a tenth of the time.
const DEFLATE_FROM: usize = 512;

/// An archive and its names.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Digest of the tree of files: the identity of the content, and the name among the targets.
    pub tree: Blake3,
    /// Digest of the archive, as TUF clients check it.
    pub sha256: Sha256,
    /// The archive.
    pub bytes: Vec<u8>,
}

/// The digest of a tree of files: paths, lengths and bytes. It does not depend on any compressor.
pub fn tree_digest(files: &Files) -> Blake3 {
    let mut it = TreeDigest::default();
    for (path, bytes) in files {
        it.file(path, bytes);
    }
    it.finish()
}

/// [`tree_digest`] of a tree that is not in memory: its files are added one by one, sorted by path.
pub struct TreeDigest(Fingerprint);

impl Default for TreeDigest {
    fn default() -> TreeDigest {
        TreeDigest(Fingerprint::new("tenantry.dev 2026-11 bundle tree v1"))
    }
}

impl TreeDigest {
    /// Adds one file.
    pub fn file(&mut self, path: &BundlePath, bytes: &[u8]) {
        self.0.part(path.as_str().as_bytes()).part(bytes);
    }

    /// The digest of all of them.
    pub fn finish(&self) -> Blake3 {
        self.0.finish()
    }
}

/// Packs files whose [`tree_digest`] is known.
pub fn pack(files: &Files, tree: Blake3) -> Bundle {
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let deflated = stored.compression_method(CompressionMethod::Deflated).compression_level(Some(DEFLATE_LEVEL));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        let options = if bytes.len() < DEFLATE_FROM { stored } else { deflated };
        archive.start_file(path.as_str(), options).expect("paths are distinct and memory takes every write");
        archive.write_all(bytes).expect("memory takes every write");
    }
    let bytes = archive.finish().expect("memory takes every write").into_inner();
    Bundle { tree, sha256: Sha256::of(&bytes), bytes }
}

/// A number of bytes that [`pack`] never exceeds, known without packing.
pub fn most_packed(files: &Files) -> u64 {
    // Headers of 30 and 46 bytes with the name in both, and 22 at the end. What deflate cannot make smaller it stores
    // in blocks, of which each adds five bytes.
    let entries = files.iter().map(|(path, bytes)| {
        let (name, length) = (path.as_str().len() as u64, bytes.len() as u64);
        76 + 2 * name + length + 5 * (length / 4096 + 2)
    });
    22 + entries.sum::<u64>()
}

/// Why an archive is not one of ours.
#[derive(Debug, thiserror::Error)]
pub enum BadBundle {
    /// Not a readable ZIP.
    #[error("not a bundle: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// An entry that cannot be read.
    #[error("entry `{name}` cannot be read: {source}")]
    Entry {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An entry with a name that [`pack`] never writes.
    #[error("entry `{name}` does not belong in a bundle: {why}")]
    Name {
        /// Which.
        name: String,
        /// Why.
        why: String,
    },
    /// More bytes than any bundle has.
    #[error("the bundle unpacks to more than 512 MiB")]
    TooLarge,
}

/// Takes an archive apart again; refuses whatever [`pack`] never writes.
pub fn unpack(bytes: &[u8]) -> Result<Files, BadBundle> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut files = Files::new();
    let mut left = MAX_UNPACKED;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at)?;
        let name = entry.name()?.into_owned();
        let refused = |why: String| BadBundle::Name { name: name.clone(), why };
        if !entry.is_file() || entry.is_symlink() {
            return Err(refused("it is no regular file".into()));
        }
        let path = BundlePath::parse(&name).map_err(|why| refused(why.to_string()))?;
        let mut content = Vec::new();
        let read = entry.by_ref().take(left + 1).read_to_end(&mut content);
        let read = read.map_err(|source| BadBundle::Entry { name: name.clone(), source })? as u64;
        left = left.checked_sub(read).ok_or(BadBundle::TooLarge)?;
        if files.insert(path, content.into()).is_some() {
            return Err(refused("it is there twice".into()));
        }
    }
    Ok(files)
}

/// Of each file in an archive of ours its path, its bytes, and its bytes in the archive; sorted by path.
pub fn lengths(archive: &[u8]) -> Vec<(String, u64, u64)> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).expect("an archive that was packed here");
    let count = archive.len();
    let entry = |at| {
        let entry = archive.by_index_raw(at).expect("an entry that was packed here");
        let name = entry.name().expect("a name that was packed here").into_owned();
        (name, entry.size(), entry.compressed_size())
    };
    (0..count).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> Files {
        pairs
            .iter()
            .map(|(path, text)| (BundlePath::parse(path).expect("a good path"), text.as_bytes().into()))
            .collect()
    }

    #[test]
    fn equal_files_give_equal_bytes_and_come_back_whole() {
        let tree = files(&[("index.html", "<p>hello</p>"), ("a/b.js", ""), ("a/ü.txt", "ü")]);
        let digest = tree_digest(&tree);
        let (one, two) = (pack(&tree, digest), pack(&tree, digest));
        assert_eq!(one.bytes, two.bytes);
        assert_eq!(unpack(&one.bytes).expect("our own bundle"), tree);
    }

    /// A change of these bytes is a change of the format: every device downloads every bundle again.
    #[test]
    fn the_format_of_bundles_has_not_moved() {
        let tree = files(&[("index.html", &"<p>hello</p>\n".repeat(100)), ("pages/a.js", "console.log(1)")]);
        let bundle = pack(&tree, tree_digest(&tree));
        assert_eq!(
            (bundle.tree.to_string().as_str(), bundle.sha256.to_string().as_str(), bundle.bytes.len()),
            (
                "ae59e854124f573bb474317bbdcd286806e276f8a9bf07207f57248b743db2fb",
                "f7c30486a276009ef06e0e5d8e5d4e0bd9a1e83b9c1005f516e2fafe81f2725c",
                257
            )
        );
    }

    #[test]
    fn no_archive_is_larger_than_is_said_before_it_is_packed() {
        // Digests of digests: nothing makes them smaller.
        let mut noise = Vec::new();
        while noise.len() < 300_000 {
            noise.extend(Blake3::of(&noise[noise.len().saturating_sub(32)..]).0);
        }
        let mut tree = files(&[("index.html", ""), ("a/ü.txt", "ü"), ("pages/a.js", &"x".repeat(5000))]);
        for length in [1, 511, 512, 4096, 65_535, 65_536, 300_000] {
            tree.insert(BundlePath::parse(&format!("n{length}")).expect("a good path"), noise[..length].into());
            let packed = pack(&tree, tree_digest(&tree)).bytes.len() as u64;
            assert!(packed <= most_packed(&tree), "{packed} is more than {}", most_packed(&tree));
        }
        assert_eq!(most_packed(&Files::new()), pack(&Files::new(), tree_digest(&Files::new())).bytes.len() as u64);
    }

    #[test]
    fn the_digest_of_a_tree_sees_paths_lengths_and_bytes() {
        let of = |pairs: &[(&str, &str)]| tree_digest(&files(pairs));
        assert_ne!(of(&[("a", "bc")]), of(&[("ab", "c")]));
        assert_ne!(of(&[("a", "x"), ("b", "")]), of(&[("a", ""), ("b", "x")]));
    }

    #[test]
    fn what_pack_never_writes_is_refused() {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("../evil", SimpleFileOptions::default()).expect("memory takes every write");
        let bytes = archive.finish().expect("memory takes every write").into_inner();
        assert!(matches!(unpack(&bytes), Err(BadBundle::Name { .. })));
        assert!(matches!(unpack(b"not a zip"), Err(BadBundle::Zip(_))));
    }
}
