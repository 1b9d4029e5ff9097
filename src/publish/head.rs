//! The head of a store: the one thing below `state/` that changes. Pure; [`super::state`] reads and replaces it.
//!
//! It says which publication is current, and who is about to make the next one. It is only ever replaced on the
//! condition that it is the one that was read, so two publishers cannot both succeed.

use serde::{Deserialize, Serialize};

use super::state::{self, StateError};
use crate::digest::Sha256;
use crate::index::Point;
use crate::input::Publishers;
use crate::time::{Duration, Timestamp};

/// Version of the formats below `state/`.
pub const FORMAT: u32 = 1;

/// The key of the head.
pub const HEAD: &str = "state/head.json";

/// How many publications the head remembers.
pub const HISTORY: usize = 500;

/// How long a reservation keeps others away; after that whoever made it is taken for dead.
pub const RESERVATION: Duration = Duration::minutes(10);

/// How far the clocks of two publishers may lie apart.
pub const CLOCKS: Duration = Duration::minutes(5);

/// Why publications are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A compile's result.
    Publish,
    /// The same content, signed again.
    Refresh,
    /// Older content under a new number.
    Rollback,
    /// Nothing new: a reservation that keeps publishers away while unreferenced objects go.
    Gc,
}

impl Kind {
    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Publish => "publish",
            Kind::Refresh => "refresh",
            Kind::Rollback => "rollback",
            Kind::Gc => "gc",
        }
    }
}

/// The head of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`FORMAT`].
    pub format: u32,
    /// What the store shows; none before the first publication.
    pub current: Option<Published>,
    /// Who is about to publish.
    pub reserved: Option<Reservation>,
    /// The highest number that was ever reserved. Objects may lie under it though nobody has published it, so it is
    /// never drawn again.
    pub drawn: u64,
    /// Every publication so far, the current one last; bounded by [`HISTORY`].
    pub history: Vec<Past>,
}

/// A publication that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Its number.
    pub publication: u64,
    /// Digest of its index.
    pub index: Sha256,
    /// When, by the clock of whoever published it.
    pub at: Timestamp,
    /// The commit that it was compiled from, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Who published it.
    pub by: String,
    /// What kept other publishers away.
    pub guard: Publishers,
    /// Why, in the words of whoever published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why, by its kind.
    pub kind: Kind,
    /// The guards that somebody let pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// Whether every timestamp has been put. If not, anybody may go on.
    pub finished: bool,
    /// Digest of the timestamps that it moves; none when it moves none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamps: Option<Sha256>,
    /// The newest receipt that there is: of an earlier publication, as long as this one is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptName>,
}

/// That somebody let a guard pass, by saying what it had found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Which guard, as docs/plan.md names it.
    pub guard: String,
    /// How many tenants it had found.
    pub number: usize,
    /// How many it lets through by itself.
    pub limit: usize,
}

/// Which receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptName {
    /// The publication that was finished.
    pub publication: u64,
    /// Digest of the receipt.
    pub sha256: Sha256,
}

/// That somebody is about to publish. It binds a number to one index, so that a number is never used twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    /// The number that it will have.
    pub publication: u64,
    /// Digest of its index.
    pub index: Sha256,
    /// Who.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// What for.
    pub kind: Kind,
}

/// A publication that was current, or is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// Its number.
    pub publication: u64,
    /// Digest of its index.
    pub index: Sha256,
    /// When.
    pub at: Timestamp,
    /// Who published it.
    pub by: String,
    /// What it was.
    pub kind: Kind,
    /// The commit that it was compiled from, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why, in the words of whoever published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The guards that somebody let pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

impl Published {
    /// Which one.
    pub fn point(&self) -> Point {
        Point { publication: self.publication, index: self.index }
    }
}

impl Reservation {
    /// Which one is to be published.
    pub fn point(&self) -> Point {
        Point { publication: self.publication, index: self.index }
    }

    /// Whether it no longer keeps anybody away.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.at.until(now) >= RESERVATION
    }
}

impl Past {
    /// Which one.
    pub fn point(&self) -> Point {
        Point { publication: self.publication, index: self.index }
    }
}

impl Default for Head {
    /// The head of a store that has none.
    fn default() -> Head {
        Head { format: FORMAT, current: None, reserved: None, drawn: 0, history: Vec::new() }
    }
}

impl Head {
    /// Reads `state/head.json`.
    pub fn parse(bytes: &[u8]) -> Result<Head, StateError> {
        state::parse(HEAD, bytes)
    }

    /// Writes `state/head.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a head has only text keys");
        bytes.push(b'\n');
        bytes
    }

    /// Which publication is current.
    pub fn point(&self) -> Option<Point> {
        self.current.as_ref().map(Published::point)
    }

    /// The current publication, if timestamps of it may still have to be put.
    pub fn unfinished(&self) -> Option<&Published> {
        self.current.as_ref().filter(|it| !it.finished)
    }

    /// The number that a new publication draws: nobody has ever had it, whatever became of them.
    pub fn next_number(&self) -> u64 {
        self.drawn.max(self.current.as_ref().map_or(0, |it| it.publication)) + 1
    }

    /// Whether this publication is current, or was.
    pub fn has_had(&self, point: Point) -> bool {
        self.point() == Some(point) || self.history.iter().any(|it| it.point() == point)
    }

    /// The same head with a reservation.
    pub fn reserve(&self, reservation: Reservation) -> Head {
        let drawn = self.drawn.max(reservation.publication);
        Head { reserved: Some(reservation), drawn, ..self.clone() }
    }

    /// The same head without a reservation.
    pub fn release(&self) -> Head {
        Head { reserved: None, ..self.clone() }
    }

    /// The head by which a publication counts; no reservation is left.
    pub fn commit(&self, published: Published) -> Head {
        let past = Past {
            publication: published.publication,
            index: published.index,
            at: published.at,
            by: published.by.clone(),
            kind: published.kind,
            commit: published.commit.clone(),
            reason: published.reason.clone(),
            overrides: published.overrides.clone(),
        };
        // The same publication under another index says nothing new to shells: one entry is enough.
        let mut history = self.history.clone();
        history.retain(|it| it.publication != past.publication);
        history.push(past);
        history.drain(..history.len().saturating_sub(HISTORY));
        let drawn = self.drawn.max(published.publication);
        Head { format: FORMAT, current: Some(published), reserved: None, drawn, history }
    }

    /// The head by which the current publication is complete.
    pub fn finish(&self, receipt: Option<ReceiptName>) -> Head {
        let current = self.current.clone().map(|it| Published { finished: true, receipt, ..it });
        Head { current, ..self.clone() }
    }

    /// Who has put the last word into it, and when; nobody when it says nothing.
    pub fn latest(&self) -> Option<(&str, Timestamp)> {
        let current = self.current.as_ref().map(|it| (&*it.by, it.at));
        let reserved = self.reserved.as_ref().map(|it| (&*it.by, it.at));
        current.into_iter().chain(reserved).max_by_key(|it| it.1)
    }

    /// Refuses a clock that stands before the last word in it: either that clock is wrong or ours, and what is signed
    /// by a wrong one is expired for shells, or lasts longer than it should.
    pub fn guard_clock(&self, now: Timestamp) -> Result<(), StateError> {
        match self.latest() {
            Some((by, at)) if now.until(at) > CLOCKS => Err(StateError::Clock { by: by.into(), at, now }),
            _ => Ok(()),
        }
    }
}
