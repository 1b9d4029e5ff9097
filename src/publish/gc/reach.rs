//! What is needed, and by which publication. Pure but for reading indexes.

use std::collections::HashMap;

use serde::Serialize;

use super::super::head::{HEAD, Head, Kind, Past};
use super::super::state::{self, State, StateError};
use super::Rules;
use super::marks::MARKS;
use crate::index::Index;
use crate::time::Timestamp;

/// A publication that stays whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retained {
    /// Its number.
    pub publication: u64,
    /// When it was made.
    pub at: Timestamp,
    /// What it was.
    pub kind: Kind,
    /// Why it stays.
    pub why: Why,
}

/// Why a publication stays whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is what the store shows.
    Current,
    /// It is one of the last few.
    Few,
    /// It was current not long ago.
    Recent,
}

/// Who needs an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Need {
    /// What the store shows.
    Current,
    /// An earlier publication, which somebody may want to go back to.
    Publication {
        /// Its number; the newest one, if there are several.
        publication: u64,
    },
    /// Somebody who is at work now.
    Reservation,
    /// The store's own records.
    Records,
}

/// The publications that stay whole, newest first.
pub(super) fn retained(head: &Head, rules: &Rules, now: Timestamp) -> Vec<(Past, Why)> {
    let mut kept = Vec::new();
    // When the publication after the one at hand was made: until then that one was current.
    let mut followed: Option<Timestamp> = None;
    for (at, past) in head.history.iter().rev().enumerate() {
        let why = match followed {
            None => Some(Why::Current),
            Some(_) if at < rules.keep => Some(Why::Few),
            Some(followed) if followed.until(now) < rules.keep_for => Some(Why::Recent),
            Some(_) => None,
        };
        kept.extend(why.map(|why| (past.clone(), why)));
        followed = Some(past.at);
    }
    kept
}

/// Everything that is needed.
pub(super) struct Reach {
    /// Public objects and those that the head names, by key.
    keys: HashMap<String, Need>,
    /// Publications whose records below `state/` stay.
    publications: HashMap<u64, Need>,
    /// The number that somebody is about to publish.
    reserved: Option<u64>,
    has_tenants: bool,
}

impl Reach {
    /// Reads the indexes of all publications that stay. One that cannot be read stops everything, unless it is known
    /// to have been collected.
    pub(super) fn new(
        state: &State<'_>,
        head: &Head,
        retained: &mut Vec<(Past, Why)>,
        collected: u64,
        reserved: Option<u64>,
    ) -> Result<Reach, StateError> {
        let mut reach = Reach { keys: HashMap::new(), publications: HashMap::new(), reserved, has_tenants: false };
        let mut gone = Vec::new();
        for (past, why) in retained.iter() {
            let publication = past.publication;
            let need = match why {
                Why::Current => Need::Current,
                Why::Few | Why::Recent => Need::Publication { publication },
            };
            match state.index(past.point()) {
                Ok(index) => reach.add(&index, need),
                Err(StateError::Missing { .. }) if *why != Why::Current && publication <= collected => {
                    gone.push(publication);
                    continue;
                }
                Err(error) => return Err(error),
            }
            reach.publications.insert(publication, need);
        }
        retained.retain(|(past, _)| !gone.contains(&past.publication));
        if let Some(current) = &head.current {
            // The receipt may be that of an earlier publication.
            reach.keys.extend(current.receipt.map(|it| (state::receipt_key(it), Need::Current)));
            reach.publications.insert(current.publication, Need::Current);
        }
        reach.keys.extend([HEAD, MARKS].map(|it| (it.to_owned(), Need::Records)));
        Ok(reach)
    }

    /// The newest publication that needs a key is told about first.
    fn add(&mut self, index: &Index, need: Need) {
        self.has_tenants |= need == Need::Current && !index.tenants.is_empty();
        for key in index.public_files() {
            self.keys.entry(key).or_insert(need);
        }
    }

    /// Whether what the store shows is nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_tenants
    }

    /// Who needs an object; nobody when it may go.
    pub(super) fn need(&self, key: &str) -> Option<Need> {
        if let Some(need) = self.keys.get(key) {
            return Some(*need);
        }
        let number = state::number(key).or_else(|| crate::index::keys::number(key));
        let reserved = || number.filter(|it| self.reserved == Some(*it)).map(|_| Need::Reservation);
        state::number(key).and_then(|it| self.publications.get(&it).copied()).or_else(reserved)
    }
}
