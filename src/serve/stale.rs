//! An edge that has not heard of the newest timestamps yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use crate::store::{Fetched, MAX_OBJECT, Store, StoreError};

/// Which old timestamp is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// The newest and the one before it in turn, as two edges do behind one name.
    Alternate,
    /// Those that were there when the server started.
    Start,
}

/// Timestamps that were there before the newest ones.
pub struct Stale {
    staleness: Staleness,
    seen: Mutex<BTreeMap<String, Seen>>,
}

/// What is known of one tenant's timestamp.
struct Seen {
    first: Fetched,
    previous: Option<Fetched>,
    current: Fetched,
    /// How often it was asked for.
    asked: u64,
}

impl Stale {
    /// Has seen nothing yet.
    pub fn new(staleness: Staleness) -> Stale {
        Stale { staleness, seen: Mutex::default() }
    }

    /// Looks at every timestamp of a store, so that none is missed which nobody asks for.
    pub(super) fn look(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut keys = Vec::new();
        store.list("t/", &mut |page| keys.extend(page.into_iter().map(|it| it.key).filter(|it| is_timestamp(it))))?;
        for key in keys {
            if let Some(timestamp) = store.get(&key, MAX_OBJECT)? {
                note(&mut self.seen(), &key, &timestamp);
            }
        }
        Ok(())
    }

    /// What is shown where this is the newest. Objects that are no timestamps never change.
    pub(super) fn instead(&self, key: &str, newest: Option<Fetched>) -> Option<Fetched> {
        if !is_timestamp(key) {
            return newest;
        }
        let newest = newest?;
        let mut seen = self.seen();
        let seen = note(&mut seen, key, &newest);
        seen.asked += 1;
        Some(match (self.staleness, &seen.previous) {
            (Staleness::Start, _) => seen.first.clone(),
            (Staleness::Alternate, Some(previous)) if seen.asked.is_multiple_of(2) => previous.clone(),
            (Staleness::Alternate, _) => newest,
        })
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.seen.lock().expect("nobody panics with the timestamps in hand")
    }
}

fn note<'a>(all: &'a mut BTreeMap<String, Seen>, key: &str, timestamp: &Fetched) -> &'a mut Seen {
    let seen = all.entry(key.to_owned()).or_insert_with(|| Seen {
        first: timestamp.clone(),
        previous: None,
        current: timestamp.clone(),
        asked: 0,
    });
    if seen.current != *timestamp {
        seen.previous = Some(std::mem::replace(&mut seen.current, timestamp.clone()));
    }
    seen
}

fn is_timestamp(key: &str) -> bool {
    key.ends_with("/timestamp.json")
}

#[cfg(test)]
mod tests {
    use super::{Stale, Staleness};
    use crate::store::{ETag, Fetched};

    const KEY: &str = "t/a/timestamp.json";

    fn timestamp(version: u8) -> Option<Fetched> {
        Some(Fetched { bytes: vec![version], etag: ETag::new(&version.to_string()) })
    }

    #[test]
    fn the_newest_and_the_one_before_it_take_turns() {
        let stale = Stale::new(Staleness::Alternate);
        assert_eq!(stale.instead(KEY, timestamp(1)), timestamp(1), "there is none before it");
        assert_eq!(stale.instead(KEY, timestamp(1)), timestamp(1));
        let shown: Vec<_> = (0..4).map(|_| stale.instead(KEY, timestamp(2))).collect();
        assert_eq!(shown, [timestamp(2), timestamp(1), timestamp(2), timestamp(1)]);
        let shown: Vec<_> = (0..2).map(|_| stale.instead(KEY, timestamp(3))).collect();
        assert_eq!(shown, [timestamp(3), timestamp(2)]);
    }

    #[test]
    fn the_first_one_stays_for_ever() {
        let stale = Stale::new(Staleness::Start);
        let shown: Vec<_> = (1..4).map(|version| stale.instead(KEY, timestamp(version))).collect();
        assert_eq!(shown, [timestamp(1), timestamp(1), timestamp(1)]);
    }

    #[test]
    fn what_is_no_timestamp_is_never_old() {
        let stale = Stale::new(Staleness::Start);
        assert_eq!(stale.instead("o/x", timestamp(1)), timestamp(1));
        assert_eq!(stale.instead("o/x", timestamp(2)), timestamp(2));
        assert_eq!(stale.instead(KEY, None), None);
    }
}
