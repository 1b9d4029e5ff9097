//! A device: a folder, a tenant, a server in memory.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tenantry::client::{Activated, Client, ClientError, Config, Start, Update, Verdict};
use tenantry::time::Timestamp;

use crate::origin::Origin;
use crate::project::{NOW, Project, time};

/// A project, its publication in memory, and a folder of a device.
pub(crate) struct World {
    pub(crate) project: Project,
    pub(crate) origin: Arc<Origin>,
    pub(crate) folder: TempDir,
}

impl World {
    /// The small project, published.
    pub(crate) fn new() -> World {
        World::of(Project::small())
    }

    pub(crate) fn of(project: Project) -> World {
        project.compile();
        let origin = Origin::new(project.public());
        World { project, origin, folder: new_folder() }
    }

    /// Compiles what was changed, at an instant, and publishes it.
    #[track_caller]
    pub(crate) fn publishes(&self, at: &str) {
        self.project.run_at(at, &["compile"]).ok();
        self.origin.publish(self.project.public());
    }

    pub(crate) fn config(&self, tenant: &str) -> Config {
        Config::new(self.dir(), "http://127.0.0.1/", self.project.addr(tenant), self.project.root(), 12)
    }

    pub(crate) fn dir(&self) -> std::path::PathBuf {
        self.folder.path().join("cache")
    }

    /// A client as after the start of a process.
    #[track_caller]
    pub(crate) fn client(&self, tenant: &str) -> Client {
        self.try_client(self.config(tenant)).expect("it opens")
    }

    pub(crate) fn try_client(&self, config: Config) -> Result<Client, ClientError> {
        Client::open_over(config, Arc::clone(&self.origin) as _)
    }

    /// A device on which everything of a tenant is installed and was started once.
    #[track_caller]
    pub(crate) fn installed(&self, tenant: &str) -> Client {
        let mut client = self.client(tenant);
        client.takes_up(NOW);
        client
    }
}

/// What tests ask of a client.
pub(crate) trait Device {
    fn refreshes(&mut self, at: &str) -> Update;
    fn takes_up(&mut self, at: &str) -> Start;
    fn refused(&mut self, at: &str) -> ClientError;
}

impl Device for Client {
    #[track_caller]
    fn refreshes(&mut self, at: &str) -> Update {
        self.refresh(time(at)).unwrap_or_else(|error| panic!("it refreshes at {at}: {error}"))
    }

    /// Refresh, activate, start, confirm.
    #[track_caller]
    fn takes_up(&mut self, at: &str) -> Start {
        let update = self.refreshes(at);
        assert!(update.staged.is_some(), "there is something new: {update:#?}");
        assert!(matches!(self.activate().expect("activates"), Activated::Switched { .. }));
        let start = self.start(time(at));
        self.confirm_start().expect("confirms");
        start
    }

    /// The code and what was said.
    #[track_caller]
    fn refused(&mut self, at: &str) -> ClientError {
        match self.refresh(time(at)) {
            Ok(update) => panic!("it is refused: {update:#?}"),
            Err(error) => error,
        }
    }
}

/// In memory where the system has such a place: a client syncs every file, and nothing here loses power.
pub(crate) fn new_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

/// Programs and whether they run.
pub(crate) fn verdicts(start: &Start) -> Vec<(&str, Verdict)> {
    start.programs.iter().map(|it| (it.app_id.strip_prefix("com.example.").unwrap_or(&it.app_id), it.verdict)).collect()
}

/// Names of the programs that run.
pub(crate) fn running(start: &Start) -> Vec<&str> {
    start.runnable().map(|it| it.app_id.strip_prefix("com.example.").unwrap_or(&it.app_id)).collect()
}

pub(crate) fn at(text: &str) -> Timestamp {
    time(text)
}

/// What a file of a program says.
pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a text file")
}
