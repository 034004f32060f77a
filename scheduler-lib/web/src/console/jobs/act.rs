//! What an operator does with one job.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use polling_model::{ChannelId, JobId, ServiceLevel};
use scheduler_lib::{Change, Registry};
use serde::Deserialize;

use super::{Sorry, path_of};
use crate::{
    access::Form,
    console::frame::{self, Frame},
};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Deed {
    Pause,
    Resume,
    Run,
    Park,
    Level,
}

impl Deed {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Run => "run",
            Self::Park => "park",
            Self::Level => "level",
        }
    }
}

/// What was done, as an address says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Did {
    Paused,
    Resumed,
    Run,
    Parked,
    Level,
    Pace,
    Nothing,
}

impl Did {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Run => "run",
            Self::Parked => "parked",
            Self::Level => "level",
            Self::Pace => "pace",
            Self::Nothing => "nothing",
        }
    }

    /// As people read it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Paused => "Paused: it is not polled until somebody resumes it.",
            Self::Resumed => "Resumed: it is due at once.",
            Self::Run => "It is polled now, or as soon as its poll under way is back.",
            Self::Parked => "Parked: it is left out until somebody resumes it.",
            Self::Level => "Its level was changed.",
            Self::Pace => "How often it is polled was decided.",
            Self::Nothing => "It was so already: nothing has changed.",
        }
    }
}

/// What a form sends.
#[derive(Deserialize)]
pub(in crate::console) struct Asked {
    #[serde(rename = "do")]
    deed: Deed,
    level: Option<String>,
}

/// `POST /console/channels/{channel}/jobs/{id}`
pub(in crate::console) async fn change(
    frame: Frame,
    Path((_, id)): Path<(String, JobId)>,
    form: Form<Asked>,
) -> Result<Response, Sorry> {
    let (channel, registry) = frame.registry()?;
    let did = form.fields.apply(registry, &id).await?;
    Ok(back(channel, &id, did))
}

/// To the job's page, which tells what was done.
pub(super) fn back(channel: &ChannelId, id: &JobId, did: Did) -> Response {
    let here = path_of(&frame::path(channel, "jobs"), id);
    Redirect::to(&format!("{here}?did={}", did.as_str())).into_response()
}

impl Asked {
    async fn apply(self, registry: &Registry, id: &JobId) -> Result<Did, Sorry> {
        let unless = |changed: bool, did: Did| if changed { did } else { Did::Nothing };
        Ok(match self.deed {
            Deed::Pause => unless(registry.pause(id).await?, Did::Paused),
            Deed::Resume => unless(registry.resume(id).await?, Did::Resumed),
            Deed::Park => unless(registry.park(id).await?, Did::Parked),
            Deed::Run => {
                registry.run_now(id).await?;
                Did::Run
            }
            Deed::Level => {
                let level: ServiceLevel = self
                    .level
                    .unwrap_or_default()
                    .trim()
                    .parse()
                    .map_err(|error| Sorry::bad_request(format!("level: {error}")))?;
                let change = Change {
                    level: Some(level),
                    ..Change::default()
                };
                registry.update(id, change).await?;
                Did::Level
            }
        })
    }
}
