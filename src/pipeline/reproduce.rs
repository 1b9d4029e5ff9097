//! What was published, made again from its commit: one tenant's line-up, or a whole publication to the byte.
//!
//! No private key is needed. Everything that was signed is made again and compared, and the signatures that are there
//! are checked; a signature itself only its key can make.

mod decision; // a project at a commit, decided
mod judge; // one tenant's files
mod report; // what was equal, and what was not

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use self::decision::{Decision, instant, manifest};
use self::judge::{Origin, foreign};
pub use self::report::{Count, Part, Problem, Reproduction};
use self::report::{Judged, Verdict};
use super::compile::COMPILER;
use crate::digest::{Blake3, Sha256};
use crate::index::{Archive, Index, TenantRecord, keys};
use crate::load::{LoadError, SourceTree};
use crate::manifest::{Manifest, Source};
use crate::metadata::Root;
use crate::publish::state::Timestamps;
use crate::publish::workers;
use crate::time::Timestamp;
use crate::verify::Objects;

/// What a reproduction needs.
pub struct Job<'a> {
    /// What the publication says of itself.
    pub index: &'a Index,
    /// The publication whose compile decided the content: this one, or an earlier one that it shows again.
    pub compiled: u64,
    /// Its commit, decided for the instant of that compile.
    pub decision: &'a Decision,
    /// The public objects that are there.
    pub objects: &'a (dyn Objects + 'a),
    /// The chain of roots from a trusted one on.
    pub roots: &'a [Root],
    /// The timestamps that a publication moved, where somebody has kept them.
    pub moved: &'a (dyn Fn(u64) -> Option<Arc<Timestamps>> + Sync + 'a),
    /// Whose content may come from other commits than this.
    pub others: Others,
    /// Reads another commit.
    pub tree: &'a (dyn Fn(&str) -> Result<SourceTree, LoadError> + Sync + 'a),
    /// Whether tenants of a region belong there; none stands for those that are bound to no region.
    pub takes: &'a (dyn Fn(Option<&str>) -> bool + Sync + 'a),
    /// How many objects are asked for at once.
    pub at_once: usize,
}

/// Whose content may come from other commits than the publication's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Nobody's: a compile gives every tenant what its commit gives.
    None,
    /// That of tenants whom a rollback has left alone, because they were added later.
    LeftAlone,
}

/// A tenant of the publication.
struct Case<'a> {
    addr: &'a str,
    record: &'a TenantRecord,
    /// What its manifest names as its source, if the manifest is the one that was signed.
    manifest: Result<Source, Verdict>,
    /// Whether the commit, at the instant of the compile, gives it what it has.
    is_decided: bool,
}

impl Case<'_> {
    fn judged(&self, part: Part, key: String, verdict: Verdict) -> Judged {
        Judged { part, key, tenant: Some(self.record.name.clone()), verdict }
    }

    /// Of whom nothing can be made again.
    fn unjudged(&self, why: String) -> Vec<Judged> {
        let mut all = vec![self.judged(Part::Tenant, self.record.name.clone(), Verdict::Unjudged(why))];
        if let Err(verdict) = &self.manifest {
            let key = keys::manifest(self.addr, self.record.manifest.sha256);
            all.push(self.judged(Part::Manifest, key, verdict.clone()));
        }
        all
    }
}

/// Makes a publication again, and compares.
pub fn reproduce(job: &Job<'_>) -> Reproduction {
    let commit = job.decision.tree.commit.clone().unwrap_or_default();
    let mut reproduction = Reproduction {
        publication: job.index.publication,
        commit: commit.clone(),
        decided_at: job.decision.now,
        compiler: COMPILER,
        other_compilers: BTreeMap::new(),
        from_other_commits: 0,
        parts: BTreeMap::new(),
        differences: Vec::new(),
        unjudged: Vec::new(),
    };
    let mut groups: BTreeMap<Option<String>, Vec<Case<'_>>> = BTreeMap::new();
    for case in job.cases() {
        let source = case.manifest.as_ref().ok();
        if let Some(other) = source.map(|it| &it.compiler).filter(|it| *it != COMPILER) {
            *reproduction.other_compilers.entry(other.clone()).or_default() += 1;
        }
        // Where the manifest is gone, the publication's own commit is what is left to go by.
        let from = source.map_or_else(|| Some(commit.clone()), |it| it.commit.clone());
        groups.entry(from).or_default().push(case);
    }
    let mut packed = BTreeMap::new();
    job.pack(job.decision, &mut packed);
    for (from, cases) in groups {
        if from.as_ref() != Some(&commit) {
            reproduction.from_other_commits += cases.len();
        }
        reproduction.extend(job.group(from.as_deref(), &cases, &mut packed));
    }
    reproduction.extend(job.bundles(&packed));
    reproduction.extend(job.absent());
    reproduction.differences.sort();
    reproduction.unjudged.sort();
    reproduction
}

