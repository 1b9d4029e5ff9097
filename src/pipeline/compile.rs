//! The main job: a checked project, the previous index and the signers become a publication in `out/`.
//!
//! What has not changed is not read, decided, signed or written again. A tenant is left alone when its own file,
//! the basis (catalogue, project, compiler), the keys and the environment are those of the index, its files are
//! still there, none of them is due to be signed again, and its line-up does not change by itself before `now`.

mod guard;
mod held;
mod incremental;
mod maker;
mod start;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use self::guard::{guard_empty, guard_root};
use self::held::{Previous, clear_folder, previous, record_lineage};
pub(super) use self::incremental::basis_from_nothing;
use self::incremental::{Read, read, read_project};
pub(super) use self::maker::inputs_of;
use self::maker::{Made, Maker, Packing, Why, missing_roots, pack};
use self::start::{Allowed, roots, spread};
use super::{Decided, decide, inputs_digest};
use crate::bundle::Bundles;
use crate::check::schema::Shapes;
use crate::compose::Composer;
use crate::diag::{self, Diagnostic};
use crate::digest::Blake3;
use crate::first_start::Spread;
use crate::index::{Archive, FORMAT, Index, TenantRecord, keys};
use crate::load::SourceTree;
use crate::metadata::keys::{KeyId, SignError};
use crate::model::Project;
use crate::publish::base::Bases;
use crate::publish::state::StateError;
use crate::sign::Signers;
use crate::sign::keystore::RootFile;
use crate::time::Timestamp;
use crate::write::{Object, OutDir, WriteError};

/// Name and version of this compiler, as it stands in manifests.
pub const COMPILER: &str = concat!("tenantry ", env!("CARGO_PKG_VERSION"));

/// How many tenants are composed and signed before they are handed to the writers.
const BATCH: usize = 1024;

/// Everything that a compile depends on.
pub struct Job<'a> {
    /// The inputs.
    pub tree: &'a SourceTree,
    /// The instant of every decision.
    pub now: Timestamp,
    /// The chain of roots; never empty.
    pub roots: &'a [RootFile],
    /// Where to.
    pub out: &'a OutDir,
    /// The stores that the publication goes on from; none to go on from what is in `out`.
    pub onto: Option<&'a Bases<'a>>,
    /// How many threads compute, and how many write.
    pub threads: usize,
    /// Told how far things are.
    pub progress: &'a (dyn Fn(Step, usize, usize) + Sync),
}

/// What takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading and deciding.
    Decide,
    /// Composing, signing and writing.
    Sign,
}

/// What a compile did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The number of the publication in `out/` now.
    pub publication: u64,
    /// Whether this compile made it.
    pub is_new: bool,
    /// All tenants.
    pub tenants: usize,
    /// Tenants signed anew because their line-up changed, or is new.
    pub changed: usize,
    /// Tenants signed anew because their metadata was due, or keys changed.
    pub refreshed: usize,
    /// Names of tenants that the previous publication had and this one has not.
    pub gone: Vec<String>,
    /// Programs in, over all tenants.
    pub entitlements: u64,
    /// Bundles.
    pub bundles: usize,
    /// Bytes of all bundles.
    pub bundle_bytes: u64,
    /// What the first starts of all tenants take; none when there is no tenant.
    pub first_start: Option<Spread>,
    /// Most bytes that one may take; none when the project says nothing.
    pub max_first_start: Option<u64>,
    /// Files written.
    pub files_written: usize,
    /// Bytes written.
    pub bytes_written: u64,
}

