//! What the bindings promise beyond a shell's ordinary life, one check a promise; and that nothing is lost or mixed up
//! on the way from the client to another language.

use serde_json::{Map, Value};
use tenantry::client::{Client, Config};
use tenantry::time::Timestamp;

use crate::languages::{Language, Program, repository};
use crate::project::{Ran, run};
use crate::workbench::{BUSINESS, STARTER, Workbench, now};

/// The checks of every language, in order.
const CHECKS: [&str; 14] = [
    "a_client_says_whose_it_is",
    "a_configuration_that_cannot_be_used_is_never_tried_again",
    "a_shell_brings_its_own_http",
    "a_failure_of_the_shells_http_has_its_code",
    "a_look_does_not_wait_for_a_refresh",
    "calls_from_many_threads_wait_for_each_other",
    "a_second_client_of_a_folder_only_looks",
    "any_number_is_a_time",
    "optional_programs_come_when_they_are_asked_for",
    "limits_that_are_given_hold",
    "starts_are_counted_until_one_is_confirmed",
    "a_page_is_found_and_nothing_outside",
    "texts_in_json_are_json",
    "buckets_are_those_that_are_published",
];

#[test]
fn every_promise_is_kept_in_python() {
    keeps(Language::Python, &CHECKS);
}

#[test]
fn every_promise_is_kept_in_kotlin() {
    keeps(Language::Kotlin, &[&CHECKS[..], &["a_client_that_was_closed_says_so"]].concat());
}

fn keeps(language: Language, checks: &[&str]) {
    let Some(mut program) = language.program(Program::Checks) else { return };
    let workbench = Workbench::new();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let addr = |tenant| workbench.project.addr(tenant);
    program.arg(folder.path()).args([workbench.cdn.base_url(), addr(STARTER), addr(BUSINESS)]);
    program.arg(workbench.root()).arg(now().unix().to_string());
    program.env("VECTORS", repository("docs/rollout-vectors.json"));
    let Ran { code, stdout, stderr } = run(&mut program);
    assert_eq!(stdout.lines().collect::<Vec<_>>(), checks, "{stderr}");
    assert_eq!(code, 0, "{stderr}");
    // A panic says so there, even one that was caught.
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// Every field of every answer, over real values.
#[test]
fn python_gets_every_value_as_the_client_gives_it() {
    let Some(mut program) = Language::Python.program(Program::Checks) else { return };
    let workbench = Workbench::new();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (url, addr) = (workbench.cdn.base_url(), workbench.project.addr(STARTER));
    program.arg("dump").arg(folder.path()).args([&url, &addr]).arg(workbench.root()).arg(now().unix().to_string());
    let said = run(&mut program).ok().stdout;
    let said: Vec<Value> = said.lines().map(|it| serde_json::from_str(it).expect("JSON")).collect();

    let open = |name: &str| {
        Client::open(Config::new(folder.path().join(name), &url, &addr, workbench.project.root(), 12)).expect("opens")
    };
    let mut other = open("other");
    let update = other.refresh(now()).expect("refreshes");
    let activated = other.activate().expect("activates");
    // Python's own folder, so that paths are the same.
    let start = open("dump").look(now());
    assert!(
        update.gained.len() >= 4 && start.programs.iter().any(|it| it.overlay.is_some()),
        "there is much to compare"
    );
    let expected = [json(&update), json(&activated), json(&start)].map(in_python);
    assert_eq!(said.len(), expected.len());
    for (said, expected) in said.iter().zip(&expected) {
        assert_eq!(said, expected);
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("answers have text keys")
}

/// The client's JSON as the bindings have it: instants are numbers, enums name their kind in one way, and `from`,
/// which is a word of Python's own, is called otherwise.
fn in_python(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, it)| renamed(&name, it)).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.into_iter().map(in_python).collect(),
        Value::String(text) => match Timestamp::parse(&text) {
            Ok(at) => at.unix().into(),
            Err(_) => text.into(),
        },
        value => value,
    }
}

fn renamed(name: &str, value: Value) -> (String, Value) {
    let kinds = ["state", "activated"];
    let name = match name {
        "verdict" if value.is_string() => "kind",
        name if kinds.contains(&name) => "kind",
        "from" if value.is_object() => "old",
        "to" => "new",
        "from" => "before",
        name => name,
    };
    (name.to_owned(), in_python(value))
}
