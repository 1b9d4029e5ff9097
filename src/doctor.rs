//! Whether a CDN keeps what shells rely on, judged by its answers. How it is asked is [`http`]'s business.
//!
//! What a CDN does wrong it does quietly: it compresses, keeps an answer longer than it may, or answers "not found"
//! with a friendly page. Shells refuse all of that or see old publications, and nobody knows why; so it is looked for.

pub mod http; // the one file that asks

use crate::digest::Sha256;
use crate::index::{Index, keys};
use crate::store::probe::{self, Check, Finding};
use crate::store::{Cache, content_type};
use crate::time::Timestamp;

/// How long the answer that nothing is there may be kept, in seconds: a device that asks for the next root too early
/// waits as long.
const MAX_MISSING: u64 = 60;

/// How old a timestamp may come, in seconds: the minute that it may be kept, and some for the way.
const MAX_AGE: u64 = 120;

/// How long what never changes must be kept at least, in seconds.
const MIN_IMMUTABLE: u64 = 86_400;

/// The origin of a web shell that there is not.
const ORIGIN: &str = "https://shell.example";

/// Largest metadata that is read.
const MAX_METADATA: u64 = 8 << 20;

/// One answer over HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body as it came, at most as long as was asked for.
    pub bytes: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }

    /// How long a shared cache may keep it; none when it does not say.
    fn lifetime(&self) -> Option<u64> {
        let directives = self.header("cache-control")?.split(',').map(|it| it.trim().to_ascii_lowercase());
        let mut lifetime = None;
        for directive in directives {
            match directive.split_once('=') {
                None if matches!(directive.as_str(), "no-store" | "no-cache" | "private") => return Some(0),
                Some(("max-age" | "s-maxage", seconds)) => lifetime = lifetime.max(seconds.parse().ok()),
                _ => {}
            }
        }
        lifetime
    }

    /// When it was made, by the clock of whoever made it.
    fn date(&self) -> Option<Timestamp> {
        let date = jiff::fmt::rfc2822::parse(self.header("date")?).ok()?;
        let age = self.number("age").and_then(|it| i64::try_from(it).ok()).unwrap_or_default();
        Timestamp::from_unix(date.timestamp().as_second().checked_add(age)?)
    }
}

/// A CDN that can be asked.
pub trait Edge {
    /// Where it is, for people.
    fn describe(&self) -> String;

    /// Gets a path, from where it is, with these headers, and at most `max` bytes of the body. Follows no redirects.
    fn get(&self, path: &str, headers: &[(&str, &str)], max: u64) -> Result<Answer, Unreachable>;
}

/// Nobody answers.
#[derive(Debug, thiserror::Error)]
#[error("cannot get `{url}`")]
pub struct Unreachable {
    /// What was asked for.
    pub url: String,
    /// Why there is no answer.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// What is known to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    addr: String,
    targets: (String, Sha256),
    archive: Option<(String, Sha256, u64)>,
}

impl Known {
    /// One tenant of a publication, and its smallest bundle; none when there is no tenant.
    pub fn of(index: &Index) -> Option<Known> {
        let (addr, record) = index.tenants.first_key_value()?;
        let archives = index.bundles.iter().map(|(tree, it)| (keys::archive(*tree, it.sha256), it.sha256, it.length));
        Some(Known {
            addr: addr.clone(),
            targets: (keys::targets(addr, record.targets.version), record.targets.sha256),
            archive: archives.min_by_key(|(.., length)| *length),
        })
    }
}

