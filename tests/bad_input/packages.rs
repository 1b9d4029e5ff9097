//! Packages that are missing or made to do harm.

use std::fs;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::small::Small;

type Zip = ZipWriter<Cursor<Vec<u8>>>;

fn zip(fill: impl FnOnce(&mut Zip, SimpleFileOptions)) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("index.html", options).expect("starts");
    zip.write_all(b"<h1>Chat</h1>\n").expect("writes");
    fill(&mut zip, options);
    zip.finish().expect("finishes").into_inner()
}

/// A project with this archive is refused for this reason, and the old publication stays.
fn refused(archive: &[u8], why: &str) {
    let project = Small::published();
    project.archive(archive);
    let said = format!(
        "catalog/programs/chat/program.yaml:11:20: error[package-archive]: package `catalog/programs/chat/app.zip` is refused: \
         {why} (make the archive again from the plain files, or ship them as a folder)\n1 error in 1 file\n"
    );
    assert_eq!(project.refused(1), said);
    project.verifies("out");
}

fn with_file(name: &'static str) -> impl FnOnce(&mut Zip, SimpleFileOptions) {
    move |zip, options| {
        zip.start_file(name, options).expect("starts");
        zip.write_all(b"harm").expect("writes");
    }
}

#[test]
fn a_sound_archive_compiles() {
    let project = Small::new();
    project.archive(&zip(|_, _| {}));
    project.compiles();
    project.verifies("out");
}

#[test]
fn a_package_that_is_not_there_is_missed() {
    let project = Small::published();
    fs::remove_dir_all(project.path("catalog/programs/chat/app")).expect("removes");
    assert_eq!(
        project.refused(1),
        "catalog/programs/chat/program.yaml:11:20: error[missing-package]: there is no package at `catalog/programs/chat/app` \
         (the path is relative to this document; git keeps no empty folders)\n1 error in 1 file\n"
    );
    project.verifies("out");
}

#[test]
fn an_entry_that_climbs_out_of_the_package_is_refused() {
    refused(&zip(with_file("../../../evil.sh")), "`../../../evil.sh` leads out of the package");
}

#[test]
fn an_entry_with_an_absolute_path_is_refused() {
    refused(&zip(with_file("/etc/passwd")), "`/etc/passwd` leads out of the package");
}

#[test]
fn an_entry_that_is_a_symbolic_link_is_refused() {
    let link = |zip: &mut Zip, options| zip.add_symlink("logo.svg", "/etc/passwd", options).expect("adds");
    refused(&zip(link), "`logo.svg` is a symbolic link");
}

#[test]
fn two_entries_that_are_one_file_on_some_systems_are_refused() {
    let project = Small::published();
    project.archive(&zip(with_file("INDEX.html")));
    assert_eq!(
        project.refused(1),
        "catalog/programs/chat/program.yaml:11:20: error[package-path]: `INDEX.html` and `index.html` in the package are one file \
         where case does not count (rename one of them)\n1 error in 1 file\n"
    );
}

#[test]
fn an_archive_that_unpacks_to_a_hundred_megabytes_is_refused_unpacked() {
    let bomb = |zip: &mut Zip, options| {
        zip.start_file("zeros.bin", options).expect("starts");
        (0..100).for_each(|_| zip.write_all(&vec![0; 1 << 20]).expect("writes"));
    };
    refused(&zip(bomb), "`zeros.bin` unpacks to 205 times its size");
}

#[test]
fn an_archive_that_is_none_is_refused() {
    refused(b"not an archive", "it is damaged (invalid Zip archive: Could not find EOCD)");
}
