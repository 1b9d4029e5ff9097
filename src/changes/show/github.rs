//! What guards say, as annotations of GitHub Actions.

use crate::changes::guards::{Guard, Outcome, Verdict};
use crate::changes::kind::Kind;
use crate::changes::show::words::clipped;
use crate::changes::show::{Summary, tenants};
use crate::changes::{Change, ChangeSet, Of};
use crate::report::github::{Level, Located, annotation};
use crate::text::{SourceMap, Span};

/// Tenants up to this number are named.
const NAMED: usize = 5;

/// A line for the change as a whole, and one for each guard that stops it or was let pass. `sources` are the head's
/// files, `folder` is where the project stands in its repository.
pub fn annotations(set: &ChangeSet, sources: &SourceMap, folder: &str) -> String {
    let mut out = annotation(Level::Notice, None, "tenantry plan", &Summary::of(set).line());
    for verdict in &set.guards {
        let level = match verdict.outcome {
            Outcome::Passed => continue,
            Outcome::Allowed => Level::Warning,
            Outcome::Stopped => Level::Error,
        };
        let at = place(set, verdict).map(|span| Located { sources, folder, span });
        out += &annotation(level, at, &format!("guard {}", verdict.guard.slug()), &message(verdict));
    }
    out
}

fn message(verdict: &Verdict) -> String {
    let names: Vec<String> = verdict.tenants.iter().take(NAMED).map(|it| clipped(it)).collect();
    let names = match verdict.tenants.len().saturating_sub(NAMED) {
        _ if names.is_empty() => String::new(),
        0 => format!(": {}", names.join(", ")),
        more => format!(": {} and {} more", names.join(", "), tenants(more)),
    };
    let help = match verdict.outcome {
        Outcome::Stopped => format!("\n{}", verdict.help()),
        Outcome::Passed | Outcome::Allowed => String::new(),
    };
    format!("{}{names}{help}", verdict.message())
}

/// Where the head says what the guard objects to, for the first tenant of which the head says anything.
fn place(set: &ChangeSet, verdict: &Verdict) -> Option<Span> {
    let found = set.tenants.iter().filter(|it| verdict.tenants.binary_search(&it.name).is_ok());
    let mut changes = found.flat_map(|it| &it.changes);
    changes.find(|it| it.why.of == Of::Head && matters(verdict.guard, it)).map(|it| it.why.span)
}

fn matters(guard: Guard, change: &Change) -> bool {
    match guard {
        Guard::OwnTerms => matches!(change.kind, Kind::ComplianceProfile | Kind::DataRegion),
        Guard::Revocations | Guard::Budget | Guard::Stranded => {
            matches!(change.kind, Kind::Lose | Kind::Postponed | Kind::ShellsLost | Kind::EndsEarlier)
        }
        Guard::Empty | Guard::Deletions => false,
    }
}
