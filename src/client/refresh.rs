//! A refresh: newest metadata, newest manifest, and the files that are not here yet; or what was there, untouched.

use std::collections::BTreeMap;

use super::answer::{HeldBack, Missing, StaleEdge, Update};
use super::clock::Known;
use super::disk::{Disk, TRUSTED};
use super::download;
use super::error::Trouble;
use super::fetch::{Fetched, Fetcher};
use super::judge::Judge;
use super::objects::{self, Keep};
use super::repository::{Repository, Shelf, binding};
use super::set::Set;
use super::state::{self, Floor, Latest, Pointer, STAGED, Seen, Tag};
use super::stored::{Newest, Stored};
use super::transport::{Caches, Get};
use super::{Config, Optional};
use crate::digest::{Blake3, Sha256};
use crate::index::keys;
use crate::manifest::{self, MANIFEST_VERSION, Manifest};
use crate::time::{Duration, Timestamp, earliest};
use crate::trust::TrustError;
use crate::trust::roles::Targets;
use crate::trust::updater::{Refreshed, Trusted, Updater};

/// How long a set that failed to start is not staged again.
pub(super) const HELD_BACK: Duration = Duration::days(1);

/// How long until the next check, at most and at least, in seconds.
const CHECK_EVERY: i64 = 3600;
const CHECK_NOT_BEFORE: i64 = 60;
/// And after an old copy was served.
const CHECK_STALE: i64 = 300;

/// What a refresh works with.
pub(super) struct Refresh<'a> {
    pub(super) config: &'a Config,
    pub(super) environment: &'a str,
    pub(super) disk: &'a Disk,
    pub(super) fetcher: &'a Fetcher<'a>,
    pub(super) clock: Timestamp,
}

/// What metadata and manifest say now.
struct News {
    latest: Latest,
    manifest: Manifest,
    stale: Option<(u64, u64)>,
}

