//! GitHub's API on loopback, as far as our scripts ask it: comments, pull requests, artifacts; and a place for downloads.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use serde_json::{Value, json};

/// The repository that all of this is about.
pub(crate) const REPOSITORY: &str = "example/shop";
/// The token of a job that may write comments.
pub(crate) const WRITER: &str = "token-that-writes";
/// The token of a job that may not.
pub(crate) const READER: &str = "token-that-reads";
/// Who jobs write as.
pub(crate) const BOT: &str = "github-actions[bot]";

/// A GitHub of one repository, as long as the process lives.
pub(crate) struct Hub {
    api: SocketAddr,
    storage: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    comments: Vec<Comment>,
    pulls: Vec<Value>,
    /// By run.
    artifacts: BTreeMap<u64, (String, Vec<u8>)>,
    files: BTreeMap<String, Vec<u8>>,
    /// Method and path of every request.
    asked: Vec<String>,
    /// Tokens that reached a host that is none of GitHub's.
    leaked: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) pull: u64,
    pub(crate) author: String,
    pub(crate) body: String,
}

impl Hub {
    pub(crate) fn start() -> Hub {
        let state = Arc::new(Mutex::new(State::default()));
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let (api, storage) = (listen(), listen());
        let address = |it: &TcpListener| it.local_addr().expect("a bound listener has an address");
        let hub = Hub { api: address(&api), storage: address(&storage), state: Arc::clone(&state) };
        let storage_address = hub.storage;
        let shared = Arc::clone(&state);
        serve(api, move |request| answer(&mut locked(&shared), request, storage_address));
        serve(storage, move |request| store(&mut locked(&state), request));
        hub
    }

    pub(crate) fn api_url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// Offers a file; says where.
    pub(crate) fn offer(&self, name: &str, bytes: Vec<u8>) -> String {
        self.state().files.insert(format!("/{name}"), bytes);
        format!("http://{}/{name}", self.storage)
    }

    pub(crate) fn leaves(&self, run: u64, name: &str, archive: Vec<u8>) {
        self.state().artifacts.insert(run, (name.to_owned(), archive));
    }

    pub(crate) fn opens(&self, pull: Value) {
        self.state().pulls.push(pull);
    }

    pub(crate) fn says(&self, pull: u64, author: &str, body: &str) {
        self.state().comments.push(Comment { pull, author: author.into(), body: body.into() });
    }

    pub(crate) fn comments(&self, pull: u64) -> Vec<Comment> {
        self.state().comments.iter().filter(|it| it.pull == pull).cloned().collect()
    }

    /// What the bot has said under a pull request.
    pub(crate) fn own(&self, pull: u64) -> Vec<String> {
        self.comments(pull).into_iter().filter(|it| it.author == BOT).map(|it| it.body).collect()
    }

    /// Requests since the last call.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state().asked)
    }

    pub(crate) fn leaked(&self) -> Vec<String> {
        self.state().leaked.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no thread panics with the state in hand")
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    token: Option<String>,
    body: Value,
}

struct Answer {
    status: u16,
    location: Option<String>,
    body: Vec<u8>,
}

fn json_of(status: u16, value: &Value) -> Answer {
    Answer { status, location: None, body: value.to_string().into_bytes() }
}

fn serve(listener: TcpListener, answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A client that hangs up is no concern of the server.
            thread::spawn(move || one(&connection, &*answer).ok());
        }
    });
}

fn one(mut connection: &TcpStream, answer: &dyn Fn(&Request) -> Answer) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut token) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "authorization" => token = value.trim().strip_prefix("Bearer ").map(str::to_owned),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter_map(|it| it.split_once('=')).map(|(key, value)| (key.into(), unescaped(value)));
    let request = Request {
        method: method.into(),
        path: path.into(),
        query: query.collect(),
        token,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let Answer { status, location, body } = answer(&request);
    let location = location.map(|it| format!("Location: {it}\r\n")).unwrap_or_default();
    let head = format!("HTTP/1.1 {status} X\r\n{location}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    connection.write_all(&[head.as_bytes(), &body].concat())
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).expect("two hex digits"));
        out.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(out).expect("UTF-8")
}

