//! `tenantry at`

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::project::{Ran, tenant};
use crate::world::{GIULIA, MARCO, World};

const NOW: &str = "2026-11-20T00:00:00Z";

impl World {
    fn at(&self, arguments: &[&str]) -> Ran {
        self.project.run_at(NOW, &[&["at"], arguments].concat())
    }

    fn answer(&self, instant: &str, tenant: &str) -> Value {
        let ran = self.at(&[instant, tenant, "--format", "json"]).ok();
        assert_eq!(ran.stderr, "");
        ran.json()
    }

    /// The key below `state/` of an index.
    fn index_of(&self, publication: u64) -> PathBuf {
        let (begin, end) = (format!("{publication}."), ".index.json");
        let mut files = fs::read_dir(self.project.path("public/state")).expect("a folder");
        let is_it = |it: &PathBuf| {
            it.file_name().and_then(|it| it.to_str()).is_some_and(|it| it.starts_with(&begin) && it.ends_with(end))
        };
        files.find_map(|it| Some(it.expect("an entry").path()).filter(is_it)).expect("an index")
    }
}

/// `app_id: at that instant`, for both programs.
fn line_up(answer: &Value) -> [String; 2] {
    let programs = answer["mini_programs"].as_array().expect("a list");
    let one = |name: &str| {
        let app_id = format!("com.example.{name}");
        let found = programs.iter().find(|it| it["app_id"] == app_id.as_str());
        format!("{name}: {}", found.map_or("not wanted", |it| it["at_that_instant"].as_str().expect("text")))
    };
    [one("chat"), one("notes")]
}

fn outcomes(answer: &Value) -> Vec<&str> {
    answer["checks"].as_array().expect("a list").iter().map(|it| it["outcome"].as_str().expect("text")).collect()
}

#[test]
fn the_publication_that_was_in_force_decides_and_not_the_newest_commit() {
    let (world, [first, second, third]) = World::month();
    let (has, has_not) = (["chat: in", "notes: in"], ["chat: not wanted", "notes: in"]);
    for (instant, tenant, publication, decided_by, decided_at, commit, expected) in [
        ("2026-11-01T10:10:00Z", "acorn", 1, 1, "2026-11-01T10:00:00Z", &first, has),
        ("2026-11-05T10:09:59Z", "elm", 1, 1, "2026-11-01T10:00:00Z", &first, has),
        ("2026-11-05T10:10:00Z", "elm", 2, 2, "2026-11-05T10:00:00Z", &second, has_not),
        ("2026-11-07", "acorn", 2, 2, "2026-11-05T10:00:00Z", &second, has),
        ("2026-11-11", "acorn", 3, 3, "2026-11-10T10:00:00Z", &third, has_not),
        // The rollback shows what was there before, and so does its refresh.
        ("2026-11-13", "acorn", 4, 2, "2026-11-05T10:00:00Z", &second, has),
        ("2026-11-13", "dogwood", 4, 2, "2026-11-05T10:00:00Z", &second, has),
        ("2026-11-18", "acorn", 5, 2, "2026-11-05T10:00:00Z", &second, has),
        ("2026-11-18", "elm", 5, 2, "2026-11-05T10:00:00Z", &second, has_not),
    ] {
        let answer = world.answer(instant, tenant);
        let case = format!("{tenant} at {instant}: {answer:#}");
        assert_eq!(
            (&answer["shown"]["publication"], &answer["decided_by"]),
            (&json!(publication), &json!(decided_by)),
            "{case}"
        );
        assert_eq!((&answer["decided_at"], &answer["commit"]["id"]), (&json!(decided_at), &json!(commit)), "{case}");
        assert_eq!(line_up(&answer), expected, "{case}");
        assert_eq!((outcomes(&answer), &answer["is_proved"]), (vec!["same", "same"], &json!(true)), "{case}");
    }
    world.at(&["2026-10-31", "acorn"]).ends_with(2).says("it showed nothing at 2026-10-31T00:00:00Z").says("--git");
    world.at(&["2026-11-07", "acron"]).ends_with(2).says("had no tenant `acron`").says("did you mean `acorn`?");
    world.at(&["yesterday", "acorn"]).ends_with(2).says("`yesterday` is no instant");
}

