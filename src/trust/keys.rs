//! Public keys of the kinds that TUF names (1.0.34, section 4.3), and whether they made a signature.
//!
//! Ed25519 is checked by the same code that signs ours, `verify_strict` of dalek, so that the two sides can never
//! differ; ECDSA and RSA by `ring`, which does TLS for us anyway. A key of another kind, or one that cannot be read,
//! is a key that never verifies: it is no reason to refuse the file that lists it.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use super::json::{BadShape, Json, bad};

/// A public key that can verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    scheme: Scheme,
    public: PublicBytes,
}

/// The key itself, whatever it is called and however it was written. Two entries with the same bytes are one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicBytes(Vec<u8>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Ed25519,
    EcdsaP256,
    EcdsaP384,
    RsaPss,
    RsaPkcs1,
}

impl Key {
    /// Reads a key object. None for a kind of key that we cannot use; an error only where `keytype`, `scheme` or
    /// `keyval` are not there at all.
    pub fn read(json: &Json) -> Result<Option<Key>, BadShape> {
        let fields = json.fields("keys")?;
        let (keytype, scheme) = (fields.text("keytype")?, fields.text("scheme")?);
        let value = fields.map("keyval")?;
        let Some(public) = value.get("public").and_then(Json::text) else {
            return if value.get("public").is_some() { Err(bad("public", "text")) } else { Ok(None) };
        };
        Ok(Key::from_text(keytype, scheme, public))
    }

    /// The key itself.
    pub fn public(&self) -> &PublicBytes {
        &self.public
    }

    /// Whether it made this signature over these bytes.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let PublicBytes(public) = &self.public;
        let algorithm: &'static dyn VerificationAlgorithm = match self.scheme {
            Scheme::Ed25519 => return verifies_ed25519(public, message, signature),
            Scheme::EcdsaP256 => &signature::ECDSA_P256_SHA256_ASN1,
            Scheme::EcdsaP384 => &signature::ECDSA_P384_SHA384_ASN1,
            Scheme::RsaPss => &signature::RSA_PSS_2048_8192_SHA256,
            Scheme::RsaPkcs1 => &signature::RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, public).verify(message, signature).is_ok()
    }

    fn from_text(keytype: &str, scheme: &str, public: &str) -> Option<Key> {
        let scheme = match (keytype, scheme) {
            ("ed25519", "ed25519") => Scheme::Ed25519,
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => Scheme::EcdsaP256,
            ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => Scheme::EcdsaP384,
            ("rsa", "rsassa-pss-sha256") => Scheme::RsaPss,
            ("rsa", "rsa-pkcs1v15-sha256") => Scheme::RsaPkcs1,
            _ => return None,
        };
        let bytes = match scheme {
            Scheme::Ed25519 => HEXLOWER_PERMISSIVE.decode(public.as_bytes()).ok()?,
            Scheme::EcdsaP256 => from_pem(public, ELLIPTIC, Some(P256))?,
            Scheme::EcdsaP384 => from_pem(public, ELLIPTIC, Some(P384))?,
            Scheme::RsaPss | Scheme::RsaPkcs1 => from_pem(public, RSA, None)?,
        };
        Some(Key { scheme, public: PublicBytes(bytes) })
    }
}

const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The key inside a `SubjectPublicKeyInfo` in PEM, if it is one of this algorithm and on this curve.
fn from_pem(text: &str, algorithm: ObjectIdentifier, curve: Option<ObjectIdentifier>) -> Option<Vec<u8>> {
    let body = text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let base64: Vec<u8> = body.bytes().filter(|it| !it.is_ascii_whitespace()).collect();
    let der = BASE64.decode(&base64).ok()?;
    let info = SubjectPublicKeyInfoRef::try_from(der.as_slice()).ok()?;
    let is_on_curve = curve.is_none_or(|curve| info.algorithm.parameters_oid() == Ok(curve));
    (info.algorithm.oid == algorithm && is_on_curve).then(|| info.subject_public_key.as_bytes().map(<[u8]>::to_vec))?
}

fn verifies_ed25519(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(public), Ok(signature)) = (public.try_into(), ed25519_dalek::Signature::from_slice(signature)) else {
        return false;
    };
    VerifyingKey::from_bytes(public).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}
