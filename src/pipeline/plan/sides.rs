//! The two projects, read so that what is the same is read once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, OnceLock};

use super::super::{Checked, Look, ReadTenant, Reading, holds_only_tenants, read_documents, split};
use super::{Job, PlanError, Two};
use crate::changes::Same;
use crate::check;
use crate::check::Typed;
use crate::check::schema::Shapes;
use crate::diag::{self, Diagnostic};
use crate::input::StoreSpec;
use crate::load::SourceTree;
use crate::model::{Catalog, Project, Tenant};
use crate::publish::projection::takes;
use crate::text::FileId;

/// Both projects, without errors in what was read of the base.
pub(super) struct Sides {
    /// Of the base only the tenants whose files differ; the others are twins of the head's.
    pub(super) base: Checked,
    pub(super) head: Checked,
    pub(super) same: Same,
}

/// Tenants of both sides, by their public identifiers.
pub(super) struct Matched<'a> {
    /// As in the job.
    stores: &'a [&'a StoreSpec],
    /// Those that may differ.
    pub(super) pairs: Vec<Two<&'a Tenant>>,
    /// Those that cannot, as the head has them.
    pub(super) alike: Vec<&'a Tenant>,
}

/// Files below `tenants/` that both sides have with the same bytes, and that hold only tenants: head's and base's ids.
type Shared = HashMap<FileId, FileId>;

/// Reads both sides.
pub(super) fn read(job: &Job<'_>) -> Result<Sides, PlanError> {
    let shapes = Shapes::new();
    let shared = shared(job);
    let first = read_sharing(job, &shapes, &shared)?;
    match first.base.was_misjudged || first.head.was_misjudged {
        // The text of some file belies its documents. Rare, so nothing is shared then.
        true => read_sharing(job, &shapes, &Shared::new()),
        false => Ok(first),
    }
}

fn shared(job: &Job<'_>) -> Shared {
    let (files, _) = split(job.head);
    let same = files.into_iter().filter_map(|id| {
        let file = &job.head.files[id.0 as usize];
        let (other, found) = job.base.find(file.path.as_str())?;
        (file.bytes() == found.bytes() && holds_only_tenants(file.bytes())).then_some((id, other))
    });
    same.collect()
}

fn read_sharing(job: &Job<'_>, shapes: &Shapes, shared: &Shared) -> Result<Sides, PlanError> {
    let base = read_base(job, shapes, shared)?;
    let same: OnceLock<Same> = OnceLock::new();
    let errors: Mutex<Vec<Diagnostic>> = Mutex::default();
    let twin = |project: &Project, catalog: &Catalog, tenant: &Tenant, typed: &Typed| {
        let file = *shared.get(&typed.document.file)?;
        let same = same.get_or_init(|| Same::new((&base.project, &base.catalog), (project, catalog)));
        if same.concerns_nothing_of(tenant) {
            return None;
        }
        let (twin, found) = check::tenant(&base.catalog, typed, job.now);
        if diag::any_error(&found) {
            errors.lock().expect("reading never panics").extend(found.into_iter().map(|it| in_file(it, file)));
        }
        twin.map(|it| Box::new(it.in_file(file)))
    };
    let head = read_side(job.head, shapes, job, &|_| true, &twin);
    let errors = errors.into_inner().expect("reading never panics");
    if !errors.is_empty() {
        return Err(PlanError::Base(diag::fold_repeats(errors)));
    }
    let same = same.into_inner();
    let same = same.unwrap_or_else(|| Same::new((&base.project, &base.catalog), (&head.project, &head.catalog)));
    let mut head = head;
    for it in &mut head.tenants {
        it.is_shared = shared.contains_key(&it.file);
    }
    Ok(Sides { base, head, same })
}

fn read_base(job: &Job<'_>, shapes: &Shapes, shared: &Shared) -> Result<Checked, PlanError> {
    let twins: std::collections::HashSet<FileId> = shared.values().copied().collect();
    let base = read_side(job.base, shapes, job, &|id| !twins.contains(&id), &|_, _, _, _| None);
    match diag::any_error(&base.diagnostics) {
        true => Err(PlanError::Base(base.diagnostics)),
        false => Ok(base),
    }
}

fn read_side(
    tree: &SourceTree,
    shapes: &Shapes,
    job: &Job<'_>,
    is_wanted: &dyn Fn(FileId) -> bool,
    twin: &super::super::Twin<'_>,
) -> Checked {
    let (mut tenant_files, other_files) = split(tree);
    tenant_files.retain(|id| is_wanted(*id));
    let documents = read_documents(tree, shapes, &other_files);
    Reading { tree, shapes, now: job.now, others: &[], twin }.tenants(documents, &tenant_files, Look::AtText)
}

/// The same words about the same bytes in another file.
fn in_file(mut diagnostic: Diagnostic, file: FileId) -> Diagnostic {
    diagnostic.labels.iter_mut().for_each(|it| it.span.file = file);
    diagnostic
}

impl Sides {
    /// Matches tenants by their public identifiers, by which devices know them.
    pub(super) fn matched<'a>(&'a self, stores: &'a [&'a StoreSpec]) -> Matched<'a> {
        let mut before: BTreeMap<&str, &Tenant> =
            self.base.tenants.iter().map(|it| (&*it.tenant.tenant_id, &it.tenant)).collect();
        let (mut pairs, mut alike) = (Vec::new(), Vec::new());
        for ReadTenant { tenant, twin, is_shared, .. } in &self.head.tenants {
            match (twin, is_shared) {
                (Some(twin), _) => pairs.push((Some(&**twin), Some(tenant))),
                (None, true) => alike.push(tenant),
                (None, false) => pairs.push((before.remove(&*tenant.tenant_id), Some(tenant))),
            }
        }
        pairs.extend(before.into_values().map(|it| (Some(it), None)));
        let mut matched = Matched { stores, pairs: Vec::new(), alike: Vec::new() };
        alike.retain(|it| matched.takes(it));
        pairs.retain(|it| [it.0, it.1].into_iter().flatten().any(|it| matched.takes(it)));
        (matched.pairs, matched.alike) = (pairs, alike);
        matched
    }
}

impl<'a> Matched<'a> {
    /// How many tenants base and head have.
    pub(super) fn counts(&self) -> [usize; 2] {
        let count = |seats: &mut dyn Iterator<Item = Option<&Tenant>>| {
            seats.flatten().filter(|it| self.takes(it)).count() + self.alike.len()
        };
        [count(&mut self.pairs.iter().map(|it| it.0)), count(&mut self.pairs.iter().map(|it| it.1))]
    }

    /// The tenants that the head has among the pairs, each with its position.
    pub(super) fn heads(&self) -> impl Iterator<Item = (usize, &'a Tenant)> {
        let heads = self.pairs.iter().enumerate().filter_map(|(at, it)| Some((at, it.1?)));
        heads.filter(|it| self.takes(it.1))
    }

    /// Whether a tenant, as one side has it, is among those that are asked for.
    fn takes(&self, tenant: &Tenant) -> bool {
        let region = tenant.data_region.as_ref().map(|(region, _)| &**region);
        self.stores.is_empty() || self.stores.iter().any(|it| takes(it, region))
    }
}
