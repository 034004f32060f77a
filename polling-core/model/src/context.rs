//! What a job remembers between two polls.

mod readable;

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, value::RawValue};

use crate::{caps, wire};

/// A map of the channel author's own making: cursors, validators, what was seen. Keys are ordered,
/// so that equal contexts have equal encodings.
///
/// Cheap to clone: clones share the entries until one of them changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context(Arc<BTreeMap<String, Value>>);

impl Context {
    /// An empty context.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The text under `key`, if it is a text.
    #[must_use]
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The whole number under `key`, if it is one.
    #[must_use]
    pub fn get_i64(&self, key: &str) -> Option<i64> {
        self.get(key)?.as_i64()
    }

    /// Sets `key`.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        Arc::make_mut(&mut self.0).insert(key.into(), value.into());
    }

    /// Removes `key` and returns what it held.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        Arc::make_mut(&mut self.0).remove(key)
    }

    /// All entries, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether it can be [encoded](Self::encode), without doing so.
    ///
    /// # Errors
    ///
    /// Those of [`encode`](Self::encode).
    pub fn check(&self) -> Result<(), ContextError> {
        let most_bytes = readable::check_entries(&self.0).map_err(ContextError::Malformed)?;
        if most_bytes <= caps::MAX_CONTEXT_SIZE_BYTES {
            return Ok(());
        }
        self.encode().map(drop)
    }

    /// The form that is stored and sent.
    ///
    /// # Errors
    ///
    /// [`ContextError::TooLarge`] beyond [`caps::MAX_CONTEXT_SIZE_BYTES`];
    /// [`ContextError::Malformed`] beyond [`caps::MAX_CONTEXT_DEPTH`].
    pub fn encode(&self) -> Result<EncodedContext, ContextError> {
        readable::check_entries(&self.0).map_err(ContextError::Malformed)?;
        let text = wire::to_ascii_json(self).map_err(ContextError::Malformed)?;
        EncodedContext::from_readable(text)
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Context {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let entries = entries.map(|(key, value)| (key.into(), value)).collect();
        Self(Arc::new(entries))
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

/// Without what was found in its place: a context may hold secrets.
impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Entries)
    }
}

struct Entries;

impl<'de> de::Visitor<'de> for Entries {
    type Value = Context;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a context, which is a JSON object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Context, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            entries.insert(key, value);
        }
        Ok(Context(Arc::new(entries)))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Context, E> {
        Err(E::invalid_type(de::Unexpected::Other("text"), &self))
    }
}

/// Why a context cannot be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// Its encoding is too large.
    #[error("context has {size_bytes} bytes encoded as ASCII JSON: {} over the bound of {}", size_bytes - caps::MAX_CONTEXT_SIZE_BYTES, caps::MAX_CONTEXT_SIZE_BYTES)]
    TooLarge {
        /// The size found, in bytes.
        size_bytes: usize,
    },
    /// It is no JSON object, or one that not every decoder reads.
    #[error(
        "context is not a JSON object of at most {} levels",
        caps::MAX_CONTEXT_DEPTH
    )]
    Malformed(#[source] serde_json::Error),
}

/// A context as ASCII JSON of bounded size, passed through without a look inside.
///
/// Cheap to clone: clones share the text.
#[derive(Clone)]
pub struct EncodedContext(Arc<RawValue>);

impl EncodedContext {
    /// Takes the text of a JSON object.
    ///
    /// # Errors
    ///
    /// [`ContextError`] when it is no JSON object, nests deeper than [`caps::MAX_CONTEXT_DEPTH`], has
    /// a number or an escape that stands for nothing, or is too large once its other characters are
    /// escaped.
    pub fn new(text: &str) -> Result<Self, ContextError> {
        if text.len() > caps::MAX_CONTEXT_SIZE_BYTES {
            return Err(ContextError::TooLarge {
                size_bytes: text.len(),
            });
        }
        if text.is_ascii() && text.starts_with('{') {
            return Self::from_ascii(text.to_owned());
        }
        // Anything else is written anew, which escapes it, or tells what is wrong with it.
        let context: Context = serde_json::from_str(text).map_err(ContextError::Malformed)?;
        context.encode()
    }

    fn from_ascii(text: String) -> Result<Self, ContextError> {
        readable::check(&text).map_err(ContextError::Malformed)?;
        Self::from_readable(text)
    }

    fn from_readable(text: String) -> Result<Self, ContextError> {
        if text.len() > caps::MAX_CONTEXT_SIZE_BYTES {
            return Err(ContextError::TooLarge {
                size_bytes: text.len(),
            });
        }
        let raw = RawValue::from_string(text).map_err(ContextError::Malformed)?;
        Ok(Self(raw.into()))
    }

    /// The encoding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.as_str().len()
    }

    /// Looks inside.
    ///
    /// # Errors
    ///
    /// [`ContextError::Malformed`]; none is known, since every context was checked when it was taken.
    pub fn decode(&self) -> Result<Context, ContextError> {
        serde_json::from_str(self.as_str()).map_err(ContextError::Malformed)
    }
}

