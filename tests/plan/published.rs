//! From a review to a store: what a store shows as the base, and the plan that `publish` applies or refuses.

use std::fs;

use serde_json::Value;

use crate::project::{Ran, catalog, tenant, write_fixed_keys};
use crate::repository::Repository;

const NAMES: [&str; 6] = ["acorn", "birch", "cedar", "dogwood", "elm", "fir"];

/// Six tenants of plan `business`, a budget of two, these stores, and keys that are not committed.
fn repository(stores: &str, in_europe: &[&str]) -> Repository {
    let mut files = catalog();
    for name in NAMES {
        let more = if in_europe.contains(&name) { "  data_region: eu\n" } else { "" };
        files.push(tenant(name, "business", more));
    }
    files.push((".gitignore".into(), "keys/\nout/\npublic*/\nplan.json\n".into()));
    let repository = Repository::new(files);
    write_fixed_keys(&repository.project.path("keys"), "production");
    let spec = format!("spec:\n  revocation_budget: {{ percent: 1, at_least: 2 }}\n  stores: {stores}\n");
    repository.edit("tenantry.yaml", "spec:\n", &spec);
    repository.commit("stores and a budget");
    repository
}

fn one_store() -> Repository {
    let repository = repository("[{ name: main, directory: public }]", &[]);
    repository.publish(&[]).ok();
    repository
}

impl Repository {
    /// Compiles the last commit onto what the stores show, and publishes it.
    fn publish(&self, arguments: &[&str]) -> Ran {
        self.project.run(&["compile", "--rev", "HEAD", "--onto", "all"]).ok();
        self.project.run(&[&["publish"], arguments].concat())
    }

    fn downgrade(&self, names: &[&str]) {
        names.iter().for_each(|it| self.edit(&format!("tenants/{it}.yaml"), "plan: business", "plan: starter"));
    }

    /// The record of the current publication, and the last one of the history.
    fn record(&self) -> (Value, Value) {
        let bytes = fs::read(self.project.path("public/state/head.json")).expect("a head");
        let head: Value = serde_json::from_slice(&bytes).expect("JSON");
        (head["current"].clone(), head["history"].as_array().expect("a list").last().expect("a publication").clone())
    }
}

#[test]
fn what_a_store_shows_is_a_base() {
    let repository = one_store();
    let shown = repository.git(&["rev-parse", "HEAD"]);
    repository.downgrade(&["elm"]);
    repository.commit("elm buys less");
    repository.downgrade(&["fir"]);
    let losses = |names: &str| format!("lose com.example.chat: 1.0.0 → (not_entitled) {names}");
    assert_eq!(repository.changes(&["--store", "main"])[0], losses("elm,fir"), "with the working directory");
    assert_eq!(repository.changes(&["--store", "main", "..HEAD"])[0], losses("elm"));
    assert_eq!(repository.changes(&["--store", "all", ".."])[0], losses("elm"));
    let plan = repository.json(&["--store", "main"]);
    assert_eq!((&plan["base"]["commit"], &plan["base"]["stores"]), (&shown.into(), &serde_json::json!(["main"])));
    let ran = repository.plan(&["--store", "main"]).ok();
    assert!(ran.stdout.starts_with("publication 1 of store main ("), "{}", ran.stdout);
    repository.plan(&["--store", "main", "HEAD"]).ends_with(2).says("the base is what the store shows");
    repository.plan(&["--store", "main", "HEAD..HEAD"]).ends_with(2);
    repository.plan(&["--store", "other"]).ends_with(2).says("there is no store `other`");
}

#[test]
fn a_store_that_gives_no_base_says_why() {
    let repository = repository("[{ name: main, directory: public }]", &[]);
    repository.plan(&["--store", "main"]).ends_with(2).says("store `main` shows nothing yet");
    repository.project.run(&["compile"]).ok();
    repository.project.run(&["publish"]).ok();
    repository
        .plan(&["--store", "main"])
        .ends_with(2)
        .says("publication 1 of store `main` does not say from which commit it was compiled")
        .says("compile with `--rev`");
    // A commit that this clone does not have.
    repository.downgrade(&["elm"]);
    let commit = repository.commit("elm buys less");
    repository.publish(&[]).ok();
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repository.git(&["reflog", "expire", "--expire=now", "--all"]);
    repository.git(&["prune", "--expire=now"]);
    repository
        .plan(&["--store", "main"])
        .ends_with(2)
        .says(&format!("commit {commit}, which store `main` shows, is not in this repository"))
        .says("fetch-depth: 0");
}

