//! A version of a mini-program.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use semver::Version;

use super::Place;
use super::catalog::Scope;
use super::rollout;
use crate::check::ext_schema;
use crate::check::lower;
use crate::check::names;
use crate::check::names::{Broken, Written};
use crate::check::packages;
use crate::check::{Typed, TypedValue};
use crate::diag::{Code, Diagnostic};
use crate::input::{Classification, MiniProgramDocument, MiniProgramSpec};
use crate::load::SourceTree;
use crate::model::{Dependency, Package, ProgramId, Release, RevokedVersion};
use crate::parse::{Document, Kind};
use crate::text::Span;

/// A version that can be told from every other: what remains when codes and names have been looked at.
pub(in crate::check) struct Candidate<'a> {
    document: &'a Document,
    spec: &'a MiniProgramSpec,
    version: Version,
}

impl Candidate<'_> {
    /// Where the range of a dependency was written; the dependency's `app_id` when it has none.
    pub(in crate::check) fn range_span(&self, app_id: &str) -> Span {
        let at = Place::root(self.document).key("spec").key("dependencies");
        let index = self.spec.dependencies.iter().position(|it| it.app_id == app_id);
        let at = at.item(index.unwrap_or_default());
        at.key("range").written().unwrap_or(at.key("app_id").span())
    }
}

/// The versions of every mini-program, lowest code first; and the programs of which some version did not survive.
pub(in crate::check) fn candidates<'a>(
    documents: &'a [Typed],
    found: &mut Vec<Diagnostic>,
) -> (BTreeMap<&'a str, Vec<Candidate<'a>>>, Broken<'a>) {
    let mut programs: BTreeMap<&str, Vec<Candidate<'a>>> = BTreeMap::new();
    let mut broken = BTreeSet::new();
    let mut owners: BTreeMap<&str, (&str, Place<'_>)> = BTreeMap::new();
    for Written { document, value } in documents.iter().filter_map(written) {
        let root = Place::root(document);
        let at = root.key("spec");
        let Some(MiniProgramDocument { metadata, spec, .. }) = value else {
            broken.extend(at.key("app_id").text());
            continue;
        };
        let name_at = root.key("metadata").key("name");
        // Every version has a document of its own, so within one program a name may come again.
        let (owner, first) = *owners.entry(&metadata.name).or_insert((&spec.app_id, name_at));
        if owner != spec.app_id {
            found.push(names::duplicate_name("mini-program", &metadata.name, name_at.span(), first.span()));
        }
        match lower::version(&spec.version.name, at.key("version").key("name"), found) {
            Some(version) => programs.entry(&spec.app_id).or_default().push(Candidate { document, spec, version }),
            None => _ = broken.insert(&spec.app_id),
        }
    }
    for versions in programs.values_mut() {
        drop_repeated(versions, found);
    }
    (programs, broken)
}

fn written(typed: &Typed) -> Option<Written<'_, MiniProgramDocument>> {
    match &typed.value {
        TypedValue::MiniProgram(value) => Some(Written { document: &typed.document, value: Some(value) }),
        TypedValue::Broken if typed.document.kind == Kind::MiniProgram => {
            Some(Written { document: &typed.document, value: None })
        }
        _ => None,
    }
}

/// Keeps the first of two versions with the same code or name; sorts by code.
fn drop_repeated(versions: &mut Vec<Candidate<'_>>, found: &mut Vec<Diagnostic>) {
    let mut kept: Vec<Candidate<'_>> = Vec::with_capacity(versions.len());
    for version in versions.drain(..) {
        let place = |of: &Candidate<'_>, key: &str| Place::root(of.document).key("spec").key("version").key(key).span();
        let same_code = kept.iter().find(|it| it.spec.version.code == version.spec.version.code);
        let same_name = kept.iter().find(|it| it.version == version.version);
        let repeat = match (same_code, same_name) {
            (Some(first), _) => Some((first, "code", version.spec.version.code.to_string())),
            (None, Some(first)) => Some((first, "name", version.version.to_string())),
            (None, None) => None,
        };
        match repeat {
            Some((first, key, value)) => {
                let message = format!("a second version of `{}` with the {key} `{value}`", version.spec.app_id);
                let diagnostic = Diagnostic::new(Code::DuplicateVersion, place(&version, key), message)
                    .label(place(first, key), "the first is here")
                    .help("every version has a code and a name of its own; codes grow with every version");
                found.push(diagnostic);
            }
            None => kept.push(version),
        }
    }
    kept.sort_by_key(|it| it.spec.version.code);
    *versions = kept;
}

