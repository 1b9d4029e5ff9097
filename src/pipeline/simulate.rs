//! What changes by itself while nobody edits anything: from one change to the next, never asking what lies between.
//!
//! Every line-up says when it can next become another ([`Resolution::next_change`]). All tenants for whom that is the
//! same instant are decided together, so what profiles say of versions is worked out once an instant.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::packages::Packages;
use crate::bundle::Bundles;
use crate::changes::{
    Comparer, Course, Devices, Failing, Instant, Moment, Same, Side, TenantChanges, Witness, classes, running,
};
use crate::compose::{self, Composer};
use crate::diag::{self, Diagnostic};
use crate::digest::{Fingerprint, Sha256};
use crate::explain::Explainer;
use crate::first_start;
use crate::index::Archive;
use crate::load::SourceTree;
use crate::model::{Catalog, ProgramId, Project, Tenant};
use crate::render::{Rendered, Templates};
use crate::resolve::{Included, Resolution, Resolver};
use crate::text::SourceMap;
use crate::time::Timestamp;

/// Everything that a simulation depends on.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The project's own settings.
    pub project: &'a Project,
    /// What can be had.
    pub catalog: &'a Catalog,
    /// Who is asked for.
    pub tenants: &'a [&'a Tenant],
    /// The files that reasons point into.
    pub tree: &'a SourceTree,
    /// The first instant that is looked at.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
}

/// Everything that changes by itself in a sound project.
pub fn simulate(job: &Job<'_>) -> Course {
    let before = job.first.second_before();
    let resolver = Resolver::new(job.project, job.catalog, before);
    let mut known: Vec<Resolution> = job.tenants.par_iter().map(|it| resolver.tenant(it)).collect();
    let moments = match known.iter().any(|it| it.next_change.is_some_and(|at| at <= job.last)) {
        true => {
            let simulation = Simulation::new(job);
            known.par_iter_mut().zip(job.tenants).for_each(|(it, who)| simulation.fill(who, it));
            simulation.run(known)
        }
        false => Vec::new(),
    };
    Course { first: job.first, last: job.last, tenants: job.tenants.len(), moments }
}

/// What every instant needs.
struct Simulation<'a> {
    job: &'a Job<'a>,
    templates: Templates<'a>,
    bundles: Bundles,
    packages: Packages,
    same: Same,
    sources: SourceMap,
}

/// A tenant that was decided anew.
struct Decided {
    /// Its position among those who are asked for.
    tenant: usize,
    resolution: Resolution,
    outcome: Outcome,
}

/// What becomes of it.
enum Outcome {
    Same,
    Changed(Box<TenantChanges>),
    Failing(Failing),
}

