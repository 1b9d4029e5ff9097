//! Which optional mini-programs are preloaded besides, where a budget has room.

use std::collections::BTreeSet;

use super::{Load, Size, heaviest, load, most_packed};
use crate::model::ProgramId;
use crate::render::Rendered;
use crate::resolve::{Included, Resolution};

/// Left free for roots and for whatever of the signed files does not grow with the line-up.
const FRAME: u64 = 16 << 10;

/// Left free for what the manifest and the targets say of each mini-program.
const ENTRY: u64 = 4 << 10;

/// Has optional mini-programs preloaded as far as a number of bytes has room, those with the smallest archives first,
/// equal ones by `app_id`. One that does not fit with what it needs is passed over.
///
/// A mini-program is taken for all devices of the tenant or for none: it fits when it fits on shells of every level and
/// for every share of devices. What signed files take is not known before they are signed, so a part of the room is
/// left for them; files rendered for the tenant count as if they could not be packed.
pub fn fill(most: u64, size: Size<'_>, resolution: &mut Resolution, rendered: &Rendered) {
    let mut filling = Filling::new(most, size, resolution, rendered);
    for program in filling.candidates() {
        let more = filling.with(program);
        if filling.bytes(&more) <= filling.room {
            filling.preloaded = more;
        }
    }
    let Filling { preloaded, .. } = filling;
    let line_ups = std::iter::once(&mut resolution.included)
        .chain(resolution.cohorts.iter_mut().map(|it| &mut it.line_up.included));
    for it in line_ups.flatten() {
        it.preload = it.needed || preloaded.contains(&it.program);
    }
}

/// What is decided of one tenant's line-ups.
struct Filling {
    room: u64,
    line_ups: Vec<LineUp>,
    /// Those that are preloaded in whichever line-up has them, besides what is needed.
    preloaded: BTreeSet<ProgramId>,
}

/// One line-up: what its mini-programs weigh and need.
struct LineUp {
    programs: Vec<Weighed>,
}

struct Weighed {
    program: ProgramId,
    needed: bool,
    needs: Vec<ProgramId>,
    loads: Vec<Load>,
}

impl Filling {
    fn new(most: u64, size: Size<'_>, resolution: &Resolution, rendered: &Rendered) -> Filling {
        let rendered = std::iter::once(rendered).chain(&rendered.cohorts);
        let line_up = |(line_up, rendered): (&Resolution, &Rendered)| {
            let programs = line_up.included.iter().zip(&rendered.releases).map(|(included, rendered)| {
                let overlays = rendered.iter().map(|it| (!it.overlay.is_empty()).then(|| most_packed(&it.overlay)));
                Weighed::new(size, included, &overlays.collect::<Vec<_>>())
            });
            LineUp { programs: programs.collect() }
        };
        let line_ups: Vec<LineUp> = resolution.line_ups().zip(rendered).map(line_up).collect();
        let all: BTreeSet<ProgramId> = line_ups.iter().flat_map(|it| &it.programs).map(|it| it.program).collect();
        let room = most.saturating_sub(FRAME + ENTRY * all.len() as u64);
        Filling { room, line_ups, preloaded: BTreeSet::new() }
    }

    /// Optional mini-programs in the order in which they are tried.
    fn candidates(&self) -> Vec<ProgramId> {
        let optional = self.line_ups.iter().flat_map(|it| &it.programs).filter(|it| !it.needed);
        let optional: BTreeSet<ProgramId> = optional.map(|it| it.program).collect();
        let weigh = |program: ProgramId| {
            let forms = self.line_ups.iter().filter_map(|it| it.find(program));
            heaviest(forms.map(|it| it.loads.as_slice())).map_or(0, |it| it.cost.bytes)
        };
        let mut weighed: Vec<(u64, ProgramId)> = optional.into_iter().map(|it| (weigh(it), it)).collect();
        weighed.sort_unstable();
        weighed.into_iter().map(|(_, program)| program).collect()
    }

    /// What is preloaded when one more is, with all that it needs.
    fn with(&self, program: ProgramId) -> BTreeSet<ProgramId> {
        let mut all = self.preloaded.clone();
        let mut next = vec![program];
        while let Some(program) = next.pop() {
            if all.insert(program) {
                next.extend(self.line_ups.iter().filter_map(|it| it.find(program)).flat_map(|it| &it.needs));
            }
        }
        all
    }

    /// What a device fetches at most.
    fn bytes(&self, preloaded: &BTreeSet<ProgramId>) -> u64 {
        let of = |it: &LineUp| -> Vec<Load> {
            let taken = it.programs.iter().filter(|it| it.needed || preloaded.contains(&it.program));
            taken.flat_map(|it| &it.loads).copied().collect()
        };
        let line_ups: Vec<Vec<Load>> = self.line_ups.iter().map(of).collect();
        heaviest(line_ups.iter().map(Vec::as_slice)).map_or(0, |it| it.cost.bytes)
    }
}

impl LineUp {
    fn find(&self, program: ProgramId) -> Option<&Weighed> {
        self.programs.binary_search_by_key(&program, |it| it.program).ok().map(|at| &self.programs[at])
    }
}

impl Weighed {
    fn new(size: Size<'_>, included: &Included, overlays: &[Option<(crate::digest::Blake3, u64)>]) -> Weighed {
        Weighed {
            program: included.program,
            needed: included.needed,
            needs: included.dependencies.clone(),
            loads: load(size, included, overlays).collect(),
        }
    }
}
