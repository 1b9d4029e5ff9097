//! The configurations of `docs/cdn/`, run by nginx and Varnish in front of a store.
//!
//! `.ci/parts` installs both; see `tests/support/parts.rs` for what happens without them.
#![expect(clippy::disallowed_methods, reason = "tests start servers and read what they are configured with")]

mod behaviour;
mod bucket;
#[path = "../interop/clients.rs"]
mod clients;
mod cloudfront;
mod edges;
mod following;
#[path = "../support/parts.rs"]
mod parts;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/raw.rs"]
mod raw;
mod relay;
#[path = "../support/servers.rs"]
mod servers;
#[expect(dead_code, reason = "the server's own tests use more of it")]
#[path = "../support/serving.rs"]
mod serving;
#[expect(dead_code, reason = "the clients' own tests use more of it")]
#[path = "../interop/site.rs"]
mod site;
