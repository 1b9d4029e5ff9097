//! The manifest: the one document that a shell reads, made for one tenant.
//!
//! Fields are declared in sorted order and nothing is left to chance, so the bytes are canonical JSON.
//! Text may be UTF-8 here: the manifest is a *target*, TUF clients hash it and do not parse it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bucket::Bucket;
use crate::digest::{Blake3, Fingerprint, Sha256};
pub use crate::input::RevokeMode;
use crate::input::{Branding, Entitlement, ExpirationStrategy, Icon, Permission, UpdateMode};
use crate::time::{Duration, Timestamp, Window};

/// The version of the manifest's format.
pub const MANIFEST_VERSION: &str = "1.0.0";

/// What does not change from one publication to the next unless the tenant's own line-up does.
#[derive(Debug, Clone)]
pub struct Body {
    /// How the shell looks.
    pub branding: Json,
    /// What some of the devices have otherwise; none when all have the same.
    pub cohorts: Option<Json>,
    /// Rights that are not mini-programs.
    pub entitlements: Json,
    /// Most of something.
    pub limits: Json,
    /// The line-up.
    pub mini_programs: Json,
    /// What a device may do without reaching the CDN.
    pub offline: Json,
    /// What must stop.
    pub revoked: Json,
}

/// Where a compile comes from.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The commit; absent when a working directory was compiled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Name and version of the compiler.
    pub compiler: String,
    /// Digest of the tenant's own file and of everything in the catalogue. No other tenant's file goes into it.
    pub inputs_digest: Blake3,
}

/// Everything about a manifest that its body does not say.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The tenant's address, checked by the client.
    pub addr: &'a str,
    /// As in the root.
    pub environment: &'a str,
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
    /// When it was made.
    pub issued: Timestamp,
    /// The number of the publication.
    pub publication: u64,
    /// Where it comes from.
    pub source: &'a Source,
    /// The tenant.
    pub tenant_id: &'a str,
}

impl Body {
    /// Same line-up, same digest: decides whether a tenant has changed since the previous publication.
    pub fn digest(&self, tenant_id: &str) -> Blake3 {
        let mut it = Fingerprint::new("tenantry.dev 2026-11 manifest body v1");
        it.part(tenant_id.as_bytes());
        for part in
            [&self.branding, &self.entitlements, &self.limits, &self.mini_programs, &self.offline, &self.revoked]
        {
            it.part(part.as_str().as_bytes());
        }
        if let Some(cohorts) = &self.cohorts {
            it.part(cohorts.as_str().as_bytes());
        }
        it.finish()
    }

    /// The bytes of the document: its fields in sorted order, those of the body as they are.
    pub fn write(&self, frame: &Frame<'_>) -> Vec<u8> {
        let none = Json(String::new());
        let fields = [
            ("addr", &Json::of(frame.addr)),
            ("branding", &self.branding),
            ("cohorts", self.cohorts.as_ref().unwrap_or(&none)),
            ("entitlements", &self.entitlements),
            ("environment", &Json::of(frame.environment)),
            ("expires", &Json::of(&frame.expires)),
            ("issued", &Json::of(&frame.issued)),
            ("limits", &self.limits),
            ("mini_programs", &self.mini_programs),
            ("offline", &self.offline),
            ("publication", &Json::of(&frame.publication)),
            ("revoked", &self.revoked),
            ("source", &Json::of(frame.source)),
            ("spec_version", &Json::of(MANIFEST_VERSION)),
            ("tenant_id", &Json::of(frame.tenant_id)),
        ];
        let mut out = Vec::with_capacity(fields.iter().map(|(name, json)| name.len() + json.0.len() + 4).sum());
        for (at, (name, json)) in fields.iter().filter(|(_, json)| **json != none).enumerate() {
            out.extend_from_slice(if at == 0 { b"{\"" } else { b",\"" });
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            out.extend_from_slice(json.0.as_bytes());
        }
        out.push(b'}');
        out
    }
}

