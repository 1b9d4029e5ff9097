//! The roles as the standard has them (TUF 1.0.34, section 4). Fields that we do not know are let be: they may be
//! anybody's. What we do know must be right.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use super::delegations::Delegations;
use super::envelope::Authority;
use super::hashes::Hashes;
use super::json::{BadShape, Fields, Json, bad};
use super::keys::Key;
use crate::time::Timestamp;

/// What every role has.
pub trait Role: Sized {
    /// Its `_type`.
    const TYPE: &'static str;
    /// Understands the signed part of a file that has this type.
    fn read(fields: Fields<'_>) -> Result<Self, BadShape>;
    /// Version and date.
    fn common(&self) -> &Common;
}

/// What every role says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// Grows with every change.
    pub version: NonZeroU64,
    /// First instant at which it no longer holds.
    pub expires: Timestamp,
    /// Whose it is, where it says so: `x-tenantry`, ours.
    pub mark: Option<Mark>,
}

/// Whose file it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The tenant's address; a root has none.
    pub addr: Option<String>,
    /// The environment.
    pub environment: String,
}

/// Names all keys, and who may sign what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Version and date.
    pub common: Common,
    /// Whether files carry their version or hash in their name.
    pub consistent_snapshot: bool,
    /// Who signs roots.
    pub root: Authority,
    /// Who signs timestamps.
    pub timestamp: Authority,
    /// Who signs snapshots.
    pub snapshot: Authority,
    /// Who signs targets.
    pub targets: Authority,
}

/// Names the current snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampRole {
    /// Version and date.
    pub common: Common,
    /// The snapshot.
    pub snapshot: MetaFile,
}

/// Names the current targets files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Version and date.
    pub common: Common,
    /// By file name: `targets.json`, `<role>.json`.
    pub meta: BTreeMap<String, MetaFile>,
}

/// Names files, and who else may name some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    /// Version and date.
    pub common: Common,
    /// By name.
    pub targets: BTreeMap<String, TargetFile>,
    /// Who else may name some.
    pub delegations: Delegations,
}

/// A file of metadata as another one names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaFile {
    /// Its version.
    pub version: NonZeroU64,
    /// Bytes, where it is said.
    pub length: Option<u64>,
    /// Its hashes, where they are said.
    pub hashes: Option<Hashes>,
}

/// A file as a targets file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFile {
    /// Bytes.
    pub length: u64,
    /// Its hashes.
    pub hashes: Hashes,
}

/// Understands the signed part of a file.
pub fn read<T: Role>(signed: &Json) -> Result<T, BadShape> {
    let fields = signed.fields("signed")?;
    match fields.text("_type")? {
        found if found == T::TYPE => T::read(fields),
        _ => Err(bad("_type", "that of this role")),
    }
}

impl Root {
    /// The environment that it names, if it is one of ours.
    pub fn environment(&self) -> Option<&str> {
        self.common.mark.as_ref().map(|it| it.environment.as_str())
    }
}

impl Role for Root {
    const TYPE: &'static str = "root";

    fn read(fields: Fields<'_>) -> Result<Root, BadShape> {
        let keys = keys(fields)?;
        let roles = fields.map("roles")?;
        let authority = |role: &str| authority(roles.map(role)?, &keys);
        Ok(Root {
            common: Common::read(fields)?,
            // Left out in files from before it was thought of.
            consistent_snapshot: match fields.get("consistent_snapshot") {
                None => false,
                Some(_) => fields.boolean("consistent_snapshot")?,
            },
            root: authority("root")?,
            timestamp: authority("timestamp")?,
            snapshot: authority("snapshot")?,
            targets: authority("targets")?,
        })
    }

    fn common(&self) -> &Common {
        &self.common
    }
}

impl Role for TimestampRole {
    const TYPE: &'static str = "timestamp";

    fn read(fields: Fields<'_>) -> Result<TimestampRole, BadShape> {
        let snapshot = fields.map("meta")?.map("snapshot.json")?;
        Ok(TimestampRole { common: Common::read(fields)?, snapshot: MetaFile::read(snapshot)? })
    }

    fn common(&self) -> &Common {
        &self.common
    }
}

impl Role for Snapshot {
    const TYPE: &'static str = "snapshot";

    fn read(fields: Fields<'_>) -> Result<Snapshot, BadShape> {
        let entry = |(name, file): (&str, &Json)| Ok((name.to_owned(), MetaFile::read(file.fields(name)?)?));
        let meta: BTreeMap<String, MetaFile> = fields.map("meta")?.iter().map(entry).collect::<Result<_, _>>()?;
        match meta.contains_key("targets.json") {
            true => Ok(Snapshot { common: Common::read(fields)?, meta }),
            false => Err(bad("targets.json", "named")),
        }
    }

    fn common(&self) -> &Common {
        &self.common
    }
}

