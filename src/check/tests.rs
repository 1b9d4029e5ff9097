//! Facts about the model that comes out, whatever was wrong. What is said is in `tests/suite`.

use crate::check;
use crate::check::Typed;
use crate::check::schema::Shapes;
use crate::diag;
use crate::diag::Severity;
use crate::load::{Content, SourceTree, TreeFile, file_id};
use crate::model::{Catalog, ProfileId, ProgramId, Tenant};
use crate::parse;
use crate::parse::Kind;
use crate::path::RepoPath;
use crate::time::Timestamp;

struct Checked {
    tree: SourceTree,
    documents: Vec<Typed>,
    catalog: Catalog,
    tenants: Vec<Tenant>,
    said: Vec<String>,
}

/// Checks some files; a text of the form `Kind name: spec` becomes a document with that envelope.
fn checked(files: &[(&str, &str)]) -> Checked {
    let shapes = Shapes::new();
    let mut tree = SourceTree::default();
    for (path, text) in files {
        let path = RepoPath::parse(path).expect("a path");
        let text = match text.split_once(": ").and_then(|(head, spec)| Some((head.split_once(' ')?, spec))) {
            Some(((kind, name), spec)) if kind.starts_with(char::is_uppercase) => {
                format!("apiVersion: tenantry.dev/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec: {spec}\n")
            }
            _ => (*text).to_owned(),
        };
        tree.files.push(TreeFile { path, content: Content::Bytes(text.into_bytes().into()) });
    }
    tree.files.sort_by(|a, b| a.path.cmp(&b.path));
    let (mut documents, mut found) = (Vec::new(), Vec::new());
    for (at, file) in tree.files.iter().enumerate().filter(|(_, file)| SourceTree::holds_documents(&file.path)) {
        let (parsed, said) = parse::file(file_id(at), file.bytes());
        found.extend(said);
        for document in parsed {
            let text = std::str::from_utf8(file.bytes()).expect("text");
            let (typed, said) = check::document(&shapes, document, text);
            documents.push(typed);
            found.extend(said);
        }
    }
    let (_, catalog, said) = check::catalog(&tree, &documents);
    found.extend(said);
    let now = Timestamp::parse("2026-11-23").expect("a date");
    let mut tenants = Vec::new();
    for typed in documents.iter().filter(|typed| typed.document.kind == Kind::Tenant) {
        let (tenant, said) = check::tenant(&catalog, typed, now);
        tenants.extend(tenant);
        found.extend(said);
    }
    let sources = tree.sources();
    diag::sort(&mut found, &sources);
    let short = |it: &diag::Diagnostic| {
        let (at, path) = (sources.start(it.span()), &sources.file(it.span().file).path);
        let severity = if it.severity() == Severity::Error { "error" } else { "warning" };
        format!("{path}:{}:{}: {severity}[{}] {}", at.line, at.column, it.code.slug(), it.message)
    };
    let said = found.iter().map(short).collect();
    Checked { tree, documents, catalog, tenants, said }
}

fn program(app_id: &str, more: &str) -> String {
    format!(
        "MiniProgram {app_id}: {{ app_id: com.example.{app_id}, name: It, version: {{ code: 1, name: 1.0.0 }}, \
         platform_version: {{ min_code: 3, target_code: 3 }}, pages: [i.html], review: {{ status: online }}, \
         package: {{ path: {app_id} }}{more} }}"
    )
}

