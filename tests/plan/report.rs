//! `tenantry report`: what the page shows is what the other commands say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;
use serde_json::{Value, json};
use tenantry::digest::Sha256;
use tenantry::explain::Explainer;
use tenantry::load;
use tenantry::model::ProgramId;
use tenantry::pipeline;

use crate::project::{NOW, Project, run, small, tenant, time};
use crate::repository::Repository;

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a number")).expect("it fits")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The document of the example project, without what may lie in its `out/`.
fn example() -> Value {
    let nowhere = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.current_dir(root()).args(["report", "--format", "json", "--at", NOW, "--publication"]).arg(nowhere.path());
    run(&mut command).ok().json()
}

/// What the page does with a template.
fn filled(template: &str, tenant: &Value) -> String {
    let mut out = template.replace("{{tenant}}", text(&tenant["name"])).replace("{{file}}", text(&tenant["file"]));
    for (at, word) in list(&tenant["own"]).iter().enumerate() {
        out = out.replace(&format!("{{{{{at}}}}}"), text(word));
    }
    out
}

/// A cell as `explain` would say it, by what the document says.
fn explained(report: &Value, tenant: &Value, program: usize) -> Value {
    let shape = &report["shapes"][number(&tenant["shape"])];
    let wanted = &shape["cells"][program.to_string()];
    let cell = match wanted.is_null() {
        true => &report["backdrops"][number(&shape["backdrop"])][program],
        false => wanted,
    };
    let cell = &report["cells"][number(cell)];
    let fact = |at: &Value| {
        let fact = &report["facts"][number(at)];
        json!({ "reason": fact["reason"], "text": filled(text(&fact["text"]), tenant), "place": filled(text(&fact["place"]), tenant) })
    };
    let facts = |all: &Value| Value::Array(list(all).iter().map(fact).collect());
    let state = text(&report["legend"][number(&cell["state"])]["state"]);
    let decision = match state {
        "on" | "held" | "grace" => "in",
        "scheduled" => "scheduled",
        _ => "out",
    };
    let mut told = json!({ "app_id": report["programs"][program]["app_id"], "decision": decision });
    for key in ["why", "because", "offers"] {
        if let Some(all) = cell.get(key) {
            told[key] = facts(all);
        }
    }
    for key in ["from", "until"] {
        if let Some(end) = cell.get(key) {
            told[key] = json!({ "at": filled(text(&end["at"]), tenant), "why": fact(&end["why"]) });
        }
    }
    if let Some(versions) = cell.get("versions") {
        assert_eq!(cell["version"], versions[0]["version"]);
        told["versions"] = versions.clone();
    }
    if let Some(passed) = cell.get("passed_over") {
        let one = |it: &Value| json!({ "version": it["version"], "code": it["code"], "why": facts(&it["why"]) });
        told["passed_over"] = list(passed).iter().map(one).collect();
    }
    told
}

#[test]
fn every_cell_of_the_example_says_what_explain_says() {
    let report = example();
    let tree = load::dir::read(root(), 1).expect("the example");
    let (checked, decided) = pipeline::check(&tree, time(NOW));
    let (sources, catalog) = (tree.sources(), &checked.catalog);
    let mut states = BTreeSet::new();
    assert_eq!(list(&report["tenants"]).len(), checked.tenants.len());
    for ((read, decided), shown) in checked.tenants.iter().zip(&decided).zip(list(&report["tenants"])) {
        assert_eq!(text(&shown["name"]), &*read.tenant.name);
        let (tenant, resolution) = (&read.tenant, &decided.resolution);
        let explainer = Explainer { catalog, tenant, resolution, sources: &sources, now: time(NOW) };
        for at in 0..catalog.programs.len() {
            let program = ProgramId(u32::try_from(at).expect("few programs"));
            let said = serde_json::to_value(explainer.program(program)).expect("JSON");
            assert_eq!(explained(&report, shown, at), said, "{} {at}", tenant.name);
        }
    }
    for cell in list(&report["cells"]) {
        states.insert(text(&report["legend"][number(&cell["state"])]["state"]));
    }
    assert!(states.len() >= 5, "an example with less is no example: {states:?}");
}

