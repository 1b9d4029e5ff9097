//! What a person sees who opens the server in a browser.

use hyper::header::{self, HeaderMap};

use super::{Listing, Site};
use crate::index::Index;
use crate::metadata::DEVELOPMENT;
use crate::store::MAX_OBJECT;

/// The page, with its media type: HTML for browsers, plain text for others.
pub(super) fn page(site: &Site, headers: &HeaderMap) -> (&'static str, String) {
    let index = match may_list(site, headers) {
        true => development_index(site),
        false => None,
    };
    let wants_html =
        headers.get(header::ACCEPT).is_some_and(|it| it.as_bytes().windows(9).any(|it| it == b"text/html"));
    match wants_html {
        true => ("text/html; charset=utf-8", html(index.as_ref(), index.is_some() && site.report.is_some())),
        false => ("text/plain; charset=utf-8", text(index.as_ref())),
    }
}

/// Whether whoever asks may see names of tenants, if they are of a publication with throw-away keys.
pub(super) fn may_list(site: &Site, headers: &HeaderMap) -> bool {
    site.listing == Listing::Development && is_asked_for_as_this_machine(headers)
}

/// The list of tenants, of a publication with throw-away keys only. Anything else has none to show.
pub(super) fn development_index(site: &Site) -> Option<Index> {
    let bytes = site.stores.first()?.get("state/index.json", MAX_OBJECT).ok()??.bytes;
    Index::parse(&bytes).ok().filter(|it| it.environment == DEVELOPMENT)
}

/// A foreign page can give its own name to our address, and read what it then is shown; the name betrays it.
pub(super) fn is_asked_for_as_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|it| it.to_str().ok()) else { return false };
    let is_port =
        |it: &str| it.is_empty() || it.strip_prefix(':').is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit()));
    ["localhost", "shell.localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| host.strip_prefix(name).is_some_and(is_port))
}

const WHAT: &str = "tenantry serve: a publication as a CDN shows it, for building shells. Not for production.";
const WHERE: &str = "Metadata base: /t/ADDRESS/   target base: /o/   roots: /root/N.root.json";

fn text(index: Option<&Index>) -> String {
    let mut page = format!("{WHAT}\n{WHERE}\n");
    if let Some(index) = index {
        page += &format!("\nPublication {}, signed with development keys. Tenants:\n", index.publication);
        for (addr, tenant) in &index.tenants {
            page += &format!("{addr}  {}\n", tenant.name);
        }
    }
    page
}

fn html(index: Option<&Index>, has_report: bool) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<title>tenantry serve</title>\n<style>body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }} code {{ font-size: .9rem }} td {{ padding-right: 2rem }}</style>\n<p>{WHAT}</p>\n<p><code>{WHERE}</code></p>\n<p><a href=\"/shell/\">Open the shell</a></p>\n"
    );
    if has_report {
        page += "<p><a href=\"/report/\">Open the report</a>: who has what and why, what changes, what it weighs</p>\n";
    }
    if let Some(index) = index {
        page += &format!("<p>Publication {}, signed with development keys.</p>\n<table>\n", index.publication);
        for (addr, tenant) in &index.tenants {
            page += &format!(
                "<tr><td><a href=\"/shell/#t={addr}\">{}</a><td><a href=\"/t/{addr}/timestamp.json\"><code>{addr}</code></a>\n",
                escaped(&tenant.name)
            );
        }
        page += "</table>\n";
    }
    page + "</html>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use hyper::header::{HOST, HeaderMap, HeaderValue};

    use super::is_asked_for_as_this_machine;

    #[test]
    fn a_foreign_name_for_our_address_is_seen() {
        let asked_as = |host: &'static str| {
            is_asked_for_as_this_machine(&HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]))
        };
        for host in ["localhost", "localhost:8080", "shell.localhost:8080", "127.0.0.1:1", "[::1]:8080"] {
            assert!(asked_as(host), "{host}");
        }
        for host in ["", "rebound.example:8080", "localhost.example", "127.0.0.1.example:8080", "localhost:x"] {
            assert!(!asked_as(host), "{host}");
        }
        assert!(!is_asked_for_as_this_machine(&HeaderMap::new()));
    }
}
