//! Bytes over the shell's own HTTP: for platforms whose proxies, certificates or battery rules only their own stack
//! knows, and for shells that show progress.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use tenantry::client;
use uniffi::UnexpectedUniFFICallbackError;

/// Fetches objects below one base URL. Everything that it delivers is measured and verified by the client: it may lie,
/// but it must come to an end. It does not follow redirects to other hosts, and does not ask for compressed answers.
///
/// Called from several threads at once. A call into the client that waits for this one must not be made from here.
#[uniffi::export(with_foreign)]
pub trait Transport: Send + Sync {
    /// Fetches one object.
    fn get(&self, request: Request) -> Result<Reply, TransportError>;
}

/// The bytes of an object, piece by piece.
#[uniffi::export(with_foreign)]
pub trait ByteSource: Send + Sync {
    /// The next bytes, at least one and at most so many; none at the end.
    fn read(&self, most: u32) -> Result<Vec<u8>, TransportError>;
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Request {
    /// The object, such as `t/<addr>/timestamp.json`; below the base URL.
    pub path: String,
    /// Answer `NotModified` if the object still has this ETag (`If-None-Match`).
    pub if_none_match: Option<String>,
    /// First byte that is wanted: those before it are here already (`Range: bytes=<offset>-`, if it is not zero).
    pub offset: u64,
    /// Begin at `offset` only if the object still has this ETag; send the whole otherwise (`If-Range`).
    pub if_range: Option<String>,
    /// Most bytes that the whole object may have. An answer that says it is longer may be given up at once.
    pub max: u64,
    /// Whether a copy that caches keep will not do (`Cache-Control: no-cache`): one has just turned out to be wrong.
    pub past_caches: bool,
}

/// An answer.
#[derive(Clone, uniffi::Enum)]
pub enum Reply {
    /// The object (HTTP 200, 206).
    Found {
        /// Which byte of the object is the first here: the request's `offset`, or zero when the whole object is sent.
        offset: u64,
        /// Its `ETag`.
        etag: Option<String>,
        /// How many bytes will come, if it was said (`Content-Length`).
        length: Option<u64>,
        /// The bytes.
        body: Arc<dyn ByteSource>,
    },
    /// It still has the ETag that was asked about (HTTP 304).
    NotModified,
    /// There is none (HTTP 404, 410, or 403: a bucket that may not be listed).
    Missing,
}

/// Why an object did not come. An exception of any other kind counts as `Unreachable`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TransportError {
    /// No connection, or none any more.
    #[error("{why}")]
    Unreachable {
        /// What went wrong, for a log.
        why: String,
    },
    /// It came too slowly, or not at all.
    #[error("it comes too slowly")]
    Slow,
    /// The server says that it cannot answer now (HTTP 429, 500 to 599).
    #[error("HTTP {status}")]
    Server {
        /// Its answer.
        status: u16,
    },
    /// Sent on to another host, which no server of a publication does.
    #[error("redirected to `{to}`")]
    Elsewhere {
        /// Where to.
        to: String,
    },
    /// Another answer that is of no use.
    #[error("{why}")]
    Useless {
        /// What it was, for a log.
        why: String,
    },
}

/// A transport of the shell's, as the client takes it.
pub(crate) struct Foreign(pub(crate) Arc<dyn Transport>);

impl client::Transport for Foreign {
    fn get(&self, path: &str, request: &client::Get) -> Result<client::Reply, client::TransportError> {
        let request = Request {
            path: path.into(),
            if_none_match: request.if_none_match.clone(),
            offset: request.from,
            if_range: request.if_range.clone(),
            max: request.max,
            past_caches: request.caches == client::Caches::Bypassed,
        };
        match self.0.get(request).map_err(|error| error.about(path))? {
            Reply::Found { offset, etag, length, body } => {
                let bytes = Box::new(Pieces { source: body, rest: io::Cursor::default() });
                Ok(client::Reply::Object(client::Body { from: offset, etag, length, bytes }))
            }
            Reply::NotModified => Ok(client::Reply::NotModified),
            Reply::Missing => Ok(client::Reply::Missing),
        }
    }
}

