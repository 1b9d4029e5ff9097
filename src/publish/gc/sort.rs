//! Every object of a store below the keys that publications use: needed, waiting, foreign, or garbage.

use std::collections::BTreeMap;

use super::super::plan::Total;
use super::super::state;
use super::marks::Marks;
use super::reach::{Need, Reach};
use super::{Collection, Garbage, GcError};
use crate::index::keys;
use crate::store::{Listed, probe};
use crate::time::Timestamp;

/// What the key of a timestamp ends with.
pub(super) const TIMESTAMP: &str = "/timestamp.json";

/// What keys begin with below which objects may go. Roots are kept for ever, so nobody looks there.
const PREFIXES: [&str; 3] = ["o/", "state/", "t/"];

/// A store's objects.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) needed: BTreeMap<Need, Total>,
    pub(super) waiting: Total,
    pub(super) next: Option<Timestamp>,
    pub(super) foreign: Total,
    /// Timestamps first.
    pub(super) garbage: Vec<Garbage>,
    /// What is marked from now on.
    pub(super) marks: BTreeMap<String, Timestamp>,
}

/// Lists a store, and asks of each object who needs it.
pub(super) fn every_object(collection: &Collection<'_>, reach: &Reach, marks: &Marks) -> Result<Sorted, GcError> {
    let mut all = Sorted::default();
    for prefix in PREFIXES {
        // A listing that breaks off begins anew, so what it gave does not count before its end.
        let part = collection.tools.patience.retry(|| {
            let mut part = Sorted::default();
            collection.tools.store.list(prefix, &mut |page| {
                page.into_iter().for_each(|it| part.add(collection, reach, marks, it));
            })?;
            Ok(part)
        })?;
        all.merge(part);
    }
    // The order of keys otherwise; the sort is stable.
    all.garbage.sort_by_key(|it| !it.key.ends_with(TIMESTAMP));
    Ok(all)
}

impl Sorted {
    fn add(&mut self, collection: &Collection<'_>, reach: &Reach, marks: &Marks, listed: Listed) {
        let Listed { key, length, modified, .. } = listed;
        if let Some(need) = reach.need(&key) {
            return count(self.needed.entry(need).or_default(), length);
        }
        if !keys::is_ours(&key) && !state::is_ours(&key) && !probe::is_ours(&key) {
            return count(&mut self.foreign, length);
        }
        // What was put again since it was marked is new.
        let since = marks.marks.get(&key).copied().filter(|since| modified <= *since).unwrap_or(collection.now);
        self.marks.insert(key.clone(), since);
        let ends = since.plus(collection.rules.grace);
        match ends <= collection.now {
            true => self.garbage.push(Garbage { key, bytes: length, since }),
            false => {
                count(&mut self.waiting, length);
                self.next = Some(self.next.map_or(ends, |it| it.min(ends)));
            }
        }
    }

    fn merge(&mut self, part: Sorted) {
        for (need, total) in part.needed {
            sum(self.needed.entry(need).or_default(), total);
        }
        sum(&mut self.waiting, part.waiting);
        sum(&mut self.foreign, part.foreign);
        self.next = [self.next, part.next].into_iter().flatten().min();
        self.garbage.extend(part.garbage);
        self.marks.extend(part.marks);
    }
}

fn count(total: &mut Total, bytes: u64) {
    sum(total, Total { objects: 1, bytes });
}

fn sum(total: &mut Total, more: Total) {
    *total = Total { objects: total.objects + more.objects, bytes: total.bytes + more.bytes };
}
