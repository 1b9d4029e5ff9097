//! Where keys live: files under `keys/`, environment variables, commands.
#![expect(clippy::disallowed_methods, reason = "this file reads and writes keys")]
//!
//! ```text
//! keys/root/<N>.root.json         the chain of roots; public, committed with the project
//! keys/root-<id>.pem              root keys; belong offline, with different people
//! keys/entitlement-<id>.pem       signs targets and snapshots
//! keys/freshness-<id>.pem         signs timestamps
//! keys/address.secret             turns tenant ids into addresses
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use super::command::CommandSigner;
use super::roots::{AddError, check_root, sorted};
use super::{AddressSecret, Renewers, Signers, sign};
use crate::input::{CommandKey, KeySources};
use crate::metadata::keys::{FileKey, PublicKey, SignError, Signer};
use crate::metadata::{DEVELOPMENT, RoleKeys, RoleName, Root, RootMark, SPEC_VERSION};
use crate::time::{Duration, Timestamp};

/// How long a root lasts.
pub const ROOT_LIFETIME: Duration = Duration::days(365);

/// Environment variable with the entitlement key in PKCS#8 PEM.
pub const ENTITLEMENT_VARIABLE: &str = "TENANTRY_ENTITLEMENT_KEY";
/// Environment variable with the freshness key in PKCS#8 PEM.
pub const FRESHNESS_VARIABLE: &str = "TENANTRY_FRESHNESS_KEY";
/// Environment variable with the address secret, 64 hex digits.
pub const ADDRESS_VARIABLE: &str = "TENANTRY_ADDRESS_SECRET";

/// The roles that a key file can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyRole {
    /// Signs roots.
    Root,
    /// Signs targets and snapshots.
    Entitlement,
    /// Signs timestamps.
    Freshness,
}

impl KeyRole {
    /// As it stands in file names and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyRole::Root => "root",
            KeyRole::Entitlement => "entitlement",
            KeyRole::Freshness => "freshness",
        }
    }

    /// The TUF roles that it signs for.
    pub fn signs(self) -> &'static [RoleName] {
        match self {
            KeyRole::Root => &[RoleName::Root],
            KeyRole::Entitlement => &[RoleName::Snapshot, RoleName::Targets],
            KeyRole::Freshness => &[RoleName::Timestamp],
        }
    }

    fn variable(self) -> Option<&'static str> {
        match self {
            KeyRole::Root => None,
            KeyRole::Entitlement => Some(ENTITLEMENT_VARIABLE),
            KeyRole::Freshness => Some(FRESHNESS_VARIABLE),
        }
    }
}

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The disk said no.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What we were trying to do.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// Others could have read it.
    #[error("key file `{path}` is open to others (mode {mode:04o})")]
    OpenPermissions {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Not a key.
    #[error("`{source_name}` does not hold an Ed25519 private key in PKCS#8 PEM")]
    BadKey {
        /// File or variable.
        source_name: String,
    },
    /// Not a secret.
    #[error("`{source_name}` does not hold 64 hex digits")]
    BadSecret {
        /// File or variable.
        source_name: String,
    },
    /// Not a root, or not one that follows from the one before.
    #[error("`{path}` is not a valid root: {why}")]
    BadRoot {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Nothing to sign with.
    #[error("no {role} key of root {version} is at hand")]
    MissingKey {
        /// Which role.
        role: &'static str,
        /// Of which root.
        version: u64,
    },
    /// The address secret is not there.
    #[error("the address secret `{path}` is missing")]
    MissingSecret {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There are keys already.
    #[error("`{path}` already holds keys")]
    Exists {
        /// Which folder.
        path: PathBuf,
    },
    /// A request that makes no sense.
    #[error("{0}")]
    Refused(String),
    /// A signer failed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Signatures could not be added to a root.
    #[error(transparent)]
    Add(#[from] AddError),
}

impl KeyError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            KeyError::OpenPermissions { path, .. } => {
                Some(format!("run `chmod 600 {}`, and replace the key if others may have read it", path.display()))
            }
            KeyError::MissingKey { role, .. } => Some(match *role {
                "entitlement" => format!("put `entitlement-*.pem` under `keys/`, or set `{ENTITLEMENT_VARIABLE}`"),
                "freshness" => format!("put `freshness-*.pem` under `keys/`, or set `{FRESHNESS_VARIABLE}`"),
                _ => "bring the root keys for this one command, then take them offline again".into(),
            }),
            KeyError::MissingSecret { .. } => Some(format!(
                "restore it from a backup, or set `{ADDRESS_VARIABLE}`; a new secret gives every tenant a new address"
            )),
            KeyError::Exists { .. } => {
                Some("use `tenantry keys rotate` to change keys; to begin anew, move the folder away".into())
            }
            _ => None,
        }
    }
}

