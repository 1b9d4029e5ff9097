//! A TUF repository in memory, of anybody's making: change what a role says, publish it, and break what you like.
//!
//! It shares nothing with `trust` that is under test: its canonical JSON is serde_json's, which is the same for ASCII.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tenantry::metadata::keys::{FileKey, Signer as _};

/// The roles that every repository has, in the order in which they are published.
pub(crate) const TOP: [&str; 4] = ["targets", "snapshot", "timestamp", "root"];

/// What was published, and what will be.
pub(crate) struct Simulated {
    /// What each role says. `publish` adds one to its version and signs it.
    pub(crate) signed: BTreeMap<String, Value>,
    /// Who signs each role.
    pub(crate) pens: BTreeMap<String, Vec<Pen>>,
    /// What is served, by path below the base URL.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Whether metadata names other metadata by length and hash, too.
    pub(crate) pins: bool,
    expires: String,
    pens_made: u8,
}

/// A key that signs, under whatever id.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pen {
    pub(crate) id: String,
    seed: u8,
}

impl Pen {
    fn key(&self) -> FileKey {
        FileKey::from_seed([self.seed; 32])
    }

    /// The key object that metadata lists.
    pub(crate) fn public(&self) -> Value {
        serde_json::to_value(self.key().public_key()).expect("a key is JSON")
    }

    /// An entry of `signatures`.
    pub(crate) fn sign(&self, message: &[u8]) -> Value {
        let signature = self.key().sign(message).expect("a key in memory signs");
        json!({ "keyid": self.id, "sig": HEXLOWER.encode(&signature.0) })
    }
}

impl Simulated {
    /// The four roles, one key each, version 1, good until then.
    pub(crate) fn new(expires: &str) -> Simulated {
        let common = |kind: &str| json!({ "_type": kind, "spec_version": "1.0.34", "version": 0, "expires": expires });
        let mut simulated = Simulated {
            signed: TOP.map(|role| (role.to_owned(), common(role))).into(),
            pens: BTreeMap::new(),
            files: BTreeMap::new(),
            pins: false,
            expires: expires.to_owned(),
            pens_made: 0,
        };
        simulated.says("root", "consistent_snapshot", json!(true));
        simulated.says("root", "keys", json!({}));
        simulated.says("root", "roles", json!({}));
        simulated.says("targets", "targets", json!({}));
        simulated.says("snapshot", "meta", json!({}));
        simulated.says("timestamp", "meta", json!({}));
        for role in TOP {
            simulated.signed.get_mut("root").expect("a root")["roles"][role] = json!({ "keyids": [], "threshold": 1 });
            simulated.add_key("root", role);
        }
        simulated.publish(&TOP);
        simulated
    }

    /// Changes one field of a role.
    pub(crate) fn says(&mut self, role: &str, field: &str, value: Value) {
        self.signed.get_mut(role).expect("a role")[field] = value;
    }

    /// Signs these roles, each a version on, and serves them. What names them learns of it, and is not published.
    pub(crate) fn publish(&mut self, roles: &[&str]) {
        for role in roles {
            let version = self.version(role) + 1;
            self.says(role, "version", json!(version));
            let bytes = self.file(role);
            let named = self.named(role, &bytes);
            match *role {
                "root" | "timestamp" => {}
                "snapshot" => self.says("timestamp", "meta", json!({ "snapshot.json": named })),
                _ => self.signed.get_mut("snapshot").expect("a snapshot")["meta"][format!("{role}.json")] = named,
            }
            self.files.insert(self.path(role), bytes);
        }
    }

    /// The version that a role has now.
    pub(crate) fn version(&self, role: &str) -> u64 {
        self.signed[role]["version"].as_u64().expect("a version")
    }

    /// A role's file as it stands now, signed; spread over lines, as no canonical JSON is.
    pub(crate) fn file(&self, role: &str) -> Vec<u8> {
        let signed = &self.signed[role];
        let message = serde_json::to_vec(signed).expect("JSON");
        let signatures: Vec<Value> = self.pens[role].iter().map(|pen| pen.sign(&message)).collect();
        serde_json::to_vec_pretty(&json!({ "signatures": signatures, "signed": signed })).expect("JSON")
    }

