//! What may run: the set that is installed, held to the newest manifest that was verified.

use super::answer::{Freshness, Stopped, Verdict};
use super::set::{Chosen, Program, Set, fits};
use crate::input::ExpirationStrategy;
use crate::manifest::RevokeMode;
use crate::time::{Timestamp, earliest};

/// The rule, at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'a> {
    /// What the newest verified manifest says to this shell. It may not be installed yet, and takes away all the same.
    pub(super) newest: &'a Set,
    /// The first instant at which that is not fresh any more.
    pub(super) fresh_until: Timestamp,
    /// Not before the clock; see `clock.rs`.
    pub(super) now: Timestamp,
}

impl Judge<'_> {
    /// How fresh is what is known.
    ///
    /// `fresh_until` is the first expiry among timestamp, snapshot and targets; the grace begins there, wherever the
    /// device was at the time, and its end is the first instant that is not part of it.
    pub(super) fn freshness(&self) -> Freshness {
        let (since, until) = (self.fresh_until, self.grace_until());
        match () {
            () if self.now < since => Freshness::Fresh { until: since },
            () if self.now < until => Freshness::Grace { since, until },
            () => Freshness::Over { since: until, strategy: self.newest.offline.expiration_strategy },
        }
    }

    /// The first instant after the offline grace.
    pub(super) fn grace_until(&self) -> Timestamp {
        self.fresh_until.plus(self.newest.grace())
    }

    /// Whether an installed program may run, as far as signed files have a say in it.
    pub(super) fn verdict(&self, program: &Program, platform_code: u32) -> Verdict {
        // After an update of the shell, what is installed may be for the old one.
        let for_shell = |it: &&Chosen| fits(&it.platform_version, platform_code);
        let Some(installed) = program.release.as_ref().filter(for_shell) else { return Verdict::NoRelease };
        if let Some(mode) = self.revoked(program, installed) {
            return Verdict::Revoked { mode };
        }
        let Some(newest) = self.newest.program(&program.app_id) else { return Verdict::Lost };
        let Some(release) = &newest.release else { return Verdict::NoRelease };
        let window = newest.window();
        match (release.update_policy.min_usable_version, window.from, window.until, self.freshness()) {
            (Some(least), ..) if installed.version.code < least => Verdict::TooOld { least },
            (_, Some(from), ..) if self.now < from => Verdict::NotBegun { from },
            (_, _, Some(at), _) if at <= self.now => Verdict::Ended { at },
            (.., Freshness::Over { since, strategy: ExpirationStrategy::Revoke }) => Verdict::GraceOver { since },
            _ => Verdict::Runs,
        }
    }

    /// What may not run any more of a set.
    pub(super) fn stopped(&self, set: &Set, platform_code: u32) -> Vec<Stopped> {
        let stopped = |program: &Program| {
            let why = self.verdict(program, platform_code);
            let code = program.release.as_ref()?.version.code;
            (why != Verdict::Runs).then(|| Stopped { app_id: program.app_id.clone(), code, why })
        };
        set.programs.iter().filter_map(stopped).collect()
    }

    /// The next instant at which an answer changes by itself.
    pub(super) fn next_change(&self) -> Option<Timestamp> {
        let windows = self.newest.programs.iter().flat_map(|it| [it.valid_from, it.valid_until]);
        let bounds = windows.chain([Some(self.fresh_until), Some(self.grace_until())]);
        bounds.filter(|it| it.is_some_and(|at| at > self.now)).fold(None, earliest)
    }

    fn revoked(&self, program: &Program, installed: &Chosen) -> Option<RevokeMode> {
        let code = installed.version.code;
        let revoked = self.newest.revoked.iter().filter(|it| it.app_id == program.app_id && it.code == code);
        // Named twice, the stricter word counts.
        revoked.map(|it| it.mode).min_by_key(|it| *it == RevokeMode::Drain)
    }
}
