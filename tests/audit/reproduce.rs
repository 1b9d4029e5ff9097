//! `tenantry verify --reproduce`

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tenantry::digest::Blake3;
use tenantry::index::{Archive, Index, keys};
use tenantry::metadata::Lifetimes;
use tenantry::metadata::keys::{FileKey, Signer};
use tenantry::sign::{self, Publication};
use tenantry::time::Duration;

use crate::project::{ENTITLEMENT_SEED, FRESHNESS_SEED, Ran, tenant};
use crate::world::{GIULIA, MARCO, World};

const NOW: &str = "2026-11-20T00:00:00Z";

impl World {
    fn reproduce(&self, commit: &str, arguments: &[&str]) -> Ran {
        self.project.run_at(NOW, &[&["verify", "--reproduce", commit], arguments].concat())
    }

    fn reproduced(&self, commit: &str) -> Ran {
        self.reproduce(commit, &["--store", "main", "--format", "json"])
    }

    /// The files of the store below a folder whose names end so, sorted.
    fn stored(&self, folder: &str, end: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.project.path("public").join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                match path.is_dir() {
                    true => folders.push(path),
                    false if path.to_string_lossy().ends_with(end) => found.push(path),
                    false => {}
                }
            }
        }
        found.sort();
        found
    }
}

fn equal(count: u64) -> Value {
    json!({ "equal": count, "differs": 0, "unjudged": 0 })
}

/// Which objects differ: kind, tenant.
fn differences(report: &Value) -> Vec<(&str, Option<&str>)> {
    let all = report["differences"].as_array().expect("a list").iter();
    all.map(|it| (it["part"].as_str().expect("text"), it["tenant"].as_str())).collect()
}

#[test]
fn every_publication_is_made_again_to_the_byte_without_any_key() {
    let (world, [first, second, third]) = World::month();
    for key in fs::read_dir(world.project.path("keys")).expect("a folder") {
        let path = key.expect("an entry").path();
        if path.is_file() {
            fs::remove_file(path).expect("removes");
        }
    }
    for (commit, publication, decided_at, from_other_commits) in [
        (&first, 1, "2026-11-01T10:00:00Z", 0),
        // What the refresh of the rollback shows; elm alone was last signed from this commit.
        (&second, 5, "2026-11-05T10:00:00Z", 5),
        (&third, 3, "2026-11-10T10:00:00Z", 3),
    ] {
        let report = world.reproduced(commit).ok().json();
        assert_eq!(report["verdict"], "reproduced", "{report:#}");
        let six = equal(6);
        let parts = json!({
            "tenant": six, "manifest": six, "overlay": six, "targets": six, "snapshot": six, "timestamp": six,
            "bundle": equal(2),
        });
        assert_eq!((&report["parts"], &report["publication"]), (&parts, &json!(publication)), "{report:#}");
        assert_eq!((&report["decided_at"], &report["commit"]), (&json!(decided_at), &json!(commit)));
        assert_eq!(report["from_other_commits"], from_other_commits);
    }
    let text = world.reproduce(&third, &["--store", "main"]).ok().stdout;
    assert!(text.contains("publication 3 of store `main` (publish): commit "), "{text}");
    assert!(text.contains("reproduced: everything is, byte for byte, what the commit gives"), "{text}");
}

#[test]
fn an_object_that_was_tampered_with_is_found_whatever_its_kind() {
    let (world, [_, second, _]) = World::month();
    let index = world.stored("state", ".index.json").into_iter().find(|it| it.to_string_lossy().contains("/5."));
    let index = Index::parse(&fs::read(index.expect("an index")).expect("reads")).expect("an index");
    let (addr, record) = index.tenants.iter().find(|(_, it)| it.name == "elm").expect("a tenant");
    let (overlay, archive) = record.overlays.iter().next().expect("an overlay");
    let bundle = index.bundles.iter().next().expect("a bundle");
    for (part, tenant, key) in [
        ("manifest", Some("elm"), keys::manifest(addr, record.manifest.sha256)),
        ("overlay", Some("elm"), keys::archive(*overlay, archive.sha256)),
        ("bundle", None, keys::archive(*bundle.0, bundle.1.sha256)),
        ("targets", Some("elm"), keys::targets(addr, record.targets.version)),
        ("snapshot", Some("elm"), keys::snapshot(addr, record.snapshot.version)),
        ("timestamp", Some("elm"), keys::timestamp(addr)),
    ] {
        let path = world.project.path("public").join(&key);
        let sound = fs::read(&path).expect("reads");
        let mut tampered = sound.clone();
        let middle = tampered.len() / 2;
        tampered[middle] ^= 1;
        fs::write(&path, tampered).expect("writes");
        let report = world.reproduced(&second).ends_with(5).json();
        assert_eq!((differences(&report), &report["verdict"]), (vec![(part, tenant)], &json!("differs")), "{report:#}");
        assert_eq!(report["differences"][0]["key"], key.as_str());
        assert_eq!(report["unjudged"], json!([]));
        // What is gone is nothing to judge.
        fs::remove_file(&path).expect("removes");
        let report = world.reproduced(&second).ok().json();
        assert_eq!(
            (&report["parts"][part]["unjudged"], &report["verdict"]),
            (&json!(1), &json!("reproduced_in_part")),
            "{report:#}"
        );
        assert_eq!(report["unjudged"][0]["why"], "it is no longer there");
        fs::write(&path, sound).expect("writes");
    }
    world.reproduced(&second).ok();
    let manifest = keys::manifest(addr, record.manifest.sha256);
    fs::write(world.project.path("public").join(&manifest), "{}").expect("writes");
    let ran = world.reproduce(&second, &["--store", "main"]).ends_with(5);
    let line = format!("differs: manifest of `elm`, `{manifest}`: its bytes are not those that the index names\n");
    assert!(ran.stdout.contains(&line), "{}", ran.stdout);
    assert!(ran.stderr.contains("1 object is not as its commit gives it"), "{}", ran.stderr);
}

