//! A disk that forgets: what of a trace may be there after the power went.
//!
//! The rules, which are stricter than ext4 with its default options and about right for what phones do:
//!
//! * what was written to a file and not followed by an `fsync` of that file may be missing, short, or zeros;
//! * a name that came, went or was exchanged, and was not followed by an `fsync` of its folder, may be as before;
//! * a rename is one step: it happened or not. But where it leads from one folder to another, the old name may come back
//!   beside the new one, until its own folder was synced;
//! * whatever is not made to last may be lost or kept independently of the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenantry::digest::Blake3;

use crate::trace::Action;

/// A file or a folder, whatever it is called.
type Id = usize;

/// The device itself.
const TOP: Id = 0;

/// What is on the disk. Cheap to clone: hundreds of thousands of disks are made of one trace.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone)]
enum Node {
    Folder(Arc<BTreeMap<Arc<str>, Id>>),
    File(Arc<Content>),
}

/// The bytes of a file, and their digest.
#[derive(Debug)]
struct Content {
    bytes: Vec<u8>,
    digest: Blake3,
}

/// One thing that happened to the disk.
#[derive(Debug, Clone)]
enum Step {
    /// A name comes, in a folder.
    Name { place: Place, id: Id, is_folder: bool },
    /// A name goes.
    Forget { place: Place },
    /// A name takes the place of another.
    Rename { to: Place, id: Id },
    /// And goes from where it was, if it has come to where it is now.
    Leave { from: Place, to: Place, id: Id },
    /// A file is emptied.
    Empty { id: Id },
    /// A file grows.
    Write { id: Id, bytes: Vec<u8> },
}

/// A name in a folder.
type Place = (Id, Arc<str>);

/// A step, and when it began to last: the position of the `fsync` that covers it.
#[derive(Debug)]
struct Lasting {
    step: Step,
    at: usize,
    lasts_from: Option<usize>,
}

/// Everything that a trace did.
#[derive(Debug)]
pub(crate) struct History {
    before: Disk,
    steps: Vec<Lasting>,
}

/// Which calls a disk listens to: what the suite must see is a client that forgets some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syncs {
    /// All.
    Honest,
    /// Only those of folders, as if files were never synced.
    NoFiles,
    /// Only those of files, as if folders were never synced.
    NoFolders,
}

impl History {
    /// Follows a trace from a device as it was before.
    pub(crate) fn of(before: &BTreeMap<String, Vec<u8>>, actions: &[Action], syncs: Syncs) -> History {
        let before = Disk::of(before);
        let mut now = before.clone();
        let mut steps: Vec<Lasting> = Vec::new();
        for (at, action) in actions.iter().enumerate() {
            if let Action::Sync(path) = action {
                let id = now.find(path).expect("only what is there is synced");
                let is_heard = match (syncs, &now.nodes[id]) {
                    (Syncs::Honest, _) | (Syncs::NoFiles, Node::Folder(_)) | (Syncs::NoFolders, Node::File(_)) => true,
                    (Syncs::NoFiles, Node::File(_)) | (Syncs::NoFolders, Node::Folder(_)) => false,
                };
                for step in steps.iter_mut().filter(|it| is_heard && it.lasts_from.is_none() && it.step.owner() == id) {
                    step.lasts_from = Some(at);
                }
                continue;
            }
            for step in now.steps(action) {
                now.apply(&step, Fate::Kept);
                steps.push(Lasting { step, at, lasts_from: None });
            }
        }
        History { before, steps }
    }

    /// Calls `each` with every state that a power cut may leave, at any moment, each state once.
    pub(crate) fn states(&self, each: &mut dyn FnMut(&Disk)) {
        let mut seen: BTreeSet<Blake3> = BTreeSet::new();
        // A sync adds no state, it only rules some out; so a moment after each step will do.
        for count in 0..=self.steps.len() {
            let steps = &self.steps[..count];
            let moment = steps.last().map_or(0, |it| it.at + 1);
            let lasts = |step: &Lasting| step.lasts_from.is_some_and(|from| from < moment);
            let pending = steps.iter().filter(|it| !lasts(it)).count();
            for kept in choices(pending) {
                let mut fates = kept.iter();
                let mut disk = self.before.clone();
                for step in steps {
                    let fate = if lasts(step) { Fate::Kept } else { *fates.next().expect("one for each") };
                    disk.apply(&step.step, fate);
                }
                if seen.insert(disk.digest()) {
                    each(&disk);
                }
            }
        }
    }
}

/// What becomes of a step that nothing has made last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Lost,
    /// Of a write, so many quarters are there.
    Short(usize),
    /// Of a write, so many quarters are there, and zeros in the place of the rest.
    Zeros(usize),
}

const TORN: [Fate; 7] =
    [Fate::Short(1), Fate::Short(2), Fate::Short(3), Fate::Zeros(0), Fate::Zeros(1), Fate::Zeros(2), Fate::Zeros(3)];

