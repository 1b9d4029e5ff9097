//! The ordinary life of a device.

use std::collections::BTreeMap;

use tenantry::client::{Activated, Config, Freshness, Optional, ProgramChange, Stopped, Traffic, Verdict};
use tenantry::input::UpdateMode;
use tenantry::manifest::{RevokeMode, Version};

use crate::device::{Device as _, World, at, new_folder, running, text, verdicts};
use crate::listing::files;
use crate::project::{self, NOW, Project};

/// A day on which the next publication is made.
const NEXT: &str = "2026-11-24T00:00:00Z";

/// A release of a program of the small project, beside the one that is there.
pub(crate) fn another_release(project: &Project, name: &str, code: u32, more: &str) {
    for (path, text) in project::program(name, more) {
        let text = text.replace("code: 1, name: 1.0.0", &format!("code: {code}, name: {code}.0.0"));
        let text = text.replace(&format!("<h1>{name}</h1>"), &format!("<h1>{name} {code}</h1>"));
        project.write(&path.replace(&format!("{name}/"), &format!("{name}-{code}/")), text);
    }
}

fn names(versions: &[tenantry::client::ProgramVersion]) -> Vec<&str> {
    versions.iter().map(|it| it.app_id.strip_prefix("com.example.").expect("one of ours")).collect()
}

#[test]
fn a_tenants_programs_come_and_start() {
    let world = World::new();
    let mut client = world.client("acme");
    assert_eq!(client.start(at(NOW)).freshness, Freshness::Nothing);
    let update = client.refreshes(NOW);
    assert_eq!((names(&update.gained), update.publication), (vec!["chat", "notes"], 1));
    let set = update.staged.expect("a set waits");
    assert_eq!(client.start(at(NOW)).set, None, "it waits until it is activated");
    assert_eq!(client.activate().expect("activates"), Activated::Switched { set: set.clone(), from: None });
    let start = client.start(at(NOW));
    assert_eq!((start.set.as_ref(), start.publication, running(&start)), (Some(&set), Some(1), vec!["chat", "notes"]));
    assert_eq!(start.freshness, Freshness::Fresh { until: at("2026-11-30T00:00:00Z") });
    assert_eq!(start.notes, Vec::<String>::new());
    client.confirm_start().expect("confirms");
}

#[test]
fn an_overlays_files_stand_over_those_of_the_bundle() {
    let world = World::new();
    let mut client = world.installed("acme");
    let start = client.start(at(NOW));
    let notes = start.program("com.example.notes").expect("a program");
    assert_eq!(text(&notes.file("index.html").expect("a page")), "<h1>notes</h1>\n");
    assert_eq!(text(&notes.file("config.txt").expect("an overlay")), "acme {\"colour\": \"red\"}");
    for path in ["../../clock.json", "/etc/passwd", "config.txt/", "", "nothing.html"] {
        assert_eq!(notes.file(path), None, "{path}");
    }
    assert_eq!((&*notes.ext, &*notes.pages), ("{\"colour\":\"red\"}", &["index.html".to_owned()][..]));
}

#[test]
fn a_refresh_with_nothing_new_takes_two_requests_and_writes_nothing() {
    let world = World::new();
    let mut client = world.installed("acme");
    world.origin.take_asked();
    let before = files(&world.dir());
    let update = client.refreshes(NOW);
    assert_eq!((update.staged, names(&update.unchanged)), (None, vec!["chat", "notes"]));
    assert_eq!(update.traffic, Traffic { requests: 2, bytes: 0 });
    let addr = world.project.addr("acme");
    assert_eq!(world.origin.take_paths(), ["root/2.root.json".to_owned(), format!("t/{addr}/timestamp.json")]);
    assert_eq!(files(&world.dir()), before);
}

