//! What stops a compile though nothing is wrong with a file: going on would do harm.

use super::held::Previous;
use super::incremental::Read;
use super::{CompileError, Job};
use crate::index::{Index, keys};
use crate::publish::base::Base;

/// `out/` belongs to one chain of roots, and a chain that has expired signs nothing.
pub(super) fn guard_root(job: &Job<'_>, previous: &Previous) -> Result<(), CompileError> {
    let newest = &job.roots.last().expect("a chain of roots is never empty").root;
    if newest.expires <= job.now {
        return Err(CompileError::Guard {
            why: format!("root {} expired on {}: no shell accepts what it vouches for", newest.version, newest.expires),
            help: "bring the root keys and run `tenantry keys rotate root --renew`".into(),
        });
    }
    let is_ours = |index: &Index| {
        let first = keys::root(1);
        // A root that was lost can be put back, by whoever has the keys that the index names.
        let is_lost = || {
            let mut ids = index.entitlement_keys.iter().chain(&index.freshness_keys);
            job.out.lacks(&first) && ids.any(|id| job.roots.iter().any(|it| it.root.keys.contains_key(id)))
        };
        job.out.has_bytes(&first, &job.roots[0].bytes) || is_lost()
    };
    if previous.in_folder(job).is_some_and(|index| !is_ours(index)) {
        return Err(CompileError::Guard {
            why: "the output folder belongs to another root: its `root/1.root.json` is not the one of these keys"
                .into(),
            help: "compile into another folder with `--out`, or name the keys that made this one with `--keys`".into(),
        });
    }
    let bases = || job.onto.into_iter().flat_map(|it| &it.0);
    let has_first = |it: &&Base<'_>| it.first_root.as_deref() == Some(&*job.roots[0].bytes);
    if let Some(base) = bases().filter(|it| it.index.is_some()).find(|it| !has_first(it)) {
        return Err(CompileError::Guard {
            why: format!(
                "store `{}` belongs to another root: its `root/1.root.json` is not the one of these keys",
                base.spec.name
            ),
            help: "name the keys that it was published with with `--keys`, or go on from another store".into(),
        });
    }
    let is_newer = |it: &Index| it.root_version > newest.version;
    let newer =
        bases().find(|it| it.index.as_ref().is_some_and(is_newer)).map(|it| format!("store `{}`", it.spec.name));
    let folder = previous.in_folder(job).filter(|it| is_newer(it)).map(|_| "the output folder".to_owned());
    match newer.or(folder) {
        Some(place) => Err(CompileError::Guard {
            why: format!("{place} already carries a newer root than {}", newest.version),
            help: "bring the chain of roots below `keys/root/` up to date".into(),
        }),
        None => Ok(()),
    }
}

/// An empty catalogue or no tenants is nearly always a generator or a path gone wrong.
pub(super) fn guard_empty(read: &Read<'_>) -> Result<(), CompileError> {
    let elsewhere = "run it in the project's folder, or name that with `--project`";
    if read.has_catalog && read.checked.catalog.programs.is_empty() {
        return Err(CompileError::Guard {
            why: "the catalogue is empty: there is no mini-program below `catalog/`".into(),
            help: format!("{elsewhere}; `tenantry init` makes a new project"),
        });
    }
    match read.checked.tenants.is_empty() && read.kept.is_empty() {
        true => Err(CompileError::Guard {
            why: "there is no tenant below `tenants/`".into(),
            help: format!("{elsewhere}; to end a tenant keep its file and set `status: inactive`"),
        }),
        false => Ok(()),
    }
}
