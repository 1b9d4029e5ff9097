//! From what stands in the project to a client that makes each request once.
#![expect(clippy::disallowed_methods, reason = "this file reads the certificates that `AWS_CA_BUNDLE` names")]
//!
//! Credentials and region come from the standard chain of AWS, as every other tool finds them. The endpoint does not:
//! where a publication goes stands in the project and nowhere else.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, io};

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Config, Credentials, IdentityCache, ProvideCredentials as _, RequestChecksumCalculation,
    ResponseChecksumValidation, SharedCredentialsProvider, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use data_encoding::BASE64;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::errors::{chain, no_credentials};
use crate::input::{Checksums, S3Spec};
use crate::store::Said;

/// Names a file of certificates, in place of those of the system.
const BUNDLE: &str = "AWS_CA_BUNDLE";

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How long nothing may move on a connection.
const STALL: Duration = Duration::from_secs(20);

/// How long whoever gives credentials may take: a command may ask somebody.
const LOGIN: Duration = Duration::from_secs(60);

/// Where credentials come from.
#[derive(Clone)]
pub enum Login {
    /// The standard chain: variables, profile, SSO, web identity, command, container, instance.
    Chain,
    /// These.
    Keys {
        /// The public part.
        access_key: String,
        /// The secret part.
        secret_key: String,
    },
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// AWS has no default region.
    #[error("no region is known for bucket `{bucket}`")]
    NoRegion {
        /// Which bucket.
        bucket: String,
    },
    /// The chain gave nothing that can be used.
    #[error("no credentials for bucket `{bucket}`")]
    NoCredentials {
        /// Which bucket.
        bucket: String,
        /// Why.
        #[source]
        source: Said,
    },
    /// An endpoint says who to log in as.
    #[error("the `endpoint` of bucket `{bucket}` has a user name in it")]
    UserInEndpoint {
        /// Which bucket.
        bucket: String,
    },
    /// The file of `AWS_CA_BUNDLE` is of no use, and the endpoint asks for TLS.
    #[error("cannot take certificates from `{path}`: {why}")]
    Bundle {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The system gives no threads.
    #[error("cannot start the threads of the S3 client")]
    Threads(#[source] io::Error),
}

impl ConnectError {
    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        match self {
            ConnectError::NoRegion { .. } => Some("give `region` in `tenantry.yaml`, or set `AWS_REGION`"),
            ConnectError::NoCredentials { source, .. } => source.help.as_deref(),
            ConnectError::UserInEndpoint { .. } => {
                Some("credentials never stand in `tenantry.yaml`; set `AWS_PROFILE`")
            }
            ConnectError::Bundle { .. } => Some("`AWS_CA_BUNDLE` must name a file of certificates in PEM, or nothing"),
            ConnectError::Threads(_) => None,
        }
    }
}

/// A client for a bucket.
pub(super) async fn client(spec: &S3Spec, login: &Login) -> Result<Client, ConnectError> {
    let endpoint = spec.endpoint.as_deref();
    if endpoint.is_some_and(has_user) {
        return Err(ConnectError::UserInEndpoint { bucket: spec.bucket.clone() });
    }
    let http = http_client(endpoint)?;
    let surroundings = surroundings(spec, login).await;
    let region =
        surroundings.region().cloned().ok_or_else(|| ConnectError::NoRegion { bucket: spec.bucket.clone() })?;
    let credentials = credentials(spec, login, &surroundings).await?;
    // Built from nothing and not from the surroundings, so that no variable can send a publication elsewhere.
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .region(region)
        .credentials_provider(credentials)
        .identity_cache(IdentityCache::lazy().load_timeout(LOGIN).build())
        // Whether to ask again is `Patience`'s business: a put that is made twice without our knowing would be refused by itself.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).build())
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled().upload_enabled(true).grace_period(STALL).build(),
        )
        .force_path_style(spec.path_style.unwrap_or(endpoint.is_some()));
    if let Some(endpoint) = endpoint {
        config = config.endpoint_url(endpoint);
    }
    let (request, response) = checksums(spec);
    config = config.request_checksum_calculation(request).response_checksum_validation(response);
    Ok(Client::from_conf(config.build()))
}

/// Stores that only look like S3 refuse, or worse, keep, what the newest checksums put around a body.
fn checksums(spec: &S3Spec) -> (RequestChecksumCalculation, ResponseChecksumValidation) {
    let default = match spec.endpoint {
        Some(_) => Checksums::WhenRequired,
        None => Checksums::WhenSupported,
    };
    match spec.checksums.unwrap_or(default) {
        Checksums::WhenRequired => (RequestChecksumCalculation::WhenRequired, ResponseChecksumValidation::WhenRequired),
        Checksums::WhenSupported => {
            (RequestChecksumCalculation::WhenSupported, ResponseChecksumValidation::WhenSupported)
        }
    }
}

