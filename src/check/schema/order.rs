//! The order in which authors write keys: that of the complete documents.

use serde_json::Value;

use super::{derive, examples};
use crate::parse::Kind;
use crate::parse::node::{Data, Node};
use crate::text::FileId;

/// The order of the keys of a mapping, and of those below.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Order {
    keys: Vec<(Box<str>, Order)>,
}

impl Order {
    /// The order of a kind of documents.
    pub fn of(kind: Kind) -> Order {
        let (documents, _) = crate::parse::file(FileId(0), examples::complete(kind).as_bytes());
        let mut order = Order::default();
        order.learn(&documents[0].root, "", &derive::schema(kind));
        order
    }

    /// Where a key stands among its neighbours. What is not known comes last, and keeps its order.
    pub fn rank(&self, key: &str) -> usize {
        self.keys.iter().position(|(known, _)| **known == *key).unwrap_or(usize::MAX)
    }

    /// The order below a key. There is none where authors choose the keys themselves.
    pub fn below(&self, key: &str) -> Option<&Order> {
        self.keys.iter().find(|(known, _)| **known == *key).map(|(_, below)| below)
    }

    fn learn(&mut self, node: &Node, pointer: &str, root: &Value) {
        let here = root.pointer(pointer).expect("the complete documents follow their schemas");
        let target = here.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
        let pointer = target.unwrap_or(pointer);
        match &node.data {
            Data::List(items) => {
                for item in items {
                    self.learn(item, &format!("{pointer}/items"), root);
                }
            }
            Data::Mapping(entries) if root.pointer(&format!("{pointer}/properties")).is_some() => {
                // Entries of a list need not have the same keys: one that is new goes behind the one before it.
                let mut next = 0;
                for entry in entries {
                    let known = self.rank(&entry.key);
                    let at = if known == usize::MAX { next } else { known };
                    if known == usize::MAX {
                        self.keys.insert(at, (entry.key.clone(), Order::default()));
                    }
                    self.keys[at].1.learn(&entry.value, &format!("{pointer}/properties/{}", entry.key), root);
                    next = at + 1;
                }
            }
            _ => {}
        }
    }
}
