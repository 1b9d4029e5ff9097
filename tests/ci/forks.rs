//! Changes that strangers propose: read, shown, and never obeyed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::project::document;
use crate::rendered::rendered;
use crate::runner::{Ran, zipped};
use crate::scene::{Pull, Scene};

/// What must never be seen outside of the file that it stands in.
const CANARY: &str = "CANARY-7f3a";

/// Texts that want to be more than texts, to a shell, a runner, or a renderer. `PWNED` becomes a path.
const HOSTILE: [&str; 10] = [
    "$(touch PWNED)",
    "`touch PWNED`",
    "'; touch PWNED; '",
    "\\\"; touch PWNED; \\\"",
    "::error::owned",
    "##[add-mask]owned",
    "::stop-commands::owned",
    "@everyone </details> <img src=x> [a](https://evil.example)",
    "```",
    "${{ secrets.TENANTRY_ENTITLEMENT_KEY }}",
];

/// A change of somebody who has no rights here.
fn proposed(scene: &Scene, number: u64, branch: &str) -> Pull {
    scene.commit("a change of mine");
    scene.proposes(number, "mallory", branch)
}

/// Whatever the change was: nothing was run, nothing was written elsewhere, nothing secret was said.
#[track_caller]
fn is_harmless(scene: &Scene, ran: &Ran) {
    assert!(!scene.outside("pwned").exists(), "a command of the change was run:\n{}", ran.log);
    assert!(!scene.outside("elsewhere").exists(), "a store of the change was written");
    assert!(!scene.store().exists(), "nothing is published");
    assert_eq!(scene.hub.leaked(), Vec::<String>::new());
    assert!(!format!("{}{}", ran.log, ran.summary).contains(CANARY), "{}", ran.log);
    for command in ran.commands() {
        let ours = ["::notice title=tenantry plan::", "::error file=", "::error title=guard "];
        assert!(ours.iter().any(|it| command.starts_with(it)), "{command}");
        assert!(!command.contains("##["), "{command}");
    }
}

/// The comment is one block of text, and a link of ours.
#[track_caller]
fn is_only_text(comment: &str) {
    let Some(page) = rendered(comment) else { return };
    let tags: BTreeSet<&str> = page["tags"].as_object().expect("a map").keys().map(|it| &**it).collect();
    assert_eq!(tags, BTreeSet::from(["a", "code", "h3", "p", "pre"]), "{comment}");
    assert_eq!(page["tags"]["a"], 1, "the link to the run");
    assert_eq!(page["tags"]["pre"], 1);
    assert_eq!(page["unbalanced"], 0);
    let outside = page["outside"].as_str().expect("text");
    let ours = "Whoever proposes a change can also change what that run says.";
    assert!(outside.trim_end().ends_with(ours) && !outside.contains('@'), "{outside}");
}

#[test]
fn the_plan_of_a_fork_is_made_without_a_secret_and_shown_as_text() {
    let scene = Scene::new();
    scene.project.edit("tenants/elm.yaml", "plan: starter", "plan: business");
    let pull = proposed(&scene, 7, "elm");
    let ran = scene.plans(&pull, &[]).ends_with(0);
    is_harmless(&scene, &ran);
    assert_eq!(scene.hub.own(7), Vec::<String>::new(), "its own run cannot write");
    assert_eq!(scene.hub.take_asked(), Vec::<String>::new(), "and does not try");
    scene.comments(&pull).ends_with(0);
    let said = scene.hub.own(7);
    let expected = format!(
        "<!-- tenantry:plan -->\n### tenantry plan, from a fork\n\nMade by [a run](https://github.com/example/shop/actions/runs/{}) of the proposed change itself, without any secret. Whoever proposes a change can also change what that run says.\n\n```text\n",
        scene.planned()
    );
    assert!(said.len() == 1 && said[0].starts_with(&expected), "{said:?}");
    assert!(said[0].contains("gets 'com.example.chat' 1.0.0") && said[0].ends_with("\n```\n"), "{said:?}");
    is_only_text(&said[0]);

    scene.project.edit("tenants/fir.yaml", "plan: starter", "plan: business");
    let newer = proposed(&scene, 7, "elm");
    scene.plans(&newer, &[]).ends_with(0);
    scene.comments(&newer).ends_with(0);
    let said = scene.hub.own(7);
    assert!(said.len() == 1 && said[0].contains("2 tenants change"), "{said:?}");
}

