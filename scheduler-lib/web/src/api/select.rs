//! Which jobs a request is about: pages of them, and what they have in common.

use polling_model::{AccountId, JobType, ServiceLevel};
use scheduler_lib::{
    Registry, RegistryError,
    store::{Hold, JobState, ListCursor, Listed, MAX_PAGE, Place},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::error::ApiError;
use crate::suggest;

/// A page, and what jobs of it are meant; what is not there does not matter.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[schemars(with = "Option<String>")]
    pub(super) after: Option<ListCursor>,
    limit: Option<usize>,
    #[schemars(with = "Option<String>")]
    account: Option<AccountId>,
    #[schemars(with = "Option<String>")]
    job_type: Option<JobType>,
    #[schemars(with = "Option<String>")]
    level: Option<ServiceLevel>,
    pub(super) place: Option<At>,
    /// Every job is meant: an edit of all is not to happen for want of a parameter.
    #[serde(default)]
    all: bool,
    /// With contexts.
    #[serde(default)]
    pub(super) contexts: bool,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Place")]
pub(super) enum At {
    Slot,
    InFlight,
    Later,
    /// By any hold.
    Held,
    Paused,
    Parked,
    Quarantined,
    Refused,
}

impl At {
    pub(super) const fn is(self, place: Place) -> bool {
        match self {
            Self::Slot => matches!(place, Place::Slot),
            Self::InFlight => matches!(place, Place::InFlight { .. }),
            Self::Later => matches!(place, Place::Later),
            Self::Held => matches!(place, Place::Held(_)),
            Self::Paused => matches!(place, Place::Held(Hold::Paused)),
            Self::Parked => matches!(place, Place::Held(Hold::Parked)),
            Self::Quarantined => matches!(place, Place::Held(Hold::Quarantined)),
            Self::Refused => matches!(place, Place::Held(Hold::Refused)),
        }
    }

    pub(super) const fn is_hold(self) -> bool {
        !matches!(self, Self::Slot | Self::InFlight | Self::Later)
    }
}

impl Which {
    /// How many jobs to look at.
    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, ApiError> {
        let most = most.min(MAX_PAGE);
        let limit = self.limit.unwrap_or(default);
        if (1..=most).contains(&limit) {
            return Ok(limit);
        }
        let error = format!("limit is {limit}: it needs 1 to {most}");
        Err(ApiError::bad_request(error).field("limit"))
    }

    /// A page of the jobs that may be meant: held ones are looked at alone.
    pub(super) async fn page(
        &self,
        registry: &Registry,
        limit: usize,
    ) -> Result<Listed, RegistryError> {
        let after = self.after.as_ref();
        match self.place {
            Some(place) if place.is_hold() => registry.held(after, limit).await,
            _ => registry.list(after, limit).await,
        }
    }

    /// That its job type is one of the channel's: with a wrong name nothing would be meant.
    pub(super) fn check(&self, registry: &Registry) -> Result<(), ApiError> {
        let Some(job_type) = &self.job_type else {
            return Ok(());
        };
        let known: Vec<_> = registry.job_types().map(JobType::as_str).collect();
        if known.contains(&job_type.as_str()) {
            return Ok(());
        }
        let error = suggest::unknown("job type", job_type.as_str(), &known);
        Err(ApiError::bad_request(error).field("job_type"))
    }

    /// That an edit says what it is about.
    pub(super) fn check_edit(&self, registry: &Registry) -> Result<(), ApiError> {
        self.check(registry)?;
        let narrow = self.account.is_some() || self.job_type.is_some() || self.level.is_some();
        if narrow == self.all {
            return Err(ApiError::bad_request(
                "say which jobs: account, job_type or level, or all=true for every job of the channel",
            ));
        }
        Ok(())
    }

    pub(super) fn means(&self, state: &JobState) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        fits(self.account.as_ref(), &state.account)
            && fits(self.job_type.as_ref(), &state.job_type)
            && fits(self.level.as_ref(), &state.level)
            && self.place.is_none_or(|at| at.is(state.place))
    }
}
