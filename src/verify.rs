//! Checks a publication as a stranger would: from a trusted root and the public files alone.
//!
//! Pure: it is given bytes. [`crate::pipeline::verify`] finds them and asks about one tenant after the other.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;

use crate::bundle;
use crate::digest::{Blake3, Sha256};
use crate::index::keys;
use crate::manifest::{self, MANIFEST_VERSION, Manifest};
use crate::metadata::{
    self, MAX_TARGETS, Mark, MetaFile, Opened, Role, Root, Snapshot, TargetFile, Targets, TimestampRole,
};
use crate::path::BundlePath;
use crate::time::Timestamp;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Finding {
    /// The object.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The public files of one publication.
pub trait Objects: Sync {
    /// The bytes under a key; none when there is nothing.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String>;
}

/// What every tenant's check starts from.
pub struct Trust<'a> {
    /// The newest root.
    pub root: &'a Root,
    /// The instant of the check.
    pub now: Timestamp,
}

/// One tenant's files, found sound.
#[derive(Debug)]
pub struct VerifiedTenant {
    /// Its address.
    pub addr: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// Every object that its metadata reaches, by key, but for the manifest: archives that are checked once for all.
    pub archives: BTreeMap<String, Archive>,
    /// The keys of its own files.
    pub own: Vec<String>,
    /// The text of its own files, searched for foreign names.
    pub bytes: Vec<(String, Vec<u8>)>,
}

/// An archive as a tenant's metadata names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Digest of its tree: its name among the targets.
    pub tree: Blake3,
    /// Its length and digest.
    pub file: TargetFile,
    /// Files that must be in it.
    pub pages: Vec<String>,
}

/// Checks the metadata and the manifest of one tenant.
pub fn tenant(trust: &Trust<'_>, objects: &dyn Objects, addr: &str) -> Result<VerifiedTenant, Finding> {
    let check = Check { trust, objects, addr };
    let (key, file, named) = check.timestamp()?;
    let mut verified = check.content(&named)?;
    verified.own.insert(0, key.clone());
    verified.bytes.insert(0, (key, file));
    Ok(verified)
}

/// Checks the timestamp of one tenant by itself. Gives back the snapshot that it names.
pub fn timestamp(trust: &Trust<'_>, objects: &dyn Objects, addr: &str) -> Result<MetaFile, Finding> {
    Check { trust, objects, addr }.timestamp().map(|(_, _, named)| named)
}

/// Checks the snapshot of one tenant by itself. Gives back the targets that it names.
pub fn snapshot(trust: &Trust<'_>, objects: &dyn Objects, addr: &str, named: &MetaFile) -> Result<MetaFile, Finding> {
    Check { trust, objects, addr }.snapshot(named).map(|(_, _, named)| named)
}

/// Checks everything of one tenant but its timestamp, beginning with this snapshot.
pub fn content(
    trust: &Trust<'_>,
    objects: &dyn Objects,
    addr: &str,
    snapshot: &MetaFile,
) -> Result<VerifiedTenant, Finding> {
    Check { trust, objects, addr }.content(snapshot)
}

/// Checks one archive: length, digest, that it is one of ours, that its name is the digest of its tree, and that
/// it holds its pages. Gives back its files, to be searched for names.
pub fn archive(objects: &dyn Objects, key: &str, expected: &Archive) -> Result<bundle::Files, Finding> {
    let bytes = get(objects, key)?;
    check_bytes(key, &bytes, expected.file.length, expected.file.hashes.sha256)?;
    let files = bundle::unpack(&bytes).map_err(|why| finding(key, why.to_string()))?;
    if bundle::tree_digest(&files) != expected.tree {
        return Err(finding(key, "its name is not the digest of the files in it".into()));
    }
    for page in &expected.pages {
        let path = BundlePath::parse(page);
        if !path.is_ok_and(|path| files.contains_key(&path)) {
            return Err(finding(key, format!("page `{page}` is not in it")));
        }
    }
    Ok(files)
}

