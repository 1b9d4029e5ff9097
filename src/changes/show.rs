//! A change set for people and machines. Pure: whoever calls decides where the text goes.
//!
//! Much of what is told was written by tenants and authors of the catalogue. It reaches no output but as a name, set
//! apart from our own words ([`words`]), and each format writes names so that nobody obeys them.

pub mod course;
mod github;
mod html;
mod human;
mod json;
mod markdown;
mod words;

use crate::changes::kind::{Cause, Kind, Weight, weight};
use crate::changes::{Change, ChangeSet, Class, Download, TenantChanges};
use crate::report::Styled;

pub use crate::changes::show::github::annotations;
pub use crate::changes::show::html::page;
pub use crate::changes::show::json::document;
pub use crate::changes::show::markdown::{MARKER, comment};

/// The two sides as people know them: a branch, a tag, the beginning of a commit, the working directory.
#[derive(Debug, Clone)]
pub struct Names {
    /// Where the change begins.
    pub base: String,
    /// Where it leads.
    pub head: String,
    /// The stores whose tenants alone are compared; all tenants when there is none.
    pub stores: Vec<String>,
}

/// For a terminal.
pub fn text(set: &ChangeSet, names: &Names, styled: Styled) -> String {
    human::text(set, names, styled)
}

/// How much changes, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tenants whose devices are sent something else.
    pub changed: usize,
    /// Tenants of whom something differs that no device sees.
    pub inside: usize,
    /// Tenants of whom nothing differs.
    pub same: usize,
    /// Tenants that lose something.
    pub lose: usize,
    /// Tenants that are kept from something newer, or go back.
    pub held: usize,
    /// Tenants for whom a program may do more, or a rule asks for less.
    pub growth: usize,
    /// Tenants that get something.
    pub gain: usize,
    /// Tenants for whom something newer replaces what was there.
    pub update: usize,
    /// Tenants for whom a program that they had asks for a permission more.
    pub permissions: usize,
    /// Tenants for whom a program that they had talks to a host more.
    pub egress: usize,
    /// Tenants under another profile, in another region, or under rules that ask for less or for something else.
    pub rules: usize,
}

impl Summary {
    /// Counts.
    pub fn of(set: &ChangeSet) -> Summary {
        let having = |is: &dyn Fn(&Change) -> bool| set.tenants.iter().filter(|it| it.changes.iter().any(is)).count();
        let weighing = |wanted: Weight| having(&|it| weight(it.kind, it.why.cause) == wanted);
        let growing = |kind: Kind| having(&|it| it.kind == kind && it.why.cause != Cause::ProgramGained);
        let changed = set.tenants.iter().filter(|it| it.is_published()).count();
        let gone = set.tenants.iter().filter(|it| it.changes.iter().any(|it| it.kind == Kind::TenantRemoved)).count();
        Summary {
            changed,
            inside: set.tenants.len() - changed,
            same: (set.head.tenants + gone).saturating_sub(set.tenants.len()),
            lose: weighing(Weight::Loss),
            held: weighing(Weight::Held),
            growth: weighing(Weight::Growth),
            gain: weighing(Weight::Gain),
            update: weighing(Weight::Update),
            permissions: growing(Kind::PermissionAdded),
            egress: growing(Kind::EgressAdded),
            rules: having(&|it| {
                matches!(it.kind, Kind::RuleRelaxed | Kind::RuleChanged | Kind::ComplianceProfile | Kind::DataRegion)
            }),
        }
    }

    /// In one line without names; `No changes.` when there are none.
    pub fn line(&self) -> String {
        if self.changed + self.inside == 0 {
            return format!("No changes. {} stay as they are.", tenants(self.same));
        }
        let mut parts = vec![format!("{} lose", self.lose)];
        let others = [(self.held, "held back"), (self.gain, "gain"), (self.update, "update")];
        parts.extend(
            others.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", number(count))),
        );
        if self.inside > 0 {
            parts.push(format!("{} in nothing that a device sees", number(self.inside)));
        }
        let count = self.changed + self.inside;
        let verb = if count == 1 { "changes" } else { "change" };
        format!("{} {verb}: {}; {} stay as they are.", tenants(count), parts.join(", "), number(self.same))
    }

    /// Who may do more than before; nothing when nobody may.
    pub fn growth_line(&self) -> Option<String> {
        let parts = [
            (self.permissions, "new permissions"),
            (self.egress, "new hosts"),
            (self.rules, "weaker or other rules, another profile or another region"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, what)| format!("{what} for {}", tenants(count))).collect();
        (!parts.is_empty()).then(|| format!("Growth: {}.", parts.join(", ")))
    }
}

/// The tenant and the level at which one device downloads most.
fn most_downloaded(set: &ChangeSet) -> Option<(&str, Download)> {
    let all = set.tenants.iter().filter_map(|it| Some((&*it.name, it.download?)));
    all.reduce(|most, it| if it.1.bytes > most.1.bytes { it } else { most })
}

/// Bytes that one device of each tenant downloads, at the tenant's worst level.
fn all_downloaded(set: &ChangeSet) -> u64 {
    set.tenants.iter().filter_map(|it| it.download).map(|it| it.bytes).sum()
}

/// The most that a device of any tenant of a class downloads.
fn download_of(all: &[TenantChanges], class: &Class) -> Option<u64> {
    class.tenants.iter().filter_map(|at| all[*at].download).map(|it| it.bytes).max()
}

fn uploads(set: &ChangeSet) -> String {
    let bytes = set.bundles.iter().map(|it| it.length).sum::<u64>();
    let bundles = match set.bundles.len() {
        0 => "No bundle to upload".to_owned(),
        1 => format!("1 bundle to upload ({})", size(bytes)),
        many => format!("{} bundles to upload ({})", number(many), size(bytes)),
    };
    match set.overlays.count {
        0 => bundles,
        1 => format!("{bundles}, 1 overlay ({})", size(set.overlays.bytes)),
        many => format!("{bundles}, {} overlays ({})", number(many), size(set.overlays.bytes)),
    }
}

fn tenants(count: usize) -> String {
    match count {
        1 => "1 tenant".to_owned(),
        many => format!("{} tenants", number(many)),
    }
}

/// With commas between thousands.
fn number(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// The sign before a class. Never the only thing that says what it is.
fn sign(weight: Weight) -> &'static str {
    match weight {
        Weight::Loss => "−",
        Weight::Held => "▲",
        Weight::Growth => "!",
        Weight::Gain => "+",
        Weight::Update => "↻",
        Weight::Rest => "·",
    }
}

/// One word for a weight.
fn heading(weight: Weight) -> &'static str {
    match weight {
        Weight::Loss => "loss",
        Weight::Held => "held",
        Weight::Growth => "growth",
        Weight::Gain => "gain",
        Weight::Update => "update",
        Weight::Rest => "other",
    }
}

#[cfg(test)]
mod tests;
