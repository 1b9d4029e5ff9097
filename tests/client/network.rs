//! Servers and caches that fail, lie, or are behind.

use std::collections::BTreeMap;

use tenantry::client::{Caches, Client, Config, Optional, Retry, Verdict};

use crate::device::{Device as _, World, at, running, verdicts};
use crate::listing::files;
use crate::origin::Fault;
use crate::project::{self, NOW, Project};

const NEXT: &str = "2026-11-24T00:00:00Z";

/// `chat` in version 2, with so many bytes that do not compress.
fn publishes_chat(world: &World, when: &str, bytes: usize) {
    for (path, text) in project::program("chat", "") {
        let text = text.replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0");
        world.project.write(&path.replace("chat/", "chat-2/"), text);
    }
    let mut noise = blake3::Hasher::new().finalize_xof();
    let mut large = vec![0; bytes];
    noise.fill(&mut large);
    world.project.write("catalog/programs/chat-2/app/large.bin", large);
    world.publishes(when);
}

/// A device that has version 1 of `chat`, and a server that has version 2.
fn behind() -> (World, Client) {
    let world = World::new();
    let client = world.installed("acme");
    publishes_chat(&world, NEXT, 100);
    world.origin.take_asked();
    (world, client)
}

/// The path of the new bundle.
fn new_bundle(world: &World) -> String {
    let held = files(&world.dir().join("objects")).into_keys().map(|it| it[..64].to_owned()).collect::<Vec<_>>();
    let keys = world.origin.files().into_keys();
    let addr = world.project.addr("acme");
    let mut bundles = keys.filter(|it| it.starts_with("o/") && !it.ends_with(".json"));
    let targets: String = world
        .origin
        .files()
        .iter()
        .filter(|(key, _)| key.starts_with(&format!("t/{addr}/2.targets")))
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    bundles.find(|it| targets.contains(&it[67..]) && !held.contains(&it[67..].to_owned())).expect("a new bundle")
}

/// Refused with a code; the old set starts, and the next refresh without the fault brings the new one.
#[track_caller]
fn keeps_the_old_and_heals(world: &World, client: &mut Client, expected: (&str, Retry)) {
    let error = client.refused(NEXT);
    assert_eq!((error.code(), error.retry()), expected, "{error}");
    assert_eq!(error.kept.publication, Some(1), "{error}");
    assert!(error.to_string().ends_with("publication 1 is kept and starts as before"), "{error}");
    assert!(!error.help().is_empty());
    assert_eq!(running(&client.start(at(NEXT))), ["chat", "notes"], "{error}");
    client.confirm_start().expect("confirms");
    world.origin.heal();
    client.takes_up(NEXT);
    let chat = client.look(at(NEXT)).program("com.example.chat").and_then(|it| it.version.clone()).expect("a version");
    assert_eq!(chat.code, 2);
}

#[test]
fn whatever_goes_wrong_with_the_timestamp_the_old_set_stays() {
    for (fault, expected) in [
        (Fault::Unreachable, ("unreachable", Retry::Later)),
        (Fault::Status(503), ("server", Retry::Later)),
        (Fault::Status(429), ("server", Retry::Later)),
        (Fault::Missing, ("missing", Retry::Later)),
        (Fault::CutAfter(100), ("cut-short", Retry::Now)),
        (Fault::HangsAfter(10), ("too-slow", Retry::Later)),
        (Fault::TruncatedTo(300), ("not-metadata", Retry::Later)),
        (Fault::Flipped(40), ("signatures", Retry::Later)),
        (Fault::Instead(b"<!DOCTYPE html><title>Sign in</title>".to_vec()), ("not-our-server", Retry::Later)),
        (Fault::Instead(b"\xef\xbb\xbf{}".to_vec()), ("not-metadata", Retry::Later)),
        (Fault::Instead(Vec::new()), ("not-metadata", Retry::Later)),
        (Fault::Endless, ("too-long", Retry::Later)),
        (Fault::Redirected, ("redirected", Retry::Later)),
    ] {
        let (world, mut client) = behind();
        world.origin.breaks("timestamp.json", fault);
        keeps_the_old_and_heals(&world, &mut client, expected);
    }
}

