//! A device that is attacked, and what must be true of it afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tenantry::client::{Activated, Client, ClientError, Start, Update};
use tenantry::time::Timestamp;

use crate::attack::{Attack, Cache, Damage, Expect, Network, Rung, Step};
use crate::listing::files;
use crate::origin::{Fault, Origin};
use crate::project::{copy, time};
use crate::stage::Stage;
use crate::world::{World, new_folder};

/// What runs on a sound device.
pub(crate) const ALL: [&str; 2] = ["chat", "notes"];

/// Attacks a device; what was not as it must be.
pub(crate) fn suffers(world: &World, attack: &Attack) -> Result<(), String> {
    is_complete(attack)?;
    let folder = new_folder();
    let dir = folder.path().join("cache");
    if let Some(device) = world.device(attack.has) {
        copy(device, &dir);
    }
    let origin = attacked(world, attack, &dir);
    let now = attack.at.as_deref().map_or_else(|| world.made(attack.serves), time);
    let mut client = world.open(&dir, Arc::clone(&origin));

    let before = remembered(world, &dir);
    let ended = client.refresh(now);
    let changed = changed(&before, &remembered(world, &dir));
    ended_as_it_must(attack, ended)?;
    nothing_else_is_remembered(attack, &changed)?;
    if attack.expect == Expect::Arrives {
        switches(&mut client)?;
    }
    // As after the end of the process: what is not on the disk is forgotten.
    drop(client);
    let mut client = world.open(&dir, Arc::clone(&origin));
    starts(attack, &mut client, now)?;
    heals(world, attack, &origin, &mut client, now)
}

pub(crate) fn is_complete(attack: &Attack) -> Result<(), String> {
    let has_code = attack.code.is_some() == (attack.expect == Expect::Refused);
    match attack.about.len() > 20 && !attack.source.is_empty() && !attack.steps.is_empty() && has_code {
        true => Ok(()),
        false => Err("it says too little: about, source, steps, and a code if it is refused".into()),
    }
}

/// The server after all steps; the device has been damaged by then, too.
pub(crate) fn attacked(world: &World, attack: &Attack, dir: &Path) -> Arc<Origin> {
    let origin = Origin::new(BTreeMap::new());
    let mut stage = Stage::new(world, attack.serves, attack.has);
    for step in &attack.steps {
        match step {
            Step::Network { file, path, fault, cache } => {
                let path = path.clone().or_else(|| file.as_deref().map(|it| stage.path(it))).expect("a file or a path");
                match cache {
                    Cache::Origin => origin.breaks(&path, self::fault(fault)),
                    Cache::Edge => origin.caches(&path, self::fault(fault)),
                }
            }
            Step::Device { file, how } => damage(&dir.join(stage.filled(file)), how),
            step => stage.does(step),
        }
    }
    origin.publish(stage.files);
    origin
}

fn fault(network: &Network) -> Fault {
    match network {
        Network::Unreachable => Fault::Unreachable,
        Network::Missing => Fault::Missing,
        Network::Unavailable => Fault::Status(503),
        Network::CutAfter100 => Fault::CutAfter(100),
        Network::HangsAfter10 => Fault::HangsAfter(10),
        Network::Endless => Fault::Endless,
        Network::Redirected => Fault::Redirected,
        Network::WrongPart => Fault::WrongPart,
        Network::Page => Fault::Instead(b"<!DOCTYPE html><title>Sign in</title>".to_vec()),
        Network::Flipped => Fault::Flipped(40),
    }
}

fn damage(path: &Path, how: &Damage) {
    // The web's client keeps archives as they came, under the name that is a folder elsewhere.
    let archive = path.parent().filter(|it| it.is_file());
    let path = archive.unwrap_or(path);
    let mut bytes = fs::read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let middle = bytes.len() / 2;
    match how {
        Damage::Flip => bytes[middle] ^= 1,
        Damage::Truncate => bytes.truncate(middle),
        Damage::Emptied => bytes = b"{}".to_vec(),
        Damage::Delete => return fs::remove_file(path).expect("removes"),
    }
    fs::write(path, bytes).expect("writes");
}

/// Everything on the device but what it may write at any time: the lock, what is half-way, and the root that it was
/// delivered with.
pub(crate) fn remembered(world: &World, dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files(dir);
    files.retain(|name, bytes| {
        let is_delivered = name.starts_with("trusted/root") && *bytes == world.root();
        name != "lock" && !name.starts_with("tmp/") && !is_delivered
    });
    files
}

/// What came, changed (true) or went (false).
pub(crate) fn changed(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, bool> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differs = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    differs.map(|name| (name.clone(), after.contains_key(name))).collect()
}

