//! The same over the real protocol: a bucket.

use std::fs;

use tenantry::publish::head::Head;

use crate::command::project;
use crate::project::{Project, Ran, run};
use crate::refresh::FOURTH_DAY;
use crate::s3_server::{Profile, S3Server};

/// A project that was published to a bucket.
fn published(server: &S3Server) -> Project {
    let project = project();
    let text = fs::read_to_string(project.path("tenantry.yaml")).expect("a project");
    project.write("tenantry.yaml", text.replace("{ name: main, directory: public }", &server.yaml("main")));
    at(&project, server, "2026-11-23", &["publish"]).ok();
    project
}

fn at(project: &Project, server: &S3Server, at: &str, arguments: &[&str]) -> Ran {
    run(project.command(at, arguments).envs(server.environment()))
}

#[test]
fn a_bucket_is_refreshed_rolled_back_cleared_up_and_verified() {
    let server = S3Server::start(Profile::good());
    let project = published(&server);
    let run = |day: &str, arguments: &[&str]| at(&project, &server, day, arguments);
    run("2026-11-23", &["verify", "--store", "main", "--deep"]).ok().says("verified");

    server.take_log();
    run("2026-11-24", &["refresh"]).ok().says("nothing was due");
    let asked = server.take_log();
    assert!(asked.len() <= 4, "asking is cheap, and needs no probe: {asked:?}");
    assert!(asked.iter().all(|it| it.starts_with("GET ")), "{asked:?}");

    run(FOURTH_DAY, &["refresh"]).ok().says("signed again 3 timestamps");
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    run(FOURTH_DAY, &["compile", "--onto", "main"]).ok();
    run(FOURTH_DAY, &["publish"]).ok();
    run(FOURTH_DAY, &["rollback", "--to", "2", "--reason", "r"]).ok().says("publication 4 (before: 3)");
    run(FOURTH_DAY, &["verify", "--store", "main", "--deep"]).ok().says("`tenantry gc` takes it in time");

    // What was put by the server's clock is older than any of these days.
    server.set_modified(0);
    let small = ["--keep", "1", "--keep-for", "PT0S"];
    let before = server.contents().len();
    run("2026-11-27", &[&["gc"], &small[..]].concat()).ok().says("deleted 0 objects");
    run("2026-11-28T00:00:01Z", &[&["gc"], &small[..]].concat()).ok().says("kept for the current publication");
    assert!(server.contents().len() < before);
    run("2026-11-28T00:00:01Z", &["verify", "--store", "main", "--deep"]).ok();
    let head = Head::parse(&server.contents()["state/head.json"]).expect("a head");
    assert_eq!((head.reserved, head.drawn), (None, 4));

    // A header that an operator has lost is found.
    let key = server.contents().into_keys().find(|it| it.ends_with("/timestamp.json")).expect("a tenant");
    let bytes = server.contents()[&key].clone();
    server.plant(&key, &bytes);
    run("2026-11-28T00:00:01Z", &["verify", "--store", "main", "--deep"])
        .ends_with(5)
        .says(&format!("{key}: it is served with `Cache-Control: "));
}

/// A store that says yes to everything keeps nobody apart, so nothing is signed for it or deleted from it.
#[test]
fn a_bucket_that_ignores_conditions_is_refused_by_every_job() {
    let server = S3Server::start(Profile::good());
    let project = published(&server);
    server.turn_into(Profile::ignores_conditions());
    let before = server.contents();
    for job in [&["refresh"][..], &["rollback", "--to", "1", "--reason", "r"], &["gc"]] {
        let ran = at(&project, &server, FOURTH_DAY, job);
        match job[0] {
            // There is no way back to what is current, whatever the store.
            "rollback" => ran.ends_with(2),
            _ => ran.ends_with(6).says("does not keep two publishers apart"),
        };
    }
    let left = |it: &String| !it.starts_with("state/probe/");
    assert!(server.contents().into_keys().filter(left).eq(before.into_keys().filter(left)));
}
