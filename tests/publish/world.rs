//! Projects that are compiled in this process, and stores in memory that they are published to.

use std::collections::BTreeMap;
use std::error::Error;

use tenantry::changes::{Allowance, Guard};
use tenantry::digest::Sha256;
use tenantry::index::{Index, Point};
use tenantry::input::{Publishers, StoreSpec};
use tenantry::load;
use tenantry::pipeline::compile::{Job as CompileJob, compile};
use tenantry::publish::base::{Base, Bases};
use tenantry::publish::guards::Consent;
use tenantry::publish::head::{Head, Kind};
use tenantry::publish::projection::project;
use tenantry::publish::state::State;
use tenantry::publish::{self, Clocks, Job, Others, Planned, PublishError, Record, Report, Rewind, Tools};
use tenantry::sign::keystore::KeyFolder;
use tenantry::store::memory::Memory;
use tenantry::store::{Patience, Store};
use tenantry::time::Timestamp;
use tenantry::verify::Objects;
use tenantry::write::OutDir;

use crate::project::{Files, NOW, Project, read, time};

/// A project in memory with the fixed keys.
pub(crate) fn in_memory(files: Vec<(String, String)>) -> Project {
    let project = Project::in_memory(files);
    crate::project::write_fixed_keys(&project.path("keys"), "production");
    project
}

/// A store that takes tenants of these regions.
pub(crate) fn spec(name: &str, regions: &[&str]) -> StoreSpec {
    StoreSpec {
        name: name.into(),
        directory: Some("public".into()),
        s3: None,
        state: None,
        base_url: None,
        regions: regions.iter().map(|it| (*it).to_owned()).collect(),
        publishers: Publishers::Conditional,
    }
}

/// What a compile left: everything that is in `out/`.
#[derive(Clone)]
pub(crate) struct Compiled {
    pub(crate) index: Index,
    pub(crate) files: Files,
    /// What it descends from, by store.
    pub(crate) lineage: BTreeMap<String, Vec<Point>>,
}

impl Objects for Compiled {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.files.get(key).cloned())
    }
}

impl Compiled {
    /// What a store will show of it.
    pub(crate) fn point(&self, spec: &StoreSpec) -> Point {
        let index = project(&self.index, spec);
        Point { publication: index.publication, index: Sha256::of(&index.to_bytes()) }
    }

    /// The same, descending from this too.
    pub(crate) fn descending_from(mut self, spec: &StoreSpec, point: Point) -> Compiled {
        self.lineage.entry(spec.name.clone()).or_default().push(point);
        self
    }
}

/// Compiles a project into a folder of it, as the command does.
#[track_caller]
pub(crate) fn compiled(of: &Project, out: &str, at: &str, onto: &[(&StoreSpec, &dyn Store)]) -> Compiled {
    let tree = load::dir::read(&of.path(""), 1).expect("the project can be read");
    let keys = KeyFolder::new(of.path("keys"));
    let roots = keys.chain().expect("a chain of roots");
    let newest = roots.last().expect("a root").root.clone();
    let path = of.path(out);
    let folder = OutDir::open(&path).expect("opens");
    let bases = onto.iter().map(|(spec, store)| {
        let tools = Tools { store: *store, patience: Patience::NONE, at_once: 1, progress: &|_| () };
        Base::read(&tools, spec).expect("the store can be read")
    });
    let bases: Vec<Base<'_>> = bases.collect();
    let bases = (!bases.is_empty()).then_some(Bases(bases));
    let job = CompileJob {
        tree: &tree,
        now: time(at),
        roots: &roots,
        out: &folder,
        onto: bases.as_ref(),
        threads: 1,
        progress: &|_, _, _| (),
    };
    compile::<Box<dyn Error>>(&job, |settings| keys.signers(&newest, &settings.keys).map_err(Into::into))
        .expect("the project compiles");
    let lineage = folder.lineage().expect("a lineage").stores;
    let index = folder.index().expect("reads").expect("an index");
    drop(folder);
    Compiled { index, files: read(&path), lineage }
}

