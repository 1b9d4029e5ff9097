//! Plain scalars, typed exactly as the typed reader types them.
//!
//! The rules are those of the YAML 1.2 core schema as `yaml_serde` applies them to an untyped value, odd corners
//! included (`0b11` is three, `1e999` is text): two readings of one text would be two meanings of one review.

use serde_json::Number;

use super::node::Data;

/// Why a plain scalar is refused although it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `.nan`, `.inf` and the like, which JSON cannot carry.
    NotFinite,
    /// An integer that fits neither `i64` nor `u64`.
    TooLarge,
}

/// What a plain scalar means.
pub(super) fn plain(text: &str) -> Result<Data, Refusal> {
    // Nearly every plain scalar is a word, and no number or constant begins with most letters.
    match text.as_bytes() {
        [] => return Ok(Data::Null),
        [b'0'..=b'9' | b'+' | b'-' | b'.' | b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F', ..] => {}
        _ => return Ok(Data::Text(text.into())),
    }
    match text {
        "null" | "Null" | "NULL" | "~" => return Ok(Data::Null),
        "true" | "True" | "TRUE" => return Ok(Data::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Data::Bool(false)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan" | ".NaN"
        | ".NAN" => return Err(Refusal::NotFinite),
        _ => {}
    }
    if let Some(number) = integer(text) {
        return number.map(Data::Number);
    }
    match float(text) {
        Some(_) if only_digits(text) => Err(Refusal::TooLarge),
        Some(number) => Ok(Data::Number(number)),
        None => Ok(Data::Text(text.into())),
    }
}

type Radix<T> = fn(&str, u32) -> Result<T, std::num::ParseIntError>;

/// The integer that a text spells; none when it spells none.
fn integer(text: &str) -> Option<Result<Number, Refusal>> {
    if let Some(it) = unsigned_integer(text, u64::from_str_radix) {
        return Some(Ok(it.into()));
    }
    if let Some(it) = negative_integer(text, i64::from_str_radix) {
        return Some(Ok(it.into()));
    }
    let wide = unsigned_integer(text, u128::from_str_radix).is_some()
        || negative_integer(text, i128::from_str_radix).is_some();
    wide.then_some(Err(Refusal::TooLarge))
}

fn unsigned_integer<T>(text: &str, parse: Radix<T>) -> Option<T> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        match digits.strip_prefix(prefix) {
            Some(rest) if rest.starts_with(['+', '-']) => return None,
            Some(rest) => return parse(rest, radix).ok(),
            None => {}
        }
    }
    match digits.starts_with(['+', '-']) || has_leading_zero(text) {
        true => None,
        false => parse(digits, 10).ok(),
    }
}

fn negative_integer<T>(text: &str, parse: Radix<T>) -> Option<T> {
    for (prefix, radix) in [("-0x", 16), ("-0o", 8), ("-0b", 2)] {
        if let Some(rest) = text.strip_prefix(prefix) {
            return parse(&format!("-{rest}"), radix).ok();
        }
    }
    match has_leading_zero(text) {
        true => None,
        false => parse(text, 10).ok(),
    }
}

/// A finite float; `1e999` is none.
fn float(text: &str) -> Option<Number> {
    let digits = match text.strip_prefix('+') {
        Some(rest) if rest.starts_with(['+', '-']) => return None,
        Some(rest) => rest,
        None => text,
    };
    match has_leading_zero(text) {
        true => None,
        false => digits.parse::<f64>().ok().and_then(Number::from_f64),
    }
}

/// `010` is text, so that nobody has to know whether it is eight or ten.
fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.len() > 1 && digits.starts_with('0') && only_digits(digits)
}

fn only_digits(text: &str) -> bool {
    text.strip_prefix(['-', '+']).unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::plain;
    use crate::parse::node::Data;

    #[test]
    fn a_plain_scalar_means_what_the_typed_reader_makes_of_it() {
        let numbers = "0 7 -7 +7 +1 -0 0.0 -0.0 1.0 1. .5 +.5 -.5 1e3 1E3 1e-3 1e+3 1e400 -1e400 010 -010 +010 00 08.5 0e5 \
            0o10 0o8 0x1F 0x1f 0XFF -0x1F +0x1F 0x+1 -0x-1 0x 0b11 0b2 -0b11 -0o7 1_000 1,000 ++1 +-1 --1 + . .. -. +. \
            18446744073709551615 -9223372036854775808 9223372036854775808";
        let words = "no yes on off y n ~ ~x null Null NULL nULL none true True TRUE tRUE false False FALSE f t N inf nan NaN \
            infinity .infinity +.nan -.nan e5 1e 1.2.3 2026-01-01 12:30:45 v1 0xG 1x 1.5x tenantry.dev/v1 ../x .5.5";
        for text in numbers.split_whitespace().chain(words.split_whitespace()).chain([""]) {
            let theirs: serde_json::Value = serde_yaml::from_str(text).expect("readable");
            let ours = plain(text).map(|data| data_to_json(&data));
            assert_eq!(ours, Ok(theirs), "{text:?}");
        }
    }

    #[test]
    fn what_json_cannot_carry_is_refused() {
        let refused = ".inf -.inf +.Inf .nan .NAN 18446744073709551616 -9223372036854775809 0xFFFFFFFFFFFFFFFFF \
            99999999999999999999999999999999999999999999999999";
        for text in refused.split_whitespace() {
            assert!(plain(text).is_err(), "{text}");
        }
    }

    fn data_to_json(data: &Data) -> serde_json::Value {
        match data {
            Data::Null => serde_json::Value::Null,
            Data::Bool(it) => (*it).into(),
            Data::Number(it) => it.clone().into(),
            Data::Text(it) => (&**it).into(),
            Data::List(_) | Data::Mapping(_) => unreachable!("a scalar"),
        }
    }
}
