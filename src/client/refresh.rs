//! A refresh: newest metadata, newest manifest, and the files that are not here yet; or what was there, untouched.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use super::answer::{HeldBack, Missing, StaleEdge, Update};
use super::disk::Disk;
use super::download;
use super::error::{Kept, Trouble};
use super::fetch::Fetcher;
use super::judge::Judge;
use super::news::News;
use super::objects::{self, Keep};
use super::set::{Program, Set};
use super::state::{self, Device, Latest, Pointer, STAGED};
use super::stored::Stored;
use super::{Config, Optional};
use crate::bucket::Bucket;
use crate::digest::Blake3;
use crate::manifest::File;
use crate::time::{Duration, Timestamp};

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

impl Refresh<'_> {
    pub(super) fn run(&self) -> Result<Update, Trouble> {
        let before = Stored::load(self.disk, self.config);
        let news = News::fetch(self, &before)?;
        let bucket = self.bucket(&before, &news)?;
        let wanted = Set::of(&news.manifest, self.config.platform_code, bucket);
        let (id, bytes) = wanted.to_bytes();
        let held_back = before.held_back(id, self.clock).map(|until| HeldBack { set: id.to_string(), until });
        let is_current = before.current.as_ref().is_some_and(|it| it.0.set == id);
        let missing = match held_back {
            None => self.fetch(&before, &wanted)?,
            Some(_) => Vec::new(),
        };
        let staged = match held_back.is_none() && !is_current {
            true => Some(self.stage(id, &bytes, &news.latest)?),
            false => self.disk.remove(&[STAGED]).map(|()| None)?,
        };
        objects::sweep(self.disk, Keep::Wanted(&BTreeMap::new()))?;
        Ok(Update { staged, held_back, missing, ..self.update(&before, &news, &wanted) })
    }

    /// Where this device stands. It finds out who it is when that first matters, and stays it.
    fn bucket(&self, before: &Stored, news: &News) -> Result<Bucket, Trouble> {
        if news.manifest.cohorts.is_empty() || before.knows_who_it_is(self.config) {
            return Ok(before.bucket(self.config));
        }
        // Without a name of its own it stands last, and asks again the next time.
        let Ok(unit) = unit() else { return Ok(Bucket::LAST) };
        let bucket = Bucket::of(&self.config.addr, &unit);
        state::save(self.disk, &Device { unit })?;
        Ok(bucket)
    }

    /// What is new, but for what became of it.
    fn update(&self, before: &Stored, news: &News, wanted: &Set) -> Update {
        let now = before.known(self.config).for_start(self.clock);
        let judge = Judge { newest: wanted, fresh_until: news.latest.fresh_until, now };
        let current = before.current.as_ref().map(|(_, set)| set);
        let difference = Set::difference(current, wanted);
        let stale = news.stale.zip(news.latest.stale_since);
        Update {
            publication: news.latest.publication,
            gained: difference.gained,
            lost: difference.lost,
            changed: difference.changed,
            unchanged: difference.unchanged,
            stopped: current.map(|set| judge.stopped(set, self.config.platform_code)).unwrap_or_default(),
            staged: None,
            held_back: None,
            missing: Vec::new(),
            stale_edge: stale.map(|((known, served), since)| StaleEdge { known, served, since }),
            fresh_until: news.latest.fresh_until,
            next_check: self.next_check(news, judge.next_change()),
            traffic: self.fetcher.traffic(),
        }
    }

    /// Fetches what a set asks for and is not here. A program that is fetched before it is asked for must come, or the
    /// set is not staged; of the others it is said which did not come.
    fn fetch(&self, before: &Stored, wanted: &Set) -> Result<Vec<Missing>, Trouble> {
        let programs = wanted.programs.iter().filter(|it| self.is_wanted(before, it));
        let (needed, optional): (Vec<&Program>, Vec<&Program>) = programs.partition(|it| it.preload);
        let all = needed.iter().chain(&optional);
        let files: BTreeMap<Blake3, &File> = all.flat_map(|it| it.files()).map(|file| (file.blake3, file)).collect();
        if files.keys().all(|tree| objects::is_there(self.disk, *tree)) {
            return Ok(Vec::new());
        }
        self.make_room(before, &files)?;
        let mut failures = BTreeMap::new();
        for programs in [&needed, &optional] {
            failures.extend(self.download(programs));
            // What is needed comes first, and without it nothing else is worth a download.
            if let Some(lacking) = needed.iter().find(|it| !is_installed(self.disk, it)) {
                return Err(reason(lacking, &mut failures));
            }
        }
        let lacking = optional.iter().filter(|it| !is_installed(self.disk, it));
        let missing = lacking.map(|program| {
            let error = reason(program, &mut failures).kept(Kept::default());
            Missing { app_id: program.app_id.clone(), code: error.code(), why: error.to_string() }
        });
        Ok(missing.collect())
    }

    fn is_wanted(&self, before: &Stored, program: &Program) -> bool {
        let current = before.current.as_ref().and_then(|(_, set)| set.program(&program.app_id));
        let was_installed = || current.is_some_and(|it| it.release.is_some() && is_installed(self.disk, it));
        program.preload || self.config.optional == Optional::Fetched || was_installed()
    }

    fn download(&self, programs: &[&Program]) -> BTreeMap<Blake3, Trouble> {
        let files: BTreeMap<Blake3, &File> =
            programs.iter().flat_map(|it| it.files()).map(|file| (file.blake3, file)).collect();
        let files: Vec<&File> = files.into_values().filter(|it| !objects::is_there(self.disk, it.blake3)).collect();
        download::fetch_all(self.fetcher, self.disk, &files, self.config.limits.downloads)
    }

    /// At most two sets and one download are on the disk: where two sets are in use, an older download goes first.
    fn make_room(&self, before: &Stored, wanted: &BTreeMap<Blake3, &File>) -> Result<(), Trouble> {
        if before.previous.is_some() {
            self.disk.remove(&[STAGED])?;
        }
        objects::sweep(self.disk, Keep::Wanted(wanted))
    }

    fn stage(&self, id: Blake3, bytes: &[u8], latest: &Latest) -> Result<String, Trouble> {
        if objects::load_set(self.disk, id).is_none() {
            self.disk.replace(&objects::set_name(id), bytes)?;
        }
        let pointer = Pointer { fresh_until: latest.fresh_until, publication: latest.publication, set: id };
        if state::load_pointer(self.disk, STAGED).as_ref() != Some(&pointer) {
            state::save_pointer(self.disk, STAGED, &pointer)?;
        }
        Ok(id.to_string())
    }

    fn next_check(&self, news: &News, next_change: Option<Timestamp>) -> Timestamp {
        let longest = if news.stale.is_some() { CHECK_STALE } else { CHECK_EVERY };
        let left = self.clock.until(news.latest.fresh_until).half().seconds();
        let change = next_change.map_or(longest, |at| self.clock.until(at).seconds());
        let wait = longest.min(left).min(change).max(CHECK_NOT_BEFORE);
        Timestamp::from_unix(self.clock.unix() + wait).unwrap_or(self.clock)
    }
}

