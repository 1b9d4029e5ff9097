//! Everything that people look at of a project at one instant, as one document: who has what and why, what changes by
//! itself, what it weighs, who signs. `tenantry report` prints it, and inlines it into the page that shows it.
//!
//! ```text
//!  Explanation ─▶ cell ─Row─▶ matrix ─┐
//!  Release, archive ────▶ sizes ──────┼─▶ Overview ─▶ redact ─▶ page
//!  Index, Root ─────▶ publication ────┘
//! ```
//!
//! What several tenants have alike stands in it once, so ten thousand tenants are some megabytes. docs/report.md has
//! every field.

mod cell; // one program of one tenant
mod matrix; // all tenants, grouped
mod page; // the page with the document in it
mod publication; // what was published, and who signs
mod redact; // the same without names
mod sizes; // what devices fetch

use serde::Serialize;
use serde_json::Value;

pub use cell::{Backdrop, Cell, Row, State, row};
pub use matrix::{Class, Matrix, Member, Shape, gather};
pub use page::{Source, live, page};
pub use publication::{Mark, Published, SignedBy, Trust, marks, published, trust};
pub use redact::{Names, redact};
pub use sizes::{FileSize, Measured, ProgramSizes, VersionSizes, measure, programs};

use crate::digest::Blake3;
use crate::input::TenantStatus;
use crate::model::{Catalog, Project, Tenant};
use crate::time::Timestamp;

/// Version of the document's format; fields are only added within one.
const FORMAT: u32 = 1;

/// The document, before other commands' documents are put into it.
#[derive(Debug, Serialize)]
pub struct Overview {
    format: u32,
    compiler: &'static str,
    /// The instant of every decision.
    pub at: Timestamp,
    /// Which inputs.
    pub project: Inputs,
    /// Whether tenants have other names here than in the project.
    pub redacted: bool,
    /// How many of everything.
    pub summary: Summary,
    /// What lies in `out/`.
    pub publication: Option<Published>,
    /// Every state that a cell can have.
    pub legend: Vec<Sign>,
    /// Names of all plans.
    pub plans: Vec<String>,
    /// Names of all compliance profiles.
    pub profiles: Vec<String>,
    /// Every region that a tenant is bound to, sorted.
    pub regions: Vec<String>,
    /// Every mini-program of the catalogue.
    pub programs: Vec<ProgramSizes>,
    /// Who has what, and why.
    #[serde(flatten)]
    pub matrix: Matrix,
    /// What new devices fetch.
    pub first_start: Option<FirstStart>,
    /// Dates besides those of the timeline.
    pub marks: Vec<Mark>,
    /// Who may sign what.
    pub trust: Option<Trust>,
    /// What changes by itself: the document of `tenantry simulate`.
    pub timeline: Value,
    /// What a change does: the document of `tenantry plan`.
    pub impact: Option<Value>,
    /// What stores hold.
    pub stores: Vec<Value>,
}

/// Which inputs the document is about.
#[derive(Debug, Serialize)]
pub struct Inputs {
    /// The project's name.
    pub name: String,
    /// Its name for people.
    pub title: Option<String>,
    /// The commit that was read; none for a working directory.
    pub commit: Option<String>,
    /// Digest of all inputs, as in plans.
    pub inputs: Blake3,
}

/// How many of everything.
#[derive(Debug, Serialize)]
pub struct Summary {
    text: String,
    tenants: usize,
    active: usize,
    suspended: usize,
    inactive: usize,
    programs: usize,
    versions: usize,
    classes: usize,
    entitlements: usize,
}

/// A state that cells can have, as the page shows it.
#[derive(Debug, Serialize)]
pub struct Sign {
    /// Its name.
    pub state: &'static str,
    /// One character.
    pub sign: &'static str,
    /// It in words.
    pub text: &'static str,
}

/// Bytes that new devices fetch before everything that is preloaded is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstStart {
    /// Half of all tenants have no more.
    pub median: u64,
    /// The most.
    pub worst: u64,
    /// Whose devices have the most, as a position among the tenants.
    pub worst_tenant: usize,
    /// What the project allows.
    pub budget: Option<u64>,
}

