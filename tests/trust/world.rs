//! A repository and a shelf in memory, and a client between them that is started anew for every refresh.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::json;
use tenantry::time::Timestamp;
use tenantry::trust::Binding;
use tenantry::trust::updater::{
    Answer, Caches, FetchError, Refreshed, Repository, Request, Shelf, Trouble, UpdateError, Updater,
};

use crate::simulated::{Simulated, TOP};

/// When everything here happens.
pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";
/// Good then.
pub(crate) const LATER: &str = "2026-12-23T12:00:00Z";
/// Over then.
pub(crate) const EARLIER: &str = "2026-11-22T12:00:00Z";

/// Everything a client sees, and everything it keeps.
pub(crate) struct World {
    pub(crate) repository: Rc<RefCell<Simulated>>,
    pub(crate) kept: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    /// What was asked for: file, whether something was held for it, whether caches would do.
    pub(crate) asked: Rc<RefCell<Vec<(String, bool, Caches)>>>,
    /// What is answered to a name in place of what the repository has, as long as caches will do.
    pub(crate) cached: Rc<RefCell<BTreeMap<String, Answer>>>,
    /// How many writes the shelf still does.
    pub(crate) writes_left: Rc<Cell<u32>>,
    pinned: Vec<u8>,
}

pub(crate) type Client = Updater<Wire, Memory>;

impl World {
    /// A repository as `change` leaves it.
    pub(crate) fn with(change: impl FnOnce(&mut Simulated)) -> World {
        let mut repository = Simulated::new(LATER);
        change(&mut repository);
        World {
            pinned: repository.files["metadata/1.root.json"].clone(),
            repository: Rc::new(RefCell::new(repository)),
            kept: Rc::default(),
            asked: Rc::default(),
            cached: Rc::default(),
            writes_left: Rc::new(Cell::new(u32::MAX)),
        }
    }

    /// A repository with our marks, and with lengths and hashes, as `tenantry` writes it.
    pub(crate) fn ours(addr: &str) -> World {
        World::with(|it| {
            it.pins = true;
            mark(it, addr, "production");
            it.says("root", "version", json!(0));
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
        })
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Simulated)) {
        change(&mut self.repository.borrow_mut());
    }

    /// A client that anybody could have.
    pub(crate) fn client(&self) -> Client {
        Updater::open(self.wire(), self.memory(), &self.pinned).expect("the pinned root is a root")
    }

    /// Pins another root from now on.
    pub(crate) fn pin(&mut self, root: Vec<u8>) {
        self.pinned = root;
    }

    /// A client of tenant `a`.
    pub(crate) fn bound(&self) -> Client {
        self.client().bound_to(binding("a")).expect("a root of our own")
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire { repository: Rc::clone(&self.repository), asked: Rc::clone(&self.asked), cached: Rc::clone(&self.cached) }
    }

    pub(crate) fn memory(&self) -> Memory {
        Memory { kept: Rc::clone(&self.kept), writes_left: Rc::clone(&self.writes_left) }
    }

    /// What was asked for since the last time.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        self.asked.take().into_iter().map(|(name, ..)| name).collect()
    }

    /// Everything that is kept.
    pub(crate) fn everything(&self) -> BTreeMap<String, Vec<u8>> {
        self.kept.borrow().clone()
    }
}

/// The binding to one tenant of production.
pub(crate) fn binding(addr: &str) -> Binding {
    Binding { addr: addr.into(), environment: "production".into() }
}

/// Puts our mark into all roles.
pub(crate) fn mark(it: &mut Simulated, addr: &str, environment: &str) {
    for role in TOP {
        let mark = match role {
            "root" => json!({ "environment": environment }),
            _ => json!({ "addr": addr, "environment": environment }),
        };
        it.says(role, "x-tenantry", mark);
    }
}

/// The instant [`NOW`].
pub(crate) fn now() -> Timestamp {
    Timestamp::parse(NOW).expect("a time")
}

/// A refresh at [`NOW`].
pub(crate) fn refresh(mut client: Client) -> Result<Refreshed, UpdateError> {
    client.refresh(now())
}

/// What a refresh complains about.
pub(crate) fn complaint(client: Client) -> String {
    refresh(client).expect_err("it is refused").to_string()
}

pub(crate) struct Wire {
    repository: Rc<RefCell<Simulated>>,
    asked: Rc<RefCell<Vec<(String, bool, Caches)>>>,
    cached: Rc<RefCell<BTreeMap<String, Answer>>>,
}

impl Repository for Wire {
    fn metadata(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        self.asked.borrow_mut().push((request.name.to_owned(), request.held.is_some(), request.caches));
        let cached = self.cached.borrow().get(request.name).cloned();
        let path = format!("metadata/{}", request.name);
        let served = || self.repository.borrow().files.get(&path).cloned().map_or(Answer::Missing, Answer::Bytes);
        Ok(cached.filter(|_| request.caches == Caches::Allowed).unwrap_or_else(served))
    }
}

pub(crate) struct Memory {
    kept: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    writes_left: Rc<Cell<u32>>,
}

impl Memory {
    fn write(&self) -> Result<(), Trouble> {
        let left = self.writes_left.get().checked_sub(1).ok_or("the disk is full")?;
        self.writes_left.set(left);
        Ok(())
    }
}

impl Shelf for Memory {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.kept.borrow().get(name).cloned())
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        self.write()?;
        self.kept.borrow_mut().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn forget(&mut self, name: &str) -> Result<(), Trouble> {
        self.write()?;
        self.kept.borrow_mut().remove(name);
        Ok(())
    }
}
