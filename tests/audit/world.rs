//! A company with one store, and a month of its life.

use std::process::Command;
use std::sync::OnceLock;

use crate::project::{Project, Ran, catalog, copy, run, tenant, write_fixed_keys};

pub(crate) const NAMES: [&str; 6] = ["acorn", "birch", "cedar", "dogwood", "elm", "fir"];

/// Who makes commits.
pub(crate) const GIULIA: (&str, &str) = ("Giulia Ferri", "giulia@example.com");
pub(crate) const MARCO: (&str, &str) = ("Marco Bianchi", "marco@example.com");

pub(crate) struct World {
    pub(crate) project: Project,
}

impl World {
    /// Six tenants of plan `business`, a budget of two, and one store; nothing is published yet.
    pub(crate) fn new() -> World {
        let mut files = catalog();
        files.extend(NAMES.map(|name| tenant(name, "business", "")));
        files.push((".gitignore".into(), "keys/\nout/\npublic/\n".into()));
        let world = World { project: Project::new(files) };
        write_fixed_keys(&world.project.path("keys"), "production");
        let spec =
            "spec:\n  revocation_budget: { percent: 1, at_least: 2 }\n  stores: [{ name: main, directory: public }]\n";
        world.project.edit("tenantry.yaml", "spec:\n", spec);
        world.git("2026-11-01T08:00:00Z", GIULIA, &["init", "--quiet", "--initial-branch", "main"]);
        world.commit("2026-11-01T08:00:00Z", GIULIA, "The first customers");
        world
    }

    /// git, as somebody, at a time.
    pub(crate) fn git(&self, at: &str, who: (&str, &str), arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.project.path("")).env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), who.0).env(format!("GIT_{role}_EMAIL"), who.1);
            command.env(format!("GIT_{role}_DATE"), at);
        }
        run(command.args(arguments)).ok().stdout.trim().to_owned()
    }

    /// Commits everything.
    pub(crate) fn commit(&self, at: &str, who: (&str, &str), message: &str) -> String {
        self.git(at, who, &["add", "--all"]);
        self.git(at, who, &["commit", "--quiet", "--message", message]);
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.git("2026-11-01T08:00:00Z", GIULIA, &["rev-parse", "HEAD"])
    }

    pub(crate) fn downgrade(&self, names: &[&str]) {
        names.iter().for_each(|it| self.project.edit(&format!("tenants/{it}.yaml"), "plan: business", "plan: starter"));
    }

    /// Compiles the last commit onto what the store shows.
    pub(crate) fn compile(&self, at: &str) {
        self.project.run_at(at, &["compile", "--rev", "HEAD", "--onto", "all"]).ok();
    }

    pub(crate) fn publish(&self, at: &str, arguments: &[&str]) -> Ran {
        run(self.project.command(at, &[&["publish"], arguments].concat()).env("USER", "ci").env("HOSTNAME", "runner"))
    }

    /// A month, lived once for all tests: each gets a copy of its own.
    pub(crate) fn month() -> (World, [String; 3]) {
        static MONTH: OnceLock<(World, [String; 3])> = OnceLock::new();
        let (lived, commits) = MONTH.get_or_init(World::live);
        let none: [(&str, &str); 0] = [];
        let world = World { project: Project::new(none) };
        copy(&lived.project.path(""), &world.project.path(""));
        (world, commits.clone())
    }

    /// A month: a first publication, a merge that takes chat from elm, a change that a guard stops until somebody says
    /// the number, a rollback of it, and a refresh. Gives back the three commits.
    fn live() -> (World, [String; 3]) {
        let world = World::new();
        let first = world.head();
        world.compile("2026-11-01T10:00:00Z");
        world.publish("2026-11-01T10:10:00Z", &[]).ok();

        world.git("2026-11-04T09:00:00Z", MARCO, &["checkout", "--quiet", "-b", "elm"]);
        world.downgrade(&["elm"]);
        let message = "elm buys less\n\nThey asked for it.\n\nReviewed-by: Giulia Ferri <giulia@example.com>";
        world.commit("2026-11-04T09:00:00Z", MARCO, message);
        world.git("2026-11-05T09:00:00Z", GIULIA, &["checkout", "--quiet", "main"]);
        let merge = "Merge pull request #12 from corp/elm";
        world.git("2026-11-05T09:00:00Z", GIULIA, &["merge", "--quiet", "--no-ff", "-m", merge, "elm"]);
        let second = world.head();
        world.compile("2026-11-05T10:00:00Z");
        world.publish("2026-11-05T10:10:00Z", &[]).ok();

        world.downgrade(&["acorn", "birch", "cedar"]);
        let third = world.commit("2026-11-10T09:00:00Z", MARCO, "Three buy less (#13)");
        world.compile("2026-11-10T10:00:00Z");
        world.publish("2026-11-10T10:10:00Z", &[]).ends_with(6);
        let reason = ["--allow", "revocations=3", "--reason", "they asked for it\u{1b}[31m"];
        world.publish("2026-11-10T10:10:00Z", &reason).ok();

        let back = ["rollback", "--to", "2", "--reason", "they did not"];
        world.project.run_at("2026-11-12T10:00:00Z", &back).ok();
        world.project.run_at("2026-11-17T10:00:00Z", &["refresh"]).ok();
        (world, [first, second, third])
    }
}
