//! What a reviewer sees of rollouts, shares of devices and revoked versions.

use crate::project::program;
use crate::repository::Repository;

/// A second version of the chat, which the three tenants of plan `business` have, with these lines in its `spec`.
fn second_version(repository: &Repository, more: &str) {
    for (path, text) in program("chat", more) {
        let text = text.replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0").replace("<h1>", "<h1>New ");
        repository.project.write(&path.replace("chat/", "chat-2/"), text);
    }
}

fn rollout(steps: &str) -> String {
    format!("  rollout:\n    steps:\n{steps}")
}

#[track_caller]
fn says(repository: &Repository, line: &str) {
    let ran = repository.plan(&[]);
    assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
}

#[test]
fn a_version_goes_to_one_ring_to_a_share_of_all_and_to_all() {
    let repository = Repository::small();
    repository.edit("tenants/zulu.yaml", "name: zulu }", "name: zulu, labels: { ring: early } }");
    repository.commit("rings");
    let early = "      - { from: \"2026-01-01\", match_labels: { ring: early } }\n";
    second_version(&repository, &rollout(early));
    assert_eq!(
        repository.changes(&[]),
        [
            "update com.example.chat: 1.0.0 → 2.0.0 (version_added) zulu",
            "held_back com.example.chat: 1.0.0 → 2.0.0 (rollout) x-ray,yankee"
        ]
    );
    says(&repository, "no step of the rollout of version 2.0.0 selects tenant `x-ray`");
    repository.commit("early");

    let fifth = format!("{early}      - {{ from: \"2026-01-02\", percent: 20 }}\n");
    second_version(&repository, &rollout(&fifth));
    says(&repository, "`com.example.chat` 1.0.0 → 2.0.0 on shells 10 and up for the first 20 % of devices");
    let plan = repository.json(&[]);
    let update = &plan["classes"][0]["changes"];
    let update = update.as_array().expect("a list").iter().find(|it| it["kind"] == "update").expect("an update");
    assert_eq!(update["devices"], serde_json::json!({ "from": 0, "until": 20 }), "{update}");
    assert_eq!(update["reason"], "rollout");
    repository.commit("a fifth");

    second_version(&repository, &rollout(&fifth.replace("20 }", "50 }")));
    says(&repository, "`com.example.chat` 1.0.0 → 2.0.0 on shells 10 and up for devices from 20 % to 50 %");
    assert_eq!(repository.changes(&[]), ["update com.example.chat: 1.0.0 → 2.0.0 (percentage) x-ray,yankee"]);
    repository.commit("a half");

    // A share that shrinks takes the version from devices, and a reviewer sees it.
    second_version(&repository, &rollout(&fifth));
    says(&repository, "`com.example.chat` 2.0.0 → 1.0.0 on shells 10 and up for devices from 20 % to 50 %");
    repository.git(&["checkout", "--quiet", "."]);

    second_version(&repository, "");
    says(&repository, "`com.example.chat` 1.0.0 → 2.0.0 on shells 10 and up for the last 50 % of devices");
}

#[test]
fn a_revoked_version_is_a_loss_with_its_reason() {
    let repository = Repository::small();
    second_version(&repository, "");
    repository.commit("two");
    second_version(&repository, "  revoked: { mode: drain, reason: It sends mails twice }\n");
    assert_eq!(
        repository.changes(&[]),
        [
            "block com.example.chat 2: → drain (version_revoked) x-ray,yankee,zulu",
            "downgrade com.example.chat: 2.0.0 → 1.0.0 (version_revoked) x-ray,yankee,zulu"
        ]
    );
    says(&repository, "must stop, code `2` in `com.example.chat` drain");
    says(&repository, "version 2.0.0 is revoked: It sends mails twice (`catalog/programs/chat-2/program.yaml:");
}

#[test]
fn a_tenant_that_moves_to_another_ring_is_told_though_nothing_comes_yet() {
    let repository = Repository::small();
    repository.edit("tenants/zulu.yaml", "name: zulu }", "name: zulu, labels: { ring: early, floor: second } }");
    repository.commit("rings");
    repository.edit("tenants/zulu.yaml", "ring: early, floor: second", "ring: late, floor: third");
    assert_eq!(repository.changes(&[]), Vec::<String>::new(), "no rollout selects by these");
    second_version(&repository, &rollout("      - { from: \"2027-01-01\", match_labels: { ring: early } }\n"));
    let changes = repository.changes(&[]);
    assert!(changes.contains(&"term labels/ring: early → late (tenant) zulu".to_owned()), "{changes:?}");
    assert!(changes.iter().all(|it| !it.contains("floor")), "{changes:?}");
}
