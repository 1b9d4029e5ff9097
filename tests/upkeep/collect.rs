//! What goes, what stays, and why.

use std::collections::BTreeSet;
use std::sync::Mutex;

use tenantry::index::keys;
use tenantry::publish::gc::{GcError, Need, Rules};
use tenantry::publish::head::{HEAD, Head};
use tenantry::publish::refresh::Extent;
use tenantry::publish::rollback::Removed;
use tenantry::publish::state::{State, index_key};
use tenantry::publish::{PublishError, finish};
use tenantry::store::memory::{Fault, Faulty, Memory};
use tenantry::store::{ETag, Fetched, Listed, Patience, Precondition, Store, StoreError, Upload};
use tenantry::time::{Duration, Timestamp};

use crate::jobs::{Keeper, Stopped};
use crate::project::{NOW, Project, small, time};
use crate::refresh::{index, publish, published};
use crate::rollback::three_publications;
use crate::watch::{Judge, Watched};
use crate::world::{Publisher, compiled, head, spec};

/// Only what is current stays whole.
pub(crate) const NOTHING_BUT_CURRENT: Rules =
    Rules { grace: Duration::days(1), keep: 1, keep_for: Duration::minutes(0) };

/// A store that is watched, where objects may go: one after the other, and after each of them everything that is
/// needed must still be there.
pub(crate) struct Guarded<'a> {
    watched: Watched<'a>,
    memory: &'a Memory,
    judge: &'a Judge,
    rules: Rules,
    now: Timestamp,
    looks_once_a_batch: bool,
    wrong: Mutex<Vec<String>>,
}

impl<'a> Guarded<'a> {
    pub(crate) fn new(memory: &'a Memory, judge: &'a Judge, rules: Rules, now: &str) -> Guarded<'a> {
        let watched = Watched::new(memory, judge);
        Guarded { watched, memory, judge, rules, now: time(now), looks_once_a_batch: false, wrong: Mutex::default() }
    }

    /// Deletes a batch at once, and looks then: for those who go this way a thousand times.
    pub(crate) fn looking_once_a_batch(self) -> Guarded<'a> {
        Guarded { looks_once_a_batch: true, ..self }
    }

    pub(crate) fn wrong(&self) -> Vec<String> {
        let own = self.wrong.lock().expect("only a list").clone();
        self.watched.wrong().into_iter().chain(own).collect()
    }

    fn look(&self, key: &str) {
        let complain = |text: String| self.wrong.lock().expect("only a list").push(format!("after {key} went: {text}"));
        if let Err(problem) = self.judge.all(self.memory) {
            complain(problem);
        }
        let lost: Vec<String> = lost(self.memory, &self.rules, self.now);
        if !lost.is_empty() {
            complain(format!("the rollback window needs {lost:?}"));
        }
    }
}

/// What publications of the rollback window need and the store has not: counted here once more, by hand.
fn lost(store: &Memory, rules: &Rules, now: Timestamp) -> Vec<String> {
    let state = State { store, patience: Patience::NONE };
    let history = head(store).history;
    let there = store.contents();
    let mut lost = Vec::new();
    for (at, past) in history.iter().enumerate() {
        let newer = history.len() - 1 - at;
        let superseded = history.get(at + 1).map(|next| next.at);
        let is_kept = newer < rules.keep || superseded.is_none_or(|at| at.until(now) < rules.keep_for);
        if !is_kept {
            continue;
        }
        match state.index(past.point()) {
            Ok(index) => lost.extend(index.public_files().filter(|key| !there.contains_key(key))),
            Err(error) => lost.push(format!("{}: {error}", index_key(past.point()))),
        }
    }
    lost
}

impl Store for Guarded<'_> {
    fn describe(&self) -> String {
        self.memory.describe()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.memory.get(key, max)
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        self.memory.head(key)
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        match upload.key {
            "state/gc.json" => self.memory.put(upload),
            _ => self.watched.put(upload),
        }
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        self.memory.list(prefix, each)
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        let pieces = if self.looks_once_a_batch { keys.len() } else { 1 };
        for keys in keys.chunks(pieces.max(1)) {
            self.memory.delete(keys)?;
            self.look(&keys.join(", "));
        }
        Ok(())
    }
}

