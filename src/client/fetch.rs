//! Objects as they come in: measured while they are read, and given up when they come too slowly.
#![expect(clippy::disallowed_methods, reason = "this file measures how fast bytes come")]

use std::io::{ErrorKind, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::answer::Traffic;
use super::transport::{Body, Get, Reply, Transport, TransportError};

/// How slow bytes may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Fewest bytes a second, measured over `over`.
    pub least_rate: u64,
    /// How long that may be undercut, and how long nothing at all may come.
    pub over: Duration,
    /// How long one refresh may take in all.
    pub in_all: Duration,
}

impl Pace {
    /// 1 KiB a second over half a minute, a quarter of an hour in all.
    pub const NORMAL: Pace =
        Pace { least_rate: 1 << 10, over: Duration::from_secs(30), in_all: Duration::from_secs(15 * 60) };
}

/// One operation's requests, with one deadline for all.
pub(super) struct Fetcher<'a> {
    transport: &'a dyn Transport,
    pace: Pace,
    began: Instant,
    requests: AtomicU64,
    bytes: AtomicU64,
}

/// A small object, or why there is none.
#[derive(Debug)]
pub(super) enum Fetched {
    Object { bytes: Vec<u8>, etag: Option<String> },
    NotModified,
    Missing,
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(transport: &'a dyn Transport, pace: Pace) -> Fetcher<'a> {
        Fetcher { transport, pace, began: Instant::now(), requests: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// What has come so far.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic { requests: self.requests.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    /// Makes a request; its body is still to be read, with [`Fetcher::pump`].
    pub(super) fn ask(&self, path: &str, request: &Get) -> Result<Reply, TransportError> {
        if self.is_over() {
            return Err(TransportError::Slow { path: path.into() });
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.transport.get(path, request)
    }

    /// Fetches a whole object into memory.
    pub(super) fn whole(&self, path: &str, request: &Get) -> Result<Fetched, TransportError> {
        match self.ask(path, request)? {
            Reply::NotModified => Ok(Fetched::NotModified),
            Reply::Missing => Ok(Fetched::Missing),
            Reply::Object(mut body) => {
                if body.from > 0 {
                    return Err(TransportError::Useless { path: path.into(), why: "only a part of it came".into() });
                }
                let mut bytes = Vec::new();
                self.pump(path, &mut body, request.max, &mut |piece| {
                    bytes.extend_from_slice(piece);
                    Ok(())
                })?;
                Ok(Fetched::Object { bytes, etag: body.etag })
            }
        }
    }

    /// Reads a body to its end and hands on what comes, never more than `max` bytes with those before [`Body::from`].
    pub(super) fn pump<E: From<TransportError>>(
        &self,
        path: &str,
        body: &mut Body,
        max: u64,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let too_long = || TransportError::TooLong { path: path.into(), max };
        let slow = || TransportError::Slow { path: path.into() };
        let expected = body.length.map(|it| it.saturating_add(body.from));
        if expected.unwrap_or(body.from) > max {
            return Err(too_long().into());
        }
        let mut buffer = vec![0; 64 << 10];
        let mut at = body.from;
        let (mut mark, mut since_mark) = (Instant::now(), 0);
        loop {
            let came = match body.bytes.read(&mut buffer) {
                Ok(came) => came as u64,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::TimedOut => return Err(slow().into()),
                Err(_) => return Err(TransportError::Cut { path: path.into(), after: at }.into()),
            };
            if came == 0 {
                return match expected {
                    Some(expected) if at < expected => Err(TransportError::Cut { path: path.into(), after: at }.into()),
                    _ => Ok(()),
                };
            }
            self.bytes.fetch_add(came, Ordering::Relaxed);
            at += came;
            if at > max {
                return Err(too_long().into());
            }
            sink(&buffer[..usize::try_from(came).unwrap_or(0).min(buffer.len())])?;
            since_mark += came;
            if mark.elapsed() >= self.pace.over {
                if u128::from(since_mark) * 1000 < u128::from(self.pace.least_rate) * self.pace.over.as_millis() {
                    return Err(slow().into());
                }
                (mark, since_mark) = (Instant::now(), 0);
            }
            if self.is_over() {
                return Err(slow().into());
            }
        }
    }

    fn is_over(&self) -> bool {
        self.began.elapsed() >= self.pace.in_all
    }
}
