//! A publication onto the disk: `out/` as a store would hold it.
#![expect(clippy::disallowed_methods, reason = "this file writes `out/`")]
//!
//! Order is the safety: everything immutable first, then every timestamp, then what is stale goes, then the
//! index. Whoever reads `out/` meanwhile, and whatever stops us half-way, finds the old publication or the
//! new one, tenant by tenant. A note, `state/unfinished`, stands there from the first change to the last: the run
//! after a stopped one trusts no timestamp by its length alone, and sweeps away what nothing refers to.

pub mod state; // what lies below `out/state/`

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use walkdir::WalkDir;

use crate::digest::Sha256;
use crate::index::keys;

/// Stands in `out/` while a run changes it.
const UNFINISHED: &str = "state/unfinished";

/// Where a run that keeps what is stale puts it, under its own keys.
const KEPT: &str = "state/kept";

/// Why `out/` cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk said no.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What we were trying to do.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The folder holds something that we have not made.
    #[error("`{path}` was not made by tenantry: it has files but no `state/`")]
    NotOurs {
        /// Which folder.
        path: PathBuf,
    },
    /// Another compile is at work.
    #[error("another compile is writing to `{path}`")]
    Busy {
        /// Which folder.
        path: PathBuf,
    },
    /// The index is damaged.
    #[error("`{path}` cannot be understood: {why}")]
    BadIndex {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The lineage is damaged.
    #[error("`{path}` cannot be understood: {why}")]
    BadLineage {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The index, or another file of `state/`, was written by another version of tenantry.
    #[error("`{path}` has format {found}, and this version of tenantry needs {wanted}")]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that is needed.
        wanted: u32,
    },
}

impl WriteError {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            WriteError::NotOurs { .. } => Some("name another folder with `--out`, or empty this one yourself"),
            WriteError::Busy { .. } => Some("wait for it, or write to another folder with `--out`"),
            WriteError::BadIndex { .. } => Some(
                "restore `state/` from a backup; without it the publication counter starts again, and devices refuse lower numbers",
            ),
            WriteError::BadLineage { .. } => Some(
                "remove it, and compile again with `--onto`: it only says which publications the folder descends from",
            ),
            WriteError::Format { found, wanted, .. } if found < wanted => Some(
                "run `tenantry compile` once with this version: it reads every tenant again, and the publication counter goes on from where it stands",
            ),
            WriteError::Format { .. } => Some("use the version of tenantry that wrote it, or a newer one"),
            WriteError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("make room and run again; what was published before is untouched")
            }
            WriteError::Io { .. } => None,
        }
    }
}

