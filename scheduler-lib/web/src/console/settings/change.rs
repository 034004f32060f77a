//! A setting changed by hand.

use axum::{
    Extension,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{one, path};
use crate::{
    access::{Form, Note},
    console::{Sorry, frame::Frame},
    settings::{Change, ChangeError},
};

/// Longest reason, bytes.
const MAX_REASON_LEN: usize = 240;

/// What was filled in, and what is wrong with it.
#[derive(Default, Deserialize)]
pub(crate) struct Filled {
    #[serde(rename = "do", default)]
    what: What,
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(skip)]
    pub(super) wrong: Option<(Field, String)>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    /// Another value.
    #[default]
    Set,
    /// The static one.
    Back,
}

/// Beside which field an error stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Value,
    Reason,
}

/// `POST /console/settings/{*key}`
pub(crate) async fn change(
    frame: Frame,
    Path(key): Path<String>,
    form: Form<Filled>,
) -> Result<Response, Sorry> {
    let steering = frame.web.0.settings.as_ref();
    let steering = steering.ok_or_else(|| Sorry::not_found("no source of settings is followed"))?;
    let Form { caller, mut fields } = form;
    let value = fields.wanted();
    let change = Change {
        key: key.clone(),
        value: value.clone(),
        by: caller.name.to_string(),
        reason: fields.reason.trim().to_owned(),
    };
    let reason = change.reason.clone();
    let made = match fields.fault() {
        Some(wrong) => Err(wrong),
        None => match steering.check(&key, value.as_deref()) {
            Err(wrong) => Err((Field::Value, wrong)),
            Ok(()) => match steering.change(change).await {
                Ok(()) => Ok(()),
                Err(ChangeError::Refused(wrong)) => Err((Field::Value, wrong)),
                Err(error) => return Err(Sorry::new(status(&error), error.to_string())),
            },
        },
    };
    if let Err(wrong) = made {
        fields.wrong = Some(wrong);
        let page = one::page(&frame, &key, &fields, false).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let note = match value {
        Some(value) => format!("{value}: {reason}"),
        None => format!("back to the static value: {reason}"),
    };
    let to = Redirect::to(&format!("{}?done=written", path(&key)));
    Ok((Extension(Note(note)), to).into_response())
}

impl Filled {
    /// The value asked for; none for the static one.
    fn wanted(&self) -> Option<String> {
        let value = self.value.as_deref().unwrap_or_default();
        (self.what == What::Set).then(|| value.trim().to_owned())
    }

    /// What is wrong whatever the setting is.
    fn fault(&self) -> Option<(Field, String)> {
        let reason = self.reason.trim();
        let said = match reason.len() {
            0 => "say why: whoever looks at it later will ask".to_owned(),
            1..=MAX_REASON_LEN => return None,
            found => format!("it has {found} bytes: at most {MAX_REASON_LEN} are allowed"),
        };
        Some((Field::Reason, said))
    }
}

const fn status(error: &ChangeError) -> StatusCode {
    match error {
        ChangeError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::CONFLICT,
    }
}
