//! As a shell sees it that has never been here: over HTTP, from the pinned root.

use std::io::Read as _;
use std::path::Path;
use std::sync::Mutex;

use super::{Depth, Examination, Hands, Report, VerifyError};
use crate::client::http::{Http, Plain};
use crate::client::{Client, ClientError, Config, Get, Optional, Pace, Reply, Transport as _, TransportError, Trouble};
use crate::index::keys;
use crate::metadata::DEVELOPMENT;
use crate::sign::roots::check_root;
use crate::time::Timestamp;
use crate::verify::{Finding, Objects};

/// How many shells come at once.
const AT_ONCE: usize = 8;

/// Largest object that is fetched.
const MAX_OBJECT: u64 = 1 << 30;

/// Shells that come for the first time, one for each tenant.
#[derive(Clone, Copy)]
pub struct Shell<'a> {
    /// The URL above `root/`, `t/` and `o/`.
    pub url: &'a str,
    /// The addresses of the tenants.
    pub addresses: &'a [String],
    /// The bytes of the root that they were delivered with.
    pub trusted_root: &'a [u8],
    /// Their level.
    pub platform_code: u32,
    /// As of when.
    pub now: Timestamp,
    /// Whether archives for other levels are fetched too.
    pub depth: Depth,
    /// An empty folder, for what they keep.
    pub folder: &'a Path,
}

/// Has every tenant's shell fetch, verify, activate and start.
pub fn shells(shell: &Shell<'_>) -> Result<Report, VerifyError> {
    let root = check_root(shell.trusted_root, None).map_err(|why| VerifyError::Root(why.to_string()))?;
    let plain = match root.tenantry.environment == DEVELOPMENT {
        true => Plain::Anywhere,
        false => Plain::Loopback,
    };
    let web = |why: String| VerifyError::Web { url: shell.url.into(), why };
    let http = Http::new(shell.url, plain, Pace::NORMAL.over).map_err(|why| web(why.to_string()))?;
    let objects = Web { http, failure: Mutex::default() };
    let hands = Hands::Waiting(AT_ONCE);
    let examination = Examination { objects: &objects, hands, now: shell.now };
    let mut examined = examination.tenants(shell.trusted_root, shell.addresses)?;
    examined.findings.extend(match shell.depth {
        Depth::Metadata => examined.foreign_names(&examined.names()),
        Depth::Everything => examination.archives(&examined),
    });
    if let Some(why) = objects.failure.into_inner().expect("whoever holds it only puts an error there") {
        return Err(web(why));
    }
    let fetched = hands.map(shell.addresses, |addr| shell.one(addr));
    for (addr, fetched) in shell.addresses.iter().zip(fetched) {
        match fetched {
            Ok(missing) => examined.findings.extend(missing),
            Err(ClientError { trouble: Trouble::Configuration { why, .. }, .. }) => return Err(web(why)),
            Err(error) => {
                let problem = format!("a fresh shell is refused: {error}");
                examined.findings.push(Finding { key: keys::timestamp(addr), problem });
            }
        }
    }
    let own: usize = examined.tenants.iter().map(|it| it.own.len()).sum();
    let files = own + usize::try_from(examined.root.version).unwrap_or(usize::MAX);
    let archives = if shell.depth == Depth::Everything { examined.archives.len() } else { 0 };
    Ok(examined.report(files + archives))
}

impl Shell<'_> {
    /// One tenant, from nothing to a start. Gives back programs that could not be fetched.
    fn one(&self, addr: &str) -> Result<Vec<Finding>, ClientError> {
        let folder = self.folder.join(addr);
        let mut config = Config::new(folder, self.url, addr, self.trusted_root.to_vec(), self.platform_code);
        config.optional = Optional::Fetched;
        // The same device every time, so that two runs find the same.
        config.unit = Some("tenantry verify".into());
        let mut client = Client::open(config)?;
        let update = client.refresh(self.now)?;
        client.activate()?;
        client.start(self.now);
        let missing = update.missing.iter().map(|it| Finding {
            key: keys::timestamp(addr),
            problem: format!("a fresh shell cannot get program `{}`: {}", it.app_id, it.why),
        });
        Ok(missing.collect())
    }
}

/// Objects below a URL. That they cannot be reached is remembered, so that a server that is down is not taken for one
/// that was tampered with.
struct Web {
    http: Http,
    failure: Mutex<Option<String>>,
}

impl Objects for Web {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let failed = |why: String| {
            *self.failure.lock().expect("whoever holds it only puts an error there") = Some(why.clone());
            why
        };
        match self.http.get(key, &Get::whole(MAX_OBJECT)) {
            Ok(Reply::Object(body)) => {
                let mut bytes = Vec::new();
                let read = body.bytes.take(MAX_OBJECT + 1).read_to_end(&mut bytes);
                read.map(|_| Some(bytes)).map_err(|why| failed(why.to_string()))
            }
            Ok(Reply::Missing | Reply::NotModified) => Ok(None),
            // What is of no use is a finding; what did not come is none.
            Err(
                error @ (TransportError::Useless { .. }
                | TransportError::Elsewhere { .. }
                | TransportError::TooLong { .. }),
            ) => Err(error.to_string()),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}
