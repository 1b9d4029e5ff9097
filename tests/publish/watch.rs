//! A store that is watched: after every operation the invariants must hold.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tenantry::index::keys;
use tenantry::metadata::{Root, TimestampRole, open};
use tenantry::publish::head::{HEAD, Head};
use tenantry::sign::roots::check_root;
use tenantry::store::memory::Memory;
use tenantry::store::{ETag, Fetched, Listed, Store, StoreError, Upload};
use tenantry::time::Timestamp;
use tenantry::verify::{self, Objects, Trust};

use crate::project::Files;

/// Watches a store in memory. What is wrong is written down, so that a publisher in another thread goes on.
pub(crate) struct Watched<'a> {
    memory: &'a Memory,
    judge: &'a Judge,
    wrong: Mutex<Vec<String>>,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(memory: &'a Memory, judge: &'a Judge) -> Watched<'a> {
        Watched { memory, judge, wrong: Mutex::default() }
    }

    /// Everything that was wrong so far.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().expect("only a list").clone()
    }

    fn changed(&self, key: &str, before: Option<&Fetched>) {
        let after = self.memory.get(key, tenantry::store::MAX_OBJECT).expect("memory");
        if before.map(|it| &it.bytes) == after.as_ref().map(|it| &it.bytes) {
            return;
        }
        let complain = |text: String| self.wrong.lock().expect("only a list").push(text);
        let Some(after) = after else { return complain(format!("{key} is gone")) };
        match (key.strip_prefix("t/").and_then(|it| it.strip_suffix("/timestamp.json")), before) {
            (Some(addr), before) => {
                let version = |bytes: &[u8]| open::<TimestampRole>(bytes).map_or(0, |it| it.role.version);
                if before.is_some_and(|it| version(&it.bytes) >= version(&after.bytes)) {
                    complain(format!("{key} went back, or was changed without a new version"));
                }
                if let Err(problem) = self.judge.tenant(self.memory, addr) {
                    complain(problem);
                }
            }
            (None, _) if key == HEAD => {
                let numbers = |it: &[u8]| Head::parse(it).map(|it| (it.current.map(|it| it.publication), it.drawn));
                match (before.map(|it| numbers(&it.bytes)), numbers(&after.bytes)) {
                    (_, Err(why)) => complain(format!("the head cannot be read: {why}")),
                    (Some(Ok(before)), Ok(after)) if after.0 < before.0 || after.1 < before.1 => {
                        complain(format!("the head went back from {before:?} to {after:?}"));
                    }
                    _ => {}
                }
            }
            (None, Some(_)) => complain(format!("{key} was overwritten")),
            (None, None) => {}
        }
    }
}

impl Store for Watched<'_> {
    fn describe(&self) -> String {
        self.memory.describe()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.memory.get(key, max)
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        self.memory.head(key)
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        let before = self.memory.get(upload.key, tenantry::store::MAX_OBJECT)?;
        let put = self.memory.put(upload);
        self.changed(upload.key, before.as_ref());
        put
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        self.memory.list(prefix, each)
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.wrong.lock().expect("only a list").push(format!("{keys:?} were deleted"));
        self.memory.delete(keys)
    }
}

/// A client that starts from nothing but the pinned first root. What it has verified once it knows again by its bytes,
/// and then only looks whether everything is still there.
pub(crate) struct Judge {
    pinned: Vec<u8>,
    now: Timestamp,
    known: Mutex<BTreeMap<Vec<u8>, Arc<Files>>>,
}

impl Judge {
    pub(crate) fn new(pinned: Vec<u8>, now: Timestamp) -> Judge {
        Judge { pinned, now, known: Mutex::default() }
    }

    /// Follows one tenant from its timestamp to the last byte of the last bundle.
    pub(crate) fn tenant(&self, store: &dyn Store, addr: &str) -> Result<(), String> {
        let here = Reached { store, seen: Mutex::default() };
        let timestamp = keys::timestamp(addr);
        let bytes = here.get(&timestamp)?.ok_or_else(|| format!("{timestamp} is missing"))?;
        let known = self.known.lock().expect("only a map").get(&bytes).cloned();
        if let Some(known) = known {
            let gone = known.iter().find(|(key, bytes)| here.get(key).ok().flatten().as_ref() != Some(bytes));
            return gone
                .map_or(Ok(()), |(key, _)| Err(format!("{timestamp} needs {key}, which is not there as it was")));
        }
        let root = self.newest_root(&here)?;
        let trust = Trust { root: &root, now: self.now };
        let say = |it: verify::Finding| format!("{timestamp} leads to {}: {}", it.key, it.problem);
        let verified = verify::tenant(&trust, &here, addr).map_err(say)?;
        for (key, archive) in &verified.archives {
            verify::archive(&here, key, archive).map_err(say)?;
        }
        let seen = here.seen.into_inner().expect("only a map");
        self.known.lock().expect("only a map").insert(bytes, Arc::new(seen));
        Ok(())
    }

    /// Every tenant that a store shows.
    pub(crate) fn all(&self, memory: &Memory) -> Result<usize, String> {
        let pointers = crate::world::pointers(memory);
        pointers.keys().try_for_each(|addr| self.tenant(memory, addr))?;
        Ok(pointers.len())
    }

    fn newest_root(&self, here: &Reached<'_>) -> Result<Root, String> {
        let mut root = check_root(&self.pinned, None).map_err(|why| why.to_string())?;
        while let Some(bytes) = here.get(&keys::root(root.version + 1))? {
            root = check_root(&bytes, Some(&root)).map_err(|why| why.to_string())?;
        }
        Ok(root)
    }
}

/// Remembers what was read.
struct Reached<'a> {
    store: &'a dyn Store,
    seen: Mutex<Files>,
}

impl Objects for Reached<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let bytes = self.store.get(key, tenantry::store::MAX_OBJECT).map_err(|why| why.to_string())?.map(|it| it.bytes);
        if let Some(bytes) = &bytes {
            self.seen.lock().expect("only a map").insert(key.to_owned(), bytes.clone());
        }
        Ok(bytes)
    }
}
