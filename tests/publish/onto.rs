//! A compile that goes on from what stores show, in whatever folder it works.

use std::fs;

use tenantry::digest::Sha256;
use tenantry::index::{Archive, Index, Point, keys};
use tenantry::input::Publishers;
use tenantry::publish::head::{HEAD, Head, Kind, Published};
use tenantry::publish::state::index_key;
use tenantry::store::memory::Memory;
use tenantry::store::{Precondition, Store, Upload};

use crate::project::{Files, NOW, Project, read, small, tenant, time};
use crate::watch::Judge;
use crate::world::{Compiled, Publisher, compiled, head, in_memory, shows, spec};

/// A project whose first publication is in a store, and the folder that it came from.
fn published() -> (Project, Memory, Compiled) {
    let (project, store) = (in_memory(small()), Memory::new());
    let first = compiled(&project, "out", NOW, &[]);
    Publisher::new("before", &first, &spec("main", &[])).publish(&store).expect("nothing is in the way");
    (project, store, first)
}

fn public(compiled: &Compiled) -> Files {
    crate::project::public(compiled.files.clone())
}

#[test]
fn a_fresh_checkout_writes_what_is_new_and_publishes_it() {
    let (project, store, first) = published();
    let spec = spec("main", &[]);
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    let made = compiled(&project, "fresh", NOW, &[(&spec, &store)]);
    let addr = first.index.tenants.iter().find(|(_, it)| it.name == "bolt").expect("a tenant").0;
    let written: Vec<String> = public(&made).into_keys().filter(|it| !it.starts_with("root/")).collect();
    assert_eq!(written.len(), 4, "timestamp, snapshot, targets and manifest: {written:?}");
    assert!(written.iter().all(|it| it.contains(addr)), "{written:?}");
    assert_eq!((made.index.publication, made.index.tenants.len()), (2, 3));
    Publisher::new("one", &made, &spec).publish(&store).expect("nothing is in the way");
    assert!(shows(&store, &made, &spec));
    Judge::new(project.root(), time(NOW)).all(&store).expect("a client is content");
}

#[test]
fn it_is_the_compile_that_the_old_folder_would_have_made() {
    let (project, store, _) = published();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.remove("tenants/corn.yaml");
    let onto = compiled(&project, "fresh", NOW, &[(&spec("main", &[]), &store)]);
    let plain = compiled(&project, "out", NOW, &[]);
    assert_eq!(onto.index, plain.index);
    let plain = public(&plain);
    assert!(public(&onto).iter().all(|(key, bytes)| plain.get(key) == Some(bytes)));
}

#[test]
fn the_same_inputs_onto_the_same_publication_give_the_same_bytes_in_any_folder() {
    let (project, store, _) = published();
    let spec = spec("main", &[]);
    // A folder in which somebody has compiled something else, under the number that comes next.
    project.edit("tenants/corn.yaml", "plan: starter", "plan: business");
    compiled(&project, "out", NOW, &[]);
    compiled(&project, "stopped", NOW, &[]);
    project.write("stopped/state/unfinished", "");
    project.edit("tenants/corn.yaml", "plan: business", "plan: starter");
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    let fresh = compiled(&project, "fresh", NOW, &[(&spec, &store)]);
    for folder in ["out", "stopped", "fresh", "another"] {
        let made = compiled(&project, folder, NOW, &[(&spec, &store)]);
        assert_eq!(made.index, fresh.index, "{folder}");
        let (made, fresh) = (public(&made), public(&fresh));
        assert!(fresh.iter().all(|(key, bytes)| made.get(key) == Some(bytes)), "{folder}");
        // What else lies there is what the store holds, byte for byte.
        let held = store.contents();
        let others: Vec<&String> = made.keys().filter(|it| !fresh.contains_key(*it)).collect();
        assert!(others.iter().all(|key| held.get(*key) == made.get(*key)), "{folder}: {others:?}");
        assert_eq!(others.is_empty(), folder != "out", "{folder} keeps what is the same: {others:?}");
    }
}

#[test]
fn a_partial_folder_says_that_it_is_one() {
    let (project, store, _) = published();
    let spec = spec("main", &[]);
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    compiled(&project, "fresh", NOW, &[(&spec, &store)]);
    let refused = project.run(&["verify", "fresh"]).ends_with(5);
    assert_eq!(
        (&*refused.stdout, &*refused.stderr),
        (
            "",
            "error: `fresh` holds only what it adds to store `main`, so nobody can follow it by itself\n\
             help: `tenantry publish` checks every file that it moves; check the whole where shells find it, with `tenantry verify --store main` or `--url`\n"
        )
    );
    // Going on from it alone would make everything anew.
    let before = read(&project.path("fresh"));
    project
        .run(&["compile", "--out", "fresh"])
        .ends_with(6)
        .says("error: the output folder holds only what it adds to `main`; the rest is there")
        .says("help: compile with `--onto main` again, or into another folder with `--out`");
    assert!(read(&project.path("fresh")) == before);
    // A first publication is whole, and is verified like any other.
    let empty = Memory::new();
    compiled(&project, "whole", NOW, &[(&spec, &empty)]);
    project.run(&["verify", "whole"]).ok();
}

