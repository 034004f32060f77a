//! What the example programs share.

#[cfg(feature = "demo")]
pub mod watching;
#[cfg(feature = "channels")]
pub mod worker;
