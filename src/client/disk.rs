//! The folder of a client: files that are there whole or not at all, whatever stops us.
#![expect(clippy::disallowed_methods, reason = "this file writes the folder of a client")]
//!
//! A file is written under another name, synced, renamed, and then its folder is synced: only after that may anything
//! say that it is there. One client at a time writes; `lock` says who.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::Trouble;

/// Held by the client that writes.
const LOCK: &str = "lock";
/// Where files are while they come into being. What lies there after a crash is of no use, but for parts of downloads.
pub(super) const TMP: &str = "tmp";
/// Unpacked trees, by their digest.
pub(super) const OBJECTS: &str = "objects";
/// Sets, by their digest.
pub(super) const SETS: &str = "sets";
/// Metadata, byte for byte as it was published.
pub(super) const TRUSTED: &str = "trusted";
/// Manifests, by their digest.
pub(super) const MANIFESTS: &str = "manifests";
/// The folders that a client makes.
pub(super) const FOLDERS: [&str; 5] = [TMP, OBJECTS, SETS, TRUSTED, MANIFESTS];

/// A folder.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    lock: Option<File>,
}

/// A set that is in use: nobody takes it away as long as this lives.
#[derive(Debug)]
pub(super) struct Pin(File);

// Said aloud, and not left to the closing of the file: a child that is being started elsewhere in this process has the
// file open too, for a moment.
impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.lock.as_ref().map(File::unlock);
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Disk {
    /// The folder with this path. Makes it, and takes the lock if nobody has it.
    pub(super) fn open(root: &Path) -> Result<Disk, Trouble> {
        // Absolute, so that folders of programs mean the same wherever the shell changes to.
        let root = std::path::absolute(root).map_err(|source| disk("find", root, source))?;
        make_folder(&root).map_err(|source| disk("create", &root, source))?;
        Ok(Disk { root, lock: None })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Whether we are the one that writes: takes the lock if it is free by now.
    pub(super) fn own(&mut self) -> Result<(), Trouble> {
        if self.lock.is_some() {
            return Ok(());
        }
        let path = self.path(LOCK);
        let lock = File::options().create(true).write(true).truncate(false).open(&path);
        let lock = lock.map_err(|source| disk("open", &path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Trouble::Busy { path: self.root.clone() }),
            // Where there are no locks there is one process, most likely: a browser's or a phone's sandbox.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(disk("lock", &path, source)),
        }
        self.lock = Some(lock);
        Ok(())
    }

    /// The bytes of a file, if it is there and no longer than it may be.
    pub(super) fn read(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let path = self.path(name);
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            File::open(&path)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
            match bytes.len() as u64 > max {
                true => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than any file of ours")),
                false => Ok(bytes),
            }
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(source) => Err(disk("read", &path, source)),
        }
    }

    /// Puts a file in the place of what is there, if anything is. After a crash the old one is there or the new one.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let path = self.path(name);
        let new = self.path(TMP).join(format!("{}.new", name.replace('/', "-")));
        let write = || -> io::Result<()> {
            folder_of(&new)?;
            let mut file = File::create(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            drop(file);
            let parent = folder_of(&path)?;
            fs::rename(&new, &path)?;
            sync_folder(parent)
        };
        write().map_err(|source| {
            // Half a file is of no use, and on a full disk it is in the way.
            let _ = fs::remove_file(&new);
            disk("write", &path, source)
        })
    }

    /// Takes files away, so that they stay away. Those that are not there are no failure.
    pub(super) fn remove(&self, names: &[&str]) -> Result<(), Trouble> {
        let mut folders: Vec<PathBuf> = Vec::new();
        for name in names {
            let path = self.path(name);
            match fs::remove_file(&path) {
                Ok(()) => folders.extend(path.parent().map(Path::to_owned)),
                Err(error) if is_absence(&error) => {}
                Err(source) => return Err(disk("remove", &path, source)),
            }
        }
        folders.sort();
        folders.dedup();
        folders.iter().try_for_each(|folder| sync_folder(folder).map_err(|source| disk("sync", folder, source)))
    }

    /// Takes a folder away with everything in it. Its name goes first, so that nobody finds half of it.
    pub(super) fn remove_folder(&self, name: &str) -> Result<(), Trouble> {
        let path = self.path(name);
        if !is_there(&path) {
            return Ok(());
        }
        let gone = self.path(TMP).join(format!("{}.gone", name.replace('/', "-")));
        let remove = || -> io::Result<()> {
            folder_of(&gone)?;
            if path == self.path(TMP) {
                clear(&path)?;
                return sync_folder(&self.root);
            }
            clear(&gone)?;
            fs::rename(&path, &gone)?;
            // Both folders that the name moves between: neither alone promises that it does not come back.
            sync_folder(&self.path(TMP))?;
            sync_folder(path.parent().unwrap_or(&self.root))?;
            clear(&gone)
        };
        remove().map_err(|source| disk("remove", &path, source))
    }

    /// Takes something away that never got its name.
    pub(super) fn discard(&self, name: &str) -> Result<(), Trouble> {
        let path = self.path(TMP).join(name);
        clear(&path).map_err(|source| disk("remove", &path, source))
    }

    /// Makes a tree of files appear under its name, whole. `files` come with relative paths that stay in the tree.
    pub(super) fn put_tree<'a>(
        &self,
        name: &str,
        files: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(), Trouble> {
        let path = self.path(name);
        let new = self.path(TMP).join(format!("{}.new", name.replace('/', "-")));
        let write = || -> io::Result<()> {
            clear(&new)?;
            folder_of(&new)?;
            fs::create_dir(&new)?;
            let mut folders = vec![new.clone()];
            for (relative, bytes) in files {
                let path = new.join(relative);
                make_folders(&new, &path, &mut folders)?;
                let mut file = File::options().write(true).create_new(true).open(&path)?;
                file.write_all(bytes)?;
                file.sync_all()?;
            }
            // The names in a folder last when the folder is synced; the deepest first, the tree's own last.
            folders.iter().rev().try_for_each(|folder| sync_folder(folder))?;
            let parent = folder_of(&path)?;
            fs::rename(&new, &path)?;
            sync_folder(parent)
        };
        write().map_err(|source| {
            let _ = clear(&new);
            disk("write", &path, source)
        })
    }

    /// The names in a folder, sorted; none when it is not there.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, Trouble> {
        let path = self.path(name);
        let list = || -> io::Result<Vec<String>> {
            let names = fs::read_dir(&path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            let mut names = names.collect::<io::Result<Vec<String>>>()?;
            names.sort();
            Ok(names)
        };
        match list() {
            Ok(names) => Ok(names),
            Err(error) if is_absence(&error) => Ok(Vec::new()),
            Err(source) => Err(disk("list", &path, source)),
        }
    }

    /// Whether something stands under a name.
    pub(super) fn has(&self, name: &str) -> bool {
        is_there(&self.path(name))
    }

    /// Keeps everybody from taking a file away, for as long as the value lives.
    pub(super) fn pin(&self, name: &str) -> Option<Pin> {
        let file = File::open(self.path(name)).ok()?;
        // Where there are no locks nobody else is there to take it away.
        match file.try_lock_shared() {
            Ok(()) | Err(TryLockError::Error(_)) => Some(Pin(file)),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Whether somebody has pinned a file.
    pub(super) fn is_pinned(&self, name: &str) -> bool {
        let Ok(file) = File::open(self.path(name)) else { return false };
        matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Opens a part of a download for more, and says how much of it is there. It is not synced: what is in it is
    /// verified when it is whole.
    pub(super) fn open_part(&self, name: &str) -> Result<(File, u64), Trouble> {
        let path = self.path(name);
        let open = || -> io::Result<(File, u64)> {
            folder_of(&path)?;
            let file = File::options().create(true).append(true).open(&path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        };
        open().map_err(|source| disk("write", &path, source))
    }
}

/// The folder that a file stands in; makes it if need be.
fn folder_of(path: &Path) -> io::Result<&Path> {
    let parent = path.parent().ok_or_else(|| io::Error::other("a path without a folder"))?;
    make_folder(parent)?;
    Ok(parent)
}

/// Makes a folder, with those that it stands in, so that it lasts.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|it| !it.is_dir()).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            // Another client was as quick.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            made => made?,
        }
        folder.parent().map_or(Ok(()), sync_folder)?;
    }
    Ok(())
}

/// Whether something stands there, a link that leads nowhere too.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Makes the folders between a tree and one of its files; those that are new are added to `folders`.
fn make_folders(tree: &Path, file: &Path, folders: &mut Vec<PathBuf>) -> io::Result<()> {
    let between: Vec<&Path> = file.ancestors().skip(1).take_while(|it| *it != tree).collect();
    for folder in between.into_iter().rev() {
        if !folder.is_dir() {
            fs::create_dir(folder)?;
            folders.push(folder.to_owned());
        }
    }
    Ok(())
}

/// Takes away whatever stands there; links are not followed.
fn clear(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if is_absence(&error) => Ok(()),
        other => other,
    }
}

/// Makes the names in a folder last: on Unix a folder is a file that can be synced, elsewhere the system does it.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

pub(super) fn disk(action: &'static str, path: &Path, source: io::Error) -> Trouble {
    Trouble::Disk { action, path: path.into(), source }
}
