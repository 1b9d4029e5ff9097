//! The example project of this repository, published on a CDN.

use std::fs;
use std::path::{Path, PathBuf};

use tenantry::index::keys;
use tenantry::manifest::Manifest;
use tenantry::time::Timestamp;

use crate::http::Cdn;
use crate::project::{NOW, Project, copy, time, write_fixed_keys};

/// A starter with an exception: three programs of its plan, one of its own, none optional.
pub(crate) const STARTER: &str = "umbra-architetti";
/// A tenant whose plan has an optional program.
pub(crate) const BUSINESS: &str = "olivar-foods";

/// The project and its CDN.
pub(crate) struct Workbench {
    pub(crate) project: Project,
    pub(crate) cdn: Cdn,
}

impl Workbench {
    /// Compiled for the first time.
    pub(crate) fn new() -> Workbench {
        let project = Project::new::<&str, &str>([]);
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::copy(repository.join("tenantry.yaml"), project.path("tenantry.yaml")).expect("the project is writable");
        for part in ["catalog", "tenants"] {
            copy(&repository.join(part), &project.path(part));
        }
        write_fixed_keys(&project.path("keys"), "production");
        project.compile();
        let cdn = Cdn::serve(&project.path("out"));
        Workbench { project, cdn }
    }

    /// Publishes again after a change to a document.
    pub(crate) fn change(&self, document: &str, from: &str, to: &str) {
        self.project.edit(document, from, to);
        self.project.compile();
    }

    /// The key of the bundle of a tenant's program.
    pub(crate) fn bundle(&self, tenant: &str, app_id: &str) -> String {
        let index = self.project.index();
        let addr = self.project.addr(tenant);
        let bytes =
            fs::read(self.project.path("out").join(keys::manifest(&addr, index.tenants[&addr].manifest.sha256)));
        let manifest: Manifest = serde_json::from_slice(&bytes.expect("it was published")).expect("a manifest of ours");
        let program = manifest.mini_programs.iter().find(|it| it.app_id == app_id).expect("the tenant has it");
        keys::archive(program.releases[0].bundle.blake3, program.releases[0].bundle.sha256)
    }

    /// The root that shells are built with.
    pub(crate) fn root(&self) -> PathBuf {
        self.project.path("keys/root/1.root.json")
    }
}

/// The instant of every test.
pub(crate) fn now() -> Timestamp {
    time(NOW)
}
