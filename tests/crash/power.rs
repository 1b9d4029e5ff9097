//! The power goes: at every moment, with everything lost that may be lost.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use crate::counts;
use crate::invariants::{Depth, check, check_first_tenant};
use crate::model::{Disk, History, Syncs};
use crate::scenarios::{Scenario, device, new_folder, write};
use crate::trace::{self, Action};

/// Fewer would mean that the suite has stopped looking.
const LEAST_STATES: usize = 5_000;

/// What the client of a scenario does to its device.
fn actions(scenario: &Scenario) -> Vec<Action> {
    let (_folder, dir) = device(scenario);
    let calls = trace::record(&scenario.errand(&dir)).into_iter();
    calls.filter_map(|it| it.action).filter(|it| *it != Action::Nothing).collect()
}

/// How many states there are, and what is broken in some.
struct Found {
    states: usize,
    broken: Vec<String>,
}

/// Checks every nth of the states that a power cut may leave.
fn explore(scenario: &Scenario, actions: &[Action], syncs: Syncs, depth: Depth, nth: usize) -> Found {
    let history = History::of(&scenario.before, actions, syncs);
    let broken: Mutex<Vec<String>> = Mutex::default();
    let (sender, receiver) = sync_channel::<Disk>(64);
    let receiver = Mutex::new(receiver);
    let states = std::thread::scope(|scope| {
        let hands = [0; 2].map(|_| scope.spawn(|| work(scenario, &receiver, depth, &broken)));
        let (mut at, mut sent) = (0, 0);
        history.states(&mut |disk| {
            if at % nth == 0 {
                sender.send(disk.clone()).expect("somebody takes it");
                sent += 1;
            }
            at += 1;
        });
        drop(sender);
        hands.into_iter().for_each(|it| it.join().expect("a check does not panic"));
        sent
    });
    Found { states, broken: broken.into_inner().expect("nobody panicked") }
}

fn work(scenario: &Scenario, receiver: &Mutex<Receiver<Disk>>, depth: Depth, broken: &Mutex<Vec<String>>) {
    loop {
        let received = receiver.lock().expect("nobody panics").recv();
        let Ok(disk) = received else { return };
        if let Err(why) = judge(scenario, &disk, depth) {
            broken.lock().expect("nobody panics").push(why);
        }
    }
}

fn judge(scenario: &Scenario, disk: &Disk, depth: Depth) -> Result<(), String> {
    let folder = new_folder();
    if scenario.was != scenario.addr {
        check_first_tenant(scenario, &materialized(disk, &folder.path().join("first")))?;
    }
    check(scenario, &materialized(disk, &folder.path().join("device")), depth)
}

fn materialized(disk: &Disk, dir: &Path) -> PathBuf {
    write(dir, &disk.files());
    for folder in disk.folders() {
        std::fs::create_dir_all(dir.join(folder)).expect("makes a folder");
    }
    dir.to_owned()
}

#[test]
fn without_power_at_any_moment_it_starts_with_the_old_set_or_the_new_one() {
    if !trace::is_there() {
        return;
    }
    let mut counted = Vec::new();
    for scenario in Scenario::all() {
        let found = explore(scenario, &actions(scenario), Syncs::Honest, Depth::Healed, 1);
        assert_eq!(
            found.broken,
            Vec::<String>::new(),
            "{}: {} of {} states are broken",
            scenario.name,
            found.broken.len(),
            found.states
        );
        counted.push(format!("{} {}", scenario.name, found.states));
    }
    let states: usize = counted.iter().filter_map(|it| it.rsplit(' ').next()?.parse::<usize>().ok()).sum();
    counts::say(&format!("power-loss states: {}", counted.join(", ")));
    counts::add("power-loss states", states);
    assert!(states >= LEAST_STATES, "{states} states, fewer than {LEAST_STATES}");
}

/// The suite can see: a client that did not sync its files, or its folders, would be caught.
#[test]
fn a_client_that_did_not_sync_would_be_caught() {
    if !trace::is_there() {
        return;
    }
    for scenario in &Scenario::all()[..2] {
        let actions = actions(scenario);
        for syncs in [Syncs::NoFiles, Syncs::NoFolders] {
            let found = explore(scenario, &actions, syncs, Depth::Offline, 20);
            let (broken, states) = (found.broken.len(), found.states);
            counts::say(&format!("{} with {syncs:?}: {broken} of {states} states are broken", scenario.name));
            assert!(!found.broken.is_empty(), "{} with {syncs:?}: nothing is seen", scenario.name);
        }
    }
}
