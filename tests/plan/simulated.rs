//! `tenantry simulate`, and what a plan says of the days after it.

use std::fs;

use serde_json::{Value, json};
use tenantry::digest::Blake3;

use crate::project::{Project, catalog, document, program, tenant};
use crate::repository::Repository;

/// A tenant with a licence of its own.
fn licensed(name: &str, license: &str, more: &str) -> (String, String) {
    let (path, text) = tenant(name, "starter", more);
    (path, text.replace("{ valid_from: \"2026-01-01\", valid_until: \"2030-01-01\" }", license))
}

/// What happens, as `instant kind app_id tenants (reason)`.
#[track_caller]
fn happens(project: &Project, arguments: &[&str]) -> Vec<String> {
    let value = project.run(&[&["simulate", "--format", "json"], arguments].concat()).ok().json();
    lines(&value["moments"])
}

fn lines(moments: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for moment in moments.as_array().expect("a list") {
        for class in moment["classes"].as_array().expect("a list") {
            let names: Vec<&str> =
                class["tenants"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
            for it in class["changes"].as_array().expect("a list") {
                let text = |key: &str| it[key].as_str().unwrap_or_default();
                let (at, names) = (moment["at"].as_str().expect("an instant"), names.join(","));
                lines.push(format!("{at} {} {} {names} ({})", text("kind"), text("app_id"), text("reason")));
            }
        }
    }
    lines
}

#[test]
fn licences_begin_and_end_with_their_grace_and_overrides_expire() {
    let mut files = catalog();
    files.push(licensed("begins", "{ valid_from: \"2027-01-01\", valid_until: \"2030-01-01\" }", ""));
    let ends = "valid_from: \"2026-01-01\", valid_until: \"2027-01-10\"";
    files.push(licensed("ends", &format!("{{ {ends}, expiration_strategy: revoke, grace: PT36H }}"), ""));
    files.push(licensed("restricted", &format!("{{ {ends}, expiration_strategy: restrict }}"), ""));
    files.push(licensed("stays", &format!("{{ {ends}, expiration_strategy: maintain }}"), ""));
    let granted =
        "  overrides:\n    - { grant: com.example.chat, reason: a trial, expires: \"2027-01-20T12:00:00Z\" }\n";
    files.push(tenant("trial", "starter", granted));
    let revoked = "  overrides:\n    - { revoke: com.example.notes, reason: an audit, expires: \"2027-01-25\" }\n";
    files.push(tenant("audited", "starter", revoked));
    let project = Project::new(files);
    assert_eq!(
        happens(&project, &["--from", "2026-12-01", "--to", "2027-01-31"]),
        [
            "2027-01-01T00:00:00Z gain com.example.notes begins (licence)",
            "2027-01-11T12:00:00Z lose com.example.notes ends (licence_ended)",
            "2027-01-20T12:00:00Z lose com.example.chat trial (not_entitled)",
            "2027-01-25T00:00:00Z gain com.example.notes audited (revoked)",
        ]
    );
    let ran = project.run(&["simulate", "--from", "2026-12-01", "--to", "2027-01-31", "begins", "trial"]).ok();
    for line in [
        "working directory, 2026-12-01 to 2027-01-31\n",
        "\n2027-01-01\n",
        "    because the licence of tenant `begins` begins then (`tenants/begins.yaml:7`)\n",
        "\n2027-01-20T12:00:00Z\n",
        "an override of tenant `trial` grants it until 2027-01-20T12:00:00Z",
        "2 of 2 tenants change by themselves, at 2 instants; 1 lose something.\n",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    project.run(&["simulate", "--to", "2030-01-01", "begin"]).ends_with(2).says("did you mean `begins`?");
    let quiet = project.run(&["simulate", "stays", "--to", "2029-01-01"]).ok();
    assert!(quiet.stdout.ends_with("Nothing changes by itself. 1 tenant stays as it is.\n"), "{}", quiet.stdout);
}

#[test]
fn both_ends_belong_to_what_is_looked_at_and_a_date_as_the_end_is_the_whole_day() {
    let mut files = catalog();
    files.push(licensed(
        "acorn",
        "{ valid_from: \"2026-01-01\", valid_until: \"2028-02-29T18:00:00Z\", expiration_strategy: revoke }",
        "",
    ));
    let project = Project::new(files);
    let seen = |from: &str, to: &str| happens(&project, &["--from", from, "--to", to]).len();
    assert_eq!(seen("2028-02-28", "2028-02-28"), 0);
    assert_eq!(seen("2028-02-29", "2028-02-29"), 1, "a leap day");
    assert_eq!(seen("2028-03-01", "2028-12-31"), 0);
    assert_eq!(seen("2028-02-29T18:00:00Z", "2028-02-29T18:00:00Z"), 1);
    assert_eq!(seen("2028-02-29T18:00:01Z", "2028-03-01"), 0);
    assert_eq!(seen("2028-02-28", "2028-02-29T17:59:59Z"), 0);
    project
        .run(&["simulate", "--from", "2028-03-01", "--to", "2028-02-29"])
        .ends_with(2)
        .says("`--to` lies before `--from`");
    project.run(&["simulate", "--from", "2027-02-29"]).ends_with(2).says("`--from 2027-02-29` cannot be read");
}

#[test]
fn graces_are_counted_across_a_leap_day() {
    let mut files = catalog();
    for (name, until, grace) in
        [("acorn", "2028-02-28", "P1D"), ("birch", "2028-02-28", "P2D"), ("cedar", "2027-02-28", "P1D")]
    {
        let license = format!(
            "{{ valid_from: \"2026-01-01\", valid_until: \"{until}\", expiration_strategy: revoke, grace: {grace} }}"
        );
        files.push(licensed(name, &license, ""));
    }
    let project = Project::new(files);
    assert_eq!(
        happens(&project, &["--to", "2028-12-31"]),
        [
            "2027-03-01T00:00:00Z lose com.example.notes cedar (licence_ended)",
            "2028-02-29T00:00:00Z lose com.example.notes acorn (licence_ended)",
            "2028-03-01T00:00:00Z lose com.example.notes birch (licence_ended)",
        ]
    );
}

#[test]
fn instants_are_spelled_as_clocks_of_a_zone_show_them_on_every_machine() {
    let mut files = catalog();
    for (name, until) in [("acorn", "2027-01-01"), ("birch", "2027-07-01"), ("cedar", "2027-03-28T01:00:00Z")] {
        let license =
            format!("{{ valid_from: \"2026-01-01\", valid_until: \"{until}\", expiration_strategy: revoke }}");
        files.push(licensed(name, &license, ""));
    }
    let project = Project::new(files);
    let local = |zone: &str| -> Vec<String> {
        let ran = project.run(&["simulate", "--to", "2027-12-31", "--time-zone", zone, "--format", "json"]).ok().json();
        let moments = ran["moments"].as_array().expect("a list").iter();
        moments.map(|it| it["local"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(
        local("Europe/Rome"),
        ["2027-01-01 01:00:00 CET", "2027-03-28 03:00:00 CEST", "2027-07-01 02:00:00 CEST"]
    );
    assert_eq!(
        local("America/New_York"),
        ["2026-12-31 19:00:00 EST", "2027-03-27 21:00:00 EDT", "2027-06-30 20:00:00 EDT"]
    );
    let ran = project.run(&["simulate", "--to", "2027-02-01", "--time-zone", "Europe/Rome"]).ok();
    assert!(ran.stdout.contains("\n2027-01-01 (2027-01-01 01:00:00 CET)\n"), "{}", ran.stdout);
    project.run(&["simulate", "--time-zone", "Europe/Atlantis"]).ends_with(2).says("there is no time zone");
}

/// Under a profile that has versions wait for ten days, with a second version of notes since the 20th.
fn waiting(more: &str) -> Project {
    let mut files = catalog();
    files.push(tenant("acorn", "starter", "  compliance_profile: calm\n"));
    files.push((
        "catalog/compliance/calm.yaml".into(),
        document("ComplianceProfile", "calm", "  review: { min_status: approved, min_soak: P10D }\n"),
    ));
    for (path, text) in program("notes", more) {
        let text = text
            .replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0")
            .replace("name: notes }", "name: notes-2 }")
            .replace("since: \"2026-01-01\"", "since: \"2026-11-20\"");
        files.push((path.replace("notes/", "notes/2/"), text));
    }
    Project::new(files)
}

#[test]
fn a_version_that_has_waited_long_enough_comes_by_itself() {
    let lines = happens(&waiting(""), &["--to", "2026-12-31"]);
    assert_eq!(lines[0], "2026-11-30T00:00:00Z update com.example.notes acorn (compliance)");
    assert!(lines.iter().all(|it| it.starts_with("2026-11-30")), "{lines:?}");
}

#[test]
fn a_tenant_that_can_no_longer_be_compiled_is_found_before_that_day() {
    let project = waiting("  templates:\n    - { src: templates/room.j2, path: room.txt }\n");
    project.write("catalog/programs/notes/2/templates/room.j2", "{{ ext.rooms[5].name }}\n");
    project.run(&["check"]).ok();
    project.run_at("2026-12-01T00:00:00Z", &["check"]).ends_with(1).says("render-failed");
    let ran = project.run(&["simulate"]).ends_with(1).says("some tenants can no longer be compiled after that time");
    ran.says("\n2026-11-30\n✕ `acorn` can no longer be compiled: ").says("1 tenant can no longer be compiled.");
    let value = project.run(&["simulate", "--format", "json"]).ends_with(1).json();
    assert_eq!(value["moments"][0]["failing"][0]["tenant"], "acorn");
    project.run(&["simulate", "--format", "markdown"]).ends_with(1).says("\n✕ `acorn` can no longer be compiled: ");
    project.run(&["simulate", "--to", "2026-11-29"]).ok();
}

#[test]
fn a_comment_has_its_budget_and_its_marker() {
    let mut files = catalog();
    for number in 0..60 {
        let license = format!(
            "{{ valid_from: \"2026-01-01\", valid_until: \"2027-01-{:02}T{:02}:00:00Z\", expiration_strategy: revoke }}",
            1 + number % 28,
            number % 24
        );
        files.push(licensed(&format!("tenant-{number}"), &license, ""));
    }
    let project = Project::new(files);
    let comment = |budget: &str| {
        project.run(&["simulate", "--to", "2027-12-31", "--format", "markdown", "--budget", budget]).ok().stdout
    };
    let (whole, short) = (comment("60000"), comment("1000"));
    for text in [&whole, &short] {
        assert!(
            text.starts_with("<!-- tenantry:simulate -->\n### tenantry simulate · `working directory` · "),
            "{text}"
        );
        assert!(
            text.contains("**60 of 60 tenants change by themselves, at 60 instants; 60 lose something.**"),
            "{text}"
        );
    }
    assert!(!whole.contains("are not shown") && whole.matches("\n#### ").count() == 60, "{whole}");
    assert!(short.chars().count() <= 1000 && short.contains(" classes of change are not shown"), "{short}");
}

/// Half of what happens by itself happens at the end of the week after.
#[test]
fn a_plan_warns_of_what_changes_by_itself_within_seven_days() {
    let mut files = catalog();
    for (name, until) in [("acorn", "2026-11-30"), ("birch", "2026-11-30T00:00:01Z"), ("cedar", "2026-11-24")] {
        let license =
            format!("{{ valid_from: \"2026-01-01\", valid_until: \"{until}\", expiration_strategy: revoke }}");
        files.push(licensed(name, &license, ""));
    }
    files.push(tenant("dogwood", "starter", ""));
    let repository = Repository::new(files);
    let plan = repository.json(&["HEAD"]);
    assert_eq!(
        lines(&plan["ahead"]),
        [
            "2026-11-24T00:00:00Z lose com.example.notes cedar (licence_ended)",
            "2026-11-30T00:00:00Z lose com.example.notes acorn (licence_ended)",
        ]
    );
    let ran = repository.plan(&["HEAD"]).ok();
    for line in [
        "By itself, within seven days: 2 tenants change.\n2026-11-24\n− loss  `cedar` of plan `starter`\n",
        "Plan: No changes. 4 tenants stay as they are.\n",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    let comment = repository.plan(&["HEAD", "--format", "markdown"]).ok().stdout;
    for line in [
        "\n> [!WARNING]\n> **By itself, within seven days:** 2 tenants change.\n> - 2026-11-24",
        "> - 2026-11-24 · − loss · `cedar` of plan `starter`: loses `com.example.notes` 1.0.0 (the licence of tenant `cedar` was over on 2026-11-24",
    ] {
        assert!(comment.contains(line), "{line}\n{comment}");
    }
    let page = repository.plan(&["HEAD", "--format", "html"]).ok().stdout;
    assert!(
        page.contains("<h2>By itself, within seven days</h2>\n<p>2 tenants change.</p>\n<h3>2026-11-24</h3>"),
        "{page}"
    );
    // What the change does about it is known.
    repository.edit("tenants/cedar.yaml", "2026-11-24", "2029-11-24");
    let after = lines(&repository.json(&["HEAD"])["ahead"]);
    assert_eq!(after, ["2026-11-30T00:00:00Z lose com.example.notes acorn (licence_ended)"]);
    // And without anything ahead nothing is said.
    repository.edit("tenants/acorn.yaml", "2026-11-30", "2029-11-24");
    assert_eq!(repository.json(&["HEAD"])["ahead"], json!([]));
    assert!(!repository.plan(&["HEAD"]).ok().stdout.contains("By itself"));
}

#[test]
fn a_revision_is_simulated_without_a_checkout() {
    let repository = Repository::small();
    repository.edit("tenants/elm.yaml", "2030-01-01\"", "2026-12-01\", expiration_strategy: revoke");
    let commit = repository.commit("elm ends");
    fs::remove_dir_all(repository.project.path("tenants")).expect("removes");
    let ran = repository.project.run(&["simulate", "--rev", "main", "--format", "json"]).ok().json();
    assert_eq!((&ran["project"]["name"], &ran["project"]["commit"]), (&json!("main"), &json!(commit)));
    assert_eq!(
        (&ran["summary"]["changed"], &ran["summary"]["lose"], &ran["summary"]["tenants"]),
        (&json!(1), &json!(1), &json!(9))
    );
}

/// The promised maps leave room for nothing else, until the promise ends.
#[test]
fn a_budget_is_filled_again_when_something_ends_by_itself() {
    let mut files = catalog();
    files.extend(program("maps", ""));
    for (path, text) in &mut files {
        match path.as_str() {
            "tenantry.yaml" => *text += "  first_start: { max_bytes: 31000, preload: fill }\n",
            "catalog/plans/business.yaml" => *text = text.replace("chat\n", "chat\n      optional: true\n"),
            _ => {}
        }
    }
    // Nothing makes digests smaller.
    let noise: Vec<u8> = (0..100_u8).flat_map(|it| Blake3::of(&[it]).0).collect();
    let promise = "  overrides:\n    - { grant: com.example.maps, reason: a promise, expires: \"2027-01-20\" }\n";
    files.push(tenant("acorn", "business", promise));
    let project = Project::new(files);
    project.write("catalog/programs/maps/app/noise.bin", noise);
    assert_eq!(
        happens(&project, &["--to", "2027-12-31"]),
        [
            "2027-01-20T00:00:00Z lose com.example.maps acorn (not_entitled)",
            "2027-01-20T00:00:00Z preload com.example.chat acorn (project)",
        ]
    );
}
