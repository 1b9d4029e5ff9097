//! From two trees of files to what differs between them. What means the same on both sides is decided on neither.
//!
//! A tenant whose file has the same bytes on both sides is read once. Where nothing of the catalogue that it depends
//! on means anything else either ([`Same`](crate::changes::Same)), its line-up is the same, and it is left alone.

mod sides;
mod weigh;

use std::collections::BTreeSet;

use rayon::prelude::*;

use self::sides::{Matched, Sides};
use super::{Checked, Decided, inputs_digest, simulate};
use crate::bundle::{self, Bundles};
use crate::changes::{
    AHEAD, Allowance, ChangeSet, Class, Comparer, Evidence, Fetch, Moment, Of, Pair, Revision, Seat, Side,
    TenantChanges, Witness, classes, judge,
};
use crate::compose::Composer;
use crate::diag::{self, Diagnostic};
use crate::digest::{Blake3, Sha256};
use crate::explain::Explainer;
use crate::first_start;
use crate::index::Archive;
use crate::input::StoreSpec;
use crate::load::SourceTree;
use crate::model::{Catalog, Tenant};
use crate::render::Templates;
use crate::resolve::{Resolution, Resolver};
use crate::time::Timestamp;

/// Everything that a plan depends on.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Where the change begins.
    pub base: &'a SourceTree,
    /// Where it leads.
    pub head: &'a SourceTree,
    /// The instant of every decision, on both sides.
    pub now: Timestamp,
    /// Only tenants that one of these takes, on either side; all when there is none.
    pub stores: &'a [&'a StoreSpec],
    /// What somebody allows that guards would stop.
    pub allowances: &'a [Allowance],
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The base has errors, so there is nothing to compare with.
    #[error("the base has errors")]
    Base(Vec<Diagnostic>),
    /// The inputs have errors.
    #[error("the inputs have errors")]
    Head(Vec<Diagnostic>),
}

/// What differs between two projects, with all that there is to say about the head's inputs.
pub fn plan(job: &Job<'_>) -> Result<(ChangeSet, Vec<Diagnostic>), PlanError> {
    let mut sides = sides::read(job)?;
    let mut diagnostics = std::mem::take(&mut sides.head.diagnostics);
    let matched = sides.matched(job.stores);
    let decided = decide(job, &sides, &matched.pairs, &mut diagnostics)?;
    let planning = Planning { job, sides: &sides, matched: &matched, decided: &decided };
    Ok((planning.change_set(), diagnostics))
}

/// A tenant on one side and on the other.
type Two<T> = (Option<T>, Option<T>);

