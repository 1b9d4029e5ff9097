//! What changes by itself, against deciding at every instant of a fine grid.
//!
//! The brute force knows nothing of when a line-up can change: it decides every tenant every six hours, looks each shell
//! level up in what runs then, and compares neighbours. Dates of these worlds lie on the grid.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tenantry::changes::{Change, Course, Kind, Scope, TenantChanges};
use tenantry::model::{Catalog, Tenant};
use tenantry::pipeline::simulate::{Job, simulate};
use tenantry::resolve::{Exclusion, Resolution, Resolver};
use tenantry::time::Timestamp;

use crate::brute::LEVELS;
use crate::random::Random;
use crate::world::World;

const FIRST: &str = "2028-02-20T06:00:00Z";
const LAST: &str = "2028-04-05T00:00:00Z";
const STEP: i64 = 6 * 3_600;

/// What happens to a tenant, as a line each.
type Lines = BTreeSet<String>;

/// By instant, then by tenant.
type Happenings = BTreeMap<String, BTreeMap<String, Lines>>;

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).expect("in range")
}

/// Dates around a leap day, times of a day, and graces that end on them.
fn scatter(world: &mut World, random: &mut Random) {
    let dates =
        ["2028-02-22", "2028-02-28", "2028-02-29", "2028-02-29T18:00:00Z", "2028-03-01", "2028-04-01T06:00:00Z"];
    let all: Vec<String> = world.documents.keys().cloned().collect();
    for path in all.iter().filter(|it| it.starts_with("tenants/")) {
        let document = world.documents.get_mut(path).expect("it was listed");
        document.spec.remove("status");
        let (begin, end) = (random.below(dates.len()), random.below(dates.len()));
        let from = if begin < end { dates[begin] } else { "2026-01-01" };
        let license = json!({
            "valid_from": from,
            "valid_until": dates[end],
            "expiration_strategy": random.pick(&["restrict", "revoke", "maintain"]),
            "grace": random.pick(&["P0D", "P1D", "PT36H", "P30D"]),
        });
        document.spec.insert("license".into(), license);
        for it in document.spec.get_mut("overrides").and_then(|it| it.as_array_mut()).into_iter().flatten() {
            it["expires"] = json!(random.pick(&dates));
        }
    }
    for path in all.iter().filter(|it| it.starts_with("catalog/programs/")) {
        let document = world.documents.get_mut(path).expect("it was listed");
        if let Some(review) = document.spec.get_mut("review") {
            review["since"] = json!(random.pick(&["2028-02-18", "2028-02-27", "2028-02-28"]));
        }
        let steps = document.spec.get_mut("rollout").and_then(|it| it["steps"].as_array_mut());
        for (at, step) in steps.into_iter().flatten().enumerate() {
            step["from"] = json!(["2028-02-22", "2028-02-28T12:00:00Z", "2028-02-29", "2028-03-02T06:00:00Z"][at]);
        }
    }
}

/// Devices that are looked at, of a hundred in the order in which shares take them.
const POSITIONS: [u32; 3] = [1, 40, 100];

/// What runs for a device of a tenant at an instant: versions by mini-program and level, ends, and what is blocked.
#[derive(Debug, Default, PartialEq, Eq)]
struct Running {
    versions: BTreeMap<String, BTreeMap<u32, String>>,
    newest: BTreeMap<String, String>,
    ends: BTreeMap<String, String>,
    preload: BTreeMap<String, bool>,
    blocked: BTreeSet<(String, u32)>,
}

