//! The two hashes: BLAKE3 is the identity of content, SHA-256 is what TUF clients check.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::Digest as _;

/// A BLAKE3 digest: the name of a bundle, the key of a cache.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blake3(pub [u8; 32]);

/// A SHA-256 digest, as it stands in signed metadata.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Blake3 {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Blake3 {
        Blake3(*blake3::hash(bytes).as_bytes())
    }

    /// Reads 64 lower-case hex digits.
    pub fn parse(hex: &str) -> Option<Blake3> {
        unhex(hex).map(Blake3)
    }
}

impl Sha256 {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Sha256 {
        Sha256(sha2::Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case hex digits.
    pub fn parse(hex: &str) -> Option<Sha256> {
        unhex(hex).map(Sha256)
    }
}

/// Feeds parts that cannot be confused with one another: each is preceded by its length.
#[derive(Default, Clone)]
pub struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    /// An empty one, under a name so that fingerprints of different things never meet.
    pub fn new(purpose: &str) -> Fingerprint {
        Fingerprint(blake3::Hasher::new_derive_key(purpose))
    }

    /// Adds one part.
    pub fn part(&mut self, bytes: &[u8]) -> &mut Fingerprint {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// The digest of all parts.
    pub fn finish(&self) -> Blake3 {
        Blake3(*self.0.finalize().as_bytes())
    }
}

fn unhex(hex: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    match hex.len() == 64 && HEXLOWER.decode_mut(hex.as_bytes(), &mut out).is_ok() {
        true => Some(out),
        false => None,
    }
}

macro_rules! hex_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut hex = [0; 64];
                HEXLOWER.encode_mut(&self.0, &mut hex);
                f.write_str(std::str::from_utf8(&hex).expect("hex digits are ASCII"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut hex = [0; 64];
                HEXLOWER.encode_mut(&self.0, &mut hex);
                serializer.serialize_str(std::str::from_utf8(&hex).expect("hex digits are ASCII"))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let hex = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                $name::parse(&hex).ok_or_else(|| serde::de::Error::custom("not 64 lower-case hex digits"))
            }
        }
    };
}

hex_text!(Blake3);
hex_text!(Sha256);

#[cfg(test)]
mod tests {
    use super::{Blake3, Fingerprint, Sha256};

    #[test]
    fn digests_are_those_of_the_published_vectors() {
        assert_eq!(Sha256::of(b"").to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(Blake3::of(b"").to_string(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }

    #[test]
    fn parts_of_a_fingerprint_cannot_run_into_one_another() {
        let of = |parts: &[&str]| {
            let mut it = Fingerprint::new("test");
            parts.iter().for_each(|part| {
                it.part(part.as_bytes());
            });
            it.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    }
}
