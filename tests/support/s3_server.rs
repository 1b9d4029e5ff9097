//! An S3 server inside the test: in memory, atomic, on loopback, with signatures checked. It can be every bad server
//! that we have met, and it fails when told to.
//!
//! ```ignore
//! #[path = "support/s3_server.rs"]
//! mod s3_server;
//!
//! let server = S3Server::start(Profile::good());      // a bucket `tenantry`, empty; gone when dropped
//! let store = server.store();                         // an `S3Store` on it; `server.store_below("some/prefix/")`
//! project.write("tenantry.yaml", …server.yaml("main")…); // the `stores:` entry of a project
//! command.envs(server.environment());                 // credentials for the binary
//!
//! server.fault(|asked| (asked.verb == "PUT" && asked.number == 7).then_some(Fault::AnswerLost));
//! assert_eq!(server.contents(), …);                   // key → bytes, without any request
//! assert_eq!(server.take_log(), ["PUT t/a/timestamp.json", …]);
//! ```
//!
//! Verbs are `GET`, `HEAD`, `PUT`, `DELETE`, `LIST` (its key is the prefix) and `DELETE-BATCH` (without a key).
#![expect(dead_code, reason = "every test file uses a part of it")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, HttpResponse};
use tenantry::input::S3Spec;
use tenantry::store::s3::{Login, S3Store};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

#[path = "s3_server/objects.rs"]
mod objects;

pub(crate) use objects::Object;
use objects::{Objects, Shared};

/// The one bucket.
const BUCKET: &str = "tenantry";
const ACCESS_KEY: &str = "TESTKEY";
const SECRET_KEY: &str = "test-secret-0123456789";

/// How good or bad a server is. `Profile::good()` is what S3 promises; every other field is a fault of some real one.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// Garage, JuiceFS, s3rver: answers 200 to a condition that does not hold, and writes.
    pub(crate) ignores_conditions: bool,
    /// s3s-fs: looks at the condition first and writes a moment later.
    pub(crate) races: bool,
    /// Ceph RGW 16: 412 to a right version in quotes.
    pub(crate) wants_bare_etag: bool,
    /// A server that takes versions only as HTTP writes them.
    pub(crate) wants_quoted_etag: bool,
    /// moto, and S3 itself: 404 to `If-Match` where nothing is.
    pub(crate) missing_version_is_404: bool,
    /// JuiceFS: keeps neither `Cache-Control` nor `Content-Encoding`.
    pub(crate) drops_headers: bool,
    /// S3: this many conditional puts are answered with 409 `ConditionalRequestConflict`.
    pub(crate) conflicts: usize,
    /// S3: this many requests are answered with 503 `SlowDown`.
    pub(crate) slow_downs: usize,
    /// This many puts are done, and the connection breaks before the answer.
    pub(crate) lost_answers: usize,
    /// s3rver: other bytes come back than were put.
    pub(crate) wrong_bytes: bool,
    /// JuiceFS: everything in one page.
    pub(crate) one_page: bool,
    /// A listing that leaves out the newest object.
    pub(crate) stale_list: bool,
    /// JuiceFS, MinIO: `MissingContentMD5` to a batch of deletes.
    pub(crate) no_batches: bool,
    /// Says that it has deleted, and has not.
    pub(crate) keeps_deleted: bool,
    /// A bucket without the right to list: 403 where nothing is.
    pub(crate) forbids_missing: bool,
    /// Before each answer.
    pub(crate) delay: Duration,
    /// Its clock is wrong by this many seconds.
    pub(crate) clock: i64,
    /// Anybody may get.
    pub(crate) is_public: bool,
}

impl Profile {
    /// As S3 promises.
    pub(crate) fn good() -> Profile {
        Profile {
            ignores_conditions: false,
            races: false,
            wants_bare_etag: false,
            wants_quoted_etag: false,
            missing_version_is_404: false,
            drops_headers: false,
            conflicts: 0,
            slow_downs: 0,
            lost_answers: 0,
            wrong_bytes: false,
            one_page: false,
            stale_list: false,
            no_batches: false,
            keeps_deleted: false,
            forbids_missing: false,
            delay: Duration::ZERO,
            clock: 0,
            is_public: false,
        }
    }

