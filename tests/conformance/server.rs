//! What a repository serves, over loopback, and what was asked for.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::simulated::Simulated;

/// A repository on a port of its own, as long as the process lives.
pub(crate) struct Server {
    shared: Arc<Mutex<Shared>>,
    address: String,
}

/// What the test and the server have in common.
pub(crate) struct Shared {
    /// What is served.
    pub(crate) repository: Simulated,
    /// What is answered to a path whatever the repository says: status and body.
    pub(crate) answers: Vec<(String, u16, Vec<u8>)>,
    asked: Vec<String>,
}

impl Server {
    pub(crate) fn start(repository: Simulated) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let shared = Arc::new(Mutex::new(Shared { repository, answers: Vec::new(), asked: Vec::new() }));
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let theirs = Arc::clone(&theirs);
                // A client that hangs up is no concern of the server.
                thread::spawn(move || answer_all(&connection, &theirs).ok());
            }
        });
        Server { shared, address }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.address
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked for since the last time, in order.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().asked)
    }
}

fn answer_all(connection: &TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut lines = BufReader::new(connection).lines();
    while let Some(request) = lines.next().transpose()? {
        // Clients send no bodies, so headers end at the empty line and the next request follows.
        while lines.next().transpose()?.is_some_and(|header| !header.is_empty()) {}
        let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        let (status, body) = shared.lock().unwrap_or_else(PoisonError::into_inner).answer(path);
        let head = format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\n\r\n", body.len());
        (&mut &*connection).write_all(&[head.as_bytes(), &body].concat())?;
    }
    Ok(())
}

impl Shared {
    fn answer(&mut self, path: String) -> (u16, Vec<u8>) {
        let forced = self.answers.iter().find(|(it, ..)| *it == path).map(|(_, status, body)| (*status, body.clone()));
        let served = || self.repository.files.get(&path).map(|bytes| (200, bytes.clone()));
        let answer = forced.or_else(served).unwrap_or((404, Vec::new()));
        self.asked.push(path);
        answer
    }
}
