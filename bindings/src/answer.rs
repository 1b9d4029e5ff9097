//! What a client says, as plain values.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tenantry::client;
use tenantry::time::{Duration, Timestamp};
use tenantry::{input, manifest};

use crate::error;

/// An instant: seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(pub i64);

uniffi::custom_newtype!(UnixSeconds, i64);

/// What a refresh found. Programs are compared with the set that is current, so an update that was not activated yet
/// is told again.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Update {
    /// The newest publication, now known and verified.
    pub publication: u64,
    /// Programs that come.
    pub gained: Vec<ProgramVersion>,
    /// Programs that go. They do not start any more, whether or not the update is activated.
    pub lost: Vec<ProgramVersion>,
    /// Programs that change: their version, their files or what is said about them.
    pub changed: Vec<ProgramChange>,
    /// Programs that stay as they are.
    pub unchanged: Vec<ProgramVersion>,
    /// Programs of the current set that may not run any more, though they may be running. One that was revoked with
    /// `Block` is to be stopped at once; the others when they are left.
    pub stopped: Vec<Stopped>,
    /// The set that waits to be activated; none when there is nothing new.
    pub staged: Option<String>,
    /// A set that is not staged because it failed to start.
    pub held_back: Option<HeldBack>,
    /// Programs that are fetched only when they are asked for, and could not be fetched.
    pub missing: Vec<Missing>,
    /// An older copy was served than the one that is known. What is known stays.
    pub stale_edge: Option<StaleEdge>,
    /// First instant at which what is known now must have been refreshed again; offline grace begins then.
    pub fresh_until: UnixSeconds,
    /// When to refresh next.
    pub next_check: UnixSeconds,
    /// How much was fetched.
    pub traffic: Traffic,
}

/// A version of a program.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ProgramVersion {
    /// Which program.
    pub app_id: String,
    /// The version's code.
    pub code: u32,
    /// The version's name.
    pub version: String,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Version {
    /// Decides order.
    pub code: u32,
    /// For people.
    pub name: String,
}

/// A program that changes.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ProgramChange {
    /// Which program.
    pub app_id: String,
    /// What is current.
    pub old: Version,
    /// What comes.
    pub new: Version,
    /// How the vendor wants it taken up.
    pub mode: UpdateMode,
}

/// A program that may not run any more.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Stopped {
    /// Which program.
    pub app_id: String,
    /// The version's code.
    pub code: u32,
    /// Why.
    pub why: Verdict,
}

/// A set that failed to start twice.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HeldBack {
    /// Which.
    pub set: String,
    /// When it is tried again, if nothing newer comes.
    pub until: UnixSeconds,
}

/// A program whose files could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Missing {
    /// Which program.
    pub app_id: String,
    /// The code of the error.
    pub code: String,
    /// The error in words.
    pub why: String,
}

/// A cache that has not caught up, or somebody who holds back the newest files.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StaleEdge {
    /// The version that is known.
    pub known: u64,
    /// The version that was served.
    pub served: u64,
    /// Since when every refresh has met one; report it after an hour.
    pub since: UnixSeconds,
}

/// What a refresh cost.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Traffic {
    /// How many requests were made.
    pub requests: u64,
    /// How many bytes came in bodies.
    pub bytes: u64,
}

/// How an activation ended.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Activated {
    /// The next start takes this set.
    Switched {
        /// The set.
        set: String,
        /// What was current before; it stays until a start of the new one is confirmed.
        before: Option<String>,
    },
    /// Nothing is staged.
    NothingStaged,
    /// What was staged is damaged on the disk, and was thrown away; the next refresh fetches it again.
    Damaged {
        /// The set.
        set: String,
    },
}

