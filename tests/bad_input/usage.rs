//! Commands that ask for what cannot be.

use std::process::Command;

use crate::small::Small;

#[test]
fn an_unknown_revision_is_wrong_usage() {
    let project = Small::published();
    let git = Command::new("git").args(["init", "--quiet"]).current_dir(project.path("")).status();
    assert!(git.expect("git is there").success());
    for revision in ["no-such-branch", "--help", "HEAD"] {
        assert_eq!(
            project.refuses(project.command(&["compile", &format!("--rev={revision}")]), 2),
            format!("error: `{revision}` is not a commit in this repository\n")
        );
    }
}

#[test]
fn a_revision_outside_a_repository_says_that_there_is_none() {
    let project = Small::published();
    let mut command = project.command(&["compile", "--rev", "HEAD"]);
    // Even when the temporary folder lies inside one.
    command.env("GIT_CEILING_DIRECTORIES", project.path("").parent().expect("a parent"));
    assert_eq!(
        project.refuses(command, 3),
        "error: cannot read the repository with git: \
         fatal: not a git repository (or any of the parent directories): .git\n"
    );
}

#[test]
fn a_time_that_cannot_be_read_is_wrong_usage() {
    let project = Small::published();
    for time in ["tomorrow", "2026-02-30", "2026-11-23T12:00"] {
        assert_eq!(
            project.refuses(project.command(&["compile", "--at", time]), 2),
            format!(
                "error: `--at {time}` cannot be read: neither a date (`2026-12-31`) nor a UTC time (`2026-12-31T18:00:00Z`)\n"
            )
        );
    }
    let mut command = project.command(&["compile"]);
    command.env("SOURCE_DATE_EPOCH", "yesterday");
    assert_eq!(
        project.refuses(command, 2),
        "error: `SOURCE_DATE_EPOCH` is `yesterday`, not a number of seconds since 1970\n"
    );
}

#[test]
fn a_folder_that_is_not_there_is_wrong_usage() {
    let project = Small::published();
    assert_eq!(
        project.refuses(project.command(&["compile", "--project", "nowhere"]), 2),
        "error: `nowhere` is not a folder\nhelp: name the project's folder with `--project`\n"
    );
}
