//! What a store holds, and what a CDN gives: found sound, or not and why.

use std::fs;

use tenantry::index::keys;
use tenantry::pipeline::verify::{self, Depth, Report, StoreCheck, Strays};
use tenantry::publish::Tools;
use tenantry::publish::head::HEAD;
use tenantry::store::memory::Memory;
use tenantry::store::{
    Cache, ETag, Fetched, Listed, Patience, Precondition, Served, Store, StoreError, Upload, content_type,
};

use crate::command::project;
use crate::http::{Cdn, Fault};
use crate::project::{NOW, Project, small, time};
use crate::refresh::{index, published};
use crate::rollback::three_publications;

fn check(project: &Project, store: &dyn Store, at: &str, depth: Depth) -> (Report, Strays) {
    let tools = Tools { store, patience: Patience::NONE, at_once: 1, progress: &|_| () };
    let root = project.root();
    verify::store(&StoreCheck { tools, trusted_root: &root, now: time(at), depth }).expect("the store can be read")
}

/// What is found, as lines.
#[track_caller]
fn found(project: &Project, store: &dyn Store, depth: Depth) -> Vec<String> {
    let (report, _) = check(project, store, NOW, depth);
    report.findings.into_iter().map(|it| format!("{}: {}", it.key, it.problem)).collect()
}

fn put(store: &Memory, key: &str, bytes: &[u8]) {
    store.put(&Upload { key, bytes, precondition: Precondition::None }).expect("memory");
}

#[test]
fn a_store_full_of_earlier_publications_is_sound() {
    let (project, store) = three_publications();
    put(&store, "t/readme.txt", b"somebody's own");
    let (shallow, _) = check(&project, &store, "2026-11-25", Depth::Metadata);
    assert_eq!((shallow.tenants, shallow.findings), (3, vec![]));
    let (deep, strays) = check(&project, &store, "2026-11-25", Depth::Everything);
    assert_eq!((deep.tenants, deep.entitlements, deep.findings), (3, 3, vec![]));
    assert_eq!((strays.publication, strays.foreign.objects), (Some(3), 1));
    assert!(strays.unreferenced.objects > 10, "{strays:?}");
    let public = store.contents().into_keys().filter(|it| !it.starts_with("state/")).count();
    assert_eq!(deep.files, public, "every public object was looked at");
}

#[test]
fn whatever_is_damaged_is_found_and_named() {
    let (project, store) = published(small());
    let bolt = index(&store).tenants.into_iter().find(|(_, it)| it.name == "bolt").expect("a tenant");
    let (addr, record) = (&bolt.0, &bolt.1);
    let bundle = index(&store).bundles.iter().map(|(tree, it)| keys::archive(*tree, it.sha256)).next().expect("one");
    let targets = keys::targets(addr, record.targets.version);
    let damaged = |change: &dyn Fn(&Memory)| {
        let fork = store.fork();
        change(&fork);
        [Depth::Metadata, Depth::Everything].map(|depth| found(&project, &fork, depth))
    };
    let gone = damaged(&|it| it.delete(std::slice::from_ref(&bundle)).expect("memory"));
    assert_eq!(gone, [1, 2].map(|_| vec![format!("{bundle}: it is missing")]));
    let [shallow, deep] = damaged(&|it| {
        let mut bytes = it.contents()[&bundle].clone();
        bytes[40] ^= 1;
        put(it, &bundle, &bytes);
    });
    assert_eq!(shallow, [""; 0], "only who looks at every byte can know");
    assert_eq!(deep, [format!("{bundle}: its bytes are not those that were signed for")]);
    let cut = damaged(&|it| put(it, &bundle, &it.contents()[&bundle][1..]));
    assert!(cut.iter().all(|it| it.len() == 1 && it[0].contains("bytes, signed metadata says")), "{cut:?}");
    let changed = damaged(&|it| put(it, &targets, b"{}"));
    assert!(changed.iter().all(|it| it.len() == 1 && it[0].starts_with(&targets)), "{changed:?}");
    let [_, stranger] = damaged(&|it| put(it, "root/7.root.json", b"{}"));
    assert_eq!(stranger, ["root/7.root.json: it does not belong to the chain of roots"]);
    let next = damaged(&|it| put(it, "root/2.root.json", b"{}"));
    assert!(next.iter().all(|it| it.iter().any(|it| it.starts_with("root/2.root.json: "))), "{next:?}");
}