/// Keys that only the first store has.
pub(crate) fn gone(before: &Memory, after: &Memory) -> BTreeSet<String> {
    let after = after.contents();
    before.contents().into_keys().filter(|key| !after.contains_key(key)).collect()
}

fn put(store: &Memory, key: &str) {
    store.put(&Upload { key, bytes: b"?", precondition: Precondition::None }).expect("memory");
}

#[test]
fn what_nobody_needs_is_marked_first_and_goes_a_day_later() {
    let (project, store) = three_publications();
    let judge = Judge::new(project.root(), time("2026-11-27"));
    let before = store.fork();
    let collect = |at: &str| {
        let guarded = Guarded::new(&store, &judge, NOTHING_BUT_CURRENT, at);
        let survey = Keeper::new("keeper", &project, at).collect(&guarded, NOTHING_BUT_CURRENT).expect("collects");
        assert_eq!(guarded.wrong(), [""; 0], "{at}");
        survey
    };
    let marked = collect("2026-11-26");
    assert_eq!((marked.garbage.len(), marked.next), (0, Some(time("2026-11-27"))));
    assert!(marked.waiting.objects > 10);
    assert_eq!(gone(&before, &store), BTreeSet::new());
    assert_eq!(collect("2026-11-26T23:59:59Z").garbage.len(), 0);
    let collected = collect("2026-11-27");
    assert_eq!(collected.total(), marked.waiting);
    let keys: BTreeSet<String> = collected.garbage.iter().map(|it| it.key.clone()).collect();
    assert_eq!(gone(&before, &store), keys);
    // What the first two publications alone had is gone, and nothing else.
    let needed: BTreeSet<String> = index(&store).public_files().collect();
    let there: BTreeSet<String> = store.contents().into_keys().filter(|it| !it.starts_with("state/")).collect();
    let roots: BTreeSet<String> = [keys::root(1)].into();
    assert_eq!(there, needed.union(&roots).cloned().collect());
    assert!(keys.iter().any(|it| it.starts_with("state/1.")) && !keys.iter().any(|it| it.starts_with("state/3.")));
    assert_eq!(collect("2026-11-28").waiting.objects, 0);
    let left = head(&store);
    assert_eq!((left.reserved, left.drawn), (None, 3));
    // Publishing goes on from there.
    publish(&project, &store, "2026-11-28");
    Keeper::new("job", &project, "2026-12-02").refresh(&store, Extent::Due).expect("nothing is in the way");
}

#[test]
fn the_last_publications_and_those_of_the_last_month_stay_whole() {
    let (project, store) = three_publications();
    let numbers = |at: &str, rules: Rules| -> Vec<u64> {
        let survey = Keeper::new("keeper", &project, at).survey(&store, rules).expect("looks");
        survey.retained.iter().map(|it| it.publication).collect()
    };
    let rules = |keep: usize, days: u32| Rules { keep, keep_for: Duration::days(days), ..Rules::default() };
    assert_eq!(numbers("2027-11-22", Rules::default()), [3, 2, 1]);
    assert_eq!(numbers("2027-11-22", rules(2, 0)), [3, 2]);
    // Publication 1 was current until the 24th, and 2 until the 25th.
    assert_eq!(numbers("2026-12-23T23:59:59Z", rules(1, 30)), [3, 2, 1]);
    assert_eq!(numbers("2026-12-24", rules(1, 30)), [3, 2]);
    assert_eq!(numbers("2026-12-25", rules(1, 30)), [3]);
    // Whatever stays whole can be gone back to, after the rest has gone.
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    keeper("2026-11-26").collect(&store, rules(2, 0)).expect("marks");
    keeper("2026-11-28").collect(&store, rules(2, 0)).expect("deletes");
    let fork = store.fork();
    keeper("2026-11-28").roll_back(&fork, 2, Removed::ComeBack { elsewhere: &BTreeSet::new() }).expect("goes back");
    let stopped = keeper("2026-11-28").roll_back(&store, 1, Removed::StayAway).expect_err("it is gone");
    let Stopped::Other(why) = stopped else { panic!("{stopped:?}") };
    assert!(why.contains("`tenantry gc` has taken it"), "{why}");
    // A wider window later does not miss what it knows to be gone.
    keeper("2026-11-29").collect(&store, Rules::default()).expect("collects");
}

