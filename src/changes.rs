//! What differs between two decided projects, tenant by tenant, and why. docs/plan.md says what each change means.
//!
//! Two line-ups are compared as their manifests say them, never as text: [`Comparer`] asks `compose` for every
//! mini-program of both sides and takes the answers apart field by field. Reasons are those that `resolve` recorded.
//! Nothing here reads a file, asks for the time or runs in parallel; `pipeline::plan` has the loops.

mod classes;
mod course;
mod downloads;
mod facts;
mod guards;
mod kind;
mod programs;
mod rules;
mod same;
mod settings;
mod shares;
pub mod show;
mod stays;
mod step;
mod terms;
mod windows;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use crate::changes::classes::{Class, Shape, Values, classes};
pub use crate::changes::course::{Course, Failing, Instant, Moment, running};
pub use crate::changes::downloads::{Download, Fetch, Fetched, worst};
pub use crate::changes::facts::{Told, Witness};
pub use crate::changes::guards::{Allowance, Evidence, Guard, Outcome, Verdict, allowance, judge};
pub use crate::changes::kind::{Cause, Kind, Reach, Weight, weight};
use crate::changes::rules::RuleChange;
pub use crate::changes::same::Same;
use crate::compose::Composer;
use crate::digest::Blake3;
use crate::input::TenantStatus;
use crate::model::{Catalog, ProgramId, Project, Tenant};
use crate::render::Rendered;
use crate::resolve::Resolution;
use crate::text::{FileId, Span};
use crate::time::{Duration, Timestamp};

/// Everything that differs between two projects, decided at one instant.
#[derive(Debug)]
pub struct ChangeSet {
    /// The instant of every decision, on both sides.
    pub at: Timestamp,
    /// Where the change begins.
    pub base: Revision,
    /// Where it leads.
    pub head: Revision,
    /// Tenants of which anything differs, sorted by name.
    pub tenants: Vec<TenantChanges>,
    /// The same, tenants of equal change together: losses first, then the larger class.
    pub classes: Vec<Class>,
    /// Bundles that nobody had before, sorted by program and code.
    pub bundles: Vec<NewBundle>,
    /// Overlays that are made anew.
    pub overlays: Overlays,
    /// What every guard says.
    pub guards: Vec<Verdict>,
    /// What changes by itself in the head within [`AHEAD`].
    pub ahead: Vec<Moment>,
}

/// How far a plan looks ahead.
pub const AHEAD: Duration = Duration::days(7);

/// One of the two projects, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The commit; none for a working directory.
    pub commit: Option<String>,
    /// Digest of all inputs: a plan is stale when this is no longer that of the inputs.
    pub digest: Blake3,
    /// How many tenants it has.
    pub tenants: usize,
}

/// A bundle that has to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewBundle {
    /// The program.
    pub app_id: Arc<str>,
    /// The version's code.
    pub code: u32,
    /// The version's name.
    pub version: String,
    /// Digest of its tree of files.
    pub tree: Blake3,
    /// Bytes of the archive.
    pub length: u64,
}

/// Overlays that have to be uploaded, at most: some may be there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overlays {
    /// How many.
    pub count: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// What differs for one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantChanges {
    /// Its name: the head's, or the base's when it is gone.
    pub name: Box<str>,
    /// Its public identifier, by which the two sides were matched.
    pub tenant_id: Box<str>,
    /// Its plan, on the same side as its name.
    pub plan: Arc<str>,
    /// The changes, sorted, each once.
    pub changes: Vec<Change>,
    /// Levels of its shells that had a mini-program to run, and have none any more.
    pub stranded: Vec<u32>,
    /// What a device downloads at the level at which that is most; none when nothing is.
    pub download: Option<Download>,
    /// Its status on the base's side; none when it is new.
    pub was: Option<TenantStatus>,
    /// Its own files, the base's first: reasons in them are its own.
    own: [Option<FileId>; 2],
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What changes.
    pub kind: Kind,
    /// The mini-program, when the change is about one.
    pub program: Option<Arc<str>>,
    /// What of it, or of the tenant: a permission, a host, the path of a setting, the key of a right.
    pub item: Option<Box<str>>,
    /// How it was.
    pub from: Option<Box<str>>,
    /// How it is.
    pub to: Option<Box<str>>,
    /// For which shells, or for which mini-programs.
    pub scope: Scope,
    /// For which of the tenant's devices.
    pub devices: Devices,
    /// Why.
    pub why: Why,
}

