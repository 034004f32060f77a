//! Rules that change while the scheduler runs.

use std::sync::Arc;

use polling_model::JobType;

use super::{Registry, RegistryError};
use crate::{limits::Limits, policy::JobTypeRules};

impl Registry {
    /// The rules of a job type, as they are at present.
    #[must_use]
    pub fn rules(&self, job_type: &JobType) -> Option<JobTypeRules> {
        let policy = self.channel.policy(job_type)?;
        Some(policy.rules.clone())
    }

    /// Replaces the rules of a job type in this process, from the next decision on: in the scheduler that this registry
    /// is of, and in each of its registries.
    ///
    /// Limits and cushions hold for the next calls that are reserved. An interval holds for each job from its next poll
    /// on, and for what is registered or changed from now on: jobs stay in the slots that they are in. Every replica of a
    /// scheduler has rules of its own.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownJobType`], or [`RegistryError::Rule`] that names what is out of its bounds. Nothing
    /// changed then.
    pub fn set_rules(&self, job_type: &JobType, rules: JobTypeRules) -> Result<(), RegistryError> {
        rules.validate()?;
        if self.channel.set_rules(job_type, rules) {
            tracing::info!(channel = %self.channel.id, %job_type, "rules replaced");
            Ok(())
        } else {
            Err(self.unknown_type(job_type))
        }
    }

    /// The bounds of the cycle, as they are at present.
    #[must_use]
    pub fn limits(&self) -> Arc<Limits> {
        self.channel.limits()
    }

    /// Replaces the bounds of the cycle in this process, from the next turn of each loop on. How many settlers there are,
    /// how often loops look, and how fast is swept stays as it was at the start.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Rule`] that names what is out of its bounds. Nothing changed then.
    pub fn set_limits(&self, limits: Limits) -> Result<(), RegistryError> {
        limits.validate()?;
        self.channel.set_limits(limits);
        tracing::info!(channel = %self.channel.id, "limits replaced");
        Ok(())
    }
}
