//! What differs between two projects that no manifest says, seen from their documents as written, and from `explain`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use tenantry::changes::{Kind, Reach, TenantChanges};
use tenantry::explain::{Decision, ProgramExplanation};
use tenantry::time::{Duration, Timestamp};

use crate::Side;
use crate::brute::{self, LEVELS, Published};
use crate::world::{CLASSES, Document, World};

/// A tenant's line-up as `explain` tells it, and the levels of its shells.
pub(crate) struct Explained {
    pub(crate) levels: Vec<u32>,
    pub(crate) programs: BTreeMap<String, ProgramExplanation>,
}

/// Kind, mini-program, item, before, after.
type Fact = (String, String, String, String, String);

fn fact(kind: &str, program: &str, item: &str, from: impl ToString, to: impl ToString) -> Fact {
    (kind.to_owned(), program.to_owned(), item.to_owned(), from.to_string(), to.to_string())
}

/// What a plan says of a tenant that stays inside.
pub(crate) fn said(tenant: &TenantChanges) -> BTreeSet<Fact> {
    let inside = tenant.changes.iter().filter(|it| it.kind.reach() == Reach::Inside);
    let value = |it: &Option<Box<str>>| it.as_deref().unwrap_or_default().to_owned();
    let facts = inside.map(|it| {
        let program = it.program.as_deref().unwrap_or_default();
        fact(it.kind.slug(), program, &value(&it.item), value(&it.from), value(&it.to))
    });
    facts.collect()
}

fn tenant<'a>(world: &'a World, id: &str) -> Option<&'a Document> {
    let mut tenants = world.of_kind("Tenant").into_iter().map(|(_, it)| it);
    tenants.find(|it| it.spec["tenant_id"] == *id)
}

fn text<'a>(spec: &'a Map<String, Value>, key: &str) -> &'a str {
    spec.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A tenant's status; it is served when its document does not say.
pub(crate) fn status<'a>(world: &'a World, id: &str) -> &'a str {
    match tenant(world, id).map(|it| text(&it.spec, "status")) {
        Some("") | None => "active",
        Some(status) => status,
    }
}

/// What must be said of a tenant that is on both sides.
pub(crate) fn expected(base: &Side, head: &Side, id: &str) -> BTreeSet<Fact> {
    let mut out = BTreeSet::new();
    let (Some(before), Some(after)) = (tenant(&base.world, id), tenant(&head.world, id)) else { return out };
    let (old, new) = (&before.spec, &after.spec);
    let (was, is) = (status(&base.world, id), status(&head.world, id));
    if was != is {
        let kind = match is {
            "active" => "tenant_resumed",
            "suspended" => "tenant_suspended",
            _ => "tenant_ended",
        };
        out.insert(fact(kind, "", "", was, is));
    }
    for key in ["compliance_profile", "data_region"] {
        if text(old, key) != text(new, key) {
            out.insert(fact(key, "", "", text(old, key), text(new, key)));
        }
    }
    if text(old, "compliance_profile") == text(new, "compliance_profile") && !text(new, "compliance_profile").is_empty()
    {
        out.extend(rules(base, head, text(new, "compliance_profile")));
    }
    let (mut old, mut new) = (terms(base, before), terms(head, after));
    let selects = |side: &Side| {
        let versions = side.world.of_kind("MiniProgram");
        versions.iter().any(|(_, it)| it.spec.get("rollout").is_some_and(|it| it.to_string().contains("\"ring\"")))
    };
    if selects(base) || selects(head) {
        for (terms, document) in [(&mut old, before), (&mut new, after)] {
            terms.extend(document.ring.map(|it| ("labels/ring".to_owned(), it.to_owned())));
        }
    }
    let items: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for item in items {
        let value = |it: &BTreeMap<String, String>| it.get(item).cloned().unwrap_or_default();
        if value(&old) != value(&new) {
            out.insert(fact("term", "", item, value(&old), value(&new)));
        }
    }
    out.extend(held_back(base, head, id));
    out.extend(data(base, head, id));
    out
}

