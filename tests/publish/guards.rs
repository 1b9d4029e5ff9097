//! What a publication asks before it does anything, and what it costs to ask.

use tenantry::digest::Sha256;
use tenantry::index::keys;
use tenantry::publish::apply::Outcome;
use tenantry::publish::head::{HEAD, Kind, Reservation};
use tenantry::publish::plan::{ItemKind, Note};
use tenantry::publish::state::{State, StateError, Swap};
use tenantry::publish::{self, Clocks, Job, PublishError, Rewind};
use tenantry::store::memory::{Faulty, Memory};
use tenantry::store::{Patience, Precondition, Store, Upload};
use tenantry::verify::Objects;

use crate::project::{NOW, Project, catalog, small, tenant, time};
use crate::world::{Compiled, Publisher, compiled, head, in_memory, shows, spec};

/// A project, its first publication in a store, and the next one in its folder.
struct Published {
    project: Project,
    store: Memory,
    first: Compiled,
}

fn published() -> Published {
    let (project, store) = (in_memory(small()), Memory::new());
    let first = compiled(&project, "out", NOW, &[]);
    Publisher::new("before", &first, &spec("main", &[])).publish(&store).expect("nothing is in the way");
    Published { project, store, first }
}

impl Published {
    /// One tenant has bought more.
    fn next(&self) -> Compiled {
        self.project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
        let spec = spec("main", &[]);
        compiled(&self.project, "out", NOW, &[]).descending_from(&spec, self.first.point(&spec))
    }
}

/// What a publication asks a store for.
fn asked(publisher: &Publisher<'_>, store: &Memory) -> Vec<String> {
    let counted = Faulty::new(store, |_, _, _| None);
    publisher.publish(&counted).expect("nothing is in the way");
    counted.log()
}

#[test]
fn a_publication_with_nothing_to_do_is_one_question_however_many_tenants_there_are() {
    for more in [0, 40] {
        let mut files = small();
        files.extend((0..more).map(|it| tenant(&format!("tenant-{it}"), "starter", "")));
        let (project, store, spec) = (in_memory(files), Memory::new(), spec("main", &[]));
        let first = compiled(&project, "out", NOW, &[]);
        let publisher = Publisher::new("one", &first, &spec);
        publisher.publish(&store).expect("nothing is in the way");
        let before = store.contents();
        assert_eq!(asked(&publisher, &store), [format!("get {HEAD}")]);
        assert!(store.contents() == before);
    }
}

#[test]
fn what_a_publication_costs_depends_on_what_changed_and_not_on_how_many_tenants_there_are() {
    let cost = |more: usize| {
        let mut files = small();
        files.extend((0..more).map(|it| tenant(&format!("tenant-{it}"), "starter", "")));
        let (project, store, spec) = (in_memory(files), Memory::new(), spec("main", &[]));
        let first = compiled(&project, "out", NOW, &[]);
        Publisher::new("one", &first, &spec).publish(&store).expect("nothing is in the way");
        project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
        let next = compiled(&project, "out", NOW, &[]).descending_from(&spec, first.point(&spec));
        let asked = asked(&Publisher::new("one", &next, &spec), &store);
        // Head, index, first root; reservation; manifest, targets, snapshot, index, timestamps; commit; receipt before
        // it, timestamp, receipt after it, head. Bolt's overlay is the one that it has.
        assert_eq!(asked.len(), 14, "{asked:#?}");
        // The next one knows from the receipt what it replaces, though corn was not moved last time.
        project.edit("tenants/corn.yaml", "plan: starter", "plan: business");
        let third = compiled(&project, "out", NOW, &[]).descending_from(&spec, next.point(&spec));
        let again = self::asked(&Publisher::new("one", &third, &spec), &store);
        assert_eq!(again.len(), 14, "{again:#?}");
        asked.len()
    };
    assert_eq!(cost(0), cost(40));
}

#[test]
fn what_shells_do_not_see_is_recorded_under_the_same_number() {
    let published = published();
    published.project.edit("tenants/bolt.yaml", "spec:", "# A remark.\nspec:");
    let spec = spec("main", &[]);
    let next = compiled(&published.project, "out", NOW, &[]).descending_from(&spec, published.first.point(&spec));
    assert_eq!(next.index.publication, 1);
    let publisher = Publisher::new("one", &next, &spec);
    let public = |store: &Memory| crate::project::public(store.contents());
    let before = public(&published.store);
    let report = publisher.publish(&published.store).expect("nothing is in the way");
    assert_eq!((report.publication, report.outcome), (1, Outcome::Recorded));
    assert!(public(&published.store) == before);
    let head = head(&published.store);
    assert_eq!((head.point(), head.history.len(), head.drawn), (Some(next.point(&spec)), 1, 1));
    assert_eq!(asked(&publisher, &published.store).len(), 1, "and then it is known");
}