/// As by a server that does not know ETags: two requests all the same, and one timestamp of bytes.
#[test]
fn a_refresh_without_etags_is_small_too() {
    let world = World::new();
    let mut client = world.installed("acme");
    std::fs::remove_file(world.dir().join("etag.json")).expect("it was there");
    let traffic = client.refreshes(NOW).traffic;
    assert_eq!(traffic.requests, 2);
    assert!((1..700).contains(&traffic.bytes), "{traffic:?}");
    assert_eq!(client.refreshes(NOW).traffic.bytes, 0, "the ETag was remembered");
}

#[test]
fn a_new_version_waits_until_it_is_activated_and_what_did_not_change_is_not_fetched_again() {
    let world = World::new();
    let mut client = world.installed("acme");
    another_release(&world.project, "chat", 2, "  update_policy: { mode: sync }\n");
    world.publishes(NEXT);
    world.origin.take_asked();
    let update = client.refreshes(NEXT);
    let version = |code: u32| Version { code, name: format!("{code}.0.0") };
    let change =
        ProgramChange { app_id: "com.example.chat".into(), from: version(1), to: version(2), mode: UpdateMode::Sync };
    assert_eq!((update.changed, names(&update.unchanged)), (vec![change], vec!["notes"]));
    let archives: Vec<String> =
        world.origin.take_paths().into_iter().filter(|it| it.starts_with("o/") && !it.ends_with(".json")).collect();
    assert_eq!(archives.len(), 1, "{archives:?}");

    let page = |start: &tenantry::client::Start| {
        let chat = start.program("com.example.chat").expect("a program");
        text(&chat.file("index.html").expect("a page"))
    };
    assert_eq!(page(&client.start(at(NEXT))), "<h1>chat</h1>\n");
    client.activate().expect("activates");
    assert_eq!(page(&client.start(at(NEXT))), "<h1>chat 2</h1>\n");
}

#[test]
fn the_set_before_goes_when_a_start_is_confirmed_and_takes_its_files_along() {
    let world = World::new();
    let mut client = world.installed("acme");
    another_release(&world.project, "chat", 2, "");
    world.publishes(NEXT);
    client.refreshes(NEXT);
    client.activate().expect("activates");
    let count = |folder: &str| std::fs::read_dir(world.dir().join(folder)).expect("a folder").count();
    assert_eq!((count("sets"), count("objects")), (2, 4), "two bundles of chat, one of notes, its overlay");
    client.start(at(NEXT));
    client.confirm_start().expect("confirms");
    assert_eq!((count("sets"), count("objects"), count("tmp"), count("manifests")), (1, 3, 0, 1));
    assert!(!world.dir().join("previous").exists());
}

#[test]
fn a_program_that_is_lost_stops_before_the_update_is_activated() {
    let world = World::new();
    let mut client = world.installed("acme");
    world.project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    world.publishes(NEXT);
    let update = client.refreshes(NEXT);
    assert_eq!((names(&update.lost), names(&update.unchanged)), (vec!["chat"], vec!["notes"]));
    assert_eq!(verdicts(&client.start(at(NEXT))), [("chat", Verdict::Lost), ("notes", Verdict::Runs)]);
    client.activate().expect("activates");
    assert_eq!(verdicts(&client.start(at(NEXT))), [("notes", Verdict::Runs)]);
}

fn overridden(project: &Project, overrides: &[(&str, &str)]) {
    let lines = overrides.iter().map(|(what, until)| {
        format!("    - {{ {what}: com.example.chat, reason: it may be, ticket: S-1, approved_by: Ada, expires: \"{until}\" }}\n")
    });
    let (path, text) = project::tenant("acme", "starter", &format!("  overrides:\n{}", lines.collect::<String>()));
    project.write(&path, text);
}

