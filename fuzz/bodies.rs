//! What the fuzz targets do with their bytes, and what must then hold. `tests/fuzz_corpus.rs` does the same with the
//! committed corpus, so that `cargo test` needs no fuzzer to find an old mistake again.

use std::sync::Arc;
use std::sync::LazyLock;

use serde_json::Value;
use tenantry::bundle;
use tenantry::check;
use tenantry::check::Typed;
use tenantry::check::schema::Shapes;
use tenantry::diag;
use tenantry::layout;
use tenantry::layout::Refused;
use tenantry::load::{Content, SourceTree, TreeFile, file_id};
use tenantry::metadata;
use tenantry::metadata::{Role, Root, Snapshot, Targets, TimestampRole};
use tenantry::parse;
use tenantry::path::RepoPath;
use tenantry::render::MAX_OUTPUT;
use tenantry::render::Templates;
use tenantry::report;
use tenantry::report::{Findings, Format, Styled};
use tenantry::resolve::Resolver;
use tenantry::sign::roots;
use tenantry::text::Span;
use tenantry::time::Timestamp;
use tenantry::trust;
use tenantry::trust::envelope::Envelope;
use tenantry::trust::json::Json;
use tenantry::trust::set::WithRoot;

/// A file of documents. What the guard accepts, the typed reader reads as the same tree or refuses aloud, and
/// whatever there is to say about it can be shown. What has a layout means the same in it.
pub fn guard(bytes: &[u8]) {
    let tree = tree(&[("tenants/acme.yaml", bytes)]);
    let (documents, mut found) = parse::file(file_id(0), bytes);
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    for document in documents {
        let Span { start, end, .. } = document.body;
        if let Ok(theirs) = serde_yaml::from_str::<Value>(&text[start as usize..end as usize]) {
            assert_eq!(document.root.to_json(), theirs, "the two readers disagree");
        }
        found.extend(check::document(&SHAPES, document, text).1);
    }
    shown(&tree, &mut found);
    match layout::file(file_id(0), bytes) {
        Ok(new) => assert_eq!(layout::file(file_id(0), new.as_bytes()), Ok(new.clone()), "laid out twice it differs"),
        Err(why) => assert!(matches!(why, Refused::Unreadable(_)), "it means something else when it is laid out"),
    }
}

/// A file of metadata. What is accepted is spelled in exactly one way.
pub fn metadata(bytes: &[u8]) {
    fn open<T: Role>(bytes: &[u8]) {
        if let Ok(opened) = metadata::open::<T>(bytes) {
            assert_eq!(metadata::canonical(&opened.role), opened.signed);
            assert_eq!(metadata::envelope(&opened.signed, &opened.signatures), bytes);
        }
    }
    open::<Root>(bytes);
    open::<TimestampRole>(bytes);
    open::<Snapshot>(bytes);
    open::<Targets>(bytes);
    if let Ok(root) = roots::check_root(bytes, None) {
        assert!(roots::check_root(bytes, Some(&root)).is_err(), "no root comes after itself");
    }
    foreign_metadata(bytes);
}

/// The same file as anybody's, to the reader that a client has. It reads what was signed as our own reader does, and
/// asks every role whatever there is to ask of it.
fn foreign_metadata(bytes: &[u8]) {
    fn open<Ours: Role, Theirs: trust::roles::Role>(bytes: &[u8], envelope: &Envelope) -> Option<Theirs> {
        let theirs: Option<Theirs> = trust::roles::read(&envelope.signed).ok();
        if let (Ok(ours), Some(theirs)) = (metadata::open::<Ours>(bytes), &theirs) {
            assert_eq!(envelope.signed.canonical(), ours.signed, "two readers, two messages");
            assert_eq!(theirs.common().version.get(), ours.role.version());
            assert_eq!(theirs.common().expires, ours.role.expires());
        }
        theirs
    }

    let Ok(envelope) = Envelope::open(bytes) else { return };
    // Line ends and the like stand for themselves in canonical JSON, which then is no JSON.
    if let Ok(again) = Json::parse(&envelope.signed.canonical()) {
        assert_eq!(again, envelope.signed);
    }
    if let Some(root) = open::<Root, trust::roles::Root>(bytes, &envelope) {
        let signed = root.root.verify(&envelope);
        assert_eq!(WithRoot::pinned(bytes).is_ok(), signed.is_ok());
        assert!(!root.timestamp.loses_a_key(&root.timestamp));
    }
    if let Ok(root) = WithRoot::pinned(bytes) {
        assert!(root.next(bytes).is_err(), "no root comes after itself");
        assert!(root.timestamp(bytes).is_err(), "and none is a timestamp");
    }
    if let Some(timestamp) = open::<TimestampRole, trust::roles::TimestampRole>(bytes, &envelope) {
        timestamp.snapshot.mismatch(bytes);
    }
    open::<Snapshot, trust::roles::Snapshot>(bytes, &envelope);
    if let Some(targets) = open::<Targets, trust::roles::Targets>(bytes, &envelope) {
        for name in targets.targets.keys().map(String::as_str).chain(["file", "a/b.c"]) {
            for delegation in targets.delegations.of(name) {
                assert!(!["root", "timestamp", "snapshot", "targets"].contains(&&*delegation.name));
                delegation.authority.verify(&envelope).ok();
            }
        }
    }
}

