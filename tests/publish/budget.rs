//! Guards at a publication: they are asked whether somebody has made a plan or not.

use tenantry::changes::Guard;
use tenantry::publish::head::Override;
use tenantry::publish::{PublishError, Report};
use tenantry::store::memory::Memory;

use crate::project::{NOW, Project, catalog, tenant};
use crate::world::{Compiled, Publisher, compiled, head, in_memory, spec};

/// Six tenants of plan `business` and a budget of two, published.
struct World {
    project: Project,
    store: Memory,
    first: Compiled,
}

fn world(names: &[&str]) -> World {
    let mut files = catalog();
    files.extend(names.iter().map(|it| tenant(it, "business", "")));
    let project = in_memory(files);
    project.edit("tenantry.yaml", "spec:\n", "spec:\n  revocation_budget: { percent: 1, at_least: 2 }\n");
    let (store, first) = (Memory::new(), compiled(&project, "out", NOW, &[]));
    Publisher::new("before", &first, &spec("main", &[])).publish(&store).expect("a first publication takes nothing");
    World { project, store, first }
}

const SIX: [&str; 6] = ["acorn", "birch", "cedar", "dogwood", "elm", "fir"];

impl World {
    /// The project as it is now, compiled on top of what was published first.
    fn next(&self) -> Compiled {
        let spec = spec("main", &[]);
        compiled(&self.project, "out", NOW, &[]).descending_from(&spec, self.first.point(&spec))
    }

    fn downgrade(&self, names: &[&str]) {
        names.iter().for_each(|it| self.project.edit(&format!("tenants/{it}.yaml"), "plan: business", "plan: starter"));
    }
}

/// What is said aloud, if anything.
type Said = Option<(Guard, usize)>;

fn publish(next: &Compiled, store: &Memory, said: Said, at: &str) -> Result<Report, PublishError> {
    let spec = spec("main", &[]);
    let publisher = Publisher::new("one", next, &spec).at(at);
    match said {
        Some((guard, number)) => publisher.allowing(guard, number),
        None => publisher,
    }
    .publish(store)
}

fn refused(world: &World, next: &Compiled, said: Said) -> (String, String) {
    let before = world.store.contents();
    let error = publish(next, &world.store, said, NOW).expect_err("a guard stops it");
    assert!(matches!(error, PublishError::Guard { .. }), "{error}");
    assert!(world.store.contents() == before, "nothing is sent");
    (error.to_string(), error.help().unwrap_or_default())
}

#[test]
fn more_losses_than_the_budget_allows_are_refused_until_somebody_says_the_exact_number() {
    let world = world(&SIX);
    world.downgrade(&["birch", "elm", "fir"]);
    let next = world.next();
    let message =
        "guard `revocations`: 3 tenants of store `main` would lose a mini-program, such as `birch`; up to 2 may";
    let (said, help) = refused(&world, &next, None);
    assert_eq!(said, message);
    assert!(help.ends_with("to go on all the same, `--allow revocations=3`"), "{help}");
    let (said, help) = refused(&world, &next, Some((Guard::Revocations, 4)));
    assert_eq!(said, message);
    assert!(help.starts_with("4 was allowed, and the number must be exact"), "{help}");
    refused(&world, &next, Some((Guard::Empty, 3)));

    publish(&next, &world.store, Some((Guard::Revocations, 3)), NOW).expect("it is allowed");
    let expected = [Override { guard: "revocations".into(), number: 3, limit: 2 }];
    let head = head(&world.store);
    assert_eq!(head.current.expect("a publication").overrides, expected);
    assert_eq!(head.history.last().expect("a publication").overrides, expected);
    assert_eq!(head.history[0].overrides, []);
    let text = String::from_utf8(world.store.contents()["state/head.json"].clone()).expect("text");
    assert!(text.contains("\"overrides\": [\n      {\n        \"guard\": \"revocations\""), "{text}");
}

#[test]
fn losses_within_the_budget_need_no_word_and_leave_none() {
    let world = world(&SIX);
    world.downgrade(&["birch", "elm"]);
    publish(&world.next(), &world.store, Some((Guard::Revocations, 2)), NOW).expect("the budget allows two");
    assert_eq!(head(&world.store).current.expect("a publication").overrides, []);
}

#[test]
fn tenants_that_are_deleted_or_suspended_lose_what_they_had() {
    let world = world(&SIX);
    world.project.remove("tenants/acorn.yaml");
    world.project.edit("tenants/birch.yaml", "spec:\n", "spec:\n  status: suspended\n");
    world.project.edit("tenants/cedar.yaml", "spec:\n", "spec:\n  status: inactive\n");
    let (said, _) = refused(&world, &world.next(), None);
    assert!(said.contains("3 tenants") && said.contains("`acorn`"), "{said}");
}

