//! A store that can go away, and whose minutes are seconds: what `tenantry serve` says, one connection each, with a
//! shorter life for timestamps, so that a test need not wait for a real minute.

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
}

impl Relay {
    /// In front of this address.
    pub(crate) fn start(to: SocketAddr) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (is_away, asked) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<String>>>::default());
        let relay = Relay { address, is_away: Arc::clone(&is_away), asked: Arc::clone(&asked) };
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                // One that is away hangs up at once.
                if !is_away.load(Ordering::SeqCst) {
                    let asked = Arc::clone(&asked);
                    thread::spawn(move || pass_on(&connection, to, &asked).ok());
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

    /// The first lines of what was asked for since the last call; not what only looks whether we are there.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("nobody panics with the log in hand"))
    }
}

fn pass_on(connection: &TcpStream, to: SocketAddr, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let head = head(connection)?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    if line.starts_with("GET ") {
        asked.lock().expect("nobody panics with the log in hand").push(line);
    }
    let kept = head.split("\r\n").filter(|it| !it.to_ascii_lowercase().starts_with("connection:") && !it.is_empty());
    let request = format!("{}\r\nConnection: close\r\n\r\n", kept.collect::<Vec<_>>().join("\r\n"));
    let mut store = TcpStream::connect(to)?;
    store.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    store.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..end]).replace(MINUTE.0, MINUTE.1);
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
