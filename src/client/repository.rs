//! What `trust` asks for: one tenant's metadata from the server, and a shelf on the disk.

use std::cell::RefCell;

use super::disk::{Disk, TRUSTED};
use super::error::Trouble;
use super::fetch::{Fetched, Fetcher};
use super::state::{self, Latest, Tag};
use super::transport::{Caches, Get, TransportError};
use crate::digest::Sha256;
use crate::trust;
use crate::trust::updater::{self, Answer, FetchError, MAX_ROOT, MAX_TIMESTAMP, Request, UpdateError};

/// Longest file that the shelf reads back.
const MAX_KEPT: u64 = updater::MAX_METADATA;

/// Metadata of one tenant. Roots come from the place that all tenants share, so no server has to rewrite a URL.
pub(super) struct Repository<'a> {
    fetcher: &'a Fetcher<'a>,
    disk: &'a Disk,
    addr: &'a str,
    /// What was fetched ahead, until it is asked for.
    ahead: RefCell<Option<Ahead>>,
    /// The version of the timestamp that came last, and whose.
    tag: RefCell<Option<Tag>>,
}

/// A timestamp that was fetched together with the next root: on a phone a request takes as long as a page.
struct Ahead {
    held: Option<Vec<u8>>,
    fetched: Result<Fetched, TransportError>,
}

impl<'a> Repository<'a> {
    pub(super) fn new(fetcher: &'a Fetcher<'a>, disk: &'a Disk, addr: &'a str) -> Repository<'a> {
        Repository { fetcher, disk, addr, ahead: RefCell::default(), tag: RefCell::default() }
    }

    /// What the server called the timestamp that is on the shelf now, if that came in this refresh.
    pub(super) fn take_tag(&self) -> Option<Tag> {
        self.tag.take()
    }

    /// Fetches the next root and, beside it, the timestamp.
    fn root_and_timestamp(&self, root: &Get, name: &str) -> Result<Fetched, TransportError> {
        let held = self.disk.read(&format!("{TRUSTED}/timestamp.json"), MAX_KEPT).ok().flatten();
        let timestamp = self.get(held.as_deref(), MAX_TIMESTAMP, Caches::Allowed);
        let (fetcher, path) = (self.fetcher, self.path("timestamp", "timestamp.json"));
        let (root, ahead) = std::thread::scope(|scope| {
            let ahead = scope.spawn(|| fetcher.whole(&path, &timestamp));
            let root = fetcher.whole(&self.path("root", name), root);
            (root, ahead.join())
        });
        // A transport that panics is treated like one that does not answer.
        if let Ok(fetched) = ahead {
            self.ahead.replace(Some(Ahead { held, fetched }));
        }
        root
    }

    fn timestamp(&self, request: &Request<'_>) -> Result<Fetched, TransportError> {
        match self.ahead.take() {
            Some(Ahead { held, fetched })
                if request.caches == updater::Caches::Allowed && held.as_deref() == request.held =>
            {
                fetched
            }
            _ => {
                let get = self.get(request.held, request.max, caches(request.caches));
                self.fetcher.whole(&self.path("timestamp", request.name), &get)
            }
        }
    }

    /// A request for a file of which some bytes may be held: conditional if we know what the server calls those.
    fn get(&self, held: Option<&[u8]>, max: u64, caches: Caches) -> Get {
        let tag = held.and_then(|held| {
            let tag = state::load::<Tag>(self.disk).whole()?;
            (tag.timestamp == Sha256::of(held)).then_some(tag.etag)
        });
        Get { if_none_match: tag, caches, ..Get::whole(max) }
    }

    fn path(&self, role: &str, name: &str) -> String {
        match role {
            "root" => format!("root/{name}"),
            _ => format!("t/{}/{name}", self.addr),
        }
    }
}

