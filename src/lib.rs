//! tenantry
pub mod bundle;
pub mod diag;
pub mod digest;
pub mod index;
pub mod input;
pub mod load;
pub mod manifest;
pub mod metadata;
pub mod model;
pub mod parse;
pub mod path;
pub mod sign;
pub mod text;
pub mod time;
pub mod write;
