//! TUF clients that we did not write, each behind a small program of its own in `tests/interop/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use tenantry::index::{Index, keys};
use tenantry::manifest::Manifest;

use crate::parts;
use crate::site::Site;

/// What a client has verified of a tenant, or must.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Followed {
    /// The tenant's address.
    pub(crate) addr: String,
    /// The manifest and every different bundle and overlay that it names.
    pub(crate) targets: usize,
    /// All their bytes.
    pub(crate) bytes: u64,
}

/// python-tuf.
pub(crate) fn python_tuf() -> Option<Command> {
    parts::python("python_tuf.py")
}

/// tuf-js.
pub(crate) fn tuf_js() -> Option<Command> {
    let is_there = parts::interop().join("node_modules/tuf-js").is_dir();
    let mut client = Command::new("node");
    client.arg(parts::interop().join("tuf_js.mjs"));
    parts::present_or_demanded("tuf-js", is_there).then_some(client)
}

/// tough.
pub(crate) fn tough() -> Option<Command> {
    tough_program("follow")
}

/// A program of the package in `tests/interop/tough/`.
pub(crate) fn tough_program(program: &str) -> Option<Command> {
    let path = parts::folder().join("tough/debug").join(program);
    parts::present_or_demanded("tough", path.is_file()).then(|| Command::new(path))
}

/// Runs a client over some tenants: what it has verified, or what it says when it refuses.
pub(crate) fn follow(
    client: &Command,
    base_url: &str,
    root: &Path,
    state: &Path,
    addrs: &[&str],
) -> Result<Vec<Followed>, String> {
    let mut command = Command::new(client.get_program());
    command.args(client.get_args()).arg(base_url).args([root, state]).args(addrs);
    let output = command.output().expect("the client is installed");
    match output.status.success() {
        true => Ok(serde_json::Deserializer::from_slice(&output.stdout)
            .into_iter()
            .collect::<Result<_, _>>()
            .expect("a client prints one document a tenant")),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// What `out/` says that it holds.
pub(crate) fn index(site: &Site) -> Index {
    let bytes = fs::read(site.out().join("state/index.json")).expect("the project was compiled");
    Index::parse(&bytes).expect("an index of our own")
}

/// What every tenant's manifest in `out/` names, in the order of addresses.
pub(crate) fn published(site: &Site) -> Vec<Followed> {
    let read = |key: &str| fs::read(site.out().join(key)).expect("the index names what is there");
    let index = index(site);
    let followed = index.tenants.iter().map(|(addr, record)| {
        let bytes = read(&keys::manifest(addr, record.manifest.sha256));
        let manifest: Manifest = serde_json::from_slice(&bytes).expect("a manifest of our own");
        let releases = manifest.mini_programs.iter().flat_map(|program| &program.releases);
        let files: BTreeMap<&str, u64> = releases
            .flat_map(|release| [Some(&release.bundle), release.overlay.as_ref()])
            .flatten()
            .map(|file| (file.target.as_str(), file.length))
            .collect();
        Followed {
            addr: addr.clone(),
            targets: 1 + files.len(),
            bytes: bytes.len() as u64 + files.values().sum::<u64>(),
        }
    });
    followed.collect()
}
