//! `tenantry log`

use std::fs;

use serde_json::{Value, json};

use crate::world::{MARCO, World};

const NOW: &str = "2026-11-20T00:00:00Z";

fn publications(world: &World, arguments: &[&str]) -> Vec<Value> {
    let ran = world.project.run_at(NOW, &[&["log", "--format", "json"], arguments].concat()).ok();
    assert_eq!(ran.stderr, "");
    ran.json()["stores"][0]["publications"].as_array().expect("a list").clone()
}

#[test]
fn every_publication_says_who_when_why_and_from_which_commit() {
    let (world, [first, second, third]) = World::month();
    let all = publications(&world, &["--store", "main"]);
    let facts = |it: &Value| {
        let of = |key: &str| it[key].as_str().map(str::to_owned);
        (it["publication"].as_u64().expect("a number"), of("kind"), of("at"), of("commit"), of("reason"))
    };
    let text = |it: &str| Some(it.to_owned());
    let expected = [
        (5, text("refresh"), text("2026-11-17T10:00:00Z"), Some(second.clone()), None),
        (4, text("rollback"), text("2026-11-12T10:00:00Z"), Some(second.clone()), text("they did not")),
        (3, text("publish"), text("2026-11-10T10:10:00Z"), Some(third), text("they asked for it\u{1b}[31m")),
        (2, text("publish"), text("2026-11-05T10:10:00Z"), Some(second), None),
        (1, text("publish"), text("2026-11-01T10:10:00Z"), Some(first), None),
    ];
    assert_eq!(all.iter().map(facts).collect::<Vec<_>>(), expected);
    assert_eq!(all[2]["overrides"], json!([{ "guard": "revocations", "number": 3, "limit": 2 }]));
    assert_eq!((&all[0]["overrides"], &all[3]["overrides"]), (&json!([]), &json!([])));
    assert_eq!(all.iter().map(|it| it["is_current"] == true).collect::<Vec<_>>(), [true, false, false, false, false]);
    assert_eq!(all[3]["by"], "ci@runner");
    let merge = &all[3]["source"];
    assert_eq!((&merge["author"]["name"], &merge["is_merge"]), (&json!("Giulia Ferri"), &json!(true)));
    assert_eq!(merge["request"], "pull request #12");
    assert_eq!(
        (&all[2]["source"]["author"]["name"], &all[2]["source"]["request"]),
        (&json!(MARCO.0), &json!("pull request #13"))
    );
    assert_eq!(all[2].get("changes"), None, "nobody has asked");
}