#[test]
fn reasons_have_their_place_in_that_commit_and_whoever_is_said_to_answer_for_it_is_named() {
    let (world, [_, second, _]) = World::month();
    let text = world.at(&["2026-11-07", "elm"]).ok().stdout;
    for line in [
        "tenant `elm` at 2026-11-07T00:00:00Z: store `main` showed publication 2 (publish of 2026-11-05T10:10:00Z by ci@runner)\n",
        "decided for 2026-11-05T10:00:00Z, from\n",
        &format!("  commit {} “Merge pull request #12 from corp/elm”\n", &second[..12]),
        "    merged by Giulia Ferri <giulia@example.com>, 2026-11-05T09:00:00Z; pull request #12\n",
        "tenants/elm.yaml was last changed by\n",
        "“elm buys less”\n",
        "    author Marco Bianchi <marco@example.com>, 2026-11-04T09:00:00Z\n",
        "    Reviewed-by: Giulia Ferri <giulia@example.com>\n",
        "which came to the branch by\n",
        "[in]      com.example.notes 1.0.0 is in: plan `starter` contains it (catalog/plans/starter.yaml:7)",
        "the index of publication 2 says the same\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("com.example.chat"), "{text}");
    let chat = world.at(&["2026-11-07", "elm", "com.example.chat", "--store", "main"]).ok().stdout;
    assert!(chat.contains("[out]     com.example.chat is out: "), "{chat}");
    assert!(chat.contains("plan `business` would give it (catalog/plans/business.yaml:8)"), "{chat}");
    world.at(&["2026-11-07", "elm", "com.example.chatt"]).ends_with(2).says("did you mean `com.example.chat`?");
    let back = world.at(&["2026-11-18", "acorn"]).ok().stdout;
    assert!(back.contains("with what publication 2 had decided for 2026-11-05T10:00:00Z, from\n"), "{back}");
    let late = world.at(&["2026-11-30", "acorn"]).ok();
    late.says("what it had signed for the tenant had expired on 2026-11-24T10:00:00Z: devices took no more updates");
}

#[test]
fn dates_in_a_manifest_go_on_without_a_publication() {
    let world = World::new();
    let (path, text) = tenant("gum", "business", "");
    let text = text
        .replace("\"2026-01-01\"", "\"2026-11-15\"")
        .replace("\"2030-01-01\"", "\"2026-11-25\", expiration_strategy: revoke");
    world.project.write(&path, text);
    world.commit("2026-11-01T09:00:00Z", MARCO, "gum comes for ten days");
    world.compile("2026-11-01T10:00:00Z");
    world.publish("2026-11-01T10:00:00Z", &[]).ok();
    for (instant, standing) in [
        ("2026-11-14T23:59:59Z", "not_yet"),
        ("2026-11-15", "in"),
        ("2026-11-24T23:59:59Z", "in"),
        ("2026-11-25", "over"),
    ] {
        let answer = world.answer(instant, "gum");
        assert_eq!(line_up(&answer), [format!("chat: {standing}"), format!("notes: {standing}")], "{instant}");
        assert_eq!(answer["decided_at"], "2026-11-01T10:00:00Z");
    }
    world.at(&["2026-11-26", "gum"]).ok().says("[over]    com.example.chat");
}

#[test]
fn git_alone_answers_where_no_store_can_and_it_is_said_aloud() {
    let (world, [first, second, third]) = World::month();
    for (instant, commit, expected) in [
        ("2026-11-04T12:00:00Z", &first, "chat: in"),
        ("2026-11-05T09:00:00Z", &second, "chat: not wanted"),
        ("2026-11-30", &third, "chat: not wanted"),
    ] {
        let answer = world.at(&[instant, "elm", "--git", "--format", "json"]).ok().json();
        assert_eq!((&answer["commit"]["id"], &answer["shown"]), (&json!(commit), &Value::Null), "{instant}");
        assert_eq!(line_up(&answer)[0], expected);
        assert!(answer["why_git"].as_str().expect("a reason").contains("--git"));
    }
    world.at(&["2026-11-07", "elm", "--git"]).ok().says("Whether and when this was published, git does not know");
    world.at(&["2026-10-01", "elm", "--git"]).ends_with(2).says("has no commit that was there at 2026-10-01");
    let other = world.at(&["2026-11-30", "acorn", "--git", "--rev", &second, "--format", "json"]).ok().json();
    assert_eq!((&other["commit"]["id"], &*line_up(&other)[0]), (&json!(second), "chat: in"));
    // A store that cannot be read.
    let head = world.project.path("public/state/head.json");
    fs::remove_file(&head).expect("removes");
    fs::create_dir(&head).expect("makes a folder");
    let ran = world.at(&["2026-11-07", "elm"]).ok();
    assert!(ran.stderr.contains("store `main` cannot be asked: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("git alone answers, which does not know what was published"), "{}", ran.stderr);
    assert!(ran.stdout.contains("by git alone: store `main` cannot be asked"), "{}", ran.stdout);
    // Several stores, and none named.
    let two = "stores: [{ name: main, directory: public }, { name: other, directory: other }]";
    world.project.edit("tenantry.yaml", "stores: [{ name: main, directory: public }]", two);
    world.at(&["2026-11-07", "elm"]).ends_with(2).says("there are several stores").says("`main`, `other`");
    world.at(&["2026-11-07", "elm", "--store", "other"]).ends_with(2).says("nothing was published");
}

#[test]
fn what_was_collected_is_said_and_what_was_tampered_with_is_found() {
    let (world, [_, second, _]) = World::month();
    let key = |answer: &Value| {
        let what = answer["checks"][1]["what"].as_str().expect("text").to_owned();
        what.split('`').nth(1).expect("a key").to_owned()
    };
    let manifest = world.project.path("public").join(key(&world.answer("2026-11-18", "acorn")));
    let bytes = fs::read(&manifest).expect("a manifest");
    let tampered = String::from_utf8(bytes.clone()).expect("text").replace("com.example.chat", "com.example.evil");
    fs::write(&manifest, tampered).expect("writes");
    let ran = world.at(&["2026-11-18", "acorn"]).ends_with(5);
    assert!(
        ran.stdout.contains(".manifest.json` DIFFERS: its bytes are not those that its name says"),
        "{}",
        ran.stdout
    );
    fs::remove_file(&manifest).expect("removes");
    let answer = world.answer("2026-11-18", "acorn");
    assert_eq!(outcomes(&answer), ["same", "not_compared"]);
    fs::write(&manifest, bytes).expect("writes");
    // The index of what was in force then.
    fs::remove_file(world.index_of(5)).expect("removes");
    let answer = world.answer("2026-11-18", "acorn");
    assert_eq!((outcomes(&answer), line_up(&answer)[0].as_str()), (vec!["not_compared"], "chat: in"));
    assert_eq!((&answer["commit"]["id"], &answer["is_proved"]), (&json!(second), &json!(false)));
    world.at(&["2026-11-18", "acorn"]).ok().says("as far as the records go, what publication 2 had decided");
    // And of what had decided it: then its own hour is all that is left.
    fs::remove_file(world.index_of(2)).expect("removes");
    assert_eq!(world.answer("2026-11-18", "acorn")["decided_at"], "2026-11-05T10:10:00Z");
}

#[test]
fn a_commit_that_is_not_here_is_no_answer() {
    let world = World::new();
    world.project.run_at("2026-11-01T10:00:00Z", &["compile"]).ok();
    world.publish("2026-11-01T10:00:00Z", &[]).ok();
    world.at(&["2026-11-02", "elm"]).ends_with(3).says("no commit is known of what publication 1 (publish) showed");
    world.downgrade(&["elm"]);
    world.commit("2026-11-02T08:00:00Z", MARCO, "elm buys less");
    world.compile("2026-11-02T10:00:00Z");
    world.publish("2026-11-02T10:00:00Z", &[]).ok();
    world.git("2026-11-03T08:00:00Z", GIULIA, &["reset", "--quiet", "--hard", "HEAD~1"]);
    world.git("2026-11-03T08:00:00Z", GIULIA, &["reflog", "expire", "--expire=now", "--all"]);
    world.git("2026-11-03T08:00:00Z", GIULIA, &["prune", "--expire=now"]);
    world.at(&["2026-11-03", "elm"]).ends_with(3).says("is not in this repository").says("fetch-depth: 0");
}

#[test]
fn what_a_rollout_gives_to_some_devices_only_is_said_of_those() {
    let world = World::new();
    let path = "catalog/programs/chat/2/program.yaml";
    let text = fs::read_to_string(world.project.path("catalog/programs/chat/program.yaml")).expect("reads");
    let rollout = "  rollout: { steps: [{ from: \"2026-11-01\", percent: 20 }] }\n";
    let text = text.replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0");
    world.project.write(path, text + rollout);
    world.project.write("catalog/programs/chat/2/app/index.html", "<h1>Chat 2</h1>\n");
    world.commit("2026-11-01T09:00:00Z", MARCO, "chat 2, for some");
    world.compile("2026-11-01T10:00:00Z");
    world.publish("2026-11-01T10:00:00Z", &[]).ok();
    let answer = world.answer("2026-11-02", "elm");
    let version = |it: &Value| it["mini_programs"][0]["versions"][0]["version"].clone();
    assert_eq!((version(&answer), version(&answer["shares"][0])), (json!("1.0.0"), json!("2.0.0")), "{answer:#}");
    assert_eq!((&answer["shares"][0]["percent"], outcomes(&answer)), (&json!(20), vec!["same", "same"]));
    let text = world.at(&["2026-11-02", "elm"]).ok().stdout;
    assert!(
        text.contains("the first 20 % of its devices had otherwise\n[in]      com.example.chat 2.0.0 is in"),
        "{text}"
    );
    let report = world.project.run_at(NOW, &["verify", "--reproduce", "HEAD", "--store", "main"]).ok().stdout;
    assert!(report.contains("  bundle    3 equal\n") && report.contains("reproduced: everything"), "{report}");
}