impl Default for EncodedContext {
    fn default() -> Self {
        let empty = RawValue::from_string("{}".to_owned());
        Self(empty.expect("{} is JSON").into())
    }
}

impl PartialEq for EncodedContext {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for EncodedContext {}

/// The size only: a context may hold what its owner would not want in a log.
impl fmt::Debug for EncodedContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncodedContext({} bytes)", self.size_bytes())
    }
}

impl Serialize for EncodedContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EncodedContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        if text.len() <= caps::MAX_CONTEXT_SIZE_BYTES && text.is_ascii() && text.starts_with('{') {
            // The deserializer has skipped over it, which is less than reading it.
            readable::check(text).map_err(de::Error::custom)?;
            return Ok(Self(raw.into()));
        }
        Self::new(text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_checked_as_it_is_encoded() {
        let around = caps::MAX_CONTEXT_SIZE_BYTES - "{\"x\":\"\"}".len();
        for len in [0, 5, around / 6, around / 6 + 1, around, around + 1] {
            for (text, size_bytes) in [("a".repeat(len), 1), ("\u{1}".repeat(len), 6)] {
                let context = Context::from_iter([("x", text.into())]);
                let fits = len * size_bytes <= around;
                assert_eq!(context.check().is_ok(), fits, "{len}");
                assert_eq!(context.encode().is_ok(), fits, "{len}");
            }
        }
    }

    #[test]
    fn an_oversize_context_says_how_far_over_it_is() {
        let mut context = Context::new();
        context.insert("x", "a".repeat(caps::MAX_CONTEXT_SIZE_BYTES));
        let error = context.encode().unwrap_err().to_string();
        assert_eq!(
            error,
            "context has 245768 bytes encoded as ASCII JSON: 8 over the bound of 245760"
        );
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for bad in ["", "7", "[1]", "{\"a\":}", "{} {}", "\"é\""] {
            assert!(
                matches!(EncodedContext::new(bad), Err(ContextError::Malformed(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_context_is_a_map_in_the_order_of_its_keys() {
        let mut context = Context::from_iter([("b", 2.into()), ("a", "x".into())]);
        context.insert("c", 3);
        let keys: Vec<_> = context.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a", "b", "c"]);
        assert_eq!(
            (context.get_str("a"), context.get_str("b")),
            (Some("x"), None)
        );
        assert_eq!(
            (context.get_i64("b"), context.get_i64("a")),
            (Some(2), None)
        );
        assert_eq!(context.remove("b"), Some(2.into()));
        assert_eq!((context.remove("b"), context.get("b")), (None, None));
    }

    #[test]
    fn encodings_are_compared_and_counted_by_their_text() {
        let (one, other) = (
            EncodedContext::new("{\"a\":1}"),
            EncodedContext::new("{\"a\":2}"),
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one, other);
        assert_eq!(one, EncodedContext::new(one.as_str()).unwrap());
        assert_eq!(one.size_bytes(), 7);
        assert_eq!(format!("{one:?}"), "EncodedContext(7 bytes)");
    }

    #[test]
    fn an_oversize_context_is_refused_wherever_it_comes_from() {
        let full = "a".repeat(caps::MAX_CONTEXT_SIZE_BYTES - "{\"x\":\"\"}".len());
        let largest = format!("{{\"x\":\"{full}\"}}");
        let over = format!("{{\"x\":\"{full}a\"}}");
        assert!(EncodedContext::new(&largest).is_ok() && EncodedContext::new(&over).is_err());
        assert!(serde_json::from_str::<EncodedContext>(&largest).is_ok());
        assert!(serde_json::from_str::<EncodedContext>(&over).is_err());
    }

    #[test]
    fn what_no_worker_could_read_is_refused() {
        let nested = |levels: usize| {
            let inner = "[".repeat(levels - 1) + &"]".repeat(levels - 1);
            format!("{{\"a\":{inner}}}")
        };
        assert!(EncodedContext::new(&nested(caps::MAX_CONTEXT_DEPTH)).is_ok());
        for bad in [
            &nested(caps::MAX_CONTEXT_DEPTH + 1),
            &nested(100_000),
            "{\"a\":1e999}",
            "{\"a\":\"\\ud800\"}",
            "{\"\\udfff\":1}",
        ] {
            assert!(EncodedContext::new(bad).is_err(), "{bad:.40}");
            assert!(
                serde_json::from_str::<EncodedContext>(bad).is_err(),
                "{bad:.40}"
            );
        }
    }

    #[test]
    fn other_characters_are_escaped_and_survive() {
        let encoded = EncodedContext::new("{\"name\":\"Zoë \u{fffe} 🦀\"}").unwrap();
        assert!(encoded.as_str().is_ascii());
        assert_eq!(
            encoded.decode().unwrap().get_str("name"),
            Some("Zoë \u{fffe} 🦀")
        );
    }
}
