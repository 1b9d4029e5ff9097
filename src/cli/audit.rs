//! What `log` and `at` have in common: a commit, and what git says of who made it.

use serde::Serialize;

use super::settings::Settings;
use crate::load::git::history::{self, Commit, Person};
use crate::report::harmless;

/// How much of a commit is shown.
const SHORT: usize = 12;

/// A commit that a publication names.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Committed {
    /// The repository has it.
    Here(Box<Commit>),
    /// It does not, or cannot be read.
    Elsewhere { id: String, unknown: String },
}

/// Asks the project's repository about a commit.
pub(super) fn whose(settings: &Settings, id: &str) -> Committed {
    let unknown = match history::commit(&settings.project, id) {
        Ok(Some(commit)) => return Committed::Here(Box::new(commit)),
        Ok(None) => "it is not in this repository".to_owned(),
        Err(_) => "there is no repository here that can be read".to_owned(),
    };
    Committed::Elsewhere { id: id.into(), unknown }
}

impl Committed {
    /// Its full name.
    pub(super) fn id(&self) -> &str {
        match self {
            Committed::Here(commit) => &commit.id,
            Committed::Elsewhere { id, .. } => id,
        }
    }

    /// As people read it. Whatever stands in a commit was written by anybody.
    pub(super) fn lines(&self, indent: &str, text: &mut String) {
        match self {
            Committed::Here(commit) => {
                *text += &format!("{indent}commit {} {}\n", short(&commit.id), quoted(&commit.subject));
                *text += &format!("{indent}  {}\n", commit_people(commit));
                for it in &commit.trailers {
                    *text += &format!("{indent}  {}: {}\n", harmless(&it.key), harmless(&it.value));
                }
            }
            Committed::Elsewhere { id, unknown } => {
                *text += &format!("{indent}commit {}: {unknown}\n", short(id));
            }
        }
    }
}

/// A commit's name, as short as people read it.
pub(super) fn short(id: &str) -> String {
    harmless(&id.chars().take(SHORT).collect::<String>())
}

fn quoted(subject: &str) -> String {
    format!("“{}”", harmless(subject))
}

fn commit_people(commit: &Commit) -> String {
    let (author, committer) = (&commit.author, &commit.committer);
    let mut text = match commit.is_merge {
        true => format!("merged by {}", person(author)),
        false => format!("author {}", person(author)),
    };
    if (&author.name, &author.email) != (&committer.name, &committer.email) {
        text += &format!("; committer {}", person(committer));
    }
    if let Some(request) = &commit.request {
        text += &format!("; {}", harmless(request));
    }
    text
}

fn person(who: &Person) -> String {
    let when = who.at.map_or_else(String::new, |at| format!(", {at}"));
    format!("{} <{}>{when}", harmless(&who.name), harmless(&who.email))
}
