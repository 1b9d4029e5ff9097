//! What each stage takes for one tenant (for one package: `pack`), over all tenants of a generated project in turn.

use std::cell::Cell;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tenantry::bundle::{self, Bundles};
use tenantry::check;
use tenantry::check::schema::{self, Shapes};
use tenantry::compose::Composer;
use tenantry::digest::{Blake3, Sha256};
use tenantry::index::Archive;
use tenantry::input::TenantDocument;
use tenantry::load::{Content, SourceTree, TreeFile};
use tenantry::metadata::Lifetimes;
use tenantry::metadata::keys::FileKey;
use tenantry::parse;
use tenantry::path::RepoPath;
use tenantry::pipeline;
use tenantry::render::Templates;
use tenantry::resolve::Resolver;
use tenantry::sign::{self, AddressSecret, Publication, Signers};
use tenantry::text::FileId;
use tenantry::time::{Duration, Timestamp};

#[path = "support/project.rs"]
mod project;

const SHAPE: project::Shape = project::Shape { tenants: 1_000, programs: 200, seed: 1 };

/// Positions that go round and round.
struct Round {
    next: Cell<usize>,
    length: usize,
}

impl Round {
    fn over<T>(items: &[T]) -> Round {
        Round { next: Cell::new(0), length: items.len() }
    }

    fn turn(&self) -> usize {
        let at = self.next.get();
        self.next.set((at + 1) % self.length);
        at
    }
}

fn tree() -> SourceTree {
    let mut tree = SourceTree::default();
    for (path, text) in project::files(&SHAPE) {
        let path = RepoPath::parse(&path).expect("the generator makes good paths");
        tree.files.push(TreeFile { path, content: Content::Bytes(text.into_bytes().into()) });
    }
    tree.files.sort_by(|a, b| a.path.cmp(&b.path));
    tree
}

fn reading(criterion: &mut Criterion) {
    let now = Timestamp::parse("2026-11-23").expect("a date");
    let tree = tree();
    let (checked, _) = pipeline::check(&tree, now);
    let files: Vec<(FileId, &TreeFile)> = tree.below("tenants").collect();
    let round = Round::over(&files);
    let shapes = Shapes::new();
    let mut group = criterion.benchmark_group("read");

    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            let (id, file) = files[round.turn()];
            parse::file(id, black_box(file.bytes()))
        });
    });
    let parsed = |(id, file): &(FileId, &TreeFile)| parse::file(*id, file.bytes()).0.remove(0);
    let documents: Vec<parse::Document> = files.iter().map(parsed).collect();
    group.bench_function("shape", |bencher| {
        bencher.iter(|| {
            let mut found = Vec::new();
            shapes.check(black_box(&documents[round.turn()]), &mut found);
            found
        });
    });
    let text = |at: usize| std::str::from_utf8(files[at].1.bytes()).expect("the generator makes text");
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            let at = round.turn();
            schema::decode::<TenantDocument>(black_box(&documents[at]), text(at))
        });
    });
    let documents = files.iter().enumerate().map(|(at, file)| check::document(&shapes, parsed(file), text(at)).0);
    let documents: Vec<check::Typed> = documents.collect();
    group.bench_function("lower", |bencher| {
        bencher.iter(|| check::tenant(&checked.catalog, black_box(&documents[round.turn()]), now));
    });
    group.finish();
}

fn deciding(criterion: &mut Criterion) {
    let now = Timestamp::parse("2026-11-23").expect("a date");
    let (checked, decided) = pipeline::check(&tree(), now);
    let (project, catalog, tenants) = (&checked.project, &checked.catalog, &checked.tenants);
    let round = Round::over(tenants);
    let mut group = criterion.benchmark_group("decide");

    let resolver = Resolver::new(project, catalog, now);
    group.bench_function("resolve", |bencher| {
        bencher.iter(|| resolver.tenant(black_box(&tenants[round.turn()].tenant)));
    });
    let templates = Templates::new(catalog);
    group.bench_function("render", |bencher| {
        bencher.iter(|| {
            let at = round.turn();
            templates.tenant(&tenants[at].tenant, black_box(&decided[at].resolution))
        });
    });
    let packages: Vec<_> = catalog.programs.iter().flat_map(|it| &it.releases).map(|it| &it.package.files).collect();
    let package = Round::over(&packages);
    group.bench_function("pack", |bencher| {
        bencher.iter(|| {
            let files = packages[package.turn()];
            bundle::pack(black_box(files), bundle::tree_digest(files))
        });
    });
    // The digests only have to be there.
    let archive = (Blake3([7; 32]), Archive { sha256: Sha256([7; 32]), length: 7 });
    let bundles: Bundles = catalog.programs.iter().map(|it| vec![Some(archive); it.releases.len()]).collect();
    let composer = Composer::new(project, catalog, &bundles);
    group.bench_function("compose", |bencher| {
        bencher.iter(|| {
            let at = round.turn();
            let decided = &decided[at];
            composer.tenant(&tenants[at].tenant, &decided.resolution, &decided.rendered)
        });
    });
    group.finish();
}

fn signing(criterion: &mut Criterion) {
    let now = Timestamp::parse("2026-11-23").expect("a date");
    let signers = Signers {
        entitlement: vec![Box::new(FileKey::from_seed([1; 32]))],
        freshness: vec![Box::new(FileKey::from_seed([2; 32]))],
        environment: "benchmark".into(),
        addresses: AddressSecret::new([3; 32]),
    };
    let archive = |at: u8| (Blake3([at; 32]), Archive { sha256: Sha256([at; 32]), length: 7_000 });
    criterion.bench_function("sign/twenty programs", |bencher| {
        bencher.iter(|| {
            let addr = signers.addresses.addr("t_123456");
            let publication = Publication {
                addr: &addr,
                environment: &signers.environment,
                number: 7,
                now,
                lifetimes: Lifetimes { entitlement: Duration::days(30), freshness: Duration::days(7) },
            };
            let targets = sign::targets(&signers.entitlement, &publication, archive(0).1, (1..=20).map(archive))?;
            let snapshot = sign::snapshot(&signers.entitlement, &publication, &targets.record)?;
            let timestamp = sign::timestamp(&signers.freshness, &publication, &snapshot.record)?;
            Ok::<_, tenantry::metadata::keys::SignError>((targets, snapshot, timestamp))
        });
    });
}

criterion_group!(stages, reading, deciding, signing);
criterion_main!(stages);
