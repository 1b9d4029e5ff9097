//! Offline, expired, and clocks that are wrong.
//!
//! The small project is published on 2026-11-23; its timestamp lasts until 2026-11-30, its grace until 2026-12-14.

use tenantry::client::{Client, Freshness, Start, Verdict};
use tenantry::input::ExpirationStrategy;

use crate::device::{Device as _, World, at, new_folder, running, verdicts};
use crate::project::{NOW, Project};

const FRESH_UNTIL: &str = "2026-11-30T00:00:00Z";
const GRACE_UNTIL: &str = "2026-12-14T00:00:00Z";

/// A device of tenant `acme`, whose licence has this strategy.
fn world_with(strategy: &str) -> World {
    let project = Project::small();
    project.edit(
        "tenants/acme.yaml",
        "valid_until: \"2030-01-01\"",
        &format!("valid_until: \"2030-01-01\", expiration_strategy: {strategy}"),
    );
    World::of(project)
}

/// A process that starts at an instant, offline.
fn starts(world: &World, when: &str) -> Start {
    let mut client = world.client("acme");
    let start = client.start(at(when));
    client.confirm_start().expect("confirms");
    start
}

fn refuses(client: &mut Client, when: &str, code: &str) {
    let error = client.refused(when);
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(error.kept.publication, Some(1), "{error}");
}

#[test]
fn offline_everything_runs_within_the_grace_whatever_the_strategy() {
    for strategy in ["restrict", "revoke", "maintain"] {
        let world = world_with(strategy);
        drop(world.installed("acme"));
        for (when, freshness) in [
            (NOW, Freshness::Fresh { until: at(FRESH_UNTIL) }),
            ("2026-11-29T23:59:59Z", Freshness::Fresh { until: at(FRESH_UNTIL) }),
            (FRESH_UNTIL, Freshness::Grace { since: at(FRESH_UNTIL), until: at(GRACE_UNTIL) }),
            ("2026-12-13T23:59:59Z", Freshness::Grace { since: at(FRESH_UNTIL), until: at(GRACE_UNTIL) }),
        ] {
            let start = starts(&world, when);
            assert_eq!((start.freshness, running(&start)), (freshness, vec!["chat", "notes"]), "{strategy} {when}");
        }
    }
}

#[test]
fn after_the_grace_the_strategy_says_what_runs() {
    let since = at(GRACE_UNTIL);
    let over = Verdict::GraceOver { since };
    for (name, strategy, expected) in [
        ("restrict", ExpirationStrategy::Restrict, Verdict::Runs),
        ("maintain", ExpirationStrategy::Maintain, Verdict::Runs),
        ("revoke", ExpirationStrategy::Revoke, over),
    ] {
        for when in [GRACE_UNTIL, "2027-02-01T00:00:00Z", "2029-12-31T00:00:00Z"] {
            let world = world_with(name);
            drop(world.installed("acme"));
            let start = starts(&world, when);
            assert_eq!(start.freshness, Freshness::Over { since, strategy }, "{name} {when}");
            assert_eq!(verdicts(&start), [("chat", expected), ("notes", expected)], "{name} {when}");
        }
    }
}

/// Refused, with what it has kept: a device is never worse off for having asked.
#[test]
fn expired_metadata_is_refused_and_what_is_there_starts() {
    let world = World::new();
    let mut client = world.installed("acme");
    refuses(&mut client, FRESH_UNTIL, "expired");
    assert_eq!(running(&client.start(at(FRESH_UNTIL))), ["chat", "notes"]);
    // The publisher signs again, and all is well.
    world.publishes("2026-12-01T00:00:00Z");
    client.refreshes("2026-12-01T00:00:00Z");
    assert_eq!(client.look(at("2026-12-01")).freshness, Freshness::Fresh { until: at("2026-12-08T00:00:00Z") });
}

#[test]
fn a_device_that_was_locked_is_free_again_after_one_refresh() {
    let world = world_with("revoke");
    drop(world.installed("acme"));
    let late = "2027-01-10T00:00:00Z";
    assert_eq!(running(&starts(&world, late)), Vec::<&str>::new());
    world.publishes(late);
    let mut client = world.client("acme");
    client.refreshes(late);
    assert_eq!(running(&client.start(at(late))), ["chat", "notes"]);
}

#[test]
fn a_program_whose_window_ends_stops_offline_to_the_second() {
    let project = Project::small();
    project.edit(
        "tenants/acme.yaml",
        "valid_until: \"2030-01-01\"",
        "valid_until: \"2026-11-25\", grace: P1D, expiration_strategy: revoke",
    );
    let world = World::of(project);
    drop(world.installed("acme"));
    let start = starts(&world, "2026-11-25T23:59:59Z");
    assert_eq!((running(&start), start.next_change), (vec!["chat", "notes"], Some(at("2026-11-26"))));
    let ended = Verdict::Ended { at: at("2026-11-26") };
    assert_eq!(verdicts(&starts(&world, "2026-11-26T00:00:00Z")), [("chat", ended), ("notes", ended)]);
}