#[test]
fn a_publication_that_claims_another_commit_is_found() {
    let world = World::new();
    let first = world.head();
    world.project.run_at("2026-11-01T10:00:00Z", &["compile", "--rev", "HEAD"]).ok();
    world.reproduce(&first, &[]).ok().says("reproduced: everything is, byte for byte");
    world.downgrade(&["elm"]);
    let second = world.commit("2026-11-02T08:00:00Z", MARCO, "elm buys less");
    world.reproduce(&second, &["--out", "out"]).ends_with(2).says(&format!("was compiled from commit {first}"));
    let path = world.project.path("out/state/index.json");
    let claim = |commit: &str| {
        let text = fs::read_to_string(&path).expect("reads");
        let mut index: Value = serde_json::from_str(&text).expect("JSON");
        index["commit"] = json!(commit);
        fs::write(&path, index.to_string()).expect("writes");
    };
    claim(&second);
    let report = world.reproduce(&second, &["--format", "json"]).ends_with(5).json();
    assert!(differences(&report).contains(&("tenant", Some("elm"))), "{report:#}");
    assert_eq!(report["parts"]["tenant"], json!({ "equal": 5, "differs": 1, "unjudged": 0 }));
    // Signed with the right keys, and made from what nobody has committed.
    world.project.edit("tenants/fir.yaml", "plan: business", "plan: starter");
    world.project.run_at("2026-11-02T10:00:00Z", &["compile"]).ok();
    claim(&second);
    let report = world.reproduce(&second, &["--format", "json"]).ends_with(5).json();
    assert!(differences(&report).contains(&("tenant", Some("fir"))), "{report:#}");
    // A tenant that the commit has, and the publication has not.
    world.git("2026-11-03T08:00:00Z", GIULIA, &["checkout", "--quiet", "--", "tenants/fir.yaml"]);
    let (path, text) = tenant("gum", "starter", "");
    world.project.write(&path, text);
    let third = world.commit("2026-11-03T08:00:00Z", MARCO, "gum comes");
    world.project.remove("tenants/gum.yaml");
    world.project.run_at("2026-11-03T10:00:00Z", &["compile"]).ok();
    claim(&third);
    let report = world.reproduce(&third, &["--format", "json"]).ends_with(5).json();
    let absent = report["differences"].as_array().expect("a list").iter().find(|it| it["key"] == "gum");
    assert_eq!(absent.expect("named")["why"], "the commit has it, and the publication has not");
}

#[test]
fn who_came_after_the_publication_that_a_rollback_goes_back_to_keeps_what_a_later_commit_gave() {
    let world = World::new();
    let first = world.head();
    world.compile("2026-11-01T10:00:00Z");
    world.publish("2026-11-01T10:10:00Z", &[]).ok();
    let (path, text) = tenant("gum", "business", "");
    world.project.write(&path, text);
    world.downgrade(&["elm"]);
    world.commit("2026-11-02T09:00:00Z", MARCO, "gum comes, elm buys less");
    world.compile("2026-11-02T10:00:00Z");
    world.publish("2026-11-02T10:10:00Z", &[]).ok();
    world.project.run_at("2026-11-03T10:00:00Z", &["rollback", "--to", "1", "--reason", "elm objects"]).ok();
    let report = world.reproduced(&first).ok().json();
    assert_eq!((&report["publication"], &report["verdict"]), (&json!(3), &json!("reproduced")), "{report:#}");
    assert_eq!((&report["parts"]["tenant"], &report["from_other_commits"]), (&equal(7), &json!(1)));
}

