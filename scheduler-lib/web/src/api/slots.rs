//! How many jobs are due when: the ring of slots, in bars.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use futures_util::future::try_join_all;
use polling_model::{ChannelId, JobType, caps::SLOTS};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    body::{Asked, At},
    error::ApiError,
};
use crate::Web;

/// Bars of one answer, unless asked otherwise.
const DEFAULT_BARS: usize = 24;

/// Most of them: each is a look ahead of the store's.
const MAX_BARS: usize = 60;

/// The most slots that can be looked at.
const RING: usize = SLOTS as usize;

#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
pub(super) struct Ahead {
    slots: Option<usize>,
    bars: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Slots {
    /// The time of one slot.
    width_ms: i64,
    /// The slot that is drained now.
    cursor: i64,
    /// How far the bars reach.
    slots: usize,
    /// Of all bars together, by job type: where there are many an estimate.
    #[schemars(with = "BTreeMap<String, u64>")]
    due: BTreeMap<JobType, u64>,
    bars: Vec<Bar>,
}

#[derive(Serialize, JsonSchema)]
struct Bar {
    /// Slots ahead of the cursor's, the first and the last of the bar.
    from: usize,
    to: usize,
    jobs: u64,
}

/// `GET /v1/channels/{channel}/slots?slots=&bars=`
pub(super) async fn ahead(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Asked(asked): Asked<Ahead>,
) -> Result<Json<Slots>, ApiError> {
    let slots = bounded("slots", asked.slots, RING, RING)?;
    let bars = bounded(
        "bars",
        asked.bars,
        DEFAULT_BARS.min(slots),
        MAX_BARS.min(slots),
    )?;
    let registry = web.registry(&channel)?;
    // The last slot of each bar; the look ahead counts all up to there.
    let ends: Vec<usize> = (1..=bars).map(|bar| slots * bar / bars - 1).collect();
    let looks = try_join_all(ends.iter().map(|end| registry.due_within(*end))).await?;
    let totals = looks.iter().map(|due| due.values().sum::<u64>());
    let mut before = (0, 0_u64);
    let bars = ends.iter().zip(totals).map(|(&to, total)| {
        let bar = Bar {
            from: before.0,
            to,
            // Between two looks jobs may have left.
            jobs: total.saturating_sub(before.1),
        };
        before = (to + 1, total.max(before.1));
        bar
    });
    let bars = bars.collect();
    Ok(Json(Slots {
        width_ms: registry.ring().width_ms(),
        cursor: registry.counts().await?.cursor,
        slots,
        due: looks.into_iter().last().unwrap_or_default(),
        bars,
    }))
}

fn bounded(
    field: &'static str,
    asked: Option<usize>,
    default: usize,
    most: usize,
) -> Result<usize, ApiError> {
    let found = asked.unwrap_or(default);
    if (1..=most).contains(&found) {
        return Ok(found);
    }
    let error = format!("{field} is {found}: it needs 1 to {most}");
    Err(ApiError::bad_request(error).field(field))
}
