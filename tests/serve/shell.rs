//! What a shell makes of each switch: what it says, that nothing is lost, and that the next honest answer heals it.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;
use tenantry::client::{Client, Config, Pace, StaleEdge, Update};

use crate::project::{NOW, Project, time};
use crate::serving::Serving;
use crate::{development, serve};

/// A device with one tenant's programs, and the project that they come from.
struct Device {
    project: Project,
    folder: TempDir,
}

impl Device {
    /// Fresh from the factory.
    fn new() -> Device {
        let project = development();
        project.run(&["compile"]).ok();
        Device { project, folder: tempfile::tempdir().expect("a folder for the test") }
    }

    /// With what there is now.
    fn warm() -> Device {
        let device = Device::new();
        let server = serve(&device.project, &["--no-watch"]);
        assert_eq!(device.takes_up(&server), ["com.example.chat", "com.example.notes"]);
        device
    }

    fn client(&self, server: &Serving) -> Client {
        let root = fs::read(self.project.path(".tenantry/development-keys/root/1.root.json")).expect("a root");
        let url = format!("http://{}/", server.address());
        let mut config = Config::new(self.folder.path(), url, self.project.addr("acme"), root, 12);
        config.limits.pace =
            Pace { least_rate: 1024, over: Duration::from_millis(700), in_all: Duration::from_secs(20) };
        Client::open(config).expect("opens")
    }

    fn refresh(&self, server: &Serving) -> Result<Update, &'static str> {
        self.client(server).refresh(time(NOW)).map_err(|error| error.code())
    }

    /// Refreshes, activates and starts; what runs then.
    #[track_caller]
    fn takes_up(&self, server: &Serving) -> Vec<String> {
        let mut client = self.client(server);
        client.refresh(time(NOW)).expect("an honest server");
        client.activate().expect("a folder of its own");
        let start = client.start(time(NOW));
        let running = start.runnable().map(|it| it.app_id.clone()).collect();
        client.confirm_start().expect("it was started");
        running
    }

    /// What would run without any network.
    fn runs(&self, server: &Serving) -> Vec<String> {
        self.client(server).look(time(NOW)).runnable().map(|it| it.app_id.clone()).collect()
    }
}

/// With these switches a refresh fails with this code, for a device that has nothing and for one that has a
/// publication and is offered the next. Both are well again once the server is honest.
#[track_caller]
fn refused(arguments: &[&str], code: &str) {
    refused_until(arguments, code, 0);
}

/// The same where it takes so many more publications until devices are well.
#[track_caller]
fn refused_until(arguments: &[&str], code: &str, publications: usize) {
    let (cold, warm) = (Device::new(), Device::warm());
    for (device, before) in [(cold, &[][..]), (warm, &["com.example.chat", "com.example.notes"])] {
        // Another look for everybody: a new manifest, and a new overlay.
        device.project.edit("catalog/programs/notes/templates/config.j2", "tojson", "tojson | upper");
        device.project.edit("catalog/programs/chat/app/index.html", "chat", "chat again");
        device.project.run(&["compile"]).ok();
        let server = serve(&device.project, &[&["--no-watch"], arguments].concat());
        for _ in 0..2 {
            assert_eq!(device.refresh(&server).map(|it| it.publication), Err(code), "{arguments:?}");
            assert_eq!(device.runs(&server), before, "{arguments:?}");
        }
        drop(server);
        for at in 0..publications {
            let next = format!("notes, {at}");
            device.project.edit("catalog/programs/notes/program.yaml", "  name: notes", &format!("  name: {next}"));
            device.project.run(&["compile"]).ok();
        }
        let honest = serve(&device.project, &["--no-watch"]);
        assert_eq!(device.takes_up(&honest), ["com.example.chat", "com.example.notes"], "{arguments:?}");
    }
}

#[test]
fn a_shell_keeps_what_it_has_when_an_edge_is_stale() {
    let device = Device::new();
    let server = serve(&device.project, &["--stale"]);
    device.takes_up(&server);
    device.project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    server.says("publication 2: 1 changed");
    let mut updates = Vec::new();
    for _ in 0..6 {
        updates.push(device.refresh(&server).expect("an old copy is no error"));
    }
    let newest = updates.iter().position(|it| it.publication == 2).expect("every second time it is the newest");
    assert!(newest <= 1, "{newest}");
    for (at, update) in updates.iter().enumerate().skip(newest) {
        assert_eq!(update.publication, 2, "it never goes back");
        let stale = StaleEdge { known: 2, served: 1, since: time(NOW) };
        assert_eq!(update.stale_edge, ((at - newest) % 2 == 1).then_some(stale), "{at}");
        assert_eq!(update.lost.iter().map(|it| &*it.app_id).collect::<Vec<_>>(), ["com.example.chat"], "{at}");
    }
}

#[test]
fn a_shell_takes_up_an_old_publication_that_still_holds() {
    let device = Device::new();
    let server = serve(&device.project, &["--stale=start"]);
    device.project.edit("tenants/acme.yaml", "plan: business", "plan: starter");
    server.says("publication 2: 1 changed");
    assert_eq!(device.takes_up(&server), ["com.example.chat", "com.example.notes"], "as of the start");
}

#[test]
fn a_shell_starts_without_a_network() {
    refused(&["--offline"], "unreachable");
    refused(&["--offline=503"], "server");
}

#[test]
fn a_shell_refuses_what_has_expired() {
    refused(&["--expired"], "expired");
    // The timestamp above these was good, so a device goes no way back from it: it waits for a higher number, and the
    // first one after it is taken.
    refused_until(&["--expired=snapshot"], "expired", 2);
    refused_until(&["--expired=targets"], "expired", 2);
}

#[test]
fn a_shell_gives_up_a_server_that_is_too_slow() {
    refused(&["--slow", "100"], "too-slow");
}

#[test]
fn a_shell_never_takes_half_of_something() {
    for kind in ["timestamp", "snapshot", "targets", "manifest", "bundle"] {
        refused(&[&format!("--truncate={kind}")], "cut-short");
    }
    refused(&["--truncate"], "cut-short");
}

#[test]
fn a_shell_refuses_what_was_tampered_with() {
    refused(&["--tamper"], "damaged");
    refused(&["--tamper=manifest"], "damaged");
    refused(&["--tamper=bundle"], "damaged");
    refused(&["--tamper=snapshot"], "mixed-up");
    refused(&["--tamper=targets"], "mixed-up");
    refused(&["--tamper=timestamp"], "signatures");
}

#[test]
fn a_shell_survives_everything_at_once() {
    refused(&["--stale", "--tamper=bundle", "--truncate=bundle", "--slow", "5000"], "cut-short");
    refused(&["--expired", "--tamper", "--slow", "5000"], "expired");
}
