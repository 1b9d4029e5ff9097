//! A CDN in a few lines: static files over loopback, with the one rewrite that clients need.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// Serves a folder as long as the process lives.
pub(crate) struct Cdn {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Cdn {
    /// Serves this `out/`.
    pub(crate) fn serve(out: &Path) -> Cdn {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (out, log) = (out.to_owned(), Arc::clone(&asked));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (out, log) = (out.clone(), Arc::clone(&log));
                // A client that hangs up is no concern of the CDN.
                thread::spawn(move || answer_all(&connection, &out, &log).ok());
            }
        });
        Cdn { address, asked }
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked for since the last call, in order.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no thread panics with the log in hand"))
    }
}

/// Answers one request after the other until the client hangs up.
fn answer_all(connection: &TcpStream, out: &Path, log: &Mutex<Vec<String>>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut lines = BufReader::new(connection).lines();
    while let Some(request) = lines.next().transpose()? {
        // Clients send no bodies, so headers end at the empty line and the next request follows.
        while lines.next().transpose()?.is_some_and(|header| !header.is_empty()) {}
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        log.lock().expect("no thread panics with the log in hand").push(path.to_owned());
        let (status, body) = match (method, file(out, path).and_then(|it| fs::read(it).ok())) {
            ("GET" | "HEAD", Some(body)) => ("200 OK", body),
            ("GET" | "HEAD", None) => ("404 Not Found", Vec::new()),
            _ => ("405 Method Not Allowed", Vec::new()),
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut answer = head.into_bytes();
        if method == "GET" {
            answer.extend(body);
        }
        (&mut &*connection).write_all(&answer)?;
    }
    Ok(())
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
