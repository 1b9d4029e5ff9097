//! One tenant's client: other tenants' files, caches that are behind, and answers without a body.

use serde_json::json;
use tenantry::trust::TrustError;
use tenantry::trust::updater::{Answer, Caches, Refreshed, UpdateError};

use crate::simulated::Simulated;
use crate::world::{EARLIER, World, binding, complaint, mark, now, refresh};

const ALL: [&str; 3] = ["targets", "snapshot", "timestamp"];

/// The same keys, the next versions, another tenant's mark; the mark goes back afterwards.
fn publish_as(it: &mut Simulated, addr: &str, environment: &str, roles: &[&str]) {
    mark(it, addr, environment);
    it.publish(roles);
    mark(it, "a", "production");
}

fn is_foreign(error: &UpdateError, role: &str) -> bool {
    matches!(error, UpdateError::Trust(TrustError::ForeignTenant { role: found, .. }) if found == role)
}

#[test]
fn another_tenants_files_are_refused_in_every_role_and_leave_nothing_behind() {
    for (role, published) in [("timestamp", &["timestamp"][..]), ("snapshot", &["snapshot"]), ("targets", &["targets"])]
    {
        for (addr, environment) in [("b", "production"), ("a", "staging"), ("", "production")] {
            let world = World::ours("a");
            refresh(world.bound()).expect("sound");
            let before = world.everything();
            world.change(|it| {
                publish_as(it, addr, environment, published);
                let rest = ["targets", "snapshot", "timestamp"].into_iter().skip_while(|it| *it != role).skip(1);
                it.publish(&rest.collect::<Vec<_>>());
            });
            let error = refresh(world.bound()).expect_err("it is another tenant's");
            assert!(is_foreign(&error, role), "{role}, {addr}, {environment}: {error}");
            assert!(!error.is_retryable() && error.advice().contains("another tenant"));
            let kept = world.everything();
            assert_eq!(kept[&format!("{role}.json")], before[&format!("{role}.json")]);
            world.change(|it| it.publish(&ALL));
            assert_eq!(refresh(world.bound()).expect("healed"), Refreshed::Updated);
        }
    }
}

#[test]
fn a_foreign_timestamp_with_a_huge_version_locks_nobody_out() {
    let world = World::ours("a");
    refresh(world.bound()).expect("sound");
    let before = world.everything();
    let honest = world.repository.borrow().files["metadata/timestamp.json"].clone();
    world.change(|it| {
        it.says("timestamp", "version", json!(5_000_000));
        publish_as(it, "b", "production", &["timestamp"]);
    });
    assert!(is_foreign(&refresh(world.bound()).expect_err("refused"), "timestamp"));
    assert!(world.everything() == before, "not a byte is kept");
    world.change(|it| drop(it.files.insert("metadata/timestamp.json".into(), honest)));
    assert_eq!(refresh(world.bound()).expect("healed"), Refreshed::Unchanged);
}

#[test]
fn a_first_start_on_another_tenants_files_keeps_only_the_shared_root() {
    let world = World::ours("b");
    assert!(is_foreign(&refresh(world.bound()).expect_err("refused"), "timestamp"));
    assert_eq!(world.everything().keys().collect::<Vec<_>>(), ["root.json", "root_history/1.root.json"]);
}

#[test]
fn files_without_a_mark_are_nobodys() {
    for broken in [json!(null), json!({}), json!({ "addr": "a" }), json!("a"), json!({ "environment": "production" })] {
        let world = World::ours("a");
        world.change(|it| {
            it.says("timestamp", "x-tenantry", broken.clone());
            it.publish(&["timestamp"]);
        });
        let error = refresh(world.bound()).expect_err("refused");
        assert!(is_foreign(&error, "timestamp"), "{broken}: {error}");
        refresh(world.client()).expect("without a binding it is a field like any other");
    }
}

#[test]
fn a_root_of_another_environment_is_refused_before_it_is_used_and_when_it_comes() {
    let world = World::ours("a");
    let foreign = tenantry::trust::Binding { environment: "staging".into(), ..binding("a") };
    assert!(is_foreign(&world.client().bound_to(foreign).err().expect("refused"), "root"));
    let unmarked = World::with(|_| {});
    assert!(is_foreign(&unmarked.client().bound_to(binding("a")).err().expect("refused"), "root"));

    world.change(|it| publish_as(it, "a", "staging", &["root"]));
    assert!(is_foreign(&refresh(world.bound()).expect_err("refused"), "root"));
    assert!(world.everything().is_empty(), "and nothing is kept of it");
}

