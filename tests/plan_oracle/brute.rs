//! What differs between two publications, seen from their manifests alone, level by level and field by field.
//!
//! Nothing here is clever, and nothing is shared with the code that it judges: a manifest is a JSON value, and a shell
//! level is looked up in it as a device would.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Kind, mini-program, item, before, after. What a manifest cannot say is left empty.
pub(crate) type Fact = (String, String, String, String, String);

/// A version that follows another on one level: mini-program, level, version before, version after.
pub(crate) type Step = (String, u32, String, String);

/// Everything that differs for one tenant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    pub(crate) facts: BTreeSet<Fact>,
    pub(crate) steps: BTreeSet<Step>,
}

/// Levels that are looked at: all that a test uses, and one beyond.
pub(crate) const LEVELS: std::ops::RangeInclusive<u32> = 0..=30;

/// A tenant's manifest, and how long its timestamp lasts.
pub(crate) struct Published {
    pub(crate) manifest: Value,
    pub(crate) freshness: i64,
}

fn fact(kind: &str, program: &str, item: &str, from: impl ToString, to: impl ToString) -> Fact {
    (kind.to_owned(), program.to_owned(), item.to_owned(), from.to_string(), to.to_string())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}

/// How many mini-programs a manifest has for those who are in no share.
pub(crate) fn count(published: &Published) -> usize {
    programs(&published.manifest).len()
}

fn programs(manifest: &Value) -> BTreeMap<&str, &Value> {
    let all = manifest["mini_programs"].as_array().expect("a list");
    all.iter().map(|it| (it["app_id"].as_str().expect("text"), it)).collect()
}

/// Where the order of a tenant's devices is cut: the ends of all shares, and of all devices.
pub(crate) fn ends(sides: &[Option<&Published>]) -> BTreeSet<u64> {
    let cohorts = sides.iter().flatten().filter_map(|it| it.manifest["cohorts"].as_array()).flatten();
    cohorts.map(|it| it["percent"].as_u64().expect("a number")).chain([100]).collect()
}

impl Published {
    /// What the manifest says to devices that stand just before the end of so many percent, as if it said so to all.
    pub(crate) fn to_devices(&self, percent: u64) -> Published {
        let mut manifest = self.manifest.clone();
        let cohorts = manifest.as_object_mut().expect("a map").remove("cohorts").unwrap_or_default();
        let mut cohorts = cohorts.as_array().into_iter().flatten();
        if let Some(cohort) = cohorts.find(|it| percent <= it["percent"].as_u64().expect("a number")) {
            let mut programs: BTreeMap<String, Value> =
                programs(&self.manifest).into_iter().map(|(app_id, it)| (app_id.to_owned(), it.clone())).collect();
            for app_id in cohort["without"].as_array().into_iter().flatten() {
                assert!(programs.remove(app_id.as_str().expect("text")).is_some(), "what they lack is there");
            }
            for it in cohort["mini_programs"].as_array().expect("a list") {
                let before = programs.insert(text(&it["app_id"]), it.clone());
                assert_ne!(before.as_ref(), Some(it), "what they have alike is not said again");
            }
            manifest["mini_programs"] = programs.into_values().collect();
        }
        Published { manifest, freshness: self.freshness }
    }
}

/// The release that a shell of a level takes.
pub(crate) fn at(program: &Value, level: u32) -> Option<&Value> {
    let level = u64::from(level);
    let mut releases = program["releases"].as_array().expect("a list").iter();
    releases.find(|it| {
        let range = &it["platform_version"];
        range["min_code"].as_u64().expect("a number") <= level
            && range["max_code"].as_u64().is_none_or(|max| level <= max)
    })
}

/// A field of a release, or of its mini-program where the release does not say it.
pub(crate) fn said<'a>(program: &'a Value, release: &'a Value, field: &str) -> &'a Value {
    match &release["face"] {
        Value::Null => &program[field],
        face => &face[field],
    }
}

fn newest(program: &Value) -> String {
    text(&program["version"]["name"])
}

fn names(list: &Value) -> Vec<String> {
    let name = |it: &Value| it.get("name").map_or_else(|| text(it), text);
    list.as_array().expect("a list").iter().map(name).collect()
}

