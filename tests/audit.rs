//! What an auditor asks afterwards: who published what, what a tenant had on a day and why, and whether it can be made
//! again from its commit. On scratch repositories and stores in directories.
#![expect(clippy::disallowed_methods, reason = "tests write projects, run git and look at what was published")]

#[path = "support/project.rs"]
mod project;

#[path = "audit/at.rs"]
mod at;
#[path = "audit/log.rs"]
mod log;
#[path = "audit/reproduce.rs"]
mod reproduce;
#[path = "audit/world.rs"]
mod world;
