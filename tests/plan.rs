//! `tenantry plan` as people and CI run it, on scratch repositories.
#![expect(clippy::disallowed_methods, reason = "tests write projects, run the command and read what it wrote")]

use std::fs;

use project::{Project, catalog, document, program, small, tenant};
use repository::Repository;
use serde_json::json;

#[path = "ci/expressions.rs"]
mod expressions;
#[path = "ci/forks.rs"]
mod forks;
#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "support/http.rs"]
mod http;
#[path = "ci/hub.rs"]
mod hub;
#[path = "ci/journey.rs"]
mod journey;
#[path = "ci/lint.rs"]
mod lint;
#[path = "support/project.rs"]
mod project;
#[path = "ci/recipes.rs"]
mod recipes;
#[path = "ci/runner.rs"]
mod runner;
#[path = "ci/scene.rs"]
mod scene;
#[path = "plan/guards.rs"]
mod guards;
#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "support/parts.rs"]
mod parts;
#[path = "plan/published.rs"]
mod published;
#[path = "plan/readme.rs"]
mod readme;
#[path = "plan/rendered.rs"]
mod rendered;
#[path = "plan/repository.rs"]
mod repository;
#[path = "plan/report.rs"]
mod report;
#[path = "plan/rollout.rs"]
mod rollout;
#[path = "plan/simulated.rs"]
mod simulated;

