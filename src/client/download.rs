//! Bundles and overlays: fetched by several hands, resumed where they stopped, verified, unpacked.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::sync::Mutex;

use data_encoding::HEXLOWER;

use super::disk::{Disk, TMP, disk as failed};
use super::error::Trouble;
use super::fetch::{Fetched, Fetcher};
use super::objects;
use super::transport::{Body, Caches, Get, Reply, TransportError};
use crate::bundle;
use crate::digest::{Blake3, Sha256};
use crate::index::keys;
use crate::manifest::File;

/// Up to here an archive is fetched in one go, without a file for what has come so far.
const IN_ONE_GO: u64 = 64 << 10;

/// How often a download that was cut short goes on where it stopped, within one refresh.
const RESUMED: u32 = 3;

/// Longest ETag that is remembered, in bytes: it becomes a part of a file name.
const MAX_ETAG: usize = 64;

/// Fetches archives and unpacks them. Gives back what went wrong, by tree. After a failure of the network or the disk
/// nothing more is begun.
pub(super) fn fetch_all(
    fetcher: &Fetcher<'_>,
    disk: &Disk,
    files: &[&File],
    hands: usize,
) -> BTreeMap<Blake3, Trouble> {
    let queue: Mutex<VecDeque<&File>> = Mutex::new(files.iter().copied().collect());
    let failures: Mutex<BTreeMap<Blake3, Trouble>> = Mutex::default();
    let work = || {
        while let Some(file) = pop(&queue) {
            if let Err(trouble) = fetch(fetcher, disk, file) {
                if !is_about_one(&trouble) {
                    locked(&queue).clear();
                }
                locked(&failures).insert(file.blake3, trouble);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..hands.min(files.len()) {
            scope.spawn(work);
        }
        work();
    });
    failures.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Fetches one archive. One that is not what was signed for, or not there, is asked for once more, past every cache.
fn fetch(fetcher: &Fetcher<'_>, disk: &Disk, file: &File) -> Result<(), Trouble> {
    let path = keys::archive(file.blake3, file.sha256);
    let get = |caches| archive(fetcher, disk, file, &path, caches).and_then(|bytes| unpacked(&path, file, &bytes));
    let files = match get(Caches::Allowed) {
        Err(trouble) if is_about_one(&trouble) => get(Caches::Bypassed),
        first => first,
    };
    objects::put(disk, file.blake3, &files?)
}

/// Whether the others may still come though this one did not.
pub(super) fn is_about_one(trouble: &Trouble) -> bool {
    let is_too_long = matches!(trouble, Trouble::Transport(TransportError::TooLong { .. }));
    is_too_long || matches!(trouble, Trouble::Damaged { .. } | Trouble::Missing { .. })
}

/// The bytes of an archive, which are not verified yet.
fn archive(fetcher: &Fetcher<'_>, disk: &Disk, file: &File, path: &str, caches: Caches) -> Result<Vec<u8>, Trouble> {
    let mut left = RESUMED;
    loop {
        let came = match file.length <= IN_ONE_GO {
            true => in_one_go(fetcher, file, path, caches),
            false => resume(fetcher, disk, file, path, caches).and_then(|part| taken(disk, &part, file.length)),
        };
        match came {
            Err(Trouble::Transport(TransportError::Cut { .. })) if left > 0 => left -= 1,
            other => return other,
        }
    }
}

fn in_one_go(fetcher: &Fetcher<'_>, file: &File, path: &str, caches: Caches) -> Result<Vec<u8>, Trouble> {
    match fetcher.whole(path, &Get { caches, ..Get::whole(file.length) })? {
        Fetched::Object { bytes, .. } => Ok(bytes),
        Fetched::Missing | Fetched::NotModified => Err(Trouble::Missing { path: path.into() }),
    }
}

/// The bytes of a part file, which has served: if it is sound its files are on the disk soon, if not it is worth nothing.
fn taken(disk: &Disk, part: &str, length: u64) -> Result<Vec<u8>, Trouble> {
    let bytes = disk.read(part, length)?.unwrap_or_default();
    disk.remove(&[part])?;
    Ok(bytes)
}

/// Fetches what is missing of an archive into a part file, and says which.
fn resume(fetcher: &Fetcher<'_>, disk: &Disk, file: &File, path: &str, caches: Caches) -> Result<String, Trouble> {
    let part = Part::find(disk, file.sha256)?;
    let held = match &part {
        Some(part) if part.length == file.length => return Ok(part.name.clone()),
        // Past a cache that was wrong nothing of its bytes is used.
        Some(part) if part.length < file.length && caches == Caches::Allowed => part.length,
        _ => 0,
    };
    let if_range = part.as_ref().and_then(|it| it.etag.clone());
    let request = Get { from: held, if_range, caches, ..Get::whole(file.length) };
    let mut body = match fetcher.ask(path, &request) {
        Ok(Reply::Object(body)) if body.from == held || body.from == 0 => body,
        Ok(Reply::Missing | Reply::NotModified) => return Err(Trouble::Missing { path: path.into() }),
        // The part fits nothing, since the object is another one now: from the beginning, then.
        Ok(Reply::Object(_)) | Err(TransportError::Useless { .. }) if held > 0 => {
            Part::forget(disk, file.sha256)?;
            return Err(TransportError::Cut { path: path.into(), after: 0 }.into());
        }
        Ok(Reply::Object(_)) => {
            let why = "another part came than was asked for".into();
            return Err(TransportError::Useless { path: path.into(), why }.into());
        }
        Err(error) => return Err(error.into()),
    };
    let name = match part {
        Some(part) if body.from > 0 => part.name,
        _ => {
            Part::forget(disk, file.sha256)?;
            Part::name_for(file.sha256, &body)
        }
    };
    let (mut sink, _) = disk.open_part(&name)?;
    fetcher.pump(path, &mut body, file.length, &mut |piece| {
        sink.write_all(piece).map_err(|source| failed("write", &disk.path(&name), source))
    })?;
    Ok(name)
}

/// What has come of an archive so far.
struct Part {
    name: String,
    etag: Option<String>,
    length: u64,
}

impl Part {
    /// `<sha256>.<etag in hex>.part`: one name says what it is a part of, and of which version.
    fn name_for(sha256: Sha256, body: &Body) -> String {
        // A weak tag does not promise equal bytes.
        let etag = body.etag.as_deref().filter(|it| it.len() <= MAX_ETAG && !it.starts_with("W/")).unwrap_or_default();
        format!("{TMP}/{sha256}.{}.part", HEXLOWER.encode(etag.as_bytes()))
    }

    fn find(disk: &Disk, sha256: Sha256) -> Result<Option<Part>, Trouble> {
        let begin = format!("{sha256}.");
        for name in disk.list(TMP)? {
            let Some(etag) = name.strip_prefix(&begin).and_then(|it| it.strip_suffix(".part")) else { continue };
            let etag = HEXLOWER.decode(etag.as_bytes()).ok().and_then(|it| String::from_utf8(it).ok());
            let name = format!("{TMP}/{name}");
            let (_, length) = disk.open_part(&name)?;
            return Ok(Some(Part { name, etag: etag.filter(|it| !it.is_empty()), length }));
        }
        Ok(None)
    }

    fn forget(disk: &Disk, sha256: Sha256) -> Result<(), Trouble> {
        match Part::find(disk, sha256)? {
            Some(part) => disk.remove(&[&part.name]),
            None => Ok(()),
        }
    }
}

/// The files of an archive that is what was signed for.
fn unpacked(path: &str, file: &File, bytes: &[u8]) -> Result<bundle::Files, Trouble> {
    let damaged = |why: String| Trouble::Damaged { path: path.into(), why };
    if bytes.len() as u64 != file.length {
        return Err(damaged(format!("it has {} bytes, not {}", bytes.len(), file.length)));
    }
    if Sha256::of(bytes) != file.sha256 {
        return Err(damaged("its SHA-256 is another".into()));
    }
    let files = bundle::unpack(bytes).map_err(|why| damaged(why.to_string()))?;
    match bundle::tree_digest(&files) == file.blake3 {
        true => Ok(files),
        false => Err(damaged("its files are not those of its name".into())),
    }
}

fn pop<'a>(queue: &Mutex<VecDeque<&'a File>>) -> Option<&'a File> {
    locked(queue).pop_front()
}

/// What one hand left behind is sound even if another one panicked.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
