//! Signs what a browser brings back: sessions, and forms that it was given.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::Secret;

/// A form is good on the day it was given, and on the next.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A key made of all secrets: every replica with the same configuration has the same one, and a secret that changes ends
/// all sessions.
#[derive(Clone)]
pub(crate) struct Seal(Hmac<Sha256>);

impl Seal {
    pub(super) fn of<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut key = Sha256::new_with_prefix("polling console 1");
        for secret in secrets {
            let secret = secret.expose().as_bytes();
            key.update((secret.len() as u64).to_be_bytes());
            key.update(secret);
        }
        let key = Hmac::new_from_slice(&key.finalize());
        Self(key.expect("a key may have any length"))
    }

    /// The signature of a text as what it is.
    pub(super) fn sign(&self, what: &str, text: &str) -> String {
        let mac = self.over(what, text).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode(mac)
    }

    /// Whether a signature is right; the comparison takes the same time for all.
    pub(super) fn is_right(&self, what: &str, text: &str, signature: &str) -> bool {
        let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        self.over(what, text).verify_slice(&signature).is_ok()
    }

    fn over(&self, what: &str, text: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(what.as_bytes());
        mac.update(b"\0");
        mac.update(text.as_bytes());
        mac
    }

    /// What every form of this person carries: pages of others cannot know it.
    pub(crate) fn form(&self, name: &str, now_ms: i64) -> String {
        self.sign("form", &on_day(name, now_ms.div_euclid(DAY_MS)))
    }

    /// Whether a form was given to this person.
    pub(crate) fn is_form_of(&self, name: &str, now_ms: i64, sent: &str) -> bool {
        let today = now_ms.div_euclid(DAY_MS);
        [today, today - 1]
            .iter()
            .any(|day| self.is_right("form", &on_day(name, *day), sent))
    }
}

fn on_day(name: &str, day: i64) -> String {
    format!("{day} {name}")
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(secrets: &[&str]) -> Seal {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::new(*text)).collect();
        Seal::of(secrets.iter())
    }

    #[test]
    fn a_form_is_good_for_whom_it_was_given_on_two_days() {
        let seal = seal(&["a secret of somebody"]);
        let given = seal.form("ada", DAY_MS);
        for (name, now_ms, good) in [
            ("ada", DAY_MS, true),
            ("ada", 3 * DAY_MS - 1, true),
            ("ada", 3 * DAY_MS, false),
            ("ada", DAY_MS - 1, false),
            ("bob", DAY_MS, false),
        ] {
            assert_eq!(
                seal.is_form_of(name, now_ms, &given),
                good,
                "{name} {now_ms}"
            );
        }
        for forged in ["", "AAAA", &given[1..]] {
            assert!(!seal.is_form_of("ada", DAY_MS, forged), "{forged}");
        }
    }

    #[test]
    fn another_set_of_secrets_is_another_key() {
        let given = seal(&["one", "two"]).form("ada", 0);
        assert!(seal(&["one", "two"]).is_form_of("ada", 0, &given));
        for other in [&["onetwo"][..], &["one"], &["two", "one"], &[]] {
            assert!(!seal(other).is_form_of("ada", 0, &given), "{other:?}");
        }
    }

    #[test]
    fn a_signature_of_one_thing_is_none_of_another() {
        let seal = seal(&["one"]);
        let signature = seal.sign("session", "text");
        assert!(seal.is_right("session", "text", &signature));
        assert!(!seal.is_right("form", "text", &signature));
        assert!(!seal.is_right("session", "texts", &signature));
    }
}
