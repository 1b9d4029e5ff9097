//! The least that any compiler has to do for a publication: `floor --keys KEYS OUT FRESH`.
//!
//! Takes a compiled `OUT` into memory, then measures this and nothing else, on as many threads as the machine has
//! cores: for each tenant make its folder, sign targets, snapshot and timestamp (the bytes that the compiler signed,
//! with the same keys), put signed bytes and signatures together, hash its four files with SHA-256, and write them to
//! `FRESH` under their names; hash and write every bundle, overlay and root; write the index. Timestamps come last,
//! each written beside its place and renamed. Nothing is synced to the disk. The compiler does all of this, too.
//!
//! It reads no YAML, decides nothing, makes no JSON and packs no bundle.
#![expect(clippy::disallowed_methods, reason = "this example reads one folder, writes another and takes the time")]
#![expect(clippy::print_stdout, reason = "its result is one line of JSON")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use clap::Parser;
use tenantry::digest::Sha256;
use tenantry::metadata;
use tenantry::metadata::keys::{FileKey, Signer};
use tenantry::sign::keystore::{KeyFolder, KeyRole};

/// Signs and writes a publication again, without thinking.
#[derive(Parser)]
struct Args {
    /// The keys that it was signed with.
    #[arg(long)]
    keys: PathBuf,
    /// A compiled publication.
    out: PathBuf,
    /// Where to write it; must not exist.
    fresh: PathBuf,
}

/// A file with its path below the root of the publication.
struct Plain {
    path: String,
    bytes: Vec<u8>,
}

/// What is signed for one tenant, and its manifest.
struct Tenant {
    folder: String,
    manifest: Plain,
    timestamp: Plain,
    /// Targets and snapshot.
    others: Vec<Plain>,
}

struct Publication {
    tenants: Vec<Tenant>,
    /// Bundles, overlays, roots, the index.
    shared: Vec<Plain>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let keys = KeyFolder::new(&args.keys);
    let (entitlement, freshness) = (keys.files(KeyRole::Entitlement)?, keys.files(KeyRole::Freshness)?);
    let keys = Keys { entitlement: only(entitlement)?, freshness: only(freshness)? };
    let publication = read(&args.out)?;
    let first = publication.tenants.first().ok_or("there is no tenant in it")?;
    let signed_again = keys.sign(&first.timestamp.bytes, &keys.freshness)?;
    if fs::read(args.out.join(&first.timestamp.path))? != signed_again {
        return Err("these are not the keys that it was signed with".into());
    }
    let threads = thread::available_parallelism()?.get();

    let (start, processor) = (Instant::now(), processor_seconds());
    for folder in ["root", "t", "o", "state"] {
        fs::create_dir_all(args.fresh.join(folder))?;
    }
    let timestamps = in_parallel(threads, &publication.tenants, |tenant| keys.tenant(&args.fresh, tenant))?;
    in_parallel(threads, &publication.shared, |file| match file.path.starts_with("state/") {
        true => fs::write(args.fresh.join(&file.path), &file.bytes),
        false => hash_and_write(&args.fresh, &file.path, &file.bytes),
    })?;
    in_parallel(threads, &timestamps, |file| {
        let path = args.fresh.join(&file.path);
        let new = path.with_extension("json.new");
        fs::write(&new, &file.bytes)?;
        fs::rename(&new, &path)
    })?;
    let (seconds, processor) = (start.elapsed().as_secs_f64(), processor_seconds() - processor);

    let (tenants, files) = (timestamps.len(), publication.tenants.len() * 4 + publication.shared.len());
    println!(
        "{{\"seconds\":{seconds:.4},\"processor\":{processor:.2},\"tenants\":{tenants},\"files\":{files},\"threads\":{threads}}}"
    );
    Ok(())
}

/// What all threads have used so far, to a hundredth; zero where there is no `/proc`.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time stand at the 14th and 15th place; the name at the second may hold blanks.
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>() / 100.0
}

struct Keys {
    entitlement: FileKey,
    freshness: FileKey,
}

