//! What means the same on both sides, wherever it is written: a tenant that depends on nothing else need not be decided again.
//!
//! Every struct is taken apart field by field, so that a new field of the model cannot be forgotten here. Places do
//! not count, nor does what only checks look at (schemas, sales status).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::bundle::Files;
use crate::model::{
    AddOn, AllowDeny, Catalog, Dependency, Grant, Plan, PlanId, Profile, ProfileId, Program, ProgramId, Project,
    Release, RevokedVersion, Rollout, RolloutStep, Shell, Template, Tenant,
};

/// Which parts of two catalogues mean the same. Positions are those of the head's lists.
#[derive(Debug)]
pub struct Same {
    /// For each program and version, the position of the base's version that means the same.
    releases: Vec<Vec<Option<usize>>>,
    /// Whether a program and all that it may need mean the same.
    programs: Vec<bool>,
    plans: Vec<bool>,
    add_ons: Vec<bool>,
    profiles: Vec<bool>,
    /// Project, shells, and the order in which programs are taken: what every tenant depends on.
    surroundings: bool,
}

/// The two catalogues, the base's first.
struct Two<'a>(&'a Catalog, &'a Catalog);

impl Same {
    /// Compares two checked projects, the base's first.
    pub fn new(base: (&Project, &Catalog), head: (&Project, &Catalog)) -> Same {
        let two = Two(base.1, head.1);
        let releases: Vec<Vec<Option<usize>>> = head.1.programs.iter().map(|it| two.releases(it)).collect();
        let alone: Vec<bool> =
            head.1.programs.iter().zip(&releases).map(|(it, found)| two.is_program(it, found)).collect();
        let programs = closed(head.1, alone);
        let plans = (0..head.1.plans.len()).map(|at| two.is_plan(at, &programs)).collect();
        let add_ons = head.1.add_ons.iter().map(|it| two.is_add_on(it, &programs)).collect();
        let profiles = head.1.profiles.iter().map(|it| two.is_profile(it)).collect();
        let surroundings = is_project(base.0, head.0) && two.are_shells() && two.is_order();
        Same { releases, programs, plans, add_ons, profiles, surroundings }
    }

    /// The base's version that means the same as one of the head's.
    pub fn release(&self, program: ProgramId, release: usize) -> Option<usize> {
        self.releases[program.at()][release]
    }

    /// Whether everything that a tenant of the head depends on, but its own document, means the same on both sides.
    pub fn concerns_nothing_of(&self, tenant: &Tenant) -> bool {
        let mut programs = tenant.overrides.iter().map(|it| it.program);
        let mut pinned = tenant.pins.iter().map(|(program, ..)| *program);
        let mut set = tenant.ext.keys();
        let is_same = |id: ProgramId| self.programs[id.at()];
        self.surroundings
            && self.plans[tenant.plan.0.at()]
            && tenant.add_ons.iter().all(|(id, _)| self.add_ons[id.at()])
            && tenant.profile.is_none_or(|(id, _)| self.profiles[id.at()])
            && programs.all(is_same)
            && pinned.all(is_same)
            && set.all(|id| is_same(*id))
    }
}

/// Programs that are the same with all that they may need, through any version.
fn closed(catalog: &Catalog, mut same: Vec<bool>) -> Vec<bool> {
    // Dependants come first in this order, so that its reverse sees what is needed before who needs it.
    for id in catalog.dependants_first.iter().rev() {
        let mut needed = catalog.program(*id).releases.iter().flat_map(|it| &it.dependencies);
        let needed = needed.all(|it| same[it.program.at()]);
        same[id.at()] &= needed;
    }
    same
}

