//! Many registrations in one request.

use axum::{Json, extract::State};
use polling_model::{ChannelId, JobId};
use scheduler_lib::store::Registered;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    body::{self, At, RawBody},
    error::{ApiError, Problem},
    jobs::{RegisteredView, RegistrationBody},
};
use crate::Web;

/// Most registrations of one request.
const MAX_ENTRIES: usize = 1_000;

/// How each registration ended, in the request's order.
#[derive(Serialize, Default, JsonSchema)]
pub(super) struct Batch {
    created: usize,
    existing: usize,
    failed: usize,
    results: Vec<Entry>,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Entry {
    Registered(RegisteredView),
    Failed(Problem),
}

/// `POST /v1/channels/{channel}/jobs:batch`: a JSON array, or JSON lines. An entry that is wrong
/// keeps no other from being registered. 503 when the store failed: the whole
/// may be repeated.
pub(super) async fn register(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    RawBody(text): RawBody,
) -> Result<Json<Batch>, ApiError> {
    let registry = web.registry(&channel)?;
    let parsed = split(&text)?
        .into_iter()
        .map(body::parse::<RegistrationBody>);
    let mut jobs = Vec::new();
    let mut readable = |job: RegistrationBody| jobs.push(job.into());
    let parsed: Vec<_> = parsed.map(|entry| entry.map(&mut readable)).collect();
    let mut registered = registry.register_all(jobs).await?.into_iter();
    let mut batch = Batch::default();
    for entry in parsed {
        let job = match entry {
            Ok(()) => registered.next().expect("one answer for each job"),
            Err(error) => {
                batch.refused(error);
                continue;
            }
        };
        match job {
            Ok((id, registered)) => batch.registered(id, registered),
            Err(error) => batch.refused(error.into()),
        }
    }
    Ok(Json(batch))
}

impl Batch {
    fn registered(&mut self, id: JobId, registered: Registered) {
        match registered {
            Registered::Created => self.created += 1,
            Registered::Existing => self.existing += 1,
        }
        let view = RegisteredView::new(id, registered);
        self.results.push(Entry::Registered(view));
    }

    fn refused(&mut self, error: ApiError) {
        self.failed += 1;
        self.results.push(Entry::Failed(error.problem));
    }
}

/// The entries' texts.
fn split(text: &[u8]) -> Result<Vec<&[u8]>, ApiError> {
    let text = text.trim_ascii();
    let entries: Vec<&[u8]> = if text.starts_with(b"[") {
        let entries: Vec<&RawValue> = serde_json::from_slice(text).map_err(|error| {
            ApiError::bad_request(format!("the body is no JSON array: {error}"))
        })?;
        entries
            .into_iter()
            .map(|entry| entry.get().as_bytes())
            .collect()
    } else {
        let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.filter(|line| !line.is_empty()).collect()
    };
    if entries.len() > MAX_ENTRIES {
        return Err(ApiError::too_large(format!(
            "{} entries: at most {MAX_ENTRIES} are allowed in one request",
            entries.len()
        )));
    }
    Ok(entries)
}