/// One file to write.
#[derive(Debug)]
pub struct Object {
    /// Its key: a path from the root of `out/`.
    pub key: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// `out/`, held by this process alone.
#[derive(Debug)]
pub struct OutDir {
    root: PathBuf,
    /// Whether the run before this one was stopped half-way.
    was_interrupted: bool,
    /// Whether this run has changed anything yet.
    has_begun: Mutex<bool>,
    /// Whether what is stale stays to be had.
    keeps_stale: bool,
    /// Held as long as this value lives; the system lets go of it even when the process dies. Empty while
    /// there is nothing to hold: a new folder is made with the first file that goes into it.
    lock: OnceLock<File>,
}

impl OutDir {
    /// Opens the folder. Refuses one that holds files which we have not made. Makes nothing: a compile that
    /// stops before it writes leaves no trace.
    pub fn open(root: &Path) -> Result<OutDir, WriteError> {
        if root.join("state").is_dir() {
            let lock = OnceLock::from(hold(root)?);
            let was_interrupted = root.join(UNFINISHED).exists();
            return Ok(OutDir { was_interrupted, lock, ..OutDir::unopened(root) });
        }
        let out = OutDir::unopened(root);
        match fs::read_dir(root) {
            Ok(mut entries) => match entries.next() {
                Some(_) => Err(WriteError::NotOurs { path: root.into() }),
                None => Ok(out),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(out),
            Err(source) => Err(WriteError::Io { action: "list", path: root.into(), source }),
        }
    }

    fn unopened(root: &Path) -> OutDir {
        OutDir {
            root: root.into(),
            was_interrupted: false,
            has_begun: Mutex::new(false),
            keeps_stale: false,
            lock: OnceLock::new(),
        }
    }

    /// Moves what is stale to a folder below `state/` and does not remove it. A store keeps old objects for a long
    /// time; whoever serves `out/` in place of one needs them for those who are half-way through an update.
    pub fn keeping_stale(self) -> OutDir {
        OutDir { keeps_stale: true, ..self }
    }

    /// Where stale objects are kept, each under its key.
    pub fn kept(root: &Path) -> PathBuf {
        root.join(KEPT)
    }

    /// Removes what was kept.
    pub fn forget_kept(root: &Path) -> Result<(), WriteError> {
        let path = OutDir::kept(root);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(WriteError::Io { action: "remove", path, source: error })
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that the folder is there and ours alone.
    fn claim(&self) -> Result<(), WriteError> {
        if self.lock.get().is_none() {
            self.make_folder("state")?;
            let lock = hold(&self.root)?;
            // Another first compile may have come and gone since we looked; its publication is not ours to replace.
            if self.root.join("state/index.json").exists() {
                return Err(WriteError::Busy { path: self.root.clone() });
            }
            self.lock.set(lock).expect("whoever claims holds the mutex of `begin`");
        }
        ["root", "t", "o"].into_iter().try_for_each(|folder| self.make_folder(folder))
    }

    /// Whether the run before this one was stopped half-way, so that timestamps and strays may be there that the
    /// index does not know.
    pub fn was_interrupted(&self) -> bool {
        self.was_interrupted
    }

    fn make_folder(&self, name: &str) -> Result<(), WriteError> {
        let path = self.root.join(name);
        fs::create_dir_all(&path).map_err(|source| WriteError::Io { action: "create", path, source })
    }

    /// Whether a file is there with this length: what the index says is still true.
    pub fn has(&self, key: &str, length: u64) -> bool {
        fs::symlink_metadata(self.root.join(key)).is_ok_and(|it| it.is_file() && it.len() == length)
    }

    /// Whether a file is there with exactly these bytes.
    pub fn has_bytes(&self, key: &str, bytes: &[u8]) -> bool {
        self.has(key, bytes.len() as u64) && fs::read(self.root.join(key)).is_ok_and(|it| it == bytes)
    }

    /// Whether a file is there with this digest.
    pub fn has_digest(&self, key: &str, sha256: Sha256) -> bool {
        fs::read(self.root.join(key)).is_ok_and(|it| Sha256::of(&it) == sha256)
    }

    /// Whether nothing at all stands under a key.
    pub fn lacks(&self, key: &str) -> bool {
        fs::symlink_metadata(self.root.join(key)).is_err_and(|it| it.kind() == io::ErrorKind::NotFound)
    }

    /// For each item, whether all files that it names are there with their lengths. Looks on threads of its own.
    pub fn present<T: Sync>(
        &self,
        threads: usize,
        items: &[T],
        files: impl Fn(&T) -> Vec<(String, u64)> + Sync,
    ) -> Vec<bool> {
        let look = |part: &[T]| -> Vec<bool> {
            part.iter().map(|it| files(it).iter().all(|(key, length)| self.has(key, *length))).collect()
        };
        let size = items.len().div_ceil(threads.max(1)).max(1);
        std::thread::scope(|scope| {
            let parts: Vec<_> = items.chunks(size).map(|part| scope.spawn(move || look(part))).collect();
            parts.into_iter().flat_map(|it| it.join().expect("looking at files never panics")).collect()
        })
    }

    /// Writes immutable objects on threads of their own while `produce` makes more of them.
    ///
    /// Objects go straight under their final names: nothing refers to them before a timestamp does, and a
    /// torn one is rewritten by the next run, which trusts only what an index vouches for.
    pub fn write_immutable<T, E: From<WriteError>>(
        &self,
        threads: usize,
        produce: impl FnOnce(&Sink) -> Result<T, E>,
    ) -> Result<T, E> {
        self.with_threads(threads, |object| self.put(object), produce)
    }

    /// Replaces the timestamps, each by one rename.
    pub fn write_timestamps(&self, threads: usize, objects: Vec<Object>) -> Result<(), WriteError> {
        self.with_threads(
            threads,
            |object| self.replace(object),
            |sink| {
                sink.send(objects);
                Ok(())
            },
        )
    }

    /// Removes what an earlier compile wrote and nothing refers to any more. What is already gone is no matter.
    pub fn remove(&self, threads: usize, keys: &[String]) -> Result<(), WriteError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.begin()?;
        // A tenant that goes loses its timestamp first: one that is there always leads to everything it needs.
        let (timestamps, others): (Vec<_>, Vec<_>) = keys.iter().partition(|it| it.ends_with("/timestamp.json"));
        for keys in [timestamps, others] {
            let size = keys.len().div_ceil(threads.max(1)).max(1);
            std::thread::scope(|scope| {
                let parts: Vec<_> = keys
                    .chunks(size)
                    .map(|part| scope.spawn(move || part.iter().try_for_each(|key| self.remove_one(key))))
                    .collect();
                parts.into_iter().try_for_each(|it| it.join().expect("removing never panics"))
            })?;
        }
        // A tenant that is gone leaves no empty folder; one that is not empty stays.
        let folders: BTreeSet<&str> = keys.iter().filter_map(|it| it.strip_prefix("t/")?.split('/').next()).collect();
        for folder in folders.into_iter().map(|addr| self.root.join("t").join(addr)) {
            if !folder.join("timestamp.json").exists() {
                let _ = fs::remove_dir(folder);
            }
        }
        Ok(())
    }

    fn remove_one(&self, key: &str) -> Result<(), WriteError> {
        let path = self.root.join(key);
        let removed = match self.keeps_stale {
            true => self.keep(key, &path),
            false => fs::remove_file(&path),
        };
        match removed {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(WriteError::Io { action: "remove", path, source }),
        }
    }

    fn keep(&self, key: &str, path: &Path) -> io::Result<()> {
        let kept = self.root.join(KEPT).join(key);
        fs::create_dir_all(kept.parent().unwrap_or(&self.root))?;
        fs::rename(path, kept)
    }

    /// Removes what a stopped run has left: files with names of ours that are not known. Others are never touched.
    pub fn sweep(&self, is_known: impl Fn(&str) -> bool) -> Result<(), WriteError> {
        let mut strays = Vec::new();
        for folder in ["t", "o"] {
            for entry in WalkDir::new(self.root.join(folder)).max_depth(2) {
                let entry = entry.map_err(|error| WriteError::Io {
                    action: "list",
                    path: error.path().unwrap_or(&self.root).to_owned(),
                    source: error.into_io_error().unwrap_or_else(|| io::Error::other("a loop of links")),
                })?;
                let key = entry.path().strip_prefix(&self.root).expect("the walk began there").to_string_lossy();
                let key = key.replace(std::path::MAIN_SEPARATOR, "/");
                if !entry.file_type().is_dir() && keys::is_ours(&key) && !is_known(&key) {
                    strays.push(key);
                }
            }
        }
        self.remove(1, &strays)
    }

    /// The publication is complete.
    pub fn finish(&self) -> Result<(), WriteError> {
        let path = self.root.join(UNFINISHED);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(WriteError::Io { action: "remove", path, source: error })
            }
            _ => Ok(()),
        }
    }