fn list<'a>(spec: &'a Map<String, Value>, key: &str) -> Vec<&'a Value> {
    spec.get(key).and_then(Value::as_array).into_iter().flatten().collect()
}

fn time(value: &Value) -> String {
    Timestamp::parse(value.as_str().expect("text")).expect("a time").to_string()
}

fn terms(side: &Side, tenant: &Document) -> BTreeMap<String, String> {
    let spec = &tenant.spec;
    let mut terms: BTreeMap<String, String> = BTreeMap::new();
    terms.insert("plan".into(), text(spec, "plan").to_owned());
    for name in list(spec, "add_ons") {
        let name = name.as_str().expect("text");
        terms.insert(format!("add_ons/{name}"), name.to_owned());
    }
    if let Some(channel) = spec.get("channel") {
        terms.insert("channel".into(), channel.as_str().expect("text").to_owned());
    }
    if let Some(license) = spec.get("license") {
        for key in ["valid_from", "valid_until"] {
            license.get(key).into_iter().for_each(|it| drop(terms.insert(format!("license/{key}"), time(it))));
        }
        let grace = license.get("grace").and_then(Value::as_str).unwrap_or("P0D");
        terms.insert("license/grace".into(), Duration::parse(grace).expect("a duration").to_string());
    }
    for pin in list(spec, "pins") {
        terms.insert(format!("pins/{}", pin["app_id"].as_str().expect("text")), format!("code {}", pin["code"]));
    }
    for it in list(spec, "overrides") {
        let word = if it.get("grant").is_some() { "grant" } else { "revoke" };
        let range = it.get("range").map(|it| {
            let range = semver::VersionReq::parse(it.as_str().expect("text")).expect("a range");
            format!(" {range}")
        });
        let value = format!("until {}{}", time(&it["expires"]), range.unwrap_or_default());
        let item = format!("overrides/{word}/{}", it[word].as_str().expect("text"));
        let known = terms.get(&item).map(|known| format!("{known}; {value}"));
        terms.insert(item, known.unwrap_or(value));
    }
    let mut shells: Vec<&str> = list(spec, "shells").into_iter().map(|it| it.as_str().expect("text")).collect();
    let all: Vec<String> = side.world.of_kind("Shell").into_iter().map(|(_, it)| it.name.clone()).collect();
    if shells.is_empty() {
        shells = all.iter().map(|it| &**it).collect();
    }
    terms.insert("shells".into(), shells.join(", "));
    terms
}

/// A newer version that is not used, which it was not before for the same reason.
fn held_back(base: &Side, head: &Side, id: &str) -> Vec<Fact> {
    let (Some(before), Some(after)) = (base.explained.get(id), head.explained.get(id)) else { return Vec::new() };
    let mut out = Vec::new();
    let is_in = |it: &&ProgramExplanation| it.decision != Decision::Out;
    for (app_id, it) in after.programs.iter().filter(|(_, it)| is_in(it)) {
        let Some(old) = before.programs.get(app_id).filter(is_in) else { continue };
        for held in &it.passed_over {
            let reason = |it: &tenantry::explain::PassedOver| it.why[0].reason;
            let is_old = old.passed_over.iter().any(|it| it.code == held.code && reason(it) == reason(held));
            let was_used = old.versions.iter().any(|it| it.code == held.code);
            if !is_old && !was_used {
                out.push(fact("held_back", app_id, "", &it.versions[0].version, &held.version));
            }
        }
    }
    out
}

