//! One file in, its documents out: text, guarded YAML, positions. Never an error, never another file.

pub mod node;

use crate::text::{FileId, Span};
use node::Node;

/// One YAML document that names a kind we know.
#[derive(Debug)]
pub struct Document {
    /// Its file.
    pub file: FileId,
    /// What it says it is.
    pub kind: Kind,
    /// The whole document as a tree with places.
    pub root: Node,
    /// The bytes of the document inside its file, without `---`: what the typed reader gets.
    pub body: Span,
}

/// The kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The project.
    Project,
    /// A version of a mini-program.
    MiniProgram,
    /// A plan.
    Plan,
    /// An add-on.
    AddOn,
    /// A compliance profile.
    ComplianceProfile,
    /// A shell.
    Shell,
    /// A tenant.
    Tenant,
}
