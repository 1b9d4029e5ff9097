//! Three TUF clients that we did not write, unmodified, follow every tenant of the example project:
//! cold, with nothing new, after a change, and through the rotation of every key.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::clients;
use crate::clients::{Followed, follow, published};
use crate::http::Cdn;
use crate::site::Site;

/// The fewest tenants that count as many.
const MANY: usize = 25;

#[test]
fn python_tuf_follows_every_tenant() {
    // It asks for the next root and for the timestamp, and then knows that it has the rest.
    let polling = 2;
    follows_every_tenant(clients::python_tuf(), polling);
}

#[test]
fn tuf_js_follows_every_tenant() {
    let polling = 2;
    follows_every_tenant(clients::tuf_js(), polling);
}

#[test]
fn tough_follows_every_tenant() {
    // It fetches snapshot and targets each time.
    let polling = 4;
    follows_every_tenant(clients::tough(), polling);
}

/// The life of a project as one client sees it. `polling` is how often it asks about a tenant with nothing new.
fn follows_every_tenant(client: Option<Command>, polling: usize) {
    let Some(client) = client else { return };
    let site = Site::example();
    site.tenantry(&["compile"]);
    let cdn = Cdn::serve(&site.out());
    let tenants = published(&site).len();
    assert!(tenants >= MANY, "{tenants} tenants are not many");

    let devices = Devices::new(&client, &cdn, &site);
    devices.update();
    assert_eq!(devices.update(), polling * tenants, "nothing is new");

    site.edit("tenants/t/tidewater-utilities.yaml", "seats: 1250", "seats: 1300");
    site.tenantry(&["compile"]);
    // At most snapshot, targets and manifest, for one tenant only.
    let asked = devices.update() - polling * tenants;
    assert!((1..=3).contains(&asked), "one small change is {asked} requests");

    site.tenantry(&["keys", "rotate", "root", "--replace", &a_root_key(&site)]);
    site.tenantry(&["compile"]);
    devices.update();

    for role in ["entitlement", "freshness"] {
        for step in [&[][..], &["--finish"], &["--drop"]] {
            site.tenantry(&[&["keys", "rotate", role], step].concat());
            site.tenantry(&["compile"]);
            devices.update();
        }
    }
    // A device that was in a drawer all the time.
    Devices::new(&client, &cdn, &site).update();

    refuses_what_is_not_its_own(&client, &cdn, &site);
}

/// What the clients accept means something only if they refuse the rest.
fn refuses_what_is_not_its_own(client: &Command, cdn: &Cdn, site: &Site) {
    let [ours, others] = &published(site)[..2] else { panic!("there are many tenants") };
    let folder = |tenant: &Followed| site.out().join("t").join(&tenant.addr);
    fs::rename(folder(ours), site.project().join("aside")).expect("the project is writable");
    fs::rename(folder(others), folder(ours)).expect("the project is writable");
    let refusal = Devices::new(client, cdn, site).follow(&[&ours.addr]).expect_err("another tenant's files");
    assert!(refusal.contains(&format!("{}.manifest.json", ours.addr)), "{refusal}");

    fs::rename(folder(ours), folder(others)).expect("the project is writable");
    fs::rename(site.project().join("aside"), folder(ours)).expect("the project is writable");
    for object in fs::read_dir(site.out().join("o")).expect("objects were published") {
        let path = object.expect("objects are readable").path();
        let mut bytes = fs::read(&path).expect("objects are readable");
        *bytes.last_mut().expect("no object is empty") ^= 1;
        fs::write(path, bytes).expect("the project is writable");
    }
    Devices::new(client, cdn, site).follow(&[&ours.addr]).expect_err("one bit is wrong in every object");
}

/// The beginning of the id of a root key.
fn a_root_key(site: &Site) -> String {
    let listed: Value = serde_json::from_str(&site.tenantry(&["keys", "list", "--format", "json"])).expect("JSON");
    let keys = listed["keys"].as_array().expect("a list of keys");
    let root = keys.iter().find(|it| it["role"] == "root").expect("a root key");
    root["key_id"].as_str().expect("a key id").to_owned()
}

/// A device for every tenant. Each keeps what it has got.
struct Devices<'a> {
    client: &'a Command,
    cdn: &'a Cdn,
    site: &'a Site,
    state: TempDir,
}

impl<'a> Devices<'a> {
    /// Fresh from the factory: they know the first root and nothing else.
    fn new(client: &'a Command, cdn: &'a Cdn, site: &'a Site) -> Devices<'a> {
        Devices { client, cdn, site, state: tempfile::tempdir().expect("a folder for the test") }
    }

    /// Every device accepts what is published for its tenant. Returns how many requests that took.
    fn update(&self) -> usize {
        let published = published(self.site);
        let addrs: Vec<&str> = published.iter().map(|it| it.addr.as_str()).collect();
        self.cdn.take_requests();
        assert_eq!(self.follow(&addrs), Ok(published));
        self.cdn.take_requests().len()
    }

    fn follow(&self, addrs: &[&str]) -> Result<Vec<Followed>, String> {
        follow(self.client, &self.cdn.base_url(), &self.site.first_root(), self.state.path(), addrs)
    }
}