/// Holds the reasons of gains, losses and versions that are held back to what `explain` says of both sides.
pub(crate) fn reasons(base: &Side, head: &Side, tenant: &TenantChanges) {
    let id = &*tenant.tenant_id;
    let on = |side: &Side, app_id: &str| side.explained.get(id).and_then(|it| it.programs.get(app_id)).cloned();
    let slug = |reason: &str| match reason {
        "data_region" => "outside_region".to_owned(),
        "granted" => "outside_grant".to_owned(),
        other => other.to_owned(),
    };
    let is_there = |side: &Side, app_id: &str| {
        side.world.of_kind("MiniProgram").iter().any(|(_, it)| it.spec["app_id"] == *app_id)
    };
    for change in &tenant.changes {
        // `explain` tells why the last devices have what they have.
        let Some(app_id) = change.program.as_deref().filter(|_| change.devices.until == 100) else { continue };
        let (before, after) = (on(base, app_id), on(head, app_id));
        let expected = match change.kind {
            Kind::Lose if !head.explained.contains_key(id) => "tenant_removed".to_owned(),
            Kind::Lose if !is_there(head, app_id) => "program_removed".to_owned(),
            Kind::Lose => after.map_or("not_entitled".to_owned(), |it| slug(it.why[0].reason)),
            Kind::Gain => match before.filter(|it| !it.because.is_empty()) {
                Some(before) => slug(before.why[0].reason),
                None => after.expect("a program that is in").because[0].reason.to_owned(),
            },
            Kind::HeldBack => {
                let passed_over = after.expect("a program that is in").passed_over;
                let held = passed_over.iter().find(|it| Some(&*it.version) == change.to.as_deref());
                slug(held.expect("a version that is passed over").why[0].reason)
            }
            _ => continue,
        };
        assert_eq!(change.why.cause.slug(), expected, "{change:?}");
    }
}

/// Class and regions of the data of versions that follow one another on some level.
fn data(base: &Side, head: &Side, id: &str) -> BTreeSet<Fact> {
    let mut out = BTreeSet::new();
    let (before, after) = (&base.published[id].manifest, &head.published[id].manifest);
    for new in after["mini_programs"].as_array().expect("a list") {
        let app_id = new["app_id"].as_str().expect("text");
        let mut olds = before["mini_programs"].as_array().expect("a list").iter();
        let Some(old) = olds.find(|it| it["app_id"] == *app_id) else { continue };
        for level in LEVELS {
            let (Some(old), Some(new)) = (brute::at(old, level), brute::at(new, level)) else { continue };
            let (old, new) = (said_of_data(&base.world, app_id, old), said_of_data(&head.world, app_id, new));
            let rank = |it: &str| CLASSES.iter().position(|class| *class == it);
            if old.0 != new.0 {
                let kind = if rank(&old.0) < rank(&new.0) { "data_class_raised" } else { "data_class_lowered" };
                out.insert(fact(kind, app_id, "", &old.0, &new.0));
            }
            out.extend(new.1.difference(&old.1).map(|it| fact("data_region_added", app_id, it, "", "")));
            out.extend(old.1.difference(&new.1).map(|it| fact("data_region_removed", app_id, it, "", "")));
        }
    }
    out
}

fn said_of_data(world: &World, app_id: &str, release: &Value) -> (String, BTreeSet<String>) {
    let code = &release["version"]["code"];
    let mut versions = world.of_kind("MiniProgram").into_iter().map(|(_, it)| &it.spec);
    let version = versions.find(|it| it["app_id"] == *app_id && it["version"]["code"] == *code).expect("a version");
    let data = version.get("data").cloned().unwrap_or_default();
    let class = data["classification"].as_str().unwrap_or("public").to_owned();
    let mut regions: BTreeSet<String> =
        data["regions"].as_array().into_iter().flatten().map(|it| it.as_str().expect("text").to_owned()).collect();
    if regions.is_empty() {
        regions.insert("everywhere".to_owned());
    }
    (class, regions)
}

fn profile<'a>(world: &'a World, name: &str) -> &'a Map<String, Value> {
    let mut profiles = world.of_kind("ComplianceProfile").into_iter().map(|(_, it)| it);
    &profiles.find(|it| it.name == name).expect("a profile").spec
}

/// A profile and all that it imports.
fn closure(world: &World, name: &str, found: &mut BTreeSet<String>) {
    if found.insert(name.to_owned()) {
        for it in list(profile(world, name), "imports") {
            closure(world, it.as_str().expect("text"), found);
        }
    }
}