impl Refresh<'_> {
    pub(super) fn run(&self) -> Result<Update, Trouble> {
        let before = Stored::load(self.disk, self.config);
        let news = self.news(&before)?;
        let wanted = Set::of(&news.manifest, self.config.platform_code);
        let (id, bytes) = wanted.to_bytes();
        let now = before.known(self.config).for_start(self.clock);
        let judge = Judge { newest: &wanted, fresh_until: news.latest.fresh_until, now };

        let held_back = before.held_back(id, self.clock).map(|until| HeldBack { set: id.to_string(), until });
        let is_current = before.current.as_ref().is_some_and(|it| it.0.set == id);
        let mut missing = Vec::new();
        let mut staged = None;
        if held_back.is_none() {
            missing = self.fetch(&before, &wanted)?;
            if !is_current {
                self.stage(id, &bytes, &news.latest)?;
                staged = Some(id.to_string());
            }
        }
        if staged.is_none() {
            self.disk.remove(&[STAGED])?;
        }
        objects::sweep(self.disk, Keep::Wanted(&BTreeMap::new()))?;

        let current = before.current.as_ref().map(|(_, set)| set);
        let difference = Set::difference(current, &wanted);
        Ok(Update {
            publication: news.latest.publication,
            gained: difference.gained,
            lost: difference.lost,
            changed: difference.changed,
            unchanged: difference.unchanged,
            stopped: current.map(|set| judge.stopped(set, self.config.platform_code)).unwrap_or_default(),
            staged,
            held_back,
            missing,
            stale_edge: news.stale.zip(news.latest.stale_since).map(|((known, served), since)| StaleEdge {
                known,
                served,
                since,
            }),
            fresh_until: news.latest.fresh_until,
            next_check: self.next_check(&news, judge.next_change()),
            traffic: self.fetcher.traffic(),
        })
    }

    /// Metadata and manifest, verified and kept.
    fn news(&self, before: &Stored) -> Result<News, Trouble> {
        let (disk, addr) = (self.disk, &self.config.addr);
        let known = before.known(self.config);
        let repository = Repository::new(self.fetcher, disk, addr);
        let updater = Updater::open(repository, Shelf(disk), &self.config.trusted_root)?;
        let mut updater = updater.bound_to(binding(addr, self.environment))?;
        let now = known.for_refresh(self.clock);
        let refreshed = updater.refresh(now)?;
        if let Some(tag) = updater.repository().take_tag() {
            self.keep_tag(tag)?;
        }
        let trusted = updater.trusted().ok_or(Trouble::Missing { path: keys::timestamp(addr) })?;
        let floor = self.floor(&trusted)?;
        let (sha256, manifest) = self.manifest(trusted.targets, before.newest.as_ref())?;
        let stale_since = match refreshed {
            Refreshed::StaleEdge { .. } => Some(before.latest().and_then(|it| it.stale_since).unwrap_or(self.clock)),
            Refreshed::Updated | Refreshed::Unchanged => None,
        };
        let latest = Latest {
            floor,
            fresh_until: fresh_until(&trusted),
            manifest: sha256,
            publication: manifest.publication,
            stale_since,
        };
        if before.latest() != Some(&latest) {
            state::save(disk, &latest)?;
        }
        self.remember(&known, refreshed, now, &latest, &manifest)?;
        let stale = match refreshed {
            Refreshed::StaleEdge { trusted, served } => Some((trusted.get(), served.get())),
            Refreshed::Updated | Refreshed::Unchanged => None,
        };
        Ok(News { latest, manifest, stale })
    }

    /// What the server calls the timestamp on the shelf. Another copy that it served is not worth remembering.
    fn keep_tag(&self, tag: Tag) -> Result<(), Trouble> {
        let kept = self.disk.read(&format!("{TRUSTED}/timestamp.json"), crate::trust::updater::MAX_TIMESTAMP)?;
        match kept.is_some_and(|it| Sha256::of(&it) == tag.timestamp) && state::load(self.disk).as_ref() != Some(&tag) {
            true => state::save(self.disk, &tag),
            false => Ok(()),
        }
    }

    /// The numbers that must not fall below, raised; refuses what falls below. `trust` sees to it as long as its files
    /// are whole; this is for when they were damaged.
    fn floor(&self, trusted: &Trusted<'_>) -> Result<Floor, Trouble> {
        // Read again: a root that took a key away has lifted it meanwhile.
        let floor = state::load::<Latest>(self.disk).whole().map(|it| it.floor).unwrap_or_default();
        let found =
            Floor { targets: trusted.targets.common.version.get(), timestamp: trusted.timestamp.common.version.get() };
        for (role, found, trusted) in
            [("targets", found.targets, floor.targets), ("timestamp", found.timestamp, floor.timestamp)]
        {
            if found < trusted {
                let role = role.to_owned();
                return Err(TrustError::Rollback { of: role.clone(), role, found, trusted }.into());
            }
        }
        Ok(found)
    }

    /// The manifest that the targets name: from the disk if it is there, else from the server.
    fn manifest(&self, targets: &Targets, held: Option<&Newest>) -> Result<(Sha256, Manifest), Trouble> {
        let addr = &self.config.addr;
        let refused = |why: String| Trouble::Manifest { why };
        let name = keys::manifest_target(addr);
        let target = targets.targets.get(&name).ok_or_else(|| refused(format!("`{name}` is not among the targets")))?;
        let sha256 = target.hashes.sha256().ok_or_else(|| refused(format!("`{name}` has no SHA-256")))?;
        let path = keys::manifest(addr, sha256);
        if target.length > self.config.limits.max_manifest {
            return Err(refused(format!("it has {} bytes, more than this shell reads", target.length)));
        }
        if let Some(held) = held.filter(|it| it.latest.manifest == sha256) {
            self.check(&held.manifest, targets).map_err(refused)?;
            return Ok((sha256, held.manifest.clone()));
        }
        let get = |caches| -> Result<Vec<u8>, Trouble> {
            match self.fetcher.whole(&path, &Get { caches, ..Get::whole(target.length) })? {
                Fetched::Object { bytes, .. } => match target.hashes.mismatch(&bytes) {
                    None if bytes.len() as u64 == target.length => Ok(bytes),
                    None => Err(Trouble::Damaged { path: path.clone(), why: "its length is another".into() }),
                    Some(why) => Err(Trouble::Damaged { path: path.clone(), why }),
                },
                Fetched::Missing | Fetched::NotModified => Err(Trouble::Missing { path: path.clone() }),
            }
        };
        let bytes = match get(Caches::Allowed) {
            Err(trouble) if download::is_about_one(&trouble) => get(Caches::Bypassed)?,
            first => first?,
        };
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|why| refused(format!("it cannot be understood: {why}")))?;
        self.check(&manifest, targets).map_err(refused)?;
        self.disk.replace(&objects::manifest_name(sha256), &bytes)?;
        Ok((sha256, manifest))
    }

    /// Holds a manifest to the targets that name it: for whom, from when, and that every archive in it is one of them.
    fn check(&self, manifest: &Manifest, targets: &Targets) -> Result<(), String> {
        let common = &targets.common;
        match () {
            () if manifest.spec_version.split('.').next() != MANIFEST_VERSION.split('.').next() => {
                return Err(format!("its `spec_version` is `{}`", manifest.spec_version));
            }
            () if manifest.addr != self.config.addr => return Err(format!("it was made for `{}`", manifest.addr)),
            () if manifest.environment != self.environment => {
                return Err(format!("its environment is `{}`", manifest.environment));
            }
            () if manifest.publication != common.version.get() => {
                return Err(format!(
                    "its publication is {}, its targets' version {}",
                    manifest.publication, common.version
                ));
            }
            () if manifest.expires != common.expires => {
                return Err("it does not expire together with its targets".into());
            }
            () => {}
        }
        let releases = manifest.mini_programs.iter().flat_map(|program| &program.releases);
        let files = releases.flat_map(|it| [&it.bundle].into_iter().chain(&it.overlay));
        for file in files {
            let is_named = targets.targets.get(&file.target).is_some_and(|target| {
                file.target == file.blake3.to_string()
                    && target.length == file.length
                    && target.hashes.sha256() == Some(file.sha256)
            });
            if !is_named {
                return Err(format!("`{}` is not among the targets as it names it", file.target));
            }
            if file.length > self.config.limits.max_archive {
                return Err(format!("`{}` has {} bytes, more than this shell takes", file.target, file.length));
            }
        }
        Ok(())
    }

    /// What is remembered of the time: a newer signature of the vendor overrules it.
    fn remember(
        &self,
        known: &Known,
        refreshed: Refreshed,
        now: Timestamp,
        latest: &Latest,
        manifest: &Manifest,
    ) -> Result<(), Trouble> {
        let seen = match refreshed {
            Refreshed::Updated => (known.seen != Some(now)).then_some(now),
            Refreshed::Unchanged | Refreshed::StaleEdge { .. } => {
                let grace = grace_of(manifest);
                let grace_until = Some(latest.fresh_until.plus(grace));
                Known { fresh_until: Some(latest.fresh_until), grace_until, ..*known }.remember(self.clock)
            }
        };
        seen.map_or(Ok(()), |at| state::save(self.disk, &Seen { at }))
    }

    /// Fetches what a set asks for and is not here. A program that is fetched before it is asked for must come, or the
    /// set is not staged; of the others it is said which did not come.
    fn fetch(&self, before: &Stored, wanted: &Set) -> Result<Vec<Missing>, Trouble> {
        let is_wanted = |program: &&super::set::Program| {
            let was_installed = || {
                let current = before.current.as_ref().and_then(|(_, set)| set.program(&program.app_id));
                current.is_some_and(|it| it.release.is_some() && is_installed(self.disk, it))
            };
            program.preload || self.config.optional == Optional::Fetched || was_installed()
        };
        let programs: Vec<&super::set::Program> = wanted.programs.iter().filter(is_wanted).collect();
        let mut files: BTreeMap<Blake3, &manifest::File> = Default::default();
        files.extend(programs.iter().flat_map(|it| it.files()).map(|file| (file.blake3, file)));
        if files.keys().all(|tree| objects::is_there(self.disk, *tree)) {
            return Ok(Vec::new());
        }
        self.make_room(before, &files)?;
        let files = files.into_values().filter(|it| !objects::is_there(self.disk, it.blake3));
        let files: Vec<&manifest::File> = files.collect();
        let mut failures = download::fetch_all(self.fetcher, self.disk, &files, self.config.limits.downloads);
        let mut missing = Vec::new();
        let (needed, optional): (Vec<_>, Vec<_>) = programs.into_iter().partition(|it| it.preload);
        let failed = |program: &super::set::Program, failures: &mut BTreeMap<Blake3, Trouble>| {
            program.files().find_map(|file| failures.remove(&file.blake3))
        };
        if let Some(trouble) = needed.iter().find_map(|program| failed(program, &mut failures)) {
            return Err(trouble);
        }
        for program in optional.iter().filter(|it| !is_installed(self.disk, it)) {
            let error = failed(program, &mut failures).map(|it| it.kept(Default::default()));
            let (code, why) =
                error.map_or(("missing", "it was not fetched".to_owned()), |it| (it.code(), it.to_string()));
            missing.push(Missing { app_id: program.app_id.clone(), code, why });
        }
        Ok(missing)
    }

    /// At most two sets and one download are on the disk: where two sets are in use, an older download goes first.
    fn make_room(&self, before: &Stored, wanted: &BTreeMap<Blake3, &manifest::File>) -> Result<(), Trouble> {
        if before.previous.is_some() {
            self.disk.remove(&[STAGED])?;
        }
        objects::sweep(self.disk, Keep::Wanted(wanted))
    }

    fn stage(&self, id: Blake3, bytes: &[u8], latest: &Latest) -> Result<(), Trouble> {
        if objects::load_set(self.disk, id).is_none() {
            self.disk.replace(&objects::set_name(id), bytes)?;
        }
        let pointer = Pointer { fresh_until: latest.fresh_until, publication: latest.publication, set: id };
        match state::load_pointer(self.disk, STAGED).as_ref() == Some(&pointer) {
            true => Ok(()),
            false => state::save_pointer(self.disk, STAGED, &pointer),
        }
    }

    fn next_check(&self, news: &News, next_change: Option<Timestamp>) -> Timestamp {
        let longest = if news.stale.is_some() { CHECK_STALE } else { CHECK_EVERY };
        let left = self.clock.until(news.latest.fresh_until).half().seconds();
        let change = earliest(next_change, None).map_or(longest, |at| self.clock.until(at).seconds());
        let wait = longest.min(left).min(change).max(CHECK_NOT_BEFORE);
        Timestamp::from_unix(self.clock.unix() + wait).unwrap_or(self.clock)
    }
}