const TIMESTAMP: Check = Check {
    name: "edge-timestamp",
    promise: "a timestamp is there, as JSON, and kept for a minute at most",
    consequence: "shells see old publications, or none",
    cure: "let `t/*/timestamp.json` keep the headers that the store gives it",
};
const NOT_MODIFIED: Check = Check {
    name: "edge-not-modified",
    promise: "a timestamp has an `ETag`, and 304 is the answer to one that is still right",
    consequence: "every device gets every timestamp anew",
    cure: "let `ETag` and `If-None-Match` through",
};
const IMMUTABLE: Check = Check {
    name: "edge-immutable",
    promise: "what never changes is there, unchanged, and kept long",
    consequence: "shells refuse it, or ask the store for it again and again",
    cure: "let `t/*/*.targets.json` keep the bytes and the headers that the store gives it",
};
const ROOT: Check = Check {
    name: "edge-root",
    promise: "`t/<address>/<N>.root.json` is `root/<N>.root.json`",
    consequence: "no device can start, or follow a change of keys",
    cure: "rewrite `t/*/<N>.root.json` to `root/<N>.root.json`; docs/cdn.md says how",
};
const BUNDLE: Check = Check {
    name: "edge-bundle",
    promise: "a bundle comes byte for byte, and not compressed again",
    consequence: "shells refuse every bundle",
    cure: "switch off compression, minification and image optimisation for `o/*`",
};
const RANGES: Check = Check {
    name: "edge-ranges",
    promise: "a part of a bundle can be had",
    consequence: "a download that broke off begins anew",
    cure: "let `Range` through, or have the CDN answer it",
};
const MISSING: Check = Check {
    name: "edge-missing",
    promise: "what is not there is answered with 404 or 403, and that is forgotten within a minute",
    consequence: "devices that ask for the next root too early do not find it for as long",
    cure: "no page in place of errors, and at most 60 seconds for 404 and 403 (CloudFront: error caching minimum TTL)",
};
const PRIVATE: Check = Check {
    name: "edge-private",
    promise: "nothing below `state/` can be had",
    consequence: "anybody reads the names of all tenants",
    cure: "deny `state/*` at the CDN and in the bucket, or give `state` a bucket of its own in `tenantry.yaml`",
};
const LISTING: Check = Check {
    name: "edge-listing",
    promise: "nothing lists what is there",
    consequence: "anybody can count the tenants and fetch what each of them has",
    cure: "take `s3:ListBucket` from everybody, and switch off directory listings",
};
const CLOCK: Check = Check {
    name: "edge-clock",
    promise: "the CDN's clock and ours agree within five minutes",
    consequence: "what is signed as fresh is stale or not yet valid where shells are",
    cure: "set the clock of this machine",
};
const CORS: Check = Check {
    name: "edge-cors",
    promise: "web shells of any origin may read",
    consequence: "a shell in a browser cannot fetch anything",
    cure: "answer with `Access-Control-Allow-Origin: *` if there are web shells",
};
const TLS: Check = Check {
    name: "edge-tls",
    promise: "it is asked over TLS",
    consequence: "anybody on the way sees which tenant a device belongs to",
    cure: "give an `https://` URL",
};

/// Asks a CDN for everything that shells rely on. Fails when nobody answers.
pub fn examine(edge: &dyn Edge, known: Option<&Known>, now: Timestamp) -> Result<Vec<Finding>, Unreachable> {
    let mut findings = Vec::new();
    match known {
        None => {
            let why = "no publication is known; run it where `out/` is, or after the first `tenantry publish`";
            let checks = [&TIMESTAMP, &NOT_MODIFIED, &IMMUTABLE, &ROOT, &BUNDLE, &RANGES];
            findings.extend(checks.map(|it| it.not_applicable(why)));
        }
        Some(known) => {
            findings.extend(published(edge, known)?);
        }
    }
    let addr = known.map_or_else(|| "a".repeat(32), |it| it.addr.clone());
    findings.extend(missing(edge, &addr, now)?);
    findings.push(private(edge)?);
    findings.push(listing(edge, known)?);
    findings.push(match edge.describe().starts_with("http://") {
        true => TLS.hinted("its URL begins with `http://`"),
        false => TLS.found(None),
    });
    Ok(findings)
}

