//! The ordinary life of a device.

use tenantry::client::{Activated, Freshness};

use crate::device::{Device as _, World, at, running, text};
use crate::project::NOW;

#[test]
fn a_tenants_programs_come_and_start() {
    let world = World::new();
    let mut client = world.client("acme");
    assert_eq!(client.start(at(NOW)).freshness, Freshness::Nothing);
    let update = client.refreshes(NOW);
    assert_eq!(
        update.gained.iter().map(|it| &*it.app_id).collect::<Vec<_>>(),
        ["com.example.chat", "com.example.notes"]
    );
    assert!(matches!(client.activate().expect("activates"), Activated::Switched { from: None, .. }));
    let start = client.start(at(NOW));
    assert_eq!(running(&start), ["chat", "notes"]);
    let notes = start.program("com.example.notes").expect("a program");
    assert_eq!(text(&notes.file("index.html").expect("a page")), "<h1>notes</h1>\n");
    assert_eq!(text(&notes.file("config.txt").expect("an overlay")), "acme {\"colour\": \"red\"}");
    client.confirm_start().expect("confirms");
}
