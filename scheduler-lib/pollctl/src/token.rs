//! The admin token, which never shows.

use std::{fmt, fs, path::Path};

use reqwest::header::HeaderValue;

use crate::failure::Failure;

/// What the scheduler wants to see of who calls. It shows in no output, error or `Debug`.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    /// Reads it from a file, space around it left out.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(file).map_err(|error| {
            Failure::Usage(format!(
                "the token's file {} cannot be read: {error}",
                file.display()
            ))
        })?;
        Ok(Self::new(text))
    }

    /// The header that carries it.
    pub(crate) fn header(&self) -> Result<HeaderValue, Failure> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0)).map_err(|_| {
            Failure::Usage("the token has characters that no header can carry".to_owned())
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
