//! When a mini-program is there: beginnings and ends that moved.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::changes::kind::{Cause, Kind};
use crate::changes::programs::Line;
use crate::changes::{Change, Comparer, Of, Scope, Why};
use crate::input::ExpirationStrategy;
use crate::model::{Catalog, Effect, Override, ProgramId, Tenant};
use crate::resolve::Resolution;
use crate::text::Span;
use crate::time::Timestamp;

impl Comparer<'_> {
    /// Compares the windows of a mini-program that stays.
    pub(super) fn windows(&self, before: Line<'_>, after: Line<'_>, moved: &mut Vec<Change>) {
        let (old, new) = (before.included.window, after.included.window);
        let mut say = |kind: Kind, why: Why, from: Option<Timestamp>, to: Option<Timestamp>| {
            moved.push(Change::new(kind, why).program(after.app_id()).values(from.as_ref(), to.as_ref()));
        };
        if old.from != new.from {
            let why = new.from.map_or_else(|| before.begins(old.from), |at| after.begins(Some(at)));
            let kind = match old.from.cmp(&new.from) {
                Ordering::Less if old.contains(self.now) && !new.contains(self.now) => Kind::Postponed,
                Ordering::Less => Kind::StartsLater,
                Ordering::Equal | Ordering::Greater => Kind::StartsEarlier,
            };
            say(kind, why, old.from, new.from);
        }
        if old.until != new.until {
            let why = new.until.map_or_else(|| before.ends(old.until), |at| after.ends(Some(at)));
            let kind = match (old.until, new.until) {
                (Some(old), Some(new)) if new < old => Kind::EndsEarlier,
                (None, Some(_)) => Kind::EndsEarlier,
                (Some(_) | None, _) => Kind::EndsLater,
            };
            say(kind, why, old.until, new.until);
        }
    }
}

impl Line<'_> {
    /// What keeps the program away until an instant.
    fn begins(&self, at: Option<Timestamp>) -> Why {
        let tenant = self.seat.tenant;
        let (cause, span) = begin(tenant, self.included.program, at).unwrap_or_else(|| {
            // What it needs is not there before.
            (Cause::Dependency, self.newest().version_span)
        });
        self.why(cause, span)
    }

    /// What ends the program at an instant.
    fn ends(&self, at: Option<Timestamp>) -> Why {
        let tenant = self.seat.tenant;
        let gives = |it: &&Override| matches!(it.effect, Effect::Grant(_)) && self.is_bound(it, at);
        let license = tenant.license.as_ref().filter(|it| it.strategy == ExpirationStrategy::Revoke);
        match (license, tenant.overrides.iter().find(gives)) {
            (Some(license), _) if license.window.until.map(|it| it.plus(license.grace)) == at => {
                self.why(Cause::Licence, license.span)
            }
            (_, Some(it)) => self.why(Cause::Granted, it.span),
            (_, None) => Why { cause: Cause::RequiredBy, ..self.first_reason() },
        }
    }

    fn is_bound(&self, it: &Override, at: Option<Timestamp>) -> bool {
        it.program == self.included.program && Some(it.expires) == at
    }
}

/// What of a tenant's own terms keeps a program away until an instant.
fn begin(tenant: &Tenant, program: ProgramId, at: Option<Timestamp>) -> Option<(Cause, Span)> {
    let is_bound = |it: &&Override| it.program == program && Some(it.expires) == at;
    let takes = |it: &&Override| matches!(it.effect, Effect::Revoke) && is_bound(it);
    match (&tenant.license, tenant.overrides.iter().find(takes)) {
        (Some(license), _) if license.window.from == at => Some((Cause::Licence, license.span)),
        (_, Some(it)) => Some((Cause::Revoked, it.span)),
        (_, None) => None,
    }
}

/// Has mini-programs whose time comes at an instant say what they have waited for. `before` is what was decided until
/// then, with what was still to come.
pub(super) fn tell_beginnings(
    changes: &mut [Change],
    catalog: &Catalog,
    tenant: &Tenant,
    before: &Resolution,
    at: Timestamp,
) {
    let begun = before.line_ups().flat_map(|it| &it.included).filter(|it| it.window.from == Some(at));
    for included in begun {
        let program = catalog.program(included.program);
        let gain = |it: &&mut Change| it.kind == Kind::Gain && it.program.as_ref() == Some(&program.app_id);
        let newest = || (Cause::Dependency, included.releases[0].of(catalog, included.program).version_span);
        let (cause, span) = begin(tenant, included.program, Some(at)).unwrap_or_else(newest);
        changes.iter_mut().filter(gain).for_each(|it| it.why = Why { cause, of: Of::Head, span });
    }
}

/// A licence moves all that it bounds in the same way: that is one change and not one for each mini-program.
pub(super) fn gather(moved: Vec<Change>, found: &mut Vec<Change>) {
    let mut together: BTreeMap<Change, Vec<Arc<str>>> = BTreeMap::new();
    for change in moved {
        match change.why.cause {
            Cause::Licence => {
                let program = change.program.clone();
                together.entry(Change { program: None, ..change }).or_default().extend(program);
            }
            _ => found.push(change),
        }
    }
    found.extend(together.into_iter().map(|(change, programs)| Change { scope: Scope::Programs(programs), ..change }));
}
