//! The rules of the catalogue, over all its documents together.

use std::collections::{BTreeMap, BTreeSet};

use semver::VersionReq;

use crate::check::graph;
use crate::check::lower::Place;
use crate::check::lower::catalog as lower;
use crate::check::lower::catalog::Scope;
use crate::check::lower::program;
use crate::check::names;
use crate::check::names::Written;
use crate::check::packages;
use crate::check::{Typed, TypedValue};
use crate::diag;
use crate::diag::{Code, Diagnostic};
use crate::input::ReviewStatus;
use crate::load::SourceTree;
use crate::model::{Catalog, Plan, Profile, ProfileId, Program, ProgramId, Project, Release, Shell, meets};
use crate::parse::Kind;
use crate::text::{FileId, Span};

/// Which value of a [`Typed`] is of a kind; one with a wrong shape is a document without a value.
macro_rules! of_kind {
    ($kind:ident, $typed:expr) => {
        match &$typed.value {
            TypedValue::$kind(value) => Some(Some(&**value)),
            TypedValue::Broken if $typed.document.kind == Kind::$kind => Some(None),
            _ => None,
        }
    };
}

/// Project and catalogue from all documents that are not tenants. Keeps going: what comes back has no dangling names
/// and no loops, whatever was wrong.
pub fn catalog(tree: &SourceTree, documents: &[Typed]) -> (Project, Catalog, Vec<Diagnostic>) {
    let mut found = packages::links_among_documents(tree, documents);
    let project = project(documents, &mut found);
    let (candidates, broken) = program::candidates(documents, &mut found);
    let plans = names::unique("plan", documents, |typed| of_kind!(Plan, typed), &mut found);
    let add_ons = names::unique("add-on", documents, |typed| of_kind!(AddOn, typed), &mut found);
    let profiles =
        names::unique("compliance profile", documents, |typed| of_kind!(ComplianceProfile, typed), &mut found);
    let shells = names::unique("shell", documents, |typed| of_kind!(Shell, typed), &mut found);
    let scope = Scope {
        programs: candidates.keys().copied().collect(),
        broken,
        plans: plans.keys().copied().collect(),
        add_ons: add_ons.keys().copied().collect(),
        profiles: profiles.keys().copied().collect(),
    };

    let mut programs = Vec::with_capacity(candidates.len());
    for (app_id, versions) in &candidates {
        let releases = versions.iter().map(|version| program::release(tree, &scope, version, &mut found)).collect();
        programs.push(Program { app_id: (*app_id).into(), releases });
    }
    for program in &programs {
        version_order(program, &mut found);
        nothing_ships(program, &mut found);
    }
    unmet_dependencies(&scope, &candidates, &programs, &mut found);
    self_conflicts(&mut programs, &mut found);
    let dependants_first = order_programs(&mut programs, &mut found);

    let plans = plans.iter().map(|(name, plan)| lower::plan(&scope, &programs, name, plan, &mut found));
    let mut plans: Vec<Plan> = plans.collect();
    let extends_spans = documents_extends(documents, &plans);
    cut_plan_loops(&mut plans, &extends_spans, &mut found);
    let add_ons = add_ons.iter().map(|(name, add_on)| lower::add_on(&scope, &programs, name, add_on, &mut found));
    let add_ons = add_ons.collect();
    let (mut profiles, imports): (Vec<Profile>, Vec<_>) =
        profiles.iter().map(|(name, profile)| lower::profile(&scope, name, profile, &mut found)).unzip();
    close_profiles(&mut profiles, &imports, &mut found);
    for profile in &profiles {
        idle_patterns(profile, &programs, &scope, &mut found);
    }
    let mut shells: Vec<Shell> = shells.iter().map(|(name, shell)| lower::shell(name, shell, &mut found)).collect();
    if shells.is_empty() {
        shells.push(any_shell(&programs));
    }
    (project, Catalog { programs, plans, add_ons, profiles, shells, dependants_first }, found)
}

fn project(documents: &[Typed], found: &mut Vec<Diagnostic>) -> Project {
    let mut first: Option<Written<'_, _>> = None;
    for typed in documents {
        let Some(value) = of_kind!(Project, typed) else { continue };
        let at = Place::root(&typed.document).key("kind").span();
        match &first {
            None => first = Some(Written { document: &typed.document, value }),
            Some(first) => found.push(
                Diagnostic::new(Code::DuplicateName, at, "a second document of kind `Project`")
                    .label(Place::root(first.document).key("kind").span(), "the first is here")
                    .help("a project has one: move what this one says into the first"),
            ),
        }
    }
    first.map(|document| lower::project(&document, found)).unwrap_or_default()
}

