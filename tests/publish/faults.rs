//! Every operation of a publication, answered in every wrong way; then the same publisher, another one, or nobody.

use std::sync::{Mutex, OnceLock};

use tenantry::index::Point;
use tenantry::input::StoreSpec;
use tenantry::publish::finish;
use tenantry::publish::head::Head;
use tenantry::publish::state;
use tenantry::publish::{PublishError, Tools};
use tenantry::store::Patience;
use tenantry::store::memory::{Fault, Faulty, Memory};

use crate::project::{NOW, Project, catalog, small, tenant};
use crate::watch::{Judge, Watched};
use crate::world::{Compiled, Publisher, compiled, head, in_memory, shows, spec};

const FAULTS: [Fault; 5] = [Fault::NotDone, Fault::AnswerLost, Fault::Vanished, Fault::DeadBefore, Fault::DeadBehind];

/// When another publisher comes: a reservation of today is over by then.
const LATER: &str = "2026-11-23T01:00:00Z";
/// When another publisher comes too early.
const SOON: &str = "2026-11-23T00:01:00Z";

/// How much was gone through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) faults: usize,
    pub(crate) follow_ups: usize,
}

#[test]
fn whatever_operation_fails_every_client_sees_one_whole_publication_and_a_second_run_converges() {
    assert!(all().faults > 0);
}

/// All scenarios, once a process.
pub(crate) fn all() -> Counts {
    static ALL: OnceLock<Counts> = OnceLock::new();
    *ALL.get_or_init(|| {
        let scenarios: [fn() -> Scenario; 4] =
            [first_publication, one_tenant_changes, a_class_of_tenants_changes, keys_rotate_under_a_new_root];
        let counts = scenarios.map(|scenario| scenario().every_fault());
        counts.into_iter().fold(Counts::default(), |sum, it| Counts {
            faults: sum.faults + it.faults,
            follow_ups: sum.follow_ups + it.follow_ups,
        })
    })
}

/// A store, a publication that is about to go there, and another one that somebody else would make.
struct Scenario {
    name: &'static str,
    project: Project,
    before: Memory,
    next: Compiled,
    spec: StoreSpec,
    judge: Judge,
    /// What others compile onto each state of the store.
    others: Mutex<Vec<(State, Compiled)>>,
}

/// What a compile onto a store depends on: what it shows, and the number that comes next.
type State = (Option<Point>, u64);

fn first_publication() -> Scenario {
    let project = in_memory(small());
    let next = compiled(&project, "out", NOW, &[]);
    Scenario::new("first publication", project, Memory::new(), next)
}

fn one_tenant_changes() -> Scenario {
    let (project, before) = published(small());
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    let next = next(&project, &before);
    Scenario::new("one tenant changes", project, before, next)
}

fn a_class_of_tenants_changes() -> Scenario {
    let mut files = catalog();
    files.extend(('a'..='t').map(|it| tenant(&format!("{it}-limited"), "starter", "")));
    files.push(tenant("corn", "business", ""));
    let (project, before) = published(files);
    project.edit("catalog/plans/starter.yaml", "storage_gb: 10", "storage_gb: 20");
    let next = next(&project, &before);
    Scenario::new("a class of tenants changes", project, before, next)
}

fn keys_rotate_under_a_new_root() -> Scenario {
    let (project, before) = published(small());
    project.run(&["keys", "rotate", "freshness"]).ok();
    let both = next(&project, &before);
    Publisher::new("before", &both, &spec("main", &[])).publish(&before).expect("nothing is in the way");
    project.run(&["keys", "rotate", "freshness", "--finish"]).ok();
    project.run(&["keys", "rotate", "freshness", "--drop"]).ok();
    let next = next(&project, &before);
    assert_eq!(next.index.root_version, 2);
    assert_ne!(next.index.freshness_keys, both.index.freshness_keys);
    Scenario::new("keys rotate under a new root", project, before, next)
}

/// A project whose first publication is in a store.
fn published(files: Vec<(String, String)>) -> (Project, Memory) {
    let (project, store) = (in_memory(files), Memory::new());
    let first = compiled(&project, "out", NOW, &[]);
    Publisher::new("before", &first, &spec("main", &[])).publish(&store).expect("nothing is in the way");
    (project, store)
}

fn next(project: &Project, store: &Memory) -> Compiled {
    compiled(project, "out", NOW, &[(&spec("main", &[]), store)])
}

impl Scenario {
    fn new(name: &'static str, project: Project, before: Memory, next: Compiled) -> Scenario {
        let judge = Judge::new(project.root(), crate::project::time(LATER));
        Scenario { name, project, before, next, spec: spec("main", &[]), judge, others: Mutex::default() }
    }