/// Signs a tenant of `out/` once more, from a manifest that another compiler is said to have made.
fn signed_by_another_compiler(world: &World, name: &str) {
    let mut index = world.project.index();
    let addr = world.project.addr(name);
    let record = index.tenants.get_mut(&addr).expect("a tenant");
    let out = world.project.path("out");
    let manifest = fs::read_to_string(out.join(keys::manifest(&addr, record.manifest.sha256))).expect("reads");
    let compiler = index.compiler.clone();
    assert!(manifest.contains(&compiler));
    let key = |seed| vec![Box::new(FileKey::from_seed(seed)) as Box<dyn Signer>];
    let publication = Publication {
        addr: &addr,
        environment: &index.environment,
        number: record.targets.version,
        now: record.targets.issued,
        lifetimes: Lifetimes {
            entitlement: record.targets.issued.until(record.targets.expires),
            freshness: Duration::days(7),
        },
    };
    let bundles = record.bundles.iter().map(|tree| (*tree, index.bundles[tree]));
    let archives: Vec<(Blake3, Archive)> =
        bundles.chain(record.overlays.iter().map(|(tree, it)| (*tree, *it))).collect();
    let manifest = manifest.replace(&compiler, "tenantry 0.0.9").into_bytes();
    let signed =
        sign::tenant(&key(ENTITLEMENT_SEED), &key(FRESHNESS_SEED), &publication, manifest, archives.into_iter());
    let signed = signed.expect("keys in memory sign");
    (record.manifest, record.targets) = (signed.archive, signed.targets.record);
    (record.snapshot, record.timestamp) = (signed.snapshot.record, signed.timestamp.record);
    let (objects, timestamp) = signed.files(&addr);
    for (key, bytes) in objects.into_iter().chain([(keys::timestamp(&addr), timestamp)]) {
        fs::write(out.join(key), bytes).expect("writes");
    }
    fs::write(out.join("state/index.json"), index.to_bytes()).expect("writes");
}

#[test]
fn another_compiler_is_named_as_the_likely_cause() {
    let world = World::new();
    world.project.run_at("2026-11-01T10:00:00Z", &["compile", "--rev", "HEAD"]).ok();
    signed_by_another_compiler(&world, "elm");
    let report = world.reproduce("HEAD", &["--format", "json"]).ends_with(5).json();
    assert_eq!(differences(&report), [("manifest", Some("elm"))], "{report:#}");
    let why = report["differences"][0]["why"].as_str().expect("text");
    assert!(why.starts_with("it says something else under `source`; `tenantry 0.0.9` made it"), "{why}");
    assert!(why.ends_with("that is the likely cause"), "{why}");
    assert_eq!(report["other_compilers"], json!({ "tenantry 0.0.9": 1 }));
    world.reproduce("HEAD", &[]).ends_with(5).says("1 manifest made by `tenantry 0.0.9`, and this is `tenantry ");
}

#[test]
fn what_cannot_be_made_again_is_no_success() {
    let (world, [first, ..]) = World::month();
    world.downgrade(&["fir"]);
    let unpublished = world.commit("2026-11-18T09:00:00Z", MARCO, "fir buys less");
    world.reproduced(&unpublished).ends_with(2).says("no publication that it remembers was of commit");
    world
        .reproduced("0123456789012345678901234567890123456789")
        .ends_with(2)
        .says("is not a commit in this repository");
    let index = world.stored("state", ".index.json").into_iter().find(|it| it.to_string_lossy().contains("/1."));
    fs::remove_file(index.expect("an index")).expect("removes");
    world.reproduced(&first).ends_with(3).says("its index is gone").says("`tenantry gc` has taken it");
    // Signed by keys that no root names.
    let root = world.project.path("keys/root/1.root.json");
    fs::write(root, "{}").expect("writes");
    world.reproduced("HEAD~1").ends_with(5).says("the trusted root is not valid");
}

#[test]
fn what_fills_a_budget_is_made_again_too() {
    let world = World::new();
    world.project.edit("catalog/plans/business.yaml", "com.example.chat\n", "com.example.chat\n      optional: true\n");
    world.project.edit("tenantry.yaml", "spec:\n", "spec:\n  first_start: { max_bytes: 60000, preload: fill }\n");
    let commit = world.commit("2026-11-02T08:00:00Z", MARCO, "A budget");
    world.project.run_at(NOW, &["compile", "--rev", "HEAD"]).ok();
    let (_, manifest) = world.project.public().into_iter().find(|it| it.0.ends_with(".manifest.json")).expect("one");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["mini_programs"][0]["preload"], true, "{manifest:#}");
    world.reproduce(&commit, &["--out", "out"]).ok().says("reproduced: everything is, byte for byte");
}
