//! Starting, confirming, going back: the table of `docs/client.md`, one function a row.

use std::collections::{BTreeMap, BTreeSet};

use super::Config;
use super::answer::{Activated, Freshness, Program, Start, Verdict};
use super::disk::{Disk, Pin};
use super::error::Trouble;
use super::judge::Judge;
use super::objects::{self, Keep, Tree};
use super::set::{self, Set};
use super::state::{self, Bad, Boot, CURRENT, PREVIOUS, Pointer, STAGED, Seen};
use super::stored::Stored;
use crate::digest::Blake3;
use crate::time::Timestamp;

/// After how many starts without a confirmation a set is given up.
const GIVEN_UP_AFTER: u32 = 2;

/// How often the current set is looked for while another client takes up one after the other.
const TRIES: u32 = 16;

/// How many sets that failed are remembered.
const REMEMBERED: usize = 16;

/// Whether this client is the one that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is: starts are counted, damage is cleared away.
    Owner,
    /// Another one is: this one looks.
    Reader,
}

/// A start, and what the client holds on to.
pub(super) struct Started {
    pub(super) answer: Start,
    pub(super) pointer: Option<Pointer>,
    pub(super) pin: Option<Pin>,
}

/// Switches to the staged set.
pub(super) fn activate(disk: &Disk, config: &Config, sound: &mut BTreeSet<Blake3>) -> Result<Activated, Trouble> {
    let stored = Stored::load(disk, config);
    let Some((staged, set)) = &stored.staged else {
        disk.remove(&[STAGED])?;
        return Ok(Activated::Nothing);
    };
    if !is_sound(disk, set, sound)? {
        disk.remove(&[STAGED])?;
        objects::sweep(disk, Keep::Parts)?;
        return Ok(Activated::Damaged { set: staged.set.to_string() });
    }
    let from = stored.current.as_ref().map(|(it, _)| it.clone());
    if let Some(current) = &from {
        // What stays is the last set that is known to start: not the current one, if nobody has confirmed it.
        if stored.is_confirmed() || stored.previous.is_none() {
            state::save_pointer(disk, PREVIOUS, current)?;
        }
    }
    let bad = stored.boot.bad.iter().filter(|it| it.set != staged.set).cloned().collect();
    state::save(disk, &Boot { bad, confirmed: false, set: Some(staged.set), unconfirmed: 0 })?;
    state::save_pointer(disk, CURRENT, staged)?;
    disk.remove(&[STAGED])?;
    objects::sweep(disk, Keep::Parts)?;
    Ok(Activated::Switched { set: staged.set.to_string(), from: from.map(|it| it.set.to_string()) })
}

/// Reads every file of a set. Damaged trees are taken away, so that the next refresh fetches them.
fn is_sound(disk: &Disk, set: &Set, sound: &mut BTreeSet<Blake3>) -> Result<bool, Trouble> {
    let mut is_sound = true;
    for program in &set.programs {
        for file in program.files() {
            match objects::check(disk, file.blake3) {
                Tree::Whole => drop(sound.insert(file.blake3)),
                // One that is fetched when it is asked for may be missing.
                Tree::Missing => is_sound &= !program.preload,
                Tree::Damaged => {
                    objects::remove(disk, file.blake3)?;
                    is_sound &= !program.preload;
                }
            }
        }
    }
    Ok(is_sound)
}

/// What may run, after counting this start. What cannot be written is noted, and no reason not to start.
pub(super) fn start(
    disk: &Disk,
    config: &Config,
    clock: Timestamp,
    role: Role,
    sound: &mut BTreeSet<Blake3>,
) -> Started {
    let (mut stored, mut pin) = load_and_pin(disk, config);
    let mut notes = std::mem::take(&mut stored.notes);
    let mut note = |written: Result<(), Trouble>| {
        if let Err(trouble) = written {
            notes.push(trouble.kept(Default::default()).trouble.to_string());
        }
    };
    let known = stored.known(config);
    let now = known.for_start(clock);
    let mut gave_up = None;
    if role == Role::Owner {
        if stored.is_mended
            && let Some((pointer, _)) = &stored.current
        {
            note(state::save_pointer(disk, CURRENT, pointer));
        }
        if let Some(failed) = to_be_given_up(&stored)
            && let Some(previous) = stored.previous.take()
        {
            note(give_up(disk, &mut stored.boot, failed, &previous.0, now));
            gave_up = Some(failed.to_string());
            stored.current = Some(previous);
        }
    }

    let failed_starts = stored.failed_starts();
    let mut trees = survey(disk, stored.current.as_ref().map(|it| &it.1), sound);
    if role == Role::Owner {
        trees.iter().filter(|it| *it.1 == Tree::Damaged).for_each(|(tree, _)| note(objects::remove(disk, *tree)));
    }
    let mut is_replaced = false;
    if let (Some(current), Some(previous)) = (&stored.current, &stored.previous)
        && !has_what_it_needs(&current.1, &trees)
    {
        let others = survey(disk, Some(&previous.1), sound);
        if has_what_it_needs(&previous.1, &others) {
            (trees, is_replaced) = (others, true);
            stored.current = stored.previous.take();
        }
    }
    if role == Role::Owner {
        if let (Some((pointer, _)), false) = (&stored.current, is_replaced) {
            note(count(disk, &stored, pointer.set));
        }
        if let Some(at) = known.remember(clock) {
            note(state::save(disk, &Seen { at }));
        }
    }
    if is_replaced {
        notes.push("files of the current set are damaged or missing; the set before it starts until a refresh".into());
    }
    let pointer = stored.current.as_ref().map(|(pointer, _)| pointer.clone());
    if gave_up.is_some() || is_replaced {
        pin = pointer.as_ref().and_then(|it| disk.pin(&objects::set_name(it.set)));
    }
    stored.notes = notes;
    let answer = Start { gave_up, failed_starts, ..answer(disk, config, stored, &trees, now) };
    Started { answer, pointer, pin }
}

