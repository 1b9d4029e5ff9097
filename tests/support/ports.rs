//! Addresses for servers that must be told theirs before they start.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems give away by themselves, so that nobody else comes by one between our looking and the
/// server's start.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// An address on loopback that nobody has, and that no other test of this process gets.
pub(crate) fn free_address() -> SocketAddr {
    // Other test programs run at the same time, and begin elsewhere.
    let begin = u16::try_from(std::process::id().wrapping_mul(97) % u32::from(COUNT)).expect("below a port");
    loop {
        let at = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(at < COUNT, "every port is taken");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + (begin + at) % COUNT));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
