//! A store in memory, and one that fails on purpose. For tests; atomic in every operation.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::{ETag, Fetched, Listed, Precondition, Store, StoreError, Upload};
use crate::digest::Blake3;
use crate::time::Timestamp;

/// How many objects a page of a listing has.
const PAGE: usize = 1000;

/// Objects in memory.
#[derive(Debug, Default)]
pub struct Memory {
    objects: Mutex<BTreeMap<String, Object>>,
}

#[derive(Debug, Clone)]
struct Object {
    bytes: Vec<u8>,
    etag: ETag,
    modified: Timestamp,
}

impl Memory {
    /// An empty one.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Everything in it: what a test compares.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let objects = self.objects.lock().expect("a store in memory never panics");
        objects.iter().map(|(key, object)| (key.clone(), object.bytes.clone())).collect()
    }

    /// A copy that goes its own way.
    pub fn fork(&self) -> Memory {
        let objects = self.objects.lock().expect("a store in memory never panics");
        Memory { objects: Mutex::new(objects.clone()) }
    }

    /// Makes every object look as if it had been put then.
    pub fn set_modified(&self, at: Timestamp) {
        let mut objects = self.objects.lock().expect("a store in memory never panics");
        objects.values_mut().for_each(|it| it.modified = at);
    }
}

impl Store for Memory {
    fn describe(&self) -> String {
        "memory".into()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        let objects = self.objects.lock().expect("a store in memory never panics");
        match objects.get(key) {
            Some(object) if object.bytes.len() as u64 > max => {
                Err(StoreError::Refused { key: key.into(), source: "it is larger than any object".into() })
            }
            object => Ok(object.map(|it| Fetched { bytes: it.bytes.clone(), etag: it.etag.clone() })),
        }
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        let objects = self.objects.lock().expect("a store in memory never panics");
        Ok(objects.get(key).map(|it| listed(key, it)))
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        let mut objects = self.objects.lock().expect("a store in memory never panics");
        let there = objects.get(upload.key);
        let holds = match &upload.precondition {
            Precondition::None => true,
            Precondition::Absent => there.is_none(),
            Precondition::Is(etag) => there.is_some_and(|it| it.etag == *etag),
        };
        if !holds {
            return Err(StoreError::Precondition { key: upload.key.into() });
        }
        let etag = ETag::new(&Blake3::of(upload.bytes).to_string()[..32]);
        let modified = there.map_or(Timestamp::from_unix(0).expect("1970 is a year"), |it| it.modified);
        let object = Object { bytes: upload.bytes.to_vec(), etag: etag.clone(), modified };
        objects.insert(upload.key.into(), object);
        Ok(etag)
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        let objects = self.objects.lock().expect("a store in memory never panics").clone();
        let found = objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        let found: Vec<Listed> = found.map(|(key, object)| listed(key, object)).collect();
        found.chunks(PAGE).for_each(|page| each(page.to_vec()));
        Ok(())
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        let mut objects = self.objects.lock().expect("a store in memory never panics");
        keys.iter().for_each(|key| {
            objects.remove(key);
        });
        Ok(())
    }
}

fn listed(key: &str, object: &Object) -> Listed {
    Listed { key: key.into(), length: object.bytes.len() as u64, etag: object.etag.clone(), modified: object.modified }
}

/// What goes wrong with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not done, and the store says so.
    NotDone,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is not done, and no answer comes.
    Vanished,
    /// It is not done, and nothing is done ever after: the process has died before it.
    DeadBefore,
    /// It is done, and nothing is done ever after: the process has died behind it.
    DeadBehind,
}

/// What goes wrong with an operation: its number, its verb and its key.
type Script<'a> = Box<dyn Fn(usize, &str, &str) -> Option<Fault> + Send + Sync + 'a>;

/// A store that fails when told to. Counts its operations from 0.
pub struct Faulty<'a> {
    inner: &'a dyn Store,
    script: Script<'a>,
    state: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    operations: usize,
    is_dead: bool,
    log: Vec<String>,
}

impl<'a> Faulty<'a> {
    /// Asks `script` about each operation: its number, its verb (`get`, `head`, `put`, `list`, `delete`) and its key.
    pub fn new(
        inner: &'a dyn Store,
        script: impl Fn(usize, &str, &str) -> Option<Fault> + Send + Sync + 'a,
    ) -> Faulty<'a> {
        Faulty { inner, script: Box::new(script), state: Mutex::default() }
    }

    /// What was asked for so far: verb and key.
    pub fn log(&self) -> Vec<String> {
        self.state.lock().expect("a store in memory never panics").log.clone()
    }

    fn run<T>(
        &self,
        verb: &str,
        key: &str,
        operation: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let fault = {
            let mut state = self.state.lock().expect("a store in memory never panics");
            let number = state.operations;
            state.operations += 1;
            state.log.push(format!("{verb} {key}"));
            match state.is_dead {
                true => Some(Fault::DeadBefore),
                false => {
                    let fault = (self.script)(number, verb, key);
                    state.is_dead = matches!(fault, Some(Fault::DeadBefore | Fault::DeadBehind));
                    fault
                }
            }
        };
        let key = key.to_owned();
        match fault {
            None => operation(),
            Some(Fault::NotDone) => Err(StoreError::Passing { key, source: "slow down".into() }),
            Some(Fault::Vanished) => Err(StoreError::Lost { key, source: "the connection broke".into() }),
            Some(Fault::AnswerLost) => {
                operation()?;
                Err(StoreError::Lost { key, source: "the connection broke".into() })
            }
            Some(Fault::DeadBefore) => Err(StoreError::Refused { key, source: "the process has died".into() }),
            Some(Fault::DeadBehind) => {
                operation()?;
                Err(StoreError::Refused { key, source: "the process has died".into() })
            }
        }
    }
}

impl Store for Faulty<'_> {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.run("get", key, || self.inner.get(key, max))
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        self.run("head", key, || self.inner.head(key))
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        self.run("put", upload.key, || self.inner.put(upload))
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        self.run("list", prefix, || self.inner.list(prefix, each))
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.run("delete", keys.first().map_or("", String::as_str), || self.inner.delete(keys))
    }
}
