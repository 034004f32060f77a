//! How often a job is polled, decided by hand.

use std::time::Duration;

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use polling_model::{ChannelId, JobId};
use scheduler_lib::{Change, RegistryError, duration, policy::Override};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value},
};

use super::{one, path};
use crate::{
    access::Form,
    console::{
        Sorry,
        frame::{self, Frame},
    },
};

/// What was filled in, and what is wrong with it.
#[derive(Default, Deserialize)]
pub(crate) struct Filled {
    #[serde(default)]
    pace: Choice,
    #[serde(default)]
    interval: String,
    #[serde(default)]
    factor: String,
    #[serde(default)]
    lasting: String,
    #[serde(skip)]
    wrong: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    /// By its rules.
    #[default]
    Rules,
    Pin,
    Boost,
}

/// `POST /console/channels/{channel}/accounts/{id}/pace`
pub(crate) async fn change(
    frame: Frame,
    Path((channel, id)): Path<(ChannelId, JobId)>,
    form: Form<Filled>,
) -> Result<Response, Sorry> {
    let mut filled = form.fields;
    if filled.decide(&frame, &id).await? {
        let here = path(&frame::path(&channel, "accounts"), &id);
        return Ok(Redirect::to(&format!("{here}?done=pace")).into_response());
    }
    let page = one::page(&frame, &id, &filled, false).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

impl Filled {
    /// Has the job polled so; if that is refused, tells what is wrong.
    pub(in crate::console) async fn decide(
        &mut self,
        frame: &Frame,
        id: &JobId,
    ) -> Result<bool, Sorry> {
        let (_, registry) = frame.registry()?;
        let change = match self.read(frame.now_ms()) {
            Ok(pace) => Change {
                pace: Some(pace),
                ..Change::default()
            },
            Err(wrong) => {
                self.wrong = Some(wrong);
                return Ok(false);
            }
        };
        match registry.update(id, change).await {
            Ok(()) => Ok(true),
            Err(RegistryError::Rule(wrong)) => {
                self.wrong = Some(wrong.to_string());
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn read(&self, now_ms: i64) -> Result<Option<Override>, String> {
        let duration_in = |field: &str, text: &str| {
            let deserializer: value::StrDeserializer<'_, value::Error> =
                text.trim().into_deserializer();
            duration::deserialize(deserializer).map_err(|error| format!("{field}: {error}"))
        };
        Ok(match self.pace {
            Choice::Rules => None,
            Choice::Pin => Some(Override::Pin {
                interval: duration_in("interval", &self.interval)?,
            }),
            Choice::Boost => {
                let factor = self.factor.trim();
                let lasting: Duration = duration_in("for", &self.lasting)?;
                let lasting_ms = i64::try_from(lasting.as_millis()).unwrap_or(i64::MAX);
                Some(Override::Boost {
                    factor: factor
                        .parse()
                        .map_err(|_| format!("factor: {factor:?} is no number, such as 3"))?,
                    until_ms: now_ms.saturating_add(lasting_ms),
                })
            }
        })
    }
}

/// Lets an operator pin or boost the job.
pub(in crate::console) fn form(
    frame: &Frame,
    here: &str,
    pace: Option<Override>,
    filled: &Filled,
) -> Markup {
    let action = format!("{here}/pace");
    let chosen = |choice: Choice| filled.wrong.is_some() && filled.pace == choice;
    html! {
        details.card open[filled.wrong.is_some() || pace.is_some()] {
            summary { "Decide by hand how often it is polled" }
            @if let Some(wrong) = &filled.wrong { p.said role="alert" #pace-wrong { (wrong) } }
            div.cards {
                form method="post" action=(action) {
                    (frame.seal())
                    input type="hidden" name="pace" value="pin";
                    label { "Poll it every " small { "such as 5m; whatever a poll is worth" }
                        input name="interval" value=(filled.interval) required aria-describedby=[chosen(Choice::Pin).then_some("pace-wrong")] aria-invalid=[chosen(Choice::Pin).then_some("true")]; }
                    button { "Pin" }
                }
                form method="post" action=(action) {
                    (frame.seal())
                    input type="hidden" name="pace" value="boost";
                    div.row {
                        label { "Its weight, so many times" input name="factor" inputmode="decimal" value=(filled.factor) placeholder="3" required aria-describedby=[chosen(Choice::Boost).then_some("pace-wrong")] aria-invalid=[chosen(Choice::Boost).then_some("true")]; }
                        label { "For" input name="lasting" value=(filled.lasting) placeholder="2h" required; }
                    }
                    br;
                    button { "Boost" }
                }
                @if pace.is_some() {
                    form method="post" action=(action) {
                        (frame.seal())
                        input type="hidden" name="pace" value="rules";
                        p.meta { "It goes by what was decided by hand." }
                        button { "Back to its rules" }
                    }
                }
            }
        }
    }
}