/// Whether a rule asks for more than before: by trying what both let through.
fn rules(base: &Side, head: &Side, name: &str) -> Vec<Fact> {
    let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
    closure(&base.world, name, &mut before);
    closure(&head.world, name, &mut after);
    let mut out = Vec::new();
    out.extend(
        after.difference(&before).map(|it| fact("rule_tightened", "", &format!("{name}: imports {it}"), "", "")),
    );
    out.extend(before.difference(&after).map(|it| fact("rule_relaxed", "", &format!("{name}: imports {it}"), "", "")));
    for it in before.intersection(&after) {
        let (old, new) = (let_through(profile(&base.world, it)), let_through(profile(&head.world, it)));
        for (rule, old) in &old {
            let new = &new[rule];
            let kind = match (old.is_subset(new), new.is_subset(old)) {
                (true, true) => continue,
                (true, false) => "rule_relaxed",
                (false, true) => "rule_tightened",
                (false, false) => "rule_changed",
            };
            out.push(fact(kind, "", &format!("{it}: {rule}"), "", ""));
        }
    }
    out
}

/// For each rule what passes it, of everything that these worlds know; `*` is whatever nobody has thought of.
fn let_through(spec: &Map<String, Value>) -> BTreeMap<String, BTreeSet<String>> {
    let apps: Vec<String> = crate::world::APPS.iter().map(|it| crate::world::app_id(it)).collect();
    let owned = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<String>>();
    let universes = [
        ("mini_programs", apps),
        ("permissions", owned(&crate::world::PERMISSIONS)),
        ("egress", owned(&crate::world::HOSTS)),
    ];
    let mut out = BTreeMap::new();
    for (rule, mut universe) in universes {
        universe.push("*".to_owned());
        let lists = spec.get(rule).cloned().unwrap_or_default();
        let has = |key: &str, it: &str| lists[key].as_array().is_some_and(|list| list.iter().any(|entry| entry == it));
        let allowed = universe.iter().filter(|it| lists.get("allow").is_none() || has("allow", it));
        out.insert(format!("{rule}.allow"), allowed.cloned().collect());
        out.insert(format!("{rule}.deny"), universe.iter().filter(|it| !has("deny", it)).cloned().collect());
    }
    let section = |key: &str| spec.get(key).cloned().unwrap_or_default();
    let (data, review, update, manifest) = (section("data"), section("review"), section("update"), section("manifest"));
    let up_to = |most: Option<usize>, count: usize| {
        (0..count).filter(|it| most.is_none_or(|most| *it <= most)).map(|it| it.to_string()).collect()
    };
    let class = data["max_classification"].as_str().and_then(|it| CLASSES.iter().position(|class| *class == it));
    out.insert("data.max_classification".into(), up_to(class, CLASSES.len()));
    let regions: BTreeSet<String> = ["eu", "us", "*"]
        .iter()
        .filter(|it| data["regions"].as_array().is_none_or(|list| list.iter().any(|entry| entry == **it)))
        .map(|it| (*it).to_owned())
        .collect();
    out.insert("data.regions".into(), regions);
    let status = match review["min_status"].as_str() {
        None => vec!["nothing asked", "approved", "online"],
        Some("approved") => vec!["approved", "online"],
        Some(_) => vec!["online"],
    };
    out.insert("review.min_status".into(), status.into_iter().map(str::to_owned).collect());
    // Days of soak that a version may have: it passes from so many on.
    let days = |it: &Value| {
        it.as_str()
            .map(|it| usize::try_from(Duration::parse(it).expect("a duration").seconds() / 86_400).expect("small"))
    };
    let soak = days(&review["min_soak"]);
    out.insert(
        "review.min_soak".into(),
        (0..40)
            .map(|it| (it, it))
            .filter(|(it, _)| soak.is_none_or(|least| *it >= least))
            .map(|(it, _)| it.to_string())
            .chain(soak.is_none().then(|| "unknown".to_owned()))
            .collect(),
    );
    let pinned = update["pin_required"].as_bool().unwrap_or(false);
    out.insert(
        "update.pin_required".into(),
        ["pinned", "free"].iter().filter(|it| !pinned || **it == "pinned").map(|it| (*it).to_owned()).collect(),
    );
    let frozen: Vec<String> =
        update["freeze_windows"].as_array().into_iter().flatten().map(|it| it["from"].to_string()).collect();
    let open = ["\"2026-11-10\"", "\"2026-11-20\""].iter().filter(|it| !frozen.contains(&(**it).to_owned()));
    out.insert("update.freeze_windows".into(), open.map(|it| (*it).to_owned()).collect());
    for key in ["max_ttl", "offline_grace"] {
        out.insert(format!("manifest.{key}"), up_to(days(&manifest[key]), 60));
    }
    out
}