/// Why bytes are no manifest that can be dated anew.
#[derive(Debug, thiserror::Error)]
pub enum BadManifest {
    /// Not JSON, or not an object.
    #[error("it is no JSON object")]
    Json(#[from] serde_json::Error),
    /// The right value, spelled in another way: written again it would have other bytes.
    #[error("it is not canonical JSON")]
    NotCanonical,
    /// A field that every manifest has is not there.
    #[error("it has no `{0}`")]
    Missing(&'static str),
}

/// When a manifest was made, and until when it holds: all that changes when the same content is signed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
    /// When it was made.
    pub issued: Timestamp,
    /// The number of the publication.
    pub publication: u64,
}

/// The same manifest with other dates and another number; every other byte stays.
pub fn redate(bytes: &[u8], dates: &Dates) -> Result<Vec<u8>, BadManifest> {
    // Maps of serde_json are sorted, so writing the value gives the one canonical spelling.
    let mut fields: Map<String, Value> = serde_json::from_slice(bytes)?;
    let write = |fields: &Map<String, Value>| serde_json::to_vec(fields).expect("a manifest has only text keys");
    if write(&fields) != bytes {
        return Err(BadManifest::NotCanonical);
    }
    for (name, value) in [
        ("expires", Value::from(dates.expires.to_string())),
        ("issued", Value::from(dates.issued.to_string())),
        ("publication", Value::from(dates.publication)),
    ] {
        *fields.get_mut(name).ok_or(BadManifest::Missing(name))? = value;
    }
    Ok(write(&fields))
}

/// JSON that has been written already. Most of a manifest is the same for thousands of tenants and is written once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// Writes a value.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Json {
        Json(serde_json::to_string(value).expect("a manifest has only text keys"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mini-program but for its window, written once for all tenants that have it alike.
#[derive(Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Everything that sorts before `valid_from`, from the opening brace on.
    head: String,
    /// Everything that sorts after `valid_until`, to the closing brace.
    tail: String,
}

impl Fragment {
    /// Writes a mini-program; its own window does not count.
    pub fn of(program: &MiniProgram<'_>) -> Fragment {
        let windowless = MiniProgram { valid_from: None, valid_until: None, ..program.clone() };
        let tail = format!(
            ",\"version\":{},\"window\":{}}}",
            Json::of(&program.version).0,
            Json::of(program.window.as_ref()).0
        );
        let mut head = Json::of(&windowless).0;
        assert!(head.ends_with(&tail), "a mini-program ends with its version and its window");
        head.truncate(head.len() - tail.len());
        Fragment { head, tail }
    }
}

impl Json {
    /// Puts what has been written into a list; nothing when there is none.
    pub fn list(items: &[Json]) -> Option<Json> {
        let items: Vec<&str> = items.iter().map(Json::as_str).collect();
        (!items.is_empty()).then(|| Json(format!("[{}]", items.join(","))))
    }

    /// Writes what some of the devices have otherwise.
    pub fn cohort(mini_programs: &Json, percent: u32, without: &[&str]) -> Json {
        let without = match without {
            [] => String::new(),
            some => format!(",\"without\":{}", Json::of(some).0),
        };
        Json(format!("{{\"mini_programs\":{},\"percent\":{percent}{without}}}", mini_programs.0))
    }

    /// Writes a line-up: mini-programs and when each of them is there.
    pub fn line_up<'a>(programs: impl Iterator<Item = (&'a Fragment, Window)>) -> Json {
        let mut out = String::from("[");
        for (fragment, window) in programs {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&fragment.head);
            for (name, bound) in [("valid_from", window.from), ("valid_until", window.until)] {
                if let Some(at) = bound {
                    out.push_str(&format!(",\"{name}\":\"{at}\""));
                }
            }
            out.push_str(&fragment.tail);
        }
        out.push(']');
        Json(out)
    }
}

/// The document as read back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The tenant's address.
    pub addr: String,
    /// How the shell looks.
    pub branding: Branding,
    /// What some of the devices have otherwise, smallest share first.
    #[serde(default)]
    pub cohorts: Vec<Cohort>,
    /// Rights that are not mini-programs.
    pub entitlements: BTreeMap<String, Entitlement>,
    /// As in the root.
    pub environment: String,
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
    /// When it was made.
    pub issued: Timestamp,
    /// Most of something.
    pub limits: BTreeMap<String, u64>,
    /// The line-up.
    pub mini_programs: Vec<MiniProgram<'static>>,
    /// What a device may do without reaching the CDN.
    pub offline: Offline,
    /// The number of the publication.
    pub publication: u64,
    /// What must stop.
    pub revoked: Vec<Revoked>,
    /// Where it comes from.
    pub source: Source,
    /// [`MANIFEST_VERSION`].
    pub spec_version: String,
    /// The tenant.
    pub tenant_id: String,
}

