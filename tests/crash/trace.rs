//! What a child did to its device, as `strace` saw it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::child::Errand;
use crate::parts;

/// The calls that change a disk, or make a change last.
pub(crate) const CALLS: [&str; 11] =
    ["openat", "write", "fsync", "rename", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "ftruncate", "close"];

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// The how-manyeth of its name in its thread it is, from one.
    pub(crate) nth: usize,
    /// What it did below the device; none when it was about something else.
    pub(crate) action: Option<Action>,
}

/// What a call did, with paths below the device; empty is the device itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Opened for reading only, or closed, or failed: nothing changed.
    Nothing,
    /// A file came into being, or was emptied.
    Create(String),
    /// Opened for more.
    Append(String),
    Write(String, Vec<u8>),
    Sync(String),
    Rename(String, String),
    Unlink(String),
    RemoveFolder(String),
    MakeFolder(String),
}

/// Whether there is an `strace` that may trace. Says so aloud when there is none.
pub(crate) fn is_there() -> bool {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "true"]).stderr(Stdio::null());
    parts::present_or_demanded("strace", command.status().is_ok_and(|it| it.success()))
}

/// `strace` about to run an errand.
pub(crate) fn strace(errand: &Errand, arguments: &[&str]) -> Command {
    let child = errand.command();
    let mut command = Command::new("strace");
    // Not with `--seccomp-bpf`, which would be faster: strace 6.1 counts wrongly with it.
    command.args(["-f", "-qq"]).args(arguments).arg(child.get_program()).args(child.get_args());
    let path = std::env::var_os("PATH").unwrap_or_default();
    errand.told(&mut command);
    command.env("PATH", path).stdin(Stdio::null());
    command
}

/// Runs an errand to its end and says what it did.
pub(crate) fn record(errand: &Errand) -> Vec<Call> {
    let log = errand.dir.with_extension("strace");
    let trace = format!("trace={}", CALLS.join(","));
    let log_name = log.to_string_lossy().into_owned();
    let arguments = ["-y", "-xx", "-s", "1000000", "-e", &trace, "-o", &log_name];
    let ran = strace(errand, &arguments).output().expect("strace runs");
    assert!(ran.status.success(), "{ran:?}");
    assert!(!String::from_utf8_lossy(&ran.stdout).contains("code "), "undisturbed it goes well: {ran:?}");
    let text = std::fs::read_to_string(log).expect("a log");
    read(&text, &errand.dir)
}

/// Understands a log.
fn read(text: &str, device: &Path) -> Vec<Call> {
    let mut unfinished: BTreeMap<&str, String> = BTreeMap::new();
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').expect("a thread and what it did");
        let rest = rest.trim_start();
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread, begun.to_owned());
            continue;
        }
        let whole = match rest.strip_prefix("<... ").and_then(|it| it.split_once(" resumed>")) {
            Some((_, end)) => unfinished.remove(thread).expect("it was begun") + end,
            None => rest.to_owned(),
        };
        let Some((name, arguments)) = whole.split_once('(').filter(|(name, _)| CALLS.contains(name)) else { continue };
        let nth = counts.entry((thread.to_owned(), name.to_owned())).or_default();
        *nth += 1;
        calls.push(Call { name: name.to_owned(), nth: *nth, action: action(name, arguments, device) });
    }
    calls
}

