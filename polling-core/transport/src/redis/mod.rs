//! What stands on Redis, 6.2 or newer.

pub mod link;
