//! A cold client after every single put: in the right order it always finds one whole publication, and in the wrong
//! order this test sees that it does not.

use std::sync::{Mutex, OnceLock};

use tenantry::store::memory::Memory;
use tenantry::store::{ETag, Fetched, Listed, Store, StoreError, Upload};

use crate::project::{NOW, small, time};
use crate::watch::Judge;
use crate::world::{Compiled, Publisher, compiled, in_memory, spec};

#[test]
fn a_client_that_comes_after_any_put_is_never_broken() {
    assert!(all() > 0);
}

#[test]
fn were_the_order_reversed_this_would_be_seen() {
    let (judge, before, next) = scenario();
    let store = before.fork();
    let backwards = Backwards { inner: &store, held: Mutex::default() };
    let visited = Visited::new(&backwards, &store, &judge);
    Publisher::new("backwards", &next, &spec("main", &[])).publish(&visited).expect("the store says yes to everything");
    let broken = visited.broken.into_inner().expect("only a list");
    assert!(!broken.is_empty(), "timestamps came before what they name, and nobody was harmed");
    assert!(broken.iter().all(|it| it.contains("/timestamp.json ")), "{broken:?}");
}

/// How many cold clients came by, once a process.
pub(crate) fn all() -> usize {
    static ALL: OnceLock<usize> = OnceLock::new();
    *ALL.get_or_init(|| {
        let (judge, before, next) = scenario();
        let visited = Visited::new(&before, &before, &judge);
        Publisher::new("forwards", &next, &spec("main", &[])).publish(&visited).expect("nothing is in the way");
        assert_eq!(visited.broken.into_inner().expect("only a list"), [""; 0]);
        visited.clients.into_inner().expect("only a count")
    })
}

fn scenario() -> (Judge, Memory, Compiled) {
    let (project, store, spec) = (in_memory(small()), Memory::new(), spec("main", &[]));
    let first = compiled(&project, "out", NOW, &[]);
    Publisher::new("before", &first, &spec).publish(&store).expect("nothing is in the way");
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.edit("tenants/corn.yaml", "plan: starter", "plan: business");
    project.write("catalog/programs/chat/app/more.txt", "a bundle that was not there before");
    let next = compiled(&project, "out", NOW, &[]).descending_from(&spec, first.point(&spec));
    (Judge::new(project.root(), time(NOW)), store, next)
}

/// After every put somebody comes who has never been here, and follows every tenant.
struct Visited<'a> {
    inner: &'a dyn Store,
    memory: &'a Memory,
    judge: &'a Judge,
    broken: Mutex<Vec<String>>,
    clients: Mutex<usize>,
}

impl<'a> Visited<'a> {
    fn new(inner: &'a dyn Store, memory: &'a Memory, judge: &'a Judge) -> Visited<'a> {
        Visited { inner, memory, judge, broken: Mutex::default(), clients: Mutex::default() }
    }
}

impl Store for Visited<'_> {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.inner.get(key, max)
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        self.inner.head(key)
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        let put = self.inner.put(upload);
        match self.judge.all(self.memory) {
            Ok(clients) => *self.clients.lock().expect("only a count") += clients,
            Err(problem) => self.broken.lock().expect("only a list").push(problem),
        }
        put
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        self.inner.list(prefix, each)
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.inner.delete(keys)
    }
}

/// Says that it has put an immutable object, and does so only when a timestamp has been put: the wrong order.
struct Backwards<'a> {
    inner: &'a Memory,
    held: Mutex<Vec<(String, Vec<u8>)>>,
}

impl Store for Backwards<'_> {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.inner.get(key, max)
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        self.inner.head(key)
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        let key = upload.key;
        let mut held = self.held.lock().expect("only a list");
        match () {
            () if key.ends_with("/timestamp.json") => self.inner.put(upload),
            () if key.starts_with("state/") => {
                if key.ends_with(".receipt.json") {
                    for (key, bytes) in held.drain(..) {
                        let precondition = upload.precondition.clone();
                        self.inner.put(&Upload { key: &key, bytes: &bytes, precondition })?;
                    }
                }
                self.inner.put(upload)
            }
            () => {
                held.push((key.to_owned(), upload.bytes.to_vec()));
                Ok(ETag::new("later"))
            }
        }
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        self.inner.list(prefix, each)
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.inner.delete(keys)
    }
}
