//! A mini-program that stays in a line-up: which shells take which version before and after.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::changes::downloads::Fetch;
use crate::changes::kind::{Cause, Kind};
use crate::changes::programs::{Line, asked_for, fetch};
use crate::changes::step::{Form, Step, cause};
use crate::changes::{Change, Comparer, Levels, Side, Why};
use crate::manifest;
use crate::manifest::{Face, MiniProgram};
use crate::model::Release;

/// A mini-program that both line-ups have, with all that their manifests say of it.
pub(super) struct Stay<'a> {
    pub(super) base: Line<'a>,
    pub(super) head: Line<'a>,
    pub(super) app_id: &'a Arc<str>,
    pub(super) before: MiniProgram<'a>,
    pub(super) after: MiniProgram<'a>,
    /// What each release says of itself, whether the manifest repeats it or not.
    faces: [Vec<Face<'a>>; 2],
}

/// A stretch of shell levels that take the same version before, and the same version after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    levels: Levels,
    /// Position among the releases before.
    from: Option<usize>,
    /// Position among the releases after.
    to: Option<usize>,
}

impl Comparer<'_> {
    /// Everything in which a mini-program differs that stays, but for its window.
    pub(super) fn stays(&self, stay: &Stay<'_>, found: &mut Vec<Change>, fetches: &mut Vec<Fetch>) {
        stay.whole(found);
        let mut seen = BTreeSet::new();
        for stretch in stretches(&stay.before.releases, &stay.after.releases) {
            match (stretch.from, stretch.to) {
                (None, None) => (),
                (Some(from), None) => self.goes(stay, from, stretch.levels, found),
                (None, Some(to)) => self.comes(stay, to, stretch.levels, found, fetches),
                (Some(from), Some(to)) => {
                    self.moves(stay, from, to, stretch.levels, found);
                    let step = stay.step(from, to);
                    step.fetch(stay.head, to, stretch.levels, fetches);
                    if seen.insert((from, to)) {
                        step.facts(stay, found);
                    }
                }
            }
        }
    }

    /// A version goes from a stretch of levels and none takes its place.
    fn goes(&self, stay: &Stay<'_>, from: usize, levels: Levels, found: &mut Vec<Change>) {
        let release = stay.base.release(from);
        let why = self.why_not_any_more(stay, release);
        let change = Change::new(stay.kind(levels, Kind::ShellsLost), why).program(stay.app_id);
        found.push(change.from(&release.version).shells(levels));
    }

    fn comes(&self, stay: &Stay<'_>, to: usize, levels: Levels, found: &mut Vec<Change>, fetches: &mut Vec<Fetch>) {
        let release = stay.head.release(to);
        let why = self.why_only_now(stay, release);
        let change = Change::new(stay.kind(levels, Kind::ShellsGained), why).program(stay.app_id);
        found.push(change.to(&release.version).shells(levels));
        let known = (0..stay.faces[0].len()).flat_map(|at| asked_for(stay.base.release(at))).collect();
        self.asks(stay.head, to, &known, found);
        fetch(&stay.after.releases[to], stay.head, to, levels, fetches);
    }

    fn moves(&self, stay: &Stay<'_>, from: usize, to: usize, levels: Levels, found: &mut Vec<Change>) {
        let (before, after) = (stay.base.release(from), stay.head.release(to));
        let (kind, why) = match before.code.cmp(&after.code) {
            std::cmp::Ordering::Less => (Kind::Update, self.why_only_now(stay, after)),
            std::cmp::Ordering::Greater => (Kind::Downgrade, self.why_not_any_more(stay, before)),
            std::cmp::Ordering::Equal => return,
        };
        let change = Change::new(kind, why).program(stay.app_id).shells(levels);
        found.push(change.from(&before.version).to(&after.version));
    }

    /// Why a version of the head was not used before.
    fn why_only_now(&self, stay: &Stay<'_>, release: &Release) -> Why {
        let (base, head) = (stay.base, stay.head);
        let known = base.side.catalog.program(base.included.program).releases.iter().find(|it| it.code == release.code);
        match (known, base.passed_over(release.code)) {
            (None, _) => head.why(Cause::VersionAdded, release.version_span),
            (Some(_), Some(why)) => why,
            (Some(known), None) if !is_placed_alike(known, release) => {
                head.why(Cause::VersionEdited, release.platform_span)
            }
            (Some(_), None) => head.why(Cause::ShellsChanged, release.platform_span),
        }
    }

    /// Why a version of the base is not used any more.
    fn why_not_any_more(&self, stay: &Stay<'_>, release: &Release) -> Why {
        let (base, head) = (stay.base, stay.head);
        let known = head.side.catalog.program(head.included.program).releases.iter().find(|it| it.code == release.code);
        match (known, head.passed_over(release.code)) {
            (None, _) => base.why(Cause::VersionRemoved, release.version_span),
            (Some(_), Some(why)) => why,
            (Some(known), None) if !is_placed_alike(release, known) => {
                head.why(Cause::VersionEdited, known.platform_span)
            }
            (Some(known), None) => head.why(Cause::ShellsChanged, known.platform_span),
        }
    }
}

