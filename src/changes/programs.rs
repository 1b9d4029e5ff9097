//! Two line-ups, mini-program by mini-program, as their manifests say them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::changes::downloads::{Fetch, Fetched};
use crate::changes::kind::{Cause, Kind};
use crate::changes::stays::Stay;
use crate::changes::{Change, Comparer, Devices, Levels, Of, Seat, Side, Why, windows};
use crate::manifest;
use crate::manifest::MiniProgram;
use crate::model::Release;
use crate::render::RenderedRelease;
use crate::resolve::{Included, Standing};
use crate::text::Span;

/// One mini-program of one line-up.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) of: Of,
    pub(super) side: Side<'a>,
    pub(super) seat: Seat<'a>,
    pub(super) included: &'a Included,
    pub(super) rendered: &'a [RenderedRelease],
}

impl<'a> Line<'a> {
    /// The mini-programs of a tenant.
    fn all(of: Of, side: Side<'a>, seat: Seat<'a>) -> impl Iterator<Item = Line<'a>> {
        let lines = seat.resolution.included.iter().zip(&seat.rendered.releases);
        lines.map(move |(included, rendered)| Line { of, side, seat, included, rendered })
    }

    pub(super) fn app_id(&self) -> &'a Arc<str> {
        &self.side.catalog.program(self.included.program).app_id
    }

    /// The version at a position of the manifest's list.
    pub(super) fn release(&self, at: usize) -> &'a Release {
        self.included.releases[at].of(self.side.catalog, self.included.program)
    }

    pub(super) fn newest(&self) -> &'a Release {
        self.release(0)
    }

    pub(super) fn why(&self, cause: Cause, span: Span) -> Why {
        Why { cause, of: self.of, span }
    }

    /// The first of those who want it.
    pub(super) fn first_reason(&self) -> Why {
        let reason = self.included.because().first().expect("nothing is in without a reason");
        self.why(Cause::of_reason(reason.kind), reason.span)
    }

    /// Why a version that is newer than all that the tenant has is not used; none when it is not one of these.
    pub(super) fn passed_over(&self, code: u32) -> Option<Why> {
        let releases = &self.side.catalog.program(self.included.program).releases;
        let (at, why) = self.included.passed_over.iter().find(|(at, _)| releases[*at].code == code)?;
        Some(self.why(Cause::of_exclusion(why), why.span().unwrap_or(releases[*at].version_span)))
    }

    /// As the manifest says it.
    pub(super) fn mini_program(self) -> MiniProgram<'a> {
        self.side.composer.mini_program(self.included, self.rendered)
    }
}

