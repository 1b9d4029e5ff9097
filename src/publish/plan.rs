//! What is to be done to a store, decided before anything is done: a value that can be shown, kept and compared.
//!
//! What is missing in the store is known from the index that it holds, not from asking for every object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::difference::Difference;
use super::error::describe;
use super::guards::{self, Objection, Step};
use super::head::{Head, Kind, Override, Reservation};
use super::projection::project;
use super::state::{Seen, Timestamps, index_key, timestamps_key};
use super::{Consent, Job, Others, PublishError, Rewind, check};
use crate::digest::{Blake3, Sha256};
use crate::index::{Index, Point, keys};
use crate::verify::Finding;

/// Version of the format of plans.
pub const FORMAT: u32 = 1;

/// What one publication does to one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: u32,
    /// The store's name.
    pub store: String,
    /// What it must show for the plan to hold; none for an empty store.
    pub base: Option<Point>,
    /// What it will show.
    pub target: Point,
    /// The commit that was compiled, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Objects that the store has not, in the order in which they are put.
    pub uploads: Vec<Item>,
    /// Timestamps that move once the publication counts.
    pub timestamps: Vec<Move>,
    /// Tenants that the store shows today and will no longer look after. Nothing of theirs is deleted.
    pub leaves: Vec<Leaving>,
    /// Objects and bytes by kind.
    pub totals: BTreeMap<ItemKind, Total>,
}

/// What kind of object; they are put in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A root.
    Root,
    /// A bundle, which tenants share.
    Bundle,
    /// A manifest.
    Manifest,
    /// An overlay.
    Overlay,
    /// A tenant's targets.
    Targets,
    /// A tenant's snapshot.
    Snapshot,
    /// The store's index, and the timestamps for whoever finishes.
    State,
}

/// One object to put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its key.
    pub key: String,
    /// What it is.
    pub kind: ItemKind,
    /// Its bytes.
    pub length: u64,
    /// Their digest.
    pub sha256: Sha256,
    /// Why the store needs it.
    pub why: String,
}

/// One timestamp that moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Whose, by address.
    pub addr: String,
    /// Whose, by name.
    pub tenant: String,
    /// The version that the store shows; none for a tenant that is new there.
    pub from: Option<u64>,
    /// The version that it will show.
    pub to: u64,
}

/// A tenant that the store will no longer look after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    /// Who, by address.
    pub addr: String,
    /// Who, by name.
    pub tenant: String,
    /// Why: no longer in the project, or bound to another region.
    pub why: String,
}

/// So many objects, so many bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// Objects.
    pub objects: usize,
    /// Bytes.
    pub bytes: u64,
}

impl Plan {
    /// Whether the store already shows what it should.
    pub fn is_nothing(&self) -> bool {
        self.base == Some(self.target)
    }

    /// Whether shells see nothing of it: only what the store knows about itself changes.
    pub fn is_silent(&self) -> bool {
        self.timestamps.is_empty() && self.uploads.iter().all(|it| it.kind == ItemKind::State)
    }

    /// Everything to put.
    pub fn total(&self) -> Total {
        self.totals
            .values()
            .fold(Total::default(), |sum, it| Total { objects: sum.objects + it.objects, bytes: sum.bytes + it.bytes })
    }

    /// Refuses one that was made for something else: what is done is what was shown, or nothing.
    pub fn guard_fresh(&self, shown: &Plan) -> Result<(), PublishError> {
        let why = match () {
            () if self == shown => return Ok(()),
            () if self.base != shown.base => {
                format!("it was made for {}, and the store shows {}", describe(shown.base), describe(self.base))
            }
            () if self.target != shown.target => format!(
                "it was made to publish {}, and the output folder holds {}",
                describe(Some(shown.target)),
                describe(Some(self.target))
            ),
            () => "it lists other objects than there are to upload now".into(),
        };
        Err(PublishError::Stale { store: self.store.clone(), why })
    }
}

/// A plan with everything that is needed to carry it out.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What there is to know before it is carried out.
    pub notes: Vec<Note>,
    /// What guards have found.
    pub objections: Vec<Objection>,
    /// What was compiled into what the store shows; none when it shows nothing, or what the plan leads to.
    pub before: Option<Inputs>,
    /// The head that it was made for.
    pub seen: Seen,
    /// The index that the store will hold.
    pub(super) index: Index,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// The timestamps that move.
    pub(super) timestamps: Timestamps,
}

impl Planned {
    /// The guards that are let pass, for the record; or the first one that stops.
    pub fn overrides(&self, consent: &Consent) -> Result<Vec<Override>, PublishError> {
        consent.overrides(&self.objections)
    }
}

