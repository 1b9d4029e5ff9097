//! A small project in a temporary folder: one program, one plan, two tenants, keys of its own.
#![expect(clippy::disallowed_methods, reason = "a test writes a project")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::binary::{Ran, command, ran, tenantry};
use crate::listing::files;

/// When everything here happens.
pub(crate) const NOW: &str = "2026-11-23";

const PROGRAM: &str = "\
apiVersion: tenantry.dev/v1
kind: MiniProgram
metadata: { name: chat }
spec:
  app_id: com.example.chat
  name: Chat
  version: { code: 1, name: 1.0.0 }
  platform_version: { min_code: 1, target_code: 1 }
  pages: [index.html]
  review: { status: approved }
  package: { path: app }
";

const PLAN: &str = "\
apiVersion: tenantry.dev/v1
kind: Plan
metadata: { name: pro }
spec:
  lookup_key: pro
  mini_programs: [{ app_id: com.example.chat }]
";

/// A project, and what was published from it.
pub(crate) struct Small {
    folder: TempDir,
}

impl Small {
    /// A project that compiles.
    pub(crate) fn new() -> Small {
        let small = Small { folder: tempfile::tempdir().expect("a temporary folder") };
        small.write(
            "tenantry.yaml",
            "apiVersion: tenantry.dev/v1\nkind: Project\nmetadata: { name: small }\nspec: {}\n",
        );
        small.write(
            "catalog/shells/web.yaml",
            "apiVersion: tenantry.dev/v1\nkind: Shell\nmetadata: { name: web }\nspec: { platform_codes: [1] }\n",
        );
        small.write("catalog/plans/pro.yaml", PLAN);
        small.write("catalog/programs/chat/program.yaml", PROGRAM);
        small.write("catalog/programs/chat/app/index.html", "<h1>Chat</h1>\n");
        small.write("tenants/acme.yaml", tenant("acme"));
        small.write("tenants/beta.yaml", tenant("beta"));
        small.keys("keys", "1795392000");
        small
    }

    /// A project that was published already.
    pub(crate) fn published() -> Small {
        let small = Small::new();
        small.compiles();
        small
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Puts something into the program's document, as lines of its `spec`.
    pub(crate) fn program(&self, lines: &str) {
        self.write("catalog/programs/chat/program.yaml", format!("{PROGRAM}{lines}"));
    }

    /// Has the program take its package from an archive.
    pub(crate) fn archive(&self, bytes: &[u8]) {
        fs::remove_dir_all(self.path("catalog/programs/chat/app")).expect("the folder was there");
        self.write("catalog/programs/chat/app.zip", bytes);
        self.write("catalog/programs/chat/program.yaml", PROGRAM.replace("path: app", "path: app.zip"));
    }

    /// Makes keys at an instant, in seconds.
    pub(crate) fn keys(&self, folder: &str, seconds: &str) {
        let made = ran(self.command(&["keys", "--keys", folder, "init"]).env("SOURCE_DATE_EPOCH", seconds));
        assert_eq!(made.code, 0, "{}", made.stderr);
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.folder.path());
        command.args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        tenantry(self.folder.path(), arguments)
    }

    /// Compiles without a word.
    pub(crate) fn compiles(&self) {
        let compiled = self.run(&["compile", "--at", NOW]);
        assert_eq!((compiled.code, &*compiled.stderr), (0, ""));
    }

    /// Compiles once more and is refused; what it says, with one line for each diagnostic.
    pub(crate) fn refused(&self, code: i32) -> String {
        self.refuses(self.command(&["compile", "--at", NOW, "--format", "short"]), code)
    }

    /// The same with a command of one's own. Nothing in the project may have changed.
    pub(crate) fn refuses(&self, mut command: Command, code: i32) -> String {
        let before = self.listing();
        let Ran { code: exit, stdout, stderr } = ran(&mut command);
        assert_eq!((exit, &*stdout), (code, ""), "{stderr}");
        assert!(self.listing() == before, "nothing may be written: {:?}", self.listing().keys());
        stderr
    }

    /// All files, and no folder that was not there before.
    fn listing(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        let mut all = files(self.folder.path());
        all.insert(format!("out: {}", self.path("out").exists()), Vec::new());
        all
    }

    /// What is published is sound, as a stranger sees it.
    pub(crate) fn verifies(&self, out: &str) {
        let root = self.path("keys/root/1.root.json");
        let root = root.to_str().expect("UTF-8");
        let verified = self.run(&["verify", out, "--root", root, "--at", NOW]);
        assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    }
}

/// A tenant with the plan.
pub(crate) fn tenant(name: &str) -> String {
    format!(
        "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: {{ name: {name} }}\nspec: {{ tenant_id: t-{name}, plan: pro }}\n"
    )
}

/// Whether files belong to root here, to whom no permission is denied.
#[cfg(unix)]
pub(crate) fn is_root(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).expect("a file of ours").uid() == 0
}
