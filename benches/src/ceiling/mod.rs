//! Raw clients: each sends what we send to a server, batched as we do, and does nothing else.

pub mod kafka;
pub mod servers;