fn ended_as_it_must(attack: &Attack, ended: Result<Update, ClientError>) -> Result<(), String> {
    let has = (attack.has > 0).then_some(attack.has);
    match (attack.expect, ended) {
        (Expect::Refused, Err(error)) if Some(error.code()) != attack.code.as_deref() => {
            Err(format!("refused as `{}`: {error}", error.code()))
        }
        (Expect::Refused, Err(error)) if error.kept.publication != has || error.help().is_empty() => {
            Err(format!("the error says {:?}", error.kept))
        }
        (Expect::Refused, Err(_)) => Ok(()),
        (Expect::Kept, Ok(update)) if Some(update.publication) == has && update.staged.is_none() => Ok(()),
        (Expect::Arrives, Ok(update)) if update.publication == attack.serves && update.staged.is_some() => Ok(()),
        (_, Ok(update)) => Err(format!("it ended as publication {}, staged {:?}", update.publication, update.staged)),
        (_, Err(error)) => Err(format!("it is an error, `{}`: {error}", error.code())),
    }
}

pub(crate) fn nothing_else_is_remembered(attack: &Attack, changed: &BTreeMap<String, bool>) -> Result<(), String> {
    let rungs: Vec<Option<Rung>> = changed.iter().map(|(name, is_there)| rung(name, *is_there)).collect();
    let is_right = match attack.expect {
        // Everything was verified.
        Expect::Arrives => true,
        Expect::Kept => changed.keys().all(|it| ["clock.json", "etag.json", "latest.json"].contains(&&**it)),
        Expect::Refused => {
            let reached = rungs.iter().copied().max().flatten().unwrap_or_default();
            reached == attack.remembers && !rungs.contains(&None)
        }
    };
    if is_right { Ok(()) } else { Err(format!("it remembers what it should not, or too little: {changed:?}")) }
}

/// What a file is verified with; none for what only a whole publication may change.
fn rung(name: &str, is_there: bool) -> Option<Rung> {
    match name {
        // A root that takes a key away has its old files forgotten (5.3.11).
        "trusted/timestamp.json" | "trusted/snapshot.json" if !is_there => Some(Rung::Root),
        "trusted/timestamp.json" => Some(Rung::Timestamp),
        "trusted/snapshot.json" => Some(Rung::Snapshot),
        // What the server calls the timestamp: noted when all four roles are verified.
        "trusted/targets.json" | "etag.json" => Some(Rung::Targets),
        "clock.json" | "latest.json" => Some(Rung::Manifest),
        name if name.starts_with("manifests/") => Some(Rung::Manifest),
        name if name.starts_with("trusted/root") => Some(Rung::Root),
        _ => None,
    }
}

fn starts(attack: &Attack, client: &mut Client, now: Timestamp) -> Result<(), String> {
    let start = client.start(now);
    let is_new = attack.has == 0 && attack.expect == Expect::Refused;
    let all = || if is_new { Vec::new() } else { ALL.map(str::to_owned).to_vec() };
    let expected = attack.starts.clone().unwrap_or_else(all);
    let publication = match attack.expect {
        Expect::Arrives => attack.serves,
        Expect::Refused | Expect::Kept => attack.has,
    };
    if running(&start) != expected || start.publication != (publication > 0).then_some(publication) {
        return Err(format!(
            "publication {:?} starts with {:?}: {:?}",
            start.publication,
            running(&start),
            start.notes
        ));
    }
    match start.set {
        Some(_) => client.confirm_start().map_err(|error| format!("the start cannot be confirmed: {error}")),
        None => Ok(()),
    }
}

fn heals(world: &World, attack: &Attack, origin: &Origin, client: &mut Client, now: Timestamp) -> Result<(), String> {
    origin.heal();
    origin.publish(world.publication(attack.heals).clone());
    let now = now.max(world.made(attack.heals));
    client.refresh(now).map_err(|error| format!("the honest refresh fails, `{}`: {error}", error.code()))?;
    switches(client)?;
    let start = client.start(now);
    let chat = start.program("com.example.chat").and_then(|it| it.version.as_ref()).map(|it| u64::from(it.code));
    if running(&start) != ALL || chat != Some(attack.heals) {
        return Err(format!("healed, {:?} run, chat is {chat:?}: {:?}", running(&start), start.notes));
    }
    client.confirm_start().map_err(|error| format!("the healed start cannot be confirmed: {error}"))
}

fn switches(client: &mut Client) -> Result<(), String> {
    match client.activate() {
        Ok(Activated::Switched { .. }) => Ok(()),
        other => Err(format!("it cannot be activated: {other:?}")),
    }
}

/// Names of the programs that run.
fn running(start: &Start) -> Vec<&str> {
    start.runnable().map(|it| it.app_id.strip_prefix("com.example.").unwrap_or(&it.app_id)).collect()
}
