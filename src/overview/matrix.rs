//! All tenants and all programs, with what is alike written once: a fact, a cell, a tenant's row, a class of tenants.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use serde::Serialize;

use super::cell::{Cell, Row, State};
use crate::explain::Fact;
use crate::input::TenantStatus;
use crate::model::{Catalog, PlanId, Tenant};

/// Most plans, or profiles, that a class is named by.
const NAMED: usize = 2;

/// Who has what, and why. Cells are positions in `cells`, reasons positions in `facts`.
#[derive(Debug, Default, Serialize)]
pub struct Matrix {
    /// Every reason, without the words that only one tenant's file has.
    pub facts: Vec<Fact>,
    /// Every cell.
    pub cells: Vec<Cell<usize>>,
    /// One for each plan that somebody has: every program as if nothing granted it.
    pub backdrops: Vec<Vec<usize>>,
    /// Every row that some tenant has.
    pub shapes: Vec<Shape>,
    /// Tenants with the same signs and versions, the largest class first.
    pub classes: Vec<Class>,
    /// All tenants, sorted by name.
    pub tenants: Vec<Member>,
}

/// One row: what differs from the backdrop.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Shape {
    /// Which backdrop.
    pub backdrop: usize,
    /// By program, the cells of those that are wanted.
    pub cells: BTreeMap<usize, usize>,
}

/// Tenants who have the same, whatever the reasons.
#[derive(Debug, Serialize)]
pub struct Class {
    /// Its name for people.
    pub text: String,
    /// The row of its first tenant.
    pub shape: usize,
    /// How many programs are in which state.
    pub states: BTreeMap<&'static str, usize>,
    /// Its tenants, as positions.
    pub tenants: Vec<usize>,
}

/// One tenant.
#[derive(Debug, Serialize)]
pub struct Member {
    /// Its name in the project.
    pub name: String,
    /// Its name for people.
    pub title: Option<String>,
    /// Whether it is served.
    pub status: TenantStatus,
    /// Its plan, as a position.
    pub plan: usize,
    /// Its compliance profile, as a position.
    pub profile: Option<usize>,
    /// The region that it is bound to, as a position.
    pub region: Option<usize>,
    /// The API levels of its shells.
    pub levels: Vec<u32>,
    /// Its row.
    pub shape: usize,
    /// Its class.
    pub class: usize,
    /// Its file.
    pub file: String,
    /// The words that reasons leave out.
    pub own: Vec<String>,
    /// Bytes that a new device fetches.
    pub first_start: Option<u64>,
}

/// What somebody sees of a cell without asking for reasons.
type Seen<'a> = (State, Option<&'a str>);

/// Gives each different value a number, in the order in which they come.
struct Numbers<T>(HashMap<T, usize>, Vec<T>);

impl<T: Clone + Eq + Hash> Numbers<T> {
    fn new() -> Numbers<T> {
        Numbers(HashMap::new(), Vec::new())
    }

    fn of(&mut self, value: T) -> usize {
        if let Some(known) = self.0.get(&value) {
            return *known;
        }
        self.0.insert(value.clone(), self.1.len());
        self.1.push(value);
        self.1.len() - 1
    }
}

/// Groups the rows of all tenants, which come in the tenants' order. The first tenant of each plan has a backdrop.
pub fn gather(
    catalog: &Catalog,
    tenants: &[&Tenant],
    rows: Vec<Row>,
    regions: &[String],
    first_start: &[u64],
) -> Matrix {
    let (mut facts, mut cells, mut shapes) = (Numbers::new(), Numbers::new(), Numbers::new());
    let mut backdrops: BTreeMap<PlanId, usize> = BTreeMap::new();
    let mut matrix = Matrix::default();
    for (at, (tenant, row)) in tenants.iter().zip(rows).enumerate() {
        let mut cell = |it: Cell<Fact>| cells.of(it.map(&mut |fact| facts.of(fact)));
        if let Some(all) = row.backdrop {
            backdrops.insert(tenant.plan.0, matrix.backdrops.len());
            matrix.backdrops.push(all.into_iter().map(&mut cell).collect());
        }
        let wanted = row.wanted.into_iter().map(|(program, it)| (program.at(), cell(it))).collect();
        let shape = shapes.of(Shape { backdrop: backdrops[&tenant.plan.0], cells: wanted });
        matrix.tenants.push(Member {
            name: tenant.name.to_string(),
            title: tenant.title.as_ref().map(ToString::to_string),
            status: tenant.status,
            plan: tenant.plan.0.at(),
            profile: tenant.profile.map(|it| it.0.at()),
            region: tenant
                .data_region
                .as_ref()
                .and_then(|(name, _)| regions.binary_search_by(|it| (**it).cmp(name)).ok()),
            levels: tenant.levels(catalog),
            shape,
            class: 0,
            file: row.file,
            own: row.own,
            first_start: first_start.get(at).copied(),
        });
    }
    (matrix.facts, matrix.cells, matrix.shapes) = (facts.1, cells.1, shapes.1);
    matrix.classify(catalog);
    matrix
}

impl Matrix {
    /// Puts tenants together whose signs and versions are the same.
    fn classify(&mut self, catalog: &Catalog) {
        let mut seen: Vec<Vec<Seen<'_>>> = Vec::with_capacity(self.shapes.len());
        for shape in &self.shapes {
            let backdrop = self.backdrops[shape.backdrop].iter().enumerate();
            let row = backdrop.map(|(program, at)| {
                let cell = &self.cells[*shape.cells.get(&program).unwrap_or(at)];
                (cell.state, cell.version.as_deref())
            });
            seen.push(row.collect());
        }
        let mut members: HashMap<&[Seen<'_>], Vec<usize>> = HashMap::new();
        for (at, tenant) in self.tenants.iter().enumerate() {
            members.entry(&seen[tenant.shape]).or_default().push(at);
        }
        let mut groups: Vec<(&[Seen<'_>], Vec<usize>)> = members.into_iter().collect();
        groups.sort_by_key(|(_, tenants)| (std::cmp::Reverse(tenants.len()), tenants[0]));
        let classes = groups.into_iter().map(|(row, tenants)| {
            let mut states = BTreeMap::new();
            for (state, _) in row {
                *states.entry(state.sign().state).or_default() += 1;
            }
            let text = self.name(catalog, &tenants);
            Class { text, shape: self.tenants[tenants[0]].shape, states, tenants }
        });
        self.classes = classes.collect();
        for (at, class) in self.classes.iter().enumerate() {
            class.tenants.iter().for_each(|tenant| self.tenants[*tenant].class = at);
        }
    }

    /// What a class is called: what its tenants bought, and what they are bound to.
    fn name(&self, catalog: &Catalog, tenants: &[usize]) -> String {
        let all = || tenants.iter().map(|at| &self.tenants[*at]);
        let plans: BTreeSet<&str> = all().map(|it| &*catalog.plans[it.plan].name).collect();
        let profiles: BTreeSet<&str> =
            all().filter_map(|it| it.profile).map(|at| &*catalog.profiles[at].name).collect();
        let mut parts = vec![listed("plan", &plans)];
        if !profiles.is_empty() {
            parts.push(listed("profile", &profiles));
        }
        if all().all(|it| it.status != TenantStatus::Active) {
            parts.push("not served".to_owned());
        }
        parts.join(", ")
    }
}

fn listed(what: &str, names: &BTreeSet<&str>) -> String {
    match names.len() {
        many if many > NAMED => format!("{many} {what}s"),
        _ => {
            let names: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
            format!("{what} {}", names.join(" or "))
        }
    }
}
