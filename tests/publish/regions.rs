//! Tenants that are bound to a region, and the stores that may know of them.

use std::collections::BTreeSet;

use tenantry::changes::Guard;
use tenantry::index::keys;
use tenantry::input::StoreSpec;
use tenantry::publish::PublishError;
use tenantry::publish::projection::{guard_regions, merge, project, takes};
use tenantry::store::memory::Memory;

use crate::project::{NOW, Project, catalog, program, tenant, time};
use crate::watch::Judge;
use crate::world::{Compiled, Publisher, compiled, head, in_memory, shows, spec};

/// The tenant whose every trace is looked for. Nothing else in the project is called anything like it.
const BOUND: &str = "zugspitze";

struct Stores {
    world: (StoreSpec, Memory),
    europe: (StoreSpec, Memory),
}

impl Stores {
    fn new() -> Stores {
        Stores { world: (spec("world", &[]), Memory::new()), europe: (spec("europe", &["eu"]), Memory::new()) }
    }

    fn both(&self) -> [(&StoreSpec, &Memory); 2] {
        [(&self.world.0, &self.world.1), (&self.europe.0, &self.europe.1)]
    }

    fn onto(&self) -> [(&StoreSpec, &dyn tenantry::store::Store); 2] {
        [(&self.world.0, &self.world.1), (&self.europe.0, &self.europe.1)]
    }

    fn publish(&self, compiled: &Compiled) {
        for (spec, store) in self.both() {
            Publisher::new("one", compiled, spec).publish(store).expect("nothing is in the way");
        }
    }

    fn are_sound(&self, compiled: &Compiled, judge: &Judge) {
        for (spec, store) in self.both() {
            judge.all(store).expect("a client is content");
            assert!(shows(store, compiled, spec), "store `{}` shows what was made for it", spec.name);
        }
    }
}

/// One tenant in Europe with a program that only it has; the others are bound to no region.
fn regional() -> Project {
    let mut files = catalog();
    files.push(tenant("acme", "business", ""));
    files.push(tenant("corn", "starter", ""));
    files.extend(program("summit", ""));
    let granted = "  data_region: eu\n  overrides:\n    - { grant: com.example.summit, reason: first customer, expires: \"2029-01-01\" }\n";
    files.push(tenant(BOUND, "starter", granted));
    in_memory(files)
}

#[test]
fn nothing_of_a_bound_tenant_reaches_another_store_in_any_byte() {
    let project = regional();
    let stores = Stores::new();
    let made = compiled(&project, "out", NOW, &[]);
    stores.publish(&made);
    stores.are_sound(&made, &Judge::new(project.root(), time(NOW)));
    let (addr, record) = made.index.tenants.iter().find(|(_, it)| it.name == BOUND).expect("it is there");

    // Its bundle that nobody else has is a trace too.
    let shared: BTreeSet<_> =
        made.index.tenants.values().filter(|it| it.name != BOUND).flat_map(|it| &it.bundles).copied().collect();
    let own: Vec<_> = record.bundles.iter().filter(|tree| !shared.contains(tree)).collect();
    assert_eq!(own.len(), 1, "`summit` is its alone");
    let mut traces = vec![BOUND.to_owned(), addr.clone(), record.tenant_id.clone(), own[0].to_string()];
    traces.push(made.index.bundles[own[0]].sha256.to_string());
    traces.extend(record.files(addr).map(|(key, _)| key));

    let world = stores.world.1.contents();
    assert!(world.keys().any(|it| it.starts_with("state/")), "`state/` is looked at too");
    for (key, bytes) in &world {
        for trace in &traces {
            let is_there = key.contains(trace) || bytes.windows(trace.len()).any(|it| it == trace.as_bytes());
            assert!(!is_there, "`{trace}` is in {key} of the other store");
        }
    }
    // The search finds what is there.
    let europe = stores.europe.1.contents();
    for trace in &traces {
        let holds = |bytes: &[u8]| bytes.windows(trace.len()).any(|it| it == trace.as_bytes());
        assert!(europe.iter().any(|(key, bytes)| key.contains(trace) || holds(bytes)), "`{trace}`");
    }
    assert!(!europe.values().any(|it| it.windows(4).any(|it| it == b"acme")), "nor the other way about");
}