#[test]
fn people_read_the_same_and_no_text_of_others_is_obeyed() {
    let (world, [first, second, _]) = World::month();
    let text = world.project.run_at(NOW, &["log", "--changes"]).ok().stdout;
    for line in [
        "main:\n  publication 5 · 2026-11-17T10:00:00Z · refresh by ",
        ", current\n",
        "  publication 2 · 2026-11-05T10:10:00Z · publish by ci@runner\n",
        &format!("    commit {} “Merge pull request #12 from corp/elm”\n", &second[..12]),
        "      merged by Giulia Ferri <giulia@example.com>, 2026-11-05T09:00:00Z; pull request #12\n",
        &format!("    commit {} “The first customers”\n", &first[..12]),
        "      author Marco Bianchi <marco@example.com>, 2026-11-10T09:00:00Z; pull request #13\n",
        "    reason: they did not\n",
        "    reason: they asked for it\\u{1b}[31m\n",
        "    guard overridden: revocations, which found 3 tenants and lets 2 pass\n",
        "    6 tenants, 6 signed again\n",
        "    6 tenants, 3 with other content (acorn, birch, cedar)\n",
        "    6 tenants, 1 with other content (elm), 5 signed again\n",
        "    6 tenants, 6 added (acorn, birch, cedar, dogwood, elm, …)\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn trailers_are_shown_as_they_stand() {
    let world = World::new();
    world.downgrade(&["elm"]);
    let message =
        "elm buys less\n\nReviewed-by: Giulia Ferri <giulia@example.com>\nApproved-by: the board\nTicket: SALES-1";
    world.commit("2026-11-02T08:00:00Z", MARCO, message);
    world.compile("2026-11-02T10:00:00Z");
    world.publish("2026-11-02T10:00:00Z", &[]).ok();
    let trailers = publications(&world, &[])[0]["source"]["trailers"].clone();
    let expected = json!([
        { "key": "Reviewed-by", "value": "Giulia Ferri <giulia@example.com>" },
        { "key": "Approved-by", "value": "the board" },
    ]);
    assert_eq!(trailers, expected);
    let text = world.project.run_at(NOW, &["log"]).ok().stdout;
    assert!(text.contains("      Approved-by: the board\n"), "{text}");
}

#[test]
fn what_is_not_known_is_said_and_nothing_is_made_up() {
    let world = World::new();
    let ran = world.project.run_at(NOW, &["log"]).ok();
    assert_eq!((&*ran.stdout, &*ran.stderr), ("main: nothing was published\n", ""));
    // A working directory, and then a commit that is gone.
    world.project.run_at("2026-11-02T10:00:00Z", &["compile"]).ok();
    world.publish("2026-11-02T10:00:00Z", &[]).ok();
    world.downgrade(&["elm"]);
    let lost = world.commit("2026-11-03T08:00:00Z", MARCO, "elm buys less");
    world.compile("2026-11-03T10:00:00Z");
    world.publish("2026-11-03T10:00:00Z", &[]).ok();
    world.git("2026-11-03T08:00:00Z", MARCO, &["reset", "--quiet", "--hard", "HEAD~1"]);
    world.git("2026-11-03T08:00:00Z", MARCO, &["reflog", "expire", "--expire=now", "--all"]);
    world.git("2026-11-03T08:00:00Z", MARCO, &["prune", "--expire=now"]);
    let text = world.project.run_at(NOW, &["log"]).ok().stdout;
    assert!(text.contains(&format!("    commit {}: it is not in this repository\n", &lost[..12])), "{text}");
    assert!(text.contains("    from a working directory: no commit\n"), "{text}");
    // Without a repository at all.
    fs::remove_dir_all(world.project.path(".git")).expect("removes");
    let all = publications(&world, &[]);
    assert_eq!(all[0]["source"]["id"], lost.as_str());
    assert!(all[0]["source"]["unknown"].as_str().expect("a reason").contains("repository"), "{}", all[0]["source"]);
    assert_eq!((all.len(), all[1].get("source")), (2, None));
    // The index of the first publication is gone, as gc would have it.
    let state = world.project.path("public/state");
    let index = fs::read_dir(state).expect("a folder").map(|it| it.expect("an entry").path());
    let index = index.into_iter().find(|it| {
        it.file_name().is_some_and(|it| {
            let name = it.to_string_lossy();
            name.starts_with("1.") && name.ends_with(".index.json")
        })
    });
    fs::remove_file(index.expect("an index")).expect("removes");
    let all = publications(&world, &["--changes"]);
    assert_eq!(all[0]["changes"], json!({ "unknown": "previous_collected" }));
    assert_eq!(all[1]["changes"], json!({ "unknown": "collected" }));
    let newest = publications(&world, &["--limit", "1"]);
    assert_eq!((newest.len(), &newest[0]["publication"]), (1, &json!(2)));
    let text = world.project.run_at(NOW, &["log", "--limit", "1"]).ok().stdout;
    assert!(text.contains("… and 1 earlier; see `--limit`"), "{text}");
}

#[test]
fn a_head_of_an_earlier_version_is_read_as_well() {
    let (world, _) = World::month();
    let path = world.project.path("public/state/head.json");
    let mut head: Value = serde_json::from_slice(&fs::read(&path).expect("a head")).expect("JSON");
    for past in head["history"].as_array_mut().expect("a list") {
        let past = past.as_object_mut().expect("an object");
        past.remove("reason");
        past.remove("overrides");
    }
    fs::write(&path, head.to_string()).expect("writes");
    let all = publications(&world, &[]);
    assert_eq!((all.len(), &all[2]["reason"], &all[2]["overrides"]), (5, &Value::Null, &json!([])));
}