/// What may run now.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Start {
    /// The set; none when nothing was ever activated.
    pub set: Option<String>,
    /// The publication that it came with.
    pub publication: Option<u64>,
    /// How fresh is what is known.
    pub freshness: Freshness,
    /// Every program of the set, sorted by `app_id`, and whether it may run.
    pub programs: Vec<Program>,
    /// How the shell looks, as JSON.
    pub branding: String,
    /// Rights that are not programs, as JSON.
    pub entitlements: String,
    /// Most of something, as JSON.
    pub limits: String,
    /// The set that was given up because it failed to start twice.
    pub gave_up: Option<String>,
    /// How many starts of this set before this one were not confirmed.
    pub failed_starts: u32,
    /// When an answer would be another one without anything being fetched: ask again then.
    pub next_change: Option<UnixSeconds>,
    /// What is not as it should be on this device, in words for a log.
    pub notes: Vec<String>,
}

/// How fresh is what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Freshness {
    /// Nothing was ever refreshed.
    Unknown,
    /// As fresh as the vendor wants it.
    Fresh {
        /// Until when.
        until: UnixSeconds,
    },
    /// Not refreshed for too long; everything runs for a while.
    Grace {
        /// Since when.
        since: UnixSeconds,
        /// Until when.
        until: UnixSeconds,
    },
    /// The grace is over too; the strategy says what runs.
    Over {
        /// Since when.
        since: UnixSeconds,
        /// What now.
        strategy: ExpirationStrategy,
    },
}

/// What happens after the end of the offline grace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ExpirationStrategy {
    /// Programs stay, but newer versions do not come.
    Restrict,
    /// Every program goes.
    Revoke,
    /// Nothing changes.
    Maintain,
}

/// A program of the set.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Program {
    /// Which.
    pub app_id: String,
    /// The version; none when none fits the shell.
    pub version: Option<Version>,
    /// Whether it may run.
    pub verdict: Verdict,
    /// The folder in which its files lie; none when they are not here.
    pub folder: Option<String>,
    /// A folder of files that stand over those: look here first.
    pub overlay: Option<String>,
    /// Bytes of its archives, as they are downloaded.
    pub bytes: u64,
    /// Name shown to people.
    pub name: String,
    /// Name where room is short.
    pub short_name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Pages; the first is the start page.
    pub pages: Vec<String>,
    /// Permissions that it may ask for.
    pub permissions: Vec<Permission>,
    /// Hosts that it may talk to.
    pub egress: Vec<String>,
    /// Icons inside its files, as JSON.
    pub icons: String,
    /// Its settings for this tenant, as JSON.
    pub ext: String,
    /// W3C `window`, as JSON.
    pub window: String,
    /// How the vendor wants updates taken up.
    pub update_mode: UpdateMode,
    /// Whether its files are fetched before it is asked for.
    pub preload: bool,
}

/// A permission with its reason, as shown to the person who grants it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Permission {
    /// Name, such as `camera` or `location.precise`.
    pub name: String,
    /// Why it is needed.
    pub reason: String,
}

/// Whether a program may run, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Verdict {
    /// It may.
    Runs,
    /// The vendor took this version away.
    Revoked {
        /// At once, or when it is left.
        mode: RevokeMode,
    },
    /// The newest manifest does not have it any more.
    Lost,
    /// Its window has not begun.
    NotBegun {
        /// When it does.
        at: UnixSeconds,
    },
    /// Its window has ended: its licence with the grace after it, an override, a plan.
    Ended {
        /// When it did.
        at: UnixSeconds,
    },
    /// Older than the oldest version that may be used.
    TooOld {
        /// The lowest code that may.
        least: u32,
    },
    /// Nothing was refreshed for longer than the offline grace, and the strategy is `Revoke`.
    GraceOver {
        /// Since when.
        since: UnixSeconds,
    },
    /// No version of it fits the shell's platform code.
    NoRelease,
    /// Its files are not here; `install` fetches them.
    NotInstalled,
    /// Its files on the disk are not those that were signed for; the next refresh fetches them again.
    Damaged,
}

/// How a revoked version stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RevokeMode {
    /// At once.
    Block,
    /// When it is left.
    Drain,
}

/// When a new version takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum UpdateMode {
    /// Downloaded while the old one runs, used at the next start.
    Background,
    /// Downloaded before the next start, which waits for it.
    Sync,
    /// The running one is stopped for it.
    Force,
}

#[uniffi::export]
impl Start {
    /// The programs that may run.
    pub fn runnable(&self) -> Vec<Program> {
        self.programs.iter().filter(|it| it.verdict == Verdict::Runs).cloned().collect()
    }
}