/// An archive: as a bundle of ours, and as the package of a mini-program. What is accepted can be packed and comes
/// back whole.
pub fn archive(bytes: &[u8]) {
    if let Ok(files) = bundle::unpack(bytes) {
        comes_back(&files);
    }
    let tree = tree(&[
        ("catalog/programs/notes/app.zip", bytes),
        ("catalog/programs/notes/program.yaml", &program("app.zip", "")),
    ]);
    let (_, catalog, mut found) = check::catalog(&tree, &documents(&tree));
    let is_sound = !diag::any_error(&found);
    shown(&tree, &mut found);
    if is_sound {
        catalog.programs.iter().flat_map(|it| &it.releases).for_each(|it| comes_back(&it.package.files));
    }
}

/// A template of the catalogue, rendered for a tenant. It ends, and it writes no more than it may.
pub fn template(bytes: &[u8]) {
    let template =
        "  ext: { colour: red, sizes: [1, 2.5, null] }\n  templates: [{ src: template.j2, path: config.txt }]\n";
    let tree = tree(&[
        ("catalog/phone.yaml", &document("Shell", "phone", "  platform_codes: [12]\n")),
        ("catalog/programs/notes/app/index.html", b"<h1>notes</h1>\n"),
        ("catalog/programs/notes/program.yaml", &program("app", template)),
        ("catalog/programs/notes/template.j2", bytes),
        ("catalog/starter.yaml", &document("Plan", "starter", PLAN)),
        ("tenantry.yaml", &document("Project", "small", "  base_url: https://cdn.example.com/\n")),
        ("tenants/acme.yaml", &document("Tenant", "acme", TENANT)),
    ]);
    let typed = documents(&tree);
    let (project, catalog, mut found) = check::catalog(&tree, &typed);
    let (resolver, templates) = (Resolver::new(&project, &catalog, *NOW), Templates::new(&catalog));
    let tenants = typed.iter().filter_map(|it| check::tenant(&catalog, it, *NOW).0);
    let mut rendered = 0;
    for tenant in tenants {
        let (releases, complaints) = templates.tenant(&tenant, &resolver.tenant(&tenant));
        found.extend(complaints);
        for text in releases.releases.iter().flatten().flat_map(|it| it.overlay.values()) {
            assert!(text.len() <= MAX_OUTPUT);
            rendered += 1;
        }
    }
    assert!(rendered == 1 || diag::any_error(&found), "a template was dropped without a word");
    shown(&tree, &mut found);
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::new);
static NOW: LazyLock<Timestamp> = LazyLock::new(|| Timestamp::parse("2026-11-23").expect("a date"));

const PLAN: &str = "  lookup_key: plan_starter\n  mini_programs: [{ app_id: com.example.notes }]\n";
const TENANT: &str =
    "  tenant_id: t_acme\n  plan: starter\n  license: { valid_from: \"2026-01-01\", valid_until: \"2030-01-01\" }\n";

fn program(package: &str, more: &str) -> Vec<u8> {
    let spec = format!(
        "  app_id: com.example.notes\n  name: Notes\n  version: {{ code: 1, name: 1.0.0 }}\n  platform_version: {{ min_code: 10, target_code: 10 }}\n  pages: [index.html]\n  review: {{ status: online, since: \"2026-01-01\" }}\n  package: {{ path: {package} }}\n{more}"
    );
    document("MiniProgram", "notes", &spec)
}

fn document(kind: &str, name: &str, spec: &str) -> Vec<u8> {
    format!("apiVersion: tenantry.dev/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec:\n{spec}").into_bytes()
}

/// A project of these files, which are sorted by path.
fn tree(files: &[(&str, &[u8])]) -> SourceTree {
    let file = |(path, bytes): &(&str, &[u8])| TreeFile {
        path: RepoPath::parse(path).expect("paths are fixed"),
        content: Content::Bytes(Arc::from(*bytes)),
    };
    SourceTree { commit: None, files: files.iter().map(file).collect() }
}

/// The documents of a project whose YAML is fixed, and sound.
fn documents(tree: &SourceTree) -> Vec<Typed> {
    let mut typed = Vec::new();
    for (at, file) in tree.files.iter().enumerate().filter(|(_, it)| SourceTree::holds_documents(&it.path)) {
        let text = std::str::from_utf8(file.bytes()).expect("fixed documents are text");
        let (documents, mut found) = parse::file(file_id(at), file.bytes());
        for document in documents {
            let (document, complaints) = check::document(&SHAPES, document, text);
            typed.push(document);
            found.extend(complaints);
        }
        assert_eq!(found, [], "fixed documents are sound");
    }
    typed
}

fn comes_back(files: &bundle::Files) {
    let packed = bundle::pack(files, bundle::tree_digest(files));
    assert_eq!(bundle::unpack(&packed.bytes).expect("our own bundle"), *files);
}

/// Every place lies in its text, and the text for people can be made of it.
fn shown(tree: &SourceTree, found: &mut Vec<diag::Diagnostic>) {
    let sources = tree.sources();
    for span in found.iter().flat_map(|it| &it.labels).map(|it| it.span) {
        let text = &sources.file(span.file).text;
        assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} is no place in its file");
    }
    diag::sort(found, &sources);
    let findings = Findings { diagnostics: found, sources: &sources, folder: "" };
    for format in [Format::Human, Format::Sarif, Format::Junit] {
        report::text(&findings, format, Styled::Plain);
    }
}
