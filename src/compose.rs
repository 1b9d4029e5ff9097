//! A line-up, its settings and its bundles become the body of a manifest.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use crate::bundle::{self, Bundle, Bundles, Files};
use crate::digest::Blake3;
use crate::first_start::{self, Load};
use crate::index::{Archive, Cost};
use crate::input::ExpirationStrategy;
use crate::manifest::{
    self, Body, Face, File, Fragment, Json, MiniProgram, Offline, PlatformVersion, Revoked, Update, Version,
};
use crate::model::{Catalog, ProgramId, Project, Release, Tenant};
use crate::render::{Rendered, RenderedRelease};
use crate::resolve::{Chosen, Included, Resolution};
use crate::time::{Duration, Window};

/// One tenant's manifest, ready to be dated and signed.
#[derive(Debug)]
pub struct Composed {
    /// What the manifest says.
    pub body: Body,
    /// Digest of the body: what must change for the tenant to be signed again.
    pub content: Blake3,
    /// The bundles that it names, sorted.
    pub bundles: Vec<(Blake3, Archive)>,
    /// The overlays, packed.
    pub overlays: Vec<Bundle>,
    /// How many programs are in.
    pub entitlements: u32,
    /// The archives that a device fetches which has nothing yet.
    pub preloaded: Cost,
    /// The longest that its metadata may last, by its compliance profile.
    pub max_ttl: Option<Duration>,
}

/// Composes manifests. What two tenants have alike is written once.
pub struct Composer<'a> {
    project: &'a Project,
    catalog: &'a Catalog,
    bundles: &'a Bundles,
    /// Mini-programs as tenants have them who add nothing of their own. Looked into, never walked over.
    fragments: RwLock<HashMap<Shared, Arc<Fragment>>>,
}

/// The mini-programs of a line-up, sorted.
type LineUp = Vec<(ProgramId, Arc<Fragment>, Window)>;

/// What a fragment depends on, besides the catalogue.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Shared {
    program: ProgramId,
    releases: Vec<Chosen>,
    preload: bool,
}

