//! A publication that someone has meddled with: `verify` refuses it and names the file.
#![expect(clippy::disallowed_methods, reason = "tests meddle with files")]

use std::fs;

use project::{
    ADDRESS_SECRET, ENTITLEMENT_SEED, FRESHNESS_SEED, Files, NOW, Project, ROOT_SEEDS, fixed_root, public, time,
    write_fixed_keys,
};
use tenantry::load;
use tenantry::metadata::keys::{FileKey, Signer};
use tenantry::metadata::{Mark, MetaFile, Role, Root, Snapshot, Targets, TimestampRole, envelope, open};
use tenantry::pipeline::compile::{CompileError, Job, compile};
use tenantry::sign::keystore::KeyFolder;
use tenantry::sign::{AddressSecret, Signers, sign};
use tenantry::write::OutDir;

#[path = "support/project.rs"]
mod project;

/// A publication with two roots, in which every signature is needed.
fn published() -> Project {
    let project = Project::small();
    project.run(&["keys", "rotate", "root", "--renew"]).ok().says("root 2 is signed");
    project.compile();
    assert_eq!(project.verify_at(NOW).findings, []);
    project
}

#[track_caller]
fn names(project: &Project, key: &str) {
    let findings = project.verify_at(NOW).findings;
    assert!(findings.iter().any(|it| it.key == key), "`{key}` is not among {findings:#?}");
}

/// The same from outside: code 5, and the file is named.
#[track_caller]
fn refuses(project: &Project, key: &str, problem: &str) {
    names(project, key);
    project.run(&["verify", "out", "--root", "keys/root/1.root.json"]).ends_with(5).says(key).says(problem);
}

/// Does something to each public file in turn.
fn with_each(project: &Project, meddle: impl Fn(&Project, &str, &[u8])) {
    for (key, bytes) in project.public() {
        meddle(project, &format!("out/{key}"), &bytes);
        names(project, &key);
        project.write(&format!("out/{key}"), &bytes);
    }
    assert_eq!(project.verify_at(NOW).findings, [], "everything was put back");
}

#[test]
fn a_flipped_byte_is_found_wherever_it_is() {
    for eighth in 0..8 {
        with_each(&published(), |project, path, bytes| {
            let mut bytes = bytes.to_vec();
            let at = (bytes.len() - 1) * eighth / 7;
            bytes[at] ^= 1;
            project.write(path, bytes);
        });
    }
}

#[test]
fn a_truncated_file_is_found() {
    with_each(&published(), |project, path, bytes| project.write(path, &bytes[..bytes.len() / 2]));
    with_each(&published(), |project, path, _| project.write(path, ""));
}

#[test]
fn a_missing_file_is_found() {
    let project = Project::small();
    project.compile();
    with_each(&project, |project, path, _| project.remove(path));
}