/// What can only be asked for when it is known what is there.
fn published(edge: &dyn Edge, known: &Known) -> Result<Vec<Finding>, Unreachable> {
    let key = keys::timestamp(&known.addr);
    let timestamp = edge.get(&key, &[("Origin", ORIGIN)], MAX_METADATA)?;
    let etag = timestamp.header("etag").map(str::to_owned);
    let again = match &etag {
        Some(etag) if timestamp.status == 200 => Some(edge.get(&key, &[("If-None-Match", etag)], MAX_METADATA)?),
        _ => None,
    };
    let (targets_key, targets_digest) = &known.targets;
    let targets = edge.get(targets_key, &[], MAX_METADATA)?;
    let root = edge.get(&keys::root(1), &[], MAX_METADATA)?;
    let rewritten = edge.get(&format!("t/{}/1.root.json", known.addr), &[], MAX_METADATA)?;
    let mut findings = vec![
        TIMESTAMP.found(judge_timestamp(&key, &timestamp)),
        NOT_MODIFIED.found(judge_not_modified(&timestamp, again.as_ref())),
        IMMUTABLE.found(judge_immutable(targets_key, &targets, *targets_digest)),
        ROOT.found(judge_root(&root, &rewritten)),
    ];
    match &known.archive {
        None => findings.extend([&BUNDLE, &RANGES].map(|it| it.not_applicable("nothing published has a bundle"))),
        Some((key, digest, length)) => {
            let whole = edge.get(key, &[("Accept-Encoding", "gzip, br, zstd")], length + 1)?;
            let part = edge.get(key, &[("Range", "bytes=1-"), ("Accept-Encoding", "identity")], length + 1)?;
            findings.push(BUNDLE.found(judge_bundle(key, &whole, *digest)));
            findings.push(RANGES.found(judge_range(&whole, &part)));
        }
    }
    findings.push(match timestamp.header("access-control-allow-origin") {
        Some("*" | ORIGIN) => CORS.found(None),
        Some(other) => CORS.hinted(format!("`Access-Control-Allow-Origin` is `{other}`")),
        None => CORS.hinted("there is no `Access-Control-Allow-Origin`"),
    });
    Ok(findings)
}

/// What is not there, asked for twice: the second answer shows whether the first was kept. No root has this number, so
/// nobody is kept from one that comes.
fn missing(edge: &dyn Edge, addr: &str, now: Timestamp) -> Result<[Finding; 2], Unreachable> {
    let key = format!("t/{addr}/999999999.root.json");
    let first = edge.get(&key, &[], MAX_METADATA)?;
    let second = edge.get(&key, &[], MAX_METADATA)?;
    let clock = match first.date() {
        None => CLOCK.not_applicable("it does not say what time it is"),
        Some(theirs) => CLOCK.found(probe::skew_complaint(theirs, now)),
    };
    let missing = match judge_missing(&first).or_else(|| judge_missing(&second)) {
        None if second.lifetime().is_none() && second.number("age").is_some() => {
            MISSING.hinted("the answer is kept, and does not say for how long")
        }
        complaint => MISSING.found(complaint),
    };
    Ok([missing, clock])
}

fn private(edge: &dyn Edge) -> Result<Finding, Unreachable> {
    for key in ["state/head.json", "state/index.json"] {
        let answer = edge.get(key, &[], MAX_METADATA)?;
        if answer.status == 200 {
            return Ok(PRIVATE.found(Some(format!("`{key}` is public"))));
        }
    }
    Ok(PRIVATE.found(None))
}

fn listing(edge: &dyn Edge, known: Option<&Known>) -> Result<Finding, Unreachable> {
    for path in ["", "t/", "?list-type=2&prefix=t/"] {
        let answer = edge.get(path, &[], MAX_METADATA)?;
        let text = String::from_utf8_lossy(&answer.bytes);
        let lists = text.contains("<ListBucketResult") || known.is_some_and(|it| text.contains(&it.addr));
        if answer.status == 200 && lists {
            return Ok(LISTING.found(Some(format!("`/{path}` lists it"))));
        }
    }
    Ok(LISTING.found(None))
}