/// The API. Whoever has no token sees nothing; whoever only reads writes nothing.
fn answer(state: &mut State, request: &Request, storage: SocketAddr) -> Answer {
    state.asked.push(format!("{} {}", request.method, request.path));
    let may_write = match request.token.as_deref() {
        Some(WRITER) => true,
        Some(READER) => false,
        _ => return json_of(401, &json!({})),
    };
    let Some(path) = request.path.strip_prefix(&format!("/repos/{REPOSITORY}/")) else {
        return json_of(404, &json!({}));
    };
    let parts: Vec<&str> = path.split('/').collect();
    let number = |at: usize| parts.get(at).and_then(|it| it.parse::<u64>().ok()).unwrap_or_default();
    match (request.method.as_str(), parts.as_slice()) {
        ("POST" | "PATCH", _) if !may_write => json_of(403, &json!({ "message": "Resource not accessible" })),
        ("GET", ["issues", _, "comments"]) => comments(state, request, number(1)),
        ("POST", ["issues", _, "comments"]) => {
            state.comments.push(Comment { pull: number(1), author: BOT.into(), body: body_of(request) });
            json_of(201, &json!({ "id": state.comments.len() }))
        }
        ("PATCH", ["issues", "comments", _]) => {
            let at = usize::try_from(number(2)).expect("few") - 1;
            state.comments[at].body = body_of(request);
            json_of(200, &json!({ "id": at + 1 }))
        }
        ("GET", ["pulls"]) => pulls(state, request),
        ("GET", ["commits", commit, "pulls"]) => {
            let merged =
                state.pulls.iter().filter(|it| it["merge_commit_sha"] == **commit || it["head"]["sha"] == **commit);
            json_of(200, &merged.cloned().collect())
        }
        ("GET", ["actions", "runs", _, "artifacts"]) => {
            let found = state.artifacts.get(&number(2)).map(|(name, bytes)| {
                json!({ "id": number(2), "name": name, "expired": false, "size_in_bytes": bytes.len() })
            });
            json_of(200, &json!({ "artifacts": found.into_iter().collect::<Vec<Value>>() }))
        }
        ("GET", ["actions", "artifacts", _, "zip"]) => {
            Answer { status: 302, location: Some(format!("http://{storage}/artifact/{}", number(2))), body: Vec::new() }
        }
        other => panic!("our scripts never ask for {other:?}"),
    }
}

fn body_of(request: &Request) -> String {
    let body = request.body["body"].as_str().expect("a comment has a body").to_owned();
    assert!(body.chars().count() <= 65_536, "GitHub takes no longer one");
    body
}

fn comments(state: &State, request: &Request, pull: u64) -> Answer {
    let of = |key: &str| request.query.get(key).and_then(|it| it.parse::<usize>().ok()).expect("a number");
    let (page, size) = (of("page"), of("per_page"));
    let all = state.comments.iter().enumerate().filter(|(_, it)| it.pull == pull);
    let shown = all.skip((page - 1) * size).take(size);
    let shown = shown.map(|(at, it)| json!({ "id": at + 1, "user": { "login": it.author }, "body": it.body }));
    json_of(200, &shown.collect())
}

fn pulls(state: &State, request: &Request) -> Answer {
    assert_eq!(request.query["state"], "open");
    let is_asked = |it: &&Value| {
        let head = &it["head"];
        let label =
            format!("{}:{}", head["user"]["login"].as_str().expect("text"), head["ref"].as_str().expect("text"));
        it["state"] == "open" && label == request.query["head"]
    };
    json_of(200, &state.pulls.iter().filter(is_asked).cloned().collect())
}

/// Somebody else's host, from which files come. No token of GitHub belongs here.
fn store(state: &mut State, request: &Request) -> Answer {
    state.leaked.extend(request.token.clone());
    let artifact = request.path.strip_prefix("/artifact/").and_then(|it| it.parse().ok());
    let artifact = artifact.and_then(|run: u64| state.artifacts.get(&run)).map(|(_, bytes)| bytes.clone());
    match artifact.or_else(|| state.files.get(&request.path).cloned()) {
        Some(body) => Answer { status: 200, location: None, body },
        None => json_of(404, &json!({})),
    }
}