/// What the first devices of a tenant have otherwise than the others.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cohort {
    /// Mini-programs that they have in another form, or that only they have.
    pub mini_programs: Vec<MiniProgram<'static>>,
    /// How many of the devices they are, 1 to 99.
    pub percent: u32,
    /// Mini-programs (`app_id`) that they do not have.
    #[serde(default)]
    pub without: Vec<String>,
}

impl Manifest {
    /// The mini-programs of a device: those of the first cohort that it belongs to, and of the others what that one
    /// says nothing about.
    pub fn line_up(&self, bucket: Bucket) -> Vec<&MiniProgram<'static>> {
        let Some(cohort) = self.cohorts.iter().find(|it| bucket.is_among(it.percent)) else {
            return self.mini_programs.iter().collect();
        };
        let theirs = &cohort.mini_programs;
        let is_other = |it: &&MiniProgram<'static>| {
            !cohort.without.iter().any(|app_id| *app_id == it.app_id)
                && theirs.iter().all(|own| own.app_id != it.app_id)
        };
        self.mini_programs.iter().filter(is_other).chain(theirs).collect()
    }

    /// Every mini-program that some device has, in every form.
    pub fn every_program(&self) -> impl Iterator<Item = &MiniProgram<'static>> {
        self.mini_programs.iter().chain(self.cohorts.iter().flat_map(|it| &it.mini_programs))
    }
}

/// One mini-program of a line-up. What is said here is said of its newest release; a release repeats it
/// under `face` only where it differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MiniProgram<'a> {
    /// Identifier.
    pub app_id: Cow<'a, str>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Cow<'a, str>>,
    /// Hosts that it may talk to.
    pub egress: Cow<'a, [String]>,
    /// Its settings for this tenant.
    pub ext: Cow<'a, Map<String, Value>>,
    /// Icons inside the bundle.
    pub icons: Cow<'a, [Icon]>,
    /// Name shown to people.
    pub name: Cow<'a, str>,
    /// Pages; the first is the start page.
    pub pages: Cow<'a, [String]>,
    /// Whether to fetch it before it is asked for.
    pub preload: bool,
    /// One for each range of shells; at most one fits any shell.
    pub releases: Vec<Release<'a>>,
    /// Permissions that it may ask for.
    pub req_permissions: Cow<'a, [Permission]>,
    /// Name where room is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_name: Option<Cow<'a, str>>,
    /// How devices take it up.
    pub update_policy: Update,
    /// First instant at which it may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// First instant at which it may not run any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// The newest version.
    pub version: Version,
    /// W3C `window`.
    pub window: Cow<'a, Map<String, Value>>,
}

impl<'a> MiniProgram<'a> {
    /// The facts that hold for one of its releases: the release's own, or the program's where it says none.
    pub fn face_of(&self, release: &Release<'a>) -> Face<'a> {
        release.face.clone().unwrap_or_else(|| Face {
            egress: self.egress.clone(),
            ext: self.ext.clone(),
            icons: self.icons.clone(),
            name: self.name.clone(),
            pages: self.pages.clone(),
            req_permissions: self.req_permissions.clone(),
            update_policy: self.update_policy.clone(),
            window: self.window.clone(),
        })
    }
}

/// The facts in which releases of one program may differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Face<'a> {
    /// Hosts that it may talk to.
    pub egress: Cow<'a, [String]>,
    /// Its settings for this tenant.
    pub ext: Cow<'a, Map<String, Value>>,
    /// Icons inside the bundle.
    pub icons: Cow<'a, [Icon]>,
    /// Name shown to people.
    pub name: Cow<'a, str>,
    /// Pages; the first is the start page.
    pub pages: Cow<'a, [String]>,
    /// Permissions that it may ask for.
    pub req_permissions: Cow<'a, [Permission]>,
    /// How devices take it up.
    pub update_policy: Update,
    /// W3C `window`.
    pub window: Cow<'a, Map<String, Value>>,
}

/// How devices take up a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// Older codes must not be started any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_usable_version: Option<u32>,
    /// When the new version takes over.
    pub mode: UpdateMode,
}

