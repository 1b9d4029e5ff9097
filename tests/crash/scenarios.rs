//! What happens to a device while it is stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tempfile::TempDir;
use tenantry::client::{Client, Start};
use tenantry::index::keys;
use tenantry::metadata::keys::FileKey;
use tenantry::metadata::{TimestampRole, open as open_metadata};
use tenantry::sign::sign;

use crate::child::{Errand, config};
use crate::listing::files;
use crate::origin::Origin;
use crate::project::{FRESHNESS_SEED, NOW, Project, program, time};

/// When the newer publication is taken up.
pub(crate) const LATER: &str = "2026-11-24T00:00:00Z";

/// One of the things that happen.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The device before, as files.
    pub(crate) before: BTreeMap<String, Vec<u8>>,
    /// Whose device it is before, and whose it becomes.
    pub(crate) was: String,
    pub(crate) addr: String,
    /// What a user sees before and after; nothing before the first set.
    pub(crate) old: Option<Shown>,
    pub(crate) new: Shown,
    /// Objects, sets, manifests and metadata on the disk when all is done.
    pub(crate) done: BTreeMap<String, Vec<u8>>,
    /// A set that must not come back for a day.
    pub(crate) bad: Option<String>,
    /// Whether numbers may fall: a root takes away the key of somebody who has pushed them up (TUF 5.3.11).
    pub(crate) may_fall: bool,
    /// What the server has.
    pub(crate) public: BTreeMap<String, Vec<u8>>,
    /// Bytes of metadata that may be on the disk: what any publication so far has had.
    pub(crate) published: BTreeSet<Vec<u8>>,
    pub(crate) root: Vec<u8>,
    /// The same as files, for a child.
    folder: TempDir,
}

/// The programs of a set and every byte of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) set: String,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Shown {
    /// None where nothing is installed.
    pub(crate) fn of(start: &Start) -> Option<Shown> {
        let mut shown = BTreeMap::new();
        for program in start.runnable() {
            for folder in program.folder.iter().chain(&program.overlay) {
                let found = files(folder).into_iter();
                shown.extend(found.map(|(path, bytes)| (format!("{}/{path}", program.app_id), bytes)));
            }
        }
        Some(Shown { set: start.set.clone()?, files: shown })
    }
}

impl Scenario {
    /// All of them, made once.
    pub(crate) fn all() -> &'static [Scenario] {
        static ALL: OnceLock<Vec<Scenario>> = OnceLock::new();
        ALL.get_or_init(make)
    }

    /// What a child is to do on a device.
    pub(crate) fn errand(&self, dir: &Path) -> Errand {
        let folder = self.folder.path();
        Errand {
            dir: dir.into(),
            public: folder.join("public"),
            root: folder.join("root.json"),
            addr: self.addr.clone(),
            now: LATER,
        }
    }

    /// A client of whose device it becomes.
    pub(crate) fn client(&self, dir: &Path, origin: &Arc<Origin>) -> Client {
        open(dir, &self.root, &self.addr, origin)
    }
}

pub(crate) fn open(dir: &Path, root: &[u8], addr: &str, origin: &Arc<Origin>) -> Client {
    Client::open_over(config(dir, root, addr), Arc::clone(origin) as _).expect("it opens")
}

/// Files as a folder.
pub(crate) fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    fs::create_dir_all(folder).expect("makes a folder");
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("makes a folder");
        fs::write(path, bytes).expect("writes");
    }
}

/// In memory: what is lost in a power cut is computed here, and not left to a disk.
pub(crate) fn new_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

/// Publications of one project: the second has another `chat`, with a file that comes in parts, the third has the
/// first one again. The fourth is the first one with a timestamp by a thief, with a huge number; the fifth, with the
/// second one's programs, no longer knows the thief's key.
struct Publications {
    project: Project,
    maps: [BTreeMap<String, Vec<u8>>; 5],
}

