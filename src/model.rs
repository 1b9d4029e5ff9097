//! The catalogue and the tenants after every check: names are indexes, texts have been understood.
//!
//! A [`Model`] has no dangling names. Nobody downstream looks anything up and finds it missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::{Version, VersionReq};
use serde_json::{Map, Value};

use crate::input::{
    Branding, Classification, Entitlement, ExpirationStrategy, FirstStart, Icon, KeySources, MinStatus, Permission,
    Preload, ReviewStatus, RevocationBudget, RevokeMode, SalesStatus, StoreSpec, TenantStatus, UpdateMode,
};
use crate::metadata::Lifetimes;
use crate::path::{BundlePath, RepoPath};
use crate::text::{FileId, Span};
use crate::time::{Duration, Timestamp, Window};

macro_rules! index {
    ($name:ident, $what:literal) => {
        #[doc = concat!("Position of ", $what, " in its list of the [`Catalog`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index.
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(ProgramId, "a mini-program");
index!(PlanId, "a plan");
index!(AddOnId, "an add-on");
index!(ProfileId, "a compliance profile");
index!(ShellId, "a shell");

/// Everything that a compile decides from.
#[derive(Debug)]
pub struct Model {
    /// The project's own settings.
    pub project: Project,
    /// What can be had.
    pub catalog: Catalog,
    /// Who has it, sorted by name.
    pub tenants: Vec<Tenant>,
}

/// The project's own settings, defaults filled in.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its name.
    pub name: Box<str>,
    /// Its name for people.
    pub title: Option<Box<str>>,
    /// Where shells find the publication.
    pub base_url: Option<String>,
    /// The channel of tenants that name none.
    pub channel: Arc<str>,
    /// How long a device may go on without reaching the CDN.
    pub offline_grace: Duration,
    /// Lifetime of targets and snapshots.
    pub entitlement_lifetime: Duration,
    /// Lifetime of timestamps.
    pub freshness_lifetime: Duration,
    /// Signing keys that are neither files nor variables.
    pub keys: KeySources,
    /// Where publications go; names are unique, and each has exactly one home.
    pub stores: Vec<StoreSpec>,
    /// From how many tenants one change may take a program.
    pub revocation_budget: RevocationBudget,
    /// What a device may fetch that has nothing yet, and where that was written.
    pub first_start: Option<(FirstStart, Span)>,
}

impl Project {
    /// For how long files are signed.
    pub fn lifetimes(&self) -> Lifetimes {
        Lifetimes { entitlement: self.entitlement_lifetime, freshness: self.freshness_lifetime }
    }

    /// The bytes that optional mini-programs may fill; none when they are not preloaded.
    pub fn fills(&self) -> Option<u64> {
        let (it, _) = self.first_start.filter(|(it, _)| it.preload == Preload::Fill)?;
        Some(it.max_bytes)
    }
}

impl Default for Project {
    fn default() -> Project {
        Project {
            name: "".into(),
            title: None,
            base_url: None,
            channel: "stable".into(),
            offline_grace: Duration::days(14),
            entitlement_lifetime: Duration::days(30),
            freshness_lifetime: Duration::days(7),
            keys: KeySources::default(),
            stores: Vec::new(),
            revocation_budget: RevocationBudget { percent: 1, at_least: 5 },
            first_start: None,
        }
    }
}

/// What can be had. Every list is sorted by name (programs by `app_id`); ids are positions.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Mini-programs.
    pub programs: Vec<Program>,
    /// Plans.
    pub plans: Vec<Plan>,
    /// Add-ons.
    pub add_ons: Vec<AddOn>,
    /// Compliance profiles.
    pub profiles: Vec<Profile>,
    /// Shells.
    pub shells: Vec<Shell>,
    /// Every program before those it depends on through any version; ties by `app_id`.
    pub dependants_first: Vec<ProgramId>,
}

/// A mini-program with all its versions.
#[derive(Debug)]
pub struct Program {
    /// Reverse-domain identifier.
    pub app_id: Arc<str>,
    /// Its versions, lowest code first. Never empty.
    pub releases: Vec<Release>,
}