#[test]
fn whatever_goes_wrong_with_a_bundle_the_old_set_stays() {
    for (fault, expected) in [
        (Fault::Unreachable, ("unreachable", Retry::Later)),
        (Fault::Status(500), ("server", Retry::Later)),
        (Fault::Missing, ("missing", Retry::Later)),
        (Fault::CutAfter(100), ("cut-short", Retry::Now)),
        (Fault::HangsAfter(10), ("too-slow", Retry::Later)),
        (Fault::TruncatedTo(300), ("damaged", Retry::Later)),
        (Fault::Flipped(40), ("damaged", Retry::Later)),
        (Fault::Instead(b"<html>".to_vec()), ("damaged", Retry::Later)),
        (Fault::Endless, ("too-long", Retry::Later)),
        (Fault::Redirected, ("redirected", Retry::Later)),
    ] {
        let (world, mut client) = behind();
        world.origin.breaks(&new_bundle(&world), fault);
        keeps_the_old_and_heals(&world, &mut client, expected);
    }
}

#[test]
fn whatever_goes_wrong_with_the_manifest_the_old_set_stays() {
    for (fault, expected) in [
        (Fault::Missing, ("missing", Retry::Later)),
        (Fault::TruncatedTo(300), ("damaged", Retry::Later)),
        (Fault::Flipped(40), ("damaged", Retry::Later)),
        (Fault::Endless, ("too-long", Retry::Later)),
        (Fault::Status(502), ("server", Retry::Later)),
    ] {
        let (world, mut client) = behind();
        world.origin.breaks("manifest.json", fault);
        keeps_the_old_and_heals(&world, &mut client, expected);
    }
}

/// A bucket that may not be listed says 403 about a root that is not there yet, a portal says anything.
#[test]
fn a_missing_next_root_is_the_normal_case_and_nothing_else_is() {
    let world = World::new();
    let mut client = world.installed("acme");
    for (fault, expected) in [
        (Fault::Status(500), "server"),
        (Fault::Unreachable, "unreachable"),
        (Fault::Instead(b"<html>".to_vec()), "not-our-server"),
        (Fault::Endless, "too-long"),
    ] {
        world.origin.breaks("root/", fault);
        assert_eq!(client.refused(NOW).code(), expected);
        world.origin.heal();
        client.refreshes(NOW);
    }
}

#[test]
fn a_cache_that_is_wrong_is_passed_by() {
    for fault in [Fault::Missing, Fault::Flipped(99), Fault::TruncatedTo(10), Fault::Endless] {
        for part in ["manifest.json", "bundle"] {
            let (world, mut client) = behind();
            let path = if part == "bundle" { new_bundle(&world) } else { part.to_owned() };
            world.origin.caches(&path, fault.clone());
            client.takes_up(NEXT);
            let asked = world.origin.take_asked();
            let ways: Vec<Caches> = asked.iter().filter(|it| it.path.contains(&path)).map(|it| it.get.caches).collect();
            assert_eq!(ways, [Caches::Allowed, Caches::Bypassed], "{part} {fault:?}");
        }
    }
}

/// A download of 300 kB that stops after 100 kB goes on there, in the same refresh or days later.
#[test]
fn a_download_goes_on_where_it_stopped() {
    let world = World::new();
    drop(world.installed("acme"));
    publishes_chat(&world, NEXT, 300_000);
    let path = new_bundle(&world);
    let length = world.origin.files()[&path].len() as u64;

    let mut client = world.client("acme");
    world.origin.breaks(&path, Fault::HangsAfter(100_000));
    assert_eq!(client.refused(NEXT).code(), "too-slow");
    drop(client);
    world.origin.heal();
    world.origin.take_asked();
    world.origin.breaks_once(&path, Fault::CutAfter(50_000));
    let mut client = world.client("acme");
    let update = client.refreshes(NEXT);
    let asked: Vec<_> = world.origin.take_asked().into_iter().filter(|it| it.path == path).collect();
    let from: Vec<(u64, u64)> = asked.iter().map(|it| (it.get.from, it.sent)).collect();
    assert_eq!(from, [(100_000, length - 100_000), (150_000, length - 150_000)]);
    assert!(asked.iter().all(|it| it.get.if_range.is_some()));
    assert!(update.traffic.bytes < length, "{:?}", update.traffic);
    client.activate().expect("activates");
    assert_eq!(running(&client.start(at(NEXT))), ["chat", "notes"]);
}