impl Publications {
    fn new() -> Publications {
        let project = Project::small();
        project.compile();
        let first = project.public();
        let chat_2 = program("chat", "").map(|(path, text)| {
            let text = text.replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0").replace("<h1>chat", "<h1>chat 2");
            (path.replace("chat/", "chat-2/"), text)
        });
        for (path, text) in &chat_2 {
            project.write(path, text);
        }
        let mut noise = vec![0; 70_000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        project.write("catalog/programs/chat-2/app/assets/noise.bin", noise);
        project.run_at(LATER, &["compile"]).ok();
        let second = project.public();
        project.remove("catalog/programs/chat-2/program.yaml");
        project.run_at(LATER, &["compile"]).ok();
        let third = project.public();
        let forged = forged(&first, &project.addr("acme"));
        project.run_at(LATER, &["keys", "rotate", "freshness"]).ok();
        project.run_at(LATER, &["keys", "rotate", "freshness", "--finish", "--stolen"]).ok();
        for (path, text) in chat_2 {
            project.write(&path, text);
        }
        project.run_at(LATER, &["compile"]).ok();
        let rotated = project.public();
        Publications { project, maps: [first, second, third, forged, rotated] }
    }

    fn scenario(
        &self,
        name: &'static str,
        prepare: impl Fn(&Path, &str, &Arc<Origin>),
        publication: usize,
    ) -> Scenario {
        self.scenario_of(name, ("acme", "acme"), prepare, publication)
    }

    fn scenario_of(
        &self,
        name: &'static str,
        (was, becomes): (&str, &str),
        prepare: impl Fn(&Path, &str, &Arc<Origin>),
        publication: usize,
    ) -> Scenario {
        let folder = new_folder();
        let (was, addr) = (self.project.addr(was), self.project.addr(becomes));
        let (root, origin) = (self.project.root(), Origin::new(BTreeMap::new()));
        let dir = folder.path().join("device");
        prepare(&dir, &was, &origin);
        let before = if dir.exists() { files(&dir) } else { BTreeMap::new() };
        let old = match dir.exists() {
            true => Shown::of(&open(&dir, &root, &was, &origin).look(time(LATER))),
            false => None,
        };
        let public = self.maps[publication].clone();
        origin.publish(public.clone());
        let mut client = open(&dir, &root, &addr, &origin);
        for outcome in crate::child::run(&mut client, LATER) {
            outcome.expect("undisturbed it goes well");
        }
        let new = Shown::of(&client.look(time(LATER))).expect("something is installed");
        drop(client);
        let done = lasting(&dir);
        fs::remove_dir_all(&dir).expect("removes");
        write(&folder.path().join("public"), &public);
        fs::write(folder.path().join("root.json"), &root).expect("writes");
        let published = self.maps.iter().flat_map(|it| it.values().cloned()).collect();
        let (bad, may_fall) = (None, false);
        Scenario { name, before, was, addr, old, new, done, bad, may_fall, public, published, root, folder }
    }

    /// A device on which a publication is installed and confirmed.
    fn installs(&self, dir: &Path, addr: &str, origin: &Arc<Origin>, publication: usize) {
        origin.publish(self.maps[publication].clone());
        let mut client = open(dir, &self.project.root(), addr, origin);
        let now = if publication == 0 { NOW } else { LATER };
        crate::child::run(&mut client, now).into_iter().for_each(|it| it.expect("undisturbed it goes well"));
    }
}

/// A publication in which a thief of the freshness key has pushed one tenant's number up.
fn forged(honest: &BTreeMap<String, Vec<u8>>, addr: &str) -> BTreeMap<String, Vec<u8>> {
    let key = keys::timestamp(addr);
    let mut timestamp = open_metadata::<TimestampRole>(&honest[&key]).expect("our own").role;
    timestamp.version = 900;
    let signed = sign(timestamp, &[&FileKey::from_seed(FRESHNESS_SEED)]).expect("a key in memory signs");
    let mut forged = honest.clone();
    forged.insert(key, signed.bytes);
    forged
}

/// What must be there when all is done, whatever happened on the way: not what counts starts and hours.
pub(crate) fn lasting(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files(dir);
    files.retain(|name, _| name.contains('/') || name == "latest.json" || name == "tenant.json");
    files
}

fn make() -> Vec<Scenario> {
    let publications = Publications::new();
    let nothing = |_: &Path, _: &str, _: &Arc<Origin>| {};
    let first = |dir: &Path, addr: &str, origin: &Arc<Origin>| publications.installs(dir, addr, origin, 0);
    let second = |dir: &Path, addr: &str, origin: &Arc<Origin>| publications.installs(dir, addr, origin, 1);
    // Version 2 was activated and never confirmed; two processes died with it.
    let failing = |dir: &Path, addr: &str, origin: &Arc<Origin>| {
        publications.installs(dir, addr, origin, 0);
        origin.publish(publications.maps[1].clone());
        let root = publications.project.root();
        let mut client = open(dir, &root, addr, origin);
        client.refresh(time(LATER)).expect("refreshes");
        client.activate().expect("activates");
        drop(client);
        (0..2).for_each(|_| drop(open(dir, &root, addr, origin).start(time(LATER))));
    };
    let mut crash_loop = publications.scenario("crash loop", failing, 1);
    // It begins with the bad set and ends with the good one; no start in between shows the bad one.
    crash_loop.bad = crash_loop.old.replace(crash_loop.new.clone()).map(|it| it.set);
    let robbed = |dir: &Path, addr: &str, origin: &Arc<Origin>| {
        publications.installs(dir, addr, origin, 0);
        origin.publish(publications.maps[3].clone());
        let mut client = open(dir, &publications.project.root(), addr, origin);
        client.refresh(time(NOW)).expect("the thief's number is taken for good");
    };
    let mut rotation = publications.scenario("a stolen key is taken away", robbed, 4);
    rotation.may_fall = true;
    vec![
        publications.scenario("first install", nothing, 1),
        publications.scenario("update that shares objects", first, 1),
        publications.scenario("rollback by the publisher", second, 2),
        crash_loop,
        rotation,
        publications.scenario_of("another tenant", ("acme", "bolt"), second, 1),
    ]
}

/// A device in the state before, in a folder of its own.
pub(crate) fn device(scenario: &Scenario) -> (TempDir, PathBuf) {
    let folder = new_folder();
    let dir = folder.path().join("device");
    if !scenario.before.is_empty() {
        write(&dir, &scenario.before);
    }
    (folder, dir)
}
