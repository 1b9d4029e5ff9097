//! Which tenants a store takes, and the index as that store may know it.
//!
//! A tenant that is bound to a region goes to the stores of that region. Nothing of it, not even its name in `state/`,
//! goes to any other.

use std::collections::BTreeMap;

use crate::digest::Blake3;
use crate::index::{Archive, Index, TenantRecord};
use crate::input::StoreSpec;

/// Tenants whose region no store takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no store takes {}", listed(.0))]
pub struct Homeless(
    /// Every such region, with a tenant of it; none stands for tenants that are bound to no region.
    pub BTreeMap<Option<String>, String>,
);

impl Homeless {
    /// What to do about it.
    pub fn help(&self) -> String {
        let regions: Vec<String> = self.0.keys().flatten().map(|it| format!("`{it}`")).collect();
        let list = (!regions.is_empty())
            .then(|| format!("list {} under `regions` of a store in `tenantry.yaml`", regions.join(" and ")));
        let add = self.0.contains_key(&None).then(|| "add a store without `regions` to `tenantry.yaml`".to_owned());
        let what: Vec<String> = list.into_iter().chain(add).collect();
        format!("{}; a store without `regions` takes those tenants only that are bound to none", what.join(", and "))
    }
}

fn listed(homeless: &BTreeMap<Option<String>, String>) -> String {
    let one = |(region, tenant): (&Option<String>, &String)| match region {
        Some(region) => format!("tenants of region `{region}`, such as `{tenant}`"),
        None => format!("tenants that are bound to no region, such as `{tenant}`"),
    };
    homeless.iter().map(one).collect::<Vec<_>>().join("; nor ")
}

/// Whether a store takes tenants of a region; none stands for those that are bound to no region.
pub fn takes(store: &StoreSpec, region: Option<&str>) -> bool {
    match region {
        Some(region) => store.regions.iter().any(|it| it == region),
        None => store.regions.is_empty(),
    }
}

/// Makes sure that every tenant has a store. `stores` are all of the project's, whichever are published to now.
pub fn guard_regions(index: &Index, stores: &[StoreSpec]) -> Result<(), Homeless> {
    let has_home = |it: &&TenantRecord| stores.iter().any(|store| takes(store, it.data_region.as_deref()));
    let mut homeless = BTreeMap::new();
    for it in index.tenants.values().filter(|it| !has_home(it)) {
        homeless.entry(it.data_region.clone()).or_insert_with(|| it.name.clone());
    }
    match homeless.is_empty() {
        true => Ok(()),
        false => Err(Homeless(homeless)),
    }
}

/// The index as one store may know it: its own tenants, and the bundles that they have.
pub fn project(index: &Index, store: &StoreSpec) -> Index {
    let is_ours = |it: &TenantRecord| takes(store, it.data_region.as_deref());
    let tenants = index.tenants.iter().filter(|(_, it)| is_ours(it));
    let tenants: BTreeMap<String, TenantRecord> = tenants.map(|(addr, it)| (addr.clone(), it.clone())).collect();
    let used = tenants.values().flat_map(|it| &it.bundles).map(|tree| (*tree, index.bundles[tree]));
    Index { bundles: used.collect(), tenants, ..without_content(index) }
}

/// Several stores' projections as one index: what a compile onto all of them starts from. None of none.
///
/// Where they disagree, whatever follows from the agreement is given up: other keys, and every tenant is signed again;
/// another catalogue, and every tenant is read again. Of a tenant that several stores have, the newest state counts.
pub fn merge<'a>(parts: impl IntoIterator<Item = &'a Index>) -> Option<Index> {
    let mut parts = parts.into_iter();
    let mut merged = parts.next()?.clone();
    for part in parts {
        if part.basis != merged.basis {
            merged.basis = Blake3([0; 32]);
        }
        if (&part.entitlement_keys, &part.freshness_keys) != (&merged.entitlement_keys, &merged.freshness_keys) {
            merged.entitlement_keys.clear();
            merged.freshness_keys.clear();
        }
        if part.commit != merged.commit {
            merged.commit = None;
        }
        if part.inputs != merged.inputs {
            merged.inputs = None;
        }
        merged.clean &= part.clean;
        merged.publication = merged.publication.max(part.publication);
        merged.root_version = merged.root_version.min(part.root_version);
        for (addr, record) in &part.tenants {
            let known = merged.tenants.get(addr).map_or(0, |it| it.timestamp.version);
            if record.timestamp.version > known && agrees(&mut merged.bundles, part, record) {
                merged.tenants.insert(addr.clone(), record.clone());
            }
        }
    }
    Some(merged)
}

/// Takes over a tenant's bundles. Says no when one of them was packed otherwise for another store: the tenant's
/// metadata names the bytes, so it cannot go on from there and is signed anew.
fn agrees(bundles: &mut BTreeMap<Blake3, Archive>, part: &Index, record: &TenantRecord) -> bool {
    let own = || record.bundles.iter().map(|tree| (*tree, part.bundles[tree]));
    let agrees = own().all(|(tree, archive)| bundles.get(&tree).is_none_or(|it| *it == archive));
    if agrees {
        bundles.extend(own());
    }
    agrees
}

fn without_content(index: &Index) -> Index {
    Index {
        format: index.format,
        compiler: index.compiler.clone(),
        environment: index.environment.clone(),
        commit: index.commit.clone(),
        inputs: index.inputs,
        revocation_budget: index.revocation_budget,
        publication: index.publication,
        root_version: index.root_version,
        entitlement_keys: index.entitlement_keys.clone(),
        freshness_keys: index.freshness_keys.clone(),
        basis: index.basis,
        clean: index.clean,
        bundles: BTreeMap::new(),
        tenants: BTreeMap::new(),
    }
}