/// `count` is how many mini-programs most devices have.
pub(crate) fn added(head: &Published, count: usize) -> Differences {
    let programs = programs(&head.manifest);
    let mut out = Differences::default();
    out.facts.insert(fact("tenant_added", "", "", "", count));
    out.facts.extend(programs.iter().map(|(app_id, it)| fact("gain", app_id, "", "", newest(it))));
    out
}

pub(crate) fn removed(base: &Published, count: usize) -> Differences {
    let programs = programs(&base.manifest);
    let mut out = Differences::default();
    out.facts.insert(fact("tenant_removed", "", "", count, ""));
    out.facts.extend(programs.keys().map(|app_id| fact("lose", app_id, "", "", "")));
    out
}

/// `now` as the manifest writes times, which sort as text.
pub(crate) fn both(base: &Published, head: &Published, now: &str) -> Differences {
    let mut out = Differences::default();
    let (before, after) = (programs(&base.manifest), programs(&head.manifest));
    for (app_id, it) in &before {
        match after.get(app_id) {
            None => _ = out.facts.insert(fact("lose", app_id, "", newest(it), "")),
            Some(other) => stays(app_id, it, other, now, &mut out),
        }
    }
    for (app_id, it) in after.iter().filter(|(app_id, _)| !before.contains_key(*app_id)) {
        out.facts.insert(fact("gain", app_id, "", "", newest(it)));
        for level in LEVELS {
            if let Some(release) = at(it, level) {
                asks(app_id, it, release, &[], &mut out);
            }
        }
    }
    rest(base, head, &mut out);
    out
}

/// Whatever a release asks for that is not known already.
fn asks(app_id: &str, program: &Value, release: &Value, known: &[(&Value, &Value)], out: &mut Differences) {
    for (field, kind) in [("req_permissions", "permission_added"), ("egress", "egress_added")] {
        let known: Vec<String> =
            known.iter().flat_map(|(program, release)| names(said(program, release, field))).collect();
        let new = names(said(program, release, field)).into_iter().filter(|it| !known.contains(it));
        out.facts.extend(new.map(|it| fact(kind, app_id, &it, "", "")));
    }
}

fn stays(app_id: &str, before: &Value, after: &Value, now: &str, out: &mut Differences) {
    for field in ["description", "short_name"] {
        if before[field] != after[field] {
            out.facts.insert(fact("presentation", app_id, field, text(&before[field]), text(&after[field])));
        }
    }
    if before["preload"] != after["preload"] {
        out.facts.insert(fact("preload", app_id, "", text(&before["preload"]), text(&after["preload"])));
    }
    window(app_id, before, after, now, out);
    let all: Vec<(&Value, &Value)> =
        before["releases"].as_array().expect("a list").iter().map(|it| (before, it)).collect();
    for level in LEVELS {
        let version = |it: Option<&Value>| it.map(|it| text(&it["version"]["name"])).unwrap_or_default();
        let code = |it: Option<&Value>| it.map(|it| it["version"]["code"].as_u64().expect("a number"));
        let (old, new) = (at(before, level), at(after, level));
        if code(old) != code(new) {
            out.steps.insert((app_id.to_owned(), level, version(old), version(new)));
        }
        match (old, new) {
            (Some(old), Some(new)) => release(app_id, (before, old), (after, new), out),
            (None, Some(new)) => asks(app_id, after, new, &all, out),
            (Some(_) | None, None) => (),
        }
    }
}

fn window(app_id: &str, before: &Value, after: &Value, now: &str, out: &mut Differences) {
    let (from, until) = ("valid_from", "valid_until");
    let runs = |it: &Value| {
        let (from, until) = (text(&it[from]), text(&it[until]));
        (from.is_empty() || *from <= *now) && (until.is_empty() || *now < *until)
    };
    let (old, new) = (text(&before[from]), text(&after[from]));
    if old != new {
        let kind = match old < new {
            true if runs(before) && !runs(after) => "postponed",
            true => "starts_later",
            false => "starts_earlier",
        };
        out.facts.insert(fact(kind, app_id, "", &old, &new));
    }
    let (old, new) = (text(&before[until]), text(&after[until]));
    if old != new {
        let never = |it: &str| if it.is_empty() { "never".to_owned() } else { it.to_owned() };
        let kind = if never(&old) < never(&new) { "ends_later" } else { "ends_earlier" };
        out.facts.insert(fact(kind, app_id, "", &old, &new));
    }
}

