//! What is signed again, when, by whom, and that nothing else changes.

use std::collections::BTreeMap;

use serde_json::Value;
use tenantry::digest::Sha256;
use tenantry::index::{Index, keys};
use tenantry::publish::refresh::{Extent, Why};
use tenantry::publish::state::State;
use tenantry::store::memory::{Faulty, Memory};
use tenantry::store::{Patience, Precondition, Store, Upload};

use crate::jobs::{Keeper, Stopped};
use crate::project::{NOW, Project, small, time};
use crate::watch::{Judge, Watched};
use crate::world::{Publisher, compiled, head, in_memory, pointers, spec};

/// Half of a timestamp's life later.
pub(crate) const FOURTH_DAY: &str = "2026-11-26T12:00:00Z";
/// Half of the entitlements' life later.
pub(crate) const FIFTEENTH_DAY: &str = "2026-12-08T00:00:00Z";

/// A project whose first publication is in a store.
pub(crate) fn published(files: Vec<(String, String)>) -> (Project, Memory) {
    let (project, store) = (in_memory(files), Memory::new());
    publish(&project, &store, NOW);
    (project, store)
}

/// Compiles onto the store, and publishes there.
pub(crate) fn publish(project: &Project, store: &Memory, at: &str) {
    let spec = spec("main", &[]);
    let made = compiled(project, "out", at, &[(&spec, store)]);
    Publisher::new("publisher", &made, &spec).at(at).publish(store).expect("nothing is in the way");
}

/// Keeps timestamps fresh up to a day, as a job does.
pub(crate) fn kept_fresh(project: &Project, store: &Memory, days: &[&str]) {
    for day in days {
        Keeper::new("job", project, day).refresh(store, Extent::Due).expect("nothing is in the way");
    }
}

pub(crate) fn index(store: &Memory) -> Index {
    let state = State { store, patience: Patience::NONE };
    state.index(head(store).point().expect("something was published")).expect("an index")
}

/// A tenant's manifest, without what time changes.
pub(crate) fn timeless(store: &Memory, addr: &str) -> BTreeMap<String, Value> {
    let key = keys::manifest(addr, index(store).tenants[addr].manifest.sha256);
    let mut fields: BTreeMap<String, Value> = serde_json::from_slice(&store.contents()[&key]).expect("JSON");
    for it in ["expires", "issued", "publication"] {
        fields.remove(it).expect("every manifest has it");
    }
    fields
}

#[test]
fn nothing_is_due_at_first_and_asking_is_cheap_however_many_tenants_there_are() {
    let (project, store) = published(small());
    let before = store.contents();
    let faulty = Faulty::new(&store, |_, _, _| None);
    let done = Keeper::new("job", &project, "2026-11-24").refresh(&faulty, Extent::Due).expect("nothing to do");
    assert!(done.report.is_none());
    assert_eq!(done.due.next, Some(time(FOURTH_DAY)));
    assert!(faulty.log().len() <= 4, "{:?}", faulty.log());
    assert!(store.contents() == before);
}

#[test]
fn a_timestamp_half_of_whose_life_is_over_is_signed_again_and_nothing_else() {
    let (project, store) = published(small());
    let before = store.contents();
    let was = index(&store);
    let done = Keeper::new("job", &project, FOURTH_DAY).refresh(&store, Extent::Due).expect("nothing is in the way");
    assert_eq!((done.due.timestamps.len(), done.due.entitlements.len()), (3, 0));
    assert!(done.due.timestamps.iter().all(|it| it.why == Why::Due));
    let after = store.contents();
    let changed = crate::project::changed(&before, &after);
    assert!(changed.iter().all(|it| it.starts_with("state/") || it.ends_with("/timestamp.json")), "{changed:?}");
    assert_eq!(pointers(&store).len(), 3);
    let now = index(&store);
    for (addr, record) in &now.tenants {
        assert!(record.has_same_content(&was.tenants[addr]));
        assert_eq!((record.timestamp.version, record.timestamp.expires), (2, time("2026-12-03T12:00:00Z")));
    }
    assert_eq!(Judge::new(project.root(), time("2026-12-03T11:59:59Z")).all(&store), Ok(3));
}

