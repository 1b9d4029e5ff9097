//! `kill -9` before each system call, and an error of the disk at each of them.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::counts;
use crate::invariants::{Depth, check, check_first_tenant};
use crate::scenarios::{Scenario, device};
use crate::trace::{self, Action, Call};

/// Fewer would mean that the suite has stopped looking.
const LEAST_KILL_POINTS: usize = 2_200;
const LEAST_DISK_ERRORS: usize = 1_200;

/// The calls of a scenario that are about the device.
fn calls(scenario: &Scenario) -> Vec<Call> {
    let (_folder, dir) = device(scenario);
    trace::record(&scenario.errand(&dir)).into_iter().filter(|it| it.action.is_some()).collect()
}

/// Runs a scenario with something injected at one call.
fn disturbed(scenario: &Scenario, call: &Call, injected: &str, verify: impl Fn(&Output, &std::path::Path)) {
    let (_folder, dir) = device(scenario);
    let inject = format!("inject={}:{injected}:when={}", call.name, call.nth);
    let trace = format!("trace={}", call.name);
    let arguments = ["-o", "/dev/null", "-e", &trace, "-e", &inject];
    let output = trace::strace(&scenario.errand(&dir), &arguments).output().expect("strace runs");
    verify(&output, &dir);
}

/// Two at a time: the machines that run this have two processors.
fn in_two_hands<T: Sync>(work: &[T], each: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(item) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    each(item);
                }
            });
        }
    });
}

#[test]
fn killed_before_any_system_call_it_starts_with_the_old_set_or_the_new_one() {
    if !trace::is_there() {
        return;
    }
    let points: Vec<(&Scenario, Call)> = Scenario::all()
        .iter()
        .flat_map(|scenario| calls(scenario).into_iter().map(move |call| (scenario, call)))
        .collect();
    in_two_hands(&points, |(scenario, call)| {
        disturbed(scenario, call, "signal=KILL", |output, dir| {
            assert_eq!(output.status.signal(), Some(9), "{} {call:?}: {output:?}", scenario.name);
            let at = |why: String| panic!("{}: killed before {} {}: {why}", scenario.name, call.name, call.nth);
            if scenario.was != scenario.addr {
                // On a copy: whoever opens it wipes the other's.
                let (_folder, copy) = device(scenario);
                std::fs::remove_dir_all(&copy).expect("removes");
                crate::scenarios::write(&copy, &crate::listing::files(dir));
                check_first_tenant(scenario, &copy).unwrap_or_else(at);
            }
            check(scenario, dir, Depth::Healed).unwrap_or_else(at);
        });
    });
    counts::add("kill points", points.len());
    assert!(points.len() >= LEAST_KILL_POINTS, "{} kill points, fewer than {LEAST_KILL_POINTS}", points.len());
}

#[test]
fn an_error_of_the_disk_at_any_call_loses_nothing() {
    if !trace::is_there() {
        return;
    }
    let mut points: Vec<(&Scenario, Call, &str)> = Vec::new();
    for scenario in Scenario::all() {
        for call in calls(scenario) {
            let errors: &[&str] = match call.action.as_ref().expect("only those about the device") {
                Action::Nothing => &[],
                Action::Write(..) => &["ENOSPC", "EIO"],
                Action::Sync(_) => &["EIO", "ENOSPC"],
                Action::Create(_) | Action::Append(_) | Action::MakeFolder(_) => &["ENOSPC", "EROFS"],
                Action::Rename(..) => &["ENOSPC", "EROFS"],
                Action::Unlink(_) | Action::RemoveFolder(_) => &["EROFS", "EIO"],
            };
            points.extend(errors.iter().map(|error| (scenario, call.clone(), *error)));
        }
    }
    in_two_hands(&points, |(scenario, call, error)| {
        disturbed(scenario, call, &format!("error={error}"), |output, dir| {
            let at = format!("{}: {error} at {} {}", scenario.name, call.name, call.nth);
            assert_eq!(output.status.code(), Some(0), "{at}: {output:?}");
            let said = String::from_utf8_lossy(&output.stdout);
            let codes: Vec<&str> = said.lines().filter_map(|it| it.strip_prefix("code ")).collect();
            assert!(codes.iter().all(|it| ["disk", "disk-full", "busy"].contains(it)), "{at}: {codes:?}");
            check(scenario, dir, Depth::Healed).unwrap_or_else(|why| panic!("{at}: {why}"));
        });
    });
    counts::add("disk errors", points.len());
    assert!(points.len() >= LEAST_DISK_ERRORS, "{} errors, fewer than {LEAST_DISK_ERRORS}", points.len());
}
