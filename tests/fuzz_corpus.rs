//! Every input that was ever worth keeping still does no harm: the fuzz targets on their committed corpus.
#![expect(clippy::disallowed_methods, reason = "a test reads the corpus")]

use std::fs;
use std::panic;
use std::path::Path;

#[expect(unreachable_pub, reason = "the bodies are a library for the fuzz targets, and a module here")]
#[path = "../fuzz/bodies.rs"]
mod bodies;

#[test]
fn guard() {
    with_each_input("guard", bodies::guard);
}

#[test]
fn metadata() {
    with_each_input("metadata", bodies::metadata);
}

#[test]
fn archive() {
    with_each_input("archive", bodies::archive);
}

#[test]
fn template() {
    with_each_input("template", bodies::template);
}

fn with_each_input(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut failed = Vec::new();
    let mut inputs = 0;
    for entry in fs::read_dir(folder).expect("a corpus") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("an input");
        inputs += 1;
        if panic::catch_unwind(|| body(&bytes)).is_err() {
            failed.push(path);
        }
    }
    assert_eq!(failed, Vec::<std::path::PathBuf>::new());
    assert!(inputs > 0, "the corpus of `{target}` is empty");
}