/// A range that no version of a program meets.
pub(super) fn unmet(program: &Program, range: Option<&VersionReq>, span: Span) -> Option<Diagnostic> {
    if program.releases.iter().any(|release| meets(range, &release.version)) {
        return None;
    }
    // The newest versions are those that an author has in mind.
    let versions = program.releases.iter().rev().take(5).map(|release| format!("`{}`", release.version));
    let versions = versions.collect::<Vec<String>>().join(", ");
    let range = range.map(VersionReq::to_string).unwrap_or_default();
    let message = format!("no version of `{}` meets `{range}`", program.app_id);
    Some(Diagnostic::new(Code::UnmetRange, span, message).help(format!("it has {versions}")))
}

fn unmet_dependencies(
    scope: &Scope<'_>,
    candidates: &BTreeMap<&str, Vec<program::Candidate<'_>>>,
    programs: &[Program],
    found: &mut Vec<Diagnostic>,
) {
    for (program, versions) in programs.iter().zip(candidates.values()) {
        for (release, version) in program.releases.iter().zip(versions) {
            for dependency in &release.dependencies {
                let target = &programs[dependency.program.at()];
                if scope.broken.contains(&*target.app_id) {
                    continue;
                }
                let span = version.range_span(&target.app_id);
                found.extend(unmet(target, dependency.range.as_ref(), span));
            }
        }
    }
}

fn version_order(program: &Program, found: &mut Vec<Diagnostic>) {
    for pair in program.releases.windows(2) {
        let [older, newer] = pair else { continue };
        if newer.version < older.version {
            let message = format!(
                "`{}` has code {}, but `{}` has the lower code {}",
                newer.version, newer.code, older.version, older.code
            );
            let diagnostic = Diagnostic::new(Code::VersionOrder, newer.version_span, message)
                .label(older.version_span, "the older code")
                .help("devices go by the code: this version will replace the other one");
            found.push(diagnostic);
        }
    }
}

fn nothing_ships(program: &Program, found: &mut Vec<Diagnostic>) {
    let ships =
        |it: &Release| it.revoked.is_none() && matches!(it.status, ReviewStatus::Approved | ReviewStatus::Online);
    let Some(newest) = program.releases.last() else { return };
    if program.releases.iter().any(ships) {
        return;
    }
    let but = match program.releases.iter().any(|it| it.revoked.is_some()) {
        true => " and not revoked",
        false => "",
    };
    let message = format!("no version of `{}` is `approved` or `online`{but}, so nobody gets it", program.app_id);
    let diagnostic = Diagnostic::new(Code::NothingShips, newest.review_span, message)
        .here("the newest version")
        .help("set the status of a version that has passed review to `approved`");
    found.push(diagnostic);
}

/// A version cannot conflict with what it depends on. The conflict is dropped.
fn self_conflicts(programs: &mut [Program], found: &mut Vec<Diagnostic>) {
    let names: Vec<_> = programs.iter().map(|program| program.app_id.clone()).collect();
    for program in programs {
        for release in &mut program.releases {
            let dependencies = &release.dependencies;
            release.conflicts.retain(|(other, span)| {
                let Some(dependency) = dependencies.iter().find(|it| it.program == *other) else { return true };
                let message = format!("`{}` depends on `{}` and conflicts with it", program.app_id, names[other.at()]);
                let diagnostic = Diagnostic::new(Code::SelfConflict, *span, message)
                    .label(dependency.span, "the dependency")
                    .help("delete one of the two");
                found.push(diagnostic);
                false
            });
        }
    }
}

fn order_programs(programs: &mut [Program], found: &mut Vec<Diagnostic>) -> Vec<ProgramId> {
    let targets = |program: &Program| -> BTreeSet<usize> {
        let dependencies = program.releases.iter().flat_map(|release| &release.dependencies);
        dependencies.map(|dependency| dependency.program.at()).collect()
    };
    let edges: Vec<Vec<usize>> = programs.iter().map(|it| targets(it).into_iter().collect()).collect();
    for nodes in graph::loops(&edges) {
        let steps = steps(&nodes).map(|(from, to)| {
            let mut dependencies = programs[from].releases.iter().flat_map(|release| &release.dependencies);
            let dependency = dependencies.find(|it| it.program.at() == to).expect("a loop follows dependencies");
            (dependency.span, format!("`{}` depends on `{}`", programs[from].app_id, programs[to].app_id))
        });
        let names = nodes.iter().map(|node| &*programs[*node].app_id);
        found.push(cycle("mini-programs depend on each other", names, steps.collect()));
        let (last, first) = closing(&nodes);
        for release in &mut programs[last].releases {
            release.dependencies.retain(|it| it.program.at() != first);
        }
    }
    let edges: Vec<BTreeSet<usize>> = programs.iter().map(targets).collect();
    graph::sources_first(&edges).into_iter().map(|at| ProgramId(index(at))).collect()
}

