//! HTTP through ureq: blocking, with the certificates of the system, and no redirect to another host.

use std::time::Duration;

use ureq::http::Uri;
use ureq::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body as HttpBody};

use super::transport::{Body, Caches, Get, Reply, Transport, TransportError};

/// How often a host may send us on to another path of its own.
const MOST_REDIRECTS: usize = 3;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(15);

/// A server of files.
pub struct Http {
    agent: Agent,
    /// Ends with a slash.
    base: String,
}

/// Why a URL is not one that files come from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Not an absolute URL of a scheme that we know.
    #[error("it is not an `https://` URL")]
    Url,
    /// It says more than where.
    #[error("it has a query, a fragment or a password")]
    More,
    /// Not encrypted, and not on this machine.
    #[error("`http://` is for this machine and for development only")]
    Plain,
}

/// Which servers may be asked without encryption. Signatures hold without it; who asks for what does not stay private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// Those on this machine.
    Loopback,
    /// All: nothing of a development environment is a secret.
    Anywhere,
}

impl Http {
    /// For objects below a URL. `patience` is how long nothing may come.
    pub fn new(base_url: &str, plain: Plain, patience: Duration) -> Result<Http, BadUrl> {
        check(base_url, plain)?;
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_send_request(Some(patience))
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience))
            .timeout_per_write(Some(patience))
            .max_idle_connections_per_host(8);
        Ok(Http { agent: config.build().into(), base: format!("{}/", base_url.trim_end_matches('/')) })
    }

    fn ask(&self, url: &str, path: &str, request: &Get) -> Result<ureq::http::Response<HttpBody>, TransportError> {
        // Bytes are signed for as they are: whoever compressed them on the way would only make them unrecognisable.
        let mut asked = self.agent.get(url).header(ACCEPT_ENCODING, "identity");
        if let Some(etag) = &request.if_none_match {
            asked = asked.header(IF_NONE_MATCH, etag);
        }
        if request.from > 0 {
            asked = asked.header(RANGE, format!("bytes={}-", request.from));
            if let Some(etag) = &request.if_range {
                asked = asked.header(IF_RANGE, etag);
            }
        }
        if request.caches == Caches::Bypassed {
            asked = asked.header(CACHE_CONTROL, "no-cache");
        }
        asked.call().map_err(|error| failed(path, error))
    }
}

impl Transport for Http {
    fn get(&self, path: &str, request: &Get) -> Result<Reply, TransportError> {
        let mut url = format!("{}{path}", self.base);
        for _ in 0..=MOST_REDIRECTS {
            let response = self.ask(&url, path, request)?;
            match response.status().as_u16() {
                200 | 206 => return object(response, path, request).map(Reply::Object),
                304 if request.if_none_match.is_some() => return Ok(Reply::NotModified),
                // A bucket whose files may not be listed says 403 about a file that is not there.
                403 | 404 | 410 => return Ok(Reply::Missing),
                301 | 302 | 303 | 307 | 308 => {
                    url = on_the_same_host(&url, path, header(&response, LOCATION.as_str()))?
                }
                status @ (429 | 500..=599) => return Err(TransportError::Server { path: path.into(), status }),
                status => return Err(useless(path, format!("HTTP {status}"))),
            }
        }
        Err(useless(path, "it redirects again and again".into()))
    }
}

fn check(base_url: &str, plain: Plain) -> Result<(), BadUrl> {
    let uri: Uri = base_url.parse().map_err(|_| BadUrl::Url)?;
    let (Some(scheme), Some(host), Some(authority)) = (uri.scheme_str(), uri.host(), uri.authority()) else {
        return Err(BadUrl::Url);
    };
    let is_here =
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback());
    match scheme {
        _ if uri.query().is_some() || base_url.contains('#') || authority.as_str().contains('@') => Err(BadUrl::More),
        "https" => Ok(()),
        "http" if is_here || plain == Plain::Anywhere => Ok(()),
        "http" => Err(BadUrl::Plain),
        _ => Err(BadUrl::Url),
    }
}

