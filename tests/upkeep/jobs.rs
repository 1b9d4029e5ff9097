//! The jobs, in this process, as the commands do them.

use tenantry::index::Index;
use tenantry::input::{KeySources, Publishers, StoreSpec};
use tenantry::metadata::Lifetimes;
use tenantry::publish::base::Base;
use tenantry::publish::gc::{self, Collection, GcError, Rules, Survey};
use tenantry::publish::guards::Consent;
use tenantry::publish::head::Kind;
use tenantry::publish::refresh::{self, Due, Extent};
use tenantry::publish::renewal::Signing;
use tenantry::publish::rollback::{self, Earlier, Removed, Way};
use tenantry::publish::{self, Clocks, Job, Others, PublishError, Record, Report, Rewind, Tools};
use tenantry::sign::Renewers;
use tenantry::sign::keystore::{KeyFolder, RootFile};
use tenantry::store::{Patience, Store};
use tenantry::time::{Duration, Timestamp};
use tenantry::verify::{Finding, Objects};

use crate::project::{Project, time};
use crate::world::spec;

/// Somebody who keeps the store `main` in order.
pub(crate) struct Keeper {
    pub(crate) by: &'static str,
    pub(crate) now: Timestamp,
    pub(crate) others: Others,
    spec: StoreSpec,
    chain: Vec<RootFile>,
    keys: Renewers,
}

/// What a job that signs has done.
#[derive(Debug)]
pub(crate) struct Done {
    /// None when there was nothing to do.
    pub(crate) report: Option<Report>,
    pub(crate) due: Due,
    pub(crate) refused: Vec<Finding>,
}

/// Why a job stopped, in words, and whether that is because somebody else was first or is at work.
#[derive(Debug)]
pub(crate) enum Stopped {
    Publish(PublishError),
    Gc(GcError),
    Other(String),
}

impl Stopped {
    pub(crate) fn is_superseded(&self) -> bool {
        match self {
            Stopped::Publish(error) | Stopped::Gc(GcError::Publish(error)) => crate::world::is_superseded(error),
            Stopped::Gc(error) => matches!(error, GcError::Changed { .. }),
            Stopped::Other(_) => false,
        }
    }

    pub(crate) fn is_unfinished(&self) -> bool {
        matches!(self, Stopped::Publish(PublishError::Unfinished { .. }))
    }
}

impl From<PublishError> for Stopped {
    fn from(error: PublishError) -> Stopped {
        Stopped::Publish(error)
    }
}

impl From<GcError> for Stopped {
    fn from(error: GcError) -> Stopped {
        Stopped::Gc(error)
    }
}

impl Keeper {
    /// With all keys of a project.
    pub(crate) fn new(by: &'static str, project: &Project, at: &str) -> Keeper {
        let folder = KeyFolder::new(project.path("keys"));
        let chain = folder.chain().expect("a chain of roots");
        let newest = &chain.last().expect("a root").root;
        let keys = folder.renewers(newest, &KeySources::default()).expect("keys");
        Keeper { by, now: time(at), others: Others::Respect, spec: spec("main", &[]), chain, keys }
    }

    /// With nothing but the freshness key.
    pub(crate) fn without_entitlement_key(self) -> Keeper {
        Keeper { keys: Renewers { entitlement: None, ..self.keys }, ..self }
    }

    pub(crate) fn at(self, at: &str) -> Keeper {
        Keeper { now: time(at), ..self }
    }

    pub(crate) fn taking_over(self) -> Keeper {
        Keeper { others: Others::TakeOver, ..self }
    }