fn judge_timestamp(key: &str, answer: &Answer) -> Option<String> {
    let wanted = Cache::Pointer.header();
    match (answer.status, answer.lifetime(), answer.number("age")) {
        (200, Some(lifetime), age) => match () {
            () if lifetime > MAX_MISSING => {
                Some(format!("`{key}` may be kept for {lifetime} seconds, and not `{wanted}`"))
            }
            () if age > Some(MAX_AGE) => Some(format!("`{key}` comes {} seconds old", age.unwrap_or_default())),
            () => judge_type(key, answer),
        },
        (200, None, _) => Some(format!("`{key}` does not say how long it may be kept; it should be `{wanted}`")),
        (status, ..) => Some(format!("`{key}` is answered with {status}")),
    }
}

fn judge_type(key: &str, answer: &Answer) -> Option<String> {
    let wanted = content_type(key);
    match answer.header("content-type").map(|it| it.split(';').next().unwrap_or_default().trim()) {
        Some(kind) if kind == wanted => None,
        Some(kind) => Some(format!("`{key}` is called `{kind}`, and not `{wanted}`")),
        None => Some(format!("`{key}` has no `Content-Type`; it should be `{wanted}`")),
    }
}

fn judge_not_modified(first: &Answer, again: Option<&Answer>) -> Option<String> {
    match again.map(|it| it.status) {
        Some(304) => None,
        Some(status) => Some(format!("one that has not changed is answered with {status}")),
        None if first.status == 200 => Some("it has no `ETag`".into()),
        None => Some(format!("it is answered with {}", first.status)),
    }
}

fn judge_immutable(key: &str, answer: &Answer, digest: Sha256) -> Option<String> {
    match answer.status {
        200 if Sha256::of(&answer.bytes) != digest => Some(format!("`{key}` has other bytes than were published")),
        200 if answer.lifetime().is_none_or(|it| it < MIN_IMMUTABLE) => {
            Some(format!("`{key}` may not be kept; it should be `{}`", Cache::Immutable.header()))
        }
        200 => judge_type(key, answer),
        status => Some(format!("`{key}` is answered with {status}")),
    }
}

fn judge_root(root: &Answer, rewritten: &Answer) -> Option<String> {
    match (root.status, rewritten.status) {
        (200, 200) if root.bytes == rewritten.bytes => None,
        (200, 200) => Some("the two are not the same".into()),
        (200, status) => Some(format!("a tenant's `1.root.json` is answered with {status}")),
        (status, _) => Some(format!("`{}` is answered with {status}", keys::root(1))),
    }
}

fn judge_bundle(key: &str, answer: &Answer, digest: Sha256) -> Option<String> {
    match (answer.status, answer.header("content-encoding")) {
        (200, Some(encoding)) if encoding != "identity" => Some(format!("`{key}` comes as `{encoding}`")),
        (200, _) if Sha256::of(&answer.bytes) != digest => Some(format!("`{key}` has other bytes than were published")),
        (200, _) => judge_type(key, answer),
        (status, _) => Some(format!("`{key}` is answered with {status}")),
    }
}

fn judge_range(whole: &Answer, part: &Answer) -> Option<String> {
    match part.status {
        206 if whole.bytes.get(1..) == Some(&part.bytes) => None,
        206 => Some("a part is not the same as in the whole".into()),
        status => Some(format!("a part is answered with {status}, and not 206")),
    }
}

fn judge_missing(answer: &Answer) -> Option<String> {
    match (answer.status, answer.lifetime()) {
        (404 | 403 | 410, Some(lifetime)) if lifetime > MAX_MISSING => {
            Some(format!("{} may be kept for {lifetime} seconds", answer.status))
        }
        (404 | 403 | 410, _) if answer.number("age") > Some(MAX_MISSING) => {
            Some(format!("{} comes {} seconds old", answer.status, answer.number("age").unwrap_or_default()))
        }
        (404 | 403 | 410, _) => None,
        (status, _) => Some(format!("what is not there is answered with {status}")),
    }
}
