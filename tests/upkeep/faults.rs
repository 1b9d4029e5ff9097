//! Every operation of a refresh, a rollback and a collection, answered in every wrong way; then the same job once more,
//! a publisher, or nobody.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};

use tenantry::index::Point;
use tenantry::publish::Tools;
use tenantry::publish::finish;
use tenantry::publish::head::HEAD;
use tenantry::publish::refresh::Extent;
use tenantry::publish::rollback::Removed;
use tenantry::store::memory::{Fault, Faulty, Memory};
use tenantry::store::{Patience, Precondition, Store, Upload};

use crate::collect::{Guarded, NOTHING_BUT_CURRENT, marked};
use crate::jobs::{Keeper, Stopped};
use crate::project::{Project, changed, small, time};
use crate::refresh::{FIFTEENTH_DAY, FOURTH_DAY, kept_fresh, publish, published};
use crate::rollback::three_publications;
use crate::watch::{Judge, Watched};
use crate::world::{Compiled, Publisher, compiled, head, pointers, shows, spec};

const FAULTS: [Fault; 5] = [Fault::NotDone, Fault::AnswerLost, Fault::Vanished, Fault::DeadBefore, Fault::DeadBehind];

/// How much was gone through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) refresh: usize,
    pub(crate) rollback: usize,
    pub(crate) collection: usize,
}

#[test]
fn whatever_operation_of_a_job_fails_every_client_sees_one_whole_publication_and_a_second_run_converges() {
    assert!(all().refresh > 0);
}

/// All scenarios, once a process.
pub(crate) fn all() -> Counts {
    static ALL: OnceLock<Counts> = OnceLock::new();
    *ALL.get_or_init(|| Counts {
        refresh: timestamps_are_due().every_fault()
            + everything_is_due().every_fault()
            + keys_and_root_are_new().every_fault(),
        rollback: going_back().every_fault(),
        collection: every_fault_of_a_collection(),
    })
}

/// A store, and a job that is about to publish there.
struct Scenario {
    name: &'static str,
    project: Project,
    before: Memory,
    /// When the job runs, and when others come: its reservation is over by then.
    at: &'static str,
    later: &'static str,
    work: fn(&Keeper, &dyn Store) -> Result<(), Stopped>,
    others: Others,
}

/// What others compile onto each state of a store.
#[derive(Default)]
struct Others(Mutex<Vec<(Basis, Compiled)>>);

/// The point that a store was at, and the highest number that it had drawn.
type Basis = (Option<Point>, u64);

impl Others {
    fn onto(&self, project: &Project, store: &Memory, at: &str) -> Compiled {
        let state = head(store);
        let key = (state.point(), state.next_number());
        let mut known = self.0.lock().expect("only a list");
        if let Some((_, known)) = known.iter().find(|(it, _)| *it == key) {
            return known.clone();
        }
        let made = compiled(project, &format!("other-{}", known.len()), at, &[(&spec("main", &[]), store)]);
        known.push((key, made.clone()));
        made
    }
}

fn refresh(keeper: &Keeper, store: &dyn Store) -> Result<(), Stopped> {
    let done = keeper.refresh(store, Extent::Due)?;
    assert_eq!(done.refused, []);
    Ok(())
}

fn roll_back(keeper: &Keeper, store: &dyn Store) -> Result<(), Stopped> {
    keeper.roll_back(store, 1, Removed::ComeBack { elsewhere: &BTreeSet::new() }).map(drop)
}

fn timestamps_are_due() -> Scenario {
    let (project, before) = published(small());
    let (at, later) = (FOURTH_DAY, "2026-11-26T12:10:00Z");
    Scenario { name: "timestamps are due", project, before, at, later, work: refresh, others: Others::default() }
}

fn everything_is_due() -> Scenario {
    let (project, before) = published(small());
    kept_fresh(&project, &before, &["2026-11-27", "2026-12-01", "2026-12-05"]);
    let (at, later) = (FIFTEENTH_DAY, "2026-12-08T00:10:00Z");
    Scenario { name: "everything is due", project, before, at, later, work: refresh, others: Others::default() }
}

