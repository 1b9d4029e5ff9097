//! What people look at of a checked project: every tenant's reasons, and every version's weight.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{Checked, Decided, ReadTenant, inputs_digest};
use crate::explain::Explainer;
use crate::first_start;
use crate::load::SourceTree;
use crate::model::{Catalog, PlanId, ProgramId, Tenant};
use crate::overview::{self, Backdrop, Measured, Overview, Parts, Row, measure, row};
use crate::time::Timestamp;

/// Everything that the inputs say. The project is sound, and was decided at `now`.
///
/// `signed` are the bytes of signed files by tenant, as they were published last: of a first start they are the part
/// that the inputs do not say.
pub fn overview(
    tree: &SourceTree,
    checked: &Checked,
    decided: &[Decided],
    signed: &BTreeMap<&str, u64>,
    now: Timestamp,
) -> Overview {
    let (catalog, sources) = (&checked.catalog, tree.sources());
    let mut plans: BTreeSet<PlanId> = BTreeSet::new();
    let backdrop = |it: &ReadTenant| match plans.insert(it.tenant.plan.0) {
        true => Backdrop::Told,
        false => Backdrop::Left,
    };
    let backdrops: Vec<Backdrop> = checked.tenants.iter().map(backdrop).collect();
    let one = |((read, decided), backdrop): ((&ReadTenant, &Decided), &Backdrop)| -> Row {
        let (tenant, resolution) = (&read.tenant, &decided.resolution);
        row(&Explainer { catalog, tenant, resolution, sources: &sources, now }, *backdrop)
    };
    let rows: Vec<Row> = checked.tenants.par_iter().zip(decided).zip(&backdrops).map(one).collect();
    let measured = measured(catalog);
    let first_start = first_start(checked, decided, &measured, signed);
    let tenants: Vec<&Tenant> = checked.tenants.iter().map(|it| &it.tenant).collect();
    overview::overview(Parts {
        project: &checked.project,
        catalog,
        tenants: &tenants,
        commit: tree.commit.clone(),
        inputs: inputs_digest(tree),
        rows,
        measured,
        first_start,
        budget: checked.project.first_start.map(|(it, _)| it.max_bytes),
        now,
    })
}

/// Bytes of each tenant's first start: the archives, and what signed files took.
fn first_start(
    checked: &Checked,
    decided: &[Decided],
    measured: &[Vec<Measured>],
    signed: &BTreeMap<&str, u64>,
) -> Vec<u64> {
    let size = |program: ProgramId, release: usize| {
        (checked.tree(program.at(), release), measured[program.at()][release].length)
    };
    let one = |(read, decided): (&ReadTenant, &Decided)| {
        let archives = first_start::archives(&size, &decided.resolution, &decided.rendered);
        archives.cost.bytes + signed.get(&*read.tenant.tenant_id).copied().unwrap_or(0)
    };
    checked.tenants.par_iter().zip(decided).map(one).collect()
}

/// What every version of the catalogue weighs, wanted or not.
fn measured(catalog: &Catalog) -> Vec<Vec<Measured>> {
    let program = |it: &crate::model::Program| it.releases.par_iter().map(measure).collect();
    catalog.programs.par_iter().map(program).collect()
}