fn runs(catalog: &Catalog, all: &Resolution, position: u32, now: Timestamp) -> Running {
    let mut running = Running::default();
    let share = all.cohorts.iter().find(|it| position <= it.percent);
    let resolution = share.map_or(all, |it| &it.line_up);
    for it in resolution.included.iter().filter(|it| it.window.contains(now)) {
        let program = catalog.program(it.program);
        let app_id = program.app_id.to_string();
        let version = |release: usize| program.releases[release].version.to_string();
        let takes = |level: u32| {
            let mut chosen = it.releases.iter().map(|it| (it.release, it.platform));
            chosen.find(|(_, range)| range.min_code <= level && range.max_code.is_none_or(|max| level <= max))
        };
        let levels = LEVELS.filter_map(|level| Some((level, version(takes(level)?.0))));
        running.versions.insert(app_id.clone(), levels.collect());
        running.newest.insert(app_id.clone(), version(it.releases[0].release));
        running.ends.insert(app_id.clone(), it.window.until.map(|it| it.to_string()).unwrap_or_default());
        running.preload.insert(app_id, it.preload);
    }
    for it in resolution.excluded.iter().filter(|it| matches!(it.why, Exclusion::Revoked { .. })) {
        let program = catalog.program(it.program);
        running.blocked.extend(program.releases.iter().map(|release| (program.app_id.to_string(), release.code)));
    }
    running
}

fn differences(before: &Running, after: &Running) -> Lines {
    let mut lines = Lines::new();
    for (app, version) in before.newest.iter().filter(|(app, _)| !after.newest.contains_key(*app)) {
        lines.insert(format!("lose {app} {version}"));
    }
    for (app, version) in &after.newest {
        if !before.newest.contains_key(app) {
            lines.insert(format!("gain {app} {version}"));
            continue;
        }
        for level in LEVELS {
            let on = |it: &Running| it.versions[app].get(&level).cloned().unwrap_or_default();
            if on(before) != on(after) {
                lines.insert(format!("step {app} {level} {} {}", on(before), on(after)));
            }
        }
        if before.ends[app] != after.ends[app] {
            lines.insert(format!("end {app} {} {}", before.ends[app], after.ends[app]));
        }
        if before.preload[app] != after.preload[app] {
            lines.insert(format!("preload {app}"));
        }
    }
    lines.extend(after.blocked.difference(&before.blocked).map(|(app, code)| format!("block {app} {code}")));
    lines.extend(before.blocked.difference(&after.blocked).map(|(app, code)| format!("unblock {app} {code}")));
    lines
}

fn brute(resolve: &dyn Fn(Timestamp) -> Vec<(String, Running)>) -> Happenings {
    let mut happenings = Happenings::new();
    let mut before = resolve(at(time(FIRST).unix() - 1));
    let mut now = time(FIRST).unix();
    while now <= time(LAST).unix() {
        let after = resolve(at(now));
        for ((tenant, old), (_, new)) in before.iter().zip(&after) {
            let lines = differences(old, new);
            if !lines.is_empty() {
                happenings.entry(at(now).to_string()).or_default().insert(tenant.clone(), lines);
            }
        }
        (before, now) = (after, now + STEP);
    }
    happenings
}

/// What a tenant's changes say of the same. All other kinds follow from these, and must have something to follow from.
fn said(tenant: &TenantChanges, position: u32, label: &str) -> Lines {
    let mut lines = Lines::new();
    let concerns = |it: &&Change| it.devices.from < position && position <= it.devices.until;
    let changes: Vec<&Change> = tenant.changes.iter().filter(concerns).collect();
    let text = |it: &Option<Box<str>>| it.as_deref().unwrap_or_default().to_owned();
    for change in &changes {
        let (from, to) = (text(&change.from), text(&change.to));
        let app = change.program.as_deref().unwrap_or_default();
        match (change.kind, &change.scope) {
            (Kind::Lose, _) => drop(lines.insert(format!("lose {app} {from}"))),
            (Kind::Gain, _) => drop(lines.insert(format!("gain {app} {to}"))),
            (
                Kind::Update | Kind::Downgrade | Kind::ShellsLost | Kind::ShellsGained | Kind::Range,
                Scope::Shells(levels),
            ) => {
                let levels = LEVELS.filter(|it| levels.contains(*it));
                lines.extend(levels.map(|level| format!("step {app} {level} {from} {to}")));
            }
            (Kind::EndsEarlier | Kind::EndsLater, Scope::Programs(programs)) => {
                lines.extend(programs.iter().map(|app| format!("end {app} {from} {to}")));
            }
            (Kind::EndsEarlier | Kind::EndsLater, _) => drop(lines.insert(format!("end {app} {from} {to}"))),
            (Kind::Preload, _) => drop(lines.insert(format!("preload {app}"))),
            (Kind::Block, _) => drop(lines.insert(format!("block {app} {}", text(&change.item)))),
            (Kind::Unblock, _) => drop(lines.insert(format!("unblock {app} {}", text(&change.item)))),
            (Kind::HeldBack, _) => {}
            (other, _) => {
                let moved = changes.iter().any(|it| {
                    let is_move = matches!(
                        it.kind,
                        Kind::Gain | Kind::Update | Kind::Downgrade | Kind::ShellsGained | Kind::Range
                    );
                    is_move && it.program == change.program
                });
                assert!(moved, "{label}: {} of {app} follows from nothing", other.slug());
            }
        }
    }
    lines
}