/// A release against the one before it on the same level.
fn release(app_id: &str, (program, old): (&Value, &Value), (other, new): (&Value, &Value), out: &mut Differences) {
    let mut say =
        |kind: &str, item: &str, from: String, to: String| _ = out.facts.insert(fact(kind, app_id, item, from, to));
    if old["version"]["code"] == new["version"]["code"] {
        if old["version"]["name"] != new["version"]["name"] {
            say("presentation", "version.name", text(&old["version"]["name"]), text(&new["version"]["name"]));
        }
        if old["bundle"]["blake3"] != new["bundle"]["blake3"] {
            say("contents", "", String::new(), String::new());
        }
    }
    let target = |it: &Value| text(&it["platform_version"]["target_code"]);
    if target(old) != target(new) {
        say("presentation", "platform_version.target_code", target(old), target(new));
    }
    if old["overlay"]["blake3"] != new["overlay"]["blake3"] {
        say("overlay", "", String::new(), String::new());
    }
    for field in ["icons", "pages", "window"] {
        if said(program, old, field) != said(other, new, field) {
            say("presentation", field, String::new(), String::new());
        }
    }
    let (from, to) = (said(program, old, "name"), said(other, new, "name"));
    if from != to {
        say("presentation", "name", text(from), text(to));
    }
    let policy = |it: &Value| match &it["min_usable_version"] {
        Value::Null => text(&it["mode"]),
        code => format!("{}, codes from {code} on", text(&it["mode"])),
    };
    let (from, to) = (policy(said(program, old, "update_policy")), policy(said(other, new, "update_policy")));
    if from != to {
        say("update_policy", "", from, to);
    }
    for (field, more, less) in
        [("req_permissions", "permission_added", "permission_removed"), ("egress", "egress_added", "egress_removed")]
    {
        let (from, to) = (said(program, old, field), said(other, new, field));
        let (had, has) = (names(from), names(to));
        has.iter().filter(|it| !had.contains(it)).for_each(|it| say(more, it, String::new(), String::new()));
        had.iter().filter(|it| !has.contains(it)).for_each(|it| say(less, it, String::new(), String::new()));
        let kept = |list: &Value, others: &[String]| -> Vec<Value> {
            let all = list.as_array().expect("a list").iter().zip(names(list));
            all.filter(|(_, name)| others.contains(name)).map(|(it, _)| it.clone()).collect()
        };
        if kept(from, &has) != kept(to, &had) {
            say("presentation", field, String::new(), String::new());
        }
    }
    let mut leaves = Vec::new();
    differing(said(program, old, "ext"), said(other, new, "ext"), "", &mut leaves);
    leaves.into_iter().for_each(|(path, from, to)| say("setting", &path, from, to));
}

/// Leaves of two maps that differ, by their paths.
fn differing(old: &Value, new: &Value, path: &str, found: &mut Vec<(String, String, String)>) {
    let empty = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let name = key.replace('~', "~0").replace('/', "~1");
        let path = if path.is_empty() { name } else { format!("{path}/{name}") };
        match (old.get(key), new.get(key)) {
            (from, to) if from == to => (),
            (Some(from), Some(to)) if from.is_object() && to.is_object() => differing(from, to, &path, found),
            (from, to) => {
                let json = |it: Option<&Value>| it.map(Value::to_string).unwrap_or_default();
                found.push((path, json(from), json(to)));
            }
        }
    }
}