#[test]
fn a_dry_run_says_who_needs_what_and_changes_nothing() {
    let (project, store) = three_publications();
    for foreign in ["o/readme.txt", "t/notes/timestamp.json", "state/backup.tar", "t/probe-77/x.json"] {
        put(&store, foreign);
    }
    let before = store.contents();
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    let survey = keeper("2026-11-26").survey(&store, Rules { keep: 2, ..NOTHING_BUT_CURRENT }).expect("looks");
    assert!(store.contents() == before);
    let needs: Vec<Need> = survey.needed.iter().map(|it| it.need).collect();
    assert_eq!(needs, [Need::Current, Need::Publication { publication: 2 }, Need::Records]);
    assert_eq!(survey.foreign.objects, 4);
    let all: usize = survey.needed.iter().map(|it| it.total.objects).sum::<usize>() + survey.waiting.objects + 4;
    assert_eq!(all + 1, before.len(), "every object but the root is accounted for");
    // Foreign objects stay for ever.
    for day in ["2026-11-26", "2026-11-28", "2026-12-30"] {
        keeper(day).collect(&store, NOTHING_BUT_CURRENT).expect("collects");
    }
    assert!(
        ["o/readme.txt", "t/notes/timestamp.json", "state/backup.tar", "t/probe-77/x.json"]
            .iter()
            .all(|it| store.contents().contains_key(*it))
    );
}

#[test]
fn what_a_probe_that_was_stopped_has_left_goes_in_time() {
    let (project, store) = three_publications();
    let left = ["state/probe/0123456789abcdef/race-3", "t/probe-0123456789abcdef/listed.json"];
    left.iter().for_each(|it| put(&store, it));
    for day in ["2026-11-26", "2026-11-28"] {
        Keeper::new("keeper", &project, day).collect(&store, Rules::default()).expect("collects");
    }
    assert!(!left.iter().any(|it| store.contents().contains_key(*it)));
}

#[test]
fn what_is_put_again_or_needed_again_is_not_garbage_any_more() {
    let (project, store) = three_publications();
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    keeper("2026-11-26").collect(&store, NOTHING_BUT_CURRENT).expect("marks");
    // Somebody goes back: what was marked is needed now.
    keeper("2026-11-26T12:00:00Z").roll_back(&store, 1, Removed::StayAway).expect("goes back");
    let judge = Judge::new(project.root(), time("2026-11-27"));
    let guarded = Guarded::new(&store, &judge, NOTHING_BUT_CURRENT, "2026-11-27");
    keeper("2026-11-27").collect(&guarded, NOTHING_BUT_CURRENT).expect("collects");
    assert_eq!(guarded.wrong(), [""; 0]);
    assert_eq!(lost(&store, &NOTHING_BUT_CURRENT, time("2026-11-27")), [""; 0]);
    // Somebody has put the garbage again since it was marked, by the store's clock: it waits anew.
    let (project, store) = three_publications();
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    keeper("2026-11-26").collect(&store, NOTHING_BUT_CURRENT).expect("marks");
    store.set_modified(time("2026-11-26T00:00:01Z"));
    assert_eq!(keeper("2026-11-28").collect(&store, NOTHING_BUT_CURRENT).expect("marks").garbage.len(), 0);
    assert!(!keeper("2026-11-29").collect(&store, NOTHING_BUT_CURRENT).expect("deletes").garbage.is_empty());
}

#[test]
fn a_tenant_that_goes_loses_its_timestamp_first() {
    let (project, store) = three_publications();
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    keeper("2026-11-26").collect(&store, NOTHING_BUT_CURRENT).expect("marks");
    let garbage = keeper("2026-11-28").survey(&store, NOTHING_BUT_CURRENT).expect("looks").garbage;
    let corn = garbage.iter().position(|it| it.key.ends_with("/timestamp.json"));
    assert_eq!(corn, Some(0), "the timestamp of `corn`, who was removed");
    let names = garbage.iter().filter(|it| it.key.ends_with("/timestamp.json")).count();
    assert_eq!(names, 1);
}