/// Region and credentials as AWS's own tools would find them.
async fn surroundings(spec: &S3Spec, login: &Login) -> SdkConfig {
    // Whoever gives credentials is asked with a client of its own, over TLS: a bad bundle matters if it comes to that.
    let trusted = trusted().unwrap_or_default();
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(over_tls(trusted));
    let loader = match login {
        Login::Chain => loader,
        // Nobody asks the surroundings for what was given.
        Login::Keys { .. } => loader.no_credentials(),
    };
    match (&spec.region, &spec.endpoint) {
        (Some(region), _) => loader.region(Region::new(region.clone())).load().await,
        (None, None) => loader.load().await,
        // Other stores take any region; a machine that is no instance of AWS is not asked for its region.
        (None, Some(_)) => {
            let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
                .or_else(ProfileFileRegionProvider::builder().build())
                .or_else(Region::from_static("us-east-1"));
            loader.region(chain).load().await
        }
    }
}

/// Credentials, tried once now: better before the first upload than in its midst.
async fn credentials(
    spec: &S3Spec,
    login: &Login,
    surroundings: &SdkConfig,
) -> Result<SharedCredentialsProvider, ConnectError> {
    let missing = |source| ConnectError::NoCredentials { bucket: spec.bucket.clone(), source };
    let provider = match login {
        Login::Keys { access_key, secret_key } => {
            return Ok(SharedCredentialsProvider::new(Credentials::new(access_key, secret_key, None, None, "given")));
        }
        Login::Chain => surroundings.credentials_provider(),
    };
    let provider = provider.ok_or_else(|| missing(Said { words: "there is no chain to ask".into(), help: None }))?;
    match tokio::time::timeout(LOGIN, provider.provide_credentials()).await {
        Ok(Ok(_)) => Ok(provider),
        Ok(Err(why)) => Err(missing(no_credentials(&why))),
        Err(_) => Err(missing(Said {
            words: format!("nobody gave any within {} seconds", LOGIN.as_secs()),
            help: Some("set `AWS_PROFILE`, or look at the command that gives them".into()),
        })),
    }
}

/// Over TLS unless the endpoint says `http`; then certificates are of no concern, and neither is a bad bundle.
fn http_client(endpoint: Option<&str>) -> Result<SharedHttpClient, ConnectError> {
    match endpoint.is_some_and(|it| it.starts_with("http://")) {
        true => Ok(aws_smithy_http_client::Builder::new().build_http()),
        false => trusted().map(over_tls),
    }
}

fn over_tls(trusted: TrustStore) -> SharedHttpClient {
    let context = TlsContext::builder().with_trust_store(trusted).build().expect("a trust store is all it needs");
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https()
}

/// Those of the system, or those of `AWS_CA_BUNDLE` where that is set.
fn trusted() -> Result<TrustStore, ConnectError> {
    let Some(path) = env::var_os(BUNDLE).filter(|it| !it.is_empty()).map(PathBuf::from) else {
        return Ok(TrustStore::default());
    };
    let bad = |why: String| ConnectError::Bundle { path: path.clone(), why };
    let bytes = fs::read(&path).map_err(|error| bad(error.to_string()))?;
    let certificates = certificates(&bytes).map_err(bad)?;
    Ok(certificates.iter().fold(TrustStore::empty(), |store, it| store.with_pem_certificate(pem(it))))
}

/// The certificates of a bundle that can vouch for somebody. The client panics on one that cannot be read, and bundles
/// of whole systems have such.
fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let mut found = found.map_err(|error| chain(&error))?;
    found.retain(|it| RootCertStore::empty().add(it.clone()).is_ok());
    match found.is_empty() {
        true => Err("there is none in it".into()),
        false => Ok(found),
    }
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64.encode(certificate))
}

/// Whether a URL says who to log in as.
fn has_user(endpoint: &str) -> bool {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    host.split('/').next().is_some_and(|it| it.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_certificates_is_refused_before_the_client_sees_it() {
        assert_eq!(certificates(b"no certificate"), Err("there is none in it".into()));
        let damaged = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(damaged), Err("there is none in it".into()));
        let cut = certificates(b"-----BEGIN CERTIFICATE-----\nAAAA\n");
        assert!(cut.is_err(), "{cut:?}");
    }

    #[test]
    fn a_user_name_is_seen_in_the_host_only() {
        assert!(has_user("https://me:secret@store.example"));
        assert!(!has_user("https://store.example/a@b"));
    }
}
