//! Names of files.

use std::fmt::Write as _;

/// Where a root is kept for good.
pub(super) fn history(version: u64) -> String {
    format!("root_history/{version}.root.json")
}

/// A role name as part of a file name or a URL: everything but letters, digits and `-._~` is percent-encoded, so
/// whatever a name contains, it is one segment of a path.
pub fn encoded(role: &str) -> String {
    let mut out = String::with_capacity(role.len());
    for byte in role.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    out
}
