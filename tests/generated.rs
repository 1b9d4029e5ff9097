//! The generated projects of the benches: clean, the same every time, and shaped as `docs/performance.md` says.

use std::collections::BTreeMap;

use tenantry::check;
use tenantry::check::schema::Shapes;
use tenantry::load::{Content, SourceTree, TreeFile, file_id};
use tenantry::model::Model;
use tenantry::parse;
use tenantry::parse::Kind;
use tenantry::path::RepoPath;
use tenantry::resolve::Resolver;
use tenantry::time::Timestamp;

#[path = "../benches/support/project.rs"]
mod project;

const SHAPE: project::Shape = project::Shape { tenants: 1_000, programs: 200, seed: 1 };

/// The model of a generated project, and everything that there is to say about it.
fn checked(shape: &project::Shape, now: Timestamp) -> (Model, Vec<String>) {
    let mut tree = SourceTree::default();
    for (path, text) in project::files(shape) {
        let path = RepoPath::parse(&path).expect("a path");
        tree.files.push(TreeFile { path, content: Content::Bytes(text.into_bytes().into()) });
    }
    tree.files.sort_by(|a, b| a.path.cmp(&b.path));
    let shapes = Shapes::new();
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
    let (project, catalog, said) = check::catalog(&tree, &documents);
    found.extend(said);
    let mut tenants = Vec::new();
    for typed in documents.iter().filter(|typed| typed.document.kind == Kind::Tenant) {
        let (tenant, said) = check::tenant(&catalog, typed, now);
        tenants.extend(tenant);
        found.extend(said);
    }
    let found = found.iter().map(|it| format!("{} {}", it.code.slug(), it.message)).collect();
    (Model { project, catalog, tenants }, found)
}

#[test]
fn a_generated_project_is_clean_and_its_tenants_have_about_twenty_programs() {
    let now = Timestamp::parse("2026-11-23").expect("a date");
    let (model, said) = checked(&SHAPE, now);
    assert_eq!(said, Vec::<String>::new());
    assert_eq!((model.tenants.len(), model.catalog.programs.len()), (1_000, 200));

    let resolver = Resolver::new(&model.project, &model.catalog, now);
    let sizes: Vec<usize> = model.tenants.iter().map(|tenant| resolver.tenant(tenant).included.len()).collect();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((17..=23).contains(&mean), "{mean} programs a tenant");
    assert!(sizes.iter().max() >= Some(&35), "the largest customers have nearly everything: {:?}", sizes.iter().max());

    let mut plans: BTreeMap<&str, usize> = BTreeMap::new();
    for tenant in &model.tenants {
        *plans.entry(&model.catalog.plans[tenant.plan.0.at()].name).or_default() += 1;
    }
    assert!((450..550).contains(&plans["starter"]) && plans["legacy"] < 30, "{plans:?}");
}

#[test]
fn a_tenant_does_not_depend_on_how_many_there_are() {
    let few = project::Shape { tenants: 5, ..SHAPE };
    let of_five: Vec<_> = project::files(&few).collect();
    let of_many: Vec<_> = project::files(&SHAPE).take(of_five.len()).collect();
    assert_eq!(of_five, of_many);
}

#[test]
fn the_smallest_catalogue_is_clean_too() {
    let shape = project::Shape { tenants: 200, programs: project::FEWEST_PROGRAMS, seed: 2 };
    let (_, said) = checked(&shape, Timestamp::parse("2026-11-23").expect("a date"));
    assert_eq!(said, Vec::<String>::new());
}