    /// Garage, JuiceFS, s3rver.
    pub(crate) fn ignores_conditions() -> Profile {
        Profile { ignores_conditions: true, ..Profile::good() }
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Counted from 0.
    pub(crate) number: usize,
    pub(crate) verb: &'static str,
    pub(crate) key: String,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not done: an answer with this status and code.
    Answer(u16, &'static str),
    /// It is not done, and the connection breaks.
    Vanished,
    /// It is done, and the connection breaks.
    AnswerLost,
    /// It is done, and the answer is one with this status and code.
    DoneBut(u16, &'static str),
    /// The body of the answer ends in its midst.
    Cut,
    /// A byte of the answer is another one.
    Flipped,
    /// The answer comes after so long.
    Late(Duration),
}

type Script = Box<dyn Fn(&Asked) -> Option<Fault> + Send + Sync>;

/// What connections share.
struct Serving {
    service: S3Service,
    shared: Arc<Shared>,
    script: Mutex<Script>,
    log: Mutex<Vec<Asked>>,
    count: AtomicUsize,
}

/// A running server; gone when dropped.
pub(crate) struct S3Server {
    address: SocketAddr,
    is_tls: bool,
    serving: Arc<Serving>,
    runtime: Option<Runtime>,
}

impl S3Server {
    pub(crate) fn start(profile: Profile) -> S3Server {
        S3Server::start_with(profile, None)
    }

    /// The same over TLS, with a certificate for `localhost` and its key in PEM.
    pub(crate) fn start_over_tls(profile: Profile, certificate: &[u8], key: &[u8]) -> S3Server {
        use rustls::pki_types::pem::PemObject as _;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(certificates.expect("PEM"), PrivateKeyDer::from_pem_slice(key).expect("PEM"))
            .expect("the key belongs to the certificate");
        S3Server::start_with(profile, Some(TlsAcceptor::from(Arc::new(config))))
    }

    fn start_with(profile: Profile, tls: Option<TlsAcceptor>) -> S3Server {
        let shared = Arc::new(Shared::new(profile));
        let mut builder = S3ServiceBuilder::new(Objects { shared: Arc::clone(&shared) });
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        builder.set_access(Objects { shared: Arc::clone(&shared) });
        let service = builder.build();
        let script: Script = Box::new(|_| None);
        let serving = Arc::new(Serving {
            service,
            shared,
            script: Mutex::new(script),
            log: Mutex::default(),
            count: AtomicUsize::new(0),
        });

        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().expect("threads");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let is_tls = tls.is_some();
        runtime.spawn(accept(listener, Arc::clone(&serving), tls));
        S3Server { address, is_tls, serving, runtime: Some(runtime) }
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn endpoint(&self) -> String {
        match self.is_tls {
            true => format!("https://localhost:{}", self.address.port()),
            false => format!("http://{}", self.address),
        }
    }

    pub(crate) fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// Access key and secret key.
    pub(crate) fn credentials(&self) -> (&'static str, &'static str) {
        (ACCESS_KEY, SECRET_KEY)
    }

    /// The same as variables, for the binary.
    pub(crate) fn environment(&self) -> [(&'static str, &'static str); 2] {
        [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]
    }

    /// The same for the library.
    pub(crate) fn login(&self) -> Login {
        Login::Keys { access_key: ACCESS_KEY.into(), secret_key: SECRET_KEY.into() }
    }

    pub(crate) fn spec(&self) -> S3Spec {
        S3Spec {
            bucket: BUCKET.into(),
            prefix: None,
            region: None,
            endpoint: Some(self.endpoint()),
            path_style: None,
            checksums: None,
        }
    }

    /// An entry of `stores` in `tenantry.yaml`, on one line.
    pub(crate) fn yaml(&self, name: &str) -> String {
        format!("{{ name: {name}, s3: {{ bucket: {BUCKET}, endpoint: \"{}\" }} }}", self.endpoint())
    }

    pub(crate) fn store(&self) -> S3Store {
        S3Store::connect(&self.spec(), &self.login()).expect("credentials are given")
    }

    /// A store on what lies below a prefix.
    pub(crate) fn store_below(&self, prefix: &str) -> S3Store {
        let spec = S3Spec { prefix: Some(prefix.into()), ..self.spec() };
        S3Store::connect(&spec, &self.login()).expect("credentials are given")
    }

    /// Everything in the bucket, by its whole key.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        self.serving.shared.objects().iter().map(|(key, object)| (key.clone(), object.bytes.to_vec())).collect()
    }

    /// The same with headers and versions.
    pub(crate) fn objects(&self) -> BTreeMap<String, Object> {
        self.serving.shared.objects().clone()
    }

    /// Puts an object past all requests.
    pub(crate) fn plant(&self, key: &str, bytes: &[u8]) {
        self.serving.shared.plant(key, bytes);
    }

    /// Takes an object away past all requests.
    pub(crate) fn remove(&self, key: &str) {
        self.serving.shared.objects().remove(key);
    }

    /// Makes every object look as if it had been put then, in seconds since 1970.
    pub(crate) fn set_modified(&self, seconds: i64) {
        self.serving.shared.objects().values_mut().for_each(|it| it.modified = seconds);
    }

    /// From now on it is another server, with the same objects.
    pub(crate) fn turn_into(&self, profile: Profile) {
        self.serving.shared.turn_into(profile);
    }

    /// Asks this about each request from now on; the numbers go on.
    pub(crate) fn fault(&self, script: impl Fn(&Asked) -> Option<Fault> + Send + Sync + 'static) {
        *self.serving.script.lock().expect("no thread panics with it") = Box::new(script);
    }

    /// All requests since the last call, in the order in which they came: verb and key.
    pub(crate) fn take_log(&self) -> Vec<String> {
        let log = std::mem::take(&mut *self.serving.log.lock().expect("no thread panics with it"));
        log.into_iter().map(|it| format!("{} {}", it.verb, it.key).trim_end().to_owned()).collect()
    }

    /// The same without taking them, and with their numbers.
    pub(crate) fn log(&self) -> Vec<Asked> {
        self.serving.log.lock().expect("no thread panics with it").clone()
    }

    /// How many requests have come: the number of the next one.
    pub(crate) fn count(&self) -> usize {
        self.serving.count.load(Ordering::Relaxed)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, serving: Arc<Serving>, tls: Option<TlsAcceptor>) {
    while let Ok((connection, _)) = listener.accept().await {
        let _ = connection.set_nodelay(true);
        let serving = Arc::clone(&serving);
        let tls = tls.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&serving), request));
            let http = http1::Builder::new();
            // A client that hangs up, or does not trust us, is no concern of the server.
            match tls {
                None => http.serve_connection(TokioIo::new(connection), service).await.ok(),
                Some(tls) => match tls.accept(connection).await {
                    Ok(connection) => http.serve_connection(TokioIo::new(connection), service).await.ok(),
                    Err(_) => None,
                },
            }
        });
    }
}

