//! What a store shows today: what a compile, a refresh or a rollback goes on from.

use super::Tools;
use super::head::Head;
use super::projection::{merge, takes};
use super::state::StateError;
use crate::digest::{Blake3, Sha256};
use crate::index::{Archive, Index, Point, TenantRecord, keys};
use crate::input::StoreSpec;
use crate::store::{MAX_OBJECT, Store};

/// One store, as it is now.
pub struct Base<'a> {
    /// What the project says about it.
    pub spec: &'a StoreSpec,
    /// The store.
    pub store: &'a dyn Store,
    /// Its head.
    pub head: Head,
    /// Its own index; none before the first publication.
    pub index: Option<Index>,
    /// Its first root; none where there is none.
    pub first_root: Option<Vec<u8>>,
}

impl<'a> Base<'a> {
    /// Asks a store.
    pub fn read(tools: &Tools<'a>, spec: &'a StoreSpec) -> Result<Base<'a>, StateError> {
        let state = tools.state();
        let head = state.head()?.head;
        let index = head.point().map(|point| state.index(point)).transpose()?;
        let root = match index {
            Some(_) => tools.patience.retry(|| tools.store.get(&keys::root(1), MAX_OBJECT))?,
            None => None,
        };
        Ok(Base { spec, store: tools.store, head, index, first_root: root.map(|it| it.bytes) })
    }

    /// What it shows.
    pub fn point(&self) -> Option<Point> {
        self.head.point()
    }

    fn tenant(&self, addr: &str) -> Option<&TenantRecord> {
        self.index.as_ref().and_then(|it| it.tenants.get(addr))
    }

    fn has_bundle(&self, tree: Blake3, archive: Archive) -> bool {
        self.index.as_ref().is_some_and(|it| it.bundles.get(&tree) == Some(&archive))
    }
}

/// The stores that one publication goes on from. What all of them hold that need it is not made again.
pub struct Bases<'a>(pub Vec<Base<'a>>);

impl Bases<'_> {
    /// Their indexes as one; none when nothing was ever published.
    pub fn index(&self) -> Option<Index> {
        merge(self.0.iter().filter_map(|it| it.index.as_ref()))
    }

    /// A number that none of them has ever had.
    pub fn next_number(&self) -> u64 {
        self.0.iter().map(|it| it.head.next_number()).max().unwrap_or(1)
    }

    /// Whether every store that takes a tenant holds its files, but for the timestamp.
    pub fn hold_content(&self, addr: &str, record: &TenantRecord, region: Option<&str>) -> bool {
        self.all(region, |it| it.tenant(addr).is_some_and(|it| it.has_same_content(record)))
    }

    /// Whether every store that takes a tenant shows this timestamp.
    pub fn hold_timestamp(&self, addr: &str, record: &TenantRecord, region: Option<&str>) -> bool {
        self.all(region, |it| it.tenant(addr).is_some_and(|it| it.timestamp == record.timestamp))
    }

    /// Whether every store that takes a tenant holds this overlay of it.
    pub fn hold_overlay(&self, addr: &str, tree: Blake3, sha256: Sha256, region: Option<&str>) -> bool {
        let has = |it: &TenantRecord| it.overlays.get(&tree).is_some_and(|it| it.sha256 == sha256);
        self.all(region, |it| it.tenant(addr).is_some_and(has))
    }

    /// Whether every store that takes tenants of a region holds a bundle.
    pub fn hold_bundle(&self, tree: Blake3, archive: Archive, region: Option<&str>) -> bool {
        self.all(region, |it| it.has_bundle(tree, archive))
    }

    /// The bytes of a bundle, from a store that holds it.
    pub fn fetch(&self, tree: Blake3, archive: Archive) -> Result<Vec<u8>, StateError> {
        let key = keys::archive(tree, archive.sha256);
        let mut last = StateError::Missing { key: key.clone() };
        for base in self.0.iter().filter(|it| it.has_bundle(tree, archive)) {
            match base.store.get(&key, MAX_OBJECT) {
                Ok(Some(there)) if Sha256::of(&there.bytes) == archive.sha256 => return Ok(there.bytes),
                Ok(Some(_)) => {
                    last = StateError::Damaged { key: key.clone(), why: "its bytes are not those of its name".into() };
                }
                Ok(None) => {}
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }

    /// Whether something holds for every store that takes tenants of a region. Not if there is none: then nobody has
    /// anything of theirs.
    fn all(&self, region: Option<&str>, holds: impl Fn(&Base<'_>) -> bool) -> bool {
        let mut takers = self.0.iter().filter(|it| takes(it.spec, region)).peekable();
        takers.peek().is_some() && takers.all(holds)
    }
}
