//! Changes in sentences, in which our words and everybody else's are kept apart.

use std::sync::Arc;

use crate::changes::facts::Told;
use crate::changes::guards::Verdict;
use crate::changes::kind::Kind;
use crate::changes::show::{number, tenants};
use crate::changes::{Class, Devices, Levels, Of, Scope, Shape, TenantChanges, Values};
use crate::report::harmless;

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Ours.
    Words(String),
    /// Somebody's: a name, a value, a place. Harmless on a terminal already, and not too long.
    Name(String),
}

/// Pieces in their order, spaces included.
pub(super) type Sentence = Vec<Piece>;

/// Longest name that is shown whole, in characters.
const LONGEST: usize = 120;

/// Tenants up to this number are named in a headline.
const NAMED: usize = 5;

impl Piece {
    /// A text that is not ours.
    pub(super) fn name(text: &str) -> Piece {
        Piece::Name(clipped(text))
    }

    fn words(text: impl Into<String>) -> Piece {
        Piece::Words(text.into())
    }

    /// A version, number, date or plain word reads better without marks; everything else is a name.
    fn value(text: &str) -> Piece {
        let date = text.strip_suffix("T00:00:00Z").filter(|it| it.len() == 10).unwrap_or(text);
        let plain = |it: char| it.is_ascii_alphanumeric() || "+-.:_".contains(it);
        match date.len() <= 40
            && date.chars().all(plain)
            && !date.contains("www.")
            && date.starts_with(char::is_alphanumeric)
        {
            true => Piece::words(date),
            false => Piece::name(text),
        }
    }
}

/// A text without anything that a reader's machine would obey, cut where it is very long.
pub(super) fn clipped(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    harmless(&short)
}

/// Whom a class is about.
pub(super) fn who(all: &[TenantChanges], class: &Class) -> Sentence {
    let mut out = Vec::new();
    match class.tenants.len() {
        count if count <= NAMED => {
            let names = class.tenants.iter().map(|at| vec![Piece::name(&all[*at].name)]);
            out.extend(joined(names));
        }
        count => out.push(Piece::words(tenants(count))),
    }
    match class.plans.len() {
        1 => {
            out.push(Piece::words(" of plan "));
            out.extend(class.plans.keys().map(|it| Piece::name(it)));
        }
        2..=4 => {
            out.push(Piece::words(" of plans "));
            let plans = class
                .plans
                .iter()
                .map(|(plan, count)| vec![Piece::name(plan), Piece::words(format!(" ({})", number(*count)))]);
            out.extend(joined(plans));
        }
        many => out.push(Piece::words(format!(" of {many} plans"))),
    }
    out
}

/// What happens to a class, one sentence for each kind of change; each names at most so many things.
pub(super) fn what(class: &Class, most: usize) -> Vec<Sentence> {
    // What another version says of itself in other words needs no mention beside the version.
    let is_told = |it: &&Shape| it.kind != Kind::Presentation || !it.cause.follows();
    let shapes: Vec<Shape> = class.shapes.iter().filter(is_told).cloned().collect();
    let kinds = shapes.chunk_by(|one, other| one.kind == other.kind);
    kinds.map(|shapes| phrase(class.tenants.len(), shapes, most)).collect()
}

fn phrase(count: usize, shapes: &[Shape], most: usize) -> Sentence {
    let kind = shapes[0].kind;
    let mut out = vec![Piece::words(lead(kind, count))];
    // What is only named is named once for each mini-program.
    let is_alike = |one: &Shape, other: &Shape| {
        is_only_named(one) && is_only_named(other) && one.program == other.program && one.program.is_some()
    };
    let mut items: Vec<Sentence> =
        shapes.chunk_by(is_alike).map(|it| item(kind, it)).filter(|it| !it.is_empty()).collect();
    items.dedup();
    let left = items.len().saturating_sub(most);
    items.truncate(most);
    if items.is_empty() {
        return out;
    }
    out.push(Piece::words(" "));
    out.extend(joined(items.into_iter()));
    if left > 0 {
        out.push(Piece::words(format!(" and {} more", number(left))));
    }
    out
}

fn is_only_named(shape: &Shape) -> bool {
    shape.item.is_some()
        && shape.values == Values::Same(None, None)
        && shape.scope == Some(Scope::Whole)
        && shape.devices == Devices::ALL
}