/// The fates of so many steps: all prefixes, all with one lost, short or zeros, each alone, and all combinations of the
/// last ones, after all of the earlier or none.
fn choices(pending: usize) -> Vec<Vec<Fate>> {
    /// All combinations of this many.
    const ALL_OF: usize = 8;
    let mut choices = Vec::new();
    for at in 0..=pending {
        choices.push((0..pending).map(|it| if it < at { Fate::Kept } else { Fate::Lost }).collect());
    }
    for at in 0..pending {
        for fate in [Fate::Lost].into_iter().chain(TORN) {
            choices.push((0..pending).map(|it| if it == at { fate } else { Fate::Kept }).collect());
        }
        for fate in [Fate::Kept].into_iter().chain(TORN) {
            choices.push((0..pending).map(|it| if it == at { fate } else { Fate::Lost }).collect());
        }
    }
    let last = pending.min(ALL_OF);
    for bits in 0..1_usize << last {
        for earlier in [Fate::Kept, Fate::Lost] {
            let fate = |at: usize| match at.checked_sub(pending - last) {
                None => earlier,
                Some(bit) if bits >> bit & 1 == 1 => Fate::Kept,
                Some(_) => Fate::Lost,
            };
            choices.push((0..pending).map(fate).collect());
        }
    }
    choices
}

impl Step {
    /// Whose `fsync` makes it last.
    fn owner(&self) -> Id {
        match self {
            Step::Name { place, .. } | Step::Forget { place } => place.0,
            Step::Rename { to, .. } => to.0,
            Step::Leave { from, .. } => from.0,
            Step::Empty { id } | Step::Write { id, .. } => *id,
        }
    }
}

impl Content {
    fn of(bytes: Vec<u8>) -> Arc<Content> {
        let digest = Blake3::of(&bytes);
        Arc::new(Content { bytes, digest })
    }
}

impl Disk {
    fn of(files: &BTreeMap<String, Vec<u8>>) -> Disk {
        let mut disk = Disk { nodes: vec![Node::Folder(Arc::default())] };
        for (path, bytes) in files {
            let mut folder = TOP;
            let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
            for part in folders.split('/').filter(|it| !it.is_empty()) {
                let next = disk.entry(folder, part).unwrap_or_else(|| disk.add(Node::Folder(Arc::default())));
                disk.entries(folder).insert(part.into(), next);
                folder = next;
            }
            let id = disk.add(Node::File(Content::of(bytes.clone())));
            disk.entries(folder).insert(name.into(), id);
        }
        disk
    }