/// Looks for one tenant's names in another's files.
pub struct ForeignNames {
    names: Vec<(String, String)>,
    search: AhoCorasick,
}

impl ForeignNames {
    /// For these tenants, by address and public id.
    pub fn new<'a>(tenants: impl Iterator<Item = (&'a str, &'a str)>) -> ForeignNames {
        let names: Vec<(String, String)> =
            tenants.flat_map(|(addr, id)| [addr, id].map(|name| (name.to_owned(), addr.to_owned()))).collect();
        let search = AhoCorasick::new(names.iter().map(|(name, _)| name)).expect("names fit the search");
        ForeignNames { names, search }
    }

    /// The first name in these bytes that belongs to anyone but `owner`, as a whole word.
    pub fn find(&self, bytes: &[u8], owner: Option<&str>) -> Option<&str> {
        let is_word = |at: Option<&u8>| at.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let found = self.search.find_overlapping_iter(bytes).find(|it| {
            let before = it.start().checked_sub(1).and_then(|at| bytes.get(at));
            let whole = !is_word(before) && !is_word(bytes.get(it.end()));
            whole && Some(self.names[it.pattern().as_usize()].1.as_str()) != owner
        });
        found.map(|it| self.names[it.pattern().as_usize()].0.as_str())
    }
}

struct Check<'a> {
    trust: &'a Trust<'a>,
    objects: &'a dyn Objects,
    addr: &'a str,
}

