//! What differs for a tenant apart from its mini-programs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::changes::kind::{Cause, Kind};
use crate::changes::settings::{Difference, differences, pointer};
use crate::changes::{Change, Comparer, Of, Seat, Side, Why, word};
use crate::compose;
use crate::input::{Entitlement, TenantStatus};
use crate::manifest::{Offline, Revoked};
use crate::model::{Catalog, Effect, Tenant};
use crate::resolve::{SEATS, StoppedBy, generosity};
use crate::text::Span;
use crate::time::{Duration, Timestamp};

/// The term that the catalogue has a say in.
const SHELLS: &str = "shells";

impl Comparer<'_> {
    /// Everything but the line-up.
    pub(super) fn terms(&self, base: Seat<'_>, head: Seat<'_>, found: &mut Vec<Change>) {
        status(base.tenant, head.tenant, found);
        self.trust(base.tenant, head.tenant, found);
        self.rules(base.tenant, head.tenant, found);
        self.bought(base.tenant, head.tenant, found);
        self.rights(base, head, found);
        branding(base.tenant, head.tenant, found);
        self.offline(base.tenant, head.tenant, found);
        self.lifetimes(base.tenant, head.tenant, found);
        self.blocks(base, head, found);
    }

    /// Profile and region: what a tenant's file should not decide alone.
    fn trust(&self, base: &Tenant, head: &Tenant, found: &mut Vec<Change>) {
        let profile = |side: &Side<'_>, tenant: &Tenant| {
            tenant.profile.map(|(id, span)| (side.catalog.profiles[id.at()].name.to_string(), span))
        };
        let region = |tenant: &Tenant| tenant.data_region.as_ref().map(|(it, span)| (it.to_string(), *span));
        let values = [
            (Kind::ComplianceProfile, profile(&self.base, base), profile(&self.head, head)),
            (Kind::DataRegion, region(base), region(head)),
        ];
        for (kind, from, to) in values {
            let (old, new) = (from.as_ref().map(|it| &it.0), to.as_ref().map(|it| &it.0));
            if old != new {
                let why = of_tenant(from.as_ref().map(|it| it.1), to.as_ref().map(|it| it.1), head);
                found.push(Change::new(kind, why).values(old, new));
            }
        }
    }

    /// Rules of the profile that the tenant is under on both sides. Another profile is a change of its own.
    fn rules(&self, base: &Tenant, head: &Tenant, found: &mut Vec<Change>) {
        let (Some((before, _)), Some((after, _))) = (base.profile, head.profile) else { return };
        if self.base.catalog.profiles[before.at()].name != self.head.catalog.profiles[after.at()].name {
            return;
        }
        found.extend(self.rules[after.at()].iter().map(|it| Change::new(it.kind, it.why).item(&it.item)));
    }

    /// Plan, add-ons, channel, licence, pins, overrides, shells, and labels by which rollouts select: what was bought,
    /// whether or not it changes a line-up today.
    fn bought(&self, base: &Tenant, head: &Tenant, found: &mut Vec<Change>) {
        let (mut old, mut new) = (terms_of(self.base.catalog, base), terms_of(self.head.catalog, head));
        for (terms, tenant) in [(&mut old, base), (&mut new, head)] {
            let labels = tenant.labels.iter().filter(|(key, _)| self.labels.contains(*key));
            terms.extend(labels.map(|(key, value)| (format!("labels/{key}"), (value.clone(), tenant.span))));
        }
        for item in old.keys().chain(new.keys().filter(|it| !old.contains_key(*it))) {
            let (from, to) = (old.get(item), new.get(item));
            if from.map(|it| &it.0) != to.map(|it| &it.0) {
                let why = of_tenant(from.map(|it| it.1), to.map(|it| it.1), head);
                // A tenant that names no shells has all that the catalogue has.
                let cause = if item == SHELLS { Cause::ShellsChanged } else { why.cause };
                let change = Change::new(Kind::Term, Why { cause, ..why }).item(item);
                found.push(change.values(from.map(|it| &it.0), to.map(|it| &it.0)));
            }
        }
    }

    fn rights(&self, base: Seat<'_>, head: Seat<'_>, found: &mut Vec<Change>) {
        let (old, new) = (&base.resolution.entitlements, &head.resolution.entitlements);
        for key in old.keys().chain(new.keys().filter(|it| !old.contains_key(*it))) {
            let (from, to) = (old.get(key), new.get(key));
            let kind = match (from, to) {
                (Some(from), Some(to)) if from == to => continue,
                (Some(from), Some(to)) if generosity(from) < generosity(to) => Kind::EntitlementRaised,
                (Some(_), Some(_)) => Kind::EntitlementLowered,
                (None, _) => Kind::EntitlementGained,
                (Some(_), None) => Kind::EntitlementLost,
            };
            let why = match to {
                Some(to) => entitling(Of::Head, self.head.catalog, head.tenant, key, to),
                None => from.map_or_else(
                    || of_tenant(None, None, head.tenant),
                    |it| entitling(Of::Base, self.base.catalog, base.tenant, key, it),
                ),
            };
            let change = Change::new(kind, why).item(key);
            found.push(change.values(from.map(worded).as_ref(), to.map(worded).as_ref()));
        }
        let (old, new) = (&base.resolution.limits, &head.resolution.limits);
        for key in old.keys().chain(new.keys().filter(|it| !old.contains_key(*it))) {
            let (from, to) = (old.get(key), new.get(key));
            let kind = match (from, to) {
                (Some(from), Some(to)) if from == to => continue,
                (Some(from), Some(to)) if from < to => Kind::LimitRaised,
                (Some(_), Some(_)) => Kind::LimitLowered,
                (None, _) => Kind::LimitGained,
                (Some(_), None) => Kind::LimitLost,
            };
            let why = match to {
                Some(to) => limiting(Of::Head, self.head.catalog, head.tenant, key, *to),
                None => limiting(Of::Base, self.base.catalog, base.tenant, key, from.copied().unwrap_or_default()),
            };
            found.push(Change::new(kind, why).item(key).values(from, to));
        }
    }

    fn offline(&self, base: &Tenant, head: &Tenant, found: &mut Vec<Change>) {
        let before = compose::offline(self.base.project, self.base.catalog, base);
        let after = compose::offline(self.head.project, self.head.catalog, head);
        // Taken apart field by field, so that none is forgotten.
        let Offline { expiration_strategy, grace } = before;
        if expiration_strategy != after.expiration_strategy {
            let why = of_tenant(license_span(base), license_span(head), head);
            let change = Change::new(Kind::ExpirationStrategy, Why { cause: Cause::Licence, ..why });
            found.push(change.from(&word(&expiration_strategy)).to(&word(&after.expiration_strategy)));
        }
        if grace != after.grace {
            let change = Change::new(Kind::OfflineGrace, self.governed(head));
            found.push(change.from(&grace).to(&after.grace));
        }
    }

    /// How long signed metadata lasts.
    fn lifetimes(&self, base: &Tenant, head: &Tenant, found: &mut Vec<Change>) {
        let lifetimes = |side: &Side<'_>, tenant: &Tenant| {
            let most = compose::max_ttl(side.catalog, tenant);
            let least = |it: Duration| most.map_or(it, |most| most.min(it));
            [least(side.project.entitlement_lifetime), least(side.project.freshness_lifetime)]
        };
        let (before, after) = (lifetimes(&self.base, base), lifetimes(&self.head, head));
        let values = ["entitlement", "freshness"].into_iter().zip(before).zip(after);
        for ((item, from), to) in values.filter(|((_, from), to)| from != to) {
            found.push(Change::new(Kind::Lifetime, self.governed(head)).item(item).from(&from).to(&to));
        }
    }

    /// The reason of what profile and project decide together: the profile, where there is one.
    fn governed(&self, tenant: &Tenant) -> Why {
        match tenant.profile {
            Some((id, _)) => {
                Why { cause: Cause::Profile, of: Of::Head, span: self.head.catalog.profiles[id.at()].span }
            }
            None => Why { cause: Cause::Project, of: Of::Head, span: tenant.span },
        }
    }

    /// Versions that must stop.
    fn blocks(&self, base: Seat<'_>, head: Seat<'_>, found: &mut Vec<Change>) {
        let listed = |of: Of, side: &Side<'_>, seat: Seat<'_>| -> BTreeMap<(String, u32, String), Why> {
            let revoked = compose::revoked(side.catalog, seat.resolution).into_iter();
            let named = revoked.map(|Revoked { app_id, code, mode }| (app_id, code, word(&mode)));
            let why = seat.resolution.stopped.iter().map(|it| {
                let cause = match it.by {
                    StoppedBy::Override => Cause::Revoked,
                    StoppedBy::Version => Cause::VersionRevoked,
                };
                Why { cause, of, span: it.span }
            });
            named.zip(why).collect()
        };
        let (old, new) = (listed(Of::Base, &self.base, base), listed(Of::Head, &self.head, head));
        let come = new.iter().filter(|(it, _)| !old.contains_key(it)).map(|it| (Kind::Block, it));
        let go = old.iter().filter(|(it, _)| !new.contains_key(it)).map(|it| (Kind::Unblock, it));
        for (kind, ((app_id, code, mode), why)) in come.chain(go) {
            let change = Change::new(kind, *why).program(&Arc::from(app_id.as_str())).item(&code.to_string());
            found.push(match kind {
                Kind::Block => change.to(mode),
                _ => change.from(mode),
            });
        }
    }
}

