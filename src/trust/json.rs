//! JSON as it was received, and its canonical spelling: what was signed (OLPC canonical JSON, TUF 1.0.34, section 4.2).
//!
//! Other people's files are not stored canonically, and they hold fields that we do not know and that were signed all
//! the same. So a file is read into a tree that forgets nothing, and the tree is both verified and understood: there
//! is no second reading that could see something else. Duplicate keys are refused, because readers differ about them;
//! so are numbers that are no integers, for which the canonical form has no spelling.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value. Maps are sorted by the bytes of their keys, which is the order of code points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer between -2^63 and 2^64.
    Integer(i128),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// A map.
    Map(BTreeMap<String, Json>),
}

/// Why something is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadShape {
    /// Not JSON, or JSON that cannot be signed.
    #[error("{0}")]
    Json(String),
    /// A field is missing, or another kind of thing.
    #[error("`{field}` is not {expected}")]
    Field {
        /// Which field.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
}

impl Json {
    /// Reads one value, with nothing after it.
    pub fn parse(bytes: &[u8]) -> Result<Json, BadShape> {
        serde_json::from_slice(bytes).map_err(|why| BadShape::Json(format!("not JSON that can be signed: {why}")))
    }

    /// The one spelling that is signed.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.spell(&mut out);
        out
    }

    /// The fields of a map. `field` is what the map is called in complaints.
    pub fn fields(&self, field: &str) -> Result<Fields<'_>, BadShape> {
        match self {
            Json::Map(map) => Ok(Fields { map }),
            _ => Err(bad(field, "a map")),
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    fn spell(&self, out: &mut Vec<u8>) {
        match self {
            Json::Null => out.extend_from_slice(b"null"),
            Json::Bool(true) => out.extend_from_slice(b"true"),
            Json::Bool(false) => out.extend_from_slice(b"false"),
            Json::Integer(integer) => out.extend_from_slice(integer.to_string().as_bytes()),
            Json::Text(text) => spell_text(text, out),
            Json::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    separate(at, out);
                    item.spell(out);
                }
                out.push(b']');
            }
            Json::Map(map) => {
                out.push(b'{');
                for (at, (key, value)) in map.iter().enumerate() {
                    separate(at, out);
                    spell_text(key, out);
                    out.push(b':');
                    value.spell(out);
                }
                out.push(b'}');
            }
        }
    }
}

/// Only the quote and the backslash are escaped; everything else, line ends too, stands for itself.
fn spell_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn separate(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

/// A map that is about to be understood.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    map: &'a BTreeMap<String, Json>,
}

impl<'a> Fields<'a> {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Json)> + use<'a> {
        self.map.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// One that may be missing.
    pub fn get(&self, name: &str) -> Option<&'a Json> {
        self.map.get(name)
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<&'a str, BadShape> {
        self.get(name).and_then(Json::text).ok_or_else(|| bad(name, "text"))
    }

    /// A list.
    pub fn list(&self, name: &str) -> Result<&'a [Json], BadShape> {
        match self.get(name) {
            Some(Json::List(items)) => Ok(items),
            _ => Err(bad(name, "a list")),
        }
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>, BadShape> {
        let texts = self.list(name)?.iter().map(|it| it.text().ok_or_else(|| bad(name, "a list of texts")));
        texts.collect()
    }

    /// A map.
    pub fn map(&self, name: &str) -> Result<Fields<'a>, BadShape> {
        self.get(name).ok_or_else(|| bad(name, "a map"))?.fields(name)
    }

    /// `true` or `false`.
    pub fn boolean(&self, name: &str) -> Result<bool, BadShape> {
        match self.get(name) {
            Some(Json::Bool(boolean)) => Ok(*boolean),
            _ => Err(bad(name, "true or false")),
        }
    }

    /// An integer that is not negative.
    pub fn count(&self, name: &str) -> Result<u64, BadShape> {
        match self.get(name) {
            Some(Json::Integer(integer)) => u64::try_from(*integer).ok(),
            _ => None,
        }
        .ok_or_else(|| bad(name, "an integer of 0 or more"))
    }

    /// An integer of 1 or more: a version, a threshold.
    pub fn positive(&self, name: &str) -> Result<NonZeroU64, BadShape> {
        self.count(name).ok().and_then(NonZeroU64::new).ok_or_else(|| bad(name, "an integer of 1 or more"))
    }
}

/// A complaint about a field.
pub fn bad(field: &str, expected: &'static str) -> BadShape {
    BadShape::Field { field: field.to_owned(), expected }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, true, false, an integer, text, a list or a map")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            // How serde_json hands on a number that is no machine integer, where another crate asks it to keep digits.
            if key == "$serde_json::private::Number" {
                return Err(A::Error::custom("a number that is no integer"));
            }
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("key {key:?} is there twice")));
            }
            map.insert(key, entries.next_value()?);
        }
        Ok(Json::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    fn canonical(text: &str) -> Option<String> {
        Json::parse(text.as_bytes()).ok().map(|it| String::from_utf8(it.canonical()).expect("UTF-8 stays UTF-8"))
    }

    #[test]
    fn the_canonical_form_is_sorted_compact_and_escapes_two_characters_only() {
        let text = " { \"b\" : [ 1 , -2, true, null ] , \"a\" : \"\\u0041\\n\\\"\\\\\\/\" , \"\\ue000\": 18446744073709551615, \"\\ud83d\\ude00\": 0 } ";
        let spelled =
            "{\"a\":\"A\n\\\"\\\\/\",\"b\":[1,-2,true,null],\"\u{e000}\":18446744073709551615,\"\u{1f600}\":0}";
        assert_eq!(canonical(text).as_deref(), Some(spelled));
    }

    #[test]
    fn what_has_no_single_meaning_is_refused() {
        for text in [
            "{\"a\":1,\"a\":1}",
            "{\"x\":{\"a\":1,\"\\u0061\":2}}",
            "1.0",
            "1e3",
            "-0",
            "18446744073709551616",
            "NaN",
            "\"\\ud800\"",
            "{} {}",
            "{\"$serde_json::private::Number\":\"1\"}",
            "",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert_eq!(canonical(&"[".repeat(200_000)), None, "and depth ends before the stack does");
        assert!(Json::parse(b"\"\xff\"").is_err(), "not UTF-8");
    }

    #[test]
    fn the_canonical_form_of_the_canonical_form_is_itself() {
        let text = "{\"b\":[{}, [], \"\"],\"a\":{\"\":\"é\"}}";
        let once = canonical(text).expect("JSON");
        assert_eq!(canonical(&once), Some(once.clone()));
    }
}
