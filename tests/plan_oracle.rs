//! What `plan` says of hundreds of random edits, against publications compiled from both sides and compared by force.
//!
//! Seeds are fixed and printed; `ORACLE_SEED` and `ORACLE_STEPS` try others. An edit that would break the project is
//! not made, since there is nothing to publish then.
#![expect(clippy::disallowed_methods, reason = "a test asks its surroundings for seeds")]
#![expect(clippy::print_stdout, reason = "seeds are printed")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tenantry::changes::{Cause, Change, ChangeSet, Devices, Kind, Outcome, Reach, Scope, Shape, TenantChanges, Values};
use tenantry::explain::Explainer;
use tenantry::index::keys;
use tenantry::load::SourceTree;
use tenantry::metadata::keys::FileKey;
use tenantry::pipeline::compile::{CompileError, Job, compile};
use tenantry::pipeline::plan::{self, plan};
use tenantry::sign::keystore::RootFile;
use tenantry::sign::{AddressSecret, Signers, sign};
use tenantry::time::Timestamp;
use tenantry::write::OutDir;

use brute::{Differences, LEVELS, Published};
use random::Random;
use world::World;

#[path = "plan_oracle/brute.rs"]
mod brute;
#[path = "plan_oracle/course.rs"]
mod course;
#[path = "plan_oracle/documents.rs"]
mod documents;
#[path = "support/project.rs"]
mod project;
#[expect(dead_code, reason = "benches use the rest of it")]
#[path = "../benches/support/random.rs"]
mod random;
#[path = "plan_oracle/world.rs"]
mod world;

/// Every instant of these worlds lies around this one.
const NOW: &str = "2026-11-23T00:00:00Z";

/// One side of a change: its files, its publication, its line-ups.
struct Side {
    world: World,
    tree: SourceTree,
    published: BTreeMap<String, Published>,
    explained: BTreeMap<String, documents::Explained>,
}

/// Compiles a project from nothing; none when it has errors or a guard stops it.
fn side(world: &World, now: Timestamp) -> Option<Side> {
    let tree = world.tree();
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
    let out = OutDir::open(folder.path()).expect("opens");
    let root_keys = project::ROOT_SEEDS.map(FileKey::from_seed);
    let signers: Vec<_> = root_keys.iter().map(|it| it as &dyn tenantry::metadata::keys::Signer).collect();
    let signed = sign(project::fixed_root("production"), &signers).expect("keys in memory sign");
    let root = RootFile { root: signed.role, bytes: signed.bytes };
    let job = Job { tree: &tree, now, roots: &[root], out: &out, onto: None, threads: 1, progress: &|_, _, _| () };
    let signers = Signers {
        entitlement: vec![Box::new(FileKey::from_seed(project::ENTITLEMENT_SEED))],
        freshness: vec![Box::new(FileKey::from_seed(project::FRESHNESS_SEED))],
        environment: "production".into(),
        addresses: AddressSecret::new(project::ADDRESS_SECRET),
    };
    match compile::<CompileError>(&job, |_| Ok(signers)) {
        Ok(_) => {}
        Err(CompileError::Inputs(_) | CompileError::Guard { .. }) => return None,
        Err(error) => panic!("{error}"),
    }
    let index = tenantry::index::Index::parse(&project::read(folder.path())["state/index.json"]).expect("an index");
    let files = project::public(project::read(folder.path()));
    let published = index.tenants.iter().map(|(addr, record)| {
        let bytes = &files[&keys::manifest(addr, record.manifest.sha256)];
        let freshness = record.timestamp.expires.unix() - record.timestamp.issued.unix();
        let manifest = serde_json::from_slice(bytes).expect("JSON");
        (record.tenant_id.clone(), Published { manifest, freshness })
    });
    let published = published.collect();
    let explained = explained(&tree, now);
    Some(Side { world: world.clone(), tree, published, explained })
}

fn explained(tree: &SourceTree, now: Timestamp) -> BTreeMap<String, documents::Explained> {
    let (checked, decided) = tenantry::pipeline::check(tree, now);
    let sources = tree.sources();
    let one = |(read, decided): (&tenantry::pipeline::ReadTenant, &tenantry::pipeline::Decided)| {
        let explainer = Explainer {
            catalog: &checked.catalog,
            tenant: &read.tenant,
            resolution: &decided.resolution,
            sources: &sources,
            now,
        };
        let programs = explainer.tenant().mini_programs.into_iter();
        let levels = read.tenant.levels(&checked.catalog);
        let programs = programs.map(|it| (it.app_id.clone(), it)).collect();
        (read.tenant.tenant_id.to_string(), documents::Explained { levels, programs })
    };
    checked.tenants.iter().zip(&decided).map(one).collect()
}