#[test]
fn each_store_has_its_own_base_and_its_own_tenants() {
    let stores = "[{ name: world, directory: public }, { name: europe, directory: public-eu, regions: [eu] }]";
    let repository = repository(stores, &["acorn", "birch", "cedar"]);
    repository.publish(&[]).ok();
    repository.downgrade(&["birch", "elm"]);
    let losses = |names: &str| format!("lose com.example.chat: 1.0.0 → (not_entitled) {names}");
    assert_eq!(repository.changes(&["--store", "all"])[0], losses("birch,elm"));
    assert_eq!(repository.changes(&["--store", "world"])[0], losses("elm"));
    let europe = repository.json(&["--store", "europe"]);
    assert_eq!((&europe["base"]["tenants"], &europe["head"]["tenants"]), (&3.into(), &3.into()));
    // Who comes from another region is seen by both.
    repository.edit("tenants/cedar.yaml", "  data_region: eu\n", "");
    for store in ["world", "europe"] {
        let lines = repository.changes(&["--store", store]);
        assert!(lines.iter().any(|it| it.starts_with("data_region: eu →") && it.ends_with("cedar")), "{lines:?}");
    }
    repository.edit("tenants/cedar.yaml", "spec:\n", "spec:\n  data_region: eu\n");
    repository.commit("two buy less");
    repository.publish(&["--store", "world"]).ok();
    let shown = repository.plan(&["--store", "world", "--store", "europe"]).ends_with(2);
    shown.says("store `world` shows commit ").says("make a plan for each of the stores");
    assert_eq!(repository.changes(&["--store", "world"]), [""; 0]);
    assert_eq!(repository.changes(&["--store", "europe"])[0], losses("birch"));
    // A plan for one store is for no other.
    repository.plan(&["--store", "europe", "..HEAD", "--out", "plan.json"]).ok();
    repository.publish(&["--plan", "plan.json"]).ends_with(2).says("the plan is for `europe`");
    repository.publish(&["--plan", "plan.json", "--store", "europe"]).ok();
}

#[test]
fn a_plan_that_was_reviewed_is_what_is_published() {
    let repository = one_store();
    repository.downgrade(&["elm"]);
    repository.plan(&["main", "--out", "plan.json"]).ok();
    repository.commit("elm buys less");
    let dry = repository.publish(&["--plan", "plan.json", "--dry-run"]).ok();
    assert!(dry.stdout.contains("main: from publication 1 to publication 2"), "{}", dry.stdout);
    repository.publish(&["--plan", "plan.json"]).ok().says("publication 2");
    assert_eq!(repository.record().0.get("overrides"), None);
    // Once more is as good as done, and so is a refresh in between.
    repository.project.run(&["publish", "--plan", "plan.json"]).ok().says("publication 2, as before");
}

#[test]
fn a_plan_is_stale_when_other_inputs_were_compiled() {
    let repository = one_store();
    repository.downgrade(&["elm"]);
    repository.plan(&["main", "--out", "plan.json"]).ok();
    repository.edit("tenants/elm.yaml", "spec:\n", "spec:\n  # a word that nobody has reviewed\n");
    repository.commit("elm buys less, and a word");
    repository
        .publish(&["--plan", "plan.json"])
        .ends_with(4)
        .says("the plan leads to working directory (inputs ")
        .says("and the output folder was compiled from commit ");
    assert_eq!(repository.record().0["publication"], 1);
}

#[test]
fn a_plan_is_stale_when_the_store_no_longer_shows_its_base() {
    let repository = one_store();
    repository.git(&["switch", "--quiet", "--create", "topic"]);
    repository.downgrade(&["elm"]);
    repository.plan(&["main", "--out", "plan.json"]).ok();
    repository.commit("elm buys less");
    repository.git(&["switch", "--quiet", "main"]);
    repository.downgrade(&["fir"]);
    repository.commit("fir buys less");
    repository.publish(&[]).ok();
    repository.git(&["switch", "--quiet", "topic"]);
    let refused = repository.publish(&["--plan", "plan.json", "--allow-rewind"]).ends_with(4);
    refused.says("the plan for store `main` is stale: it begins at main (").says("and the store shows commit ");
    assert_eq!(repository.record().0["publication"], 2);
    // And a store that shows nothing shows no base.
    fs::remove_dir_all(repository.project.path("public")).expect("removes");
    repository
        .publish(&["--plan", "plan.json"])
        .ends_with(4)
        .says("store `main` shows nothing yet")
        .says("for the first time without `--plan`");
}