/// One version of a mini-program.
#[derive(Debug)]
pub struct Release {
    /// Decides order.
    pub code: u32,
    /// For people, ranges and channels.
    pub version: Version,
    /// Lowest API level.
    pub min_code: u32,
    /// API level it was made for.
    pub target_code: u32,
    /// Highest API level.
    pub max_code: Option<u32>,
    /// Name shown to people.
    pub name: String,
    /// Name where room is short.
    pub short_name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Icons inside the package.
    pub icons: Vec<Icon>,
    /// Pages inside the package; the first is the start page.
    pub pages: Vec<String>,
    /// W3C `window`, passed on.
    pub window: Map<String, Value>,
    /// Permissions.
    pub req_permissions: Vec<Permission>,
    /// Where the permissions were written, one for each.
    pub permission_spans: Vec<Span>,
    /// Hosts.
    pub egress: Vec<String>,
    /// Where the hosts were written, one for each.
    pub egress_spans: Vec<Span>,
    /// Most sensitive class of data.
    pub classification: Classification,
    /// Regions where data is kept; empty means everywhere.
    pub regions: Vec<String>,
    /// What it needs beside itself.
    pub dependencies: Vec<Dependency>,
    /// What cannot stand beside it.
    pub conflicts: Vec<(ProgramId, Span)>,
    /// Review status.
    pub status: ReviewStatus,
    /// Since when it has it.
    pub since: Option<Timestamp>,
    /// How devices take it up.
    pub update_mode: UpdateMode,
    /// Older codes must not start any more.
    pub min_usable_version: Option<u32>,
    /// Who gets it when; everybody at once when nothing is said.
    pub rollout: Option<Rollout>,
    /// Nobody gets it any more, and whoever has it stops it.
    pub revoked: Option<RevokedVersion>,
    /// Its files.
    pub package: Package,
    /// What a tenant may set.
    pub ext_schema: Option<ExtSchema>,
    /// Defaults; strings may be templates.
    pub ext: Map<String, Value>,
    /// Files rendered for each tenant.
    pub templates: Vec<Template>,
    /// Where `version` was written.
    pub version_span: Span,
    /// Where `review.status` was written.
    pub review_span: Span,
    /// Where `platform_version` was written.
    pub platform_span: Span,
    /// Where `data` was written; the version's place when it was not.
    pub data_span: Span,
    /// Where `ext` was written; the version's place when it was not.
    pub ext_span: Span,
}

/// A compiled `ext_schema` or `branding_schema`.
#[derive(Debug, Clone)]
pub struct ExtSchema {
    /// The validator; no network or file `$ref`, linear regular expressions.
    pub validator: Arc<jsonschema::Validator>,
    /// Where the schema was written.
    pub span: Span,
}

/// What a version needs beside itself.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The program.
    pub program: ProgramId,
    /// Versions that will do.
    pub range: Option<VersionReq>,
    /// Where it was written.
    pub span: Span,
}

/// Who gets a version when.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// Its steps, in the order in which they begin.
    pub steps: Vec<RolloutStep>,
    /// Where it was written.
    pub span: Span,
}

/// From when on some tenants get a version, and how many of their devices.
#[derive(Debug, Clone)]
pub struct RolloutStep {
    /// Its first instant.
    pub from: Timestamp,
    /// Labels that a tenant must have.
    pub match_labels: BTreeMap<String, String>,
    /// Where each of them was written.
    pub label_spans: Vec<Span>,
    /// Share of each tenant's devices, 1 to 100.
    pub percent: u32,
    /// The most tenants that it may select, and where that was written.
    pub max_tenants: Option<(u32, Span)>,
    /// Where it was written.
    pub span: Span,
}

impl RolloutStep {
    /// Whether it is for a tenant with these labels.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// A version that nobody may use any more.
#[derive(Debug, Clone)]
pub struct RevokedVersion {
    /// How what runs stops.
    pub mode: RevokeMode,
    /// Why.
    pub reason: Box<str>,
    /// Where it was written.
    pub span: Span,
}

/// The files of one version.
#[derive(Debug, Clone)]
pub struct Package {
    /// Where `package.path` was written.
    pub span: Span,
    /// Its directory or archive in the project.
    pub path: RepoPath,
    /// The files, sorted by path, as positions in the source tree or as unpacked bytes.
    pub files: Arc<BTreeMap<BundlePath, Arc<[u8]>>>,
}

/// A file rendered for each tenant.
#[derive(Debug, Clone)]
pub struct Template {
    /// The template's path in the project, which is also its name in messages.
    pub src: RepoPath,
    /// Its text.
    pub text: Arc<str>,
    /// Path of the rendered file.
    pub path: BundlePath,
    /// Where it was written.
    pub span: Span,
}

/// A program granted by a plan or an add-on.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The program.
    pub program: ProgramId,
    /// Versions granted.
    pub range: Option<VersionReq>,
    /// Offered, not preloaded.
    pub optional: bool,
    /// Where it was written.
    pub span: Span,
}

