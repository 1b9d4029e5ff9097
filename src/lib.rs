//! tenantry
pub mod diag;
pub mod digest;
pub mod explain;
pub mod input;
pub mod load;
pub mod model;
pub mod parse;
pub mod path;
pub mod resolve;
pub mod text;
pub mod time;