    /// How another role names this one.
    fn named(&self, role: &str, bytes: &[u8]) -> Value {
        match self.pins {
            true => json!({ "version": self.version(role), "length": bytes.len(), "hashes": { "sha256": hex(bytes) } }),
            false => json!({ "version": self.version(role) }),
        }
    }

    /// Where a role's file is served.
    pub(crate) fn path(&self, role: &str) -> String {
        let is_versioned = role == "root" || self.signed["root"]["consistent_snapshot"] == json!(true);
        match is_versioned && role != "timestamp" {
            true => format!("metadata/{}.{}.json", self.version(role), encoded(role)),
            false => format!("metadata/{}.json", encoded(role)),
        }
    }

    /// A key that nobody has yet.
    pub(crate) fn new_pen(&mut self) -> Pen {
        self.pens_made += 1;
        let pen = Pen { id: String::new(), seed: self.pens_made };
        Pen { id: pen.key().key_id().to_string(), ..pen }
    }

    /// A new key for a role, which signs for it from now on.
    pub(crate) fn add_key(&mut self, delegator: &str, role: &str) {
        let pen = self.new_pen();
        self.list(delegator, role, &pen);
        self.pens.entry(role.to_owned()).or_default().push(pen);
    }

    /// Lists a key for a role. Whether it signs is another matter.
    pub(crate) fn list(&mut self, delegator: &str, role: &str, pen: &Pen) {
        let delegator = self.signed.get_mut(delegator).expect("a role");
        let keyids = match delegator.get_mut("delegations") {
            None => {
                delegator["keys"][&pen.id] = pen.public();
                &mut delegator["roles"][role]["keyids"]
            }
            Some(delegations) => {
                delegations["keys"][&pen.id] = pen.public();
                let roles = delegations["roles"].as_array_mut().expect("a list");
                let named = roles.iter_mut().rfind(|it| it["name"] == json!(role));
                &mut named.expect("a delegation")["keyids"]
            }
        };
        push(keyids, json!(pen.id));
    }

    /// All keys of a top role go, one new one comes.
    pub(crate) fn rotate(&mut self, role: &str) {
        self.signed.get_mut("root").expect("a root")["roles"][role]["keyids"] = json!([]);
        self.pens.remove(role);
        self.add_key("root", role);
    }

    /// A role that may name some files, with a key of its own.
    pub(crate) fn delegate(&mut self, delegator: &str, role: &str, more: Value) {
        let mut delegation = json!({ "name": role, "keyids": [], "threshold": 1, "terminating": false });
        delegation.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        let from = self.signed.get_mut(delegator).expect("a role");
        if from.get("delegations").is_none() {
            from["delegations"] = json!({ "keys": {}, "roles": [] });
        }
        push(&mut from["delegations"]["roles"], delegation);
        self.signed.entry(role.to_owned()).or_insert_with(|| {
            json!({ "_type": "targets", "spec_version": "1.0.34", "version": 0, "expires": self.expires, "targets": {} })
        });
        self.add_key(delegator, role);
    }

    /// A file that a role names, served under the name that its hash gives it.
    pub(crate) fn target(&mut self, role: &str, name: &str, bytes: &[u8]) {
        let hash = hex(bytes);
        let file = json!({ "length": bytes.len(), "hashes": { "sha256": hash } });
        self.signed.get_mut(role).expect("a role")["targets"][name] = file;
        let prefixed = match name.rsplit_once('/') {
            Some((folder, name)) => format!("targets/{folder}/{hash}.{name}"),
            None => format!("targets/{hash}.{name}"),
        };
        self.files.insert(prefixed, bytes.to_vec());
    }
}

fn push(list: &mut Value, item: Value) {
    list.as_array_mut().expect("a list").push(item);
}

/// SHA-256 in lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Percent-encoded, everything but letters, digits and `-._~`.
fn encoded(role: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    role.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
