//! Every tenant's first start: what it preloads besides what it must, and whether it takes more than the project allows.

use rayon::prelude::*;

use super::{Checked, Decided, ReadTenant};
use crate::bundle;
use crate::diag::Diagnostic;
use crate::first_start::{self, Archives, Over, Size};
use crate::model::{Catalog, ProgramId, Project};
use crate::text::Span;

/// The archives of a first start.
pub fn archives(checked: &Checked, decided: &Decided) -> Archives {
    first_start::archives(&checked.sizes(), &decided.resolution, &decided.rendered)
}

/// Has tenants preload what a budget has room for, where the project asks for that.
pub(super) fn fill(project: &Project, decided: &mut [Decided], size: Size<'_>) {
    if let Some(most) = project.fills() {
        decided.par_iter_mut().for_each(|it| first_start::fill(most, size, &mut it.resolution, &it.rendered));
    }
}

/// What can be said of a sound project before anything is signed: archives are packed where one that could not be packed
/// would be too large. The signed files are not known here.
pub fn check(checked: &Checked, decided: &[Decided]) -> Option<Diagnostic> {
    let Checked { project, catalog, tenants, .. } = checked;
    let (budget, span) = project.first_start?;
    let bound = |program: ProgramId, release: usize| {
        let files = &catalog.program(program).releases[release].package.files;
        (checked.tree(program.at(), release), bundle::most_packed(files))
    };
    let may_exceed = |it: &Decided| first_start::most(&bound, &it.resolution, &it.rendered) > budget.max_bytes;
    judge((budget.max_bytes, span), catalog, tenants, decided, may_exceed, &checked.sizes())
}

/// The same where everything is packed; overlays are packed for tenants who would exceed it if they could not be.
pub(super) fn check_packed(
    project: &Project,
    catalog: &Catalog,
    tenants: &[ReadTenant],
    decided: &[Decided],
    size: Size<'_>,
) -> Option<Diagnostic> {
    let (budget, span) = project.first_start?;
    let may_exceed = |it: &Decided| first_start::most(size, &it.resolution, &it.rendered) > budget.max_bytes;
    judge((budget.max_bytes, span), catalog, tenants, decided, may_exceed, size)
}

fn judge(
    (max_bytes, span): (u64, Span),
    catalog: &Catalog,
    tenants: &[ReadTenant],
    decided: &[Decided],
    may_exceed: impl Fn(&Decided) -> bool + Sync,
    size: Size<'_>,
) -> Option<Diagnostic> {
    let suspects: Vec<usize> = (0..decided.len()).into_par_iter().filter(|at| may_exceed(&decided[*at])).collect();
    let over = suspects.into_par_iter().map(|at| over(catalog, &tenants[at], &decided[at], size));
    let over: Vec<Over<'_>> = over.filter(|it| it.bytes() > max_bytes).collect();
    (!over.is_empty()).then(|| first_start::exceeded(max_bytes, span, over))
}

/// What a tenant's archives take.
pub(super) fn over<'a>(catalog: &'a Catalog, read: &'a ReadTenant, decided: &Decided, size: Size<'_>) -> Over<'a> {
    let archives = first_start::archives(size, &decided.resolution, &decided.rendered);
    let programs = archives.programs.iter().map(|it| {
        let program = catalog.program(it.program);
        (&*program.app_id, program.releases[it.release].version.to_string(), it.bytes)
    });
    Over {
        tenant: &read.tenant.name,
        span: read.tenant.span,
        archives: archives.cost.bytes,
        signed: None,
        programs: programs.collect(),
    }
}