/// Reads one version.
pub(in crate::check) fn release(
    tree: &SourceTree,
    scope: &Scope<'_>,
    candidate: &Candidate<'_>,
    found: &mut Vec<Diagnostic>,
) -> Release {
    let Candidate { document, spec, version } = candidate;
    let at = Place::root(document).key("spec");
    let version_span = at.key("version").key("name").span();
    let spans = |key: &str, count: usize| (0..count).map(|index| at.key(key).item(index).span()).collect();
    lists(spec, at, found);
    platform(spec, at.key("platform_version"), found);
    usable(spec, at.key("update_policy"), found);
    let ext_schema = spec.ext_schema.as_ref();
    let ext_schema = ext_schema.and_then(|schema| ext_schema::closed(schema, at.key("ext_schema"), found));
    let files = packages::read(tree, document, spec, at, found);
    Release {
        code: spec.version.code,
        version: version.clone(),
        min_code: spec.platform_version.min_code,
        target_code: spec.platform_version.target_code,
        max_code: spec.platform_version.max_code,
        name: spec.name.clone(),
        short_name: spec.short_name.clone(),
        description: spec.description.clone(),
        icons: spec.icons.clone(),
        pages: spec.pages.clone(),
        window: spec.window.clone(),
        req_permissions: spec.req_permissions.clone(),
        permission_spans: (0..spec.req_permissions.len())
            .map(|index| at.key("req_permissions").item(index).key("name").span())
            .collect(),
        egress: spec.egress.clone(),
        egress_spans: spans("egress", spec.egress.len()),
        classification: spec.data.as_ref().map_or(Classification::Public, |data| data.classification),
        regions: spec.data.as_ref().map(|data| data.regions.clone()).unwrap_or_default(),
        dependencies: dependencies(scope, spec, at.key("dependencies"), found),
        conflicts: conflicts(scope, spec, at.key("conflicts"), found),
        status: spec.review.status,
        since: lower::instant(spec.review.since.as_deref(), at.key("review").key("since"), found),
        update_mode: spec.update_policy.as_ref().map(|policy| policy.mode).unwrap_or_default(),
        min_usable_version: spec.update_policy.as_ref().and_then(|policy| policy.min_usable_version),
        rollout: rollout::lower(spec.rollout.as_ref(), at.key("rollout"), found),
        revoked: spec.revoked.as_ref().map(|it| RevokedVersion {
            mode: it.mode,
            reason: it.reason.as_str().into(),
            span: at.key("revoked").key("mode").span(),
        }),
        package: Package { span: at.key("package").key("path").span(), path: files.path, files: Arc::new(files.files) },
        ext_schema,
        ext: spec.ext.clone(),
        templates: files.templates,
        version_span,
        review_span: at.key("review").key("status").span(),
        platform_span: at.key("platform_version").span(),
        data_span: at.key("data").written().unwrap_or(version_span),
        ext_span: at.key("ext").written().unwrap_or(version_span),
    }
}