fn status(base: &Tenant, head: &Tenant, found: &mut Vec<Change>) {
    if base.status == head.status {
        return;
    }
    let kind = match head.status {
        TenantStatus::Active => Kind::TenantResumed,
        TenantStatus::Suspended => Kind::TenantSuspended,
        TenantStatus::Inactive => Kind::TenantEnded,
    };
    let why = Why { cause: Cause::Tenant, of: Of::Head, span: head.status_span };
    found.push(Change::new(kind, why).from(&word(&base.status)).to(&word(&head.status)));
}

fn branding(base: &Tenant, head: &Tenant, found: &mut Vec<Change>) {
    if base.branding == head.branding {
        return;
    }
    let map = |it: &Tenant| match serde_json::to_value(&it.branding) {
        Ok(Value::Object(map)) => map,
        Ok(_) | Err(_) => Map::new(),
    };
    let (before, after) = (map(base), map(head));
    let why = Why { cause: Cause::Tenant, of: Of::Head, span: head.branding_span };
    let mut differing = Vec::new();
    differences(&before, &after, &mut Vec::new(), &mut differing);
    let changes = differing
        .into_iter()
        .map(|Difference { path, from, to }| Change::new(Kind::Branding, why).item(&pointer(&path)).values(from, to));
    found.extend(changes);
}

