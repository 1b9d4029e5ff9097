//! What lies on the disk: damaged, missing, another tenant's, in two hands.

use std::collections::BTreeMap;
use std::fs;

use tenantry::client::{Activated, Client, Config, Start, Verdict};

use crate::device::{Device as _, World, at, new_folder, running, text, verdicts};
use crate::listing::files;
use crate::project::{self, NOW};

const NEXT: &str = "2026-11-24T00:00:00Z";

/// What every file of every program that runs says; what a user would see.
fn shown(start: &Start) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    for program in start.runnable() {
        for folder in program.folder.iter().chain(&program.overlay) {
            let found = files(folder).into_iter();
            shown.extend(found.map(|(path, bytes)| {
                (format!("{}/{path}", program.app_id), String::from_utf8_lossy(&bytes).into_owned())
            }));
        }
    }
    shown
}

/// Every file of the folder but the lock, which is empty.
fn kept(world: &World) -> BTreeMap<String, Vec<u8>> {
    files(&world.dir()).into_iter().filter(|(name, _)| name != "lock").collect()
}

/// A device with version 1 of `chat` confirmed, and version 2 of it activated but not confirmed.
fn updated() -> World {
    let world = World::new();
    drop(world.installed("acme"));
    for (path, text) in project::program("chat", "") {
        let text =
            text.replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0").replace("<h1>chat</h1>", "<h1>chat 2</h1>");
        world.project.write(&path.replace("chat/", "chat-2/"), text);
    }
    world.publishes(NEXT);
    let mut client = world.client("acme");
    client.refreshes(NEXT);
    client.activate().expect("activates");
    world
}

/// Does something to each file at rest in turn: nothing that was not signed for is ever shown, a start always works,
/// and one refresh makes it all as it was.
#[track_caller]
fn survives_anywhere(world: &World, what: &str, meddle: impl Fn(&std::path::Path, &[u8])) -> usize {
    let good = shown(&world.client("acme").look(at(NEXT)));
    let old: BTreeMap<String, String> =
        good.iter().map(|(path, text)| (path.clone(), text.replace("<h1>chat 2</h1>", "<h1>chat</h1>"))).collect();
    let before = files(&world.dir());
    let cases = kept(world);
    for (name, bytes) in &cases {
        meddle(&world.dir().join(name), bytes);
        let mut client = world.client("acme");
        let start = client.start(at(NEXT));
        for (path, text) in shown(&start) {
            assert!(
                good.get(&path) == Some(&text) || old.get(&path) == Some(&text),
                "{what} {name}: {path} shows {text}"
            );
        }
        // Whole sets start whole; where a file of the only set with it is gone, the other programs still start.
        let least: usize = if name.starts_with("objects/") { 1 } else { 2 };
        assert!(running(&start).len() >= least, "{what} {name}: {start:#?}");
        client.refresh(at(NEXT)).unwrap_or_else(|error| panic!("{what} {name}: {error}"));
        client.activate().expect("activates");
        let healed = client.start(at(NEXT));
        assert_eq!(shown(&healed), good, "{what} {name}: {:#?}", healed.notes);
        drop(client);
        restore(world, &before);
    }
    cases.len()
}

fn restore(world: &World, before: &BTreeMap<String, Vec<u8>>) {
    fs::remove_dir_all(world.dir()).expect("it was there");
    for (name, bytes) in before {
        let path = world.dir().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("makes a folder");
        fs::write(path, bytes).expect("writes");
    }
}

#[test]
fn a_bit_that_flips_in_any_file_is_found_and_mended() {
    for (eighth, bit) in [(0, 0), (2, 3), (4, 6), (7, 1)] {
        let world = updated();
        let cases = survives_anywhere(&world, "flip", |path, bytes| {
            let mut bytes = bytes.to_vec();
            let at = (bytes.len() - 1) * eighth / 7;
            bytes[at] ^= 1 << bit;
            fs::write(path, bytes).expect("writes");
        });
        assert!(cases >= 15, "{cases} files");
    }
}

#[test]
fn a_file_that_is_missing_or_empty_or_cut_is_found_and_mended() {
    survives_anywhere(&updated(), "remove", |path, _| fs::remove_file(path).expect("removes"));
    survives_anywhere(&updated(), "empty", |path, _| fs::write(path, "").expect("writes"));
    survives_anywhere(&updated(), "cut", |path, bytes| fs::write(path, &bytes[..bytes.len() / 2]).expect("writes"));
    survives_anywhere(&updated(), "longer", |path, bytes| fs::write(path, [bytes, b" "].concat()).expect("writes"));
}

