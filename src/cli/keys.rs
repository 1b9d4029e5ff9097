//! `tenantry keys`

use std::path::Path;

use serde_json::json;

use super::args::{KeysArguments, KeysCommand, PlainFormat, RoleArgument, RotateArguments};
use super::output;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::metadata::keys::{KeyId, PublicKey, Signer};
use crate::metadata::{self, DEVELOPMENT, Root};
use crate::sign::keystore::{KeyError, KeyFolder, KeyRole, NewKeys, ROOT_LIFETIME, RootFile};
use crate::sign::roots::{add_signatures, check_root, sorted};
use crate::time::Timestamp;
use crate::write::OutDir;

pub(super) fn run(settings: &Settings, arguments: &KeysArguments) -> Result<(), Failure> {
    let now = settings.now(None)?;
    let folder = KeyFolder::new(settings.keys(&arguments.folder));
    match &arguments.command {
        KeysCommand::Init { root_keys, threshold, environment } => {
            let new = NewKeys { root_keys: root_keys.get(), threshold: *threshold, environment: environment.clone() };
            init(&folder, &new, now)
        }
        KeysCommand::List { format } => list(&folder, now, *format),
        KeysCommand::Rotate(rotate) => Rotation { settings, folder, now }.run(rotate),
        KeysCommand::Sign => sign_pending(&folder),
    }
}

fn init(folder: &KeyFolder, new: &NewKeys, now: Timestamp) -> Result<(), Failure> {
    let name = &new.environment;
    let is_plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_plain || name == DEVELOPMENT {
        let message = format!(
            "`{name}` cannot name an environment: lower-case letters, digits and hyphens, and not `{DEVELOPMENT}`"
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let root = folder.init(new, now)?;
    output::result(&format!(
        "made {} ({} must sign), an entitlement key, a freshness key and an address secret in `{}`\n\
         root 1 for `{name}` holds until {}\n\n\
         Now:\n\
         - take each root-*.pem to another person, offline: they are needed for rotation and renewal only\n\
         - keep a backup of address.secret: a new one gives every tenant a new address\n\
         - commit `root/`: shells are built with 1.root.json, and `verify --root` starts from it\n\
         - give CI the entitlement and freshness keys as files or as the variables TENANTRY_ENTITLEMENT_KEY, TENANTRY_FRESHNESS_KEY and TENANTRY_ADDRESS_SECRET\n",
        output::counted(new.root_keys as usize, "root key"),
        new.threshold,
        folder.path().display(),
        root.root.expires.date(),
    ));
    Ok(())
}

/// Where a key stands between its first and its last signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// The newest root names it.
    Current,
    /// No root names it yet: it signs beside the current key until `--finish`.
    Incoming,
    /// Only older roots name it.
    Outgoing,
}

#[derive(serde::Serialize)]
struct Listed {
    role: &'static str,
    key_id: KeyId,
    standing: Standing,
    threshold: u32,
    private_key: Option<String>,
}

fn list(folder: &KeyFolder, now: Timestamp, format: PlainFormat) -> Result<(), Failure> {
    if !folder.has_root() {
        let message = format!("there are no keys in `{}`", folder.path().display());
        return Err(Failure::new(Exit::World, message)
            .help("make some with `tenantry keys init`; development keys lie in `.tenantry/development-keys`, name them with `--keys`"));
    }
    let chain = folder.chain()?;
    let newest = &chain.last().expect("a chain of roots is never empty").root;
    let mut rows: Vec<Listed> = Vec::new();
    for role in [KeyRole::Root, KeyRole::Entitlement, KeyRole::Freshness] {
        let files = folder.files(role)?;
        let named = &newest.roles[&role.signs()[0]];
        let ids = sorted(named.keyids.iter().copied().chain(files.iter().map(|(_, key)| key.key_id())));
        rows.extend(ids.into_iter().map(|id| Listed {
            role: role.as_str(),
            key_id: id,
            standing: standing(&chain, role, id),
            threshold: named.threshold.get(),
            private_key: files.iter().find(|(_, key)| key.key_id() == id).map(|(path, _)| path.display().to_string()),
        }));
    }
    let days = (newest.expires.unix() - now.unix()) / 86_400;
    match format {
        PlainFormat::Json => output::json(&json!({
            "environment": newest.tenantry.environment,
            "root": { "version": newest.version, "expires": newest.expires, "days_left": days },
            "keys": rows,
        })),
        PlainFormat::Human => {
            let mut text = format!(
                "environment {} · root {} until {} ({days} days left)\n\n{:<12} {:<18} {:<9} {:<10} private key\n",
                newest.tenantry.environment,
                newest.version,
                newest.expires.date(),
                "role",
                "key id",
                "needed",
                "standing",
            );
            for row in rows {
                let standing = match row.standing {
                    Standing::Current => "current",
                    Standing::Incoming => "incoming",
                    Standing::Outgoing => "outgoing",
                };
                text += &format!(
                    "{:<12} {:<18} {:<9} {standing:<10} {}\n",
                    row.role,
                    &row.key_id.to_string()[..16],
                    row.threshold,
                    row.private_key.as_deref().unwrap_or("elsewhere"),
                );
            }
            output::result(&text);
        }
    }
    Ok(())
}

fn standing(chain: &[RootFile], role: KeyRole, id: KeyId) -> Standing {
    let names = |root: &Root| root.roles[&role.signs()[0]].keyids.contains(&id);
    match chain {
        [.., newest] if names(&newest.root) => Standing::Current,
        older if older.iter().any(|it| names(&it.root)) => Standing::Outgoing,
        _ => Standing::Incoming,
    }
}

struct Rotation<'a> {
    settings: &'a Settings,
    folder: KeyFolder,
    now: Timestamp,
}