/// A folder of keys.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    path: PathBuf,
}

/// A root with its bytes.
#[derive(Debug, Clone)]
pub struct RootFile {
    /// What it says.
    pub root: Root,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What a new project's keys look like.
#[derive(Debug, Clone)]
pub struct NewKeys {
    /// How many root keys.
    pub root_keys: u32,
    /// How many of them must sign.
    pub threshold: NonZeroU32,
    /// Its name is signed; [`DEVELOPMENT`] marks throw-away keys.
    pub environment: String,
}

impl KeyFolder {
    /// A folder, whether or not it exists.
    pub fn new(path: impl Into<PathBuf>) -> KeyFolder {
        KeyFolder { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it has a root.
    pub fn has_root(&self) -> bool {
        self.root_path(1).exists()
    }

    /// Makes keys and the first root. Refuses a folder that holds keys already.
    pub fn init(&self, new: &NewKeys, now: Timestamp) -> Result<RootFile, KeyError> {
        if new.threshold.get() > new.root_keys {
            return Err(KeyError::Refused(format!(
                "a threshold of {} cannot be met by {} root keys",
                new.threshold, new.root_keys
            )));
        }
        if self.has_root() || !self.files(KeyRole::Root)?.is_empty() || self.secret_path().exists() {
            return Err(KeyError::Exists { path: self.path.clone() });
        }
        make_folder(&self.path)?;
        make_folder(&self.path.join("root"))?;
        // Public files are meant to be committed beside the project; private ones never.
        write_new(&self.path.join(".gitignore"), b"*.pem\n*.secret\n", Secrecy::Public)?;
        let roots: Vec<FileKey> = (0..new.root_keys).map(|_| self.new_key(KeyRole::Root)).collect::<Result<_, _>>()?;
        let entitlement = self.new_key(KeyRole::Entitlement)?;
        let freshness = self.new_key(KeyRole::Freshness)?;
        write_new(&self.secret_path(), format!("{}\n", HEXLOWER.encode(&random()?)).as_bytes(), Secrecy::Private)?;

        let one = NonZeroU32::MIN;
        let ids = |keys: &[&FileKey]| sorted(keys.iter().map(|it| it.key_id()));
        let online = RoleKeys { keyids: ids(&[&entitlement]), threshold: one };
        let root = Root {
            type_name: "root".into(),
            consistent_snapshot: true,
            expires: now.plus(ROOT_LIFETIME),
            keys: roots
                .iter()
                .chain([&entitlement, &freshness])
                .map(|key| (key.key_id(), key.public_key().clone()))
                .collect(),
            roles: BTreeMap::from([
                (RoleName::Root, RoleKeys { keyids: ids(&roots.iter().collect::<Vec<_>>()), threshold: new.threshold }),
                (RoleName::Snapshot, online.clone()),
                (RoleName::Targets, online),
                (RoleName::Timestamp, RoleKeys { keyids: ids(&[&freshness]), threshold: one }),
            ]),
            spec_version: SPEC_VERSION.into(),
            version: 1,
            tenantry: RootMark { environment: new.environment.clone() },
        };
        let signers: Vec<&dyn Signer> = roots.iter().map(|it| it as &dyn Signer).collect();
        let signed = sign(root, &signers)?;
        write_new(&self.root_path(1), &signed.bytes, Secrecy::Public)?;
        Ok(RootFile { root: signed.role, bytes: signed.bytes })
    }

    /// The chain of roots, oldest first, each checked against the one before. Expiry is the caller's question.
    pub fn chain(&self) -> Result<Vec<RootFile>, KeyError> {
        let mut chain: Vec<RootFile> = Vec::new();
        loop {
            let version = chain.len() as u64 + 1;
            let path = self.root_path(version);
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound && version > 1 => return Ok(chain),
                Err(source) => return Err(KeyError::Io { action: "read", path, source }),
            };
            let bad = |why: String| KeyError::BadRoot { path: path.clone(), why };
            let root = check_root(&bytes, chain.last().map(|it| &it.root)).map_err(|it| bad(it.to_string()))?;
            chain.push(RootFile { root, bytes });
        }
    }

    /// Everything that signs for tenants under the newest root: files, then the environment, then commands.
    pub fn signers(&self, root: &Root, sources: &KeySources) -> Result<Signers, KeyError> {
        Ok(Signers {
            entitlement: self.role_signers(KeyRole::Entitlement, root, sources)?,
            freshness: self.role_signers(KeyRole::Freshness, root, sources)?,
            environment: root.tenantry.environment.clone(),
            addresses: self.addresses()?,
        })
    }

    /// What signs again under the newest root: the freshness keys, and the entitlement keys if there are any here.
    pub fn renewers(&self, root: &Root, sources: &KeySources) -> Result<Renewers, KeyError> {
        let entitlement = match self.role_signers(KeyRole::Entitlement, root, sources) {
            Ok(signers) => Some(signers),
            Err(KeyError::MissingKey { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Renewers { entitlement, freshness: self.role_signers(KeyRole::Freshness, root, sources)? })
    }

    /// The keys of a role, sorted; enough of them for the root.
    fn role_signers(&self, role: KeyRole, root: &Root, sources: &KeySources) -> Result<Vec<Box<dyn Signer>>, KeyError> {
        let mut signers: Vec<Box<dyn Signer>> = Vec::new();
        for (_, key) in self.files(role)? {
            signers.push(Box::new(key));
        }
        if let Some(variable) = role.variable()
            && let Ok(pem) = std::env::var(variable)
        {
            let key = FileKey::from_pem(&pem).ok_or(KeyError::BadKey { source_name: variable.into() })?;
            signers.push(Box::new(key));
        }
        let command = match role {
            KeyRole::Root => None,
            KeyRole::Entitlement => sources.entitlement.as_ref(),
            KeyRole::Freshness => sources.freshness.as_ref(),
        };
        if let Some(CommandKey { command, public_key }) = command {
            let no_key = || {
                KeyError::Refused(format!("`keys.{}.public_key` in `tenantry.yaml` is no Ed25519 key", role.as_str()))
            };
            let public = PublicKey::parse(public_key).ok_or_else(no_key)?;
            signers.push(Box::new(CommandSigner::new(command.clone(), public)));
        }
        signers.sort_by_key(|it| it.key_id());
        signers.dedup_by_key(|it| it.key_id());
        for name in role.signs() {
            let keys = &root.roles[name];
            let usable = signers.iter().filter(|it| keys.keyids.contains(&it.key_id())).count();
            if usable < keys.threshold.get() as usize {
                return Err(KeyError::MissingKey { role: role.as_str(), version: root.version });
            }
        }
        Ok(signers)
    }

    /// The private keys of a role that lie here, by file, in the order of their ids.
    pub fn files(&self, role: KeyRole) -> Result<Vec<(PathBuf, FileKey)>, KeyError> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(KeyError::Io { action: "list", path: self.path.clone(), source }),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(|source| KeyError::Io { action: "list", path: self.path.clone(), source })?.path();
            let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
            if name.starts_with(&format!("{}-", role.as_str())) && name.ends_with(".pem") {
                let pem = read_private(&path)?;
                let key =
                    FileKey::from_pem(&pem).ok_or(KeyError::BadKey { source_name: path.display().to_string() })?;
                found.push((path, key));
            }
        }
        found.sort_by_key(|(_, key)| key.key_id());
        Ok(found)
    }

    /// Makes a private key of a role, in a file of its own.
    pub fn new_key(&self, role: KeyRole) -> Result<FileKey, KeyError> {
        let key = FileKey::from_seed(random()?);
        let path = self.path.join(format!("{}-{}.pem", role.as_str(), key.key_id().short()));
        write_new(&path, key.to_pem().as_bytes(), Secrecy::Private)?;
        Ok(key)
    }

    /// Writes the next root of the chain.
    pub fn write_root(&self, root: &RootFile) -> Result<(), KeyError> {
        write_new(&self.root_path(root.root.version), &root.bytes, Secrecy::Public)
    }

    /// The root that waits for signatures, if there is one.
    pub fn pending(&self) -> Result<Option<Vec<u8>>, KeyError> {
        let path = self.pending_path();
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(KeyError::Io { action: "read", path, source }),
        }
    }