#[test]
fn many_requests_at_once_give_the_same_store_as_one_after_the_other() {
    let mut files = catalog();
    files.extend((0..40).map(|it| tenant(&format!("tenant-{it}"), ["starter", "business"][it % 2], "")));
    let (project, spec) = (in_memory(files), spec("main", &[]));
    let first = compiled(&project, "out", NOW, &[]);
    let (one, many) = (Memory::new(), Memory::new());
    let publisher = Publisher::new("one", &first, &spec);
    publisher.publish(&one).expect("nothing is in the way");
    Publisher { at_once: 16, ..publisher }.publish(&many).expect("nothing is in the way");
    assert_eq!(crate::project::changed(&one.contents(), &many.contents()), [""; 0]);
}

/// Every file that would be moved, with a byte changed or missing: nothing at all is sent.
#[test]
fn a_damaged_folder_is_never_published() {
    let published = published();
    let next = published.next();
    let spec = spec("main", &[]);
    let plan = Publisher::new("one", &next, &spec).plan(&published.store).expect("it is sound").plan;
    let own = plan.uploads.iter().filter(|it| it.kind != ItemKind::State).map(|it| it.key.clone());
    let moved: Vec<String> = own.chain(plan.timestamps.iter().map(|it| keys::timestamp(&it.addr))).collect();
    assert_eq!(moved.len(), 4, "manifest, targets, snapshot, timestamp: {moved:?}");
    for key in moved {
        for damage in [|it: &[u8]| Some([&it[..it.len() - 2], b" }"].concat()), |_: &[u8]| None] {
            let mut damaged = next.clone();
            match damage(&damaged.files[&key]) {
                Some(bytes) => drop(damaged.files.insert(key.clone(), bytes)),
                None => drop(damaged.files.remove(&key)),
            }
            let before = published.store.contents();
            let refused = Publisher::new("one", &damaged, &spec).publish(&published.store);
            let Err(PublishError::Unsound(findings)) = refused else { panic!("{key}: {refused:?}") };
            assert!(findings.iter().any(|it| it.key == key), "{key} is not among {findings:?}");
            assert!(published.store.contents() == before);
        }
    }
}

#[test]
fn a_damaged_bundle_that_the_store_lacks_is_never_published() {
    let (project, spec) = (in_memory(small()), spec("main", &[]));
    let mut first = compiled(&project, "out", NOW, &[]);
    let key = first.index.bundles.iter().map(|(tree, it)| keys::archive(*tree, it.sha256)).next().expect("a bundle");
    first.files.get_mut(&key).expect("a bundle")[40] ^= 1;
    let store = Memory::new();
    let refused = Publisher::new("one", &first, &spec).publish(&store);
    assert!(matches!(&refused, Err(PublishError::Unsound(it)) if it[0].key == key), "{refused:?}");
    assert_eq!(store.contents().len(), 0);
}

#[test]
fn what_the_output_folder_does_not_descend_from_is_not_replaced() {
    let published = published();
    let other = in_memory(small());
    other.edit("tenants/corn.yaml", "plan: starter", "plan: business");
    let stranger = compiled(&other, "out", NOW, &[]);
    let refused = Publisher::new("two", &stranger, &spec("main", &[])).publish(&published.store);
    let error = refused.expect_err("somebody else was first");
    assert_eq!(
        (error.to_string(), error.help()),
        (
            "publication 1 of store `main`, made by `before` at 2026-11-23T00:00:00Z, is not one that the output folder came from".into(),
            Some("compile again with `--onto main`, and publish that".into())
        )
    );
}

