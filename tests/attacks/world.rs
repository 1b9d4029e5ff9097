//! Five honest publications, and devices that have one of them installed.
//!
//! `chat` has the number of the publication as its version's code. The fourth comes with new keys for all online roles,
//! by two further roots.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tenantry::client::{Client, Config};
use tenantry::time::Timestamp;

use crate::origin::Origin;
use crate::project::{self, Files, Project, time};

/// When each publication was made.
const TIMES: [&str; 5] = [
    "2026-11-23T00:00:00Z",
    "2026-11-24T00:00:00Z",
    "2026-11-25T00:00:00Z",
    "2026-11-26T00:00:00Z",
    "2026-11-27T00:00:00Z",
];

/// The tenant whose devices are attacked.
pub(crate) const VICTIM: &str = "acme";

pub(crate) struct World {
    root: Vec<u8>,
    addrs: BTreeMap<&'static str, String>,
    publications: Vec<Files>,
    devices: BTreeMap<u64, TempDir>,
}

impl World {
    pub(crate) fn new() -> World {
        let project = Project::small();
        let publications = (1..).zip(TIMES).map(|(number, at)| publish(&project, number, at)).collect();
        let addrs = [VICTIM, "bolt", "corn"].map(|name| (name, project.addr(name))).into();
        let mut world = World { root: project.root(), addrs, publications, devices: BTreeMap::new() };
        world.devices = [1, 2].map(|number| (number, world.installed(number))).into();
        world
    }

    /// What an honest server has after this publication.
    pub(crate) fn publication(&self, number: u64) -> &Files {
        &self.publications[index(number)]
    }

    /// When it was made.
    pub(crate) fn made(&self, number: u64) -> Timestamp {
        time(TIMES[index(number)])
    }

    pub(crate) fn addr(&self, tenant: &str) -> &str {
        &self.addrs[tenant]
    }

    /// The root that shells are delivered with.
    pub(crate) fn root(&self) -> &[u8] {
        &self.root
    }

    /// The folder of a device that has this publication; none for a new device.
    pub(crate) fn device(&self, has: u64) -> Option<&Path> {
        (has > 0).then(|| self.devices[&has].path())
    }

    /// The digest of a program's files in a publication, for the victim.
    pub(crate) fn tree(&self, number: u64, program: &str) -> String {
        let suffix = format!(".{}.manifest.json", self.addr(VICTIM));
        let manifest = self.publication(number).iter().find(|(key, _)| key.ends_with(&suffix)).expect("a manifest").1;
        let manifest: Value = serde_json::from_slice(manifest).expect("a manifest is JSON");
        let programs = manifest["mini_programs"].as_array().expect("a list");
        let app_id = format!("com.example.{program}");
        let program = programs.iter().find(|it| it["app_id"] == app_id.as_str()).expect("a program of the victim's");
        program["releases"][0]["bundle"]["target"].as_str().expect("a digest").to_owned()
    }

    pub(crate) fn open(&self, dir: &Path, origin: std::sync::Arc<Origin>) -> Client {
        let config = Config::new(dir, "http://127.0.0.1/", self.addr(VICTIM), self.root.clone(), 12);
        Client::open_over(config, origin).expect("the folder opens")
    }

    fn installed(&self, number: u64) -> TempDir {
        let folder = new_folder();
        let mut client = self.open(folder.path(), Origin::new(self.publication(number).clone()));
        client.refresh(self.made(number)).expect("an honest refresh");
        client.activate().expect("activates");
        client.start(self.made(number));
        client.confirm_start().expect("confirms");
        folder
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number - 1).expect("few publications")
}

fn publish(project: &Project, number: u64, at: &str) -> Files {
    if number > 1 {
        for (path, text) in project::program("chat", "") {
            let text = text.replace("code: 1, name: 1.0.0", &format!("code: {number}, name: {number}.0.0"));
            project.write(&path.replace("chat/", &format!("chat-{number}/")), text);
        }
        project.write(&format!("catalog/programs/chat-{number}/app/number.txt"), number.to_string());
    }
    if number == 4 {
        for role in ["freshness", "entitlement"] {
            project.run_at(at, &["keys", "rotate", role]).ok();
            project.run_at(at, &["keys", "rotate", role, "--finish", "--stolen"]).ok();
            project.run_at(at, &["keys", "rotate", role, "--drop"]).ok();
        }
    }
    project.run_at(at, &["compile"]).ok();
    project.public()
}

/// In memory where the system has such a place: a client syncs every file, and nothing here loses power.
pub(crate) fn new_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}