/// What comes, held to what was asked for.
fn object(response: ureq::http::Response<HttpBody>, path: &str, request: &Get) -> Result<Body, TransportError> {
    if let Some(encoding) = header(&response, "content-encoding").filter(|it| *it != "identity") {
        return Err(useless(path, format!("it comes encoded as `{encoding}`")));
    }
    let etag = header(&response, "etag").map(str::to_owned);
    let length = header(&response, "content-length").and_then(|it| it.parse::<u64>().ok());
    let from = match response.status().as_u16() {
        206 => {
            let range = header(&response, "content-range").unwrap_or_default();
            match begin_of(range) {
                Some(from) if from == request.from && from > 0 => from,
                _ => return Err(useless(path, format!("another part came than was asked for: `{range}`"))),
            }
        }
        _ => 0,
    };
    if length.is_some_and(|it| it.saturating_add(from) > request.max) {
        return Err(TransportError::TooLong { path: path.into(), max: request.max });
    }
    // Measured by whoever reads; a limit of ureq's own would end a long body like a short one.
    let bytes = response.into_body().into_with_config().limit(u64::MAX).reader();
    Ok(Body { from, etag, length, bytes: Box::new(Timely(bytes)) })
}

/// Says `TimedOut` for ureq's timeouts, which come as another kind.
struct Timely<R>(R);

impl<R: std::io::Read> std::io::Read for Timely<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer).map_err(|error| match ureq::Error::from(error) {
            ureq::Error::Timeout(which) => std::io::Error::new(std::io::ErrorKind::TimedOut, which.to_string()),
            other => other.into_io(),
        })
    }
}

fn header<'a>(response: &'a ureq::http::Response<HttpBody>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// `5` of `bytes 5-9/10`.
fn begin_of(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

fn on_the_same_host(url: &str, path: &str, location: Option<&str>) -> Result<String, TransportError> {
    let to = location.ok_or_else(|| useless(path, "it redirects to nowhere".into()))?;
    let elsewhere = || TransportError::Elsewhere { path: path.into(), to: to.into() };
    let here: Uri = url.parse().map_err(|_| elsewhere())?;
    let there: Uri = to.parse().map_err(|_| elsewhere())?;
    let (Some(scheme), Some(authority)) = (here.scheme_str(), here.authority()) else { return Err(elsewhere()) };
    match (there.scheme_str(), there.authority()) {
        // `//host/x` names another host, whatever the parser makes of it (RFC 3986, section 4.2).
        (None, None) if to.starts_with('/') && !to.starts_with("//") => Ok(format!("{scheme}://{authority}{to}")),
        (Some(other), Some(host)) if other == scheme && host == authority => Ok(to.to_owned()),
        _ => Err(elsewhere()),
    }
}

fn failed(path: &str, error: ureq::Error) -> TransportError {
    let path = path.to_owned();
    match error {
        ureq::Error::Timeout(_) => TransportError::Slow { path },
        ureq::Error::Protocol(why) => TransportError::Useless { path, why: why.to_string() },
        // A certificate that is not the host's: a portal, most of the time.
        error @ (ureq::Error::Tls(_) | ureq::Error::Rustls(_)) => {
            TransportError::Useless { path, why: error.to_string() }
        }
        error => TransportError::Unreachable { path, source: Box::new(error) },
    }
}

fn useless(path: &str, why: String) -> TransportError {
    TransportError::Useless { path: path.into(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_urls_and_this_machine_are_asked() {
        for (url, plain, expected) in [
            ("https://cdn.example.com/a/", Plain::Loopback, Ok(())),
            ("http://127.0.0.1:8080", Plain::Loopback, Ok(())),
            ("http://[::1]:8080", Plain::Loopback, Ok(())),
            ("http://localhost", Plain::Loopback, Ok(())),
            ("http://cdn.example.com", Plain::Loopback, Err(BadUrl::Plain)),
            ("http://127.0.0.1.example.com", Plain::Loopback, Err(BadUrl::Plain)),
            ("http://192.168.0.7", Plain::Anywhere, Ok(())),
            ("ftp://cdn.example.com", Plain::Anywhere, Err(BadUrl::Url)),
            ("cdn.example.com", Plain::Anywhere, Err(BadUrl::Url)),
            ("https://user:word@cdn.example.com", Plain::Loopback, Err(BadUrl::More)),
            ("https://cdn.example.com/?x", Plain::Loopback, Err(BadUrl::More)),
            ("https://cdn.example.com/#x", Plain::Loopback, Err(BadUrl::More)),
        ] {
            assert_eq!(check(url, plain), expected, "{url}");
        }
    }

    #[test]
    fn a_redirect_stays_on_its_host() {
        let from = |to| on_the_same_host("https://cdn.example.com/o/x", "o/x", Some(to)).ok();
        assert_eq!(from("/other/x").as_deref(), Some("https://cdn.example.com/other/x"));
        assert_eq!(from("https://cdn.example.com/y").as_deref(), Some("https://cdn.example.com/y"));
        for elsewhere in ["https://evil.example.com/o/x", "http://cdn.example.com/o/x", "//evil.example.com/x", "x"] {
            assert_eq!(from(elsewhere), None, "{elsewhere}");
        }
    }
}
