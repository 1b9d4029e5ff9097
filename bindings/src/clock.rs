//! The system's clock, for shells that have no better one.
#![expect(clippy::disallowed_methods, reason = "this file asks for the time, when a shell wants it to")]

use std::time::SystemTime;

use crate::answer::UnixSeconds;

/// The time by the system's clock. A shell that knows better (a server's time, the network's, one that people cannot
/// set) passes that in its place: the client never asks by itself.
#[uniffi::export]
pub fn system_clock() -> UnixSeconds {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A clock before 1970 is wrong, and the client puts it right by what it knows.
    UnixSeconds(since.map_or(0, |it| i64::try_from(it.as_secs()).unwrap_or(i64::MAX)))
}