/// What a tenant's own document says differently, at the head's place or, where it says nothing any more, the base's.
fn of_tenant(base: Option<Span>, head: Option<Span>, tenant: &Tenant) -> Why {
    match (head, base) {
        (Some(span), _) => Why { cause: Cause::Tenant, of: Of::Head, span },
        (None, Some(span)) => Why { cause: Cause::Tenant, of: Of::Base, span },
        (None, None) => Why { cause: Cause::Tenant, of: Of::Head, span: tenant.span },
    }
}

fn license_span(tenant: &Tenant) -> Option<Span> {
    tenant.license.as_ref().map(|it| it.span)
}

/// Everything that was bought, by its name in the document, as text.
fn terms_of(catalog: &Catalog, tenant: &Tenant) -> BTreeMap<String, (String, Span)> {
    let mut terms: BTreeMap<String, (String, Span)> = BTreeMap::new();
    let mut say = |item: String, value: String, span: Span| match terms.get_mut(&item) {
        // Two overrides of one program are one term.
        Some((known, _)) => *known = format!("{known}; {value}"),
        None => drop(terms.insert(item, (value, span))),
    };
    say("plan".into(), catalog.plans[tenant.plan.0.at()].name.to_string(), tenant.plan.1);
    for (id, span) in &tenant.add_ons {
        let name = catalog.add_ons[id.at()].name.to_string();
        say(format!("add_ons/{name}"), name, *span);
    }
    if let Some(channel) = &tenant.channel {
        say("channel".into(), channel.to_string(), tenant.span);
    }
    if let Some(license) = &tenant.license {
        let date = |it: Option<Timestamp>| it.map(|it| it.to_string());
        let values = [
            ("valid_from", date(license.window.from)),
            ("valid_until", date(license.window.until)),
            ("grace", Some(license.grace.to_string())),
        ];
        for (item, value) in values {
            value.into_iter().for_each(|it| say(format!("license/{item}"), it, license.span));
        }
    }
    for (program, code, span) in &tenant.pins {
        say(format!("pins/{}", catalog.program(*program).app_id), format!("code {code}"), *span);
    }
    for it in &tenant.overrides {
        let (word, range) = match &it.effect {
            Effect::Grant(range) => ("grant", range.as_ref().map(|it| format!(" {it}")).unwrap_or_default()),
            Effect::Revoke => ("revoke", String::new()),
        };
        let item = format!("overrides/{word}/{}", catalog.program(it.program).app_id);
        say(item, format!("until {}{range}", it.expires), it.span);
    }
    let shells: Vec<&str> = tenant.shells.iter().map(|id| &*catalog.shells[id.at()].name).collect();
    say(SHELLS.into(), shells.join(", "), tenant.span);
    terms
}

