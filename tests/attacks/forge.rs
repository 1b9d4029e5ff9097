//! Keys, own and stolen, and files of metadata that are changed and signed again.
//!
//! It shares nothing with `trust`: its canonical JSON is serde_json's, which is the same for ASCII.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tenantry::metadata::keys::{FileKey, Signer as _};

use crate::attack::Signatures;
use crate::project::{ENTITLEMENT_SEED, FRESHNESS_SEED, ROOT_SEEDS};

/// Every key that an attacker can name.
pub(crate) const KEYS: [&str; 5] = ["root-1", "root-2", "entitlement", "freshness", "stranger"];

/// A key by its name; nobody but the attacker has ever heard of `stranger`.
pub(crate) fn key(name: &str) -> FileKey {
    FileKey::from_seed(match name {
        "root-1" => ROOT_SEEDS[0],
        "root-2" => ROOT_SEEDS[1],
        "entitlement" => ENTITLEMENT_SEED,
        "freshness" => FRESHNESS_SEED,
        "stranger" => [77; 32],
        name => panic!("there is no key `{name}`"),
    })
}

/// The id of a key.
pub(crate) fn key_id(name: &str) -> String {
    key(name).key_id().to_string()
}

/// The keys that a role is signed with.
pub(crate) fn own_keys(role: &str) -> Vec<String> {
    let names: &[&str] = match role {
        "root" => &["root-1", "root-2"],
        "timestamp" => &["freshness"],
        _ => &["entitlement"],
    };
    names.iter().map(|it| (*it).to_owned()).collect()
}

/// The whole file: what is said, and who has signed it.
pub(crate) fn signed(says: &Value, signers: &[String]) -> Vec<u8> {
    let message = serde_json::to_vec(says).expect("JSON");
    let signature = |name: &String| {
        let key = key(name);
        let signature = key.sign(&message).expect("a key in memory signs");
        json!({ "keyid": key.key_id().to_string(), "sig": HEXLOWER.encode(&signature.0) })
    };
    let signatures: Vec<Value> = signers.iter().map(signature).collect();
    serde_json::to_vec(&json!({ "signatures": signatures, "signed": says })).expect("JSON")
}

/// Changes the signatures of a file.
pub(crate) fn change_signatures(file: &mut Value, how: Signatures) {
    let list = file["signatures"].as_array_mut().expect("a list");
    let mut again = list.first().expect("a signature").clone();
    match how {
        Signatures::None => list.clear(),
        Signatures::Twice => list.push(again),
        Signatures::TwiceInCapitals => {
            again["keyid"] = json!(again["keyid"].as_str().expect("text").to_uppercase());
            list.push(again);
        }
        Signatures::UnderAnotherId => {
            again["keyid"] = json!("0".repeat(64));
            list.push(again);
        }
        Signatures::Empty => list.iter_mut().for_each(|it| it["sig"] = json!("")),
        Signatures::NoHex => list.iter_mut().for_each(|it| it["sig"] = json!("not in hex")),
    }
}

/// Puts a value where a JSON pointer says; its last part may be new.
pub(crate) fn put(value: &mut Value, pointer: &str, new: Value) {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer begins with `/`");
    let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("there is no `{parent}`"));
    match parent {
        Value::Object(map) => {
            map.insert(last.to_owned(), new);
        }
        Value::Array(list) => list[last.parse::<usize>().expect("a place in a list")] = new,
        _ => panic!("`{pointer}` leads to nothing"),
    }
}

/// Takes away what a JSON pointer names.
pub(crate) fn take(value: &mut Value, pointer: &str) {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer begins with `/`");
    let map = value.pointer_mut(parent).and_then(Value::as_object_mut).expect("a map");
    map.remove(last).unwrap_or_else(|| panic!("there is no `{pointer}`"));
}

/// `@key:<name>` as a whole value is a key; the rest of what is in it is filled in by `text`.
pub(crate) fn fill(value: &Value, text: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(it) => match it.strip_prefix("@key:") {
            Some(name) => serde_json::to_value(key(name).public_key()).expect("a key is JSON"),
            None => Value::String(text(it)),
        },
        Value::Array(list) => list.iter().map(|it| fill(it, text)).collect(),
        Value::Object(map) => map.iter().map(|(name, it)| (text(name), fill(it, text))).collect(),
        other => other.clone(),
    }
}
