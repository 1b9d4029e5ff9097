//! Publishing, at every instant: whatever fails and whoever else publishes, every client sees one whole publication.
//!
//! The invariants are those of `docs/publishing.md`. They are checked after every single operation on a store.
#![expect(clippy::disallowed_methods, reason = "tests write projects and look at what was published")]

#[path = "support/project.rs"]
mod project;
#[path = "support/s3_server.rs"]
mod s3_server;

#[path = "publish/stage.rs"]
mod stage;
#[path = "publish/watch.rs"]
mod watch;
#[path = "publish/world.rs"]
mod world;

#[path = "publish/bucket.rs"]
mod bucket;
#[path = "publish/budget.rs"]
mod budget;
#[path = "publish/client.rs"]
mod client;
#[path = "publish/command.rs"]
mod command;
#[path = "publish/faults.rs"]
mod faults;
#[path = "publish/guards.rs"]
mod guards;
#[path = "publish/onto.rs"]
mod onto;
#[path = "publish/races.rs"]
mod races;
#[path = "publish/regions.rs"]
mod regions;
#[path = "publish/shell.rs"]
mod shell;

/// What the other tests have gone through, in one line. The counts may grow; whoever makes them shrink must say so here.
#[test]
fn the_counts_do_not_shrink() {
    use std::io::Write as _;
    let (faults, interleavings, orders) = (faults::all(), races::all(), client::all());
    let line = format!(
        "publish: faults: {}, follow-ups: {}, interleavings: {}, steps: {}, cold clients: {}",
        faults.faults, faults.follow_ups, interleavings.leaves, interleavings.steps, orders
    );
    // Past the test harness, which swallows what a passing test prints.
    writeln!(std::io::stderr(), "{line}").expect("stderr is open");
    assert!(faults.faults >= 756, "{line}");
    assert!(faults.follow_ups >= 2268, "{line}");
    assert!(interleavings.leaves >= 2700, "{line}");
    assert!(orders >= 57, "{line}");
}
