//! A file of metadata taken apart, and the one function that decides whether enough keys have signed it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use data_encoding::HEXLOWER_PERMISSIVE;

use super::json::{BadShape, Json, bad};
use super::keys::{Key, PublicBytes};

/// What a file says, and who says that they have signed it. Nothing in it is trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What it says.
    pub signed: Json,
    /// By key id. A signature that is no hex is none.
    signatures: BTreeMap<String, Option<Vec<u8>>>,
}

impl Envelope {
    /// Takes a file apart. A key id that has signed twice makes it no metadata: clients would differ about it.
    pub fn open(bytes: &[u8]) -> Result<Envelope, BadShape> {
        let Json::Map(mut map) = Json::parse(bytes)? else { return Err(bad("the file", "a map")) };
        let signed = map.remove("signed").ok_or_else(|| bad("signed", "a map"))?;
        let mut signatures = BTreeMap::new();
        for entry in (Json::Map(map)).fields("the file")?.list("signatures")? {
            let entry = entry.fields("signatures")?;
            let signature = HEXLOWER_PERMISSIVE.decode(entry.text("sig")?.as_bytes()).ok();
            if signatures.insert(entry.text("keyid")?.to_owned(), signature).is_some() {
                return Err(bad("signatures", "a list in which each key id is there once"));
            }
        }
        Ok(Envelope { signed, signatures })
    }
}

/// Who may sign for a role, and how many of them must. It holds only keys that the role lists *and* that are there
/// *and* that can verify, so no other key can be counted; and a threshold of zero has no representation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    keys: BTreeMap<String, Key>,
    threshold: NonZeroU64,
}

/// How many have signed, of how many that must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFew {
    /// Different keys that have.
    pub good: u64,
    /// That must.
    pub threshold: NonZeroU64,
}

impl Authority {
    /// The keys that a role lists, taken from all that there are.
    pub fn new<'a>(
        listed: impl IntoIterator<Item = &'a str>,
        all: &BTreeMap<String, Key>,
        threshold: NonZeroU64,
    ) -> Authority {
        let keys = listed.into_iter().filter_map(|id| Some((id.to_owned(), all.get(id)?.clone())));
        Authority { keys: keys.collect(), threshold }
    }

    /// Whether enough have signed. This is the only place in which signatures are counted, for every role and every
    /// delegation: by the public key itself, so that neither a signature nor a key that is there twice counts twice.
    pub fn verify(&self, envelope: &Envelope) -> Result<(), TooFew> {
        let message = envelope.signed.canonical();
        let mut good: BTreeSet<&PublicBytes> = BTreeSet::new();
        for (id, key) in &self.keys {
            let Some(Some(signature)) = envelope.signatures.get(id) else { continue };
            if !good.contains(key.public()) && key.verifies(&message, signature) {
                good.insert(key.public());
            }
        }
        let good = good.len() as u64;
        match good >= self.threshold.get() {
            true => Ok(()),
            false => Err(TooFew { good, threshold: self.threshold }),
        }
    }

    /// Whether a key that may sign here may no longer do so there.
    pub fn loses_a_key(&self, next: &Authority) -> bool {
        let next: BTreeSet<&PublicBytes> = next.keys.values().map(Key::public).collect();
        self.keys.values().any(|key| !next.contains(key.public()))
    }
}