#[test]
fn an_older_timestamp_is_a_stale_edge_and_what_is_there_stays() {
    let world = World::ours("a");
    let old = world.repository.borrow().files["metadata/timestamp.json"].clone();
    let first = world.repository.borrow().version("timestamp");
    world.change(|it| it.publish(&ALL));
    refresh(world.bound()).expect("sound");
    let before = world.everything();
    world.cached.borrow_mut().insert("timestamp.json".into(), Answer::Bytes(old));
    let refreshed = refresh(world.bound()).expect("no attack");
    let Refreshed::StaleEdge { trusted, served } = refreshed else { panic!("{refreshed:?}") };
    assert_eq!((trusted.get(), served.get()), (first + 1, first));
    assert!(world.everything() == before);
    assert_eq!(
        complaint(world.client()),
        format!(
            "the \"timestamp\" file goes back to version {first} of \"timestamp\"; version {} was trusted before",
            first + 1
        ),
        "without a binding the standard's words hold"
    );
}

#[test]
fn a_stale_edge_is_no_excuse_for_what_has_expired() {
    let world = World::ours("a");
    let old = world.repository.borrow().files["metadata/timestamp.json"].clone();
    world.change(|it| {
        it.says("timestamp", "expires", json!("2026-11-24T12:00:00Z"));
        it.publish(&ALL);
    });
    refresh(world.bound()).expect("sound");
    world.cached.borrow_mut().insert("timestamp.json".into(), Answer::Bytes(old));
    let later = tenantry::time::Timestamp::parse("2026-11-25T12:00:00Z").expect("a time");
    let error = world.bound().refresh(later).expect_err("what is held has expired");
    assert_eq!(error.to_string(), "the \"timestamp\" file expired on 2026-11-24T12:00:00Z");
}

#[test]
fn metadata_holds_until_the_second_before_it_expires() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let world = World::ours("a");
        world.change(|it| {
            it.says(role, "expires", json!("2026-11-24T12:00:00Z"));
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
        });
        let at = |time: &str| world.bound().refresh(tenantry::time::Timestamp::parse(time).expect("a time"));
        assert!(at("2026-11-24T11:59:59Z").is_ok(), "{role}");
        let error = at("2026-11-24T12:00:00Z").expect_err("it has expired");
        assert_eq!(error.to_string(), format!("the \"{role}\" file expired on 2026-11-24T12:00:00Z"));
    }
}

#[test]
fn a_length_beyond_all_measure_is_not_even_asked_for() {
    let world = World::ours("a");
    world.change(|it| {
        it.publish(&["snapshot"]);
        it.signed.get_mut("timestamp").expect("a timestamp")["meta"]["snapshot.json"]["length"] = json!(50_000_001);
        it.publish(&["timestamp"]);
    });
    assert_eq!(complaint(world.bound()), "`3.snapshot.json` is longer than 50000000 bytes");
    assert_eq!(world.take_requests(), ["2.root.json", "timestamp.json"]);
}

#[test]
fn a_stale_edge_does_not_keep_what_is_missing_from_being_fetched() {
    let world = World::ours("a");
    let old = world.repository.borrow().files["metadata/timestamp.json"].clone();
    world.change(|it| it.publish(&ALL));
    refresh(world.bound()).expect("sound");
    let whole = world.everything();
    for lost in ["snapshot.json", "targets.json"] {
        world.kept.borrow_mut().remove(lost);
    }
    world.cached.borrow_mut().insert("timestamp.json".into(), Answer::Bytes(old));
    assert!(matches!(refresh(world.bound()), Ok(Refreshed::StaleEdge { .. })));
    assert!(world.everything() == whole);
}

#[test]
fn an_older_timestamp_that_is_foreign_is_foreign_and_not_stale() {
    let world = World::ours("a");
    world.change(|it| {
        it.says("timestamp", "version", json!(0));
        publish_as(it, "b", "production", &["timestamp"]);
        let foreign = it.files["metadata/timestamp.json"].clone();
        it.publish(&["timestamp"]);
        it.publish(&["timestamp"]);
        it.files.insert("foreign".into(), foreign);
    });
    refresh(world.bound()).expect("sound");
    let foreign = world.repository.borrow().files["foreign"].clone();
    world.cached.borrow_mut().insert("timestamp.json".into(), Answer::Bytes(foreign));
    assert!(is_foreign(&refresh(world.bound()).expect_err("refused"), "timestamp"));
}

