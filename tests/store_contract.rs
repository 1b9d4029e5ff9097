//! A store keeps its word: the same situations on every home of a store, and on servers that do not.
//!
//! What a home breaks is written beside it and compared as a whole, so that neither a promise nor a known fault can
//! go away unseen.

#[path = "support/s3_server.rs"]
mod s3_server;
#[path = "store_contract/situations.rs"]
mod situations;

use s3_server::{Profile, S3Server};
use situations::SITUATIONS;
use tenantry::store::Store;
use tenantry::store::dir::Directory;
use tenantry::store::memory::Memory;

/// Runs every situation on a fresh store and holds those that break to those that are expected to.
#[track_caller]
fn breaks<K>(home: impl Fn(&str) -> (Box<dyn Store>, K), expected: &[&str]) {
    let mut broken = Vec::new();
    let mut whys = String::new();
    for (number, (name, situation)) in SITUATIONS.iter().enumerate() {
        let (store, _keeper) = home(&format!("situation-{number}/"));
        if let Err(why) = situation(store.as_ref()) {
            whys += &format!("{name}: {why}\n");
            broken.push(*name);
        }
    }
    assert_eq!(broken, expected, "{whys}");
}

/// The same for our own server.
#[track_caller]
fn server_breaks(profile: &Profile, expected: &[&str]) {
    let home = |prefix: &str| {
        let server = S3Server::start(profile.clone());
        (Box::new(server.store_below(prefix)) as Box<dyn Store>, server)
    };
    breaks(home, expected);
}

#[test]
fn memory_keeps_its_word() {
    breaks(|_| (Box::new(Memory::new()) as Box<dyn Store>, ()), &[]);
}

#[test]
fn a_directory_keeps_its_word() {
    let home = |_: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        (Box::new(Directory::new(folder.path().join("store"))) as Box<dyn Store>, folder)
    };
    breaks(home, &[]);
}

#[test]
fn a_bucket_keeps_its_word() {
    server_breaks(&Profile::good(), &[]);
}
