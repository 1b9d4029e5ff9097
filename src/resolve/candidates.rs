//! Which versions may ship to the tenant at all, whatever its shells and its other programs.

use std::collections::BTreeSet;

use crate::input::{ExpirationStrategy, ReviewStatus};
use crate::model::{Catalog, License, Release, Tenant, meets};
use crate::resolve::compliance::{Pinning, Verdict, Verdicts};
use crate::resolve::reasons::Exclusion;
use crate::resolve::rollout;
use crate::resolve::rollout::{EVERYBODY, Instants, Reach};
use crate::resolve::wanted::{Entry, Wanted};
use crate::time::{Timestamp, earliest};

/// The versions of all entries, one after the other.
#[derive(Debug)]
pub(super) struct Candidates {
    /// Why each is no candidate; none for candidates.
    pub(super) refused: Vec<Option<Exclusion>>,
    /// When this can become another.
    pub(super) next_change: Option<Timestamp>,
    /// The shares of devices that have some version which the others do not have.
    pub(super) percents: BTreeSet<u32>,
}

/// What the decision about one version takes from the tenant.
pub(super) struct Gate<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) tenant: &'a Tenant,
    pub(super) channel: &'a str,
    pub(super) verdicts: Option<&'a Verdicts>,
    /// Position of each program's first version among all versions of the catalogue.
    pub(super) first_release: &'a [usize],
    pub(super) now: Timestamp,
    /// Which devices: the first of so many percent.
    pub(super) percent: u32,
}

impl Gate<'_> {
    pub(super) fn candidates(&self, wanted: &Wanted<'_>) -> Candidates {
        let mut found = Candidates { refused: Vec::with_capacity(64), next_change: None, percents: BTreeSet::new() };
        for entry in &wanted.entries {
            let pin = self.tenant.pins.iter().find(|(program, ..)| *program == entry.program);
            for (at, release) in self.catalog.program(entry.program).releases.iter().enumerate() {
                let refusal = reviewed(release)
                    .or_else(|| release.revoked.as_ref().map(|it| Exclusion::VersionRevoked { span: it.span }))
                    .or_else(|| self.compliant(entry, at, pin.is_some(), &mut found.next_change))
                    .or_else(|| self.in_region(release))
                    .or_else(|| self.licensed(release))
                    .or_else(|| granted(wanted, entry, release))
                    .or_else(|| {
                        let other = pin.filter(|(_, code, _)| *code != release.code);
                        other.map(|&(_, code, span)| Exclusion::Pin { code, span })
                    })
                    .or_else(|| self.on_channel(release))
                    .or_else(|| self.come(entry, at, pin.is_some(), &mut found));
                found.refused.push(refusal);
            }
        }
        found
    }

    /// Whether a version has come: by its rollout, and not inside a freeze window.
    fn come(&self, entry: &Entry, at: usize, pinned: bool, found: &mut Candidates) -> Option<Exclusion> {
        let release = &self.catalog.program(entry.program).releases[at];
        let instants = Instants { now: self.now, then: self.verdicts.map_or(Some(self.now), |it| it.freeze.then) };
        let (reach, share) = match &release.rollout {
            None => (Reach::Reached, EVERYBODY),
            Some(it) => rollout::reach(it, self.tenant, self.percent, instants, &mut found.next_change),
        };
        if (1..self.percent).contains(&share) {
            found.percents.insert(share);
        }
        let is_frozen = || self.verdict(entry, at, pinned).is_some_and(|it| it.is_frozen);
        match reach {
            Reach::Refused(why) => Some(why),
            Reach::Reached if !is_frozen() => None,
            Reach::Reached | Reach::Frozen => {
                let freeze = &self.verdicts?.freeze;
                let (profile, span) = freeze.window?;
                Some(Exclusion::Frozen { profile, until: freeze.until, span })
            }
        }
    }

    fn verdict(&self, entry: &Entry, at: usize, pinned: bool) -> Option<&Verdict> {
        let pinning = match pinned {
            true => Pinning::Pinned,
            false => Pinning::Free,
        };
        Some(self.verdicts?.on(self.first_release[entry.program.at()] + at, pinning))
    }

    fn compliant(
        &self,
        entry: &Entry,
        at: usize,
        pinned: bool,
        next_change: &mut Option<Timestamp>,
    ) -> Option<Exclusion> {
        let verdict = self.verdict(entry, at, pinned)?;
        *next_change = earliest(*next_change, verdict.next_change);
        verdict.breach.map(Exclusion::Compliance)
    }

    fn in_region(&self, release: &Release) -> Option<Exclusion> {
        let (region, span) = self.tenant.data_region.as_ref()?;
        let inside = release.regions.is_empty() || release.regions.iter().any(|it| **it == **region);
        (!inside).then_some(Exclusion::DataRegion { span: *span })
    }

    fn licensed(&self, release: &Release) -> Option<Exclusion> {
        let license = self.tenant.license.as_ref()?;
        let ended = license.strategy == ExpirationStrategy::Restrict && grace_end(license)? <= self.now;
        let late = release.since? >= license.window.until?;
        (ended && late).then_some(Exclusion::LicenceRestricted { span: license.span })
    }

    fn on_channel(&self, release: &Release) -> Option<Exclusion> {
        let pre_release = release.version.pre.as_str();
        let ours = pre_release.is_empty() || pre_release.split('.').next() == Some(self.channel);
        (!ours).then_some(Exclusion::Channel { span: release.version_span })
    }
}

/// When a licence's grace is over; never when it has no end.
pub(super) fn grace_end(license: &License) -> Option<Timestamp> {
    license.window.until.map(|until| until.plus(license.grace))
}

fn reviewed(release: &Release) -> Option<Exclusion> {
    match release.status {
        ReviewStatus::Approved | ReviewStatus::Online => None,
        status @ (ReviewStatus::Develop | ReviewStatus::Audit | ReviewStatus::Deprecated) => {
            Some(Exclusion::Review { status, span: release.review_span })
        }
    }
}

fn granted(wanted: &Wanted<'_>, entry: &Entry, release: &Release) -> Option<Exclusion> {
    let grants = wanted.grants_of(entry);
    let first = grants.first()?;
    let covered = grants.iter().any(|it| meets(it.range, &release.version));
    (!covered).then_some(Exclusion::NotGranted { span: first.reason.span })
}
