//! S3 servers that we have not written, each in a folder of its own, on ports of its own, gone when dropped.
//!
//! ```ignore
//! #[path = "support/parts.rs"]
//! mod parts;
//! #[path = "support/servers.rs"]
//! mod servers;
//!
//! let Some(server) = RealServer::seaweedfs() else { return };   // SKIPPED aloud, or demanded in CI
//! let store = server.store_below("my-test/");
//! ```
//!
//! `.ci/parts` installs them. SeaweedFS keeps its word; anybody may read its bucket `public`. JuiceFS knows no
//! conditions and says nothing about it.
#![expect(clippy::disallowed_methods, reason = "this file starts servers")]
#![expect(dead_code, reason = "every test file uses a part of it")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tenantry::input::S3Spec;
use tenantry::store::s3::{Login, S3Store};

use crate::parts;

const ACCESS_KEY: &str = "REALKEY0123456789";
const SECRET_KEY: &str = "real-secret-0123456789abcdef";

/// How long a server may take to answer; an empty SeaweedFS takes three seconds on a machine that is idle.
const READY: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct RealServer {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl RealServer {
    /// One that enforces conditions, under a race too. Its buckets are `tenantry`, and `public` for anybody to read.
    pub(crate) fn seaweedfs() -> Option<RealServer> {
        let program = program("weed");
        parts::present_or_demanded("SeaweedFS", program.is_file()).then(|| {
            started(|folder| {
                let identities = format!(
                    r#"{{"identities":[
                    {{"name":"admin","credentials":[{{"accessKey":"{ACCESS_KEY}","secretKey":"{SECRET_KEY}"}}],
                      "actions":["Admin","Read","List","Tagging","Write"]}},
                    {{"name":"anonymous","actions":["Read:public"]}}]}}"#
                );
                fs::write(folder.join("s3.json"), identities).expect("writes");
                fs::create_dir(folder.join("data")).expect("makes a folder");
                let port = free_port();
                let mut command = Command::new(&program);
                command
                    .arg("server")
                    .args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-s3.config=s3.json", "-dir=data"])
                    .arg(format!("-master.port={}", free_port()))
                    .arg(format!("-volume.port={}", free_port()))
                    .arg(format!("-filer.port={}", free_port()))
                    .arg(format!("-s3.port={port}"))
                    .arg(format!("-metricsPort={}", free_port()))
                    // Each bucket takes several volumes; nothing is to leave this machine; and two may run at once, so
                    // none may take a port that it was not given.
                    .args(["-volume.max=200", "-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0"])
                    .arg("-s3.port.lance=0")
                    .arg("-master.telemetry=false");
                (command, port)
            })
            .with_buckets(&["tenantry", "public"])
        })
    }

    /// One that answers 200 to a condition that does not hold, and writes. Its bucket is `tenantry`.
    pub(crate) fn juicefs() -> Option<RealServer> {
        let program = program("juicefs");
        parts::present_or_demanded("JuiceFS", program.is_file()).then(|| {
            started(|folder| {
                let format = Command::new(&program)
                    .current_dir(folder)
                    .args(["format", "--storage", "file", "--bucket", "data/", "sqlite3://meta.db", "jfs"])
                    .output()
                    .expect("the program runs");
                assert!(format.status.success(), "{}", String::from_utf8_lossy(&format.stderr));
                let port = free_port();
                let mut command = Command::new(&program);
                command
                    .args(["gateway", "--no-usage-report", "--multi-buckets", "--keep-etag", "--object-meta"])
                    .arg(format!("--metrics=127.0.0.1:{}", free_port()))
                    .arg(format!("--cache-dir={}", folder.join("cache").display()))
                    .args(["sqlite3://meta.db", &format!("127.0.0.1:{port}")])
                    .env("MINIO_ROOT_USER", ACCESS_KEY)
                    .env("MINIO_ROOT_PASSWORD", SECRET_KEY);
                (command, port)
            })
            .with_buckets(&["tenantry"])
        })
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Credentials as variables, for the binary.
    pub(crate) fn environment(&self) -> [(&'static str, &'static str); 2] {
        [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]
    }

    /// The same for the library.
    pub(crate) fn login(&self) -> Login {
        Login::Keys { access_key: ACCESS_KEY.into(), secret_key: SECRET_KEY.into() }
    }

    pub(crate) fn spec(&self, bucket: &str) -> S3Spec {
        S3Spec {
            bucket: bucket.into(),
            prefix: None,
            region: None,
            endpoint: Some(self.endpoint()),
            path_style: None,
            checksums: None,
        }
    }

    /// An entry of `stores` in `tenantry.yaml`, on one line.
    pub(crate) fn yaml(&self, name: &str, bucket: &str) -> String {
        format!("{{ name: {name}, s3: {{ bucket: {bucket}, endpoint: \"{}\" }} }}", self.endpoint())
    }

    /// A store on what lies below a prefix of the bucket `tenantry`.
    pub(crate) fn store_below(&self, prefix: &str) -> S3Store {
        let spec = S3Spec { prefix: Some(prefix.into()), ..self.spec("tenantry") };
        S3Store::connect(&spec, &self.login()).expect("credentials are given")
    }

    fn with_buckets(self, buckets: &[&str]) -> RealServer {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .region(aws_sdk_s3::config::Region::from_static("us-east-1"))
            .credentials_provider(aws_sdk_s3::config::Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
            .endpoint_url(self.endpoint())
            .force_path_style(true)
            .build();
        let client = aws_sdk_s3::Client::from_conf(config);
        for bucket in buckets {
            let began = Instant::now();
            // SeaweedFS answers a little before it can make buckets.
            while let Err(error) = runtime.block_on(client.create_bucket().bucket(*bucket).send()) {
                assert!(began.elapsed() < READY, "no bucket `{bucket}`: {error:?}");
                thread::sleep(Duration::from_millis(200));
            }
        }
        self
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // SeaweedFS would take half a minute to say goodbye.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(name: &str) -> PathBuf {
    parts::folder().join("venv/bin").join(name)
}

/// Starts a server and waits until it answers; on other ports when somebody else was faster to take one.
fn started(prepare: impl Fn(&std::path::Path) -> (Command, u16)) -> RealServer {
    let mut said = String::new();
    for _ in 0..3 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (mut command, port) = prepare(folder.path());
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file")).stderr(log);
        let child = command.spawn().expect("the server starts");
        let mut server = RealServer { child, port, _folder: folder };
        match server.is_ready() {
            true => return server,
            false => said = fs::read_to_string(server._folder.path().join("log")).unwrap_or_default(),
        }
    }
    panic!("the server does not come up: {said}");
}

impl RealServer {
    /// Whether it answers before it ends, and in time.
    fn is_ready(&mut self) -> bool {
        let began = Instant::now();
        while began.elapsed() < READY {
            if self.child.try_wait().expect("it can be asked for").is_some() {
                return false;
            }
            if answers(self.port) {
                return true;
            }
            thread::sleep(Duration::from_millis(100));
        }
        false
    }
}

/// Whether somebody speaks HTTP there.
fn answers(port: u16) -> bool {
    let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).and_then(|mut connection| {
        connection.set_read_timeout(Some(Duration::from_secs(2)))?;
        connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = [0; 8];
        connection.read_exact(&mut answer)?;
        Ok(answer)
    });
    asked.is_ok_and(|it| &it == b"HTTP/1.1")
}

/// A free port whose companion, ten thousand higher, is free too: SeaweedFS takes both.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        if port < 55_000 && TcpListener::bind((Ipv4Addr::LOCALHOST, port + 10_000)).is_ok() {
            return port;
        }
    }
}