/// Why a compile stopped.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The inputs have errors; nothing was signed or written.
    #[error("the inputs have errors")]
    Inputs(Vec<Diagnostic>),
    /// A guard stopped it: nothing is wrong with a file, yet going on would do harm.
    #[error("{why}")]
    Guard {
        /// Which harm.
        why: String,
        /// What to do.
        help: String,
    },
    /// A signer failed.
    #[error("cannot sign")]
    Sign(#[from] SignError),
    /// `out/` cannot be read or written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A bundle that only a store has cannot be had from there.
    #[error("cannot fetch a bundle")]
    Fetch(#[from] StateError),
}

/// Compiles, and returns what was done with all that there is to say about the inputs.
///
/// `signers` is asked once the project's own file has been read, since that may name key sources. That it
/// fails is said after what is wrong with the inputs.
pub fn compile<E: From<CompileError>>(
    job: &Job<'_>,
    signers: impl FnOnce(&Project) -> Result<Signers, E>,
) -> Result<(Summary, Vec<Diagnostic>), E> {
    let mut previous = previous(job)?;
    guard_root(job, &previous)?;
    if let (Some(index), true, None) = (&mut previous.index, job.out.was_interrupted(), job.onto) {
        distrust(job, index);
    }
    let shapes = Shapes::new();
    let project = read_project(job.tree, &shapes);
    let signers = signers(&project);
    let keys = signers.as_ref().ok().map(KeySet::of);
    // New keys sign everybody again; so nobody can be left alone then.
    let trusted = previous.index.as_ref().filter(|index| keys.as_ref().is_some_and(|keys| keys.made(index)));
    let mut read = read(job, &shapes, trusted);
    (job.progress)(Step::Decide, 0, read.checked.tenants.len());
    let (mut decided, found) = decide(&read.checked, job.now);
    let mut diagnostics = std::mem::take(&mut read.checked.diagnostics);
    diagnostics.extend(found);
    if diag::any_error(&diagnostics) {
        return Err(CompileError::Inputs(diagnostics).into());
    }
    guard_empty(&read)?;
    let signers = signers?;
    let keys = KeySet::of(&signers);
    let packing = pack(job, previous.index.as_ref(), &read, &decided)?;
    if let Some(found) = start::settle(&project, &read.checked, &mut decided, &packing.bundles) {
        diagnostics.push(found);
        return Err(CompileError::Inputs(diagnostics).into());
    }
    let publishing = Publishing {
        job,
        project: &project,
        signers: &signers,
        keys,
        previous: &previous,
        read: &read,
        decided: &decided,
    };
    match publishing.run(packing, diagnostics.is_empty()) {
        Ok(summary) => Ok((summary, diagnostics)),
        Err(CompileError::Inputs(found)) => {
            diagnostics.extend(found);
            Err(CompileError::Inputs(diagnostics).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Which keys sign.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeySet {
    entitlement: Vec<KeyId>,
    freshness: Vec<KeyId>,
}

impl KeySet {
    fn of(signers: &Signers) -> KeySet {
        KeySet { entitlement: Signers::ids(&signers.entitlement), freshness: Signers::ids(&signers.freshness) }
    }

    /// Whether these keys signed a publication.
    fn made(&self, index: &Index) -> bool {
        self.entitlement == index.entitlement_keys && self.freshness == index.freshness_keys
    }
}

/// After a run that was stopped, some timestamps may be that run's and not those of the index. Those tenants are
/// read again, and their timestamps are due whatever else there is to do.
fn distrust(job: &Job<'_>, index: &mut Index) {
    for (addr, record) in &mut index.tenants {
        if !job.out.has_digest(&keys::timestamp(addr), record.timestamp.sha256) {
            record.input = Blake3([0; 32]);
            record.timestamp.expires = record.timestamp.issued;
        }
    }
}

/// From decisions to files.
struct Publishing<'a> {
    job: &'a Job<'a>,
    project: &'a Project,
    signers: &'a Signers,
    keys: KeySet,
    previous: &'a Previous,
    read: &'a Read<'a>,
    decided: &'a [Decided],
}

impl Publishing<'_> {
    fn run(self, packing: Packing, is_clean: bool) -> Result<Summary, CompileError> {
        let Publishing { job, read, .. } = self;
        let (previous, number) = (self.previous.index.as_ref(), self.previous.number);
        let Packing { bundles: packed, objects } = packing;
        let composer = Composer::new(&read.checked.project, &read.checked.catalog, &packed);
        let maker = Maker {
            job,
            signers: self.signers,
            previous,
            has_same_keys: previous.is_some_and(|it| self.keys.made(it)),
            read,
            number,
            composer: &composer,
        };
        let mut counts = Counts::default();
        let mut timestamps: Vec<Object> = Vec::new();
        let mut tenants: BTreeMap<String, TenantRecord> =
            read.kept.iter().map(|(addr, record)| ((*addr).to_owned(), (*record).clone())).collect();
        let total = read.checked.tenants.len();
        let mut allowed = Allowed::new(self.project, job);
        tenants.values().for_each(|it| allowed.look(it));
        let mut is_cleared = false;
        job.out.write_immutable::<(), CompileError>(job.threads, |sink| {
            let mut clear = || match std::mem::replace(&mut is_cleared, true) {
                true => Ok(()),
                false => clear_folder(job, self.previous),
            };
            let mut shared: Vec<Object> = missing_roots(job).into_iter().chain(objects).collect();
            counts.add(&shared);
            for (batch, decided) in read.checked.tenants.chunks(BATCH).zip(self.decided.chunks(BATCH)) {
                let made = batch.par_iter().zip(decided).map(|(tenant, decided)| maker.tenant(tenant, decided));
                let mut objects: Vec<Object> = Vec::with_capacity(batch.len() * 4);
                for one in made.collect::<Result<Vec<Made>, SignError>>()? {
                    counts.tally(&one);
                    allowed.look(&one.record);
                    timestamps.extend(one.timestamp);
                    tenants.insert(one.addr, one.record);
                    objects.extend(one.objects);
                }
                if allowed.is_exceeded() {
                    // Nothing more is written, and all others are looked at.
                    continue;
                }
                // A signer that fails mostly does so at once. Nothing has been written then.
                clear()?;
                sink.send(std::mem::take(&mut shared));
                sink.send(objects);
                (job.progress)(Step::Sign, tenants.len() - read.kept.len(), total);
            }
            if let Some(found) = allowed.exceeded(read, self.decided, &packed) {
                return Err(CompileError::Inputs(vec![found]));
            }
            clear()?;
            sink.send(shared);
            Ok(())
        })?;
        // Nothing refers to what was written so far. From here on it does, tenant by tenant.
        job.out.write_timestamps(job.threads, timestamps)?;

        let index = self.index(number, is_clean, &packed, tenants, &counts);
        let gone = previous.map(|it| gone(it, &index)).unwrap_or_default();
        if let Some(previous) = previous {
            job.out.remove(job.threads, &stale(previous, &index))?;
        }
        if job.out.was_interrupted() {
            let known: BTreeSet<String> = index.public_files().collect();
            job.out.sweep(|key| known.contains(key))?;
        }
        if self.previous.in_folder(job) != Some(&index) {
            job.out.write_index(&index)?;
        }
        if let Some(bases) = job.onto {
            record_lineage(job, bases, &index)?;
        }
        job.out.finish()?;
        Ok(Summary {
            publication: index.publication,
            is_new: index.publication == number,
            tenants: index.tenants.len(),
            changed: counts.changed,
            refreshed: counts.refreshed,
            gone,
            entitlements: index.tenants.values().map(|it| u64::from(it.entitlements)).sum(),
            bundles: index.bundles.len(),
            bundle_bytes: index.bundles.values().map(|it| it.length).sum(),
            first_start: spread(index.tenants.values(), roots(job)),
            max_first_start: self.project.first_start.map(|(it, _)| it.max_bytes),
            files_written: counts.files,
            bytes_written: counts.bytes,
        })
    }

    fn index(
        &self,
        number: u64,
        is_clean: bool,
        packed: &Bundles,
        tenants: BTreeMap<String, TenantRecord>,
        counts: &Counts,
    ) -> Index {
        let used: BTreeSet<Blake3> = tenants.values().flat_map(|it| it.bundles.iter().copied()).collect();
        let previous = self.previous.index.as_ref();
        let known = previous.iter().flat_map(|it| it.bundles.iter().map(|(tree, archive)| (*tree, *archive)));
        let known: BTreeMap<Blake3, Archive> = known.chain(packed.iter().flatten().flatten().copied()).collect();
        let root_version = self.job.roots.last().expect("a chain of roots is never empty").root.version;
        let is_new = previous.is_none_or(|previous| {
            counts.changed + counts.refreshed > 0
                || previous.root_version != root_version
                || previous.tenants.keys().any(|addr| !tenants.contains_key(addr))
        });
        Index {
            format: FORMAT,
            compiler: COMPILER.into(),
            environment: self.signers.environment.clone(),
            commit: self.job.tree.commit.clone(),
            inputs: Some(inputs_digest(self.job.tree)),
            revocation_budget: Some(self.project.revocation_budget),
            publication: previous.filter(|_| !is_new).map_or(number, |it| it.publication),
            root_version,
            entitlement_keys: self.keys.entitlement.clone(),
            freshness_keys: self.keys.freshness.clone(),
            basis: self.read.basis,
            clean: is_clean,
            bundles: known.into_iter().filter(|(tree, _)| used.contains(tree)).collect(),
            tenants,
        }
    }
}

/// Names of the tenants that only the older index has.
fn gone(previous: &Index, index: &Index) -> Vec<String> {
    let gone = previous.tenants.iter().filter(|(addr, _)| !index.tenants.contains_key(*addr));
    gone.map(|(_, record)| record.name.clone()).collect()
}

/// Files of the older index to which nothing in the newer one refers.
fn stale(previous: &Index, index: &Index) -> Vec<String> {
    let mut stale: BTreeSet<String> = BTreeSet::new();
    for (addr, record) in &previous.tenants {
        if index.tenants.get(addr) != Some(record) {
            stale.extend(record.files(addr).map(|(key, _)| key));
        }
    }
    let archives = previous.bundles.iter().filter(|(tree, archive)| index.bundles.get(*tree) != Some(*archive));
    stale.extend(archives.map(|(tree, archive)| keys::archive(*tree, archive.sha256)));
    if stale.is_empty() {
        return Vec::new();
    }
    for key in index.public_files() {
        stale.remove(&key);
    }
    stale.into_iter().collect()
}

#[derive(Default)]
struct Counts {
    changed: usize,
    refreshed: usize,
    files: usize,
    bytes: u64,
}

impl Counts {
    fn add(&mut self, objects: &[Object]) {
        self.files += objects.len();
        self.bytes += objects.iter().map(|it| it.bytes.len() as u64).sum::<u64>();
    }

    fn tally(&mut self, made: &Made) {
        self.add(&made.objects);
        self.add(made.timestamp.as_slice());
        match made.why {
            Why::Changed => self.changed += 1,
            Why::Refreshed => self.refreshed += 1,
            Why::Same => {}
        }
    }
}
