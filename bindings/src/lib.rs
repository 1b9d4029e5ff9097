//! The shell's client for apps that are not written in Rust: [`tenantry::client`], as Kotlin, Swift and Python see it.
//!
//! Nothing is decided here. Each type has its counterpart in the client, and says the same; what a language cannot
//! take is changed and no more: paths and JSON are text, instants are seconds, errors carry their code, their advice
//! and whether to try again as fields. These comments are the documentation of the generated code.

mod answer; // what a client says
mod bucket; // where a device stands among those of its tenant
mod client; // the client itself
mod clock; // the system's clock, for shells that have no better one
mod config; // what it is opened with
mod error; // what happened, what was kept, whether to try again
mod transport; // bytes over the shell's own HTTP

pub use answer::{
    Activated, ExpirationStrategy, Freshness, HeldBack, Missing, Permission, Program, ProgramChange, ProgramVersion,
    RevokeMode, StaleEdge, Start, Stopped, Traffic, UnixSeconds, Update, UpdateMode, Verdict, Version,
};
pub use bucket::bucket;
pub use client::Client;
pub use clock::system_clock;
pub use config::{Config, Limits, OnDemand};
pub use error::{ClientError, Kept, Retry};
pub use transport::{ByteSource, Reply, Request, Transport, TransportError};

uniffi::setup_scaffolding!();
