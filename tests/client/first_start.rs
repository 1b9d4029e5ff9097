//! What a device that has nothing fetches: counted, held to a budget, and filled up to it.

use serde_json::{Value, json};
use tenantry::digest::Blake3;

use tenantry::first_start;

use crate::device::{Device as _, World, running};
use crate::project::{NOW, Project, changed, document, program, tenant, write_fixed_keys};

/// What `fill` leaves free for signed files, and for what they say of each mini-program.
const FRAME: u64 = 16 << 10;
const ENTRY: u64 = 4 << 10;

/// The shells of these levels, and no mini-program yet.
fn bare(levels: &str) -> Project {
    let project = Project::new([
        ("tenantry.yaml", document("Project", "small", "  defaults: { channel: stable }\n")),
        ("catalog/shells/phone.yaml", document("Shell", "phone", &format!("  platform_codes: {levels}\n"))),
    ]);
    write_fixed_keys(&project.path("keys"), "production");
    project
}

/// A mini-program with so many bytes that nothing makes much smaller.
fn add(project: &Project, name: &str, bytes: usize, more: &str) {
    for (path, text) in program(name, more) {
        project.write(&path, text);
    }
    project.write(&format!("catalog/programs/{name}/app/index.html"), noise(name, bytes));
}

fn noise(name: &str, bytes: usize) -> String {
    let mut text = Blake3::of(name.as_bytes()).to_string();
    while text.len() < bytes {
        text += &Blake3::of(&text.as_bytes()[text.len() - 64..]).to_string();
    }
    text.truncate(bytes);
    text
}

/// A plan of these mini-programs; those after a question mark are optional.
fn plan(project: &Project, name: &str, programs: &[&str]) {
    let grants = programs.iter().map(|it| match it.strip_prefix('?') {
        Some(it) => format!("    - {{ app_id: com.example.{it}, optional: true }}\n"),
        None => format!("    - {{ app_id: com.example.{it} }}\n"),
    });
    let spec = format!("  lookup_key: plan_{name}\n  mini_programs:\n{}", grants.collect::<String>());
    project.write(&format!("catalog/plans/{name}.yaml"), document("Plan", name, &spec));
}

fn add_tenant(project: &Project, name: &str, plan: &str) {
    let (path, text) = tenant(name, plan, "");
    project.write(&path, text);
}

fn budget(project: &Project, max_bytes: u64, preload: &str) {
    let spec = format!("  first_start: {{ max_bytes: {max_bytes}, preload: {preload} }}\n");
    project.write("tenantry.yaml", document("Project", "small", &spec));
}

/// What `explain` says of a tenant's first start.
fn first_start(project: &Project, tenant: &str) -> Value {
    project.run(&["explain", tenant, "--format", "json"]).ok().json()["first_start"].clone()
}

fn short(app_id: &Value) -> String {
    app_id.as_str().and_then(|it| it.strip_prefix("com.example.")).expect("one of ours").to_owned()
}

/// The bytes of a tenant's preloaded mini-programs.
fn bytes_of(project: &Project, tenant: &str, name: &str) -> u64 {
    let start = first_start(project, tenant);
    let mut programs = start["programs"].as_array().expect("a list").iter();
    let found = programs.find(|it| short(&it["app_id"]) == name);
    found.and_then(|it| it["bytes"].as_u64()).unwrap_or_else(|| panic!("`{name}` is preloaded: {start:#}"))
}

/// What a tenant's manifest has devices preload.
fn preloaded(project: &Project, tenant: &str) -> Vec<String> {
    let name = format!("{}.manifest.json", project.addr(tenant));
    let public = project.public();
    let bytes = public.iter().find(|(key, _)| key.ends_with(&name)).expect("a manifest").1;
    let manifest: Value = serde_json::from_slice(bytes).expect("JSON");
    let programs = manifest["mini_programs"].as_array().expect("a list").iter();
    programs.filter(|it| it["preload"] == true).map(|it| short(&it["app_id"])).collect()
}

/// What a tenant's first start takes, by the index: roots, metadata, manifest, archives.
fn whole(project: &Project, tenant: &str) -> u64 {
    let summary = project.run(&["compile", "--format", "json"]).ok().json()["summary"].clone();
    assert_eq!(summary["first_start"]["tenant"], tenant, "the worst one: {summary:#}");
    summary["first_start"]["worst"].as_u64().expect("a number")
}

