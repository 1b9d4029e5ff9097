//! The folder that is written to.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::binary::{clean, ran};
use crate::listing::files;
use crate::small::{NOW, Small, tenant};

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..length).map(next).collect()
}

#[test]
fn a_full_disk_leaves_the_old_publication_as_it_was() {
    let project = Small::new();
    let Some(disk) = SmallDisk::mount(project.path("disk")) else {
        // Only root can mount; the next test fills the disk in another way.
        return;
    };
    let out = ["compile", "--at", NOW, "--out", "disk/out"];
    assert_eq!(project.run(&out).code, 0);
    let before = files(&project.path("disk/out/t"));
    project.write("catalog/programs/chat/app/film.bin", noise(1 << 20));
    let said = project.run(&out);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert!(said.stderr.starts_with("error: cannot write `disk/out/"), "{}", said.stderr);
    let end = "`: No space left on device (os error 28)\nhelp: make room and run again; what was published before is untouched\n";
    assert!(said.stderr.ends_with(end), "{}", said.stderr);
    let after = files(&project.path("disk/out/t"));
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "every old file is there");
    let manifests = project.run(&["verify", "disk/out", "--at", NOW]);
    assert!(!manifests.stdout.contains("timestamp"), "{}", manifests.stdout);
    // With room again the run goes through, and takes the debris away.
    fs::remove_file(project.path("catalog/programs/chat/app/film.bin")).expect("removes");
    project.write("tenants/acme.yaml", tenant("acme").replace("plan: pro", "plan: pro, domains: [acme.example]"));
    let healed = project.run(&out);
    assert_eq!(healed.code, 0, "{}", healed.stderr);
    drop(disk);
}

/// A disk of 256 KiB, for as long as this lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf) -> Option<SmallDisk> {
        fs::create_dir(&at).expect("a folder can be made");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(&at).stderr(Stdio::null());
        mount.status().is_ok_and(|it| it.success()).then_some(SmallDisk(at))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_old_publication_as_it_was() {
    let project = Small::published();
    let before = files(&project.path("out/t"));
    project.write("catalog/programs/chat/app/film.bin", noise(1 << 20));
    // No file may grow over 64 blocks; the signal that says so is ignored, and the write fails instead.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_tenantry")]);
    command.args(["compile", "--at", NOW]).current_dir(project.path(""));
    clean(&mut command);
    let said = ran(&mut command);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert!(said.stderr.starts_with("error: cannot write `./out/o/"), "{}", said.stderr);
    assert!(said.stderr.ends_with("`: File too large (os error 27)\n"), "{}", said.stderr);
    let after = files(&project.path("out/t"));
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "every old file is there");
    // The next run needs no help.
    project.compiles();
    project.verifies("out");
}

#[test]
fn a_folder_made_by_something_else_is_left_alone() {
    let project = Small::new();
    project.write("out/thesis.txt", "years of work");
    assert_eq!(
        project.refused(3),
        "error: `./out` was not made by tenantry: it has files but no `state/`\n\
         help: name another folder with `--out`, or empty this one yourself\n"
    );
}

#[test]
fn a_file_where_the_folder_should_be_is_left_alone() {
    let project = Small::new();
    project.write("out", "a file");
    assert_eq!(project.refused(3), "error: cannot list `./out`: Not a directory (os error 20)\n");
}

#[test]
fn the_folder_of_another_root_is_left_alone() {
    let project = Small::published();
    project.keys("other", "1795392000");
    assert_eq!(
        project.refuses(project.command(&["compile", "--at", NOW, "--keys", "other"]), 6),
        "error: the output folder belongs to another root: its `root/1.root.json` is not the one of these keys\n\
         help: compile into another folder with `--out`, or name the keys that made this one with `--keys`\n"
    );
}

#[test]
fn a_corrupted_index_is_never_guessed_around() {
    let project = Small::published();
    for (damage, why) in [
        (&b"{\"format\":1"[..], "EOF while parsing an object at line 1 column 11"),
        (b"", "EOF while parsing a value at line 1 column 0"),
    ] {
        project.write("out/state/index.json", damage);
        assert_eq!(
            project.refused(3),
            format!(
                "error: `./out/state/index.json` cannot be understood: {why}\nhelp: restore `state/` from a backup; \
                 without it the publication counter starts again, and devices refuse lower numbers\n"
            )
        );
    }
}

#[test]
fn two_compiles_do_not_write_at_once() {
    let project = Small::published();
    let lock = File::create(project.path("out/state/lock")).expect("opens");
    lock.lock().expect("locks");
    assert_eq!(
        project.refused(3),
        "error: another compile is writing to `./out`\n\
         help: wait for it, or write to another folder with `--out`\n"
    );
    drop(lock);
    project.compiles();
}

#[test]
fn of_many_first_compiles_at_once_one_publishes_and_the_others_change_nothing() {
    let project = Small::new();
    let start = |_| {
        let mut command = project.command(&["compile", "--at", NOW]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
    };
    let mut runs: Vec<_> = (0..4).map(start).collect();
    let codes: Vec<_> = runs.iter_mut().map(|it| it.wait().expect("ends").code().expect("by itself")).collect();
    assert!(codes.contains(&0) && codes.iter().all(|code| [0, 3].contains(code)), "{codes:?}");
    assert_eq!(publication(&project.path("out")), 1);
    project.verifies("out");
}

fn publication(out: &Path) -> u64 {
    let index = fs::read(out.join("state/index.json")).expect("the index");
    serde_json::from_slice::<serde_json::Value>(&index).expect("JSON")["publication"].as_u64().expect("a number")
}