impl Start {
    /// Nothing, and why.
    pub(crate) fn none(note: String) -> Start {
        let json = || "{}".to_owned();
        Start {
            set: None,
            publication: None,
            freshness: Freshness::Unknown,
            programs: Vec::new(),
            branding: json(),
            entitlements: json(),
            limits: json(),
            gave_up: None,
            failed_starts: 0,
            next_change: None,
            notes: vec![note],
        }
    }

    /// A start, or nothing if that panics: a shell that comes up with nothing can still refresh, and be updated.
    pub(crate) fn or_none(start: impl FnOnce() -> Start) -> Start {
        catch_unwind(AssertUnwindSafe(start)).unwrap_or_else(|panic| Start::none(error::defect(&*panic)))
    }
}

impl UnixSeconds {
    /// The instant that the client works with: the nearest one between the years 1970 and 9999.
    pub(crate) fn instant(self) -> Timestamp {
        let first = Timestamp::from_unix(0).expect("1970 is in range");
        // There is no later one: what is added beyond the end is cut off.
        let last = first.plus(Duration::days(u32::MAX));
        Timestamp::from_unix(self.0).unwrap_or(if self.0 < 0 { first } else { last })
    }
}

impl From<Timestamp> for UnixSeconds {
    fn from(it: Timestamp) -> UnixSeconds {
        UnixSeconds(it.unix())
    }
}

/// Every element in its new form.
fn all<A: Into<B>, B>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(Into::into).collect()
}

/// A path as text. Only `Config.dir` could bring in something else, and it is text.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl From<client::Update> for Update {
    fn from(it: client::Update) -> Update {
        Update {
            publication: it.publication,
            gained: all(it.gained),
            lost: all(it.lost),
            changed: all(it.changed),
            unchanged: all(it.unchanged),
            stopped: all(it.stopped),
            staged: it.staged,
            held_back: it.held_back.map(|it| HeldBack { set: it.set, until: it.until.into() }),
            missing: all(it.missing),
            stale_edge: it.stale_edge.map(StaleEdge::from),
            fresh_until: it.fresh_until.into(),
            next_check: it.next_check.into(),
            traffic: Traffic { requests: it.traffic.requests, bytes: it.traffic.bytes },
        }
    }
}

impl From<client::ProgramVersion> for ProgramVersion {
    fn from(it: client::ProgramVersion) -> ProgramVersion {
        ProgramVersion { app_id: it.app_id, code: it.code, version: it.version }
    }
}

impl From<manifest::Version> for Version {
    fn from(it: manifest::Version) -> Version {
        Version { code: it.code, name: it.name }
    }
}

impl From<client::ProgramChange> for ProgramChange {
    fn from(it: client::ProgramChange) -> ProgramChange {
        ProgramChange { app_id: it.app_id, old: it.from.into(), new: it.to.into(), mode: it.mode.into() }
    }
}

impl From<client::Stopped> for Stopped {
    fn from(it: client::Stopped) -> Stopped {
        Stopped { app_id: it.app_id, code: it.code, why: it.why.into() }
    }
}

impl From<client::Missing> for Missing {
    fn from(it: client::Missing) -> Missing {
        Missing { app_id: it.app_id, code: it.code.into(), why: it.why }
    }
}

impl From<client::StaleEdge> for StaleEdge {
    fn from(it: client::StaleEdge) -> StaleEdge {
        StaleEdge { known: it.known, served: it.served, since: it.since.into() }
    }
}

impl From<client::Activated> for Activated {
    fn from(it: client::Activated) -> Activated {
        match it {
            client::Activated::Switched { set, from } => Activated::Switched { set, before: from },
            client::Activated::Nothing => Activated::NothingStaged,
            client::Activated::Damaged { set } => Activated::Damaged { set },
        }
    }
}

impl From<client::Start> for Start {
    fn from(it: client::Start) -> Start {
        Start {
            set: it.set,
            publication: it.publication,
            freshness: it.freshness.into(),
            programs: all(it.programs),
            branding: it.branding,
            entitlements: it.entitlements,
            limits: it.limits,
            gave_up: it.gave_up,
            failed_starts: it.failed_starts,
            next_change: it.next_change.map(UnixSeconds::from),
            notes: it.notes,
        }
    }
}