impl Check<'_> {
    /// What must stand in every role of this tenant.
    fn mark(&self) -> Mark {
        Mark { addr: self.addr.into(), environment: self.trust.root.tenantry.environment.clone() }
    }

    /// The key of the timestamp, its bytes, and the snapshot that it names.
    fn timestamp(&self) -> Result<(String, Vec<u8>, MetaFile), Finding> {
        let (key, mark) = (keys::timestamp(self.addr), self.mark());
        let file = self.get(&key)?;
        let timestamp: TimestampRole = self.role(&key, &file, |it: &TimestampRole| it.tenantry == mark)?;
        let named = self.only(&key, &timestamp.meta, "snapshot.json")?;
        Ok((key, file, named))
    }

    /// The key of the snapshot, its bytes, and the targets that it names.
    fn snapshot(&self, named: &MetaFile) -> Result<(String, Vec<u8>, MetaFile), Finding> {
        let (key, mark) = (keys::snapshot(self.addr, named.version), self.mark());
        let file = self.named(&key, named)?;
        let snapshot: Snapshot = self.role(&key, &file, |it: &Snapshot| it.tenantry == mark)?;
        self.version(&key, snapshot.version, named.version)?;
        let named = self.only(&key, &snapshot.meta, "targets.json")?;
        Ok((key, file, named))
    }

    fn content(&self, snapshot: &MetaFile) -> Result<VerifiedTenant, Finding> {
        let mut bytes = Vec::new();
        let (key, file, named) = self.snapshot(snapshot)?;
        bytes.push((key, file));

        let (key, mark) = (keys::targets(self.addr, named.version), self.mark());
        let file = self.named(&key, &named)?;
        let targets: Targets = self.role(&key, &file, |it: &Targets| it.tenantry == mark)?;
        self.version(&key, targets.version, named.version)?;
        if targets.targets.len() > MAX_TARGETS {
            return Err(finding(&key, format!("it has {} targets, more than {MAX_TARGETS}", targets.targets.len())));
        }
        bytes.push((key.clone(), file));

        let (manifest_key, manifest_file, manifest) = self.manifest(&key, &targets)?;
        let archives = self.archives(&key, &manifest_key, &targets, &manifest)?;
        bytes.push((manifest_key, manifest_file));
        let own = bytes.iter().map(|(key, _)| key.clone()).collect();
        Ok(VerifiedTenant { addr: self.addr.into(), manifest, archives, own, bytes })
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, Finding> {
        get(self.objects, key)
    }

    fn named(&self, key: &str, named: &MetaFile) -> Result<Vec<u8>, Finding> {
        let bytes = self.get(key)?;
        check_bytes(key, &bytes, named.length, named.hashes.sha256)?;
        Ok(bytes)
    }

    /// Profile, signatures, expiry and binding of one role.
    fn role<T: Role>(&self, key: &str, bytes: &[u8], is_ours: impl Fn(&T) -> bool) -> Result<T, Finding> {
        let Opened { role, signed, signatures } =
            metadata::open::<T>(bytes).map_err(|why| finding(key, why.to_string()))?;
        let (good, threshold) = self.trust.root.count_signatures(T::NAME, &signed, &signatures);
        match () {
            () if good < threshold => {
                Err(finding(key, format!("{good} of {threshold} `{}` keys have signed it", T::NAME.as_str())))
            }
            () if role.expires() <= self.trust.now => Err(finding(key, format!("it expired on {}", role.expires()))),
            () if !is_ours(&role) => {
                Err(finding(key, "it was made for another tenant or environment (`x-tenantry`)".into()))
            }
            () => Ok(role),
        }
    }

    fn only(&self, key: &str, meta: &BTreeMap<String, MetaFile>, name: &str) -> Result<MetaFile, Finding> {
        match meta.get(name) {
            Some(named) if meta.len() == 1 => Ok(named.clone()),
            _ => Err(finding(key, format!("it must name `{name}` and nothing else"))),
        }
    }

    fn version(&self, key: &str, found: u64, named: u64) -> Result<(), Finding> {
        match found == named {
            true => Ok(()),
            false => Err(finding(key, format!("it is version {found}, its name says {named}"))),
        }
    }

    fn manifest(&self, targets_key: &str, targets: &Targets) -> Result<(String, Vec<u8>, Manifest), Finding> {
        let name = keys::manifest_target(self.addr);
        let missing = || finding(targets_key, format!("the manifest `{name}` is not among the targets"));
        let target = targets.targets.get(&name).ok_or_else(missing)?;
        let key = keys::manifest(self.addr, target.hashes.sha256);
        let bytes = self.get(&key)?;
        check_bytes(&key, &bytes, target.length, target.hashes.sha256)?;
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|why| finding(&key, format!("not a manifest: {why}")))?;
        // Maps of serde_json are sorted, so writing the value again gives the one canonical spelling.
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("it was JSON a moment ago");
        let environment = &self.trust.root.tenantry.environment;
        let wrong = match () {
            () if serde_json::to_vec(&value).is_ok_and(|it| it != bytes) => "it is not canonical JSON".into(),
            () if manifest.spec_version != MANIFEST_VERSION => {
                format!("its `spec_version` is `{}`", manifest.spec_version)
            }
            () if manifest.addr != self.addr => format!("it was made for `{}`", manifest.addr),
            () if manifest.environment != *environment => format!("its environment is `{}`", manifest.environment),
            () if manifest.publication != targets.version => {
                format!("its publication is {}, its targets' version {}", manifest.publication, targets.version)
            }
            () if manifest.expires != targets.expires => "it does not expire together with its targets".into(),
            () => return Ok((key, bytes, manifest)),
        };
        Err(finding(&key, wrong))
    }

    /// Holds the manifest and the targets to one another: each archive that one names, the other names too.
    fn archives(
        &self,
        targets_key: &str,
        manifest_key: &str,
        targets: &Targets,
        manifest: &Manifest,
    ) -> Result<BTreeMap<String, Archive>, Finding> {
        let mut archives: BTreeMap<String, Archive> = BTreeMap::new();
        let mut named = 1;
        if let Err(problem) = cohorts(manifest) {
            return Err(finding(manifest_key, problem));
        }
        for program in manifest.every_program() {
            let mut ranges: Vec<(u32, u32)> = Vec::new();
            for release in &program.releases {
                let platform = &release.platform_version;
                ranges.push((platform.min_code, platform.max_code.unwrap_or(u32::MAX)));
                let pages = release.face.as_ref().map_or(&program.pages, |face| &face.pages);
                let bundle = (&release.bundle, pages.to_vec());
                for (file, pages) in [bundle].into_iter().chain(release.overlay.iter().map(|it| (it, Vec::new()))) {
                    let target = self.target(manifest_key, targets, file)?;
                    let key = keys::archive(file.blake3, file.sha256);
                    let archive = archives.entry(key).or_insert_with(|| {
                        named += 1;
                        Archive { tree: file.blake3, file: target, pages: Vec::new() }
                    });
                    archive.pages.extend(pages);
                }
            }
            ranges.sort_unstable();
            if ranges.windows(2).any(|pair| pair[1].0 <= pair[0].1) || ranges.iter().any(|(min, max)| max < min) {
                let problem = format!("two releases of `{}` claim the same shells", program.app_id);
                return Err(finding(manifest_key, problem));
            }
        }
        for archive in archives.values_mut() {
            archive.pages.sort();
            archive.pages.dedup();
        }
        match named == targets.targets.len() {
            true => Ok(archives),
            false => Err(finding(targets_key, "it has targets that the manifest does not name".into())),
        }
    }

    fn target(&self, manifest_key: &str, targets: &Targets, file: &manifest::File) -> Result<TargetFile, Finding> {
        match targets.targets.get(&file.target) {
            Some(target)
                if file.target == file.blake3.to_string()
                    && target.length == file.length
                    && target.hashes.sha256 == file.sha256 =>
            {
                Ok(target.clone())
            }
            _ => Err(finding(
                manifest_key,
                format!("`{}` is not among the targets as the manifest names it", file.target),
            )),
        }
    }
}