fn keys_and_root_are_new() -> Scenario {
    let (project, before) = published(small());
    project.run_at("2026-11-24", &["keys", "rotate", "freshness"]).ok();
    publish(&project, &before, "2026-11-24");
    project.run_at("2026-11-24", &["keys", "rotate", "freshness", "--finish"]).ok();
    project.run_at("2026-11-24", &["keys", "rotate", "freshness", "--drop"]).ok();
    let (at, later) = ("2026-11-25", "2026-11-25T00:10:00Z");
    Scenario { name: "keys and root are new", project, before, at, later, work: refresh, others: Others::default() }
}

fn going_back() -> Scenario {
    let (project, before) = three_publications();
    let (at, later) = ("2026-11-26", "2026-11-26T00:10:00Z");
    Scenario { name: "going back", project, before, at, later, work: roll_back, others: Others::default() }
}

impl Scenario {
    fn run(&self, store: &dyn Store, at: &str) -> Result<(), Stopped> {
        (self.work)(&Keeper::new("job", &self.project, at), store)
    }

    /// Shells as they are when the last of all these runs has run.
    fn judge(&self) -> Judge {
        Judge::new(self.project.root(), time(self.later))
    }

    fn every_fault(&self) -> usize {
        let judge = self.judge();
        let undisturbed = self.before.fork();
        let watched = Watched::new(&undisturbed, &judge);
        let counting = Faulty::new(&watched, |_, _, _| None);
        self.run(&counting, self.at).expect("nothing is in the way");
        assert_eq!(watched.wrong(), [""; 0], "{}", self.name);
        let operations = counting.log();
        for (at, operation) in operations.iter().enumerate() {
            for fault in FAULTS {
                let case = format!("{}: {fault:?} at operation {at} of {}: {operation}", self.name, operations.len());
                self.one_fault(&case, &judge, at, fault, &undisturbed);
            }
        }
        operations.len() * FAULTS.len()
    }

    fn one_fault(&self, case: &str, judge: &Judge, at: usize, fault: Fault, undisturbed: &Memory) {
        let store = self.before.fork();
        let watched = Watched::new(&store, judge);
        let faulty = Faulty::new(&watched, |number, _, _| (number == at).then_some(fault));
        let outcome = self.run(&faulty, self.at);
        assert_eq!(watched.wrong(), [""; 0], "{case}");
        let is_death = matches!(fault, Fault::DeadBefore | Fault::DeadBehind);
        let counts = head(&store).point() != head(&self.before).point();
        match &outcome {
            Ok(()) => assert!(store.contents() == undisturbed.contents(), "{case}: said to be done, and is not"),
            Err(stopped) if stopped.is_unfinished() => assert!(counts, "{case}: said to count, and does not"),
            Err(stopped) => assert!(is_death || !counts, "{case}: it counts, and is said to have failed: {stopped:?}"),
        }
        assert!(is_death || outcome.is_ok(), "{case}: one fault is no reason to fail: {outcome:?}");
        self.again(case, judge, &store.fork(), counts.then_some(undisturbed));
        self.publisher(case, judge, &store.fork());
        self.nobody(case, judge, &store.fork(), counts.then_some(undisturbed));
    }

    /// The same job once more. What counted is finished; what did not is done as a run would that begins now.
    fn again(&self, case: &str, judge: &Judge, store: &Memory, undisturbed: Option<&Memory>) {
        let expected = match undisturbed {
            Some(undisturbed) => undisturbed.fork(),
            None => {
                let fork = self.before.fork();
                draw(&fork, head(store).drawn);
                self.run(&fork, self.later).expect("nothing is in the way");
                fork
            }
        };
        let watched = Watched::new(store, judge);
        self.run(&watched, self.later).unwrap_or_else(|stopped| panic!("{case}, again: {stopped:?}"));
        assert_eq!(watched.wrong(), [""; 0], "{case}, again");
        assert!(pointers(store) == pointers(&expected), "{case}, again: shells see something else");
        assert_eq!(head(store), head(&expected), "{case}, again");
        let (there, wanted) = (store.contents(), expected.contents());
        let different: Vec<String> =
            changed(&wanted, &there).into_iter().filter(|key| wanted.contains_key(key)).collect();
        assert_eq!(different, [""; 0], "{case}, again");
        let settled = store.contents();
        self.run(store, self.later).unwrap_or_else(|stopped| panic!("{case}, a third time: {stopped:?}"));
        assert!(store.contents() == settled, "{case}: a third run changes something");
    }

