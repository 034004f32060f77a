//! Who one is.

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{assets, frame::bare, local, words::encoded};
use crate::{
    Web,
    access::{cookie_of, no_cookie},
};

#[derive(Deserialize)]
pub(super) struct Back {
    /// Where to go then.
    to: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Said {
    name: Option<String>,
    secret: String,
    to: Option<String>,
}

/// The address of the form for whoever wanted to go to `uri`.
pub(super) fn path_back_to(uri: &Uri) -> String {
    format!("/console/login?to={}", encoded(local(uri)))
}

/// `GET /console/login`. What follows `#` in its address is filled in as the secret and sent; no server or log sees it there.
pub(super) async fn show(Query(Back { to }): Query<Back>) -> Markup {
    form(to.as_deref(), None)
}

/// `POST /console/login`.
pub(super) async fn begin(
    State(web): State<Web>,
    headers: HeaderMap,
    axum::Form(said): axum::Form<Said>,
) -> Response {
    let name = said
        .name
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let Some(caller) = web.0.access.of_secret(name, said.secret.trim().as_bytes()) else {
        let page = form(
            said.to.as_deref(),
            Some("Nobody has this name and this secret."),
        );
        return (StatusCode::UNAUTHORIZED, page).into_response();
    };
    let secure = headers
        .get("x-forwarded-proto")
        .is_some_and(|scheme| scheme.as_bytes() == b"https");
    let cookie = cookie_of(
        &caller.name,
        &web.0.access.seal,
        web.0.clock.now_ms(),
        secure,
    );
    let to = said
        .to
        .as_deref()
        .filter(|to| is_ours(to))
        .unwrap_or("/console");
    let mut response = Redirect::to(to).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response.extensions_mut().insert(caller);
    response
}

/// `POST /console/logout`.
pub(super) async fn end() -> Response {
    let mut response = Redirect::to("/console/login").into_response();
    response
        .headers_mut()
        .insert(header::SET_COOKIE, no_cookie());
    response
}

/// Whether an address leads to a page of the console, and nowhere else.
fn is_ours(to: &str) -> bool {
    let rest = to.strip_prefix("/console");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && !to.contains(['\\', '\r', '\n'])
        && !to.contains("//")
}

fn form(to: Option<&str>, wrong: Option<&str>) -> Markup {
    let body = html! {
        section.card.narrow {
            h1.brand { (assets::MARK) span { "Polling" } }
            @if let Some(wrong) = wrong { p.said role="alert" { (wrong) } }
            form #login method="post" action="/console/login" {
                label { "Name " small { "not needed with the admin token" } input name="name" autocomplete="username" autocapitalize="none" spellcheck="false"; }
                label { "Secret" input name="secret" type="password" autocomplete="current-password" required autofocus; }
                @if let Some(to) = to { input type="hidden" name="to" value=(to); }
                button.primary { "Log in" }
            }
        }
    };
    bare("Log in", body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_led_back_to_pages_of_the_console_only() {
        for ours in [
            "/console",
            "/console/health",
            "/console/channels/a%2Fb/now?x=1",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "https://evil.example",
            "//evil.example",
            "/consolevil",
            "/console//evil.example",
            "/console/\\evil",
            "",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