    /// Puts a root aside until enough of its keys have signed.
    pub fn write_pending(&self, bytes: &[u8]) -> Result<(), KeyError> {
        let path = self.pending_path();
        let io = |source| KeyError::Io { action: "write", path: path.clone(), source };
        let mut file = tempfile::NamedTempFile::new_in(self.path.join("root")).map_err(io)?;
        file.write_all(bytes).map_err(io)?;
        file.persist(&path).map_err(|it| io(it.error))?;
        Ok(())
    }

    /// Forgets the root that waits.
    pub fn clear_pending(&self) -> Result<(), KeyError> {
        let path = self.pending_path();
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(KeyError::Io { action: "remove", path, source }),
        }
    }

    /// Moves a private key that no longer signs into `retired/`; nothing is ever deleted here.
    pub fn retire(&self, path: &Path) -> Result<PathBuf, KeyError> {
        let folder = self.path.join("retired");
        make_folder(&folder)?;
        let to = folder.join(path.file_name().unwrap_or_default());
        fs::rename(path, &to).map_err(|source| KeyError::Io { action: "move", path: path.into(), source })?;
        Ok(to)
    }

    fn addresses(&self) -> Result<AddressSecret, KeyError> {
        let (text, source_name) = match std::env::var(ADDRESS_VARIABLE) {
            Ok(text) => (text, ADDRESS_VARIABLE.to_owned()),
            Err(_) if !self.secret_path().exists() => return Err(KeyError::MissingSecret { path: self.secret_path() }),
            Err(_) => (read_private(&self.secret_path())?, self.secret_path().display().to_string()),
        };
        let mut secret = [0; 32];
        let text = text.trim().as_bytes();
        match text.len() == 64 && HEXLOWER.decode_mut(text, &mut secret).is_ok() {
            true => Ok(AddressSecret::new(secret)),
            false => Err(KeyError::BadSecret { source_name }),
        }
    }

