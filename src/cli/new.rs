//! `tenantry new`
#![expect(clippy::disallowed_methods, reason = "this file writes new documents")]

mod draft;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::args::{NewArguments, NewCommand};
use super::findings;
use super::output;
use super::settings::Settings;
use super::{Exit, Failure, schema};
use crate::load::{self, Content, SourceTree, TreeFile, file_id};
use crate::path::RepoPath;
use crate::pipeline::{self, Checked};
use draft::{Draft, Draughtsman};

pub(super) fn run(settings: &Settings, arguments: &NewArguments) -> Result<(), Failure> {
    let now = settings.now(None)?;
    let mut tree = load::dir::read(&settings.project, settings.threads)?;
    let (documents, _) = pipeline::catalogue(&tree);
    let has_schemas = |name: &str| settings.project.join("schemas").join(name).is_file();
    let draughtsman = Draughtsman { tree: &tree, documents: &documents, has_schema: &has_schemas };
    let draft = match &arguments.command {
        NewCommand::Tenant(it) => draughtsman.tenant(it, &draft::tenant_id()?),
        NewCommand::Program(it) => draughtsman.program(it),
        NewCommand::Plan(it) => draughtsman.plan(it),
        NewCommand::AddOn(it) => draughtsman.add_on(it),
        NewCommand::Profile(it) => draughtsman.profile(it),
    }?;
    // Editors know the names of a project from files of their own, which must not be older than the project.
    let were_fresh = schema::outdated(&settings.project, &tree).is_empty();
    add(&mut tree, &draft)?;
    let (checked, _) = pipeline::check(&tree, now);
    refuse_unsound(&tree, checked, &draft)?;
    for (path, text) in &draft.files {
        write_new(&settings.project.join(path), text).map_err(|why| {
            Failure::new(Exit::World, format!("cannot write `{path}`: {why}")).help("what was there is as it was")
        })?;
    }
    let mut said = format!("made {}\n", draft.what);
    for (path, _) in &draft.files {
        said += &format!("  {path}\n");
    }
    if were_fresh {
        for (path, text) in schema::outdated(&settings.project, &tree) {
            schema::write(&settings.project.join(&path), &text)?;
            said += &format!("  {path} (knows the new name)\n");
        }
    }
    said += "\nNow:\n";
    for step in &draft.next {
        said += &format!("  {step}\n");
    }
    output::result(&said);
    Ok(())
}

/// The project as it will be.
fn add(tree: &mut SourceTree, draft: &Draft) -> Result<(), Failure> {
    for (path, text) in &draft.files {
        let path = RepoPath::parse(path)
            .map_err(|why| Failure::new(Exit::Usage, format!("`{path}` cannot be the path of a file: {why}")))?;
        let at = match tree.files.binary_search_by(|it| it.path.cmp(&path)) {
            Ok(_) => return Err(taken(path.as_str())),
            Err(at) => at,
        };
        tree.files.insert(at, TreeFile { path, content: Content::Bytes(text.as_bytes().into()) });
    }
    Ok(())
}

/// A document that is wrong the moment it is made helps nobody, so it is not made.
fn refuse_unsound(tree: &SourceTree, mut checked: Checked, draft: &Draft) -> Result<(), Failure> {
    let is_new = |id| {
        let at = (0..tree.files.len()).find(|at| file_id(*at) == id);
        at.is_some_and(|at| draft.files.iter().any(|(path, _)| path == tree.files[at].path.as_str()))
    };
    checked.diagnostics.retain(|it| it.labels.iter().any(|label| is_new(label.span.file)));
    // A warning says what is still to be done, and so do we.
    if pipeline::is_sound(&checked.diagnostics) {
        return Ok(());
    }
    findings::tell(&tree.sources(), checked.diagnostics);
    Err(Failure::new(Exit::Usage, format!("{} would not pass `tenantry check`", draft.what))
        .help("nothing was written"))
}

fn taken(path: &str) -> Failure {
    Failure::new(Exit::Usage, format!("`{path}` is there already")).help("nothing was written; take another name")
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    // Never over a file that came into being since we looked.
    File::create_new(path)?.write_all(text.as_bytes())
}