/// The system took whole folders to make room.
#[test]
fn folders_that_were_evicted_are_fetched_again() {
    let folders = ["objects", "sets", "trusted", "manifests", "tmp"];
    for subset in 1..1 << folders.len() {
        let world = World::new();
        drop(world.installed("acme"));
        for (_, folder) in folders.iter().enumerate().filter(|(at, _)| subset & 1 << at != 0) {
            fs::remove_dir_all(world.dir().join(folder)).ok();
        }
        let mut client = world.client("acme");
        let start = client.start(at(NOW));
        if subset & 0b11 == 0 {
            assert_eq!(running(&start), ["chat", "notes"], "{subset:b}");
        }
        client.refreshes(NOW);
        client.activate().expect("activates");
        assert_eq!(running(&client.start(at(NOW))), ["chat", "notes"], "{subset:b}");
    }
}

#[test]
fn a_file_that_was_added_to_a_program_is_not_shown() {
    let world = World::new();
    drop(world.installed("acme"));
    let mut client = world.client("acme");
    let folder = client.look(at(NOW)).program("com.example.chat").and_then(|it| it.folder.clone()).expect("a folder");
    fs::write(folder.join("more.js"), "alert(1)").expect("writes");
    assert_eq!(verdicts(&client.start(at(NOW))), [("chat", Verdict::Damaged), ("notes", Verdict::Runs)]);
    client.refreshes(NOW);
    assert_eq!(running(&client.start(at(NOW))), ["chat", "notes"]);
    assert!(!folder.join("more.js").exists());
}

#[cfg(unix)]
#[test]
fn a_link_among_the_files_of_a_program_is_not_followed() {
    let world = World::new();
    drop(world.installed("acme"));
    let mut client = world.client("acme");
    let page = client.look(at(NOW)).program("com.example.chat").and_then(|it| it.file("index.html")).expect("a page");
    let elsewhere = world.folder.path().join("elsewhere.html");
    fs::rename(&page, &elsewhere).expect("moves");
    std::os::unix::fs::symlink(&elsewhere, &page).expect("links");
    assert_eq!(verdicts(&client.start(at(NOW)))[0], ("chat", Verdict::Damaged));
    client.refreshes(NOW);
    assert!(elsewhere.exists(), "and nothing behind it is touched");
}

#[test]
fn damage_between_download_and_activation_is_found() {
    let world = World::new();
    let mut client = world.client("acme");
    let set = client.refreshes(NOW).staged.expect("it waits");
    let page = files(&world.dir()).into_keys().find(|it| it.starts_with("objects/") && it.ends_with("index.html"));
    fs::write(world.dir().join(page.expect("a page")), "<h1>mine</h1>").expect("writes");
    assert_eq!(client.activate().expect("no failure"), Activated::Damaged { set });
    assert_eq!(client.start(at(NOW)).set, None);
    assert_eq!(running(&client.takes_up(NOW)), ["chat", "notes"]);
}

#[test]
fn one_client_writes_and_the_others_start_what_is_there() {
    let world = World::new();
    let mut writer = world.installed("acme");
    let mut reader = world.client("acme");
    let before = files(&world.dir());
    let start = reader.start(at(NOW));
    assert_eq!((running(&start), start.failed_starts), (vec!["chat", "notes"], 0));
    assert_eq!(files(&world.dir()), before, "a reader counts no start");
    for error in [
        reader.refresh(at(NOW)).expect_err("busy"),
        reader.activate().expect_err("busy"),
        reader.confirm_start().expect_err("busy"),
        reader.install("com.example.chat").expect_err("busy"),
    ] {
        assert_eq!(
            (error.code(), error.retry().to_string(), error.kept.publication),
            ("busy", "later".into(), Some(1))
        );
    }
    // What a reader shows stays, whatever the writer does.
    let shown_before = shown(&start);
    world.project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    world.publishes(NEXT);
    writer.takes_up(NEXT);
    assert_eq!(shown(&start), shown_before);
    assert_eq!(running(&reader.start(at(NEXT))), ["notes"]);
    // And when the writer is gone, the reader writes.
    drop(writer);
    reader.refreshes(NEXT);
}

/// Another thread starts over and over while one takes up update after update.
#[test]
fn a_reader_sees_the_old_set_or_the_new_one_at_every_moment() {
    let world = updated();
    let versions: Vec<_> = (3..8)
        .map(|code| {
            for (path, text) in project::program("chat", "") {
                let text = text.replace("code: 1, name: 1.0.0", &format!("code: {code}, name: {code}.0.0"));
                let text = text.replace("<h1>chat</h1>", &format!("<h1>chat {code}</h1>"));
                world.project.write(&path.replace("chat/", &format!("chat-{code}/")), text);
            }
            world.publishes(NEXT);
            world.origin.files()
        })
        .collect();
    let mut writer = world.client("acme");
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut starts = 0;
            while !is_done.load(std::sync::atomic::Ordering::Relaxed) || starts < 50 {
                let start = world.client("acme").start(at(NEXT));
                assert_eq!(running(&start), ["chat", "notes"], "{start:#?}");
                let chat = start.program("com.example.chat").expect("a program");
                let code = chat.version.as_ref().expect("a version").code;
                let page = if code == 1 { "<h1>chat</h1>\n".into() } else { format!("<h1>chat {code}</h1>\n") };
                assert_eq!(text(&chat.file("index.html").expect("a page")), page);
                starts += 1;
            }
            starts
        });
        for version in versions {
            world.origin.publish(version);
            writer.refreshes(NEXT);
            writer.activate().expect("activates");
            writer.start(at(NEXT));
            writer.confirm_start().expect("confirms");
        }
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().expect("it saw nothing else") >= 50);
    });
}