#[test]
fn a_part_that_does_not_fit_is_thrown_away() {
    for spoil in [
        // Other bytes of the same length: found when the whole is there.
        |world: &World, _: &str| {
            let part = part(world);
            let bytes = vec![0; std::fs::read(&part).expect("a part").len()];
            std::fs::write(part, bytes).expect("writes");
            world.origin.heal();
        },
        // The server sends from somewhere else than it was asked to.
        |world: &World, path: &str| {
            world.origin.heal();
            world.origin.breaks_once(path, Fault::WrongPart);
        },
        // The part is longer than the archive.
        |world: &World, _: &str| {
            std::fs::write(part(world), vec![0; 400_000]).expect("writes");
            world.origin.heal();
        },
        // Its name says that it is a part of another version.
        |world: &World, _: &str| {
            let old = part(world);
            let name = old.file_name().expect("a name").to_string_lossy().into_owned();
            let sha256 = name.split('.').next().expect("a digest").to_owned();
            std::fs::rename(&old, old.with_file_name(format!("{sha256}.2261626322.part"))).expect("renames");
            world.origin.heal();
        },
    ] {
        let world = World::new();
        let mut client = world.installed("acme");
        publishes_chat(&world, NEXT, 300_000);
        let path = new_bundle(&world);
        world.origin.breaks(&path, Fault::HangsAfter(100_000));
        assert_eq!(client.refused(NEXT).code(), "too-slow");
        spoil(&world, &path);
        client.takes_up(NEXT);
        assert_eq!(std::fs::read_dir(world.dir().join("tmp")).expect("a folder").count(), 0);
    }
}

fn part(world: &World) -> std::path::PathBuf {
    let mut names =
        std::fs::read_dir(world.dir().join("tmp")).expect("a folder").map(|it| it.expect("an entry").path());
    names.find(|it| it.extension().is_some_and(|it| it == "part")).expect("a part of a download")
}

#[test]
fn an_optional_program_that_does_not_come_holds_nobody_up() {
    let project = Project::small();
    project.edit(
        "catalog/plans/business.yaml",
        "- app_id: com.example.chat",
        "- { app_id: com.example.chat, optional: true }",
    );
    let world = World::of(project);
    let config = Config { optional: Optional::Fetched, ..world.config("acme") };
    let mut client = world.try_client(config).expect("opens");
    // The bundle with chat's page; the one of notes is the other one.
    let bundles: BTreeMap<String, Vec<u8>> =
        world.origin.files().into_iter().filter(|(key, _)| key.starts_with("o/") && !key.ends_with(".json")).collect();
    let is_chat = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("<h1>chat");
    let chat = bundles.iter().find(|(_, bytes)| is_chat(bytes)).expect("the bundle of chat").0;
    world.origin.breaks(chat, Fault::Missing);
    let update = client.refreshes(NOW);
    let missing: Vec<_> = update.missing.iter().map(|it| (&*it.app_id, it.code)).collect();
    assert_eq!(missing, [("com.example.chat", "missing")]);
    client.activate().expect("activates");
    assert_eq!(verdicts(&client.start(at(NOW))), [("chat", Verdict::NotInstalled), ("notes", Verdict::Runs)]);
    world.origin.heal();
    assert!(client.refreshes(NOW).missing.is_empty());
    assert_eq!(running(&client.look(at(NOW))), ["chat", "notes"]);
}

