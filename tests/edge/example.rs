//! The examples of `edge/README.md`, as they stand there.

use std::fs;
use std::process::Command;

use crate::Setup;
use crate::parts;
use crate::raw::get;
use crate::workerd::{Bindings, Workerd, edge};

#[test]
fn a_key_and_a_token_are_made_as_the_page_says() {
    let Some(setup) = Setup::new() else { return };
    let has_node = Command::new("node").arg("--version").output().is_ok();
    if !parts::present_or_demanded("node", has_node) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let said = |command: &mut Command| {
        let output = command.current_dir(folder.path()).output().expect("it is installed");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    said(Command::new("sh").args(["-euc", &block("sh")]));
    let jwk = fs::read_to_string(folder.path().join("jwk.json")).expect("it was made");
    fs::write(folder.path().join("mint.mjs"), block("js")).expect("the folder is ours");
    let addr = setup.project.addr("acme");
    let mint = |more: &[&str]| said(Command::new("node").args(["mint.mjs", "token-key.pem", &addr]).args(more));

    let bindings = Bindings { store: setup.server.address(), jwk: &jwk, audience: "", open: "" };
    let edge = Workerd::start(&bindings).expect("it was there before");
    let path = setup.paths("acme").timestamp;
    let status = |token: &str| get(edge.address(), &path, &[("Authorization", &format!("Bearer {token}"))]).status;
    assert_eq!(status(&mint(&[])), 200);
    assert_eq!(status(&mint(&["-3600"])), 401);
    assert_eq!(status(&setup.token("acme")), 401, "that is another issuer's");
}

/// The one block of the page in this language.
fn block(language: &str) -> String {
    let page = fs::read_to_string(edge().join("README.md")).expect("the page is there");
    let begin = format!("\n```{language}\n");
    let mut blocks = page.split(&begin).skip(1);
    let block = blocks.next().and_then(|it| it.split("\n```").next()).expect("a block");
    assert!(blocks.next().is_none(), "one block in `{language}`");
    block.to_owned()
}