#[test]
fn a_number_that_somebody_else_has_reserved_is_never_used() {
    let published = published();
    let next = published.next();
    let spec = spec("main", &[]);
    let reserve = |store: &Memory, publication, index: &[u8]| {
        let state = State { store, patience: Patience::NONE };
        let seen = state.head().expect("reads");
        let at = time(NOW);
        let index = Sha256::of(index);
        let reservation = Reservation { publication, index, by: "other".into(), at, kind: Kind::Refresh };
        let swapped = state.swap(&seen, seen.head.reserve(reservation)).expect("swaps");
        assert!(matches!(swapped, Swap::Done(_)));
    };
    for (number, hours_later) in [(2, "2026-11-23T00:00:00Z"), (2, "2026-11-23T02:00:00Z"), (3, "2026-11-23T02:00:00Z")]
    {
        let store = published.store.fork();
        reserve(&store, number, b"theirs");
        let refused = Publisher::new("one", &next, &spec).taking_over().at(hours_later).publish(&store);
        let error = refused.expect_err("the number is taken");
        assert!(matches!(error, PublishError::Burnt { number: 2, .. }), "{error}");
        assert!(error.to_string().contains("`other` reserved"), "{error}");
    }
    // One that was reserved, and taken over by a higher one that came to nothing, stays taken.
    let store = published.store.fork();
    reserve(&store, 2, b"theirs");
    let state = State { store: &store, patience: Patience::NONE };
    let seen = state.head().expect("reads");
    state.swap(&seen, seen.head.release()).expect("swaps");
    let refused = Publisher::new("one", &next, &spec).publish(&store);
    assert!(matches!(refused, Err(PublishError::Burnt { reservation: None, .. })), "{refused:?}");
    // A compile onto the store draws another.
    let again = compiled(&published.project, "again", NOW, &[(&spec, &store)]);
    assert_eq!(again.index.publication, 3);
    Publisher::new("one", &again, &spec).publish(&store).expect("the number is free");
}

#[test]
fn whoever_is_at_work_is_left_in_peace_for_ten_minutes_or_until_told_otherwise() {
    let published = published();
    let spec = spec("main", &[]);
    let other = published.next();
    let dying = Faulty::new(&published.store, |_, verb, key| {
        (verb == "put" && key.starts_with("o/")).then_some(tenantry::store::memory::Fault::DeadBefore)
    });
    Publisher::new("other", &other, &spec).publish(&dying).expect_err("it dies");
    published.project.edit("tenants/bolt.yaml", "plan: business", "plan: starter");
    published.project.edit("tenants/corn.yaml", "plan: starter", "plan: business");
    let ours = compiled(&published.project, "ours", NOW, &[(&spec, &published.store)]);
    let publisher = Publisher::new("one", &ours, &spec);
    let error = publisher.clone().at("2026-11-23T00:09:59Z").publish(&published.store).expect_err("somebody is there");
    assert_eq!(error.to_string(), "`other` has been at work on store `main` since 2026-11-23T00:00:00Z (publish 2)");
    let planned = publisher.clone().at("2026-11-23T00:10:00Z").plan(&published.store).expect("the time is over");
    assert!(matches!(&planned.notes[..], [Note::TakesOver(it)] if it.by == "other"), "{:?}", planned.notes);
    let told = published.store.fork();
    publisher.clone().taking_over().publish(&told).expect("told so");
    publisher.at("2026-11-23T00:10:00Z").publish(&published.store).expect("the time is over");
    assert!(shows(&told, &ours, &spec) && shows(&published.store, &ours, &spec));
}

#[test]
fn a_folder_that_was_compiled_again_takes_over_from_itself() {
    let published = published();
    let spec = spec("main", &[]);
    let interrupted = published.next();
    let dying = Faulty::new(&published.store, |_, verb, key| {
        (verb == "put" && key.starts_with("o/")).then_some(tenantry::store::memory::Fault::DeadBehind)
    });
    Publisher::new("one", &interrupted, &spec).publish(&dying).expect_err("it dies");
    published.project.edit("tenants/corn.yaml", "plan: starter", "plan: business");
    let next = compiled(&published.project, "out", NOW, &[])
        .descending_from(&spec, published.first.point(&spec))
        .descending_from(&spec, interrupted.point(&spec));
    assert_eq!(next.index.publication, 3);
    Publisher::new("one", &next, &spec).publish(&published.store).expect("nobody else is there");
    assert!(shows(&published.store, &next, &spec));
}