/// Acme needs chat and maps, bolt only chat.
fn two_tenants() -> Project {
    let project = bare("[12]");
    add(&project, "chat", 3_000, "");
    add(&project, "maps", 9_000, "");
    plan(&project, "lite", &["chat"]);
    plan(&project, "pro", &["chat", "maps"]);
    add_tenant(&project, "acme", "pro");
    add_tenant(&project, "bolt", "lite");
    project
}

#[test]
fn a_first_start_is_counted_with_and_without_a_budget_and_a_budget_that_is_met_moves_nobody() {
    let project = two_tenants();
    let text = project.compile().stdout;
    let line = text.lines().nth(1).expect("a second line");
    let start = project.run(&["compile", "--format", "json"]).ok().json()["summary"]["first_start"].clone();
    let (median, worst) = (start["median"].as_u64().expect("a number"), start["worst"].as_u64().expect("a number"));
    assert_eq!(start, json!({ "budget": null, "median": median, "worst": worst, "tenant": "acme" }));
    let of = |count: u64| format!("{:.1} kB", count as f64 / 1e3);
    assert_eq!(line, format!("a first start fetches {} in the middle, {} at worst (`acme`)", of(median), of(worst)));

    // Counted again by hand: what lies in `out/` for this tenant, and the root.
    let index = project.index();
    let (addr, record) = index.tenants.iter().find(|(_, it)| it.name == "acme").expect("a tenant");
    let own: u64 = record.files(addr).map(|(_, length)| length).sum();
    let bundles: u64 = record.bundles.iter().map(|it| index.bundles[it].length).sum();
    assert_eq!(worst, own + bundles + project.public()["root/1.root.json"].len() as u64);
    let archives = json!({ "bytes": bundles, "requests": 2 });
    let programs = json!([
        { "app_id": "com.example.maps", "version": "1.0.0", "bytes": bytes_of(&project, "acme", "maps") },
        { "app_id": "com.example.chat", "version": "1.0.0", "bytes": bytes_of(&project, "acme", "chat") },
    ]);
    let expected = json!({ "archives": archives, "level": 10, "programs": programs });
    assert_eq!(first_start(&project, "acme"), expected);

    let report = project.run(&["report", "--format", "json"]).ok().json();
    let expected = json!({ "median": median, "worst": worst, "worst_tenant": 0, "budget": null });
    assert_eq!(report["first_start"], expected);
    assert_eq!(report["tenants"][1]["first_start"], median, "{:#}", report["tenants"]);

    let before = project.public();
    budget(&project, worst, "needed");
    project.compile().says(&format!("{} of {} allowed at worst (`acme`)", of(worst), of(worst)));
    assert_eq!(changed(&before, &project.public()), [""; 0]);
}

#[test]
fn mini_programs_beyond_the_budget_stop_check_and_compile_before_anything_is_signed() {
    let project = two_tenants();
    budget(&project, 4_000, "needed");
    // Whoever looks for what is too heavy is told all the same.
    let (chat, maps) = (bytes_of(&project, "acme", "chat"), bytes_of(&project, "acme", "maps"));
    let expected = format!(
        "\
error[first-start-budget]: the first start of tenant `acme` takes more than 4000 bytes
 --> tenantry.yaml:5:29
  |
5 |   first_start: {{ max_bytes: 4000, preload: needed }}
  |                             ^^^^
  |
 ::: tenants/acme.yaml:3:19
  |
3 | metadata: {{ name: acme }}
  |                   ---- `acme` fetches {sum} bytes of mini-programs alone: {maps} for `com.example.maps` 1.0.0, {chat} for `com.example.chat` 1.0.0
  |
  = help: call grants `optional: true` whose mini-program can wait until it is opened, ship smaller versions, or raise `max_bytes` above {sum}

1 error in 1 file
",
        sum = chat + maps
    );
    let checked = project.run(&["check"]).ends_with(1);
    assert_eq!((checked.stdout.as_str(), checked.stderr.as_str()), (&*expected, ""));
    let compiled = project.run(&["compile"]).ends_with(1);
    assert_eq!((compiled.stdout.as_str(), compiled.stderr.as_str()), ("", &*expected));
    assert!(!project.path("out").exists());

    // As the help says.
    plan(&project, "pro", &["chat", "?maps"]);
    project.run(&["check"]).ok();
}

