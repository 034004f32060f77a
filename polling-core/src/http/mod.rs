//! What a channel over HTTP needs: its rate limits read, its errors classified, its faults kept in
//! bounds.

pub mod caps;
pub mod dialect;