fn worded(value: &Entitlement) -> String {
    match value {
        Entitlement::Flag(flag) => flag.to_string(),
        Entitlement::Count(count) => count.to_string(),
        Entitlement::Unlimited(_) => "unlimited".to_owned(),
    }
}

/// Who gives an entitlement its value: the licence, or the first plan or add-on that says it so.
fn entitling(of: Of, catalog: &Catalog, tenant: &Tenant, key: &str, value: &Entitlement) -> Why {
    if let Some(license) = tenant.license.as_ref().filter(|it| key == SEATS && it.seats.is_some()) {
        return Why { cause: Cause::Licence, of, span: license.span };
    }
    let plans = catalog.plan_chain(tenant.plan.0).map(|it| (Cause::InPlan, it.entitlements.get(key), it.span));
    let add_ons = tenant.add_ons.iter().map(|(id, _)| &catalog.add_ons[id.at()]);
    let mut all = plans.chain(add_ons.map(|it| (Cause::InAddOn, it.entitlements.get(key), it.span)));
    let found = all.find(|(_, it, _)| *it == Some(value));
    found.map_or(Why { cause: Cause::Tenant, of, span: tenant.span }, |(cause, _, span)| Why { cause, of, span })
}

fn limiting(of: Of, catalog: &Catalog, tenant: &Tenant, key: &str, value: u64) -> Why {
    let plans = catalog.plan_chain(tenant.plan.0).map(|it| (Cause::InPlan, it.limits.get(key), it.span));
    let add_ons = tenant.add_ons.iter().map(|(id, _)| &catalog.add_ons[id.at()]);
    let mut all = plans.chain(add_ons.map(|it| (Cause::InAddOn, it.limits.get(key), it.span)));
    let found = all.find(|(_, it, _)| *it == Some(&value));
    found.map_or(Why { cause: Cause::Tenant, of, span: tenant.span }, |(cause, _, span)| Why { cause, of, span })
}