impl Rotation<'_> {
    fn run(&self, arguments: &RotateArguments) -> Result<(), Failure> {
        let role = match arguments.role {
            RoleArgument::Root => KeyRole::Root,
            RoleArgument::Entitlement => KeyRole::Entitlement,
            RoleArgument::Freshness => KeyRole::Freshness,
        };
        let for_root = arguments.renew || arguments.replace.is_some();
        match (role, for_root, arguments.finish, arguments.drop) {
            (KeyRole::Root, true, false, false) => self.root(arguments.replace.as_deref()),
            (KeyRole::Root, ..) => {
                Err(Failure::new(Exit::Usage, "say what to change: `--renew`, or `--replace KEY_ID`"))
            }
            (_, true, ..) => Err(Failure::new(Exit::Usage, "`--renew` and `--replace` are for the root")),
            (_, _, true, _) => self.finish(role, arguments),
            (_, _, _, true) => self.drop(role),
            _ => self.start(role),
        }
    }

    /// First step: a new key signs beside the current one.
    fn start(&self, role: KeyRole) -> Result<(), Failure> {
        let chain = self.folder.chain()?;
        let files = self.folder.files(role)?;
        if let Some((path, _)) = files.iter().find(|(_, key)| standing(&chain, role, key.key_id()) != Standing::Current)
        {
            let message = format!("a rotation is under way: `{}`", path.display());
            return Err(Failure::new(Exit::Usage, message)
                .help("go on with `--finish`, then `--drop`; to give it up, move that file away"));
        }
        let key = self.folder.new_key(role)?;
        output::result(&format!(
            "made {role} key {id}; from now on both keys sign\n\n\
             Now compile and publish. When that has reached the store: `tenantry keys rotate {role} --finish`\n",
            role = role.as_str(),
            id = &key.key_id().to_string()[..16],
        ));
        Ok(())
    }

    /// Second step: the next root names the new key only.
    fn finish(&self, role: KeyRole, arguments: &RotateArguments) -> Result<(), Failure> {
        let chain = self.folder.chain()?;
        let newest = &chain.last().expect("a chain of roots is never empty").root;
        let files = self.folder.files(role)?;
        let in_files = files.iter().map(|(_, key)| key.public_key().clone());
        let mut incoming: Vec<PublicKey> =
            in_files.filter(|key| standing(&chain, role, key.id()) == Standing::Incoming).collect();
        if let Some(hex) = &arguments.public_key {
            let bad = || Failure::new(Exit::Usage, format!("`{hex}` is no Ed25519 public key of 64 hex digits"));
            incoming = vec![PublicKey::parse(hex).ok_or_else(bad)?];
        }
        if incoming.is_empty() {
            let message = format!("there is no new {} key", role.as_str());
            let help = format!(
                "begin with `tenantry keys rotate {}`; a key that is no file here is named with `--public-key`",
                role.as_str()
            );
            return Err(Failure::new(Exit::Usage, message).help(help));
        }
        if !arguments.stolen {
            self.demand_dual_signed(role, &incoming, &self.settings.out(arguments.out.as_deref()))?;
        }
        let mut root = newest.clone();
        for name in role.signs() {
            let keys = root.roles.get_mut(name).expect("every root of the profile has every role");
            keys.keyids = sorted(incoming.iter().map(PublicKey::id));
        }
        root.keys.extend(incoming.into_iter().map(|it| (it.id(), it)));
        self.propose(root)?;
        let drop = format!("`tenantry keys rotate {} --drop`", role.as_str());
        output::result(&match arguments.stolen {
            // The new root and what the new key signs must reach devices together, and nothing of the old key's with it.
            true => format!("Then at once {drop}, so that the stolen key signs no more; then compile and publish\n"),
            false => {
                format!("Then compile and publish, and when devices have had time to take up the root: {drop}\n")
            }
        });
        Ok(())
    }

    /// A root that drops the old key before everything is signed by the new one cuts every device off.
    fn demand_dual_signed(&self, role: KeyRole, incoming: &[PublicKey], out: &Path) -> Result<(), Failure> {
        let index = match out.join("state").is_dir() {
            true => OutDir::open(out)?.previous()?,
            false => None,
        };
        let signed = index.is_some_and(|index| {
            let keys = match role {
                KeyRole::Freshness => index.freshness_keys,
                KeyRole::Entitlement | KeyRole::Root => index.entitlement_keys,
            };
            incoming.iter().all(|it| keys.contains(&it.id()))
        });
        match signed {
            true => Ok(()),
            false => Err(Failure::new(
                Exit::Guard,
                format!("`{}` is not signed by the new key: devices would refuse it the moment they see the next root", out.display()),
            )
            .help("compile and publish first; name another folder with `--out`; if the old key was stolen, say `--stolen`")),
        }
    }

    /// Third step: the old key signs no more. Its file is moved, not deleted.
    fn drop(&self, role: KeyRole) -> Result<(), Failure> {
        let chain = self.folder.chain()?;
        let files = self.folder.files(role)?;
        let outgoing: Vec<_> =
            files.iter().filter(|(_, key)| standing(&chain, role, key.key_id()) == Standing::Outgoing).collect();
        if outgoing.is_empty() {
            let message = format!("every {} key at hand is one that the newest root names, or will", role.as_str());
            return Err(Failure::new(Exit::Usage, message));
        }
        for (path, _) in outgoing {
            let to = self.folder.retire(path)?;
            output::result(&format!("moved to `{}`; it signs no more\n", to.display()));
        }
        Ok(())
    }

    /// The root's own keys: one replaced, or all for another year.
    fn root(&self, replace: Option<&str>) -> Result<(), Failure> {
        let chain = self.folder.chain()?;
        let mut root = chain.last().expect("a chain of roots is never empty").root.clone();
        let keys = root.roles.get_mut(&KeyRole::Root.signs()[0]).expect("every root of the profile has every role");
        if let Some(beginning) = replace {
            let found: Vec<KeyId> =
                keys.keyids.iter().copied().filter(|id| id.to_string().starts_with(beginning)).collect();
            let [old] = found.as_slice() else {
                let message = format!("`{beginning}` is the beginning of {} root key ids", found.len());
                return Err(Failure::new(Exit::Usage, message).help("`tenantry keys list` shows them"));
            };
            let new = self.folder.new_key(KeyRole::Root)?;
            keys.keyids = sorted(keys.keyids.iter().copied().filter(|id| id != old).chain([new.key_id()]));
            root.keys.insert(new.key_id(), new.public_key().clone());
        }
        self.propose(root)
    }

    /// Makes the next root of the chain, signs it with the root keys at hand, and puts it aside until enough have signed.
    fn propose(&self, mut root: Root) -> Result<(), Failure> {
        if waiting(&self.folder, root.version)?.is_some() {
            return Err(Failure::new(Exit::Usage, "a root is waiting for signatures already")
                .help("`tenantry keys sign` adds them; remove `root/pending.json` to give it up"));
        }
        root.version += 1;
        root.expires = self.now.plus(ROOT_LIFETIME);
        let used: Vec<KeyId> = root.roles.values().flat_map(|it| it.keyids.iter().copied()).collect();
        root.keys.retain(|id, _| used.contains(id));
        let unsigned = crate::sign::sign(root, &[]).map_err(KeyError::from)?;
        self.folder.write_pending(&unsigned.bytes)?;
        sign_pending(&self.folder)
    }
}

