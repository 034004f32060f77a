//! The rate-limit scopes of a channel's jobs, and how they stand.

use axum::{Json, extract::State};
use polling_model::{ChannelId, ScopeKey};
use scheduler_lib::{
    ScopeState,
    ledger::{Cushion, WindowStanding},
    store::ListCursor,
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

/// Most of it.
const MAX_PAGE: usize = 1_000;

#[derive(Serialize, JsonSchema)]
pub(super) struct ScopePage {
    scopes: Vec<ScopeView>,
    /// For the next page's `after`; null on the last.
    #[schemars(with = "Option<String>")]
    next: Option<ListCursor>,
}

#[derive(Serialize, JsonSchema)]
struct ScopeView {
    #[schemars(with = "String")]
    scope: ScopeKey,
    /// What the rules say, where the channel may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<LimitView>,
    /// What jobs leave of it to others.
    #[schemars(with = "super::schema::Cushion")]
    cushion: Cushion,
    /// The channel refuses calls until then.
    refused_until_ms: Option<i64>,
    /// Minutes of delay that a call has to save.
    price: f64,
    /// None if nothing was heard yet.
    windows: Vec<WindowView>,
}

#[derive(Serialize, JsonSchema)]
struct LimitView {
    calls: u64,
    window_ms: i64,
}

#[derive(Serialize, JsonSchema)]
struct WindowView {
    limit: u64,
    free: u64,
    /// Calls that were granted and not heard of yet.
    granted: u64,
    ends_ms: i64,
    length_ms: i64,
}

impl From<ScopeState> for ScopeView {
    fn from(state: ScopeState) -> Self {
        let window = |window: WindowStanding| WindowView {
            limit: window.limit,
            free: window.free,
            granted: window.granted,
            ends_ms: window.ends_ms,
            length_ms: window.length_ms,
        };
        Self {
            scope: state.scope,
            limit: state.limit.map(|limit| LimitView {
                calls: limit.calls,
                window_ms: limit.window_ms,
            }),
            cushion: state.cushion,
            refused_until_ms: state.standing.refused_until_ms,
            price: state.standing.price,
            windows: state.standing.windows.into_iter().map(window).collect(),
        }
    }
}

/// `GET /v1/channels/{channel}/scopes?account=&job_type=&level=&after=&limit=`: the scopes of a page
/// of jobs, each once on a page.
pub(super) async fn list(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Asked(which): Asked<Which>,
) -> Result<Json<ScopePage>, ApiError> {
    let registry = web.registry(&channel)?;
    which.check(registry)?;
    let limit = which.limit(DEFAULT_PAGE, MAX_PAGE)?;
    let page = registry.list(which.after.as_ref(), limit).await?;
    let mut meant = page.records;
    meant.retain(|record| which.means(&record.state));
    let scopes = registry.scopes_of(&meant).await?;
    Ok(Json(ScopePage {
        scopes: scopes.into_iter().map(ScopeView::from).collect(),
        next: page.next,
    }))
}
