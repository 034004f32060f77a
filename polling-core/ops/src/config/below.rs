//! A part of what a source holds.

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{Found, Source, SourceError};

/// The keys of a source that are below a prefix, without it: with `mastodon/posts/worker` the key
/// `mastodon/posts/worker/concurrency` is `concurrency`. The others are another program's.
#[derive(Debug)]
pub struct Below<S> {
    source: S,
    prefix: String,
}

impl<S> Below<S> {
    /// What is below `prefix`.
    pub fn new(prefix: &str, source: S) -> Self {
        Self {
            source,
            prefix: format!("{}/", prefix.trim_matches('/')),
        }
    }
}

impl<S: Source> Source for Below<S> {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Found, SourceError>> {
        let Self { source, prefix } = self;
        async move {
            let found = source.next().await?.into_iter();
            let below = |(key, text): (String, String)| {
                let key = key.strip_prefix(prefix.as_str())?.to_owned();
                Some((key, text))
            };
            Ok(found.filter_map(below).collect())
        }
        .boxed()
    }

    fn outlives_restarts(&self) -> bool {
        self.source.outlives_restarts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EnvironmentSource;

    #[tokio::test]
    async fn keys_of_others_are_left_out_and_the_rest_lose_the_prefix() {
        let variables = [("X_A__B__C", "1"), ("X_A__BB__C", "2"), ("X_A__B", "3")];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let mut source = Below::new("a/b", EnvironmentSource::new("X_", variables));
        let expected = Found::from([("c".to_owned(), "1".to_owned())]);
        assert_eq!(source.next().await.unwrap(), expected);
        assert_eq!(source.name(), "environment");
    }
}