#[test]
fn nothing_changed_takes_one_line_and_ends_well() {
    let repository = Repository::small();
    let ran = repository.plan(&["--exit-code"]).ok();
    assert!(ran.stdout.contains("Plan: No changes. 9 tenants stay as they are.\n"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
    let comment = repository.plan(&["--format", "markdown"]).ok().stdout;
    assert!(comment.starts_with("<!-- tenantry:plan -->\n### tenantry plan"), "{comment}");
    assert!(comment.contains("**No changes. 9 tenants stay as they are.**"), "{comment}");
}

#[test]
fn an_edit_of_a_plan_is_one_class_with_its_reason() {
    let repository = Repository::small();
    repository.edit(
        "catalog/plans/starter.yaml",
        "com.example.notes\n",
        "com.example.notes\n    - app_id: com.example.chat\n",
    );
    assert_eq!(repository.changes(&[]), ["gain com.example.chat: → 1.0.0 (in_plan) acorn,birch,cedar,dogwood,elm,fir"]);
    let ran = repository.plan(&["--exit-code"]).ends_with(10);
    for line in [
        "+ gain  6 tenants of plan `starter`",
        "get `com.example.chat` 1.0.0",
        "because plan `starter` contains it (`catalog/plans/starter.yaml:8`)",
        "Plan: 6 tenants change: 0 lose, 6 gain; 3 stay as they are.",
        "a device downloads ",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    assert!(ran.stdout.contains("No bundle to upload"), "three tenants have it already: {}", ran.stdout);
    repository.plan(&[]).ok();
}

#[test]
fn the_working_directory_is_compared_with_where_it_left_the_default_branch() {
    let repository = Repository::small();
    repository.git(&["switch", "--quiet", "--create", "topic"]);
    repository.edit("tenants/elm.yaml", "plan: starter", "plan: business");
    repository.commit("elm buys more");
    repository.git(&["switch", "--quiet", "main"]);
    repository.edit("tenants/fir.yaml", "plan: starter", "plan: business");
    let main = repository.commit("fir buys more");
    repository.git(&["switch", "--quiet", "topic"]);

    let elm = |it: &str| {
        ["gain com.example.chat: → 1.0.0 (in_plan)", "term plan: starter → business (tenant)"]
            .map(|line| format!("{line} {it}"))
    };
    assert_eq!(repository.changes(&[]), elm("elm"), "what others did on main is not shown");
    assert_eq!(repository.changes(&["main...topic"]), elm("elm"));
    assert_eq!(repository.changes(&["main...HEAD"]), elm("elm"));
    let both = repository.changes(&["main..topic"]);
    assert!(both.iter().any(|it| it.contains("lose com.example.chat: 1.0.0 → (not_entitled) fir")), "{both:?}");
    assert_eq!(repository.changes(&["main"]), both, "the working directory is the tip of topic");
    assert_eq!(repository.changes(&["..main"]), repository.changes(&["topic..main"]));

    let plan = repository.json(&["topic..main"]);
    assert_eq!(plan["head"]["commit"], main);
    assert_eq!(repository.json(&[])["head"]["commit"], json!(null));
    assert_eq!(repository.git(&["status", "--porcelain"]), "", "nothing was checked out");
    assert_eq!(repository.git(&["branch", "--show-current"]), "topic");
}

#[test]
fn the_default_branch_is_what_origin_says() {
    let repository = Repository::small();
    repository.git(&["branch", "release"]);
    repository.git(&["update-ref", "refs/remotes/origin/release", "HEAD"]);
    repository.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release"]);
    repository.edit("tenants/elm.yaml", "plan: starter", "plan: business");
    repository.commit("elm buys more");
    let ran = repository.plan(&[]).ok();
    assert!(ran.stdout.starts_with("origin/release, where HEAD left it ("), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 tenant changes"), "{}", ran.stdout);
}

#[test]
fn a_repository_without_a_default_branch_asks_for_a_base() {
    let repository = Repository::small();
    repository.git(&["branch", "--move", "main", "trunk"]);
    repository.plan(&[]).ends_with(2).says("there is no default branch to compare with").says("tenantry plan HEAD");
    repository.plan(&["HEAD"]).ok();
    repository.plan(&["nowhere"]).ends_with(2).says("`nowhere` is not a commit");
    repository.plan(&["--", "--output=x"]).ends_with(2).says("is not a commit");
    repository.plan(&["trunk..nowhere"]).ends_with(2);
}

#[test]
fn histories_that_never_meet_are_said_to_be_so() {
    let repository = Repository::small();
    repository.git(&["switch", "--quiet", "--orphan", "other"]);
    repository.git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    repository.plan(&["main...other"]).ends_with(2).says("no commit in common").says("shallow clone");
}

#[test]
fn outside_a_repository_git_is_named() {
    let project = Project::new(small());
    project.run(&["plan", "HEAD"]).ends_with(3).says("git");
}

#[test]
fn a_project_in_a_folder_of_its_repository_is_compared_with_itself() {
    let files = small().into_iter().map(|(path, text)| (format!("deep/er/{path}"), text));
    let repository = Repository::new(files.collect());
    repository.edit("deep/er/tenants/acme.yaml", "plan: business", "plan: starter");
    let lines = repository.changes(&["--project", "deep/er"]);
    assert_eq!(lines[0], "lose com.example.chat: 1.0.0 → (not_entitled) acme");
}

#[test]
fn a_first_commit_makes_everybody_new() {
    let repository = Repository::new(vec![("readme".into(), "nothing yet")]);
    for (path, text) in small() {
        repository.project.write(&path, text);
    }
    let lines = repository.changes(&["HEAD"]);
    assert_eq!(
        lines,
        [
            "gain com.example.notes: → 1.0.0 (in_plan) acme,bolt,corn",
            "tenant_added: → 1 (tenant_added) bolt,corn",
            "tenant_added: → 2 (tenant_added) acme",
            "gain com.example.chat: → 1.0.0 (in_plan) acme",
        ]
        .map(str::to_owned)
    );
}

#[test]
fn what_means_the_same_is_no_change() {
    let repository = Repository::small();
    repository.edit("catalog/plans/starter.yaml", "spec:\n", "spec:\n  # what everybody has\n");
    repository.edit("tenants/elm.yaml", "spec:\n", "spec:\n  # a customer since 2026\n");
    repository.git(&["mv", "tenants/fir.yaml", "tenants/fir-and-sons.yaml"]);
    repository.edit(
        "tenants/fir-and-sons.yaml",
        "valid_until: \"2030-01-01\"",
        "valid_until: \"2030-01-01T00:00:00Z\"",
    );
    repository.edit("catalog/programs/chat/program.yaml", "name: chat }", "name: chatter }");
    assert_eq!(repository.changes(&[]), [""; 0]);
    repository.plan(&["--exit-code"]).ok();
}

#[test]
fn other_files_under_the_same_version_are_named() {
    let repository = Repository::small();
    repository.project.write("catalog/programs/chat/app/index.html", "<h1>chat, mended</h1>\n");
    let plan = repository.json(&[]);
    assert_eq!(repository.changes(&[]), ["contents com.example.chat (version_edited) x-ray,yankee,zulu"]);
    let bundles = plan["bundles"].as_array().expect("a list");
    assert_eq!((bundles.len(), &bundles[0]["app_id"]), (1, &json!("com.example.chat")));
    let length = bundles[0]["length"].as_u64().expect("a number");
    assert_eq!(plan["summary"]["download"]["bytes"].as_u64(), Some(length));
    assert_eq!(plan["summary"]["download"]["all_tenants"].as_u64(), Some(3 * length));
}

#[test]
fn a_new_version_is_an_update_and_its_permission_is_growth() {
    let repository = Repository::small();
    let more = "  req_permissions: [{ name: camera, reason: Photographs. }]\n  egress: [a.example.com]\n";
    for (path, text) in program("chat", more) {
        let text =
            text.replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0").replace("name: chat }", "name: chat-2 }");
        repository.project.write(&path.replace("chat/", "chat/2/"), text.replace("<h1>", "<h1>new "));
    }
    assert_eq!(
        repository.changes(&[]),
        [
            "permission_added com.example.chat camera (version_changed) x-ray,yankee,zulu",
            "egress_added com.example.chat a.example.com (version_changed) x-ray,yankee,zulu",
            "update com.example.chat: 1.0.0 → 2.0.0 (version_added) x-ray,yankee,zulu",
        ]
    );
    let ran = repository.plan(&[]).ok();
    assert!(ran.stdout.contains("Growth: new permissions for 3 tenants, new hosts for 3 tenants."), "{}", ran.stdout);
    // Back again, it is a downgrade, because the version is gone.
    repository.commit("two");
    fs::remove_dir_all(repository.project.path("catalog/programs/chat/2")).expect("removes");
    let lines = repository.changes(&["HEAD"]);
    assert!(lines[0].starts_with("downgrade com.example.chat: 2.0.0 → 1.0.0 (version_removed)"), "{lines:?}");
}

#[test]
fn a_version_that_a_rule_keeps_back_is_said_to_be() {
    let mut files = catalog();
    files.push(tenant("acorn", "business", "  compliance_profile: calm\n"));
    files.push(tenant("birch", "business", ""));
    files.push((
        "catalog/compliance/calm.yaml".into(),
        document("ComplianceProfile", "calm", "  permissions: { deny: [camera] }\n"),
    ));
    let repository = Repository::new(files);
    for (path, text) in program("chat", "  req_permissions: [{ name: camera, reason: Photographs. }]\n") {
        let text =
            text.replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0").replace("name: chat }", "name: chat-2 }");
        repository.project.write(&path.replace("chat/", "chat/2/"), text);
    }
    let lines = repository.changes(&[]);
    assert_eq!(lines[0], "held_back com.example.chat: 1.0.0 → 2.0.0 (compliance) acorn");
    let ran = repository.plan(&[]).ok();
    let reason = "because profile `calm` denies permission `camera` (`catalog/compliance/calm.yaml:5`)";
    assert!(ran.stdout.contains(reason), "{}", ran.stdout);
    // The rule goes: the reason is the rule that stood there.
    repository.commit("two");
    repository.edit("catalog/compliance/calm.yaml", "permissions: { deny: [camera] }", "permissions: { deny: [] }");
    assert_eq!(
        repository.changes(&["HEAD"]),
        [
            "permission_added com.example.chat camera (version_changed) acorn",
            "rule_relaxed calm: permissions.deny (profile) acorn",
            "update com.example.chat: 1.0.0 → 2.0.0 (compliance) acorn",
        ]
    );
}

