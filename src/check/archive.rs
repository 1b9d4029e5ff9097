//! Packages that come as `.zip`: read in memory, and refused at the first sign of harm.
//!
//! A package is reviewed as a folder and shipped as one, so an archive may hold nothing that a folder in git could not
//! show to a reviewer, and nothing that two readers would unpack differently.

use std::io::Cursor;
use std::io::Read as _;
use std::sync::Arc;

use zip::ZipArchive;

/// Most entries of an archive.
const MAX_ENTRIES: usize = 10_000;
/// More than this many bytes for one byte of the archive is a bomb.
const MAX_RATIO: u64 = 100;
/// Small files of blanks or zeroes may well deflate better than that.
const RATIO_COUNTS_FROM: u64 = 1024 * 1024;

/// Why an archive is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It unpacks to more than the limit.
    TooLarge,
    /// Something about it is damaged or dangerous.
    Dangerous(String),
}

/// Files by path, as they were found.
pub(super) type Entries = Vec<(String, Arc<[u8]>)>;

/// The files of an archive. Paths are as written in it, except that those which would escape are refused here.
pub(super) fn read(bytes: &[u8], limit: u64) -> Result<Entries, Refusal> {
    let damaged = |why: zip::result::ZipError| Refusal::Dangerous(format!("it is damaged ({why})"));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > MAX_ENTRIES {
        return refuse(format!("it has {} entries, more than {MAX_ENTRIES}", archive.len()));
    }
    if archive.has_duplicate_names() {
        return refuse("it has two entries with the same name".to_owned());
    }
    archive.validate_header_consistency().map_err(damaged)?;
    let mut files = Vec::with_capacity(archive.len());
    let mut left = limit;
    for index in 0..archive.len() {
        let raw = archive.by_index_raw(index).map_err(damaged)?;
        let name = raw.name().map_err(damaged)?.into_owned();
        let shown = name.escape_debug().to_string();
        if raw.encrypted() {
            return refuse(format!("`{shown}` is encrypted"));
        }
        if raw.is_symlink() {
            return refuse(format!("`{shown}` is a symbolic link"));
        }
        let escapes = name.starts_with('/')
            || name.contains(['\\', '\0'])
            || name.as_bytes().get(1) == Some(&b':')
            || name.split('/').any(|part| part == ".." || part == ".");
        if escapes {
            return refuse(format!("`{shown}` leads out of the package"));
        }
        if raw.is_dir() {
            continue;
        }
        let packed = raw.compressed_size();
        drop(raw);
        let mut entry = archive.by_index(index).map_err(damaged)?;
        let mut unpacked = Vec::new();
        // The sizes in the headers are claims; only what comes out counts.
        let taken = entry.by_ref().take(left.saturating_add(1)).read_to_end(&mut unpacked);
        let size = unpacked.len() as u64;
        if size > RATIO_COUNTS_FROM && size / packed.max(1) > MAX_RATIO {
            return refuse(format!("`{shown}` unpacks to {} times its size", size / packed.max(1)));
        }
        if size > left {
            return Err(Refusal::TooLarge);
        }
        if let Err(why) = taken {
            return refuse(format!("`{shown}` is damaged ({why})"));
        }
        left -= size;
        files.push((name, unpacked.into()));
    }
    Ok(files)
}

fn refuse<T>(why: String) -> Result<T, Refusal> {
    Err(Refusal::Dangerous(why))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::Refusal;
    use super::read;

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).expect("an entry");
            writer.write_all(bytes).expect("memory takes everything");
        }
        writer.finish().expect("an archive").into_inner()
    }

    fn refusal(bytes: &[u8]) -> String {
        match read(bytes, 10_000_000) {
            Err(Refusal::Dangerous(why)) => why,
            other => panic!("expected a refusal, not {other:?}"),
        }
    }

    #[test]
    fn a_plain_archive_gives_its_files() {
        let files = read(&archive(&[("a.html", b"one"), ("b/c.js", b"two")]), 6).expect("a good archive");
        assert_eq!(files, [("a.html".to_owned(), (*b"one").into()), ("b/c.js".to_owned(), (*b"two").into())]);
    }

    #[test]
    fn names_that_lead_out_of_the_package_are_refused() {
        for name in ["../evil", "/etc/passwd", "a/../../b", "C:evil", "a\\..\\b"] {
            assert!(refusal(&archive(&[(name, b"x")])).ends_with("leads out of the package"), "{name}");
        }
    }

    #[test]
    fn a_symbolic_link_is_refused() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink("a", "/etc/passwd", SimpleFileOptions::default()).expect("an entry");
        let bytes = writer.finish().expect("an archive").into_inner();
        assert_eq!(refusal(&bytes), "`a` is a symbolic link");
    }

    #[test]
    fn what_comes_out_counts_and_not_what_the_headers_claim() {
        let bytes = archive(&[("a", &[7; 5_000]), ("b", &[8; 5_000])]);
        assert_eq!(read(&bytes, 9_999), Err(Refusal::TooLarge));
    }

    #[test]
    fn a_bomb_is_refused() {
        let bytes = archive(&[("zeroes", &[0; 5_000_000])]);
        assert!(refusal(&bytes).starts_with("`zeroes` unpacks to "), "{}", refusal(&bytes));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let mut bytes = archive(&[("a", b"some text that is stored")]);
        bytes[35] ^= 0x55;
        assert!(refusal(&bytes).contains("damaged"));
        assert!(refusal(b"PK but nothing more").contains("damaged"));
    }

    #[test]
    fn two_entries_with_one_name_are_refused() {
        let mut bytes = archive(&[("a1", b"one"), ("a2", b"two")]);
        for at in 0..bytes.len() - 1 {
            if &bytes[at..at + 2] == b"a2" {
                bytes[at + 1] = b'1';
            }
        }
        assert_eq!(refusal(&bytes), "it has two entries with the same name");
    }

    #[test]
    fn a_name_that_differs_between_header_and_directory_is_refused() {
        let mut bytes = archive(&[("a1", b"one")]);
        let first = bytes.windows(2).position(|pair| pair == b"a1").expect("the local header");
        bytes[first + 1] = b'2';
        assert!(refusal(&bytes).contains("damaged"));
    }
}