/// Reads what is on the disk, with a hold on the current set. Another client may take a new set up meanwhile and drop
/// this one, so the pointer is read again when the hold is there.
fn load_and_pin(disk: &Disk, config: &Config) -> (Stored, Option<Pin>) {
    let mut tries = 0;
    loop {
        let stored = Stored::load(disk, config);
        let current = stored.current.as_ref().map(|(it, _)| it.set);
        let pin = current.and_then(|it| disk.pin(&objects::set_name(it)));
        let is_still = state::load_pointer(disk, CURRENT).whole().map(|it| it.set) == current;
        tries += 1;
        if is_still || stored.is_mended || tries == TRIES {
            return (stored, pin);
        }
    }
}

/// What may run of the set that was started, and nothing else: no file is written, and only trees that were not looked
/// at before are read. Before anything was started, of the current set.
pub(super) fn look(
    disk: &Disk,
    config: &Config,
    clock: Timestamp,
    sound: &BTreeSet<Blake3>,
    started: Option<&Pointer>,
) -> Start {
    let mut stored = Stored::load(disk, config);
    if let Some(pointer) = started
        && let Some(set) = objects::load_set(disk, pointer.set)
    {
        stored.current = Some((pointer.clone(), set));
    }
    let now = stored.known(config).for_start(clock);
    let files = stored.current.iter().flat_map(|(_, set)| set.files().into_keys());
    let tree = |tree| if sound.contains(&tree) { presence(disk, tree) } else { objects::check(disk, tree) };
    let trees = files.map(|it| (it, tree(it))).collect();
    Start { failed_starts: stored.failed_starts(), ..answer(disk, config, stored, &trees, now) }
}

/// A start of this set went well: the set before it is not needed any more.
pub(super) fn confirm(disk: &Disk, config: &Config, started: &Pointer) -> Result<(), Trouble> {
    let stored = Stored::load(disk, config);
    let is_current = stored.current.as_ref().is_some_and(|(it, _)| it.set == started.set);
    if !is_current {
        // Another set was activated while this one ran. It is now the one to go back to.
        let is_previous = stored.previous.as_ref().is_some_and(|(it, _)| it.set == started.set);
        let is_there = objects::load_set(disk, started.set).is_some();
        return match !is_previous && is_there && !stored.is_confirmed() {
            true => state::save_pointer(disk, PREVIOUS, started),
            false => Ok(()),
        };
    }
    let boot = Boot { confirmed: true, set: Some(started.set), unconfirmed: 0, ..stored.boot.clone() };
    if boot != stored.boot {
        state::save(disk, &boot)?;
    }
    disk.remove(&[PREVIOUS])?;
    objects::sweep(disk, Keep::Parts)
}

/// Two starts in a row that nobody confirmed, or a set that was given up before and then the power went.
fn to_be_given_up(stored: &Stored) -> Option<Blake3> {
    let current = stored.current.as_ref()?.0.set;
    let has_failed = !stored.is_confirmed() && stored.failed_starts() >= GIVEN_UP_AFTER;
    (has_failed || stored.boot.bad.iter().any(|it| it.set == current)).then_some(current)
}

/// Goes back. First the set is remembered as bad, then the pointer moves: stopped in between, the next start does it.
fn give_up(disk: &Disk, boot: &mut Boot, failed: Blake3, to: &Pointer, now: Timestamp) -> Result<(), Trouble> {
    if boot.bad.iter().all(|it| it.set != failed) {
        boot.bad.push(Bad { set: failed, since: now });
    }
    let surplus = boot.bad.len().saturating_sub(REMEMBERED);
    boot.bad.drain(..surplus);
    *boot = Boot { bad: std::mem::take(&mut boot.bad), confirmed: true, set: Some(to.set), unconfirmed: 0 };
    state::save(disk, boot)?;
    state::save_pointer(disk, CURRENT, to)?;
    disk.remove(&[PREVIOUS])
}

