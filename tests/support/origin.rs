//! A server in memory, behind the client's own trait: every fault is one line of a test, and nothing waits.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read};
use std::sync::{Arc, Mutex, MutexGuard};

use tenantry::client::{Body, Caches, Get, Reply, Transport, TransportError};

/// Files by their key, and what goes wrong with them.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<String, Vec<u8>>,
    faults: Vec<Planned>,
    asked: Vec<Asked>,
}

/// One request, as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) get: Get,
    /// Bytes of the body that were handed out, at most.
    pub(crate) sent: u64,
}

#[derive(Debug)]
struct Planned {
    part_of_path: String,
    fault: Fault,
    left: usize,
    /// A cache between: it does no harm to requests that pass it by.
    is_cache: bool,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// No connection.
    Unreachable,
    /// HTTP 404, 403 or 410.
    Missing,
    /// HTTP 503 or another one that passes.
    Status(u16),
    /// The connection ends after so many bytes.
    CutAfter(u64),
    /// Nothing more comes after so many bytes.
    HangsAfter(u64),
    /// Only so many bytes come, and they pretend to be all.
    TruncatedTo(usize),
    /// One bit of the byte at a place is another.
    Flipped(usize),
    /// Something else comes.
    Instead(Vec<u8>),
    /// It never ends, and does not say how long it is.
    Endless,
    /// Sent on to another host.
    Redirected,
    /// The part that comes is not the one that was asked for.
    WrongPart,
}

impl Origin {
    /// Serves these files.
    pub(crate) fn new(files: BTreeMap<String, Vec<u8>>) -> Arc<Origin> {
        let origin = Arc::new(Origin::default());
        origin.publish(files);
        origin
    }

    /// Serves other files from now on.
    pub(crate) fn publish(&self, files: BTreeMap<String, Vec<u8>>) {
        self.inner().files = files;
    }

    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.inner().files.clone()
    }

    /// Every request for a path that contains this goes wrong until [`Origin::heal`].
    pub(crate) fn breaks(&self, part_of_path: &str, fault: Fault) {
        self.plan(part_of_path, fault, usize::MAX, false);
    }

    /// The next request for a path that contains this goes wrong.
    pub(crate) fn breaks_once(&self, part_of_path: &str, fault: Fault) {
        self.plan(part_of_path, fault, 1, false);
    }

    /// A cache is wrong: requests that bypass caches are answered as they should be.
    pub(crate) fn caches(&self, part_of_path: &str, fault: Fault) {
        self.plan(part_of_path, fault, usize::MAX, true);
    }

    /// Everything is well again.
    pub(crate) fn heal(&self) {
        self.inner().faults.clear();
    }

    /// What was asked for since the last call, sorted by path: several threads ask at once.
    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        let mut asked = std::mem::take(&mut self.inner().asked);
        asked.sort_by(|a, b| a.path.cmp(&b.path));
        asked
    }

    /// The paths alone.
    pub(crate) fn take_paths(&self) -> Vec<String> {
        self.take_asked().into_iter().map(|it| it.path).collect()
    }

    fn plan(&self, part_of_path: &str, fault: Fault, left: usize, is_cache: bool) {
        self.inner().faults.push(Planned { part_of_path: part_of_path.into(), fault, left, is_cache });
    }

    fn fault(&self, path: &str, get: &Get) -> Option<Fault> {
        let mut inner = self.inner();
        let is_it = |it: &&mut Planned| {
            it.left > 0 && path.contains(&it.part_of_path) && !(it.is_cache && get.caches == Caches::Bypassed)
        };
        let planned = inner.faults.iter_mut().find(is_it)?;
        planned.left -= 1;
        Some(planned.fault.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no test panics with it in hand")
    }
}

impl Transport for Origin {
    fn get(&self, path: &str, get: &Get) -> Result<Reply, TransportError> {
        let fault = self.fault(path, get);
        let reply = self.answer(path, get, fault);
        let sent = match &reply {
            Ok(Reply::Object(body)) => body.length.unwrap_or(0),
            _ => 0,
        };
        self.inner().asked.push(Asked { path: path.into(), get: get.clone(), sent });
        reply
    }
}

impl Origin {
    fn answer(&self, path: &str, get: &Get, fault: Option<Fault>) -> Result<Reply, TransportError> {
        let path = path.to_owned();
        let mut file = self.inner().files.get(&path).cloned();
        match &fault {
            Some(Fault::Unreachable) => {
                return Err(TransportError::Unreachable { path, source: "no route to host".into() });
            }
            Some(Fault::Missing) => file = None,
            Some(Fault::Status(status)) => return Err(TransportError::Server { path, status: *status }),
            Some(Fault::Redirected) => {
                return Err(TransportError::Elsewhere { path, to: "https://portal.example.net/".into() });
            }
            Some(Fault::TruncatedTo(length)) => file.iter_mut().for_each(|it| it.truncate(*length)),
            Some(Fault::Flipped(at)) => {
                file.iter_mut().filter(|it| *at < it.len()).for_each(|it| it[*at] ^= 1);
            }
            Some(Fault::Instead(bytes)) => file = Some(bytes.clone()),
            Some(Fault::Endless) => {
                let body = Body { from: 0, etag: None, length: None, bytes: Box::new(std::io::repeat(b' ')) };
                return Ok(Reply::Object(body));
            }
            Some(Fault::WrongPart | Fault::CutAfter(_) | Fault::HangsAfter(_)) | None => {}
        }
        let Some(bytes) = file else { return Ok(Reply::Missing) };
        let etag = etag(&bytes);
        if get.if_none_match.as_ref() == Some(&etag) {
            return Ok(Reply::NotModified);
        }
        let length = bytes.len() as u64;
        let is_same = get.if_range.as_ref().is_none_or(|it| *it == etag);
        let mut from = if is_same && get.from < length { get.from } else { 0 };
        if matches!(fault, Some(Fault::WrongPart)) {
            from = 1;
        }
        if length > get.max {
            return Err(TransportError::TooLong { path, max: get.max });
        }
        let rest = bytes[usize::try_from(from).expect("it fits")..].to_vec();
        let length = Some(rest.len() as u64);
        let bytes: Box<dyn Read + Send> = match fault {
            Some(Fault::CutAfter(after)) => {
                Box::new(Ends { rest: rest.into(), after, kind: ErrorKind::ConnectionReset })
            }
            Some(Fault::HangsAfter(after)) => Box::new(Ends { rest: rest.into(), after, kind: ErrorKind::TimedOut }),
            _ => Box::new(std::io::Cursor::new(rest)),
        };
        Ok(Reply::Object(Body { from, etag: Some(etag), length, bytes }))
    }
}

/// Fails after so many bytes.
struct Ends {
    rest: std::collections::VecDeque<u8>,
    after: u64,
    kind: ErrorKind,
}

impl Read for Ends {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.after == 0 {
            return Err(Error::from(self.kind));
        }
        let most = usize::try_from(self.after).expect("it fits").min(buffer.len());
        let read = self.rest.read(&mut buffer[..most])?;
        self.after -= read as u64;
        Ok(read)
    }
}

fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", &tenantry::digest::Blake3::of(bytes).to_string()[..16])
}