/// A plan.
#[derive(Debug)]
pub struct Plan {
    /// Its name.
    pub name: Arc<str>,
    /// The plan whose grants it contains.
    pub extends: Option<PlanId>,
    /// Its own grants.
    pub grants: Vec<Grant>,
    /// Other rights.
    pub entitlements: BTreeMap<String, Entitlement>,
    /// Limits.
    pub limits: BTreeMap<String, u64>,
    /// Settings.
    pub ext: BTreeMap<ProgramId, Map<String, Value>>,
    /// Whether it is sold.
    pub status: SalesStatus,
    /// Where its name was written.
    pub span: Span,
}

/// An add-on.
#[derive(Debug)]
pub struct AddOn {
    /// Its name.
    pub name: Arc<str>,
    /// Plans that take it (also through `extends`); any when empty.
    pub requires_plans: Vec<PlanId>,
    /// Add-ons that it cannot stand beside.
    pub conflicts: Vec<AddOnId>,
    /// Its grants.
    pub grants: Vec<Grant>,
    /// Other rights.
    pub entitlements: BTreeMap<String, Entitlement>,
    /// Limits.
    pub limits: BTreeMap<String, u64>,
    /// Settings.
    pub ext: BTreeMap<ProgramId, Map<String, Value>>,
    /// Whether it is sold.
    pub status: SalesStatus,
    /// Where its name was written.
    pub span: Span,
}

/// Patterns that allow and deny.
#[derive(Debug, Clone, Default)]
pub struct AllowDeny {
    /// Closed list, when present, and where `allow` was written.
    pub allow: Option<(Vec<Pattern>, Span)>,
    /// Never these.
    pub deny: Vec<Pattern>,
}

/// A text in which `*` stands for any text.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The pattern as written.
    pub text: Arc<str>,
    /// Where.
    pub span: Span,
}

impl Pattern {
    /// Whether a text matches.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.text.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// A compliance profile.
#[derive(Debug)]
pub struct Profile {
    /// Its name.
    pub name: Arc<str>,
    /// It and every profile it imports: depth first, in the order written, each once, itself first.
    pub closure: Vec<ProfileId>,
    /// Rules on `app_id`.
    pub mini_programs: AllowDeny,
    /// Rules on permissions.
    pub permissions: AllowDeny,
    /// Rules on hosts.
    pub egress: AllowDeny,
    /// Highest class of data, and where it was written.
    pub max_classification: Option<(Classification, Span)>,
    /// Regions, and where they were written.
    pub regions: Option<(Vec<String>, Span)>,
    /// Least review status.
    pub min_status: Option<(MinStatus, Span)>,
    /// Least time in that status.
    pub min_soak: Option<(Duration, Span)>,
    /// Where `pin_required: true` was written, if it was.
    pub pin_required: Option<Span>,
    /// Times without newer versions.
    pub freeze_windows: Vec<(Window, Span)>,
    /// Longest lifetime of signed metadata.
    pub max_ttl: Option<Duration>,
    /// Longest time without reaching the CDN.
    pub offline_grace: Option<Duration>,
    /// Where its name was written.
    pub span: Span,
}

/// A shell.
#[derive(Debug)]
pub struct Shell {
    /// Its name.
    pub name: Arc<str>,
    /// API levels in the field, sorted.
    pub platform_codes: Vec<u32>,
    /// Branding it supports.
    pub branding_schema: Option<ExtSchema>,
    /// Where its name was written.
    pub span: Span,
}

/// A tenant.
#[derive(Debug)]
pub struct Tenant {
    /// Its name in the project; never published.
    pub name: Box<str>,
    /// Its opaque public identifier.
    pub tenant_id: Box<str>,
    /// Name for people.
    pub title: Option<Box<str>>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it is served.
    pub status: TenantStatus,
    /// Where `status` was written; the name's place when it was not.
    pub status_span: Span,
    /// Its plan, and where it was written.
    pub plan: (PlanId, Span),
    /// Its add-ons, in the order written.
    pub add_ons: Vec<(AddOnId, Span)>,
    /// Its compliance profile.
    pub profile: Option<(ProfileId, Span)>,
    /// Its licence.
    pub license: Option<License>,
    /// Exceptions, in the order written.
    pub overrides: Vec<Override>,
    /// Branding.
    pub branding: Branding,
    /// Where `branding` was written; the name's place when it was not.
    pub branding_span: Span,
    /// Settings, with the place of each.
    pub ext: BTreeMap<ProgramId, (Map<String, Value>, Span)>,
    /// Its channel, when it names one.
    pub channel: Option<Box<str>>,
    /// Pins: program, code, place. At most one for each program.
    pub pins: Vec<(ProgramId, u32, Span)>,
    /// Where its data is kept.
    pub data_region: Option<(Box<str>, Span)>,
    /// Its domains.
    pub domains: Vec<String>,
    /// Its shells; never empty (all shells when it names none).
    pub shells: Vec<ShellId>,
    /// Where its name was written.
    pub span: Span,
}

/// A licence.
#[derive(Debug, Clone)]
pub struct License {
    /// When it holds, without grace.
    pub window: Window,
    /// What happens after it.
    pub strategy: ExpirationStrategy,
    /// How much later.
    pub grace: Duration,
    /// For how many people.
    pub seats: Option<u32>,
    /// Where it was written.
    pub span: Span,
}

/// An exception.
#[derive(Debug, Clone)]
pub struct Override {
    /// The program.
    pub program: ProgramId,
    /// What it does.
    pub effect: Effect,
    /// Why.
    pub reason: Box<str>,
    /// Where it was decided.
    pub ticket: Option<Box<str>>,
    /// Who decided.
    pub approved_by: Option<Box<str>>,
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
    /// Where it was written.
    pub span: Span,
}

/// What an override does.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Gives the program, within the range if there is one.
    Grant(Option<VersionReq>),
    /// Takes it away.
    Revoke,
}