#[test]
fn nothing_is_deleted_where_nothing_is_reachable() {
    let (project, store) = three_publications();
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    keeper("2026-11-26").collect(&store, NOTHING_BUT_CURRENT).expect("marks");
    let collect = |store: &Memory| {
        let before = store.contents();
        let stopped = keeper("2026-11-28").collect(store, NOTHING_BUT_CURRENT).expect_err("refused");
        assert!(store.contents() == before, "{stopped:?}");
        stopped
    };
    let with_head = |change: &dyn Fn(&mut Head)| {
        let fork = store.fork();
        let mut state = head(&fork);
        change(&mut state);
        let bytes = state.to_bytes();
        fork.put(&Upload { key: HEAD, bytes: &bytes, precondition: Precondition::None }).expect("memory");
        fork
    };
    // No head; an empty one; one that names nothing; one whose history tells another story.
    let fork = store.fork();
    fork.delete(&[HEAD.to_owned()]).expect("memory");
    assert!(matches!(collect(&fork), Stopped::Gc(GcError::Nothing { .. })));
    let empty = with_head(&|it| *it = Head::default());
    assert!(matches!(collect(&empty), Stopped::Gc(GcError::Nothing { .. })));
    let forgetful = with_head(&|it| it.history.clear());
    assert!(matches!(collect(&forgetful), Stopped::Gc(GcError::Nothing { .. })));
    let garbled = store.fork();
    put(&garbled, HEAD);
    assert!(matches!(collect(&garbled), Stopped::Gc(GcError::State(_))));
    // The current index is gone, or damaged; that of the window is damaged, or gone without our doing.
    let rules = Rules { keep: 3, ..NOTHING_BUT_CURRENT };
    for at in [2, 1] {
        let point = head(&store).history[at].point();
        for damaged in [true, false] {
            let fork = store.fork();
            match damaged {
                true => put(&fork, &index_key(point)),
                false => fork.delete(&[index_key(point)]).expect("memory"),
            }
            let before = fork.contents();
            let stopped = keeper("2026-11-28").collect(&fork, rules).expect_err("refused");
            assert!(matches!(stopped, Stopped::Gc(GcError::State(_))), "{stopped:?}");
            assert!(fork.contents() == before);
        }
    }
}

#[test]
fn whoever_publishes_keeps_the_collection_away_and_the_other_way_round() {
    let (project, store) = three_publications();
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    keeper("2026-11-26").collect(&store, NOTHING_BUT_CURRENT).expect("marks");
    let spec = spec("main", &[]);
    project.edit("tenants/bolt.yaml", "plan: business", "plan: starter");
    let made = compiled(&project, "out", "2026-11-28", &[(&spec, &store)]);
    let publisher = || Publisher::new("publisher", &made, &spec).at("2026-11-28");
    let dies_at = |key: &'static str, verb: &'static str, fork: &Memory, work: &dyn Fn(&dyn Store)| {
        work(&Faulty::new(fork, |_, done, at| (done == verb && at.starts_with(key)).then_some(Fault::DeadBefore)));
    };

    // A publisher has reserved a number and is at work.
    let fork = store.fork();
    dies_at("state/4.", "put", &fork, &|it| drop(publisher().publish(it)));
    let before = fork.contents();
    let stopped = keeper("2026-11-28T00:09:59Z").collect(&fork, NOTHING_BUT_CURRENT).expect_err("somebody is there");
    let Stopped::Gc(GcError::Publish(PublishError::Busy { reservation, .. })) = &stopped else { panic!("{stopped:?}") };
    assert_eq!((reservation.by.as_str(), reservation.publication), ("publisher", 4));
    assert!(fork.contents() == before);
    let survey = keeper("2026-11-28").survey(&fork, NOTHING_BUT_CURRENT).expect("looks");
    assert_eq!(survey.at_work.as_deref(), Some("publisher"));
    assert!(survey.needed.iter().any(|it| it.need == Need::Reservation), "{:?}", survey.needed);
    // After ten minutes they are taken for dead. Their number stays theirs: they may go on with it.
    let judge = Judge::new(project.root(), time("2026-11-28"));
    let guarded = Guarded::new(&fork, &judge, NOTHING_BUT_CURRENT, "2026-11-28T00:10:00Z");
    keeper("2026-11-28T00:10:00Z").collect(&guarded, NOTHING_BUT_CURRENT).expect("collects");
    assert_eq!(guarded.wrong(), [""; 0]);
    assert_eq!(head(&fork).reserved.map(|it| (it.by, it.publication)), Some(("publisher".into(), 4)));
    publisher().at("2026-11-28T00:11:00Z").publish(&fork).expect("goes on");
    assert_eq!(judge.all(&fork), Ok(3));

    // A collection is at work, or has died while it was.
    let fork = store.fork();
    dies_at("", "delete", &fork, &|it| drop(keeper("2026-11-28").collect(it, NOTHING_BUT_CURRENT)));
    for publisher in [publisher(), publisher().taking_over()] {
        let busy = publisher.publish(&fork).expect_err("it is at work");
        let PublishError::Busy { reservation, .. } = &busy else { panic!("{busy:?}") };
        assert_eq!(reservation.by, "keeper");
        assert!(busy.help().expect("a help").contains("and not earlier"));
    }
    publisher().at("2026-11-28T00:10:00Z").publish(&fork).expect("it is taken for dead");
    assert_eq!(judge.all(&fork), Ok(4));
}

