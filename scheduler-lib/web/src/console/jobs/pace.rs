//! How often a job is polled, decided by hand on its page.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use polling_model::JobId;

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
    let mut filled = form.fields;
    if filled.decide(&frame, &id).await? {
        return Ok(back(frame.registry()?.0, &id, Did::Pace));
    }
    let page = one::page(&frame, &id, None, &filled).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
