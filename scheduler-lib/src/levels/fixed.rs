//! Service levels that are known from the start.

use std::collections::BTreeMap;

use async_trait::async_trait;
use polling_model::{AccountId, ServiceLevel};

use super::{LevelsError, ServiceLevels};

/// Levels by account, and one for all others.
///
/// ```
/// use scheduler_lib::levels::{FixedLevels, ServiceLevels};
///
/// # futures_util::FutureExt::now_or_never(async {
/// let levels = FixedLevels::new([("42".parse()?, "gold".parse()?)]).otherwise("basic".parse()?);
/// let found = levels.levels_of(&["42".parse()?, "7".parse()?]).await?;
/// assert_eq!(found, [Some("gold".parse()?), Some("basic".parse()?)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).expect("nothing to wait for").unwrap();
/// ```
#[derive(Debug, Clone, Default)]
pub struct FixedLevels {
    levels: BTreeMap<AccountId, ServiceLevel>,
    otherwise: Option<ServiceLevel>,
}

impl FixedLevels {
    /// The levels of these accounts; others are unknown.
    #[must_use]
    pub fn new(levels: impl IntoIterator<Item = (AccountId, ServiceLevel)>) -> Self {
        Self {
            levels: levels.into_iter().collect(),
            otherwise: None,
        }
    }

    /// The level of all other accounts.
    #[must_use]
    pub fn otherwise(mut self, level: ServiceLevel) -> Self {
        self.otherwise = Some(level);
        self
    }
}

#[async_trait]
impl ServiceLevels for FixedLevels {
    async fn levels_of(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<Option<ServiceLevel>>, LevelsError> {
        let level_of = |account| {
            self.levels
                .get(account)
                .or(self.otherwise.as_ref())
                .cloned()
        };
        Ok(accounts.iter().map(level_of).collect())
    }
}