impl<'a> Simulation<'a> {
    fn new(job: &'a Job<'a>) -> Simulation<'a> {
        let (project, catalog) = (job.project, job.catalog);
        let same = Same::new((project, catalog), (project, catalog));
        let (templates, bundles, sources) = (Templates::new(catalog), bundles(catalog), job.tree.sources());
        let packages = Packages::new(catalog);
        Simulation { job, templates, bundles, packages, same, sources }
    }

    fn run(&self, mut known: Vec<Resolution>) -> Vec<Moment> {
        let Job { project, catalog, first, last, .. } = *self.job;
        let composer = Composer::new(project, catalog, &self.bundles);
        let side = Side { project, catalog, composer: &composer };
        let comparer = Comparer::new(side, side, &self.same, first);
        let mut due: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
        let wait = |due: &mut BTreeMap<Timestamp, Vec<usize>>, tenant: usize, next: Option<Timestamp>| {
            if let Some(at) = next.filter(|at| *at <= last) {
                due.entry(at).or_default().push(tenant);
            }
        };
        known.iter().enumerate().for_each(|(tenant, it)| wait(&mut due, tenant, it.next_change));
        let mut moments = Vec::new();
        while let Some((at, tenants)) = due.pop_first() {
            let resolver = Resolver::new(project, catalog, at);
            let comparer = comparer.at(at.second_before());
            let one = |tenant: &usize| self.pass(&resolver, &comparer, &known[*tenant], *tenant, at);
            let decided: Vec<Decided> = tenants.par_iter().map(one).collect();
            moments.extend(self.moment(at, &known, &decided));
            for Decided { tenant, resolution, .. } in decided {
                wait(&mut due, tenant, resolution.next_change.filter(|next| at < *next));
                known[tenant] = resolution;
            }
        }
        moments
    }

    /// Takes one tenant over one instant.
    fn pass(
        &self,
        resolver: &Resolver<'_>,
        comparer: &Comparer<'_>,
        known: &Resolution,
        tenant: usize,
        at: Timestamp,
    ) -> Decided {
        let (catalog, who) = (self.job.catalog, self.job.tenants[tenant]);
        let mut resolution = resolver.tenant(who);
        self.fill(who, &mut resolution);
        let (before, after) = (running(known, at.second_before()), running(&resolution, at));
        let blocks = |it: &Resolution| compose::revoked(catalog, it);
        let outcome = match has(&before).eq(has(&after)) && blocks(known) == blocks(&resolution) {
            true => Outcome::Same,
            false => match (self.render(who, &before), self.render(who, &after)) {
                (Ok(old), Ok(new)) => {
                    let before = Instant { decided: known, running: &before, rendered: &old };
                    let after = Instant { decided: &resolution, running: &after, rendered: &new };
                    let changes = comparer.passage(who, before, after, at);
                    match changes.changes.is_empty() {
                        true => Outcome::Same,
                        false => Outcome::Changed(Box::new(changes)),
                    }
                }
                (_, Err(why)) => Outcome::Failing(Failing { tenant: who.name.clone(), message: why.message }),
                // It was said when it began.
                (Err(_), Ok(_)) => Outcome::Same,
            },
        };
        Decided { tenant, resolution, outcome }
    }

    /// Has a tenant preload what a budget has room for, where the project asks for that. Whether its settings can be
    /// made is said of what runs.
    fn fill(&self, tenant: &Tenant, resolution: &mut Resolution) {
        if let Some(most) = self.job.project.fills() {
            let (rendered, _) = self.templates.tenant(tenant, resolution);
            let size = |program: ProgramId, release: usize| self.packages.size(self.job.catalog, program, release);
            first_start::fill(most, &size, resolution, &rendered);
        }
    }

    /// Settings and files of what runs; or the first reason why they cannot be made.
    fn render(&self, tenant: &Tenant, running: &Resolution) -> Result<Rendered, Box<Diagnostic>> {
        let (rendered, found) = self.templates.tenant(tenant, running);
        match found.into_iter().find(|it| diag::any_error(std::slice::from_ref(it))) {
            Some(error) => Err(Box::new(error)),
            None => Ok(rendered),
        }
    }

    /// What changes at an instant, told by classes; nothing when nothing does.
    fn moment(&self, at: Timestamp, known: &[Resolution], decided: &[Decided]) -> Option<Moment> {
        let mut changed: Vec<(&TenantChanges, &Decided)> = Vec::new();
        let mut failing = Vec::new();
        for it in decided {
            match &it.outcome {
                Outcome::Same => {}
                Outcome::Changed(changes) => changed.push((changes, it)),
                Outcome::Failing(it) => failing.push(it.clone()),
            }
        }
        failing.sort();
        changed.sort_by(|a, b| (&a.0.name, a.1.tenant).cmp(&(&b.0.name, b.1.tenant)));
        let tenants: Vec<TenantChanges> = changed.iter().map(|it| it.0.clone()).collect();
        let mut classes = classes(&tenants);
        for class in &mut classes {
            let (changes, decided) = changed[class.tenants[0]];
            let explainer = |resolution, now| {
                let (catalog, sources) = (self.job.catalog, &self.sources);
                Some(Explainer { catalog, tenant: self.job.tenants[decided.tenant], resolution, sources, now })
            };
            let base = explainer(&known[decided.tenant], at.second_before());
            let witness = Witness { base, head: explainer(&decided.resolution, at) };
            for shape in &mut class.shapes {
                let change = changes.changes.iter().find(|it| shape.covers(it));
                shape.told = change.map(|it| witness.tell(it)).unwrap_or_default();
            }
        }
        (!tenants.is_empty() || !failing.is_empty()).then_some(Moment { at, tenants, classes, failing })
    }
}

/// What all devices have, and what the first ones have in its place.
fn has(running: &Resolution) -> impl Iterator<Item = (u32, &[Included])> {
    let shares = running.cohorts.iter().map(|it| (it.percent, &*it.line_up.included));
    shares.chain([(Devices::ALL.until, &*running.included)])
}

/// A stand-in for the tree of every version: with one catalogue on both sides nothing but the version decides what it is.
fn bundles(catalog: &Catalog) -> Bundles {
    let archive = Archive { sha256: Sha256([0; 32]), length: 0 };
    let program = |(at, releases): (usize, usize)| {
        let tree = |release: usize| {
            let name = format!("{at} {release}");
            Fingerprint::new("tenantry.dev 2026-11 stand-in for a tree v1").part(name.as_bytes()).finish()
        };
        (0..releases).map(|release| Some((tree(release), archive))).collect()
    };
    catalog.programs.iter().map(|it| it.releases.len()).enumerate().map(program).collect()
}