/// Reads a body piece by piece, whatever size the pieces have.
struct Pieces {
    source: Arc<dyn ByteSource>,
    rest: io::Cursor<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.position() == self.rest.get_ref().len() as u64 {
            let most = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
            let piece = self.source.read(most).map_err(|error| match error {
                TransportError::Slow => io::Error::new(ErrorKind::TimedOut, error),
                error => io::Error::other(error),
            })?;
            self.rest = io::Cursor::new(piece);
        }
        self.rest.read(buffer)
    }
}

impl TransportError {
    /// The same about one object, in the client's words.
    fn about(self, path: &str) -> client::TransportError {
        let path = path.to_owned();
        match self {
            TransportError::Unreachable { .. } => client::TransportError::Unreachable { path, source: Box::new(self) },
            TransportError::Slow => client::TransportError::Slow { path },
            TransportError::Server { status } => client::TransportError::Server { path, status },
            TransportError::Elsewhere { to } => client::TransportError::Elsewhere { path, to },
            TransportError::Useless { why } => client::TransportError::Useless { path, why },
        }
    }
}

impl From<UnexpectedUniFFICallbackError> for TransportError {
    fn from(error: UnexpectedUniFFICallbackError) -> TransportError {
        TransportError::Unreachable { why: format!("the shell's transport failed: {}", error.reason) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use client::Transport as _;

    use super::*;

    /// Gives what is left, two bytes more than it was asked for at a time.
    struct Generous(Mutex<Vec<u8>>);

    impl ByteSource for Generous {
        fn read(&self, most: u32) -> Result<Vec<u8>, TransportError> {
            let mut left = self.0.lock().expect("nobody panics here");
            let upto = left.len().min(most as usize + 2);
            Ok(left.drain(..upto).collect())
        }
    }

    struct Fails(TransportError);

    impl ByteSource for Fails {
        fn read(&self, _: u32) -> Result<Vec<u8>, TransportError> {
            Err(self.0.clone())
        }
    }

    impl Transport for Fails {
        fn get(&self, _: Request) -> Result<Reply, TransportError> {
            Err(self.0.clone())
        }
    }

    #[test]
    fn pieces_of_any_size_make_the_whole() {
        let bytes: Vec<u8> = (0..100).collect();
        let source = Arc::new(Generous(Mutex::new(bytes.clone())));
        let mut reader = Pieces { source, rest: io::Cursor::default() };
        let (mut whole, mut buffer): (Vec<u8>, _) = (Vec::new(), [0; 7]);
        loop {
            match reader.read(&mut buffer).expect("it never fails") {
                0 => break,
                came => whole.extend(&buffer[..came]),
            }
        }
        assert_eq!(whole, bytes);
    }

    #[test]
    fn only_slowness_is_a_timeout() {
        let kind = |error| {
            let mut reader = Pieces { source: Arc::new(Fails(error)), rest: io::Cursor::default() };
            reader.read(&mut [0; 8]).expect_err("it always fails").kind()
        };
        assert_eq!(kind(TransportError::Slow), ErrorKind::TimedOut);
        assert_eq!(kind(TransportError::Server { status: 503 }), ErrorKind::Other);
    }

    #[test]
    fn every_failure_of_a_transport_has_its_code() {
        let why = || "because".to_owned();
        for (error, code) in [
            (TransportError::Unreachable { why: why() }, "unreachable"),
            (TransportError::Slow, "too-slow"),
            (TransportError::Server { status: 503 }, "server"),
            (TransportError::Elsewhere { to: why() }, "redirected"),
            (TransportError::Useless { why: why() }, "not-our-server"),
        ] {
            let reply = Foreign(Arc::new(Fails(error))).get("o/x", &client::Get::whole(1));
            assert_eq!(reply.expect_err("it always fails").code(), code);
        }
    }
}
