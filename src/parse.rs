//! One file in, its documents out: text, guarded YAML, positions. Never an error, never another file.

mod envelope;
mod guard;
mod hidden;
pub mod node;
mod scalar;
mod stream;
mod syntax;

use crate::diag::{Code, Diagnostic};
use crate::text::{FileId, Span};
use guard::Guard;
use node::Node;

/// Largest YAML file.
pub const MOST_BYTES: usize = 256 * 1024;
/// Most documents in one file.
const MOST_DOCUMENTS: usize = 64;

/// Reads one file. A document with a problem of its own is reported and left out; the others come all the same.
pub fn file(id: FileId, bytes: &[u8]) -> (Vec<Document>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    match text(id, bytes) {
        Ok(text) => {
            hidden::characters(id, text, &mut found);
            match found.is_empty() {
                true => (documents(id, text, &mut found), found),
                false => (Vec::new(), found),
            }
        }
        Err(refused) => (Vec::new(), vec![refused]),
    }
}

fn text(file: FileId, bytes: &[u8]) -> Result<&str, Diagnostic> {
    // The text of such a file is not kept for display, so there is no place in it to show.
    let nowhere = Span { file, start: 0, end: 0 };
    if bytes.len() > MOST_BYTES {
        let message = format!("the file has {} bytes; {MOST_BYTES} are allowed", bytes.len());
        return Err(Diagnostic::new(Code::FileTooLarge, nowhere, message).help("split the file"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("byte {} of the file is not UTF-8", error.valid_up_to());
        Diagnostic::new(Code::NotUtf8, nowhere, message).help("save the file as UTF-8")
    })
}

fn documents(file: FileId, text: &str, found: &mut Vec<Diagnostic>) -> Vec<Document> {
    let start = match text.starts_with('\u{feff}') {
        true => '\u{feff}'.len_utf8(),
        false => 0,
    };
    let mut documents = Vec::with_capacity(1);
    let mut guard = Guard::new(file, text);
    for (at, piece) in stream::pieces(text, start).into_iter().enumerate() {
        if at == MOST_DOCUMENTS {
            let span = Span { file, start: piece.start as u32, end: piece.body as u32 };
            let message = format!("more than {MOST_DOCUMENTS} documents in one file");
            found.push(Diagnostic::new(Code::YamlLimit, span, message).help("split the file"));
            break;
        }
        let Some(root) = guard.document(piece, found) else {
            match guard.is_spent() {
                true => break,
                false => continue,
            }
        };
        let body = Span { file, start: piece.body as u32, end: piece.end as u32 };
        match envelope::kind(&root) {
            Ok(kind) => documents.push(Document { file, kind, root, body }),
            Err(refused) => found.push(refused),
        }
    }
    documents
}

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

impl Kind {
    /// Every kind, catalogue before tenants.
    pub const ALL: &'static [Kind] = &[
        Kind::Project,
        Kind::MiniProgram,
        Kind::Plan,
        Kind::AddOn,
        Kind::ComplianceProfile,
        Kind::Shell,
        Kind::Tenant,
    ];

    /// The word that stands under `kind`.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Project => "Project",
            Kind::MiniProgram => "MiniProgram",
            Kind::Plan => "Plan",
            Kind::AddOn => "AddOn",
            Kind::ComplianceProfile => "ComplianceProfile",
            Kind::Shell => "Shell",
            Kind::Tenant => "Tenant",
        }
    }

    /// The file in `schemas/` that says what may stand in such a document.
    pub fn schema_file(self) -> &'static str {
        match self {
            Kind::Project => "project.schema.json",
            Kind::MiniProgram => "mini-program.schema.json",
            Kind::Plan => "plan.schema.json",
            Kind::AddOn => "add-on.schema.json",
            Kind::ComplianceProfile => "compliance-profile.schema.json",
            Kind::Shell => "shell.schema.json",
            Kind::Tenant => "tenant.schema.json",
        }
    }
}

#[cfg(test)]
mod tests;
