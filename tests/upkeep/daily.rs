//! Forty days of a project that nobody touches, with the command itself: a job refreshes daily, and another one collects.

use tenantry::index::keys;
use tenantry::store::dir::Directory;
use tenantry::time::Duration;

use crate::command::{project, store};
use crate::project::{Files, NOW, Project, time};
use crate::watch::Judge;

const DAYS: u32 = 40;

#[test]
fn a_job_that_refreshes_daily_keeps_every_shell_content_for_ever() {
    let (one, two) = std::thread::scope(|scope| {
        let runs = [0, 1].map(|_| scope.spawn(forty_days));
        let [one, two] = runs.map(|it| it.join().expect("no day fails"));
        (one, two)
    });
    let different = crate::project::changed(&one, &two);
    assert_eq!(different, [""; 0], "two runs of the same days give the same bytes");
}

/// Gives back everything that is in the store in the end.
fn forty_days() -> Files {
    let project = project();
    project.run(&["publish"]).ok();
    let (mut refreshed, mut quiet) = (0, 0);
    for day in 1..=DAYS {
        let at = time(NOW).plus(Duration::days(day)).to_string();
        let ran = project.run_at(&at, &["refresh"]).ok();
        match ran.stdout.contains("nothing was due") {
            true => quiet += 1,
            false => refreshed += 1,
        }
        everybody_is_content(&project, &at);
    }
    assert_eq!((refreshed, quiet), (10, 30), "every fourth day, as long as a timestamp's half life");
    // The project is still one that compiles, publishes and is verified.
    let at = time(NOW).plus(Duration::days(DAYS)).to_string();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.run_at(&at, &["compile", "--onto", "main"]).ok().says("1 changed");
    project.run_at(&at, &["publish"]).ok();
    everybody_is_content(&project, &at);
    // And one that is cleared up.
    for days in [DAYS, DAYS + 1] {
        let at = time(NOW).plus(Duration::days(days)).to_string();
        project.run_at(&at, &["gc"]).ok();
        everybody_is_content(&project, &at);
    }
    store(&project)
}

/// A client that has never been here follows every tenant, from the pinned root to the last byte.
fn everybody_is_content(project: &Project, at: &str) {
    let judge = Judge::new(project.root(), time(at));
    let directory = Directory::new(project.path("public"));
    let pointers: Vec<String> = store(project).into_keys().filter(|it| it.ends_with("/timestamp.json")).collect();
    assert_eq!(pointers.len(), 3);
    for key in pointers {
        let addr = key.split('/').nth(1).expect("an address");
        assert_eq!(key, keys::timestamp(addr));
        judge.tenant(&directory, addr).unwrap_or_else(|why| panic!("{at}: {why}"));
    }
}
