//! Going back is going forward with old content.

use std::collections::BTreeSet;
use tenantry::digest::Blake3;
use tenantry::publish::head::Kind;
use tenantry::publish::refresh::Extent;
use tenantry::publish::rollback::Removed;
use tenantry::store::Store;
use tenantry::store::memory::Memory;

use crate::jobs::{Keeper, Stopped};
use crate::project::{NOW, Project, small, tenant, time};
use crate::refresh::{index, publish, published, timeless};
use crate::watch::Judge;
use crate::world::head;

/// Three publications: the first; then `bolt` gets more, `dune` comes, `corn` goes and the notes change; then `acme`
/// is suspended.
pub(crate) fn three_publications() -> (Project, Memory) {
    let (project, store) = published(small());
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    let (path, text) = tenant("dune", "starter", "");
    project.write(&path, text);
    project.remove("tenants/corn.yaml");
    project.write("catalog/programs/notes/app/index.html", "<h1>other notes</h1>\n");
    publish(&project, &store, "2026-11-24");
    project.edit("tenants/acme.yaml", "spec:\n", "spec:\n  status: suspended\n");
    publish(&project, &store, "2026-11-25");
    (project, store)
}

fn names(store: &Memory) -> Vec<String> {
    let mut names: Vec<String> = index(store).tenants.into_values().map(|it| it.name).collect();
    names.sort();
    names
}

fn addr(store: &Memory, name: &str) -> String {
    index(store).tenants.into_iter().find(|(_, it)| it.name == name).expect("a known tenant").0
}

#[test]
fn the_content_of_an_earlier_publication_comes_back_under_a_new_number() {
    let (project, store) = three_publications();
    let first = published(small()).1;
    let keeper = Keeper::new("keeper", &project, "2026-11-26");
    let (_, way) = keeper.way(&store, 1, Removed::StayAway).expect("a way");
    let changes: Vec<_> = way.changes.iter().map(|it| (it.tenant.as_str(), it.programs, it.then)).collect();
    let mut sorted = changes.clone();
    sorted.sort();
    assert_eq!(sorted, [("acme", Some(0), 2), ("bolt", Some(2), 1)]);
    assert_eq!((way.added, way.removed, way.revived), (vec!["dune".into()], vec!["corn".into()], vec!["acme".into()]));

    let added = index(&store).tenants[&addr(&store, "dune")].clone();
    keeper.roll_back(&store, 1, Removed::StayAway).expect("nothing is in the way");
    let now = index(&store);
    assert_eq!(now.publication, 4);
    assert_eq!(head(&store).current.map(|it| it.kind), Some(Kind::Rollback));
    assert_eq!(names(&store), ["acme", "bolt", "dune"]);
    assert_eq!(now.tenants[&addr(&store, "dune")], added, "who came later stays as it is");
    for name in ["acme", "bolt"] {
        let addr = addr(&store, name);
        assert_eq!(now.tenants[&addr].timestamp.version, 4);
        assert_eq!(timeless(&store, &addr), timeless(&first, &addr), "{name}");
    }
    assert_eq!(Judge::new(project.root(), time("2026-11-26")).all(&store), Ok(4), "`corn` still shows what it had");
}

#[test]
fn who_was_removed_comes_back_only_when_asked_for() {
    let (project, store) = three_publications();
    let keeper = Keeper::new("keeper", &project, "2026-11-26");
    keeper.roll_back(&store, 1, Removed::ComeBack { elsewhere: &BTreeSet::new() }).expect("nothing is in the way");
    assert_eq!(names(&store), ["acme", "bolt", "corn", "dune"]);
    let corn = index(&store).tenants[&addr(&store, "corn")].clone();
    assert_eq!((corn.timestamp.version, corn.timestamp.expires), (4, time("2026-12-03")));
    assert_eq!(
        Judge::new(project.root(), time("2026-12-02")).all(&store).err().filter(|it| !it.contains("expired")),
        None
    );
}

