//! The client of the web shell under the same attacks: the JavaScript of `shell/client`, in Node, over HTTP.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry::client::{Body, Caches, Get, Reply, Transport as _, TransportError};
use tenantry::time::Timestamp;

use crate::attack::{Attack, Expect, Step};
use crate::device::{ALL, attacked, changed, is_complete, nothing_else_is_remembered, remembered};
use crate::origin::Origin;
use crate::project::copy;
use crate::world::{VICTIM, World, new_folder};

/// What the web's client does not have: what the server calls a file is the business of the browser.
const NOT_THERE: [&str; 1] = ["etag.json"];

/// Whether an attack is on something that the web's client has.
pub(crate) fn is_about_it(attack: &Attack) -> bool {
    attack.steps.iter().all(|step| !matches!(step, Step::Device { file, .. } if NOT_THERE.contains(&&**file)))
}

/// A program that runs the client, a server, and devices that have a publication installed.
pub(crate) struct Web<'a> {
    world: &'a World,
    node: Mutex<Node>,
    server: Server,
    devices: BTreeMap<u64, TempDir>,
}

impl Web<'_> {
    pub(crate) fn new(world: &World) -> Web<'_> {
        let mut web = Web { world, node: Mutex::new(Node::new()), server: Server::start(), devices: BTreeMap::new() };
        web.devices = [1, 2].map(|number| (number, web.installed(number))).into();
        web
    }

    /// Attacks a device; what was not as it must be.
    pub(crate) fn suffers(&self, attack: &Attack) -> Result<(), String> {
        is_complete(attack)?;
        let folder = new_folder();
        let dir = folder.path().join("shelf");
        if attack.has > 0 {
            copy(self.devices[&attack.has].path(), &dir);
        }
        let origin = attacked(self.world, attack, &dir);
        self.server.shows(&origin);
        let now = attack.at.as_deref().map_or_else(|| self.world.made(attack.serves), crate::project::time);

        self.call::<bool>("open", &dir, now).map_err(|refused| format!("it does not open: {refused:?}"))?;
        let before = remembered(self.world, &dir);
        let ended = self.refresh(&dir, now);
        let changed = changed(&before, &remembered(self.world, &dir));
        ended_as_it_must(attack, ended)?;
        nothing_else_is_remembered(attack, &changed)?;
        if attack.expect == Expect::Arrives {
            self.activate(&dir, now)?;
        }
        self.starts(attack, &dir, now)?;
        origin.heal();
        origin.publish(self.world.publication(attack.heals).clone());
        self.heals(attack, &dir, now.max(self.world.made(attack.heals)))
    }

    fn installed(&self, number: u64) -> TempDir {
        let folder = new_folder();
        self.server.shows(&Origin::new(self.world.publication(number).clone()));
        self.refresh(folder.path(), self.world.made(number)).expect("an honest refresh");
        self.activate(folder.path(), self.world.made(number)).expect("activates");
        folder
    }

    fn starts(&self, attack: &Attack, dir: &Path, now: Timestamp) -> Result<(), String> {
        let is_new = attack.has == 0 && attack.expect == Expect::Refused;
        let all = || if is_new { Vec::new() } else { ALL.map(str::to_owned).to_vec() };
        let expected = attack.starts.clone().unwrap_or_else(all);
        let publication = match attack.expect {
            Expect::Arrives => attack.serves,
            Expect::Refused | Expect::Kept => attack.has,
        };
        let start = self.start(dir, now)?;
        match start.names() == expected && start.publication == (publication > 0).then_some(publication) {
            true => Ok(()),
            false => Err(format!("it starts as {start:?}")),
        }
    }

    fn heals(&self, attack: &Attack, dir: &Path, now: Timestamp) -> Result<(), String> {
        self.refresh(dir, now).map_err(|refused| format!("the honest refresh fails: {refused:?}"))?;
        self.activate(dir, now)?;
        let start = self.start(dir, now)?;
        let chat = start.running.iter().find(|it| it.0 == "com.example.chat").map(|it| it.1);
        match start.names() == ALL && chat == Some(attack.heals) {
            true => Ok(()),
            false => Err(format!("healed, it starts as {start:?}")),
        }
    }

    fn refresh(&self, dir: &Path, now: Timestamp) -> Result<Update, Refused> {
        self.call("refresh", dir, now)
    }

    fn start(&self, dir: &Path, now: Timestamp) -> Result<Start, String> {
        self.call("start", dir, now).map_err(|refused| format!("it does not start: {refused:?}"))
    }

    fn activate(&self, dir: &Path, now: Timestamp) -> Result<(), String> {
        match self.call("activate", dir, now) {
            Ok(true) => Ok(()),
            other => Err(format!("it cannot be activated: {other:?}")),
        }
    }

    /// One call of a client that was just opened: what is not on the shelf is forgotten.
    fn call<T: serde::de::DeserializeOwned>(&self, call: &str, dir: &Path, now: Timestamp) -> Result<T, Refused> {
        let asked = json!({
            "call": call, "now": now.unix(), "dir": dir, "base": self.server.base, "addr": self.world.addr(VICTIM),
            "root": self.world.root(),
        });
        let answer = self.node.lock().expect("no call panics with it in hand").ask(&asked);
        match answer.get("refused") {
            Some(refused) => Err(serde_json::from_value(refused.clone()).expect("a refusal")),
            None => Ok(serde_json::from_value(answer["ok"].clone()).expect("an answer")),
        }
    }
}

