//! What the attacker serves: an honest publication, and what was done to it.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use tenantry::digest::{Blake3, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::attack::{Entry, From, Step};
use crate::forge::{self, own_keys, signed};
use crate::project::Files;
use crate::world::{VICTIM, World};

pub(crate) struct Stage<'a> {
    world: &'a World,
    pub(crate) files: Files,
    serves: u64,
    has: u64,
    /// Where a role lies, if an attacker has moved it.
    moved: BTreeMap<String, String>,
}

impl Stage<'_> {
    pub(crate) fn new(world: &World, serves: u64, has: u64) -> Stage<'_> {
        Stage { world, files: world.publication(serves).clone(), serves, has, moved: BTreeMap::new() }
    }

    /// Does what changes files of the server.
    pub(crate) fn does(&mut self, step: &Step) {
        match step {
            Step::Serve { file, from } => {
                let bytes = self.taken(file, from);
                self.files.insert(self.path(file), bytes);
            }
            Step::Impersonate { tenant } => self.impersonate(tenant),
            Step::Flip { file, byte } => self.bytes(file)[*byte] ^= 1,
            Step::Truncate { file, to } => self.bytes(file).truncate(*to),
            Step::Append { file, text } => self.bytes(file).extend_from_slice(text.as_bytes()),
            Step::Replace { file, text } => *self.bytes(file) = text.clone().into_bytes(),
            Step::Text { file, from, to } => self.replace(file, from, to),
            Step::Remove { file } => {
                let path = self.path(file);
                self.files.remove(&path).expect("it was there");
            }
            Step::Edit { role, set, remove, signers, named } => {
                let signers = signers.clone().unwrap_or_else(|| own_keys(role));
                let mut says = self.says(role);
                for (pointer, value) in set {
                    forge::put(&mut says, &self.filled(pointer), forge::fill(value, &|it| self.filled(it)));
                }
                remove.iter().for_each(|pointer| forge::take(&mut says, &self.filled(pointer)));
                self.sign(role, &says, &signers, named.as_deref());
            }
            Step::Signatures { role, how } => {
                let mut file = self.json(role);
                forge::change_signatures(&mut file, *how);
                *self.bytes(role) = serde_json::to_vec(&file).expect("JSON");
            }
            Step::Repin { roles } => roles.iter().for_each(|role| self.repin(role)),
            Step::Manifest { set } => {
                let mut manifest = self.json("manifest");
                for (pointer, value) in set {
                    forge::put(&mut manifest, pointer, forge::fill(value, &|it| self.filled(it)));
                }
                self.publish_manifest(&manifest, None);
            }
            Step::Bundle { entries } => self.publish_bundle(&archive(entries)),
            Step::Roots { until } => (2..=*until).for_each(|version| {
                let mut says = self.says("root");
                says["version"] = json!(version);
                self.sign("root", &says, &own_keys("root"), None);
            }),
            Step::Network { .. } | Step::Device { .. } => panic!("it changes no file of the server"),
        }
    }

    /// Where a file lies that is called by its role, by `manifest`, `bundle` (that of `chat`), `root <N>`, or its path.
    pub(crate) fn path(&self, file: &str) -> String {
        let addr = self.world.addr(VICTIM);
        match file {
            _ if self.moved.contains_key(file) => self.moved[file].clone(),
            "timestamp" => format!("t/{addr}/timestamp.json"),
            "snapshot" | "targets" => role_path(&self.files, addr, file),
            "root" => format!("root/{}.root.json", self.files.keys().filter(|it| it.starts_with("root/")).count()),
            "manifest" => {
                let targets = self.says("targets");
                let sha256 = &targets["targets"][format!("{addr}.manifest.json")]["hashes"]["sha256"];
                format!("o/{}.{addr}.manifest.json", sha256.as_str().expect("a digest"))
            }
            "bundle" => {
                let manifest = self.json("manifest");
                let bundle = &manifest["mini_programs"][chat(&manifest)]["releases"][0]["bundle"];
                format!("o/{}.{}", bundle["sha256"].as_str().expect("text"), bundle["target"].as_str().expect("text"))
            }
            file => match file.strip_prefix("root ") {
                Some(version) => format!("root/{version}.root.json"),
                None => self.filled(file),
            },
        }
    }

    /// Text with addresses, key ids and digests filled in.
    pub(crate) fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for name in forge::KEYS {
            text = text.replace(&format!("@id:{name}"), &forge::key_id(name));
        }
        for tenant in [VICTIM, "bolt", "corn"] {
            text = text.replace(&format!("@addr:{tenant}"), self.world.addr(tenant));
        }
        for program in ["chat", "notes"] {
            let name = format!("@tree:{program}");
            if text.contains(&name) {
                text = text.replace(&name, &self.world.tree(self.has, program));
            }
        }
        text
    }

    fn bytes(&mut self, file: &str) -> &mut Vec<u8> {
        let path = self.path(file);
        self.files.get_mut(&path).unwrap_or_else(|| panic!("there is no `{path}`"))
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_slice(&self.files[&self.path(file)]).expect("JSON")
    }

    /// What a role says.
    fn says(&self, role: &str) -> Value {
        self.json(role)["signed"].clone()
    }

    fn replace(&mut self, file: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.bytes(file).clone()).expect("text");
        assert!(text.contains(from), "`{from}` is not in the {file}: {text}");
        *self.bytes(file) = text.replacen(from, to, 1).into_bytes();
    }

    fn taken(&self, file: &str, from: &From) -> Vec<u8> {
        let source = Stage::new(self.world, from.publication.unwrap_or(self.serves), self.has);
        let file = from.file.as_deref().unwrap_or(file);
        let path = match (from.tenant.as_deref().map(|it| self.world.addr(it)), file) {
            (None, file) => source.path(file),
            (Some(addr), "timestamp") => format!("t/{addr}/timestamp.json"),
            (Some(addr), "manifest") => {
                let suffix = format!(".{addr}.manifest.json");
                source.files.keys().find(|it| it.ends_with(&suffix)).expect("a manifest").clone()
            }
            (Some(addr), role) => role_path(&source.files, addr, role),
        };
        source.files.get(&path).unwrap_or_else(|| panic!("there is no `{path}`")).clone()
    }

    fn impersonate(&mut self, tenant: &str) {
        let (own, other) = (format!("t/{}/", self.world.addr(VICTIM)), format!("t/{}/", self.world.addr(tenant)));
        self.files.retain(|key, _| !key.starts_with(&own));
        let theirs = self.files.iter().filter_map(|(key, bytes)| Some((key.strip_prefix(&other)?, bytes.clone())));
        let theirs: Vec<_> = theirs.map(|(key, bytes)| (format!("{own}{key}"), bytes)).collect();
        self.files.extend(theirs);
    }

    fn sign(&mut self, role: &str, says: &Value, signers: &[String], named: Option<&str>) {
        let version = named.map_or_else(|| says["version"].to_string(), str::to_owned);
        let path = match role {
            "root" => format!("root/{version}.root.json"),
            "timestamp" => self.path("timestamp"),
            role => format!("t/{}/{version}.{role}.json", self.world.addr(VICTIM)),
        };
        self.files.insert(path.clone(), signed(says, signers));
        self.moved.insert(role.to_owned(), path);
    }

    /// Has a role name what is there of the role below it.
    fn repin(&mut self, role: &str) {
        let below = if role == "snapshot" { "targets" } else { "snapshot" };
        let bytes = self.bytes(below).clone();
        let version = self.says(below)["version"].clone();
        let mut says = self.says(role);
        says["meta"][format!("{below}.json")] = json!({ "hashes": { "sha256": Sha256::of(&bytes).to_string() }, "length": bytes.len(), "version": version });
        self.sign(role, &says, &own_keys(role), None);
    }

    /// Serves a manifest, and has everything above it name it; with it a bundle, if there is a new one.
    fn publish_manifest(&mut self, manifest: &Value, bundle: Option<(String, Value)>) {
        let addr = self.world.addr(VICTIM);
        let bytes = serde_json::to_vec(manifest).expect("JSON");
        let sha256 = Sha256::of(&bytes).to_string();
        let mut targets = self.says("targets");
        targets["targets"][format!("{addr}.manifest.json")] =
            json!({ "hashes": { "sha256": sha256 }, "length": bytes.len() });
        if let Some((name, target)) = bundle {
            targets["targets"][name] = target;
        }
        self.files.insert(format!("o/{sha256}.{addr}.manifest.json"), bytes);
        self.sign("targets", &targets, &own_keys("targets"), None);
        self.repin("snapshot");
        self.repin("timestamp");
    }

    /// Serves an archive under a name that is not the digest of its files.
    fn publish_bundle(&mut self, archive: &[u8]) {
        let (sha256, tree) = (Sha256::of(archive).to_string(), Blake3::of(archive).to_string());
        let mut manifest = self.json("manifest");
        let at = chat(&manifest);
        let bundle = &mut manifest["mini_programs"][at]["releases"][0]["bundle"];
        for (field, value) in [
            ("blake3", json!(tree)),
            ("length", json!(archive.len())),
            ("sha256", json!(sha256)),
            ("target", json!(tree)),
        ] {
            bundle[field] = value;
        }
        self.files.insert(format!("o/{sha256}.{tree}"), archive.to_vec());
        let target = json!({ "hashes": { "sha256": sha256 }, "length": archive.len() });
        self.publish_manifest(&manifest, Some((tree, target)));
    }
}

/// The one file of a role that a tenant has.
fn role_path(files: &Files, addr: &str, role: &str) -> String {
    let (prefix, suffix) = (format!("t/{addr}/"), format!(".{role}.json"));
    let mut keys = files.keys().filter(|it| it.starts_with(&prefix) && it.ends_with(&suffix));
    keys.next_back().expect("a file of the role").clone()
}

/// The place of `chat` in a manifest.
fn chat(manifest: &Value) -> usize {
    let programs = manifest["mini_programs"].as_array().expect("a list");
    programs.iter().position(|it| it["app_id"] == "com.example.chat").expect("chat is there")
}

fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for entry in entries {
        match &entry.link {
            Some(target) => archive.add_symlink(&*entry.path, &**target, options).expect("memory takes every write"),
            None => {
                archive.start_file(&*entry.path, options).expect("memory takes every write");
                archive.write_all(entry.text.as_bytes()).expect("memory takes every write");
            }
        }
    }
    archive.finish().expect("memory takes every write").into_inner()
}