fn get(objects: &dyn Objects, key: &str) -> Result<Vec<u8>, Finding> {
    match objects.get(key) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(finding(key, "it is missing".into())),
        Err(why) => Err(finding(key, format!("it cannot be read: {why}"))),
    }
}

fn check_bytes(key: &str, bytes: &[u8], length: u64, sha256: Sha256) -> Result<(), Finding> {
    match () {
        () if bytes.len() as u64 != length => {
            Err(finding(key, format!("it has {} bytes, signed metadata says {length}", bytes.len())))
        }
        () if Sha256::of(bytes) != sha256 => Err(finding(key, "its bytes are not those that were signed for".into())),
        () => Ok(()),
    }
}

/// Whether shares stand in order, and name only what they can differ in.
fn cohorts(manifest: &Manifest) -> Result<(), String> {
    let percents: Vec<u32> = manifest.cohorts.iter().map(|it| it.percent).collect();
    if !percents.is_sorted_by(|a, b| a < b) || percents.iter().any(|it| !(1..100).contains(it)) {
        return Err(format!("its cohorts have the shares {percents:?}"));
    }
    let is_known = |app_id: &String| manifest.mini_programs.iter().any(|it| it.app_id == *app_id);
    match manifest.cohorts.iter().flat_map(|it| &it.without).find(|it| !is_known(it)) {
        Some(app_id) => Err(format!("a cohort is without `{app_id}`, which nobody has")),
        None => Ok(()),
    }
}

fn finding(key: &str, problem: String) -> Finding {
    Finding { key: key.into(), problem }
}

#[cfg(test)]
mod tests {
    use super::ForeignNames;

    #[test]
    fn a_foreign_name_is_found_as_a_whole_word_only() {
        let names = ForeignNames::new([("aaaa", "t_12"), ("bbbb", "t_123")].into_iter());
        assert_eq!(names.find(b"\"t_123\"", Some("bbbb")), None, "`t_12` is only a part of it");
        assert_eq!(names.find(b"\"t_12\"", Some("bbbb")), Some("t_12"));
        assert_eq!(names.find(b"t/aaaa/timestamp.json", Some("bbbb")), Some("aaaa"));
        assert_eq!(names.find(b"nobody", None), None);
    }
}
