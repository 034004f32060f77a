//! What people see when something goes wrong.

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::html;
use scheduler_lib::RegistryError;

use super::frame::bare;
use crate::api::error::ApiError;

/// A page that was not to be had, or a change that was not made, and why.
#[derive(Debug)]
pub(crate) struct Sorry {
    status: StatusCode,
    said: String,
}

impl Sorry {
    pub(crate) fn new(status: StatusCode, said: impl Into<String>) -> Self {
        Self {
            status,
            said: said.into(),
        }
    }

    pub(crate) fn not_found(said: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, said)
    }

    pub(crate) fn bad_request(said: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, said)
    }
}

impl From<ApiError> for Sorry {
    fn from(error: ApiError) -> Self {
        Self::new(error.status, error.problem.error)
    }
}

impl From<RegistryError> for Sorry {
    fn from(error: RegistryError) -> Self {
        ApiError::from(error).into()
    }
}

impl IntoResponse for Sorry {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Sorry");
        let body = html! {
            section.card.narrow role="alert" {
                h1 { (title) }
                p.said { (self.said) }
                p { a.button href="/console" { "Back to the console" } }
            }
        };
        (self.status, bare(title, body)).into_response()
    }
}

/// Whatever no page has as its address.
pub(super) async fn no_such_page() -> Sorry {
    Sorry::not_found("there is no such page")
}

/// What layers say in a program's words, such as that there is too much to do, as a page.
pub(super) async fn in_html(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_html = response
        .headers()
        .get(axum::http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_html || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let said = match status {
        StatusCode::SERVICE_UNAVAILABLE => "there is too much to do at the moment; try again",
        StatusCode::NOT_FOUND => "there is no such page",
        StatusCode::METHOD_NOT_ALLOWED => "this page is only looked at",
        _ => "this cannot be done",
    };
    Sorry::new(status, said).into_response()
}
