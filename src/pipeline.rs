//! Wires the stages. The only place that runs them in parallel: every stage handles one thing and does not
//! know that there are others.

pub mod compile;
pub mod first_start;
pub mod overview;
mod packages;
pub mod plan;
pub mod reproduce;
pub mod simulate;
pub mod verify;

use rayon::prelude::*;

use self::packages::Packages;
use crate::check::schema::Shapes;
use crate::check::{self, TenantKey, Typed, TypedValue};
use crate::diag::{self, Diagnostic};
use crate::digest::{Blake3, Fingerprint};
use crate::index::Archive;
use crate::load::{Content, SourceTree, file_id};
use crate::model::{Catalog, ProgramId, Project, Tenant};
use crate::parse;
use crate::render::{Rendered, Templates};
use crate::resolve::{Resolution, Resolver};
use crate::text::FileId;
use crate::time::Timestamp;

/// Sets how many threads compute, once a process; the first call counts. No result depends on the number.
pub fn set_threads(threads: usize) {
    // A second call finds the threads already there, which is as good.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
}

/// Digest of all inputs of a project. A plan was made for two of these, and is stale for others.
pub fn inputs_digest(tree: &SourceTree) -> Blake3 {
    let contents: Vec<Blake3> = tree.files.par_iter().map(|it| Blake3::of(it.bytes())).collect();
    let mut it = Fingerprint::new("tenantry.dev 2026-11 inputs of a plan v2");
    for (file, content) in tree.files.iter().zip(contents) {
        let kind: &[u8] = match file.content {
            Content::Bytes(_) => b"file",
            Content::NotAFile => b"other",
        };
        it.part(file.path.as_str().as_bytes()).part(kind).part(&content.0);
    }
    it.finish()
}

/// A project that was read and checked; whether it is sound, its diagnostics say.
#[derive(Debug)]
pub struct Checked {
    /// The project's own settings.
    pub project: Project,
    /// What can be had.
    pub catalog: Catalog,
    /// Who was read: all tenants, or those that the caller asked for; sorted by name.
    pub tenants: Vec<ReadTenant>,
    /// Everything there is to say.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether a file below `tenants/` that looked as if it held only tenants held other documents too.
    pub(crate) was_misjudged: bool,
    /// What the catalogue's packages weigh, as far as somebody has asked.
    packages: Packages,
}

impl Checked {
    pub(crate) fn new(
        project: Project,
        catalog: Catalog,
        tenants: Vec<ReadTenant>,
        diagnostics: Vec<Diagnostic>,
    ) -> Checked {
        let packages = Packages::new(&catalog);
        Checked { project, catalog, tenants, diagnostics, was_misjudged: false, packages }
    }

    /// Digest of a version's files.
    pub(crate) fn tree(&self, program: usize, release: usize) -> Blake3 {
        self.packages.tree(&self.catalog, program, release)
    }

    /// A version's files as this compiler packs them.
    pub(crate) fn archive(&self, program: usize, release: usize) -> Archive {
        self.packages.archive(&self.catalog, program, release)
    }

    /// What every version weighs. It is packed when that is asked for the first time.
    pub(crate) fn sizes(&self) -> impl Fn(ProgramId, usize) -> (Blake3, u64) + Sync {
        |program, release| self.packages.size(&self.catalog, program, release)
    }
}

/// A tenant and what it was read from.
#[derive(Debug)]
pub struct ReadTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// Its file.
    pub file: FileId,
    /// Digest of its own document, not of others in the same file.
    pub document: Blake3,
    /// The same document read against another catalogue, when somebody asked for that.
    pub(crate) twin: Option<Box<Tenant>>,
    /// Whether another tree has its file with the same bytes.
    pub(crate) is_shared: bool,
}

/// Reads a tenant's document against another catalogue too, while it is at hand. Takes project, catalogue and tenant.
pub(crate) type Twin<'a> = dyn Fn(&Project, &Catalog, &Tenant, &Typed) -> Option<Box<Tenant>> + Sync + 'a;

