//! Starts that fail, and going back.

use tenantry::client::{Activated, Client, Start};

use crate::device::{Device as _, World, at, running};
use crate::project::{self, NOW};

const NEXT: &str = "2026-11-24T00:00:00Z";
const DAY_AFTER: &str = "2026-11-25T00:00:01Z";

/// Publishes another `chat`.
fn publishes_chat(world: &World, code: u32, when: &str) {
    for (path, text) in project::program("chat", "") {
        let text = text.replace("code: 1, name: 1.0.0", &format!("code: {code}, name: {code}.0.0"));
        let text = text.replace("<h1>chat</h1>", &format!("<h1>chat {code}</h1>"));
        world.project.write(&path.replace("chat/", &format!("chat-{code}/")), text);
    }
    world.publishes(when);
}

/// The version of `chat` that a start takes; a new process, which is killed before it can confirm.
fn starts_and_dies(world: &World, when: &str) -> (u32, Start) {
    let start = world.client("acme").start(at(when));
    let chat = start.program("com.example.chat").unwrap_or_else(|| panic!("{start:#?}")).version.clone();
    (chat.expect("a version").code, start)
}

fn takes(world: &World, when: &str) -> String {
    let mut client = world.client("acme");
    client.refreshes(when);
    match client.activate().expect("activates") {
        Activated::Switched { set, .. } => set,
        other => panic!("{other:?}"),
    }
}

/// A device with version 1 confirmed and version 2 activated.
fn updated() -> (World, String) {
    let world = World::new();
    drop(world.installed("acme"));
    publishes_chat(&world, 2, NEXT);
    let set = takes(&world, NEXT);
    (world, set)
}

#[test]
fn a_set_that_fails_to_start_twice_goes_back_to_the_one_before() {
    let (world, bad) = updated();
    let (first, start) = starts_and_dies(&world, NEXT);
    assert_eq!((first, start.failed_starts, start.gave_up), (2, 0, None));
    let (second, start) = starts_and_dies(&world, NEXT);
    assert_eq!((second, start.failed_starts), (2, 1));
    let (third, start) = starts_and_dies(&world, NEXT);
    assert_eq!((third, start.failed_starts, start.gave_up.as_ref()), (1, 0, Some(&bad)));
    assert_eq!(running(&start), ["chat", "notes"]);
    let (fourth, start) = starts_and_dies(&world, NEXT);
    assert_eq!((fourth, start.gave_up), (1, None));
}

#[test]
fn a_start_that_is_confirmed_ends_the_counting() {
    let (world, _) = updated();
    starts_and_dies(&world, NEXT);
    let mut client = world.client("acme");
    client.start(at(NEXT));
    client.confirm_start().expect("confirms");
    drop(client);
    for failed in 0..5 {
        let (code, start) = starts_and_dies(&world, NEXT);
        assert_eq!((code, start.failed_starts, start.gave_up), (2, failed, None), "there is nothing to go back to");
    }
}

#[test]
fn a_set_that_was_given_up_is_not_staged_again_for_a_day() {
    let (world, bad) = updated();
    (0..3).for_each(|_| drop(starts_and_dies(&world, NEXT)));
    let mut client = world.client("acme");
    let update = client.refreshes("2026-11-24T23:59:59Z");
    assert_eq!(update.staged, None);
    let held_back = update.held_back.expect("it is held back");
    assert_eq!((&held_back.set, held_back.until), (&bad, at("2026-11-25")));
    assert_eq!(client.activate().expect("no failure"), Activated::Nothing);
    assert_eq!(client.refreshes(DAY_AFTER).staged, Some(bad.clone()));
    drop(client);
    // And it gets its two starts anew.
    assert_eq!(takes(&world, DAY_AFTER), bad);
    assert_eq!([0; 3].map(|_| starts_and_dies(&world, DAY_AFTER).0), [2, 2, 1]);
}

#[test]
fn something_newer_is_staged_at_once() {
    let (world, bad) = updated();
    (0..3).for_each(|_| drop(starts_and_dies(&world, NEXT)));
    publishes_chat(&world, 3, "2026-11-24T01:00:00Z");
    let newer = takes(&world, "2026-11-24T01:00:00Z");
    assert_ne!(newer, bad);
    assert_eq!(starts_and_dies(&world, "2026-11-24T01:00:00Z").0, 3);
}

#[test]
fn what_to_go_back_to_is_the_last_set_that_was_confirmed() {
    let (world, _) = updated();
    publishes_chat(&world, 3, NEXT);
    takes(&world, NEXT);
    publishes_chat(&world, 4, NEXT);
    takes(&world, NEXT);
    assert_eq!([0; 3].map(|_| starts_and_dies(&world, NEXT).0), [4, 4, 1], "neither 2 nor 3 was ever started");
}

#[test]
fn a_first_set_that_fails_goes_on_since_there_is_no_other() {
    let world = World::new();
    let mut client = world.client("acme");
    client.refreshes(NOW);
    client.activate().expect("activates");
    drop(client);
    for failed in 0..4 {
        let (code, start) = starts_and_dies(&world, NOW);
        assert_eq!((code, start.failed_starts), (1, failed));
    }
    // Once there is another one it is taken like any.
    publishes_chat(&world, 2, NEXT);
    takes(&world, NEXT);
    assert_eq!(starts_and_dies(&world, NEXT).0, 2);
}

#[test]
fn a_confirmation_that_comes_after_an_activation_is_about_what_was_started() {
    let (world, _) = updated();
    let mut client = world.client("acme");
    client.start(at(NEXT));
    publishes_chat(&world, 3, NEXT);
    client.refreshes(NEXT);
    client.activate().expect("activates");
    client.confirm_start().expect("version 2 is up");
    drop(client);
    assert_eq!([0; 3].map(|_| starts_and_dies(&world, NEXT).0), [3, 3, 2], "back to version 2, which was confirmed");
}

#[test]
fn the_files_of_a_set_that_runs_stay_while_it_runs() {
    let world = World::new();
    let mut running_client = world.installed("acme");
    let start = running_client.start(at(NOW));
    let page = start.program("com.example.chat").and_then(|it| it.file("index.html")).expect("a page");
    // A long session: two updates are taken up under it.
    for (code, when) in [(2, NEXT), (3, DAY_AFTER)] {
        publishes_chat(&world, code, when);
        running_client.refreshes(when);
        running_client.activate().expect("activates");
    }
    assert!(page.is_file());
    // And the next process clears away what is nobody's.
    drop(running_client);
    let mut client = world.client("acme");
    client.start(at(DAY_AFTER));
    client.confirm_start().expect("confirms");
    assert!(!page.exists());
}

#[test]
fn no_more_than_two_sets_and_a_download_are_on_the_disk() {
    let (world, _) = updated();
    let mut client = world.client("acme");
    let most = |_: &Client| {
        let count = |folder: &str| std::fs::read_dir(world.dir().join(folder)).expect("a folder").count();
        assert!(count("sets") <= 3, "two sets and one download");
        assert!(count("objects") <= 2 + 3, "notes and its overlay, and three bundles of chat");
    };
    for code in 3..8 {
        publishes_chat(&world, code, NEXT);
        client.refreshes(NEXT);
        most(&client);
        if code % 2 == 0 {
            client.activate().expect("activates");
            most(&client);
        }
    }
}
