//! A browser's session: a signed cookie. Nothing is kept here, so that any replica knows it.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::Seal;

/// The cookie.
pub(crate) const SESSION: &str = "polling_session";

/// A session ends after a working day.
const LIFE_S: i64 = 12 * 3600;

/// What begins the session of somebody; `secure` where the browser speaks TLS.
pub(crate) fn cookie_of(name: &str, seal: &Seal, now_ms: i64, secure: bool) -> HeaderValue {
    let until_s = now_ms / 1000 + LIFE_S;
    let said = format!("{}.{until_s}", BASE64_URL_SAFE_NO_PAD.encode(name));
    let signature = seal.sign("session", &said);
    set(&format!("{said}.{signature}"), LIFE_S, secure)
}

/// What ends it.
pub(crate) fn no_cookie() -> HeaderValue {
    set("", 0, false)
}

fn set(value: &str, age_s: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!(
        "{SESSION}={value}; Path=/console; Max-Age={age_s}; HttpOnly; SameSite=Lax{secure}"
    );
    HeaderValue::try_from(cookie).expect("it is made of letters, digits and signs")
}

/// Whose session it is.
pub(super) fn name_in(headers: &HeaderMap, seal: &Seal, now_ms: i64) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().strip_prefix(SESSION)?.strip_prefix('='));
    values.find_map(|value| name_of(value, seal, now_ms))
}

fn name_of(value: &str, seal: &Seal, now_ms: i64) -> Option<String> {
    let (said, signature) = value.rsplit_once('.')?;
    let (name, until_s) = said.split_once('.')?;
    let lives = now_ms / 1000 < until_s.parse().ok()?;
    if !lives || !seal.is_right("session", said, signature) {
        return None;
    }
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(name).ok()?).ok()
}