/// The verb of a kind.
fn lead(kind: Kind, count: usize) -> &'static str {
    let one = count == 1;
    match kind {
        Kind::TenantRemoved if one => "is deleted, with mini-programs:",
        Kind::TenantRemoved => "are deleted, with mini-programs:",
        Kind::TenantEnded if one => "ends:",
        Kind::TenantEnded => "end:",
        Kind::TenantSuspended if one => "is suspended:",
        Kind::TenantSuspended => "are suspended:",
        Kind::Lose | Kind::ShellsLost if one => "loses",
        Kind::Lose | Kind::ShellsLost => "lose",
        Kind::Postponed if one => "loses for a time",
        Kind::Postponed => "lose for a time",
        Kind::Block => "must stop, code",
        Kind::EndsEarlier => "end earlier:",
        Kind::EntitlementLost => "entitlements gone:",
        Kind::EntitlementLowered => "entitlements lowered:",
        Kind::LimitLost => "limits gone:",
        Kind::LimitLowered => "limits lowered:",
        Kind::Downgrade if one => "goes back:",
        Kind::Downgrade => "go back:",
        Kind::HeldBack => "held back:",
        Kind::PermissionAdded => "new permissions:",
        Kind::EgressAdded => "new hosts:",
        Kind::DataClassRaised => "more sensitive data:",
        Kind::DataRegionAdded => "new regions of data:",
        Kind::RuleRelaxed => "rules ask for less:",
        Kind::RuleChanged => "rules ask for something else:",
        Kind::ComplianceProfile => "compliance profile:",
        Kind::DataRegion => "data region:",
        Kind::TenantAdded if one => "is new, with mini-programs:",
        Kind::TenantAdded => "are new, with mini-programs:",
        Kind::TenantResumed if one => "is served again:",
        Kind::TenantResumed => "are served again:",
        Kind::Gain | Kind::ShellsGained if one => "gets",
        Kind::Gain | Kind::ShellsGained => "get",
        Kind::StartsEarlier => "begin earlier:",
        Kind::EndsLater => "end later:",
        Kind::Unblock => "need not stop any more, code",
        Kind::EntitlementGained => "new entitlements:",
        Kind::EntitlementRaised => "entitlements raised:",
        Kind::LimitGained => "new limits:",
        Kind::LimitRaised => "limits raised:",
        Kind::Update if one => "updates",
        Kind::Update => "update",
        Kind::Contents => "other files under the same version:",
        Kind::StartsLater => "begin later:",
        Kind::Range => "other shell levels, none in the field:",
        Kind::UpdatePolicy => "taken up in another way:",
        Kind::Preload => "fetched before it is asked for:",
        Kind::Setting => "settings:",
        Kind::Overlay => "other rendered files:",
        Kind::Presentation => "said in another way:",
        Kind::Branding => "branding:",
        Kind::OfflineGrace => "offline grace:",
        Kind::ExpirationStrategy => "when the licence ends:",
        Kind::Lifetime => "lifetime of metadata:",
        Kind::PermissionRemoved => "permissions no longer asked for:",
        Kind::EgressRemoved => "hosts no longer talked to:",
        Kind::DataClassLowered => "less sensitive data:",
        Kind::DataRegionRemoved => "regions of data no longer used:",
        Kind::RuleTightened => "rules ask for more:",
        Kind::Term => "terms:",
    }
}

/// How a value is called that is not there; none where nothing needs to be said about it.
fn absent(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::StartsEarlier | Kind::StartsLater | Kind::Postponed => Some("at once"),
        Kind::EndsEarlier | Kind::EndsLater => Some("no end"),
        Kind::Range | Kind::ComplianceProfile | Kind::DataRegion | Kind::Term | Kind::Setting | Kind::Branding => {
            Some("none")
        }
        _ => None,
    }
}

