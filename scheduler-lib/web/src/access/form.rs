//! Forms of the console: only operators send them, and only those that they were given.

use axum::{
    extract::{FromRequest, Request},
    http::StatusCode,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Caller, Role};
use crate::{Web, console::Sorry};

/// What was filled in, and by whom.
pub(crate) struct Form<T> {
    pub(crate) caller: Caller,
    pub(crate) fields: T,
}

/// What every form carries beside its fields.
#[derive(Deserialize)]
struct Given {
    form: Option<String>,
}

impl<T: DeserializeOwned> FromRequest<Web> for Form<T> {
    type Rejection = Sorry;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Sorry> {
        let caller = request.extensions().get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Sorry::new(StatusCode::UNAUTHORIZED, "log in first"))?;
        if caller.role < Role::Operator {
            let said = format!(
                "{} is a reader: only operators change anything",
                caller.name
            );
            return Err(Sorry::new(StatusCode::FORBIDDEN, said));
        }
        let body = axum::body::Bytes::from_request(request, web).await;
        let body = body.map_err(|error| Sorry::new(error.status(), error.body_text()))?;
        let given: Given = read(&body)?;
        let now_ms = web.0.clock.now_ms();
        let is_given = |form: &str| web.0.access.seal.is_form_of(&caller.name, now_ms, form);
        if !given.form.as_deref().is_some_and(is_given) {
            let said = "this form was not given to you, or too long ago; go back, load the page again and repeat";
            return Err(Sorry::new(StatusCode::FORBIDDEN, said));
        }
        let fields = read(&body)?;
        Ok(Self { caller, fields })
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Sorry> {
    serde_urlencoded::from_bytes(body)
        .map_err(|error| Sorry::new(StatusCode::BAD_REQUEST, error.to_string()))
}
