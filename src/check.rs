//! Documents in, a model out: shapes, names, references, rules of the catalogue and of tenants.

pub mod schema;
