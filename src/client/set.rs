//! A set: what a manifest says to one kind of shell, but for when it was said.
//!
//! Its name is the digest of its bytes, so a manifest that was only signed again names the set that is there already.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{ProgramChange, ProgramVersion};
use crate::bucket::Bucket;
use crate::digest::Blake3;
use crate::input::{Branding, Entitlement, Icon, Permission};
use crate::manifest::{File, Manifest, MiniProgram, Offline, PlatformVersion, Release, Revoked, Update, Version};
use crate::time::{Duration, Timestamp, Window};

/// Version of this file's format.
const FORMAT: u32 = 1;

/// What is installed, or is about to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    pub(super) addr: String,
    pub(super) branding: Branding,
    pub(super) entitlements: BTreeMap<String, Entitlement>,
    pub(super) environment: String,
    format: u32,
    pub(super) limits: BTreeMap<String, u64>,
    pub(super) offline: Offline,
    pub(super) platform_code: u32,
    /// Sorted by `app_id`.
    pub(super) programs: Vec<Program>,
    pub(super) revoked: Vec<Revoked>,
}

/// A program of a set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) app_id: String,
    pub(super) description: Option<String>,
    pub(super) name: String,
    pub(super) preload: bool,
    /// The one that fits the shell; none when none does.
    pub(super) release: Option<Chosen>,
    pub(super) short_name: Option<String>,
    pub(super) valid_from: Option<Timestamp>,
    pub(super) valid_until: Option<Timestamp>,
}

/// The release of a program that fits the shell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chosen {
    pub(super) bundle: File,
    pub(super) egress: Vec<String>,
    pub(super) ext: Map<String, Value>,
    pub(super) icons: Vec<Icon>,
    pub(super) name: String,
    pub(super) overlay: Option<File>,
    pub(super) pages: Vec<String>,
    pub(super) platform_version: PlatformVersion,
    pub(super) req_permissions: Vec<Permission>,
    pub(super) update_policy: Update,
    pub(super) version: Version,
    pub(super) window: Map<String, Value>,
}

/// What differs between two sets.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) gained: Vec<ProgramVersion>,
    pub(super) lost: Vec<ProgramVersion>,
    pub(super) changed: Vec<ProgramChange>,
    pub(super) unchanged: Vec<ProgramVersion>,
}

impl Set {
    /// What a manifest says to a device in this bucket, with a shell of this platform code.
    pub(super) fn of(manifest: &Manifest, platform_code: u32, bucket: Bucket) -> Set {
        let programs = manifest.line_up(bucket).into_iter();
        let mut programs: Vec<Program> = programs.map(|program| choose(program, platform_code)).collect();
        programs.sort_by(|a, b| a.app_id.cmp(&b.app_id));
        Set {
            addr: manifest.addr.clone(),
            branding: manifest.branding.clone(),
            entitlements: manifest.entitlements.clone(),
            environment: manifest.environment.clone(),
            format: FORMAT,
            limits: manifest.limits.clone(),
            offline: manifest.offline.clone(),
            platform_code,
            programs,
            revoked: manifest.revoked.clone(),
        }
    }

    /// The bytes of its file, and their digest: its name.
    pub(super) fn to_bytes(&self) -> (Blake3, Vec<u8>) {
        let bytes = serde_json::to_vec(self).expect("a set has only text keys");
        (Blake3::of(&bytes), bytes)
    }

    /// Reads the file of this name back; none when it is damaged, or of another version of this client.
    pub(super) fn parse(id: Blake3, bytes: &[u8]) -> Option<Set> {
        let set: Set = serde_json::from_slice(bytes).ok().filter(|_| Blake3::of(bytes) == id)?;
        (set.format == FORMAT).then_some(set)
    }

    pub(super) fn program(&self, app_id: &str) -> Option<&Program> {
        self.programs.iter().find(|it| it.app_id == app_id)
    }

    /// The archives of its programs, each once.
    pub(super) fn files(&self) -> BTreeMap<Blake3, &File> {
        self.programs.iter().flat_map(Program::files).map(|file| (file.blake3, file)).collect()
    }

    /// How long a device may go on without refreshing. A duration that cannot be read is none.
    pub(super) fn grace(&self) -> Duration {
        Duration::parse(&self.offline.grace).unwrap_or(Duration::days(0))
    }

    /// What is different in a newer set.
    pub(super) fn difference(before: Option<&Set>, after: &Set) -> Difference {
        let mut it = Difference::default();
        for program in &after.programs {
            let old = before.and_then(|set| set.program(&program.app_id));
            match (old.and_then(|it| it.release.as_ref()), &program.release) {
                (None, Some(new)) => it.gained.push(program.version(new)),
                (Some(old), Some(new)) if old == new => it.unchanged.push(program.version(new)),
                (Some(old), Some(new)) => it.changed.push(ProgramChange {
                    app_id: program.app_id.clone(),
                    from: old.version.clone(),
                    to: new.version.clone(),
                    mode: new.update_policy.mode,
                }),
                (Some(old), None) => it.lost.push(program.version(old)),
                (None, None) => {}
            }
        }
        for program in before.into_iter().flat_map(|it| &it.programs) {
            if let (Some(old), None) = (&program.release, after.program(&program.app_id)) {
                it.lost.push(program.version(old));
            }
        }
        it.lost.sort();
        it
    }
}

impl Program {
    pub(super) fn window(&self) -> Window {
        Window { from: self.valid_from, until: self.valid_until }
    }

    /// Its archives: the bundle, then the overlay.
    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.release.iter().flat_map(|it| [&it.bundle].into_iter().chain(&it.overlay))
    }

    fn version(&self, release: &Chosen) -> ProgramVersion {
        let Version { code, name } = release.version.clone();
        ProgramVersion { app_id: self.app_id.clone(), code, version: name }
    }
}

/// Whether a release is for shells of this platform code.
pub(super) fn fits(range: &PlatformVersion, platform_code: u32) -> bool {
    range.min_code <= platform_code && range.max_code.is_none_or(|max| platform_code <= max)
}

/// A program with the one release that fits.
fn choose(program: &MiniProgram<'_>, platform_code: u32) -> Program {
    let release = program.releases.iter().find(|it| fits(&it.platform_version, platform_code));
    let chosen = release.map(|release| chosen(program, release));
    Program {
        app_id: program.app_id.to_string(),
        description: program.description.as_deref().map(str::to_owned),
        name: chosen.as_ref().map_or_else(|| program.name.to_string(), |it| it.name.clone()),
        preload: program.preload,
        release: chosen,
        short_name: program.short_name.as_deref().map(str::to_owned),
        valid_from: program.valid_from,
        valid_until: program.valid_until,
    }
}

fn chosen<'a>(program: &MiniProgram<'a>, release: &Release<'a>) -> Chosen {
    let face = program.face_of(release);
    Chosen {
        bundle: release.bundle.clone(),
        egress: face.egress.into_owned(),
        ext: face.ext.into_owned(),
        icons: face.icons.into_owned(),
        name: face.name.into_owned(),
        overlay: release.overlay.clone(),
        pages: face.pages.into_owned(),
        platform_version: release.platform_version.clone(),
        req_permissions: face.req_permissions.into_owned(),
        update_policy: face.update_policy,
        version: release.version.clone(),
        window: face.window.into_owned(),
    }
}
