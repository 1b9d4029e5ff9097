//! `tenantry init`
#![expect(clippy::disallowed_methods, reason = "this file writes a new project")]

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::args::InitArguments;
use super::output;
use super::schema;
use super::{Exit, Failure};
use crate::load::{Content, SourceTree, TreeFile};
use crate::path::RepoPath;

/// Names each file once: what lies under `init/` is written under the same path.
macro_rules! same {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("init/", $path)))),*]
    };
}

/// The project, without its schemas.
const FILES: [(&str, &str); 22] = same![
    "tenantry.yaml",
    "catalog/plans/basic.yaml",
    "catalog/plans/complete.yaml",
    "catalog/add-ons/checklists.yaml",
    "catalog/compliance/strict-privacy.yaml",
    "catalog/shells/web-shell.yaml",
    "catalog/programs/com.example.welcome/1.0.0/program.yaml",
    "catalog/programs/com.example.welcome/1.0.0/app/index.html",
    "catalog/programs/com.example.welcome/1.0.0/app/contact.html",
    "catalog/programs/com.example.welcome/1.0.0/app/welcome.css",
    "catalog/programs/com.example.welcome/1.0.0/app/welcome.js",
    "catalog/programs/com.example.welcome/1.0.0/app/icon.svg",
    "catalog/programs/com.example.welcome/1.0.0/templates/tenant-config.json.j2",
    "catalog/programs/com.example.checklist/1.0.0/program.yaml",
    "catalog/programs/com.example.checklist/1.0.0/app/index.html",
    "catalog/programs/com.example.checklist/1.0.0/app/checklist.css",
    "catalog/programs/com.example.checklist/1.0.0/app/checklist.js",
    "catalog/programs/com.example.checklist/1.0.0/app/icon.svg",
    "catalog/programs/com.example.checklist/1.0.0/templates/tenant-config.json.j2",
    "tenants/alder.yaml",
    "tenants/birch.yaml",
    "tenants/cedar.yaml",
];

/// Files that would mean something to tools if they had their names here already.
const RENAMED: [(&str, &str); 4] = [
    (".gitignore", include_str!("init/gitignore")),
    (".vscode/settings.json", include_str!("init/vscode-settings.json")),
    (".vscode/extensions.json", include_str!("init/vscode-extensions.json")),
    ("README.md", include_str!("init/readme.md")),
];

pub(super) fn run(arguments: &InitArguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let world = |what: &str, path: &Path, why: io::Error| {
        Failure::new(Exit::World, format!("cannot {what} `{}`: {why}", path.display()))
    };
    match is_free(folder) {
        Ok(true) => {}
        Ok(false) => {
            return Err(Failure::new(Exit::Usage, format!("`{}` is not an empty folder", folder.display()))
                .help("name a new folder; nothing was written"));
        }
        Err(why) => return Err(world("list", folder, why)),
    }
    let schemas = schema::files(&tree());
    let plain = FILES.into_iter().chain(RENAMED).map(|(path, text)| (path.to_owned(), text.to_owned()));
    for (path, text) in plain.chain(schemas) {
        let path = folder.join(path);
        write_new(&path, &text).map_err(|why| {
            world("write", &path, why).help("what was written before it is still there; remove it before another try")
        })?;
    }
    let shown = folder.display();
    output::result(&format!(
        "made a project in `{shown}`: 3 tenants, 2 plans, an add-on, a compliance profile, a shell and 2 mini-programs\n\n\
         Now, in that folder:\n  \
           tenantry check\n  \
           tenantry explain cedar\n  \
           tenantry compile\n  \
           tenantry verify out\n\n\
         README.md says what is where, and what to do before you publish.\n",
    ));
    Ok(())
}

/// The project as it will be read.
fn tree() -> SourceTree {
    let file = |(path, text): (&str, &str)| TreeFile {
        path: RepoPath::parse(path).expect("our own names are plain"),
        content: Content::Bytes(text.as_bytes().into()),
    };
    let mut files: Vec<TreeFile> = FILES.into_iter().map(file).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    SourceTree { commit: None, files }
}

/// Whether nothing can be overwritten: the folder is not there, or empty but for a repository that was just made.
fn is_free(folder: &Path) -> io::Result<bool> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(false),
        Err(error) => return Err(error),
    };
    entries.try_fold(true, |free, entry| Ok(free && entry?.file_name() == ".git"))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    // Never over a file that came into being since we looked.
    File::create_new(path)?.write_all(text.as_bytes())
}
