//! Whether a version passes the rules of a profile and of all that it imports.

use crate::input::{MinStatus, ReviewStatus};
use crate::model::{AllowDeny, Catalog, Profile, ProfileId, Program, Release};
use crate::resolve::reasons::{Breach, Rule, Subject};
use crate::text::Span;
use crate::time::{Timestamp, Window, earliest};

/// What a profile says of one version at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    /// The first rule that the version does not pass.
    pub(super) breach: Option<Breach>,
    /// Whether it was reviewed, or its soak ended, inside the freeze window in which we are.
    pub(super) is_frozen: bool,
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
    /// What the freeze windows say.
    pub(super) freeze: Freeze,
    free: Vec<Verdict>,
    pinned: Vec<Verdict>,
}

/// The freeze windows of a profile and its imports, at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Freeze {
    /// The last instant before the windows in which we are, one that touches another included; now when we are in none.
    /// None when there is no instant before them. Whatever had not come by then waits.
    pub(super) then: Option<Timestamp>,
    /// The first window in which we are: who states it, and where.
    pub(super) window: Option<(ProfileId, Span)>,
    /// The first instant that lies in none.
    pub(super) until: Option<Timestamp>,
    /// The next instant at which a window begins or ends.
    next_change: Option<Timestamp>,
}

impl Freeze {
    fn new(catalog: &Catalog, profile: ProfileId, now: Timestamp) -> Freeze {
        let closure = &catalog.profiles[profile.at()].closure;
        let windows: Vec<(ProfileId, Window, Span)> = closure
            .iter()
            .flat_map(|id| catalog.profiles[id.at()].freeze_windows.iter().map(|(window, span)| (*id, *window, *span)))
            .collect();
        let containing = |at: Timestamp| windows.iter().find(|(_, window, _)| window.contains(at));
        // Each round goes back before the beginning of a window that contains the instant, so rounds end.
        let mut then = Some(now);
        while let Some((_, window, _)) = then.and_then(containing) {
            then = window.from.and_then(|from| Timestamp::from_unix(from.unix() - 1));
        }
        let mut until = Some(now);
        while let Some((_, window, _)) = until.and_then(containing) {
            until = window.until;
        }
        let bounds = windows.iter().flat_map(|(_, window, _)| [window.from, window.until]).flatten();
        Freeze {
            then,
            window: containing(now).map(|(id, _, span)| (*id, *span)),
            until,
            next_change: bounds.filter(|at| *at > now).min(),
        }
    }

    /// Whether something that came at an instant has to wait.
    pub(super) fn holds(&self, came: Timestamp) -> bool {
        self.window.is_some() && self.then.is_none_or(|then| came > then)
    }
}

impl Verdicts {
    pub(super) fn new(catalog: &Catalog, profile: ProfileId, now: Timestamp) -> Verdicts {
        let freeze = Freeze::new(catalog, profile, now);
        let all = |pinning| {
            let releases =
                catalog.programs.iter().flat_map(|program| program.releases.iter().map(move |it| (program, it)));
            releases.map(|(program, it)| verdict(catalog, profile, program, it, pinning, now, &freeze)).collect()
        };
        Verdicts { free: all(Pinning::Free), pinned: all(Pinning::Pinned), freeze }
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
    freeze: &Freeze,
) -> Verdict {
    let mut next_change = None;
    let closure = || catalog.profiles[id.at()].closure.iter().map(|&id| (id, &catalog.profiles[id.at()]));
    let breach = closure().find_map(|(id, profile)| {
        let timeless = standing_breach(profile, program, release);
        let breach = timeless.or_else(|| timed_breach(profile, release, pinning, now, &mut next_change));
        breach.map(|(rule, subject, span)| Breach { profile: id, rule, subject, span })
    });
    if breach.is_some() {
        return Verdict { breach, is_frozen: false, next_change };
    }
    let soaked = closure().filter_map(|(_, profile)| Some(release.since?.plus(profile.min_soak?.0)));
    let is_frozen = release.since.into_iter().chain(soaked).any(|came| freeze.holds(came));
    Verdict { breach, is_frozen, next_change: earliest(next_change, freeze.next_change) }
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
    if let Some((soak, span)) = profile.min_soak {
        let ends = release.since.map(|since| since.plus(soak));
        *next_change = earliest(*next_change, ends.filter(|at| *at > now));
        if ends.is_none_or(|ends| ends > now) {
            return Some((Rule::MinSoak, Subject::Version, span));
        }
    }
    match (profile.pin_required, pinning) {
        (Some(span), Pinning::Free) => Some((Rule::PinRequired, Subject::Version, span)),
        (Some(_), Pinning::Pinned) | (None, _) => None,
    }
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
