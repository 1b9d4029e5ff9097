//! tenantry
pub mod check;
pub mod diag;
pub mod digest;
pub mod input;
pub mod load;
pub mod model;
pub mod parse;
pub mod path;
pub mod report;
pub mod text;
pub mod time;
