//! What people look at of a checked project: every tenant's reasons, and every version's weight.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::{Checked, Decided, ReadTenant, inputs_digest};
use crate::explain::Explainer;
use crate::load::SourceTree;
use crate::model::{Catalog, PlanId, Tenant};
use crate::overview::{self, Backdrop, Measured, Overview, Parts, Row, measure, row};
use crate::time::Timestamp;

/// Everything that the inputs alone say. The project is sound, and was decided at `now`.
pub fn overview(tree: &SourceTree, checked: &Checked, decided: &[Decided], now: Timestamp) -> Overview {
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
    let tenants: Vec<&Tenant> = checked.tenants.iter().map(|it| &it.tenant).collect();
    overview::overview(Parts {
        project: &checked.project,
        catalog,
        tenants: &tenants,
        commit: tree.commit.clone(),
        inputs: inputs_digest(tree),
        rows,
        measured: measured(catalog),
        first_start: Vec::new(),
        budget: None,
        now,
    })
}

/// What every version of the catalogue weighs, wanted or not.
fn measured(catalog: &Catalog) -> Vec<Vec<Measured>> {
    let program = |it: &crate::model::Program| it.releases.par_iter().map(measure).collect();
    catalog.programs.par_iter().map(program).collect()
}
