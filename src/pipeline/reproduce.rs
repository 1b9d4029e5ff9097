//! What was published, made again from its commit: one tenant's line-up, or a whole publication to the byte.
//!
//! No private key is needed. Everything that was signed is made again and compared, and the signatures that are there
//! are checked; a signature itself only its key can make.

mod decision; // a project at a commit, decided

pub use self::decision::{Decision, instant, manifest};