#[test]
fn a_publication_that_relaxes_the_budget_is_judged_by_what_held_before() {
    let world = world(&SIX);
    world.project.edit("tenantry.yaml", "at_least: 2", "at_least: 100");
    world.downgrade(&["birch", "elm", "fir"]);
    let (said, _) = refused(&world, &world.next(), None);
    assert!(said.ends_with("up to 2 may"), "{said}");
}

#[test]
fn a_store_that_would_lose_sight_of_all_its_tenants_is_left_alone() {
    let world = world(&["acorn", "birch"]);
    // All of them have moved to another store's region; they lose nothing, and yet.
    for name in ["acorn", "birch"] {
        world.project.edit(&format!("tenants/{name}.yaml"), "spec:\n", "spec:\n  data_region: eu\n");
    }
    let next = world.next();
    let (said, help) = refused(&world, &next, None);
    assert_eq!(said, "guard `empty`: store `main` would have no tenant any more, and has 2 tenants, such as `acorn`");
    assert!(help.contains("`--allow empty=2`"), "{help}");
    publish(&next, &world.store, Some((Guard::Empty, 2)), NOW).expect("it is allowed");
    let overrides = head(&world.store).current.expect("a publication").overrides;
    assert_eq!(overrides, [Override { guard: "empty".into(), number: 2, limit: 0 }]);
}

#[test]
fn who_moves_to_another_store_of_the_project_loses_nothing() {
    let world = world(&SIX);
    for name in ["acorn", "birch", "cedar", "dogwood"] {
        world.project.edit(&format!("tenants/{name}.yaml"), "spec:\n", "spec:\n  data_region: eu\n");
    }
    publish(&world.next(), &world.store, None, NOW).expect("they are in the project still");
}

#[test]
fn what_ends_by_itself_is_nobodys_loss_and_an_end_that_is_brought_near_is_one() {
    let mut world = world(&SIX);
    let ends = |world: &World, at: &str, from: &str| {
        let to = format!("valid_until: \"{at}\", expiration_strategy: revoke");
        SIX.iter().for_each(|it| world.project.edit(&format!("tenants/{it}.yaml"), from, &to));
    };
    let (month, later) = ("valid_until: \"2026-12-24\", expiration_strategy: revoke", "2026-12-25T00:00:00Z");
    ends(&world, "2026-12-24", "valid_until: \"2030-01-01\"");
    let next = world.next();
    publish(&next, &world.store, None, NOW).expect("a month is time enough to bring it back");
    // After that day they are gone from the manifests, and no guard has anything to say about it.
    let spec = spec("main", &[]);
    let after = compiled(&world.project, "out", later, &[]).descending_from(&spec, next.point(&spec));
    assert!(after.index.tenants.values().all(|it| it.entitlements == 0));
    let store = world.store.fork();
    publish(&after, &store, None, later).expect("it was bound to happen");
    // Two days are not.
    ends(&world, "2026-11-25", month);
    world.first = next;
    let (said, _) = refused(&world, &world.next(), None);
    assert!(said.contains("6 tenants"), "{said}");
}

/// A publication of an older version does not say which mini-programs a tenant has, only how many.
#[test]
fn an_index_of_the_format_before_is_compared_by_how_many_mini_programs_there_are() {
    let mut world = world(&SIX);
    let mut old = world.first.clone();
    old.index.format = 2;
    (old.index.inputs, old.index.revocation_budget) = (None, None);
    old.index.tenants.values_mut().for_each(|it| it.given = None);
    (world.store, world.first) = (Memory::new(), old.clone());
    Publisher::new("old", &old, &spec("main", &[])).publish(&world.store).expect("nothing is in the way");
    world.downgrade(&["birch", "elm", "fir"]);
    let (said, _) = refused(&world, &world.next(), None);
    assert!(said.contains("3 tenants of store `main` would lose"), "{said}");
    // A compile onto it knows everything from then on.
    world.project.edit("tenants/fir.yaml", "plan: starter", "plan: business");
    let spec = spec("main", &[]);
    let next = compiled(&world.project, "onto", NOW, &[(&spec, &world.store)]);
    assert!(next.index.tenants.values().all(|it| it.given.is_some()));
    publish(&next, &world.store, None, NOW).expect("two may");
}
