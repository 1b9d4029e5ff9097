//! Tenants of equal change, told once: losses first, then the larger class.
//!
//! Changes are equal when kind, mini-program, item and reason are, and values too as long as there are few of them: a
//! renewal of three hundred licences is one change with three hundred values. Changes that happen to the very same
//! tenants are one class, so that what one edit does stands together.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::changes::facts::Told;
use crate::changes::kind::{Cause, Kind, Weight, weight};
use crate::changes::{Change, Devices, Of, Scope, TenantChanges};
use crate::text::Span;

/// More values than these of one change are told as their number.
const MOST_VALUES: usize = 8;

/// Tenants to which the same happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// The tenants, as ascending positions in [`ChangeSet::tenants`](super::ChangeSet::tenants); never empty.
    pub tenants: Vec<usize>,
    /// What happens, the weightiest first; never empty.
    pub shapes: Vec<Shape>,
    /// How many of the tenants have which plan.
    pub plans: BTreeMap<Arc<str>, usize>,
}

/// A change that several tenants have alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// What changes.
    pub kind: Kind,
    /// The mini-program.
    pub program: Option<Arc<str>>,
    /// What of it.
    pub item: Option<Box<str>>,
    /// The values.
    pub values: Values,
    /// The range of shells, or the mini-programs, when it is the same for all.
    pub scope: Option<Scope>,
    /// For which of each tenant's devices.
    pub devices: Devices,
    /// Why.
    pub cause: Cause,
    /// Whose reason it is.
    pub of: Of,
    /// The reason in the words of the class's first tenant. Filled by whoever can ask both sides.
    pub told: Vec<Told>,
}

/// The values of a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Values {
    /// The same for all tenants: before and after.
    Same(Option<Box<str>>, Option<Box<str>>),
    /// So many different ones.
    Various(usize),
}

/// What makes two changes equal.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Key {
    kind: Kind,
    program: Option<Arc<str>>,
    item: Option<Box<str>>,
    devices: Devices,
    cause: Cause,
    of: Of,
    /// Where the reason stands, unless that is in the tenant's own file.
    shared: Option<Span>,
    /// What it follows from, when it does: what one cause brings stands together.
    after: Option<Box<(Key, Pair)>>,
}

/// Who has a change, and how far it goes.
#[derive(Default)]
struct Members {
    tenants: BTreeSet<usize>,
    scopes: BTreeSet<Scope>,
}

/// Puts tenants of equal change together.
pub fn classes(tenants: &[TenantChanges]) -> Vec<Class> {
    let mut by_key: BTreeMap<Key, BTreeMap<Pair, Members>> = BTreeMap::new();
    for (at, tenant) in tenants.iter().enumerate() {
        for change in &tenant.changes {
            let values = by_key.entry(key(tenant, change)).or_default();
            let members = values.entry((change.from.clone(), change.to.clone())).or_default();
            members.tenants.insert(at);
            if members.scopes.len() < 2 {
                members.scopes.insert(change.scope.clone());
            }
        }
    }
    let mut by_tenants: BTreeMap<Vec<usize>, Vec<Shape>> = BTreeMap::new();
    for (key, values) in by_key {
        for (values, members) in few(values) {
            let shape = shape(&key, values, &members.scopes);
            by_tenants.entry(members.tenants.into_iter().collect()).or_default().push(shape);
        }
    }
    let class = |(members, mut shapes): (Vec<usize>, Vec<Shape>)| {
        shapes.sort_by_key(|it| (it.weight(), it.cause == Cause::ProgramGained, it.kind));
        let mut plans = BTreeMap::new();
        members.iter().for_each(|at| *plans.entry(Arc::clone(&tenants[*at].plan)).or_default() += 1);
        Class { tenants: members, shapes, plans }
    };
    let mut classes: Vec<Class> = by_tenants.into_iter().map(class).collect();
    classes.sort_by(|a, b| a.order().cmp(&b.order()));
    classes
}

type Pair = (Option<Box<str>>, Option<Box<str>>);

fn key(tenant: &TenantChanges, change: &Change) -> Key {
    let leads = |it: &&Change| match change.why.cause {
        Cause::ProgramGained => matches!(it.kind, Kind::Gain | Kind::ShellsGained),
        _ => matches!(it.kind, Kind::Update | Kind::Downgrade),
    };
    let mut others = tenant
        .changes
        .iter()
        .filter(|it| it.program == change.program && it.devices == change.devices && !it.why.cause.follows());
    let leader = others.find(leads).filter(|_| change.why.cause.follows());
    Key {
        kind: change.kind,
        program: change.program.clone(),
        item: change.item.clone(),
        devices: change.devices,
        cause: change.why.cause,
        of: change.why.of,
        shared: Some(change.why.span).filter(|_| !tenant.owns(&change.why)),
        after: leader.map(|it| Box::new((key(tenant, it), (it.from.clone(), it.to.clone())))),
    }
}

/// Values one by one while they are few, else all together.
fn few(values: BTreeMap<Pair, Members>) -> Vec<(Values, Members)> {
    if values.len() <= MOST_VALUES {
        return values.into_iter().map(|((from, to), members)| (Values::Same(from, to), members)).collect();
    }
    let count = values.len();
    let mut all = Members::default();
    for members in values.into_values() {
        all.tenants.extend(members.tenants);
        all.scopes.extend(members.scopes);
    }
    vec![(Values::Various(count), all)]
}

fn shape(key: &Key, values: Values, scopes: &BTreeSet<Scope>) -> Shape {
    let mut scopes = scopes.iter();
    Shape {
        kind: key.kind,
        program: key.program.clone(),
        item: key.item.clone(),
        values,
        scope: scopes.next().filter(|_| scopes.next().is_none()).cloned(),
        devices: key.devices,
        cause: key.cause,
        of: key.of,
        told: Vec::new(),
    }
}

impl Class {
    /// The weight of its weightiest change.
    pub fn weight(&self) -> Weight {
        self.shapes.first().map_or(Weight::Rest, Shape::weight)
    }

    fn order(&self) -> (Weight, Reverse<usize>, &[usize]) {
        (self.weight(), Reverse(self.tenants.len()), &self.tenants)
    }
}

impl Shape {
    /// How much it matters.
    pub fn weight(&self) -> Weight {
        weight(self.kind, self.cause)
    }

    /// Whether a tenant's change is one of those told by this.
    pub fn covers(&self, change: &Change) -> bool {
        let values = match &self.values {
            Values::Same(from, to) => (from, to) == (&change.from, &change.to),
            Values::Various(_) => true,
        };
        let names = (self.kind, &self.program, &self.item) == (change.kind, &change.program, &change.item);
        let why = (self.cause, self.of) == (change.why.cause, change.why.of);
        names && values && why && self.devices == change.devices
    }
}