/// The project was not reverted: the next compile goes forward to what it says.
#[test]
fn the_next_compile_goes_forward_again_unless_the_project_was_reverted_too() {
    let (project, store) = three_publications();
    let third: Vec<Blake3> = index(&store).tenants.values().map(|it| it.content).collect();
    Keeper::new("keeper", &project, "2026-11-26").roll_back(&store, 1, Removed::StayAway).expect("goes back");
    assert_ne!(index(&store).tenants.values().map(|it| it.content).collect::<Vec<_>>(), third);
    publish(&project, &store, "2026-11-27");
    assert_eq!(index(&store).tenants.values().map(|it| it.content).collect::<Vec<_>>(), third);
    assert_eq!(Judge::new(project.root(), time("2026-11-27")).all(&store), Ok(4));

    // Reverted, it has nothing to sign for those who went back.
    let (project, store) = three_publications();
    Keeper::new("keeper", &project, "2026-11-26")
        .roll_back(&store, 1, Removed::ComeBack { elsewhere: &BTreeSet::new() })
        .expect("goes back");
    for (path, text) in small() {
        project.write(&path, text);
    }
    let back = index(&store);
    publish(&project, &store, "2026-11-26");
    let now = index(&store);
    for name in ["acme", "bolt", "corn"] {
        let addr = addr(&store, name);
        assert!(now.tenants[&addr].has_same_content(&back.tenants[&addr]), "{name} was signed anew");
    }
}

#[test]
fn a_refresh_goes_on_from_a_rollback() {
    let (project, store) = three_publications();
    Keeper::new("keeper", &project, "2026-11-26").roll_back(&store, 1, Removed::StayAway).expect("goes back");
    Keeper::new("job", &project, "2026-11-30").refresh(&store, Extent::Due).expect("nothing is in the way");
    assert_eq!(names(&store), ["acme", "bolt", "dune"]);
    let corn = tenantry::index::keys::timestamp(&addr(&published(small()).1, "corn"));
    store.delete(&[corn]).expect("memory");
    assert_eq!(Judge::new(project.root(), time("2026-12-01")).all(&store), Ok(3));
}

#[test]
fn what_cannot_be_gone_back_to_is_said_before_anything_is_done() {
    let (project, store) = three_publications();
    let before = store.contents();
    let keeper = Keeper::new("keeper", &project, "2026-11-26");
    let stopped = |to: u64| match keeper.roll_back(&store, to, Removed::StayAway) {
        Err(Stopped::Other(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(stopped(3), "store `main` shows publication 3 today");
    assert_eq!(stopped(9), "store `main` has no publication 9; it remembers 1, 2, 3");
    assert!(store.contents() == before);
    // One object is gone: it is named, and no number is drawn.
    let first = published(small()).1;
    let bolt = addr(&store, "bolt");
    let record = &index(&first).tenants[&bolt];
    let overlay = record.overlays.iter().next().map(|(tree, it)| tenantry::index::keys::archive(*tree, it.sha256));
    let overlay = overlay.expect("an overlay");
    store.delete(std::slice::from_ref(&overlay)).expect("memory");
    assert_eq!(stopped(1), format!("missing: {overlay}"));
    assert_eq!(head(&store).drawn, 3);
}

#[test]
fn content_that_was_never_signed_does_not_come_back() {
    let (project, store) = three_publications();
    let bolt = addr(&store, "bolt");
    let key = tenantry::index::keys::targets(&bolt, 1);
    let text = String::from_utf8(store.contents()[&key].clone()).expect("text");
    let forged = text.replacen("\"length\":", "\"length\":1", 1);
    store
        .put(&tenantry::store::Upload {
            key: &key,
            bytes: forged.as_bytes(),
            precondition: tenantry::store::Precondition::None,
        })
        .expect("memory");
    let keeper = Keeper::new("keeper", &project, "2026-11-26");
    let stopped = keeper.roll_back(&store, 1, Removed::StayAway).expect_err("refused");
    let text = format!("{stopped:?}");
    assert!(text.contains("missing") || text.contains("signed metadata says"), "{text}");
    assert_eq!(head(&store).drawn, 3);
}

#[test]
fn a_rollback_may_be_rolled_back() {
    let (project, store) = three_publications();
    let third: Vec<Blake3> = index(&store).tenants.values().map(|it| it.content).collect();
    Keeper::new("keeper", &project, "2026-11-26").roll_back(&store, 1, Removed::StayAway).expect("goes back");
    Keeper::new("keeper", &project, "2026-11-27").roll_back(&store, 3, Removed::StayAway).expect("goes back again");
    assert_eq!(index(&store).tenants.values().map(|it| it.content).collect::<Vec<_>>(), third);
    assert_eq!(index(&store).publication, 5);
    assert_eq!(Judge::new(project.root(), time(NOW)).all(&store), Ok(4));
}
