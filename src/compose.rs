//! A line-up, its settings and its bundles become the body of a manifest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::bundle::{self, Bundle, Files};
use crate::digest::Blake3;
use crate::index::Archive;
use crate::input::ExpirationStrategy;
use crate::manifest::{
    self, Body, Face, File, MiniProgram, Offline, PlatformVersion, RevokeMode, Revoked, Update, Version, raw,
};
use crate::model::{Catalog, Project, Release, Tenant};
use crate::render::{Rendered, RenderedRelease};
use crate::resolve::{Chosen, Exclusion, Included, Resolution};
use crate::time::Duration;

/// The archives of a catalogue's versions: by program, then by release; none for a version that nobody has.
pub type Bundles = Vec<Vec<Option<(Blake3, Archive)>>>;

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
    /// The longest that its metadata may last, by its compliance profile.
    pub max_ttl: Option<Duration>,
}

/// Composes one tenant's manifest.
pub fn tenant(
    project: &Project,
    catalog: &Catalog,
    bundles: &Bundles,
    tenant: &Tenant,
    resolution: &Resolution,
    rendered: &Rendered,
) -> Composed {
    let mut named = BTreeMap::new();
    let mut overlays = Vec::new();
    let programs: Vec<MiniProgram<'_>> = resolution
        .included
        .iter()
        .zip(&rendered.releases)
        .map(|(included, rendered)| program(catalog, bundles, included, rendered, &mut named, &mut overlays))
        .collect();
    let body = Body {
        branding: raw(&tenant.branding),
        entitlements: raw(&resolution.entitlements),
        limits: raw(&resolution.limits),
        mini_programs: raw(&programs),
        offline: raw(&offline(project, catalog, tenant)),
        revoked: raw(&revoked(catalog, resolution)),
    };
    let profiles = tenant.profile.iter().flat_map(|(id, _)| &catalog.profiles[id.at()].closure);
    Composed {
        content: body.digest(&tenant.tenant_id),
        body,
        bundles: named.into_iter().collect(),
        overlays,
        entitlements: u32::try_from(resolution.included.len()).expect("fewer than 2^32 programs"),
        max_ttl: profiles.filter_map(|id| catalog.profiles[id.at()].max_ttl).min(),
    }
}

fn program<'a>(
    catalog: &'a Catalog,
    bundles: &Bundles,
    included: &Included,
    rendered: &'a [RenderedRelease],
    named: &mut BTreeMap<Blake3, Archive>,
    overlays: &mut Vec<Bundle>,
) -> MiniProgram<'a> {
    let program = catalog.program(included.program);
    let newest = (&program.releases[included.releases[0].release], &rendered[0]);
    let releases = included.releases.iter().zip(rendered).map(|(chosen, rendered)| {
        let release = &program.releases[chosen.release];
        let archive = bundles[included.program.at()][chosen.release];
        let (tree, archive) = archive.expect("every version that somebody has was packed");
        named.insert(tree, archive);
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
        valid_from: included.window.from,
        valid_until: included.window.until,
        version: version(release),
        window: Cow::Borrowed(&release.window),
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

/// The project's grace, or less where the tenant's profile asks for less.
fn offline(project: &Project, catalog: &Catalog, tenant: &Tenant) -> Offline {
    let profiles = tenant.profile.iter().flat_map(|(id, _)| &catalog.profiles[id.at()].closure);
    let grace = profiles.filter_map(|id| catalog.profiles[id.at()].offline_grace).min();
    let strategy = tenant.license.as_ref().map_or(ExpirationStrategy::Maintain, |it| it.strategy);
    Offline::new(strategy, grace.map_or(project.offline_grace, |it| it.min(project.offline_grace)))
}

/// Programs that an override takes away at once: every version, since a device may hold any of them.
fn revoked(catalog: &Catalog, resolution: &Resolution) -> Vec<Revoked> {
    let programs = resolution.excluded.iter().filter(|it| matches!(it.why, Exclusion::Revoked { .. }));
    let versions = programs.flat_map(|it| {
        let program = catalog.program(it.program);
        program.releases.iter().map(|release| Revoked {
            app_id: program.app_id.to_string(),
            code: release.code,
            mode: RevokeMode::Block,
        })
    });
    versions.collect()
}