/// The kinds that name a version before and after on some levels.
const STEPS: [Kind; 5] = [Kind::Update, Kind::Downgrade, Kind::ShellsLost, Kind::ShellsGained, Kind::Range];

/// What the plan says that a manifest could say to devices just before the end of so many percent, in the words of the
/// brute force.
fn said(tenant: &TenantChanges, percent: u64) -> Differences {
    let mut out = Differences::default();
    let concerns = |it: &Change| u64::from(it.devices.from) < percent && percent <= u64::from(it.devices.until);
    for change in tenant.changes.iter().filter(|it| it.kind.reach() == Reach::Published && concerns(it)) {
        let value = |it: &Option<Box<str>>| it.as_deref().unwrap_or_default().to_owned();
        let (from, to) = (value(&change.from), value(&change.to));
        let programs: Vec<String> = match &change.scope {
            Scope::Programs(programs) => programs.iter().map(|it| it.to_string()).collect(),
            Scope::Whole | Scope::Shells(_) => vec![change.program.as_deref().unwrap_or_default().to_owned()],
        };
        for program in programs {
            match &change.scope {
                Scope::Shells(levels) if STEPS.contains(&change.kind) => {
                    let levels = LEVELS.filter(|it| levels.contains(*it));
                    out.steps.extend(levels.map(|it| (program.clone(), it, from.clone(), to.clone())));
                }
                _ => {
                    let kind = change.kind.slug().to_owned();
                    out.facts.insert((kind, program, value(&change.item), from.clone(), to.clone()));
                }
            }
        }
    }
    out
}

/// Holds a plan to what two publications say.
fn judge(base: &Side, head: &Side, set: &ChangeSet, now: Timestamp) {
    let at = now.to_string();
    let mut told: BTreeMap<&str, &TenantChanges> = set.tenants.iter().map(|it| (&*it.tenant_id, it)).collect();
    assert_eq!(told.len(), set.tenants.len(), "each tenant is told once");
    let ids: BTreeSet<&String> = base.published.keys().chain(head.published.keys()).collect();
    let (mut losing, mut stranded) = (BTreeSet::new(), BTreeSet::new());
    for id in ids {
        let (before, after) = (base.published.get(id), head.published.get(id));
        let tenant = told.remove(&**id);
        let parts = brute::ends(&[before, after]).into_iter();
        let parts: Vec<(u64, Option<Published>, Option<Published>)> =
            parts.map(|it| (it, before.map(|of| of.to_devices(it)), after.map(|of| of.to_devices(it)))).collect();
        for (percent, old, new) in &parts {
            let expected = match (old, new) {
                (Some(before), Some(after)) => brute::both(before, after, &at),
                (None, Some(new)) => brute::added(new, after.map(brute::count).unwrap_or_default()),
                (Some(old), None) => brute::removed(old, before.map(brute::count).unwrap_or_default()),
                (None, None) => unreachable!("an id comes from one of the two"),
            };
            let said = tenant.map(|it| said(it, *percent)).unwrap_or_default();
            assert_eq!(said, expected, "tenant {id}, devices before {percent} %");
        }
        let inside = tenant.map(documents::said).unwrap_or_default();
        assert_eq!(inside, documents::expected(base, head, id), "tenant {id}, what no manifest says");

        if let Some(tenant) = tenant {
            documents::reasons(base, head, tenant);
        }

        let levels = head.explained.get(id).map(|it| it.levels.clone()).unwrap_or_default();
        let download = |level: &u32| {
            let fetched = parts.iter().filter_map(|(_, before, after)| {
                let fetched = brute::fetched(before.as_ref().map(|it| &it.manifest), &after.as_ref()?.manifest, *level);
                Some(fetched.values().sum::<u64>())
            });
            fetched.max().unwrap_or_default()
        };
        let worst = levels.iter().map(download).max().filter(|it| *it > 0);
        assert_eq!(tenant.and_then(|it| it.download).map(|it| it.bytes), worst, "tenant {id}, download");

        if let (Some(before), Some(after)) = (before, after) {
            let lacks = |level: &&u32| {
                brute::runs(&before.manifest, **level, &at) && !brute::runs(&after.manifest, **level, &at)
            };
            let lost: Vec<u32> = levels.iter().filter(lacks).copied().collect();
            let is_served = documents::status(&head.world, id) == "active";
            let lost = if is_served { lost } else { Vec::new() };
            assert_eq!(tenant.map(|it| it.stranded.clone()).unwrap_or_default(), lost, "tenant {id}, stranded");
            stranded.extend((!lost.is_empty()).then_some(id));
        }
        if parts.iter().any(|(_, before, after)| documents::loses(before.as_ref(), after.as_ref(), &levels, now)) {
            losing.insert(id.as_str());
        }
    }
    assert_eq!(told.keys().collect::<Vec<_>>(), Vec::<&&str>::new(), "nobody is told that is in no publication");
    bundles(base, head, set);
    guards(base, head, set, &losing, stranded.len());
    classes(set);
}

