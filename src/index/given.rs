//! Which mini-programs a tenant has, as a publication remembers it: enough to see what the next one takes away.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::{Duration, Timestamp, Window};

/// An end that comes nearer than this takes something away that nobody could bring back in time.
pub const SOON: Duration = Duration::days(7);

/// Mini-programs that a tenant has at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// First instant; none when they have always been there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// First instant after the last; none when they stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Their `app_id`s, sorted.
    pub programs: Vec<Box<str>>,
}

impl Given {
    /// Puts those of equal time together.
    pub fn together<'a>(programs: impl IntoIterator<Item = (&'a str, Window)>) -> Vec<Given> {
        let mut by_time: BTreeMap<_, Vec<Box<str>>> = BTreeMap::new();
        for (program, window) in programs {
            by_time.entry((window.from, window.until)).or_default().push(program.into());
        }
        let given = by_time.into_iter().map(|((from, until), mut programs)| {
            programs.sort_unstable();
            Given { from, until, programs }
        });
        given.collect()
    }

    fn window(&self) -> Window {
        Window { from: self.from, until: self.until }
    }
}

/// Whether somebody who had `before` loses a mini-program by getting `after` at an instant: one that ran no longer
/// does, or ends before anybody could bring it back. What has simply ended by then is nobody's loss.
pub(super) fn loses(before: &[Given], after: &[Given], now: Timestamp) -> bool {
    let after: BTreeMap<&str, Window> =
        after.iter().flat_map(|it| it.programs.iter().map(|program| (&**program, it.window()))).collect();
    let is_lost = |program: &str, old: Window| match after.get(program) {
        None => true,
        Some(new) => {
            let is_postponed = old.contains(now) && new.from.is_some_and(|from| now < from);
            let is_nearer = match (old.until, new.until) {
                (Some(old), Some(new)) => new < old,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            is_postponed || is_nearer && new.until.is_some_and(|until| until <= now.plus(SOON))
        }
    };
    let had = before.iter().filter(|it| it.until.is_none_or(|until| now < until));
    had.into_iter().any(|it| it.programs.iter().any(|program| is_lost(program, it.window())))
}

#[cfg(test)]
mod tests {
    use super::{Given, Window, loses};
    use crate::time::Timestamp;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn given(programs: &[(&'static str, &str, &str)]) -> Vec<Given> {
        let end = |text: &str| (!text.is_empty()).then(|| time(text));
        Given::together(programs.iter().map(|(it, from, until)| (*it, Window { from: end(from), until: end(until) })))
    }

    #[test]
    fn those_of_equal_time_stand_together() {
        let together = given(&[("b", "", "2027-01-01"), ("c", "", ""), ("a", "", "2027-01-01")]);
        let shown: Vec<String> = together.iter().map(|it| it.programs.join(" ")).collect();
        assert_eq!(shown, ["c", "a b"]);
    }

    #[test]
    fn a_loss_is_what_ran_and_no_longer_does_or_ends_too_soon() {
        let now = time("2026-06-01");
        for (before, after, is_loss) in [
            (("a", "", ""), ("a", "", ""), false),
            (("a", "", ""), ("b", "", ""), true),
            (("a", "", "2026-06-01"), ("b", "", ""), false),
            (("a", "", "2026-06-02"), ("b", "", ""), true),
            // Promised, and not there yet.
            (("a", "2026-07-01", ""), ("b", "", ""), true),
            (("a", "2026-07-01", ""), ("a", "2026-08-01", ""), false),
            (("a", "2026-01-01", ""), ("a", "2026-06-02", ""), true),
            (("a", "", ""), ("a", "", "2026-06-08"), true),
            (("a", "", ""), ("a", "", "2026-06-08T00:00:01Z"), false),
            (("a", "", "2026-06-03"), ("a", "", "2026-06-03"), false),
            (("a", "", "2026-06-03"), ("a", "", "2026-06-04"), false),
            (("a", "", "2026-06-04"), ("a", "", "2026-06-03"), true),
        ] {
            assert_eq!(loses(&given(&[before]), &given(&[after]), now), is_loss, "{before:?} {after:?}");
        }
        assert!(loses(&given(&[("a", "", "")]), &[], now) && !loses(&[], &given(&[("a", "", "")]), now));
    }
}