    /// Leaves the note that this run is under way, before its first change.
    fn begin(&self) -> Result<(), WriteError> {
        let mut has_begun = self.has_begun.lock().expect("a writer never panics");
        if !*has_begun {
            self.claim()?;
            let path = self.root.join(UNFINISHED);
            fs::write(&path, b"").map_err(|source| WriteError::Io { action: "write", path, source })?;
            *has_begun = true;
        }
        Ok(())
    }

    fn with_threads<T, E: From<WriteError>>(
        &self,
        threads: usize,
        put: impl Fn(&Object) -> Result<(), WriteError> + Sync,
        produce: impl FnOnce(&Sink) -> Result<T, E>,
    ) -> Result<T, E> {
        // The channel is short: memory stays small, and whoever computes waits when the disk is behind.
        let (sender, receiver) = sync_channel::<Vec<Object>>(threads * 4);
        let receiver = Mutex::new(receiver);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(|| work(&receiver, &put))).collect();
            let produced = produce(&Sink { sender });
            let mut written = Ok(());
            for worker in workers {
                written = written.and(worker.join().expect("a writer never panics"));
            }
            written?;
            produced
        })
    }

    fn put(&self, object: &Object) -> Result<(), WriteError> {
        self.begin()?;
        let path = self.root.join(&object.key);
        let created = match File::create(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_parent(&path)?;
                File::create(&path)
            }
            created => created,
        };
        let written = created.and_then(|mut file| file.write_all(&object.bytes));
        written.map_err(|source| {
            // Half a file is of no use to anybody, and on a full disk it is in the way of the next run.
            let _ = fs::remove_file(&path);
            WriteError::Io { action: "write", path, source }
        })
    }

    fn replace(&self, object: &Object) -> Result<(), WriteError> {
        self.begin()?;
        let path = self.root.join(&object.key);
        // A tenant of which only the timestamp is new here has no folder yet.
        if !path.parent().is_some_and(Path::is_dir) {
            self.make_parent(&path)?;
        }
        swap_in(path, &object.bytes)
    }

    fn make_parent(&self, path: &Path) -> Result<(), WriteError> {
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(|source| WriteError::Io { action: "create", path: parent.into(), source })
    }
}

