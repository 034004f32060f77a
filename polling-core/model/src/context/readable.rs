//! Whether a text that is passed through unread can be read where it arrives.
//!
//! Skipping over JSON takes more than reading it does: any depth, numbers beyond all bounds, halves
//! of surrogate pairs. A job with such a context could be sent, and by no worker be received.

use std::{collections::BTreeMap, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::caps::MAX_CONTEXT_DEPTH;

/// Reads all of it and keeps nothing.
pub(super) fn check(text: &str) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Within(MAX_CONTEXT_DEPTH).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// The same of entries that are not written yet: of these only the depth can be wrong. Returns the
/// most bytes that they take once written.
pub(super) fn check_entries(entries: &BTreeMap<String, Value>) -> Result<usize, serde_json::Error> {
    Within(MAX_CONTEXT_DEPTH).check_entries(entries.iter())
}

/// Most bytes of anything but a text, an array or an object: a number may have a sign, a point, 17
/// digits and an exponent.
const MAX_PLAIN_SIZE_BYTES: usize = 32;

/// Most bytes of a text: an escaped character takes six for each byte that it had, at most.
const fn most_bytes(text: &str) -> usize {
    6 * text.len() + "\"\"".len()
}

/// A value of at most so many levels.
#[derive(Clone, Copy)]
struct Within(usize);

impl Within {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        let left = self.0.checked_sub(1).map(Self);
        left.ok_or_else(|| E::custom(format!("it has more than {MAX_CONTEXT_DEPTH} levels")))
    }

    fn check(self, value: &Value) -> Result<usize, serde_json::Error> {
        match value {
            Value::Array(values) => {
                let inner = self.inner()?;
                values.iter().try_fold("[]".len(), |size_bytes, value| {
                    Ok(size_bytes + inner.check(value)? + ",".len())
                })
            }
            Value::Object(entries) => self.check_entries(entries.iter()),
            Value::String(text) => Ok(most_bytes(text)),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(MAX_PLAIN_SIZE_BYTES),
        }
    }

    fn check_entries<'a>(
        self,
        mut entries: impl Iterator<Item = (&'a String, &'a Value)>,
    ) -> Result<usize, serde_json::Error> {
        let inner = self.inner()?;
        entries.try_fold("{}".len(), |size_bytes, (key, value)| {
            Ok(size_bytes + most_bytes(key) + ":".len() + inner.check(value)? + ",".len())
        })
    }
}

impl<'de> DeserializeSeed<'de> for Within {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while map.next_key_seed(inner)?.is_some() {
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}