#[test]
fn not_modified_stands_for_the_timestamp_that_is_held() {
    let world = World::ours("a");
    refresh(world.bound()).expect("sound");
    let asked = world.asked.take();
    assert!(asked.iter().all(|(_, held, _)| !held), "there was nothing to compare with");
    world.cached.borrow_mut().insert("timestamp.json".into(), Answer::Unchanged);
    assert_eq!(refresh(world.bound()).expect("sound"), Refreshed::Unchanged);
    let asked = world.asked.take();
    let expected = [("2.root.json", false), ("timestamp.json", true)];
    assert_eq!(asked.iter().map(|(name, held, _)| (name.as_str(), *held)).collect::<Vec<_>>(), expected);
}

#[test]
fn not_modified_stands_for_nothing_where_nothing_is_held() {
    let world = World::ours("a");
    for name in ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"] {
        world.cached.borrow_mut().clear();
        world.cached.borrow_mut().insert(name.into(), Answer::Unchanged);
        world.cached.borrow_mut().insert("2.snapshot.json".into(), Answer::Unchanged);
        let said = complaint(world.bound());
        assert!(said.starts_with("cannot fetch"), "{said}");
    }
}

#[test]
fn an_expired_timestamp_that_is_not_modified_has_still_expired() {
    let world = World::ours("a");
    world.change(|it| {
        it.says("timestamp", "expires", json!("2026-11-24T12:00:00Z"));
        it.publish(&["timestamp"]);
    });
    refresh(world.bound()).expect("sound");
    world.cached.borrow_mut().insert("timestamp.json".into(), Answer::Unchanged);
    let later = tenantry::time::Timestamp::parse("2026-11-25T12:00:00Z").expect("a time");
    assert!(matches!(world.bound().refresh(later), Err(UpdateError::Trust(TrustError::Expired { .. }))));
}

#[test]
fn a_new_root_that_a_cache_says_is_not_there_is_asked_for_past_the_cache() {
    for role in ["timestamp", "snapshot", "targets"] {
        let world = World::ours("a");
        refresh(world.bound()).expect("sound");
        world.change(|it| {
            it.rotate(role);
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
        });
        world.cached.borrow_mut().insert("2.root.json".into(), Answer::Missing);
        world.asked.take();
        assert_eq!(refresh(world.bound()).expect("the cache is passed by"), Refreshed::Updated, "{role}");
        let asked = world.asked.take();
        let roots = asked.iter().filter(|(name, ..)| name == "2.root.json").map(|(_, _, caches)| *caches);
        assert_eq!(roots.collect::<Vec<_>>(), [Caches::Allowed, Caches::Bypassed]);
        world.kept.borrow_mut().clear();
        assert!(refresh(world.client()).is_err(), "without a binding nothing is asked twice");
    }
}

#[test]
fn a_file_that_a_cache_has_damaged_is_asked_for_past_the_cache() {
    for name in ["3.snapshot.json", "3.targets.json"] {
        let world = World::ours("a");
        refresh(world.bound()).expect("sound");
        world.change(|it| it.publish(&ALL));
        let sound = world.repository.borrow().files[&format!("metadata/{name}")].clone();
        let flipped = sound.iter().map(|it| it ^ 1).collect();
        let longer = [&sound[..], b" "].concat();
        let before = world.everything();
        for damaged in [
            Answer::Bytes(sound[1..].to_vec()),
            Answer::Bytes(flipped),
            Answer::Bytes(longer),
            Answer::Bytes(b"<html>".to_vec()),
            Answer::Missing,
        ] {
            world.kept.replace(before.clone());
            world.cached.borrow_mut().insert(name.into(), damaged.clone());
            refresh(world.client()).expect_err("without a binding nothing is asked twice");
            world.kept.replace(before.clone());
            world.asked.take();
            assert_eq!(refresh(world.bound()).expect("it is sound past the cache"), Refreshed::Updated, "{name}");
            let asked = world.asked.take();
            let twice = asked.iter().filter(|(it, ..)| it == name).map(|(_, _, caches)| *caches);
            assert_eq!(twice.collect::<Vec<_>>(), [Caches::Allowed, Caches::Bypassed]);
        }
    }
}