/// A name that no other device has.
fn unit() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(HEXLOWER.encode(&bytes))
}

/// Fetches the files of one program of the current set.
pub(super) fn install(config: &Config, disk: &Disk, fetcher: &Fetcher<'_>, app_id: &str) -> Result<(), Trouble> {
    let stored = Stored::load(disk, config);
    let unknown = || Trouble::UnknownProgram { app_id: app_id.into() };
    let (_, set) = stored.current.as_ref().ok_or_else(unknown)?;
    let program = set.program(app_id).filter(|it| it.release.is_some()).ok_or_else(unknown)?;
    let files: Vec<&File> = program.files().filter(|it| !objects::is_there(disk, it.blake3)).collect();
    match download::fetch_all(fetcher, disk, &files, config.limits.downloads).into_values().next() {
        Some(trouble) => Err(trouble),
        None => Ok(()),
    }
}

/// Whether every file of a program is on the disk.
fn is_installed(disk: &Disk, program: &Program) -> bool {
    program.files().all(|file| objects::is_there(disk, file.blake3))
}

/// Why a program did not come: its own failure, or the one after which nothing more was begun.
fn reason(program: &Program, failures: &mut BTreeMap<Blake3, Trouble>) -> Trouble {
    let own = program.files().find_map(|file| failures.remove(&file.blake3));
    let missing = || Trouble::Missing { path: program.app_id.clone() };
    own.or_else(|| failures.pop_first().map(|it| it.1)).unwrap_or_else(missing)
}
