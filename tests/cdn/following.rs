//! TUF clients that we did not write follow tenants through a cache: cold, with nothing new, and after a change under
//! a new root.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::behaviour::{serve, small_site};
use crate::clients::{self, follow, published};
use crate::edges::{Edge, Store};
use crate::raw::get;
use crate::relay::Relay;

#[test]
fn clients_follow_every_tenant_through_nginx() {
    follows_through(Edge::nginx);
}

#[test]
fn clients_follow_every_tenant_through_varnish() {
    follows_through(Edge::varnish);
}

fn follows_through(edge: fn(Store<'_>) -> Option<Edge>) {
    let clients: Vec<Command> =
        [clients::python_tuf(), clients::tuf_js(), clients::tough()].into_iter().flatten().collect();
    if clients.is_empty() {
        return;
    }
    let site = small_site();
    let server = serve(&site);
    let relay = Relay::start(server.address());
    let Some(edge) = edge(Store { address: relay.address(), path: "" }) else { return };
    let states: Vec<_> = clients.iter().map(|_| tempfile::tempdir().expect("a folder for the test")).collect();
    let all_follow = |when: &str| {
        let published = published(&site);
        let addrs: Vec<&str> = published.iter().map(|it| it.addr.as_str()).collect();
        for (client, state) in clients.iter().zip(&states) {
            let followed = follow(client, &edge.url(), &site.first_root(), state.path(), &addrs);
            assert_eq!(followed.as_ref(), Ok(&published), "{when}, {client:?}");
        }
    };
    all_follow("cold");
    all_follow("with nothing new");

    site.tenantry(&["keys", "rotate", "freshness"]);
    site.edit("catalog/plans/starter.yaml", "storage_gb: ", "storage_gb: 1");
    site.tenantry(&["compile"]);
    site.tenantry(&["keys", "rotate", "freshness", "--finish"]);
    site.tenantry(&["compile"]);
    // Until everybody has forgotten that there was no second root, and the timestamps of before.
    thread::sleep(Duration::from_secs(11));
    all_follow("after a change under a new root");
    assert_eq!(get(edge.address(), "/root/2.root.json", &[]).status, 200);
}
