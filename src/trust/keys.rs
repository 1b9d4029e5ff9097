//! Public keys of the kinds that TUF names (1.0.34, section 4.3), and whether they made a signature.
//!
//! Ed25519 is checked by the same code that signs ours, `verify_strict` of dalek, so that the two sides can never
//! differ; ECDSA and RSA by `ring`, which does TLS for us anyway. A key of another kind, or one that cannot be read,
//! is a key that never verifies: it is no reason to refuse the file that lists it.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use super::json::Json;

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
    /// Reads a key object. None for a kind of key that we cannot use, and for what is no key.
    pub fn read(json: &Json) -> Option<Key> {
        let fields = json.fields("keys").ok()?;
        let public = fields.map("keyval").ok()?.text("public").ok()?;
        Key::from_text(fields.text("keytype").ok()?, fields.text("scheme").ok()?, public)
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

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER};
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        KeyPair as _,
    };
    use serde_json::json;

    use super::Key;
    use crate::metadata::keys::{FileKey, Signer as _};
    use crate::trust::json::Json;

    /// What stands before the point in a `SubjectPublicKeyInfo` of each curve.
    const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    const P384: &str = "3076301006072a8648ce3d020106052b81040022036200";

    fn read(keytype: &str, scheme: &str, public: &str) -> Option<Key> {
        let key = json!({ "keytype": keytype, "scheme": scheme, "keyval": { "public": public } });
        Key::read(&Json::parse(key.to_string().as_bytes()).expect("JSON"))
    }

    fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> (EcdsaKeyPair, SystemRandom) {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        (EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("our own key"), random)
    }

    fn pem(prefix: &str, point: &[u8]) -> String {
        let der = [&HEXLOWER.decode(prefix.as_bytes()).expect("hex"), point].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&der))
    }

    #[test]
    fn elliptic_keys_verify_what_they_signed_and_nothing_else() {
        for (algorithm, prefix, keytype, scheme) in [
            (&ECDSA_P256_SHA256_ASN1_SIGNING, P256, "ecdsa", "ecdsa-sha2-nistp256"),
            (&ECDSA_P256_SHA256_ASN1_SIGNING, P256, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
            (&ECDSA_P384_SHA384_ASN1_SIGNING, P384, "ecdsa", "ecdsa-sha2-nistp384"),
        ] {
            let (pair, random) = ecdsa(algorithm);
            let key = read(keytype, scheme, &pem(prefix, pair.public_key().as_ref())).expect("a key");
            let signature = pair.sign(&random, b"yes").expect("it signs");
            assert!(key.verifies(b"yes", signature.as_ref()));
            assert!(!key.verifies(b"no", signature.as_ref()));
            assert!(!key.verifies(b"yes", &signature.as_ref()[1..]));
            assert!(!key.verifies(b"yes", b""));
        }
    }

    #[test]
    fn one_key_is_one_key_however_it_is_wrapped() {
        let (pair, _) = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING);
        let text = pem(P256, pair.public_key().as_ref());
        let key = |text: &str| read("ecdsa", "ecdsa-sha2-nistp256", text).expect("a key").public().clone();
        let (head, body) = text.split_at(60);
        for other in
            [text.replace('\n', "\r\n"), format!("{head}\n{body}"), format!("\n{text}\n"), text.replace('\n', "")]
        {
            assert_eq!(key(&other), key(&text), "{other}");
        }
        let newer = read("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", &text).expect("a key");
        assert_eq!(*newer.public(), key(&text));
    }

    #[test]
    fn what_is_no_key_of_its_kind_is_no_key() {
        let (pair, _) = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING);
        let point = pair.public_key().as_ref();
        let sound = pem(P256, point);
        let trailing = pem(P256, &[point, &[0]].concat());
        for text in [
            "",
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
            &pem(P384, point),
            &pem(P256, &point[1..]),
            &trailing,
            &sound.replace("PUBLIC KEY", "PRIVATE KEY"),
            &sound.replace("-----END", "*-----END"),
        ] {
            assert_eq!(read("ecdsa", "ecdsa-sha2-nistp256", text), None, "{text}");
        }
        assert_eq!(read("rsa", "rsassa-pss-sha256", &sound), None, "an elliptic key is no RSA key");
        assert_eq!(read("ecdsa", "ecdsa-sha2-nistp384", &sound), None, "nor one on another curve");
        assert_eq!(read("ed25519", "rsassa-pss-sha256", &sound), None);
        assert_eq!(Key::read(&Json::Null), None);
    }

    #[test]
    fn ed25519_is_as_strict_here_as_where_it_signs() {
        let ours = FileKey::from_seed([9; 32]);
        let public = serde_json::to_value(ours.public_key()).expect("JSON")["keyval"]["public"].clone();
        let key = read("ed25519", "ed25519", public.as_str().expect("hex")).expect("a key");
        let signature = ours.sign(b"yes").expect("a key in memory signs").0;
        assert!(key.verifies(b"yes", &signature) && !key.verifies(b"no", &signature));
        // A key of small order "signs" everything with one signature; the strict check has none of it.
        let weak = read("ed25519", "ed25519", &format!("01{}", "00".repeat(31))).expect("32 bytes");
        let mut everything = [0; 64];
        everything[0] = 1;
        assert!(!weak.verifies(b"yes", &everything));
        assert!(!read("ed25519", "ed25519", "00").expect("hex").verifies(b"yes", &signature));
    }
}
