//! What we publish, in the hands of programs that we did not write.
//!
//! `.ci/parts` installs them; see `tests/support/parts.rs` for what happens without them.
#![expect(clippy::disallowed_methods, reason = "tests read what was published and run foreign programs")]

mod canonical;
mod clients;
mod following;
#[path = "../support/http.rs"]
#[expect(dead_code, reason = "here nothing goes wrong")]
mod http;
#[path = "../support/parts.rs"]
mod parts;
mod site;
mod todomvc;
