//! A publication onto the disk: `out/` as a store would hold it.
#![expect(clippy::disallowed_methods, reason = "this file writes `out/`")]
//!
//! Order is the safety: everything immutable first, then every timestamp, then what is stale goes, then the
//! index. Whoever reads `out/` meanwhile, and whatever stops us half-way, finds the old publication or the
//! new one, tenant by tenant. A note, `state/unfinished`, stands there from the first change to the last: the run
//! after a stopped one trusts no timestamp by its length alone, and sweeps away what nothing refers to.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use walkdir::WalkDir;

use crate::digest::Sha256;
use crate::index::{Index, keys};

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
    /// The index is damaged or of another format.
    #[error("`{path}` cannot be understood: {why}")]
    BadIndex {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
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

    /// What the previous compile left; none the first time.
    pub fn index(&self) -> Result<Option<Index>, WriteError> {
        let path = self.root.join("state/index.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(WriteError::Io { action: "read", path, source }),
        };
        Index::parse(&bytes).map(Some).map_err(|why| WriteError::BadIndex { path, why: why.to_string() })
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

    /// Writes the index.
    pub fn write_index(&self, index: &Index) -> Result<(), WriteError> {
        let bytes = index.to_bytes();
        self.replace(&Object { key: "state/index.json".into(), bytes })
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
        let new = path.with_extension("json.new");
        let written = fs::write(&new, &object.bytes).and_then(|()| fs::rename(&new, &path));
        written.map_err(|source| {
            let _ = fs::remove_file(&new);
            WriteError::Io { action: "write", path, source }
        })
    }

    fn make_parent(&self, path: &Path) -> Result<(), WriteError> {
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(|source| WriteError::Io { action: "create", path: parent.into(), source })
    }
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
mod tests {
    use super::*;

    fn object(key: &str, text: &str) -> Object {
        Object { key: key.into(), bytes: text.as_bytes().into() }
    }

    #[test]
    fn a_folder_that_is_not_ours_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("thesis.txt"), "years of work").expect("writes");
        assert!(matches!(OutDir::open(folder.path()), Err(WriteError::NotOurs { .. })));
        let names: Vec<_> = fs::read_dir(folder.path()).expect("lists").collect();
        assert_eq!(names.len(), 1, "nothing was added");
    }

    fn write_something(out: &OutDir) -> Result<(), WriteError> {
        out.write_immutable(1, |sink| {
            sink.send(vec![object("o/something", "text")]);
            Ok(())
        })
    }

    #[test]
    fn two_compiles_do_not_write_at_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let one = OutDir::open(folder.path()).expect("opens");
        let two = OutDir::open(folder.path()).expect("opens: nobody has written yet");
        write_something(&one).expect("writes");
        assert!(matches!(write_something(&two), Err(WriteError::Busy { .. })));
        assert!(matches!(OutDir::open(folder.path()), Err(WriteError::Busy { .. })));
        drop(one);
        OutDir::open(folder.path()).expect("free again");
    }

    #[test]
    fn a_publication_that_came_into_being_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let slow = OutDir::open(folder.path()).expect("opens");
        let quick = OutDir::open(folder.path()).expect("opens");
        write_something(&quick).expect("writes");
        fs::write(folder.path().join("state/index.json"), "{}").expect("writes");
        drop(quick);
        assert!(matches!(write_something(&slow), Err(WriteError::Busy { .. })));
    }

    #[test]
    fn a_folder_that_was_only_looked_at_is_not_made() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = OutDir::open(&folder.path().join("out")).expect("opens");
        assert!(out.index().expect("reads").is_none());
        drop(out);
        assert!(!folder.path().join("out").exists());
    }

    #[test]
    fn a_failed_write_names_the_file_and_nobody_waits_for_ever() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = OutDir::open(folder.path()).expect("opens");
        // A folder stands where a file should go.
        write_something(&out).expect("makes the folders");
        fs::create_dir(folder.path().join("o/x")).expect("makes a folder");
        let written: Result<(), WriteError> = out.write_immutable(2, |sink| {
            for at in 0..10_000 {
                sink.send(vec![object(if at == 0 { "o/x" } else { "o/y" }, "text")]);
            }
            Ok(())
        });
        assert!(matches!(written, Err(WriteError::Io { action: "write", .. })), "{written:?}");
    }

    #[test]
    fn only_what_was_named_is_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = OutDir::open(folder.path()).expect("opens");
        out.write_immutable::<_, WriteError>(2, |sink| {
            sink.send(vec![object("t/a/1.targets.json", "a"), object("t/b/1.targets.json", "b"), object("o/z", "z")]);
            Ok(())
        })
        .expect("writes");
        fs::write(folder.path().join("t/b/note.txt"), "mine").expect("writes");
        out.remove(2, &["t/a/1.targets.json".into(), "t/b/1.targets.json".into(), "o/gone".into()]).expect("removes");
        assert!(!folder.path().join("t/a").exists());
        assert!(folder.path().join("t/b/note.txt").exists() && folder.path().join("o/z").exists());
    }

    #[test]
    fn what_is_stale_can_be_kept_until_it_is_forgotten() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = OutDir::open(folder.path()).expect("opens").keeping_stale();
        write_something(&out).expect("writes");
        out.remove(1, &["o/something".into(), "o/gone".into()]).expect("removes");
        assert!(!folder.path().join("o/something").exists());
        let kept = OutDir::kept(folder.path());
        assert_eq!(fs::read(kept.join("o/something")).expect("reads"), b"text");
        OutDir::forget_kept(folder.path()).expect("forgets");
        assert!(!kept.exists());
        OutDir::forget_kept(folder.path()).expect("nothing to forget");
    }
}
