//! A company's repository on a GitHub of its own: a bare remote, somebody's clone, a store, and the workflows.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::hub::{Hub, REPOSITORY};
use crate::project::{Project, catalog, document, read, tenant, write_fixed_keys};
use crate::runner::{Occasion, Ran, git, run};

/// Workflows as they stand in `docs/ci/github/`, with a place and a digest that exist in the lines for users to fill in.
pub(crate) struct Scene {
    folder: TempDir,
    /// What is written with care is written to memory, where the system has such a place.
    memory: TempDir,
    pub(crate) hub: Hub,
    /// Somebody's clone.
    pub(crate) project: Project,
    archive: (String, String),
    runs: Cell<u64>,
    /// The last run of a plan.
    planned: Cell<u64>,
}

/// A proposed change.
#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) base: String,
    pub(crate) head: String,
    pub(crate) branch: String,
    /// Whose repository the branch is in.
    pub(crate) owner: String,
}

impl Pull {
    pub(crate) fn is_fork(&self) -> bool {
        format!("{}/shop", self.owner) != REPOSITORY
    }
}

impl Scene {
    /// Six tenants of plan `starter`, three of `business`; at most two may lose anything. The private keys are not in it.
    pub(crate) fn new() -> Scene {
        // A name without a dot in front, so that it can stand in the name of a branch.
        let folder = tempfile::Builder::new().prefix("scene").tempdir().expect("a temporary folder");
        let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
        let hub = Hub::start();
        let mut files = catalog();
        let spec = format!(
            "  base_url: https://cdn.example.com/\n  revocation_budget: {{ percent: 1, at_least: 2 }}\n  stores:\n    - name: main\n      directory: {}\n",
            memory.path().join("store").display()
        );
        files.retain(|it| it.0 != "tenantry.yaml");
        files.push(("tenantry.yaml".to_owned(), document("Project", "shop", &spec)));
        for name in ["acorn", "birch", "cedar", "dogwood", "elm", "fir"] {
            files.push(tenant(name, "starter", ""));
        }
        for name in ["x-ray", "yankee", "zulu"] {
            files.push(tenant(name, "business", ""));
        }
        let project = Project::in_memory(files);
        project.write(".gitignore", "*.pem\n*.secret\n");
        write_fixed_keys(&project.path("keys"), "production");
        let archive = archive(folder.path(), &hub);
        let scene = Scene { folder, memory, hub, project, archive, runs: Cell::new(100), planned: Cell::new(100) };
        git(scene.folder.path(), &["init", "--quiet", "--bare", "--initial-branch", "main", "remote.git"]);
        let work = scene.project.path("");
        git(&work, &["init", "--quiet", "--initial-branch", "main"]);
        git(&work, &["remote", "add", "origin", &scene.remote().display().to_string()]);
        scene.commit("one");
        scene.push("main");
        scene
    }

