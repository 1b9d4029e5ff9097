//! The web shell beside the tenants: written into a folder, and put into stores.

use std::collections::BTreeMap;
use std::fs;

use tenantry::store::Store as _;

use crate::project::{Files, NOW, Project, changed, read, run, small, write_fixed_keys};
use crate::s3_server::{Profile, S3Server};

const FRAMES: &str = "https://{label}.apps.example.com/";

const KEYS: [&str; 4] = ["frames/-/host.html", "frames/-worker.js", "shell/index.html", "shell/worker.js"];

/// A project with stores, compiled and signed with keys that are no throw-away ones.
fn project(stores: &str) -> Project {
    let project = Project::in_memory(small());
    write_fixed_keys(&project.path("keys"), "production");
    project.edit("tenantry.yaml", "spec:\n", &format!("spec:\n  stores: {stores}\n"));
    project.compile();
    project
}

fn shell<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["shell", "--frames", FRAMES, "--platform", "15"], more].concat()
}

/// What belongs to the shell in a store that is a directory, or in the folder that it was written into.
fn shell_in(project: &Project, folder: &str) -> Files {
    let mut files = read(&project.path(folder));
    files.retain(|key, _| key.starts_with("shell/") || key.starts_with("frames/"));
    files
}

#[test]
fn what_is_written_is_what_is_put_and_the_same_each_time() {
    let project = project("[{ name: main, directory: public }]");
    project.run(&["publish"]).ok();
    project.run(&shell(&["--out", "web", "--store", "main"])).ok().says("main: put 4 files of the shell");
    let written = shell_in(&project, "web");
    assert_eq!(written.keys().map(|it| &**it).collect::<Vec<_>>(), KEYS);
    assert_eq!(changed(&written, &shell_in(&project, "public")), [""; 0]);
    project.run(&shell(&["--store", "main"])).ok().says("main: the shell, as before");

    // It trusts the project's own first root, byte for byte.
    let page = String::from_utf8(written["shell/index.html"].clone()).expect("text");
    let given = page.split("id=\"given\">").nth(1).and_then(|it| it.split("</script>").next()).expect("it is there");
    let given: serde_json::Value = serde_json::from_str(given).expect("JSON");
    assert_eq!(given["root"].as_str().map(str::as_bytes), Some(&*project.root()));
    assert_eq!(given["config"], serde_json::json!({ "base": "../", "frames": FRAMES, "platform": 15 }));

    // Another configuration is another page, and its worker says so; the programs' origins know neither.
    project.run(&[&shell(&["--store", "main"])[..], &["--base", "https://cdn.example.com/"]].concat()).ok();
    assert_eq!(changed(&written, &shell_in(&project, "public")), ["shell/index.html", "shell/worker.js"]);
}

#[test]
fn whatever_looks_after_publications_leaves_the_shell_alone() {
    let project = project("[{ name: main, directory: public }]");
    project.run(&["publish"]).ok();
    project.run(&shell(&["--store", "main"])).ok();
    let before = shell_in(&project, "public");
    project.run_at(NOW, &["verify", "--store", "main", "--deep"]).ok();
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    project.compile();
    project.run(&["publish"]).ok();
    let collect = ["gc", "--keep", "1", "--keep-for", "PT0S", "--grace", "PT0S"];
    project.run_at("2030-01-01", &collect).ok();
    project.run_at("2030-01-02", &collect).ok().says("deleted");
    assert_eq!(changed(&before, &shell_in(&project, "public")), [""; 0]);
    assert_eq!(before.len(), KEYS.len());
}

#[test]
fn in_a_bucket_each_file_has_the_headers_that_browsers_need() {
    let server = S3Server::start(Profile::good());
    let project = project(&format!("[{}]", server.yaml("main")));
    let put = || run(project.command(NOW, &shell(&["--store", "main", "--format", "json"])).envs(server.environment()));
    let said = put().ok().json();
    assert_eq!(said["put"]["main"], serde_json::json!(KEYS));
    let headers = |key: &str| {
        let served = server.store().served(key).expect("it answers").expect("it is there");
        (served.content_type.unwrap_or_default(), served.cache_control.unwrap_or_default())
    };
    let (html, script) = ("text/html; charset=utf-8".to_owned(), "text/javascript; charset=utf-8".to_owned());
    let there: BTreeMap<&str, (String, String)> = KEYS.map(|it| (it, headers(it))).into();
    let no_cache = || "no-cache".to_owned();
    assert_eq!(
        there,
        BTreeMap::from([
            (KEYS[0], (html.clone(), no_cache())),
            (KEYS[1], (script.clone(), no_cache())),
            (KEYS[2], (html, no_cache())),
            (KEYS[3], (script, no_cache())),
        ])
    );
    for file in said["files"].as_array().expect("a list") {
        let key = file["key"].as_str().expect("a key");
        let (content_type, cache_control) = &there[key];
        assert_eq!(
            (&file["content_type"], &file["cache_control"]),
            (&(**content_type).into(), &(**cache_control).into())
        );
    }
    server.take_log();
    assert_eq!(put().ok().json()["put"]["main"], serde_json::json!([]));
    assert_eq!(server.take_log(), KEYS.map(|it| format!("GET {it}")));
}

#[test]
fn what_cannot_be_deployed_is_refused_with_a_reason() {
    let project = project("[{ name: main, directory: public }]");
    project.run(&["shell", "--frames", FRAMES, "--platform", "15"]).ends_with(2).says("--out");
    project.run(&["shell", "--frames", "https://apps.example.com/", "--platform", "15", "--out", "web"]).ends_with(2);
    project
        .run(&[&shell(&["--out", "web"])[..], &["--base", "https://cdn.example.com"]].concat())
        .ends_with(2)
        .says("ends with");
    project.run(&shell(&["--store", "other"])).ends_with(2).says("no store `other`");
    fs::write(project.path("no-root.json"), "<html>").expect("it is written");
    project.run(&shell(&["--out", "web", "--root", "no-root.json"])).ends_with(5).says("this is no root");
    project.run(&shell(&["--out", "web", "--root", "absent.json"])).ends_with(3).says("`absent.json`");
    assert!(!project.path("web").exists());
}
