//! Jobs: registration, pages, edits.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use polling_model::{AccountId, ChannelId, Context, JobId, JobType, ServiceLevel};
use scheduler_lib::{
    Change, Registration,
    ledger::Cushion,
    store::{JobRecord, ListCursor, MAX_PAGE, Registered},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    body::{Asked, At, Body},
    error::ApiError,
    pace::Pace,
    select::Which,
    view::JobView,
};
use crate::Web;

/// Jobs of one page unless asked otherwise.
const DEFAULT_PAGE: usize = 100;

/// Most jobs of one page with contexts: each may have nearly 256 KiB.
const MAX_PAGE_OF_CONTEXTS: usize = 100;

/// A job to register, as written by callers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrationBody {
    #[schemars(with = "String")]
    job_type: JobType,
    #[schemars(with = "String")]
    account: AccountId,
    #[schemars(with = "Option<String>")]
    id: Option<JobId>,
    #[schemars(with = "Option<String>")]
    level: Option<ServiceLevel>,
    #[schemars(with = "Option<super::schema::Cushion>")]
    cushion: Option<Cushion>,
    #[serde(default)]
    #[schemars(with = "super::schema::Context")]
    context: Context,
}

impl From<RegistrationBody> for Registration {
    fn from(body: RegistrationBody) -> Self {
        let RegistrationBody {
            job_type,
            account,
            id,
            level,
            cushion,
            context,
        } = body;
        Self {
            id,
            level,
            cushion,
            context,
            ..Self::new(job_type, account)
        }
    }
}

/// How a registration ended.
#[derive(Serialize, JsonSchema)]
pub(super) struct RegisteredView {
    #[schemars(with = "String")]
    pub(super) id: JobId,
    pub(super) result: &'static str,
}

impl RegisteredView {
    pub(super) fn new(id: JobId, registered: Registered) -> Self {
        let result = match registered {
            Registered::Created => "created",
            Registered::Existing => "existing",
        };
        Self { id, result }
    }
}

/// `POST /v1/channels/{channel}/jobs`
pub(super) async fn register(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Body(body): Body<RegistrationBody>,
) -> Result<Response, ApiError> {
    let (id, registered) = web.registry(&channel)?.register(body.into()).await?;
    let status = match registered {
        Registered::Created => StatusCode::CREATED,
        Registered::Existing => StatusCode::OK,
    };
    let view = RegisteredView::new(id, registered);
    Ok((status, Json(view)).into_response())
}

#[derive(Serialize, JsonSchema)]
pub(super) struct JobPage {
    jobs: Vec<JobView>,
    /// For the next page's `after`; null on the last.
    #[schemars(with = "Option<String>")]
    next: Option<ListCursor>,
}

/// `GET /v1/channels/{channel}/jobs?after=&limit=&account=&job_type=&level=&place=&contexts=`: of a
/// page those that are meant, which may be none on a page that is not the last.
pub(super) async fn list(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Asked(which): Asked<Which>,
) -> Result<Json<JobPage>, ApiError> {
    let registry = web.registry(&channel)?;
    which.check(registry)?;
    let (limit, view): (_, fn(JobRecord) -> JobView) = match which.contexts {
        true => (
            which.limit(DEFAULT_PAGE, MAX_PAGE_OF_CONTEXTS)?,
            JobView::whole,
        ),
        false => (which.limit(DEFAULT_PAGE, MAX_PAGE)?, JobView::brief),
    };
    let page = which.page(registry, limit).await?;
    let meant = page.records.into_iter();
    let meant = meant.filter(|record| which.means(&record.state));
    Ok(Json(JobPage {
        jobs: meant.map(view).collect(),
        next: page.next,
    }))
}

/// Where a job is in a path.
type JobPath = At<(ChannelId, JobId)>;

/// `GET /v1/channels/{channel}/jobs/{id}`
pub(super) async fn show(
    State(web): State<Web>,
    At((channel, id)): JobPath,
) -> Result<Json<JobView>, ApiError> {
    let record = web.registry(&channel)?.get(&id).await?;
    Ok(Json(JobView::whole(record)))
}

/// `DELETE /v1/channels/{channel}/jobs/{id}`
pub(super) async fn remove(
    State(web): State<Web>,
    At((channel, id)): JobPath,
) -> Result<StatusCode, ApiError> {
    web.registry(&channel)?.remove(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What to change of a job; what is not there stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    level: Option<ServiceLevel>,
    /// Null returns to the job type's.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<super::schema::Cushion>")]
    cushion: Option<Option<Cushion>>,
    /// Null returns to its rules.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<super::schema::Pace>")]
    pace: Option<Option<Pace>>,
}

/// Tells a field that is null from one that is not there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// `PATCH /v1/channels/{channel}/jobs/{id}`
pub(super) async fn update(
    State(web): State<Web>,
    At((channel, id)): JobPath,
    Body(body): Body<ChangeBody>,
) -> Result<StatusCode, ApiError> {
    let ChangeBody {
        level,
        cushion,
        pace,
    } = body;
    if level.is_none() && cushion.is_none() && pace.is_none() {
        return Err(ApiError::bad_request(
            "nothing to change: set level, cushion or pace",
        ));
    }
    let now_ms = web.0.clock.now_ms();
    let by_hand = |pace: Option<Pace>| pace.map(|pace| pace.from(now_ms)).transpose();
    let change = Change {
        level,
        cushion,
        pace: pace.map(by_hand).transpose()?,
    };
    web.registry(&channel)?.update(&id, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the next poll is to begin with.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct ContextBody(#[schemars(with = "super::schema::Context")] Context);

/// `PUT /v1/channels/{channel}/jobs/{id}/context`
pub(super) async fn replace_context(
    State(web): State<Web>,
    At((channel, id)): JobPath,
    Body(ContextBody(context)): Body<ContextBody>,
) -> Result<StatusCode, ApiError> {
    web.registry(&channel)?
        .replace_context(&id, &context)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether an edit had anything to do.
#[derive(Serialize, JsonSchema)]
pub(super) struct Changed {
    changed: bool,
}

/// `POST /v1/channels/{channel}/jobs/{id}/pause`
pub(super) async fn pause(
    State(web): State<Web>,
    At((channel, id)): JobPath,
) -> Result<Json<Changed>, ApiError> {
    let changed = web.registry(&channel)?.pause(&id).await?;
    Ok(Json(Changed { changed }))
}

/// `POST /v1/channels/{channel}/jobs/{id}/resume`
pub(super) async fn resume(
    State(web): State<Web>,
    At((channel, id)): JobPath,
) -> Result<Json<Changed>, ApiError> {
    let changed = web.registry(&channel)?.resume(&id).await?;
    Ok(Json(Changed { changed }))
}

/// `POST /v1/channels/{channel}/jobs/{id}/run-now`
pub(super) async fn run_now(
    State(web): State<Web>,
    At((channel, id)): JobPath,
) -> Result<StatusCode, ApiError> {
    web.registry(&channel)?.run_now(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/channels/{channel}/jobs/{id}/park`: held, and no dead letter that waits for somebody.
pub(super) async fn park(
    State(web): State<Web>,
    At((channel, id)): JobPath,
) -> Result<Json<Changed>, ApiError> {
    let changed = web.registry(&channel)?.park(&id).await?;
    Ok(Json(Changed { changed }))
}
