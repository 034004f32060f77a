//! The name of a setting: `mastodon/posts/interval`.

use std::{fmt, str::FromStr};

/// Longest key, bytes.
pub const MAX_KEY_LEN: usize = 512;

/// Most parts of a key.
pub const MAX_SEGMENTS: usize = 8;

/// The name of a setting below the prefix of a program's: parts with a slash between, each of visible ASCII.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<str>);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Longer than [`MAX_KEY_LEN`], or of more parts than [`MAX_SEGMENTS`].
    #[error("a key has at most {MAX_SEGMENTS} parts and {MAX_KEY_LEN} bytes")]
    TooLong,
    /// A slash at an end, or two in a row.
    #[error("a key has no empty parts: write a/b/c")]
    EmptyPart,
    /// A space, a control character, or one beyond ASCII.
    #[error("a key has visible ASCII only")]
    Character,
}

impl Key {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// [`KeyError`] that tells what a key may be.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY_LEN || text.split('/').count() > MAX_SEGMENTS {
            return Err(KeyError::TooLong);
        }
        if text.split('/').any(str::is_empty) {
            return Err(KeyError::EmptyPart);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::Character);
        }
        Ok(Self(text.into()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts, at least one.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_parts_of_visible_ascii() {
        let key = Key::new("mastodon/posts/interval").unwrap();
        assert!(key.segments().eq(["mastodon", "posts", "interval"]));
        for (text, error) in [
            ("", KeyError::EmptyPart),
            ("a//b", KeyError::EmptyPart),
            ("a/", KeyError::EmptyPart),
            ("a b", KeyError::Character),
            ("ä", KeyError::Character),
            ("1/2/3/4/5/6/7/8/9", KeyError::TooLong),
        ] {
            assert_eq!(Key::new(text), Err(error), "{text:?}");
        }
        assert_eq!(
            Key::new(&"a".repeat(MAX_KEY_LEN + 1)),
            Err(KeyError::TooLong)
        );
    }
}