#[test]
fn a_guard_that_was_let_pass_in_review_is_let_pass_and_recorded() {
    let repository = one_store();
    repository.downgrade(&["birch", "elm", "fir"]);
    repository.plan(&["main", "--out", "plan.json"]).ends_with(6);
    repository.commit("three buy less");
    let stopped = repository.publish(&["--plan", "plan.json"]).ends_with(6);
    stopped.says("the plan was stopped by guard `revocations`: 3 tenants would lose a mini-program; up to 2 may");
    repository.publish(&[]).ends_with(6).says("guard `revocations`: 3 tenants of store `main` would lose");
    repository.publish(&["--allow", "revocations=2"]).ends_with(6).says("2 was allowed, and the number must be exact");
    repository.publish(&["--allow", "deletions=3"]).ends_with(2).says("there is no guard `deletions`");

    repository.plan(&["HEAD~1..HEAD", "--allow", "revocations=3", "--out", "plan.json"]).ok();
    let done = repository.publish(&["--plan", "plan.json", "--reason", "they asked for it"]).ok();
    done.says("store `main`: guard `revocations` is let pass, by its number 3");
    let (current, last) = repository.record();
    let overrides = serde_json::json!([{ "guard": "revocations", "number": 3, "limit": 2 }]);
    assert_eq!((&current["overrides"], &last["overrides"]), (&overrides, &overrides));
    assert_eq!((&current["reason"], &last["reason"]), (&"they asked for it".into(), &"they asked for it".into()));
    assert_eq!(repository.record().0["publication"], 2);
}

/// Who loses something between the plan and its publication is not covered by it.
#[test]
fn a_plan_lets_pass_only_the_losses_that_it_shows() {
    let repository = one_store();
    repository.downgrade(&["birch", "elm", "fir"]);
    repository.plan(&["main", "--allow", "revocations=3", "--out", "plan.json"]).ok();
    repository.commit("three buy less");
    let path = repository.project.path("plan.json");
    let mut plan: Value = serde_json::from_slice(&fs::read(&path).expect("a plan")).expect("JSON");
    plan["tenants"].as_array_mut().expect("a list").retain(|it| it["tenant"] != "elm");
    fs::write(&path, plan.to_string()).expect("writes");
    repository.publish(&["--plan", "plan.json"]).ends_with(6).says("3 tenants of store `main` would lose");
}

#[test]
fn a_rollback_is_counted_like_any_other_publication() {
    let repository = repository("[{ name: main, directory: public }]", &[]);
    repository.downgrade(&NAMES);
    repository.commit("everybody has little");
    repository.publish(&[]).ok();
    for name in NAMES {
        repository.edit(&format!("tenants/{name}.yaml"), "plan: starter", "plan: business");
    }
    repository.commit("everybody has more");
    repository.publish(&[]).ok();
    let back = |more: &[&str]| {
        repository.project.run(&[&["rollback", "--to", "1", "--reason", "chat is broken"], more].concat())
    };
    for arguments in [&[][..], &["--dry-run"], &["--allow", "revocations=5"]] {
        back(arguments)
            .ends_with(6)
            .says("6 tenants of store `main` would lose a mini-program")
            .says("6 tenants change");
    }
    assert_eq!(repository.record().0["publication"], 2);
    back(&["--allow", "revocations=6"]).ok();
    let (current, last) = repository.record();
    let overrides = serde_json::json!([{ "guard": "revocations", "number": 6, "limit": 2 }]);
    assert_eq!((&current["kind"], &current["overrides"]), (&"rollback".into(), &overrides));
    assert_eq!((&last["reason"], &last["overrides"]), (&"chat is broken".into(), &overrides));
    // It shows the commit that it went back to, and a plan begins there.
    let plan = repository.json(&["--store", "main", ".."]);
    assert_eq!((&plan["base"]["commit"], &plan["summary"]["gain"]), (&current["commit"], &6.into()));
    repository.plan(&["--store", "main", "..", "--out", "plan.json"]).ok();
    repository.publish(&["--plan", "plan.json"]).ok();
}

#[test]
fn a_file_that_is_no_plan_is_said_to_be_none() {
    let repository = one_store();
    for text in ["", "{}", "{\"format\":2,\"head\":{}}", "{\"format\":1,\"head\":{}}", "{\"format\":1,\"stores\":[7]}"]
    {
        repository.project.write("plan.json", text);
        repository.project.run(&["publish", "--plan", "plan.json"]).ends_with(3).says("cannot read the plan");
    }
}