/// Whether two forms of a version ask for the same shells and the same neighbours.
fn is_placed_alike(one: &Release, other: &Release) -> bool {
    (one.min_code, one.max_code) == (other.min_code, other.max_code)
        && (one.status, one.since) == (other.status, other.since)
        && one.revoked.is_some() == other.revoked.is_some()
        && one.dependencies.iter().map(|it| &it.range).eq(other.dependencies.iter().map(|it| &it.range))
}

impl<'a> Stay<'a> {
    pub(super) fn new(base: Line<'a>, head: Line<'a>) -> Stay<'a> {
        let (before, after) = (base.mini_program(), head.mini_program());
        let faces = [faces(&before), faces(&after)];
        Stay { base, head, app_id: head.app_id(), before, after, faces }
    }

    /// What is said of the program and not of a release. Taken apart field by field, so that none is forgotten.
    fn whole(&self, found: &mut Vec<Change>) {
        let MiniProgram {
            app_id: _,
            description,
            // These are the newest release's, and compared with it.
            egress: _,
            ext: _,
            icons: _,
            name: _,
            pages: _,
            preload,
            releases: _,
            req_permissions: _,
            short_name,
            update_policy: _,
            // `windows` compares them.
            valid_from: _,
            valid_until: _,
            // The newest release's again.
            version: _,
            window: _,
        } = &self.before;
        let (before, after) = (self.base.newest(), self.head.newest());
        let why = self.head.why(cause(before, after), after.version_span);
        let texts =
            [("description", description, &self.after.description), ("short_name", short_name, &self.after.short_name)];
        for (item, from, to) in texts.into_iter().filter(|(_, from, to)| from != to) {
            let change = Change::new(Kind::Presentation, why).program(self.app_id).item(item);
            found.push(change.values(from.as_ref(), to.as_ref()));
        }
        if *preload != self.after.preload {
            let change = Change::new(Kind::Preload, self.preload_why()).program(self.app_id);
            found.push(change.from(preload).to(&self.after.preload));
        }
    }

    /// Who wants it says whether it is needed; where that is as it was, a budget has room for it now, or no more.
    fn preload_why(&self) -> Why {
        let budget = |line: Line<'_>| Some(line.why(Cause::Project, line.side.project.first_start?.1));
        match self.base.included.needed == self.head.included.needed {
            true => budget(self.head).or(budget(self.base)).unwrap_or(self.head.first_reason()),
            false => self.head.first_reason(),
        }
    }

    fn step(&self, from: usize, to: usize) -> Step<'_> {
        let form = |line: &Line<'a>, said, face, at| Form { release: line.release(at), said, face };
        Step {
            before: form(&self.base, &self.before.releases[from], &self.faces[0][from], from),
            after: form(&self.head, &self.after.releases[to], &self.faces[1][to], to),
        }
    }

    /// The kind of a change of ranges: [`Kind::Range`] when no shell in the field is among the levels.
    fn kind(&self, levels: Levels, kind: Kind) -> Kind {
        let Side { catalog, .. } = self.head.side;
        let mut supported = self.head.seat.tenant.levels(catalog).into_iter();
        match supported.any(|it| levels.contains(it)) {
            true => kind,
            false => Kind::Range,
        }
    }
}

/// What each release says of itself.
fn faces<'a>(program: &MiniProgram<'a>) -> Vec<Face<'a>> {
    program.releases.iter().map(|it| program.face_of(it)).collect()
}

/// Cuts the levels where either side changes, and puts neighbours together that take the same.
fn stretches(before: &[manifest::Release<'_>], after: &[manifest::Release<'_>]) -> Vec<Stretch> {
    let begins = |it: &manifest::Release<'_>| Some(it.platform_version.min_code);
    let ends = |it: &manifest::Release<'_>| it.platform_version.max_code.and_then(|max| max.checked_add(1));
    let both = || before.iter().chain(after);
    let bounds: BTreeSet<u32> = both().filter_map(begins).chain(both().filter_map(ends)).collect();
    let bounds: Vec<u32> = bounds.into_iter().collect();
    let mut found: Vec<Stretch> = Vec::with_capacity(bounds.len());
    for (at, min) in bounds.iter().enumerate() {
        let levels = Levels { min: *min, max: bounds.get(at + 1).map(|next| next - 1) };
        let taken = |releases: &[manifest::Release<'_>]| releases.iter().position(|it| takes(it, *min));
        let next = Stretch { levels, from: taken(before), to: taken(after) };
        match found.last_mut() {
            Some(last) if (last.from, last.to) == (next.from, next.to) => last.levels.max = levels.max,
            Some(_) | None => found.push(next),
        }
    }
    found
}

/// Whether shells of a level take a release.
pub(super) fn takes(release: &manifest::Release<'_>, level: u32) -> bool {
    let range = &release.platform_version;
    Levels { min: range.min_code, max: range.max_code }.contains(level)
}