/// Answers, or fails as the script and the profile say. An error here breaks the connection.
async fn answer(serving: Arc<Serving>, request: hyper::Request<Incoming>) -> Result<HttpResponse, HttpError> {
    let (verb, key) = asked(&request);
    let asked = {
        let mut log = serving.log.lock().expect("no thread panics with it");
        let number = serving.count.fetch_add(1, Ordering::Relaxed);
        let asked = Asked { number, verb, key };
        log.push(asked.clone());
        asked
    };
    let fault = (serving.script.lock().expect("no thread panics with it"))(&asked);
    let fault = fault.or_else(|| serving.shared.fault(verb, request.headers()));
    let broken = || Err(HttpError::new("the connection breaks".into()));
    tokio::time::sleep(serving.shared.profile().delay).await;
    match fault {
        None => run(&serving, request).await,
        Some(Fault::Vanished) => broken(),
        Some(Fault::Answer(status, code)) => Ok(failure(status, code)),
        Some(Fault::AnswerLost) => {
            run(&serving, request).await?;
            broken()
        }
        Some(Fault::DoneBut(status, code)) => {
            run(&serving, request).await?;
            Ok(failure(status, code))
        }
        Some(Fault::Cut) => {
            let (head, body) = whole(run(&serving, request).await?).await;
            Ok(HttpResponse::from_parts(head, Body::http_body_unsync(Cut(Some(body.slice(..body.len() / 2))))))
        }
        Some(Fault::Flipped) => {
            let (head, body) = whole(run(&serving, request).await?).await;
            Ok(HttpResponse::from_parts(head, Body::from(flipped(&body))))
        }
        Some(Fault::Late(delay)) => {
            tokio::time::sleep(delay).await;
            run(&serving, request).await
        }
    }
}

async fn run(serving: &Serving, request: hyper::Request<Incoming>) -> Result<HttpResponse, HttpError> {
    hyper::service::Service::call(&serving.service, request).await
}

/// Verb and key of a request: path style, and our keys need no escapes.
fn asked(request: &hyper::Request<Incoming>) -> (&'static str, String) {
    let path = request.uri().path().trim_start_matches('/');
    let key = path.split_once('/').map_or("", |(_, key)| key).to_owned();
    let query = request.uri().query().unwrap_or_default();
    match request.method().as_str() {
        "GET" if query.contains("list-type") => {
            let prefix = query.split('&').find_map(|it| it.strip_prefix("prefix=")).unwrap_or_default();
            ("LIST", prefix.replace("%2F", "/"))
        }
        "POST" => ("DELETE-BATCH", key),
        "GET" => ("GET", key),
        "HEAD" => ("HEAD", key),
        "PUT" => ("PUT", key),
        _ => ("DELETE", key),
    }
}

fn failure(status: u16, code: &str) -> HttpResponse {
    let body = match code {
        "" => String::new(),
        _ => format!("<Error><Code>{code}</Code><Message>as the test asked for</Message></Error>"),
    };
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = hyper::StatusCode::from_u16(status).expect("a status");
    response
}

async fn whole(response: HttpResponse) -> (hyper::http::response::Parts, Bytes) {
    use http_body_util::BodyExt as _;
    let (head, body) = response.into_parts();
    (head, body.collect().await.expect("the server's own body").to_bytes())
}

fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    bytes
}

/// A body that begins and then breaks.
struct Cut(Option<Bytes>);

impl hyper::body::Body for Cut {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let next = self.0.take().map(Frame::data).ok_or_else(|| std::io::Error::other("cut"));
        std::task::Poll::Ready(Some(next))
    }
}
