//! Which instant it is, on a device whose clock may stand anywhere.
//!
//! The clock alone could be turned back, and what has expired would hold again; the latest instant ever seen alone
//! would keep a device that once stood in the year 2099 from ever starting again. So the latest instant is remembered
//! within bounds, and a newer signature of the vendor overrules it:
//!
//! 1. It is never earlier than the newest manifest was issued, nor than the shell was built.
//! 2. What may run is judged at the later of the clock and the latest instant seen.
//! 3. New metadata is judged at the later of the clock and the latest instant seen, but of that at most the end of the
//!    freshness that is known: a newer signature lasts longer than that, so it is taken even when the clock once stood
//!    too far ahead.
//! 4. An instant is remembered up to the end of the offline grace, beyond which it would change nothing, and not at
//!    all when it lies two years after the end of the freshness: such a clock is wrong.
//! 5. When a newer timestamp was verified, its instant takes the place of what was remembered.

use crate::time::{Duration, Timestamp, earliest};

/// How far after the end of the freshness a clock is believed enough to be remembered.
const BELIEVED: Duration = Duration::days(730);

/// How often the latest instant is written, at most: flash memory wears.
const STEP_SECONDS: i64 = 3600;

/// What is known of the time, besides the clock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    /// The latest instant seen.
    pub(super) seen: Option<Timestamp>,
    /// The latest of: when the newest manifest was issued, when the shell was built.
    pub(super) least: Option<Timestamp>,
    /// The end of the freshness.
    pub(super) fresh_until: Option<Timestamp>,
    /// The end of the offline grace.
    pub(super) grace_until: Option<Timestamp>,
}

impl Known {
    /// The instant at which programs are judged.
    pub(super) fn for_start(&self, clock: Timestamp) -> Timestamp {
        latest([Some(clock), self.seen, self.least]).unwrap_or(clock)
    }

    /// The instant at which new metadata is judged.
    pub(super) fn for_refresh(&self, clock: Timestamp) -> Timestamp {
        let seen = self.seen.and_then(|seen| earliest(Some(seen), self.fresh_until));
        latest([Some(clock), seen, self.least]).unwrap_or(clock)
    }

    /// What to remember of a clock; none when that is what is remembered already, or nearly.
    pub(super) fn remember(&self, clock: Timestamp) -> Option<Timestamp> {
        let (fresh_until, grace_until) = (self.fresh_until?, self.grace_until?);
        if clock > fresh_until.plus(BELIEVED) {
            return None;
        }
        let at = clock.min(grace_until);
        let is_due = |seen: Timestamp| at.unix() - seen.unix() >= STEP_SECONDS || (at > seen && at == grace_until);
        self.seen.is_none_or(is_due).then_some(at)
    }
}

fn latest<const N: usize>(instants: [Option<Timestamp>; N]) -> Option<Timestamp> {
    instants.into_iter().flatten().max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> Timestamp {
        Timestamp::parse("2026-11-01").expect("a date").plus(Duration::days(day))
    }

    /// Issued on day 0, fresh until day 7, grace until day 21.
    fn known(seen: Option<u32>) -> Known {
        Known { seen: seen.map(day), least: Some(day(0)), fresh_until: Some(day(7)), grace_until: Some(day(21)) }
    }

    #[test]
    fn a_clock_that_was_turned_back_changes_nothing() {
        let past = Timestamp::parse("1970-01-01").expect("a date");
        assert_eq!(known(Some(5)).for_start(past), day(5));
        assert_eq!(known(Some(9)).for_start(day(1)), day(9), "still past its freshness");
        assert_eq!(known(Some(21)).for_start(day(1)), day(21), "the grace is still over");
        assert_eq!(known(None).for_start(past), day(0), "not before the manifest was issued");
        assert_eq!(known(Some(9)).for_refresh(day(1)), day(7), "the timestamp that is known stays expired");
    }

    #[test]
    fn a_clock_far_ahead_is_used_but_not_remembered() {
        let far = Timestamp::parse("2099-01-01").expect("a date");
        assert_eq!(known(Some(5)).for_start(far), far);
        assert_eq!(known(Some(5)).remember(far), None);
    }

    #[test]
    fn a_clock_somewhat_ahead_is_remembered_no_further_than_it_matters() {
        assert_eq!(known(Some(5)).remember(day(300)), Some(day(21)));
        assert_eq!(known(Some(21)).remember(day(300)), None);
        // A timestamp signed on day 6 lasts until day 13, and is taken though the clock once stood at day 300.
        assert!(known(Some(21)).for_refresh(day(6)) < day(13));
    }

    #[test]
    fn the_latest_instant_is_not_written_every_minute() {
        let minutes = |minutes: i64| Timestamp::from_unix(day(5).unix() + 60 * minutes).expect("in range");
        assert_eq!(known(Some(5)).remember(minutes(59)), None);
        assert_eq!(known(Some(5)).remember(minutes(60)), Some(minutes(60)));
        assert_eq!(known(None).remember(day(5)), Some(day(5)));
    }

    #[test]
    fn nothing_is_remembered_before_anything_is_known() {
        assert_eq!(Known::default().remember(day(5)), None);
        assert_eq!(Known::default().for_start(day(5)), day(5));
    }
}