#[test]
fn an_unfinished_publication_is_finished_first() {
    let (project, store) = three_publications();
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    keeper("2026-11-26").collect(&store, NOTHING_BUT_CURRENT).expect("marks");
    project.edit("tenants/bolt.yaml", "plan: business", "plan: starter");
    let spec = spec("main", &[]);
    let made = compiled(&project, "out", "2026-11-28", &[(&spec, &store)]);
    let dying = Faulty::new(&store, |_, verb, key| {
        (verb == "put" && key.ends_with("/timestamp.json")).then_some(Fault::DeadBefore)
    });
    Publisher::new("publisher", &made, &spec).at("2026-11-28").publish(&dying).expect_err("dies");
    assert!(keeper("2026-11-28").survey(&store, NOTHING_BUT_CURRENT).expect("looks").is_unfinished);
    let judge = Judge::new(project.root(), time("2026-11-28"));
    let guarded = Guarded::new(&store, &judge, NOTHING_BUT_CURRENT, "2026-11-28");
    keeper("2026-11-28").collect(&guarded, NOTHING_BUT_CURRENT).expect("collects");
    assert_eq!(guarded.wrong(), [""; 0]);
    assert!(head(&store).current.is_some_and(|it| it.finished && it.publication == 4));
    assert!(crate::world::shows(&store, &made, &spec));
}

/// Somebody else has marked something meanwhile. What we deleted is gone all the same, and that is what is said.
#[test]
fn marks_that_somebody_else_has_written_are_no_failure_once_the_garbage_is_gone() {
    let (project, store) = marked();
    let before = store.fork();
    let meddling = Faulty::new(&store, |_, verb, key| {
        if (verb, key) == ("put", "state/gc.json") {
            let bytes = b"{\"format\":1,\"collected\":2,\"marks\":{}}";
            store.put(&Upload { key, bytes, precondition: Precondition::None }).expect("memory");
        }
        None
    });
    let keeper = Keeper::new("keeper", &project, "2026-11-28");
    // The marks before the deletion say which index may be missing, so there it is one.
    assert!(keeper.collect(&meddling, NOTHING_BUT_CURRENT).is_err_and(|it| it.is_superseded()));
    assert!(store.contents().keys().eq(before.contents().keys()));
    let written = std::sync::atomic::AtomicUsize::new(0);
    let meddling = Faulty::new(&store, |_, verb, key| {
        if (verb, key) == ("put", "state/gc.json") && written.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1 {
            let bytes = b"{\"format\":1,\"collected\":2,\"marks\":{} }";
            store.put(&Upload { key, bytes, precondition: Precondition::None }).expect("memory");
        }
        None
    });
    let at_once = Rules { grace: Duration::minutes(0), ..NOTHING_BUT_CURRENT };
    let survey = keeper.collect(&meddling, at_once).expect("the garbage is gone");
    assert_eq!(written.load(std::sync::atomic::Ordering::Relaxed), 2);
    assert!(survey.garbage.iter().all(|it| !store.contents().contains_key(&it.key)));
    assert_eq!(head(&store).reserved, None);
}