/// One publisher.
#[derive(Clone)]
pub(crate) struct Publisher<'a> {
    pub(crate) by: &'static str,
    pub(crate) compiled: &'a Compiled,
    pub(crate) spec: &'a StoreSpec,
    pub(crate) now: Timestamp,
    pub(crate) others: Others,
    pub(crate) consent: Consent,
    pub(crate) at_once: usize,
}

impl<'a> Publisher<'a> {
    pub(crate) fn new(by: &'static str, compiled: &'a Compiled, spec: &'a StoreSpec) -> Publisher<'a> {
        let (others, consent) = (Others::Respect, Consent::default());
        Publisher { by, compiled, spec, now: time(NOW), others, consent, at_once: 1 }
    }

    pub(crate) fn at(self, now: &str) -> Publisher<'a> {
        Publisher { now: time(now), ..self }
    }

    pub(crate) fn taking_over(self) -> Publisher<'a> {
        Publisher { others: Others::TakeOver, ..self }
    }

    /// Says the exact number for a guard.
    pub(crate) fn allowing(self, guard: Guard, number: usize) -> Publisher<'a> {
        Publisher { consent: Consent { allowances: vec![Allowance { guard, number }], reviewed: None }, ..self }
    }

    /// Plans and applies, as the command does.
    pub(crate) fn publish(&self, store: &dyn Store) -> Result<Report, PublishError> {
        self.with_job(store, |job| {
            let planned = publish::plan(job)?;
            publish::apply(job, &planned)
        })
    }

    /// Plans only.
    pub(crate) fn plan(&self, store: &dyn Store) -> Result<Planned, PublishError> {
        self.with_job(store, publish::plan)
    }

    pub(crate) fn with_job<T>(&self, store: &dyn Store, work: impl FnOnce(&Job<'_>) -> T) -> T {
        let record = Record { by: self.by.into(), reason: None, kind: Kind::Publish, guard: Publishers::Conditional };
        let now = self.now;
        let nothing = Vec::new();
        // What the folder is about to become is written down first, so it descends from that too.
        let own = self.compiled.point(self.spec);
        let mut lineage = self.compiled.lineage.get(&self.spec.name).unwrap_or(&nothing).clone();
        lineage.push(own);
        work(&Job {
            tools: Tools { store, patience: Patience::NONE, at_once: self.at_once, progress: &|_| () },
            spec: self.spec,
            index: &self.compiled.index,
            files: self.compiled,
            lineage: &lineage,
            now,
            clock: &move || now,
            clocks: Clocks::Trust,
            record: &record,
            consent: &self.consent,
            others: self.others,
            rewind: Rewind::Allow,
            threads: 1,
            stop: &|| false,
        })
    }
}

/// The head of a store.
pub(crate) fn head(store: &dyn Store) -> Head {
    State { store, patience: Patience::NONE }.head().expect("a head").head
}

/// Whether an error says that somebody else was first, or is at work: exit code 4.
pub(crate) fn is_superseded(error: &PublishError) -> bool {
    matches!(
        error,
        PublishError::Superseded { .. }
            | PublishError::Burnt { .. }
            | PublishError::Busy { .. }
            | PublishError::TakenOver { .. }
            | PublishError::Overtaken { .. }
            | PublishError::Stale { .. }
    )
}

/// Every timestamp that a store shows, by address.
pub(crate) fn pointers(store: &Memory) -> BTreeMap<String, Vec<u8>> {
    let pointers = store.contents().into_iter().filter_map(|(key, bytes)| {
        let addr = key.strip_prefix("t/")?.strip_suffix("/timestamp.json")?.to_owned();
        Some((addr, bytes))
    });
    pointers.collect()
}

/// Whether every timestamp of a publication is there.
pub(crate) fn shows(store: &Memory, compiled: &Compiled, spec: &StoreSpec) -> bool {
    let there = pointers(store);
    project(&compiled.index, spec)
        .tenants
        .iter()
        .all(|(addr, record)| there.get(addr).is_some_and(|bytes| Sha256::of(bytes) == record.timestamp.sha256))
}