impl<'a> Composer<'a> {
    /// For the line-ups of one catalogue, all of whose wanted versions were packed.
    pub fn new(project: &'a Project, catalog: &'a Catalog, bundles: &'a Bundles) -> Composer<'a> {
        Composer { project, catalog, bundles, fragments: RwLock::default() }
    }

    /// Composes one tenant's manifest.
    pub fn tenant(&self, tenant: &Tenant, resolution: &Resolution, rendered: &Rendered) -> Composed {
        let (project, catalog) = (self.project, self.catalog);
        let size = first_start::packed(self.bundles);
        let mut named = BTreeMap::new();
        let mut overlays = Vec::new();
        let mut loads: Vec<Vec<Load>> = Vec::with_capacity(1 + resolution.cohorts.len());
        let mut line_up = |resolution: &Resolution, rendered: &Rendered| -> LineUp {
            let mut preloaded = Vec::with_capacity(resolution.included.len());
            let programs = resolution.included.iter().zip(&rendered.releases).map(|(included, rendered)| {
                for chosen in &included.releases {
                    let (tree, archive) = self.archive(included.program, chosen);
                    named.insert(tree, archive);
                }
                let (fragment, weights) = self.fragment(included, rendered, &mut overlays);
                if included.preload {
                    preloaded.extend(first_start::load(&size, included, &weights));
                }
                (included.program, fragment, included.window)
            });
            let programs = programs.collect();
            loads.push(preloaded);
            programs
        };
        let programs = line_up(resolution, rendered);
        let cohorts = resolution.cohorts.iter().zip(&rendered.cohorts);
        let cohorts: Vec<Json> = cohorts
            .map(|(cohort, rendered)| self.cohort(cohort.percent, &programs, &line_up(&cohort.line_up, rendered)))
            .collect();
        let body = Body {
            branding: Json::of(&tenant.branding),
            cohorts: Json::list(&cohorts),
            entitlements: Json::of(&resolution.entitlements),
            limits: Json::of(&resolution.limits),
            mini_programs: Json::line_up(programs.iter().map(|(_, fragment, window)| (&**fragment, *window))),
            offline: Json::of(&offline(project, catalog, tenant)),
            revoked: Json::of(&revoked(catalog, resolution)),
        };
        Composed {
            content: body.digest(&tenant.tenant_id),
            body,
            bundles: named.into_iter().collect(),
            overlays,
            entitlements: u32::try_from(resolution.included.len()).expect("fewer than 2^32 programs"),
            preloaded: first_start::heaviest(loads.iter().map(Vec::as_slice)).map(|it| it.cost).unwrap_or_default(),
            max_ttl: max_ttl(catalog, tenant),
        }
    }

    /// What the first devices have otherwise than the others.
    fn cohort(&self, percent: u32, all: &LineUp, theirs: &LineUp) -> Json {
        let differing = theirs.iter().filter(|it| !all.contains(it));
        let mini_programs = Json::line_up(differing.map(|(_, fragment, window)| (&**fragment, *window)));
        let lacking = all.iter().filter(|(id, ..)| theirs.iter().all(|(other, ..)| id != other));
        let without: Vec<&str> = lacking.map(|(id, ..)| &*self.catalog.program(*id).app_id).collect();
        Json::cohort(&mini_programs, percent, &without)
    }

    /// One mini-program of a line-up, as the manifest says it.
    pub fn mini_program<'b>(&'b self, included: &Included, rendered: &'b [RenderedRelease]) -> MiniProgram<'b> {
        let Window { from, until } = included.window;
        MiniProgram { valid_from: from, valid_until: until, ..self.program(included, rendered, &mut Vec::new()) }
    }

    fn archive(&self, program: ProgramId, chosen: &Chosen) -> (Blake3, Archive) {
        self.bundles[program.at()][chosen.release].expect("every version that somebody has was packed")
    }

    /// A program as it is written, and the tree and bytes of each release's overlay.
    fn fragment(
        &self,
        included: &Included,
        rendered: &[RenderedRelease],
        overlays: &mut Vec<Bundle>,
    ) -> (Arc<Fragment>, Vec<Option<(Blake3, u64)>>) {
        if !rendered.iter().all(RenderedRelease::is_default) {
            let program = self.program(included, rendered, overlays);
            let weights = program.releases.iter().map(|it| it.overlay.as_ref().map(|it| (it.blake3, it.length)));
            return (Arc::new(Fragment::of(&program)), weights.collect());
        }
        let key = Shared { program: included.program, releases: included.releases.clone(), preload: included.preload };
        let known = self.fragments.read().expect("composing never panics").get(&key).cloned();
        let fragment = known.unwrap_or_else(|| {
            let fragment = Arc::new(Fragment::of(&self.program(included, rendered, overlays)));
            self.fragments.write().expect("composing never panics").insert(key, Arc::clone(&fragment));
            fragment
        });
        (fragment, Vec::new())
    }

    fn program<'b>(
        &'b self,
        included: &Included,
        rendered: &'b [RenderedRelease],
        overlays: &mut Vec<Bundle>,
    ) -> MiniProgram<'b> {
        let program = self.catalog.program(included.program);
        let newest = (&program.releases[included.releases[0].release], &rendered[0]);
        let releases = included.releases.iter().zip(rendered).map(|(chosen, rendered)| {
            let release = &program.releases[chosen.release];
            let (tree, archive) = self.archive(included.program, chosen);
            manifest::Release {
                bundle: file(tree, archive),
                face: differing_face(newest, (release, rendered)),
                overlay: overlay(&rendered.overlay, overlays),
                platform_version: platform(chosen),
                version: version(release),
            }
        });
        let releases = releases.collect();
        let (release, rendered) = newest;
        MiniProgram {
            app_id: Cow::Borrowed(&program.app_id),
            description: release.description.as_deref().map(Cow::Borrowed),
            egress: Cow::Borrowed(&release.egress),
            ext: rendered.ext(),
            icons: Cow::Borrowed(&release.icons),
            name: Cow::Borrowed(&release.name),
            pages: Cow::Borrowed(&release.pages),
            preload: included.preload,
            releases,
            req_permissions: Cow::Borrowed(&release.req_permissions),
            short_name: release.short_name.as_deref().map(Cow::Borrowed),
            update_policy: update(release),
            valid_from: None,
            valid_until: None,
            version: version(release),
            window: Cow::Borrowed(&release.window),
        }
    }
}