/// Whatever part of the garbage has gone when a collection dies, the next one ends where one without a stop would.
#[test]
fn any_part_of_the_garbage_may_be_gone() {
    let (project, store) = marked();
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    let garbage = keeper("2026-11-28").survey(&store, NOTHING_BUT_CURRENT).expect("looks").garbage;
    let whole = store.fork();
    keeper("2026-11-28").collect(&whole, NOTHING_BUT_CURRENT).expect("collects");
    let dying = Faulty::new(&store, |_, verb, _| (verb == "delete").then_some(Fault::DeadBefore));
    keeper("2026-11-28").collect(&dying, NOTHING_BUT_CURRENT).expect_err("dies");
    let judge = Judge::new(project.root(), time("2026-11-28"));
    for gone in 0..=garbage.len() {
        let fork = store.fork();
        let keys: Vec<String> = garbage[..gone].iter().map(|it| it.key.clone()).collect();
        fork.delete(&keys).expect("memory");
        judge.all(&fork).unwrap_or_else(|why| panic!("{gone} are gone: {why}"));
        keeper("2026-11-28T00:10:00Z").collect(&fork, NOTHING_BUT_CURRENT).expect("collects the rest");
        assert_eq!(crate::project::changed(&whole.contents(), &fork.contents()), [""; 0], "{gone} were gone");
    }
}

/// A publication that was made and never counted leaves objects that nobody will ever need.
#[test]
fn what_a_dead_publisher_left_goes_too() {
    let (project, store) = published(small());
    let spec = spec("main", &[]);
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    let made = compiled(&project, "out", NOW, &[(&spec, &store)]);
    let before = store.fork();
    let dying =
        Faulty::new(&store, |at, verb, key| (at > 3 && verb == "put" && key == HEAD).then_some(Fault::DeadBefore));
    Publisher::new("publisher", &made, &spec).publish(&dying).expect_err("dies before it counts");
    let left = gone(&store, &before);
    assert!(left.iter().any(|it| it.contains("/2.targets.json")) && left.iter().any(|it| it.starts_with("state/2.")));
    let keeper = |at: &str| Keeper::new("keeper", &project, at);
    keeper("2026-11-24").collect(&store, Rules::default()).expect("marks");
    keeper("2026-11-25").collect(&store, Rules::default()).expect("deletes");
    assert_eq!(gone(&store, &before), BTreeSet::from(["state/gc.json".to_owned()]));
    let tools = tenantry::publish::Tools { store: &store, patience: Patience::NONE, at_once: 1, progress: &|_| () };
    let seen = tools.state().head().expect("reads");
    finish(&tools, "main", seen).expect("there is nothing to finish");
}

#[test]
fn a_project_that_only_refreshes_stays_small() {
    let (project, store) = published(small());
    let mut sizes = Vec::new();
    for day in 0..90 {
        let at = time(NOW).plus(Duration::days(day)).to_string();
        Keeper::new("job", &project, &at).refresh(&store, Extent::Due).expect("nothing is in the way");
        Keeper::new("keeper", &project, &at).collect(&store, Rules::default()).expect("collects");
        sizes.push(store.contents().len());
    }
    let (early, late) = (sizes[50], sizes[89]);
    assert!(late <= early + 5, "{sizes:?}");
}

/// For tests of others.
pub(crate) fn marked() -> (Project, Memory) {
    let (project, store) = three_publications();
    Keeper::new("keeper", &project, "2026-11-26").collect(&store, NOTHING_BUT_CURRENT).expect("marks");
    (project, store)
}
