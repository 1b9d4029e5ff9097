//! Writes a generated project: `generate-project --tenants N --programs P --seed S DIR`.
#![expect(clippy::disallowed_methods, reason = "this example writes a project to disk")]
#![expect(clippy::print_stdout, reason = "its result is one line of JSON")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;

#[path = "support/project.rs"]
mod project;

/// Writes a project with many tenants, the same for the same arguments.
#[derive(Parser)]
struct Args {
    /// How many tenants.
    #[arg(long, default_value_t = 1_000)]
    tenants: usize,
    /// How many mini-programs.
    #[arg(long, default_value_t = 200)]
    programs: usize,
    /// Another seed, another project.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to.
    folder: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let programs = args.programs.max(project::FEWEST_PROGRAMS);
    let shape = project::Shape { tenants: args.tenants, programs, seed: args.seed };
    let (mut files, mut bytes) = (0, 0);
    for (path, text) in project::files(&shape) {
        let path = args.folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        fs::write(&path, &text)?;
        files += 1;
        bytes += text.len();
    }
    println!("{{\"files\":{files},\"bytes\":{bytes}}}");
    Ok(())
}
