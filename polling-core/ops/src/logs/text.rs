//! Objects of JSON, member by member.

use std::fmt;

use serde::Serialize;
use tracing::field::{Field, Visit};

/// An object in the making: names, each with its value as JSON. A name that is set again has the later value.
#[derive(Debug, Default)]
pub(super) struct Object(Vec<(String, String)>);

/// Between a name and its value, and behind it; neither is in JSON but as an escape.
const IS: char = '\u{1f}';
const END: char = '\n';

impl Object {
    /// Reads what [`members`](Self::members) wrote.
    pub(super) fn of(members: &str) -> Self {
        let members = members.split_terminator(END);
        let pair = |member: &str| {
            let (name, value) = member.split_once(IS)?;
            Some((name.to_owned(), value.to_owned()))
        };
        Self(members.filter_map(pair).collect())
    }

    /// As a text that can be kept with a span.
    pub(super) fn members(&self) -> String {
        let pairs = self.0.iter();
        pairs
            .map(|(name, value)| format!("{name}{IS}{value}{END}"))
            .collect()
    }

    pub(super) fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        // Numbers, truth values and texts can always be written.
        if let Ok(value) = serde_json::to_string(value) {
            self.add_json(name, value);
        }
    }

    pub(super) fn add_json(&mut self, name: &str, value: String) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        for (name, value) in other.0 {
            self.add_json(&name, value);
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn to_json(&self) -> String {
        let mut text = String::from("{");
        for (name, value) in &self.0 {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&serde_json::Value::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    }
}

/// Puts the fields of a span or an event into an object.
pub(super) struct Fields<'a>(pub(super) &'a mut Object);

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.add(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.add(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.add(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.add(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.add(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.add(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_with_a_span_is_read_back(members: Vec<(String, String)>) {
            let mut object = Object::default();
            for (name, value) in &members {
                object.add(&name.replace([IS, END], ""), value);
            }
            let read = Object::of(&object.members());
            prop_assert_eq!(&read.0, &object.0);
            let json: serde_json::Value = serde_json::from_str(&read.to_json()).unwrap();
            prop_assert_eq!(json.as_object().unwrap().len(), read.0.len());
        }
    }
}
