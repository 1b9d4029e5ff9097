//! Two publishers at once, in every order in which their steps can follow one another.

use std::sync::OnceLock;

use tenantry::index::keys;
use tenantry::publish::head::HEAD;
use tenantry::publish::{PublishError, Report};
use tenantry::store::memory::Memory;

use crate::project::{NOW, small};
use crate::stage::{Stage, every_order};
use crate::watch::{Judge, Watched};
use crate::world::{Compiled, Publisher, compiled, head, in_memory, is_superseded, pointers, shows, spec};

/// How much was gone through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) leaves: usize,
    pub(crate) steps: usize,
}

impl Counts {
    fn plus(self, other: Counts) -> Counts {
        Counts { leaves: self.leaves + other.leaves, steps: self.steps + other.steps }
    }
}

#[test]
fn of_two_publishers_in_any_interleaving_one_wins_or_both_say_the_same() {
    assert!(all().leaves > 0);
}

/// All races, once a process.
pub(crate) fn all() -> Counts {
    static ALL: OnceLock<Counts> = OnceLock::new();
    *ALL.get_or_init(|| {
        let world = World::new();
        let races: [fn(&World) -> Counts; 4] =
            [World::twins, World::rivals, World::one_takes_over, World::one_goes_on_from_the_other];
        races.iter().fold(Counts::default(), |sum, race| sum.plus(race(&world)))
    })
}

/// A store with a first publication, and what different people have compiled onto it.
struct World {
    before: Memory,
    judge: Judge,
    ours: Compiled,
    rival: Compiled,
    /// With a higher number than `ours`.
    higher: Compiled,
    /// Made from `ours`, and not published yet.
    following: Compiled,
}

impl World {
    fn new() -> World {
        let (project, before, spec) = (in_memory(small()), Memory::new(), spec("main", &[]));
        let first = compiled(&project, "out", NOW, &[]);
        Publisher::new("before", &first, &spec).publish(&before).expect("nothing is in the way");
        let edit = |tenant: &str, from: &str, to: &str| {
            project.edit(&format!("tenants/{tenant}.yaml"), from, to);
        };
        edit("bolt", "plan: starter", "plan: business");
        let ours = compiled(&project, "out", NOW, &[]).descending_from(&spec, first.point(&spec));
        // The same folder a day's work later: it holds all that it descends from, published or not.
        // Bolt has moved once more, so that a timestamp of ours that comes late meets a newer one.
        edit("acme", "plan: business", "plan: starter");
        edit("bolt", "spec:", "spec:\n  branding: { name: Bolt }");
        let following = compiled(&project, "out", NOW, &[]);
        let following = following.descending_from(&spec, first.point(&spec)).descending_from(&spec, ours.point(&spec));
        edit("acme", "plan: starter", "plan: business");
        edit("bolt", "spec:\n  branding: { name: Bolt }", "spec:");
        edit("bolt", "plan: business", "plan: starter");

        edit("corn", "plan: starter", "plan: business");
        let rival = compiled(&project, "rival", NOW, &[(&spec, &before)]);
        let reserved = before.fork();
        let stop = tenantry::store::memory::Faulty::new(&reserved, |_, verb, key| {
            let is_upload = verb == "put" && key != HEAD;
            is_upload.then_some(tenantry::store::memory::Fault::DeadBefore)
        });
        Publisher::new("dead", &ours, &spec).publish(&stop).expect_err("it dies after its reservation");
        let higher = compiled(&project, "higher", NOW, &[(&spec, &reserved)]);
        assert_eq!([2, 2, 3, 3], [&ours, &rival, &higher, &following].map(|it| it.index.publication));
        World { judge: Judge::new(project.root(), crate::project::time(NOW)), before, ours, rival, higher, following }
    }

    /// The same commit, compiled twice at the same instant: the bytes are equal, and so both succeed.
    fn twins(&self) -> Counts {
        let spec = spec("main", &[]);
        let twin = |by| Publisher::new(by, &self.ours, &spec);
        let expected = self.undisturbed(&twin("one"));
        self.race(&twin("one"), &twin("two"), |store, outcomes| {
            if outcomes.iter().any(Result::is_err) {
                // The second may come so late that the first is in its way; it is told so, and by whom.
                return Err(format!("both say the same, and yet: {outcomes:?}"));
            }
            match pointers(store) == expected {
                true => Ok(()),
                false => Err("a timestamp is not the one that both have made".into()),
            }
        })
    }

    /// Two changes under the same number.
    fn rivals(&self) -> Counts {
        let spec = spec("main", &[]);
        let (one, two) = (Publisher::new("one", &self.ours, &spec), Publisher::new("two", &self.rival, &spec));
        self.race(&one, &two, |store, outcomes| one_wins(store, [&one, &two], outcomes))
    }

