//! The whole way: published to a bucket of SeaweedFS, fetched by clients that we did not write, through each cache.

use std::fs;
use std::process::Command;

use tenantry::index::keys;
use tenantry::store::{Cache, content_type};

use crate::behaviour::small_site;
use crate::clients::{self, follow, index, published};
use crate::edges::{Edge, Store};
use crate::raw::{ask, get};
use crate::servers::RealServer;
use crate::serving::Serving;
use crate::site::Site;

/// A project whose store is a bucket that anybody may read, with its `state/` in another one.
fn site(server: &RealServer) -> Site {
    let site = small_site();
    let endpoint = server.endpoint();
    let store = format!(
        "  stores:\n    - name: cdn\n      s3: {{ bucket: public, endpoint: \"{endpoint}\" }}\n      state: {{ s3: {{ bucket: tenantry, endpoint: \"{endpoint}\" }} }}\n"
    );
    site.edit("tenantry.yaml", "spec:\n", &format!("spec:\n{store}"));
    site.tenantry(&["compile"]);
    site
}

fn command(server: &RealServer, site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().envs(server.environment()).args(arguments).arg("--project").arg(site.project());
    command
}

fn publish(server: &RealServer, site: &Site) {
    let output = command(server, site, &["publish"]).output().expect("the binary was built with this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// One server for all: it takes seconds to start, and half a gigabyte.
#[test]
fn what_was_published_to_a_bucket_is_seen_by_everybody_and_so_is_what_comes_next() {
    let Some(server) = RealServer::seaweedfs() else { return };
    let site = site(&server);
    publish(&server, &site);
    is_served_to_this_machine(&server, &site);
    if let Some(edge) = Edge::nginx(store(&server)) {
        shows_the_publication(&edge, &site);
    }
    let Some(edge) = Edge::varnish(store(&server)) else { return };
    shows_the_publication(&edge, &site);

    site.edit("catalog/plans/starter.yaml", "storage_gb: ", "storage_gb: 1");
    site.tenantry(&["compile"]);
    publish(&server, &site);
    // A minute later it would be seen by itself.
    for addr in index(&site).tenants.keys() {
        let path = format!("/{}", keys::timestamp(addr));
        assert_eq!(ask(edge.address(), "PURGE", &path, &[]).expect("an answer").status, 200);
    }
    shows_the_publication(&edge, &site);
}

fn is_served_to_this_machine(server: &RealServer, site: &Site) {
    let serving = Serving::start(command(server, site, &["serve", "--port", "0", "--store", "cdn"]));
    let addr = index(site).tenants.keys().next().expect("there are tenants").clone();
    let key = keys::timestamp(&addr);
    let answer = get(serving.address(), &format!("/{key}"), &[]);
    assert_eq!((answer.status, answer.body), (200, fs::read(site.out().join(key)).expect("it was compiled")));
    assert_eq!(get(serving.address(), "/state/head.json", &[]).status, 404);
}

fn store(server: &RealServer) -> Store<'static> {
    let address = server.endpoint().strip_prefix("http://").and_then(|it| it.parse().ok()).expect("an address");
    Store { address, path: "/public" }
}

fn shows_the_publication(edge: &Edge, site: &Site) {
    let index = index(site);
    for (addr, record) in &index.tenants {
        let bundles = index.bundles.iter().map(|(tree, it)| keys::archive(*tree, it.sha256));
        for key in record.files(addr).map(|(key, _)| key).chain(bundles).chain([keys::root(1)]) {
            let answer = get(edge.address(), &format!("/{key}"), &[]);
            let bytes = fs::read(site.out().join(&key)).expect("it was compiled");
            assert_eq!((answer.status, answer.body == bytes), (200, true), "{key}: {:?}", answer.headers);
            assert_eq!(answer.header("cache-control"), Some(Cache::of(&key).header()), "{key}");
            assert_eq!(answer.header("content-type"), Some(content_type(&key)), "{key}");
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{key}");
            let etag = answer.header("etag").expect("a version");
            assert_eq!(get(edge.address(), &format!("/{key}"), &[("If-None-Match", etag)]).status, 304, "{key}");
            // Nothing tells which server stands behind.
            let told = answer.headers.iter().filter(|(name, _)| name.contains("amz") || name == "server");
            assert!(told.into_iter().all(|(_, value)| value == "nginx"), "{:?}", answer.headers);
        }
        let root = get(edge.address(), &format!("/t/{addr}/1.root.json"), &[]);
        assert_eq!(root.status, 200);
        assert_eq!(get(edge.address(), &format!("/t/{addr}/9.root.json"), &[]).status, 404);
    }
    assert_eq!(get(edge.address(), "/state/head.json", &[]).status, 404);
    assert_eq!(get(edge.address(), "/", &[]).status, 404);

    let published = published(site);
    let addrs: Vec<&str> = published.iter().map(|it| it.addr.as_str()).collect();
    for client in [clients::python_tuf(), clients::tuf_js(), clients::tough()].into_iter().flatten() {
        let state = tempfile::tempdir().expect("a folder for the test");
        let followed = follow(&client, &edge.url(), &site.first_root(), state.path(), &addrs);
        assert_eq!(followed.as_ref(), Ok(&published), "{client:?}");
    }
}