#[test]
fn a_clock_that_stands_before_the_last_publication_is_refused() {
    let published = published();
    let next = published.next();
    let refused = Publisher::new("one", &next, &spec("main", &[])).at("2026-11-22T23:54:59Z").publish(&published.store);
    let error = refused.expect_err("one of the clocks is wrong");
    assert!(matches!(error, PublishError::State(StateError::Clock { .. })), "{error}");
    assert_eq!(
        error.to_string(),
        "the clock says 2026-11-22T23:54:59Z, yet `before` was here at 2026-11-23T00:00:00Z: one of the two clocks is wrong"
    );
}

/// A store in memory has the date 1970 on everything.
#[test]
fn a_clock_far_from_the_stores_is_refused_before_anything_is_uploaded() {
    let published = published();
    let next = published.next();
    let spec = spec("main", &[]);
    let with_date = |date: &str| {
        let store = published.store.fork();
        store.set_modified(time(date));
        let outcome = Publisher::new("one", &next, &spec).with_job(&store, |job| {
            let job = Job { clocks: Clocks::Compare, ..*job };
            publish::plan(&job).and_then(|planned| publish::apply(&job, &planned))
        });
        (outcome, store.contents().len() - published.store.contents().len())
    };
    for (date, is_refused) in [
        ("2026-11-22T23:54:59Z", true),
        ("2026-11-22T23:55:00Z", false),
        ("2026-11-23T00:05:00Z", false),
        ("2026-11-23T00:05:01Z", true),
    ] {
        match with_date(date) {
            (Err(PublishError::State(StateError::StoreClock { .. })), 0) if is_refused => {}
            (Ok(_), 1..) if !is_refused => {}
            (outcome, objects) => panic!("{date}: {outcome:?}, and {objects} objects"),
        }
    }
}

/// What takes longer than ten minutes is not taken for dead as long as it lives.
#[test]
fn a_reservation_is_renewed_while_uploads_go_on() {
    let published = published();
    let next = published.next();
    let spec = spec("main", &[]);
    let slow = |store: &dyn Store| {
        let asked = std::sync::atomic::AtomicI64::new(0);
        // Every look at the clock is three minutes later than the one before.
        let clock = || {
            let minutes = 3 * asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tenantry::time::Timestamp::from_unix(time(NOW).unix() + 60 * minutes).expect("within reach")
        };
        Publisher::new("slow", &next, &spec).with_job(store, |job| {
            let job = Job { clock: &clock, ..*job };
            publish::plan(&job).and_then(|planned| publish::apply(&job, &planned))
        })
    };
    let store = published.store.fork();
    let log = Faulty::new(&store, |_, _, _| None);
    slow(&log).expect("nobody is in the way");
    assert!(shows(&store, &next, &spec));
    let heads = log.log().iter().filter(|it| **it == format!("put {HEAD}")).count();
    assert!(heads > 4, "reservation, renewals, commit, end: {heads}");

    // Somebody who takes over all the same is noticed at the next renewal, and not only at the end.
    published.project.edit("tenants/corn.yaml", "plan: starter", "plan: business");
    let reserved = published.store.fork();
    let dying = Faulty::new(&reserved, |_, verb, key| {
        (verb == "put" && key.starts_with("o/")).then_some(tenantry::store::memory::Fault::DeadBefore)
    });
    slow(&dying).expect_err("it dies");
    let other = compiled(&published.project, "other", NOW, &[(&spec, &reserved)]);
    let store = published.store.fork();
    let meanwhile = Faulty::new(&store, |_, verb, key| {
        if verb == "put" && key.starts_with("o/") {
            let other = Publisher::new("other", &other, &spec).taking_over().at("2026-11-23T01:00:00Z");
            other.publish(&store).expect("it takes over");
        }
        None
    });
    let error = slow(&meanwhile).expect_err("it was taken over from");
    assert!(matches!(&error, PublishError::Superseded { current, .. } if current.by == "other"), "{error}");
    assert!(shows(&store, &other, &spec));
    assert!(!log_has(&meanwhile.log(), ".snapshot.json"), "it stops at once");
}

fn log_has(log: &[String], end: &str) -> bool {
    log.iter().any(|it| it.starts_with("put ") && it.ends_with(end))
}

