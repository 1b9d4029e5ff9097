//! Everything that a client remembers, as it stands on the disk at one moment, and what to make of damage.

use super::Config;
use super::clock::Known;
use super::disk::Disk;
use super::objects;
use super::refresh::HELD_BACK;
use super::set::Set;
use super::state::{self, Boot, CURRENT, Device, Found, Latest, PREVIOUS, Pointer, STAGED, Seen};
use crate::bucket::Bucket;
use crate::digest::{Blake3, Sha256};
use crate::manifest::Manifest;
use crate::time::Timestamp;

/// What is on the disk.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// The set that starts.
    pub(super) current: Option<(Pointer, Set)>,
    /// The one before it, until a start of the current one is confirmed.
    pub(super) previous: Option<(Pointer, Set)>,
    /// The one that waits to be activated.
    pub(super) staged: Option<(Pointer, Set)>,
    /// How starts went.
    pub(super) boot: Boot,
    /// The newest manifest that was verified.
    pub(super) newest: Option<Newest>,
    /// Who this device is; none before anybody asked.
    device: Option<Device>,
    latest: Option<Latest>,
    seen: Option<Timestamp>,
    /// Whether `current` is another set than the pointer says, or than it can say.
    pub(super) is_mended: bool,
    /// What is not as it should be.
    pub(super) notes: Vec<String>,
}

/// The newest manifest that was verified, and what was verified with it.
#[derive(Debug)]
pub(super) struct Newest {
    pub(super) latest: Latest,
    pub(super) manifest: Manifest,
}

impl Stored {
    /// Reads it all. Nothing in it makes this fail: what is damaged is left out, and said.
    pub(super) fn load(disk: &Disk, config: &Config) -> Stored {
        let mut it = Stored { boot: Boot::default(), ..Stored::default() };
        let boot = it.take("how starts went", state::load::<Boot>(disk));
        it.boot = boot.unwrap_or_default();
        it.seen = it.take("the time of the last start", state::load::<Seen>(disk)).map(|it| it.at);
        it.latest = it.take("which publication is the newest", state::load::<Latest>(disk));
        it.device = it.take("who this device is", state::load::<Device>(disk));
        it.newest = it.latest.clone().and_then(|latest| it.read_newest(disk, config, latest));
        it.staged = it.read_set(disk, config, STAGED);
        it.previous = it.read_set(disk, config, PREVIOUS);
        it.current = it.read_set(disk, config, CURRENT);
        if it.current.is_none() && (disk.has(CURRENT) || it.was_there_one()) {
            it.mend(disk, config);
        }
        if it.previous.as_ref().map(|(it, _)| it.set) == it.current.as_ref().map(|(it, _)| it.set) {
            it.previous = None;
        }
        it
    }

    /// What is known of the newest publication, though its manifest may be damaged.
    pub(super) fn latest(&self) -> Option<&Latest> {
        self.latest.as_ref()
    }

    /// What is known of the time.
    pub(super) fn known(&self, config: &Config) -> Known {
        let issued = self.newest.as_ref().map(|it| it.manifest.issued);
        let fresh_until = self.fresh_until();
        let grace = self.newest_set(config).map(|it| it.grace());
        Known {
            seen: self.seen,
            least: issued.max(config.built),
            fresh_until,
            grace_until: fresh_until.zip(grace).map(|(until, grace)| until.plus(grace)),
        }
    }

    /// The end of the freshness of what is known.
    pub(super) fn fresh_until(&self) -> Option<Timestamp> {
        let newest = self.newest.as_ref().map(|it| it.latest.fresh_until);
        newest.or_else(|| Some(self.current.as_ref()?.0.fresh_until))
    }

    /// Whether anything says who this device is.
    pub(super) fn knows_who_it_is(&self, config: &Config) -> bool {
        config.unit.is_some() || self.device.is_some()
    }

    /// Where this device stands among those of its tenant. One that does not know who it is stands last: it has only
    /// what all have.
    pub(super) fn bucket(&self, config: &Config) -> Bucket {
        let unit = config.unit.as_ref().or(self.device.as_ref().map(|it| &it.unit));
        unit.map_or(Bucket::LAST, |unit| Bucket::of(&config.addr, unit))
    }