/// Whether a tenant loses a mini-program: now, on a level in the field, or within seven days by an end that moved.
pub(crate) fn loses(before: Option<&Published>, after: Option<&Published>, levels: &[u32], now: Timestamp) -> bool {
    let at = now.to_string();
    let soon = now.plus(Duration::days(7)).to_string();
    let Some(before) = before else { return false };
    let programs = |it: &Published| it.manifest["mini_programs"].as_array().expect("a list").clone();
    let after = after.map(programs).unwrap_or_default();
    programs(before).iter().any(|old| {
        let Some(new) = after.iter().find(|it| it["app_id"] == old["app_id"]) else { return true };
        let bound = |it: &Value, key: &str| it.get(key).and_then(Value::as_str).map(str::to_owned);
        let begun = |it: &Value| bound(it, "valid_from").is_none_or(|from| from <= at);
        let shells = levels.iter().any(|it| brute::at(old, *it).is_some() && brute::at(new, *it).is_none());
        let ends = bound(new, "valid_until")
            .is_some_and(|new| new <= soon && bound(old, "valid_until").is_none_or(|old| new < old));
        shells || ends || (begun(old) && !begun(new))
    })
}

/// Each guard's name, number, limit, and whether it stops the change.
pub(crate) fn guards(
    base: &Side,
    head: &Side,
    losing: usize,
    stranded: usize,
) -> Vec<(&'static str, usize, usize, bool)> {
    let ids = |side: &Side| side.published.keys().cloned().collect::<BTreeSet<String>>();
    let (before, after) = (ids(base), ids(head));
    let deleted = before.difference(&after).filter(|it| status(&base.world, it) != "inactive").count();
    let of = |world: &World, id: &str, key: &str| tenant(world, id).map(|it| text(&it.spec, key).to_owned());
    let chooses = |id: &&String| {
        ["compliance_profile", "data_region"].iter().any(|key| of(&base.world, id, key) != of(&head.world, id, key))
    };
    let own = before.intersection(&after).filter(chooses).count();
    let budget = |side: &Side| {
        let spec = &side.world.of_kind("Project")[0].1.spec;
        let budget = spec.get("revocation_budget");
        let number = |key: &str, otherwise: u64| budget.map_or(otherwise, |it| it[key].as_u64().expect("a number"));
        (number("percent", 1), number("at_least", 5))
    };
    let (old, new) = (budget(base), budget(head));
    let allowed = |it: (u64, u64)| usize::try_from((before.len() as u64 * it.0 / 100).max(it.1)).expect("small");
    let limit = allowed(old).min(allowed(new));
    let relaxed = if new.0 > old.0 || new.1 > old.1 { losing } else { 0 };
    vec![
        ("empty", 0, 0, false),
        ("revocations", losing, limit, losing > limit),
        ("deletions", deleted, 0, deleted > 0),
        ("stranded", stranded, 0, stranded > 0),
        ("own_terms", own, 0, own > 0),
        ("budget", relaxed, 0, relaxed > 0),
    ]
}
