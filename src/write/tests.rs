//! A folder that is ours alone, and what happens when it is not.
#![expect(clippy::disallowed_methods, reason = "tests look at files")]

use super::*;

fn object(key: &str, text: &str) -> Object {
    Object { key: key.into(), bytes: text.as_bytes().into() }
}

#[test]
fn a_folder_that_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("thesis.txt"), "years of work").expect("writes");
    assert!(matches!(OutDir::open(folder.path()), Err(WriteError::NotOurs { .. })));
    let names: Vec<_> = fs::read_dir(folder.path()).expect("lists").collect();
    assert_eq!(names.len(), 1, "nothing was added");
}

fn write_something(out: &OutDir) -> Result<(), WriteError> {
    out.write_immutable(1, |sink| {
        sink.send(vec![object("o/something", "text")]);
        Ok(())
    })
}

#[test]
fn two_compiles_do_not_write_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let one = OutDir::open(folder.path()).expect("opens");
    let two = OutDir::open(folder.path()).expect("opens: nobody has written yet");
    write_something(&one).expect("writes");
    assert!(matches!(write_something(&two), Err(WriteError::Busy { .. })));
    assert!(matches!(OutDir::open(folder.path()), Err(WriteError::Busy { .. })));
    drop(one);
    OutDir::open(folder.path()).expect("free again");
}

#[test]
fn a_publication_that_came_into_being_meanwhile_is_not_replaced() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let slow = OutDir::open(folder.path()).expect("opens");
    let quick = OutDir::open(folder.path()).expect("opens");
    write_something(&quick).expect("writes");
    fs::write(folder.path().join("state/index.json"), "{}").expect("writes");
    drop(quick);
    assert!(matches!(write_something(&slow), Err(WriteError::Busy { .. })));
}

#[test]
fn a_folder_that_was_only_looked_at_is_not_made() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = OutDir::open(&folder.path().join("out")).expect("opens");
    assert!(out.previous().expect("reads").is_none());
    drop(out);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn a_failed_write_names_the_file_and_nobody_waits_for_ever() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = OutDir::open(folder.path()).expect("opens");
    // A folder stands where a file should go.
    write_something(&out).expect("makes the folders");
    fs::create_dir(folder.path().join("o/x")).expect("makes a folder");
    let written: Result<(), WriteError> = out.write_immutable(2, |sink| {
        for at in 0..10_000 {
            sink.send(vec![object(if at == 0 { "o/x" } else { "o/y" }, "text")]);
        }
        Ok(())
    });
    assert!(matches!(written, Err(WriteError::Io { action: "write", .. })), "{written:?}");
}

#[test]
fn only_what_was_named_is_removed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = OutDir::open(folder.path()).expect("opens");
    out.write_immutable::<_, WriteError>(2, |sink| {
        sink.send(vec![object("t/a/1.targets.json", "a"), object("t/b/1.targets.json", "b"), object("o/z", "z")]);
        Ok(())
    })
    .expect("writes");
    fs::write(folder.path().join("t/b/note.txt"), "mine").expect("writes");
    out.remove(2, &["t/a/1.targets.json".into(), "t/b/1.targets.json".into(), "o/gone".into()]).expect("removes");
    assert!(!folder.path().join("t/a").exists());
    assert!(folder.path().join("t/b/note.txt").exists() && folder.path().join("o/z").exists());
}

#[test]
fn what_is_stale_can_be_kept_until_it_is_forgotten() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = OutDir::open(folder.path()).expect("opens").keeping_stale();
    write_something(&out).expect("writes");
    out.remove(1, &["o/something".into(), "o/gone".into()]).expect("removes");
    assert!(!folder.path().join("o/something").exists());
    let kept = OutDir::kept(folder.path());
    assert_eq!(fs::read(kept.join("o/something")).expect("reads"), b"text");
    OutDir::forget_kept(folder.path()).expect("forgets");
    assert!(!kept.exists());
    OutDir::forget_kept(folder.path()).expect("nothing to forget");
}
