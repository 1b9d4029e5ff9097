//! The shell's client, situation by situation: in memory, with any clock.
#![expect(clippy::disallowed_methods, reason = "tests look at what lies on the disk")]

#[path = "support/http.rs"]
mod http;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/origin.rs"]
mod origin;
#[path = "support/project.rs"]
mod project;

#[path = "client/boot.rs"]
mod boot;
#[path = "client/command.rs"]
mod command;
#[path = "client/device.rs"]
mod device;
#[path = "client/disk.rs"]
mod disk;
#[path = "client/first_start.rs"]
mod first_start;
#[path = "client/life.rs"]
mod life;
#[path = "client/network.rs"]
mod network;
#[path = "client/rollout.rs"]
mod rollout;
#[path = "client/time.rs"]
mod time;
#[path = "client/wire.rs"]
mod wire;
