//! What a tenant wants: the programs granted to it, and all that those may need.

use semver::VersionReq;

use crate::model::{self, Catalog, Effect, ProgramId, Tenant};
use crate::resolve::reasons::{Reason, ReasonKind};
use crate::text::Span;
use crate::time::Timestamp;

/// The programs that matter to one tenant. Their positions here are called slots.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Granted programs and whatever any of their versions may need, dependants first.
    pub(super) entries: Vec<Entry>,
    /// Grants, those of one program side by side.
    pub(super) grants: Vec<Granted<'a>>,
    /// Slot of each program of the catalogue.
    slots: Vec<Option<u32>>,
}

/// A program that matters to the tenant.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) program: ProgramId,
    /// Its first and one past its last grant; equal when it can only be a dependency.
    grants: (usize, usize),
    /// 3 for an override, 2 for an add-on, 1 for a plan, 0 for a dependency.
    pub(super) strength: u8,
    /// Until when its grants want it.
    pub(super) end: End,
    /// The end of the last override that takes it away.
    pub(super) revoked: Option<(Timestamp, Span)>,
    /// Position of its first version among the versions of all entries.
    pub(super) first: usize,
}

/// Until when something is wanted; a later end is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    NotWanted,
    At(Timestamp),
    Open,
}

/// A grant of a plan, add-on or override that holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Granted<'a> {
    program: ProgramId,
    pub(super) range: Option<&'a VersionReq>,
    pub(super) optional: bool,
    pub(super) reason: Reason,
    strength: u8,
    end: End,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(catalog: &'a Catalog, tenant: &'a Tenant, now: Timestamp) -> Wanted<'a> {
        let grants = grants(catalog, tenant, now);
        let mut wanted = Wanted { entries: Vec::with_capacity(grants.len()), grants, slots: Vec::new() };
        wanted.reach(catalog);
        for it in tenant.overrides.iter().filter(|it| now < it.expires) {
            match (&it.effect, wanted.slot(it.program)) {
                (Effect::Revoke, Some(slot)) => {
                    let entry = &mut wanted.entries[slot];
                    entry.revoked = entry.revoked.max(Some((it.expires, it.span)));
                }
                (Effect::Revoke, None) | (Effect::Grant(_), _) => (),
            }
        }
        wanted
    }

    /// Where a program stands among the entries.
    pub(super) fn slot(&self, program: ProgramId) -> Option<usize> {
        self.slots[program.at()].map(|slot| slot as usize)
    }

    /// The grants of an entry.
    pub(super) fn grants_of(&self, entry: &Entry) -> &[Granted<'a>] {
        &self.grants[entry.grants.0..entry.grants.1]
    }

    /// One walk in the catalogue's order meets every program after all that may need it.
    fn reach(&mut self, catalog: &Catalog) {
        let mut first_grant: Vec<Option<u32>> = vec![None; catalog.programs.len()];
        for (at, grant) in self.grants.iter().enumerate().rev() {
            first_grant[grant.program.at()] = Some(u32::try_from(at).expect("fewer than 2^32 grants"));
        }
        let mut needed = vec![false; catalog.programs.len()];
        self.slots = vec![None; catalog.programs.len()];
        let mut first = 0;
        for &program in &catalog.dependants_first {
            let start = first_grant[program.at()].map(|at| at as usize);
            if start.is_none() && !needed[program.at()] {
                continue;
            }
            let start = start.unwrap_or(self.grants.len());
            let length = self.grants[start..].iter().take_while(|it| it.program == program).count();
            let grants = &self.grants[start..start + length];
            self.slots[program.at()] = Some(u32::try_from(self.entries.len()).expect("fewer than 2^32 programs"));
            self.entries.push(Entry {
                program,
                grants: (start, start + length),
                strength: grants.iter().map(|it| it.strength).max().unwrap_or(0),
                end: grants.iter().map(|it| it.end).max().unwrap_or(End::NotWanted),
                revoked: None,
                first,
            });
            let releases = &catalog.program(program).releases;
            first += releases.len();
            for dependency in releases.iter().flat_map(|it| &it.dependencies) {
                needed[dependency.program.at()] = true;
            }
        }
    }
}

impl Entry {
    /// Whether a plan, an add-on or an override grants it.
    pub(super) fn is_granted(&self) -> bool {
        self.grants.0 < self.grants.1
    }

    /// How many do.
    pub(super) fn grant_count(&self) -> usize {
        self.grants.1 - self.grants.0
    }
}

fn grants<'a>(catalog: &'a Catalog, tenant: &'a Tenant, now: Timestamp) -> Vec<Granted<'a>> {
    let listed = |grant: &'a model::Grant, kind, strength| Granted {
        program: grant.program,
        range: grant.range.as_ref(),
        optional: grant.optional,
        reason: Reason { kind, span: grant.span },
        strength,
        end: End::Open,
    };
    let mut found = Vec::with_capacity(32);
    let plan = tenant.plan.0;
    let mut at = Some(plan);
    while let Some(id) = at {
        let via = (id != plan).then_some(id);
        let listing = &catalog.plans[id.at()];
        found.extend(listing.grants.iter().map(|it| listed(it, ReasonKind::InPlan { plan, via }, 1)));
        at = listing.extends;
    }
    for &(add_on, _) in &tenant.add_ons {
        let listing = &catalog.add_ons[add_on.at()];
        found.extend(listing.grants.iter().map(|it| listed(it, ReasonKind::InAddOn { add_on }, 2)));
    }
    for (index, it) in tenant.overrides.iter().enumerate().filter(|(_, it)| now < it.expires) {
        match &it.effect {
            Effect::Revoke => (),
            Effect::Grant(range) => found.push(Granted {
                program: it.program,
                range: range.as_ref(),
                optional: false,
                reason: Reason { kind: ReasonKind::Granted { index }, span: it.span },
                strength: 3,
                end: End::At(it.expires),
            }),
        }
    }
    // Stable, so that the grants of one program stay in the order plan, add-ons, overrides.
    found.sort_by_key(|it| it.program);
    found
}