/// A line-up with what was rendered for it.
#[derive(Debug)]
pub struct Decided {
    /// The line-up.
    pub resolution: Resolution,
    /// Settings and overlays.
    pub rendered: Rendered,
}

/// The project's own settings, from its file alone, with what there is to say about that file.
pub fn project(tree: &SourceTree) -> (Project, Vec<Diagnostic>) {
    let files: Vec<FileId> = tree.find("tenantry.yaml").map(|(id, _)| id).into_iter().collect();
    let mut documents = read_documents(tree, &Shapes::new(), &files);
    documents.typed.retain(|it| matches!(it.value, TypedValue::Project(_)));
    let (project, _, found) = check::catalog(tree, &documents.typed);
    documents.diagnostics.extend(found);
    (project, documents.diagnostics)
}

/// Every document but tenants, sound or not, with what there is to say about their shape.
pub fn catalogue(tree: &SourceTree) -> (Vec<Typed>, Vec<Diagnostic>) {
    let (tenant_files, mut files) = split(tree);
    files.extend(tenant_files.into_iter().filter(|id| !holds_only_tenants(tree.files[id.0 as usize].bytes())));
    let mut documents = read_documents(tree, &Shapes::new(), &files);
    documents.typed.retain(|it| it.document.kind != parse::Kind::Tenant);
    (documents.typed, documents.diagnostics)
}

/// Reads and checks everything, and decides and renders every line-up to see what fails there.
pub fn check(tree: &SourceTree, now: Timestamp) -> (Checked, Vec<Decided>) {
    let shapes = Shapes::new();
    let (tenant_files, other_files) = split(tree);
    let read = read_documents(tree, &shapes, &other_files);
    let mut checked = read_tenants(tree, &shapes, read, &tenant_files, now, &[], Look::AtText);
    let (mut decided, found) = decide(&checked, now);
    checked.diagnostics.extend(found);
    if is_sound(&checked.diagnostics) {
        first_start::fill(&checked.project, &mut decided, &checked.sizes());
    }
    (checked, decided)
}

/// The files that may hold documents: those below `tenants/`, and all others.
pub(crate) fn split(tree: &SourceTree) -> (Vec<FileId>, Vec<FileId>) {
    let files = tree.files.iter().enumerate().filter(|(_, file)| SourceTree::holds_documents(&file.path));
    let (tenants, others): (Vec<_>, Vec<_>) = files.partition(|(_, file)| file.path.as_str().starts_with("tenants/"));
    let ids = |files: Vec<(usize, _)>| files.into_iter().map(|(at, _)| file_id(at)).collect();
    (ids(tenants), ids(others))
}

/// Typed documents of some files, with what there is to say about them.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    pub(crate) typed: Vec<Typed>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Parses files and checks the shape of their documents.
pub(crate) fn read_documents(tree: &SourceTree, shapes: &Shapes, files: &[FileId]) -> Documents {
    let read: Vec<Documents> = files.par_iter().map(|id| read_file(tree, shapes, *id)).collect();
    let mut all = Documents::default();
    for one in read {
        all.typed.extend(one.typed);
        all.diagnostics.extend(one.diagnostics);
    }
    // What lies in a package is a file of the package, whatever it looks like.
    let folders = check::package_folders(tree, &all.typed);
    let in_package = |id: FileId| {
        let path = &tree.files[id.0 as usize].path;
        folders.iter().any(|folder| path.below(folder).is_some())
    };
    if !folders.is_empty() {
        all.typed.retain(|it| !in_package(it.document.file));
        all.diagnostics.retain(|it| !in_package(it.span().file));
    }
    all
}

fn read_file(tree: &SourceTree, shapes: &Shapes, id: FileId) -> Documents {
    let bytes = tree.files[id.0 as usize].bytes();
    let (documents, mut diagnostics) = parse::file(id, bytes);
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let typed = documents.into_iter().map(|document| {
        let (typed, found) = check::document(shapes, document, text);
        diagnostics.extend(found);
        typed
    });
    Documents { typed: typed.collect(), diagnostics }
}