#[test]
fn an_old_commit_that_comes_late_is_refused_unless_it_is_meant() {
    let published = published();
    let spec = spec("main", &[]);
    let with_commit = |compiled: &Compiled, commit: &str| {
        let mut compiled = compiled.clone();
        compiled.index.commit = Some(commit.repeat(40));
        compiled
    };
    let second = with_commit(&published.next(), "b");
    Publisher::new("one", &second, &spec).publish(&published.store).expect("nothing is in the way");
    published.project.edit("tenants/corn.yaml", "plan: starter", "plan: business");
    let third = compiled(&published.project, "out", NOW, &[]).descending_from(&spec, second.point(&spec));
    let run = |compiled: &Compiled, rewind: Rewind<'_>| {
        let store = published.store.fork();
        Publisher::new("late", compiled, &spec).with_job(&store, |job| {
            let job = Job { rewind, ..*job };
            let planned = publish::plan(&job)?;
            publish::apply(&job, &planned).map(|_| planned.notes)
        })
    };
    let old = with_commit(&third, "a");
    let asked = |answer: Option<bool>| {
        move |published: &str, ours: &str| {
            assert_eq!((published, ours), (&*"b".repeat(40), &*"a".repeat(40)));
            answer
        }
    };
    let error = run(&old, Rewind::Refuse(&asked(Some(false)))).expect_err("it is old");
    assert!(matches!(error, PublishError::Rewind { .. }), "{error}");
    run(&old, Rewind::Refuse(&asked(Some(true)))).expect("it descends from it");
    run(&old, Rewind::Allow).expect("it is meant");
    let notes = run(&old, Rewind::Refuse(&asked(None))).expect("nobody can tell");
    assert_eq!(notes, [Note::UnknownDescent { published: "b".repeat(40) }]);
    let never = |_: &str, _: &str| -> Option<bool> { panic!("there is nothing to ask") };
    run(&with_commit(&third, "b"), Rewind::Refuse(&never)).expect("the same commit");
    run(&third, Rewind::Refuse(&never)).expect("a working directory has no commit");
}

#[test]
fn a_plan_is_carried_out_as_it_was_shown_or_not_at_all() {
    let published = published();
    let spec = spec("main", &[]);
    let next = published.next();
    let publisher = Publisher::new("one", &next, &spec);
    let shown = publisher.plan(&published.store).expect("plans").plan;
    assert_eq!(publisher.plan(&published.store).expect("plans").plan, shown);
    shown.guard_fresh(&shown).expect("nothing has changed");
    let stale = |now: &publish::Plan| now.guard_fresh(&shown).expect_err("something has changed").to_string();

    published.project.edit("tenants/corn.yaml", "plan: starter", "plan: business");
    let other = compiled(&published.project, "out", NOW, &[]).descending_from(&spec, published.first.point(&spec));
    let now = Publisher::new("one", &other, &spec).plan(&published.store).expect("plans").plan;
    assert!(stale(&now).contains("it was made to publish publication 2"), "{}", stale(&now));

    publisher.publish(&published.store).expect("nothing is in the way");
    let now = publisher.plan(&published.store).expect("plans").plan;
    assert!(stale(&now).contains("it was made for publication 1"), "{}", stale(&now));
}

#[test]
fn wrong_bytes_under_a_key_that_never_changes_are_named_and_left_alone() {
    let published = published();
    let next = published.next();
    let spec = spec("main", &[]);
    let plan = Publisher::new("one", &next, &spec).plan(&published.store).expect("plans").plan;
    for item in plan.uploads {
        let store = published.store.fork();
        let wrong = Upload { key: &item.key, bytes: b"somebody else's", precondition: Precondition::Absent };
        store.put(&wrong).expect("puts");
        let refused = Publisher::new("one", &next, &spec).publish(&store);
        let Err(PublishError::State(StateError::Foreign { key })) = refused else {
            panic!("{}: {refused:?}", item.key)
        };
        assert_eq!(key, item.key);
        assert_eq!(store.contents()[&item.key], b"somebody else's");
        assert_eq!(head(&store).point(), Some(published.first.point(&spec)), "nothing was published");
    }
}

#[test]
fn a_store_of_another_chain_of_roots_or_another_environment_is_refused() {
    let published = published();
    let spec = spec("main", &[]);
    let next = published.next();
    let mut other_root = next.clone();
    other_root.files.insert(keys::root(1), b"another".to_vec());
    let mut other_environment = next.clone();
    other_environment.index.environment = "staging".into();
    for (wrong, why) in [(other_root, "another chain of roots"), (other_environment, "holds environment `production`")]
    {
        let refused = Publisher::new("one", &wrong, &spec).publish(&published.store).expect_err("not the same");
        assert!(matches!(&refused, PublishError::OtherRoot { .. }) && refused.to_string().contains(why), "{refused}");
    }
}

