//! Decides each tenant's line-up: which programs are in, in which versions, when, and why. The rule is docs/decisions.md.

mod candidates;
mod compliance;
mod level;
mod reasons;
mod rights;
mod rollout;
mod stops;
mod wanted;
mod why;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::input::{Entitlement, ExpirationStrategy, RevokeMode, TenantStatus};
use crate::model::{Catalog, ProfileId, ProgramId, Project, Release, Tenant};
use crate::resolve::candidates::{Candidates, Gate, grace_end};
use crate::resolve::compliance::Verdicts;
use crate::resolve::level::{Decision, Field};
pub use crate::resolve::reasons::{Breach, Exclusion, Reason, ReasonKind, Rule, Subject};
pub use crate::resolve::rights::{SEATS, generosity};
use crate::resolve::rollout::EVERYBODY;
use crate::resolve::wanted::Wanted;
use crate::resolve::why::Decided;
use crate::resolve::windows::{Timing, is_over};
use crate::text::Span;
use crate::time::{Timestamp, Window, earliest};

/// Decides one tenant's line-up at `now`. For many tenants share one [`Resolver`].
pub fn tenant(project: &Project, catalog: &Catalog, tenant: &Tenant, now: Timestamp) -> Resolution {
    Resolver::new(project, catalog, now).tenant(tenant)
}

/// Decides line-ups at one instant, and remembers what each profile says of each version.
#[derive(Debug)]
pub struct Resolver<'a> {
    project: &'a Project,
    catalog: &'a Catalog,
    now: Timestamp,
    /// By profile, filled when the first tenant under it comes.
    verdicts: Vec<OnceLock<Verdicts>>,
    /// Position of each program's first version among all versions of the catalogue.
    first_release: Vec<usize>,
}

/// One tenant's line-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Programs that are in, now or later, sorted by id.
    pub included: Vec<Included>,
    /// Programs that are wanted and out, sorted by id. All others of the catalogue are out because nothing wants them.
    pub excluded: Vec<Excluded>,
    /// Other rights.
    pub entitlements: BTreeMap<String, Entitlement>,
    /// Limits.
    pub limits: BTreeMap<String, u64>,
    /// Versions that whoever has them must stop, sorted by program and code.
    pub stopped: Vec<Stopped>,
    /// Line-ups of some of the devices, smallest share first: a device takes the first that it belongs to, and when it
    /// belongs to none the one above.
    pub cohorts: Vec<Cohort>,
    /// The next instant after `now` at which the decision can become another by itself; none if never.
    pub next_change: Option<Timestamp>,
}

/// The line-up of the first devices of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// How many they are, 1 to 99.
    pub percent: u32,
    /// Their line-up; it has no cohorts of its own.
    pub line_up: Resolution,
}

/// A version that must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// The program.
    pub program: ProgramId,
    /// The version, as its position in the program's releases.
    pub release: usize,
    /// How.
    pub mode: RevokeMode,
    /// Who says so.
    pub by: StoppedBy,
    /// Where.
    pub span: Span,
}

/// Who has a version stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoppedBy {
    /// An override of the tenant, which takes the whole program away.
    Override,
    /// The version itself.
    Version,
}

/// A program that is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// The program.
    pub program: ProgramId,
    because: Vec<Reason>,
    /// When it is there; it may begin later.
    pub window: Window,
    /// Which version goes to which shells: newest first, ranges apart.
    pub releases: Vec<Chosen>,
    /// Whether it must be there before anybody asks for it: not all grants are optional, or a program that must be there
    /// needs it.
    pub needed: bool,
    /// Whether devices fetch it before anybody asks for it: it is needed, or a budget has room for it
    /// ([`fill`](crate::first_start::fill())).
    pub preload: bool,
    /// Programs that its chosen versions need, sorted.
    pub dependencies: Vec<ProgramId>,
    /// Versions newer than all chosen ones, newest first, as positions in the program's releases, and why each is not used.
    pub passed_over: Vec<(usize, Exclusion)>,
}

