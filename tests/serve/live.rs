//! A server follows its project, and never shows anything half-made.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tenantry::index::keys;

use crate::project::{NOW, Project};
use crate::raw::get;
use crate::serving::Serving;
use crate::{development, serve};

/// The version of a tenant's timestamp as it is served.
fn version(address: SocketAddr, addr: &str) -> u64 {
    let answer = get(address, &format!("/{}", keys::timestamp(addr)), &[]);
    let timestamp: Value = serde_json::from_slice(&answer.body).expect("JSON");
    timestamp["signed"]["version"].as_u64().expect("a version")
}

/// Every file that leads from a tenant's timestamp to its programs can be had.
fn is_whole(address: SocketAddr, addr: &str, version: u64) {
    for key in [keys::snapshot(addr, version), keys::targets(addr, version)] {
        assert_eq!(get(address, &format!("/{key}"), &[]).status, 200, "{key}");
    }
    let targets: Value =
        serde_json::from_slice(&get(address, &format!("/{}", keys::targets(addr, version)), &[]).body).expect("JSON");
    for (name, target) in targets["signed"]["targets"].as_object().expect("targets") {
        let sha256 = target["hashes"]["sha256"].as_str().expect("a digest");
        assert_eq!(get(address, &format!("/o/{sha256}.{name}"), &[]).status, 200, "{name} of {version}");
    }
}

#[test]
fn what_was_never_compiled_is_compiled_first() {
    let project = development();
    let server = serve(&project, &[]);
    server.says("publication 1: 3 changed");
    is_whole(server.address(), &project.addr("acme"), 1);
}

#[test]
fn a_change_is_served_a_moment_later_and_what_was_there_stays_to_be_had() {
    let project = development();
    let server = serve(&project, &[]);
    let (acme, bolt) = (project.addr("acme"), project.addr("bolt"));
    project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    server.says("publication 2: 1 changed");
    assert_eq!((version(server.address(), &acme), version(server.address(), &bolt)), (2, 1));
    is_whole(server.address(), &acme, 2);
    // Somebody may have read the first timestamp a moment ago.
    is_whole(server.address(), &acme, 1);
    project.remove("tenants/bolt.yaml");
    server.says("publication 3: 0 changed");
    assert_eq!(version(server.address(), &bolt), 1, "publishing takes nothing away");
    is_whole(server.address(), &acme, 1);

    let (code, talk) = server.interrupt();
    assert_eq!(code, 0, "{talk}");
    assert!(!project.path("out/state/kept").exists(), "what was kept for others is forgotten");
    project.run(&["verify", "out"]).ok();
}

#[test]
fn a_mistake_is_said_and_the_old_publication_stays() {
    let project = development();
    let server = serve(&project, &[]);
    let acme = project.addr("acme");
    project.edit("tenants/acme.yaml", "plan: business", "plan: busines");
    server.says("error[unknown-plan]");
    server.says("still serving the publication before");
    assert_eq!(version(server.address(), &acme), 1);
    is_whole(server.address(), &acme, 1);
    project.edit("tenants/acme.yaml", "plan: busines", "plan: starter");
    server.says("publication 2: 1 changed");
    assert_eq!(version(server.address(), &acme), 2);
}

#[test]
fn a_mistake_at_the_start_stops_only_where_there_is_nothing_to_serve() {
    let project = development();
    project.edit("tenants/acme.yaml", "plan: business", "plan: busines");
    project.run(&["serve", "--port", "0"]).ends_with(1).says("error[unknown-plan]");

    project.edit("tenants/acme.yaml", "plan: busines", "plan: business");
    project.run(&["compile"]).ok();
    project.edit("tenants/acme.yaml", "plan: business", "plan: busines");
    let server = serve(&project, &[]);
    server.says("error[unknown-plan]");
    assert_eq!(version(server.address(), &project.addr("acme")), 1);
}

#[test]
fn changes_of_before_the_start_are_compiled_unless_nobody_watches() {
    let project = development();
    project.run(&["compile"]).ok();
    let acme = project.addr("acme");
    project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    let idle = serve(&project, &["--no-watch"]);
    assert_eq!((version(idle.address(), &acme), idle.talk().as_str()), (1, ""));
    let server = serve(&project, &[]);
    assert_eq!(version(server.address(), &acme), 2);
    // The other one reads what is there now.
    assert_eq!(version(idle.address(), &acme), 2);
}

#[test]
fn a_copied_folder_is_served_without_a_project_beside_it() {
    let project = development();
    project.run(&["compile"]).ok();
    let acme = project.addr("acme");
    let copy = Project::new([("note.txt", "")]);
    for (key, bytes) in project.public() {
        copy.write(&format!("site/{key}"), bytes);
    }
    let server = serve(&copy, &["--out", "site"]);
    assert_eq!(version(server.address(), &acme), 1);
    assert_eq!(server.talk(), "");
    assert!(!copy.path("site/state").exists(), "nothing was written");
}