#[test]
fn texts_of_a_fork_reach_no_shell_no_runner_and_no_renderer() {
    let scene = Scene::new();
    let pwned = scene.outside("pwned").display().to_string();
    let texts = HOSTILE.map(|it| format!("\"{}\"", it.replace("PWNED", &pwned)));
    let looks: String = texts.iter().map(|it| format!("      {it}: {it}\n")).collect();
    scene.project.edit("tenants/elm.yaml", "spec:\n", &format!("spec:\n  branding:\n    window:\n{looks}"));
    let rights: String = texts.iter().map(|it| format!("    {it}: 1\n")).collect();
    scene.project.edit("catalog/plans/business.yaml", "spec:\n", &format!("spec:\n  entitlements:\n{rights}"));
    scene.project.edit("catalog/programs/chat/program.yaml", "  name: chat\n", &format!("  name: {}\n", texts[0]));
    // Quotes and `$()` are characters of a branch's name like others.
    let branch = format!("x\";touch${{IFS}}{pwned};\"&state=closed#$(touch${{IFS}}{pwned})");
    scene.git(&["branch", &branch]);
    let pull = proposed(&scene, 8, &branch);
    let label = format!("tenantry-allow:revocations=1;touch {pwned}");
    let ran = scene.plans(&pull, &[&label, "$(touch x)", "\"\n::error::label"]).ends_with(0);
    is_harmless(&scene, &ran);
    assert!(ran.log.contains("tenants change"), "{}", ran.log);
    let posted = scene.comments(&pull).ends_with(0);
    is_harmless(&scene, &posted);
    let said = scene.hub.own(8);
    assert!(said.len() == 1 && said[0].contains("owned"), "the texts are shown: {said:?}");
    is_only_text(&said[0]);
}

#[test]
fn keys_and_stores_of_a_fork_are_not_asked() {
    let scene = Scene::new();
    let (pwned, elsewhere) = (scene.outside("pwned"), scene.outside("elsewhere"));
    let command = |role: &str| {
        format!("    {role}: {{ command: [touch, {}], public_key: {} }}\n", pwned.display(), "0".repeat(64))
    };
    let spec = format!(
        "  base_url: https://evil.example/\n  keys:\n{}{}  stores:\n    - {{ name: main, directory: {} }}\n    - {{ name: theirs, s3: {{ bucket: theirs, region: eu-west-1, endpoint: \"{}\" }} }}\n",
        command("freshness"),
        command("entitlement"),
        elsewhere.display(),
        scene.hub.api_url(),
    );
    scene.project.write("tenantry.yaml", document("Project", "shop", &spec));
    scene.project.edit("tenants/elm.yaml", "plan: starter", "plan: business");
    scene.project.write(".gitattributes", "* filter=evil diff=evil merge=evil text eol=crlf\n");
    scene.project.write(".gitmodules", "[submodule \"x\"]\n\tpath = tenants\n\turl = https://evil.example/\n");
    let pull = proposed(&scene, 9, "keys");
    let ran = scene.plans(&pull, &[]).ends_with(0);
    is_harmless(&scene, &ran);
    assert!(ran.log.contains("1 tenant changes"), "{}", ran.log);
    assert_eq!(scene.hub.take_asked(), Vec::<String>::new(), "nobody was asked for a bucket");
}

#[test]
fn links_and_names_of_files_of_a_fork_lead_nowhere() {
    let scene = Scene::new();
    let secret = scene.outside("secret.yaml");
    fs::write(&secret, format!("{CANARY}: [\n")).expect("writes");
    symlink(&secret, scene.project.path("tenants/leak.yaml")).expect("links");
    symlink(&secret, scene.project.path("catalog/programs/chat/app/leak.html")).expect("links");
    let pull = proposed(&scene, 10, "links");
    let ran = scene.plans(&pull, &[]).ends_with(1);
    is_harmless(&scene, &ran);
    assert!(ran.log.contains("file=tenants/leak.yaml,line=1"), "{}", ran.log);
    scene.comments(&pull).ends_with(0);
    let said = scene.hub.own(10);
    assert!(said.len() == 1 && said[0].contains("There is no plan: the project has errors."), "{said:?}");

    let pwned = scene.outside("pwned").display().to_string().replace('/', "${HOME:0:1}");
    for name in [
        format!("$(touch {pwned}).yaml"),
        format!("`touch {pwned}`.yaml"),
        "a\n::warning title=x::owned\n.yaml".into(),
        "##[add-mask]owned.yaml".into(),
        "%0A::warning::owned,line=7.yaml".into(),
        "--help.yaml".into(),
        "\u{202e}lmay.yaml".into(),
    ] {
        scene.git(&["reset", "--quiet", "--hard", "refs/remotes/origin/main"]);
        scene.project.write(&format!("tenants/{name}"), "apiVersion: tenantry.dev/v1\nkind: Tenant\n");
        let pull = proposed(&scene, 11, "names");
        let ran = scene.plans(&pull, &[]).ends_with(1);
        is_harmless(&scene, &ran);
        scene.comments(&pull).ends_with(0);
    }
}

