//! Versions that must stop wherever they are: revoked ones, and all of a program that an override takes away.

use crate::input::RevokeMode;
use crate::model::{Catalog, ProgramId};
use crate::resolve::reasons::Exclusion;
use crate::resolve::wanted::Wanted;
use crate::resolve::{Resolution, Standing, Stopped, StoppedBy};

/// Of every program that is granted, or that a granted one may need: a device may have any version of these.
pub(super) fn all(catalog: &Catalog, wanted: &Wanted<'_>, resolution: &Resolution) -> Vec<Stopped> {
    let mut found = Vec::new();
    for entry in &wanted.entries {
        let taken = match resolution.standing(entry.program) {
            Standing::Out(it) if is_nowhere(resolution, it.program) => match it.why {
                Exclusion::Revoked { span, .. } => Some(span),
                _ => None,
            },
            Standing::Out(_) | Standing::In(_) | Standing::NotEntitled => None,
        };
        for (release, it) in catalog.program(entry.program).releases.iter().enumerate() {
            let stopped = |mode, by, span| Stopped { program: entry.program, release, mode, by, span };
            let by_override = taken.map(|span| stopped(RevokeMode::Block, StoppedBy::Override, span));
            let revoked = it.revoked.as_ref();
            let by_itself = || revoked.map(|it| stopped(it.mode, StoppedBy::Version, it.span));
            found.extend(by_override.or_else(by_itself));
        }
    }
    found.sort_unstable_by_key(|it| (it.program, it.release));
    found
}

/// Whether no device has a program.
fn is_nowhere(resolution: &Resolution, program: ProgramId) -> bool {
    resolution.line_ups().all(|it| !matches!(it.standing(program), Standing::In(_)))
}
