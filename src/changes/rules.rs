//! Rules of compliance profiles that ask for more, for less, or for something else than before.

use std::collections::BTreeSet;

use crate::changes::kind::{Cause, Kind};
use crate::changes::{Of, Why};
use crate::input::{Classification, MinStatus};
use crate::model::{AllowDeny, Catalog, Pattern, Profile};
use crate::text::Span;
use crate::time::{Duration, Window};

/// A rule that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleChange {
    pub(super) kind: Kind,
    /// The profile that states it, and its key there.
    pub(super) item: String,
    pub(super) why: Why,
}

/// For each profile of the head, what differs in its own rules and in those that it imports. A profile that is new
/// has no rules that could differ.
pub(super) fn compare(base: &Catalog, head: &Catalog) -> Vec<Vec<RuleChange>> {
    head.profiles
        .iter()
        .map(|it| named(base, &it.name).map(|old| profile(base, old, head, it)).unwrap_or_default())
        .collect()
}

fn named<'a>(catalog: &'a Catalog, name: &str) -> Option<&'a Profile> {
    catalog.profiles.iter().find(|it| *it.name == *name)
}

fn profile(base: &Catalog, old: &Profile, head: &Catalog, new: &Profile) -> Vec<RuleChange> {
    let before: Vec<&Profile> = old.closure.iter().map(|id| &base.profiles[id.at()]).collect();
    let after: Vec<&Profile> = new.closure.iter().map(|id| &head.profiles[id.at()]).collect();
    let mut found = Vec::new();
    let mut import = |kind: Kind, name: &str, of: Of, span: Span| {
        let why = Why { cause: Cause::Profile, of, span };
        found.push(RuleChange { kind, item: format!("{}: imports {name}", new.name), why });
    };
    for it in after.iter().filter(|it| before.iter().all(|old| old.name != it.name)) {
        import(Kind::RuleTightened, &it.name, Of::Head, new.span);
    }
    for it in before.iter().filter(|it| after.iter().all(|new| new.name != it.name)) {
        import(Kind::RuleRelaxed, &it.name, Of::Base, old.span);
    }
    for new in after {
        if let Some(old) = before.iter().find(|it| it.name == new.name) {
            rules(old, new, &mut found);
        }
    }
    found
}

/// The rules of one profile against those that it had. Taken apart field by field, so that none is forgotten.
fn rules(old: &Profile, new: &Profile, found: &mut Vec<RuleChange>) {
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
    } = old;
    let mut say = |rule: &str, kind: Option<Kind>, head: Option<Span>| {
        let why = Why { cause: Cause::Profile, of: Of::Head, span: head.unwrap_or(new.span) };
        found.extend(kind.map(|kind| RuleChange { kind, item: format!("{name}: {rule}"), why }));
    };
    let lists = [
        ("mini_programs", mini_programs, &new.mini_programs),
        ("permissions", permissions, &new.permissions),
        ("egress", egress, &new.egress),
    ];
    for (rule, old, new) in lists {
        say(&format!("{rule}.allow"), allows(old, new), new.allow.as_ref().map(|(_, span)| *span));
        say(&format!("{rule}.deny"), denies(&old.deny, &new.deny), new.deny.first().map(|it| it.span));
    }
    // The highest class lets everything through, as no rule does.
    let bounds = |it: Option<(Classification, Span)>| it.map(|it| it.0).filter(|it| *it < Classification::Restricted);
    let class = (bounds(*max_classification), bounds(new.max_classification));
    say("data.max_classification", bound(class, |old, new| new < old), new.max_classification.map(|it| it.1));
    let kept = (regions.as_ref().map(|it| texts(&it.0)), new.regions.as_ref().map(|it| texts(&it.0)));
    say("data.regions", closed(kept), new.regions.as_ref().map(|it| it.1));
    let status = (min_status.map(|it| it.0), new.min_status.map(|it| it.0));
    say("review.min_status", bound(status, |old, new| rank(new) > rank(old)), new.min_status.map(|it| it.1));
    let soak = (min_soak.map(|it| it.0), new.min_soak.map(|it| it.0));
    say("review.min_soak", bound(soak, |old, new| new > old), new.min_soak.map(|it| it.1));
    let pinned = (pin_required.map(|_| ()), new.pin_required.map(|_| ()));
    say("update.pin_required", bound(pinned, |(), ()| false), new.pin_required);
    let windows = |it: &[(Window, Span)]| it.iter().map(|(it, _)| (it.from, it.until)).collect::<BTreeSet<_>>();
    let frozen = more(&windows(freeze_windows), &windows(&new.freeze_windows));
    say("update.freeze_windows", frozen, new.freeze_windows.first().map(|it| it.1));
    let shorter = |old: &Duration, new: &Duration| new < old;
    say("manifest.max_ttl", bound((*max_ttl, new.max_ttl), shorter), None);
    say("manifest.offline_grace", bound((*offline_grace, new.offline_grace), shorter), None);
}

/// A closed list asks for more when it comes, and when it gets shorter.
fn allows(old: &AllowDeny, new: &AllowDeny) -> Option<Kind> {
    let (old, new) = (super::same::texts(old).0, super::same::texts(new).0);
    closed((old.map(|it| it.into_iter().collect()), new.map(|it| it.into_iter().collect())))
}

fn denies(old: &[Pattern], new: &[Pattern]) -> Option<Kind> {
    let texts = |it: &[Pattern]| it.iter().map(|it| it.text.to_string()).collect::<BTreeSet<_>>();
    more(&texts(old), &texts(new))
}

fn texts(list: &[String]) -> BTreeSet<&str> {
    list.iter().map(|it| &**it).collect()
}

fn closed((old, new): (Option<BTreeSet<&str>>, Option<BTreeSet<&str>>)) -> Option<Kind> {
    match (old, new) {
        (None, None) => None,
        (None, Some(_)) => Some(Kind::RuleTightened),
        (Some(_), None) => Some(Kind::RuleRelaxed),
        // What is shorter here lets less through.
        (Some(old), Some(new)) => more(&new, &old),
    }
}

/// A list of which every entry asks for something.
fn more<T: Ord>(old: &BTreeSet<T>, new: &BTreeSet<T>) -> Option<Kind> {
    match (old.is_subset(new), new.is_subset(old)) {
        (true, true) => None,
        (true, false) => Some(Kind::RuleTightened),
        (false, true) => Some(Kind::RuleRelaxed),
        (false, false) => Some(Kind::RuleChanged),
    }
}

fn bound<T: PartialEq>((old, new): (Option<T>, Option<T>), is_tighter: impl Fn(&T, &T) -> bool) -> Option<Kind> {
    match (old, new) {
        (old, new) if old == new => None,
        (None, _) => Some(Kind::RuleTightened),
        (Some(_), None) => Some(Kind::RuleRelaxed),
        (Some(old), Some(new)) if is_tighter(&old, &new) => Some(Kind::RuleTightened),
        (Some(_), Some(_)) => Some(Kind::RuleRelaxed),
    }
}

fn rank(it: &MinStatus) -> u8 {
    match it {
        MinStatus::Approved => 0,
        MinStatus::Online => 1,
    }
}