#[test]
fn signed_files_count_and_a_tenant_that_exceeds_by_them_leaves_out_as_it_was() {
    let project = two_tenants();
    project.compile();
    let worst = whole(&project, "acme");
    let before = project.out();
    let archives = first_start(&project, "acme")["archives"]["bytes"].as_u64().expect("a number");
    budget(&project, worst - 1, "needed");
    project.run(&["check"]).ok();
    // Nobody is left alone when the project's file is another one, and nobody is signed: all are looked at.
    let ran = project.run(&["compile", "--format", "short"]).ends_with(1);
    let told = format!("`acme` fetches {worst} bytes: ");
    let json = project.run(&["compile", "--format", "json"]).ends_with(1).json();
    let label = json["diagnostics"][0]["labels"][1]["text"].as_str().expect("a text").to_owned();
    assert!(label.starts_with(&told) && label.ends_with(&format!("{} for signed files", worst - archives)), "{label}");
    assert!(
        ran.stderr.starts_with(
            "tenantry.yaml:5:29: error[first-start-budget]: the first start of tenant `acme` takes more than"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(changed(&before, &project.out()), [""; 0]);

    // The same from nothing.
    std::fs::remove_dir_all(project.path("out")).expect("removes");
    project.run(&["compile"]).ends_with(1);
    assert!(!project.path("out").exists());
    budget(&project, worst, "needed");
    project.compile();
}

#[test]
fn a_new_root_counts_for_tenants_that_are_left_alone() {
    let project = two_tenants();
    project.compile();
    budget(&project, whole(&project, "acme"), "needed");
    project.compile();
    project.run(&["keys", "rotate", "root", "--renew"]).ok();
    let before = project.out();
    let json = project.run(&["compile", "--format", "json"]).ends_with(1).json();
    let label = &json["diagnostics"][0]["labels"][1];
    assert_eq!(label["path"], "tenants/acme.yaml", "{json:#}");
    // Nothing of it was read, so only the index can tell.
    let index = project.index();
    let record = index.tenants.values().find(|it| it.name == "acme").expect("a tenant");
    let archives = record.preloaded.expect("it is known").bytes;
    let text = label["text"].as_str().expect("a text");
    assert!(text.contains(&format!(" bytes: {archives} for mini-programs, ")), "{text}");
    assert_eq!(changed(&before, &project.out()), [""; 0]);
}

#[test]
fn optional_mini_programs_fill_the_budget_smallest_first_and_what_does_not_fit_is_passed_over() {
    let project = bare("[12]");
    add(&project, "base", 2_000, "");
    add(&project, "tiny", 1_000, "");
    add(&project, "lean", 4_000, "  dependencies: [{ app_id: com.example.heavy }]\n");
    add(&project, "mid", 20_000, "");
    add(&project, "heavy", 60_000, "");
    plan(&project, "pro", &["base", "?tiny", "?lean", "?mid", "?heavy"]);
    add_tenant(&project, "acme", "pro");

    budget(&project, 1_000_000, "fill");
    project.compile();
    assert_eq!(preloaded(&project, "acme"), ["base", "heavy", "lean", "mid", "tiny"]);
    let of = |name: &str| bytes_of(&project, "acme", name);
    let [base, tiny, lean, mid, heavy] = ["base", "tiny", "lean", "mid", "heavy"].map(of);
    let reserve = FRAME + 5 * ENTRY;
    let fills = |max_bytes: u64| {
        budget(&project, max_bytes, "fill");
        project.compile();
        preloaded(&project, "acme")
    };
    // Each is there with its last byte, and not without.
    assert_eq!(fills(reserve + base), ["base"]);
    assert_eq!(fills(reserve + base + tiny - 1), ["base"]);
    assert_eq!(fills(reserve + base + tiny), ["base", "tiny"]);
    // The lean one needs the heavy one, which does not fit; the next larger one does.
    assert_eq!(fills(reserve + base + tiny + mid), ["base", "mid", "tiny"]);
    assert_eq!(fills(reserve + base + tiny + lean + heavy), ["base", "heavy", "lean", "tiny"]);
    assert_eq!(fills(reserve + base + tiny + lean + heavy + mid), ["base", "heavy", "lean", "mid", "tiny"]);
    // A budget that leaves nothing takes nothing away that is needed.
    assert_eq!(fills(base + 10_000), ["base"]);

    // What is filled is named so, and it is the same from nothing, on one thread.
    fills(reserve + base + tiny);
    let programs = first_start(&project, "acme")["programs"].clone();
    assert_eq!(
        programs,
        json!([
            { "app_id": "com.example.base", "version": "1.0.0", "bytes": base },
            { "app_id": "com.example.tiny", "version": "1.0.0", "bytes": tiny, "optional": true },
        ])
    );
    let warm = preloaded(&project, "acme");
    std::fs::remove_dir_all(project.path("out")).expect("removes");
    project.run(&["compile", "--jobs", "1"]).ok();
    assert_eq!(preloaded(&project, "acme"), warm);
}

/// Old shells take a heavy first version, new ones a light second one; so the optional program fits on new ones only.
#[test]
fn the_shell_that_fetches_most_decides_and_so_does_the_share_of_devices() {
    let project = bare("[10, 15]");
    add(&project, "chat", 30_000, "");
    add(&project, "maps", 5_000, "");
    for (path, text) in program("chat", "") {
        let text = text
            .replace("code: 1, name: 1.0.0", "code: 2, name: 2.0.0")
            .replace("min_code: 10, target_code: 10", "min_code: 15, target_code: 15");
        project.write(&path.replace("chat/", "chat-2/"), text);
    }
    plan(&project, "pro", &["chat", "?maps"]);
    add_tenant(&project, "acme", "pro");
    let start = first_start(&project, "acme");
    assert_eq!((&start["level"], &start["programs"][0]["version"]), (&json!(10), &json!("1.0.0")), "{start:#}");
    let chat = start["archives"]["bytes"].as_u64().expect("a number");

    budget(&project, 1_000_000, "fill");
    let maps = bytes_of(&project, "acme", "maps");
    let reserve = FRAME + 2 * ENTRY;
    for (max_bytes, expected) in [(chat + maps - 1, vec!["chat"]), (chat + maps, vec!["chat", "maps"])] {
        budget(&project, reserve + max_bytes, "fill");
        project.compile();
        assert_eq!(preloaded(&project, "acme"), expected, "{max_bytes}");
    }

    // A third version reaches the first tenth of the devices, and is heavier still.
    let rollout = "  rollout: { steps: [{ from: \"2026-01-01\", percent: 10 }] }\n";
    for (path, text) in program("chat", rollout) {
        let text = text.replace("code: 1, name: 1.0.0", "code: 3, name: 3.0.0");
        project.write(&path.replace("chat/", "chat-3/"), text);
    }
    project.write("catalog/programs/chat-3/app/index.html", noise("chat 3", 40_000));
    project.compile();
    assert_eq!(preloaded(&project, "acme"), ["chat"]);
    let start = first_start(&project, "acme");
    let worst = (&start["level"], &start["percent"], &start["programs"][0]["version"]);
    assert_eq!(worst, (&json!(10), &json!(10), &json!("3.0.0")), "{start:#}");
}

#[test]
fn what_one_tenant_preloads_depends_on_no_other_tenant() {
    let project = bare("[12]");
    add(&project, "base", 2_000, "");
    add(&project, "mid", 20_000, "");
    plan(&project, "lite", &["?base"]);
    plan(&project, "pro", &["base", "?mid"]);
    add_tenant(&project, "acme", "pro");
    budget(&project, 80_000, "fill");
    project.compile();
    assert_eq!(preloaded(&project, "acme"), ["base", "mid"]);
    let own = |project: &Project| {
        let keys = project.own("acme");
        project.public().into_iter().filter(|(key, _)| keys.contains(key)).collect::<Vec<_>>()
    };
    let alone = own(&project);
    for name in ["bolt", "corn"] {
        add_tenant(&project, name, "lite");
    }
    std::fs::remove_dir_all(project.path("out")).expect("removes");
    project.compile();
    assert_eq!(own(&project), alone);
    assert_eq!(preloaded(&project, "bolt"), ["base"]);
    let report = project.verify_at(NOW);
    assert_eq!(report.findings, [], "{report:#?}");
}

#[test]
fn what_is_counted_is_what_a_client_fetches() {
    let world = World::new();
    let index = world.project.index();
    for (name, programs) in [("acme", vec!["chat", "notes"]), ("bolt", vec!["notes"])] {
        let (_, record) = index.tenants.iter().find(|(_, it)| it.name == name).expect("a tenant");
        let root = world.project.root().len() as u64;
        let counted = first_start::whole(record, first_start::roots([root].into_iter())).expect("it is known");
        let mut config = world.config(name);
        config.dir = world.folder.path().join(name);
        let mut client = world.try_client(config).expect("it opens");
        let traffic = client.refreshes(NOW).traffic;
        // A client is built with the first root in it.
        assert_eq!(
            (traffic.bytes, traffic.requests),
            (counted.bytes - root, u64::from(counted.requests) - 1),
            "{name}"
        );
        client.activate().expect("activates");
        assert_eq!(running(&client.start(crate::project::time(NOW))), programs);
    }
}
