//! The hashes by which metadata names files.

use sha2::{Digest as _, Sha512};

use super::json::{BadShape, Fields, bad};
use crate::digest::Sha256;

/// The hashes of one file. Those of algorithms that we do not know are left out; at least one must remain before a
/// file can be told by them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hashes {
    known: Vec<(Algorithm, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Sha512,
}

impl Hashes {
    /// Reads a map of algorithm to hex digits.
    pub fn read(fields: Fields<'_>) -> Result<Hashes, BadShape> {
        let mut hashes = Hashes::default();
        let mut is_empty = true;
        for (name, hash) in fields.iter() {
            let hash = hash.text().ok_or_else(|| bad(name, "hex digits"))?;
            is_empty = false;
            match name {
                "sha256" => hashes.known.push((Algorithm::Sha256, hash.to_owned())),
                "sha512" => hashes.known.push((Algorithm::Sha512, hash.to_owned())),
                _ => {}
            }
        }
        match is_empty {
            true => Err(bad("hashes", "a map with at least one hash")),
            false => Ok(hashes),
        }
    }

    /// What is wrong with these bytes as the file that has these hashes: every one that we know must match.
    pub fn mismatch(&self, bytes: &[u8]) -> Option<String> {
        if self.known.is_empty() {
            return Some("none of its hashes is a SHA-256 or SHA-512".to_owned());
        }
        let wrong = self.known.iter().find(|(algorithm, hash)| algorithm.hash(bytes) != *hash);
        wrong.map(|(algorithm, _)| format!("its {} is another", algorithm.name()))
    }

    /// One of them, as it stands in the names of files; none that is no hash, since it becomes part of a URL.
    pub fn first(&self) -> Option<&str> {
        self.known.iter().find(|(algorithm, hash)| algorithm.spells(hash)).map(|(_, hash)| hash.as_str())
    }

    /// The SHA-256, where there is one.
    pub fn sha256(&self) -> Option<Sha256> {
        let mut known = self.known.iter();
        known.find_map(|(algorithm, hash)| (*algorithm == Algorithm::Sha256).then(|| Sha256::parse(hash))?)
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512 => "SHA-512",
        }
    }

    /// Whether these are as many lower-case hex digits as it gives.
    fn spells(self, hash: &str) -> bool {
        let digits = match self {
            Algorithm::Sha256 => 64,
            Algorithm::Sha512 => 128,
        };
        hash.len() == digits && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Lower-case hex digits.
    fn hash(self, bytes: &[u8]) -> String {
        match self {
            Algorithm::Sha256 => Sha256::of(bytes).to_string(),
            Algorithm::Sha512 => data_encoding::HEXLOWER.encode(&Sha512::digest(bytes)),
        }
    }
}
