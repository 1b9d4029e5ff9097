//! A CDN in a few lines, with the headers that one should have, and whatever a test wants it to do wrong.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use tenantry::store::{Cache, content_type};

/// A request: its path without the first slash, and its headers in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

/// An answer before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// Without a body.
    pub(crate) fn empty(status: u16) -> Answer {
        Answer { status, headers: BTreeMap::new(), bytes: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Answer {
        self.headers.insert(name.into(), value.into());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Answer {
        self.headers.remove(name);
        self
    }
}

/// What a CDN does to its answers.
type Tamper = dyn Fn(&Asked, Answer) -> Answer + Send + Sync;

/// Serves files as long as the process lives.
pub(crate) struct Edge {
    address: SocketAddr,
}

impl Edge {
    /// Serves these files, by key, at this time of its own (`Date`).
    pub(crate) fn serve(
        files: BTreeMap<String, Vec<u8>>,
        date: String,
        tamper: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static,
    ) -> Edge {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (files, tamper): (_, Arc<Tamper>) = (Arc::new(files), Arc::new(tamper));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (files, date, tamper) = (Arc::clone(&files), date.clone(), Arc::clone(&tamper));
                // A client that hangs up is no concern of the CDN.
                thread::spawn(move || answer_all(&connection, &files, &date, tamper.as_ref()).ok());
            }
        });
        Edge { address }
    }

    /// Where it is, with a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

fn answer_all(
    connection: &TcpStream,
    files: &BTreeMap<String, Vec<u8>>,
    date: &str,
    tamper: &Tamper,
) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut lines = BufReader::new(connection).lines();
    while let Some(request) = lines.next().transpose()? {
        let mut headers = BTreeMap::new();
        while let Some(line) = lines.next().transpose()?.filter(|it| !it.is_empty()) {
            if let Some((name, value)) = line.split_once(':') {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
        }
        let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        let asked = Asked { path, headers };
        let answer = tamper(&asked, honest(&asked, files).with("Date", date));
        let mut text = format!("HTTP/1.1 {} Said\r\nContent-Length: {}\r\n", answer.status, answer.bytes.len());
        for (name, value) in &answer.headers {
            text += &format!("{name}: {value}\r\n");
        }
        let mut bytes = (text + "\r\n").into_bytes();
        if answer.status != 304 {
            bytes.extend(&answer.bytes);
        }
        (&mut &*connection).write_all(&bytes)?;
    }
    Ok(())
}

/// What a good CDN says.
fn honest(asked: &Asked, files: &BTreeMap<String, Vec<u8>>) -> Answer {
    let key = match asked.path.split('/').collect::<Vec<_>>()[..] {
        ["t", _, name] if name.ends_with(".root.json") => format!("root/{name}"),
        _ => asked.path.clone(),
    };
    let file = files.get(&key).filter(|_| !key.starts_with("state/"));
    let Some(bytes) = file else { return Answer::empty(404).with("Cache-Control", "public, max-age=10") };
    let etag = format!("\"{}\"", tenantry::digest::Sha256::of(bytes));
    let answer = Answer { status: 200, headers: BTreeMap::new(), bytes: bytes.clone() }
        .with("ETag", &etag)
        .with("Cache-Control", Cache::of(&key).header())
        .with("Content-Type", content_type(&key))
        .with("Access-Control-Allow-Origin", "*");
    let from = asked.headers.get("range").and_then(|it| it.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match from {
        _ if asked.headers.get("if-none-match") == Some(&etag) => Answer { status: 304, ..answer },
        Some(from) => Answer { status: 206, bytes: bytes.get(from..).unwrap_or_default().to_vec(), ..answer },
        None => answer,
    }
}
