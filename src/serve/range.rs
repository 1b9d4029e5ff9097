//! One part of an object (RFC 9110, section 14): `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH`.

use std::ops::Range;

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything: no header, one that is no range, or several ranges, which a server may ignore.
    Whole,
    /// These bytes; never none.
    Bytes(Range<u64>),
    /// Bytes that the object has not.
    Beyond,
}

/// Reads the header's value against an object of this length.
pub(super) fn part(header: &str, length: u64) -> Part {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|it| it.split_once('-')) else {
        return Part::Whole;
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(suffix)) if first.is_empty() => length.saturating_sub(suffix)..length,
        _ => return Part::Whole,
    };
    match range.start < range.end {
        true => Part::Bytes(range),
        false => Part::Beyond,
    }
}

/// Digits and nothing else; `parse` alone would take a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{Part, part};

    #[test]
    fn a_part_is_cut_to_what_is_there() {
        assert_eq!(part("bytes=0-0", 10), Part::Bytes(0..1));
        assert_eq!(part("bytes=4-", 10), Part::Bytes(4..10));
        assert_eq!(part("bytes=4-99", 10), Part::Bytes(4..10));
        assert_eq!(part("bytes=-3", 10), Part::Bytes(7..10));
        assert_eq!(part("bytes=-99", 10), Part::Bytes(0..10));
        assert_eq!(part("bytes=0-18446744073709551615", 10), Part::Bytes(0..10));
    }

    #[test]
    fn what_the_object_has_not_is_beyond() {
        assert_eq!(part("bytes=10-", 10), Part::Beyond);
        assert_eq!(part("bytes=10-12", 10), Part::Beyond);
        assert_eq!(part("bytes=-0", 10), Part::Beyond);
        assert_eq!(part("bytes=0-", 0), Part::Beyond);
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for header in
            ["", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=+1-2", "bytes=0-1,3-4", "items=0-1"]
        {
            assert_eq!(part(header, 10), Part::Whole, "{header}");
        }
        assert_eq!(part("bytes=99999999999999999999-", 10), Part::Whole);
    }
}
