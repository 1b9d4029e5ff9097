//! From a proposed change to a device, by the workflows of `docs/ci/github/`.

use std::fs;
use std::path::Path;

use serde_json::json;
use tenantry::index::Index;

use crate::http::Cdn;
use crate::hub::BOT;
use crate::project::{NOW, read, run, small, time};
use crate::scene::Scene;

/// What a device of a tenant may run.
fn device(scene: &Scene, cdn: &Cdn, tenant: &str) -> Vec<String> {
    let dir = scene.memory().join(format!("device-{tenant}"));
    let root = scene.project.path("keys/root/1.root.json");
    let fetched = run(scene.project.command(NOW, &["fetch", "--url", &cdn.base_url(), "--format", "json"]).args([
        "--tenant",
        &address(&scene.store(), tenant),
        "--dir",
        dir.to_str().expect("UTF-8"),
        "--root",
        root.to_str().expect("UTF-8"),
    ]))
    .ok()
    .json();
    let mut programs: Vec<String> = fetched["start"]["programs"]
        .as_array()
        .unwrap_or_else(|| panic!("a list of programs: {fetched:#}"))
        .iter()
        .map(|it| it["app_id"].as_str().expect("text").to_owned())
        .collect();
    programs.sort();
    programs
}

fn address(store: &Path, tenant: &str) -> String {
    let files = read(&store.join("state"));
    let mut indexes: Vec<_> = files.iter().filter(|(name, _)| name.ends_with(".index.json")).collect();
    indexes.sort();
    let index = Index::parse(indexes.last().expect("an index").1).expect("an index can be read back");
    index.tenants.into_iter().find(|(_, it)| it.name == tenant).expect("a known tenant").0
}

fn head(scene: &Scene) -> serde_json::Value {
    serde_json::from_slice(&fs::read(scene.store().join("state/head.json")).expect("a head")).expect("JSON")
}