/// A version for a range of shells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release<'a> {
    /// Its files.
    pub bundle: File,
    /// Where it differs from the program's newest release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<Face<'a>>,
    /// Files rendered for this tenant; they stand over those of the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<File>,
    /// Shells that run this release for this tenant.
    pub platform_version: PlatformVersion,
    /// The version.
    pub version: Version,
}

/// A range of shell levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformVersion {
    /// Highest level; none when there is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_code: Option<u32>,
    /// Lowest level.
    pub min_code: u32,
    /// The level it was made for.
    pub target_code: u32,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Decides order.
    pub code: u32,
    /// For people.
    pub name: String,
}

/// An archive among the targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Digest of the unpacked tree: the identity of the content.
    pub blake3: Blake3,
    /// Bytes of the archive.
    pub length: u64,
    /// Digest of the archive.
    pub sha256: Sha256,
    /// Its name among the targets.
    pub target: String,
}

/// What a device may do without reaching the CDN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offline {
    /// What happens when the licence ends.
    pub expiration_strategy: ExpirationStrategy,
    /// How long it may go on, as an ISO 8601 duration.
    pub grace: String,
}

impl Offline {
    /// From typed values.
    pub fn new(expiration_strategy: ExpirationStrategy, grace: Duration) -> Offline {
        Offline { expiration_strategy, grace: grace.to_string() }
    }
}

/// A version that must stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// The program.
    pub app_id: String,
    /// The version's code.
    pub code: u32,
    /// How.
    pub mode: RevokeMode,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_with_new_dates_differs_in_nothing_else() {
        let manifest = |expires: &str, issued: &str, publication: u64| {
            format!(
                "{{\"addr\":\"a\",\"expires\":\"{expires}\",\"issued\":\"{issued}\",\"mini_programs\":[{{\"ext\":{{\"publication\":1,\"ratio\":0.1,\"title\":\"\u{e9}\u{2028}\\u0001\"}}}}],\"publication\":{publication}}}"
            )
        };
        let before = manifest("2026-12-23T00:00:00Z", "2026-11-23T00:00:00Z", 9);
        let date = |text: &str| Timestamp::parse(text).expect("a date");
        let dates = Dates { expires: date("2027-01-09"), issued: date("2026-12-10"), publication: 10 };
        let after = redate(before.as_bytes(), &dates).expect("a manifest");
        assert_eq!(
            String::from_utf8(after).expect("text"),
            manifest("2027-01-09T00:00:00Z", "2026-12-10T00:00:00Z", 10)
        );
        for (wrong, why) in [
            (before.replace("\"addr\":", "\"addr\": "), "it is not canonical JSON"),
            (before.replace("0.1", "1e-1"), "it is not canonical JSON"),
            (before.replace("\"issued\"", "\"issuer\""), "it has no `issued`"),
            ("[]".to_owned(), "it is no JSON object"),
        ] {
            let error = redate(wrong.as_bytes(), &dates).expect_err("not one of ours");
            assert_eq!(error.to_string(), why);
        }
    }

    #[test]
    fn a_line_up_from_fragments_is_the_one_that_serde_writes() {
        let window = [("version".to_owned(), serde_json::json!({ "code": 7 }))].into_iter().collect();
        let program = MiniProgram {
            app_id: "com.example.chat".into(),
            description: None,
            egress: Cow::Owned(Vec::new()),
            ext: Cow::Owned(Map::new()),
            icons: Cow::Owned(Vec::new()),
            name: "Chat \"4\"".into(),
            pages: Cow::Owned(vec!["index.html".into()]),
            preload: true,
            releases: Vec::new(),
            req_permissions: Cow::Owned(Vec::new()),
            short_name: Some("C".into()),
            update_policy: Update { min_usable_version: Some(2), mode: UpdateMode::Force },
            valid_from: Timestamp::parse("2027-01-01").ok(),
            valid_until: Timestamp::parse("2028-01-01").ok(),
            version: Version { code: 41, name: "4.0.1".into() },
            window: Cow::Owned(window),
        };
        let fragment = Fragment::of(&program);
        let always = MiniProgram { valid_from: None, valid_until: None, ..program.clone() };
        let window = Window { from: program.valid_from, until: program.valid_until };
        let written = Json::line_up([(&fragment, window), (&fragment, Window::default())].into_iter());
        assert_eq!(written, Json::of(&[program, always]));
    }
}