#[test]
fn a_wrong_signature_with_no_new_root_is_a_wrong_signature() {
    let world = World::ours("a");
    refresh(world.bound()).expect("sound");
    world.change(|it| {
        let pen = it.pens["targets"][0].clone();
        it.pens.insert("timestamp".into(), vec![pen]);
        it.publish(&["timestamp"]);
    });
    assert_eq!(complaint(world.bound()), "0 of 1 keys have signed the \"timestamp\" file");
}

#[test]
fn a_snapshot_that_was_mixed_up_with_the_same_version_is_fetched_anew() {
    let world = World::ours("a");
    refresh(world.bound()).expect("sound");
    let whole = world.everything();
    world.change(|it| {
        // Signed by the same keys, the same version, the same tenant, and not the file that the timestamp names.
        let version = it.version("snapshot");
        it.says("snapshot", "other", json!(true));
        let other = it.file("snapshot");
        assert_eq!(it.version("snapshot"), version);
        it.files.insert("other".into(), other);
    });
    let other = world.repository.borrow().files["other"].clone();
    world.kept.borrow_mut().insert("snapshot.json".into(), other);
    assert_eq!(refresh(world.bound()).expect("sound"), Refreshed::Unchanged);
    assert!(world.everything() == whole);
}

#[test]
fn publications_are_never_mixed() {
    // Without versions in the names of files, a cache can serve any mixture of two publications.
    let parts = ["timestamp.json", "snapshot.json", "targets.json"];
    for mixture in 0..8_u8 {
        let world = World::ours("a");
        world.change(|it| {
            it.says("root", "consistent_snapshot", json!(false));
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
        });
        let old = world.repository.borrow().files.clone();
        world.change(|it| it.publish(&ALL));
        for part in parts.iter().enumerate().filter(|(at, _)| mixture & (1 << at) != 0).map(|(_, part)| *part) {
            let bytes = old[&format!("metadata/{part}")].clone();
            world.cached.borrow_mut().insert(part.into(), Answer::Bytes(bytes));
        }
        let is_whole = matches!(mixture, 0 | 7);
        assert_eq!(refresh(world.client()).is_ok(), is_whole, "{mixture:03b}");
        world.kept.borrow_mut().clear();
        // The cache can be passed by, and behind it lies the newer publication.
        let is_newer = mixture & 1 == 0;
        let refreshed = refresh(world.bound());
        assert_eq!(refreshed.is_ok(), is_whole || is_newer, "{mixture:03b}: {refreshed:?}");
        let kept = world.everything();
        if refreshed.is_ok() {
            let new = world.repository.borrow().files.clone();
            let publication = if is_newer { &new } else { &old };
            assert!(parts.iter().all(|it| kept[*it] == publication[&format!("metadata/{it}")]), "{mixture:03b}");
        }
    }
}

#[test]
fn every_refusal_says_what_to_do() {
    let at = tenantry::time::Timestamp::parse(EARLIER).expect("a time");
    let role = || "timestamp".to_owned();
    let errors = [
        TrustError::Shape { role: role(), why: "x".into() },
        TrustError::Pin { role: role(), why: "x".into() },
        TrustError::Signatures { role: role(), good: 0, threshold: 1 },
        TrustError::Version { role: role(), expected: 1, found: 2 },
        TrustError::Rollback { role: role(), of: role(), found: 1, trusted: 2 },
        TrustError::Dropped { role: role(), of: "team.json".into() },
        TrustError::Expired { role: role(), at },
        TrustError::ForeignTenant { role: role(), found: "x".into() },
        TrustError::Unnamed { role: role() },
    ];
    for error in errors {
        assert_eq!(error.role(), "timestamp");
        let said = error.to_string();
        assert!(said.contains("timestamp") && !said.ends_with('.'), "{said}");
        assert!(error.advice().len() > 20 && !error.advice().ends_with('.'), "{said}");
        assert_eq!(error.is_retryable(), !matches!(error, TrustError::ForeignTenant { .. }), "{said}");
    }
    assert!(!TrustError::Expired { role: "root".into(), at }.is_retryable(), "only a ceremony helps");
    assert!(world_is_over().is_retryable());
}

fn world_is_over() -> UpdateError {
    let world = World::ours("a");
    world.change(|it| drop(it.files.remove("metadata/timestamp.json")));
    let mut client = world.bound();
    let error = client.refresh(now()).expect_err("it is missing");
    assert_eq!(error.to_string(), "`timestamp.json` is not in the repository");
    error
}