fn told(course: &Course, position: u32, label: &str) -> Happenings {
    let mut happenings = Happenings::new();
    for moment in &course.moments {
        for tenant in &moment.tenants {
            let lines = said(tenant, position, label);
            if !lines.is_empty() {
                happenings.entry(moment.at.to_string()).or_default().insert(tenant.tenant_id.to_string(), lines);
            }
        }
        let classes: usize = moment.classes.iter().map(|it| it.tenants.len()).sum();
        assert!(classes >= moment.tenants.len(), "{label}: every tenant is in a class");
        let told = moment.classes.iter().flat_map(|it| &it.shapes).all(|it| !it.told.is_empty());
        assert!(told, "{label}: every change has a reason");
    }
    happenings
}

/// One world, by both ways; returns what was seen, by its first word.
fn run(seed: u64) -> BTreeMap<String, usize> {
    let mut random = Random::new(seed, "course", 0);
    let mut world = World::new(&mut random);
    (0..30).for_each(|_| drop(world.edit_soundly(&mut random)));
    scatter(&mut world, &mut random);
    assert_eq!(world.errors(), [""; 0], "seed {seed}: dates break nothing");
    let tree = world.tree();
    let (first, last) = (time(FIRST), time(LAST));
    let (checked, _) = tenantry::pipeline::check(&tree, first);
    let tenants: Vec<&Tenant> = checked.tenants.iter().map(|it| &it.tenant).collect();
    let (project, catalog) = (&checked.project, &checked.catalog);
    let course = simulate(&Job { project, catalog, tenants: &tenants, tree: &tree, first, last });
    assert!(course.moments.iter().all(|it| it.failing.is_empty()), "seed {seed}: {:?}", course.moments);
    let mut seen = BTreeMap::new();
    for position in POSITIONS {
        let resolve = |now: Timestamp| -> Vec<(String, Running)> {
            let resolver = Resolver::new(project, catalog, now);
            let one = |it: &&Tenant| (it.tenant_id.to_string(), runs(catalog, &resolver.tenant(it), position, now));
            tenants.iter().map(one).collect()
        };
        let label = format!("seed {seed}, device {position} of 100");
        let (expected, told) = (brute(&resolve), told(&course, position, &label));
        assert_eq!(told, expected, "{label}");
        for line in expected.values().flat_map(BTreeMap::values).flatten() {
            *seen.entry(line.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    seen
}

#[test]
fn what_changes_by_itself_is_what_deciding_at_every_instant_shows() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (1..=10).map(|seed| scope.spawn(move || run(seed))).collect();
        for found in runs.into_iter().flat_map(|it| it.join().expect("every seed holds")) {
            *seen.entry(found.0).or_default() += found.1;
        }
    });
    println!("happenings: {seen:?}");
    for what in ["lose", "gain", "step"] {
        assert!(seen.get(what).is_some_and(|it| *it > 20), "too few: {seen:?}");
    }
}