impl Role for Targets {
    const TYPE: &'static str = "targets";

    fn read(fields: Fields<'_>) -> Result<Targets, BadShape> {
        let entry = |(name, file): (&str, &Json)| Ok((name.to_owned(), TargetFile::read(file.fields(name)?)?));
        Ok(Targets {
            common: Common::read(fields)?,
            targets: fields.map("targets")?.iter().map(entry).collect::<Result<_, _>>()?,
            delegations: match fields.get("delegations") {
                None => Delegations::default(),
                Some(delegations) => Delegations::read(delegations.fields("delegations")?)?,
            },
        })
    }

    fn common(&self) -> &Common {
        &self.common
    }
}

impl Common {
    fn read(fields: Fields<'_>) -> Result<Common, BadShape> {
        if !follows_version_1(fields.text("spec_version")?) {
            return Err(bad("spec_version", "1.x"));
        }
        Ok(Common {
            version: fields.positive("version")?,
            expires: expires(fields.text("expires")?)?,
            mark: fields.get("x-tenantry").and_then(Mark::read),
        })
    }
}

impl Mark {
    /// None where the field is not ours: somebody else's repository may have one of that name.
    fn read(json: &Json) -> Option<Mark> {
        let fields = json.fields("x-tenantry").ok()?;
        let addr = fields.get("addr").and_then(Json::text).map(str::to_owned);
        Some(Mark { addr, environment: fields.text("environment").ok()?.to_owned() })
    }
}

impl MetaFile {
    fn read(fields: Fields<'_>) -> Result<MetaFile, BadShape> {
        Ok(MetaFile {
            version: fields.positive("version")?,
            length: fields.get("length").map(|_| fields.count("length")).transpose()?,
            hashes: fields.get("hashes").map(|it| Hashes::read(it.fields("hashes")?)).transpose()?,
        })
    }

    /// What is wrong with these bytes as the file that it names.
    pub fn mismatch(&self, bytes: &[u8]) -> Option<String> {
        let length = self.length.and_then(|length| length_mismatch(length, bytes));
        length.or_else(|| self.hashes.as_ref().and_then(|it| it.mismatch(bytes)))
    }
}

impl TargetFile {
    fn read(fields: Fields<'_>) -> Result<TargetFile, BadShape> {
        Ok(TargetFile { length: fields.count("length")?, hashes: Hashes::read(fields.map("hashes")?)? })
    }

    /// What is wrong with these bytes as the file that it names.
    pub fn mismatch(&self, bytes: &[u8]) -> Option<String> {
        length_mismatch(self.length, bytes).or_else(|| self.hashes.mismatch(bytes))
    }

    /// Where a target of this name lies below the target URL: with the hash before the last part of its name where
    /// the repository has consistent snapshots.
    pub fn path(&self, name: &str, root: &Root) -> String {
        match (root.consistent_snapshot, self.hashes.first(), name.rsplit_once('/')) {
            (true, Some(hash), Some((folder, name))) => format!("{folder}/{hash}.{name}"),
            (true, Some(hash), None) => format!("{hash}.{name}"),
            _ => name.to_owned(),
        }
    }
}

fn length_mismatch(length: u64, bytes: &[u8]) -> Option<String> {
    (bytes.len() as u64 != length).then(|| format!("it has {} bytes, not {length}", bytes.len()))
}

/// All keys that can be used, by their ids. The ids are names and nothing more: nobody is counted by them.
pub(super) fn keys(fields: Fields<'_>) -> Result<BTreeMap<String, Key>, BadShape> {
    let usable = |(id, key): (&str, &Json)| Some((id.to_owned(), Key::read(key)?));
    Ok(fields.map("keys")?.iter().filter_map(usable).collect())
}

/// Who may sign, out of these keys.
pub(super) fn authority(fields: Fields<'_>, keys: &BTreeMap<String, Key>) -> Result<Authority, BadShape> {
    Ok(Authority::new(fields.texts("keyids")?, keys, fields.positive("threshold")?))
}

/// `1`, then one or two more numbers.
fn follows_version_1(spec_version: &str) -> bool {
    let parts: Vec<&str> = spec_version.split('.').collect();
    let is_number = |it: &&str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.len(), 2 | 3) && parts.iter().all(is_number) && parts.first() == Some(&"1")
}

/// `YYYY-MM-DDTHH:MM:SSZ` and no other spelling.
fn expires(text: &str) -> Result<Timestamp, BadShape> {
    let shape = "dddd-dd-ddTdd:dd:ddZ";
    let fits = |(found, shape): (u8, u8)| if shape == b'd' { found.is_ascii_digit() } else { found == shape };
    let is_spelled_so = text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits);
    let time = is_spelled_so.then(|| Timestamp::parse(text).ok()).flatten();
    time.ok_or_else(|| bad("expires", "a time such as `2026-12-31T18:00:00Z`"))
}