#[test]
fn a_program_whose_window_begins_later_begins_offline_by_itself() {
    let project = Project::small();
    project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    let world = World::of(project);
    let (path, text) = crate::project::tenant("acme", "business", "");
    world.project.write(&path, text.replace("valid_from: \"2026-01-01\"", "valid_from: \"2026-11-26\""));
    world.publishes(NOW);
    drop(world.installed("acme"));
    let start = starts(&world, NOW);
    let not_begun = Verdict::NotBegun { from: at("2026-11-26") };
    assert_eq!((verdicts(&start)[0].1, start.next_change), (not_begun, Some(at("2026-11-26"))));
    assert_eq!(running(&starts(&world, "2026-11-26")), ["chat", "notes"]);
}

#[test]
fn a_clock_that_is_turned_back_gains_nothing() {
    let world = world_with("revoke");
    drop(world.installed("acme"));
    assert_eq!(running(&starts(&world, "2027-01-10")), Vec::<&str>::new(), "the grace is over");
    for turned_back in ["1970-01-01", "2026-01-10", NOW, "2026-12-01"] {
        let start = starts(&world, turned_back);
        assert_eq!(running(&start), Vec::<&str>::new(), "{turned_back}");
        let mut client = world.client("acme");
        refuses(&mut client, turned_back, "expired");
    }
}

#[test]
fn a_clock_before_the_manifest_was_issued_is_not_believed() {
    let world = World::new();
    let mut client = world.client("acme");
    client.refreshes("1970-01-01");
    client.activate().expect("activates");
    let start = client.start(at("1970-01-01"));
    assert_eq!(start.freshness, Freshness::Fresh { until: at(FRESH_UNTIL) });
    assert_eq!(running(&start), ["chat", "notes"], "their windows began in 2026");
}

#[test]
fn no_clock_is_earlier_than_the_shell_was_built() {
    let world = World::new();
    let config = tenantry::client::Config { built: Some(at("2026-12-01")), ..world.config("acme") };
    let mut client = world.try_client(config).expect("opens");
    let error = client.refused("1970-01-01");
    assert_eq!(error.code(), "expired", "{error}");
}

/// All clocks of the matrix: one start with a wrong clock, then the right one again. Whatever happened, the right clock
/// and the next signature of the publisher make it well; a clock decades ahead does no harm even offline.
#[test]
fn a_wrong_clock_that_is_corrected_bricks_nothing() {
    for strategy in ["restrict", "revoke", "maintain"] {
        let mut world = world_with(strategy);
        let first = world.origin.files();
        // Signed again, as happens every day.
        world.publishes("2026-11-27T00:00:00Z");
        let second = world.origin.files();
        for wrong in WRONG {
            world.folder = new_folder();
            world.origin.publish(first.clone());
            drop(world.installed("acme"));
            starts(&world, wrong);
            world.client("acme").refresh(at(wrong)).ok();
            if wrong > "2029" {
                assert_eq!(running(&starts(&world, "2026-11-25")), ["chat", "notes"], "{strategy} {wrong}, offline");
            }
            world.origin.publish(second.clone());
            let mut client = world.client("acme");
            client.refreshes("2026-11-27T00:00:00Z");
            let start = client.start(at("2026-11-27"));
            assert_eq!(running(&start), ["chat", "notes"], "{strategy} {wrong}");
            assert!(matches!(start.freshness, Freshness::Fresh { .. }), "{strategy} {wrong}: {:?}", start.freshness);
        }
    }
}

const WRONG: [&str; 9] = [
    "1970-01-01",
    "2001-09-09",
    "2026-11-24",
    "2026-12-20",
    "2027-11-23",
    "2028-06-01",
    "2038-01-19",
    "2099-01-01",
    "9999-12-30",
];

#[test]
fn a_refresh_is_due_before_anything_ends() {
    let world = World::new();
    let mut client = world.installed("acme");
    let seconds = |client: &mut Client, when: &str| client.refreshes(when).next_check.unix() - at(when).unix();
    assert_eq!(seconds(&mut client, NOW), 3600);
    assert_eq!(seconds(&mut client, "2026-11-29T23:30:00Z"), 900, "half of what is left");
    assert_eq!(seconds(&mut client, "2026-11-29T23:59:30Z"), 60, "but not all the time");
}
