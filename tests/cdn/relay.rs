//! What `tenantry serve` says, made into the answers of a bucket: 403 for what is missing, and no word about how long.
//! It can go away, and its minutes are seconds, so that a test need not wait for a real one.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a minute is here, in as many bytes as a minute has.
const MINUTE: (&str, &str) = ("max-age=60,", "max-age=02,");

pub(crate) struct Relay {
    address: SocketAddr,
    is_away: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<String>>>,
    heard: Arc<Mutex<String>>,
}

impl Relay {
    /// In front of this address.
    pub(crate) fn start(to: SocketAddr) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let relay = Relay { address, is_away: Arc::default(), asked: Arc::default(), heard: Arc::default() };
        let (is_away, asked, heard) = (Arc::clone(&relay.is_away), Arc::clone(&relay.asked), Arc::clone(&relay.heard));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                // One that is away hangs up at once.
                if !is_away.load(Ordering::SeqCst) {
                    let (asked, heard) = (Arc::clone(&asked), Arc::clone(&heard));
                    thread::spawn(move || pass_on(&connection, to, &asked, &heard).ok());
                }
            }
        });
        relay
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Goes away, or comes back.
    pub(crate) fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// What was asked for since the last call, and the status of each answer; not what only looks whether we are there.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("nobody panics with the log in hand"))
    }

    /// Every request so far, with its headers.
    pub(crate) fn heard(&self) -> String {
        self.heard.lock().expect("nobody panics with the log in hand").clone()
    }
}

fn pass_on(
    connection: &TcpStream,
    to: SocketAddr,
    asked: &Mutex<Vec<String>>,
    heard: &Mutex<String>,
) -> io::Result<()> {
    let head = head(connection)?;
    *heard.lock().expect("nobody panics with the log in hand") += &head;
    let asked_for = head.strip_prefix("GET ").and_then(|it| it.split(' ').next()).map(str::to_owned);
    let kept = head.split("\r\n").filter(|it| !it.to_ascii_lowercase().starts_with("connection:") && !it.is_empty());
    let request = format!("{}\r\nConnection: close\r\n\r\n", kept.collect::<Vec<_>>().join("\r\n"));
    let mut store = TcpStream::connect(to)?;
    store.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    store.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or(answer.len());
    let mut head = String::from_utf8_lossy(&answer[..end]).replace(MINUTE.0, MINUTE.1);
    if head.starts_with("HTTP/1.1 404") {
        let kept = head.split("\r\n").skip(1).filter(|it| !it.starts_with("cache-control:"));
        head = ["HTTP/1.1 403 Forbidden"].into_iter().chain(kept).collect::<Vec<_>>().join("\r\n");
    }
    if let Some(path) = asked_for {
        let status = head.split(' ').nth(1).unwrap_or_default();
        asked.lock().expect("nobody panics with the log in hand").push(format!("{path} {status}"));
    }
    (&mut &*connection).write_all(head.as_bytes())?;
    (&mut &*connection).write_all(&answer[end..])
}

fn head(mut connection: &TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
