//! A CDN in a few lines: static files over loopback, with the one rewrite that clients need, and faults on demand.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// Serves a folder as long as the process lives.
pub(crate) struct Cdn {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    asked: Vec<String>,
    /// Bytes of bodies that were sent.
    sent: u64,
    faults: Vec<(String, Fault)>,
}

/// What goes wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This status, without a body.
    Status(u16),
    /// No answer at all, though the connection stays.
    Hang,
    /// One byte at a time, with this pause after each.
    Slow(Duration),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// As `Cut`, but the length says that this was all.
    Short(usize),
    /// One bit of a byte is another.
    Flip(usize),
    /// A page, as a captive portal answers whatever is asked.
    Html,
    /// A body without end, and without a length.
    Endless,
    /// Elsewhere.
    Redirect(String),
    /// The bytes as they are, under a header that says that they are compressed.
    SaysGzip,
    /// No HTTP.
    Noise,
    /// A request for a part is answered with the whole.
    NoRanges,
}

impl Cdn {
    /// Serves this `out/`.
    pub(crate) fn serve(out: &Path) -> Cdn {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let state = Arc::new(Mutex::new(State::default()));
        let (out, shared) = (out.to_owned(), Arc::clone(&state));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (out, state) = (out.clone(), Arc::clone(&shared));
                // A client that hangs up is no concern of the CDN.
                thread::spawn(move || answer_all(&connection, &out, &state).ok());
            }
        });
        Cdn { address, state }
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked for since the last call, in order.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().asked)
    }

    /// How many bytes of bodies were sent since the last call.
    pub(crate) fn take_sent(&self) -> u64 {
        std::mem::take(&mut self.state().sent)
    }

    /// Every request for a path that contains this goes wrong until [`Cdn::heal`].
    pub(crate) fn breaks(&self, part_of_path: &str, fault: Fault) {
        self.state().faults.push((part_of_path.into(), fault));
    }

    /// Everything is well again.
    pub(crate) fn heal(&self) {
        self.state().faults.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no thread panics with the state in hand")
}

/// Answers one request after the other until the client hangs up.
fn answer_all(connection: &TcpStream, out: &Path, state: &Mutex<State>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut lines = BufReader::new(connection).lines();
    while let Some(first) = lines.next().transpose()? {
        // Clients send no bodies, so headers end at the empty line and the next request follows.
        let mut headers = Vec::new();
        while let Some(header) = lines.next().transpose()?.filter(|it| !it.is_empty()) {
            let (name, value) = header.split_once(':').unwrap_or_default();
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut words = first.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let request = Request { method, path, headers };
        let fault = {
            let mut state = locked(state);
            state.asked.push(path.to_owned());
            state.faults.iter().find(|(part, _)| path.contains(part)).map(|(_, fault)| fault.clone())
        };
        let answer = Answer::to(&request, out, fault.as_ref());
        locked(state).sent += answer.send(connection, method, fault.as_ref())?;
    }
    Ok(())
}

struct Request<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<(String, String)>,
}

impl Request<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn bare(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: Vec::new() }
    }

    fn to(request: &Request<'_>, out: &Path, fault: Option<&Fault>) -> Answer {
        match (request.method, fault, file(out, request.path).and_then(|it| fs::read(it).ok())) {
            (_, Some(Fault::Status(status)), _) => Answer::bare(*status),
            (_, Some(Fault::Html), _) => {
                let body = b"<!DOCTYPE html><title>Welcome</title>".to_vec();
                Answer { body, headers: vec![("Content-Type", "text/html".into())], ..Answer::bare(200) }
            }
            (_, Some(Fault::Redirect(to)), _) => {
                Answer { headers: vec![("Location", to.clone())], ..Answer::bare(302) }
            }
            ("GET" | "HEAD", _, Some(bytes)) => Answer::with(request, bytes, fault),
            ("GET" | "HEAD", _, None) => Answer::bare(404),
            _ => Answer::bare(405),
        }
    }

    /// The file, a part of it, or that it is the same still.
    fn with(request: &Request<'_>, mut bytes: Vec<u8>, fault: Option<&Fault>) -> Answer {
        let etag =
            format!("\"{:016x}\"", bytes.iter().fold(7_u64, |it, b| it.wrapping_mul(31).wrapping_add((*b).into())));
        if request.header("if-none-match") == Some(&etag) {
            return Answer { headers: vec![("ETag", etag)], ..Answer::bare(304) };
        }
        if let Some(Fault::Flip(at)) = fault {
            bytes[*at] ^= 1;
        }
        let is_same = request.header("if-range").is_none_or(|it| it == etag);
        let from =
            request.header("range").and_then(|it| it.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        let mut headers = vec![("ETag", etag)];
        if let Some(Fault::SaysGzip) = fault {
            headers.push(("Content-Encoding", "gzip".into()));
        }
        match from {
            Some(from) if from >= bytes.len() => Answer::bare(416),
            Some(from) if is_same && fault != Some(&Fault::NoRanges) => {
                headers.push(("Content-Range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len())));
                Answer { status: 206, headers, body: bytes.split_off(from) }
            }
            _ => Answer { status: 200, headers, body: bytes },
        }
    }

    /// Sends it, and says how many bytes of the body went out.
    fn send(self, mut connection: &TcpStream, method: &str, fault: Option<&Fault>) -> io::Result<u64> {
        let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
        match fault {
            Some(Fault::Hang) => {
                thread::sleep(Duration::from_secs(60));
                return Err(gone());
            }
            Some(Fault::Noise) => {
                connection.write_all(b"220 mail.example.com ESMTP\r\n")?;
                return Err(gone());
            }
            Some(Fault::Endless) => {
                connection.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
                loop {
                    connection.write_all(&[b' '; 4096])?;
                }
            }
            _ => {}
        }
        let mut body = if method == "GET" { &*self.body } else { &[] };
        let mut length = self.body.len();
        if let Some(Fault::Short(at)) = fault {
            (body, length) = (&body[..*at], *at);
        }
        let mut head = format!("HTTP/1.1 {} X\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if self.status != 304 {
            head += &format!("Content-Length: {length}\r\n");
        }
        head += "\r\n";
        match fault {
            Some(Fault::Slow(pause)) => {
                connection.write_all(head.as_bytes())?;
                for byte in body {
                    connection.write_all(&[*byte])?;
                    thread::sleep(*pause);
                }
            }
            Some(Fault::Cut(at)) => {
                connection.write_all(head.as_bytes())?;
                connection.write_all(&body[..body.len().min(*at)])?;
                return Err(gone());
            }
            _ => connection.write_all(&[head.as_bytes(), body].concat())?,
        }
        Ok(body.len() as u64)
    }
}

/// The file behind a path: only the three public folders, nothing above them, and roots from one place.
fn file(out: &Path, path: &str) -> Option<PathBuf> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    if segments.iter().any(|it| it.is_empty() || it.starts_with('.')) {
        return None;
    }
    match segments.as_slice() {
        ["t", _, name] if name.ends_with(".root.json") => Some(out.join("root").join(name)),
        ["t", addr, name] => Some(out.join("t").join(addr).join(name)),
        [folder @ ("root" | "o"), name] => Some(out.join(folder).join(name)),
        _ => None,
    }
}