#[test]
fn entitlements_are_signed_again_with_the_same_content_and_new_dates() {
    let (project, store) = published(small());
    kept_fresh(&project, &store, &["2026-11-27", "2026-12-01", "2026-12-05"]);
    let was = index(&store);
    let before: Vec<_> = was.tenants.keys().map(|addr| timeless(&store, addr)).collect();
    let done = Keeper::new("job", &project, FIFTEENTH_DAY).refresh(&store, Extent::Due).expect("nothing is in the way");
    assert_eq!(done.due.entitlements.len(), 3);
    let now = index(&store);
    for (addr, record) in &now.tenants {
        let old = &was.tenants[addr];
        assert_eq!((record.content, &record.bundles, &record.overlays), (old.content, &old.bundles, &old.overlays));
        assert_eq!((record.input, record.next_change), (old.input, old.next_change));
        assert_eq!([record.targets.version, record.snapshot.version, record.timestamp.version], [5; 3]);
        assert_eq!(record.targets.expires, time("2027-01-07"));
    }
    assert_eq!(now.tenants.keys().map(|addr| timeless(&store, addr)).collect::<Vec<_>>(), before);
    assert_eq!(Judge::new(project.root(), time("2026-12-14")).all(&store), Ok(3));
    // The next compile has nothing to sign either.
    let spec = spec("main", &[]);
    let compiled = compiled(&project, "later", FIFTEENTH_DAY, &[(&spec, &store)]);
    assert_eq!(compiled.index, now);
}

#[test]
fn with_the_freshness_key_alone_timestamps_stay_fresh_and_the_rest_is_said_to_be_due() {
    let (project, store) = published(small());
    let job = || Keeper::new("job", &project, FIFTEENTH_DAY).without_entitlement_key();
    let done = job().refresh(&store, Extent::Due).expect("nothing is in the way");
    assert_eq!((done.due.timestamps.len(), done.due.entitlements.len(), done.due.out_of_reach.len()), (3, 0, 3));
    assert_eq!(done.due.first_out_of_reach(), Some(time("2026-12-23")));
    assert_eq!(index(&store).entitlement_keys, index(&store).entitlement_keys);
    assert_eq!(Judge::new(project.root(), time("2026-12-14")).all(&store), Ok(3));
    // Once they have expired no timestamp helps.
    job().at("2026-12-24").refresh(&store, Extent::Due).expect("nothing is in the way");
    assert!(Judge::new(project.root(), time("2026-12-24")).all(&store).is_err());
    Keeper::new("job", &project, "2026-12-24").refresh(&store, Extent::Due).expect("the other key is here");
    assert_eq!(Judge::new(project.root(), time("2026-12-25")).all(&store), Ok(3));
}

#[test]
fn all_means_every_timestamp_and_shorter_lives_are_kept() {
    let (project, store) = published(small());
    let done = Keeper::new("job", &project, "2026-11-24").refresh(&store, Extent::All).expect("nothing is in the way");
    assert!(done.due.timestamps.iter().all(|it| it.why == Why::Asked) && done.due.timestamps.len() == 3);
    // A compliance profile that allows two days goes on allowing two days.
    let files = small().into_iter().chain([
        (
            "catalog/compliance/short.yaml".to_owned(),
            crate::project::document(
                "ComplianceProfile",
                "short",
                "  controls: [{ id: a, statement: b, evidence: c }]\n  manifest: { max_ttl: P2D }\n",
            ),
        ),
        crate::project::tenant("dune", "starter", "  compliance_profile: short\n"),
    ]);
    let (project, store) = published(files.collect());
    Keeper::new("job", &project, "2026-11-24").refresh(&store, Extent::Due).expect("nothing is in the way");
    let record = index(&store).tenants.into_values().find(|it| it.name == "dune").expect("a tenant");
    assert_eq!([record.timestamp, record.snapshot, record.targets].map(|it| it.expires), [time("2026-11-26"); 3]);
    assert_eq!(record.targets.version, 2);
}

