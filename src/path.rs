//! Paths that cannot leave the place they belong to.

use std::fmt;

/// A path inside the project: relative, `/` between parts, no `.` or `..`, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Box<str>);

/// A path inside a bundle. As [`RepoPath`], and safe on every file system that a shell may unpack to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundlePath(Box<str>);

/// Why a text is not a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// Nothing there, or a part of it is empty.
    #[error("a part of the path is empty")]
    Empty,
    /// It begins at a root or a drive.
    #[error("the path is absolute")]
    Absolute,
    /// `.` or `..` as a part.
    #[error("the path has a `.` or `..` part")]
    Dots,
    /// A character that some file system or archive reader takes for something else.
    #[error("the path has a character that is not safe on every file system")]
    Character,
    /// A name that some system reserves, or that ends in a dot or a space.
    #[error("the path has a name that some system reserves")]
    Reserved,
    /// A part over 255 bytes, or over 900 in all.
    #[error("the path is too long")]
    Long,
}

impl RepoPath {
    /// Reads a path as git and directory walks give it.
    pub fn parse(text: &str) -> Result<RepoPath, BadPath> {
        plain_parts(text)?;
        Ok(RepoPath(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that this stands in; empty at the root.
    pub fn parent(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    /// Joins a relative text to this file's folder; `.` is the folder itself and comes back without a trailing slash.
    pub fn beside(&self, relative: &str) -> Result<RepoPath, BadPath> {
        let relative = relative.strip_prefix("./").unwrap_or(relative);
        let relative = relative.strip_suffix('/').unwrap_or(relative);
        match (self.parent(), relative) {
            ("", "." | "") => Err(BadPath::Empty),
            (parent, "." | "") => RepoPath::parse(parent),
            ("", relative) => RepoPath::parse(relative),
            (parent, relative) => RepoPath::parse(&format!("{parent}/{relative}")),
        }
    }

    /// What remains of this path below a folder; none when it is not below it.
    pub fn below(&self, folder: &str) -> Option<&str> {
        self.0.strip_prefix(folder)?.strip_prefix('/')
    }
}

impl BundlePath {
    /// Reads a path; refuses what would escape, collide or be reserved on some system.
    pub fn parse(text: &str) -> Result<BundlePath, BadPath> {
        plain_parts(text)?;
        if text.len() > 900 {
            return Err(BadPath::Long);
        }
        for part in text.split('/') {
            let stem = part.split('.').next().unwrap_or(part).to_ascii_uppercase();
            let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
                || ((stem.starts_with("COM") || stem.starts_with("LPT"))
                    && stem.len() == 4
                    && stem.as_bytes()[3].is_ascii_digit());
            if device || part.ends_with('.') || part.ends_with(' ') || part.starts_with(' ') {
                return Err(BadPath::Reserved);
            }
            if part.len() > 255 {
                return Err(BadPath::Long);
            }
            if part.chars().any(|c| matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*')) {
                return Err(BadPath::Character);
            }
        }
        Ok(BundlePath(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two paths collide on systems that fold case.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

/// What both kinds of path ask for.
fn plain_parts(text: &str) -> Result<(), BadPath> {
    if text.starts_with('/') || text.as_bytes().get(1) == Some(&b':') {
        return Err(BadPath::Absolute);
    }
    if text.chars().any(|c| c.is_control() || c == '\\') {
        return Err(BadPath::Character);
    }
    for part in text.split('/') {
        match part {
            "" => return Err(BadPath::Empty),
            "." | ".." => return Err(BadPath::Dots),
            _ => {}
        }
    }
    Ok(())
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{BadPath, BundlePath, RepoPath};

    #[test]
    fn a_bundle_path_cannot_escape_or_collide_with_a_device() {
        for (text, why) in [
            ("../x", BadPath::Dots),
            ("a/./b", BadPath::Dots),
            ("/etc/passwd", BadPath::Absolute),
            ("C:/x", BadPath::Absolute),
            ("a//b", BadPath::Empty),
            ("", BadPath::Empty),
            ("a\\b", BadPath::Character),
            ("a\u{0}b", BadPath::Character),
            ("aux.html", BadPath::Reserved),
            ("com1", BadPath::Reserved),
            ("a/b.", BadPath::Reserved),
            ("what?.html", BadPath::Character),
        ] {
            assert_eq!(BundlePath::parse(text), Err(why), "{text:?}");
        }
        assert!(BundlePath::parse("pages/über uns.html").is_ok());
    }

    #[test]
    fn a_path_beside_a_document_stays_in_the_project() {
        let document = RepoPath::parse("catalog/programs/x/program.yaml").expect("a good path");
        assert_eq!(document.beside("app").expect("good").as_str(), "catalog/programs/x/app");
        assert_eq!(document.beside("./").expect("good").as_str(), "catalog/programs/x");
        assert_eq!(document.beside("../y"), Err(BadPath::Dots));
        let folder = document.beside("app").expect("good");
        assert_eq!(
            RepoPath::parse("catalog/programs/x/app/i.html").expect("good").below(folder.as_str()),
            Some("i.html")
        );
    }
}