/// Timestamps that went away, or were put back to an older state from a backup, are put right.
#[test]
fn a_timestamp_that_is_not_the_one_of_the_receipt_is_moved_all_the_same() {
    let published = published();
    let spec = spec("main", &[]);
    let next = published.next();
    let addr = next.index.tenants.iter().find(|(_, it)| it.name == "bolt").expect("a tenant").0;
    let key = keys::timestamp(addr);
    // Gone, and no receipt knows anything.
    let store = published.store.fork();
    store.delete(std::slice::from_ref(&key)).expect("deletes");
    Publisher::new("one", &next, &spec).publish(&store).expect("it is put again");
    assert!(shows(&store, &next, &spec));
    // The receipt is lost.
    let store = published.store.fork();
    let receipts: Vec<String> = store.contents().into_keys().filter(|it| it.ends_with(".receipt.json")).collect();
    store.delete(&receipts).expect("deletes");
    Publisher::new("one", &next, &spec).publish(&store).expect("it is asked for");
    assert!(shows(&store, &next, &spec));
    // No timestamp at all stands there.
    let store = published.store.fork();
    store.put(&Upload { key: &key, bytes: b"<html>", precondition: Precondition::None }).expect("puts");
    let refused = Publisher::new("one", &next, &spec).publish(&store).expect_err("nobody knows what it is");
    let PublishError::Unfinished { left: 1, all: 1, source, .. } = &refused else { panic!("{refused}") };
    assert!(matches!(&**source, PublishError::State(StateError::Foreign { key: it }) if *it == key), "{source}");
    // Once it is out of the way, the next run goes on.
    store.delete(&[key]).expect("deletes");
    Publisher::new("one", &next, &spec).publish(&store).expect("it goes on");
    assert!(shows(&store, &next, &spec));
}

#[test]
fn whoever_is_asked_to_stop_before_it_counts_has_published_nothing_and_afterwards_all() {
    let published = published();
    let spec = spec("main", &[]);
    let next = published.next();
    let publisher = Publisher::new("one", &next, &spec);
    for puts in 0..10 {
        let store = published.store.fork();
        let done = std::sync::atomic::AtomicUsize::new(0);
        let counting = Faulty::new(&store, |_, verb, _| {
            done.fetch_add(usize::from(verb == "put"), std::sync::atomic::Ordering::Relaxed);
            None
        });
        let outcome = publisher.with_job(&counting, |job| {
            let stop = || done.load(std::sync::atomic::Ordering::Relaxed) > puts;
            let job = Job { stop: &stop, ..*job };
            publish::plan(&job).and_then(|planned| publish::apply(&job, &planned))
        });
        let counts = head(&store).point() == Some(next.point(&spec));
        match outcome {
            Ok(_) => assert!(shows(&store, &next, &spec)),
            Err(PublishError::Interrupted { number: 2, .. }) => assert!(!counts),
            Err(error) => panic!("{error}"),
        }
        publisher.publish(&store).expect("it goes on");
        assert!(shows(&store, &next, &spec));
    }
}

/// A compile's files, of which some may be missing.
#[test]
fn a_file_that_changes_between_plan_and_upload_is_not_published() {
    struct Changing<'a>(&'a Compiled, std::sync::atomic::AtomicUsize);
    impl Objects for Changing<'_> {
        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
            let times =
                self.1.fetch_add(usize::from(key.ends_with(".targets.json")), std::sync::atomic::Ordering::Relaxed);
            let mut bytes = self.0.get(key)?;
            if let (true, 2.., Some(bytes)) = (key.ends_with(".targets.json"), times, &mut bytes) {
                bytes[20] ^= 1;
            }
            Ok(bytes)
        }
    }
    let published = published();
    let next = published.next();
    let spec = spec("main", &[]);
    let changing = Changing(&next, Default::default());
    let refused = Publisher::new("one", &next, &spec).with_job(&published.store, |job| {
        let job = Job { files: &changing, ..*job };
        publish::plan(&job).and_then(|planned| publish::apply(&job, &planned))
    });
    assert!(matches!(&refused, Err(PublishError::Unsound(it)) if it[0].key.ends_with(".targets.json")), "{refused:?}");
    assert_eq!(head(&published.store).point(), Some(published.first.point(&spec)));
}