#[test]
fn a_tenant_whose_region_no_store_takes_stops_everything() {
    let project = regional();
    let made = compiled(&project, "out", NOW, &[]);
    let stores = [spec("world", &[]), spec("america", &["us", "ca"])];
    let error = PublishError::from(guard_regions(&made.index, &stores).expect_err("nobody takes it"));
    assert_eq!(error.to_string(), format!("no store takes tenants of region `eu`, such as `{BOUND}`"));
    assert!(error.help().expect("a help").contains("list `eu` under `regions`"));
    let only_europe = [spec("europe", &["eu"])];
    let error = guard_regions(&made.index, &only_europe).expect_err("nobody takes the others");
    assert_eq!(error.to_string(), "no store takes tenants that are bound to no region, such as `acme`");
    let error = guard_regions(&made.index, &[spec("america", &["us"])]).expect_err("nobody takes any of them");
    assert_eq!(
        error.to_string(),
        format!(
            "no store takes tenants that are bound to no region, such as `acme`; nor tenants of region `eu`, such as `{BOUND}`"
        )
    );
    assert_eq!(
        error.help(),
        "list `eu` under `regions` of a store in `tenantry.yaml`, and add a store without `regions` to `tenantry.yaml`; a store without `regions` takes those tenants only that are bound to none"
    );
    guard_regions(&made.index, &[spec("world", &[]), spec("europe", &["eu"])]).expect("all have a home");
}

#[test]
fn a_store_takes_its_regions_or_those_that_are_bound_to_none() {
    let (world, europe) = (spec("world", &[]), spec("europe", &["eu", "ch"]));
    assert_eq!([None, Some("eu"), Some("us")].map(|it| takes(&world, it)), [true, false, false]);
    assert_eq!([None, Some("ch"), Some("us")].map(|it| takes(&europe, it)), [false, true, false]);
}

#[test]
fn projections_come_together_as_the_index_that_they_came_from() {
    let made = compiled(&regional(), "out", NOW, &[]);
    let parts = [spec("world", &[]), spec("europe", &["eu"])].map(|it| project(&made.index, &it));
    assert_eq!(parts.each_ref().map(|it| it.tenants.len()), [2, 1]);
    assert_eq!(merge(&parts), Some(made.index.clone()));
    assert_eq!(merge(&[parts[1].clone(), parts[0].clone()]), Some(made.index));
    assert_eq!(merge([]), None);
}

/// What it had where it was stays there: shells that have not heard of the move go on until their metadata expires.
#[test]
fn a_tenant_that_moves_leaves_the_old_store_and_is_whole_in_the_new_one() {
    let project = regional();
    let stores = Stores::new();
    let judge = Judge::new(project.root(), time(NOW));
    stores.publish(&compiled(&project, "out", NOW, &[]));
    let before = stores.europe.1.contents();
    project.edit(&format!("tenants/{BOUND}.yaml"), "  data_region: eu\n", "");
    // From a fresh checkout, too: what it needs in the new store must be there, though the old one has it.
    let moved = compiled(&project, "fresh", NOW, &stores.onto());
    let plan = Publisher::new("one", &moved, &stores.europe.0).plan(&stores.europe.1).expect("plans").plan;
    assert_eq!(plan.leaves.len(), 1);
    assert_eq!((&*plan.leaves[0].tenant, &*plan.leaves[0].why), (BOUND, "it is no longer bound to a region"));
    assert!(plan.is_silent(), "nothing moves in the old store");
    Publisher::new("one", &moved, &stores.europe.0)
        .allowing(Guard::Empty, 1)
        .publish(&stores.europe.1)
        .expect("it is known that nobody stays");
    stores.publish(&moved);
    stores.are_sound(&moved, &judge);
    let after = stores.europe.1.contents();
    assert!(before.iter().filter(|(key, _)| !key.ends_with("head.json")).all(|(key, bytes)| after[key] == *bytes));
    assert_eq!(head(&stores.europe.1).point(), Some(moved.point(&stores.europe.0)));
}

/// The bundle that only a tenant elsewhere had is written again for a store that has not got it.
#[test]
fn a_bundle_that_enters_a_second_store_is_carried_there_from_a_fresh_checkout() {
    let project = regional();
    let stores = Stores::new();
    stores.publish(&compiled(&project, "out", NOW, &[]));
    let grant =
        "plan: starter\n  overrides:\n    - { grant: com.example.summit, reason: it asked, expires: \"2029-01-01\" }";
    project.edit("tenants/corn.yaml", "plan: starter", grant);
    let made = compiled(&project, "fresh", NOW, &stores.onto());
    let bundles: Vec<&String> = made.files.keys().filter(|it| is_bundle(&made, it)).collect();
    assert_eq!(bundles.len(), 1, "the one that is missing in one of the stores: {bundles:?}");
    stores.publish(&made);
    stores.are_sound(&made, &Judge::new(project.root(), time(NOW)));
}

fn is_bundle(made: &Compiled, key: &str) -> bool {
    made.index.bundles.iter().any(|(tree, it)| keys::archive(*tree, it.sha256) == key)
}