/// A version for a range of shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chosen {
    /// Its position in the program's releases.
    pub release: usize,
    /// The shells that take it.
    pub platform: PlatformRange,
}

/// A range of API levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlatformRange {
    /// Lowest level.
    pub min_code: u32,
    /// Level that the version was made for.
    pub target_code: u32,
    /// Highest level, if there is one.
    pub max_code: Option<u32>,
}

/// A program that is wanted and out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The program.
    pub program: ProgramId,
    /// Who grants it; empty for a program that others need.
    pub because: Vec<Reason>,
    /// Why it is out all the same.
    pub why: Exclusion,
    /// The version that the reason speaks of, as its position in the program's releases.
    pub release: usize,
}

/// What was decided for some devices.
struct LineUp<'a> {
    included: Vec<Included>,
    excluded: Vec<Excluded>,
    next_change: Option<Timestamp>,
    /// The shares of devices that have some version which these do not have.
    percents: BTreeSet<u32>,
    wanted: Wanted<'a>,
}

/// Where a program stands in a line-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It is in.
    In(&'a Included),
    /// It is wanted and out.
    Out(&'a Excluded),
    /// Nothing wants it.
    NotEntitled,
}

impl<'a> Resolver<'a> {
    /// A resolver for this catalogue and instant.
    pub fn new(project: &'a Project, catalog: &'a Catalog, now: Timestamp) -> Resolver<'a> {
        let mut releases = 0;
        let first_release = catalog.programs.iter().map(|it| {
            releases += it.releases.len();
            releases - it.releases.len()
        });
        let first_release = first_release.collect();
        let verdicts = catalog.profiles.iter().map(|_| OnceLock::new()).collect();
        Resolver { project, catalog, now, verdicts, first_release }
    }

    /// Decides one tenant's line-up.
    pub fn tenant(&self, tenant: &Tenant) -> Resolution {
        let wanted = Wanted::new(self.catalog, tenant, self.now);
        let mut resolution = Resolution {
            included: Vec::new(),
            excluded: Vec::new(),
            entitlements: rights::entitlements(self.catalog, tenant),
            limits: rights::limits(self.catalog, tenant),
            stopped: Vec::new(),
            cohorts: Vec::new(),
            next_change: self.tenant_changes(tenant),
        };
        let wanted = match tenant.status {
            TenantStatus::Active => self.active(tenant, wanted, &mut resolution),
            TenantStatus::Suspended | TenantStatus::Inactive => {
                resolution.excluded = unserved(self.catalog, tenant, &wanted);
                wanted
            }
        };
        resolution.stopped = stops::all(self.catalog, &wanted, &resolution);
        resolution
    }

    /// The line-up of all devices, and those of the devices that some version has come to already.
    fn active(&self, tenant: &'a Tenant, wanted: Wanted<'a>, all: &mut Resolution) -> Wanted<'a> {
        let LineUp { included, excluded, next_change, percents, mut wanted } = self.line_up(tenant, wanted, EVERYBODY);
        (all.included, all.excluded) = (included, excluded);
        all.next_change = earliest(all.next_change, next_change);
        // Largest first: one that has the same as the next larger one, or as all, is not worth mentioning.
        for percent in percents.into_iter().rev() {
            let line_up = self.line_up(tenant, wanted, percent);
            all.next_change = earliest(all.next_change, line_up.next_change);
            let larger = all.cohorts.last().map_or(&all.included, |it| &it.line_up.included);
            if !is_same_offer(larger, &line_up.included) {
                let line_up = Resolution {
                    included: line_up.included,
                    excluded: line_up.excluded,
                    entitlements: all.entitlements.clone(),
                    limits: all.limits.clone(),
                    stopped: Vec::new(),
                    cohorts: Vec::new(),
                    next_change: None,
                };
                all.cohorts.push(Cohort { percent, line_up });
            }
            wanted = line_up.wanted;
        }
        all.cohorts.reverse();
        wanted
    }

    /// The line-up of the first devices of so many percent.
    fn line_up(&self, tenant: &'a Tenant, wanted: Wanted<'a>, percent: u32) -> LineUp<'a> {
        let gate = Gate {
            catalog: self.catalog,
            tenant,
            channel: tenant.channel.as_deref().unwrap_or(&self.project.channel),
            verdicts: tenant.profile.map(|(id, _)| self.verdicts(id)),
            first_release: &self.first_release,
            now: self.now,
            percent,
        };
        let Candidates { refused, next_change, percents } = gate.candidates(&wanted);
        let field = Field { catalog: self.catalog, wanted, refused };
        let (levels, decisions) = decide_levels(self.catalog, tenant, &field);
        let timing = Timing::new(&field, &decisions, tenant);
        let license = tenant.license.as_ref().map(|it| it.span);
        let decided = Decided { field, levels, decisions, timing, license, now: self.now };
        let (included, excluded) = decided.line_up();
        LineUp { included, excluded, next_change, percents, wanted: decided.field.wanted }
    }

    fn verdicts(&self, profile: ProfileId) -> &Verdicts {
        self.verdicts[profile.at()].get_or_init(|| Verdicts::new(self.catalog, profile, self.now))
    }

    /// When overrides end, and when the licence begins and ends.
    fn tenant_changes(&self, tenant: &Tenant) -> Option<Timestamp> {
        let overrides = tenant.overrides.iter().map(|it| Some(it.expires));
        let license = tenant.license.iter().flat_map(|it| match it.strategy {
            ExpirationStrategy::Restrict | ExpirationStrategy::Revoke => [it.window.from, grace_end(it)],
            ExpirationStrategy::Maintain => [it.window.from, None],
        });
        overrides.chain(license).flatten().filter(|it| *it > self.now).min()
    }
}