    fn publisher(&self) -> Publisher<'_> {
        Publisher::new("first", &self.next, &self.spec)
    }

    fn every_fault(&self) -> Counts {
        let undisturbed = self.before.fork();
        let watched = Watched::new(&undisturbed, &self.judge);
        let counting = Faulty::new(&watched, |_, _, _| None);
        self.publisher().publish(&counting).expect("nothing is in the way");
        assert_eq!(watched.wrong(), [""; 0], "{}", self.name);
        let operations = counting.log();
        // One thread a fault; within a case everything happens one after the other.
        std::thread::scope(|scope| {
            let threads = FAULTS.map(|fault| {
                let (operations, undisturbed) = (&operations, &undisturbed);
                scope.spawn(move || {
                    for (at, operation) in operations.iter().enumerate() {
                        let all = operations.len();
                        let case = format!("{}: {fault:?} at operation {at} of {all}: {operation}", self.name);
                        self.one_fault(&case, at, fault, undisturbed);
                    }
                    operations.len()
                })
            });
            let faults = threads.map(|it| it.join().expect("a case that fails says so itself")).iter().sum();
            Counts { faults, follow_ups: faults * 3 }
        })
    }

    fn one_fault(&self, case: &str, at: usize, fault: Fault, undisturbed: &Memory) {
        let store = self.before.fork();
        let watched = Watched::new(&store, &self.judge);
        let faulty = Faulty::new(&watched, |number, _, _| (number == at).then_some(fault));
        let outcome = self.publisher().publish(&faulty);
        assert_eq!(watched.wrong(), [""; 0], "{case}");
        let is_death = matches!(fault, Fault::DeadBefore | Fault::DeadBehind);
        let counts_now = head(&store).has_had(self.next.point(&self.spec));
        match &outcome {
            Ok(_) => assert!(shows(&store, &self.next, &self.spec), "{case}: said to be done, and is not"),
            Err(PublishError::Unfinished { .. }) => assert!(counts_now, "{case}: said to count, and does not"),
            // A dead process says nothing any more; one that lives must know whether its publication counts.
            Err(error) => assert!(is_death || !counts_now, "{case}: it counts, and is said to have failed: {error}"),
        }
        assert!(is_death || outcome.is_ok(), "{case}: one fault is no reason to fail: {outcome:?}");
        self.again(case, &store.fork(), undisturbed);
        self.another(case, &store.fork());
        self.nobody(case, &store.fork(), undisturbed, counts_now);
    }

    /// The same publisher once more: the same bytes as without a fault.
    fn again(&self, case: &str, store: &Memory, undisturbed: &Memory) {
        let watched = Watched::new(store, &self.judge);
        self.publisher().publish(&watched).unwrap_or_else(|error| panic!("{case}, again: {error}"));
        assert_eq!(watched.wrong(), [""; 0], "{case}, again");
        same(&format!("{case}, again"), store, undisturbed);
    }

    /// Another publisher with another change, from a checkout of its own.
    fn another(&self, case: &str, store: &Memory) {
        let case = format!("{case}, then another");
        let theirs = self.another_compile(store);
        let point = theirs.point(&self.spec);
        let reserved = head(store).reserved;
        let other = Publisher::new("another", &theirs, &self.spec).at(LATER);
        if let Some(reserved) = reserved {
            let early = other.clone().at(SOON).publish(store);
            let Err(PublishError::Busy { reservation, .. }) = &early else { panic!("{case}, too early: {early:?}") };
            assert_eq!(**reservation, reserved, "{case}");
        }
        let watched = Watched::new(store, &self.judge);
        other.publish(&watched).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(watched.wrong(), [""; 0], "{case}");
        assert!(shows(store, &theirs, &self.spec), "{case}");
        assert_eq!(head(store).point(), Some(point), "{case}");
        // The first one, waking up, is told who was quicker, and changes nothing.
        let settled = store.contents();
        let late = self.publisher().at(LATER).publish(store).expect_err("it was overtaken");
        assert!(matches!(&late, PublishError::Superseded { current, .. } if current.by == "another"), "{case}: {late}");
        assert!(store.contents() == settled, "{case}: whoever came late has changed something");
    }

    /// What somebody compiles onto the store as it is now.
    fn another_compile(&self, store: &Memory) -> Compiled {
        let state: Head = head(store);
        let key = (state.point(), state.next_number());
        let mut others = self.others.lock().expect("only a list");
        if let Some((_, known)) = others.iter().find(|(it, _)| *it == key) {
            return known.clone();
        }
        let project = &self.project;
        project.edit("tenants/corn.yaml", "spec:", "spec:\n  branding: { name: Corn and Sons }");
        let made = compiled(project, &format!("other-{}", others.len()), LATER, &[(&self.spec, store)]);
        project.edit("tenants/corn.yaml", "spec:\n  branding: { name: Corn and Sons }", "spec:");
        let corn = made.index.tenants.values().find(|it| it.name == "corn").expect("a tenant");
        assert_eq!(corn.targets.version, state.next_number(), "it is another change");
        others.push((key, made.clone()));
        made
    }

    /// Nobody publishes, and somebody who was asked to finishes what counts.
    fn nobody(&self, case: &str, store: &Memory, undisturbed: &Memory, counts_now: bool) {
        let case = format!("{case}, then only `finish`");
        let before = store.contents();
        let watched = Watched::new(store, &self.judge);
        let tools = Tools { store: &watched, patience: Patience::NONE, at_once: 1, progress: &|_| () };
        let seen = state::State { store: &watched, patience: Patience::NONE }.head().expect("reads");
        finish(&tools, "main", seen).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(watched.wrong(), [""; 0], "{case}");
        match counts_now {
            true => same(&case, store, undisturbed),
            false => assert!(store.contents() == before, "{case}: there was nothing to finish"),
        }
    }
}

fn same(case: &str, store: &Memory, expected: &Memory) {
    let (there, expected) = (store.contents(), expected.contents());
    let different = crate::project::changed(&expected, &there);
    assert_eq!(different, [""; 0], "{case}: differs from a run without a fault");
}