/// Bundles to upload are those that only the head's manifests name.
fn bundles(base: &Side, head: &Side, set: &ChangeSet) {
    let named =
        |side: &Side| side.published.values().flat_map(|it| brute::bundles(&it.manifest)).collect::<BTreeMap<_, _>>();
    let (before, mut expected) = (named(base), named(head));
    expected.retain(|tree, _| !before.contains_key(tree));
    let told: BTreeMap<String, u64> = set.bundles.iter().map(|it| (it.tree.to_string(), it.length)).collect();
    assert_eq!(told, expected, "bundles to upload");
}

fn guards(base: &Side, head: &Side, set: &ChangeSet, losing: &BTreeSet<&str>, stranded: usize) {
    let losers: BTreeSet<&str> = set.tenants.iter().filter(|it| it.loses(set.at)).map(|it| &*it.tenant_id).collect();
    assert_eq!(losers, *losing, "tenants that lose a mini-program");
    let expected = documents::guards(base, head, losing.len(), stranded);
    let told: Vec<(&str, usize, usize, bool)> =
        set.guards.iter().map(|it| (it.guard.slug(), it.number, it.limit, it.outcome == Outcome::Stopped)).collect();
    assert_eq!(told, expected, "guards");
}

/// Classes tell every change of every tenant and nothing else, and no two are about the same tenants.
fn classes(set: &ChangeSet) {
    let mut about: BTreeSet<&[usize]> = BTreeSet::new();
    let mut covered: BTreeSet<(usize, usize)> = BTreeSet::new();
    for class in &set.classes {
        assert!(about.insert(&class.tenants), "two classes about the same tenants");
        assert_eq!(class.plans.values().sum::<usize>(), class.tenants.len());
        for shape in &class.shapes {
            assert!(!shape.told.is_empty(), "a reason in words: {shape:?}");
            for tenant in &class.tenants {
                let changes = set.tenants[*tenant].changes.iter().enumerate();
                let before = covered.len();
                let mine: Vec<usize> = changes.filter(|(_, it)| covers(shape, it)).map(|(at, _)| at).collect();
                assert!(!mine.is_empty(), "tenant {tenant} has no such change: {shape:?}");
                covered.extend(mine.into_iter().map(|at| (*tenant, at)));
                assert!(covered.len() >= before);
            }
        }
    }
    let all = set.tenants.iter().enumerate();
    let all: BTreeSet<(usize, usize)> =
        all.flat_map(|(at, it)| (0..it.changes.len()).map(move |change| (at, change))).collect();
    assert_eq!(covered, all, "every change of every tenant is in a class");
    assert!(set.classes.is_sorted_by_key(|it| (it.weight(), std::cmp::Reverse(it.tenants.len()))), "losses first");
}

fn covers(shape: &Shape, change: &Change) -> bool {
    let values = match &shape.values {
        Values::Same(from, to) => (from, to) == (&change.from, &change.to),
        Values::Various(_) => true,
    };
    values
        && (shape.kind, &shape.program, &shape.item, shape.cause)
            == (change.kind, &change.program, &change.item, change.why.cause)
        && shape.devices == change.devices
}

/// The kinds and reasons that plans have told, and for which shares of devices.
#[derive(Default)]
struct Told(BTreeSet<Kind>, BTreeSet<Cause>, BTreeSet<Devices>);

/// Makes edits one after the other, and holds the plan of each to the publications before and after.
fn run(seed: u64, steps: usize) -> Told {
    println!("seed {seed}, {steps} steps");
    let now = Timestamp::parse(NOW).expect("a time");
    let mut random = Random::new(seed, "oracle", 0);
    let mut base = side(&World::new(&mut random), now).expect("a sound project");
    let (mut told, mut edits, mut differing) = (Told::default(), 0, 0);
    for number in 0..steps {
        let mut world = base.world.clone();
        let wanted = 1 + random.below(8);
        let said: Vec<String> =
            std::iter::repeat_with(|| world.edit_soundly(&mut random)).flatten().take(wanted).collect();
        let Some(head) = side(&world, now) else { panic!("seed {seed}, step {number}: {said:?} was sound") };
        let label = format!("seed {seed}, step {number}: {said:?}");
        differing += usize::from(checked_plan(&base, &head, now, &label, &mut told) > 0);
        checked_plan(&head, &base, now, &format!("{label}, backwards"), &mut told);
        edits += wanted;
        base = head;
    }
    println!("seed {seed}: {edits} edits in {steps} steps held, {differing} of these changed something");
    assert!(differing > steps / 2, "the edits try something");
    told
}

