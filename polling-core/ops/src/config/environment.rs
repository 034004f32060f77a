//! Variables of the environment.

use std::future::pending;

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{Found, Source, SourceError};

/// Variables that begin with a prefix, as they were at the start: with `SETTING__`, the variable `SETTING__MASTODON__POSTS__INTERVAL`
/// is `mastodon/posts/interval`. What has capitals or hyphens in its name cannot be set so.
#[derive(Debug)]
pub struct EnvironmentSource {
    found: Option<Found>,
}

impl EnvironmentSource {
    /// Of these variables, such as `std::env::vars()`, those that begin with `prefix`.
    pub fn new(prefix: &str, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let named = |(name, text): (String, String)| {
            let name = name.strip_prefix(prefix)?;
            Some((name.to_ascii_lowercase().replace("__", "/"), text))
        };
        Self {
            found: Some(variables.into_iter().filter_map(named).collect()),
        }
    }
}

impl Source for EnvironmentSource {
    fn name(&self) -> &str {
        "environment"
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Found, SourceError>> {
        match self.found.take() {
            Some(found) => async { Ok(found) }.boxed(),
            None => pending().boxed(),
        }
    }

    fn outlives_restarts(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_with_the_prefix_are_keys_and_are_told_once() {
        let variables = [
            ("SETTING__MASTODON__POSTS__INTERVAL", "5m"),
            ("PATH", "/bin"),
        ];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let mut source = EnvironmentSource::new("SETTING__", variables);
        let expected = Found::from([("mastodon/posts/interval".to_owned(), "5m".to_owned())]);
        assert_eq!(source.next().await.unwrap(), expected);
        assert!(source.next().now_or_never().is_none());
    }
}