#[test]
fn a_line_up_that_changed_by_itself_is_kept_and_said() {
    let mut files = small();
    let ends = "  overrides:\n    - { revoke: com.example.notes, reason: r, ticket: t, approved_by: a, expires: \"2026-11-25\" }\n";
    files.push(crate::project::tenant("dune", "business", ends));
    let (project, store) = published(files);
    let before = store.fork();
    let done = Keeper::new("job", &project, FOURTH_DAY).refresh(&store, Extent::Due).expect("nothing is in the way");
    let passed: Vec<_> = done.due.passed.iter().map(|it| (it.tenant.as_str(), it.at)).collect();
    assert_eq!(passed, [("dune", time("2026-11-25"))]);
    let content = |store: &Memory| index(store).tenants.into_values().find(|it| it.name == "dune").map(|it| it.content);
    assert_eq!(content(&store), content(&before), "a refresh decides nothing");
    publish(&project, &store, FOURTH_DAY);
    assert_ne!(content(&store), content(&before));
    let done = Keeper::new("job", &project, FOURTH_DAY).refresh(&store, Extent::Due).expect("nothing is in the way");
    assert_eq!(done.due.passed, []);
}

#[test]
fn a_rotation_of_the_freshness_key_goes_through_refreshes_alone() {
    let (project, store) = published(small());
    let with = |at: &str| Keeper::new("job", &project, at).without_entitlement_key();
    project.run_at("2026-11-24", &["keys", "rotate", "freshness"]).ok();
    let done = with("2026-11-24").refresh(&store, Extent::Due).expect("nothing is in the way");
    assert!(done.due.timestamps.iter().all(|it| it.why == Why::OtherKeys) && done.due.timestamps.len() == 3);
    assert_eq!(index(&store).freshness_keys.len(), 2, "the old and the new key have signed");
    project.run_at("2026-11-24", &["keys", "rotate", "freshness", "--finish", "--out", "out"]).ends_with(6);
    // `keys rotate` looks at what was compiled; what the store shows goes there with the next compile.
    publish(&project, &store, "2026-11-24");
    project.run_at("2026-11-24", &["keys", "rotate", "freshness", "--finish"]).ok();
    let done = with("2026-11-25").refresh(&store, Extent::Due).expect("nothing is in the way");
    assert_eq!((done.due.roots, done.due.timestamps.len()), (vec![2], 0), "the new root goes out by itself");
    assert_eq!(Judge::new(project.root(), time("2026-11-25")).all(&store), Ok(3));
    project.run_at("2026-11-25", &["keys", "rotate", "freshness", "--drop"]).ok();
    with("2026-11-26").refresh(&store, Extent::Due).expect("nothing is in the way");
    assert_eq!(index(&store).freshness_keys.len(), 1);
    assert_eq!(Judge::new(project.root(), time("2026-11-26")).all(&store), Ok(3));
}

#[test]
fn under_a_root_that_no_longer_names_the_entitlement_key_nothing_is_signed_again() {
    let (project, store) = published(small());
    project.run(&["keys", "rotate", "entitlement"]).ok();
    project.run(&["keys", "rotate", "entitlement", "--finish", "--stolen"]).ok();
    let before = store.contents();
    let stopped = Keeper::new("job", &project, FOURTH_DAY).refresh(&store, Extent::Due).expect_err("refused");
    let Stopped::Publish(error) = stopped else { panic!("{stopped:?}") };
    assert!(error.to_string().contains("which root 2 no longer names: compile and publish first"), "{error}");
    assert!(store.contents() == before);
    publish(&project, &store, FOURTH_DAY);
    assert_eq!(Judge::new(project.root(), time(FOURTH_DAY)).all(&store), Ok(3));
}

#[test]
fn a_store_of_other_roots_is_refused() {
    let (_, store) = published(small());
    let stranger = Project::new(small());
    let keys = stranger.path("keys");
    tenantry::sign::keystore::KeyFolder::new(&keys)
        .init(
            &tenantry::sign::keystore::NewKeys {
                root_keys: 1,
                threshold: std::num::NonZeroU32::MIN,
                environment: "production".into(),
            },
            time(NOW),
        )
        .expect("makes keys");
    let before = store.contents();
    let stopped = Keeper::new("job", &stranger, FOURTH_DAY).refresh(&store, Extent::Due).expect_err("refused");
    let Stopped::Publish(error) = stopped else { panic!("{stopped:?}") };
    assert!(error.to_string().contains("belongs to another chain of roots"), "{error}");
    assert!(store.contents() == before);
}