impl Comparer<'_> {
    /// What a new tenant gets.
    pub(super) fn programs_of_new(&self, head: Seat<'_>, found: &mut Vec<Change>, fetches: &mut Vec<Fetch>) {
        for line in Line::all(Of::Head, self.head, head) {
            let change = Change::new(Kind::Gain, line.first_reason()).program(line.app_id());
            found.push(change.to(&line.newest().version));
            fetch_all(&line.mini_program(), line, fetches);
        }
    }

    /// What a tenant loses whose document is gone.
    pub(super) fn programs_of_gone(&self, base: Seat<'_>, found: &mut Vec<Change>) {
        let why = Why { cause: Cause::TenantRemoved, of: Of::Base, span: base.tenant.span };
        for included in &base.resolution.included {
            found.push(Change::new(Kind::Lose, why).program(&self.base.catalog.program(included.program).app_id));
        }
    }

    /// What differs between two line-ups of one tenant.
    pub(super) fn programs(&self, base: Seat<'_>, head: Seat<'_>, found: &mut Vec<Change>, fetches: &mut Vec<Fetch>) {
        let mut moved = Vec::new();
        for before in Line::all(Of::Base, self.base, base) {
            let id = self.to_head[before.included.program.at()];
            let after = id.and_then(|id| head.resolution.included.binary_search_by_key(&id, |it| it.program).ok());
            match after {
                None => found.push(self.lost(before, head)),
                Some(at) => {
                    let (included, rendered) = (&head.resolution.included[at], &head.rendered.releases[at][..]);
                    let after = Line { of: Of::Head, side: self.head, seat: head, included, rendered };
                    self.windows(before, after, &mut moved);
                    if !self.is_alike(before, after) {
                        self.stays(&Stay::new(before, after), found, fetches);
                    }
                    self.held_back(before, after, found);
                }
            }
        }
        for after in Line::all(Of::Head, self.head, head) {
            let id = self.to_base[after.included.program.at()];
            let was_there = id.is_some_and(|id| matches!(base.resolution.standing(id), Standing::In(_)));
            if !was_there {
                self.gained(after, base, found, fetches);
            }
        }
        windows::gather(moved, found);
    }

    fn lost(&self, before: Line<'_>, head: Seat<'_>) -> Change {
        let reason = before.first_reason();
        let why = match self.to_head[before.included.program.at()].map(|id| head.resolution.standing(id)) {
            None => Why { cause: Cause::ProgramRemoved, span: before.newest().version_span, ..reason },
            Some(Standing::Out(it)) => {
                let cause = Cause::of_exclusion(&it.why);
                it.why.span().map_or(Why { cause, ..reason }, |span| Why { cause, of: Of::Head, span })
            }
            // Whoever wanted it does so no more.
            Some(Standing::NotEntitled | Standing::In(_)) => Why { cause: Cause::NotEntitled, ..reason },
        };
        Change::new(Kind::Lose, why).program(before.app_id()).from(&before.newest().version)
    }

    fn gained(&self, after: Line<'_>, base: Seat<'_>, found: &mut Vec<Change>, fetches: &mut Vec<Fetch>) {
        let standing = self.to_base[after.included.program.at()].map(|id| base.resolution.standing(id));
        let why = match standing {
            // It was granted already: what kept it out is the reason, now that it no longer does.
            Some(Standing::Out(it)) => {
                let cause = Cause::of_exclusion(&it.why);
                it.why.span().map_or(after.first_reason(), |span| Why { cause, of: Of::Base, span })
            }
            Some(Standing::NotEntitled | Standing::In(_)) | None => after.first_reason(),
        };
        found.push(Change::new(Kind::Gain, why).program(after.app_id()).to(&after.newest().version));
        let mut known = BTreeSet::new();
        for at in 0..after.included.releases.len() {
            self.asks(after, at, &known, found);
            known.extend(asked_for(after.release(at)));
        }
        fetch_all(&after.mini_program(), after, fetches);
    }

    /// Permissions and hosts of a version that comes where none was before.
    pub(super) fn asks(&self, after: Line<'_>, at: usize, known: &BTreeSet<(Kind, &str)>, found: &mut Vec<Change>) {
        let release = after.release(at);
        let spans = release.permission_spans.iter().chain(&release.egress_spans);
        for ((kind, name), span) in asked_for(release).zip(spans).filter(|(it, _)| !known.contains(it)) {
            let why = after.why(Cause::ProgramGained, *span);
            found.push(Change::new(kind, why).program(after.app_id()).item(name));
        }
    }

    /// Whether two line-ups say the same of a program, but for its window, seen without asking for their manifests.
    fn is_alike(&self, before: Line<'_>, after: Line<'_>) -> bool {
        let (base, head) = (before.included, after.included);
        let releases = base.releases.iter().zip(&head.releases);
        let mut releases = releases.zip(before.rendered.iter().zip(after.rendered));
        base.preload == head.preload
            && base.releases.len() == head.releases.len()
            && releases.all(|((one, other), (rendered, others))| {
                one.platform == other.platform
                    && self.same.release(head.program, other.release) == Some(one.release)
                    && (rendered.ext == others.ext && rendered.overlay == others.overlay)
            })
    }

    /// Newer versions that are not used, when that, or the reason, is new.
    fn held_back(&self, before: Line<'_>, after: Line<'_>, found: &mut Vec<Change>) {
        let releases = &after.side.catalog.program(after.included.program).releases;
        for (at, why) in &after.included.passed_over {
            let held = &releases[*at];
            let cause = Cause::of_exclusion(why);
            let is_old = before.passed_over(held.code).is_some_and(|it| it.cause == cause);
            let was_used = (0..before.included.releases.len()).any(|it| before.release(it).code == held.code);
            if !is_old && !was_used {
                let why = after.why(cause, why.span().unwrap_or(held.version_span));
                let change = Change::new(Kind::HeldBack, why).program(after.app_id());
                found.push(change.from(&after.newest().version).to(&held.version));
            }
        }
    }
}

/// What a version asks for, in the words of the change that would bring it: permissions, then hosts.
pub(super) fn asked_for(release: &Release) -> impl Iterator<Item = (Kind, &str)> {
    let permissions = release.req_permissions.iter().map(|it| (Kind::PermissionAdded, &*it.name));
    permissions.chain(release.egress.iter().map(|it| (Kind::EgressAdded, &**it)))
}

/// Everything that comes with a mini-program.
fn fetch_all(program: &MiniProgram<'_>, line: Line<'_>, fetches: &mut Vec<Fetch>) {
    for (at, release) in program.releases.iter().enumerate() {
        let range = &release.platform_version;
        fetch(release, line, at, Levels { min: range.min_code, max: range.max_code }, fetches);
    }
}

/// A release with all its files.
pub(super) fn fetch(
    release: &manifest::Release<'_>,
    line: Line<'_>,
    at: usize,
    levels: Levels,
    fetches: &mut Vec<Fetch>,
) {
    let bundle = Fetched::Bundle(line.included.program, line.included.releases[at].release);
    let devices = Devices::ALL;
    fetches.push(Fetch { levels, devices, tree: release.bundle.blake3, what: bundle });
    fetches.extend(release.overlay.as_ref().map(|it| Fetch {
        levels,
        devices,
        tree: it.blake3,
        what: Fetched::Overlay(it.length),
    }));
}
