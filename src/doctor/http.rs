//! Asks a CDN, once for each question, and takes its answers as they come.
#![expect(clippy::disallowed_methods, reason = "this file opens connections to a CDN")]

use std::io::Read as _;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::{Answer, Edge, Unreachable};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A CDN behind a URL.
pub struct Http {
    agent: Agent,
    /// Ends with a slash.
    base: String,
}

impl Http {
    /// For what lies below a URL.
    pub fn new(base_url: &str) -> Http {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(PATIENCE));
        Http { agent: Agent::new_with_config(config.build()), base: format!("{}/", base_url.trim_end_matches('/')) }
    }
}

impl Edge for Http {
    fn describe(&self) -> String {
        self.base.clone()
    }

    fn get(&self, path: &str, headers: &[(&str, &str)], max: u64) -> Result<Answer, Unreachable> {
        let url = format!("{}{path}", self.base);
        let mut request = self.agent.get(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let failed = |source: ureq::Error| Unreachable { url: url.clone(), source: source.into() };
        let response = request.call().map_err(failed)?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let (status, headers) = (response.status().as_u16(), headers.collect());
        let mut bytes = Vec::new();
        let body = response.into_body().into_reader().take(max).read_to_end(&mut bytes);
        body.map_err(|error| failed(ureq::Error::Io(error)))?;
        Ok(Answer { status, headers, bytes })
    }
}
