//! `tenantry serve` as a process of its own.
#![expect(clippy::disallowed_methods, reason = "a test runs the binary")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long anything may take that takes no time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server at work; stopped with the value.
pub(crate) struct Serving {
    process: Child,
    address: SocketAddr,
    talk: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Serving {
    /// Starts this command, which must be `tenantry serve`, and waits until it says where it is.
    pub(crate) fn start(mut command: Command) -> Serving {
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary was built with this test");
        let talk = Arc::new(Mutex::new(String::new()));
        let stderr = process.stderr.take().expect("it was asked for");
        let reader = thread::spawn({
            let talk = Arc::clone(&talk);
            move || listen(stderr, &talk)
        });
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().expect("it was asked for"));
        stdout.read_line(&mut line).expect("it speaks");
        let Some(address) = line.trim_end().strip_prefix("http://").and_then(|it| it.parse().ok()) else {
            let _ = process.wait();
            reader.join().expect("listening never panics");
            panic!("`{line}` is no address; it said: {}", talk.lock().expect("nobody panics while listening"));
        };
        // Nobody may block on a pipe that is read no more.
        thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        Serving { process, address, talk, reader: Some(reader) }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has said on stderr so far.
    pub(crate) fn talk(&self) -> String {
        self.talk.lock().expect("nobody panics while listening").clone()
    }

    /// Waits until it has said this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        let began = Instant::now();
        while !self.talk().contains(text) {
            assert!(began.elapsed() < PATIENCE, "it never said `{text}`, but: {}", self.talk());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses Ctrl-C, waits for the end, and returns the exit code and everything that was said.
    pub(crate) fn interrupt(mut self) -> (i32, String) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill is everywhere").success());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("it is ours") {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end: {}", self.talk());
            thread::sleep(Duration::from_millis(10));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("listening never panics");
        }
        (status.code().expect("it ends by itself"), self.talk())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn listen(stderr: ChildStderr, talk: &Mutex<String>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        *talk.lock().expect("nobody panics while listening") += &format!("{line}\n");
    }
}