    pub(crate) fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.memory.path().join("store")
    }

    /// A path outside of every checkout.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.project.path(""), arguments)
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn push(&self, branch: &str) {
        self.git(&["push", "--quiet", "--force", "origin", &format!("HEAD:refs/heads/{branch}")]);
    }

    /// Opens a pull request with what HEAD is, or moves the one that is there; and makes main what it was.
    pub(crate) fn proposes(&self, number: u64, owner: &str, branch: &str) -> Pull {
        let head = self.git(&["rev-parse", "HEAD"]);
        let base = self.git(&["rev-parse", "refs/remotes/origin/main"]);
        for kind in ["head", "merge"] {
            self.git(&["push", "--quiet", "--force", "origin", &format!("HEAD:refs/pull/{number}/{kind}")]);
        }
        let pull = Pull { number, base, head, branch: branch.into(), owner: owner.into() };
        self.hub.opens(json!({
            "number": number,
            "state": "open",
            "head": { "sha": pull.head, "ref": branch, "user": { "login": owner } },
            "base": { "repo": { "full_name": REPOSITORY } },
        }));
        pull
    }

    /// A workflow of `docs/ci/github/`, as a user has filled it in.
    pub(crate) fn workflow(&self, name: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci/github").join(name);
        let text = fs::read_to_string(path).expect("the workflow is there");
        let (url, sha256) = &self.archive;
        let lines = text.lines().map(|line| match line.trim_start().split_once(": ") {
            Some(("archive", given)) => line.replace(given, url),
            Some(("sha256", given)) => line.replace(given, sha256),
            _ => line.to_owned(),
        });
        lines.map(|it| it + "\n").collect()
    }

    pub(crate) fn archive(&self) -> &(String, String) {
        &self.archive
    }

    /// A folder in memory, for what is written on the way.
    pub(crate) fn memory(&self) -> &Path {
        self.memory.path()
    }

    fn occasion(&self, reference: &str, event: Value, secrets: Value) -> Occasion<'_> {
        self.runs.set(self.runs.get() + 1);
        Occasion {
            hub: &self.hub,
            remote: self.remote(),
            memory: self.memory(),
            reference: reference.into(),
            event,
            run: self.runs.get(),
            secrets,
            is_fork: false,
            more: Vec::new(),
        }
    }

    /// The plan of a pull request, as its author's push starts it.
    pub(crate) fn plans(&self, pull: &Pull, labels: &[&str]) -> Ran {
        self.plans_by(&self.workflow("plan.yml"), pull, labels)
    }

    /// The same by a workflow of one's own.
    pub(crate) fn plans_by(&self, workflow: &str, pull: &Pull, labels: &[&str]) -> Ran {
        let labels: Vec<Value> = labels.iter().map(|it| json!({ "name": it })).collect();
        let event = json!({ "pull_request": {
            "number": pull.number,
            "base": { "sha": pull.base },
            "head": { "sha": pull.head, "repo": { "full_name": format!("{}/shop", pull.owner) } },
            "labels": labels,
        } });
        let mut occasion = self.occasion(&format!("refs/pull/{}/merge", pull.number), event, json!({}));
        occasion.is_fork = pull.is_fork();
        self.planned.set(occasion.run);
        run(workflow, &occasion)
    }

    /// What follows when a plan has been run.
    pub(crate) fn comments(&self, pull: &Pull) -> Ran {
        self.comments_by(&self.workflow("comment.yml"), pull)
    }

    /// The same by a workflow of one's own.
    pub(crate) fn comments_by(&self, workflow: &str, pull: &Pull) -> Ran {
        let event = json!({ "workflow_run": {
            "id": self.planned.get(),
            "event": "pull_request",
            "head_sha": pull.head,
            "head_branch": pull.branch,
            "head_repository": { "full_name": format!("{}/shop", pull.owner), "owner": { "login": pull.owner } },
        } });
        run(workflow, &self.occasion("refs/heads/main", event, json!({})))
    }

    /// The number of the last run of a plan.
    pub(crate) fn planned(&self) -> u64 {
        self.planned.get()
    }

    pub(crate) fn publishes(&self) -> Ran {
        self.runs(&self.workflow("publish.yml"), &[])
    }

    /// The same, with more variables in every step.
    pub(crate) fn publishes_with(&self, more: &[(&str, &str)]) -> Ran {
        self.runs(&self.workflow("publish.yml"), more)
    }

    pub(crate) fn refreshes(&self, at: i64) -> Ran {
        let all = self.secrets();
        let mut occasion = self.occasion(
            "refs/heads/main",
            json!({}),
            json!({ "TENANTRY_FRESHNESS_KEY": all["TENANTRY_FRESHNESS_KEY"] }),
        );
        occasion.more = vec![("SOURCE_DATE_EPOCH".into(), at.to_string())];
        run(&self.workflow("refresh.yml"), &occasion)
    }

    /// A workflow of one's own, on main.
    pub(crate) fn runs(&self, text: &str, more: &[(&str, &str)]) -> Ran {
        let mut occasion = self.occasion("refs/heads/main", json!({}), self.secrets());
        occasion.more = more.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        run(text, &occasion)
    }

    /// What lies in the environment `publish` of the repository.
    pub(crate) fn secrets(&self) -> Value {
        let keys = read(&self.project.path("keys"));
        let text = |role: &str| {
            let found = keys.iter().find(|(name, _)| name.starts_with(role)).expect("a key");
            String::from_utf8(found.1.clone()).expect("text")
        };
        json!({
            "TENANTRY_ENTITLEMENT_KEY": text("entitlement"),
            "TENANTRY_FRESHNESS_KEY": text("freshness"),
            "TENANTRY_ADDRESS_SECRET": text("address"),
        })
    }
}

/// A release: an archive with a program that is the one under test, its address, and its digest.
fn archive(folder: &Path, hub: &Hub) -> (String, String) {
    let program = folder.join("tenantry-x86_64/tenantry");
    fs::create_dir(program.parent().expect("a folder")).expect("makes a folder");
    fs::write(&program, format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_tenantry"))).expect("writes");
    let packed = folder.join("release.tar.gz");
    let mut tar = std::process::Command::new("tar");
    tar.current_dir(folder).args(["--create", "--gzip", "--file", "release.tar.gz", "tenantry-x86_64"]);
    crate::project::run(&mut tar).ok();
    let bytes = fs::read(packed).expect("reads");
    let sha256 = tenantry::digest::Sha256::of(&bytes).to_string();
    (hub.offer("release.tar.gz", bytes), sha256)
}