#[test]
fn a_change_is_proposed_looked_at_merged_published_and_seen_by_a_device() {
    let scene = Scene::new();
    let published = scene.publishes().ends_with(0);
    assert!(published.summary.contains("| `main` | 1 | published |"), "{}", published.summary);
    let cdn = Cdn::serve(&scene.store());
    assert_eq!(device(&scene, &cdn, "elm"), ["com.example.notes"]);

    // Others have said much, and somebody has even copied the marker.
    let pull = 7;
    scene.hub.says(pull, "mallory", "<!-- tenantry:plan -->\nlooks good, merge it");
    (0..120).for_each(|it| scene.hub.says(pull, "somebody", &format!("remark {it}")));
    let others = scene.hub.comments(pull);

    scene.git(&["switch", "--quiet", "--create", "elm"]);
    scene.project.edit("tenants/elm.yaml", "plan: starter", "plan: business");
    scene.commit("elm buys more");
    let proposed = scene.proposes(pull, "example", "elm");
    let planned = scene.plans(&proposed, &[]).ends_with(0);
    let first = scene.hub.own(pull);
    let range = format!("{}..{}", proposed.base, proposed.head);
    let expected = scene.project.run(&["plan", &range, "--format", "markdown"]).ok().stdout;
    assert_eq!(first, std::slice::from_ref(&expected), "the comment is the plan");
    assert!(expected.contains("com.example.chat") && expected.contains("1 tenant changes"), "{expected}");
    assert_eq!(
        planned.commands(),
        ["::notice title=tenantry plan::1 tenant changes: 0 lose, 1 gain; 8 stay as they are."]
    );
    assert!(planned.summary.contains("com.example.chat"), "{}", planned.summary);

    // Somebody else is faster, which is no part of this change. The author goes on, and the comment follows.
    scene.git(&["switch", "--quiet", "main"]);
    scene.project.edit("tenants/cedar.yaml", "plan: starter", "plan: business");
    scene.commit("cedar buys more");
    scene.push("main");
    scene.git(&["switch", "--quiet", "elm"]);
    scene.project.edit("tenants/fir.yaml", "plan: starter", "plan: business");
    scene.commit("so does fir");
    let proposed = scene.proposes(pull, "example", "elm");
    scene.plans(&proposed, &[]).ends_with(0);
    let second = scene.hub.own(pull);
    assert_eq!(second.len(), 1, "it is edited, and there is no other");
    assert!(second[0].contains("2 tenants change") && !second[0].contains("cedar"), "{}", second[0]);
    assert_eq!(scene.hub.comments(pull)[..others.len()], others, "nobody else's is touched");
    assert_eq!(scene.comments(&proposed).ends_with(0).log, "", "there is nothing to do for the second workflow");

    scene.git(&["switch", "--quiet", "main"]);
    scene.git(&["merge", "--quiet", "--no-ff", "--message", "::error::elm and fir buy more", "elm"]);
    scene.push("main");
    let published = scene.publishes().ends_with(0);
    assert_eq!(published.commands(), Vec::<&str>::new(), "{}", published.log);
    assert_eq!(device(&scene, &cdn, "elm"), ["com.example.chat", "com.example.notes"]);
    assert_eq!(device(&scene, &cdn, "acorn"), ["com.example.notes"]);
    let record = head(&scene);
    assert_eq!(record["current"]["publication"], 2);
    assert_eq!(record["current"]["commit"], scene.git(&["rev-parse", "HEAD"]));
    assert_eq!(record["current"]["reason"], "::error::elm and fir buy more");

    // Days later a job that has nothing but the one key.
    let later = time(NOW).unix() + 5 * 86_400;
    let refreshed = scene.refreshes(later).ends_with(0);
    assert!(refreshed.log.contains("signed again 9 timestamps and 0 entitlements"), "{}", refreshed.log);
    assert_eq!(head(&scene)["current"]["kind"], "refresh");
    assert!(scene.hub.leaked().is_empty(), "no token went to another host");
    assert!(scene.hub.comments(pull).iter().filter(|it| it.author == BOT).count() == 1);
}

#[test]
fn a_guard_stops_the_job_says_where_and_lets_pass_what_a_label_allows() {
    let scene = Scene::new();
    for name in ["x-ray", "yankee", "zulu"] {
        scene.project.edit(&format!("tenants/{name}.yaml"), "plan: business", "plan: starter");
    }
    scene.commit("three want less");
    let proposed = scene.proposes(8, "example", "less");
    let stopped = scene.plans(&proposed, &["bug", "tenantry-allow:revocations=2"]).ends_with(6);
    assert_eq!(
        stopped.commands(),
        [
            "::notice title=tenantry plan::3 tenants change: 3 lose; 6 stay as they are.",
            "::error title=guard revocations::3 tenants would lose a mini-program; up to 2 may: x-ray, yankee, zulu%0A2 was allowed, and the number must be exact: look at the losses, or `--allow revocations=3`",
        ]
    );
    let said = scene.hub.own(8);
    assert!(said.len() == 1 && said[0].contains("**Stopped** by the guard `revocations`"), "{said:?}");
    let label = "whoever may triage sets as labels: `tenantry-allow:revocations=3`. The plan is then made again.\n";
    assert!(said[0].ends_with(label), "{said:?}");

    let passed = scene.plans(&proposed, &["tenantry-allow:revocations=3", "tenantry-allow:$(touch x)=1"]).ends_with(0);
    assert!(passed.commands().iter().any(|it| it.starts_with("::warning title=guard revocations::3 tenants")));
    let said = scene.hub.own(8);
    assert!(said.len() == 1 && said[0].contains("▲ allowed · `revocations`"), "{said:?}");
    assert!(!said[0].contains("may triage"));
}

