//! What keeps stores in order between two publications, at every instant: refresh, rollback, and garbage collection.
//!
//! The invariants are those of `docs/publishing.md`; they are checked after every single operation on a store.
#![expect(clippy::disallowed_methods, reason = "tests write projects and look at what was published")]

#[expect(dead_code, reason = "a part of it is for clients alone")]
#[path = "support/http.rs"]
mod http;
#[path = "support/project.rs"]
mod project;

#[path = "publish/stage.rs"]
mod stage;
#[path = "publish/watch.rs"]
mod watch;
#[expect(dead_code, reason = "a part of it is for publishing alone")]
#[path = "publish/world.rs"]
mod world;

#[path = "upkeep/collect.rs"]
mod collect;
#[path = "upkeep/command.rs"]
mod command;
#[path = "upkeep/daily.rs"]
mod daily;
#[path = "upkeep/faults.rs"]
mod faults;
#[path = "upkeep/jobs.rs"]
mod jobs;
#[path = "upkeep/races.rs"]
mod races;
#[path = "upkeep/refresh.rs"]
mod refresh;
#[path = "upkeep/rollback.rs"]
mod rollback;
#[path = "upkeep/verify.rs"]
mod verify;

/// What the other tests have gone through, in one line. The counts may grow; whoever makes them shrink must say so here.
#[test]
fn the_counts_do_not_shrink() {
    use std::io::Write as _;
    let (faults, races) = (faults::all(), races::all());
    let line = format!(
        "upkeep: faults: refresh {}, rollback {}, gc {}, interleavings: {}, steps: {}",
        faults.refresh, faults.rollback, faults.collection, races.leaves, races.steps
    );
    // Past the test harness, which swallows what a passing test prints.
    writeln!(std::io::stderr(), "{line}").expect("stderr is open");
    assert!(faults.refresh >= 300, "{line}");
    assert!(faults.rollback >= 150, "{line}");
    assert!(faults.collection >= 60, "{line}");
    assert!(races.leaves >= 924, "{line}");
}
