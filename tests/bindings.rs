//! The client in other languages: the shells and the samples of `bindings/`, run against a CDN on loopback.
//!
//! `.ci/parts` installs the languages and generates the bindings; see `tests/support/parts.rs` for what happens without.
#![expect(clippy::disallowed_methods, reason = "tests run programs in other languages, and read what was generated")]

#[path = "support/http.rs"]
#[expect(dead_code, reason = "here nearly nothing goes wrong")]
mod http;
#[path = "support/parts.rs"]
#[expect(dead_code, reason = "others need python-tuf and tough")]
mod parts;
#[path = "support/project.rs"]
mod project;

#[path = "bindings/languages.rs"]
mod languages;
#[path = "bindings/life.rs"]
mod life;
#[path = "bindings/promises.rs"]
mod promises;
#[path = "bindings/readme.rs"]
mod readme;
#[path = "bindings/swift.rs"]
mod swift;
#[path = "bindings/workbench.rs"]
mod workbench;