impl updater::Repository for Repository<'_> {
    fn metadata(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        let get = Get { caches: caches(request.caches), ..Get::whole(request.max) };
        let fetched = match request.role {
            "root" if request.max == MAX_ROOT && request.caches == updater::Caches::Allowed && self.is_first() => {
                self.root_and_timestamp(&get, request.name)
            }
            "timestamp" => self.timestamp(request),
            role => self.fetcher.whole(&self.path(role, request.name), &get),
        };
        let failed = |error: TransportError| match error {
            TransportError::TooLong { max, .. } => FetchError::TooLong { name: request.name.into(), max },
            error => FetchError::Passing { name: request.name.into(), source: Box::new(error) },
        };
        match fetched.map_err(failed)? {
            Fetched::NotModified => Ok(Answer::Unchanged),
            Fetched::Missing => Ok(Answer::Missing),
            Fetched::Object { bytes, .. } if is_page(&bytes) => {
                let why = "a page came where a file was asked for".to_owned();
                Err(failed(TransportError::Useless { path: self.path(request.role, request.name), why }))
            }
            Fetched::Object { bytes, etag } => {
                if request.role == "timestamp" {
                    let tag = etag.map(|etag| Tag { etag, timestamp: Sha256::of(&bytes) });
                    self.tag.replace(tag);
                }
                Ok(Answer::Bytes(bytes))
            }
        }
    }
}

impl Repository<'_> {
    /// Whether nothing was fetched in this refresh yet.
    fn is_first(&self) -> bool {
        self.fetcher.traffic().requests == 0
    }
}

/// Trusted metadata, below `trusted/`.
pub(super) struct Shelf<'a>(pub(super) &'a Disk);

impl updater::Shelf for Shelf<'_> {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, updater::Trouble> {
        Ok(self.0.read(&format!("{TRUSTED}/{name}"), MAX_KEPT)?)
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), updater::Trouble> {
        Ok(self.0.replace(&format!("{TRUSTED}/{name}"), bytes)?)
    }

    fn forget(&mut self, name: &str) -> Result<(), updater::Trouble> {
        // A root with other keys lets the numbers begin anew (TUF 5.3.11). Ours goes first: were we stopped between
        // the two, nobody would ever lift it again.
        if let Some(latest) = state::load::<Latest>(self.0).whole()
            && latest.floor != state::Floor::default()
        {
            state::save(self.0, &Latest { floor: state::Floor::default(), ..latest })?;
        }
        Ok(self.0.remove(&[&format!("{TRUSTED}/{name}")])?)
    }
}

impl From<UpdateError> for Trouble {
    fn from(error: UpdateError) -> Trouble {
        match error {
            UpdateError::Trust(error) => Trouble::Refused(error),
            UpdateError::Fetch(FetchError::Passing { name, source } | FetchError::Refused { name, source }) => {
                match source.downcast::<TransportError>() {
                    Ok(error) => Trouble::Transport(*error),
                    Err(source) => Trouble::Transport(TransportError::Unreachable { path: name, source }),
                }
            }
            UpdateError::Fetch(FetchError::TooLong { name, max }) => {
                Trouble::Transport(TransportError::TooLong { path: name, max })
            }
            UpdateError::Missing { name } => Trouble::Missing { path: name },
            UpdateError::TooManyRoots => Trouble::ManyRoots,
            UpdateError::Shelf { action, name, source } => match source.downcast::<Trouble>() {
                Ok(trouble) => *trouble,
                Err(source) => Trouble::Disk { action, path: name.into(), source: std::io::Error::other(source) },
            },
            error @ (UpdateError::NothingTrusted | UpdateError::NoRoot) => Trouble::Disk {
                action: "recall",
                path: TRUSTED.into(),
                source: std::io::Error::other(error.to_string()),
            },
        }
    }
}

/// Whom a client listens to.
pub(super) fn binding(addr: &str, environment: &str) -> trust::Binding {
    trust::Binding { addr: addr.into(), environment: environment.into() }
}

fn caches(caches: updater::Caches) -> Caches {
    match caches {
        updater::Caches::Allowed => Caches::Allowed,
        updater::Caches::Bypassed => Caches::Bypassed,
    }
}

/// Whether it begins like HTML, which no file of ours does.
fn is_page(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'<')
}