/// What a change extends to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All of it.
    Whole,
    /// Shells of these levels.
    Shells(Levels),
    /// These mini-programs, sorted, all in the same way.
    Programs(Vec<Arc<str>>),
}

/// Some of a tenant's devices, in the order in which rollouts come to them: those from one percent to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Devices {
    /// How many percent come before them.
    pub from: u32,
    /// Where they end.
    pub until: u32,
}

impl Devices {
    /// All of them.
    pub const ALL: Devices = Devices { from: 0, until: 100 };
}

/// A range of shell levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Levels {
    /// Lowest.
    pub min: u32,
    /// Highest, if there is one.
    pub max: Option<u32>,
}

/// Why something changes, and where that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Why {
    /// The reason.
    pub cause: Cause,
    /// The side whose reason it is.
    pub of: Of,
    /// Where it stands in that side's files.
    pub span: Span,
}

/// Which of the two projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Of {
    /// Where the change begins.
    Base,
    /// Where it leads.
    Head,
}

/// One of the two projects, ready to be compared.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Its settings.
    pub project: &'a Project,
    /// What can be had there.
    pub catalog: &'a Catalog,
    /// Says how manifests are made there. Only the trees of its bundles count here: an archive follows from its tree.
    pub composer: &'a Composer<'a>,
}

/// A tenant as one side decided it.
#[derive(Clone, Copy)]
pub struct Seat<'a> {
    /// The tenant.
    pub tenant: &'a Tenant,
    /// Its line-up.
    pub resolution: &'a Resolution,
    /// Its settings and files.
    pub rendered: &'a Rendered,
}

/// A tenant on both sides, matched by its public identifier.
#[derive(Clone, Copy)]
pub enum Pair<'a> {
    /// It is new.
    Added(Seat<'a>),
    /// It is gone.
    Removed(Seat<'a>),
    /// It was there and is there.
    Both(Seat<'a>, Seat<'a>),
}

/// Compares tenants of two projects.
pub struct Comparer<'a> {
    base: Side<'a>,
    head: Side<'a>,
    now: Timestamp,
    same: &'a Same,
    /// For each program of the base, the head's; and the other way round.
    to_head: Vec<Option<ProgramId>>,
    to_base: Vec<Option<ProgramId>>,
    /// What differs in the rules of each profile of the head.
    rules: Vec<Vec<RuleChange>>,
    /// Labels by which some rollout selects, on either side.
    labels: BTreeSet<String>,
}

impl<'a> Comparer<'a> {
    /// For two projects, both decided at `now`.
    pub fn new(base: Side<'a>, head: Side<'a>, same: &'a Same, now: Timestamp) -> Comparer<'a> {
        let ids = |from: &Catalog, to: &Catalog| from.programs.iter().map(|it| to.find_program(&it.app_id)).collect();
        Comparer {
            to_head: ids(base.catalog, head.catalog),
            to_base: ids(head.catalog, base.catalog),
            rules: rules::compare(base.catalog, head.catalog),
            labels: [base, head].into_iter().flat_map(|it| selecting(it.catalog)).collect(),
            base,
            head,
            now,
            same,
        }
    }

    /// The same for another instant.
    pub fn at(&self, now: Timestamp) -> Comparer<'a> {
        let (to_head, to_base) = (self.to_head.clone(), self.to_base.clone());
        Comparer { to_head, to_base, rules: self.rules.clone(), labels: self.labels.clone(), now, ..*self }
    }

    /// Everything that differs for one tenant, and what its devices fetch.
    pub fn tenant(&self, pair: Pair<'_>) -> (TenantChanges, Vec<Fetch>) {
        let (mut changes, mut fetches) = (Vec::new(), Vec::new());
        match pair {
            Pair::Added(head) => self.added(head, &mut changes, &mut fetches),
            Pair::Removed(base) => self.removed(base, &mut changes),
            Pair::Both(base, head) => self.both(base, head, &mut changes, &mut fetches),
        }
        changes.sort_unstable();
        changes.dedup();
        let (catalog, Seat { tenant, .. }) = match pair {
            Pair::Added(head) | Pair::Both(_, head) => (self.head.catalog, head),
            Pair::Removed(base) => (self.base.catalog, base),
        };
        let (base, head) = pair.seats();
        let changes = TenantChanges {
            name: tenant.name.clone(),
            tenant_id: tenant.tenant_id.clone(),
            plan: Arc::clone(&catalog.plans[tenant.plan.0.at()].name),
            changes,
            stranded: self.stranded(pair),
            download: None,
            was: base.map(|it| it.tenant.status),
            own: [base, head].map(|it| it.map(|it| it.tenant.span.file)),
        };
        (changes, fetches)
    }

