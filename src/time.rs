//! Instants in UTC, to the second. Nothing below the command line asks for the time: `now` is an argument.

use std::fmt;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time in seconds, never negative. A day has 86,400 of them: everything here is UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

/// A half-open interval: `from` is part of it, `until` is not; an open end has no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Window {
    /// First instant.
    pub from: Option<Timestamp>,
    /// First instant after it.
    pub until: Option<Timestamp>,
}

/// A time zone by its name in the world's database, as that was when this program was made: no machine's own is read,
/// so the same instant is spelled alike everywhere.
#[cfg(feature = "compiler")]
#[derive(Debug, Clone)]
pub struct Zone(jiff::tz::TimeZone);

#[cfg(feature = "compiler")]
impl Zone {
    /// Reads a name such as `Europe/Rome`.
    pub fn parse(name: &str) -> Option<Zone> {
        jiff::tz::TimeZoneDatabase::bundled().get(name).ok().map(Zone)
    }

    /// An instant as clocks there show it.
    pub fn spell(&self, at: Timestamp) -> String {
        let instant = jiff::Timestamp::from_second(at.0).expect("a timestamp lies in the years 1970 to 9999");
        instant.to_zoned_datetime(self.0.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }
}

/// Why a text is not a time or a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTime {
    /// Neither a date nor an RFC 3339 time in UTC between the years 1970 and 9999.
    #[error("neither a date (`2026-12-31`) nor a UTC time (`2026-12-31T18:00:00Z`)")]
    Instant,
    /// Not an ISO 8601 duration in weeks, days, hours, minutes and seconds.
    #[error("not an ISO 8601 duration in weeks, days, hours, minutes or seconds, such as `P14D` or `PT12H`")]
    Duration,
}

/// 9999-12-30T22:00:00Z: the last second that can be spelled. The calendar's library ends there, so that every time zone
/// can spell it.
const LAST_SECOND: i64 = 253_402_207_200;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const FIRST: Timestamp = Timestamp(0);

    /// The instant this many seconds after 1970; none outside the years 1970 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Timestamp> {
        (0..=LAST_SECOND).contains(&seconds).then_some(Timestamp(seconds))
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// Reads a date (its midnight in UTC) or an RFC 3339 time with `Z` and whole seconds.
    pub fn parse(text: &str) -> Result<Timestamp, BadTime> {
        let midnight;
        let full = match text.len() {
            10 => {
                midnight = format!("{text}T00:00:00Z");
                &midnight
            }
            20 if text.ends_with('Z') => text,
            _ => return Err(BadTime::Instant),
        };
        if full.as_bytes()[10] != b'T' {
            return Err(BadTime::Instant);
        }
        let instant: jiff::Timestamp = full.parse().map_err(|_| BadTime::Instant)?;
        Timestamp::from_unix(instant.as_second()).ok_or(BadTime::Instant)
    }

    /// The instant this much later, at most the last one that can be spelled.
    pub fn plus(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(duration.0).min(LAST_SECOND))
    }

    /// A second later.
    pub fn second_after(self) -> Timestamp {
        self.plus(Duration(1))
    }

    /// A second before; the first instant itself when it is this.
    pub fn second_before(self) -> Timestamp {
        Timestamp((self.0 - 1).max(0))
    }

    /// How long until another instant; zero when it has passed.
    pub fn until(self, other: Timestamp) -> Duration {
        Duration((other.0 - self.0).max(0))
    }

    /// The date alone, for people.
    pub fn date(self) -> String {
        self.to_string()[..10].to_owned()
    }
}

impl Duration {
    /// This many days.
    pub const fn days(days: u32) -> Duration {
        Duration(days as i64 * 86_400)
    }

    /// This many minutes.
    pub const fn minutes(minutes: u32) -> Duration {
        Duration(minutes as i64 * 60)
    }

    /// This many seconds.
    pub const fn seconds_of(seconds: u32) -> Duration {
        Duration(seconds as i64)
    }

    /// Whole seconds.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Half of it.
    pub fn half(self) -> Duration {
        Duration(self.0 / 2)
    }

