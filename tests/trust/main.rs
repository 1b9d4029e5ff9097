//! `trust` in memory: the mistakes that other clients have had, the binding to a tenant, and what is kept.
#![expect(clippy::disallowed_methods, reason = "a test reads the source")]

mod advisories;
mod binding;
mod kept;
#[path = "../support/simulated.rs"]
mod simulated;
mod world;
