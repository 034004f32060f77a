//! Keeps web pages out: a browser on the same machine reaches loopback on behalf of any page.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{Web, api::error::ApiError};

/// Refuses a request that a page of another origin made, and on loopback one whose `host` is not
/// this machine, as after DNS rebinding.
pub(crate) async fn refuse_foreign_pages(
    State(web): State<Web>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let loopback = web.0.options.listen.ip().is_loopback();
    let refused = if loopback && !text(headers, header::HOST).is_none_or(is_this_machine) {
        "the host header names another machine; call localhost or a loopback address"
    } else if !same_origin(headers) {
        "requests of pages of other origins are refused"
    } else {
        return next.run(request).await;
    };
    ApiError::new(StatusCode::FORBIDDEN, refused).into_response()
}

/// Answers hold what owners would not want in a cache; those that say how long they may be kept may be.
pub(crate) async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// A header as text; one that is no text stands for a name that is never right.
fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers
        .get(name)
        .map(|value| value.to_str().unwrap_or_default())
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Only browsers send an origin.
fn same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = text(headers, header::ORIGIN) else {
        return true;
    };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some() && authority == text(headers, header::HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_this_machine_are_known() {
        for host in [
            "localhost",
            "localhost:7070",
            "127.0.0.1:7070",
            "[::1]:7070",
            "127.1.2.3",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "evil.example:7070",
            "10.0.0.1",
            "localhost.evil.example",
            "[2001:db8::1]",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