#[test]
fn another_tenant_finds_nothing_of_the_one_before() {
    let tenants = ["acme", "bolt", "corn"];
    let world = World::new();
    for one in tenants {
        for other in tenants.into_iter().filter(|it| *it != one) {
            drop(world.installed(one));
            let mut client = world.client(other);
            let left = files(&world.dir());
            let addr = world.project.addr(one);
            assert_eq!(left.keys().map(String::as_str).collect::<Vec<_>>(), ["lock", "tenant.json"]);
            assert!(!String::from_utf8_lossy(&left["tenant.json"]).contains(&addr));
            assert_eq!(client.start(at(NOW)).set, None);
            client.takes_up(NOW);
            drop(client);
            fs::remove_dir_all(world.dir()).expect("removes");
        }
    }
}

#[test]
fn another_environment_finds_nothing_of_the_one_before() {
    let world = World::new();
    drop(world.installed("acme"));
    let other = new_folder();
    project::write_fixed_keys(other.path(), "staging");
    let root = fs::read(other.path().join("root/1.root.json")).expect("a root");
    let config = Config { trusted_root: root, ..world.config("acme") };
    let mut client = world.try_client(config).expect("opens");
    assert_eq!(client.start(at(NOW)).set, None);
    assert_eq!(files(&world.dir()).len(), 2);
}

#[test]
fn a_folder_in_use_is_not_taken_from_its_tenant() {
    let world = World::new();
    let mut acme = world.installed("acme");
    let error = world.try_client(world.config("bolt")).expect_err("it is in use");
    assert_eq!(error.code(), "busy");
    assert_eq!(running(&acme.start(at(NOW))), ["chat", "notes"]);
    // Nor does a client that waited for it write into what is another's by now.
    let mut waiting = world.client("acme");
    drop(acme);
    drop(world.try_client(world.config("bolt")).expect("it is free"));
    assert_eq!(waiting.refused(NOW).code(), "configuration");
    assert_eq!(waiting.start(at(NOW)).set, None);
}

#[test]
fn a_folder_that_is_no_clients_is_left_alone() {
    let world = World::new();
    let home = new_folder();
    fs::write(home.path().join("thesis.txt"), "years of work").expect("writes");
    fs::create_dir(home.path().join("objects")).expect("makes a folder");
    let config = Config { dir: home.path().into(), ..world.config("acme") };
    let error = world.try_client(config).expect_err("it is somebody's home");
    assert_eq!((error.code(), error.retry().to_string()), ("configuration", "never".into()));
    assert_eq!(files(home.path()).into_keys().collect::<Vec<_>>(), ["thesis.txt"]);
}

#[test]
fn a_label_that_is_damaged_does_not_cost_the_programs() {
    let world = World::new();
    drop(world.installed("acme"));
    fs::write(world.dir().join("tenant.json"), "{}").expect("writes");
    assert_eq!(running(&world.client("acme").start(at(NOW))), ["chat", "notes"]);
    fs::write(world.dir().join("tenant.json"), "{}").expect("writes");
    assert_eq!(world.client("bolt").start(at(NOW)).set, None);
}

#[test]
fn what_cannot_be_written_is_said_and_the_start_is_none_the_worse() {
    let world = World::new();
    drop(world.installed("acme"));
    // A folder stands where the client keeps what it counts.
    fs::remove_file(world.dir().join("boot.json")).expect("it was there");
    fs::create_dir_all(world.dir().join("boot.json/x")).expect("makes a folder");
    let mut client: Client = world.client("acme");
    let start = client.start(at(NOW));
    assert_eq!(running(&start), ["chat", "notes"]);
    assert!(start.notes.iter().any(|it| it.contains("boot.json")), "{:?}", start.notes);
    let error = client.confirm_start().expect_err("it cannot be written");
    assert_eq!((error.code(), error.kept.publication), ("disk", Some(1)));
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused_by_its_field() {
    let world = World::new();
    let config = || world.config("acme");
    for (field, config) in [
        ("addr", Config { addr: "acme".into(), ..config() }),
        ("addr", Config { addr: "../../../../../../../../../../ab".into(), ..config() }),
        ("trusted_root", Config { trusted_root: b"{}".to_vec(), ..config() }),
        ("base_url", Config { base_url: "http://cdn.example.com/".into(), ..config() }),
        ("base_url", Config { base_url: "cdn.example.com".into(), ..config() }),
    ] {
        let error = Client::open(config).expect_err("it cannot be used");
        assert_eq!(error.code(), "configuration");
        assert!(error.to_string().contains(&format!("`{field}`")), "{error}");
        assert!(!world.dir().exists(), "nothing was made");
    }
}
