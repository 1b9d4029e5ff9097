//! The report on what is served, made anew when that changes.

use std::path::Path;

use super::super::Failure;
use super::super::args::{ReportArguments, ReportFormat, ServeArguments};
use super::super::report::gather;
use super::super::settings::Settings;
use super::{input, keys_folder};
use crate::load;
use crate::serve::Report;

/// For how many days what changes by itself is shown.
const DAYS: u32 = 90;

/// What `tenantry report` says of the project, with what is not committed yet as the change that it shows.
pub(super) fn report(settings: &Settings, arguments: &ServeArguments, folder: &Path) -> Report {
    let settings = settings.again();
    let asked = ReportArguments {
        input: input(arguments),
        out: None,
        base: load::git::commit(&settings.project, "HEAD").is_ok().then(|| "HEAD".to_owned()),
        store: Vec::new(),
        days: DAYS,
        redact: false,
        publication: Some(folder.to_owned()),
        keys: keys_folder(&settings, arguments),
        format: ReportFormat::Json,
    };
    Report::new(Box::new(move || {
        let document = gather::document(&settings, &asked).map_err(|failure| match failure {
            Failure::Because { message, .. } => message,
            Failure::Said(_) => "the project, or the commit that it is compared with, has errors".to_owned(),
        })?;
        Ok(document.to_string().into_bytes())
    }))
}
