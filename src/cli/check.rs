//! `tenantry check`

use super::args::CheckArguments;
use super::findings;
use super::output::{self, Place};
use super::settings::Settings;
use super::{Exit, Failure};
use crate::pipeline;
use crate::report::Format;

pub(super) fn run(settings: &Settings, arguments: &CheckArguments) -> Result<(), Failure> {
    let now = settings.now(arguments.input.at.as_deref())?;
    let tree = settings.tree(&arguments.input)?;
    let (mut checked, decided) = pipeline::check(&tree, now);
    if pipeline::is_sound(&checked.diagnostics) {
        checked.diagnostics.extend(pipeline::first_start::check(&checked, &decided));
    }
    let is_sound = pipeline::is_sound(&checked.diagnostics);
    let format: Format = arguments.format.into();
    findings::say(settings, &tree, checked.diagnostics, format, Place::Result);
    if !is_sound {
        return Err(Failure::Said(Exit::Inputs));
    }
    if checked.catalog.programs.is_empty() || checked.tenants.is_empty() {
        let missing = if checked.catalog.programs.is_empty() {
            "mini-program below `catalog/`"
        } else {
            "tenant below `tenants/`"
        };
        return Err(Failure::new(Exit::Guard, format!("there is no {missing}")).help(
            "run it in the project's folder, or name that with `--project`; `tenantry init` makes a new project",
        ));
    }
    let entitlements: usize = decided.iter().map(|it| it.resolution.included.len()).sum();
    let summary = format!(
        "checked {}, {}, {} in {}",
        output::counted(checked.tenants.len(), "tenant"),
        output::counted(checked.catalog.programs.len(), "mini-program"),
        output::counted(entitlements, "entitlement"),
        output::seconds(settings.began.elapsed()),
    );
    output::talk(&summary);
    Ok(())
}
