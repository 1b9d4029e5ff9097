//! Who else may name which files (TUF 1.0.34, section 4.5), with or without a list of roles (TAP 15).

use std::collections::BTreeSet;

use super::envelope::Authority;
use super::json::{BadShape, Fields, bad};
use super::roles::{authority, keys};
use crate::digest::Sha256;

/// Names that no delegated role can have: its file would stand in for another.
const TAKEN: [&str; 5] = ["", "root", "timestamp", "snapshot", "targets"];

/// All delegations of one targets file, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delegations {
    roles: Vec<Delegation>,
    bins: Option<Bins>,
}

/// A role that may name some files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// Its name: anything but the names of the top roles. It is not a path, and never used as one.
    pub name: String,
    /// Who signs for it.
    pub authority: Authority,
    /// Whether nobody after it is asked about a file that is its to name.
    pub terminating: bool,
    paths: Paths,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Paths {
    Patterns(Vec<String>),
    HashPrefixes(Vec<String>),
}

/// 2^bits roles that differ in their names only, each with its share of all files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bins {
    authority: Authority,
    bits: u32,
    prefix: String,
}

impl Delegations {
    /// Reads them.
    pub fn read(fields: Fields<'_>) -> Result<Delegations, BadShape> {
        let keys = keys(fields)?;
        if let Some(bins) = fields.get("succinct_roles") {
            if fields.get("roles").is_some() {
                return Err(bad("roles", "left out where there are `succinct_roles`"));
            }
            let fields = bins.fields("succinct_roles")?;
            let bins = Bins {
                authority: authority(fields, &keys)?,
                bits: bits(fields)?,
                prefix: fields.text("name_prefix")?.to_owned(),
            };
            return Ok(Delegations { roles: Vec::new(), bins: Some(bins) });
        }
        let mut names = BTreeSet::new();
        let mut roles = Vec::new();
        for role in fields.list("roles")? {
            let fields = role.fields("roles")?;
            let name = fields.text("name")?;
            if TAKEN.contains(&name) || !names.insert(name) {
                return Err(bad("name", "a name of its own"));
            }
            roles.push(Delegation {
                name: name.to_owned(),
                authority: authority(fields, &keys)?,
                terminating: fields.boolean("terminating")?,
                paths: Paths::read(fields)?,
            });
        }
        Ok(Delegations { roles, bins: None })
    }

    /// Who may name this file, in the order in which they are asked; the last one may be terminating.
    pub fn of(&self, target: &str) -> Vec<Delegation> {
        if let Some(bins) = &self.bins {
            return vec![bins.of(target)];
        }
        let mut asked = Vec::new();
        for role in self.roles.iter().filter(|it| it.paths.hold(target)) {
            asked.push(role.clone());
            if role.terminating {
                break;
            }
        }
        asked
    }
}

fn bits(fields: Fields<'_>) -> Result<u32, BadShape> {
    match fields.positive("bit_length")?.get() {
        bits @ 1..=32 => Ok(bits as u32),
        _ => Err(bad("bit_length", "between 1 and 32")),
    }
}

impl Bins {
    /// The first bits of the SHA-256 of the name of a file choose its bin.
    fn of(&self, target: &str) -> Delegation {
        let Sha256(hash) = Sha256::of(target.as_bytes());
        let first = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        let bin = first >> (32 - self.bits);
        let digits = self.bits.div_ceil(4) as usize;
        Delegation {
            name: format!("{}-{bin:0digits$x}", self.prefix),
            authority: self.authority.clone(),
            terminating: true,
            paths: Paths::Patterns(Vec::new()),
        }
    }
}

impl Paths {
    fn read(fields: Fields<'_>) -> Result<Paths, BadShape> {
        let owned = |name: &str| Ok(fields.texts(name)?.into_iter().map(str::to_owned).collect());
        match (fields.get("paths"), fields.get("path_hash_prefixes")) {
            (Some(_), None) => Ok(Paths::Patterns(owned("paths")?)),
            (None, Some(_)) => Ok(Paths::HashPrefixes(owned("path_hash_prefixes")?)),
            _ => Err(bad("paths", "there without `path_hash_prefixes`, or the other way round")),
        }
    }

    fn hold(&self, target: &str) -> bool {
        match self {
            Paths::Patterns(patterns) => patterns.iter().any(|it| matches(it, target)),
            Paths::HashPrefixes(prefixes) => {
                let hash = Sha256::of(target.as_bytes()).to_string();
                prefixes.iter().any(|it| hash.starts_with(it.as_str()))
            }
        }
    }
}

/// Whether a name fits a pattern: `*` and `?` as in a shell, neither of which stands for a `/`. Byte for byte, and the
/// same on every platform.
fn matches(pattern: &str, target: &str) -> bool {
    let (pattern, target): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), target.split('/').collect());
    pattern.len() == target.len() && pattern.iter().zip(&target).all(|(pattern, part)| part_matches(pattern, part))
}

/// Without recursion: on a mismatch the last `*` takes one character more.
fn part_matches(pattern: &str, part: &str) -> bool {
    let (pattern, part): (Vec<char>, Vec<char>) = (pattern.chars().collect(), part.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < part.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(it) if *it == '?' || *it == part[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, t) = (at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|it| *it == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_within_one_part_of_a_path() {
        for (pattern, target) in [
            ("*", "a"),
            ("a/*", "a/b"),
            ("a/*.tgz", "a/x.tgz"),
            ("?oo-*-ar", "foo-x-y-ar"),
            ("*", ""),
            ("**", "abc"),
            ("a*b*c", "aXbYbZc"),
            ("é?", "éü"),
        ] {
            assert!(matches(pattern, target), "{pattern} {target}");
        }
        for (pattern, target) in [
            ("*", "a/b"),
            ("a/*", "a"),
            ("a/*", "b/a"),
            ("a?c", "a/c"),
            ("a/*", "A/b"),
            ("a*b", "abc"),
            ("[ab]", "a"),
            ("a\\*", "a\\\\b/c"),
            ("", "a"),
        ] {
            assert!(!matches(pattern, target), "{pattern} {target}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer_than_its_length_times_the_name() {
        assert!(!matches(&"a*".repeat(2_000), &"a".repeat(1_999)));
        assert!(!matches(&format!("{}b", "*a".repeat(500)), &"a".repeat(5_000)));
    }
}