/// How to find documents of other kinds below `tenants/`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// By [`holds_only_tenants`]: nearly every file says `kind: Tenant` at the start of a line and nothing else.
    AtText,
    /// By parsing every file once more.
    AtDocuments,
}

/// Checks the catalogue, then every tenant of these files against it. `others` are tenants that were not read
/// because they have not changed; names must be unique among them too.
pub(crate) fn read_tenants(
    tree: &SourceTree,
    shapes: &Shapes,
    documents: Documents,
    files: &[FileId],
    now: Timestamp,
    others: &[TenantKey<'_>],
    look: Look,
) -> Checked {
    Reading { tree, shapes, now, others, twin: &|_, _, _, _| None }.tenants(documents, files, look)
}

/// How tenants are read.
pub(crate) struct Reading<'a> {
    pub(crate) tree: &'a SourceTree,
    pub(crate) shapes: &'a Shapes,
    pub(crate) now: Timestamp,
    /// Tenants that are not read, because they have not changed.
    pub(crate) others: &'a [TenantKey<'a>],
    /// What else a document is read against.
    pub(crate) twin: &'a Twin<'a>,
}

impl Reading<'_> {
    /// As [`read_tenants`].
    pub(crate) fn tenants(&self, documents: Documents, files: &[FileId], look: Look) -> Checked {
        let Reading { tree, shapes, now, others, twin } = *self;
        // Documents of other kinds may stand below `tenants/` as well, so those files are read before the catalogue
        // is put together. A tenant's document is dropped at once: a hundred thousand trees would fill the memory.
        let Documents { mut typed, mut diagnostics } = documents;
        let is_stray = |id: &FileId| match look {
            Look::AtText => !holds_only_tenants(tree.files[id.0 as usize].bytes()),
            Look::AtDocuments => true,
        };
        let (strays, plain): (Vec<FileId>, Vec<FileId>) = files.iter().partition(|id| is_stray(id));
        let strays = read_documents(tree, shapes, &strays);
        typed.extend(strays.typed);
        diagnostics.extend(strays.diagnostics);
        let (project, catalog, found) = check::catalog(tree, &typed);
        diagnostics.extend(found);

        let mut tenants: Vec<ReadTenant> = Vec::new();
        let mut others_found = false;
        let against = Against { project: &project, catalog: &catalog, now, twin };
        for one in plain.par_iter().map(|id| read_tenant_file(tree, shapes, &against, *id)).collect::<Vec<_>>() {
            tenants.extend(one.tenants);
            diagnostics.extend(one.diagnostics);
            others_found |= one.holds_others;
        }
        if others_found {
            let (_, other_files) = split(tree);
            let documents = read_documents(tree, shapes, &other_files);
            return Checked { was_misjudged: true, ..self.tenants(documents, files, Look::AtDocuments) };
        }
        for it in &typed {
            let (tenant, found) = read_tenant(tree, &against, it);
            tenants.extend(tenant);
            diagnostics.extend(found);
        }
        let keys: Vec<TenantKey<'_>> = tenants.iter().map(ReadTenant::key).chain(others.iter().copied()).collect();
        diagnostics.extend(across(tree, shapes, &keys));
        diagnostics.extend(check::rollouts(&catalog, &keys));
        drop(keys);
        tenants.sort_by(|a, b| (&a.tenant.name, a.tenant.span).cmp(&(&b.tenant.name, b.tenant.span)));
        Checked::new(project, catalog, tenants, diagnostics)
    }
}

/// Whether every document of a file says `kind: Tenant` at the start of a line. Looks at the text only; a file
/// for which it says no is read with the catalogue, which is slower and right for every file.
pub(crate) fn holds_only_tenants(bytes: &[u8]) -> bool {
    if bytes.len() > parse::MOST_BYTES {
        // It is refused unread, so it holds nothing else either.
        return true;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (mut has_content, mut is_tenant) = (false, false);
    for line in text.lines() {
        if line.starts_with("---") {
            if has_content && !is_tenant {
                return false;
            }
            (has_content, is_tenant) = (false, false);
        } else if line.trim_end() == "kind: Tenant" {
            is_tenant = true;
        } else {
            has_content |= !line.is_empty() && !line.starts_with('#');
        }
    }
    is_tenant || !has_content
}

struct TenantFile {
    tenants: Vec<ReadTenant>,
    diagnostics: Vec<Diagnostic>,
    /// Whether it holds documents of other kinds after all.
    holds_others: bool,
}

/// What a tenant's document is read against.
struct Against<'a> {
    project: &'a Project,
    catalog: &'a Catalog,
    now: Timestamp,
    twin: &'a Twin<'a>,
}