/// What a run that the author of a change has rewritten may leave.
#[test]
fn an_artifact_is_text_of_a_decent_size_or_nothing() {
    let scene = Scene::new();
    let pull = proposed(&scene, 20, "x");
    let post = |number: u64, name: &str, archive: Vec<u8>| -> Vec<String> {
        let pull = scene.proposes(number, "mallory", &format!("x{number}"));
        scene.hub.leaves(scene.planned(), name, archive);
        let ran = scene.comments(&pull).ends_with(0);
        is_harmless(&scene, &ran);
        scene.hub.own(number)
    };
    let evil = "```\n\n@everyone **approved** <b>x</b> [x](https://evil.example)\n~~~\n````\n\u{202e}\u{200b}\u{7f}\u{1b}[2J\u{0}\r::error::x\n";
    let shown = post(21, "tenantry-plan", zipped("plan.txt", &[evil.as_bytes(), &[0xff, 0xfe, 0x80]].concat()));
    assert_eq!(shown.len(), 1);
    is_only_text(&shown[0]);
    assert!(shown[0].contains("'''\n\n@everyone **approved** <b>x</b>"), "it is shown as it is: {}", shown[0]);
    assert!(!shown[0].chars().any(|it| (it.is_control() && it != '\n') || "\u{202e}\u{200b}".contains(it)));

    let shown = post(22, "tenantry-plan", zipped("plan.txt", &vec![b'a'; 3_000_000]));
    assert!(shown.len() == 1 && shown[0].chars().count() < 60_000, "it is cut");
    assert!(shown[0].ends_with("\nThe rest is in the artifact of the run.\n"));
    is_only_text(shown[0].trim_end_matches("\nThe rest is in the artifact of the run.\n"));

    let mut linked = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let secret = scene.outside("secret.txt");
    fs::write(&secret, CANARY).expect("writes");
    linked
        .add_symlink("plan.txt", secret.display().to_string(), zip::write::SimpleFileOptions::default())
        .expect("adds");
    let shown = post(23, "tenantry-plan", linked.finish().expect("ends").into_inner());
    assert!(shown.len() == 1 && shown[0].contains("secret.txt") && !shown[0].contains(CANARY), "{shown:?}");

    let noise: Vec<u8> = (0..2_500_000_u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut stored = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let plainly = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    stored.start_file("plan.txt", plainly).expect("starts");
    stored.write_all(&noise).expect("writes");
    for (number, name, archive) in [
        (24, "tenantry-plan", b"no archive at all".to_vec()),
        (25, "tenantry-plan", Vec::new()),
        (26, "tenantry-plan", zipped("../../plan.txt", b"x")),
        (27, "tenantry-plan", zipped("other.txt", b"x")),
        (28, "something-else", zipped("plan.txt", b"x")),
        (29, "tenantry-plan", stored.finish().expect("ends").into_inner()),
    ] {
        assert_eq!(post(number, name, archive), Vec::<String>::new(), "{number}");
    }

    // The run says nothing about where its text goes.
    scene.hub.leaves(scene.planned(), "tenantry-plan", zipped("plan.txt", b"x"));
    let moved_on = Pull { head: "0".repeat(40), ..pull.clone() };
    let ran = scene.comments(&moved_on).ends_with(0);
    assert!(ran.log.contains("no open pull request ends with this commit any more"), "{}", ran.log);
    let elsewhere = Pull { branch: "x21&head=mallory:x".into(), ..pull };
    scene.comments(&elsewhere).ends_with(0);
    assert_eq!(scene.hub.own(20), Vec::<String>::new());
}

/// The second workflow has a token, so it must have nothing else.
#[test]
fn the_job_that_writes_checks_nothing_out_and_runs_nothing_of_the_change() {
    let scene = Scene::new();
    let text = scene.workflow("comment.yml");
    let workflow: Value = serde_yaml::from_str(&text).expect("YAML");
    let steps = workflow["jobs"]["comment"]["steps"].as_array().expect("steps");
    let used: Vec<&str> = steps.iter().filter_map(|it| it["uses"].as_str()?.split('@').next()).collect();
    assert_eq!(used, ["tenantry/tenantry/actions/comment"]);
    assert!(!text.contains("secrets."));
    let planning: Value = serde_yaml::from_str(&scene.workflow("plan.yml")).expect("YAML");
    assert!(!scene.workflow("plan.yml").contains("secrets.") && planning["on"].get("pull_request_target").is_none());
}