    fn root_path(&self, version: u64) -> PathBuf {
        self.path.join("root").join(format!("{version}.root.json"))
    }

    fn pending_path(&self) -> PathBuf {
        self.path.join("root").join("pending.json")
    }

    fn secret_path(&self) -> PathBuf {
        self.path.join("address.secret")
    }
}

/// Makes development keys where there are none.
pub fn development(folder: &KeyFolder, now: Timestamp) -> Result<(), KeyError> {
    match folder.has_root() {
        true => Ok(()),
        false => folder
            .init(&NewKeys { root_keys: 1, threshold: NonZeroU32::MIN, environment: DEVELOPMENT.into() }, now)
            .map(|_| ()),
    }
}

/// Whether others may read a file.
#[derive(Clone, Copy)]
enum Secrecy {
    Public,
    Private,
}

fn random() -> Result<[u8; 32], KeyError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| KeyError::Refused(format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}

fn make_folder(path: &Path) -> Result<(), KeyError> {
    fs::create_dir_all(path).map_err(|source| KeyError::Io { action: "create", path: path.into(), source })
}

/// Writes a file that must not exist; a private one is never readable by others, not even for an instant.
fn write_new(path: &Path, bytes: &[u8], secrecy: Secrecy) -> Result<(), KeyError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if let Secrecy::Private = secrecy {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = secrecy;
    let io = |source| KeyError::Io { action: "write", path: path.into(), source };
    let mut file = options.open(path).map_err(io)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io)
}

fn read_private(path: &Path) -> Result<String, KeyError> {
    let io = |source| KeyError::Io { action: "read", path: path.into(), source };
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).map_err(io)?.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::OpenPermissions { path: path.into(), mode });
        }
    }
    fs::read_to_string(path).map_err(io)
}
