//! Many jobs paused or resumed by what they have in common: the kill switch, page by page.

use axum::{Json, extract::State};
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use polling_model::{ChannelId, JobId};
use scheduler_lib::{Registry, RegistryError, store::ListCursor};
use serde::Serialize;

use super::{
    Api,
    body::{Asked, At},
    error::ApiError,
    select::{self, Which},
};

/// Jobs looked at in one request, unless asked otherwise.
const DEFAULT_PAGE: usize = 500;

/// Most of it: a page ends well within the time of a request.
const MAX_PAGE: usize = 1_000;

/// Edits under way at once.
const EDITS_AT_ONCE: usize = 32;

/// What was done to a page's jobs.
#[derive(Serialize)]
pub(super) struct EditedPage {
    /// Jobs looked at.
    seen: usize,
    /// Those that are meant.
    matched: usize,
    /// Those that were not so before.
    changed: usize,
    /// For the next page's `after`; null on the last.
    next: Option<ListCursor>,
}

#[derive(Clone, Copy)]
enum Edit {
    Pause,
    Resume,
}

impl Edit {
    /// Whether it changed anything; a job that was removed meanwhile needs nothing.
    async fn apply(self, registry: Registry, id: JobId) -> Result<bool, RegistryError> {
        let edited = match self {
            Self::Pause => registry.pause(&id).await,
            Self::Resume => registry.resume_spread(&id).await,
        };
        match edited {
            Err(RegistryError::Unknown { .. }) => Ok(false),
            edited => edited,
        }
    }
}

/// `POST /v1/channels/{channel}/jobs:pause?account=&job_type=&level=&all=&after=&limit=`: holds what
/// is meant of a page. Repeating it, or a page of it, changes nothing more.
pub(super) async fn pause(
    State(api): State<Api>,
    At(channel): At<ChannelId>,
    Asked(which): Asked<Which>,
) -> Result<Json<EditedPage>, ApiError> {
    edit(api.registry(&channel)?, &which, Edit::Pause).await
}

/// `POST /v1/channels/{channel}/jobs:resume?…&place=`: those that were paused, unless `place` names
/// another hold. They are placed within their intervals, so that they do not come all at once.
pub(super) async fn resume(
    State(api): State<Api>,
    At(channel): At<ChannelId>,
    Asked(mut which): Asked<Which>,
) -> Result<Json<EditedPage>, ApiError> {
    let place = which.place.unwrap_or(select::At::Paused);
    if !place.is_hold() {
        let error = "only a hold is resumed: paused, parked, quarantined, refused, or held for any";
        return Err(ApiError::bad_request(error).field("place"));
    }
    which.place = Some(place);
    edit(api.registry(&channel)?, &which, Edit::Resume).await
}

async fn edit(
    registry: &Registry,
    which: &Which,
    edit: Edit,
) -> Result<Json<EditedPage>, ApiError> {
    which.check_edit(registry)?;
    let limit = which.limit(DEFAULT_PAGE, MAX_PAGE)?;
    let page = registry.list(which.after.as_ref(), limit).await?;
    let seen = page.records.len();
    let meant = page.records.into_iter();
    let meant = meant.filter(|record| which.means(&record.state));
    let edits: Vec<_> = meant
        .map(|record| edit.apply(registry.clone(), record.id))
        .collect();
    let matched = edits.len();
    let edits = iter(edits).buffer_unordered(EDITS_AT_ONCE);
    let edited: Vec<bool> = edits.try_collect().await?;
    Ok(Json(EditedPage {
        seen,
        matched,
        changed: edited.into_iter().filter(|changed| *changed).count(),
        next: page.next,
    }))
}