/// Whether a version lies in a range. A pre-release does when its release would: channels, not ranges, decide about pre-releases.
pub fn meets(range: Option<&VersionReq>, version: &Version) -> bool {
    let Some(range) = range else { return true };
    if range.matches(version) {
        return true;
    }
    match version.pre.is_empty() {
        true => false,
        false => range.matches(&Version::new(version.major, version.minor, version.patch)),
    }
}

impl Tenant {
    /// The same tenant, read from the same bytes in another file.
    pub fn in_file(mut self, file: FileId) -> Tenant {
        let place = |span: &mut Span| span.file = file;
        [&mut self.status_span, &mut self.plan.1, &mut self.branding_span, &mut self.span].into_iter().for_each(place);
        self.add_ons.iter_mut().map(|it| &mut it.1).for_each(place);
        self.profile.iter_mut().map(|it| &mut it.1).for_each(place);
        self.license.iter_mut().map(|it| &mut it.span).for_each(place);
        self.overrides.iter_mut().map(|it| &mut it.span).for_each(place);
        self.ext.values_mut().map(|it| &mut it.1).for_each(place);
        self.pins.iter_mut().map(|it| &mut it.2).for_each(place);
        self.data_region.iter_mut().map(|it| &mut it.1).for_each(place);
        self
    }

    /// The API levels of its shells, sorted.
    pub fn levels(&self, catalog: &Catalog) -> Vec<u32> {
        let shells = self.shells.iter().map(|it| &catalog.shells[it.at()]);
        let mut levels: Vec<u32> = shells.flat_map(|it| &it.platform_codes).copied().collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    }
}

impl Catalog {
    /// The program behind an id.
    pub fn program(&self, id: ProgramId) -> &Program {
        &self.programs[id.at()]
    }

    /// The program with this `app_id`.
    pub fn find_program(&self, app_id: &str) -> Option<ProgramId> {
        let found = self.programs.binary_search_by(|it| (*it.app_id).cmp(app_id)).ok()?;
        Some(ProgramId(u32::try_from(found).expect("fewer than 2^32 programs")))
    }

    /// A plan and those it extends, itself first.
    pub fn plan_chain(&self, id: PlanId) -> impl Iterator<Item = &Plan> {
        std::iter::successors(Some(&self.plans[id.at()]), |plan| plan.extends.map(|id| &self.plans[id.at()]))
    }
}

#[cfg(test)]
mod tests {
    use semver::{Version, VersionReq};

    use super::{Pattern, meets};
    use crate::text::{FileId, Span};

    #[test]
    fn a_star_stands_for_any_text() {
        let pattern = |text: &str| Pattern { text: text.into(), span: Span { file: FileId(0), start: 0, end: 0 } };
        for (p, text, expected) in [
            ("com.example.*", "com.example.chat", true),
            ("com.example.*", "com.examples.chat", false),
            ("*", "", true),
            ("*.push.example.com", "a.push.example.com", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("chat", "chat", true),
            ("chat", "chats", false),
        ] {
            assert_eq!(pattern(p).matches(text), expected, "{p} against {text}");
        }
    }

    #[test]
    fn a_pre_release_meets_the_range_that_its_release_meets() {
        let range = VersionReq::parse("^2").expect("a range");
        assert!(meets(Some(&range), &Version::parse("2.1.0-beta.1").expect("a version")));
        assert!(!meets(Some(&range), &Version::parse("3.0.0-beta.1").expect("a version")));
        assert!(meets(None, &Version::parse("3.0.0-beta.1").expect("a version")));
    }
}