/// The face of an older release, if it has one of its own.
fn differing_face<'a>(
    newest: (&'a Release, &'a RenderedRelease),
    this: (&'a Release, &'a RenderedRelease),
) -> Option<Face<'a>> {
    match std::ptr::eq(newest.0, this.0) {
        true => None,
        false => Some(face(this)).filter(|it| *it != face(newest)),
    }
}

fn face<'a>((release, rendered): (&'a Release, &'a RenderedRelease)) -> Face<'a> {
    Face {
        egress: Cow::Borrowed(&release.egress),
        ext: rendered.ext(),
        icons: Cow::Borrowed(&release.icons),
        name: Cow::Borrowed(&release.name),
        pages: Cow::Borrowed(&release.pages),
        req_permissions: Cow::Borrowed(&release.req_permissions),
        update_policy: update(release),
        window: Cow::Borrowed(&release.window),
    }
}

fn overlay(files: &Files, overlays: &mut Vec<Bundle>) -> Option<File> {
    if files.is_empty() {
        return None;
    }
    let bundle = bundle::pack(files, bundle::tree_digest(files));
    let named = file(bundle.tree, Archive { sha256: bundle.sha256, length: bundle.bytes.len() as u64 });
    // Two versions of a program may render the very same files.
    if overlays.iter().all(|it| it.tree != bundle.tree) {
        overlays.push(bundle);
    }
    Some(named)
}

fn file(tree: Blake3, archive: Archive) -> File {
    File { blake3: tree, length: archive.length, sha256: archive.sha256, target: tree.to_string() }
}

fn platform(chosen: &Chosen) -> PlatformVersion {
    let range = chosen.platform;
    PlatformVersion { max_code: range.max_code, min_code: range.min_code, target_code: range.target_code }
}

fn version(release: &Release) -> Version {
    Version { code: release.code, name: release.version.to_string() }
}

fn update(release: &Release) -> Update {
    Update { min_usable_version: release.min_usable_version, mode: release.update_mode }
}

/// The longest that a tenant's metadata may last, by its compliance profile.
pub fn max_ttl(catalog: &Catalog, tenant: &Tenant) -> Option<Duration> {
    let profiles = tenant.profile.iter().flat_map(|(id, _)| &catalog.profiles[id.at()].closure);
    profiles.filter_map(|id| catalog.profiles[id.at()].max_ttl).min()
}

/// What a device may do without reaching the CDN: the project's grace, or less where the tenant's profile asks for less.
pub fn offline(project: &Project, catalog: &Catalog, tenant: &Tenant) -> Offline {
    let profiles = tenant.profile.iter().flat_map(|(id, _)| &catalog.profiles[id.at()].closure);
    let grace = profiles.filter_map(|id| catalog.profiles[id.at()].offline_grace).min();
    let strategy = tenant.license.as_ref().map_or(ExpirationStrategy::Maintain, |it| it.strategy);
    Offline::new(strategy, grace.map_or(project.offline_grace, |it| it.min(project.offline_grace)))
}

/// Versions that must stop, as the manifest says it.
pub fn revoked(catalog: &Catalog, resolution: &Resolution) -> Vec<Revoked> {
    let stopped = resolution.stopped.iter().map(|it| {
        let program = catalog.program(it.program);
        Revoked { app_id: program.app_id.to_string(), code: program.releases[it.release].code, mode: it.mode }
    });
    stopped.collect()
}
