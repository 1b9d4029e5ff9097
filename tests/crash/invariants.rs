//! What must hold after a stop (A1 to A7), as a process that starts afterwards sees it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tenantry::client::Verdict;

use crate::listing::files;
use crate::origin::{Fault, Origin};
use crate::project::time;
use crate::scenarios::{LATER, Scenario, Shown, lasting, open};

/// How much of it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What a start without the network finds.
    Offline,
    /// That, and that the next refresh ends where it would have ended undisturbed.
    Healed,
}

/// Every invariant, on a device that was stopped; what is broken, in words.
pub(crate) fn check(scenario: &Scenario, dir: &Path, depth: Depth) -> Result<(), String> {
    let left = files(dir);
    // Before a client looks, since looking counts.
    if scenario.was == scenario.addr && !scenario.may_fall {
        floors(scenario, &left)?;
    }
    metadata(scenario, &left)?;
    let no_server = Origin::new(BTreeMap::new());
    no_server.breaks("", Fault::Unreachable);
    let mut client = scenario.client(dir, &no_server);
    if scenario.was != scenario.addr {
        nothing_of(&scenario.was, dir)?;
    }
    let start = client.start(time(LATER));
    let shown = Shown::of(&start);
    if !start.notes.is_empty() {
        return Err(format!("A1: {:?}", start.notes));
    }
    if start.programs.iter().any(|it| it.verdict != Verdict::Runs && it.verdict != Verdict::Lost) {
        return Err(format!("A5: not all run: {:?}", start.programs));
    }
    let old = scenario.old.as_ref().filter(|_| scenario.was == scenario.addr);
    let is_known = shown.as_ref() == old || shown.as_ref() == Some(&scenario.new);
    if !is_known {
        return Err(format!("A5: neither the old set nor the new one: {:?}", shown.map(|it| it.files.into_keys())));
    }
    previous(scenario, &left, shown.as_ref())?;
    if depth == Depth::Healed {
        // As a shell does that is up; two processes that look and leave would be two failed starts.
        if start.set.is_some() {
            client.confirm_start().map_err(|error| format!("A5: it cannot be confirmed: {error}"))?;
        }
        drop(client);
        heal(scenario, dir)?;
    }
    Ok(())
}

/// A2: a set that nobody has confirmed has the one before it beside it.
fn previous(scenario: &Scenario, left: &BTreeMap<String, Vec<u8>>, shown: Option<&Shown>) -> Result<(), String> {
    let is_new = shown == Some(&scenario.new) && scenario.old.as_ref() != Some(&scenario.new);
    if !is_new || scenario.old.is_none() || scenario.was != scenario.addr {
        return Ok(());
    }
    let boot = left.get("boot.json").and_then(|it| serde_json::from_slice::<Value>(it).ok()).unwrap_or_default();
    let is_confirmed = boot["of"]["set"] == scenario.new.set && boot["of"]["confirmed"] == true;
    let set = |name: &str| left.get(name).and_then(|it| serde_json::from_slice::<Value>(it).ok());
    match is_confirmed || set("previous").is_some() {
        true => Ok(()),
        false => Err("A2: the set before is gone, though nobody has confirmed the new one".into()),
    }
}

/// A3: the versions of what is trusted never fall.
fn floors(scenario: &Scenario, left: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let version = |files: &BTreeMap<String, Vec<u8>>| {
            let bytes = files.get(&format!("trusted/{role}.json"))?;
            serde_json::from_slice::<Value>(bytes).ok()?["signed"]["version"].as_u64()
        };
        if version(left) < version(&scenario.before) {
            return Err(format!("A3: `{role}` fell from {:?} to {:?}", version(&scenario.before), version(left)));
        }
    }
    let publication = |files: &BTreeMap<String, Vec<u8>>| {
        serde_json::from_slice::<Value>(files.get("latest.json")?).ok()?["of"]["floor"]["targets"].as_u64()
    };
    match publication(left) < publication(&scenario.before) {
        true => Err("A3: the floor fell".into()),
        false => Ok(()),
    }
}

/// A4: nothing is trusted but what was published, byte for byte. A6: two sets and one download, and files of no others.
fn metadata(scenario: &Scenario, left: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    for (name, bytes) in left.iter().filter(|(name, _)| name.starts_with("trusted/") || name.starts_with("manifests/"))
    {
        if *bytes != scenario.root && !scenario.published.contains(bytes) {
            return Err(format!("A4: `{name}` is not what was published"));
        }
    }
    let trees = |files: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
        let mut trees: Vec<String> =
            files.keys().filter_map(|it| Some(it.strip_prefix("objects/")?.get(..64)?.into())).collect();
        trees.dedup();
        trees
    };
    let known = [trees(&scenario.before), trees(&scenario.done)].concat();
    let bad = trees(left).into_iter().find(|it| !known.contains(it) && scenario.bad.is_none());
    let sets = left.keys().filter(|it| it.starts_with("sets/")).count();
    match (bad, sets) {
        (Some(tree), _) => Err(format!("A6: `objects/{tree}` is of no set")),
        (None, 4..) => Err(format!("A6: {sets} sets")),
        _ => Ok(()),
    }
}

/// K19: the other tenant's address is in no file.
fn nothing_of(addr: &str, dir: &Path) -> Result<(), String> {
    let found = files(dir).into_iter().find(|(_, bytes)| bytes.windows(addr.len()).any(|it| it == addr.as_bytes()));
    match found {
        Some((name, _)) => Err(format!("`{name}` names the other tenant")),
        None => Ok(()),
    }
}

/// The next refresh ends where it would have ended undisturbed, and a bad set stays away (A7).
fn heal(scenario: &Scenario, dir: &Path) -> Result<(), String> {
    let origin = Origin::new(scenario.public.clone());
    let mut client = scenario.client(dir, &origin);
    let update = client.refresh(time(LATER)).map_err(|error| format!("it does not heal: {error}"))?;
    if let Some(bad) = &scenario.bad
        && update.held_back.as_ref().map(|it| &it.set) != Some(bad)
    {
        return Err(format!("A7: the set that failed is not held back: {update:?}"));
    }
    client.activate().map_err(|error| format!("it does not heal: {error}"))?;
    let start = client.start(time(LATER));
    client.confirm_start().map_err(|error| format!("it does not heal: {error}"))?;
    drop(client);
    if Shown::of(&start).as_ref() != Some(&scenario.new) {
        return Err(format!("it heals to something else: {:?} {:?}", start.set, start.notes));
    }
    let (found, expected) = (lasting(dir), &scenario.done);
    let differs = |(name, bytes): &(&String, &Vec<u8>)| expected.get(*name) != Some(*bytes);
    match found.iter().find(differs).or_else(|| expected.iter().find(|(name, _)| !found.contains_key(*name))) {
        Some((name, _)) => Err(format!("it heals to other files: `{name}`")),
        None => Ok(()),
    }
}

/// For a device that changes hands: its first tenant, coming back after the stop, finds its set or nothing.
pub(crate) fn check_first_tenant(scenario: &Scenario, dir: &Path) -> Result<(), String> {
    let no_server: Arc<Origin> = Origin::new(BTreeMap::new());
    let mut client = open(dir, &scenario.root, &scenario.was, &no_server);
    nothing_of(&scenario.addr, dir)?;
    let shown = Shown::of(&client.start(time(LATER)));
    match shown.is_none() || shown == scenario.old {
        true => Ok(()),
        false => Err("its first tenant finds something else than its own set".into()),
    }
}
