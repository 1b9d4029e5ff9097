//! Whose folder it is. A folder that was another tenant's is emptied before anything of the new one goes in.

use super::Config;
use super::disk::{Disk, FOLDERS, SETS, TMP};
use super::error::Trouble;
use super::objects;
use super::state::{self, FILES, Found, Sealed as _, Tenant};

/// A folder in which this tenant's client may work.
pub(super) fn open(config: &Config, environment: &str) -> Result<Disk, Trouble> {
    let mut disk = Disk::open(&config.dir)?;
    let ours = label(config, environment);
    let found = state::load::<Tenant>(&disk);
    if found.as_ref() == Some(&ours) {
        // Who writes is settled when something is to be written; whoever can may clear away what a stop left half-way.
        if disk.own().is_ok() {
            // If not, it is in nobody's way.
            let _ = objects::clear_tmp(&disk);
        }
        return Ok(disk);
    }
    if found.as_ref().is_none() {
        check_that_it_is_a_cache(&disk)?;
    }
    disk.own()?;
    // Read again: whoever held the lock may have written meanwhile.
    match state::load::<Tenant>(&disk) {
        Found::Whole(tenant) if tenant == ours => return Ok(disk),
        Found::Damaged | Found::Nothing if is_ours_by_its_sets(&disk, &ours) => {}
        _ => wipe(&disk)?,
    }
    // Last: as long as the other's name stands there, the next one who opens it wipes it.
    state::save(&disk, &ours)?;
    Ok(disk)
}

/// Whether a folder is still the tenant's for whom it was opened: a client that waited for the lock may find that
/// another one has made it another tenant's meanwhile.
pub(super) fn check(disk: &Disk, config: &Config, environment: &str) -> Result<(), Trouble> {
    let ours = label(config, environment);
    match state::load::<Tenant>(disk) {
        Found::Whole(tenant) if tenant == ours => Ok(()),
        Found::Damaged | Found::Nothing if is_ours_by_its_sets(disk, &ours) => state::save(disk, &ours),
        _ => {
            let why = format!("`{}` is another tenant's now; open it again", disk.root().display());
            Err(Trouble::Configuration { field: "dir", why })
        }
    }
}

fn label(config: &Config, environment: &str) -> Tenant {
    Tenant { addr: config.addr.clone(), environment: environment.into() }
}

/// Only what a client has put there may be wiped, and nobody's home.
fn check_that_it_is_a_cache(disk: &Disk) -> Result<(), Trouble> {
    let is_ours = |name: &String| name == "lock" || FOLDERS.contains(&&**name) || FILES.contains(&&**name);
    match disk.list("")?.into_iter().find(|name| !is_ours(name)) {
        None => Ok(()),
        Some(name) => {
            let why = format!("`{}` holds `{name}`, which is not of a client", disk.root().display());
            Err(Trouble::Configuration { field: "dir", why })
        }
    }
}

/// With its label damaged or gone, the folder still says whose it is: every set does.
fn is_ours_by_its_sets(disk: &Disk, ours: &Tenant) -> bool {
    let sets = objects::whole_sets(disk);
    let whole = disk.list(SETS).is_ok_and(|names| names.len() == sets.len());
    let is_ours = |set: &super::set::Set| set.addr == ours.addr && set.environment == ours.environment;
    whole && !sets.is_empty() && sets.iter().all(|(_, set)| is_ours(set))
}

/// Takes everything away. Pointers first, so that what is left half-way is garbage and not a half of something; the
/// label last.
fn wipe(disk: &Disk) -> Result<(), Trouble> {
    let pointers: Vec<&str> = FILES.into_iter().filter(|name| *name != Tenant::NAME).collect();
    disk.remove(&pointers)?;
    for folder in FOLDERS.into_iter().filter(|name| *name != TMP) {
        disk.remove_folder(folder)?;
    }
    disk.remove_folder(TMP)
}