/// Whether every file of a program is on the disk.
pub(super) fn is_installed(disk: &Disk, program: &super::set::Program) -> bool {
    program.files().all(|file| objects::is_there(disk, file.blake3))
}

fn grace_of(manifest: &Manifest) -> Duration {
    Duration::parse(&manifest.offline.grace).unwrap_or(Duration::days(0))
}

/// The first instant at which one of the files of a tenant no longer holds.
fn fresh_until(trusted: &Trusted<'_>) -> Timestamp {
    let expires = [&trusted.timestamp.common, &trusted.snapshot.common, &trusted.targets.common].map(|it| it.expires);
    expires.into_iter().min().unwrap_or(trusted.timestamp.common.expires)
}

/// Fetches the files of one program of the current set.
pub(super) fn install(config: &Config, disk: &Disk, fetcher: &Fetcher<'_>, app_id: &str) -> Result<(), Trouble> {
    let stored = Stored::load(disk, config);
    let unknown = || Trouble::UnknownProgram { app_id: app_id.into() };
    let (_, set) = stored.current.as_ref().ok_or_else(unknown)?;
    let program = set.program(app_id).filter(|it| it.release.is_some()).ok_or_else(unknown)?;
    let files: Vec<&manifest::File> = program.files().filter(|it| !objects::is_there(disk, it.blake3)).collect();
    match download::fetch_all(fetcher, disk, &files, config.limits.downloads).into_values().next() {
        Some(trouble) => Err(trouble),
        None => Ok(()),
    }
}
