//! The stock tough client over every tenant that it is given.
//!
//! usage: follow BASE_URL ROOT_FILE STATE_DIR ADDR...
//!
//! Prints one line of JSON a tenant: {"addr": …, "targets": how many were verified, "bytes": of all of them}.
//! What is in STATE_DIR from an earlier run is used again, as a device would.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tough::{
    ExpirationEnforcement, HttpTransport, HttpTransportBuilder, IntoVec as _, Repository, RepositoryLoader, TargetName,
};
use url::Url;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [base_url, root_file, state_dir, addrs @ ..] = arguments.as_slice() else {
        return Err("usage: follow BASE_URL ROOT_FILE STATE_DIR ADDR...".into());
    };
    let root = fs::read(root_file)?;
    // By default it waits 100 ms before every request, also the first, and reads the system's certificates each time.
    let transport = HttpTransportBuilder::new()
        .initial_backoff(Duration::ZERO)
        .crypto_provider(rustls::crypto::aws_lc_rs::default_provider())
        .build();
    for addr in addrs {
        let state = Path::new(state_dir).join(addr);
        let line =
            follow(&transport, base_url, &root, &state, addr).await.map_err(|error| format!("{addr}: {error:?}"))?;
        println!("{line}");
    }
    Ok(())
}

async fn follow(
    transport: &HttpTransport,
    base_url: &str,
    root: &[u8],
    state: &Path,
    addr: &str,
) -> Result<String, Box<dyn Error>> {
    fs::create_dir_all(state.join("metadata"))?;
    fs::create_dir_all(state.join("targets"))?;
    let metadata = Url::parse(&format!("{base_url}/t/{addr}/"))?;
    let targets = Url::parse(&format!("{base_url}/o/"))?;
    let repository = RepositoryLoader::new(&root, metadata, targets)
        .datastore(state.join("metadata"))
        .expiration_enforcement(ExpirationEnforcement::Safe)
        .transport(transport.clone())
        .load()
        .await?;

    let manifest = fetch(&repository, state, &format!("{addr}.manifest.json")).await?;
    let files = archives(&manifest)?;
    let mut bytes = manifest.len() as u64;
    for (name, file) in &files {
        let data = fetch(&repository, state, name).await?;
        // The client has compared it with targets.json; the manifest must say the same.
        if data.len() as u64 != file.length || hex::encode(Sha256::digest(&data)) != file.sha256 {
            return Err(format!("`{name}` is not what the manifest says").into());
        }
        bytes += file.length;
    }
    Ok(serde_json::json!({"addr": addr, "targets": 1 + files.len(), "bytes": bytes}).to_string())
}

/// tough keeps no targets; ours are kept beside its metadata and used while targets.json still names them.
async fn fetch(repository: &Repository, state: &Path, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let target = TargetName::new(name)?;
    let cached = state.join("targets").join(name);
    let listed = repository.targets().signed.find_target(&target, false)?;
    match fs::read(&cached) {
        Ok(data) if Sha256::digest(&data).as_slice() == &*listed.hashes.sha256 => return Ok(data),
        _ => {}
    }
    let stream = repository.read_target(&target).await?.ok_or("not a target")?;
    let data = stream.into_vec().await?;
    fs::write(&cached, &data)?;
    Ok(data)
}

#[derive(Deserialize)]
struct Manifest {
    mini_programs: Vec<MiniProgram>,
}

#[derive(Deserialize)]
struct MiniProgram {
    releases: Vec<Release>,
}

#[derive(Deserialize)]
struct Release {
    bundle: File,
    overlay: Option<File>,
}

#[derive(Deserialize)]
struct File {
    length: u64,
    sha256: String,
    target: String,
}

/// Every bundle and overlay that the manifest names, by its name among the targets.
fn archives(manifest: &[u8]) -> Result<BTreeMap<String, File>, serde_json::Error> {
    let manifest: Manifest = serde_json::from_slice(manifest)?;
    let releases = manifest.mini_programs.into_iter().flat_map(|program| program.releases);
    let files = releases.flat_map(|release| [Some(release.bundle), release.overlay]).flatten();
    Ok(files.map(|file| (file.target.clone(), file)).collect())
}
