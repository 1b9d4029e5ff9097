//! Whether a version passes the rules of a profile and of all that it imports.

use crate::input::{MinStatus, ReviewStatus};
use crate::model::{AllowDeny, Catalog, Profile, ProfileId, Program, Release};
use crate::resolve::reasons::{Breach, Rule, Subject};
use crate::text::Span;
use crate::time::{Timestamp, earliest};

/// What a profile says of one version at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    /// The first rule that the version does not pass.
    pub(super) breach: Option<Breach>,
    /// When, after that instant, the verdict can become another.
    pub(super) next_change: Option<Timestamp>,
}

/// Whether the tenant pins the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pinning {
    Pinned,
    Free,
}

/// What a profile, with its imports, says of every version of the catalogue, program by program.
#[derive(Debug)]
pub(super) struct Verdicts {
    free: Vec<Verdict>,
    pinned: Vec<Verdict>,
}

impl Verdicts {
    pub(super) fn new(catalog: &Catalog, profile: ProfileId, now: Timestamp) -> Verdicts {
        let all = |pinning| {
            let releases =
                catalog.programs.iter().flat_map(|program| program.releases.iter().map(move |it| (program, it)));
            releases.map(|(program, it)| verdict(catalog, profile, program, it, pinning, now)).collect()
        };
        Verdicts { free: all(Pinning::Free), pinned: all(Pinning::Pinned) }
    }

    /// The verdict on the version at this position among all versions of the catalogue.
    pub(super) fn on(&self, position: usize, pinning: Pinning) -> &Verdict {
        match pinning {
            Pinning::Free => &self.free[position],
            Pinning::Pinned => &self.pinned[position],
        }
    }
}

/// Tests rule after rule up to the first breach. Whatever was not tested cannot change the verdict.
fn verdict(
    catalog: &Catalog,
    id: ProfileId,
    program: &Program,
    release: &Release,
    pinning: Pinning,
    now: Timestamp,
) -> Verdict {
    let mut next_change = None;
    let breach = catalog.profiles[id.at()].closure.iter().find_map(|&id| {
        let profile = &catalog.profiles[id.at()];
        let timeless = standing_breach(profile, program, release);
        let breach = timeless.or_else(|| timed_breach(profile, release, pinning, now, &mut next_change));
        breach.map(|(rule, subject, span)| Breach { profile: id, rule, subject, span })
    });
    Verdict { breach, next_change }
}

/// The rules that `now` does not enter: all up to `review.min_status`.
fn standing_breach(profile: &Profile, program: &Program, release: &Release) -> Option<(Rule, Subject, Span)> {
    let on_program = refused(&profile.mini_programs, &program.app_id)
        .map(|(list, span)| (list.of(Rule::MiniProgramDenied, Rule::MiniProgramNotAllowed), Subject::Version, span));
    let on_permission = || {
        release.req_permissions.iter().enumerate().find_map(|(at, permission)| {
            let (list, span) = refused(&profile.permissions, &permission.name)?;
            Some((list.of(Rule::PermissionDenied, Rule::PermissionNotAllowed), Subject::Permission(at), span))
        })
    };
    let on_host = || {
        release.egress.iter().enumerate().find_map(|(at, host)| {
            let (list, span) = refused(&profile.egress, host)?;
            Some((list.of(Rule::EgressDenied, Rule::EgressNotAllowed), Subject::Host(at), span))
        })
    };
    let on_class = || {
        let (highest, span) = profile.max_classification?;
        (release.classification > highest).then_some((Rule::MaxClassification, Subject::Version, span))
    };
    let on_region = || {
        let (allowed, span) = profile.regions.as_ref()?;
        let subject = match release.regions.iter().any(|it| allowed.contains(it)) {
            true => return None,
            false if release.regions.is_empty() => Subject::NoRegion,
            // None of its regions will do, so naming the first is fair.
            false => Subject::Region(0),
        };
        Some((Rule::Regions, subject, *span))
    };
    let on_status = || {
        let (least, span) = profile.min_status?;
        let enough = match least {
            MinStatus::Approved => matches!(release.status, ReviewStatus::Approved | ReviewStatus::Online),
            MinStatus::Online => release.status == ReviewStatus::Online,
        };
        (!enough).then_some((Rule::MinStatus, Subject::Version, span))
    };
    on_program.or_else(on_permission).or_else(on_host).or_else(on_class).or_else(on_region).or_else(on_status)
}

fn timed_breach(
    profile: &Profile,
    release: &Release,
    pinning: Pinning,
    now: Timestamp,
    next_change: &mut Option<Timestamp>,
) -> Option<(Rule, Subject, Span)> {
    let mut changes_at = |at: Option<Timestamp>| {
        *next_change = earliest(*next_change, at.filter(|at| *at > now));
    };
    if let Some((soak, span)) = profile.min_soak {
        let ends = release.since.map(|since| since.plus(soak));
        changes_at(ends);
        if ends.is_none_or(|ends| ends > now) {
            return Some((Rule::MinSoak, Subject::Version, span));
        }
    }
    match (profile.pin_required, pinning) {
        (Some(span), Pinning::Free) => return Some((Rule::PinRequired, Subject::Version, span)),
        (Some(_), Pinning::Pinned) | (None, _) => (),
    }
    let since = release.since?;
    for (window, span) in profile.freeze_windows.iter().filter(|(it, _)| it.from.is_none_or(|from| from <= since)) {
        changes_at(window.from);
        changes_at(window.until);
        if window.contains(now) {
            return Some((Rule::FreezeWindow, Subject::Version, *span));
        }
    }
    None
}

/// Which of two lists refuses a text.
enum List {
    Deny,
    Allow,
}

impl List {
    fn of(&self, denied: Rule, not_allowed: Rule) -> Rule {
        match self {
            List::Deny => denied,
            List::Allow => not_allowed,
        }
    }
}

fn refused(lists: &AllowDeny, text: &str) -> Option<(List, Span)> {
    if let Some(pattern) = lists.deny.iter().find(|it| it.matches(text)) {
        return Some((List::Deny, pattern.span));
    }
    let (allowed, span) = lists.allow.as_ref()?;
    (!allowed.iter().any(|it| it.matches(text))).then_some((List::Allow, *span))
}