impl Resolution {
    /// This line-up and those of the cohorts.
    pub fn line_ups(&self) -> impl Iterator<Item = &Resolution> {
        std::iter::once(self).chain(self.cohorts.iter().map(|it| &it.line_up))
    }

    /// Where a program stands.
    pub fn standing(&self, program: ProgramId) -> Standing<'_> {
        if let Ok(at) = self.included.binary_search_by_key(&program, |it| it.program) {
            return Standing::In(&self.included[at]);
        }
        match self.excluded.binary_search_by_key(&program, |it| it.program) {
            Ok(at) => Standing::Out(&self.excluded[at]),
            Err(_) => Standing::NotEntitled,
        }
    }
}

impl Included {
    /// Why it is in: never empty; plans before add-ons before overrides before the programs that need it.
    pub fn because(&self) -> &[Reason] {
        &self.because
    }
}

impl Chosen {
    /// The chosen version.
    pub fn of<'a>(&self, catalog: &'a Catalog, program: ProgramId) -> &'a Release {
        &catalog.program(program).releases[self.release]
    }
}

/// Whether devices get the same, whatever was passed over on the way.
fn is_same_offer(one: &[Included], other: &[Included]) -> bool {
    let same = |(one, other): (&Included, &Included)| {
        (one.program, one.window, one.preload) == (other.program, other.window, other.preload)
            && one.releases == other.releases
    };
    one.len() == other.len() && one.iter().zip(other).all(same)
}

fn unserved(catalog: &Catalog, tenant: &Tenant, wanted: &Wanted<'_>) -> Vec<Excluded> {
    let granted = wanted.entries.iter().filter(|it| it.is_granted());
    let mut excluded: Vec<Excluded> = granted
        .map(|it| Excluded {
            program: it.program,
            because: wanted.grants_of(it).iter().map(|it| it.reason).collect(),
            why: Exclusion::TenantStatus { status: tenant.status, span: tenant.status_span },
            release: catalog.program(it.program).releases.len() - 1,
        })
        .collect();
    excluded.sort_by_key(|it| it.program);
    excluded
}

