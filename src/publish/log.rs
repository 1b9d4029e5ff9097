//! What a store's records say of its publications: who, when, why, and what each of them moved. Reads only.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Tools;
use super::head::{HISTORY, Head, Kind, Override, Past};
use super::state::StateError;
use crate::index::{Index, TenantRecord};
use crate::time::Timestamp;

/// One publication, as the head remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number.
    pub publication: u64,
    /// When, by the clock of whoever published it.
    pub at: Timestamp,
    /// What it was.
    pub kind: Kind,
    /// Who published it.
    pub by: String,
    /// Why, in their words.
    pub reason: Option<String>,
    /// The commit that it was compiled from, where that is known.
    pub commit: Option<String>,
    /// The guards that somebody let pass.
    pub overrides: Vec<Override>,
    /// Whether the store shows it.
    pub is_current: bool,
    /// Whether every timestamp has been moved. What another publication has followed is taken to be complete.
    pub is_finished: bool,
}

/// What a publication moved, beside the one before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Moves {
    /// How many tenants it has.
    pub tenants: usize,
    /// Names of tenants that the one before has not.
    pub added: Vec<String>,
    /// Names of tenants that only the one before has.
    pub removed: Vec<String>,
    /// Names of tenants that get something else.
    pub changed: Vec<String>,
    /// How many tenants were signed again with the same content.
    pub signed_again: usize,
}

/// Why nobody can say any more what a publication moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Forgotten {
    /// `tenantry gc` has taken its index.
    Collected,
    /// `tenantry gc` has taken the index of the one before it.
    PreviousCollected,
    /// It is the oldest that the head remembers.
    Oldest,
}

/// Every publication that the head remembers, newest first.
pub fn entries(head: &Head) -> Vec<Entry> {
    head.history.iter().rev().map(|past| entry(head, past)).collect()
}

fn entry(head: &Head, past: &Past) -> Entry {
    let current = head.current.as_ref().filter(|it| it.point() == past.point());
    // Heads of earlier versions remember the reason of the current publication only.
    let reason = past.reason.clone().or_else(|| current.and_then(|it| it.reason.clone()));
    let overrides = match (past.overrides.is_empty(), current) {
        (true, Some(current)) => current.overrides.clone(),
        _ => past.overrides.clone(),
    };
    Entry {
        publication: past.publication,
        at: past.at,
        kind: past.kind,
        by: past.by.clone(),
        reason,
        commit: past.commit.clone(),
        overrides,
        is_current: current.is_some(),
        is_finished: current.is_none_or(|it| it.finished),
    }
}

/// What one of the publications in the head's history moved. Reads two indexes.
pub fn moves(tools: &Tools<'_>, head: &Head, number: u64) -> Result<Result<Moves, Forgotten>, StateError> {
    let Some(at) = head.history.iter().position(|it| it.publication == number) else {
        return Ok(Err(Forgotten::Collected));
    };
    let Some(index) = index(tools, &head.history[at])? else { return Ok(Err(Forgotten::Collected)) };
    match at.checked_sub(1).map(|before| &head.history[before]) {
        Some(before) => match self::index(tools, before)? {
            Some(before) => Ok(Ok(between(Some(&before), &index))),
            None => Ok(Err(Forgotten::PreviousCollected)),
        },
        None if head.history.len() < HISTORY => Ok(Ok(between(None, &index))),
        None => Ok(Err(Forgotten::Oldest)),
    }
}

/// The index of a publication; none when it is no longer there.
pub fn index(tools: &Tools<'_>, past: &Past) -> Result<Option<Index>, StateError> {
    match tools.state().index(past.point()) {
        Ok(index) => Ok(Some(index)),
        Err(StateError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Compares two publications. Pure.
fn between(before: Option<&Index>, index: &Index) -> Moves {
    let mut moves = Moves { tenants: index.tenants.len(), ..Moves::default() };
    let known = |addr: &str| before.and_then(|it| it.tenants.get(addr));
    for (addr, record) in &index.tenants {
        match known(addr) {
            None => moves.added.push(record.name.clone()),
            Some(before) if before.content != record.content => moves.changed.push(record.name.clone()),
            Some(before) if is_signed_again(before, record) => moves.signed_again += 1,
            Some(_) => {}
        }
    }
    let there: BTreeSet<&String> = index.tenants.keys().collect();
    let gone = before.iter().flat_map(|it| &it.tenants).filter(|(addr, _)| !there.contains(addr));
    moves.removed = gone.map(|(_, record)| record.name.clone()).collect();
    for names in [&mut moves.added, &mut moves.removed, &mut moves.changed] {
        names.sort_unstable();
    }
    moves
}

fn is_signed_again(before: &TenantRecord, after: &TenantRecord) -> bool {
    before.timestamp.sha256 != after.timestamp.sha256
}