    /// Two changes, and whoever has the higher number does not wait.
    fn one_takes_over(&self) -> Counts {
        let spec = spec("main", &[]);
        let one = Publisher::new("one", &self.ours, &spec);
        let two = Publisher::new("two", &self.higher, &spec).taking_over();
        self.race(&one, &two, |store, outcomes| one_wins(store, [&one, &two], outcomes))
    }

    /// The second was made from the first, and overtakes it wherever it can.
    fn one_goes_on_from_the_other(&self) -> Counts {
        let spec = spec("main", &[]);
        let one = Publisher::new("one", &self.ours, &spec);
        let two = Publisher::new("two", &self.following, &spec).taking_over();
        self.race(&one, &two, |store, [first, second]| {
            let winner = match second {
                Ok(_) => &two,
                Err(_) => &one,
            };
            let refused = [first, second].into_iter().filter_map(|it| it.as_ref().err());
            let mut strange = refused.filter(|it| !is_superseded(it));
            match strange.next() {
                Some(error) => Err(format!("not what happens when two meet: {error}")),
                None if first.is_err() && second.is_err() => Err(format!("both lost: {first:?} {second:?}")),
                None if !shows(store, winner.compiled, winner.spec) => Err("the newer one is not what is shown".into()),
                None => Ok(()),
            }
        })
    }

    fn undisturbed(&self, publisher: &Publisher<'_>) -> std::collections::BTreeMap<String, Vec<u8>> {
        let store = self.before.fork();
        publisher.publish(&store).expect("nothing is in the way");
        pointers(&store)
    }

    /// Runs two publishers in every order of their steps.
    fn race(
        &self,
        one: &Publisher<'_>,
        two: &Publisher<'_>,
        judge: impl Fn(&Memory, &[Result<Report, PublishError>; 2]) -> Result<(), String>,
    ) -> Counts {
        let mut counts = Counts::default();
        every_order(|way| {
            let store = self.before.fork();
            let watched = Watched::new(&store, &self.judge);
            let stage = Stage::new(&watched, &is_step, way);
            let outcomes = stage.play([&|store| one.publish(store), &|store| two.publish(store)]);
            let taken = stage.taken();
            counts.leaves += 1;
            counts.steps += taken.len();
            let case = || format!("{} against {}, in the order {:?}", one.by, two.by, taken);
            assert_eq!(watched.wrong(), [""; 0], "{}", case());
            judge(&store, &outcomes).unwrap_or_else(|why| panic!("{}: {why}", case()));
            let unfinished = head(&store).current.is_some_and(|it| !it.finished);
            assert!(!unfinished, "{}: nobody has finished it", case());
            taken
        });
        counts
    }
}

/// Operations on the head and on timestamps, and the last object before a publication may count. Indexes never change,
/// so it does not matter when they are read.
fn is_step(verb: &str, key: &str) -> bool {
    key == HEAD || key.ends_with("/timestamp.json") || (verb == "put" && key.ends_with(".index.json"))
}

/// Exactly one succeeds, the store shows what it made, and the other says who that was.
fn one_wins(
    store: &Memory,
    publishers: [&Publisher<'_>; 2],
    outcomes: &[Result<Report, PublishError>; 2],
) -> Result<(), String> {
    let (winner, error) = match outcomes {
        [Ok(_), Err(error)] => (publishers[0], error),
        [Err(error), Ok(_)] => (publishers[1], error),
        _ => return Err(format!("one should win: {outcomes:?}")),
    };
    match () {
        () if !is_superseded(error) => Err(format!("not what happens when two meet: {error}")),
        () if !error.to_string().contains(&format!("`{}`", winner.by)) => {
            Err(format!("the winner `{}` is not named: {error}", winner.by))
        }
        () if !shows(store, winner.compiled, winner.spec) => Err("the store does not show what the winner made".into()),
        () => Ok(()),
    }
}

#[test]
fn a_publisher_takes_six_steps_when_nobody_is_in_its_way() {
    let world = World::new();
    let spec = spec("main", &[]);
    let publisher = Publisher::new("one", &world.ours, &spec);
    let store = world.before.fork();
    let log = tenantry::store::memory::Faulty::new(&store, |_, _, _| None);
    publisher.publish(&log).expect("nothing is in the way");
    let addr = world.ours.index.tenants.iter().find(|(_, it)| it.name == "bolt").expect("a tenant").0;
    let steps: Vec<String> = log
        .log()
        .into_iter()
        .filter(|it| {
            it.ends_with(HEAD)
                || it.ends_with("/timestamp.json")
                || (it.starts_with("put") && it.ends_with(".index.json"))
        })
        .collect();
    let index = steps.get(2).cloned().unwrap_or_default();
    assert_eq!(
        steps,
        [
            format!("get {HEAD}"),
            format!("put {HEAD}"),
            index,
            format!("put {HEAD}"),
            format!("put {}", keys::timestamp(addr)),
            format!("put {HEAD}"),
        ]
    );
}