/// What a call did below the device; `arguments` also has what it returned.
fn action(name: &str, arguments: &str, device: &Path) -> Option<Action> {
    let (arguments, returned) = arguments.rsplit_once(") = ").unwrap_or((arguments, "?"));
    let below = |path: &Path| Some(path.strip_prefix(device).ok()?.to_string_lossy().into_owned());
    let parts = split(arguments);
    let path = |at: usize| below(&quoted(parts.get(at)?)?);
    let file = |at: usize| below(&descriptor(parts.get(at)?)?);
    let flags = |at: usize| parts.get(at).cloned().unwrap_or_default();
    let done = match name {
        "openat" if flags(2).contains("O_TRUNC") || flags(2).contains("O_EXCL") => Action::Create(path(1)?),
        "openat" if flags(2).contains("O_APPEND") => Action::Append(path(1)?),
        // The lock: a file that nothing is ever written to.
        "openat" if flags(2).contains("O_CREAT") => Action::Append(path(1)?),
        "openat" => path(1).map(|_| Action::Nothing)?,
        "close" => file(0).map(|_| Action::Nothing)?,
        "write" => Action::Write(file(0)?, hex(parts.get(1)?)),
        "fsync" => Action::Sync(file(0)?),
        "rename" => Action::Rename(path(0)?, path(1)?),
        "mkdir" => Action::MakeFolder(path(0)?),
        "unlink" => Action::Unlink(path(0)?),
        "rmdir" => Action::RemoveFolder(path(0)?),
        // `remove_dir_all` names files by the folder that it has open.
        "unlinkat" => {
            let named = quoted(parts.get(1)?)?;
            let whole = if named.is_absolute() { named } else { descriptor(parts.first()?)?.join(named) };
            match flags(2).contains("AT_REMOVEDIR") {
                true => Action::RemoveFolder(below(&whole)?),
                false => Action::Unlink(below(&whole)?),
            }
        }
        other => panic!("a client does not call `{other}`; if it does now, the model must know what that does"),
    };
    Some(if returned.starts_with('-') { Action::Nothing } else { done })
}

/// Arguments, at the commas between them.
fn split(arguments: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    for c in arguments.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is one").push(c);
    }
    parts.iter().map(|it| it.trim().to_owned()).collect()
}

/// `"\x2f\x61"` as a path.
fn quoted(part: &str) -> Option<PathBuf> {
    let inner = part.strip_prefix('"')?.strip_suffix('"')?;
    Some(PathBuf::from(String::from_utf8(unescaped(inner)).expect("paths are UTF-8")))
}

/// `5<\x2f\x61>` as a path.
fn descriptor(part: &str) -> Option<PathBuf> {
    let (_, path) = part.strip_suffix('>').or_else(|| part.strip_suffix(">(deleted)"))?.split_once('<')?;
    Some(PathBuf::from(String::from_utf8(unescaped(path)).ok()?))
}

fn hex(part: &str) -> Vec<u8> {
    let inner = part.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    unescaped(inner.expect("a whole string: `-s` is long enough"))
}

fn unescaped(text: &str) -> Vec<u8> {
    match text.starts_with("\\x") {
        true => text.split("\\x").skip(1).map(|it| u8::from_str_radix(it, 16).expect("two digits")).collect(),
        false => text.as_bytes().to_vec(),
    }
}

#[test]
fn a_log_is_understood() {
    let hex = |text: &str| text.bytes().map(|b| format!("\\x{b:02x}")).collect::<String>();
    let path = |below: &str| hex(&format!("/dev/shm/d{below}"));
    let log = [
        format!(
            "7 openat(AT_FDCWD<{}>, \"{}\", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 3<{}>",
            hex("/"),
            path("/a"),
            path("/a")
        ),
        format!("7 write(3<{}>, \"{}\", 2 <unfinished ...>", path("/a"), hex("hi")),
        format!("8 close(4<{}>) = 0", hex("/etc/x")),
        "7 <... write resumed>) = 2".to_owned(),
        format!("7 fsync(3<{}>) = 0", path("/a")),
        format!("7 rename(\"{}\", \"{}\") = 0", path("/a"), path("/b")),
        format!("7 unlinkat(5<{}>, \"{}\", 0) = 0", path("/c"), hex("x")),
        format!("7 mkdir(\"{}\", 0777) = -1 EEXIST (File exists)", path("/c")),
        "7 +++ exited with 0 +++".to_owned(),
    ];
    let actions: Vec<Option<Action>> =
        read(&log.join("\n"), Path::new("/dev/shm/d")).into_iter().map(|it| it.action).collect();
    assert_eq!(
        actions,
        [
            Some(Action::Create("a".into())),
            None,
            Some(Action::Write("a".into(), b"hi".to_vec())),
            Some(Action::Sync("a".into())),
            Some(Action::Rename("a".into(), "b".into())),
            Some(Action::Unlink("c/x".into())),
            Some(Action::Nothing),
        ]
    );
}