/// Where each plan's `extends` was written.
fn documents_extends(documents: &[Typed], plans: &[Plan]) -> Vec<Span> {
    let mut spans: Vec<Span> = plans.iter().map(|plan| plan.span).collect();
    for typed in documents.iter().filter(|typed| typed.document.kind == Kind::Plan) {
        let root = Place::root(&typed.document);
        let name = root.key("metadata").key("name");
        let position = name.text().and_then(|text| names::PLAN.position(plans, |plan| &plan.name, text));
        // Of two plans with one name the model holds the first; its name's place tells which.
        if let Some(at) = position.filter(|at| plans[*at as usize].span == name.span()) {
            spans[at as usize] = root.key("spec").key("extends").span();
        }
    }
    spans
}

fn cut_plan_loops(plans: &mut [Plan], spans: &[Span], found: &mut Vec<Diagnostic>) {
    let edges: Vec<Vec<usize>> = plans.iter().map(|plan| plan.extends.iter().map(|id| id.at()).collect()).collect();
    for nodes in graph::loops(&edges) {
        let step =
            |(from, to): (usize, usize)| (spans[from], format!("`{}` extends `{}`", plans[from].name, plans[to].name));
        let steps = steps(&nodes).map(step).collect();
        found.push(cycle("plans extend each other", nodes.iter().map(|node| &*plans[*node].name), steps));
        plans[closing(&nodes).0].extends = None;
    }
}

fn close_profiles(profiles: &mut [Profile], imports: &[Vec<(ProfileId, Span)>], found: &mut Vec<Diagnostic>) {
    let mut edges: Vec<Vec<usize>> =
        imports.iter().map(|imports| imports.iter().map(|(id, _)| id.at()).collect()).collect();
    for nodes in graph::loops(&edges) {
        let step = |(from, to): (usize, usize)| {
            let import = imports[from].iter().find(|(id, _)| id.at() == to).expect("a loop follows imports");
            (import.1, format!("`{}` imports `{}`", profiles[from].name, profiles[to].name))
        };
        let steps = steps(&nodes).map(step).collect();
        let names = nodes.iter().map(|node| &*profiles[*node].name);
        found.push(cycle("compliance profiles import each other", names, steps));
        let (last, first) = closing(&nodes);
        edges[last].retain(|target| *target != first);
    }
    for (at, profile) in profiles.iter_mut().enumerate() {
        profile.closure = graph::closure(&edges, at).into_iter().map(|at| ProfileId(index(at))).collect();
    }
}

/// The edges of a loop; the last one closes it.
fn steps(nodes: &[usize]) -> impl Iterator<Item = (usize, usize)> + '_ {
    nodes.iter().copied().zip(nodes.iter().copied().cycle().skip(1))
}

/// The closing edge of a loop, which is dropped so that later stages meet none.
fn closing(nodes: &[usize]) -> (usize, usize) {
    (*nodes.last().expect("a loop has a node"), nodes[0])
}

/// One diagnostic for a whole loop, at the edge that closes it.
fn cycle<'a>(what: &str, names: impl Iterator<Item = &'a str>, mut steps: Vec<(Span, String)>) -> Diagnostic {
    let mut path: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    path.extend(path.first().cloned());
    let (span, text) = steps.pop().expect("a loop has an edge");
    let message = format!("{what} in a circle: {}", path.join(" → "));
    let diagnostic = Diagnostic::new(Code::Cycle, span, message).here(text).help("take one of these steps out");
    steps.into_iter().fold(diagnostic, |diagnostic, (span, text)| diagnostic.label(span, text))
}

fn idle_patterns(profile: &Profile, programs: &[Program], scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let Some((patterns, _)) = &profile.mini_programs.allow else { return };
    for pattern in patterns {
        let known = programs.iter().map(|program| &*program.app_id).chain(scope.broken.iter().copied());
        if known.clone().any(|app_id| pattern.matches(app_id)) {
            continue;
        }
        let help = match diag::nearest(&pattern.text, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "delete it: a closed list should not wait for a program of that name to appear".to_owned(),
        };
        let message = format!("no mini-program in the catalogue matches `{}`", pattern.text);
        found.push(Diagnostic::new(Code::IdlePattern, pattern.span, message).help(help));
    }
}

/// Stands for the shells of a project that describes none: it has every level at which some version begins to run.
fn any_shell(programs: &[Program]) -> Shell {
    let releases = programs.iter().flat_map(|program| &program.releases);
    let levels: BTreeSet<u32> = releases.map(|release| release.min_code).collect();
    Shell {
        name: "any".into(),
        platform_codes: levels.into_iter().collect(),
        branding_schema: None,
        span: Span { file: FileId(0), start: 0, end: 0 },
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("fewer than 2^32 documents")
}