#[test]
fn objects_that_nobody_needs_are_held_to_their_names() {
    let (project, store) = three_publications();
    let bolt = index(&store).tenants.into_iter().find(|(_, it)| it.name == "bolt").expect("a tenant").0;
    let old = keys::targets(&bolt, 1);
    let manifest = store.contents().into_keys().find(|it| it.starts_with("o/") && it.contains(&bolt)).expect("one");
    put(&store, &old, &store.contents()[&keys::targets(&bolt, 2)]);
    let wrong = format!("o/{}.{}", "0".repeat(64), "1".repeat(64));
    put(&store, &wrong, b"something else");
    assert!(store.contents().contains_key(&manifest));
    let (report, _) = check(&project, &store, "2026-11-25", Depth::Everything);
    let found: Vec<_> = report.findings.iter().map(|it| (it.key.as_str(), it.problem.as_str())).collect();
    assert_eq!(
        found,
        [(wrong.as_str(), "its bytes are not those that its name says"), (old.as_str(), "it is version 2")]
    );
    assert_eq!(check(&project, &store, "2026-11-25", Depth::Metadata).0.findings, vec![]);
}

/// Somebody has put an older timestamp back. It is signed and has not expired, so a cold client cannot know; the
/// store's own index does.
#[test]
fn a_timestamp_that_was_put_back_is_found() {
    let (project, store) = published(small());
    let bolt = index(&store).tenants.into_iter().find(|(_, it)| it.name == "bolt").expect("a tenant").0;
    let old = store.contents()[&keys::timestamp(&bolt)].clone();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    crate::refresh::publish(&project, &store, NOW);
    put(&store, &keys::timestamp(&bolt), &old);
    let expected = format!("{}: it is not the one that publication 2 has put there", keys::timestamp(&bolt));
    assert_eq!(found(&project, &store, Depth::Metadata), [expected.as_str()]);
    // Without an index tenants are found by their folders, and nobody can tell.
    store.delete(&[HEAD.to_owned()]).expect("memory");
    let (report, strays) = check(&project, &store, NOW, Depth::Metadata);
    assert_eq!((report.tenants, report.findings, strays.publication), (3, vec![], None));
}

/// A store that serves its objects itself, some of them wrongly.
struct Serving<'a> {
    inner: &'a Memory,
    serve: fn(&str, Served) -> Served,
}

impl Store for Serving<'_> {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.inner.get(key, max)
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        self.inner.head(key)
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        self.inner.put(upload)
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        self.inner.list(prefix, each)
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.inner.delete(keys)
    }

    fn served(&self, key: &str) -> Result<Option<Served>, StoreError> {
        let right = Served {
            cache_control: Some(Cache::of(key).header().into()),
            content_type: Some(content_type(key).into()),
            content_encoding: None,
        };
        Ok(Some((self.serve)(key, right)))
    }
}

