//! A directory as a store: what a web server shows, or what another tool copies on.
#![expect(clippy::disallowed_methods, reason = "this file reads and writes a directory that is a store")]
//!
//! Conditions hold among processes on one machine: an object that must be absent comes into being by a hard link,
//! which fails where one is, and every other put holds a lock. Bytes are on the disk before their name is.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use walkdir::WalkDir;

use super::{ETag, Fetched, Listed, Precondition, Store, StoreError, Upload};
use crate::digest::Blake3;
use crate::time::Timestamp;

/// Holds whoever replaces an object.
const LOCK: &str = ".lock";

/// Where objects stand before they have their name.
const NEW: &str = ".new";

/// How many objects a page of a listing has.
const PAGE: usize = 1000;

/// A directory.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The directory with this path; it is made with the first object.
    pub fn new(root: impl Into<PathBuf>) -> Directory {
        Directory { root: root.into() }
    }

    /// The file behind a key. Keys are ours, but they also come back from a state that somebody may have edited.
    fn path(&self, key: &str) -> Result<PathBuf, StoreError> {
        let is_plain = |part: &str| {
            !part.starts_with('.') && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        match !key.is_empty() && key.split('/').all(|part| !part.is_empty() && is_plain(part)) {
            true => Ok(self.root.join(key)),
            false => Err(StoreError::Refused { key: key.into(), source: "it is no key of a publication".into() }),
        }
    }

    fn read(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        let path = self.path(key)?;
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            File::open(&path)?.take(max + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) if bytes.len() as u64 > max => {
                Err(StoreError::Refused { key: key.into(), source: "it is larger than any object".into() })
            }
            Ok(bytes) => Ok(Some(Fetched { etag: etag(&bytes), bytes })),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(failed(key, error)),
        }
    }

    /// A new file with these bytes, on the disk, under a name that nobody looks for.
    fn write_new(&self, upload: &Upload<'_>) -> io::Result<tempfile::NamedTempFile> {
        let folder = self.root.join(NEW);
        fs::create_dir_all(&folder)?;
        // Readable by the web server: `tempfile` alone would keep it to its owner.
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(upload.bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    fn lock(&self) -> io::Result<File> {
        fs::create_dir_all(&self.root)?;
        let lock = File::options().create(true).write(true).truncate(false).open(self.root.join(LOCK))?;
        lock.lock()?;
        Ok(lock)
    }
}

impl Store for Directory {
    fn describe(&self) -> String {
        format!("directory `{}`", self.root.display())
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.read(key, max)
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        let path = self.path(key)?;
        let Some(fetched) = self.read(key, super::MAX_OBJECT)? else { return Ok(None) };
        let modified = modified(&path).map_err(|error| failed(key, error))?;
        Ok(Some(Listed { key: key.into(), length: fetched.bytes.len() as u64, etag: fetched.etag, modified }))
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        let path = self.path(upload.key)?;
        let refused = || Err(StoreError::Precondition { key: upload.key.into() });
        let io = |error| failed(upload.key, error);
        let new = self.write_new(upload).map_err(io)?;
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(io)?;
        if upload.precondition == Precondition::Absent {
            return match fs::hard_link(new.path(), &path) {
                Ok(()) => sync(parent).map(|()| etag(upload.bytes)).map_err(io),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => refused(),
                Err(error) => Err(io(error)),
            };
        }
        let _lock = self.lock().map_err(io)?;
        if let Precondition::Is(expected) = &upload.precondition {
            match self.read(upload.key, super::MAX_OBJECT)? {
                Some(there) if there.etag == *expected => {}
                _ => return refused(),
            }
        }
        new.persist(&path).map_err(|error| io(error.error))?;
        sync(parent).map_err(io)?;
        Ok(etag(upload.bytes))
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        let mut keys: Vec<String> = Vec::new();
        let walk = WalkDir::new(&self.root).into_iter().filter_entry(|it| {
            // What begins with a dot is not an object; the root itself may be called anything.
            it.depth() == 0 || !it.file_name().as_encoded_bytes().starts_with(b".")
        });
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.io_error().is_some_and(is_absence) => continue,
                Err(error) => {
                    let error = error.into_io_error().unwrap_or_else(|| io::Error::other("a loop of links"));
                    return Err(failed(prefix, error));
                }
            };
            let key = entry.path().strip_prefix(&self.root).expect("the walk began there").to_string_lossy();
            let key = key.replace(std::path::MAIN_SEPARATOR, "/");
            if entry.file_type().is_file() && key.starts_with(prefix) && self.path(&key).is_ok() {
                keys.push(key);
            }
        }
        keys.sort();
        for keys in keys.chunks(PAGE) {
            let mut page = Vec::with_capacity(keys.len());
            for key in keys {
                // One that went meanwhile is not there.
                page.extend(self.head(key)?);
            }
            each(page);
        }
        Ok(())
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        for key in keys {
            let path = self.path(key)?;
            match fs::remove_file(&path) {
                Ok(()) => {
                    // The folder of a tenant that is gone; one that is not empty stays.
                    let _ = fs::remove_dir(path.parent().unwrap_or(&self.root));
                }
                Err(error) if is_absence(&error) => {}
                Err(error) => return Err(failed(key, error)),
            }
        }
        Ok(())
    }
}

/// The version of some bytes: their digest, cut short.
fn etag(bytes: &[u8]) -> ETag {
    ETag::new(&Blake3::of(bytes).to_string()[..32])
}

fn modified(path: &Path) -> io::Result<Timestamp> {
    let since = fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(since.as_secs().cast_signed()).ok_or_else(|| io::Error::other("its date cannot be"))
}

/// Makes a name last: on Unix a directory is a file that can be synced, elsewhere the system does it.
fn sync(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn failed(key: &str, error: io::Error) -> StoreError {
    StoreError::Refused { key: key.into(), source: Box::new(error) }
}
