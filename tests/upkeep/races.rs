//! A collection and somebody who publishes, in every order of their steps: whatever a publisher relies on is still there
//! when its publication counts.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use tenantry::index::keys;
use tenantry::publish::gc::Rules;
use tenantry::publish::head::HEAD;
use tenantry::publish::refresh::Extent;
use tenantry::publish::rollback::Removed;
use tenantry::store::Store;
use tenantry::store::memory::{Faulty, Memory};

use crate::collect::{Guarded, NOTHING_BUT_CURRENT, marked};
use crate::jobs::{Keeper, Stopped};
use crate::project::{Project, time};
use crate::stage::{Stage, every_order};
use crate::watch::Judge;
use crate::world::{Compiled, Publisher, compiled, head, shows, spec};

/// When all of them are at work.
const AT: &str = "2026-11-28";

/// How much was gone through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) leaves: usize,
    pub(crate) steps: usize,
}

#[test]
fn a_collection_never_takes_what_somebody_is_about_to_need() {
    assert!(all().leaves > 0);
}

type Work<'a> = &'a (dyn Fn(&dyn Store) -> Result<(), Stopped> + Sync);

/// All races, once a process.
pub(crate) fn all() -> Counts {
    static ALL: OnceLock<Counts> = OnceLock::new();
    *ALL.get_or_init(|| {
        let world = World::new();
        let keeper = |by| Keeper::new(by, &world.project, AT);
        let collect = |by: &'static str| move |store: &dyn Store| keeper(by).collect(store, RULES).map(drop);
        let publish = |store: &dyn Store| {
            let publisher = Publisher::new("publisher", &world.made, &world.spec).at(AT);
            publisher.publish(store).map(drop).map_err(Stopped::from)
        };
        let publish_over = |store: &dyn Store| {
            let publisher = Publisher::new("publisher", &world.made, &world.spec).at(AT).taking_over();
            publisher.publish(store).map(drop).map_err(Stopped::from)
        };
        let collect_over = |store: &dyn Store| keeper("keeper").taking_over().collect(store, RULES).map(drop);
        let back = |store: &dyn Store| {
            keeper("back").roll_back(store, 1, Removed::ComeBack { elsewhere: &BTreeSet::new() }).map(drop)
        };
        let refresh = |store: &dyn Store| keeper("job").refresh(store, Extent::All).map(drop);
        let one = collect("keeper");
        let two = collect("other keeper");
        let pairs: [(&str, Work<'_>, Work<'_>); 7] = [
            ("a collection and a publisher", &one, &publish),
            ("a collection that takes over and a publisher", &collect_over, &publish),
            ("a collection and a publisher who would take over", &one, &publish_over),
            ("a collection and somebody who goes back", &one, &back),
            ("a collection that takes over and somebody who goes back", &collect_over, &back),
            ("a collection and a refresh", &one, &refresh),
            ("two collections", &one, &two),
        ];
        pairs.iter().fold(Counts::default(), |sum, (name, one, two)| {
            let counts = world.race(name, one, two);
            Counts { leaves: sum.leaves + counts.leaves, steps: sum.steps + counts.steps }
        })
    })
}

const RULES: Rules = NOTHING_BUT_CURRENT;

/// A store full of garbage that is about to go, and a publication that needs some of it again.
struct World {
    project: Project,
    before: Memory,
    judge: Judge,
    made: Compiled,
    spec: tenantry::input::StoreSpec,
    /// Bundles that are garbage now, and that somebody wants.
    garbage: BTreeSet<String>,
}

impl World {
    fn new() -> World {
        let (project, before) = marked();
        let spec = spec("main", &[]);
        // What the notes were at first: the very bundle that the collection has marked.
        project.write("catalog/programs/notes/app/index.html", "<h1>notes</h1>\n");
        let made = compiled(&project, "out", AT, &[(&spec, &before)]);
        let survey = Keeper::new("keeper", &project, AT).survey(&before, RULES).expect("looks");
        let garbage: BTreeSet<String> = survey.garbage.into_iter().map(|it| it.key).collect();
        let bundles: BTreeSet<String> =
            made.index.bundles.iter().map(|(tree, it)| keys::archive(*tree, it.sha256)).collect();
        assert!(bundles.intersection(&garbage).next().is_some(), "the race would be about nothing");
        let judge = Judge::new(project.root(), time(AT));
        let garbage = bundles.intersection(&garbage).cloned().collect();
        World { project, before, judge, made, spec, garbage }
    }