#[test]
fn every_tenant_is_in_one_class_and_sees_there_what_it_has() {
    let report = example();
    let seen = |shape: &Value| -> Vec<(Value, Value)> {
        let backdrop = list(&report["backdrops"][number(&shape["backdrop"])]).iter().enumerate();
        let cell = backdrop.map(|(program, it)| shape["cells"].get(program.to_string()).unwrap_or(it));
        cell.map(|it| &report["cells"][number(it)]).map(|it| (it["state"].clone(), it["version"].clone())).collect()
    };
    let shapes: Vec<_> = list(&report["shapes"]).iter().map(seen).collect();
    let mut members = BTreeMap::new();
    let mut rows = BTreeSet::new();
    for (at, class) in list(&report["classes"]).iter().enumerate() {
        let row = &shapes[number(&class["shape"])];
        assert!(rows.insert(format!("{row:?}")), "two classes with the same row");
        for tenant in list(&class["tenants"]) {
            assert_eq!(members.insert(number(tenant), at), None);
            let tenant = &report["tenants"][number(tenant)];
            assert_eq!((&shapes[number(&tenant["shape"])], number(&tenant["class"])), (row, at));
        }
        let total: usize = class["states"].as_object().expect("states").values().map(number).sum();
        assert_eq!(total, list(&report["programs"]).len());
    }
    assert_eq!(members.len(), list(&report["tenants"]).len());
    let sizes: Vec<usize> = list(&report["classes"]).iter().map(|it| list(&it["tenants"]).len()).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes[0] > 1, "{sizes:?}");
    // Counted once more, from the rows.
    for (program, shown) in list(&report["programs"]).iter().enumerate() {
        let runs = |it: &&Value| {
            let state = number(&shapes[number(&it["shape"])][program].0);
            ["on", "held", "grace"].contains(&text(&report["legend"][state]["state"]))
        };
        assert_eq!(number(&shown["tenants"]), list(&report["tenants"]).iter().filter(runs).count());
    }
}

#[test]
fn what_other_commands_print_is_shown_as_they_print_it() {
    let repository = Repository::small();
    repository.edit("tenantry.yaml", "spec:\n", "spec:\n  stores: [{ name: here, directory: there }]\n");
    let publication = repository.project.run(&["report", "--format", "json"]).ok().json()["publication"].clone();
    assert_eq!(publication, Value::Null, "nothing was compiled yet");
    repository.project.run(&["compile"]).ok();
    repository.project.run(&["publish"]).ok();
    repository.edit("tenants/elm.yaml", "plan: starter", "plan: business");
    let report =
        repository.project.run(&["report", "--format", "json", "--base", "HEAD", "--store", "here", "--days", "30"]);
    let report = report.ok().json();
    let plan = repository.json(&["HEAD"]);
    assert_eq!(report["impact"], plan);
    assert_eq!(report["project"]["inputs"], plan["head"]["inputs"]);
    let until = time(NOW).plus(tenantry::time::Duration::days(30)).to_string();
    let course = repository.project.run(&["simulate", "--to", &until, "--format", "json"]).ok().json();
    assert_eq!(report["timeline"]["moments"], course["moments"]);
    let log = repository.project.run(&["log", "--store", "here", "--format", "json"]).ok().json();
    let gc = repository.project.run(&["gc", "--dry-run", "--store", "here", "--format", "json"]).ok().json();
    let store = &report["stores"][0];
    assert_eq!((&store["log"], &store["gc"]), (&log["stores"][0], &gc[0]));
    assert_eq!((&store["store"], &store["error"]), (&json!("here"), &Value::Null));
    let publication = &report["publication"];
    assert_eq!((number(&publication["publication"]), &publication["is_current"]), (1, &json!(false)));
    assert_eq!(number(&publication["tenants"]), 9);
    assert_eq!(report["trust"]["environment"], "development");
    repository.project.run(&["compile"]).ok();
    let report = repository.project.run(&["report", "--format", "json"]).ok().json();
    assert_eq!(report["publication"]["is_current"], json!(true));
}

#[test]
fn a_redacted_report_names_nobody() {
    let mut files = small();
    files.push(tenant("quercus", "business", "  domains: [oaks.example]\n  branding: { name: Quercus and Sons }\n"));
    let (path, named) = files.pop().expect("it was pushed");
    files.push((path, named.replace("{ name: quercus }", "{ name: quercus, title: Quercus & Sons }")));
    let repository = Repository::new(files);
    repository.edit("tenants/quercus.yaml", "Quercus and Sons", "Quercus and Daughters");
    repository.edit("tenants/quercus.yaml", "plan: business", "plan: starter");
    let arguments = ["report", "--base", "HEAD", "--format", "json"];
    let open = repository.project.run(&arguments).ok().stdout;
    let closed = repository.project.run(&[&arguments[..], &["--redact"]].concat()).ok();
    let read = |it: &str| serde_json::from_str::<Value>(it).expect("JSON");
    let (shown, hidden) = (read(&open), read(&closed.stdout));
    for name in ["quercus", "Quercus", "t_quercus", "oaks.example", "acme", "bolt", "tenants/"] {
        assert!(open.contains(name) || name == "oaks.example", "{name}: a test that cannot fail");
        assert!(!closed.stdout.contains(name), "{name}");
    }
    assert_eq!((&shown["redacted"], &hidden["redacted"]), (&json!(false), &json!(true)));
    let names = |it: &Value| list(&it["tenants"]).iter().map(|it| text(&it["name"]).to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&hidden)[..2], ["tenant-0001", "tenant-0002"]);
    assert_eq!(names(&hidden).len(), names(&shown).len());
    for key in ["cells", "shapes", "backdrops", "programs", "plans", "legend", "summary"] {
        assert_eq!(shown[key], hidden[key], "{key} names nobody in the first place");
    }
    assert_eq!(hidden["impact"]["summary"]["changed"], json!(1));
    let loses = list(&hidden["impact"]["classes"]).iter().flat_map(|it| list(&it["tenants"])).next();
    assert_eq!(
        loses,
        Some(&json!(
            names(&hidden)[list(&shown["tenants"]).iter().position(|it| it["name"] == "quercus").expect("it is there")]
        ))
    );
}