#[test]
fn objects_that_are_served_wrongly_are_found() {
    let (project, store) = published(small());
    let found =
        |serve: fn(&str, Served) -> Served| found(&project, &Serving { inner: &store, serve }, Depth::Everything);
    assert_eq!(found(|_, it| it), [""; 0]);
    // The same directives in another order, spelled otherwise.
    let spelled = |_: &str, it: Served| {
        let text = it.cache_control.unwrap_or_default().to_uppercase();
        let mut parts: Vec<&str> = text.split(", ").collect();
        parts.reverse();
        Served {
            cache_control: Some(parts.join(",")),
            content_type: it.content_type.map(|it| it + "; charset=utf-8"),
            ..it
        }
    };
    assert_eq!(found(spelled), [""; 0]);
    let stale = found(|key, it| match key.ends_with("/timestamp.json") {
        true => Served { cache_control: Some("public, max-age=31536000, immutable".into()), ..it },
        false => it,
    });
    assert_eq!(stale.len(), 3);
    assert!(
        stale.iter().all(|it| it.contains("/timestamp.json: it is served with `Cache-Control: public, max-age=315"))
    );
    let bare = found(|key, it| Served { cache_control: it.cache_control.filter(|_| !key.starts_with("root/")), ..it });
    assert_eq!(bare.len(), 1, "{bare:?}");
    let zipped = found(|key, it| match key.starts_with("o/") && !key.ends_with(".json") {
        true => Served { content_encoding: Some("gzip".into()), ..it },
        false => it,
    });
    assert!(!zipped.is_empty() && zipped.iter().all(|it| it.ends_with("it is served encoded as `gzip`")), "{zipped:?}");
}

#[test]
fn the_command_checks_a_store_from_the_pinned_root() {
    let project = project();
    project.run(&["publish"]).ok();
    project
        .run(&["verify", "--store", "main"])
        .ok()
        .says("verified from the project's own root in store `main`: 3 tenants");
    project.run(&["verify", "--store", "main", "--deep"]).ok();
    let addr = project.addr("bolt");
    let path = project.path(&format!("public/{}", keys::timestamp(&addr)));
    fs::write(&path, "{}").expect("writes");
    let report = project.run(&["verify", "--store", "main", "--format", "json"]).ends_with(5).json();
    assert_eq!(report["findings"][0]["key"], keys::timestamp(&addr));
    assert_eq!(report["strays"]["publication"], 1);
    project.run(&["verify", "--store", "moon"]).ends_with(2).says("there is no store `moon`");
    project.run(&["verify"]).ends_with(2).says("there is nothing to verify");
    project.run(&["verify", "out", "--store", "main"]).ends_with(2);
    project.run_at("2027-01-01", &["verify", "--store", "main"]).ends_with(5).says("it expired on");
}

#[test]
fn the_command_comes_as_fresh_shells_would() {
    let project = project();
    project.run(&["publish"]).ok();
    let cdn = Cdn::serve(&project.path("public"));
    let url = cdn.base_url();
    let verify = |more: &[&str]| project.run(&[&["verify", "--url", &url], more].concat());
    verify(&[]).ok().says(&format!("at {url}: 3 tenants"));
    verify(&["--store", "main", "--deep"]).ok().says("3 tenants");
    let one = verify(&["--tenant", "acme", "--format", "json"]).ok().json();
    assert_eq!((&one["tenants"], &one["entitlements"]), (&1.into(), &2.into()));
    verify(&["--tenant", "nobody"]).ends_with(2).says("there is no tenant `nobody`");
    // One tenant's files are not those of the pinned root, or not there, or not what they were.
    let bolt = project.addr("bolt");
    let targets = keys::targets(&bolt, 1);
    cdn.breaks(&targets, Fault::Status(404));
    let report = verify(&["--format", "json"]).ends_with(5).json();
    let keys: Vec<&str> =
        report["findings"].as_array().expect("a list").iter().map(|it| it["key"].as_str().expect("a key")).collect();
    assert!(keys.contains(&targets.as_str()) && keys.iter().all(|it| it.contains(&bolt)), "{keys:?}");
    cdn.heal();
    cdn.breaks(&targets, Fault::Flip(200));
    verify(&[]).ends_with(5).says("its bytes are not those that were signed for");
    cdn.heal();
    verify(&[]).ok();
    // A server that is not there has not been found to be wrong.
    project.run(&["verify", "--url", "http://127.0.0.1:9/"]).ends_with(3).says("cannot reach");
    project.run(&["verify", "--url", "ftp://example.com/"]).ends_with(3).says("it is not an `https://` URL");
}
