//! Documents become the model: shapes, names, rules. Everything that can be seen is reported; what is sound goes on.
//!
//! [`document`] looks at one document alone. [`catalog`] looks at everything but tenants, and [`tenant`] at one
//! tenant against that; it is called in parallel. [`across_tenants`] looks at what must be unique among them all.

mod archive;
mod catalog;
mod ext_schema;
mod graph;
mod lower;
mod names;
mod packages;
mod rollouts;
pub mod schema;
pub mod templates;
mod tenants;
#[cfg(test)]
mod tests;

use crate::diag::Diagnostic;
use crate::input::{
    AddOnDocument, ComplianceProfileDocument, MiniProgramDocument, PlanDocument, ProjectDocument, ShellDocument,
    TenantDocument,
};
use crate::parse::{Document, Kind};
pub use catalog::catalog;
pub use packages::package_folders;
pub use rollouts::rollouts;
use schema::Shapes;
pub use tenants::TenantKey;
pub use tenants::across_tenants;
pub use tenants::tenant;

/// One document after shape check and typed decoding.
#[derive(Debug)]
pub struct Typed {
    /// The document.
    pub document: Document,
    /// What it says.
    pub value: TypedValue,
}

/// What a document says, by kind.
#[derive(Debug)]
pub enum TypedValue {
    /// The project.
    Project(Box<ProjectDocument>),
    /// A version of a mini-program.
    MiniProgram(Box<MiniProgramDocument>),
    /// A plan.
    Plan(Box<PlanDocument>),
    /// An add-on.
    AddOn(Box<AddOnDocument>),
    /// A compliance profile.
    ComplianceProfile(Box<ComplianceProfileDocument>),
    /// A shell.
    Shell(Box<ShellDocument>),
    /// A tenant.
    Tenant(Box<TenantDocument>),
    /// A document with a wrong shape. It is kept for its name: ten thousand tenants need not hear that the plan
    /// whose file has a typing mistake does not exist.
    Broken,
}

/// Checks the shape of one document and reads it. The diagnostics say why it is [`TypedValue::Broken`], if it is.
pub fn document(shapes: &Shapes, document: Document, text: &str) -> (Typed, Vec<Diagnostic>) {
    let mut found = Vec::new();
    shapes.check(&document, &mut found);
    if !found.is_empty() {
        return (Typed { document, value: TypedValue::Broken }, found);
    }
    let value = match document.kind {
        Kind::Project => schema::decode(&document, text).map(TypedValue::Project),
        Kind::MiniProgram => schema::decode(&document, text).map(TypedValue::MiniProgram),
        Kind::Plan => schema::decode(&document, text).map(TypedValue::Plan),
        Kind::AddOn => schema::decode(&document, text).map(TypedValue::AddOn),
        Kind::ComplianceProfile => schema::decode(&document, text).map(TypedValue::ComplianceProfile),
        Kind::Shell => schema::decode(&document, text).map(TypedValue::Shell),
        Kind::Tenant => schema::decode(&document, text).map(TypedValue::Tenant),
    };
    let value = value.unwrap_or_else(|why| {
        found.push(why);
        TypedValue::Broken
    });
    (Typed { document, value }, found)
}