#[test]
fn what_came_before_a_failure_is_not_fetched_again() {
    let (world, mut client) = behind();
    world.origin.breaks("o/", Fault::Status(503));
    assert_eq!(client.refused(NEXT).code(), "server");
    world.origin.heal();
    world.origin.breaks(&new_bundle(&world), Fault::Status(503));
    assert_eq!(client.refused(NEXT).code(), "server");
    world.origin.heal();
    world.origin.take_asked();
    client.takes_up(NEXT);
    let asked = world.origin.take_paths();
    assert_eq!(asked.iter().filter(|it| it.contains("manifest") || it.contains("targets")).count(), 0, "{asked:?}");
}

/// PoPs that alternate between old and new: never back, and no error.
#[test]
fn an_edge_that_is_behind_changes_nothing() {
    let world = World::new();
    let mut client = world.installed("acme");
    let old = world.origin.files();
    publishes_chat(&world, NEXT, 100);
    let new = world.origin.files();
    client.takes_up(NEXT);
    let times = ["2026-11-24T01:00:00Z", "2026-11-24T02:00:00Z", "2026-11-24T03:00:00Z"];
    for (at, time) in times.into_iter().enumerate() {
        let mut mixed = new.clone();
        mixed.extend(old.clone().into_iter().filter(|(key, _)| key.ends_with("timestamp.json")));
        world.origin.publish(mixed);
        let update = client.refreshes(time);
        let edge = update.stale_edge.expect("an old copy was served");
        assert_eq!((edge.known, edge.served, edge.since), (2, 1, crate::project::time(times[0])), "refresh {at}");
        assert_eq!((update.publication, update.staged), (2, None));
        assert!(update.next_check.unix() - crate::project::time(time).unix() <= 300);
    }
    world.origin.publish(new);
    assert_eq!(client.refreshes("2026-11-24T04:00:00Z").stale_edge, None);
}

/// All mixes of the files of two publications: refused, or one of the two whole.
#[test]
fn files_of_two_publications_do_not_mix() {
    let world = World::new();
    let addr = world.project.addr("acme");
    let old = world.origin.files();
    publishes_chat(&world, NEXT, 100);
    let new = world.origin.files();
    let kind = |key: &str| match key {
        _ if key.ends_with("timestamp.json") => 0,
        _ if key.ends_with("snapshot.json") => 1,
        _ if key.ends_with("targets.json") => 2,
        _ if key.ends_with("manifest.json") => 3,
        _ if key.starts_with("o/") => 4,
        _ => 5,
    };
    let (mut whole, mut refused) = (0, 0);
    for mix in 0..1_u32 << 6 {
        // Under the newer file's name the older one's bytes, where the mix says so.
        let swapped = |key: &String, bytes: &Vec<u8>| {
            let older = old.keys().find(|it| kind(it) == kind(key) && it.contains(&addr) && !new.contains_key(*it));
            match (mix >> kind(key) & 1, older.or(Some(key)).and_then(|it| old.get(it))) {
                (1, Some(older)) if key.contains(&addr) => older.clone(),
                (1, None) if kind(key) == 4 => b"gone".to_vec(),
                _ => bytes.clone(),
            }
        };
        world.origin.publish(new.iter().map(|(key, bytes)| (key.clone(), swapped(key, bytes))).collect());
        std::fs::remove_dir_all(world.dir()).ok();
        let mut client = world.client("acme");
        match client.refresh(at(NEXT)) {
            Ok(update) => {
                whole += 1;
                assert!(update.publication == 2 || update.publication == 1, "{mix:b}");
                client.activate().expect("activates");
                assert_eq!(running(&client.start(at(NEXT))), ["chat", "notes"], "{mix:b}");
            }
            Err(error) => {
                refused += 1;
                assert_eq!(client.start(at(NEXT)).set, None, "{mix:b} {error}");
            }
        }
    }
    assert!(whole >= 2 && refused >= 32, "{whole} whole, {refused} refused");
}