/// What a publication was compiled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// The commit, where that is known.
    pub commit: Option<String>,
    /// Digest of all input files, where that is known.
    pub digest: Option<Blake3>,
}

/// Something to know before a plan is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The current publication has a publisher who died, or is still at work; it is finished first.
    Unfinished {
        /// Its number.
        publication: u64,
        /// Who made it.
        by: String,
    },
    /// Somebody's reservation has run out, or is taken over because we were told to.
    TakesOver(Reservation),
    /// Nobody here can tell whether our commit descends from the published one.
    UnknownDescent {
        /// The published commit.
        published: String,
    },
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Note::Unfinished { publication, by } => {
                write!(f, "publication {publication} by `{by}` is not finished yet; that is done first")
            }
            Note::TakesOver(it) => {
                write!(f, "takes over from `{}`, who reserved number {} at {}", it.by, it.publication, it.at)
            }
            Note::UnknownDescent { published } => write!(
                f,
                "cannot tell whether this commit descends from the published one, {published}: the repository here does not have it"
            ),
        }
    }
}

/// Decides what is to be done to a store, and checks all that would be moved. Changes nothing.
pub fn plan(job: &Job<'_>) -> Result<Planned, PublishError> {
    plan_for(job, project(job.index, job.spec))
}

/// The same for an index that came from the store itself. All its tenants stay there, whatever the project says about
/// regions by now: moving them is for a compile and a publication.
pub fn plan_own(job: &Job<'_>) -> Result<Planned, PublishError> {
    plan_for(job, job.index.clone())
}

fn plan_for(job: &Job<'_>, index: Index) -> Result<Planned, PublishError> {
    let seen = job.tools.state().head()?;
    seen.head.guard_clock(job.now)?;
    let bytes = index.to_bytes();
    let target = Point { publication: index.publication, index: Sha256::of(&bytes) };
    let plan = Plan {
        format: FORMAT,
        store: job.spec.name.clone(),
        base: seen.head.point(),
        target,
        commit: index.commit.clone(),
        uploads: Vec::new(),
        timestamps: Vec::new(),
        leaves: Vec::new(),
        totals: BTreeMap::new(),
    };
    let mut planned = Planned {
        plan,
        notes: Vec::new(),
        objections: Vec::new(),
        before: None,
        seen,
        index,
        bytes,
        timestamps: Timestamps::default(),
    };
    planned.notes.extend(unfinished(&planned.seen.head));
    if !planned.plan.is_nothing() {
        decide(job, &mut planned)?;
    }
    Ok(planned)
}

/// What there is to do, where there is something.
fn decide(job: &Job<'_>, planned: &mut Planned) -> Result<(), PublishError> {
    let Planned { plan, notes, objections, before, seen, index, bytes, timestamps } = planned;
    guard_lineage(job, &seen.head)?;
    notes.extend(guard_descent(job, &seen.head, index)?);
    let base = plan.base.map(|point| job.tools.state().index(point)).transpose()?;
    guard_root(job, base.as_ref(), index)?;
    if let Some(base) = &base {
        *before = Some(Inputs { commit: base.commit.clone(), digest: base.inputs });
        *objections = guards::objections(&Step {
            store: &plan.store,
            base,
            // Who moves to another store of the project loses nothing.
            next: &|addr| job.index.tenants.get(addr),
            tenants: index.tenants.len(),
            budget: index.revocation_budget,
            now: job.now,
        });
    }
    let difference = Difference { job, base: base.as_ref(), index };
    plan.timestamps = difference.moves()?;
    plan.leaves = difference.leaves();
    plan.uploads = difference.uploads()?;
    *timestamps = check::check(job, base.as_ref(), index, plan).map_err(PublishError::Unsound)?;
    notes.extend(obstacle(job, &seen.head, plan)?.map(Note::TakesOver));
    plan.uploads.extend(own_objects(plan.target, bytes, timestamps));
    for it in &plan.uploads {
        let total = plan.totals.entry(it.kind).or_default();
        *total = Total { objects: total.objects + 1, bytes: total.bytes + it.length };
    }
    Ok(())
}

/// What goes below `state/`, last of all uploads.
fn own_objects(target: Point, index: &[u8], timestamps: &Timestamps) -> impl Iterator<Item = Item> + use<> {
    let item = |key, bytes: &[u8], sha256, why: &str| Item {
        key,
        kind: ItemKind::State,
        length: bytes.len() as u64,
        sha256,
        why: why.into(),
    };
    let own = item(index_key(target), index, target.index, "what the next publication starts from");
    let bytes = timestamps.to_bytes(target.publication);
    let sha256 = Sha256::of(&bytes);
    let moved = item(timestamps_key(target.publication, sha256), &bytes, sha256, "so that anybody can finish");
    [own].into_iter().chain((!timestamps.0.is_empty()).then_some(moved))
}