    /// Somebody publishes another change.
    fn publisher(&self, case: &str, judge: &Judge, store: &Memory) {
        let watched = Watched::new(store, judge);
        let spec = spec("main", &[]);
        let made = self.others.onto(&self.project, store, self.later);
        Publisher::new("publisher", &made, &spec)
            .at(self.later)
            .publish(&watched)
            .unwrap_or_else(|error| panic!("{case}, then a publisher: {error}"));
        assert_eq!(watched.wrong(), [""; 0], "{case}, then a publisher");
        assert!(shows(store, &made, &spec), "{case}, then a publisher");
    }

    /// Nobody comes but somebody who finishes what counts.
    fn nobody(&self, case: &str, judge: &Judge, store: &Memory, undisturbed: Option<&Memory>) {
        let before = store.contents();
        let watched = Watched::new(store, judge);
        let tools = Tools { store: &watched, patience: Patience::NONE, at_once: 1, progress: &|_| () };
        let seen = tools.state().head().expect("reads");
        finish(&tools, "main", seen).unwrap_or_else(|error| panic!("{case}, then only `finish`: {error}"));
        assert_eq!(watched.wrong(), [""; 0], "{case}, then only `finish`");
        let expected = undisturbed.map_or(before, Memory::contents);
        assert!(store.contents() == expected, "{case}, then only `finish`");
    }
}

/// Has a store know that numbers up to this one were drawn.
fn draw(store: &Memory, drawn: u64) {
    let mut state = head(store);
    state.drawn = drawn;
    let bytes = state.to_bytes();
    store.put(&Upload { key: HEAD, bytes: &bytes, precondition: Precondition::None }).expect("memory");
}

/// When the collection runs, and when the next one does.
const AT: &str = "2026-11-28";
const LATER: &str = "2026-11-28T00:10:00Z";

fn every_fault_of_a_collection() -> usize {
    let (project, before) = marked();
    let judge = Judge::new(project.root(), time(LATER));
    let collect = |store: &dyn Store, at: &str| Keeper::new("keeper", &project, at).collect(store, NOTHING_BUT_CURRENT);
    let undisturbed = before.fork();
    let counting = Faulty::new(&undisturbed, |_, _, _| None);
    collect(&counting, AT).expect("nothing is in the way");
    let operations = counting.log();
    let others = Others::default();
    for (at, operation) in operations.iter().enumerate() {
        for fault in FAULTS {
            let case = format!("collection: {fault:?} at operation {at} of {}: {operation}", operations.len());
            let store = before.fork();
            let guarded = Guarded::new(&store, &judge, NOTHING_BUT_CURRENT, AT);
            let faulty = Faulty::new(&guarded, |number, _, _| (number == at).then_some(fault));
            let outcome = collect(&faulty, AT);
            assert_eq!(guarded.wrong(), [""; 0], "{case}");
            let is_death = matches!(fault, Fault::DeadBefore | Fault::DeadBehind);
            assert!(is_death || outcome.is_ok(), "{case}: one fault is no reason to fail: {outcome:?}");
            // Once more: it ends where a collection without a fault ends.
            let again = store.fork();
            let guarded = Guarded::new(&again, &judge, NOTHING_BUT_CURRENT, LATER);
            collect(&guarded, LATER).unwrap_or_else(|stopped| panic!("{case}, again: {stopped:?}"));
            assert_eq!(guarded.wrong(), [""; 0], "{case}, again");
            assert_eq!(changed(&undisturbed.contents(), &again.contents()), [""; 0], "{case}, again");
            // Or a publisher comes.
            let guarded = Guarded::new(&store, &judge, NOTHING_BUT_CURRENT, LATER);
            let spec = spec("main", &[]);
            let made = others.onto(&project, &store, LATER);
            Publisher::new("publisher", &made, &spec)
                .at(LATER)
                .publish(&guarded)
                .unwrap_or_else(|error| panic!("{case}, then a publisher: {error}"));
            assert_eq!(guarded.wrong(), [""; 0], "{case}, then a publisher");
        }
    }
    operations.len() * FAULTS.len()
}
