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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Bucket;
    use crate::client::set::Set;
    use crate::manifest::Manifest;

    /// A manifest with one program, in version 2, for shells from 10 to 19, and with these revocations.
    fn set(revoked: &serde_json::Value) -> Set {
        let file = serde_json::json!({
            "blake3": "0".repeat(64), "length": 1, "sha256": "0".repeat(64), "target": "0".repeat(64),
        });
        let version = serde_json::json!({ "code": 2, "name": "2.0.0" });
        let program = serde_json::json!({
            "app_id": "com.example.chat", "egress": [], "ext": {}, "icons": [], "name": "Chat", "pages": ["index.html"],
            "preload": true, "req_permissions": [], "update_policy": { "mode": "background" }, "version": version,
            "window": {}, "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z",
            "releases": [{
                "bundle": file, "platform_version": { "max_code": 19, "min_code": 10, "target_code": 12 }, "version": version,
            }],
        });
        let manifest: Manifest = serde_json::from_value(serde_json::json!({
            "addr": "a", "branding": {}, "entitlements": {}, "environment": "test", "expires": "2026-12-01T00:00:00Z",
            "issued": "2026-11-01T00:00:00Z", "limits": {}, "mini_programs": [program],
            "offline": { "expiration_strategy": "revoke", "grace": "P14D" }, "publication": 1, "revoked": revoked,
            "source": { "compiler": "test", "inputs_digest": "0".repeat(64) }, "spec_version": "1.0.0", "tenant_id": "t",
        }))
        .expect("a manifest");
        Set::of(&manifest, 12, Bucket::of("a", "device"))
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn verdict(newest: &Set, now: &str, platform_code: u32) -> Verdict {
        let judge = Judge { newest, fresh_until: at("2026-12-01"), now: at(now) };
        judge.verdict(&set(&serde_json::json!([])).programs[0], platform_code)
    }

    #[test]
    fn a_version_is_revoked_by_its_code_and_the_stricter_word_counts() {
        let revoked = |entries: serde_json::Value| verdict(&set(&entries), "2026-11-23", 12);
        let entry =
            |code: u32, mode: &str| serde_json::json!({ "app_id": "com.example.chat", "code": code, "mode": mode });
        assert_eq!(revoked(serde_json::json!([entry(1, "block"), entry(3, "block")])), Verdict::Runs);
        assert_eq!(revoked(serde_json::json!([entry(2, "drain")])), Verdict::Revoked { mode: RevokeMode::Drain });
        let both = serde_json::json!([entry(2, "drain"), entry(2, "block")]);
        assert_eq!(revoked(both), Verdict::Revoked { mode: RevokeMode::Block });
        let other = serde_json::json!([{ "app_id": "com.example.other", "code": 2, "mode": "block" }]);
        assert_eq!(revoked(other), Verdict::Runs);
    }

    #[test]
    fn windows_and_grace_are_half_open() {
        let newest = set(&serde_json::json!([]));
        for (now, expected) in [
            ("2025-12-31T23:59:59Z", Verdict::NotBegun { from: at("2026-01-01") }),
            ("2026-01-01", Verdict::Runs),
            ("2026-12-14T23:59:59Z", Verdict::Runs),
            ("2026-12-15", Verdict::GraceOver { since: at("2026-12-15") }),
            ("2027-01-01", Verdict::Ended { at: at("2027-01-01") }),
        ] {
            assert_eq!(verdict(&newest, now, 12), expected, "{now}");
        }
        assert_eq!(verdict(&newest, "2026-11-23", 20), Verdict::NoRelease, "another shell than it was installed for");
    }

    #[test]
    fn the_next_change_is_the_next_bound() {
        let newest = set(&serde_json::json!([]));
        let next = |now: &str| Judge { newest: &newest, fresh_until: at("2026-12-01"), now: at(now) }.next_change();
        let instants = ["2025-06-01", "2026-01-01", "2026-12-01", "2026-12-15", "2027-01-01"].map(at);
        for (at, expected) in instants.windows(2).map(|pair| (pair[0], pair[1])) {
            assert_eq!(next(&at.to_string()), Some(expected), "{at}");
        }
        assert_eq!(next("2027-01-01"), None);
    }
}