    fn signing(&self) -> Signing<'_> {
        let lifetimes = Lifetimes { entitlement: Duration::days(30), freshness: Duration::days(7) };
        Signing { chain: &self.chain, keys: &self.keys, lifetimes, now: self.now }
    }

    fn tools<'a>(&self, store: &'a dyn Store) -> Tools<'a> {
        Tools { store, patience: Patience::NONE, at_once: 1, progress: &|_| () }
    }

    fn base<'a>(&'a self, store: &'a dyn Store) -> Result<(Base<'a>, Index), Stopped> {
        let base = Base::read(&self.tools(store), &self.spec).map_err(PublishError::from)?;
        let index = base.index.clone().ok_or_else(|| Stopped::Other("nothing was published".into()))?;
        Ok((base, index))
    }

    pub(crate) fn refresh(&self, store: &dyn Store, extent: Extent) -> Result<Done, Stopped> {
        let (base, index) = self.base(store)?;
        let tools = self.tools(store);
        let due = refresh::due(&self.signing(), &index, extent);
        if due.is_nothing() {
            let seen = tools.state().head().map_err(PublishError::from)?;
            publish::finish(&tools, "main", seen)?;
            return Ok(Done { report: None, due, refused: Vec::new() });
        }
        refresh::guard(&self.signing(), &base)?;
        let refreshed = refresh::sign(&self.signing(), &tools, &index, &due, base.head.next_number())
            .map_err(|error| Stopped::Other(error.to_string()))?;
        let report = self.publish(&tools, &base, &refreshed.index, &refreshed.files, Kind::Refresh)?;
        Ok(Done { report: Some(report), due, refused: refreshed.refused })
    }

    /// What lies between today and an earlier publication.
    pub(crate) fn way(&self, store: &dyn Store, to: u64, removed: Removed<'_>) -> Result<(Earlier, Way), Stopped> {
        let (base, index) = self.base(store)?;
        let other = |error: rollback::NoWay| Stopped::Other(error.to_string());
        let earlier = Earlier::find(&self.tools(store), &base, to).map_err(other)?;
        let way = rollback::way(&earlier, &index, &self.spec, removed, self.now);
        Ok((earlier, way))
    }

    pub(crate) fn roll_back(
        &self,
        store: &dyn Store,
        to: u64,
        removed: Removed<'_>,
    ) -> Result<Option<Report>, Stopped> {
        let (base, index) = self.base(store)?;
        let tools = self.tools(store);
        let (earlier, way) = self.way(store, to, removed)?;
        if way.changes.is_empty() {
            let seen = tools.state().head().map_err(PublishError::from)?;
            publish::finish(&tools, "main", seen)?;
            return Ok(None);
        }
        let missing = rollback::missing(&tools, &earlier, &way).map_err(PublishError::from)?;
        if !missing.is_empty() {
            return Err(Stopped::Other(format!("missing: {}", missing.join(" "))));
        }
        refresh::guard(&self.signing(), &base)?;
        let number = base.head.next_number();
        let signed = rollback::sign(&self.signing(), &tools, &earlier, &index, &way, number)
            .map_err(|error| Stopped::Other(error.to_string()))?;
        let back = signed.map_err(|findings| Stopped::Other(format!("{findings:?}")))?;
        self.publish(&tools, &base, &back.index, &back.files, Kind::Rollback).map(Some)
    }

    pub(crate) fn collect(&self, store: &dyn Store, rules: Rules) -> Result<Survey, Stopped> {
        self.with_collection(store, rules, |it| Ok(gc::collect(it)?))
    }

    /// What a collection would do.
    pub(crate) fn survey(&self, store: &dyn Store, rules: Rules) -> Result<Survey, Stopped> {
        self.with_collection(store, rules, |it| Ok(gc::survey(it)?))
    }

    fn with_collection<T>(&self, store: &dyn Store, rules: Rules, work: impl FnOnce(&Collection<'_>) -> T) -> T {
        let now = self.now;
        work(&Collection {
            tools: self.tools(store),
            store: "main",
            rules,
            now,
            clock: &move || now,
            clocks: Clocks::Trust,
            by: self.by,
            others: self.others,
            stop: &|| false,
        })
    }

    fn publish(
        &self,
        tools: &Tools<'_>,
        base: &Base<'_>,
        index: &Index,
        files: &dyn Objects,
        kind: Kind,
    ) -> Result<Report, Stopped> {
        let record = Record { by: self.by.into(), reason: None, kind, guard: Publishers::Conditional };
        let now = self.now;
        let job = Job {
            tools: *tools,
            spec: &self.spec,
            index,
            files,
            lineage: &base.point().into_iter().collect::<Vec<_>>(),
            now,
            clock: &move || now,
            clocks: Clocks::Trust,
            record: &record,
            consent: &Consent::default(),
            others: self.others,
            rewind: Rewind::Allow,
            threads: 1,
            stop: &|| false,
        };
        let planned = publish::plan_own(&job)?;
        Ok(publish::apply(&job, &planned)?)
    }
}