/// Nobody can tell a chain without its last root from one that never had it; that root's life bounds the harm.
#[test]
fn a_missing_newest_root_shows_when_the_one_before_expires() {
    let project = published();
    project.remove("out/root/2.root.json");
    assert_eq!(project.verify_at(NOW).findings, []);
    let after = project.verify_at("2027-11-23T00:00:00Z").findings;
    assert!(after.iter().any(|it| it.key == "root/1.root.json" && it.problem.contains("expired")), "{after:#?}");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_a_file_is_found() {
    let project = Project::small();
    project.compile();
    with_each(&project, |project, path, bytes| {
        project.write("elsewhere", bytes);
        project.remove(path);
        std::os::unix::fs::symlink(project.path("elsewhere"), project.path(path)).expect("links");
        // Putting the file back must not write through the link.
        names(project, path.strip_prefix("out/").expect("a path below `out/`"));
        project.remove(path);
    });
}

#[test]
fn a_stray_file_is_found() {
    for key in ["index.html", "o/extra", "root/3.root.json.bak", "root/9.root.json"] {
        let project = published();
        project.write(&format!("out/{key}"), "more");
        names(&project, key);
    }
    let project = published();
    project.write("out/o/extra", "more");
    refuses(&project, "o/extra", "nothing refers to it");
}

#[test]
fn one_tenants_files_are_not_taken_for_anothers() {
    let project = published();
    let (acme, bolt) = (project.addr("acme"), project.addr("bolt"));
    let files = project.public();
    for (key, bytes) in &files {
        if let Some(name) = key.strip_prefix(&format!("t/{acme}/")) {
            project.write(&format!("out/t/{bolt}/{name}"), bytes);
        }
    }
    refuses(&project, &format!("t/{bolt}/timestamp.json"), "another tenant");
}

/// Whoever has the freshness key alone can name another tenant's snapshot, but not make it this tenant's.
#[test]
fn one_tenants_snapshot_is_not_taken_for_anothers_with_a_stolen_freshness_key() {
    let project = published();
    let (acme, bolt) = (project.addr("acme"), project.addr("bolt"));
    let files = project.public();
    let snapshot = &files[&format!("t/{acme}/1.snapshot.json")];
    for name in ["1.snapshot.json", "1.targets.json"] {
        project.write(&format!("out/t/{bolt}/{name}"), &files[&format!("t/{acme}/{name}")]);
    }
    let mut timestamp = opened::<TimestampRole>(&files, &format!("t/{bolt}/timestamp.json"));
    timestamp.meta.insert("snapshot.json".into(), MetaFile::of(snapshot, 1));
    project.write(&format!("out/t/{bolt}/timestamp.json"), signed(timestamp, FRESHNESS_SEED));
    refuses(&project, &format!("t/{bolt}/1.snapshot.json"), "another tenant");
}

#[test]
fn an_old_snapshot_is_not_taken_for_the_one_that_the_timestamp_names() {
    let project = published();
    let addr = project.addr("acme");
    let old = project.public()[&format!("t/{addr}/1.snapshot.json")].clone();
    project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    project.compile();
    project.write(&format!("out/t/{addr}/2.snapshot.json"), old);
    refuses(&project, &format!("t/{addr}/2.snapshot.json"), "");
}

/// Who signs a role, and what is changed in it first.
type Forged<T> = ([u8; 32], Box<dyn Fn(&mut T)>);

/// How one tenant's chain of metadata is made anew: who signs, and what the files say of themselves.
struct Forgery {
    targets: Forged<Targets>,
    snapshot: Forged<Snapshot>,
    timestamp: Forged<TimestampRole>,
}

impl Default for Forgery {
    /// Nothing forged.
    fn default() -> Forgery {
        Forgery {
            targets: (ENTITLEMENT_SEED, Box::new(|_| ())),
            snapshot: (ENTITLEMENT_SEED, Box::new(|_| ())),
            timestamp: (FRESHNESS_SEED, Box::new(|_| ())),
        }
    }
}

impl Forgery {
    fn apply(&self, project: &Project, addr: &str) {
        let files = public(project.out());
        let key = |name: &str| format!("t/{addr}/{name}");
        let mut targets: Targets = opened(&files, &key("1.targets.json"));
        self.targets.1(&mut targets);
        let targets = signed(targets, self.targets.0);
        let mut snapshot: Snapshot = opened(&files, &key("1.snapshot.json"));
        snapshot.meta.insert("targets.json".into(), MetaFile::of(&targets, 1));
        self.snapshot.1(&mut snapshot);
        let snapshot = signed(snapshot, self.snapshot.0);
        let mut timestamp: TimestampRole = opened(&files, &key("timestamp.json"));
        timestamp.meta.insert("snapshot.json".into(), MetaFile::of(&snapshot, 1));
        self.timestamp.1(&mut timestamp);
        let timestamp = signed(timestamp, self.timestamp.0);
        for (name, bytes) in [("1.targets.json", targets), ("1.snapshot.json", snapshot), ("timestamp.json", timestamp)]
        {
            project.write(&format!("out/{}", key(name)), bytes);
        }
    }
}

fn opened<T: Role>(files: &Files, key: &str) -> T {
    open(&files[key]).expect("our own file").role
}

fn signed<T: Role>(role: T, seed: [u8; 32]) -> Vec<u8> {
    sign(role, &[&FileKey::from_seed(seed) as &dyn Signer]).expect("a key in memory signs").bytes
}

/// Every file by every key that may not sign it, with all that names it made anew; and each mark.
#[test]
fn a_forged_file_is_found() {
    let stranger = [99; 32];
    let mark = |addr: &str, environment: &str| Mark { addr: addr.into(), environment: environment.into() };
    let project = published();
    let addr = project.addr("acme");
    let (other, here) = (mark(&project.addr("bolt"), "production"), mark(&addr, "development"));
    let mut forgeries: Vec<(&str, Forgery)> = Vec::new();
    for seed in [FRESHNESS_SEED, ROOT_SEEDS[0], stranger] {
        let fair = Forgery::default;
        forgeries.push(("1.targets.json", Forgery { targets: (seed, Box::new(|_| ())), ..fair() }));
        forgeries.push(("1.snapshot.json", Forgery { snapshot: (seed, Box::new(|_| ())), ..fair() }));
        let not_fresh = if seed == FRESHNESS_SEED { ENTITLEMENT_SEED } else { seed };
        forgeries.push(("timestamp.json", Forgery { timestamp: (not_fresh, Box::new(|_| ())), ..fair() }));
    }
    for wrong in [other, here] {
        let (a, b, c) = (wrong.clone(), wrong.clone(), wrong);
        let fair = Forgery::default;
        forgeries.push((
            "1.targets.json",
            Forgery { targets: (ENTITLEMENT_SEED, Box::new(move |it| it.tenantry = a.clone())), ..fair() },
        ));
        forgeries.push((
            "1.snapshot.json",
            Forgery { snapshot: (ENTITLEMENT_SEED, Box::new(move |it| it.tenantry = b.clone())), ..fair() },
        ));
        forgeries.push((
            "timestamp.json",
            Forgery { timestamp: (FRESHNESS_SEED, Box::new(move |it| it.tenantry = c.clone())), ..fair() },
        ));
    }
    let over = time(NOW);
    let fair = Forgery::default;
    forgeries.push((
        "1.targets.json",
        Forgery { targets: (ENTITLEMENT_SEED, Box::new(move |it| it.expires = over)), ..fair() },
    ));
    forgeries.push((
        "1.snapshot.json",
        Forgery { snapshot: (ENTITLEMENT_SEED, Box::new(move |it| it.expires = over)), ..fair() },
    ));
    forgeries.push((
        "timestamp.json",
        Forgery { timestamp: (FRESHNESS_SEED, Box::new(move |it| it.expires = over)), ..fair() },
    ));
    forgeries
        .push(("1.targets.json", Forgery { targets: (ENTITLEMENT_SEED, Box::new(|it| it.version = 2)), ..fair() }));
    forgeries
        .push(("1.targets.json", Forgery { targets: (ENTITLEMENT_SEED, Box::new(|it| it.targets.clear())), ..fair() }));
    forgeries
        .push(("1.snapshot.json", Forgery { snapshot: (ENTITLEMENT_SEED, Box::new(|it| it.meta.clear())), ..fair() }));

    let files = project.public();
    Forgery::default().apply(&project, &addr);
    assert_eq!(project.public(), files, "without a change the forger's tools make the same bytes");
    for (name, forgery) in forgeries {
        forgery.apply(&project, &addr);
        names(&project, &format!("t/{addr}/{name}"));
        files.iter().for_each(|(key, bytes)| project.write(&format!("out/{key}"), bytes));
    }
    Forgery { timestamp: ([99; 32], Box::new(|_| ())), ..Forgery::default() }.apply(&project, &addr);
    refuses(&project, &format!("t/{addr}/timestamp.json"), "0 of 1 `timestamp` keys");
}

/// A whole publication by the right keys of the wrong environment, and by each other's keys.
#[test]
fn a_publication_of_another_environment_is_refused() {
    let of = |entitlement: [u8; 32], freshness: [u8; 32], environment: &str| Signers {
        entitlement: vec![Box::new(FileKey::from_seed(entitlement))],
        freshness: vec![Box::new(FileKey::from_seed(freshness))],
        environment: environment.into(),
        addresses: AddressSecret::new(ADDRESS_SECRET),
    };
    for signers in
        [of(ENTITLEMENT_SEED, FRESHNESS_SEED, "development"), of(FRESHNESS_SEED, ENTITLEMENT_SEED, "production")]
    {
        let project = Project::small();
        let tree = load::dir::read(&project.path(""), 1).expect("reads");
        let roots = KeyFolder::new(project.path("keys")).chain().expect("a chain");
        let out = OutDir::open(&project.path("out")).expect("opens");
        let job = Job {
            tree: &tree,
            now: time(NOW),
            roots: &roots,
            out: &out,
            onto: None,
            threads: 1,
            progress: &|_, _, _| (),
        };
        compile::<CompileError>(&job, |_| Ok(signers)).expect("compiles");
        drop(out);
        refuses(&project, &format!("t/{}/timestamp.json", project.addr("acme")), "");
    }
}

#[test]
fn a_production_publication_does_not_verify_from_a_development_root_of_the_same_keys() {
    let project = published();
    write_fixed_keys(&project.path("development"), "development");
    let report = project.run(&["verify", "out", "--root", "development/root/1.root.json", "--format", "json"]);
    let findings = report.ends_with(5).json()["findings"].to_string();
    assert!(findings.contains("root/1.root.json") && findings.contains("timestamp.json"), "{findings}");
}

#[test]
fn a_foreign_name_inside_an_overlay_is_found() {
    let project = Project::small();
    // Only the rendered file says it, neither the manifest nor anybody else's overlay.
    project.edit(
        "catalog/programs/notes/templates/config.j2",
        "{{ tenant.name }}",
        "{{ 't_' ~ 'bolt' if tenant.name == 'acme' else '' }}",
    );
    project.compile();
    let overlay = project.own("acme").into_iter().find(|it| it.starts_with("o/") && !it.ends_with(".json"));
    refuses(&project, &overlay.expect("an overlay"), "`t_bolt`");
}

#[test]
fn a_root_with_too_few_signatures_is_refused() {
    let project = published();
    let strip = |bytes: &[u8]| {
        let opened = open::<Root>(bytes).expect("a root");
        envelope(&opened.signed, &opened.signatures[1..])
    };
    let second = project.public()["root/2.root.json"].clone();
    project.write("out/root/2.root.json", strip(&second));
    refuses(&project, "root/2.root.json", "1 of 2");
    project.write("out/root/2.root.json", second);

    project.write("pinned.json", strip(&project.root()));
    project.run(&["verify", "out", "--root", "pinned.json"]).ends_with(5).says("the trusted root is not valid");
}

/// The keys of the chain may not be swapped by a root that only its own keys have signed.
#[test]
fn a_root_that_the_one_before_has_not_signed_is_refused() {
    let project = published();
    let keys = [[7; 32], [8; 32]].map(FileKey::from_seed);
    let mut root = fixed_root("production");
    root.version = 2;
    root.keys.extend(keys.iter().map(|it| (it.key_id(), it.public_key().clone())));
    let role = root.roles.get_mut(&tenantry::metadata::RoleName::Root).expect("a role");
    role.keyids = tenantry::sign::roots::sorted(keys.iter().map(|it| it.key_id()));
    let signers: Vec<&dyn Signer> = keys.iter().map(|it| it as &dyn Signer).collect();
    project.write("out/root/2.root.json", sign(root, &signers).expect("signs").bytes);
    refuses(&project, "root/2.root.json", "");
}

#[test]
fn an_empty_folder_is_no_publication() {
    let project = published();
    fs::create_dir(project.path("empty")).expect("makes a folder");
    project.run(&["verify", "empty", "--root", "keys/root/1.root.json"]).ends_with(5);
}