fn unfinished(head: &Head) -> Option<Note> {
    let current = head.unfinished()?;
    Some(Note::Unfinished { publication: current.publication, by: current.by.clone() })
}

/// A folder may replace only what it descends from.
pub(super) fn guard_lineage(job: &Job<'_>, head: &Head) -> Result<(), PublishError> {
    match &head.current {
        Some(current) if !job.lineage.contains(&current.point()) => {
            Err(PublishError::Superseded { store: job.spec.name.clone(), current: Box::new(current.clone()) })
        }
        _ => Ok(()),
    }
}

/// An old run that comes late must not bring old content back.
fn guard_descent(job: &Job<'_>, head: &Head, index: &Index) -> Result<Option<Note>, PublishError> {
    let published = head.current.as_ref().and_then(|it| it.commit.as_deref());
    let (Rewind::Refuse(descends), Some(published), Some(ours)) = (job.rewind, published, index.commit.as_deref())
    else {
        return Ok(None);
    };
    let is_same = published == ours;
    match is_same.then_some(true).or_else(|| descends(published, ours)) {
        Some(true) => Ok(None),
        Some(false) => {
            Err(PublishError::Rewind { store: job.spec.name.clone(), published: published.into(), ours: ours.into() })
        }
        None => Ok(Some(Note::UnknownDescent { published: published.into() })),
    }
}

/// A store belongs to one chain of roots and one environment, for ever.
fn guard_root(job: &Job<'_>, base: Option<&Index>, index: &Index) -> Result<(), PublishError> {
    let refuse = |why: String| Err(PublishError::OtherRoot { store: job.spec.name.clone(), why });
    let Some(base) = base else { return Ok(()) };
    if base.environment != index.environment {
        return refuse(format!("holds environment `{}`, and this is `{}`", base.environment, index.environment));
    }
    let key = keys::root(1);
    let there = job.tools.patience.retry(|| job.tools.store.get(&key, crate::store::MAX_OBJECT))?;
    let here = job.files.get(&key).map_err(|problem| unsound(&key, problem))?;
    match (there, here) {
        (Some(there), Some(here)) if there.bytes == here => Ok(()),
        (None, _) => refuse(format!("has lost `{key}`")),
        (_, None) => Err(unsound(&key, "it is missing".into())),
        (Some(_), Some(_)) => refuse("belongs to another chain of roots: its `root/1.root.json` is another".into()),
    }
}

/// Who stands in the way: an error if we must give way, and whom we take over from if not.
///
/// A number belongs to the index that it was reserved for. What the output folder itself has reserved before is its
/// own: it is locked, so nobody else is at work on it.
pub(super) fn obstacle(job: &Job<'_>, head: &Head, plan: &Plan) -> Result<Option<Reservation>, PublishError> {
    let store = || job.spec.name.clone();
    let number = plan.target.publication;
    let is_own = |it: &Reservation| it.point() == plan.target || job.lineage.contains(&it.point());
    let other = head.reserved.as_ref().filter(|it| !is_own(it));
    let own = head.reserved.as_ref().filter(|it| is_own(it));
    let may_wait = |it: &&Reservation| it.publication < number || plan.is_silent();
    // Whoever deletes is never taken over before its time: what it is about to delete may be what we rely on.
    let may_be_taken_over = |it: &Reservation| job.others == Others::TakeOver && it.kind != Kind::Gc;
    let is_alive = |it: &&Reservation| !may_be_taken_over(it) && !it.is_over(job.now);
    if let Some(reservation) = other.filter(may_wait).filter(is_alive) {
        return Err(PublishError::Busy { store: store(), reservation: Box::new(reservation.clone()) });
    }
    // Where nothing is put under the number, nothing can be put under it twice.
    let goes_on = head.current.as_ref().is_none_or(|it| it.publication <= number);
    let is_free = match plan.is_silent() {
        true => goes_on,
        false => number > head.drawn || own.is_some_and(|it| it.publication == number),
    };
    match is_free {
        true => Ok(other.cloned()),
        false => Err(PublishError::Burnt { store: store(), number, reservation: other.map(|it| Box::new(it.clone())) }),
    }
}

/// Something is wrong with a file of ours.
pub(super) fn unsound(key: &str, problem: String) -> PublishError {
    PublishError::Unsound(vec![Finding { key: key.into(), problem }])
}