impl Job<'_> {
    /// Every tenant, with what its manifest says of its source.
    fn cases(&self) -> Vec<Case<'_>> {
        let tenants: Vec<(&String, &TenantRecord)> = self.index.tenants.iter().collect();
        each(self.at_once, &tenants, |(addr, record)| {
            let decided = self.decision.find(&record.tenant_id);
            let content = decided.map(|at| self.decision.composed(at, self.index, record).content);
            let is_decided = content == Some(record.content);
            Case { addr, record, manifest: self.source(addr, record), is_decided }
        })
    }

    fn source(&self, addr: &str, record: &TenantRecord) -> Result<Source, Verdict> {
        match self.objects.get(&keys::manifest(addr, record.manifest.sha256)) {
            Ok(Some(bytes)) if Sha256::of(&bytes) != record.manifest.sha256 => Err(Verdict::Differs(foreign())),
            Ok(Some(bytes)) => match serde_json::from_slice::<Manifest>(&bytes) {
                Ok(manifest) => Ok(manifest.source),
                Err(why) => Err(Verdict::Differs(format!("it is no manifest: {why}"))),
            },
            Ok(None) => Err(judge::gone()),
            Err(why) => Err(Verdict::Unjudged(format!("it cannot be read: {why}"))),
        }
    }

    /// Judges the tenants that were last signed from one commit.
    fn group(&self, from: Option<&str>, cases: &[Case<'_>], packed: &mut BTreeMap<Blake3, Archive>) -> Vec<Judged> {
        let is_own = from == self.decision.tree.commit.as_deref();
        // What that commit gave at the instants at which those were signed whom this commit gives something else: after
        // a rollback they have what came later.
        let may_differ = self.others == Others::LeftAlone && from.is_some();
        let instants: BTreeSet<Timestamp> =
            cases.iter().filter(|it| may_differ && !it.is_decided).map(|it| it.record.targets.issued).collect();
        let first = cases.first().map(|it| it.record.targets.issued);
        let wanted = instants.iter().copied().chain(first.filter(|_| !is_own && instants.is_empty()));
        let others: BTreeMap<Timestamp, Result<Decision, String>> =
            wanted.map(|at| (at, self.decide(from, at))).collect();
        for other in others.values().flatten() {
            self.pack(other, packed);
        }
        // Digests of inputs do not depend on the instant.
        let inputs = match is_own {
            true => Ok(self.decision),
            false => others
                .values()
                .next()
                .map_or(Err("its commit is not known".to_owned()), |it| it.as_ref().map_err(Clone::clone)),
        };
        let judge = |case: &Case<'_>| {
            let other = others.get(&case.record.targets.issued).filter(|_| may_differ && !case.is_decided);
            let decision = match other {
                Some(Ok(other)) => other,
                Some(Err(why)) => return case.unjudged(why.clone()),
                None => self.decision,
            };
            let source = inputs.clone().and_then(|it| match it.find(&case.record.tenant_id) {
                Some(at) => Ok(it.source(at, &self.index.environment)),
                None => Err("the commit that it names has no such tenant".to_owned()),
            });
            let is_own = is_own && case.is_decided && case.record.targets.version == self.compiled;
            judge::tenant(self, case, &Origin { decision, source, is_own })
        };
        each(self.at_once, cases, judge).into_iter().flatten().collect()
    }

    fn decide(&self, from: Option<&str>, at: Timestamp) -> Result<Decision, String> {
        let Some(from) = from else {
            return Err("it was made from a working directory, which no commit holds".into());
        };
        let tree = (self.tree)(from).map_err(|why| format!("commit {from} cannot be read: {why}"))?;
        Decision::new(tree, at).map_err(|_| format!("the project has errors at commit {from}, decided for {at}"))
    }

    /// Packs the bundles of the publication that these decisions know.
    fn pack(&self, decision: &Decision, packed: &mut BTreeMap<Blake3, Archive>) {
        for (program, release) in decision.wanted() {
            let tree = decision.tree_of(program, release);
            if self.index.bundles.contains_key(&tree) {
                packed.entry(tree).or_insert_with(|| decision.archive_of(program, release));
            }
        }
    }

    fn bundles(&self, packed: &BTreeMap<Blake3, Archive>) -> Vec<Judged> {
        let bundles: Vec<(&Blake3, &Archive)> = self.index.bundles.iter().collect();
        each(self.at_once, &bundles, |(tree, there)| {
            let verdict = match packed.get(*tree) {
                Some(made) => self.archive(**tree, **there, *made),
                None => Verdict::Unjudged("no tenant that could be made again has it".into()),
            };
            Judged { part: Part::Bundle, key: keys::archive(**tree, there.sha256), tenant: None, verdict }
        })
    }

    /// Tenants that the commit has and the publication has not.
    fn absent(&self) -> Vec<Judged> {
        let known: BTreeSet<&str> = self.index.tenants.values().map(|it| it.tenant_id.as_str()).collect();
        let tenants = self.decision.checked.tenants.iter().map(|it| &it.tenant);
        let absent = tenants.filter(|it| {
            (self.takes)(it.data_region.as_ref().map(|(region, _)| &**region)) && !known.contains(&*it.tenant_id)
        });
        let judged = absent.map(|it| Judged {
            part: Part::Tenant,
            key: it.name.to_string(),
            tenant: Some(it.name.to_string()),
            verdict: Verdict::Differs("the commit has it, and the publication has not".into()),
        });
        judged.collect()
    }
}

/// Works on every item with threads that may wait for a network.
fn each<T: Sync, R: Send>(threads: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    workers::each(threads, items, |it| Ok::<_, std::convert::Infallible>(work(it)))
        .unwrap_or_else(|never| match never {})
}