/// Signs the root that waits with the root keys at hand, and takes it into the chain when enough have signed.
fn sign_pending(folder: &KeyFolder) -> Result<(), Failure> {
    let chain = folder.chain()?;
    let previous = &chain.last().expect("a chain of roots is never empty").root;
    let Some(pending) = waiting(folder, previous.version)? else {
        return Err(Failure::new(Exit::Usage, "no root is waiting for signatures"));
    };
    let files = folder.files(KeyRole::Root)?;
    let signers: Vec<&dyn Signer> = files.iter().map(|(_, key)| key as &dyn Signer).collect();
    let bytes = add_signatures(&pending, &signers).map_err(KeyError::from)?;
    match check_root(&bytes, Some(previous)) {
        Ok(root) => {
            let (version, expires) = (root.version, root.expires);
            folder.write_root(&RootFile { root, bytes })?;
            folder.clear_pending()?;
            output::result(&format!("root {version} is signed; it holds until {}\n", expires.date()));
        }
        Err(why) => {
            folder.write_pending(&bytes)?;
            output::result(&format!(
                "the next root waits in `root/pending.json`: {why}\n\
                 Take it to the other root keys and run `tenantry keys sign` there.\n"
            ));
        }
    }
    Ok(())
}

/// The root that waits. One that somebody else has completed, so that the chain holds it by now, waits no more.
fn waiting(folder: &KeyFolder, newest: u64) -> Result<Option<Vec<u8>>, Failure> {
    let Some(bytes) = folder.pending()? else { return Ok(None) };
    match metadata::open::<Root>(&bytes) {
        Ok(opened) if opened.role.version <= newest => {
            folder.clear_pending()?;
            Ok(None)
        }
        // What cannot be read is refused when it is to be signed.
        _ => Ok(Some(bytes)),
    }
}