#[test]
fn errors_stand_at_their_lines_and_no_old_plan_is_left_to_be_believed() {
    let scene = Scene::new();
    scene.project.edit("tenants/elm.yaml", "plan: starter", "plan: business");
    scene.commit("elm buys more");
    scene.plans(&scene.proposes(9, "example", "elm"), &[]).ends_with(0);
    assert!(scene.hub.own(9)[0].contains("1 tenant changes"));

    scene.project.edit("tenants/elm.yaml", "plan: business", "plan: busines");
    scene.commit("a slip");
    let ran = scene.plans(&scene.proposes(9, "example", "elm"), &[]).ends_with(1);
    let text = fs::read_to_string(scene.project.path("tenants/elm.yaml")).expect("reads");
    let line = text.lines().position(|it| it.contains("busines")).expect("it is there") + 1;
    assert_eq!(
        ran.commands(),
        [format!(
            "::error file=tenants/elm.yaml,line={line},endLine={line},col=9,endColumn=15,title=unknown-plan::no plan `busines` in the catalogue%0Adid you mean `business`?"
        )]
    );
    assert!(ran.summary.contains("| ✕&nbsp;error `unknown-plan` | `tenants/elm.yaml:6:9` |"), "{}", ran.summary);
    let said = scene.hub.own(9);
    assert!(said.len() == 1 && said[0].contains("There is no plan: the project has errors."), "{said:?}");
}

#[test]
fn a_tenant_that_changes_its_own_terms_is_shown_where_it_does() {
    let scene = Scene::new();
    scene.project.edit("tenants/elm.yaml", "spec:\n", "spec:\n  data_region: eu\n");
    scene.commit("elm wants its data elsewhere");
    let proposed = scene.proposes(12, "example", "elm");
    let stopped = scene.plans(&proposed, &[]).ends_with(6);
    let said = stopped.commands();
    assert!(
        said[1].starts_with("::error file=tenants/elm.yaml,line=5,endLine=5,col=16,endColumn=17,title=guard own_terms::the document of 1 tenant changes"),
        "{said:?}"
    );
    scene.plans(&proposed, &["tenantry-allow:own_terms=1"]).ends_with(0);
}

#[test]
fn several_projects_of_a_repository_have_a_comment_each() {
    let scene = Scene::new();
    for (path, text) in small() {
        scene.project.write(&format!("staging/{path}"), text);
    }
    scene.commit("another project");
    scene.push("main");
    scene.git(&["fetch", "--quiet", "origin"]);
    scene.project.edit("staging/tenants/bolt.yaml", "plan: starter", "plan: business");
    scene.commit("bolt buys more");
    let (text, reading) = (scene.workflow("plan.yml"), scene.workflow("comment.yml"));
    let staging = text
        .replace("          token: ", "          project: staging\n          name: staging\n          token: ")
        .replace("name: tenantry-plan\n", "name: tenantry-plan-staging\n");
    let ours = scene.proposes(13, "example", "bolt");
    for workflow in [&text, &staging, &text, &staging] {
        scene.plans_by(workflow, &ours, &[]).ends_with(0);
    }
    let said = scene.hub.own(13);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("<!-- tenantry:plan -->\n### tenantry plan · ") && said[0].contains("No changes."));
    assert!(said[1].starts_with("<!-- tenantry:plan staging -->\n### tenantry plan of staging · "), "{}", said[1]);
    assert!(said[1].contains("1 tenant changes"));

    let theirs = scene.proposes(14, "mallory", "bolt");
    let reading_staging = reading.replace("          token: ", "          name: staging\n          token: ");
    for _ in 0..2 {
        scene.plans_by(&staging, &theirs, &[]).ends_with(0);
        scene.comments_by(&reading, &theirs).ends_with(0);
        scene.comments_by(&reading_staging, &theirs).ends_with(0);
    }
    let said = scene.hub.own(14);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("<!-- tenantry:plan staging -->\n### tenantry plan of staging, from a fork\n"),
        "{}",
        said[0]
    );
}

