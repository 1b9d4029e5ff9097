//! `tenantry explain`

use super::args::{ExplainArguments, PlainFormat};
use super::findings;
use super::output::{self, Place};
use super::settings::Settings;
use super::{Exit, Failure};
use crate::diag;
use crate::explain::Explainer;
use crate::pipeline;
use crate::report::Format;

pub(super) fn run(settings: &Settings, arguments: &ExplainArguments) -> Result<(), Failure> {
    let now = settings.now(arguments.input.at.as_deref())?;
    let tree = settings.tree(&arguments.input)?;
    let (checked, decided) = pipeline::check(&tree, now);
    if !pipeline::is_sound(&checked.diagnostics) {
        findings::say(settings, &tree, checked.diagnostics, Format::Short, Place::Talk);
        return Err(Failure::new(Exit::Inputs, "the project has errors, so no decision of it can be trusted"));
    }
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
            match arguments.format {
                PlainFormat::Human => output::result(&explanation.to_string()),
                PlainFormat::Json => output::json(&explanation),
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
