//! The plan as a JSON document: what `--format json` prints and `--out` keeps. docs/plan.md describes every field.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::changes::guards::Outcome;
use crate::changes::show::{Names, Summary, all_downloaded, course, most_downloaded};
use crate::changes::{ChangeSet, Class, Devices, Of, Revision, Scope, Shape, TenantChanges, Values};

/// Version of the document's format; fields are only added within one.
const FORMAT: u32 = 1;

/// The whole change set.
pub fn document(set: &ChangeSet, names: &Names) -> Value {
    let summary = Summary::of(set);
    let mut of_tenant: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, class) in set.classes.iter().enumerate() {
        class.tenants.iter().for_each(|tenant| of_tenant.entry(*tenant).or_default().push(at));
    }
    let tenants = set.tenants.iter().enumerate().map(|(at, it)| {
        json!({
            "tenant": it.name,
            "tenant_id": it.tenant_id,
            "plan": &*it.plan,
            "published": it.is_published(),
            "loses": it.loses(set.at),
            "stranded": it.stranded,
            "download": it.download.map(|it| json!({ "bytes": it.bytes, "level": it.level })),
            "classes": of_tenant.get(&at),
        })
    });
    let mut base = revision(&set.base, &names.base);
    if !names.stores.is_empty() {
        base["stores"] = json!(names.stores);
    }
    json!({
        "format": FORMAT,
        "compiler": concat!("tenantry ", env!("CARGO_PKG_VERSION")),
        "at": set.at,
        "base": base,
        "head": revision(&set.head, &names.head),
        "summary": {
            "text": summary.line(),
            "changed": summary.changed,
            "inside": summary.inside,
            "same": summary.same,
            "lose": summary.lose,
            "held": summary.held,
            "growth": summary.growth,
            "gain": summary.gain,
            "update": summary.update,
            "permissions": summary.permissions,
            "egress": summary.egress,
            "rules": summary.rules,
            "bundles": set.bundles.len(),
            "bundle_bytes": set.bundles.iter().map(|it| it.length).sum::<u64>(),
            "overlays": set.overlays.count,
            "overlay_bytes": set.overlays.bytes,
            "download": most_downloaded(set).map(|(tenant, it)| json!({
                "tenant": tenant, "level": it.level, "bytes": it.bytes, "all_tenants": all_downloaded(set),
            })),
        },
        "guards": set.guards.iter().map(|it| json!({
            "guard": it.guard.slug(),
            "outcome": match it.outcome {
                Outcome::Passed => "passed",
                Outcome::Allowed => "allowed",
                Outcome::Stopped => "stopped",
            },
            "number": it.number,
            "limit": it.limit,
            "allowed": it.allowed,
            "message": it.message(),
            "tenants": it.tenants,
        })).collect::<Vec<Value>>(),
        "ahead": set.ahead.iter().map(|it| course::moment(it, &|_| None)).collect::<Vec<Value>>(),
        "bundles": set.bundles.iter().map(|it| json!({
            "app_id": &*it.app_id,
            "version": { "code": it.code, "name": it.version },
            "blake3": it.tree,
            "length": it.length,
        })).collect::<Vec<Value>>(),
        "classes": set.classes.iter().map(|it| class(&set.tenants, it)).collect::<Vec<Value>>(),
        "tenants": tenants.collect::<Vec<Value>>(),
    })
}

fn revision(revision: &Revision, name: &str) -> Value {
    json!({ "name": name, "commit": revision.commit, "inputs": revision.digest, "tenants": revision.tenants })
}

pub(super) fn class(all: &[TenantChanges], class: &Class) -> Value {
    let names: Vec<&str> = class.tenants.iter().map(|at| &*all[*at].name).collect();
    let plans: BTreeMap<&str, usize> = class.plans.iter().map(|(plan, count)| (&**plan, *count)).collect();
    json!({
        "weight": super::heading(class.weight()),
        "count": names.len(),
        "tenants": names,
        "plans": plans,
        "changes": class.shapes.iter().map(|it| shape(all, class, it)).collect::<Vec<Value>>(),
    })
}

fn shape(all: &[TenantChanges], class: &Class, shape: &Shape) -> Value {
    let mut out = Map::new();
    let mut say = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    say("kind", json!(shape.kind.slug()));
    if let Some(program) = &shape.program {
        say("app_id", json!(**program));
    }
    if let Some(item) = &shape.item {
        say("item", json!(item));
    }
    match &shape.values {
        Values::Same(from, to) => {
            from.iter().for_each(|it| say("from", json!(it)));
            to.iter().for_each(|it| say("to", json!(it)));
        }
        Values::Various(count) => {
            say("values", json!(count));
            say("each", each(all, class, shape));
        }
    }
    match &shape.scope {
        Some(Scope::Shells(levels)) => say("shells", json!({ "min_code": levels.min, "max_code": levels.max })),
        Some(Scope::Programs(programs)) => {
            say("app_ids", programs.iter().map(|it| json!(**it)).collect());
        }
        Some(Scope::Whole) | None => {}
    }
    if shape.devices != Devices::ALL {
        say("devices", json!({ "from": shape.devices.from, "until": shape.devices.until }));
    }
    say("reason", json!(shape.cause.slug()));
    say("side", json!(side(shape.of)));
    let told = shape.told.iter().map(
        |it| json!({ "side": side(it.of), "reason": it.fact.reason, "text": it.fact.text, "place": it.fact.place }),
    );
    say("because", told.collect());
    Value::Object(out)
}

/// What the change is for each tenant, where that is not the same.
fn each(all: &[TenantChanges], class: &Class, shape: &Shape) -> Value {
    let value = |at: &usize| {
        let tenant = &all[*at];
        let changes = tenant.changes.iter().filter(|it| shape.covers(it));
        let values: Vec<Value> = changes.map(|it| json!({ "from": it.from, "to": it.to })).collect();
        (tenant.name.to_string(), Value::Array(values))
    };
    Value::Object(class.tenants.iter().map(value).collect())
}

fn side(of: Of) -> &'static str {
    match of {
        Of::Base => "base",
        Of::Head => "head",
    }
}