impl From<client::Freshness> for Freshness {
    fn from(it: client::Freshness) -> Freshness {
        match it {
            client::Freshness::Nothing => Freshness::Unknown,
            client::Freshness::Fresh { until } => Freshness::Fresh { until: until.into() },
            client::Freshness::Grace { since, until } => Freshness::Grace { since: since.into(), until: until.into() },
            client::Freshness::Over { since, strategy } => {
                Freshness::Over { since: since.into(), strategy: strategy.into() }
            }
        }
    }
}

impl From<input::ExpirationStrategy> for ExpirationStrategy {
    fn from(it: input::ExpirationStrategy) -> ExpirationStrategy {
        match it {
            input::ExpirationStrategy::Restrict => ExpirationStrategy::Restrict,
            input::ExpirationStrategy::Revoke => ExpirationStrategy::Revoke,
            input::ExpirationStrategy::Maintain => ExpirationStrategy::Maintain,
        }
    }
}

impl From<client::Program> for Program {
    fn from(it: client::Program) -> Program {
        Program {
            app_id: it.app_id,
            version: it.version.map(Version::from),
            verdict: it.verdict.into(),
            folder: it.folder.as_deref().map(text),
            overlay: it.overlay.as_deref().map(text),
            bytes: it.bytes,
            name: it.name,
            short_name: it.short_name,
            description: it.description,
            pages: it.pages,
            permissions: all(it.permissions),
            egress: it.egress,
            icons: it.icons,
            ext: it.ext,
            window: it.window,
            update_mode: it.update_mode.into(),
            preload: it.preload,
        }
    }
}

impl From<input::Permission> for Permission {
    fn from(it: input::Permission) -> Permission {
        Permission { name: it.name, reason: it.reason }
    }
}

impl From<client::Verdict> for Verdict {
    fn from(it: client::Verdict) -> Verdict {
        match it {
            client::Verdict::Runs => Verdict::Runs,
            client::Verdict::Revoked { mode } => Verdict::Revoked { mode: mode.into() },
            client::Verdict::Lost => Verdict::Lost,
            client::Verdict::NotBegun { from } => Verdict::NotBegun { at: from.into() },
            client::Verdict::Ended { at } => Verdict::Ended { at: at.into() },
            client::Verdict::TooOld { least } => Verdict::TooOld { least },
            client::Verdict::GraceOver { since } => Verdict::GraceOver { since: since.into() },
            client::Verdict::NoRelease => Verdict::NoRelease,
            client::Verdict::NotInstalled => Verdict::NotInstalled,
            client::Verdict::Damaged => Verdict::Damaged,
        }
    }
}

impl From<manifest::RevokeMode> for RevokeMode {
    fn from(it: manifest::RevokeMode) -> RevokeMode {
        match it {
            manifest::RevokeMode::Block => RevokeMode::Block,
            manifest::RevokeMode::Drain => RevokeMode::Drain,
        }
    }
}

impl From<input::UpdateMode> for UpdateMode {
    fn from(it: input::UpdateMode) -> UpdateMode {
        match it {
            input::UpdateMode::Background => UpdateMode::Background,
            input::UpdateMode::Sync => UpdateMode::Sync,
            input::UpdateMode::Force => UpdateMode::Force,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_panics_is_one_with_nothing() {
        let start = Start::or_none(|| panic!("the sky fell"));
        assert_eq!(start, Start::none("a mistake in the client itself: the sky fell".into()));
    }

    #[test]
    fn every_number_is_an_instant() {
        for (seconds, text) in [
            (i64::MIN, "1970-01-01T00:00:00Z"),
            (-1, "1970-01-01T00:00:00Z"),
            (1_795_392_000, "2026-11-23T00:00:00Z"),
            (i64::MAX, "9999-12-30T22:00:00Z"),
        ] {
            assert_eq!(UnixSeconds(seconds).instant().to_string(), text);
        }
    }
}
