//! What is newest: metadata through `trust`, and the manifest that it names.

use super::clock::Known;
use super::disk::TRUSTED;
use super::download::is_about_one;
use super::error::Trouble;
use super::fetch::Fetched;
use super::objects;
use super::refresh::Refresh;
use super::repository::{Repository, Shelf, binding};
use super::state::{self, Floor, Latest, Seen, Tag};
use super::stored::Stored;
use super::transport::{Caches, Get};
use crate::digest::Sha256;
use crate::index::keys;
use crate::manifest::{File, MANIFEST_VERSION, Manifest};
use crate::time::{Duration, Timestamp};
use crate::trust::TrustError;
use crate::trust::roles::{TargetFile, Targets};
use crate::trust::updater::{MAX_TIMESTAMP, Refreshed, Trusted, Updater};

/// What metadata and manifest say now.
pub(super) struct News {
    pub(super) latest: Latest,
    pub(super) manifest: Manifest,
    /// The versions that are known and that were served, where the latter is older.
    pub(super) stale: Option<(u64, u64)>,
}

impl News {
    /// Brings metadata and manifest up to date; both are verified and kept.
    pub(super) fn fetch(refresh: &Refresh<'_>, before: &Stored) -> Result<News, Trouble> {
        let (disk, addr) = (refresh.disk, &refresh.config.addr);
        let known = before.known(refresh.config);
        let now = known.for_refresh(refresh.clock);
        let repository = Repository::new(refresh.fetcher, disk, addr);
        let updater = Updater::open(repository, Shelf(disk), &refresh.config.trusted_root)?;
        let mut updater = updater.bound_to(binding(addr, refresh.environment))?;
        let refreshed = updater.refresh(now)?;
        if let Some(tag) = updater.repository().take_tag() {
            keep_tag(refresh, &tag)?;
        }
        let trusted = updater.trusted().ok_or(Trouble::Missing { path: keys::timestamp(addr) })?;
        let floor = floor(refresh, &trusted)?;
        let (sha256, manifest) = manifest(refresh, trusted.targets, before)?;
        let stale = match refreshed {
            Refreshed::StaleEdge { trusted, served } => Some((trusted.get(), served.get())),
            Refreshed::Updated | Refreshed::Unchanged => None,
        };
        let since = before.latest().and_then(|it| it.stale_since).unwrap_or(refresh.clock);
        let latest = Latest {
            floor,
            fresh_until: fresh_until(&trusted),
            manifest: sha256,
            publication: manifest.publication,
            stale_since: stale.map(|_| since),
        };
        if before.latest() != Some(&latest) {
            state::save(disk, &latest)?;
        }
        let news = News { latest, manifest, stale };
        match refreshed {
            // A newer signature of the vendor overrules what was remembered of the time.
            Refreshed::Updated => remember(refresh, (known.seen != Some(now)).then_some(now))?,
            Refreshed::Unchanged | Refreshed::StaleEdge { .. } => {
                remember(refresh, news.known(known).remember(refresh.clock))?;
            }
        }
        Ok(news)
    }

    fn known(&self, before: Known) -> Known {
        let grace = Duration::parse(&self.manifest.offline.grace).unwrap_or(Duration::days(0));
        let fresh_until = self.latest.fresh_until;
        Known { fresh_until: Some(fresh_until), grace_until: Some(fresh_until.plus(grace)), ..before }
    }
}

fn remember(refresh: &Refresh<'_>, at: Option<Timestamp>) -> Result<(), Trouble> {
    at.map_or(Ok(()), |at| state::save(refresh.disk, &Seen { at }))
}

/// The first instant at which one of the files of a tenant no longer holds.
fn fresh_until(trusted: &Trusted<'_>) -> Timestamp {
    let (timestamp, snapshot, targets) = (trusted.timestamp, trusted.snapshot, trusted.targets);
    timestamp.common.expires.min(snapshot.common.expires).min(targets.common.expires)
}

/// What the server calls the timestamp on the shelf. Another copy that it served is not worth remembering.
fn keep_tag(refresh: &Refresh<'_>, tag: &Tag) -> Result<(), Trouble> {
    let kept = refresh.disk.read(&format!("{TRUSTED}/timestamp.json"), MAX_TIMESTAMP)?;
    let is_kept = kept.is_some_and(|it| Sha256::of(&it) == tag.timestamp);
    match is_kept && state::load(refresh.disk).as_ref() != Some(tag) {
        true => state::save(refresh.disk, tag),
        false => Ok(()),
    }
}