#[test]
fn nothing_is_published_with_keys_that_are_not_real() {
    let scene = Scene::new();
    scene.git(&["rm", "-r", "--quiet", "--cached", "keys"]);
    scene.project.write(".gitignore", "keys\n");
    scene.commit("no keys");
    scene.push("main");
    let refused = scene.publishes().ends_with(6);
    assert!(refused.log.contains("there is no root below the keys of the project"), "{}", refused.log);
    assert!(refused.log.contains("::error title=tenantry publish::"));

    // Somebody means well, and commits what a compile on their machine has made.
    scene.project.run(&["compile", "--out", "target/out", "--keys", "nowhere"]).ends_with(3);
    fs::rename(scene.project.path("keys"), scene.memory().join("real-keys")).expect("renames");
    scene.project.run(&["compile", "--out", "target/out"]).ok();
    fs::rename(scene.project.path(".tenantry/development-keys"), scene.project.path("keys")).expect("renames");
    scene.project.write(".gitignore", "/target\n*.pem\n*.secret\n.tenantry\n");
    scene.commit("keys");
    scene.push("main");
    let refused = scene.publishes().ends_with(6);
    assert!(refused.log.contains("throw-away development keys"), "{}", refused.log);
    let refused = scene.refreshes(time(NOW).unix()).ends_with(6);
    assert!(refused.log.contains("throw-away development keys"), "{}", refused.log);
    assert!(!scene.store().exists(), "nothing has reached the store");
}

#[test]
fn somebody_else_is_first_and_the_job_begins_again() {
    let scene = Scene::new();
    scene.publishes().ends_with(0);
    scene.project.edit("tenants/elm.yaml", "plan: starter", "plan: business");
    scene.commit("elm buys more");
    scene.push("main");
    // Between the compile and the publishing of the job another one publishes the same store.
    let tools = scene.outside("tools");
    let flag = scene.outside("was-there");
    fs::create_dir(&tools).expect("makes a folder");
    let (binary, project, out) = (env!("CARGO_BIN_EXE_tenantry"), scene.project.path(""), scene.outside("other"));
    let intruder = format!(
        "#!/bin/sh\ncase \" $* \" in *\" publish \"*) if ! [ -e {flag} ]; then touch {flag}; {binary} --project {project} refresh --all >&2; fi;; esac\nexec {binary} \"$@\"\n",
        flag = flag.display(),
        project = project.display(),
    );
    fs::write(tools.join("tenantry"), intruder).expect("writes");
    run(std::process::Command::new("chmod").args(["+x", "tenantry"]).current_dir(&tools)).ok();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("a path"));
    let published = scene.publishes_with(&[("PATH", &path), ("TENANTRY_WAIT", "0")]).ends_with(0);
    assert!(published.log.contains("somebody else was first; once more"), "{}", published.log);
    assert_eq!(head(&scene)["current"]["publication"], 3);
    assert!(!out.exists());

    fs::remove_file(&flag).expect("removes");
    scene.project.edit("tenants/fir.yaml", "plan: starter", "plan: business");
    scene.commit("fir too");
    scene.push("main");
    let given_up = [("PATH", &*path), ("TENANTRY_TRIES", "1")];
    let refused = scene.publishes_with(&given_up).ends_with(4);
    assert!(refused.log.contains("::error title=tenantry publish::somebody else was first, again and again"));
}

#[test]
fn an_archive_that_is_not_the_one_is_never_run() {
    let scene = Scene::new();
    let (url, sha256) = scene.archive().clone();
    let text = scene.workflow("refresh.yml");
    for (given, code, said) in [
        ("1".repeat(64), 5, "the archive is not the one that was asked for: its SHA-256 is"),
        (String::new(), 2, "an archive needs its SHA-256"),
        ("$(touch /tmp/x)".into(), 2, "an archive needs its SHA-256"),
    ] {
        let text = text.replace(&format!("sha256: {sha256}"), &format!("sha256: \"{given}\""));
        let ran = scene.runs(&text, &[]).ends_with(code);
        assert!(ran.log.contains(said), "{}", ran.log);
        assert!(!ran.log.contains("tenantry 0."), "it was not started");
    }
    let ran = scene.runs(&text.replace(&url, &format!("{url}.gone")), &[]).ends_with(3);
    assert!(ran.log.contains("the archive cannot be fetched"), "{}", ran.log);
}

