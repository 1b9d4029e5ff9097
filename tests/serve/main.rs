//! `tenantry serve`: a publication as a CDN shows it, that follows the project, and that misbehaves when it is told to.
#![expect(clippy::disallowed_methods, reason = "tests start servers and change what they serve")]

mod as_a_cdn;
mod live;
mod misbehaving;
#[path = "../support/project.rs"]
mod project;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/serving.rs"]
mod serving;
mod shell;

use project::{NOW, Project};
use serving::Serving;

/// The small project without keys, so that throw-away ones are made.
fn development() -> Project {
    Project::new(project::small())
}

/// Serves a project on any free port.
fn serve(project: &Project, arguments: &[&str]) -> Serving {
    let arguments = [&["serve", "--port", "0"], arguments].concat();
    Serving::start(project.command(NOW, &arguments))
}