/// Replaces a file by one rename.
fn swap_in(path: PathBuf, bytes: &[u8]) -> Result<(), WriteError> {
    let new = path.with_extension("json.new");
    let written = fs::write(&new, bytes).and_then(|()| fs::rename(&new, &path));
    written.map_err(|source| {
        let _ = fs::remove_file(&new);
        WriteError::Io { action: "write", path, source }
    })
}

/// Locks a folder against every other compile.
fn hold(root: &Path) -> Result<File, WriteError> {
    let path = root.join("state/lock");
    // Not `File::create`, which would touch a file that is there: a compile with nothing to do writes nothing.
    let lock = match File::options().create(true).write(true).truncate(false).open(&path) {
        Ok(lock) => lock,
        Err(source) => return Err(WriteError::Io { action: "create", path, source }),
    };
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(WriteError::Busy { path: root.into() }),
        Err(TryLockError::Error(source)) => Err(WriteError::Io { action: "lock", path, source }),
    }
}

/// Where objects go to be written.
pub struct Sink {
    sender: SyncSender<Vec<Object>>,
}

impl Sink {
    /// Hands objects over; waits when the disk is behind.
    pub fn send(&self, objects: Vec<Object>) {
        // In pieces, so that every writer has something to do; objects of one tenant stay together.
        let mut objects = objects.into_iter().peekable();
        while objects.peek().is_some() {
            // A closed channel means that every writer has failed; their error is what the caller gets.
            if self.sender.send(objects.by_ref().take(256).collect()).is_err() {
                return;
            }
        }
    }
}

fn work(
    receiver: &Mutex<Receiver<Vec<Object>>>,
    put: &impl Fn(&Object) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let mut outcome = Ok(());
    loop {
        let batch = receiver.lock().expect("a writer never panics").recv();
        let Ok(batch) = batch else { return outcome };
        // After a failure batches are still taken, so that nobody waits for ever on a full channel.
        if outcome.is_ok() {
            outcome = batch.iter().try_for_each(put);
        }
    }
}

#[cfg(test)]
mod tests;