#[test]
fn a_program_that_is_revoked_must_stop_at_once() {
    let project = Project::small();
    overridden(&project, &[("grant", "2027-06-01")]);
    let world = World::of(project);
    let mut client = world.installed("acme");
    assert_eq!(running(&client.look(at(NOW))), ["chat", "notes"]);
    overridden(&world.project, &[("grant", "2027-06-01"), ("revoke", "2027-06-01")]);
    world.publishes(NEXT);
    let why = Verdict::Revoked { mode: RevokeMode::Block };
    let stopped = client.refreshes(NEXT).stopped;
    assert_eq!(stopped, [Stopped { app_id: "com.example.chat".into(), code: 1, why }]);
    assert_eq!(verdicts(&client.look(at(NEXT))), [("chat", why), ("notes", Verdict::Runs)]);
    // Offline too, and in another process.
    drop(client);
    assert_eq!(verdicts(&world.client("acme").start(at(NEXT)))[0], ("chat", why));
}

#[test]
fn a_program_that_is_taken_away_for_a_while_comes_back_by_itself() {
    let world = World::new();
    let mut client = world.installed("acme");
    let text = project::tenant(
        "acme",
        "business",
        "  overrides:\n    - { revoke: com.example.chat, reason: a leak, ticket: S-1, approved_by: Ada, expires: \"2026-12-01\" }\n",
    );
    world.project.write(&text.0, text.1);
    world.publishes(NEXT);
    let update = client.refreshes(NEXT);
    let why = Verdict::NotBegun { from: at("2026-12-01") };
    assert_eq!(update.stopped.iter().map(|it| it.why).collect::<Vec<_>>(), [why]);
    assert_eq!(verdicts(&client.look(at("2026-11-30T23:59:59Z")))[0], ("chat", why));
    assert_eq!(running(&client.look(at("2026-12-01"))), ["chat", "notes"]);
}

#[test]
fn a_manifest_that_was_only_signed_again_is_no_update() {
    let world = World::new();
    let mut client = world.installed("acme");
    let later = "2026-12-10T00:00:00Z";
    world.publishes(later);
    let update = client.refreshes(later);
    assert_eq!((update.publication, update.staged, names(&update.unchanged)), (2, None, vec!["chat", "notes"]));
    let start = client.start(at(later));
    assert_eq!(start.freshness, Freshness::Fresh { until: at("2026-12-17T00:00:00Z") });
}

#[test]
fn what_the_publisher_takes_back_comes_back_without_a_download() {
    let world = World::new();
    let mut client = world.installed("acme");
    another_release(&world.project, "chat", 2, "");
    world.publishes(NEXT);
    client.refreshes(NEXT);
    client.activate().expect("activates");
    world.project.remove("catalog/programs/chat-2/program.yaml");
    world.publishes("2026-11-25T00:00:00Z");
    world.origin.take_asked();
    let update = client.refreshes("2026-11-25T00:00:00Z");
    assert_eq!(update.changed.iter().map(|it| it.to.code).collect::<Vec<_>>(), [1]);
    assert!(world.origin.take_paths().iter().all(|it| !it.starts_with("o/") || it.ends_with(".json")));
    client.activate().expect("activates");
    assert_eq!(
        client.start(at(NEXT)).program("com.example.chat").and_then(|it| it.version.clone()).map(|it| it.code),
        Some(1)
    );
}

#[test]
fn a_program_that_is_optional_waits_to_be_asked_for_and_is_kept_up_to_date_then() {
    let project = Project::small();
    project.edit(
        "catalog/plans/business.yaml",
        "- app_id: com.example.chat",
        "- { app_id: com.example.chat, optional: true }",
    );
    let world = World::of(project);
    let mut client = world.client("acme");
    let start = client.takes_up(NOW);
    assert_eq!(verdicts(&start), [("chat", Verdict::NotInstalled), ("notes", Verdict::Runs)]);
    assert_eq!(start.program("com.example.chat").and_then(|it| it.folder.clone()), None);
    client.install("com.example.chat").expect("installs");
    assert_eq!(running(&client.look(at(NOW))), ["chat", "notes"]);
    assert_eq!(client.install("com.example.nothing").expect_err("no such program").code(), "unknown-program");

    another_release(&world.project, "chat", 2, "");
    world.publishes(NEXT);
    assert_eq!(running(&client.takes_up(NEXT)), ["chat", "notes"]);
}

