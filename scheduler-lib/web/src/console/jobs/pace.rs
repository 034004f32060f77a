//! How often a job is polled, decided by hand on its page.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use polling_model::JobId;
use scheduler_lib::{Change, RegistryError};

use super::{
    Sorry,
    act::{Did, back},
    one,
};
use crate::{
    access::Form,
    console::{accounts::pace::Filled, frame::Frame},
};

/// `POST /console/channels/{channel}/jobs/{id}/pace`
pub(in crate::console) async fn change(
    frame: Frame,
    Path((_, id)): Path<(String, JobId)>,
    form: Form<Filled>,
) -> Result<Response, Sorry> {
    let (channel, registry) = frame.registry()?;
    let mut filled = form.fields;
    let refused = match filled.read(frame.now_ms()) {
        Err(wrong) => wrong,
        Ok(pace) => {
            let change = Change {
                pace: Some(pace),
                ..Change::default()
            };
            match registry.update(&id, change).await {
                Ok(()) => return Ok(back(channel, &id, Did::Pace)),
                Err(RegistryError::Rule(wrong)) => wrong.to_string(),
                Err(error) => return Err(error.into()),
            }
        }
    };
    filled.wrong = Some(refused);
    let page = one::page(&frame, &id, None, &filled).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
