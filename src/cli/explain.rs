//! `tenantry explain`

use serde::Serialize;

use super::args::{ExplainArguments, PlainFormat};
use super::findings;
use super::output;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::diag;
use crate::explain::{Explainer, Explanation};
use crate::first_start::{Archives, Share};
use crate::index::Cost;
use crate::pipeline::{self, Checked, Decided};

pub(super) fn run(settings: &Settings, arguments: &ExplainArguments) -> Result<(), Failure> {
    let now = settings.now(arguments.input.at.as_deref())?;
    let tree = settings.tree(&arguments.input)?;
    let (checked, decided) = pipeline::check(&tree, now);
    findings::demand_sound(settings, &tree, &checked.diagnostics)?;
    let at = checked.tenants.iter().position(|it| *it.tenant.name == *arguments.tenant);
    let Some(at) = at else {
        let names = checked.tenants.iter().map(|it| &*it.tenant.name);
        let failure = Failure::new(Exit::Usage, format!("there is no tenant `{}`", arguments.tenant));
        return Err(match diag::nearest(&arguments.tenant, names) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure,
        });
    };
    let sources = tree.sources();
    let explainer = Explainer {
        catalog: &checked.catalog,
        tenant: &checked.tenants[at].tenant,
        resolution: &decided[at].resolution,
        sources: &sources,
        now,
    };
    match &arguments.app_id {
        None => {
            let explanation = explainer.tenant();
            let first_start = FirstStart::new(&checked, &decided[at]);
            match arguments.format {
                PlainFormat::Human => output::result(&format!("{explanation}{}\n", first_start.told())),
                PlainFormat::Json => output::json(&Explained { explanation, first_start }),
            }
        }
        Some(app_id) => {
            let Some(program) = checked.catalog.find_program(app_id) else {
                let failure =
                    Failure::new(Exit::Usage, format!("there is no mini-program `{app_id}` in the catalogue"));
                let names = checked.catalog.programs.iter().map(|it| &*it.app_id);
                return Err(match diag::nearest(app_id, names) {
                    Some(near) => failure.help(format!("did you mean `{near}`?")),
                    None => failure,
                });
            };
            let explanation = explainer.program(program);
            match arguments.format {
                PlainFormat::Human => output::result(&format!("{explanation}\n")),
                PlainFormat::Json => output::json(&explanation),
            }
        }
    }
    Ok(())
}

/// A tenant's line-up, and what a device fetches for it that has nothing yet.
#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    explanation: Explanation,
    first_start: FirstStart,
}

/// The archives of a first start. The signed files come on top, and are known once they are signed.
#[derive(Serialize)]
struct FirstStart {
    archives: Cost,
    /// The shells that fetch so much.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<u32>,
    /// The share of devices that does, where it is not all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u32>,
    programs: Vec<Part>,
}

/// What one mini-program adds to it.
#[derive(Serialize)]
struct Part {
    app_id: String,
    version: String,
    bytes: u64,
    /// Whether it is there only because the budget has room.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
}

impl FirstStart {
    fn new(checked: &Checked, decided: &Decided) -> FirstStart {
        let Archives { cost, level, percent, programs } = pipeline::first_start::archives(checked, decided);
        let catalog = &checked.catalog;
        let included = || decided.resolution.line_ups().flat_map(|it| &it.included);
        let part = |it: &Share| Part {
            app_id: catalog.program(it.program).app_id.to_string(),
            version: catalog.program(it.program).releases[it.release].version.to_string(),
            bytes: it.bytes,
            optional: included().filter(|other| other.program == it.program).all(|it| !it.needed),
        };
        FirstStart { archives: cost, level, percent, programs: programs.iter().map(part).collect() }
    }

    /// As one line.
    fn told(&self) -> String {
        let Some(level) = self.level else { return "a first start fetches no mini-program".into() };
        let parts = self.programs.iter().map(|it| {
            let optional = if it.optional { " (optional)" } else { "" };
            format!("{} {} {}{optional}", it.app_id, it.version, output::bytes(it.bytes))
        });
        let share = self.percent.map(|it| format!(", the first {it} % of devices")).unwrap_or_default();
        format!(
            "a first start fetches {} in {} on shells of level {level}{share}: {}",
            output::bytes(self.archives.bytes),
            output::counted(self.archives.requests as usize, "archive"),
            parts.collect::<Vec<_>>().join(", ")
        )
    }
}
