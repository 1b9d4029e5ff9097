//! Entitlements and limits: of several values for one key the most generous wins.

use std::collections::BTreeMap;

use crate::input::Entitlement;
use crate::model::{Catalog, Tenant};

/// The entitlement that a licence's seats are.
pub const SEATS: &str = "seats";

/// What the plan, its extended plans and the add-ons give together, and the licence's seats.
pub(super) fn entitlements(catalog: &Catalog, tenant: &Tenant) -> BTreeMap<String, Entitlement> {
    let plans = catalog.plan_chain(tenant.plan.0).map(|it| &it.entitlements);
    let add_ons = tenant.add_ons.iter().map(|(id, _)| &catalog.add_ons[id.at()].entitlements);
    let mut united = united(plans.chain(add_ons), |one, other| generosity(one) < generosity(other));
    if let Some(seats) = tenant.license.as_ref().and_then(|it| it.seats) {
        united.insert(SEATS.to_owned(), Entitlement::Count(seats));
    }
    united
}

/// The larger limit of each key.
pub(super) fn limits(catalog: &Catalog, tenant: &Tenant) -> BTreeMap<String, u64> {
    let plans = catalog.plan_chain(tenant.plan.0).map(|it| &it.limits);
    let add_ons = tenant.add_ons.iter().map(|(id, _)| &catalog.add_ons[id.at()].limits);
    united(plans.chain(add_ons), |one, other| one < other)
}

fn united<'a, T: Clone + 'a>(
    lists: impl Iterator<Item = &'a BTreeMap<String, T>>,
    is_less: impl Fn(&T, &T) -> bool,
) -> BTreeMap<String, T> {
    let mut united: BTreeMap<String, T> = BTreeMap::new();
    for (key, value) in lists.flatten() {
        match united.get_mut(key) {
            None => drop(united.insert(key.clone(), value.clone())),
            Some(known) if is_less(known, value) => *known = value.clone(),
            Some(_) => (),
        }
    }
    united
}

/// What decides which of two values of one entitlement wins: the greater.
pub fn generosity(value: &Entitlement) -> (u8, u32) {
    match value {
        Entitlement::Flag(false) => (0, 0),
        Entitlement::Flag(true) => (1, 0),
        Entitlement::Count(count) => (2, *count),
        Entitlement::Unlimited(_) => (3, 0),
    }
}
