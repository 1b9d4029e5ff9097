//! tenantry
pub mod bundle;
pub mod diag;
pub mod digest;
pub mod input;
pub mod load;
pub mod manifest;
pub mod metadata;
pub mod model;
pub mod parse;
pub mod path;
pub mod text;
pub mod time;