impl FirstStart {
    /// Of the bytes of every tenant, in order; none without tenants.
    pub fn of(bytes: &[u64], budget: Option<u64>) -> Option<FirstStart> {
        let mut sorted = bytes.to_vec();
        sorted.sort_unstable();
        let worst = *sorted.last()?;
        let worst_tenant = bytes.iter().position(|it| *it == worst)?;
        Some(FirstStart { median: sorted[(sorted.len() - 1) / 2], worst, worst_tenant, budget })
    }
}

/// What an overview is made of.
pub struct Parts<'a> {
    /// The project's own settings.
    pub project: &'a Project,
    /// What can be had.
    pub catalog: &'a Catalog,
    /// All tenants, sorted by name.
    pub tenants: &'a [&'a Tenant],
    /// The commit that was read.
    pub commit: Option<String>,
    /// Digest of all inputs.
    pub inputs: Blake3,
    /// Each tenant's row, in the same order.
    pub rows: Vec<Row>,
    /// What each version weighs, by program and release.
    pub measured: Vec<Vec<Measured>>,
    /// Bytes of a first start, in the order of the tenants.
    pub first_start: Vec<u64>,
    /// What the project allows a first start.
    pub budget: Option<u64>,
    /// The instant of every decision.
    pub now: Timestamp,
}

/// Puts together what is known of the inputs alone. Publication, trust, timeline, impact and stores are the caller's.
pub fn overview(parts: Parts<'_>) -> Overview {
    let Parts { project, catalog, tenants, rows, first_start, .. } = parts;
    let mut regions: Vec<String> =
        tenants.iter().filter_map(|it| it.data_region.as_ref()).map(|(name, _)| name.to_string()).collect();
    regions.sort();
    regions.dedup();
    let programs = programs(catalog, &rows, &parts.measured);
    let matrix = gather(catalog, tenants, rows, &regions, &first_start);
    let count = |status: TenantStatus| tenants.iter().filter(|it| it.status == status).count();
    let entitlements = programs.iter().map(|it| it.tenants).sum();
    let versions: usize = catalog.programs.iter().map(|it| it.releases.len()).sum();
    let mut text = format!(
        "{} tenants in {} classes, {} mini-programs in {versions} versions, {entitlements} entitlements that run now",
        tenants.len(),
        matrix.classes.len(),
        catalog.programs.len(),
    );
    let resting = count(TenantStatus::Suspended) + count(TenantStatus::Inactive);
    if resting > 0 {
        text += &format!("; {resting} tenants are not served");
    }
    Overview {
        format: FORMAT,
        compiler: concat!("tenantry ", env!("CARGO_PKG_VERSION")),
        at: parts.now,
        project: Inputs {
            name: project.name.to_string(),
            title: project.title.as_ref().map(ToString::to_string),
            commit: parts.commit,
            inputs: parts.inputs,
        },
        redacted: false,
        summary: Summary {
            text,
            tenants: tenants.len(),
            active: count(TenantStatus::Active),
            suspended: count(TenantStatus::Suspended),
            inactive: count(TenantStatus::Inactive),
            programs: catalog.programs.len(),
            versions,
            classes: matrix.classes.len(),
            entitlements,
        },
        publication: None,
        legend: State::ALL.iter().map(|it| it.sign()).collect(),
        plans: catalog.plans.iter().map(|it| it.name.to_string()).collect(),
        profiles: catalog.profiles.iter().map(|it| it.name.to_string()).collect(),
        regions,
        programs,
        matrix,
        first_start: FirstStart::of(&first_start, parts.budget),
        marks: Vec::new(),
        trust: None,
        timeline: Value::Null,
        impact: None,
        stores: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::FirstStart;

    #[test]
    fn a_first_start_is_told_by_its_middle_and_its_worst() {
        let of = |bytes: &[u64]| FirstStart::of(bytes, Some(9)).map(|it| (it.median, it.worst, it.worst_tenant));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[5]), Some((5, 5, 0)));
        assert_eq!(of(&[1, 8, 8, 2]), Some((2, 8, 1)), "of two in the middle the lower, of two worst the first");
    }
}
