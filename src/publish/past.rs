//! Which publication a store showed at an instant, and which one had decided what a tenant got from it. Reads only.
//!
//! A refresh shows what was decided before it, and a rollback what was decided long before: their own instants decide
//! nothing.

use super::Tools;
use super::head::{Head, Kind, Past};
use super::log;
use super::state::StateError;
use crate::digest::Blake3;
use crate::index::{Index, TenantRecord};
use crate::time::Timestamp;

/// A publication and its index.
#[derive(Debug)]
pub struct Remembered {
    /// As the head remembers it.
    pub past: Past,
    /// Its index; none when it was collected.
    pub index: Option<Index>,
}

/// Where a tenant's content was decided.
#[derive(Debug)]
pub struct Decider {
    /// The publication of the compile.
    pub publication: Remembered,
    /// Whether the digests of both indexes prove it; otherwise it is what the records make likely.
    pub is_proved: bool,
}

/// The publication that a store showed at an instant, by the clocks of its publishers; none before the first one that
/// the head remembers. The timestamps of a publication move in the moments after that.
pub fn in_force(head: &Head, at: Timestamp) -> Option<&Past> {
    head.history.iter().rev().find(|it| it.at <= at)
}

/// Reads a publication with its index.
pub fn remembered(tools: &Tools<'_>, past: &Past) -> Result<Remembered, StateError> {
    Ok(Remembered { past: past.clone(), index: log::index(tools, past)? })
}

impl Remembered {
    /// A tenant by its name, with its address.
    pub fn tenant(&self, name: &str) -> Option<(&str, &TenantRecord)> {
        let tenants = self.index.iter().flat_map(|it| &it.tenants);
        tenants.map(|(addr, it)| (addr.as_str(), it)).find(|(_, it)| it.name == name)
    }

    fn holds(&self, addr: &str, content: Blake3) -> bool {
        let record = self.index.as_ref().and_then(|it| it.tenants.get(addr));
        record.is_some_and(|it| it.content == content)
    }
}

/// The compile that decided what a publication shows of a tenant, which stands in its index as `record`, where that is
/// still there. None when no publication that the head remembers can have been it.
pub fn decider(
    tools: &Tools<'_>,
    head: &Head,
    shown: &Past,
    record: Option<(&str, &TenantRecord)>,
) -> Result<Option<Decider>, StateError> {
    if shown.kind == Kind::Publish {
        let publication = remembered(tools, shown)?;
        return Ok(Some(Decider { is_proved: publication.index.is_some(), publication }));
    }
    let earlier = head.history.iter().rev().filter(|it| it.publication < shown.publication);
    let compiles: Vec<&Past> = earlier.filter(|it| it.kind == Kind::Publish).collect();
    // The record of a refresh or a rollback names the commit whose content it shows; tenants that a rollback leaves
    // alone have the content of another.
    let (named, others): (Vec<&Past>, Vec<&Past>) = compiles.into_iter().partition(|it| it.commit == shown.commit);
    if let Some((addr, record)) = record {
        for past in named.iter().chain(&others) {
            let publication = remembered(tools, past)?;
            if publication.holds(addr, record.content) {
                return Ok(Some(Decider { publication, is_proved: true }));
            }
        }
    }
    let likely = named.first().filter(|it| it.commit.is_some());
    likely.map(|past| Ok(Decider { publication: remembered(tools, past)?, is_proved: false })).transpose()
}
