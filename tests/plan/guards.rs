//! What stops a change, and what lets it pass.

use crate::project::{catalog, tenant};
use crate::repository::Repository;

/// What each guard that has something to say says.
fn verdicts(repository: &Repository, arguments: &[&str]) -> Vec<String> {
    let plan = repository.json(arguments);
    let guards = plan["guards"].as_array().expect("a list").iter();
    let lines = guards.filter(|it| it["outcome"] != "passed").map(|it| {
        format!("{} {}: {}", it["guard"].as_str().expect("text"), it["outcome"].as_str().expect("text"), it["number"])
    });
    lines.collect()
}

#[test]
fn more_losses_than_the_budget_allows_stop_and_the_exact_number_lets_them_pass() {
    let repository = Repository::small();
    repository.edit("catalog/plans/business.yaml", "  mini_programs:\n    - app_id: com.example.chat\n", "");
    let ran = repository.plan(&["--exit-code"]).ends_with(6);
    assert!(
        ran.stderr.contains("guard `revocations`: 3 tenants would lose a mini-program; up to 2 may"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("`--allow revocations=3`"), "{}", ran.stderr);
    assert!(ran.stdout.contains("lose `com.example.chat`"), "the plan is printed all the same: {}", ran.stdout);
    repository.plan(&["--allow", "revocations=4"]).ends_with(6).says("4 was allowed, and the number must be exact");
    repository.plan(&["--allow", "revocations=3"]).ok();
    repository.plan(&["--allow", "revocations=3", "--exit-code"]).ends_with(10);
    assert_eq!(verdicts(&repository, &["--allow", "revocations=3"]), ["revocations allowed: 3"]);
    assert_eq!(verdicts(&repository, &[]), ["revocations stopped: 3"]);
}

#[test]
fn losses_within_the_budget_pass() {
    let repository = Repository::small();
    for name in ["x-ray", "yankee"] {
        repository.edit(&format!("tenants/{name}.yaml"), "plan: business", "plan: starter");
    }
    let ran = repository.plan(&["--allow", "revocations=2"]).ok();
    assert!(ran.stderr.contains("`--allow revocations=…` was not needed"), "{}", ran.stderr);
    assert!(
        ran.stdout.contains("guard passed  revocations 2 tenants would lose a mini-program; up to 2 may"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_end_that_is_brought_near_counts_and_one_that_is_far_does_not() {
    let mut files = catalog();
    for name in ["acorn", "birch", "cedar", "dogwood", "elm", "fir"] {
        let (path, text) = tenant(name, "starter", "");
        files.push((path, text.replace("2030-01-01\"", "2030-01-01\", expiration_strategy: revoke")));
    }
    let repository = Repository::new(files);
    let all = ["acorn", "birch", "cedar", "dogwood", "elm", "fir"];
    all.iter().for_each(|it| repository.edit(&format!("tenants/{it}.yaml"), "2030-01-01", "2026-12-01"));
    assert_eq!(verdicts(&repository, &[]), [""; 0], "in eight days somebody can still act");
    all.iter().for_each(|it| repository.edit(&format!("tenants/{it}.yaml"), "2026-12-01", "2026-11-30"));
    assert_eq!(verdicts(&repository, &[]), ["revocations stopped: 6"]);
    // Ends that nobody moves take nothing.
    repository.commit("soon over");
    repository.edit("tenants/acorn.yaml", "2026-11-30", "2026-12-01");
    assert_eq!(verdicts(&repository, &["HEAD", "--at", "2026-11-29"]), [""; 0]);
}

#[test]
fn a_deleted_file_stops_and_a_tombstone_lets_it_go() {
    let repository = Repository::small();
    repository.project.remove("tenants/elm.yaml");
    repository.plan(&[]).ends_with(6).says("keep the file and set `status: inactive`").says("`--allow deletions=1`");
    assert_eq!(verdicts(&repository, &[]), ["deletions stopped: 1"]);
    assert_eq!(verdicts(&repository, &["--allow", "deletions=1"]), ["deletions allowed: 1"]);
    repository.git(&["checkout", "--quiet", "tenants/elm.yaml"]);
    repository.edit("tenants/elm.yaml", "spec:\n", "spec:\n  status: inactive\n");
    assert_eq!(verdicts(&repository, &[]), [""; 0], "one tenant that ends is within the budget");
    repository.commit("elm has left");
    repository.project.remove("tenants/elm.yaml");
    repository.plan(&["HEAD", "--exit-code"]).ends_with(10);
    assert_eq!(verdicts(&repository, &["HEAD"]), [""; 0]);
}

#[test]
fn another_tenant_id_is_another_tenant() {
    let repository = Repository::small();
    repository.edit("tenants/elm.yaml", "t_elm", "t_elm2");
    assert_eq!(verdicts(&repository, &[]), ["deletions stopped: 1"]);
    let lines = repository.changes(&[]);
    assert!(
        lines.iter().any(|it| it.starts_with("tenant_removed"))
            && lines.iter().any(|it| it.starts_with("tenant_added"))
    );
}

#[test]
fn a_generator_that_found_nothing_stops_whatever_is_allowed() {
    let repository = Repository::small();
    for name in ["acorn", "birch", "cedar", "dogwood", "elm", "fir", "x-ray", "yankee", "zulu"] {
        repository.project.remove(&format!("tenants/{name}.yaml"));
    }
    let found = ["empty stopped: 0", "revocations stopped: 9", "deletions stopped: 9"];
    assert_eq!(verdicts(&repository, &[]), found);
    let all = ["--allow", "empty=0", "--allow", "revocations=9", "--allow", "deletions=9"];
    repository.plan(&all).ends_with(6).says("it cannot be allowed");
}

#[test]
fn shells_left_with_nothing_stop() {
    let repository = Repository::small();
    repository.edit("catalog/shells/phone.yaml", "[12]", "[9, 12]");
    repository.edit("catalog/programs/notes/program.yaml", "min_code: 10", "min_code: 9");
    repository.commit("an older shell");
    repository.edit("catalog/programs/notes/program.yaml", "min_code: 9", "min_code: 10");
    let plan = repository.json(&["HEAD"]);
    assert_eq!(verdicts(&repository, &["HEAD"]), ["revocations stopped: 9", "stranded stopped: 9"]);
    assert_eq!(plan["tenants"][0]["stranded"], serde_json::json!([9]));
    repository.plan(&["HEAD", "--allow", "revocations=9", "--allow", "stranded=9"]).ok();
    // A level that is no longer in the field strands nobody.
    repository.edit("catalog/shells/phone.yaml", "[9, 12]", "[12]");
    assert_eq!(verdicts(&repository, &["HEAD"]), [""; 0]);
}

#[test]
fn a_tenant_that_chooses_its_own_rules_stops() {
    let mut files = catalog();
    files.push(tenant("acorn", "starter", "  compliance_profile: strict\n  data_region: eu\n"));
    files.push(tenant("birch", "starter", ""));
    for name in ["strict", "lax"] {
        let document = crate::project::document("ComplianceProfile", name, "  review: { min_status: approved }\n");
        files.push((format!("catalog/compliance/{name}.yaml"), document));
    }
    let repository = Repository::new(files);
    repository.edit("tenants/acorn.yaml", "compliance_profile: strict", "compliance_profile: lax");
    repository.plan(&[]).ends_with(6).says("`--allow own_terms=1`").says("`acorn`");
    repository.edit("tenants/birch.yaml", "spec:\n", "spec:\n  data_region: us\n");
    assert_eq!(verdicts(&repository, &[]), ["own_terms stopped: 2"]);
    // A new tenant has no rules that it could change.
    repository.git(&["checkout", "--quiet", "."]);
    let (path, text) = tenant("cedar", "starter", "  compliance_profile: lax\n");
    repository.project.write(&path, text);
    assert_eq!(verdicts(&repository, &[]), [""; 0]);
}

#[test]
fn a_change_that_relaxes_the_budget_is_judged_by_the_old_one() {
    let repository = Repository::small();
    repository.edit("tenantry.yaml", "at_least: 2", "at_least: 100");
    assert_eq!(verdicts(&repository, &[]), [""; 0], "alone it harms nobody");
    repository.edit("tenants/zulu.yaml", "plan: business", "plan: starter");
    assert_eq!(verdicts(&repository, &[]), ["budget stopped: 1"]);
    repository.edit("catalog/plans/business.yaml", "  mini_programs:\n    - app_id: com.example.chat\n", "");
    assert_eq!(verdicts(&repository, &[]), ["revocations stopped: 3", "budget stopped: 3"]);
    // Taking the budget away altogether is the default, which is more than two.
    repository.git(&["checkout", "--quiet", "."]);
    repository.edit("tenantry.yaml", "  revocation_budget: { percent: 1, at_least: 2 }\n", "");
    repository.edit("tenants/zulu.yaml", "plan: business", "plan: starter");
    assert_eq!(verdicts(&repository, &[]), ["budget stopped: 1"]);
}
