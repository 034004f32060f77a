//! Conditional requests: what was answered last time need not be answered again.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::caps;
use crate::Context;

/// The `ETag` and the `Last-Modified` of an answer, to be kept in the context until the next poll.
/// A channel that has nothing newer then answers 304 without a body, often for free.
///
/// ```
/// use polling_core::{Context, http::Validators};
///
/// let mut context = Context::new();
/// let validators = Validators { etag: Some("\"33a6\"".into()), last_modified: None };
/// validators.store(&mut context, "feed");
/// assert_eq!(Validators::load(&context, "feed"), validators);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Validators {
    /// The version's tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// When it was last changed, as the channel wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Validators {
    /// Those kept under `key`; none if there is nothing of the kind.
    #[must_use]
    pub fn load(context: &Context, key: &str) -> Self {
        let kept = context.get(key).map(Self::deserialize);
        kept.and_then(Result::ok).unwrap_or_default()
    }

    /// Keeps them under `key`, or removes what is there if there are none.
    pub fn store(&self, context: &mut Context, key: &str) {
        match serde_json::to_value(self) {
            Ok(value) if *self != Self::default() => context.insert(key, value),
            _ => drop(context.remove(key)),
        }
    }

    /// Those of a response; one longer than [`caps::MAX_VALIDATOR_LEN`] is none.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            let text = headers.get(name)?.to_str().ok()?;
            (text.len() <= caps::MAX_VALIDATOR_LEN).then(|| text.to_owned())
        };
        Self {
            etag: text(header::ETAG),
            last_modified: text(header::LAST_MODIFIED),
        }
    }

    /// Makes a request conditional.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        let mut insert = |name, text: &Option<String>| {
            let value = text.as_deref().map(HeaderValue::from_str);
            if let Some(Ok(value)) = value {
                headers.insert(name, value);
            }
        };
        insert(header::IF_NONE_MATCH, &self.etag);
        insert(header::IF_MODIFIED_SINCE, &self.last_modified);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_may_be_anything() {
        let mut context = Context::from_iter([("feed", 7.into()), ("bad", "x".into())]);
        assert_eq!(Validators::load(&context, "feed"), Validators::default());
        Validators::default().store(&mut context, "feed");
        assert_eq!(context.get("feed"), None);
        let hostile = Validators {
            etag: Some("a\nb".into()),
            last_modified: None,
        };
        let mut headers = HeaderMap::new();
        hostile.apply(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn a_giant_tag_is_none() {
        let giant = HeaderValue::from_str(&"a".repeat(caps::MAX_VALIDATOR_LEN + 1)).unwrap();
        let headers = HeaderMap::from_iter([(header::ETAG, giant)]);
        assert_eq!(Validators::of(&headers), Validators::default());
    }
}
