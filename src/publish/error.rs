//! Why a publication stops, and what to do about it.

use super::guards::Objection;
use super::head::{Kind, Published, RESERVATION, Reservation};
use super::projection::Homeless;
use super::state::StateError;
use crate::index::Point;
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::verify::Finding;

/// Why a publication stops. Unless it says otherwise nothing was published, and nothing that was is harmed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store failed, or what lies below its `state/` is not what it should be.
    #[error(transparent)]
    State(#[from] StateError),
    /// Somebody has published what the output folder does not descend from.
    #[error(
        "publication {} of store `{store}`, made by `{}` at {}, is not one that the output folder came from",
        current.publication, current.by, current.at
    )]
    Superseded {
        /// Which store.
        store: String,
        /// What it shows.
        current: Box<Published>,
    },
    /// Somebody else has drawn the same number, or a higher one.
    #[error("number {number} of store `{store}` is taken: {}", taken(reservation.as_deref()))]
    Burnt {
        /// Which store.
        store: String,
        /// Our number.
        number: u64,
        /// Who has reserved it, or a higher one; none when they are gone.
        reservation: Option<Box<Reservation>>,
    },
    /// Somebody else is publishing.
    #[error("`{}` has been at work on store `{store}` since {} ({} {})", reservation.by, reservation.at, reservation.kind.as_str(), reservation.publication)]
    Busy {
        /// Which store.
        store: String,
        /// Who, what and since when.
        reservation: Box<Reservation>,
    },
    /// Somebody has taken over while we were at work.
    #[error("publication {number} does not count: `{by}` took over store `{store}` at {at}")]
    TakenOver {
        /// Which store.
        store: String,
        /// Our number.
        number: u64,
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// The publication counted, and another has followed before it was finished.
    #[error("publication {number} of store `{store}` was made, and {} by `{}` at {} has followed it", current.publication, current.by, current.at)]
    Overtaken {
        /// Which store.
        store: String,
        /// Our number.
        number: u64,
        /// What the store shows.
        current: Box<Published>,
    },
    /// The plan was made for another state of the store, or of the output folder.
    #[error("the plan for store `{store}` is stale: {why}")]
    Stale {
        /// Which store.
        store: String,
        /// What has changed.
        why: String,
    },
    /// Our commit does not descend from the published one.
    #[error("commit {ours} does not descend from {published}, which is published in store `{store}`")]
    Rewind {
        /// Which store.
        store: String,
        /// Its commit.
        published: String,
        /// Ours.
        ours: String,
    },
    /// The version of a tenant's timestamp would not grow: shells refuse that.
    #[error("tenant `{tenant}` would go from version {from} to {to} in store `{store}`")]
    Backwards {
        /// Which store.
        store: String,
        /// Which tenant.
        tenant: String,
        /// Its version there.
        from: u64,
        /// Its version here.
        to: u64,
    },
    /// A guard stops it, and nobody has said that it may pass.
    #[error("guard `{}`: {}", objection.guard.slug(), objection.message())]
    Guard {
        /// What it has found.
        objection: Box<Objection>,
        /// The number that was said, if one was.
        said: Option<usize>,
    },
    /// A tenant has nowhere to go.
    #[error(transparent)]
    Homeless(#[from] Homeless),
    /// The store belongs to another chain of roots, or another environment.
    #[error("store `{store}` {why}")]
    OtherRoot {
        /// Which store.
        store: String,
        /// What is different.
        why: String,
    },
    /// What was to be published is damaged.
    #[error("the output folder is damaged: {}", first(.0))]
    Unsound(Vec<Finding>),
    /// Somebody stopped it before it counted.
    #[error("stopped before publication {number} of store `{store}` counted: nothing was published")]
    Interrupted {
        /// Which store.
        store: String,
        /// Our number.
        number: u64,
    },
    /// The publication counts, but not every timestamp has been moved.
    #[error("publication {number} of store `{store}` counts, yet {left} of {all} timestamps are still to be moved")]
    Unfinished {
        /// Which store.
        store: String,
        /// The number.
        number: u64,
        /// Timestamps that are left.
        left: usize,
        /// Timestamps in all.
        all: usize,
        /// What went wrong.
        #[source]
        source: Box<PublishError>,
    },
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> PublishError {
        PublishError::State(error.into())
    }
}

impl PublishError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        let onto = |store: &str| format!("compile again with `--onto {store}`, and publish that");
        match self {
            PublishError::State(error) => error.help(),
            PublishError::Superseded { store, .. } | PublishError::TakenOver { store, .. } => Some(onto(store)),
            PublishError::Burnt { store, .. } => {
                Some(format!("compile again with `--onto {store}`, which draws a number that nobody has had"))
            }
            PublishError::Busy { reservation, .. } if reservation.kind == Kind::Gc => Some(format!(
                "run again when it has collected what nobody needs; if it is dead, anybody may go on after {} minutes, and not earlier",
                RESERVATION.seconds() / 60
            )),
            PublishError::Busy { store, .. } => Some(format!(
                "wait for it, then compile again with `--onto {store}`; if it is dead, `--take-over` goes on at once and everybody may after {} minutes",
                RESERVATION.seconds() / 60
            )),
            PublishError::Overtaken { .. } => Some("there is nothing to repair: look at the newer publication".into()),
            PublishError::Stale { .. } => Some("make a new plan with `publish --dry-run --format json`".into()),
            PublishError::Rewind { .. } => {
                Some("publish from a newer commit; `--allow-rewind` publishes this one all the same".into())
            }
            PublishError::Backwards { store, .. } => Some(onto(store)),
            PublishError::Guard { objection, said } => Some(objection.help(*said)),
            PublishError::Homeless(error) => Some(error.help()),
            PublishError::OtherRoot { .. } => Some("name another store, or compile with the keys of this one".into()),
            PublishError::Unsound(_) => Some("compile again; nothing was sent anywhere".into()),
            PublishError::Interrupted { .. } => Some("run again: what was uploaded is not lost".into()),
            PublishError::Unfinished { .. } => {
                Some("run again: this run, or anybody's next one, goes on where this one stopped".into())
            }
        }
    }
}

/// What a store shows, and what stands in the way of that, for messages.
pub(super) fn describe(point: Option<Point>) -> String {
    point.map_or_else(|| "nothing".into(), |it| format!("publication {} ({})", it.publication, short(it)))
}

fn short(point: Point) -> String {
    point.index.to_string()[..12].to_owned()
}

fn taken(reservation: Option<&Reservation>) -> String {
    match reservation {
        Some(it) => format!("`{}` reserved {} at {} for other files", it.by, it.publication, it.at),
        None => "somebody reserved it, or a higher one, for other files".into(),
    }
}

fn first(findings: &[Finding]) -> String {
    match findings {
        [] => "nothing is wrong".into(),
        [one] => format!("`{}`: {}", one.key, one.problem),
        [one, rest @ ..] => format!("`{}`: {} (and {} more)", one.key, one.problem, rest.len()),
    }
}
