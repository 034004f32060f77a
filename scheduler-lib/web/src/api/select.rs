//! Which jobs a request is about: pages of them, and what they have in common.

use axum::{extract::Query, http::Uri};
use polling_model::{AccountId, JobType, ServiceLevel};
use scheduler_lib::{
    Registry, RegistryError,
    store::{Hold, JobState, ListCursor, Listed, MAX_PAGE, Place},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{body::bad_query, error::ApiError};
use crate::suggest;

/// A page, and what jobs of it are meant; what is not there does not matter.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    #[schemars(with = "Option<String>")]
    pub(crate) after: Option<ListCursor>,
    limit: Option<usize>,
    #[schemars(with = "Option<String>")]
    pub(crate) account: Option<AccountId>,
    #[schemars(with = "Option<String>")]
    job_type: Option<JobType>,
    #[schemars(with = "Option<String>")]
    level: Option<ServiceLevel>,
    pub(crate) place: Option<At>,
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
pub(crate) enum At {
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
    /// As a query says it, in which an empty value says nothing.
    pub(crate) fn of_fields(fields: &[(&str, &str)]) -> Result<Self, ApiError> {
        let said: Vec<_> = fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let query = serde_urlencoded::to_string(said).unwrap_or_default();
        let uri = Uri::try_from(format!("/?{query}"));
        let uri = uri.map_err(|error| ApiError::bad_request(error.to_string()))?;
        let read = Query::try_from_uri(&uri);
        read.map(|Query(which)| which)
            .map_err(|error| bad_query(&error.body_text()))
    }

    /// Whether jobs are left out by more than where they are.
    pub(crate) const fn is_narrow(&self) -> bool {
        self.account.is_some() || self.job_type.is_some() || self.level.is_some()
    }

    /// The same, meant of every job.
    pub(crate) const fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// The same of jobs that can be resumed: those that were paused, unless another hold is named.
    pub(crate) fn held(mut self) -> Result<Self, ApiError> {
        let place = self.place.unwrap_or(At::Paused);
        if !place.is_hold() {
            let error =
                "only a hold is resumed: paused, parked, quarantined, refused, or held for any";
            return Err(ApiError::bad_request(error).field("place"));
        }
        self.place = Some(place);
        Ok(self)
    }

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
    pub(crate) async fn page(
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
    pub(crate) fn check(&self, registry: &Registry) -> Result<(), ApiError> {
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
        if self.is_narrow() == self.all {
            return Err(ApiError::bad_request(
                "say which jobs: account, job_type or level, or all=true for every job of the channel",
            ));
        }
        Ok(())
    }

    pub(crate) fn means(&self, state: &JobState) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        fits(self.account.as_ref(), &state.account)
            && fits(self.job_type.as_ref(), &state.job_type)
            && fits(self.level.as_ref(), &state.level)
            && self.place.is_none_or(|at| at.is(state.place))
    }
}
