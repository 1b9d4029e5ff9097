//! The client itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use tenantry::client;

use crate::answer::{Activated, Start, UnixSeconds, Update};
use crate::config::Config;
use crate::error::ClientError;
use crate::transport::{Foreign, Transport};

/// A tenant's programs on one device: fetched, verified, kept, started.
///
/// 1. `open`, then `start`: what may run now, from the disk alone, at once and without the network.
/// 2. `confirm_start` when the shell is up with it. After two starts that nobody confirmed, the client goes back to the
///    set before.
/// 3. `refresh` in the background, now and then; `activate` when it has staged something. The next start takes it.
///
/// Every call may be made from any thread. Those that fetch or write (`refresh`, `install`, `activate`,
/// `confirm_start`) wait for each other, and so does `start`; a refresh may take minutes, so none of them belongs on the
/// thread that draws while another may be running. `look` waits for nobody.
///
/// Several clients may have the same folder open, in one process or in many. One of them writes; the others start what
/// is there, and get `busy` when they ask for more.
#[derive(Debug, uniffi::Object)]
pub struct Client {
    inner: Mutex<client::Client>,
    config: client::Config,
    addr: String,
    environment: String,
}

#[uniffi::export]
impl Client {
    /// Opens a folder, over HTTP. Nothing is fetched. A folder of another tenant, or of another environment, is emptied
    /// first.
    #[uniffi::constructor]
    pub fn open(config: Config) -> Result<Arc<Client>, ClientError> {
        Client::opened(config, client::Client::open)
    }

    /// The same over the shell's own HTTP; `base_url` does not count.
    #[uniffi::constructor]
    pub fn open_over(config: Config, transport: Arc<dyn Transport>) -> Result<Arc<Client>, ClientError> {
        Client::opened(config, |config| client::Client::open_over(config, Arc::new(Foreign(transport))))
    }

    /// What may run now, from the disk alone. Counts as a start until `confirm_start`: after two that nobody confirmed,
    /// a set goes back to the one before it. Never fails; what is wrong is in `notes`.
    pub fn start(&self, now: UnixSeconds) -> Start {
        Start::or_none(|| self.locked().start(now.instant()).into())
    }

    /// The same without counting: for a shell that is running, when `next_change` has come. Does not wait for a refresh
    /// that is under way.
    pub fn look(&self, now: UnixSeconds) -> Start {
        Start::or_none(|| match self.inner.try_lock() {
            Ok(client) => client.look(now.instant()).into(),
            Err(TryLockError::Poisoned(client)) => client.into_inner().look(now.instant()).into(),
            Err(TryLockError::WouldBlock) => self.look_past(now),
        })
    }

    /// The shell is up with what `start` said. The set before it is dropped.
    pub fn confirm_start(&self) -> Result<(), ClientError> {
        self.call(client::Client::confirm_start)
    }

    /// Brings metadata up to date, and fetches what the newest manifest asks for and is not here. What is installed is
    /// not touched: the new set waits for `activate`. Takes as long as the network does.
    pub fn refresh(&self, now: UnixSeconds) -> Result<Update, ClientError> {
        self.call(|client| client.refresh(now.instant()).map(Update::from))
    }

    /// Has the next start take the set that was staged. Every file of it is read once more before.
    pub fn activate(&self) -> Result<Activated, ClientError> {
        self.call(|client| client.activate().map(Activated::from))
    }

    /// Fetches a program of the current set that is fetched only when it is asked for, or whose files are gone.
    pub fn install(&self, app_id: &str) -> Result<(), ClientError> {
        self.call(|client| client.install(app_id))
    }

    /// The tenant's address.
    pub fn addr(&self) -> String {
        self.addr.clone()
    }

    /// The environment that the trusted root names.
    pub fn environment(&self) -> String {
        self.environment.clone()
    }
}

impl Client {
    fn opened(
        config: Config,
        open: impl FnOnce(client::Config) -> Result<client::Client, client::ClientError>,
    ) -> Result<Arc<Client>, ClientError> {
        let config = client::Config::from(config);
        let inner = explained(|| open(config.clone()))?;
        let (addr, environment) = (inner.addr().to_owned(), inner.environment().to_owned());
        Ok(Arc::new(Client { inner: Mutex::new(inner), config, addr, environment }))
    }

    fn call<T>(
        &self,
        work: impl FnOnce(&mut client::Client) -> Result<T, client::ClientError>,
    ) -> Result<T, ClientError> {
        explained(|| work(&mut self.locked()))
    }

    /// After a panic the client goes on: it keeps nothing in memory that the disk does not know better.
    fn locked(&self) -> MutexGuard<'_, client::Client> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks through a second client, since the first is at work: it has the folder, so this one only reads. It knows
    /// no tree yet that was read before, and so reads them all.
    fn look_past(&self, now: UnixSeconds) -> Start {
        match client::Client::open_over(self.config.clone(), Arc::new(Nowhere)) {
            Ok(other) => other.look(now.instant()).into(),
            Err(error) => Start::none(error.to_string()),
        }
    }
}

/// For a client that only looks.
struct Nowhere;

impl client::Transport for Nowhere {
    fn get(&self, path: &str, _: &client::Get) -> Result<client::Reply, client::TransportError> {
        Err(client::TransportError::Useless { path: path.into(), why: "this client only looks".into() })
    }
}

/// Does something, and turns a panic into an error that says so.
fn explained<T>(work: impl FnOnce() -> Result<T, client::ClientError>) -> Result<T, ClientError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(ClientError::from),
        Err(panic) => Err(ClientError::defect(&*panic)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Kept, Retry};

    #[test]
    fn a_panic_is_an_error_that_says_so() {
        let done: Result<(), ClientError> = explained(|| panic!("number {}", 7));
        let ClientError::Failed { code, what, retry, kept, .. } = done.expect_err("it panicked");
        assert_eq!((&*code, &*what), ("defect", "a mistake in the client itself: number 7"));
        assert_eq!((retry, kept), (Retry::Later, Kept::default()));
    }
}
