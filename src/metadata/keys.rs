//! Keys, their ids and their signatures: Ed25519 throughout (RFC 8032).

use std::fmt;

use data_encoding::HEXLOWER;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::digest::Sha256;

/// SHA-256 of the canonical JSON of a key, as TUF 1.0.34 (section 4.3) demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub Sha256);

impl KeyId {
    /// Enough of it to tell keys apart in a file name.
    pub fn short(&self) -> String {
        self.0.to_string()[..8].to_owned()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A public key as metadata spells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    keytype: Ed25519,
    keyval: KeyValue,
    scheme: Ed25519,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Ed25519 {
    #[serde(rename = "ed25519")]
    Ed25519,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyValue {
    public: String,
}

impl PublicKey {
    /// The key with these 32 bytes; none if they are no point, or a point of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Option<PublicKey> {
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Some(PublicKey {
                keytype: Ed25519::Ed25519,
                keyval: KeyValue { public: HEXLOWER.encode(&bytes) },
                scheme: Ed25519::Ed25519,
            }),
            _ => None,
        }
    }

    /// Reads 64 hex digits.
    pub fn parse(hex: &str) -> Option<PublicKey> {
        Sha256::parse(hex).and_then(|it| PublicKey::from_bytes(it.0))
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        KeyId(Sha256::of(&serde_json::to_vec(self).expect("a key has only text")))
    }

    /// Whether this key made a signature over these bytes; false too for a key that is none.
    pub fn verifies(&self, message: &[u8], signature: &SignatureBytes) -> bool {
        let Some(bytes) = Sha256::parse(&self.keyval.public) else { return false };
        let Ok(key) = VerifyingKey::from_bytes(&bytes.0) else { return false };
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
    }
}

/// 64 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SignatureBytes(pub [u8; 64]);

impl SignatureBytes {
    /// Reads 128 hex digits.
    pub fn parse(hex: &str) -> Option<SignatureBytes> {
        let mut out = [0; 64];
        match hex.len() == 128 && HEXLOWER.decode_mut(hex.as_bytes(), &mut out).is_ok() {
            true => Some(SignatureBytes(out)),
            false => None,
        }
    }
}

impl fmt::Debug for SignatureBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl Serialize for SignatureBytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for SignatureBytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        SignatureBytes::parse(&hex).ok_or_else(|| serde::de::Error::custom("not 128 lower-case hex digits"))
    }
}

/// A signature and the key that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The key.
    pub keyid: KeyId,
    /// The signature.
    pub sig: SignatureBytes,
}

/// Why something could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The signing command could not be run or did not succeed.
    #[error("signing command `{command}` failed: {message}")]
    Command {
        /// Its program.
        command: String,
        /// What happened.
        message: String,
    },
    /// The signing command gave something that is no signature of its key.
    #[error("signing command `{command}` did not give a signature of the public key it is configured with")]
    WrongSignature {
        /// Its program.
        command: String,
    },
}

/// Something that signs: a key in memory, an HSM, an agent.
pub trait Signer: Send + Sync {
    /// Its public half.
    fn public_key(&self) -> &PublicKey;

    /// Its key's id; kept, because it goes into every signature.
    fn key_id(&self) -> KeyId;

    /// Signs these bytes.
    fn sign(&self, message: &[u8]) -> Result<SignatureBytes, SignError>;

    /// Signs these bytes, and says who did.
    fn signature(&self, message: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature { keyid: self.key_id(), sig: self.sign(message)? })
    }
}

/// A private key in memory; wiped when dropped.
pub struct FileKey {
    secret: SigningKey,
    public: PublicKey,
    id: KeyId,
}

impl FileKey {
    /// The key with this seed.
    pub fn from_seed(seed: [u8; 32]) -> FileKey {
        FileKey::new(SigningKey::from_bytes(&seed))
    }

    /// Reads PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Option<FileKey> {
        SigningKey::from_pkcs8_pem(pem).ok().map(FileKey::new)
    }

    /// Writes PKCS#8 PEM.
    pub fn to_pem(&self) -> String {
        // The first version of the format, without the public half: OpenSSL 3.0 and many tools read no other.
        let bytes = KeypairBytes { secret_key: self.secret.to_bytes(), public_key: None };
        bytes.to_pkcs8_pem(Default::default()).expect("an Ed25519 key has a PKCS#8 form").to_string()
    }

    fn new(secret: SigningKey) -> FileKey {
        let public =
            PublicKey::from_bytes(secret.verifying_key().to_bytes()).expect("a key made from a seed is not weak");
        FileKey { id: public.id(), secret, public }
    }
}

impl Signer for FileKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn key_id(&self) -> KeyId {
        self.id
    }

    fn sign(&self, message: &[u8]) -> Result<SignatureBytes, SignError> {
        Ok(SignatureBytes(self.secret.sign(message).to_bytes()))
    }
}

impl fmt::Debug for FileKey {
    /// The public half only: secrets do not go into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::{FileKey, PublicKey, Signer as _};

    #[test]
    fn a_key_survives_its_pem_form() {
        let key = FileKey::from_seed([9; 32]);
        let again = FileKey::from_pem(&key.to_pem()).expect("our own PEM");
        assert_eq!(again.public_key(), key.public_key());
        assert!(FileKey::from_pem("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n").is_none());
    }

    #[test]
    fn a_key_of_small_order_is_no_key() {
        assert!(PublicKey::from_bytes([0; 32]).is_none());
        assert!(PublicKey::parse("zz").is_none());
    }

    #[test]
    fn only_the_signed_bytes_verify() {
        let key = FileKey::from_seed([9; 32]);
        let signature = key.sign(b"yes").expect("a key in memory signs");
        assert!(key.public_key().verifies(b"yes", &signature));
        assert!(!key.public_key().verifies(b"no", &signature));
    }
}
