//! Stores that we have not written: one that keeps its word, and one that does not.
#![expect(clippy::disallowed_methods, reason = "a test compares the servers' clocks with ours, and looks for parts")]

#[path = "support/parts.rs"]
#[expect(dead_code, reason = "others need Python and tough")]
mod parts;
#[path = "support/servers.rs"]
mod servers;
#[path = "store_contract/situations.rs"]
#[expect(dead_code, reason = "here nothing is left out")]
mod situations;

use servers::RealServer;
use situations::SITUATIONS;
use tenantry::store::Patience;
use tenantry::store::probe::{Publishing, conditions, examine};
use tenantry::time::Timestamp;

#[test]
fn seaweedfs_keeps_its_word() {
    let Some(server) = RealServer::seaweedfs() else { return };
    let mut broken = Vec::new();
    for (number, (name, situation)) in SITUATIONS.iter().enumerate() {
        if let Err(why) = situation(&server.store_below(&format!("situation-{number}/"))) {
            broken.push(format!("{name}: {why}"));
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    let store = server.store_below("probe/");
    assert_eq!(conditions(&store, Patience::NORMAL).expect("it can be asked"), Publishing::Safe);
    let report = examine(&store, Patience::NORMAL, now()).expect("it can be asked");
    assert!(report.is_sound(), "{report:#?}");
}

#[test]
fn juicefs_is_caught() {
    let Some(server) = RealServer::juicefs() else { return };
    let store = server.store_below("probe/");
    let Publishing::Unsafe(why) = conditions(&store, Patience::NORMAL).expect("it can be asked") else {
        panic!("it knows no conditions")
    };
    assert_eq!(
        why,
        "an object was created that was there: a publisher overwrites what another one has put under the same name"
    );
    let report = examine(&store, Patience::NORMAL, now()).expect("it can be asked");
    let broken: Vec<&str> = report.findings.iter().filter(|it| it.is_broken()).map(|it| it.check).collect();
    assert_eq!(broken, ["create-once", "refuse-stale", "refuse-missing", "race-to-create", "race-to-replace"]);
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    Timestamp::from_unix(since.as_secs().cast_signed()).expect("it is before 9999")
}
