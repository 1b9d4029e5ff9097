//! The pull request of the README: its comment is what the program prints.

use std::fs;
use std::path::Path;

use crate::project;
use crate::repository::Repository;

const BEGIN: &str = "<!-- pull-request: begin -->\n````markdown\n";
const END: &str = "````\n<!-- pull-request: end -->";

/// The example project, as it stands in this repository.
fn example() -> Repository {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![("tenantry.yaml".to_owned(), fs::read(root.join("tenantry.yaml")).expect("reads"))];
    for folder in ["catalog", "tenants"] {
        let below = project::read(&root.join(folder)).into_iter();
        files.extend(below.map(|(path, bytes)| (format!("{folder}/{path}"), bytes)));
    }
    Repository::new(files)
}

/// A comment without the commit that it begins at, which depends on when and by whom it was made.
fn without_commit(comment: &str) -> String {
    let (before, rest) = comment.split_once("`main (").expect("the base is named");
    let (_, after) = rest.split_once(")`").expect("so is its commit");
    format!("{before}`main (…)`{after}")
}

/// `BLESS=1 cargo test --test plan` writes down what is printed now.
#[test]
fn the_comment_in_the_readme_is_what_the_program_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).expect("reads");
    let shown = readme.split_once(BEGIN).and_then(|it| it.1.split_once(END)).expect("a comment between its marks").0;
    let repository = example();
    for (path, from, to) in [
        ("catalog/plans/business.yaml", "    - app_id: com.example.chat\n      range: \"^4\"\n", ""),
        ("catalog/programs/com.example.helpdesk/2.1.0/program.yaml", "    status: audit\n", "    status: approved\n"),
    ] {
        repository.edit(path, from, to);
        let lines = from.lines().map(|it| format!("-{it}")).chain(to.lines().map(|it| format!("+{it}")));
        let diff = format!("+++ b/{path}\n{}\n", lines.collect::<Vec<_>>().join("\n"));
        assert!(readme.contains(&diff), "the change is shown:\n{diff}");
    }
    let printed = repository.plan(&["main", "--at", "2026-12-10", "--format", "markdown"]).ends_with(6).stdout;
    match std::env::var_os("BLESS") {
        None => assert_eq!(without_commit(shown), without_commit(&printed), "BLESS=1 writes down what is printed now"),
        Some(_) => fs::write(&path, readme.replace(shown, &printed)).expect("writes"),
    }
}