#[test]
fn another_compile_at_work_is_waited_for() {
    use std::fs::File;
    let project = development();
    let server = serve(&project, &[]);
    let lock = File::open(project.path("out/state/lock")).expect("there is a lock");
    lock.lock().expect("nobody else holds it now");
    project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    server.says("another compile is writing");
    drop(lock);
    server.says("publication 2: 1 changed");
    assert_eq!(server.talk().matches("another compile is writing").count(), 1, "said once:\n{}", server.talk());
}

#[test]
fn the_instant_of_every_compile_can_be_named() {
    let project = development();
    let server = serve(&project, &["--at", "2026-12-24"]);
    let answer = get(server.address(), &format!("/{}", keys::timestamp(&project.addr("acme"))), &[]);
    assert!(answer.text().contains("\"expires\":\"2026-12-31T00:00:00Z\""), "{}", answer.text());
    project.run_at(NOW, &["serve", "--at", "tomorrow"]).ends_with(2);
}

#[test]
fn the_report_follows_the_project_and_is_for_this_machine_alone() {
    let project = development();
    let server = serve(&project, &[]);
    let report = |headers: &[(&str, &str)]| get(server.address(), "/report/report.json", headers);
    let plan_of = |bytes: &[u8]| {
        let report: Value = serde_json::from_slice(bytes).expect("JSON");
        assert_eq!(report["tenants"][0]["name"], "acme");
        report["plans"][report["tenants"][0]["plan"].as_u64().expect("a plan") as usize].clone()
    };
    let first = report(&[]);
    assert_eq!(plan_of(&first.body), "business");
    let etag = first.header("etag").expect("a version").to_owned();
    assert_eq!(report(&[("If-None-Match", &etag)]).status, 304);
    project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    server.says("publication 2: 1 changed");
    // It is said a moment before the report knows.
    let asked = (0..100).map(|_| report(&[("If-None-Match", &etag)]));
    let mut news = asked.inspect(|it| {
        if it.status == 304 {
            thread::sleep(Duration::from_millis(50))
        }
    });
    let second = news.find(|it| it.status == 200).expect("another report");
    assert_eq!(plan_of(&second.body), "starter");

    let page = get(server.address(), "/report/", &[]);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let rules = page.header("content-security-policy").expect("rules");
    assert!(rules.contains("connect-src 'self'") && rules.ends_with("frame-ancestors 'none'"), "{rules}");
    assert_eq!(get(server.address(), "/report", &[]).header("location"), Some("/report/"));
    let home = String::from_utf8(get(server.address(), "/", &[("Accept", "text/html")]).body).expect("text");
    assert!(home.contains("<a href=\"/report/\">"), "{home}");
    // A page elsewhere that has our address under a name of its own.
    for path in ["/report/", "/report/report.json"] {
        assert_eq!(get(server.address(), path, &[("Host", "rebound.example")]).status, 404, "{path}");
    }
    assert_eq!(get(server.address(), "/report/other", &[]).status, 404);
}

#[test]
fn nobody_is_shown_a_report_on_what_production_keys_signed() {
    let project = Project::small();
    project.compile();
    let server = serve(&project, &[]);
    assert_eq!(get(server.address(), "/report/report.json", &[]).status, 404);
    assert_eq!(get(server.address(), "/report/", &[]).status, 404);
}

/// Somebody's browser is played by a program of its name.
#[cfg(target_os = "linux")]
#[test]
fn whoever_wants_to_look_is_shown_the_shell_and_the_report() {
    use std::os::unix::fs::PermissionsExt as _;

    let project = development();
    let (folder, opened) = (project.path("bin"), project.path("opened"));
    let browser = format!("#!/bin/sh\necho \"$1\" >> '{}'\n", opened.display());
    project.write("bin/xdg-open", browser);
    fs::set_permissions(folder.join("xdg-open"), fs::Permissions::from_mode(0o755)).expect("sets a mode");
    let mut command = project.command(NOW, &["serve", "--port", "0", "--open"]);
    let path = std::env::var("PATH").expect("a path");
    command.env("PATH", format!("{}:{path}", folder.display()));
    let server = Serving::start(command);
    let port = server.address().port();
    server.says(&format!("the shell opens at http://shell.localhost:{port}/shell/"));
    server.says(&format!("the report opens at http://localhost:{port}/report/"));
    let looks = (0..400).map(|_| fs::read_to_string(&opened).unwrap_or_default());
    let mut looks = looks.inspect(|_| thread::sleep(Duration::from_millis(25)));
    let shown = looks.find(|it| it.lines().count() == 2).expect("two pages");
    let mut shown: Vec<&str> = shown.lines().collect();
    shown.sort_unstable();
    assert_eq!(shown, [format!("http://localhost:{port}/report/"), format!("http://shell.localhost:{port}/shell/")]);
}
