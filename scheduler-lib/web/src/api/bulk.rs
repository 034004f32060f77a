//! Many jobs edited by what they have in common, page by page.

use std::sync::Arc;

use axum::{Json, extract::State};
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use polling_model::{ChannelId, JobId};
use scheduler_lib::{
    HandedOver, Registry, RegistryError,
    store::{ListCursor, Place},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    body::{Asked, At},
    error::ApiError,
    select::Which,
};
use crate::Web;

/// Jobs looked at in one request, unless asked otherwise.
const DEFAULT_PAGE: usize = 500;

/// Most of it: a page ends well within the time of a request.
const MAX_PAGE: usize = 1_000;

/// Edits under way at once.
const EDITS_AT_ONCE: usize = 32;

/// What was done to a page's jobs.
#[derive(Serialize, JsonSchema)]
pub(crate) struct EditedPage {
    /// Jobs looked at.
    pub(crate) seen: usize,
    /// Those that are meant.
    pub(crate) matched: usize,
    /// Those that were not so before.
    pub(crate) changed: usize,
    /// Those left as they are because they are in flight.
    pub(crate) in_flight: usize,
    /// For the next page's `after`; null on the last.
    #[schemars(with = "Option<String>")]
    pub(crate) next: Option<ListCursor>,
}

/// What is done to each job.
#[derive(Clone)]
pub(crate) enum Edit {
    Pause,
    Resume,
    RunNow,
    /// To times between two.
    MoveTo {
        from_ms: i64,
        until_ms: i64,
    },
    HandOver(Arc<Registry>),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Changed,
    Unchanged,
    InFlight,
}

impl Edit {
    /// Applies it; a job that was removed meanwhile needs nothing.
    async fn apply(self, registry: Registry, id: JobId) -> Result<Done, RegistryError> {
        match self.apply_to_known(&registry, &id).await {
            Err(RegistryError::Unknown { .. }) => Ok(Done::Unchanged),
            done => done,
        }
    }

    pub(super) async fn apply_to_known(
        self,
        registry: &Registry,
        id: &JobId,
    ) -> Result<Done, RegistryError> {
        let changed = match self {
            Self::Pause => registry.pause(id).await?,
            Self::Resume => registry.resume_spread(id).await?,
            Self::RunNow => registry.run_now(id).await.map(|()| true)?,
            Self::MoveTo { from_ms, until_ms } => {
                if !registry.move_to(id, from_ms, until_ms).await? {
                    let place = registry.get(id).await?.state.place;
                    return Ok(match place {
                        Place::InFlight { .. } => Done::InFlight,
                        _ => Done::Unchanged,
                    });
                }
                true
            }
            Self::HandOver(to) => match registry.hand_over(id, &to).await? {
                HandedOver::Moved => true,
                HandedOver::Existing => false,
                HandedOver::InFlight => return Ok(Done::InFlight),
            },
        };
        Ok(match changed {
            true => Done::Changed,
            false => Done::Unchanged,
        })
    }
}

/// `POST /v1/channels/{channel}/jobs:pause?account=&job_type=&level=&all=&after=&limit=`: holds what
/// is meant of a page. Repeating it, or a page of it, changes nothing more.
pub(super) async fn pause(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Asked(which): Asked<Which>,
) -> Result<Json<EditedPage>, ApiError> {
    edit(web.registry(&channel)?, &which, Edit::Pause).await
}

/// `POST /v1/channels/{channel}/jobs:resume?…&place=`: those that were paused, unless `place` names
/// another hold. They are placed within their intervals, so that they do not come all at once.
pub(super) async fn resume(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Asked(which): Asked<Which>,
) -> Result<Json<EditedPage>, ApiError> {
    edit(web.registry(&channel)?, &which.held()?, Edit::Resume).await
}

pub(super) async fn edit(
    registry: &Registry,
    which: &Which,
    edit: Edit,
) -> Result<Json<EditedPage>, ApiError> {
    edit_page(registry, which, edit).await.map(Json)
}

/// Does it to what is meant of a page.
pub(crate) async fn edit_page(
    registry: &Registry,
    which: &Which,
    edit: Edit,
) -> Result<EditedPage, ApiError> {
    which.check_edit(registry)?;
    let limit = which.limit(DEFAULT_PAGE, MAX_PAGE)?;
    let page = which.page(registry, limit).await?;
    let seen = page.records.len();
    let meant = page.records.into_iter();
    let meant = meant.filter(|record| which.means(&record.state));
    let edits: Vec<_> = meant
        .map(|record| edit.clone().apply(registry.clone(), record.id))
        .collect();
    let matched = edits.len();
    let edits = iter(edits).buffer_unordered(EDITS_AT_ONCE);
    let edited: Vec<Done> = edits.try_collect().await?;
    let count = |wanted| edited.iter().filter(|done| **done == wanted).count();
    Ok(EditedPage {
        seen,
        matched,
        changed: count(Done::Changed),
        in_flight: count(Done::InFlight),
        next: page.next,
    })
}
