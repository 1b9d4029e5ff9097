//! Attacks on a device, one folder each: `tests/attacks/<name>/attack.yaml` says what somebody does to an honest
//! publication or to the device, and how it must end. `tests/attacks/attack.rs` has the words of such a file.
//!
//! For each one it is shown that the refresh ends as the file says; that nothing is remembered but what was verified
//! before the attack was found out; that what was installed still starts; and that the next honest refresh heals.
#![expect(clippy::disallowed_methods, reason = "tests read attacks, and look at what lies on the disk of a device")]

#[path = "support/listing.rs"]
mod listing;
#[path = "support/origin.rs"]
#[expect(dead_code, reason = "the tests of the client use more of it")]
mod origin;
#[path = "support/parts.rs"]
#[expect(dead_code, reason = "only Node is needed here")]
mod parts;
#[path = "support/project.rs"]
mod project;

#[path = "attacks/attack.rs"]
mod attack;
#[path = "attacks/device.rs"]
mod device;
#[path = "attacks/forge.rs"]
mod forge;
#[path = "attacks/stage.rs"]
mod stage;
#[path = "attacks/web.rs"]
mod web;
#[path = "attacks/world.rs"]
mod world;

use std::fs;
use std::path::Path;
use std::process::Command;

use attack::Attack;
use web::Web;
use world::World;

/// So many there are at least: the suite does not shrink unnoticed.
const LEAST: usize = 60;

/// Everything that can be attacked, and every folder.
#[test]
#[expect(clippy::print_stdout, reason = "says how many attacks there were")]
fn every_attack_ends_as_its_folder_says_and_the_next_honest_refresh_heals() {
    let attacks = attacks();
    println!("attacks: {}", attacks.len());
    assert!(attacks.len() >= LEAST, "{} of at least {LEAST} attacks are left", attacks.len());
    let world = World::new();
    assert_eq!(failed(&attacks, &|attack| device::suffers(&world, attack)), Vec::<String>::new());
}

/// The same for the client of the web shell, which is another program in another language.
#[test]
#[expect(clippy::print_stdout, reason = "says how many attacks there were")]
fn the_client_in_a_browser_withstands_the_same_attacks() {
    let has_node = Command::new("node").arg("--version").output().is_ok();
    if !parts::present_or_demanded("Node", has_node) {
        return;
    }
    let (world, attacks) = (World::new(), attacks());
    let web = Web::new(&world);
    let left_out = std::cell::Cell::new(0);
    let suffers = |attack: &Attack| {
        if web::is_about_it(attack) {
            return web.suffers(attack);
        }
        left_out.set(left_out.get() + 1);
        Ok(())
    };
    assert_eq!(failed(&attacks, &suffers), Vec::<String>::new());
    println!("attacks: {}, and {} on what it does not have", attacks.len() - left_out.get(), left_out.get());
    assert_eq!(left_out.get(), 1, "an attack that is left out is a decision");
}

/// Names of the attacks that did not end as they must, and how they did end.
fn failed(attacks: &[(String, String)], suffers: &dyn Fn(&Attack) -> Result<(), String>) -> Vec<String> {
    let failed = attacks.iter().filter_map(|(name, text)| {
        let attack: Attack = match serde_yaml::from_str(text) {
            Ok(attack) => attack,
            Err(why) => return Some(format!("{name}: it cannot be understood: {why}")),
        };
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| suffers(&attack)));
        let why = tried.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))).err()?;
        Some(format!("{name}: {why}"))
    });
    failed.collect()
}

/// Name and text of every attack, sorted. A folder without an attack is a mistake.
fn attacks() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
    let entries = fs::read_dir(folder).expect("the folder of the attacks").map(|it| it.expect("an entry").path());
    let mut attacks: Vec<(String, String)> =
        entries.filter(|it| it.is_dir()).map(|it| (name(&it), text(&it))).collect();
    attacks.sort();
    attacks
}

fn name(folder: &Path) -> String {
    folder.file_name().expect("a name").to_string_lossy().into_owned()
}

fn text(folder: &Path) -> String {
    fs::read_to_string(folder.join("attack.yaml")).unwrap_or_else(|why| panic!("{}: {why}", folder.display()))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a word"))
}
