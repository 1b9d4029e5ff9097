//! What the language server that editors use for YAML says about our files. It runs as in an editor, over its own
//! protocol, with our modelines and our `.vscode/settings.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::binary::tenantry;
use crate::parts::present_or_demanded;
use crate::{Project, documents, example};

/// An editor with these files of a project open.
struct Editor<'a> {
    folder: &'a Path,
    settings: Value,
    open: BTreeMap<String, String>,
    ask: Vec<Value>,
}

/// What came back.
struct Said {
    diagnostics: BTreeMap<String, Vec<Value>>,
    answers: Vec<Value>,
    /// URLs that it wanted to be fetched.
    requested: Value,
}

impl<'a> Editor<'a> {
    /// None where the server is not installed.
    fn new(folder: &'a Path, open: BTreeMap<String, String>) -> Option<Editor<'a>> {
        let server = scripts().join("node_modules/yaml-language-server/bin/yaml-language-server");
        present_or_demanded("yaml-language-server", server.is_file()).then_some(())?;
        // As `.vscode/settings.json` says; and nothing from the network.
        let text = std::fs::read_to_string(folder.join(".vscode/settings.json")).expect("settings");
        let ours: Value = serde_json::from_str(&text).expect("settings are JSON");
        let settings = json!({ "yaml": {
            "schemas": ours["yaml.schemas"], "schemaStore": { "enable": false },
            "validate": true, "hover": true, "completion": true,
        }});
        Some(Editor { folder, settings, open, ask: Vec::new() })
    }

    /// Asks about the place behind a text.
    fn ask(&mut self, method: &str, path: &str, behind: &str) {
        let text = &self.open[path];
        let at = text.find(behind).unwrap_or_else(|| panic!("`{behind}` in {path}")) + behind.len();
        let line = text[..at].matches('\n').count();
        let character = text[..at].len() - text[..at].rfind('\n').map_or(0, |it| it + 1);
        self.ask.push(json!({ "method": method, "path": path, "line": line, "character": character }));
    }

    fn run(self) -> Said {
        let Editor { folder, settings, open, ask } = self;
        let request = json!({ "folder": folder, "settings": settings, "open": open, "ask": ask });
        let mut node = Command::new("node");
        node.arg(scripts().join("ask.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = node.spawn().expect("node starts");
        let mut input = running.stdin.take().expect("a pipe");
        input.write_all(request.to_string().as_bytes()).expect("it listens");
        drop(input);
        let output = running.wait_with_output().expect("it ends");
        assert!(output.status.success(), "ask.mjs failed");
        let mut said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        Said {
            diagnostics: serde_json::from_value(said["diagnostics"].take()).expect("diagnostics by file"),
            answers: serde_json::from_value(said["answers"].take()).expect("answers"),
            requested: said["requested"].take(),
        }
    }
}

fn scripts() -> std::path::PathBuf {
    example().join("tests/editing")
}

fn texts(folder: &Path, paths: &[String]) -> BTreeMap<String, String> {
    let read = |path: &String| std::fs::read_to_string(folder.join(path)).expect("a text file");
    paths.iter().map(|path| (path.clone(), read(path))).collect()
}

fn labels(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().expect("items");
    let mut labels: Vec<&str> = items.iter().map(|it| it["label"].as_str().expect("a label")).collect();
    labels.sort_unstable();
    labels
}

#[test]
fn no_example_is_marked_though_all_of_them_are_good() {
    let paths = documents(example());
    assert!(paths.len() > 70, "{paths:?}");
    let Some(mut editor) = Editor::new(example(), texts(example(), &paths)) else { return };
    // Modelines are not everywhere in the examples of a reader; without them the settings must do.
    let bare = "tenants/a/aurora-bank.yaml";
    let text = editor.open[bare].split_once('\n').expect("lines").1.to_owned();
    assert!(editor.open.insert(bare.to_owned(), text).is_some_and(|it| it.starts_with("# yaml-language-server: ")));
    editor.ask("textDocument/hover", bare, "color_scheme: a");
    let said = editor.run();
    let marked: Vec<_> = said.diagnostics.iter().filter(|(_, found)| !found.is_empty()).collect();
    assert_eq!((marked, said.diagnostics.len()), (vec![], paths.len()));
    assert_eq!(said.requested, json!([]), "schemas come from the project");
    assert!(
        said.answers[0]["contents"]["value"].as_str().is_some_and(|it| it.contains("Light, dark or as the device"))
    );
}

#[test]
fn the_schemas_of_the_example_know_all_its_names() {
    let checked = tenantry(example(), &["schema", "--check"]);
    assert_eq!((checked.code, &*checked.stderr), (0, ""));
}

#[test]
fn names_of_the_project_are_completed_with_what_they_stand_for() {
    let paths = documents(example());
    let Some(mut editor) = Editor::new(example(), texts(example(), &paths)) else { return };
    let tenant = "tenants/u/umbra-architetti.yaml";
    let open = editor.open.get_mut(tenant).expect("open");
    *open = open.replace("plan: starter", "plan: ").replace("grant: com.example.inspection", "grant: ");
    *open = open.replace("  ext:\n", "  ext:\n    \n");
    *open = open.replace("  domains:", "  add_ons: [s]\n  compliance_profile: \n  \n  domains:");
    editor.ask("textDocument/completion", tenant, "plan: ");
    editor.ask("textDocument/completion", tenant, "grant: ");
    editor.ask("textDocument/completion", tenant, "add_ons: [s");
    editor.ask("textDocument/completion", tenant, "compliance_profile: ");
    editor.ask("textDocument/completion", tenant, "compliance_profile: \n  ");
    editor.ask("textDocument/completion", tenant, "  ext:\n    ");
    editor.ask("textDocument/hover", tenant, "severity_l");
    editor.ask("textDocument/hover", tenant, "valid_f");
    let said = editor.run();
    let [plan, grant, add_on, profile, field, app_id, setting, date] = said.answers.as_slice() else {
        panic!("eight answers")
    };
    assert_eq!(labels(plan), ["business", "premium", "starter", "team-2023"]);
    let items = plan["items"].as_array().expect("items");
    let starter = items.iter().find(|it| it["label"] == "starter").expect("a plan");
    assert_eq!(
        starter["documentation"],
        "Starter: For small teams that want to sign in, share a roster and ask for help."
    );
    assert_eq!(labels(grant).len(), 11);
    assert!(labels(grant).contains(&"com.example.helpdesk-lite"));
    assert!(labels(add_on).contains(&"sandbox"), "{add_on}");
    assert_eq!(labels(profile), ["baseline-privacy", "eu-banking", "healthcare-us", "validated-manufacturing"]);
    for free in ["channel", "data_region", "pins", "shells", "status"] {
        assert!(labels(field).contains(&free), "{free}: {field}");
    }
    assert!(!labels(field).contains(&"plan"), "it is there already: {field}");
    assert_eq!(labels(app_id).len(), 10, "all but the one that is there: {app_id}");
    // From the schema that the program's author wrote.
    let shown = |answer: &Value| answer["contents"]["value"].as_str().unwrap_or_default().to_owned();
    assert!(shown(setting).contains("How bad a finding can be, mildest first."), "{setting}");
    assert!(shown(date).contains("a date (midnight UTC) or an RFC 3339 time in UTC"), "{date}");
    assert!(shown(date).contains("2026-01-01"), "an example: {date}");
}

/// Mistakes in a new project: where, what stands there, what stands there by mistake. A document has wrong names or a
/// wrong shape, since `check` looks at names only where the shape is right.
const MISTAKES: [(&str, &str, &str); 13] = [
    ("tenants/alder.yaml", "plan: basic", "plan: basik"),
    ("tenants/alder.yaml", "[checklists]", "[checklist]"),
    ("tenants/birch.yaml", "com.example.welcome:", "com.example.welcom:"),
    ("tenants/birch.yaml", "plan: complete\n", "plan: complete\n  compliance_profile: strict-privcy\n"),
    ("tenants/cedar.yaml", "plan: complete", "plann: complete"),
    ("tenants/cedar.yaml", "tenant_id: t_h5zb6f2y", "tenant_id: x"),
    ("tenants/cedar.yaml", "name: Cedar Clinic", "names: Cedar Clinic"),
    ("catalog/plans/basic.yaml", "app_id: com.example.welcome", "app_id: com.example.welcom"),
    ("catalog/plans/complete.yaml", "extends: basic", "extends: basics"),
    ("catalog/add-ons/checklists.yaml", "requires_plans: [basic]", "requires_plans: [basics]"),
    ("catalog/shells/web-shell.yaml", "platform_codes: [1]", "platform_codes: [one]"),
    ("catalog/compliance/strict-privacy.yaml", "deny:", "denied:"),
    ("tenantry.yaml", "offline_grace: P14D", "offline_grace: 14 days"),
];

#[test]
fn a_mistake_is_marked_on_the_line_that_check_names() {
    let project = Project::new();
    for (path, right, wrong) in MISTAKES {
        let text = project.read(path);
        assert!(text.contains(right), "`{right}` in {path}");
        project.write(path, &text.replacen(right, wrong, 1));
    }
    let paths = documents(&project.folder);
    let Some(editor) = Editor::new(&project.folder, texts(&project.folder, &paths)) else { return };
    let said = editor.run();
    let place = |path: &str, it: &Value| (path.to_owned(), it["range"]["start"]["line"].as_u64().expect("a line") + 1);
    let marked: BTreeSet<(String, u64)> =
        said.diagnostics.iter().flat_map(|(path, found)| found.iter().map(move |it| place(path, it))).collect();
    let checked = tenantry(&project.folder, &["check", "--format", "json"]);
    let found: Value = serde_json::from_str(&checked.stdout).expect("JSON");
    let named: BTreeSet<(String, u64)> = found["diagnostics"]
        .as_array()
        .expect("diagnostics")
        .iter()
        .map(|it| (it["path"].as_str().expect("a path").to_owned(), it["line"].as_u64().expect("a line")))
        .collect();
    let lines: BTreeSet<(String, u64)> = MISTAKES
        .iter()
        .map(|(path, _, wrong)| {
            let text = project.read(path);
            let at = text.find(wrong).expect("the mistake") + wrong.trim_end().len();
            ((*path).to_owned(), text[..at].matches('\n').count() as u64 + 1)
        })
        .collect();
    assert!(lines.is_subset(&named), "check: {:?}", lines.difference(&named));
    assert!(lines.is_subset(&marked), "the editor: {:?}", lines.difference(&marked));
    let everywhere = |it: &&(String, u64)| named.contains(*it);
    assert!(marked.iter().all(|it| everywhere(&it)), "marked for nothing: {:?}", marked.difference(&named));
}

#[test]
fn a_name_that_is_new_is_known_after_the_schemas_were_written_again() {
    let project = Project::new();
    let plan = project
        .read("catalog/plans/basic.yaml")
        .replace("name: basic", "name: large")
        .replace("plan_basic", "plan_large");
    project.write("catalog/plans/large.yaml", &plan);
    let stale = tenantry(&project.folder, &["schema", "--check"]);
    assert_eq!(stale.code, 1);
    assert!(stale.stderr.contains("schemas/tenant.schema.json"), "{}", stale.stderr);
    assert_eq!(tenantry(&project.folder, &["schema", "--write"]).code, 0);
    assert_eq!(tenantry(&project.folder, &["schema", "--check"]).code, 0);
    let alder = project.read("tenants/alder.yaml").replace("plan: basic", "plan: large");
    let open = BTreeMap::from([("tenants/alder.yaml".to_owned(), alder)]);
    let Some(editor) = Editor::new(&project.folder, open) else { return };
    assert_eq!(editor.run().diagnostics["tenants/alder.yaml"], Vec::<Value>::new());
}