impl Two<'_> {
    fn names(&self, base: ProgramId, head: ProgramId) -> bool {
        self.0.program(base).app_id == self.1.program(head).app_id
    }

    fn releases(&self, head: &Program) -> Vec<Option<usize>> {
        let base = self.0.find_program(&head.app_id).map(|id| &self.0.program(id).releases[..]).unwrap_or_default();
        let position = |it: &Release| base.iter().position(|base| base.code == it.code && self.is_release(base, it));
        head.releases.iter().map(position).collect()
    }

    /// Whether a program has the same versions, no more and no fewer.
    fn is_program(&self, head: &Program, found: &[Option<usize>]) -> bool {
        let count = self.0.find_program(&head.app_id).map_or(0, |id| self.0.program(id).releases.len());
        found.len() == count && found.iter().enumerate().all(|(at, found)| *found == Some(at))
    }

    fn is_release(&self, base: &Release, head: &Release) -> bool {
        let Release {
            code,
            version,
            min_code,
            target_code,
            max_code,
            name,
            short_name,
            description,
            icons,
            pages,
            window,
            req_permissions,
            permission_spans: _,
            egress,
            egress_spans: _,
            classification,
            regions,
            dependencies,
            conflicts,
            status,
            since,
            update_mode,
            min_usable_version,
            rollout,
            revoked,
            package,
            ext_schema: _,
            ext,
            templates,
            version_span: _,
            review_span: _,
            platform_span: _,
            data_span: _,
            ext_span: _,
        } = base;
        let conflict = |(one, other): (&(ProgramId, _), &(ProgramId, _))| self.names(one.0, other.0);
        (code, version, min_code, target_code, max_code)
            == (&head.code, &head.version, &head.min_code, &head.target_code, &head.max_code)
            && (name, short_name, description, icons, pages, window)
                == (&head.name, &head.short_name, &head.description, &head.icons, &head.pages, &head.window)
            && (req_permissions, egress, classification, regions)
                == (&head.req_permissions, &head.egress, &head.classification, &head.regions)
            && (status, since, update_mode, min_usable_version, ext)
                == (&head.status, &head.since, &head.update_mode, &head.min_usable_version, &head.ext)
            && is_rollout(rollout, &head.rollout)
            && is_revoked(revoked, &head.revoked)
            && pairs(dependencies, &head.dependencies).is_some_and(|mut it| it.all(|it| self.is_dependency(it)))
            && pairs(conflicts, &head.conflicts).is_some_and(|mut it| it.all(conflict))
            && pairs(templates, &head.templates).is_some_and(|mut it| it.all(is_template))
            && are_files(&package.files, &head.package.files)
    }

    fn is_dependency(&self, (base, head): (&Dependency, &Dependency)) -> bool {
        let Dependency { program, range, span: _ } = base;
        self.names(*program, head.program) && *range == head.range
    }

    fn is_plan(&self, at: usize, programs: &[bool]) -> bool {
        let head = &self.1.plans[at];
        let Some(base) = self.0.plans.iter().find(|it| it.name == head.name) else { return false };
        let Plan { name: _, extends, grants, entitlements, limits, ext, status: _, span: _ } = base;
        let extends = match (extends, head.extends) {
            (None, None) => true,
            (Some(PlanId(base)), Some(id)) => {
                self.0.plans[*base as usize].name == self.1.plans[id.at()].name && self.is_plan(id.at(), programs)
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        extends
            && (entitlements, limits) == (&head.entitlements, &head.limits)
            && self.are_grants(grants, &head.grants, programs)
            && self.are_settings(ext, &head.ext)
    }

    fn is_add_on(&self, head: &AddOn, programs: &[bool]) -> bool {
        let Some(base) = self.0.add_ons.iter().find(|it| it.name == head.name) else { return false };
        let AddOn { name: _, requires_plans: _, conflicts: _, grants, entitlements, limits, ext, status: _, span: _ } =
            base;
        (entitlements, limits) == (&head.entitlements, &head.limits)
            && self.are_grants(grants, &head.grants, programs)
            && self.are_settings(ext, &head.ext)
    }

    fn are_grants(&self, base: &[Grant], head: &[Grant], programs: &[bool]) -> bool {
        let grant = |(base, head): (&Grant, &Grant)| {
            let Grant { program, range, optional, span: _ } = base;
            self.names(*program, head.program)
                && (range, optional) == (&head.range, &head.optional)
                && programs[head.program.at()]
        };
        pairs(base, head).is_some_and(|mut it| it.all(grant))
    }

    fn are_settings(
        &self,
        base: &BTreeMap<ProgramId, Map<String, Value>>,
        head: &BTreeMap<ProgramId, Map<String, Value>>,
    ) -> bool {
        let mut both = base.iter().zip(head);
        base.len() == head.len()
            && both.all(|((one, settings), (other, others))| self.names(*one, *other) && settings == others)
    }

    /// Whether the rules of a profile and of all that it imports are the same.
    fn is_profile(&self, head: &Profile) -> bool {
        let Some(base) = self.0.profiles.iter().find(|it| it.name == head.name) else { return false };
        let rules = |(one, other): (&ProfileId, &ProfileId)| {
            are_rules(&self.0.profiles[one.at()], &self.1.profiles[other.at()])
        };
        pairs(&base.closure, &head.closure).is_some_and(|mut it| it.all(rules))
    }

    fn are_shells(&self) -> bool {
        let shell = |(base, head): (&Shell, &Shell)| {
            let Shell { name, platform_codes, branding_schema: _, span: _ } = base;
            (name, platform_codes) == (&head.name, &head.platform_codes)
        };
        pairs(&self.0.shells, &self.1.shells).is_some_and(|mut it| it.all(shell))
    }

    /// Whether the programs that both sides have are taken in the same order.
    fn is_order(&self) -> bool {
        let base = self.0.dependants_first.iter().filter_map(|id| self.1.find_program(&self.0.program(*id).app_id));
        let head =
            self.1.dependants_first.iter().filter(|id| self.0.find_program(&self.1.program(**id).app_id).is_some());
        base.eq(head.copied())
    }
}

fn is_project(base: &Project, head: &Project) -> bool {
    let Project {
        name: _,
        title: _,
        base_url: _,
        channel,
        offline_grace,
        entitlement_lifetime,
        freshness_lifetime,
        keys: _,
        stores: _,
        revocation_budget: _,
        first_start: _,
    } = base;
    (channel, offline_grace, entitlement_lifetime, freshness_lifetime)
        == (&head.channel, &head.offline_grace, &head.entitlement_lifetime, &head.freshness_lifetime)
        // A budget that nothing fills says what is refused, and no more.
        && base.fills() == head.fills()
}

fn are_rules(base: &Profile, head: &Profile) -> bool {
    let Profile {
        name,
        closure: _,
        mini_programs,
        permissions,
        egress,
        max_classification,
        regions,
        min_status,
        min_soak,
        pin_required,
        freeze_windows,
        max_ttl,
        offline_grace,
        span: _,
    } = base;
    let windows = |it: &Profile| it.freeze_windows.iter().map(|(window, _)| *window).collect::<Vec<_>>();
    *name == head.name
        && [(mini_programs, &head.mini_programs), (permissions, &head.permissions), (egress, &head.egress)]
            .into_iter()
            .all(|(one, other)| texts(one) == texts(other))
        && max_classification.map(|it| it.0) == head.max_classification.map(|it| it.0)
        && regions.as_ref().map(|it| &it.0) == head.regions.as_ref().map(|it| &it.0)
        && min_status.map(|it| it.0) == head.min_status.map(|it| it.0)
        && min_soak.map(|it| it.0) == head.min_soak.map(|it| it.0)
        && pin_required.is_some() == head.pin_required.is_some()
        && freeze_windows.len() == head.freeze_windows.len()
        && windows(base) == windows(head)
        && (max_ttl, offline_grace) == (&head.max_ttl, &head.offline_grace)
}

/// What two lists of patterns say: those that allow, if they are a closed list, and those that deny.
pub(super) fn texts(lists: &AllowDeny) -> (Option<Vec<&str>>, Vec<&str>) {
    let AllowDeny { allow, deny } = lists;
    let allow = allow.as_ref().map(|(patterns, _)| patterns.iter().map(|it| &*it.text).collect());
    (allow, deny.iter().map(|it| &*it.text).collect())
}

fn is_rollout(base: &Option<Rollout>, head: &Option<Rollout>) -> bool {
    let step = |(base, head): (&RolloutStep, &RolloutStep)| {
        let RolloutStep { from, match_labels, label_spans: _, percent, max_tenants: _, span: _ } = base;
        (from, match_labels, percent) == (&head.from, &head.match_labels, &head.percent)
    };
    match (base, head) {
        (None, None) => true,
        (Some(base), Some(head)) => pairs(&base.steps, &head.steps).is_some_and(|mut it| it.all(step)),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn is_revoked(base: &Option<RevokedVersion>, head: &Option<RevokedVersion>) -> bool {
    let said = |it: &RevokedVersion| {
        let RevokedVersion { mode, reason, span: _ } = it;
        (*mode, reason.clone())
    };
    base.as_ref().map(said) == head.as_ref().map(said)
}

fn is_template((base, head): (&Template, &Template)) -> bool {
    let Template { src, text, path, span: _ } = base;
    // The name decides how values are escaped.
    (src, text, path) == (&head.src, &head.text, &head.path)
}

/// Whether two trees of files are the same. Files that were read once are one piece of memory.
fn are_files(base: &Arc<Files>, head: &Arc<Files>) -> bool {
    let is_same = |one: &Arc<[u8]>, other: &Arc<[u8]>| Arc::ptr_eq(one, other) || one == other;
    let mut files = base.iter().zip(head.iter());
    Arc::ptr_eq(base, head)
        || (base.len() == head.len()
            && files.all(|((path, bytes), (other, others))| path == other && is_same(bytes, others)))
}

fn pairs<'a, T>(base: &'a [T], head: &'a [T]) -> Option<impl Iterator<Item = (&'a T, &'a T)>> {
    (base.len() == head.len()).then(|| base.iter().zip(head))
}
