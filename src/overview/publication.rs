//! What was published last, who may sign what, and the dates at which signatures and freeze windows end.

use serde::Serialize;

use crate::digest::Blake3;
use crate::index::Index;
use crate::metadata::keys::KeyId;
use crate::metadata::{RoleName, Root};
use crate::model::Catalog;
use crate::time::{Duration, Timestamp, Window};

/// A publication, as its index remembers it.
#[derive(Debug, Clone, Serialize)]
pub struct Published {
    /// Its number.
    pub publication: u64,
    /// Where it is for.
    pub environment: String,
    /// Who made it.
    pub compiler: String,
    /// From which commit.
    pub commit: Option<String>,
    /// Whether it was compiled from the very inputs that this document is about.
    pub is_current: bool,
    /// How many tenants it has.
    pub tenants: usize,
    /// How many public files.
    pub objects: usize,
    /// Bytes of all of them but the roots.
    pub bytes: u64,
    /// From when on devices of some tenant no longer believe that nothing is newer.
    pub freshness_until: Option<Timestamp>,
    /// From when on what was signed for some tenant no longer holds.
    pub signed_until: Option<Timestamp>,
}

/// What an index says of its publication.
pub fn published(index: &Index, inputs: Blake3) -> Published {
    let tenants = || index.tenants.values();
    let of_tenants = index.tenants.iter().flat_map(|(addr, it)| it.files(addr)).map(|(_, length)| length);
    let bundles = index.bundles.values().map(|it| it.length);
    Published {
        publication: index.publication,
        environment: index.environment.clone(),
        compiler: index.compiler.clone(),
        commit: index.commit.clone(),
        is_current: index.inputs == Some(inputs),
        tenants: index.tenants.len(),
        objects: index.public_files().count(),
        bytes: of_tenants.chain(bundles).sum(),
        freshness_until: tenants().map(|it| it.timestamp.expires).min(),
        signed_until: tenants().map(|it| it.targets.expires.min(it.snapshot.expires)).min(),
    }
}

/// A root that ends sooner than this is worth a warning: renewing it takes people.
const ROOT_WARNING: Duration = Duration::days(30);

/// So are other signatures: machines renew them when half of their life is over, and that has not happened then.
const SIGNATURE_WARNING: Duration = Duration::days(2);

/// Who may sign.
#[derive(Debug, Clone, Serialize)]
pub struct Trust {
    environment: String,
    root: RootNow,
    roles: Vec<SignedBy>,
}

#[derive(Debug, Clone, Serialize)]
struct RootNow {
    version: u64,
    expires: Timestamp,
    days_left: i64,
}

/// One of our three kinds of keys.
#[derive(Debug, Clone, Serialize)]
pub struct SignedBy {
    role: &'static str,
    /// How many of the keys must sign.
    threshold: u32,
    keys: Vec<KeyId>,
    /// What its signature says.
    signs: &'static str,
    /// When the first of its signatures ends.
    until: Option<Timestamp>,
    days_left: Option<i64>,
    /// Whether that is so soon that somebody should look.
    warn: bool,
    /// The root that named these keys first.
    changed: Changed,
}

#[derive(Debug, Clone, Serialize)]
struct Changed {
    version: u64,
}

/// What a chain of roots says, oldest first; none without roots.
pub fn trust(chain: &[&Root], published: Option<&Published>, now: Timestamp) -> Option<Trust> {
    let newest = chain.last()?;
    let kinds = [
        ("root", RoleName::Root, "which keys may sign for the other roles", Some(newest.expires)),
        ("entitlement", RoleName::Targets, "who may have what", published.and_then(|it| it.signed_until)),
        ("freshness", RoleName::Timestamp, "that nothing is newer", published.and_then(|it| it.freshness_until)),
    ];
    let roles = kinds.into_iter().map(|(role, name, signs, until)| {
        let soon = if name == RoleName::Root { ROOT_WARNING } else { SIGNATURE_WARNING };
        let keys = &newest.roles[&name];
        let same = chain.iter().rev().take_while(|it| it.roles[&name].keyids == keys.keyids);
        SignedBy {
            role,
            threshold: keys.threshold.get(),
            keys: keys.keyids.clone(),
            signs,
            until,
            days_left: until.map(|it| days(now, it)),
            warn: until.is_some_and(|it| it < now.plus(soon)),
            changed: Changed { version: same.last().map_or(newest.version, |it| it.version) },
        }
    });
    Some(Trust {
        environment: newest.tenantry.environment.clone(),
        root: RootNow { version: newest.version, expires: newest.expires, days_left: days(now, newest.expires) },
        roles: roles.collect(),
    })
}

/// Whole days; negative once it is over.
fn days(now: Timestamp, until: Timestamp) -> i64 {
    (until.unix() - now.unix()).div_euclid(86_400)
}

/// A date that is not a tenant's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mark {
    at: Timestamp,
    kind: &'static str,
    text: String,
}

/// Dates between two instants, earliest first.
pub fn marks(
    catalog: &Catalog,
    published: Option<&Published>,
    trust: Option<&Trust>,
    first: Timestamp,
    last: Timestamp,
) -> Vec<Mark> {
    let mark =
        |at: Option<Timestamp>, kind: &'static str, text: &str| at.map(|at| Mark { at, kind, text: text.to_owned() });
    let signed = [
        mark(
            trust.map(|it| it.root.expires),
            "root_expires",
            "the root expires: nothing that it vouches for is believed any more",
        ),
        mark(
            published.and_then(|it| it.signed_until),
            "signatures_end",
            "the first signature on what a tenant may have ends, unless it is published or refreshed before",
        ),
        mark(
            published.and_then(|it| it.freshness_until),
            "freshness_ends",
            "the first timestamp ends, unless it is published or refreshed before",
        ),
    ];
    let windows = catalog.profiles.iter().flat_map(|profile| {
        profile.freeze_windows.iter().flat_map(|(Window { from, until }, _)| {
            let name = &profile.name;
            let begins = format!("a freeze window of profile `{name}` begins: no newer versions until it is over");
            let ends = format!("a freeze window of profile `{name}` ends");
            [mark(*from, "freeze_begins", &begins), mark(*until, "freeze_ends", &ends)]
        })
    });
    let mut all: Vec<Mark> =
        signed.into_iter().chain(windows).flatten().filter(|it| first <= it.at && it.at <= last).collect();
    all.sort();
    all.dedup();
    all
}