    /// Operations on the head, on what both want, and the last object before a publication may count.
    fn is_step(&self, verb: &str, key: &str) -> bool {
        match verb {
            "delete" => true,
            "list" => key == "o/",
            "put" => {
                key == HEAD || key.ends_with(".index.json") || self.garbage.contains(key) || key == "state/gc.json"
            }
            _ => key == HEAD,
        }
    }

    fn race(&self, name: &str, one: Work<'_>, two: Work<'_>) -> Counts {
        let mut counts = Counts::default();
        every_order(|way| {
            let store = self.before.fork();
            let guarded = Guarded::new(&store, &self.judge, RULES, AT).looking_once_a_batch();
            let is_step = |verb: &str, key: &str| self.is_step(verb, key);
            let stage = Stage::new(&guarded, &is_step, way);
            let outcomes = stage.play([one, two]);
            let taken = stage.taken();
            counts.leaves += 1;
            counts.steps += taken.len();
            let case = || format!("{name}, in the order {taken:?}: {outcomes:?}");
            assert_eq!(guarded.wrong(), [""; 0], "{}", case());
            let strange = outcomes.iter().filter_map(|it| it.as_ref().err()).find(|it| !it.is_superseded());
            assert!(strange.is_none_or(is_lost), "{}", case());
            assert!(outcomes.iter().any(Result::is_ok), "both lost: {}", case());
            self.judge.all(&store).unwrap_or_else(|why| panic!("{}: {why}", case()));
            let state = head(&store);
            assert!(state.current.is_some_and(|it| it.finished), "{}", case());
            taken
        });
        counts
    }
}

/// What somebody says who finds that what they wanted to go back to has just gone.
fn is_lost(stopped: &Stopped) -> bool {
    let text = format!("{stopped:?}");
    text.contains("missing") || text.contains("gc` has taken it")
}

#[test]
fn each_takes_six_steps_when_nobody_is_in_its_way() {
    let world = World::new();
    let steps = |work: Work<'_>| {
        let store = world.before.fork();
        let log = Faulty::new(&store, |_, _, _| None);
        work(&log).expect("nothing is in the way");
        let log = log.log();
        let steps = log.iter().filter(|it| it.split_once(' ').is_some_and(|(verb, key)| world.is_step(verb, key)));
        steps.cloned().collect::<Vec<_>>()
    };
    let keeper = |store: &dyn Store| Keeper::new("keeper", &world.project, AT).collect(store, RULES).map(drop);
    let collection = steps(&keeper);
    assert!(collection.len() >= 6, "{collection:?}");
    let publisher = |store: &dyn Store| {
        let publisher = Publisher::new("publisher", &world.made, &world.spec).at(AT);
        publisher.publish(store).map(drop).map_err(Stopped::from)
    };
    let publisher = steps(&publisher);
    assert!(publisher.len() >= 6, "{publisher:?}");
}

/// Without the reservation the harm would be done, and this would see it: the test can fail.
#[test]
fn were_there_no_reservation_the_harm_would_be_seen() {
    let world = World::new();
    let store = world.before.fork();
    let survey = Keeper::new("keeper", &world.project, AT).survey(&store, RULES).expect("looks");
    Publisher::new("publisher", &world.made, &world.spec).at(AT).publish(&store).expect("nothing is in the way");
    assert!(shows(&store, &world.made, &world.spec));
    let guarded = Guarded::new(&store, &world.judge, RULES, AT);
    guarded.delete(&survey.garbage.into_iter().map(|it| it.key).collect::<Vec<_>>()).expect("memory");
    assert!(!guarded.wrong().is_empty());
}
