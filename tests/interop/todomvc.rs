//! A catalogue that we did not write: its mini-programs are the apps of TodoMVC, as the npm package carries them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use tenantry::index::keys;
use walkdir::{DirEntry, WalkDir};
use zip::ZipArchive;

use crate::clients::{self, Followed, follow, index, published};
use crate::http::Cdn;
use crate::parts;
use crate::site::{Site, copy};

const TENANTS: usize = 1000;

/// Plans, and as many add-ons, share the apps between them.
const PLANS: usize = 4;

#[test]
fn sixty_two_foreign_apps_reach_a_thousand_tenants() {
    let examples = parts::folder().join("todomvc/package/examples");
    if !parts::present_or_demanded("npm package `todomvc`", examples.is_dir()) {
        return;
    }
    let site = Site::new();
    let apps = catalogue(&site, &examples);
    assert_eq!(apps.len(), 62, "apps in the package");
    tenants(&site, &apps);

    // An instant of the past: the clock must not decide between the two.
    let at = ["compile", "--at", "2026-11-01"];
    let [alone, together] = ["alone", "together"].map(|folder| site.project().join("..").join(folder));
    site.tenantry(&[&at[..], &["--jobs", "1", "--out", &alone.display().to_string()]].concat());
    site.tenantry(&[&at[..], &["--jobs", "2", "--out", &together.display().to_string()]].concat());
    assert!(files(&alone) == files(&together), "the number of threads shows in what is written");

    site.tenantry(&["compile"]);
    site.tenantry(&["verify", &site.out().display().to_string()]);
    let folders: BTreeSet<Files> = apps.iter().map(|it| files(&site.project().join(package(it)))).collect();
    assert!(bundles(&site) == folders, "what is unpacked is not what was packed");

    let Some(client) = clients::python_tuf() else { return };
    let everybody = published(&site);
    assert_eq!(everybody.len(), TENANTS);
    let some: Vec<Followed> = everybody.into_iter().step_by(TENANTS / 25).collect();
    let addrs: Vec<&str> = some.iter().map(|it| it.addr.as_str()).collect();
    let cdn = Cdn::serve(&site.out());
    let state = tempfile::tempdir().expect("a folder for the test");
    assert_eq!(follow(&client, &cdn.base_url(), &site.first_root(), state.path(), &addrs), Ok(some));
}

/// Every app with a start page becomes a mini-program; its folder is its package, as it is.
fn catalogue(site: &Site, examples: &Path) -> Vec<String> {
    let entries = fs::read_dir(examples).expect("the package was unpacked");
    let mut folders: Vec<_> = entries.map(|it| it.expect("the package is readable").path()).collect();
    folders.retain(|it| it.join("index.html").is_file());
    folders.sort();
    let mut apps = Vec::new();
    for folder in folders {
        let name = folder.file_name().expect("a folder has a name").to_string_lossy();
        let app_id = format!("org.todomvc.{}", name.replace('_', "-"));
        copy(&folder, &site.project().join(package(&app_id)));
        site.write(&format!("catalog/programs/{app_id}/template.j2"), "{{ ext | tojson }}\n");
        site.write(&format!("catalog/programs/{app_id}/program.yaml"), &program(&app_id));
        apps.push(app_id);
    }
    site.write("tenantry.yaml", &document("Project", "todomvc", "spec: {}"));
    site.write("catalog/shell.yaml", &document("Shell", "web", "spec:\n  platform_codes: [1, 2]"));
    for shelf in 0..2 * PLANS {
        let mut spec = format!("spec:\n  lookup_key: shelf-{shelf}\n  mini_programs:\n");
        for app_id in apps.iter().skip(shelf).step_by(2 * PLANS) {
            writeln!(spec, "    - app_id: {app_id}").expect("text takes text");
        }
        let kind = if shelf < PLANS { "Plan" } else { "AddOn" };
        site.write(&format!("catalog/shelf-{shelf}.yaml"), &document(kind, &format!("shelf-{shelf}"), &spec));
    }
    apps
}

/// The folder of an app in the project.
fn package(app_id: &str) -> String {
    format!("catalog/programs/{app_id}/app")
}

fn program(app_id: &str) -> String {
    let spec = format!(
        "spec:
  app_id: {app_id}
  name: {app_id}
  version: {{ code: 1, name: 1.0.0 }}
  platform_version: {{ min_code: 1, target_code: 2 }}
  pages: [index.html]
  review: {{ status: online }}
  package: {{ path: app }}
  ext_schema: {{ type: object, additionalProperties: false, properties: {{ greeting: {{ type: string }} }} }}
  ext: {{ greeting: hello }}
  templates:
    - {{ src: template.j2, path: tenantry-settings.json }}"
    );
    document("MiniProgram", &app_id.replace('.', "-"), &spec)
}

/// A thousand tenants: every plan with every set of add-ons, and each greets in its own words.
fn tenants(site: &Site, apps: &[String]) {
    for tenant in 0..TENANTS {
        let (plan, sets) = (tenant % PLANS, tenant / PLANS);
        let add_ons: Vec<String> =
            (0..PLANS).filter(|it| sets >> it & 1 == 1).map(|it| format!("shelf-{}", PLANS + it)).collect();
        let spec = format!(
            "spec:
  tenant_id: t_{tenant:04}
  plan: shelf-{plan}
  add_ons: [{}]
  branding: {{ name: Tenant {tenant} }}
  ext: {{ {}: {{ greeting: hello {tenant} }} }}",
            add_ons.join(", "),
            apps[plan],
        );
        let name = format!("tenant-{tenant:04}");
        site.write(&format!("tenants/{:02}/{name}.yaml", tenant % 100), &document("Tenant", &name, &spec));
    }
}

fn document(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: tenantry.dev/v1\nkind: {kind}\nmetadata:\n  name: {name}\n{spec}\n")
}

/// Files by their paths.
type Files = BTreeMap<String, Vec<u8>>;

/// Every file below a folder but hidden ones: those do not ship.
fn files(folder: &Path) -> Files {
    let is_seen = |it: &DirEntry| !it.file_name().as_encoded_bytes().starts_with(b".");
    let entries = WalkDir::new(folder).into_iter().filter_entry(is_seen).map(|it| it.expect("the folder is readable"));
    let files = entries.filter(|it| it.file_type().is_file());
    let path = |it: &Path| it.strip_prefix(folder).expect("a walk stays below its start").display().to_string();
    files.map(|it| (path(it.path()), fs::read(it.path()).expect("the folder is readable"))).collect()
}

/// What is in every bundle that was published.
fn bundles(site: &Site) -> BTreeSet<Files> {
    let index = index(site);
    let archives = index.bundles.iter().map(|(tree, it)| site.out().join(keys::archive(*tree, it.sha256)));
    let unpack = |path: PathBuf| {
        let file = fs::File::open(path).expect("the index names what is there");
        let mut archive = ZipArchive::new(file).expect("a bundle is a ZIP");
        let mut files = Files::new();
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).expect("the entry is there");
            let name = entry.name().expect("paths are UTF-8").into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("the entry is sound");
            files.insert(name, bytes);
        }
        files
    };
    archives.map(unpack).collect()
}