/// Decides and renders every pair on both sides.
fn decide(
    job: &Job<'_>,
    sides: &Sides,
    pairs: &[Two<&Tenant>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<Two<Decided>>, PlanError> {
    let resolvers = [&sides.base, &sides.head].map(|it| Resolver::new(&it.project, &it.catalog, job.now));
    let templates = [&sides.base, &sides.head].map(|it| Templates::new(&it.catalog));
    let on = |side: usize, tenant: &Tenant| {
        let resolution = resolvers[side].tenant(tenant);
        let (rendered, found) = templates[side].tenant(tenant, &resolution);
        (Decided { resolution, rendered }, found)
    };
    let both = |(base, head): &Two<&Tenant>| (base.map(|it| on(0, it)), head.map(|it| on(1, it)));
    let (mut all, mut of_base, mut of_head) = (Vec::with_capacity(pairs.len()), Vec::new(), Vec::new());
    for (base, head) in pairs.par_iter().map(both).collect::<Vec<_>>() {
        let keep = |it: Option<(Decided, Vec<Diagnostic>)>, found: &mut Vec<Diagnostic>| {
            let (decided, said) = it?;
            found.extend(said);
            Some(decided)
        };
        all.push((keep(base, &mut of_base), keep(head, &mut of_head)));
    }
    if diag::any_error(&of_base) {
        return Err(PlanError::Base(diag::fold_repeats(of_base)));
    }
    diagnostics.extend(diag::fold_repeats(of_head));
    fill(sides, &mut all);
    match diag::any_error(diagnostics) {
        true => Err(PlanError::Head(std::mem::take(diagnostics))),
        false => Ok(all),
    }
}

/// Has tenants preload what a budget has room for, on the sides that ask for it.
fn fill(sides: &Sides, decided: &mut [Two<Decided>]) {
    let fill = |checked: &Checked, decided: Vec<&mut Decided>| {
        let Some(most) = checked.project.fills() else { return };
        let size = checked.sizes();
        let one = |it: &mut Decided| first_start::fill(most, &size, &mut it.resolution, &it.rendered);
        decided.into_par_iter().for_each(one);
    };
    fill(&sides.base, decided.iter_mut().filter_map(|it| it.0.as_mut()).collect());
    fill(&sides.head, decided.iter_mut().filter_map(|it| it.1.as_mut()).collect());
}

/// From decisions to what differs.
struct Planning<'a> {
    job: &'a Job<'a>,
    sides: &'a Sides,
    matched: &'a Matched<'a>,
    /// In the order of the pairs.
    decided: &'a [Two<Decided>],
}

/// A tenant of which something differs, and what its devices fetch.
struct Differing {
    /// Its position among the pairs.
    pair: usize,
    changes: TenantChanges,
    fetches: Vec<Fetch>,
}

impl<'a> Planning<'a> {
    fn change_set(&self) -> ChangeSet {
        let (job, sides) = (self.job, self.sides);
        let mut differing = self.compare();
        differing.sort_by(|a, b| (&a.changes.name, a.pair).cmp(&(&b.changes.name, b.pair)));
        let weighed = self.weigh(&mut differing);
        let pairs: Vec<usize> = differing.iter().map(|it| it.pair).collect();
        let tenants: Vec<TenantChanges> = differing.into_iter().map(|it| it.changes).collect();
        let mut classes = classes(&tenants);
        self.tell(&mut classes, &tenants, &pairs);
        let counts = self.matched.counts();
        let evidence = Evidence {
            budgets: [&sides.base, &sides.head].map(|it| it.project.revocation_budget),
            // What makes a project empty is that nobody at all is left.
            tenants: [counts[0], sides.head.tenants.len()],
            programs: sides.head.catalog.programs.len(),
            now: job.now,
            changes: &tenants,
        };
        let revision = |tree: &SourceTree, tenants: usize| Revision {
            commit: tree.commit.clone(),
            digest: inputs_digest(tree),
            tenants,
        };
        ChangeSet {
            ahead: self.ahead(),
            at: job.now,
            base: revision(job.base, counts[0]),
            head: revision(job.head, counts[1]),
            guards: judge(&evidence, job.allowances),
            tenants,
            classes,
            bundles: weighed.bundles,
            overlays: weighed.overlays,
        }
    }

    /// What changes by itself in the head, whether this change has anything to do with it or not.
    fn ahead(&self) -> Vec<Moment> {
        let Sides { head, .. } = self.sides;
        let (first, last) = (self.job.now.second_after(), self.job.now.plus(AHEAD));
        let (project, catalog, tree) = (&head.project, &head.catalog, self.job.head);
        let is_due = |it: &Resolution| it.next_change.is_some_and(|at| at <= last);
        // Who was decided already says so; of the others nothing is known yet.
        let decided = self
            .matched
            .heads()
            .filter(|(at, _)| self.decided[*at].1.as_ref().is_some_and(|it| is_due(&it.resolution)));
        let resolver = Resolver::new(project, catalog, self.job.now);
        let alike = self.matched.alike.par_iter().copied().filter(|it| is_due(&resolver.tenant(it)));
        let tenants: Vec<&Tenant> = decided.map(|(_, it)| it).chain(alike.collect::<Vec<_>>()).collect();
        let job = simulate::Job { project, catalog, tenants: &tenants, tree, first, last };
        simulate::simulate(&job).moments
    }

    fn compare(&self) -> Vec<Differing> {
        let Sides { base, head, same } = self.sides;
        let bundles = [
            trees(&base.catalog, self.decided.iter().filter_map(|it| it.0.as_ref())),
            trees(&head.catalog, self.decided.iter().filter_map(|it| it.1.as_ref())),
        ];
        let composers = [
            Composer::new(&base.project, &base.catalog, &bundles[0]),
            Composer::new(&head.project, &head.catalog, &bundles[1]),
        ];
        let side = |at: usize| {
            let checked = [base, head][at];
            Side { project: &checked.project, catalog: &checked.catalog, composer: &composers[at] }
        };
        let comparer = Comparer::new(side(0), side(1), same, self.job.now);
        let one = |pair: usize| {
            let (changes, fetches) = comparer.tenant(self.pair(pair)?);
            (!changes.changes.is_empty()).then_some(Differing { pair, changes, fetches })
        };
        (0..self.decided.len()).into_par_iter().filter_map(one).collect()
    }

    fn pair(&self, at: usize) -> Option<Pair<'a>> {
        let seat = |of: Of| {
            let (tenant, decided) = self.tenant(of, at)?;
            Some(Seat { tenant, resolution: &decided.resolution, rendered: &decided.rendered })
        };
        match (seat(Of::Base), seat(Of::Head)) {
            (None, None) => None,
            (None, Some(head)) => Some(Pair::Added(head)),
            (Some(base), None) => Some(Pair::Removed(base)),
            (Some(base), Some(head)) => Some(Pair::Both(base, head)),
        }
    }

    fn tenant(&self, of: Of, at: usize) -> Option<(&'a Tenant, &'a Decided)> {
        let (tenants, decided) = (self.matched.pairs[at], &self.decided[at]);
        match of {
            Of::Base => tenants.0.zip(decided.0.as_ref()),
            Of::Head => tenants.1.zip(decided.1.as_ref()),
        }
    }

    /// Has the first tenant of each class say why.
    fn tell(&self, classes: &mut [Class], tenants: &[TenantChanges], pairs: &[usize]) {
        if classes.is_empty() {
            return;
        }
        let (base, head) = (self.job.base.sources(), self.job.head.sources());
        for class in classes {
            let first = class.tenants[0];
            let explainer = |of: Of, checked: &'a Checked, sources| {
                let (tenant, decided) = self.tenant(of, pairs[first])?;
                let (catalog, resolution, now) = (&checked.catalog, &decided.resolution, self.job.now);
                Some(Explainer { catalog, tenant, resolution, sources, now })
            };
            let witness = Witness {
                base: explainer(Of::Base, &self.sides.base, &base),
                head: explainer(Of::Head, &self.sides.head, &head),
            };
            for shape in &mut class.shapes {
                let change = tenants[first].changes.iter().find(|it| shape.covers(it));
                shape.told = change.map(|it| witness.tell(it)).unwrap_or_default();
            }
        }
    }
}

/// The trees of all versions that somebody has. An archive follows from its tree, so to compare the tree is enough.
fn trees<'a>(catalog: &Catalog, decided: impl Iterator<Item = &'a Decided>) -> Bundles {
    let included = decided.flat_map(|it| it.resolution.line_ups()).flat_map(|it| &it.included);
    let wanted: BTreeSet<(usize, usize)> =
        included.flat_map(|it| it.releases.iter().map(|chosen| (it.program.at(), chosen.release))).collect();
    let wanted: Vec<(usize, usize)> = wanted.into_iter().collect();
    let tree = |(program, release): &(usize, usize)| {
        bundle::tree_digest(&catalog.programs[*program].releases[*release].package.files)
    };
    let digests: Vec<Blake3> = wanted.par_iter().map(tree).collect();
    let mut bundles: Bundles = catalog.programs.iter().map(|it| vec![None; it.releases.len()]).collect();
    for ((program, release), digest) in wanted.into_iter().zip(digests) {
        bundles[program][release] = Some((digest, Archive { sha256: Sha256([0; 32]), length: 0 }));
    }
    bundles
}