#[test]
fn a_renewal_of_many_licences_is_one_change() {
    let mut files = catalog();
    for number in 0..20 {
        let (path, text) = tenant(&format!("tenant-{number}"), "starter", "");
        let license = format!("valid_until: \"2027-01-{:02}\", expiration_strategy: revoke", number + 1);
        files.push((path, text.replace("valid_until: \"2030-01-01\"", &license)));
    }
    let repository = Repository::new(files);
    for number in 0..20 {
        repository.edit(&format!("tenants/tenant-{number}.yaml"), "2027-01-", "2028-01-");
    }
    let plan = repository.json(&[]);
    let classes = plan["classes"].as_array().expect("a list");
    assert_eq!(classes.len(), 1);
    let change = &classes[0]["changes"][0];
    assert_eq!((&change["kind"], &change["values"]), (&json!("ends_later"), &json!(20)));
    assert_eq!(change["app_ids"], json!(["com.example.notes"]));
    let each = &change["each"]["tenant-4"][0];
    assert_eq!(*each, json!({ "from": "2027-01-05T00:00:00Z", "to": "2028-01-05T00:00:00Z" }));
}

#[test]
fn errors_are_said_on_the_side_on_which_they_are() {
    let repository = Repository::small();
    repository.edit("tenants/elm.yaml", "plan: starter", "plan: startre");
    repository.plan(&[]).ends_with(1).says("no plan `startre`").says("tenants/elm.yaml:6");
    repository.commit("broken");
    repository.edit("tenants/elm.yaml", "plan: startre", "plan: starter");
    let ran = repository.plan(&["HEAD"]).ends_with(1).says("no plan `startre`").says("the base, HEAD (");
    assert_eq!(ran.stdout, "");
    // An unchanged file can be an error too, when the catalogue around it was another.
    repository.commit("mended");
    repository.git(&["mv", "catalog/plans/starter.yaml", "starter.txt"]);
    repository.plan(&["HEAD"]).ends_with(1).says("no plan `starter`");
    repository.commit("without");
    repository.git(&["mv", "starter.txt", "catalog/plans/starter.yaml"]);
    repository.plan(&["HEAD"]).ends_with(1).says("the base, HEAD (");
}