fn ended_as_it_must(attack: &Attack, ended: Result<Update, Refused>) -> Result<(), String> {
    let has = (attack.has > 0).then_some(attack.has);
    let is_right = match (attack.expect, &ended) {
        (Expect::Refused, Err(refused)) => Some(&refused.code) == attack.code.as_ref() && refused.kept == has,
        (Expect::Kept, Ok(update)) => Some(update.publication) == has && !update.staged,
        (Expect::Arrives, Ok(update)) => update.publication == attack.serves && update.staged,
        _ => false,
    };
    if is_right { Ok(()) } else { Err(format!("it ended as {ended:?}")) }
}

#[derive(Debug, Deserialize)]
struct Update {
    publication: u64,
    staged: bool,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what it says is shown when a test fails")]
struct Refused {
    code: String,
    kept: Option<u64>,
    what: String,
}

#[derive(Debug, Deserialize)]
struct Start {
    publication: Option<u64>,
    running: Vec<(String, u64)>,
    #[expect(dead_code, reason = "shown when a test fails")]
    notes: Vec<String>,
}

impl Start {
    fn names(&self) -> Vec<&str> {
        self.running.iter().map(|it| it.0.strip_prefix("com.example.").unwrap_or(&it.0)).collect()
    }
}

/// Node with the client in it: a line in, a line out.
struct Node {
    process: Child,
    into: ChildStdin,
    out: BufReader<ChildStdout>,
}

impl Node {
    fn new() -> Node {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/web.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is there, as was asked before");
        let into = process.stdin.take().expect("it was asked for");
        let out = BufReader::new(process.stdout.take().expect("it was asked for"));
        Node { process, into, out }
    }

    fn ask(&mut self, asked: &Value) -> Value {
        writeln!(self.into, "{asked}").expect("node reads");
        let mut line = String::new();
        self.out.read_line(&mut line).expect("node writes");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("node broke on {asked}"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What an origin answers, over HTTP; one request a connection.
struct Server {
    base: String,
    origin: Arc<Mutex<Arc<Origin>>>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let base = format!("http://{}/", listener.local_addr().expect("it has an address"));
        let origin: Arc<Mutex<Arc<Origin>>> = Arc::new(Mutex::new(Origin::new(BTreeMap::new())));
        let shown = Arc::clone(&origin);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shown = Arc::clone(&shown);
                // A client that hangs up is what some attacks end with.
                thread::spawn(move || drop(converse(connection, &shown)));
            }
        });
        Server { base, origin }
    }

    fn shows(&self, origin: &Arc<Origin>) {
        *self.origin.lock().expect("nobody panics with it in hand") = Arc::clone(origin);
    }
}

fn converse(mut connection: TcpStream, shown: &Mutex<Arc<Origin>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let head: Vec<String> = lines.map_while(Result::ok).take_while(|it| !it.is_empty()).collect();
    let path = first.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
    let has = |header: &str| head.iter().any(|it| it.eq_ignore_ascii_case(header));
    let range = head.iter().find_map(|it| it.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let get = Get {
        from: range.and_then(|it| it.trim_end_matches('-').parse().ok()).unwrap_or(0),
        caches: if has("cache-control: no-cache") { Caches::Bypassed } else { Caches::Allowed },
        ..Get::whole(u64::MAX)
    };
    // A client may connect long before it asks.
    let origin = Arc::clone(&shown.lock().expect("nobody panics with it in hand"));
    match origin.get(&path, &get) {
        Err(TransportError::Server { status, .. }) => head_of(&mut connection, status, "content-length: 0\r\n"),
        Err(TransportError::Elsewhere { to, .. }) => {
            head_of(&mut connection, 302, &format!("content-length: 0\r\nlocation: {to}\r\n"))
        }
        Err(_) => Ok(()),
        Ok(Reply::Missing | Reply::NotModified) => head_of(&mut connection, 404, "content-length: 0\r\n"),
        Ok(Reply::Object(body)) => send(&mut connection, body),
    }
}

fn head_of(connection: &mut TcpStream, status: u16, headers: &str) -> std::io::Result<()> {
    write!(connection, "HTTP/1.1 {status} -\r\nconnection: close\r\n{headers}\r\n")
}

fn send(connection: &mut TcpStream, mut body: Body) -> std::io::Result<()> {
    let length = body.length.map(|it| format!("content-length: {it}\r\n")).unwrap_or_default();
    match body.from {
        0 => head_of(connection, 200, &length)?,
        from => head_of(connection, 206, &format!("{length}content-range: bytes {from}-9/10\r\n"))?,
    }
    let mut buffer = [0; 4096];
    loop {
        match body.bytes.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => connection.write_all(&buffer[..read])?,
            // It hangs: longer than the client waits.
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                thread::sleep(Duration::from_secs(2));
                return Ok(());
            }
            Err(_) => return Ok(()),
        }
    }
}