#[test]
fn without_an_archive_it_is_built_from_the_commit_that_the_action_is_pinned_to() {
    let scene = Scene::new();
    let is_archive =
        |it: &&str| !["with: # without", "archive: ", "sha256: "].iter().any(|key| it.trim_start().starts_with(key));
    let text: String = scene.workflow("publish.yml").lines().filter(is_archive).map(|it| format!("{it}\n")).collect();
    assert!(!text.contains("release.tar.gz"));
    let tools = scene.outside("tools");
    fs::create_dir(&tools).expect("makes a folder");
    let asked = scene.outside("asked");
    let cargo = format!(
        "#!/bin/sh\necho \"$*\" > {}\nfor last; do true; done\nln -s {} \"$last/bin/tenantry\"\n",
        asked.display(),
        env!("CARGO_BIN_EXE_tenantry")
    );
    fs::write(tools.join("cargo"), cargo).expect("writes");
    run(std::process::Command::new("chmod").args(["+x", "cargo"]).current_dir(&tools)).ok();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("a path"));
    scene.runs(&text, &[("SYSTEM_PATH", &path)]).ends_with(0);
    let asked = fs::read_to_string(asked).expect("cargo was asked");
    let expected = format!("install --quiet --locked --path {} --root ", env!("CARGO_MANIFEST_DIR"));
    assert!(asked.starts_with(&expected), "{asked}");
}

#[test]
fn a_publication_takes_no_more_away_than_the_label_of_what_was_merged_says() {
    let scene = Scene::new();
    scene.publishes().ends_with(0);
    for name in ["x-ray", "yankee", "zulu"] {
        scene.project.edit(&format!("tenants/{name}.yaml"), "plan: business", "plan: starter");
    }
    let commit = scene.commit("past every review");
    scene.push("main");
    let stopped = scene.publishes().ends_with(6);
    assert!(stopped.log.contains("3 tenants of store `main` would lose a mini-program"), "{}", stopped.log);
    assert!(stopped.log.contains("::error title=tenantry publish::a guard stopped it"));
    assert_eq!(head(&scene)["current"]["publication"], 1);

    scene.hub.opens(json!({
        "number": 5, "merged_at": "2026-11-23T00:00:00Z", "merge_commit_sha": commit, "head": { "sha": "x" },
        "labels": [{ "name": "tenantry-allow:revocations=3" }],
    }));
    scene.publishes().ends_with(0);
    let record = head(&scene);
    assert_eq!(record["current"]["publication"], 2);
    assert_eq!(record["current"]["overrides"], json!([{ "guard": "revocations", "number": 3, "limit": 2 }]));
}