fn lists(spec: &MiniProgramSpec, at: Place<'_>, found: &mut Vec<Diagnostic>) {
    let permissions = spec.req_permissions.iter().enumerate();
    let permissions_at = at.key("req_permissions");
    let permissions = permissions.map(|(index, it)| (it.name.as_str(), permissions_at.item(index).key("name").span()));
    names::repeated("permission", permissions, found);
    names::repeated_texts("page", &spec.pages, at.key("pages"), found);
    names::repeated_texts("host", &spec.egress, at.key("egress"), found);
    let regions = spec.data.as_ref().map_or(&[][..], |data| &data.regions);
    names::repeated_texts("region", regions, at.key("data").key("regions"), found);
    let dependencies = spec.dependencies.iter().enumerate();
    let dependencies_at = at.key("dependencies");
    let dependencies =
        dependencies.map(|(index, it)| (it.app_id.as_str(), dependencies_at.item(index).key("app_id").span()));
    names::repeated("dependency", dependencies, found);
    names::repeated_texts("conflict", &spec.conflicts, at.key("conflicts"), found);
    let templates = spec.templates.iter().enumerate();
    let templates_at = at.key("templates");
    let templates = templates.map(|(index, it)| (it.path.as_str(), templates_at.item(index).key("path").span()));
    names::repeated("template target", templates, found);
}

fn platform(spec: &MiniProgramSpec, at: Place<'_>, found: &mut Vec<Diagnostic>) {
    let levels = &spec.platform_version;
    if levels.target_code < levels.min_code {
        let message = format!("`target_code` {} lies below `min_code` {}", levels.target_code, levels.min_code);
        let diagnostic = Diagnostic::new(Code::BadPlatform, at.key("target_code").span(), message)
            .label(at.key("min_code").span(), "the lowest level")
            .help("the level that a version was tested for is one of those that can run it");
        found.push(diagnostic);
    }
    let Some(max_code) = levels.max_code else { return };
    let (above, key) = match levels.target_code < levels.min_code {
        true => (levels.min_code, "min_code"),
        false => (levels.target_code, "target_code"),
    };
    if max_code < above {
        let message = format!("`max_code` {max_code} lies below `{key}` {above}");
        let diagnostic = Diagnostic::new(Code::BadPlatform, at.key("max_code").span(), message)
            .label(at.key(key).span(), "the level above it")
            .help("raise `max_code`, or leave it out when no level is too high");
        found.push(diagnostic);
    }
}

/// A version that is older than what it still lets start would never start itself.
fn usable(spec: &MiniProgramSpec, at: Place<'_>, found: &mut Vec<Diagnostic>) {
    let Some(least) = spec.update_policy.as_ref().and_then(|it| it.min_usable_version) else { return };
    let code = spec.version.code;
    if least > code {
        let message = format!("`min_usable_version` {least} lies above this version's own code {code}");
        let diagnostic = Diagnostic::new(Code::MinUsableVersion, at.key("min_usable_version").span(), message).help(
            format!("devices that get this version could never start it: {code} is the highest that makes sense"),
        );
        found.push(diagnostic);
    }
}

fn dependencies(
    scope: &Scope<'_>,
    spec: &MiniProgramSpec,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Dependency> {
    let mut dependencies: Vec<Dependency> = Vec::with_capacity(spec.dependencies.len());
    for (index, dependency) in spec.dependencies.iter().enumerate() {
        let at = at.item(index);
        let span = at.key("app_id").span();
        let range = lower::range(dependency.range.as_deref(), at.key("range"), found);
        if dependency.app_id == spec.app_id {
            let message = format!("`{}` depends on itself", spec.app_id);
            found.push(Diagnostic::new(Code::SelfConflict, span, message).help("delete this dependency"));
            continue;
        }
        let Some(program) = scope.program(&dependency.app_id, span, found) else { continue };
        if dependencies.iter().all(|it| it.program != program) {
            dependencies.push(Dependency { program, range, span });
        }
    }
    dependencies
}

fn conflicts(
    scope: &Scope<'_>,
    spec: &MiniProgramSpec,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> Vec<(ProgramId, Span)> {
    let mut conflicts = Vec::with_capacity(spec.conflicts.len());
    for (index, conflict) in spec.conflicts.iter().enumerate() {
        let span = at.item(index).span();
        if *conflict == spec.app_id {
            let message = format!("`{}` conflicts with itself", spec.app_id);
            found.push(Diagnostic::new(Code::SelfConflict, span, message).help("delete this conflict"));
            continue;
        }
        let Some(program) = scope.program(conflict, span, found) else { continue };
        if conflicts.iter().all(|(it, _)| *it != program) {
            conflicts.push((program, span));
        }
    }
    conflicts
}
