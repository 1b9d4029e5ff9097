//! The manifest: the one document that a shell reads, made for one tenant.
//!
//! Fields are declared in sorted order and nothing is left to chance, so the bytes are canonical JSON.
//! Text may be UTF-8 here: the manifest is a *target*, TUF clients hash it and do not parse it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::digest::{Blake3, Fingerprint, Sha256};
use crate::input::{Branding, Entitlement, ExpirationStrategy, Icon, Permission, UpdateMode};
use crate::time::{Duration, Timestamp};

/// The version of the manifest's format.
pub const MANIFEST_VERSION: &str = "1.0.0";

/// What does not change from one publication to the next unless the tenant's own line-up does.
#[derive(Debug, Clone)]
pub struct Body {
    /// How the shell looks.
    pub branding: Box<RawValue>,
    /// Rights that are not mini-programs.
    pub entitlements: Box<RawValue>,
    /// Most of something.
    pub limits: Box<RawValue>,
    /// The line-up.
    pub mini_programs: Box<RawValue>,
    /// What a device may do without reaching the CDN.
    pub offline: Box<RawValue>,
    /// What must stop.
    pub revoked: Box<RawValue>,
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

/// The whole document as written.
#[derive(Debug, Serialize)]
struct Written<'a> {
    addr: &'a str,
    branding: &'a RawValue,
    entitlements: &'a RawValue,
    environment: &'a str,
    expires: Timestamp,
    issued: Timestamp,
    limits: &'a RawValue,
    mini_programs: &'a RawValue,
    offline: &'a RawValue,
    publication: u64,
    revoked: &'a RawValue,
    source: &'a Source,
    spec_version: &'static str,
    tenant_id: &'a str,
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
            it.part(part.get().as_bytes());
        }
        it.finish()
    }

    /// The bytes of the document.
    pub fn write(&self, frame: &Frame<'_>) -> Vec<u8> {
        let written = Written {
            addr: frame.addr,
            branding: &self.branding,
            entitlements: &self.entitlements,
            environment: frame.environment,
            expires: frame.expires,
            issued: frame.issued,
            limits: &self.limits,
            mini_programs: &self.mini_programs,
            offline: &self.offline,
            publication: frame.publication,
            revoked: &self.revoked,
            source: frame.source,
            spec_version: MANIFEST_VERSION,
            tenant_id: frame.tenant_id,
        };
        serde_json::to_vec(&written).expect("a manifest has only text keys")
    }
}

/// Serialises one part of a body.
pub fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("a manifest has only text keys")
}

/// The document as read back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The tenant's address.
    pub addr: String,
    /// How the shell looks.
    pub branding: Branding,
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

/// One mini-program of a line-up. What is said here is said of its newest release; a release repeats it
/// under `face` only where it differs.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// The program.
    pub app_id: String,
    /// The version's code.
    pub code: u32,
    /// How.
    pub mode: RevokeMode,
}

/// How a revoked version stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeMode {
    /// At once.
    Block,
    /// When it is left.
    Drain,
}
