//! Reads a type from a context, and asks it on the way which keys it knows.

use std::cell::RefCell;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Visitor, value::MapDeserializer},
    forward_to_deserialize_any,
};

use super::TypedError;
use crate::Context;

/// The names of a struct's fields, aliases included; `None` of what tells none.
pub(super) type Fields = Option<&'static [&'static str]>;

/// The value, and the fields that its type has.
pub(super) fn read<T: DeserializeOwned>(context: &Context) -> Result<(T, Fields), TypedError> {
    let asked = Asked::default();
    let read = T::deserialize(Reading {
        context,
        asked: &asked,
    });
    match read {
        Ok(value) => Ok((value, asked.into_inner().fields)),
        Err(error) => Err(TypedError::Misfit {
            what: asked.into_inner().describe(&error),
        }),
    }
}

type Asked = RefCell<Progress>;

#[derive(Default)]
struct Progress {
    fields: Fields,
    /// The key whose value is being read.
    key: Option<String>,
}

impl Progress {
    /// Serde's own words quote what they do not like, which may be a secret.
    fn describe(self, error: &serde_json::Error) -> String {
        let error = error.to_string();
        match self.key {
            Some(key) => format!("its key {key} cannot be read"),
            // A struct has read every value by now: what is left to say is about keys.
            None if self.fields.is_some() || error.starts_with("missing field") => error,
            None => "it cannot be read".to_owned(),
        }
    }
}

/// A context as a struct.
struct Reading<'a> {
    context: &'a Context,
    asked: &'a Asked,
}

impl<'de> Deserializer<'de> for Reading<'_> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let mut entries = self.context.iter();
        let entries = std::iter::from_fn(|| {
            let entry = entries.next();
            self.asked.borrow_mut().key = entry.map(|(key, _)| key.to_owned());
            // The deserializer of a value owns it: what is read may, too.
            entry.map(|(key, value)| (key.to_owned(), value.clone()))
        });
        visitor.visit_map(MapDeserializer::new(entries))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.asked.borrow_mut().fields = Some(fields);
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