/// Programs by short name with more of their `spec`, each with its package, beside other files.
fn with_programs(programs: &[(&str, &str)], others: &[(&str, &str)]) -> Checked {
    let mut files: Vec<(String, String)> = Vec::new();
    for (app_id, more) in programs {
        files.push((format!("catalog/{app_id}.yaml"), program(app_id, more)));
        files.push((format!("catalog/{app_id}/i.html"), "<h1>".to_owned()));
    }
    files.extend(others.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    checked(&files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>())
}

const NOTHING: [&str; 0] = [];

#[test]
fn programs_come_dependants_first_and_otherwise_by_app_id() {
    let it = with_programs(
        &[
            ("a", ""),
            ("b", ", dependencies: [{ app_id: com.example.a }]"),
            ("c", ""),
            ("d", ", dependencies: [{ app_id: com.example.b }]"),
        ],
        &[],
    );
    assert_eq!(it.said, NOTHING);
    assert_eq!(it.catalog.dependants_first, [ProgramId(2), ProgramId(3), ProgramId(1), ProgramId(0)]);
}

#[test]
fn a_loop_of_dependencies_is_cut_so_that_every_program_still_has_its_turn() {
    let it = with_programs(
        &[("a", ", dependencies: [{ app_id: com.example.b }]"), ("b", ", dependencies: [{ app_id: com.example.a }]")],
        &[],
    );
    assert_eq!(it.said.len(), 1);
    assert_eq!(it.catalog.dependants_first, [ProgramId(0), ProgramId(1)]);
}

#[test]
fn a_profile_holds_its_imports_deep_first_and_each_once() {
    let it = checked(&[
        ("catalog/a.yaml", "ComplianceProfile a: { imports: [d, b] }"),
        ("catalog/b.yaml", "ComplianceProfile b: { imports: [c] }"),
        ("catalog/c.yaml", "ComplianceProfile c: {}"),
        ("catalog/d.yaml", "ComplianceProfile d: { imports: [c] }"),
    ]);
    assert_eq!(it.said, NOTHING);
    assert_eq!(it.catalog.profiles[0].closure, [ProfileId(0), ProfileId(3), ProfileId(2), ProfileId(1)]);
}

#[test]
fn without_shells_there_is_one_with_every_level_at_which_something_begins_to_run() {
    let it = with_programs(
        &[("a", ""), ("b", "")],
        &[
            ("catalog/plan.yaml", "Plan pro: { lookup_key: pro }"),
            ("tenants/t.yaml", "Tenant t: { tenant_id: t-01, plan: pro }"),
        ],
    );
    assert_eq!(it.said, NOTHING);
    let shells: Vec<(&str, &[u32])> =
        it.catalog.shells.iter().map(|shell| (&*shell.name, &*shell.platform_codes)).collect();
    assert_eq!(shells, [("any", &[3][..])]);
    assert_eq!(it.tenants[0].shells.len(), 1);
}

#[test]
fn a_tenant_that_names_no_shell_has_them_all() {
    let it = checked(&[
        ("catalog/m.yaml", "Shell mobile: { platform_codes: [7, 5] }"),
        ("catalog/w.yaml", "Shell web: { platform_codes: [6] }"),
        ("catalog/plan.yaml", "Plan pro: { lookup_key: pro }"),
        ("tenants/a.yaml", "Tenant a: { tenant_id: t-01, plan: pro }"),
        ("tenants/b.yaml", "Tenant b: { tenant_id: t-02, plan: pro, shells: [web] }"),
    ]);
    assert_eq!(it.said, NOTHING);
    assert_eq!(it.catalog.shells[0].platform_codes, [5, 7]);
    let shells: Vec<Vec<u32>> =
        it.tenants.iter().map(|tenant| tenant.shells.iter().map(|shell| shell.0).collect()).collect();
    assert_eq!(shells, [vec![0, 1], vec![1]]);
}

#[test]
fn a_plan_with_a_wrong_shape_is_reported_once_and_not_by_each_of_its_tenants() {
    let it = checked(&[
        ("catalog/plan.yaml", "Plan pro: { lookup_key: pro, lokup: 1 }"),
        ("tenants/a.yaml", "Tenant a: { tenant_id: t-01, plan: pro }"),
        ("tenants/b.yaml", "Tenant b: { tenant_id: t-02, plan: pro }"),
    ]);
    assert_eq!(it.said.len(), 1, "{:?}", it.said);
    assert_eq!(it.tenants.len(), 2);
}

#[test]
fn a_program_with_a_wrong_shape_is_not_unknown_to_plans() {
    let it = with_programs(
        &[("a", ", pagess: []")],
        &[("catalog/plan.yaml", "Plan pro: { lookup_key: pro, mini_programs: [{ app_id: com.example.a }] }")],
    );
    assert_eq!(it.said.len(), 1, "{:?}", it.said);
    assert!(it.catalog.plans[0].grants.is_empty());
}

#[test]
fn a_document_inside_a_package_names_no_package() {
    let inner = program("inner", "");
    let it = with_programs(&[("a", ""), ("b", "")], &[("catalog/a/x.yaml", &inner)]);
    assert_eq!(check::package_folders(&it.tree, &it.documents), ["catalog/a", "catalog/b"]);
}

#[test]
fn a_program_that_says_nothing_about_data_is_public_and_kept_everywhere() {
    let it = with_programs(&[("a", "")], &[]);
    let release = &it.catalog.programs[0].releases[0];
    assert_eq!(release.classification, crate::input::Classification::Public);
    assert_eq!(release.regions, NOTHING);
    assert_eq!(release.data_span, release.version_span);
    assert_eq!(release.package.files.keys().map(|path| path.as_str()).collect::<Vec<_>>(), ["i.html"]);
}

#[test]
fn a_schema_that_only_leads_back_to_itself_still_comes_to_an_end() {
    let schema = ", ext_schema: { type: object, additionalProperties: false, allOf: [{ $ref: \"#\" }] }";
    let it = with_programs(&[("a", schema)], &[]);
    assert_eq!(it.said, NOTHING);
    let schema = it.catalog.programs[0].releases[0].ext_schema.as_ref().expect("a schema");
    assert!(schema.validator.is_valid(&serde_json::json!({})));
    assert!(!schema.validator.is_valid(&serde_json::json!({ "a": 1 })));
}

#[test]
fn a_schema_may_refer_to_itself_one_level_down() {
    let schema = ", ext_schema: { type: object, additionalProperties: false, properties: { more: { $ref: \"#\" } } }";
    let it = with_programs(&[("a", schema)], &[]);
    assert_eq!(it.said, NOTHING);
    let schema = it.catalog.programs[0].releases[0].ext_schema.as_ref().expect("a schema");
    assert!(schema.validator.is_valid(&serde_json::json!({ "more": { "more": {} } })));
    assert!(!schema.validator.is_valid(&serde_json::json!({ "more": { "less": {} } })));
}

#[test]
fn an_override_that_cannot_be_read_does_not_shift_what_is_said_about_the_next() {
    let it = with_programs(
        &[("a", "")],
        &[
            ("catalog/plan.yaml", "Plan pro: { lookup_key: pro }"),
            (
                "tenants/t.yaml",
                "Tenant t: { tenant_id: t-01, plan: pro, overrides: [\n    { reason: x, expires: 2026-01-01 },\n    \
                 { grant: com.example.a, reason: x, expires: 2026-01-01 }] }",
            ),
        ],
    );
    assert_eq!(
        it.said,
        [
            "tenants/t.yaml:5:7: error[override-target] an override has neither `grant` nor `revoke`",
            "tenants/t.yaml:6:49: warning[override-expired] this override expired on 2026-01-01 and does nothing any \
             more",
        ]
    );
}
