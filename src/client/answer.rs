//! What a client answers: plain values, made to be handed on to other languages.

use std::path::PathBuf;

use serde::Serialize;

use crate::input::{ExpirationStrategy, Permission, UpdateMode};
use crate::manifest::{RevokeMode, Version};
use crate::time::Timestamp;

/// What a refresh found. Programs are compared with the set that is current, so an update that was not activated yet
/// is told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    /// `block` is to be stopped at once; the others when they are left.
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
    pub fresh_until: Timestamp,
    /// When to refresh next.
    pub next_check: Timestamp,
    /// How much was fetched.
    pub traffic: Traffic,
}

/// A version of a program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ProgramVersion {
    /// Which program.
    pub app_id: String,
    /// The version's code.
    pub code: u32,
    /// The version's name.
    pub version: String,
}

/// A program that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProgramChange {
    /// Which program.
    pub app_id: String,
    /// What is current.
    pub from: Version,
    /// What comes.
    pub to: Version,
    /// How the vendor wants it taken up.
    pub mode: UpdateMode,
}

/// A program that may not run any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// Which program.
    pub app_id: String,
    /// The version's code.
    pub code: u32,
    /// Why.
    pub why: Verdict,
}

/// A set that failed to start twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldBack {
    /// Which.
    pub set: String,
    /// When it is tried again, if nothing newer comes.
    pub until: Timestamp,
}

/// A program whose files could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Which program.
    pub app_id: String,
    /// The code of the error.
    pub code: &'static str,
    /// The error in words.
    pub why: String,
}

/// A cache that has not caught up, or somebody who holds back the newest files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaleEdge {
    /// The version that is known.
    pub known: u64,
    /// The version that was served.
    pub served: u64,
    /// Since when every refresh has met one; report it after an hour.
    pub since: Timestamp,
}

/// What a refresh cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// How many requests were made.
    pub requests: u64,
    /// How many bytes came in bodies.
    pub bytes: u64,
}

/// How an activation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "activated", rename_all = "snake_case")]
pub enum Activated {
    /// The next start takes this set.
    Switched {
        /// The set.
        set: String,
        /// What was current before; it stays until a start of the new one is confirmed.
        from: Option<String>,
    },
    /// Nothing is staged.
    Nothing,
    /// What was staged is damaged on the disk, and was thrown away; the next refresh fetches it again.
    Damaged {
        /// The set.
        set: String,
    },
}

/// What may run now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    pub next_change: Option<Timestamp>,
    /// What is not as it should be on this device, in words for a log.
    pub notes: Vec<String>,
}

/// How fresh is what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Freshness {
    /// Nothing was ever refreshed.
    Nothing,
    /// As fresh as the vendor wants it.
    Fresh {
        /// Until when.
        until: Timestamp,
    },
    /// Not refreshed for too long; everything runs for a while.
    Grace {
        /// Since when.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// The grace is over too; the strategy says what runs.
    Over {
        /// Since when.
        since: Timestamp,
        /// What now.
        strategy: ExpirationStrategy,
    },
}

/// A program of the set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Which.
    pub app_id: String,
    /// The version; none when none fits the shell.
    pub version: Option<Version>,
    /// Whether it may run.
    pub verdict: Verdict,
    /// Where its files lie; none when they are not here.
    pub folder: Option<PathBuf>,
    /// Files that stand over those: look here first.
    pub overlay: Option<PathBuf>,
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

/// Whether a program may run, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
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
        from: Timestamp,
    },
    /// Its window has ended: its licence with the grace after it, an override, a plan.
    Ended {
        /// When it did.
        at: Timestamp,
    },
    /// Older than the oldest version that may be used.
    TooOld {
        /// The lowest code that may.
        least: u32,
    },
    /// Nothing was refreshed for longer than the offline grace, and the strategy is `revoke`.
    GraceOver {
        /// Since when.
        since: Timestamp,
    },
    /// No version of it fits the shell's platform code.
    NoRelease,
    /// Its files are not here; [`super::Client::install`] fetches them.
    NotInstalled,
    /// Its files on the disk are not those that were signed for; the next refresh fetches them again.
    Damaged,
}

impl Start {
    /// The programs that may run.
    pub fn runnable(&self) -> impl Iterator<Item = &Program> {
        self.programs.iter().filter(|it| it.verdict == Verdict::Runs)
    }

    /// A program by its name.
    pub fn program(&self, app_id: &str) -> Option<&Program> {
        self.programs.iter().find(|it| it.app_id == app_id)
    }
}