/// One change, or several that only name things of one mini-program.
fn item(kind: Kind, shapes: &[Shape]) -> Sentence {
    let shape = &shapes[0];
    let mut out = joined(shapes.iter().filter_map(|it| Some(vec![Piece::name(it.item.as_deref()?)])));
    if let Some(program) = &shape.program {
        if !out.is_empty() {
            out.push(Piece::words(" in "));
        }
        out.push(Piece::name(program));
    }
    if let (None, None, Some(Scope::Programs(programs))) = (&shape.item, &shape.program, &shape.scope) {
        out.extend(several(programs));
    }
    let values = values(kind, &shape.values);
    if !out.is_empty() && !values.is_empty() {
        out.push(Piece::words(" "));
    }
    out.extend(values);
    if let Some(Scope::Shells(levels)) = &shape.scope {
        out.push(Piece::words(format!(" on {}", shells(levels))));
    }
    match shape.devices {
        Devices::ALL => {}
        Devices { from: 0, until } => out.push(Piece::words(format!(" for the first {until} % of devices"))),
        Devices { from, until: 100 } => out.push(Piece::words(format!(" for the last {} % of devices", 100 - from))),
        Devices { from, until } => out.push(Piece::words(format!(" for devices from {from} % to {until} %"))),
    }
    out
}

fn values(kind: Kind, values: &Values) -> Sentence {
    let (from, to) = match values {
        Values::Various(count) => return vec![Piece::words(format!("({} different values)", number(*count)))],
        Values::Same(from, to) => (from, to),
    };
    let shown = |it: &Option<Box<str>>| it.as_deref().map(Piece::value).or_else(|| absent(kind).map(Piece::words));
    match (shown(from), shown(to)) {
        _ if from.is_none() && to.is_none() => Vec::new(),
        (Some(from), Some(to)) if kind == Kind::HeldBack => {
            vec![to, Piece::words(" ("), from, Piece::words(" stays)")]
        }
        (Some(from), Some(to)) => vec![from, Piece::words(" → "), to],
        (Some(only), None) | (None, Some(only)) => vec![only],
        (None, None) => Vec::new(),
    }
}

fn several(programs: &[Arc<str>]) -> Sentence {
    const SHOWN: usize = 3;
    let mut out = joined(programs.iter().take(SHOWN).map(|it| vec![Piece::name(it)]));
    if programs.len() > SHOWN {
        out.push(Piece::words(format!(" and {} more", programs.len() - SHOWN)));
    }
    out
}

/// A range of levels.
pub(super) fn shells(levels: &Levels) -> String {
    match levels.max {
        None => format!("shells {} and up", levels.min),
        Some(max) if max == levels.min => format!("shells {max}"),
        Some(max) => format!("shells {} to {max}", levels.min),
    }
}

/// The tenants that a guard found, when they are few enough to be named.
pub(super) fn found(verdict: &Verdict) -> Sentence {
    match verdict.tenants.len() {
        0 => Vec::new(),
        count if count > NAMED => Vec::new(),
        _ => {
            let names = joined(verdict.tenants.iter().map(|it| vec![Piece::name(it)]));
            [vec![Piece::words(": ")], names].concat()
        }
    }
}

/// The reasons of a class, each once. What only follows from another change of the class has none of its own.
pub(super) fn reasons(class: &Class) -> Vec<Sentence> {
    let own = || class.shapes.iter().filter(|it| !it.cause.follows());
    let shapes: Vec<&Shape> = match own().next() {
        Some(_) => own().collect(),
        None => class.shapes.iter().collect(),
    };
    let mut all: Vec<Sentence> = Vec::new();
    for reason in shapes.into_iter().flat_map(|it| &it.told).map(because) {
        if !all.contains(&reason) {
            all.push(reason);
        }
    }
    all
}

/// A reason: its words, and where it stands.
fn because(told: &Told) -> Sentence {
    let mut out = Vec::new();
    if told.of == Of::Base {
        out.push(Piece::words("before: "));
    }
    out.extend(quoted(&told.fact.text));
    out.extend([Piece::words(" ("), Piece::name(&told.fact.place), Piece::words(")")]);
    out
}

/// A sentence of ours in which names stand between backticks. A name with backticks of its own only moves the
/// border; whatever then looks like words of ours is vetted by each format all the same.
pub(super) fn quoted(text: &str) -> Sentence {
    let parts = text.split('`').enumerate().filter(|(_, it)| !it.is_empty());
    parts.map(|(at, it)| if at % 2 == 0 { Piece::Words(clipped(it)) } else { Piece::name(it) }).collect()
}

/// With commas between.
fn joined(items: impl Iterator<Item = Sentence>) -> Sentence {
    let mut out = Vec::new();
    for item in items {
        if !out.is_empty() {
            out.push(Piece::words(", "));
        }
        out.extend(item);
    }
    out
}
