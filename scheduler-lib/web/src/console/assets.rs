//! What pages load beside themselves. Nothing comes from another server.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use maud::PreEscaped;
use sha2::{Digest as _, Sha256};

/// Scripts and styles from here alone, nothing inline, no frame around it, forms that lead here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Their names change with what they hold.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file of the console.
pub(super) struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

/// How everything looks.
pub(super) static STYLE: Asset = Asset {
    name: "console.css",
    kind: "text/css; charset=utf-8",
    text: include_str!("assets/console.css"),
};

/// What moves.
pub(super) static SCRIPT: Asset = Asset {
    name: "console.js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("assets/console.js"),
};

/// The mark, for the tab.
pub(super) static ICON: Asset = Asset {
    name: "icon.svg",
    kind: "image/svg+xml",
    text: include_str!("assets/icon.svg"),
};

/// The mark, for the page.
pub(super) const MARK: PreEscaped<&str> = PreEscaped(include_str!("assets/icon.svg"));

static ALL: [&Asset; 3] = [&STYLE, &SCRIPT, &ICON];

/// Of all that they hold.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for asset in ALL {
        hash.update(asset.text);
    }
    BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..9])
});

/// The address of an asset.
pub(super) fn path(asset: &Asset) -> String {
    format!("/console/assets/{}?v={}", asset.name, *VERSION)
}

/// `GET /console/assets/{name}`.
pub(super) async fn show(Path(name): Path<String>) -> Response {
    let Some(asset) = ALL.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, FOR_EVER),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
    ];
    (headers, asset.text).into_response()
}

/// Says what a page may load, and from where.
pub(super) async fn confine(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    response
}
