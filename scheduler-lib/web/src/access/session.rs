//! A browser's session: a signed cookie. Nothing is kept here, so that any replica knows it.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::Seal;

/// The cookie.
const SESSION: &str = "polling_session";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    const NOW_MS: i64 = 1_800_000_000_000;

    /// What a browser sends back for a cookie.
    fn sent(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = format!("other=1; {cookie}");
        headers.insert(header::COOKIE, value.parse().unwrap());
        headers
    }

    #[test]
    fn a_session_is_known_until_its_day_is_over_and_to_none_with_other_secrets() {
        let (ours, other) = (Secret::new("ours"), Secret::new("other"));
        let (seal, other) = (
            Seal::of([&ours].into_iter()),
            Seal::of([&other].into_iter()),
        );
        let cookie = cookie_of("ada: ünder. =;", &seal, NOW_MS, false);
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
        let name = name_in(&sent(cookie), &seal, NOW_MS);
        assert_eq!(name.as_deref(), Some("ada: ünder. =;"));
        let last_ms = NOW_MS + (LIFE_S - 1) * 1000;
        assert!(name_in(&sent(cookie), &seal, last_ms).is_some());
        assert_eq!(name_in(&sent(cookie), &seal, last_ms + 1000), None);
        assert_eq!(name_in(&sent(cookie), &other, NOW_MS), None);
    }

    #[test]
    fn a_session_that_was_altered_is_nobodys() {
        let ours = Secret::new("ours");
        let seal = Seal::of([&ours].into_iter());
        let cookie = cookie_of("bob", &seal, NOW_MS, false);
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
        let ada = BASE64_URL_SAFE_NO_PAD.encode("ada");
        let bob = BASE64_URL_SAFE_NO_PAD.encode("bob");
        let altered = [
            cookie.replace(&bob, &ada),
            cookie.replace(&(NOW_MS / 1000 + LIFE_S).to_string(), "9999999999"),
            cookie[..cookie.len() - 4].to_owned(),
            format!("{SESSION}={bob}"),
        ];
        for altered in altered {
            assert_ne!(altered, cookie);
            assert_eq!(name_in(&sent(&altered), &seal, NOW_MS), None, "{altered}");
        }
    }

    #[test]
    fn scripts_and_other_sites_are_kept_from_the_cookie() {
        let ours = Secret::new("ours");
        let seal = Seal::of([&ours].into_iter());
        let cookie = cookie_of("ada", &seal, NOW_MS, true);
        let cookie = cookie.to_str().unwrap();
        for part in [
            "; HttpOnly",
            "; SameSite=Lax",
            "; Path=/console",
            "; Secure",
        ] {
            assert!(cookie.contains(part), "{cookie}");
        }
    }
}