/// Puts other bytes under a key, as somebody who has the bucket and none of the keys.
fn tamper(store: &Memory, key: &str, change: impl FnOnce(String) -> String) {
    let bytes = String::from_utf8(store.contents()[key].clone()).expect("text");
    let changed = change(bytes.clone());
    assert_ne!(changed, bytes);
    store.put(&Upload { key, bytes: changed.as_bytes(), precondition: Precondition::None }).expect("memory");
}

/// Whoever can write to the bucket must not get our signature on what they have written.
#[test]
fn what_was_not_signed_before_is_not_signed_again_and_the_others_stay_fresh() {
    for (part, day) in [("manifest", FIFTEENTH_DAY), ("targets", FIFTEENTH_DAY), ("snapshot", FOURTH_DAY)] {
        let (project, store) = published(small());
        if day == FIFTEENTH_DAY {
            kept_fresh(&project, &store, &["2026-11-27", "2026-12-01", "2026-12-05"]);
        }
        let mut forged = index(&store);
        let addr = forged.tenants.iter().find(|(_, it)| it.name == "bolt").expect("a tenant").0.clone();
        let record = forged.tenants.get_mut(&addr).expect("a tenant");
        // They write an index of their own, too, so that every digest fits.
        match part {
            "manifest" => {
                let key = keys::manifest(&addr, record.manifest.sha256);
                let text = String::from_utf8(store.contents()[&key].clone()).expect("text");
                let text = text.replace("storage_gb\":10", "storage_gb\":90");
                record.manifest.sha256 = Sha256::of(text.as_bytes());
                let key = keys::manifest(&addr, record.manifest.sha256);
                put(&store, &key, text.as_bytes());
            }
            "targets" => {
                let key = keys::targets(&addr, record.targets.version);
                tamper(&store, &key, |it| it.replacen("\"length\":", "\"length\":1", 1));
                record.targets.sha256 = Sha256::of(&store.contents()[&key]);
                record.targets.length = store.contents()[&key].len() as u64;
            }
            _ => {
                let key = keys::snapshot(&addr, record.snapshot.version);
                tamper(&store, &key, |it| it.replacen("\"version\":1", "\"version\":9", 1));
                record.snapshot.sha256 = Sha256::of(&store.contents()[&key]);
            }
        }
        plant(&store, &forged);
        let job = Keeper::new("job", &project, day);
        let done = job.refresh(&store, Extent::Due).unwrap_or_else(|error| panic!("{part}: {error:?}"));
        assert_eq!(done.refused.len(), 1, "{part}: {:?}", done.refused);
        assert!(done.refused[0].key.contains(&addr), "{part}: {:?}", done.refused);
        let now = index(&store);
        let fresh = now.tenants.values().filter(|it| it.timestamp.version == now.publication).count();
        assert_eq!(fresh, 2, "{part}");
        let text = String::from_utf8(pointers(&store)[&addr].clone()).expect("text");
        assert!(!text.contains(&format!("\"version\":{}", now.publication)), "{part}: {text}");
        // The next compile makes the tenant anew from the project, and all is well.
        publish(&project, &store, day);
        assert_eq!(Judge::new(project.root(), time(day)).all(&store), Ok(3), "{part}");
    }
}

fn put(store: &Memory, key: &str, bytes: &[u8]) {
    store.put(&Upload { key, bytes, precondition: Precondition::None }).expect("memory");
}

/// Makes the store say that this is its index.
fn plant(store: &Memory, index: &Index) {
    let bytes = index.to_bytes();
    let digest = Sha256::of(&bytes);
    let mut state = head(store);
    let current = state.current.as_mut().expect("something was published");
    current.index = digest;
    let point = current.point();
    put(store, &tenantry::publish::state::index_key(point), &bytes);
    let last = state.history.last_mut().expect("something was published");
    last.index = digest;
    put(store, tenantry::publish::head::HEAD, &state.to_bytes());
}

#[test]
fn a_refresh_puts_everything_before_what_names_it() {
    let (project, store) = published(small());
    kept_fresh(&project, &store, &["2026-11-27", "2026-12-01", "2026-12-05"]);
    let judge = Judge::new(project.root(), time(FIFTEENTH_DAY));
    let watched = Watched::new(&store, &judge);
    Keeper::new("job", &project, FIFTEENTH_DAY).refresh(&watched, Extent::Due).expect("nothing is in the way");
    assert_eq!(watched.wrong(), [""; 0]);
}
