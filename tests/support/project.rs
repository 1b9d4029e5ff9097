//! A small project in a temporary folder, and the command that runs on it with nothing of the caller's surroundings.
#![expect(clippy::disallowed_methods, reason = "tests write projects, run the command and read what it wrote")]
#![expect(dead_code, reason = "every test file uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;
use tenantry::index::Index;
use tenantry::metadata::keys::{FileKey, Signer};
use tenantry::metadata::{RoleKeys, RoleName, Root, RootMark, SPEC_VERSION};
use tenantry::pipeline::verify::{self, Report};
use tenantry::sign::keystore::ROOT_LIFETIME;
use tenantry::sign::roots::sorted;
use tenantry::sign::sign;
use tenantry::time::Timestamp;

/// The instant of every test that does not name another.
pub(crate) const NOW: &str = "2026-11-23T00:00:00Z";
/// Seeds of the fixed keys; a root seed never signs for tenants.
pub(crate) const ROOT_SEEDS: [[u8; 32]; 2] = [[1; 32], [2; 32]];
pub(crate) const ENTITLEMENT_SEED: [u8; 32] = [3; 32];
pub(crate) const FRESHNESS_SEED: [u8; 32] = [4; 32];
pub(crate) const ADDRESS_SECRET: [u8; 32] = [5; 32];

/// Files by their path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A project's folder; gone when dropped.
pub(crate) struct Project {
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn ok(self) -> Ran {
        self.ends_with(0)
    }

    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "stdout:\n{}stderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ran {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "`{text}` is not in {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).expect("a machine format always parses")
    }
}

impl Project {
    /// A project of these files, without keys.
    pub(crate) fn new<P: AsRef<str>, T: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, T)>) -> Project {
        Project { folder: tempfile::tempdir().expect("a temporary folder") }.with(files)
    }

    /// The same in memory where the system has such a place: thousands of files, written again and again.
    pub(crate) fn in_memory<P: AsRef<str>, T: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, T)>) -> Project {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Project { folder: folder.expect("a temporary folder") }.with(files)
    }

    fn with<P: AsRef<str>, T: AsRef<[u8]>>(self, files: impl IntoIterator<Item = (P, T)>) -> Project {
        for (path, text) in files {
            self.write(path.as_ref(), text.as_ref());
        }
        self
    }

    /// Three tenants, two plans, two programs, one of them with a file rendered for each tenant; keys that never change.
    pub(crate) fn small() -> Project {
        let project = Project::new(small());
        write_fixed_keys(&project.path("keys"), "production");
        project
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("makes a folder");
        fs::write(path, bytes).expect("writes");
    }

    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(path)).expect("a text file");
        assert!(text.contains(from), "`{from}` is not in {path}:\n{text}");
        self.write(path, text.replace(from, to));
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).expect("removes");
    }

    /// The command, to be changed before it runs.
    pub(crate) fn command(&self, at: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.env_clear().env("SOURCE_DATE_EPOCH", time(at).unix().to_string());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs the command at an instant.
    pub(crate) fn run_at(&self, at: &str, arguments: &[&str]) -> Ran {
        run(&mut self.command(at, arguments))
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_at(NOW, arguments)
    }

    #[track_caller]
    pub(crate) fn compile(&self) -> Ran {
        self.run(&["compile"]).ok()
    }

    /// Everything in `out/`, `state/` too.
    pub(crate) fn out(&self) -> Files {
        read(&self.path("out"))
    }

    /// What a store would show.
    pub(crate) fn public(&self) -> Files {
        public(self.out())
    }

    /// The pinned first root.
    pub(crate) fn root(&self) -> Vec<u8> {
        fs::read(self.path("keys/root/1.root.json")).expect("a root")
    }

    /// Checks `out/` from the pinned first root, in this process.
    pub(crate) fn verify_at(&self, at: &str) -> Report {
        verify::folder(&self.path("out"), &self.root(), time(at)).expect("the folder can be read")
    }

    /// What `state/index.json` remembers.
    pub(crate) fn index(&self) -> Index {
        let bytes = fs::read(self.path("out/state/index.json")).expect("an index");
        Index::parse(&bytes).expect("an index can be read back")
    }

    /// The address of a tenant.
    pub(crate) fn addr(&self, name: &str) -> String {
        self.index().tenants.into_iter().find(|(_, it)| it.name == name).expect("a known tenant").0
    }

    /// The keys of all files that are one tenant's alone.
    pub(crate) fn own(&self, name: &str) -> BTreeSet<String> {
        let index = self.index();
        let (addr, record) = index.tenants.iter().find(|(_, it)| it.name == name).expect("a known tenant");
        record.files(addr).map(|(key, _)| key).collect()
    }
}

pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.output().expect("the command runs");
    Ran {
        code: output.status.code().expect("an exit code"),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

/// Every file below a folder.
pub(crate) fn read(folder: &Path) -> Files {
    walk(folder).map(|(key, path)| (key, fs::read(path).expect("reads"))).collect()
}

/// When every file below a folder was last written.
pub(crate) fn written(folder: &Path) -> BTreeMap<String, SystemTime> {
    let when = |path: PathBuf| fs::metadata(path).and_then(|it| it.modified()).expect("a file has a time");
    walk(folder).map(|(key, path)| (key, when(path))).collect()
}

fn walk(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    let top = folder.to_owned();
    // A folder that nobody has made yet has no files.
    let is_there = folder.exists();
    let entries = walkdir::WalkDir::new(folder).into_iter().take_while(move |_| is_there);
    let files = entries.map(|it| it.expect("lists")).filter(|it| !it.file_type().is_dir());
    files.map(move |it| {
        let key = it.path().strip_prefix(&top).expect("the walk began there").to_str().expect("text").to_owned();
        (key, it.into_path())
    })
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for (key, path) in walk(from) {
        let path_to = to.join(key);
        fs::create_dir_all(path_to.parent().expect("a file has a folder")).expect("makes a folder");
        fs::copy(path, path_to).expect("copies");
    }
}

pub(crate) fn public(mut files: Files) -> Files {
    files.retain(|key, _| !key.starts_with("state/"));
    files
}

/// The keys of files that only one side has, or that differ.
pub(crate) fn changed(before: &Files, after: &Files) -> Vec<String> {
    let keys = before.keys().chain(after.keys().filter(|it| !before.contains_key(*it)));
    let mut changed: Vec<String> = keys.filter(|it| before.get(*it) != after.get(*it)).cloned().collect();
    changed.sort();
    changed
}

/// Root 1 with the keys of the fixed seeds; both root keys must sign.
pub(crate) fn fixed_root(environment: &str) -> Root {
    let roots = ROOT_SEEDS.map(FileKey::from_seed);
    let (entitlement, freshness) = (FileKey::from_seed(ENTITLEMENT_SEED), FileKey::from_seed(FRESHNESS_SEED));
    let named = |keys: &[&FileKey]| RoleKeys {
        keyids: sorted(keys.iter().map(|it| it.key_id())),
        threshold: NonZeroU32::new(u32::try_from(keys.len()).expect("few keys")).expect("some key"),
    };
    let all = [&roots[0], &roots[1], &entitlement, &freshness];
    Root {
        type_name: "root".into(),
        consistent_snapshot: true,
        expires: time(NOW).plus(ROOT_LIFETIME),
        keys: all.into_iter().map(|it| (it.key_id(), it.public_key().clone())).collect(),
        roles: BTreeMap::from([
            (RoleName::Root, named(&[&roots[0], &roots[1]])),
            (RoleName::Snapshot, named(&[&entitlement])),
            (RoleName::Targets, named(&[&entitlement])),
            (RoleName::Timestamp, named(&[&freshness])),
        ]),
        spec_version: SPEC_VERSION.into(),
        version: 1,
        tenantry: RootMark { environment: environment.into() },
    }
}

/// A folder of keys as `keys init` makes it, but with the fixed seeds.
pub(crate) fn write_fixed_keys(folder: &Path, environment: &str) {
    let roots = ROOT_SEEDS.map(FileKey::from_seed);
    let signers: Vec<&dyn Signer> = roots.iter().map(|it| it as &dyn Signer).collect();
    let signed = sign(fixed_root(environment), &signers).expect("keys in memory sign");
    fs::create_dir_all(folder.join("root")).expect("makes a folder");
    fs::write(folder.join("root/1.root.json"), signed.bytes).expect("writes");
    for seed in ROOT_SEEDS {
        write_key(folder, "root", seed);
    }
    write_key(folder, "entitlement", ENTITLEMENT_SEED);
    write_key(folder, "freshness", FRESHNESS_SEED);
    let secret: String = ADDRESS_SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
    write_private(&folder.join("address.secret"), &format!("{secret}\n"));
}

/// A private key in a file of its own.
pub(crate) fn write_key(folder: &Path, role: &str, seed: [u8; 32]) {
    let key = FileKey::from_seed(seed);
    write_private(&folder.join(format!("{role}-{}.pem", key.key_id().short())), &key.to_pem());
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).expect("writes");
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("sets a mode");
}

