//! What `fetch` says to people.

use std::fmt::Write as _;

use crate::cli::output;
use crate::client::{Client, Freshness, Program, ProgramVersion, Start, Update, Verdict};
use crate::input::ExpirationStrategy;
use crate::manifest::RevokeMode;

/// What was new, and what may run.
pub(super) fn fetched(client: &Client, update: &Update, start: &Start) -> String {
    let mut out = String::new();
    versions(&mut out, "gained", &update.gained);
    versions(&mut out, "lost", &update.lost);
    for change in &update.changed {
        line(&mut out, "changed", &format!("{} {} to {}", change.app_id, change.from.name, change.to.name));
    }
    for missing in &update.missing {
        line(&mut out, "missing", &format!("{}: {}", missing.app_id, missing.why));
    }
    if let Some(edge) = &update.stale_edge {
        let said =
            format!("the server gave publication {}, {} is known (since {})", edge.served, edge.known, edge.since);
        line(&mut out, "stale", &said);
    }
    if let Some(held) = &update.held_back {
        line(&mut out, "held", &format!("a set that failed to start is not tried again before {}", held.until));
    }
    out += &what_runs(start);
    let traffic = update.traffic;
    let requests = usize::try_from(traffic.requests).unwrap_or(usize::MAX);
    let _ = writeln!(
        out,
        "publication {} of {} ({}): {} and {} fetched; refresh again at {}",
        update.publication,
        client.addr(),
        client.environment(),
        output::counted(requests, "request"),
        output::bytes(traffic.bytes),
        update.next_check,
    );
    out
}

/// Every program of the set, and how long what is known is good for.
pub(super) fn what_runs(start: &Start) -> String {
    let mut out = String::new();
    for program in &start.programs {
        let (word, said) = verdict(program);
        line(&mut out, word, &said);
    }
    let freshness = match start.freshness {
        Freshness::Nothing => return out,
        Freshness::Fresh { until } => format!("fresh until {until}"),
        Freshness::Grace { since, until } => format!("not refreshed since {since}; everything runs until {until}"),
        Freshness::Over { since, strategy } => format!(
            "not refreshed, and the grace ended on {since}: {}",
            match strategy {
                ExpirationStrategy::Restrict | ExpirationStrategy::Maintain => "what is installed runs",
                ExpirationStrategy::Revoke => "nothing runs",
            }
        ),
    };
    let _ = writeln!(out, "{freshness}");
    out
}

fn versions(out: &mut String, word: &str, versions: &[ProgramVersion]) {
    for it in versions {
        line(out, word, &format!("{} {}", it.app_id, it.version));
    }
}

fn verdict(program: &Program) -> (&'static str, String) {
    let name = match &program.version {
        Some(version) => format!("{} {}", program.app_id, version.name),
        None => program.app_id.clone(),
    };
    let why = match program.verdict {
        Verdict::Runs => {
            let mut said = format!("{name}, {}", output::bytes(program.bytes));
            for folder in program.folder.iter().chain(&program.overlay) {
                let _ = write!(said, "\n         {}", folder.display());
            }
            return ("runs", said);
        }
        Verdict::Revoked { mode: RevokeMode::Block } => "revoked".to_owned(),
        Verdict::Revoked { mode: RevokeMode::Drain } => "revoked once it is left".to_owned(),
        Verdict::Lost => "not in the newest manifest".to_owned(),
        Verdict::NotBegun { from } => format!("it begins on {from}"),
        Verdict::Ended { at } => format!("it ended on {at}"),
        Verdict::TooOld { least } => format!("older than code {least}"),
        Verdict::GraceOver { since } => format!("not refreshed, and the grace ended on {since}"),
        Verdict::NoRelease => "no version of it fits this platform code".to_owned(),
        Verdict::NotInstalled => "optional, and not fetched".to_owned(),
        Verdict::Damaged => "its files are damaged".to_owned(),
    };
    ("stands", format!("{name}: {why}"))
}

fn line(out: &mut String, word: &str, said: &str) {
    let _ = writeln!(out, "{word:<8} {said}");
}
