//! `tenantry simulate`

use serde_json::json;

use super::args::{PageFormat, SimulateArguments};
use super::findings;
use super::output;
use super::settings::Settings;
use super::{Exit, Failure};
use crate::changes::show::course;
use crate::diag;
use crate::model::Tenant;
use crate::pipeline::simulate::{Job, simulate};
use crate::pipeline::{self, ReadTenant};
use crate::report::Styled;
use crate::time::{Duration, Timestamp, Zone};

/// How far is looked when nothing is said.
const AHEAD: Duration = Duration::days(30);

/// A day, but for its last second.
const REST_OF_A_DAY: u32 = 86_399;

pub(super) fn run(settings: &Settings, arguments: &SimulateArguments) -> Result<(), Failure> {
    let (first, last) = bounds(settings, arguments)?;
    let zone = arguments.time_zone.as_deref().map(zone).transpose()?;
    let tree = settings.revision(arguments.rev.as_deref())?;
    let (checked, _) = pipeline::check(&tree, first);
    findings::demand_sound(settings, &tree, &checked.diagnostics)?;
    let tenants = named(&checked.tenants, &arguments.tenant)?;
    let (project, catalog) = (&checked.project, &checked.catalog);
    let found = simulate(&Job { project, catalog, tenants: &tenants, tree: &tree, first, last });
    let name = arguments.rev.as_deref().unwrap_or("working directory");
    let local = |at: Timestamp| zone.as_ref().map(|it| it.spell(at));
    match arguments.format {
        PageFormat::Human => output::result(&course::text(&found, name, &local, Styled::Coloured)),
        PageFormat::Markdown => output::result(&course::comment(&found, name, &local, arguments.budget as usize)),
        PageFormat::Json => {
            let inputs = pipeline::inputs_digest(&tree);
            let project = json!({ "name": name, "commit": tree.commit, "inputs": inputs });
            output::json(&course::document(&found, &project, &local));
        }
    }
    match found.moments.iter().any(|it| !it.failing.is_empty()) {
        true => Err(Failure::new(Exit::Inputs, "some tenants can no longer be compiled after that time")
            .help("change their settings, or the template or schema that refuses them, before then")),
        false => Ok(()),
    }
}

/// The first and the last instant. A date as the end is that whole day.
fn bounds(settings: &Settings, arguments: &SimulateArguments) -> Result<(Timestamp, Timestamp), Failure> {
    let read = |flag: &str, text: &str| {
        Timestamp::parse(text)
            .map_err(|why| Failure::new(Exit::Usage, format!("`{flag} {text}` cannot be read: {why}")))
    };
    let first = match &arguments.from {
        Some(text) => read("--from", text)?,
        None => settings.now(None)?,
    };
    let last = match &arguments.to {
        Some(text) if text.contains('T') => read("--to", text)?,
        Some(text) => read("--to", text)?.plus(Duration::seconds_of(REST_OF_A_DAY)),
        None => first.plus(AHEAD),
    };
    match first <= last {
        true => Ok((first, last)),
        false => Err(Failure::new(Exit::Usage, format!("`--to` lies before `--from`: {last} is earlier than {first}"))
            .help("name the earlier instant with `--from`")),
    }
}

fn zone(name: &str) -> Result<Zone, Failure> {
    Zone::parse(name).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("there is no time zone `{name}`"))
            .help("name one as the world's database does, such as `Europe/Rome`")
    })
}

/// The tenants with these names, in that order; all when none is named.
fn named<'a>(tenants: &'a [ReadTenant], names: &[String]) -> Result<Vec<&'a Tenant>, Failure> {
    let all = || tenants.iter().map(|it| &it.tenant);
    if names.is_empty() {
        return Ok(all().collect());
    }
    let one = |name: &String| {
        all().find(|it| *it.name == **name).ok_or_else(|| {
            let failure = Failure::new(Exit::Usage, format!("there is no tenant `{name}`"));
            match diag::nearest(name, all().map(|it| &*it.name)) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure,
            }
        })
    };
    names.iter().map(one).collect()
}