#[test]
fn another_tenants_files_are_refused_and_nothing_of_them_is_kept() {
    let tenants = ["acme", "bolt", "corn"];
    let world = World::new();
    let honest = world.origin.files();
    for one in tenants {
        for other in tenants.into_iter().filter(|it| *it != one) {
            let (own, foreign) = (world.project.addr(one), world.project.addr(other));
            let swapped = honest.iter().map(|(key, bytes)| {
                let source = key.replace(&format!("t/{own}/"), &format!("t/{foreign}/"));
                (key.clone(), honest.get(&source).unwrap_or(bytes).clone())
            });
            let swapped: BTreeMap<_, _> = swapped.collect();
            for is_installed in [false, true] {
                std::fs::remove_dir_all(world.dir()).ok();
                world.origin.publish(honest.clone());
                if is_installed {
                    drop(world.installed(one));
                }
                let before = files(&world.dir());
                world.origin.publish(swapped.clone());
                let mut client = world.client(one);
                let error = client.refused(NOW);
                assert_eq!((error.code(), error.retry()), ("foreign-tenant", Retry::Never), "{error}");
                let mut after = files(&world.dir());
                after.retain(|name, _| !name.starts_with("trusted/root"));
                assert!(
                    after
                        .iter()
                        .all(|(name, bytes)| before.get(name) == Some(bytes)
                            || ["lock", "tenant.json"].contains(&&**name)),
                    "{:?}",
                    after.keys()
                );
                world.origin.publish(honest.clone());
                client.refreshes(NOW);
            }
        }
    }
}

#[test]
fn more_than_was_declared_is_never_read() {
    let (world, mut client) = behind();
    world.origin.breaks("t/", Fault::Endless);
    client.refused(NEXT);
    world.origin.heal();
    world.origin.breaks("manifest.json", Fault::Endless);
    client.refused(NEXT);
    world.origin.heal();
    let path = new_bundle(&world);
    let length = world.origin.files()[&path].len() as u64;
    world.origin.breaks(&path, Fault::Endless);
    client.refused(NEXT);
    let asked = world.origin.take_asked();
    let caps: Vec<u64> = asked.iter().filter(|it| it.path == path).map(|it| it.get.max).collect();
    assert_eq!(caps, [length; 2], "asked twice, the second time past every cache");
}

#[test]
fn a_manifest_larger_than_this_shell_reads_is_refused() {
    let world = World::new();
    let mut config = world.config("acme");
    config.limits.max_manifest = 100;
    let error = world.try_client(config).expect("opens").refused(NOW);
    assert_eq!(error.code(), "manifest", "{error}");
    let mut config = world.config("acme");
    config.limits.max_archive = 100;
    let error = world.try_client(config).expect("opens").refused(NOW);
    assert_eq!(error.code(), "manifest", "{error}");
}

/// Thirty rotations behind: one refresh catches up.
#[test]
fn a_device_that_slept_through_many_roots_catches_up() {
    let world = World::new();
    let mut client = world.installed("acme");
    for _ in 0..30 {
        world.project.run(&["keys", "rotate", "root", "--renew"]).ok();
    }
    world.publishes(NEXT);
    client.refreshes(NEXT);
    assert_eq!(std::fs::read_dir(world.dir().join("trusted/root_history")).expect("a folder").count(), 31);
    world.origin.take_asked();
    client.refreshes(NEXT);
    assert_eq!(world.origin.take_asked().len(), 2);
}

/// The damage is on the disk this time: with its own copy of the timestamp gone, the device still knows the number.
#[test]
fn a_rollback_is_refused_though_the_trusted_metadata_is_damaged() {
    let world = World::new();
    let mut client = world.installed("acme");
    let old = world.origin.files();
    publishes_chat(&world, NEXT, 100);
    let new = world.origin.files();
    client.takes_up(NEXT);
    for name in ["timestamp.json", "snapshot.json", "targets.json"] {
        std::fs::write(world.dir().join("trusted").join(name), "{}").expect("writes");
    }
    world.origin.publish(old);
    let error = client.refused(NEXT);
    assert_eq!((error.code(), error.kept.publication), ("rollback", Some(2)), "{error}");
    world.origin.publish(new);
    assert_eq!(client.refreshes(NEXT).publication, 2);
}
