//! The client of `trust` as a program, against repositories that are simulated over loopback: what the standard
//! (TUF 1.0.34, section 5) asks of a client, one situation a test.
//!
//! tuf-conformance, the suite of the TUF project, drives `client.rs` in the same way; see `docs/trust.md`.
#![expect(clippy::disallowed_methods, reason = "tests run programs and look at what they keep")]

mod delegations;
mod downloads;
mod expiry;
mod foreign;
mod keys;
mod layout;
mod names;
#[path = "../support/parts.rs"]
mod parts;
mod rollback;
mod rotations;
mod server;
#[path = "../support/simulated.rs"]
mod simulated;
mod site;
mod workflow;