/// The tenant's levels, and one decision for each stretch of levels that run the same versions.
fn decide_levels<'a>(catalog: &Catalog, tenant: &Tenant, field: &Field<'a>) -> (Vec<(u32, usize)>, Vec<Decision<'a>>) {
    let codes = tenant.levels(catalog);
    let mut levels: Vec<(u32, usize)> = Vec::with_capacity(codes.len());
    let mut decisions = Vec::new();
    for code in codes {
        match levels.last() {
            Some(&(below, decision)) if field.is_alike(below, code) => levels.push((code, decision)),
            Some(_) | None => {
                levels.push((code, decisions.len()));
                decisions.push(field.decide(code));
            }
        }
    }
    (levels, decisions)
}

impl Decided<'_> {
    fn line_up(&self) -> (Vec<Included>, Vec<Excluded>) {
        let entries = &self.field.wanted.entries;
        let mut reasons: Vec<Vec<Reason>> =
            entries.iter().map(|it| self.field.wanted.grants_of(it).iter().map(|it| it.reason).collect()).collect();
        let mut needed: Vec<bool> =
            entries.iter().map(|it| self.field.wanted.grants_of(it).iter().any(|it| !it.optional)).collect();
        let (mut included, mut excluded) = (Vec::with_capacity(entries.len()), Vec::new());
        for (slot, entry) in entries.iter().enumerate() {
            let over = is_over(&self.timing.whole[slot], self.now);
            let chosen = self.is_chosen(slot);
            // Dependants came before: without a grant, those of them that are in are what wants it.
            let mut because = std::mem::take(&mut reasons[slot]);
            match chosen && !over {
                false if entry.is_granted() || chosen => {
                    let (why, release) = (self.why_out(slot), self.telling(slot));
                    excluded.push(Excluded { program: entry.program, because, why, release });
                }
                true if !because.is_empty() => {
                    because[entry.grant_count()..].sort_unstable();
                    let kind = ReasonKind::RequiredBy { program: entry.program };
                    for need in self.timing.needs_of(slot) {
                        reasons[need.dependency].push(Reason { kind, span: need.span });
                        needed[need.dependency] |= needed[slot];
                    }
                    included.push(self.included(slot, because, needed[slot]));
                }
                true | false => (),
            }
        }
        included.sort_unstable_by_key(|it: &Included| it.program);
        excluded.sort_unstable_by_key(|it: &Excluded| it.program);
        (included, excluded)
    }

    fn included(&self, slot: usize, because: Vec<Reason>, needed: bool) -> Included {
        let needs = self.timing.needs_of(slot).iter();
        let mut dependencies: Vec<ProgramId> =
            needs.map(|it| self.field.wanted.entries[it.dependency].program).collect();
        dependencies.sort_unstable();
        Included {
            program: self.field.wanted.entries[slot].program,
            because,
            window: self.timing.whole[slot],
            releases: self.releases(slot),
            needed,
            preload: needed,
            dependencies,
            passed_over: self.passed_over(slot),
        }
    }

    /// Runs of neighbouring levels that take the same version. A shell between two levels of the tenant counts with the
    /// lower one; below the lowest and above the highest the version's own range decides.
    fn releases(&self, slot: usize) -> Vec<Chosen> {
        let program = self.field.program(slot);
        let at = |level: usize| self.decisions[self.levels[level].1].chosen[slot];
        let mut chosen = Vec::with_capacity(1);
        let mut first = 0;
        for last in 0..self.levels.len() {
            let next = last + 1;
            if next < self.levels.len() && at(next) == at(first) {
                continue;
            }
            if let Some(release) = at(first) {
                let version = &program.releases[release];
                let min_code = match first {
                    0 => version.min_code,
                    _ => self.levels[first].0,
                };
                let max_code = match self.levels.get(next) {
                    None => version.max_code,
                    Some((above, _)) => Some(version.max_code.map_or(above - 1, |max| max.min(above - 1))),
                };
                let platform = PlatformRange { min_code, target_code: version.target_code, max_code };
                chosen.push(Chosen { release, platform });
            }
            first = next;
        }
        chosen.sort_by_key(|it| std::cmp::Reverse((it.release, it.platform.min_code)));
        chosen
    }
}