    /// Every file by its path.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        self.walk(TOP, "", &mut |path, content| {
            if let Some(content) = content {
                files.insert(path.to_owned(), content.bytes.clone());
            }
        });
        files
    }

    /// Every folder by its path, also those with nothing in them: a tree of which only the folder is there.
    pub(crate) fn folders(&self) -> Vec<String> {
        let mut folders = Vec::new();
        self.walk(TOP, "", &mut |path, content| folders.extend(content.is_none().then(|| path.to_owned())));
        folders
    }

    fn digest(&self) -> Blake3 {
        let mut it = tenantry::digest::Fingerprint::new("a state of a disk");
        self.walk(TOP, "", &mut |path, content| {
            it.part(path.as_bytes()).part(content.map_or(b"a folder", |it| &it.digest.0));
        });
        it.finish()
    }

    /// Every path below a folder, with what is in the files.
    fn walk(&self, folder: Id, below: &str, each: &mut dyn FnMut(&str, Option<&Content>)) {
        let Node::Folder(entries) = &self.nodes[folder] else { return };
        for (name, id) in entries.iter() {
            let path = if below.is_empty() { name.to_string() } else { format!("{below}/{name}") };
            match &self.nodes[*id] {
                Node::Folder(_) => {
                    each(&path, None);
                    self.walk(*id, &path, each);
                }
                Node::File(content) => each(&path, Some(content)),
            }
        }
    }

    /// What a call does, said in names that stay.
    fn steps(&self, action: &Action) -> Vec<Step> {
        let place = |path: &str| -> Place {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            (self.find(folder).expect("its folder is there"), name.into())
        };
        let named =
            |path: &str, is_folder: bool| vec![Step::Name { place: place(path), id: self.nodes.len(), is_folder }];
        match action {
            Action::Nothing | Action::Sync(_) => Vec::new(),
            // The device's own folder is where everything begins.
            Action::MakeFolder(path) if path.is_empty() => Vec::new(),
            Action::MakeFolder(path) => named(path, true),
            Action::Create(path) => match self.find(path) {
                Some(id) => vec![Step::Empty { id }],
                None => named(path, false),
            },
            Action::Append(path) => match self.find(path) {
                Some(_) => Vec::new(),
                None => named(path, false),
            },
            Action::Write(path, bytes) => {
                vec![Step::Write { id: self.find(path).expect("an open file"), bytes: bytes.clone() }]
            }
            Action::Rename(from, to) => {
                let id = self.find(from).expect("what is renamed is there");
                let (from, to) = (place(from), place(to));
                assert_ne!(from.0, to.0, "within a folder it is one step, which a client does not do");
                vec![Step::Rename { to: to.clone(), id }, Step::Leave { from, to, id }]
            }
            Action::Unlink(path) | Action::RemoveFolder(path) => vec![Step::Forget { place: place(path) }],
        }
    }

    fn apply(&mut self, step: &Step, fate: Fate) {
        match step {
            Step::Name { place, id, is_folder } => {
                // What it names exists, whether or not its name does.
                let empty = match is_folder {
                    true => Node::Folder(Arc::default()),
                    false => Node::File(Content::of(Vec::new())),
                };
                assert_eq!(self.nodes.len(), *id, "things come in the order of the trace");
                self.nodes.push(empty);
                if fate == Fate::Kept {
                    self.entries(place.0).insert(Arc::clone(&place.1), *id);
                }
            }
            _ if fate == Fate::Lost => {}
            Step::Forget { place } => drop(self.entries(place.0).remove(&place.1)),
            Step::Rename { to, id } => drop(self.entries(to.0).insert(Arc::clone(&to.1), *id)),
            Step::Leave { from, to, id } => {
                let has_come = self.entry(to.0, &to.1) == Some(*id);
                if has_come && self.entry(from.0, &from.1) == Some(*id) {
                    self.entries(from.0).remove(&from.1);
                }
            }
            Step::Empty { id } => self.nodes[*id] = Node::File(Content::of(Vec::new())),
            Step::Write { id, bytes } => {
                let added = match fate {
                    Fate::Kept | Fate::Lost => bytes.clone(),
                    Fate::Short(quarters) => bytes[..bytes.len() * quarters / 4].to_vec(),
                    Fate::Zeros(quarters) => {
                        let there = bytes.len() * quarters / 4;
                        [&bytes[..there], &vec![0; bytes.len() - there]].concat()
                    }
                };
                if let Node::File(there) = &self.nodes[*id] {
                    self.nodes[*id] = Node::File(Content::of([&there.bytes[..], &added].concat()));
                }
            }
        }
    }

    fn find(&self, path: &str) -> Option<Id> {
        path.split('/').filter(|it| !it.is_empty()).try_fold(TOP, |folder, part| self.entry(folder, part))
    }

    fn entry(&self, folder: Id, name: &str) -> Option<Id> {
        match &self.nodes[folder] {
            Node::Folder(entries) => entries.get(name).copied(),
            Node::File(_) => None,
        }
    }

    fn entries(&mut self, folder: Id) -> &mut BTreeMap<Arc<str>, Id> {
        match &mut self.nodes[folder] {
            Node::Folder(entries) => Arc::make_mut(entries),
            Node::File(_) => panic!("a file is no folder"),
        }
    }

    fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}

#[test]
fn a_file_that_is_written_and_renamed_is_lost_in_every_way_that_the_rules_allow() {
    let before: BTreeMap<String, Vec<u8>> =
        [("current".to_owned(), b"old".to_vec()), ("tmp/x".to_owned(), Vec::new())].into();
    let trace = |with_sync: bool| {
        let mut actions = vec![Action::Create("tmp/new".into()), Action::Write("tmp/new".into(), b"new!".to_vec())];
        actions.extend(with_sync.then(|| Action::Sync("tmp/new".into())));
        actions.push(Action::Rename("tmp/new".into(), "current".into()));
        actions.push(Action::Sync(String::new()));
        actions
    };
    let currents = |actions: &[Action], syncs: Syncs| {
        let mut found = BTreeSet::new();
        History::of(&before, actions, syncs).states(&mut |disk| {
            found.insert(String::from_utf8(disk.files()["current"].clone()).expect("text"));
        });
        found.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(currents(&trace(true), Syncs::Honest), ["new!", "old"]);
    let torn = ["", "\0\0\0\0", "n", "n\0\0\0", "ne", "ne\0\0", "new", "new\0", "new!", "old"];
    assert_eq!(currents(&trace(false), Syncs::Honest), torn);
    assert_eq!(currents(&trace(true), Syncs::NoFiles), torn);
    // Without a sync of the folder the name may come or not, at the very end too.
    let mut at_the_end = BTreeSet::new();
    let history = History::of(&before, &trace(true), Syncs::NoFolders);
    history.states(&mut |disk| {
        at_the_end.insert(disk.files()["current"].clone());
    });
    assert_eq!(at_the_end.len(), 2);
    assert_eq!(history.steps.iter().filter(|it| it.lasts_from.is_none()).count(), 3);
}