#[test]
fn a_template_that_fails_for_one_tenant_stops_the_plan() {
    let repository = Repository::small();
    repository.edit("catalog/programs/notes/templates/config.j2", "{{ tenant.name }}", "{{ tenant.channel }}");
    repository.plan(&[]).ends_with(1).says("render-failed");
}

#[test]
fn the_plan_is_kept_with_the_digests_that_make_it_stale() {
    let repository = Repository::small();
    repository.edit("tenants/elm.yaml", "plan: starter", "plan: business");
    repository.plan(&["--out", "plan.json", "--format", "html"]).ok();
    let kept = || -> serde_json::Value {
        serde_json::from_slice(&fs::read(repository.project.path("plan.json")).expect("a plan")).expect("JSON")
    };
    let first = kept();
    assert_eq!(first, repository.json(&[]));
    assert_eq!(first["format"], 1);
    assert_ne!(first["base"]["inputs"], first["head"]["inputs"]);
    repository.edit("tenants/elm.yaml", "spec:\n", "spec:\n  # a word\n");
    repository.plan(&["--out", "plan.json"]).ok();
    let second = kept();
    assert_eq!(second["base"]["inputs"], first["base"]["inputs"]);
    assert_ne!(second["head"]["inputs"], first["head"]["inputs"], "every byte of the inputs counts");
    assert_eq!(second["summary"], first["summary"], "a word in a comment means nothing");
    repository.plan(&["--out", "no/such/folder/plan.json"]).ends_with(3).says("cannot write the plan");
}

#[test]
fn usage_is_checked() {
    let repository = Repository::small();
    repository.plan(&["--format", "markdown", "--budget", "999"]).ends_with(2);
    repository
        .plan(&["--allow", "everything=1"])
        .ends_with(2)
        .says("there is no guard `everything`")
        .says("revocations");
    repository.plan(&["--allow", "revocations"]).ends_with(2).says("GUARD=NUMBER");
    repository.plan(&["--allow", "revocations=all"]).ends_with(2).says("`all` is not a number of tenants");
}

#[test]
fn both_sides_are_decided_at_the_same_instant() {
    let mut files = catalog();
    let (path, text) = tenant("acorn", "starter", "");
    files.push((path, text.replace("2030-01-01\"", "2026-12-01\", expiration_strategy: revoke")));
    let repository = Repository::new(files);
    // A week later the licence has ended, on both sides.
    repository.plan(&["--exit-code", "--at", "2026-12-02"]).ok().says("No changes");
    repository.edit("tenants/acorn.yaml", "2026-12-01", "2026-12-09");
    let lines = repository.changes(&["--at", "2026-12-02"]);
    assert_eq!(
        lines,
        [
            "gain com.example.notes: → 1.0.0 (licence_ended) acorn",
            "term license/valid_until: 2026-12-01T00:00:00Z → 2026-12-09T00:00:00Z (tenant) acorn"
        ]
    );
}

#[test]
fn a_budget_that_optional_mini_programs_fill_shows_whom_it_concerns() {
    let repository = Repository::small();
    let chat = "    - app_id: com.example.chat\n";
    repository.edit("catalog/plans/business.yaml", chat, "    - { app_id: com.example.chat, optional: true }\n");
    assert_eq!(repository.changes(&[]), ["preload com.example.chat: true → false (in_plan) x-ray,yankee,zulu"]);
    repository.commit("optional");
    // A budget that nothing fills says what is refused, and changes nobody.
    repository.edit("tenantry.yaml", "spec:\n", "spec:\n  first_start: { max_bytes: 100000 }\n");
    assert_eq!(repository.changes(&[]), [""; 0]);
    repository.commit("a budget");
    repository.edit("tenantry.yaml", "max_bytes: 100000", "max_bytes: 100000, preload: fill");
    assert_eq!(repository.changes(&[]), ["preload com.example.chat: false → true (project) x-ray,yankee,zulu"]);
    let ran = repository.plan(&[]).ok();
    assert!(ran.stdout.contains("because the project's own file says so (`tenantry.yaml:5`)"), "{}", ran.stdout);
    repository.commit("filled");
    // 16 KiB, and 4 KiB for each of the two, are left for signed files.
    repository.edit("tenantry.yaml", "max_bytes: 100000", "max_bytes: 24700");
    assert_eq!(repository.changes(&[]), ["preload com.example.chat: true → false (project) x-ray,yankee,zulu"]);
}
