//! Why a job is where it is.

use polling_model::{JobId, chain};

use super::{Registry, RegistryError};
use crate::{
    explain::{Explanation, Facts, explain},
    ledger::{Claim, Standing},
    limits::LEDGER_DEADLINE,
};

impl Registry {
    /// Why a job is where it is, and when it is polled next. Limits that cannot be read are left
    /// out, and the explanation says so.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], or the store's.
    pub async fn explain(&self, id: &JobId) -> Result<Explanation, RegistryError> {
        let record = self.get(id).await?;
        let policy = self.channel.policy(&record.state.job_type);
        let policy = policy.as_deref();
        let claims = policy.map_or_else(Vec::new, |policy| policy.rules.claims(&record.state));
        let limits = self.standing(claims).await;
        let facts = Facts {
            record: &record,
            rules: policy.map(|policy| (&policy.rules, &*policy.frequency)),
            limits: limits.as_deref().map_err(String::as_str),
        };
        let mut explanation = explain(&facts, self.clock.now_ms());
        if let Some(reason) = self.channel.store.stopped().await? {
            let advice = format!(
                "the channel is stopped ({reason}): nothing is polled until it is started again"
            );
            explanation.advice.insert(0, advice);
        }
        Ok(explanation)
    }

    /// How scopes stand now, or why nobody knows.
    pub(super) async fn standing(
        &self,
        claims: Vec<Claim>,
    ) -> Result<Vec<(Claim, Standing)>, String> {
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        let scopes: Vec<_> = claims.iter().map(|claim| claim.scope.clone()).collect();
        let asked = self.channel.ledger.standing(&scopes, self.clock.now_ms());
        match tokio::time::timeout(LEDGER_DEADLINE, asked).await {
            Ok(Ok(standings)) => Ok(claims.into_iter().zip(standings).collect()),
            Ok(Err(error)) => Err(chain(&error)),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }
}
