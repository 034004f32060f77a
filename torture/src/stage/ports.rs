//! Ports for processes that keep theirs while they are dead.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU16, Ordering::Relaxed},
};

use anyhow::bail;

/// Below those that the system gives to outgoing connections: no other connection takes the port of
/// a process that was killed.
const FIRST: u16 = 18_000;
const LAST: u16 = 19_999;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of which nobody makes use, never given twice by this process.
///
/// # Errors
///
/// When all are taken.
pub fn free() -> anyhow::Result<SocketAddr> {
    let count = LAST - FIRST + 1;
    // Another run beside this one begins elsewhere.
    let begin = (std::process::id() % u32::from(count)) as u16;
    for _ in 0..count {
        let port = FIRST + (begin + NEXT.fetch_add(1, Relaxed)) % count;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port from {FIRST} to {LAST} is free")
}
