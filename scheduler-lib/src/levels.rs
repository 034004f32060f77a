//! Which service level an account has.

#[cfg(feature = "redis")]
mod cached;
#[cfg(feature = "redis")]
mod entry;
mod fixed;

use std::fmt;

use async_trait::async_trait;
use polling_model::{AccountId, ServiceLevel};

#[cfg(feature = "redis")]
pub use self::cached::{CacheCounts, CachedLevels, CachedLevelsBuilder};
pub use self::fixed::FixedLevels;

/// The source of service levels, such as the service that bills for them. Asked at each settle, so
/// put a cache before what is slow.
#[async_trait]
pub trait ServiceLevels: Send + Sync + fmt::Debug {
    /// The level of each account, in their order; `None` where the source does not know the
    /// account: its jobs keep the level they were registered with.
    ///
    /// # Errors
    ///
    /// [`LevelsError`]; all jobs concerned then keep their level.
    async fn levels_of(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<Option<ServiceLevel>>, LevelsError>;
}

/// No source: every job keeps the level it was registered with.
#[async_trait]
impl ServiceLevels for () {
    async fn levels_of(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<Option<ServiceLevel>>, LevelsError> {
        Ok(vec![None; accounts.len()])
    }
}

/// Service levels that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("service levels cannot be read from {from}")]
pub struct LevelsError {
    /// The source, without credentials.
    pub from: String,
    /// What it said.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}