/// Labels that somebody set on the pull request that was merged, and on others that were not.
#[test]
fn what_reviewers_have_let_pass_is_handed_to_the_publication() {
    let scene = Scene::new();
    let commit = scene.git(&["rev-parse", "HEAD"]);
    let labels = |names: &[&str]| -> Vec<serde_json::Value> { names.iter().map(|it| json!({ "name": it })).collect() };
    let merged = |number: u64, at: Option<&str>, commit: &str, names: &[&str]| json!({ "number": number, "merged_at": at, "merge_commit_sha": commit, "head": { "sha": "x" }, "labels": labels(names) });
    let hostile = ["bug", "tenantry-allow:own_terms=1", "tenantry-allow:revocations=1 --take-over", "--take-over"];
    scene.hub.opens(merged(
        1,
        Some("2026-11-23T00:00:00Z"),
        &commit,
        &[&hostile[..], &["tenantry-allow:revocations=3"]].concat(),
    ));
    scene.hub.opens(merged(2, None, &commit, &["tenantry-allow:revocations=100"]));
    scene.hub.opens(merged(3, Some("2026-11-23T00:00:00Z"), "another", &["tenantry-allow:revocations=200"]));

    let tools = scene.outside("tools");
    fs::create_dir(&tools).expect("makes a folder");
    let asked = scene.outside("asked");
    let spy = format!(
        "#!/bin/sh\ncase \" $* \" in *\" publish \"*) echo \"$*\" > {}; echo '{{\"event\":\"done\",\"stores\":[],\"failed\":[]}}'; exit 0;; esac\nexec {} \"$@\"\n",
        asked.display(),
        env!("CARGO_BIN_EXE_tenantry"),
    );
    fs::write(tools.join("tenantry"), spy).expect("writes");
    run(std::process::Command::new("chmod").args(["+x", "tenantry"]).current_dir(&tools)).ok();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("a path"));
    scene.publishes_with(&[("PATH", &path)]).ends_with(0);
    let allowed = || {
        let text = fs::read_to_string(&asked).expect("it was asked to publish");
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        words.windows(2).filter(|it| it[0] == "--allow").map(|it| it[1].clone()).collect::<Vec<String>>()
    };
    assert_eq!(allowed(), ["revocations=3"]);

    let by_hand = |allow: &str| {
        scene.workflow("publish.yml").replace("allow: ${{ inputs.allow }}", &format!("allow: \"{allow}\""))
    };
    scene.runs(&by_hand("revocations=7\\nempty=1"), &[("PATH", &path)]).ends_with(0);
    assert_eq!(allowed(), ["revocations=7", "empty=1", "revocations=3"]);
    fs::remove_file(&asked).expect("removes");
    scene.runs(&by_hand("revocations=7 --take-over"), &[("PATH", &path)]).ends_with(2);
    assert!(!asked.exists());
}

#[test]
fn a_role_is_taken_on_with_a_token_that_github_gives_and_no_secret() {
    let scene = Scene::new();
    let role = "arn:aws:iam::123456789012:role/publish";
    let text = scene.workflow("publish.yml").replace("${{ vars.TENANTRY_AWS_ROLE }}", role);
    let refused = scene.runs(&text, &[]).ends_with(2);
    assert!(refused.log.contains("a role needs `permissions: id-token: write`"), "{}", refused.log);

    // What the program sees of it.
    let tools = scene.outside("tools");
    fs::create_dir(&tools).expect("makes a folder");
    let seen = scene.outside("seen");
    let spy = format!(
        "#!/bin/sh\ncase \" $* \" in *\" publish \"*) echo \"$AWS_ROLE_ARN $AWS_ROLE_SESSION_NAME $(cat \"$AWS_WEB_IDENTITY_TOKEN_FILE\")\" > {};; esac\nexec {} \"$@\"\n",
        seen.display(),
        env!("CARGO_BIN_EXE_tenantry"),
    );
    fs::write(tools.join("tenantry"), spy).expect("writes");
    run(std::process::Command::new("chmod").args(["+x", "tenantry"]).current_dir(&tools)).ok();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("a path"));
    let url = scene.hub.offer("identity", b"{\"value\":\"who-this-is\"}".to_vec());
    let more = [
        ("PATH", &*path),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &format!("{url}?api-version=2.0")),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "a-token-to-ask-with"),
    ];
    let published = scene.runs(&text, &more).ends_with(0);
    assert_eq!(fs::read_to_string(seen).expect("it ran"), format!("{role} tenantry-publish who-this-is\n"));
    assert!(!published.log.contains("who-this-is"), "it is not said");
    assert_eq!(scene.hub.leaked(), ["a-token-to-ask-with"], "where it belongs");
}
