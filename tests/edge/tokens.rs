//! Tokens, right ones and wrong ones.

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};

/// Whoever issues tokens.
pub(crate) struct Issuer(SigningKey);

impl Issuer {
    pub(crate) fn new(seed: [u8; 32]) -> Issuer {
        Issuer(SigningKey::from_bytes(&seed))
    }

    /// The public key, as the worker takes it.
    pub(crate) fn jwk(&self) -> String {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, encode(self.0.verifying_key().as_bytes()))
    }

    /// The same with a name, for a set.
    pub(crate) fn named_jwk(&self, kid: &str) -> String {
        self.jwk().replace('{', &format!(r#"{{"kid":"{kid}","#))
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &str) -> String {
        self.signed(r#"{"alg":"EdDSA","typ":"JWT"}"#, claims)
    }

    /// A rightly signed token with any header.
    pub(crate) fn signed(&self, header: &str, claims: &str) -> String {
        self.signed_bytes(header.as_bytes(), claims.as_bytes())
    }

    pub(crate) fn signed_bytes(&self, header: &[u8], claims: &[u8]) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.0.sign(signed.as_bytes());
        format!("{signed}.{}", encode(&signature.to_bytes()))
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// The worker asks its own clock, so the tests do too.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    since.as_secs().cast_signed()
}
