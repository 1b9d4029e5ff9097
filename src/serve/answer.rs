//! What HTTP asks of one object: validators, conditions, a range, and who may read it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::range::{Part, part};
use crate::digest::Blake3;
use crate::store::{Cache, Fetched, content_type};

/// How long anybody may remember that something is not there. A root that does not exist yet is asked for at every
/// refresh, so it is worth remembering; and it may come into being, so not for long.
const MISSING: &str = "public, max-age=10";

/// Nobody may keep what is no object.
const NO_STORE: &str = "no-store";

const METHODS: &str = "GET, HEAD, OPTIONS";

/// An object, all of it or a part, or that the asker has it already.
pub(super) fn object(request: &Parts, key: &str, object: Fetched) -> Response<Bytes> {
    let etag = format!("\"{}\"", object.etag);
    let length = object.bytes.len() as u64;
    let mut response = public(Response::new(Bytes::new()));
    set(&mut response, header::ETAG, &etag);
    set(&mut response, header::CACHE_CONTROL, Cache::of(key).header());
    if text(&request.headers, header::IF_NONE_MATCH).is_some_and(|it| matches(it, &etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    set(&mut response, header::CONTENT_TYPE, content_type(key));
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    match wanted(request, &etag, length) {
        Part::Whole => with_body(request, response, object.bytes.into()),
        Part::Bytes(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let named = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            set(&mut response, header::CONTENT_RANGE, &named);
            // Both ends lie within the bytes, so they fit.
            let at = |it: u64| usize::try_from(it).unwrap_or(usize::MAX);
            with_body(request, response, Bytes::from(object.bytes).slice(at(range.start)..at(range.end)))
        }
        Part::Beyond => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{length}"));
            set(&mut response, header::CACHE_CONTROL, NO_STORE);
            plain(request, response, "the object has no such bytes\n")
        }
    }
}

/// Which part is asked for. Ranges mean something with GET only, and with `If-Range` only as long as the object is
/// the one that the asker has a part of.
fn wanted(request: &Parts, etag: &str, length: u64) -> Part {
    let is_same = text(&request.headers, header::IF_RANGE).is_none_or(|it| it == etag);
    match text(&request.headers, header::RANGE) {
        Some(range) if request.method == Method::GET && is_same => part(range, length),
        _ => Part::Whole,
    }
}

/// Whether a list of versions, or `*`, names this one. A weak one counts: caches weaken what they recompress.
fn matches(list: &str, etag: &str) -> bool {
    let mut listed = list.split(',').map(|it| it.trim());
    listed.any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == etag)
}

/// There is no such object.
pub(super) fn missing(request: &Parts) -> Response<Bytes> {
    let mut response = public(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    set(&mut response, header::CACHE_CONTROL, MISSING);
    plain(request, response, "there is no such object\n")
}

/// Only reading is possible.
pub(super) fn read_only(request: &Parts) -> Response<Bytes> {
    let mut response = public(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    set(&mut response, header::ALLOW, METHODS);
    set(&mut response, header::CACHE_CONTROL, NO_STORE);
    plain(request, response, "objects can only be read\n")
}

/// What a browser asks before it sends `If-None-Match` from another origin.
pub(super) fn preflight() -> Response<Bytes> {
    let mut response = public(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    set(&mut response, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    set(&mut response, header::ACCESS_CONTROL_ALLOW_HEADERS, "If-None-Match, If-Range, Range");
    set(&mut response, header::ACCESS_CONTROL_MAX_AGE, "86400");
    response
}

/// The store behind us fails, or we play that there is none.
pub(super) fn failed(request: &Parts, status: StatusCode, why: &str) -> Response<Bytes> {
    let mut response = public(Response::new(Bytes::new()));
    *response.status_mut() = status;
    set(&mut response, header::CACHE_CONTROL, NO_STORE);
    plain(request, response, why)
}

/// A page for people. No other origin may read it: it may name tenants.
pub(super) fn page(request: &Parts, media_type: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    set(&mut response, header::CACHE_CONTROL, NO_STORE);
    set(&mut response, header::CONTENT_TYPE, media_type);
    set(
        &mut response,
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    with_body(request, response, text.into())
}

/// It lies elsewhere on this server.
pub(super) fn moved(request: &Parts, to: &str) -> Response<Bytes> {
    let mut response = file(request, "text/plain", Vec::new());
    *response.status_mut() = StatusCode::FOUND;
    set(&mut response, header::LOCATION, to);
    response
}

/// A file of the shell or of the report: it may change with the next binary, so it is asked for each time.
pub(super) fn file(request: &Parts, media_type: &str, bytes: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let etag = format!("\"{}\"", Blake3::of(&bytes));
    set(&mut response, header::CACHE_CONTROL, "no-cache");
    // The same page in two encodings: equal, and not byte for byte.
    set(&mut response, header::ETAG, &format!("W/{etag}"));
    if text(&request.headers, header::IF_NONE_MATCH).is_some_and(|it| matches(it, &etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    set(&mut response, header::CONTENT_TYPE, media_type);
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, header::VARY, "Accept-Encoding");
    if !text(&request.headers, header::ACCEPT_ENCODING).is_some_and(|it| it.contains("gzip")) {
        return with_body(request, response, bytes.into());
    }
    set(&mut response, header::CONTENT_ENCODING, "gzip");
    with_body(request, response, compressed(&bytes).into())
}

/// As a CDN does it with text.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes every byte")
}

fn plain(request: &Parts, mut response: Response<Bytes>, text: &str) -> Response<Bytes> {
    set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    with_body(request, response, Bytes::copy_from_slice(text.as_bytes()))
}

/// With its length, which HEAD asks for too, and with the body itself unless it is HEAD.
fn with_body(request: &Parts, mut response: Response<Bytes>, body: Bytes) -> Response<Bytes> {
    set(&mut response, header::CONTENT_LENGTH, &body.len().to_string());
    if request.method != Method::HEAD {
        *response.body_mut() = body;
    }
    response
}

/// Whoever knows the address of an object may read it, from any page.
fn public(mut response: Response<Bytes>) -> Response<Bytes> {
    set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(&mut response, header::ACCESS_CONTROL_EXPOSE_HEADERS, "Accept-Ranges, Age, Content-Range, ETag");
    set(&mut response, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

pub(super) fn set(response: &mut Response<Bytes>, name: HeaderName, value: &str) {
    // A store that gives a version which is no header goes without it.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
