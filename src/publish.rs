//! From a compiled publication to a store: safe at every instant, whoever dies and whoever else publishes.
//!
//! Pure over [`crate::store::Store`]: no clock, no disk. The protocol, step by step, is in `docs/publishing.md`.

pub mod head; // which publication a store shows, and who is about to make the next one
pub mod state; // what lies below `state/` of a store