    /// Reads an ISO 8601 duration; years and months are refused because their length varies.
    pub fn parse(text: &str) -> Result<Duration, BadTime> {
        let calendar = text.split('T').next().unwrap_or_default();
        if !text.starts_with('P') || calendar.contains(['Y', 'M', 'y', 'm']) {
            return Err(BadTime::Duration);
        }
        let span: jiff::Span = text.parse().map_err(|_| BadTime::Duration)?;
        let seconds = i64::from(span.get_weeks()) * 7 * 86_400
            + i64::from(span.get_days()) * 86_400
            + i64::from(span.get_hours()) * 3_600
            + span.get_minutes() * 60
            + span.get_seconds();
        match seconds {
            0..=315_360_000_000 => Ok(Duration(seconds)),
            _ => Err(BadTime::Duration),
        }
    }
}

impl Window {
    /// Whether an instant lies in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// Whether no instant lies in it.
    pub fn is_empty(&self) -> bool {
        matches!((self.from, self.until), (Some(from), Some(until)) if until <= from)
    }

    /// What both contain.
    pub fn intersect(&self, other: &Window) -> Window {
        Window { from: self.from.max(other.from), until: earliest(self.until, other.until) }
    }
}

/// The earlier of two ends, where none stands for no end.
pub fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl fmt::Display for Timestamp {
    /// `YYYY-MM-DDTHH:MM:SSZ`, the only spelling that every TUF client reads alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_second(self.0).expect("a timestamp lies in the years 1970 to 9999");
        write!(f, "{}", instant.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Display for Duration {
    /// ISO 8601 in days, hours, minutes and seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0 / 86_400, self.0 % 86_400);
        write!(f, "P")?;
        if days > 0 || rest == 0 {
            write!(f, "{days}D")?;
        }
        if rest > 0 {
            write!(f, "T")?;
            for (amount, unit) in [(rest / 3_600, 'H'), (rest % 3_600 / 60, 'M'), (rest % 60, 'S')] {
                if amount > 0 {
                    write!(f, "{amount}{unit}")?;
                }
            }
        }
        Ok(())
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Timestamp::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Duration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Duration::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{BadTime, Duration, LAST_SECOND, Timestamp, Window};

    #[test]
    fn dates_are_midnight_in_utc_and_leap_days_exist() {
        let at = |text: &str| Timestamp::parse(text).map(|t| t.to_string());
        assert_eq!(at("2028-02-29").as_deref(), Ok("2028-02-29T00:00:00Z"));
        assert_eq!(at("2026-12-31T18:00:00Z").as_deref(), Ok("2026-12-31T18:00:00Z"));
        for bad in [
            "2027-02-29",
            "2026-13-01",
            "2026-12-31T18:00:00+01:00",
            "2026-12-31T18:00:00.5Z",
            "tomorrow",
            "2026-12-31 18:00:00Z",
            "1969-12-31",
        ] {
            assert_eq!(at(bad), Err(BadTime::Instant), "{bad}");
        }
    }

    #[test]
    fn whatever_is_an_instant_can_be_spelled() {
        let ends = [0, LAST_SECOND].map(|it| Timestamp::from_unix(it).expect("in range").to_string());
        assert_eq!(ends, ["1970-01-01T00:00:00Z", "9999-12-30T22:00:00Z"]);
        for outside in [i64::MIN, -1, LAST_SECOND + 1, i64::MAX] {
            assert_eq!(Timestamp::from_unix(outside), None, "{outside}");
        }
        // An offline grace may be as long as it likes.
        let long = Duration::parse("P3650000D").expect("ten thousand years");
        assert_eq!(Timestamp::parse("2026-01-01").expect("a date").plus(long).to_string(), ends[1]);
    }

    #[test]
    fn durations_have_a_fixed_length_and_round_trip() {
        for (text, seconds) in
            [("P14D", 1_209_600), ("P2W", 1_209_600), ("PT12H", 43_200), ("P1DT1H1M1S", 90_061), ("PT0S", 0)]
        {
            let duration = Duration::parse(text).expect(text);
            assert_eq!(duration.seconds(), seconds, "{text}");
            assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
        }
        for bad in ["P1M", "P1Y", "14 days", "-P1D", "P", ""] {
            assert_eq!(Duration::parse(bad), Err(BadTime::Duration), "{bad}");
        }
    }

    #[test]
    fn a_window_ends_just_before_its_until() {
        let (a, b) = (Timestamp::parse("2026-01-01").expect("a date"), Timestamp::parse("2027-01-01").expect("a date"));
        let year = Window { from: Some(a), until: Some(b) };
        assert!(year.contains(a) && !year.contains(b) && !year.is_empty());
        assert!(Window { from: Some(b), until: Some(b) }.is_empty());
    }
}