    /// What the newest manifest says to this shell; where that is damaged, what is installed.
    pub(super) fn newest_set(&self, config: &Config) -> Option<Set> {
        let newest = self.newest.as_ref().map(|it| Set::of(&it.manifest, config.platform_code, self.bucket(config)));
        newest.or_else(|| Some(self.current.as_ref()?.1.clone()))
    }

    /// Until when a set is not staged, because it failed to start.
    pub(super) fn held_back(&self, id: Blake3, now: Timestamp) -> Option<Timestamp> {
        let bad = self.boot.bad.iter().rev().find(|it| it.set == id)?;
        let until = bad.since.plus(HELD_BACK);
        // A date in the future is that of a clock which was wrong.
        (bad.since <= now && now < until).then_some(until)
    }

    /// Whether a start of the current set was ever confirmed.
    pub(super) fn is_confirmed(&self) -> bool {
        self.boot.confirmed && self.boot.set == self.current.as_ref().map(|(it, _)| it.set)
    }

    /// How many starts of the current set were not confirmed.
    pub(super) fn failed_starts(&self) -> u32 {
        match self.boot.set == self.current.as_ref().map(|(it, _)| it.set) {
            true => self.boot.unconfirmed,
            false => 0,
        }
    }

    /// Whether there must have been a current set, though there is no pointer to one: another one stands behind it, or
    /// starts were counted; but those of a set that is still staged were only prepared, in an activation that was stopped.
    fn was_there_one(&self) -> bool {
        let staged = self.staged.as_ref().map(|(it, _)| it.set);
        self.previous.is_some() || (self.boot.set.is_some() && self.boot.set != staged)
    }

    fn take<T>(&mut self, what: &str, found: Found<T>) -> Option<T> {
        if matches!(found, Found::Damaged) {
            self.notes.push(format!("what this device remembers is damaged: {what}"));
        }
        found.whole()
    }

    fn read_newest(&mut self, disk: &Disk, config: &Config, latest: Latest) -> Option<Newest> {
        let bytes = disk.read(&objects::manifest_name(latest.manifest), config.limits.max_manifest).ok().flatten();
        let whole = bytes.filter(|bytes| Sha256::of(bytes) == latest.manifest);
        let manifest = whole.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let manifest = manifest.filter(|it: &Manifest| it.addr == config.addr);
        if manifest.is_none() {
            self.notes.push("the newest manifest is damaged; what is installed counts until the next refresh".into());
        }
        manifest.map(|manifest| Newest { latest, manifest })
    }

    fn read_set(&mut self, disk: &Disk, config: &Config, name: &str) -> Option<(Pointer, Set)> {
        let pointer = self.take(&format!("which set is `{name}`"), state::load_pointer(disk, name))?;
        let set = objects::load_set(disk, pointer.set).filter(|set| set.addr == config.addr);
        if set.is_none() {
            self.notes.push(format!("the set `{name}` is damaged"));
        }
        set.map(|set| (pointer, set))
    }

    /// The pointer or the set behind it is damaged: the last one that is known to have started is taken, or else
    /// whichever is there. All of them were verified when they came.
    fn mend(&mut self, disk: &Disk, config: &Config) {
        self.is_mended = true;
        if let Some(previous) = self.previous.take() {
            self.notes.push("the set before the current one starts in its place".into());
            self.current = Some(previous);
            return;
        }
        let mut sets = objects::whole_sets(disk);
        sets.retain(|(_, set)| set.addr == config.addr);
        let started = sets.iter().position(|(id, _)| Some(*id) == self.boot.set);
        let newest = self.newest_set(config).map(|it| it.to_bytes().0);
        let newest = sets.iter().position(|(id, _)| Some(*id) == newest);
        let Some(at) = started.or(newest).or_else(|| (!sets.is_empty()).then_some(0)) else { return };
        let (set, content) = sets.swap_remove(at);
        let (fresh_until, publication) = match &self.latest {
            Some(latest) => (latest.fresh_until, latest.publication),
            // Nothing says how old it is, so it is old: its grace is over.
            None => (content.programs.iter().filter_map(|it| it.valid_from).min().unwrap_or_else(epoch), 0),
        };
        self.notes.push("another set that is whole starts in its place".into());
        self.current = Some((Pointer { fresh_until, publication, set }, content));
    }
}

fn epoch() -> Timestamp {
    Timestamp::from_unix(0).expect("1970 is in range")
}