/// Counts a start of a set that is not confirmed yet.
fn count(disk: &Disk, stored: &Stored, set: Blake3) -> Result<(), Trouble> {
    let boot = Boot {
        bad: stored.boot.bad.clone(),
        confirmed: stored.is_confirmed(),
        set: Some(set),
        unconfirmed: stored.failed_starts().saturating_add(1),
    };
    state::save(disk, &boot)
}

/// The trees of a set as they stand on the disk; all are read.
fn survey(disk: &Disk, set: Option<&Set>, sound: &mut BTreeSet<Blake3>) -> BTreeMap<Blake3, Tree> {
    let trees = set.into_iter().flat_map(|set| set.files().into_keys());
    let trees: BTreeMap<Blake3, Tree> = trees.map(|tree| (tree, objects::check(disk, tree))).collect();
    for (tree, state) in &trees {
        match state {
            Tree::Whole => sound.insert(*tree),
            Tree::Missing | Tree::Damaged => sound.remove(tree),
        };
    }
    trees
}

/// Whether a tree that was read before is still there.
fn presence(disk: &Disk, tree: Blake3) -> Tree {
    match objects::is_there(disk, tree) {
        true => Tree::Whole,
        false => Tree::Missing,
    }
}

/// Whether every program that is fetched before it is asked for is there.
fn has_what_it_needs(set: &Set, trees: &BTreeMap<Blake3, Tree>) -> bool {
    let needed = set.programs.iter().filter(|it| it.preload).flat_map(set::Program::files);
    needed.into_iter().all(|file| trees.get(&file.blake3) == Some(&Tree::Whole))
}

fn answer(disk: &Disk, config: &Config, stored: Stored, trees: &BTreeMap<Blake3, Tree>, now: Timestamp) -> Start {
    let newest = stored.newest_set(config);
    let fresh_until = stored.fresh_until();
    let judge = newest.as_ref().zip(fresh_until).map(|(newest, fresh_until)| Judge { newest, fresh_until, now });
    let json = |value: Option<serde_json::Result<String>>| value.and_then(Result::ok).unwrap_or_else(|| "{}".into());
    let set = stored.current.as_ref().map(|(_, set)| set);
    let programs = match (set, &judge) {
        (Some(set), Some(judge)) => set.programs.iter().map(|it| program(disk, config, judge, it, trees)).collect(),
        _ => Vec::new(),
    };
    Start {
        set: stored.current.as_ref().map(|(it, _)| it.set.to_string()),
        publication: stored.current.as_ref().map(|(it, _)| it.publication),
        freshness: judge.as_ref().map_or(Freshness::Nothing, Judge::freshness),
        programs,
        branding: json(set.map(|it| serde_json::to_string(&it.branding))),
        entitlements: json(set.map(|it| serde_json::to_string(&it.entitlements))),
        limits: json(set.map(|it| serde_json::to_string(&it.limits))),
        gave_up: None,
        failed_starts: 0,
        next_change: judge.as_ref().and_then(Judge::next_change),
        notes: stored.notes,
    }
}

fn program(
    disk: &Disk,
    config: &Config,
    judge: &Judge<'_>,
    program: &set::Program,
    trees: &BTreeMap<Blake3, Tree>,
) -> Program {
    let files: Vec<Tree> = program.files().map(|it| trees.get(&it.blake3).copied().unwrap_or(Tree::Missing)).collect();
    let verdict = match judge.verdict(program, config.platform_code) {
        Verdict::Runs if files.contains(&Tree::Damaged) => Verdict::Damaged,
        Verdict::Runs if files.contains(&Tree::Missing) => Verdict::NotInstalled,
        verdict => verdict,
    };
    let is_whole = files.iter().all(|it| *it == Tree::Whole);
    let release = program.release.as_ref();
    let folder = |file: &crate::manifest::File| objects::folder(disk, file.blake3);
    let json = |value: serde_json::Result<String>| value.unwrap_or_else(|_| "{}".into());
    Program {
        app_id: program.app_id.clone(),
        version: release.map(|it| it.version.clone()),
        verdict,
        folder: release.filter(|_| is_whole).map(|it| folder(&it.bundle)),
        overlay: release.filter(|_| is_whole).and_then(|it| it.overlay.as_ref()).map(folder),
        bytes: program.files().map(|it| it.length).sum(),
        name: program.name.clone(),
        short_name: program.short_name.clone(),
        description: program.description.clone(),
        pages: release.map(|it| it.pages.clone()).unwrap_or_default(),
        permissions: release.map(|it| it.req_permissions.clone()).unwrap_or_default(),
        egress: release.map(|it| it.egress.clone()).unwrap_or_default(),
        icons: release.map_or_else(|| "[]".into(), |it| json(serde_json::to_string(&it.icons))),
        ext: release.map_or_else(|| "{}".into(), |it| json(serde_json::to_string(&it.ext))),
        window: release.map_or_else(|| "{}".into(), |it| json(serde_json::to_string(&it.window))),
        update_mode: release.map(|it| it.update_policy.mode).unwrap_or_default(),
        preload: program.preload,
    }
}