impl Keys {
    fn tenant(&self, fresh: &Path, tenant: &Tenant) -> io::Result<Plain> {
        fs::create_dir(fresh.join(&tenant.folder))?;
        hash_and_write(fresh, &tenant.manifest.path, &tenant.manifest.bytes)?;
        for role in &tenant.others {
            hash_and_write(fresh, &role.path, &self.sign(&role.bytes, &self.entitlement)?)?;
        }
        let bytes = self.sign(&tenant.timestamp.bytes, &self.freshness)?;
        black_box(Sha256::of(&bytes));
        Ok(Plain { path: tenant.timestamp.path.clone(), bytes })
    }

    fn sign(&self, signed: &[u8], key: &FileKey) -> io::Result<Vec<u8>> {
        let signature = key.signature(signed).map_err(io::Error::other)?;
        Ok(metadata::envelope(signed, &[signature]))
    }
}

fn only(mut keys: Vec<(PathBuf, FileKey)>) -> Result<FileKey, Box<dyn Error>> {
    match (keys.pop(), keys.is_empty()) {
        (Some((_, key)), true) => Ok(key),
        _ => Err("the folder must hold one key for each role".into()),
    }
}

fn hash_and_write(fresh: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    black_box(Sha256::of(bytes));
    fs::write(fresh.join(path), bytes)
}

/// Each thread takes an equal share.
fn in_parallel<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    let slices: Vec<&[T]> = items.chunks(items.len().div_ceil(threads).max(1)).collect();
    thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = slices
            .into_iter()
            .map(|slice| scope.spawn(move || slice.iter().map(work).collect::<io::Result<Vec<R>>>()))
            .collect();
        let mut done = Vec::with_capacity(items.len());
        for worker in workers {
            done.extend(worker.join().expect("a worker returns its errors")?);
        }
        Ok(done)
    })
}

fn read(out: &Path) -> Result<Publication, Box<dyn Error>> {
    let mut files = BTreeMap::new();
    for folder in ["root", "t", "o", "state"] {
        collect(out, folder, &mut files)?;
    }
    files.remove("state/lock");
    let addresses: Vec<String> = files
        .keys()
        .filter_map(|path| path.strip_prefix("t/")?.strip_suffix("/timestamp.json"))
        .map(Into::into)
        .collect();
    let mut of_tenants: BTreeMap<String, Vec<Plain>> = BTreeMap::new();
    let mut shared = Vec::new();
    for (path, bytes) in files {
        let address = match path.strip_prefix("t/") {
            Some(rest) => rest.split('/').next().map(str::to_owned),
            None => path.strip_suffix(".manifest.json").and_then(|it| Some(it.rsplit_once('.')?.1.to_owned())),
        };
        match address {
            Some(address) => of_tenants.entry(address).or_default().push(Plain { path, bytes }),
            None => shared.push(Plain { path, bytes }),
        }
    }
    let mut tenants = Vec::with_capacity(addresses.len());
    for address in addresses {
        let files = of_tenants.remove(&address).unwrap_or_default();
        let (mut manifest, mut timestamp, mut others) = (None, None, Vec::new());
        for Plain { path, bytes } in files {
            match path.as_str() {
                it if it.starts_with("o/") => manifest = Some(Plain { path, bytes }),
                it if it.ends_with("/timestamp.json") => timestamp = Some(Plain { bytes: signed(&bytes)?, path }),
                _ => others.push(Plain { bytes: signed(&bytes)?, path }),
            }
        }
        let folder = format!("t/{address}");
        let (Some(manifest), Some(timestamp), 2) = (manifest, timestamp, others.len()) else {
            return Err(format!("`{folder}` does not hold exactly one publication").into());
        };
        tenants.push(Tenant { folder, manifest, timestamp, others });
    }
    Ok(Publication { tenants, shared })
}

/// The bytes between the envelope's `signed` and its last brace: what the signature stands for.
fn signed(file: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mark = b",\"signed\":";
    let at = file.windows(mark.len()).position(|it| it == mark).ok_or("a role without `signed`")?;
    Ok(file[at + mark.len()..file.len() - 1].to_vec())
}

fn collect(out: &Path, folder: &str, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(out.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            true => collect(out, &path, files)?,
            false => {
                files.insert(path, fs::read(entry.path())?);
            }
        }
    }
    Ok(())
}