/// Plans, judges, and returns how many tenants differ. A failure says which edit it was.
fn checked_plan(base: &Side, head: &Side, now: Timestamp, label: &str, told: &mut Told) -> usize {
    let job = plan::Job { base: &base.tree, head: &head.tree, now, stores: &[], allowances: &[] };
    let (set, _) = plan(&job).unwrap_or_else(|error| panic!("{label}: {error}: {error:?}"));
    let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| judge(base, head, &set, now)));
    if judged.is_err() {
        panic!("{label}");
    }
    for change in set.tenants.iter().flat_map(|it| &it.changes) {
        told.0.insert(change.kind);
        told.1.insert(change.why.cause);
        told.2.insert(change.devices);
    }
    set.tenants.len()
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn a_plan_says_what_two_publications_say_no_more_and_no_less() {
    let (first, steps) = (number("ORACLE_SEED", 1), number("ORACLE_STEPS", 40) as usize);
    let mut told = Told::default();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (first..first + 4).map(|seed| scope.spawn(move || run(seed, steps))).collect();
        for run in runs {
            let Told(kinds, causes, devices) = run.join().expect("every step holds");
            told.0.extend(kinds);
            told.1.extend(causes);
            told.2.extend(devices);
        }
    });
    let untold: Vec<&str> = Kind::ALL.iter().filter(|it| !told.0.contains(it)).map(|it| it.slug()).collect();
    assert_eq!(untold, [""; 0], "the edits try every kind of change");
    let untold: Vec<&str> = Cause::ALL.iter().filter(|it| !told.1.contains(it)).map(|it| it.slug()).collect();
    println!("reasons that no edit has tried: {untold:?}");
    let rolled_out = [Cause::VersionRevoked, Cause::Rollout, Cause::Percentage, Cause::Frozen];
    assert!(rolled_out.iter().all(|it| told.1.contains(it)), "the edits try rollouts: {:?}", told.1);
    assert!(told.2.len() > 4, "the edits try shares of devices: {:?}", told.2);
}

#[test]
fn a_project_compared_with_itself_has_no_changes() {
    let now = Timestamp::parse(NOW).expect("a time");
    let mut random = Random::new(5, "oracle", 0);
    for _ in 0..5 {
        let tree = World::new(&mut random).tree();
        let job = plan::Job { base: &tree, head: &tree, now, stores: &[], allowances: &[] };
        let (set, _) = plan(&job).expect("a sound project");
        assert!(set.tenants.is_empty() && set.classes.is_empty() && set.bundles.is_empty());
    }
}

/// The oracle would pass on a brute force that sees nothing.
#[test]
fn the_brute_force_sees_a_difference_in_every_field() {
    let now = Timestamp::parse(NOW).expect("a time");
    let mut random = Random::new(6, "oracle", 0);
    let side = side(&World::new(&mut random), now).expect("a sound project");
    let with_programs =
        side.published.values().find(|it| !it.manifest["mini_programs"].as_array().expect("a list").is_empty());
    let published = with_programs.expect("some tenant has mini-programs");
    let mut fields = Vec::new();
    paths(&published.manifest, "", &mut fields);
    for path in fields {
        // These are the frame around a manifest, follow from a tree of files, or repeat the newest release.
        let frame = ["/issued", "/publication", "/source", "/addr", "/environment", "/tenant_id", "/spec_version"];
        let follows = ["/sha256", "/length", "/target"].iter().any(|it| path.ends_with(it));
        let parts: Vec<&str> = path.split('/').collect();
        let repeats = matches!(parts[..], ["", "mini_programs", _, "version", ..]);
        if frame.iter().any(|it| path.starts_with(it)) || follows || repeats {
            continue;
        }
        let mut manifest = published.manifest.clone();
        let value = manifest.pointer_mut(&path).expect("a path of this manifest");
        *value = match &*value {
            Value::Number(number) => Value::from(number.as_i64().expect("a whole number") + 1),
            Value::Bool(flag) => Value::from(!*flag),
            Value::String(text) if text.ends_with('Z') => Value::from("2026-12-31T00:00:00Z"),
            Value::String(text) => Value::from(format!("{text}x")),
            other => panic!("{path} is {other}"),
        };
        let other = Published { manifest, freshness: published.freshness };
        assert_ne!(brute::both(published, &other, NOW), Differences::default(), "{path}");
    }
}

/// The paths of all leaves of a value.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, it)| {
            paths(it, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(list) => list.iter().enumerate().for_each(|(at, it)| paths(it, &format!("{path}/{at}"), found)),
        _ => found.push(path.to_owned()),
    }
}