#[test]
fn a_tenant_that_a_store_shows_is_signed_again_when_it_is_due_and_not_before() {
    let (project, store, first) = published();
    let spec = spec("main", &[]);
    let versions = |made: &Compiled| -> Vec<(u64, u64)> {
        made.index.tenants.values().map(|it| (it.targets.version, it.timestamp.version)).collect()
    };
    let soon = compiled(&project, "soon", "2026-11-24", &[(&spec, &store)]);
    assert_eq!(versions(&soon), versions(&first));
    let later = compiled(&project, "later", "2026-11-28", &[(&spec, &store)]);
    assert_eq!(versions(&later), [(1, 2); 3], "timestamps alone");
    let report = Publisher::new("one", &later, &spec).at("2026-11-28").publish(&store).expect("nothing is in the way");
    assert_eq!((report.uploaded.objects, report.timestamps), (2, 3), "the index and the timestamps");
    Judge::new(project.root(), time("2026-12-04")).all(&store).expect("a client is content");
}

#[test]
fn what_only_one_of_two_stores_shows_is_made_for_the_other() {
    let (project, store, first) = published();
    let (one, two) = (spec("main", &[]), spec("mirror", &[]));
    let mirror = Memory::new();
    let made = compiled(&project, "fresh", NOW, &[(&one, &store), (&two, &mirror)]);
    for (spec, store) in [(&one, &store), (&two, &mirror)] {
        Publisher::new("one", &made, spec).publish(store).expect("nothing is in the way");
        assert!(shows(store, &made, spec));
        Judge::new(project.root(), time(NOW)).all(store).expect("a client is content");
    }
    assert!(made.index.tenants.values().all(|it| it.targets.version == 2), "all are signed for the mirror");
    let bundles = |it: &Index| it.bundles.clone();
    assert_eq!(bundles(&made.index), bundles(&first.index));
}

/// Another compressor packs the same tree in other bytes. Tenants that are left alone name the bytes that the store
/// has, so those are carried to where they are missing.
#[test]
fn a_bundle_that_a_store_holds_in_other_bytes_is_fetched_and_not_replaced() {
    let project = in_memory(small());
    let (world, europe) = (spec("world", &[]), spec("europe", &["eu"]));
    let mut index = compiled(&project, "out", NOW, &[]).index;
    let theirs = b"the same files, packed by another compressor".to_vec();
    let archive = Archive { sha256: Sha256::of(&theirs), length: theirs.len() as u64 };
    index.bundles.values_mut().for_each(|it| *it = archive);
    let store = Memory::new();
    let put = |key: &str, bytes: &[u8]| {
        store.put(&Upload { key, bytes, precondition: Precondition::Absent }).expect("puts");
    };
    let bytes = index.to_bytes();
    let point = Point { publication: 1, index: Sha256::of(&bytes) };
    put(&index_key(point), &bytes);
    put(&keys::root(1), &project.root());
    let tree = *index.bundles.keys().next().expect("a bundle");
    index.bundles.keys().for_each(|tree| put(&keys::archive(*tree, archive.sha256), &theirs));
    let published = Published {
        publication: 1,
        index: point.index,
        at: time(NOW),
        commit: None,
        by: "before".into(),
        guard: Publishers::Single,
        reason: None,
        kind: Kind::Publish,
        overrides: Vec::new(),
        finished: true,
        timestamps: None,
        receipt: None,
    };
    put(HEAD, &Head::default().commit(published).to_bytes());

    let (path, text) = tenant("europa", "business", "  data_region: eu\n");
    project.write(&path, text);
    let empty = Memory::new();
    let made = compiled(&project, "fresh", NOW, &[(&world, &store), (&europe, &empty)]);
    assert_eq!(made.index.bundles, index.bundles);
    assert_eq!(made.files[&keys::archive(tree, archive.sha256)], theirs);
}

#[test]
fn the_number_comes_from_the_store_and_never_twice() {
    let (project, store, _) = published();
    let spec = spec("main", &[]);
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    let made = compiled(&project, "fresh", NOW, &[(&spec, &store)]);
    let dying = tenantry::store::memory::Faulty::new(&store, |_, verb, key| {
        (verb == "put" && key.starts_with("o/")).then_some(tenantry::store::memory::Fault::DeadBehind)
    });
    Publisher::new("dead", &made, &spec).publish(&dying).expect_err("it dies");
    assert_eq!(head(&store).next_number(), 3);
    assert_eq!(compiled(&project, "again", NOW, &[(&spec, &store)]).index.publication, 3);
}

#[test]
fn a_store_of_another_root_is_not_gone_on_from() {
    let (project, store, _) = published();
    fs::remove_dir_all(project.path("keys")).expect("removes");
    project.run(&["keys", "init"]).ok();
    project.write(
        "tenantry.yaml",
        fs::read_to_string(project.path("tenantry.yaml")).expect("text")
            + "  stores: [{ name: main, directory: public }]\n",
    );
    for (key, bytes) in store.contents() {
        project.write(&format!("public/{key}"), bytes);
    }
    project
        .run(&["compile", "--out", "fresh", "--onto", "main"])
        .ends_with(6)
        .says("error: store `main` belongs to another root");
    assert!(!project.path("fresh").exists());
}
