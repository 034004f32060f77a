//! Reasons leave the process unauthenticated, so what they say is bounded and masked.

/// Longest reason, characters.
pub const MAX_REASON_LEN: usize = 400;

/// Stands where a secret stood.
const MASK: &str = "***";

/// What follows one of these, after `=` or `:`, is masked.
const SECRET_KEYS: [&str; 11] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "authorization",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "access-key",
];

/// `text` on one line, masked, and cut to its bound.
pub(super) fn presentable(text: &str) -> String {
    let mut words = Vec::new();
    let mut follows_key = false;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        let names_scheme = ["bearer", "basic"].contains(&word.to_ascii_lowercase().as_str());
        if follows_key {
            words.push(MASK.to_owned());
            // The secret itself comes after `authorization: Bearer`.
            follows_key = names_scheme;
        } else if let Some(end) = secret_starts_at(word) {
            words.push(format!("{}{MASK}", &word[..end]));
            follows_key = word[end..].trim_matches(['"', '\'']).is_empty();
            if follows_key {
                words.pop();
                words.push(word.to_owned());
            }
        } else {
            follows_key = word.eq_ignore_ascii_case("bearer");
            words.push(without_credentials(word));
        }
    }
    bounded(&words.join(" "))
}

/// Where the value of `password=…` or the like begins in a word.
fn secret_starts_at(word: &str) -> Option<usize> {
    // Keeps every byte's place.
    let lower = word.to_ascii_lowercase();
    let ends = SECRET_KEYS.iter().flat_map(|key| {
        let found = lower.match_indices(key);
        found.map(|(start, key)| start + key.len())
    });
    let after_sign = |end: usize| {
        let rest = &word[end..];
        let sign = rest.trim_start_matches(['"', '\'']);
        let quotes = rest.len() - sign.len();
        sign.starts_with(['=', ':']).then_some(end + quotes + 1)
    };
    ends.filter_map(after_sign).min()
}

/// `redis://user:password@host/` without user and password.
fn without_credentials(word: &str) -> String {
    let mut masked = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find("://") {
        let (scheme, after) = rest.split_at(at + 3);
        masked.push_str(scheme);
        let authority = after.find(['/', '?', '#']).unwrap_or(after.len());
        rest = match after[..authority].rfind('@') {
            Some(credentials) => {
                masked.push_str(MASK);
                &after[credentials..]
            }
            None => after,
        };
    }
    masked.push_str(rest);
    masked
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(MAX_REASON_LEN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_addresses_are_masked() {
        assert_eq!(
            presentable("redis://app:hunter2@10.0.0.1:6379/0 refused: see https://x.org/a@b"),
            "redis://***@10.0.0.1:6379/0 refused: see https://x.org/a@b"
        );
    }

    #[test]
    fn what_follows_a_key_of_secrets_is_masked() {
        for (said, shown) in [
            (
                "login with password=hunter2 failed",
                "login with password=*** failed",
            ),
            ("Password: hunter2", "Password: ***"),
            ("{\"token\":\"hunter2\"}", "{\"token\":***"),
            (
                "authorization: Bearer hunter2 refused",
                "authorization: *** *** refused",
            ),
            ("sent Bearer hunter2", "sent Bearer ***"),
            ("GET /x?api_key=hunter2&y=1", "GET /x?api_key=***"),
            ("2 tokens left", "2 tokens left"),
        ] {
            assert_eq!(presentable(said), shown);
        }
    }

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        assert_eq!(presentable("a\n  b\u{7}c"), "a b c");
        let long = presentable(&"ä".repeat(MAX_REASON_LEN + 1));
        assert_eq!(long.chars().count(), MAX_REASON_LEN + 1);
        assert!(long.ends_with("ä…"));
        let fits = "ä".repeat(MAX_REASON_LEN);
        assert_eq!(presentable(&fits), fits);
    }
}