    fn added(&self, head: Seat<'_>, found: &mut Vec<Change>, fetches: &mut Vec<Fetch>) {
        let why = Why { cause: Cause::TenantAdded, of: Of::Head, span: head.tenant.span };
        found.push(Change::new(Kind::TenantAdded, why).to(&head.resolution.included.len()));
        self.line_ups(Pair::Added(head), found, fetches);
    }

    fn removed(&self, base: Seat<'_>, found: &mut Vec<Change>) {
        let why = Why { cause: Cause::TenantRemoved, of: Of::Base, span: base.tenant.span };
        found.push(Change::new(Kind::TenantRemoved, why).from(&base.resolution.included.len()));
        self.line_ups(Pair::Removed(base), found, &mut Vec::new());
    }

    fn both(&self, base: Seat<'_>, head: Seat<'_>, found: &mut Vec<Change>, fetches: &mut Vec<Fetch>) {
        self.terms(base, head, found);
        self.line_ups(Pair::Both(base, head), found, fetches);
    }
}

impl<'a> Pair<'a> {
    /// The tenant on the base's side and on the head's.
    pub fn seats(self) -> (Option<Seat<'a>>, Option<Seat<'a>>) {
        match self {
            Pair::Added(head) => (None, Some(head)),
            Pair::Removed(base) => (Some(base), None),
            Pair::Both(base, head) => (Some(base), Some(head)),
        }
    }
}

impl Change {
    fn new(kind: Kind, why: Why) -> Change {
        Change {
            kind,
            program: None,
            item: None,
            from: None,
            to: None,
            scope: Scope::Whole,
            devices: Devices::ALL,
            why,
        }
    }

    fn program(mut self, app_id: &Arc<str>) -> Change {
        self.program = Some(Arc::clone(app_id));
        self
    }

    fn item(mut self, item: &str) -> Change {
        self.item = Some(item.into());
        self
    }

    /// As [`Change::item`], unless there is nothing to name.
    fn maybe_item(self, item: &str) -> Change {
        match item {
            "" => self,
            item => self.item(item),
        }
    }

    fn from(mut self, value: &impl ToString) -> Change {
        self.from = Some(value.to_string().into());
        self
    }

    fn to(mut self, value: &impl ToString) -> Change {
        self.to = Some(value.to_string().into());
        self
    }

    fn values(mut self, from: Option<&impl ToString>, to: Option<&impl ToString>) -> Change {
        self.from = from.map(|it| it.to_string().into());
        self.to = to.map(|it| it.to_string().into());
        self
    }

    fn shells(mut self, levels: Levels) -> Change {
        self.scope = Scope::Shells(levels);
        self
    }
}

impl Levels {
    /// Whether shells of a level are among them.
    pub fn contains(&self, level: u32) -> bool {
        self.min <= level && self.max.is_none_or(|max| level <= max)
    }
}

impl TenantChanges {
    /// Whether some change is one of what devices are sent.
    pub fn is_published(&self) -> bool {
        self.changes.iter().any(|it| it.kind.reach() == Reach::Published)
    }

    /// Whether a reason stands in the tenant's own file, and so is nobody else's.
    fn owns(&self, why: &Why) -> bool {
        self.own[why.of as usize] == Some(why.span.file)
    }
}

/// Labels by which rollouts select.
fn selecting(catalog: &Catalog) -> impl Iterator<Item = String> {
    let rollouts = catalog.programs.iter().flat_map(|it| &it.releases).filter_map(|it| it.rollout.as_ref());
    rollouts.flat_map(|it| &it.steps).flat_map(|it| it.match_labels.keys().cloned())
}

/// A value of an enum as it is written in YAML.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