/// The numbers that must not fall below, raised; refuses what falls below. `trust` sees to it as long as its files are
/// whole; this is for when they were damaged.
fn floor(refresh: &Refresh<'_>, trusted: &Trusted<'_>) -> Result<Floor, Trouble> {
    // Read again: a root that took a key away has lifted it meanwhile.
    let floor = state::load::<Latest>(refresh.disk).whole().map(|it| it.floor).unwrap_or_default();
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
fn manifest(refresh: &Refresh<'_>, targets: &Targets, before: &Stored) -> Result<(Sha256, Manifest), Trouble> {
    let name = keys::manifest_target(&refresh.config.addr);
    let target = targets.targets.get(&name).ok_or_else(|| refused(format!("`{name}` is not among the targets")))?;
    let sha256 = target.hashes.sha256().ok_or_else(|| refused(format!("`{name}` has no SHA-256")))?;
    if target.length > refresh.config.limits.max_manifest {
        return Err(refused(format!("it has {} bytes, more than this shell reads", target.length)));
    }
    if let Some(held) = before.newest.as_ref().filter(|it| it.latest.manifest == sha256) {
        check(refresh, &held.manifest, targets).map_err(refused)?;
        return Ok((sha256, held.manifest.clone()));
    }
    let path = keys::manifest(&refresh.config.addr, sha256);
    let bytes = match download(refresh, &path, target, Caches::Allowed) {
        Err(trouble) if is_about_one(&trouble) => download(refresh, &path, target, Caches::Bypassed)?,
        first => first?,
    };
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|why| refused(format!("it cannot be understood: {why}")))?;
    check(refresh, &manifest, targets).map_err(refused)?;
    refresh.disk.replace(&objects::manifest_name(sha256), &bytes)?;
    Ok((sha256, manifest))
}

fn refused(why: String) -> Trouble {
    Trouble::Manifest { why }
}

/// A manifest's bytes, which are those that were signed for.
fn download(refresh: &Refresh<'_>, path: &str, target: &TargetFile, caches: Caches) -> Result<Vec<u8>, Trouble> {
    let damaged = |why: String| Trouble::Damaged { path: path.into(), why };
    match refresh.fetcher.whole(path, &Get { caches, ..Get::whole(target.length) })? {
        Fetched::Missing | Fetched::NotModified => Err(Trouble::Missing { path: path.into() }),
        Fetched::Object { bytes, .. } if bytes.len() as u64 != target.length => {
            Err(damaged(format!("it has {} bytes, not {}", bytes.len(), target.length)))
        }
        Fetched::Object { bytes, .. } => target.hashes.mismatch(&bytes).map_or(Ok(bytes), |why| Err(damaged(why))),
    }
}

/// Holds a manifest to the targets that name it: for whom, from when, and that every archive in it is one of them.
fn check(refresh: &Refresh<'_>, manifest: &Manifest, targets: &Targets) -> Result<(), String> {
    let common = &targets.common;
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    let wrong = match () {
        () if major(&manifest.spec_version) != major(MANIFEST_VERSION) => {
            format!("its `spec_version` is `{}`", manifest.spec_version)
        }
        () if manifest.addr != refresh.config.addr => format!("it was made for `{}`", manifest.addr),
        () if manifest.environment != refresh.environment => format!("its environment is `{}`", manifest.environment),
        () if manifest.publication != common.version.get() => {
            format!("its publication is {}, its targets' version {}", manifest.publication, common.version)
        }
        () if manifest.expires != common.expires => "it does not expire together with its targets".into(),
        () => {
            let releases = manifest.every_program().flat_map(|program| &program.releases);
            let mut files = releases.flat_map(|it| [&it.bundle].into_iter().chain(&it.overlay));
            return files.try_for_each(|file| check_file(refresh, file, targets));
        }
    };
    Err(wrong)
}

fn check_file(refresh: &Refresh<'_>, file: &File, targets: &Targets) -> Result<(), String> {
    let is_named = targets.targets.get(&file.target).is_some_and(|target| {
        file.target == file.blake3.to_string()
            && target.length == file.length
            && target.hashes.sha256() == Some(file.sha256)
    });
    match is_named {
        false => Err(format!("`{}` is not among the targets as it names it", file.target)),
        true if file.length > refresh.config.limits.max_archive => {
            Err(format!("`{}` has {} bytes, more than this shell takes", file.target, file.length))
        }
        true => Ok(()),
    }
}
