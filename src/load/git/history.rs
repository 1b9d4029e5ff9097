//! What git knows of a commit: who made it, who is said to have looked at it, and how it came to where it is.
//!
//! Nothing of it is proved: whoever makes a commit writes these names. What is there is given back, and nothing is
//! concluded from what is missing.

use std::path::Path;

use serde::Serialize;

use super::text;
use crate::load::LoadError;
use crate::time::Timestamp;

/// What separates the parts of a commit in what git prints: no text of a commit contains it.
const PART: char = '\0';

/// The parts, in the order in which [`Commit::parse`] takes them.
const PARTS: &str =
    "--format=%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%s%x00%b%x00%(trailers:only=yes,unfold=yes)";

/// Somebody, at a time, as the commit says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// When; none when the time is outside all years that we know.
    pub at: Option<Timestamp>,
}

/// A line such as `Reviewed-by: Giulia Ferri <giulia@example.com>` at the end of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trailer {
    /// What comes before the colon.
    pub key: String,
    /// What comes after it.
    pub value: String,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// Its full name.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// Who wrote it.
    pub author: Person,
    /// Who put it where it is.
    pub committer: Person,
    /// Whether it brings two histories together; then its author is who merged.
    pub is_merge: bool,
    /// The pull or merge request that its message names, as it names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Every trailer that says who did something: `Reviewed-by`, `Approved-by`, `Signed-off-by` and the like.
    pub trailers: Vec<Trailer>,
}

/// What the repository knows of a commit, by its full name; none when it does not have it.
pub fn commit(root: &Path, id: &str) -> Result<Option<Commit>, LoadError> {
    if !is_full(id) {
        return Ok(None);
    }
    let known = text(root, &["cat-file", "-e", &format!("{id}^{{commit}}")])?;
    let Some(_) = known else { return Ok(None) };
    let shown = text(root, &["log", "-1", "--no-show-signature", "--no-notes", "--encoding=UTF-8", PARTS, id])?;
    Ok(shown.as_deref().and_then(Commit::parse))
}

/// The newest commit of a branch that was there at an instant, by the dates of its committers. Only the branch's own
/// line is followed: what was merged into it counts from the merge on.
pub fn newest_at(root: &Path, revision: &str, at: Timestamp) -> Result<Option<String>, LoadError> {
    let tip = super::commit(root, revision)?;
    let before = format!("--before={at}");
    let found = text(root, &["rev-list", "-1", "--first-parent", &before, &tip])?;
    Ok(found.filter(|it| !it.is_empty()))
}

/// The commit that last changed a file, as of a commit.
pub fn last_change(root: &Path, commit: &str, path: &str) -> Result<Option<String>, LoadError> {
    last(root, &["--literal-pathspecs", "log", "-1", "--format=%H", commit, "--", path])
}

/// The commit that last brought a change of a file to the branch's own line: a merge, where changes are merged.
pub fn last_arrival(root: &Path, commit: &str, path: &str) -> Result<Option<String>, LoadError> {
    last(root, &["--literal-pathspecs", "log", "-1", "--first-parent", "--format=%H", commit, "--", path])
}

fn last(root: &Path, arguments: &[&str]) -> Result<Option<String>, LoadError> {
    Ok(text(root, arguments)?.filter(|it| is_full(it)))
}

/// Whether this is the full name of an object, and so no option and no branch.
fn is_full(id: &str) -> bool {
    matches!(id.len(), 40 | 64) && id.bytes().all(|it| it.is_ascii_hexdigit())
}

impl Commit {
    fn parse(text: &str) -> Option<Commit> {
        let parts: Vec<&str> = text.split(PART).collect();
        let [id, parents, an, ae, at, cn, ce, ct, subject, body, trailers] = parts[..] else { return None };
        let person = |name: &str, email: &str, at: &str| Person {
            name: name.into(),
            email: email.into(),
            at: at.parse().ok().and_then(Timestamp::from_unix),
        };
        let trailers = trailers.lines().filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            key.to_ascii_lowercase().ends_with("-by").then_some(Trailer { key, value })
        });
        Some(Commit {
            id: id.into(),
            subject: subject.into(),
            author: person(an, ae, at),
            committer: person(cn, ce, ct),
            is_merge: parents.split_whitespace().count() > 1,
            request: request(subject, body),
            trailers: trailers.collect(),
        })
    }
}

/// The pull or merge request that a message names, in the forms that GitHub, GitLab and Bitbucket write.
fn request(subject: &str, body: &str) -> Option<String> {
    let number = |text: &str| -> Option<String> {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    };
    let pull = |text: &str| number(text).map(|it| format!("pull request #{it}"));
    let merged = subject.strip_prefix("Merge pull request #").and_then(pull);
    let squashed = || subject.strip_suffix(')')?.rsplit_once("(#").and_then(|(_, it)| pull(it));
    let bitbucket = || subject.rsplit_once("(pull request #").and_then(|(_, it)| pull(it));
    let gitlab = || {
        let name = body.lines().find_map(|it| it.strip_prefix("See merge request "))?.trim();
        let is_name = name.rsplit_once('!').is_some_and(|(_, it)| number(it).as_deref() == Some(it));
        is_name.then(|| format!("merge request {name}"))
    };
    merged.or_else(squashed).or_else(bitbucket).or_else(gitlab)
}

#[cfg(test)]
mod tests {
    use super::request;

    #[test]
    fn a_request_is_named_as_the_message_names_it_and_never_guessed() {
        for (subject, body, expected) in [
            ("Merge pull request #12 from corp/elm", "Give elm chat", Some("pull request #12")),
            ("Give elm chat (#7)", "", Some("pull request #7")),
            ("Merged in elm (pull request #3)", "", Some("pull request #3")),
            (
                "Merge branch 'elm' into 'main'",
                "Elm\n\nSee merge request corp/tenants!45",
                Some("merge request corp/tenants!45"),
            ),
            ("Give elm chat (#seven)", "", None),
            ("Fixes #12", "see #13", None),
            ("Merge branch 'elm'", "See merge request of last week", None),
            ("Merge pull request # from nobody", "", None),
        ] {
            assert_eq!(request(subject, body).as_deref(), expected, "{subject}");
        }
    }
}
