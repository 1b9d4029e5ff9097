//! Which versions may ship to the tenant at all, whatever its shells and its other programs.

use crate::input::{ExpirationStrategy, ReviewStatus};
use crate::model::{Catalog, License, Release, Tenant, meets};
use crate::resolve::compliance::{Pinning, Verdicts};
use crate::resolve::reasons::Exclusion;
use crate::resolve::wanted::{Entry, Wanted};
use crate::time::{Timestamp, earliest};

/// The versions of all entries, one after the other.
#[derive(Debug)]
pub(super) struct Candidates {
    /// Why each is no candidate; none for candidates.
    pub(super) refused: Vec<Option<Exclusion>>,
    /// When this can become another.
    pub(super) next_change: Option<Timestamp>,
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
}

impl Gate<'_> {
    pub(super) fn candidates(&self, wanted: &Wanted<'_>) -> Candidates {
        let mut found = Candidates { refused: Vec::with_capacity(64), next_change: None };
        for entry in &wanted.entries {
            let pin = self.tenant.pins.iter().find(|(program, ..)| *program == entry.program);
            for (at, release) in self.catalog.program(entry.program).releases.iter().enumerate() {
                let refusal = reviewed(release)
                    .or_else(|| self.compliant(entry, at, pin.is_some(), &mut found.next_change))
                    .or_else(|| self.in_region(release))
                    .or_else(|| self.licensed(release))
                    .or_else(|| granted(wanted, entry, release))
                    .or_else(|| {
                        let other = pin.filter(|(_, code, _)| *code != release.code);
                        other.map(|&(_, code, span)| Exclusion::Pin { code, span })
                    })
                    .or_else(|| self.on_channel(release));
                found.refused.push(refusal);
            }
        }
        found
    }

    fn compliant(
        &self,
        entry: &Entry,
        at: usize,
        pinned: bool,
        next_change: &mut Option<Timestamp>,
    ) -> Option<Exclusion> {
        let pinning = match pinned {
            true => Pinning::Pinned,
            false => Pinning::Free,
        };
        let verdict = self.verdicts?.on(self.first_release[entry.program.at()] + at, pinning);
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