#[test]
fn optional_programs_can_be_fetched_with_the_others() {
    let project = Project::small();
    project.edit(
        "catalog/plans/business.yaml",
        "- app_id: com.example.chat",
        "- { app_id: com.example.chat, optional: true }",
    );
    let world = World::of(project);
    let config = Config { optional: Optional::Fetched, ..world.config("acme") };
    let mut client = world.try_client(config).expect("opens");
    assert_eq!(running(&client.takes_up(NOW)), ["chat", "notes"]);
}

#[test]
fn a_shell_takes_the_release_that_fits_it() {
    let project = Project::small();
    project.edit("catalog/shells/phone.yaml", "[12]", "[12, 20]");
    another_release(&project, "chat", 2, "");
    project.edit(
        "catalog/programs/chat-2/program.yaml",
        "min_code: 10, target_code: 10",
        "min_code: 20, target_code: 20",
    );
    let world = World::of(project);
    let code = |platform_code: u32| {
        let folder = new_folder();
        let config = Config { platform_code, dir: folder.path().into(), ..world.config("acme") };
        let mut client = world.try_client(config).expect("opens");
        let start = client.takes_up(NOW);
        let chat = start.program("com.example.chat").expect("a program");
        (chat.version.as_ref().map(|it| it.code), chat.verdict)
    };
    let found: BTreeMap<u32, _> = [9, 12, 19, 20, 99].map(|platform| (platform, code(platform))).into();
    let expected = [
        (9, (None, Verdict::NoRelease)),
        (12, (Some(1), Verdict::Runs)),
        (19, (Some(1), Verdict::Runs)),
        (20, (Some(2), Verdict::Runs)),
        (99, (Some(2), Verdict::Runs)),
    ];
    assert_eq!(found, expected.into());
}

#[test]
fn what_was_installed_for_an_older_shell_does_not_start_in_a_newer_one_that_it_does_not_fit() {
    let project = Project::small();
    project.edit("catalog/shells/phone.yaml", "[12]", "[12, 20]");
    another_release(&project, "chat", 2, "");
    project.edit(
        "catalog/programs/chat-2/program.yaml",
        "min_code: 10, target_code: 10",
        "min_code: 20, target_code: 20",
    );
    let world = World::of(project);
    drop(world.installed("acme"));
    let config = Config { platform_code: 20, ..world.config("acme") };
    let mut client = world.try_client(config).expect("opens");
    assert_eq!(verdicts(&client.start(at(NOW))), [("chat", Verdict::NoRelease), ("notes", Verdict::Runs)]);
    assert_eq!(running(&client.takes_up(NOW)), ["chat", "notes"]);
}

#[test]
fn a_version_that_is_too_old_to_be_used_does_not_start() {
    let world = World::new();
    let mut client = world.installed("acme");
    another_release(&world.project, "chat", 3, "  update_policy: { mode: force, min_usable_version: 2 }\n");
    world.publishes(NEXT);
    client.refreshes(NEXT);
    assert_eq!(verdicts(&client.look(at(NEXT)))[0], ("chat", Verdict::TooOld { least: 2 }));
    client.activate().expect("activates");
    assert_eq!(running(&client.start(at(NEXT))), ["chat", "notes"]);
}

#[test]
fn there_is_nothing_to_activate_and_nothing_to_confirm_at_first() {
    let world = World::new();
    let mut client = world.client("acme");
    assert_eq!(client.activate().expect("no failure"), Activated::Nothing);
    let error = client.confirm_start().expect_err("nothing was started");
    assert_eq!((error.code(), error.kept.set), ("not-started", None));
}