/// The files of [`Project::small`].
pub(crate) fn small() -> Vec<(String, String)> {
    let mut files = catalog();
    files.push(tenant("acme", "business", ""));
    files.push(tenant("bolt", "starter", ""));
    files.push(tenant("corn", "starter", ""));
    files
}

/// Plan `starter` has notes, which is rendered for each tenant; `business` has chat too.
pub(crate) fn catalog() -> Vec<(String, String)> {
    let mut files = vec![
        ("tenantry.yaml".to_owned(), document("Project", "small", "  base_url: https://cdn.example.com/\n")),
        ("catalog/shells/phone.yaml".to_owned(), document("Shell", "phone", "  platform_codes: [12]\n")),
        (
            "catalog/plans/starter.yaml".to_owned(),
            document(
                "Plan",
                "starter",
                "  lookup_key: plan_starter\n  mini_programs:\n    - app_id: com.example.notes\n  entitlements:\n    storage_gb: 10\n",
            ),
        ),
        (
            "catalog/plans/business.yaml".to_owned(),
            document(
                "Plan",
                "business",
                "  lookup_key: plan_business\n  extends: starter\n  mini_programs:\n    - app_id: com.example.chat\n",
            ),
        ),
        ("catalog/programs/notes/templates/config.j2".to_owned(), "{{ tenant.name }} {{ ext | tojson }}\n".to_owned()),
    ];
    files.extend(program("notes", "  ext_schema: { type: object, additionalProperties: false, properties: { colour: { type: string } } }\n  ext: { colour: red }\n  templates:\n    - { src: templates/config.j2, path: config.txt }\n"));
    files.extend(program("chat", ""));
    files
}

/// A program of one version, with one page.
pub(crate) fn program(name: &str, more: &str) -> [(String, String); 2] {
    let spec = format!(
        "  app_id: com.example.{name}\n  name: {name}\n  version: {{ code: 1, name: 1.0.0 }}\n  platform_version: {{ min_code: 10, target_code: 10 }}\n  pages: [index.html]\n  review: {{ status: online, since: \"2026-01-01\" }}\n  package: {{ path: app }}\n{more}"
    );
    [
        (format!("catalog/programs/{name}/program.yaml"), document("MiniProgram", name, &spec)),
        (format!("catalog/programs/{name}/app/index.html"), format!("<h1>{name}</h1>\n")),
    ]
}

/// A tenant's file: path and text.
pub(crate) fn tenant(name: &str, plan: &str, more: &str) -> (String, String) {
    let spec = format!(
        "  tenant_id: t_{name}\n  plan: {plan}\n  license: {{ valid_from: \"2026-01-01\", valid_until: \"2030-01-01\" }}\n{more}"
    );
    (format!("tenants/{name}.yaml"), document("Tenant", name, &spec))
}

pub(crate) fn document(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: tenantry.dev/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec:\n{spec}")
}