#[test]
fn the_page_asks_nobody_and_allows_only_its_own_words() {
    let mut files = small();
    let (path, hostile) = tenant("mallory", "starter", "");
    let title = "</script><script>alert(1)</script>";
    files.push((path, hostile.replace("{ name: mallory }", &format!("{{ name: mallory, title: \"{title}\" }}"))));
    let project = Project::new(files);
    let out = project.path("report.html");
    let ran = project.run(&["report", "--out", out.to_str().expect("a path")]).ok();
    assert_eq!(ran.stdout, "");
    let page = fs::read_to_string(&out).expect("the page");
    let between = |begin: &str, end: &str| -> Vec<&str> {
        page.split(begin).skip(1).map(|it| it.split(end).next().expect("an end")).collect()
    };
    let scripts = between("<script type=\"module\">", "</script>");
    let styles = between("<style>", "</style>");
    assert_eq!((scripts.len(), styles.len(), page.matches("<script").count()), (1, 1, 2), "and one with the document");
    let policy = between("http-equiv=\"Content-Security-Policy\" content=\"", "\">")[0];
    let hash = |it: &str| format!("'sha256-{}'", BASE64.encode(&Sha256::of(it.as_bytes()).0));
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains(&format!("script-src {};", hash(scripts[0]))), "{policy}");
    assert!(policy.contains(&format!("style-src {};", hash(styles[0]))), "{policy}");
    assert!(policy.contains("connect-src 'none'"), "{policy}");
    assert!(!scripts[0].lines().any(|it| it.starts_with("import ") || it.starts_with("export ")));
    let document: Value =
        serde_json::from_str(between("id=\"data\">", "</script>")[0]).expect("the document, whole, in its element");
    let titles: Vec<&Value> = list(&document["tenants"]).iter().map(|it| &it["title"]).collect();
    assert!(titles.contains(&&json!(title)), "{titles:?}");
    // The name of SVG's namespace is no place that anybody asks.
    let page = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!page.contains("http://") && !page.contains("src=\"") && !page.contains("@import"), "nothing is fetched");
}

#[test]
fn what_cannot_be_reported_is_said() {
    let project = Project::new(small());
    project
        .run(&["report", "--out", "no/such/folder/report.html"])
        .ends_with(3)
        .says("cannot write the report to `no/such/folder/report.html`");
    project.run(&["report", "--store", "nowhere"]).ends_with(2).says("no store is named in `tenantry.yaml`");
    project.run(&["report", "--base", "HEAD"]).ends_with(3);
    project.run(&["report", "--days", "0"]).ends_with(2);
    project.edit("tenants/acme.yaml", "plan: business", "plan: busines");
    let ran = project.run(&["report"]).ends_with(1);
    assert_eq!(ran.stdout, "");
    ran.says("no plan `busines` in the catalogue");
}

/// Every name of a field of the document that is our own, at any depth; not of the documents of other commands.
fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let is_ours = !["timeline", "impact", "log", "gc"].contains(&&**name);
                let is_position = name.bytes().all(|it| it.is_ascii_digit());
                if !is_position {
                    found.insert(name.clone());
                }
                if is_ours {
                    fields(value, found);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|it| fields(it, found)),
        _ => {}
    }
}

#[test]
fn every_field_of_the_document_is_described() {
    let page = fs::read_to_string(root().join("docs/report-format.md")).expect("the page");
    let spans = page.split('`').skip(1).step_by(2);
    let words: BTreeSet<&str> =
        spans.flat_map(|it| it.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')).collect();
    let repository = Repository::small();
    repository.project.run(&["compile"]).ok();
    let compiled = repository.project.run(&["report", "--format", "json", "--base", "HEAD"]).ok().json();
    let mut found = BTreeSet::new();
    [example(), compiled].iter().for_each(|it| fields(it, &mut found));
    assert!(found.len() > 80, "{found:?}");
    let missing: Vec<&String> = found.iter().filter(|it| !words.contains(&***it)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}
