//! Whether what a store still holds says the same as the decision.

use serde::Serialize;

use super::super::Failure;
use super::basis::Published;
use crate::digest::Sha256;
use crate::index::keys;
use crate::manifest::Manifest;
use crate::pipeline::reproduce::{Decision, manifest};
use crate::publish::renewal::Public;
use crate::verify::Objects as _;

/// One comparison.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    /// With what.
    pub(super) what: String,
    pub(super) outcome: Outcome,
    /// How it differs, or why it could not be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
}

/// How a comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Same,
    Differs,
    NotCompared,
}

/// Compares the decision with the index of the publication, and with the manifest that devices got.
pub(super) fn check(published: &Published<'_>, decision: &Decision, position: usize) -> Result<Vec<Check>, Failure> {
    let number = published.shown.past.publication;
    let what = format!("the index of publication {number}");
    let (Some(index), Some((addr, record))) = (&published.shown.index, published.record()) else {
        let why = "`tenantry gc` has taken it, and with it the name of the manifest".to_owned();
        return Ok(vec![Check { what, outcome: Outcome::NotCompared, why: Some(why) }]);
    };
    let composed = decision.composed(position, index, record);
    let of_index = match composed.content == record.content {
        true => Check { what, outcome: Outcome::Same, why: None },
        false => {
            let why = "the digest of the tenant's content is another".to_owned();
            Check { what, outcome: Outcome::Differs, why: Some(why) }
        }
    };
    let key = keys::manifest(addr, record.manifest.sha256);
    let what = format!("the manifest `{key}`");
    let tools = published.store.tools(&|_| ());
    let objects = Public::new(&tools);
    let found = objects.get(&key);
    if let Some(failure) = objects.into_failure() {
        return Err(failure.into());
    }
    let (outcome, why) = match found {
        Ok(Some(bytes)) if Sha256::of(&bytes) != record.manifest.sha256 => {
            (Outcome::Differs, Some("its bytes are not those that its name says".to_owned()))
        }
        Ok(Some(bytes)) => match serde_json::from_slice::<Manifest>(&bytes) {
            Ok(there) if manifest(&composed, index, addr, record, &there.source) == bytes => (Outcome::Same, None),
            Ok(there) => (Outcome::Differs, Some(format!("`{}` has made it", there.source.compiler))),
            Err(why) => (Outcome::Differs, Some(format!("it is no manifest: {why}"))),
        },
        Ok(None) => (Outcome::NotCompared, Some("it is no longer there".to_owned())),
        Err(why) => (Outcome::NotCompared, Some(why)),
    };
    Ok(vec![of_index, Check { what, outcome, why }])
}
