//! Connections: one task each, on a runtime of the server's own.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{self, Runtime};

use super::answer;
use super::body::Paced;
use super::page::page;
use super::report;
use super::route::{Kind, Object, Route, route};
use super::shell;
use super::{Answered, Offline, Site};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long a client may take to say what it wants, or keep a connection without a word.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before the next connection when the system has no room for one.
const BREATH: Duration = Duration::from_millis(50);

/// How many threads answer. Reading files has threads of its own.
const THREADS: usize = 2;

/// An address that is ours, and nobody is answered yet.
pub struct Server {
    runtime: Runtime,
    socket: TcpSocket,
    address: SocketAddr,
}

/// A server at work, until it is dropped.
pub struct Running {
    runtime: Option<Runtime>,
    address: SocketAddr,
}

impl Server {
    /// Takes an address; port 0 is any that is free.
    pub fn bind(address: SocketAddr) -> io::Result<Server> {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // On Windows this would let two servers have one address; on Unix a server could not come back at once without it.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let address = socket.local_addr()?;
        Ok(Server { runtime, socket, address })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers from now on, on threads of its own.
    pub fn start(self, site: Arc<Site>) -> io::Result<Running> {
        let Server { runtime, socket, address } = self;
        match site.mischief.offline {
            // An address that is taken, and on which nobody listens, refuses.
            Some(Offline::Refused) => {
                runtime.spawn(async move {
                    let _taken = socket;
                    std::future::pending::<()>().await;
                });
            }
            _ => {
                let _inside = runtime.enter();
                let listener = socket.listen(BACKLOG)?;
                runtime.spawn(listen(listener, site));
            }
        }
        Ok(Running { runtime: Some(runtime), address })
    }
}

impl Running {
    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From here on Ctrl-C, and on Unix the signal to end, are a request and no end.
    pub fn interrupts(&self) -> io::Result<Interrupts> {
        let _inside = self.runtime().enter();
        Interrupts::new()
    }

