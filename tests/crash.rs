//! Whatever stops a client, at whatever moment, a start finds the old set or the new one, whole.
//!
//! Three ways to stop it, over the same five scenarios: `kill -9` before each of its system calls, an error of the disk
//! at each of them, and a power cut at each of them, in every way in which what was not synced may be lost. The first
//! two do not see a missing `fsync`, the third sees little else. What must hold is in `crash/invariants.rs`.
//!
//! Needs `strace` and the right to trace; Linux only.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "tests start processes and look at what they left on the disk")]

#[path = "support/listing.rs"]
mod listing;
#[path = "support/origin.rs"]
#[expect(dead_code, reason = "here the server is well, or not there at all")]
mod origin;
#[path = "support/parts.rs"]
#[expect(dead_code, reason = "only `strace` is needed here")]
mod parts;
#[path = "support/project.rs"]
mod project;

#[path = "crash/child.rs"]
mod child;
#[path = "crash/counts.rs"]
mod counts;
#[path = "crash/invariants.rs"]
mod invariants;
#[path = "crash/kill.rs"]
mod kill;
#[path = "crash/model.rs"]
mod model;
#[path = "crash/power.rs"]
mod power;
#[path = "crash/scenarios.rs"]
mod scenarios;
#[path = "crash/trace.rs"]
mod trace;
