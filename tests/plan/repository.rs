//! A project in a scratch git repository.
#![expect(clippy::disallowed_methods, reason = "tests run git")]

use std::process::Command;

use crate::project::{Project, Ran, catalog, run, tenant};

/// A project whose first commit is on `main`.
pub(crate) struct Repository {
    pub(crate) project: Project,
}

impl Repository {
    /// Of these files.
    pub(crate) fn new<T: AsRef<[u8]>>(files: Vec<(String, T)>) -> Repository {
        let repository = Repository { project: Project::new(files) };
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.commit("one");
        repository
    }

    /// Six tenants of plan `starter`, three of `business`; a budget of two.
    pub(crate) fn small() -> Repository {
        let mut files = catalog();
        for name in ["acorn", "birch", "cedar", "dogwood", "elm", "fir"] {
            files.push(tenant(name, "starter", ""));
        }
        for name in ["x-ray", "yankee", "zulu"] {
            files.push(tenant(name, "business", ""));
        }
        let repository = Repository::new(files);
        repository.edit("tenantry.yaml", "spec:\n", "spec:\n  revocation_budget: { percent: 1, at_least: 2 }\n");
        repository.commit("a budget");
        repository
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command
            .current_dir(self.project.path(""))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "somebody").env(format!("GIT_{who}_EMAIL"), "somebody@example.com");
        }
        run(command.args(arguments)).ok().stdout.trim().to_owned()
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        self.project.edit(path, from, to);
    }

    /// `tenantry plan`.
    pub(crate) fn plan(&self, arguments: &[&str]) -> Ran {
        self.project.run(&[&["plan"], arguments].concat())
    }

    /// The plan as JSON, whatever the guards say.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        self.plan(&[arguments, &["--format", "json"]].concat()).json()
    }

    /// What happens, as `kind app_id item: from → to (reason) tenants`, class by class.
    #[track_caller]
    pub(crate) fn changes(&self, arguments: &[&str]) -> Vec<String> {
        let plan = self.json(arguments);
        let text = |value: &serde_json::Value| value.as_str().map(|it| format!(" {it}")).unwrap_or_default();
        let classes = plan["classes"].as_array().expect("a list").iter();
        let lines = classes.flat_map(|class| {
            let tenants: Vec<&str> =
                class["tenants"].as_array().expect("a list").iter().filter_map(|it| it.as_str()).collect();
            let tenants = tenants.join(",");
            let changes = class["changes"].as_array().expect("a list").iter();
            changes.map(move |it| {
                let values = match (it.get("from"), it.get("to")) {
                    (None, None) => String::new(),
                    (from, to) => {
                        format!(":{} →{}", from.map(text).unwrap_or_default(), to.map(text).unwrap_or_default())
                    }
                };
                let kind = it["kind"].as_str().expect("text");
                let (program, item) = (text(&it["app_id"]), text(&it["item"]));
                format!("{kind}{program}{item}{values} ({}) {tenants}", it["reason"].as_str().expect("text"))
            })
        });
        lines.collect()
    }
}
