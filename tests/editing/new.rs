//! `tenantry new` makes documents that are right at once.

use std::collections::BTreeMap;

use crate::Project;
use crate::binary::tenantry;

#[track_caller]
fn new(project: &Project, arguments: &[&str]) -> String {
    let made = tenantry(&project.folder, &[&["new"], arguments].concat());
    assert_eq!(made.code, 0, "{arguments:?}: {}", made.stderr);
    made.stdout
}

/// Whatever was made passes `check`.
#[track_caller]
fn is_good(project: &Project) {
    let checked = tenantry(&project.folder, &["check", "--format", "short"]);
    assert_eq!(checked.code, 0, "{}", checked.stdout);
    // A mini-program that nobody has reviewed yet reaches nobody, which is all there may be to say.
    let said = checked.stdout.lines().filter(|it| !it.contains("[nothing-ships]") && !it.contains(" warning"));
    assert_eq!(said.collect::<Vec<_>>(), [""; 0]);
}

/// The same for its layout, and for what editors know of it.
#[track_caller]
fn is_tidy(project: &Project) {
    for arguments in [["fmt", "--check"], ["schema", "--check"]] {
        let ran = tenantry(&project.folder, &arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn each_kind_is_made_in_its_place_and_passes_check_at_once() {
    let project = Project::new();
    for (arguments, path) in [
        (vec!["tenant", "dune"], "tenants/dune.yaml"),
        (
            vec![
                "tenant",
                "elm-hill",
                "--plan",
                "complete",
                "--profile",
                "strict-privacy",
                "--title",
                "Elm & Hill: \"Ltd\"",
            ],
            "tenants/elm-hill.yaml",
        ),
        (vec!["tenant", "fir", "--add-on", "checklists", "--region", "eu"], "tenants/fir.yaml"),
        (vec!["program", "com.example.forms"], "catalog/programs/com.example.forms/1.0.0/program.yaml"),
        (
            vec!["program", "com.example.forms", "1.1.0-beta.1"],
            "catalog/programs/com.example.forms/1.1.0-beta.1/program.yaml",
        ),
        (vec!["program", "com.example.welcome", "1.1.0"], "catalog/programs/com.example.welcome/1.1.0/program.yaml"),
        (vec!["program", "com.other.welcome"], "catalog/programs/com.other.welcome/1.0.0/program.yaml"),
        (vec!["plan", "huge", "--extends", "complete", "--program", "com.example.forms"], "catalog/plans/huge.yaml"),
        (vec!["plan", "empty"], "catalog/plans/empty.yaml"),
        (vec!["add-on", "forms", "--plan", "basic", "--program", "com.example.forms"], "catalog/add-ons/forms.yaml"),
        (vec!["profile", "stricter"], "catalog/compliance/stricter.yaml"),
        (vec!["tenant", "yes", "--plan", "huge"], "tenants/yes.yaml"),
    ] {
        let said = new(&project, &arguments);
        assert!(said.contains(&format!("\n  {path}\n")), "{said}");
        assert!(said.contains("\nNow:\n  "), "{said}");
        assert!(project.read(path).starts_with("# yaml-language-server: $schema=../"), "{path}");
        is_good(&project);
    }
    is_tidy(&project);
    let version = project.read("catalog/programs/com.example.forms/1.1.0-beta.1/program.yaml");
    assert!(version.contains("\n    code: 2\n"), "the next version: {version}");
    assert!(project.read("catalog/programs/com.example.welcome/1.1.0/program.yaml").contains("  name: Welcome\n"));
    // Another mini-program is called so already.
    assert!(
        project.read("catalog/programs/com.other.welcome/1.0.0/program.yaml").contains("  name: com-other-welcome\n")
    );
    assert_eq!(tenantry(&project.folder, &["compile"]).code, 0);
}

#[test]
fn a_tenant_gets_a_name_of_its_own_that_says_nothing() {
    let project = Project::new();
    let id = |name: &str| {
        new(&project, &["tenant", name]);
        let text = project.read(&format!("tenants/{name}.yaml"));
        let id = text.lines().find_map(|it| it.strip_prefix("  tenant_id: ")).expect("an id").to_owned();
        assert!(text.contains("\n  plan: basic\n"), "the first that is on sale: {text}");
        id
    };
    let (dune, elm) = (id("dune"), id("elm"));
    assert_ne!(dune, elm);
    assert!(dune.len() == 10 && dune.starts_with("t_"), "{dune}");
}

#[test]
fn a_project_with_a_folder_for_each_letter_gets_its_tenants_there() {
    let project = Project::new();
    project.write("tenants/a/alder.yaml", &project.read("tenants/alder.yaml").replace("$schema=../", "$schema=../../"));
    std::fs::remove_file(project.folder.join("tenants/alder.yaml")).expect("removes");
    new(&project, &["tenant", "dune"]);
    assert!(project.read("tenants/d/dune.yaml").starts_with("# yaml-language-server: $schema=../../schemas/"));
    is_good(&project);
}

#[test]
fn nothing_is_overwritten_and_nothing_wrong_is_made() {
    let project = Project::new();
    let before = listing(&project);
    for (arguments, said) in [
        (vec!["tenant", "alder"], "`tenants/alder.yaml` is there already"),
        (vec!["program", "com.example.welcome"], "/app/index.html` is there already"),
        (vec!["plan", "basic"], "`catalog/plans/basic.yaml` is there already"),
        (vec!["tenant", "Dune"], "`Dune` is not a value of `name`"),
        (vec!["tenant", "../../dune"], "cannot be the path of a file"),
        (vec!["tenant", "dune", "--plan", "basik"], "did you mean `basic`?"),
        (vec!["tenant", "dune", "--plan", "a: b\n  c: d"], "no plan `a: b"),
        (vec!["program", "forms"], "an identifier in reverse domain form"),
        (vec!["program", "com.example.forms", "one"], "one"),
        (vec!["plan", "huge", "--extends", "complet"], "did you mean `complete`?"),
        (vec!["add-on", "more", "--program", "com.example.welcom"], "did you mean `com.example.welcome`?"),
    ] {
        let refused = tenantry(&project.folder, &[&["new"], arguments.as_slice()].concat());
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(said), "{arguments:?}: {}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
    assert_eq!(listing(&project), before);
    // The same name in another file is the same tenant.
    project.write(
        "tenants/north/dune.yaml",
        &project.read("tenants/cedar.yaml").replace("cedar", "dune").replace("t_h5", "t_h6"),
    );
    let refused = tenantry(&project.folder, &["new", "tenant", "dune"]);
    assert!(refused.code == 2 && refused.stderr.contains("tenants/north/dune.yaml"), "{}", refused.stderr);
}

fn listing(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let tree = tenantry::load::dir::read(&project.folder, 1).expect("a project");
    tree.files.iter().map(|it| (it.path.as_str().to_owned(), it.bytes().to_vec())).collect()
}