fn read_tenant_file(tree: &SourceTree, shapes: &Shapes, against: &Against<'_>, id: FileId) -> TenantFile {
    let Documents { typed, mut diagnostics } = read_file(tree, shapes, id);
    let holds_others = typed.iter().any(|it| it.document.kind != parse::Kind::Tenant);
    let mut tenants = Vec::with_capacity(typed.len());
    for it in &typed {
        let (tenant, found) = read_tenant(tree, against, it);
        tenants.extend(tenant);
        diagnostics.extend(found);
    }
    TenantFile { tenants, diagnostics, holds_others }
}

fn read_tenant(tree: &SourceTree, against: &Against<'_>, typed: &Typed) -> (Option<ReadTenant>, Vec<Diagnostic>) {
    let Against { project, catalog, now, twin } = against;
    let (tenant, found) = check::tenant(catalog, typed, *now);
    let body = typed.document.body;
    let bytes = &tree.files[body.file.0 as usize].bytes()[body.start as usize..body.end as usize];
    let read = tenant.map(|tenant| ReadTenant {
        twin: twin(project, catalog, &tenant, typed),
        is_shared: false,
        tenant,
        file: body.file,
        document: Blake3::of(bytes),
    });
    (read, found)
}

impl ReadTenant {
    /// What is looked at among all tenants. Its document is dropped by now.
    fn key(&self) -> TenantKey<'_> {
        let tenant = &self.tenant;
        TenantKey {
            name: &tenant.name,
            tenant_id: &tenant.tenant_id,
            domains: &tenant.domains,
            labels: &tenant.labels,
            document: None,
            span: tenant.span,
        }
    }
}

/// What must be unique among all tenants.
fn across(tree: &SourceTree, shapes: &Shapes, keys: &[TenantKey<'_>]) -> Vec<Diagnostic> {
    if check::across_tenants(keys).is_empty() {
        return Vec::new();
    }
    // Something clashes: read all documents again to point at the very words. Rare, so it may be slow.
    let (tenant_files, other_files) = split(tree);
    let files: Vec<FileId> = tenant_files.into_iter().chain(other_files).collect();
    let documents = read_documents(tree, shapes, &files);
    let keys: Vec<TenantKey<'_>> = documents
        .typed
        .iter()
        .filter(|it| matches!(it.value, TypedValue::Tenant(_)))
        .filter_map(TenantKey::of)
        .collect();
    check::across_tenants(&keys)
}

/// Decides and renders the line-ups of all tenants that were read.
pub(crate) fn decide(checked: &Checked, now: Timestamp) -> (Vec<Decided>, Vec<Diagnostic>) {
    let resolver = Resolver::new(&checked.project, &checked.catalog, now);
    let templates = Templates::new(&checked.catalog);
    let one = |ReadTenant { tenant, .. }: &ReadTenant| {
        let resolution = resolver.tenant(tenant);
        let (rendered, found) = templates.tenant(tenant, &resolution);
        (Decided { resolution, rendered }, found)
    };
    let mut all = Vec::with_capacity(checked.tenants.len());
    let mut diagnostics = Vec::new();
    for (decided, found) in checked.tenants.par_iter().map(one).collect::<Vec<_>>() {
        all.push(decided);
        diagnostics.extend(found);
    }
    (all, diag::fold_repeats(diagnostics))
}

/// Whether a project may go on after its check.
pub fn is_sound(diagnostics: &[Diagnostic]) -> bool {
    !diag::any_error(diagnostics)
}