    /// Waits for the first request to end. A second one, while the server still lives, is handed on.
    pub fn until_interrupted(&self, mut interrupts: Interrupts, again: impl FnOnce() + Send + 'static) {
        self.runtime().block_on(interrupts.next());
        self.runtime().spawn(async move {
            interrupts.next().await;
            again();
        });
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("a server that was not dropped has its runtime")
    }
}

/// Requests to end, from outside.
#[cfg(unix)]
pub struct Interrupts {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Interrupts {
    fn new() -> io::Result<Interrupts> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Interrupts { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        use std::task::Poll;
        std::future::poll_fn(|context| {
            match self.interrupt.poll_recv(context).is_ready() || self.terminate.poll_recv(context).is_ready() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}

/// Requests to end, from outside.
#[cfg(windows)]
pub struct Interrupts(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Interrupts {
    fn new() -> io::Result<Interrupts> {
        tokio::signal::windows::ctrl_c().map(Interrupts)
    }

    async fn next(&mut self) {
        let _ = self.0.recv().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Whoever is still being answered, slowly perhaps, is cut off.
            runtime.shutdown_background();
        }
    }
}

async fn listen(listener: TcpListener, site: Arc<Site>) {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => drop(tokio::spawn(converse(connection, Arc::clone(&site)))),
            // It hung up before we came, or there are no descriptors left.
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

async fn converse(connection: TcpStream, site: Arc<Site>) {
    // Answers are written whole; waiting for more to send would only be slower.
    let _ = connection.set_nodelay(true);
    let service = service_fn(|request| serve(Arc::clone(&site), request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // A client that hangs up or speaks no HTTP is no concern of ours, and a body that we cut ends here too.
    let _ = http.serve_connection(TokioIo::new(connection), service).await;
}

async fn serve(site: Arc<Site>, request: Request<Incoming>) -> Result<Response<Paced>, Infallible> {
    let request = request.into_parts().0;
    let (response, kind) = answer(&site, &request).await;
    if let Some(log) = &site.log {
        let length = response.headers().get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
        log(&Answered {
            method: request.method.as_str(),
            path: request.uri.path(),
            status: response.status().as_u16(),
            length: length.unwrap_or(0),
        });
    }
    Ok(response.map(|bytes| {
        let body = Paced::new(bytes, site.mischief.slow);
        match kind.is_some_and(|it| site.mischief.truncate.contains(&it)) {
            true => body.cut(),
            false => body,
        }
    }))
}

/// The answer, and what kind of object it is when it is one.
async fn answer(site: &Arc<Site>, request: &Parts) -> (Response<Bytes>, Option<Kind>) {
    let without_object = |response| (response, None);
    if site.mischief.offline == Some(Offline::Unavailable) {
        return without_object(answer::failed(request, StatusCode::SERVICE_UNAVAILABLE, "the origin is away\n"));
    }
    let is_reading = request.method == Method::GET || request.method == Method::HEAD;
    if is_reading && let Some(response) = shell::of_program(request) {
        return without_object(response);
    }
    match (route(request.uri.path()), &request.method) {
        (Route::Object(_), &Method::OPTIONS) => without_object(answer::preflight()),
        (Route::Object(object), _) if is_reading => found(site, request, object).await,
        (Route::Home, _) if is_reading => without_object(home(site, request).await),
        (Route::Shell(path), _) if is_reading => without_object(of_shell(site, request, path).await),
        (Route::Report(path), _) if is_reading => without_object(of_report(site, request, path).await),
        (Route::ReportFolder, _) if is_reading => without_object(answer::moved(request, "/report/")),
        (Route::ShellFolder, _) if is_reading => without_object(shell::redirect(request)),
        (_, _) if is_reading => without_object(answer::missing(request)),
        _ => without_object(answer::read_only(request)),
    }
}

async fn home(site: &Arc<Site>, request: &Parts) -> Response<Bytes> {
    let (site, headers) = (Arc::clone(site), request.headers.clone());
    match tokio::task::spawn_blocking(move || page(&site, &headers)).await {
        Ok((media_type, text)) => answer::page(request, media_type, text),
        Err(_) => answer::failed(request, StatusCode::INTERNAL_SERVER_ERROR, "stopped\n"),
    }
}

async fn of_shell(site: &Arc<Site>, request: &Parts, path: String) -> Response<Bytes> {
    let (site, asked) = (Arc::clone(site), request.clone());
    let answered = tokio::task::spawn_blocking(move || shell::of_shell(&site, &asked, &path)).await;
    answered.unwrap_or_else(|_| answer::failed(request, StatusCode::INTERNAL_SERVER_ERROR, "stopped\n"))
}

async fn of_report(site: &Arc<Site>, request: &Parts, path: String) -> Response<Bytes> {
    let (site, asked) = (Arc::clone(site), request.clone());
    let answered = tokio::task::spawn_blocking(move || report::answer(&site, &asked, &path)).await;
    answered.unwrap_or_else(|_| answer::failed(request, StatusCode::INTERNAL_SERVER_ERROR, "stopped\n"))
}

async fn found(site: &Arc<Site>, request: &Parts, object: Object) -> (Response<Bytes>, Option<Kind>) {
    let Object { key, kind } = object.clone();
    let site = Arc::clone(site);
    // Stores block, so they are asked on a thread that may.
    let fetched = tokio::task::spawn_blocking(move || site.fetch(&object)).await;
    match fetched {
        Ok(Ok(Some(object))) => (answer::object(request, &key, object), Some(kind)),
        Ok(Ok(None)) => (answer::missing(request), None),
        Ok(Err(error)) => (answer::failed(request, StatusCode::BAD_GATEWAY, &format!("{error}\n")), None),
        Err(_) => (answer::failed(request, StatusCode::INTERNAL_SERVER_ERROR, "stopped\n"), None),
    }
}