/// Everything that is not said of a mini-program.
fn rest(base: &Published, head: &Published, out: &mut Differences) {
    let (before, after) = (&base.manifest, &head.manifest);
    let mut leaves = Vec::new();
    differing(&before["branding"], &after["branding"], "", &mut leaves);
    out.facts.extend(leaves.into_iter().map(|(path, from, to)| fact("branding", "", &path, from, to)));
    let worth = |it: &Value| match it {
        Value::Bool(false) => -2,
        Value::Bool(true) => -1,
        Value::String(_) => i64::MAX,
        number => number.as_i64().expect("a number"),
    };
    for (field, word) in [("entitlements", "entitlement"), ("limits", "limit")] {
        let (old, new) = (before[field].as_object().expect("a map"), after[field].as_object().expect("a map"));
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let kind = match (old.get(key), new.get(key)) {
                (Some(from), Some(to)) if from == to => continue,
                (Some(from), Some(to)) if worth(from) < worth(to) => "raised",
                (Some(_), Some(_)) => "lowered",
                (None, _) => "gained",
                (_, None) => "lost",
            };
            let value = |it: Option<&Value>| it.map(text).unwrap_or_default();
            out.facts.insert(fact(&format!("{word}_{kind}"), "", key, value(old.get(key)), value(new.get(key))));
        }
    }
    for (field, kind) in [("expiration_strategy", "expiration_strategy"), ("grace", "offline_grace")] {
        let (from, to) = (text(&before["offline"][field]), text(&after["offline"][field]));
        if from != to {
            out.facts.insert(fact(kind, "", "", from, to));
        }
    }
    let days = |seconds: i64| format!("P{}D", seconds / 86_400);
    let lasts = |it: &Value| seconds(&it["expires"]) - seconds(&it["issued"]);
    for (item, from, to) in
        [("entitlement", lasts(before), lasts(after)), ("freshness", base.freshness, head.freshness)]
    {
        if from != to {
            out.facts.insert(fact("lifetime", "", item, days(from), days(to)));
        }
    }
    let revoked = |it: &Value| -> BTreeSet<(String, String, String)> {
        let all = it["revoked"].as_array().expect("a list").iter();
        all.map(|it| (text(&it["app_id"]), text(&it["code"]), text(&it["mode"]))).collect()
    };
    let (old, new) = (revoked(before), revoked(after));
    out.facts.extend(new.difference(&old).map(|(app_id, code, mode)| fact("block", app_id, code, "", mode)));
    out.facts.extend(old.difference(&new).map(|(app_id, code, mode)| fact("unblock", app_id, code, mode, "")));
    let known = [
        "addr",
        "branding",
        "entitlements",
        "environment",
        "expires",
        "issued",
        "limits",
        "mini_programs",
        "offline",
        "publication",
        "revoked",
        "source",
        "spec_version",
        "tenant_id",
    ];
    assert_eq!(after.as_object().expect("a map").keys().map(|it| &**it).collect::<Vec<_>>(), known, "no field is new");
}

fn seconds(time: &Value) -> i64 {
    tenantry::time::Timestamp::parse(time.as_str().expect("text")).expect("a time").unix()
}

/// Bytes that a device at a level fetches, and the trees that it takes.
pub(crate) fn fetched(base: Option<&Value>, head: &Value, level: u32) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let before = base.map(programs).unwrap_or_default();
    for (app_id, program) in programs(head) {
        let Some(release) = at(program, level) else { continue };
        let old = before.get(app_id).and_then(|it| at(it, level));
        let had: Vec<String> =
            old.iter().flat_map(|it| [text(&it["bundle"]["blake3"]), text(&it["overlay"]["blake3"])]).collect();
        for archive in [&release["bundle"], &release["overlay"]] {
            if !archive.is_null() && !had.contains(&text(&archive["blake3"])) {
                found.insert(text(&archive["blake3"]), archive["length"].as_u64().expect("a number"));
            }
        }
    }
    found
}

/// Whether something runs at a level at an instant.
pub(crate) fn runs(manifest: &Value, level: u32, now: &str) -> bool {
    programs(manifest).values().any(|it| {
        let (from, until) = (text(&it["valid_from"]), text(&it["valid_until"]));
        at(it, level).is_some() && (from.is_empty() || *from <= *now) && (until.is_empty() || *now < *until)
    })
}

/// The trees of all bundles that a manifest names, with their lengths.
pub(crate) fn bundles(manifest: &Value) -> BTreeMap<String, u64> {
    let cohorts = manifest["cohorts"].as_array().into_iter().flatten();
    let lists = cohorts.chain([manifest]).flat_map(|it| it["mini_programs"].as_array().expect("a list"));
    let releases = lists.flat_map(|it| it["releases"].as_array().expect("a list"));
    releases.map(|it| (text(&it["bundle"]["blake3"]), it["bundle"]["length"].as_u64().expect("a number"))).collect()
}
