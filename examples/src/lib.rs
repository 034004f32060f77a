//! What the example workers share: everything but the channel.

#[cfg(feature = "channels")]
pub mod worker;
