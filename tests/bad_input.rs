//! What goes wrong, as a user meets it: the exit code, what is said, and that nothing is left half-done.
#![expect(clippy::disallowed_methods, reason = "a test prepares what goes wrong and looks at what is left")]

#[path = "support/binary.rs"]
mod binary;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/small.rs"]
mod small;

#[path = "bad_input/files.rs"]
mod files;
#[path = "bad_input/keys.rs"]
mod keys;
#[path = "bad_input/output.rs"]
mod output;
#[path = "bad_input/packages.rs"]
mod packages;
#[path = "bad_input/usage.rs"]
mod usage;
